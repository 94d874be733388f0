/* SPDX-License-Identifier: ISC */
#include "pcap-backend/replay.h"

#include <stdlib.h>

#define BITS 64u

int
replay_init(struct replay *r, uint32_t window, bool esn)
{
	uint32_t words = 1;

	memset(r, 0, sizeof *r);
	if (window != 0 && window < REPLAY_MIN)
		return ERR_VALUE;
	r->off = window == 0;
	r->window = window == 0 ? REPLAY_MIN : window;
	r->esn = esn;
	/* One word more than the window covers, so that a whole word can be cleared ahead of it. */
	while (words < (r->window + BITS - 1) / BITS + 1)
		words *= 2;
	if ((r->map = calloc(words, sizeof *r->map)) == NULL)
		return ERR_NOMEM;
	r->words = words;
	return OK;
}

void
replay_free(struct replay *r)
{
	free(r->map);
	memset(r, 0, sizeof *r);
}

uint64_t
replay_infer(const struct replay *r, uint32_t lo)
{
	uint32_t tl = (uint32_t)r->top, th = (uint32_t)(r->top >> 32);
	uint32_t bottom = tl - r->window + 1;     /* modulo 2^32, as in A2.2 */

	if (!r->esn)
		return lo;
	if (tl >= r->window - 1)
		return (uint64_t)(lo >= bottom ? th : th + 1) << 32 | lo;
	if (lo < bottom)
		return (uint64_t)th << 32 | lo;
	return th == 0 ? 0 : (uint64_t)(th - 1) << 32 | lo;
}

static uint64_t *
word_of(const struct replay *r, uint64_t seq)
{
	return &r->map[seq / BITS & (r->words - 1)];
}

bool
replay_ok(const struct replay *r, uint64_t seq)
{
	if (seq == 0)
		return false;
	if (r->off || seq > r->top)
		return true;
	if (r->top - seq >= r->window)
		return false;
	return (*word_of(r, seq) >> (seq % BITS) & 1) == 0;
}

void
replay_mark(struct replay *r, uint64_t seq)
{
	if (seq > r->top) {
		uint64_t from = r->top / BITS, to = seq / BITS;

		if (to - from > r->words)
			from = to - r->words;
		while (from < to)
			r->map[++from & (r->words - 1)] = 0;
		r->top = seq;
	} else if (r->top - seq >= r->window) {
		return;
	}
	*word_of(r, seq) |= UINT64_C(1) << (seq % BITS);
}
