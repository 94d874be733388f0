/* SPDX-License-Identifier: ISC */
#include "base/rd.h"

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
