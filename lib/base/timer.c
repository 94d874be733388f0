/* SPDX-License-Identifier: ISC */
#include "base/timer.h"

#include <stdlib.h>

#include "base/err.h"

#define FIRST_CAP 16u

static void
place(struct timers *q, size_t i, struct timer *t)
{
	q->heap[i] = t;
	t->slot = i + 1;
}

static void
sift_up(struct timers *q, size_t i, struct timer *t)
{
	for (; i > 0 && t->at < q->heap[(i - 1) / 2]->at; i = (i - 1) / 2)
		place(q, i, q->heap[(i - 1) / 2]);
	place(q, i, t);
}

static void
sift_down(struct timers *q, size_t i, struct timer *t)
{
	size_t child;

	for (; (child = 2 * i + 1) < q->n; i = child) {
		if (child + 1 < q->n && q->heap[child + 1]->at < q->heap[child]->at)
			child++;
		if (t->at <= q->heap[child]->at)
			break;
		place(q, i, q->heap[child]);
	}
	place(q, i, t);
}

static void
settle(struct timers *q, size_t i, struct timer *t)
{
	if (i > 0 && t->at < q->heap[(i - 1) / 2]->at)
		sift_up(q, i, t);
	else
		sift_down(q, i, t);
}

int
timer_set(struct timers *q, struct timer *t, int64_t at)
{
	if (at == TIMER_NEVER) {
		timer_clear(q, t);
		return OK;
	}
	if (t->slot == 0) {
		if (q->n == q->cap) {
			size_t cap = q->cap == 0 ? FIRST_CAP : q->cap * 2;
			struct timer **heap = realloc(q->heap, cap * sizeof *heap);

			if (heap == NULL)
				return ERR_NOMEM;
			q->heap = heap;
			q->cap = cap;
		}
		t->slot = ++q->n;
	}
	t->at = at;
	settle(q, t->slot - 1, t);
	return OK;
}

void
timer_clear(struct timers *q, struct timer *t)
{
	size_t i;
	struct timer *last;

	if (t->slot == 0)
		return;
	i = t->slot - 1;
	t->slot = 0;
	last = q->heap[--q->n];
	if (last != t)
		settle(q, i, last);
}

int64_t
timers_next(const struct timers *q)
{
	return q->n == 0 ? TIMER_NEVER : q->heap[0]->at;
}

struct timer *
timers_pop(struct timers *q, int64_t now)
{
	struct timer *t;

	if (q->n == 0 || q->heap[0]->at > now)
		return NULL;
	t = q->heap[0];
	timer_clear(q, t);
	return t;
}

void
timers_free(struct timers *q)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		q->heap[i]->slot = 0;
	free(q->heap);
	memset(q, 0, sizeof *q);
}
