/* SPDX-License-Identifier: ISC */
/* Timer queue (binary heap) over a clock that the caller moves. Times in ms, any fixed origin. */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include "base/bytes.h"

#define TIMER_NEVER INT64_MAX

/* Embedded in what it times. Zero-initialised = not set. */
struct timer {
	int64_t at;
	size_t slot;          /* position in the heap + 1; 0 = not set */
};

struct timers {
	struct timer **heap;
	size_t n, cap;
};

/* (Re)sets; TIMER_NEVER clears. 0 or ERR_NOMEM (never when it was set already). */
int timer_set(struct timers *, struct timer *, int64_t at);
void timer_clear(struct timers *, struct timer *);
/* When the earliest is due; TIMER_NEVER if none. */
int64_t timers_next(const struct timers *);
/* Takes out the earliest timer that is due at `now`; NULL if none. */
struct timer *timers_pop(struct timers *, int64_t now);
/* Forgets all timers (they are then not set) and frees the heap. */
void timers_free(struct timers *);

#endif
