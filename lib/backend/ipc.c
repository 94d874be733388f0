/* SPDX-License-Identifier: ISC */
#include "backend/ipc.h"

void
wr_str(struct wr *w, const char *s)
{
	size_t mark = wr_open16(w);

	wr_put(w, bytes_str(s));
	wr_close16(w, mark, -2);
}

void
rd_str(struct rd *r, char *to, size_t cap)
{
	struct bytes b = rd_take(r, rd_u16(r));

	memset(to, 0, cap);
	if (b.n >= cap || (b.n != 0 && memchr(b.p, '\0', b.n) != NULL)) {
		rd_fail(r);
		return;
	}
	if (b.n != 0)
		memcpy(to, b.p, b.n);
}
