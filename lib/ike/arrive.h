/* SPDX-License-Identifier: ISC */
/* From a datagram to the handler of its row: read, judge, only then act. */
#ifndef IKE_ARRIVE_H
#define IKE_ARRIVE_H

#include "ike/engine.h"

void arrive(struct ike *, const struct endpoint *local, const struct endpoint *peer, bool natt,
    struct bytes data);

#endif
