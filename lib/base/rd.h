/* SPDX-License-Identifier: ISC */
/*
 * Cursor reader. Every read is bounded; the first one that does not fit makes the reader bad for
 * good (it then returns zeros and empty views), so a parser may read a whole structure and ask
 * once at the end. No other code does pointer arithmetic on received octets. Network byte order.
 */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/bytes.h"

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct rd
rd_open(struct bytes b)
{
	struct rd r = { b.p, b.n == 0 ? b.p : b.p + b.n, false };
	return r;
}

static inline size_t
rd_left(const struct rd *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

uint8_t rd_u8(struct rd *);
uint16_t rd_u16(struct rd *);
uint32_t rd_u24(struct rd *);
uint32_t rd_u32(struct rd *);
uint64_t rd_u64(struct rd *);
/* The next n octets, borrowed from the input. */
struct bytes rd_take(struct rd *, size_t n);
/* Copies exactly n octets out. */
void rd_copy(struct rd *, void *to, size_t n);
void rd_skip(struct rd *, size_t n);
/* A reader over the next n octets, which are consumed here. Bad if they are not there. */
struct rd rd_sub(struct rd *, size_t n);
/* All that is left. */
struct bytes rd_rest(struct rd *);
/* Marks the reader bad, for values that make the rest meaningless. */
void rd_fail(struct rd *);
/* True when nothing failed and nothing is left: the last line of every parser. */
bool rd_end(const struct rd *);
static inline bool
rd_ok(const struct rd *r)
{
	return !r->bad;
}

#endif
