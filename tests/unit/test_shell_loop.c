/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <signal.h>

static struct loop *loop;

static int
setup(void **state)
{
	(void)state;
	return (loop = loop_new()) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

struct seen {
	int count;
	int what;
	int64_t at;
};

static void
on_io(void *arg, int fd, int what)
{
	struct seen *s = arg;
	char c;

	s->count++;
	s->what = what;
	if (what & LOOP_READ)
		assert_int_equal(read(fd, &c, 1), 1);
}

static void
on_time(void *arg)
{
	struct seen *s = arg;

	s->count++;
	s->at = loop_now(loop);
}

TEST(readable_descriptor_is_told)
{
	struct seen s = { 0 };
	struct loop_io *io;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	io = loop_io_new(loop, fd[0], LOOP_READ, on_io, &s);
	assert_int_equal(loop_step(loop, 0), OK);
	assert_int_equal(s.count, 0);
	assert_int_equal(write(fd[1], "xy", 2), 2);
	WAIT_FOR(loop, s.count == 2);
	assert_int_equal(s.what, LOOP_READ);
	loop_io_free(io);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

TEST(paused_descriptor_is_not_told_until_wanted_again)
{
	struct seen s = { 0 };
	struct loop_io *io;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(write(fd[1], "x", 1), 1);
	io = loop_io_new(loop, fd[0], LOOP_READ, on_io, &s);
	loop_io_want(io, 0);
	assert_int_equal(loop_step(loop, 0), OK);
	assert_int_equal(s.count, 0);
	loop_io_want(io, LOOP_READ);
	WAIT_FOR(loop, s.count == 1);
	loop_io_free(io);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

TEST(timers_fire_once_in_order_and_not_early)
{
	struct seen late = { 0 }, early = { 0 };
	struct loop_timer *a = loop_timer_new(loop, on_time, &late);
	struct loop_timer *b = loop_timer_new(loop, on_time, &early);
	int64_t start = loop_now(loop);

	loop_timer_in(a, 60);
	loop_timer_at(b, start + 20);
	assert_true(loop_timer_pending(a));
	WAIT_FOR(loop, late.count == 1);
	assert_int_equal(early.count, 1);
	assert_true(early.at <= late.at);
	/* The library's own clock may be a tick of the kernel behind ours. */
	assert_true(late.at >= start + 60 - 10);
	assert_false(loop_timer_pending(a));
	loop_timer_free(a);
	loop_timer_free(b);
}

TEST(timer_that_was_cleared_or_set_to_never_stays_silent)
{
	struct seen s = { 0 }, mark = { 0 };
	struct loop_timer *a = loop_timer_new(loop, on_time, &s);
	struct loop_timer *b = loop_timer_new(loop, on_time, &s);
	struct loop_timer *c = loop_timer_new(loop, on_time, &mark);

	loop_timer_in(a, 1);
	loop_timer_clear(a);
	loop_timer_in(b, 1);
	loop_timer_at(b, INT64_MAX);
	loop_timer_in(c, 30);
	WAIT_FOR(loop, mark.count == 1);
	assert_int_equal(s.count, 0);
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(c);
}

static int64_t times[2];
static int n_times;

static void
two_events(void *arg, int fd, int what)
{
	char c;

	(void)arg;
	(void)what;
	assert_int_equal(read(fd, &c, 1), 1);
	if (n_times < 2)
		times[n_times++] = loop_now(loop);
}

static void
count_after(void *arg)
{
	++*(int *)arg;
}

TEST(all_events_of_a_wakeup_see_the_same_time_and_after_runs_last)
{
	struct loop_io *io[2];
	int fd[2][2], after = 0, i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(pipe(fd[i]), 0);
		io[i] = loop_io_new(loop, fd[i][0], LOOP_READ, two_events, NULL);
		assert_int_equal(write(fd[i][1], "x", 1), 1);
	}
	loop_after(loop, count_after, &after);
	assert_int_equal(loop_step(loop, 1000), OK);
	assert_int_equal(n_times, 2);
	assert_int_equal(times[0], times[1]);
	assert_int_equal(after, 1);
	for (i = 0; i < 2; i++) {
		loop_io_free(io[i]);
		(void)close(fd[i][0]);
		(void)close(fd[i][1]);
	}
}

static struct {
	struct loop_later first, second, never;
	int calls[3];
} later;

static void
second_later(void *arg)
{
	(void)arg;
	assert_int_equal(later.calls[0], 1);
	later.calls[1]++;
}

static void
first_later(void *arg)
{
	(void)arg;
	later.calls[0]++;
	assert_true(loop_later(loop, &later.second));
}

static void
never_later(void *arg)
{
	(void)arg;
	later.calls[2]++;
}

static void
ask_for_later(void *arg)
{
	(void)arg;
	assert_true(loop_later(loop, &later.never));
	assert_true(loop_later(loop, &later.first));
	assert_true(loop_later(loop, &later.first));
	loop_later_cancel(loop, &later.never);
	assert_int_equal(later.calls[0], 0);
}

TEST(what_is_left_for_later_is_called_once_at_the_end_of_the_wakeup)
{
	struct loop_timer *t = loop_timer_new(loop, ask_for_later, NULL);

	memset(&later, 0, sizeof later);
	later.first.fn = first_later;
	later.second.fn = second_later;
	later.never.fn = never_later;
	assert_false(loop_later(loop, &later.first));
	loop_timer_in(t, 0);
	assert_int_equal(loop_step(loop, 1000), OK);
	assert_int_equal(later.calls[0], 1);
	assert_int_equal(later.calls[1], 1);
	assert_int_equal(loop_step(loop, 0), OK);
	assert_int_equal(later.calls[0], 1);
	assert_int_equal(later.calls[1], 1);
	assert_int_equal(later.calls[2], 0);
	loop_timer_free(t);
}

static void
on_signal(void *arg, int signo)
{
	*(int *)arg = signo;
	loop_stop(loop);
}

TEST(signal_is_an_event_and_stop_ends_the_run)
{
	int seen = 0;

	assert_int_equal(loop_signal(loop, SIGUSR1, on_signal, &seen), OK);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(loop_run(loop), OK);
	assert_int_equal(seen, SIGUSR1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(readable_descriptor_is_told),
		T(paused_descriptor_is_not_told_until_wanted_again),
		T(timers_fire_once_in_order_and_not_early),
		T(timer_that_was_cleared_or_set_to_never_stays_silent),
		T(all_events_of_a_wakeup_see_the_same_time_and_after_runs_last),
		T(what_is_left_for_later_is_called_once_at_the_end_of_the_wakeup),
		T(signal_is_an_event_and_stop_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
