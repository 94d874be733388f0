/* SPDX-License-Identifier: ISC */
/*
 * Block writer: appends to a fixed caller's buffer or to a growing one of its own. The first write
 * that does not fit marks it bad for good. A length field is opened before its block and filled in
 * when the block is closed. Network byte order.
 */
#ifndef BASE_WR_H
#define BASE_WR_H

#include "base/bytes.h"

struct wr {
	uint8_t *p;
	size_t n;     /* octets written */
	size_t cap;   /* octets there is room for */
	size_t max;   /* growing writer: never more than this */
	bool grows;
	bool bad;
};

/* Write into the caller's buffer of cap octets. wr_free() is not needed. */
struct wr wr_fixed(void *buf, size_t cap);
/* Grow on the heap up to max octets. Freed (and wiped) by wr_free(), or taken by wr_take(). */
struct wr wr_grow(size_t max);
void wr_free(struct wr *);
/* What was written so far, borrowed; empty if bad. */
struct bytes wr_view(const struct wr *);
/* Move the octets of a growing writer into `to` (freed first); the writer is then empty. 0; or
 * ERR_SPACE if bad, ERR_STATE if it is not a growing one, and `to` is as it was. */
int wr_take(struct wr *, struct blob *to);

/* Room for n octets that the caller (a cipher, say) fills in before the next write; NULL if there
 * is none. */
uint8_t *wr_room(struct wr *, size_t n);
/* The same, without a call where there is room already. Only for the functions below. */
static inline uint8_t *
wr_room_(struct wr *w, size_t n)
{
	uint8_t *p;

	if (w->bad || n > w->cap - w->n)
		return wr_room(w, n);
	p = w->p + w->n;
	w->n += n;
	return p;
}

static inline void
wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_room_(w, 1);

	if (p != NULL)
		p[0] = v;
}

static inline void
wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_room_(w, 2);

	if (p == NULL)
		return;
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_room_(w, 4);

	if (p == NULL)
		return;
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void wr_u24(struct wr *, uint32_t);   /* bad if it does not fit */
void wr_u64(struct wr *, uint64_t);
void wr_put(struct wr *, struct bytes);
void wr_zero(struct wr *, size_t n);

/*
 * A 16-bit length field whose value is (octets from the field's first octet to the close) + adjust.
 * TLV values use adjust -2; IKE generic payload headers, whose length counts the two octets before
 * the field too, use adjust +2. Closing overflow marks the writer bad.
 */
size_t wr_open16(struct wr *);
void wr_close16(struct wr *, size_t mark, int adjust);
size_t wr_open32(struct wr *);
void wr_close32(struct wr *, size_t mark, int adjust);
/* Overwrite octets already written, at offset `at`. */
void wr_patch8(struct wr *, size_t at, uint8_t);
void wr_patch32(struct wr *, size_t at, uint32_t);

#endif
