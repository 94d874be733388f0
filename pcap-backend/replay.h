/* SPDX-License-Identifier: ISC */
/*
 * The anti-replay window of an inbound SA, RFC 4303 section 3.4.3, and the inference of the high
 * half of an extended sequence number, its Appendix A2. Nothing changes before replay_mark(), which
 * is called only for a packet whose ICV has been verified.
 */
#ifndef PCAP_REPLAY_H
#define PCAP_REPLAY_H

#include "base/bytes.h"
#include "base/err.h"

#define REPLAY_MIN 64u

struct replay {
	uint64_t top;         /* highest authenticated sequence number; 0 = none yet */
	uint32_t window;      /* packets */
	bool esn;
	bool off;             /* no check; the window then serves the inference alone */
	uint64_t *map;        /* bit per number, a ring of words */
	uint32_t words;       /* power of two, one more than the window needs */
};

/* window: 0 turns the check off, else at least REPLAY_MIN. 0, ERR_VALUE or ERR_NOMEM. */
int replay_init(struct replay *, uint32_t window, bool esn);
void replay_free(struct replay *);
/* The 64-bit number that the 32 bits on the wire most likely stand for; 0 if for none. */
uint64_t replay_infer(const struct replay *, uint32_t seq_lo);
/* Neither seen nor left of the window. Number 0 is never right. */
bool replay_ok(const struct replay *, uint64_t seq);
/* The packet of this number was authentic. Numbers left of the window change nothing. */
void replay_mark(struct replay *, uint64_t seq);

#endif
