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

/* NULL, and the reader bad, when there are fewer than n octets left. Only for the functions below. */
static inline const uint8_t *
rd_advance_(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > (size_t)(r->end - r->p)) {
		r->bad = true;
		return NULL;
	}
	if (n != 0)
		r->p += n;
	return p;
}

/* Inline, and octet by octet in the C of it: compilers make one load and one swap of each. */
static inline uint8_t
rd_u8(struct rd *r)
{
	const uint8_t *p = rd_advance_(r, 1);

	return p == NULL ? 0 : *p;
}

static inline uint16_t
rd_u16(struct rd *r)
{
	const uint8_t *p = rd_advance_(r, 2);

	if (p == NULL)
		return 0;
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
rd_u24(struct rd *r)
{
	const uint8_t *p = rd_advance_(r, 3);

	return p == NULL ? 0 : (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t
rd_u32(struct rd *r)
{
	const uint8_t *p = rd_advance_(r, 4);

	return p == NULL ? 0 :
	    (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t
rd_u64(struct rd *r)
{
	uint64_t hi = rd_u32(r), lo = rd_u32(r);

	return r->bad ? 0 : hi << 32 | lo;
}

/* The next n octets, borrowed from the input. */
static inline struct bytes
rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = rd_advance_(r, n);

	return bytes_of(p, r->bad ? 0 : n);
}

static inline void
rd_skip(struct rd *r, size_t n)
{
	(void)rd_advance_(r, n);
}

/* All that is left. */
static inline struct bytes
rd_rest(struct rd *r)
{
	return rd_take(r, rd_left(r));
}

/* Copies exactly n octets out; zeros when they are not there. */
static inline void
rd_copy(struct rd *r, void *to, size_t n)
{
	const uint8_t *p = rd_advance_(r, n);

	if (n == 0)
		return;
	if (p != NULL)
		memcpy(to, p, n);
	else
		memset(to, 0, n);
}

/* A reader over the next n octets, which are consumed here. Bad if they are not there. */
struct rd rd_sub(struct rd *, size_t n);
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
