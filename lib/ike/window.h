/* SPDX-License-Identifier: ISC */
/*
 * Message IDs, RFC 7296 sections 2.1 to 2.3: one outstanding request in each direction. A request
 * that comes again is recognized by its octets, and answered with the very response it got.
 */
#ifndef IKE_WINDOW_H
#define IKE_WINDOW_H

#include "ike/msg.h"

struct window {
	uint32_t next_out;       /* Message ID of our next request */
	uint32_t next_in;        /* Message ID of the next request of the peer */
	uint64_t in_mark;        /* of request next_in - 1, as window_mark() made it */
	uint8_t in_exchange;     /* its exchange type */
	bool answering;          /* it was accepted but has no response yet */
	uint8_t tries;           /* how often the outstanding request was sent again */
	struct blob request;     /* outstanding, as sent; empty: none */
	struct blob response;    /* to request next_in - 1, as sent; empty: none yet */
};

enum window_verdict {
	WINDOW_NEW,              /* the next request, or the response that we wait for */
	WINDOW_REPEAT,           /* the last request again, octet for octet */
	WINDOW_OUTSIDE,          /* anything else: to be dropped */
};

/* A keyed fingerprint of a whole datagram. */
uint64_t window_mark(const uint8_t seed[static 16], struct bytes datagram);
/* Judges only. NEW is to be believed once the ICV has been verified. The last Message ID is never
 * NEW: the next one would be 0 again (section 2.2). */
enum window_verdict window_judge(const struct window *, const struct ike_header *, uint64_t mark);
/* An authenticated NEW request: from now on it is the one before. */
void window_accept_request(struct window *, const struct ike_header *, uint64_t mark);
/* An authenticated NEW response: the request is done. */
void window_accept_response(struct window *);
/* Our request goes out: takes the octets over. Its Message ID was next_out. */
void window_sent_request(struct window *, struct blob *message);
void window_sent_response(struct window *, struct blob *message);
static inline bool
window_busy(const struct window *w)
{
	return w->request.n != 0;
}
void window_free(struct window *);

#endif
