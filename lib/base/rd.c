/* SPDX-License-Identifier: ISC */
#include "base/rd.h"

void
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

struct rd
rd_sub(struct rd *r, size_t n)
{
	struct rd sub = rd_open(rd_take(r, n));

	sub.bad = r->bad;
	return sub;
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
