/* SPDX-License-Identifier: ISC */
/*
 * The event loop of a process: descriptors, timers and signals over libevent. The clock is read
 * once per wake-up; everything done in that wake-up sees the same time. One per process, one
 * thread.
 */
#ifndef SHELL_LOOP_H
#define SHELL_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;

/* NULL when out of memory or descriptors. SIGPIPE is ignored from then on. */
struct loop *loop_new(void);
/* Whatever was made from the loop must have been freed before. NULL is fine. */
void loop_free(struct loop *);

/* Monotonic time of this wake-up in ms; before loop_run(): of loop_new(). */
int64_t loop_now(const struct loop *);
/* Runs until loop_stop(). 0, or ERR_IO when waiting failed. */
int loop_run(struct loop *);
/* One wake-up: waits at most wait_ms (-1: for ever), calls what is due. For tests. */
int loop_step(struct loop *, int wait_ms);
void loop_stop(struct loop *);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void (*loop_io_fn)(void *arg, int fd, int what);
typedef void (*loop_fn)(void *arg);
typedef void (*loop_signal_fn)(void *arg, int signo);

/*
 * Watch a descriptor, which stays the caller's. `what`: LOOP_READ | LOOP_WRITE. NULL: out of
 * memory.
 */
struct loop_io *loop_io_new(struct loop *, int fd, int what, loop_io_fn, void *arg);
/* Change what is waited for; 0 pauses. */
void loop_io_want(struct loop_io *, int what);
void loop_io_free(struct loop_io *);

/* Not running until set. NULL: out of memory. */
struct loop_timer *loop_timer_new(struct loop *, loop_fn, void *arg);
/* Fires once, at monotonic time `at` (ms; INT64_MAX: never). Setting again replaces. */
void loop_timer_at(struct loop_timer *, int64_t at);
/* Fires once, in `ms` from now. */
void loop_timer_in(struct loop_timer *, int64_t ms);
void loop_timer_clear(struct loop_timer *);
bool loop_timer_pending(const struct loop_timer *);
void loop_timer_free(struct loop_timer *);

/* Deliver a signal as an event. Freed with the loop. 0 or ERR_NOMEM. */
int loop_signal(struct loop *, int signo, loop_signal_fn, void *arg);

/* Called at the end of each wake-up, after all events of it; for flushing batches. One per loop. */
void loop_after(struct loop *, loop_fn, void *arg);

/* Something to be done at the end of a wake-up, embedded in what it is for: fn and arg are set by
 * its owner, the rest is 0. */
struct loop_later {
	loop_fn fn;
	void *arg;
	struct loop_later *next;
	bool set;
};
/* Call it once, after loop_after()'s function. False outside of a wake-up: it will not be called. */
bool loop_later(struct loop *, struct loop_later *);
void loop_later_cancel(struct loop *, struct loop_later *);

#endif
