/* SPDX-License-Identifier: ISC */
#include "base/bytes.h"

#include <stdlib.h>

#include "base/err.h"

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
ct_equal(struct bytes a, struct bytes b)
{
	/* volatile keeps the compiler from leaving the loop at the first difference. */
	volatile uint8_t diff = 0;
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		diff = (uint8_t)(diff | (a.p[i] ^ b.p[i]));
	return diff == 0;
}

void
wipe(void *p, size_t n)
{
	if (n == 0)
		return;
	memset(p, 0, n);
	/* The compiler must assume that this reads what p points to, so the memset stays. */
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

int
blob_copy(struct blob *to, struct bytes from)
{
	uint8_t *p = NULL;

	if (from.n != 0) {
		p = malloc(from.n);
		if (p != NULL)
			memcpy(p, from.p, from.n);
	}
	blob_free(to);
	if (from.n != 0 && p == NULL)
		return ERR_NOMEM;
	to->p = p;
	to->n = from.n;
	return OK;
}

void
blob_free(struct blob *b)
{
	free(b->p);
	b->p = NULL;
	b->n = 0;
}

void
blob_move(struct blob *to, struct blob *from)
{
	struct blob held = *from;

	from->p = NULL;
	from->n = 0;
	blob_free(to);
	*to = held;
}
