/* SPDX-License-Identifier: ISC */
/* INFORMATIONAL, RFC 7296 sections 1.4, 2.4, 2.25: Delete, liveness, errors. */
#ifndef IKE_INFO_H
#define IKE_INFO_H

#include "ike/exchange.h"

void info_request(struct ike *, struct ike_sa *, const struct arrival *);
void info_response(struct ike *, struct ike_sa *, const struct arrival *);
/* Send what the SA wants to say, if the window is free. May end the SA. */
void info_pump(struct ike *, struct ike_sa *);

#endif
