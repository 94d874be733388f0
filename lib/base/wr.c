/* SPDX-License-Identifier: ISC */
#include "base/wr.h"

#include <stdlib.h>

#include "base/err.h"

#define FIRST_CAP 256u

struct wr
wr_fixed(void *buf, size_t cap)
{
	struct wr w = { .p = buf, .cap = cap, .max = cap };

	return w;
}

struct wr
wr_grow(size_t max)
{
	struct wr w = { .max = max, .grows = true };

	return w;
}

static void
drop(struct wr *w)
{
	if (w->p != NULL) {
		wipe(w->p, w->cap);
		free(w->p);
	}
	w->p = NULL;
	w->n = w->cap = 0;
}

void
wr_free(struct wr *w)
{
	if (w->grows)
		drop(w);
	w->bad = false;
}

/* realloc() would leave a copy behind that nobody wipes. */
static bool
enlarge(struct wr *w, size_t need)
{
	size_t cap = w->cap == 0 ? FIRST_CAP : w->cap;
	uint8_t *p;

	while (cap < need)
		cap = cap > w->max / 2 ? w->max : cap * 2;
	if (cap > w->max)
		cap = w->max;
	if ((p = malloc(cap)) == NULL)
		return false;
	if (w->n != 0)
		memcpy(p, w->p, w->n);
	if (w->p != NULL) {
		wipe(w->p, w->n);
		free(w->p);
	}
	w->p = p;
	w->cap = cap;
	return true;
}

uint8_t *
wr_room(struct wr *w, size_t n)
{
	uint8_t *p;

	if (w->bad)
		return NULL;
	if (n > w->max - w->n ||
	    (n > w->cap - w->n && (!w->grows || !enlarge(w, w->n + n)))) {
		w->bad = true;
		return NULL;
	}
	if (w->p == NULL)
		return NULL;
	p = w->p + w->n;
	w->n += n;
	return p;
}

struct bytes
wr_view(const struct wr *w)
{
	return w->bad ? bytes_of(NULL, 0) : bytes_of(w->p, w->n);
}

int
wr_take(struct wr *w, struct blob *to)
{
	if (w->bad)
		return ERR_SPACE;
	if (!w->grows)
		return ERR_STATE;
	blob_free(to);
	if (w->n == 0) {
		drop(w);
		return OK;
	}
	to->p = w->p;
	to->n = w->n;
	w->p = NULL;
	w->n = w->cap = 0;
	return OK;
}

static void
store(uint8_t *p, uint64_t v, size_t n)
{
	while (n-- > 0) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void
number(struct wr *w, uint64_t v, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p != NULL)
		store(p, v, n);
}

void
wr_u24(struct wr *w, uint32_t v)
{
	if (v > 0xffffff)
		w->bad = true;
	number(w, v, 3);
}

void
wr_u64(struct wr *w, uint64_t v)
{
	number(w, v, 8);
}

void
wr_put(struct wr *w, struct bytes b)
{
	uint8_t *p;

	if (b.n != 0 && (p = wr_room(w, b.n)) != NULL)
		memcpy(p, b.p, b.n);
}

void
wr_zero(struct wr *w, size_t n)
{
	uint8_t *p;

	if (n != 0 && (p = wr_room(w, n)) != NULL)
		memset(p, 0, n);
}

static size_t
open_length(struct wr *w, size_t n)
{
	size_t mark = w->n;

	wr_zero(w, n);
	return w->bad ? 0 : mark;
}

static void
close_length(struct wr *w, size_t mark, int adjust, size_t n, uint64_t max)
{
	int64_t v;

	if (w->bad)
		return;
	if (mark > w->n || w->n - mark < n) {
		w->bad = true;
		return;
	}
	v = (int64_t)(w->n - mark) + adjust;
	if (v < 0 || (uint64_t)v > max) {
		w->bad = true;
		return;
	}
	store(w->p + mark, (uint64_t)v, n);
}

size_t
wr_open16(struct wr *w)
{
	return open_length(w, 2);
}

void
wr_close16(struct wr *w, size_t mark, int adjust)
{
	close_length(w, mark, adjust, 2, UINT16_MAX);
}

size_t
wr_open32(struct wr *w)
{
	return open_length(w, 4);
}

void
wr_close32(struct wr *w, size_t mark, int adjust)
{
	close_length(w, mark, adjust, 4, UINT32_MAX);
}

static void
patch(struct wr *w, size_t at, uint64_t v, size_t n)
{
	if (w->bad)
		return;
	if (at > w->n || w->n - at < n)
		w->bad = true;
	else
		store(w->p + at, v, n);
}

void
wr_patch8(struct wr *w, size_t at, uint8_t v)
{
	patch(w, at, v, 1);
}

void
wr_patch32(struct wr *w, size_t at, uint32_t v)
{
	patch(w, at, v, 4);
}
