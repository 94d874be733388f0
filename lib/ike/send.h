/* SPDX-License-Identifier: ISC */
/* Sending within an IKE SA: protected requests and responses, retransmission. */
#ifndef IKE_SEND_H
#define IKE_SEND_H

#include "ike/ike_sa.h"

/* Begin a protected request / the response to the last request: write payloads, then end it. */
void request_begin(struct ike_out *, const struct ike_sa *, uint8_t exchange);
void response_begin(struct ike_out *, const struct ike_sa *);
/*
 * Seal, remember for repeats, send; a response goes to where the request came from, from where it
 * arrived (RFC 7296 section 2.11). The writer is empty afterwards. On an error nothing was sent:
 * the caller gives the SA up.
 */
int request_end(struct ike *, struct ike_sa *, struct ike_out *);
int response_end(struct ike *, struct ike_sa *, struct ike_out *);

/* A response with nothing but this notify. */
int respond_notify(struct ike *, struct ike_sa *, uint16_t type, struct bytes data);
int respond_empty(struct ike *, struct ike_sa *);

/* The request that waits for its answer, as sent. */
struct bytes outstanding(const struct ike_sa *);
/* Send it (again) and arm the timer for the next time. */
void send_outstanding(struct ike *, struct ike_sa *);
/* The timer fired: again, or give up. */
void retransmit(struct ike *, struct ike_sa *);
/* A repeat came in from there: the cached response again, to where it came from (RFC 7296 section
 * 2.11); but when that is not where the request first came from, and the response is longer, to
 * where the SA's peer is: else a recorded request would be a reflector. */
void respond_again(struct ike *, struct ike_sa *, const struct endpoint *local,
    const struct endpoint *from, bool natt, struct bytes repeat);

#endif
