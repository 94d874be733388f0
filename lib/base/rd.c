/* SPDX-License-Identifier: ISC */
#include "base/rd.h"

/* NULL, and the reader bad, when there are fewer than n octets left. */
static const uint8_t *
advance(struct rd *r, size_t n)
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

static uint64_t
number(struct rd *r, size_t n)
{
	const uint8_t *p = advance(r, n);
	uint64_t v = 0;
	size_t i;

	for (i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t
rd_u8(struct rd *r)
{
	return (uint8_t)number(r, 1);
}

uint16_t
rd_u16(struct rd *r)
{
	return (uint16_t)number(r, 2);
}

uint32_t
rd_u24(struct rd *r)
{
	return (uint32_t)number(r, 3);
}

uint32_t
rd_u32(struct rd *r)
{
	return (uint32_t)number(r, 4);
}

uint64_t
rd_u64(struct rd *r)
{
	return number(r, 8);
}

struct bytes
rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = advance(r, n);

	return bytes_of(p, r->bad ? 0 : n);
}

void
rd_copy(struct rd *r, void *to, size_t n)
{
	const uint8_t *p = advance(r, n);

	if (n == 0)
		return;
	if (p != NULL)
		memcpy(to, p, n);
	else
		memset(to, 0, n);
}

void
rd_skip(struct rd *r, size_t n)
{
	(void)advance(r, n);
}

struct rd
rd_sub(struct rd *r, size_t n)
{
	struct rd sub = rd_open(rd_take(r, n));

	sub.bad = r->bad;
	return sub;
}

struct bytes
rd_rest(struct rd *r)
{
	return rd_take(r, rd_left(r));
}

void
rd_fail(struct rd *r)
{
	r->bad = true;
}

bool
rd_end(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}
