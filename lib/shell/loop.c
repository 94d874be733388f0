/* SPDX-License-Identifier: ISC */
#include "shell/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "base/err.h"
#include "base/log.h"

#define SIGNALS_MAX 8

struct loop {
	struct event_base *base;
	int64_t now;
	bool stale;              /* a new wake-up: the clock is to be read */
	bool stopped;
	loop_fn after;
	void *after_arg;
	bool awake;              /* within a wake-up */
	struct loop_later *later, **later_last;
	struct loop_sig {
		struct loop *loop;
		struct event *ev;
		loop_signal_fn fn;
		void *arg;
	} signals[SIGNALS_MAX];
	size_t n_signals;
};

struct loop_io {
	struct loop *loop;
	struct event *ev;
	int fd, what;
	loop_io_fn fn;
	void *arg;
};

struct loop_timer {
	struct loop *loop;
	struct event *ev;
	loop_fn fn;
	void *arg;
};

static int64_t
clock_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
loop_wake(struct loop *l)
{
	if (!l->stale)
		return;
	l->now = clock_ms();
	l->stale = false;
}

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	if ((l->base = event_base_new()) == NULL) {
		free(l);
		return NULL;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	l->now = clock_ms();
	l->later_last = &l->later;
	return l;
}

void
loop_free(struct loop *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->n_signals; i++)
		event_free(l->signals[i].ev);
	event_base_free(l->base);
	free(l);
}

int64_t
loop_now(const struct loop *l)
{
	return l->now;
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
	(void)event_base_loopbreak(l->base);
}

/* What is called may add more. */
static void
run_later(struct loop *l)
{
	struct loop_later *n;

	while ((n = l->later) != NULL) {
		loop_later_cancel(l, n);
		n->fn(n->arg);
	}
}

/* Ends a bounded wait; the wake-up itself is all that is wanted. */
static void
wait_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

int
loop_step(struct loop *l, int wait_ms)
{
	struct timeval tv = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	struct event *limit = NULL;
	int r;

	if (wait_ms > 0) {
		if ((limit = event_new(l->base, -1, 0, wait_over, NULL)) == NULL)
			return ERR_NOMEM;
		(void)event_add(limit, &tv);
	}
	l->stale = true;
	l->awake = true;
	r = event_base_loop(l->base, wait_ms == 0 ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
	loop_wake(l);
	if (l->after != NULL)
		l->after(l->after_arg);
	run_later(l);
	l->awake = false;
	log_flush();
	if (limit != NULL)
		event_free(limit);
	return r < 0 ? ERR_IO : OK;
}

int
loop_run(struct loop *l)
{
	int r = OK;

	l->stopped = false;
	while (!l->stopped && r == OK)
		r = loop_step(l, -1);
	return r;
}

void
loop_after(struct loop *l, loop_fn fn, void *arg)
{
	l->after = fn;
	l->after_arg = arg;
}

bool
loop_later(struct loop *l, struct loop_later *n)
{
	if (!l->awake)
		return false;
	if (n->set)
		return true;
	n->set = true;
	n->next = NULL;
	*l->later_last = n;
	l->later_last = &n->next;
	return true;
}

void
loop_later_cancel(struct loop *l, struct loop_later *n)
{
	struct loop_later **at = &l->later;

	if (!n->set)
		return;
	while (*at != n)
		at = &(*at)->next;
	if ((*at = n->next) == NULL)
		l->later_last = at;
	n->set = false;
}

/* ------------------------------------------------------------------ descriptors */

static void
io_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;
	int is = 0;

	loop_wake(io->loop);
	if (what & EV_READ)
		is |= LOOP_READ;
	if (what & EV_WRITE)
		is |= LOOP_WRITE;
	io->fn(io->arg, (int)fd, is);
}

static int
io_arm(struct loop_io *io)
{
	int flags = EV_PERSIST;

	if (io->what & LOOP_READ)
		flags |= EV_READ;
	if (io->what & LOOP_WRITE)
		flags |= EV_WRITE;
	if (event_assign(io->ev, io->loop->base, io->fd, (short)flags, io_event, io) != 0)
		return ERR_NOMEM;
	if (io->what != 0 && event_add(io->ev, NULL) != 0)
		return ERR_NOMEM;
	return OK;
}

struct loop_io *
loop_io_new(struct loop *l, int fd, int what, loop_io_fn fn, void *arg)
{
	struct loop_io *io = calloc(1, sizeof *io);

	if (io == NULL)
		return NULL;
	*io = (struct loop_io){ .loop = l, .fd = fd, .what = what, .fn = fn, .arg = arg };
	if ((io->ev = event_new(l->base, fd, EV_PERSIST, io_event, io)) == NULL) {
		free(io);
		return NULL;
	}
	if (io_arm(io) != OK) {
		event_free(io->ev);
		free(io);
		return NULL;
	}
	return io;
}

void
loop_io_want(struct loop_io *io, int what)
{
	if (io->what == what)
		return;
	(void)event_del(io->ev);
	io->what = what;
	(void)io_arm(io);
}

void
loop_io_free(struct loop_io *io)
{
	if (io == NULL)
		return;
	event_free(io->ev);
	free(io);
}

/* ------------------------------------------------------------------ timers */

static void
timer_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd;
	(void)what;
	loop_wake(t->loop);
	t->fn(t->arg);
}

struct loop_timer *
loop_timer_new(struct loop *l, loop_fn fn, void *arg)
{
	struct loop_timer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	*t = (struct loop_timer){ .loop = l, .fn = fn, .arg = arg };
	if ((t->ev = event_new(l->base, -1, 0, timer_event, t)) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
loop_timer_in(struct loop_timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	(void)event_del(t->ev);
	(void)event_add(t->ev, &tv);
}

void
loop_timer_at(struct loop_timer *t, int64_t at)
{
	if (at == INT64_MAX)
		loop_timer_clear(t);
	else
		loop_timer_in(t, at - t->loop->now);
}

void
loop_timer_clear(struct loop_timer *t)
{
	(void)event_del(t->ev);
}

bool
loop_timer_pending(const struct loop_timer *t)
{
	return event_pending(t->ev, EV_TIMEOUT, NULL) != 0;
}

void
loop_timer_free(struct loop_timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}

/* ------------------------------------------------------------------ signals */

static void
signal_event(evutil_socket_t signo, short what, void *arg)
{
	struct loop_sig *s = arg;

	(void)what;
	loop_wake(s->loop);
	s->fn(s->arg, (int)signo);
}

int
loop_signal(struct loop *l, int signo, loop_signal_fn fn, void *arg)
{
	struct loop_sig *s;

	if (l->n_signals == SIGNALS_MAX)
		return ERR_SPACE;
	s = &l->signals[l->n_signals];
	*s = (struct loop_sig){ .loop = l, .fn = fn, .arg = arg };
	if ((s->ev = evsignal_new(l->base, signo, signal_event, s)) == NULL)
		return ERR_NOMEM;
	if (event_add(s->ev, NULL) != 0) {
		event_free(s->ev);
		return ERR_NOMEM;
	}
	l->n_signals++;
	return OK;
}
