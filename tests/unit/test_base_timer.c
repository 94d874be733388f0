/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include <stdlib.h>

#include "base/timer.h"

TEST(empty_queue_is_never_due)
{
	struct timers q = { 0 };

	assert_true(timers_next(&q) == TIMER_NEVER);
	assert_null(timers_pop(&q, INT64_MAX));
	timers_free(&q);
}

TEST(timer_is_due_at_its_time_and_not_before)
{
	struct timers q = { 0 };
	struct timer t = { 0 };

	assert_int_equal(timer_set(&q, &t, 100), OK);
	assert_true(timers_next(&q) == 100);
	assert_null(timers_pop(&q, 99));
	assert_ptr_equal(timers_pop(&q, 100), &t);
	assert_int_equal(t.slot, 0);
	assert_null(timers_pop(&q, 1000));
	assert_true(timers_next(&q) == TIMER_NEVER);
	timers_free(&q);
}

TEST(timer_set_again_moves)
{
	struct timers q = { 0 };
	struct timer a = { 0 }, b = { 0 };

	assert_int_equal(timer_set(&q, &a, 100), OK);
	assert_int_equal(timer_set(&q, &b, 200), OK);
	assert_int_equal(timer_set(&q, &a, 300), OK);
	assert_true(timers_next(&q) == 200);
	assert_int_equal(timer_set(&q, &b, 50), OK);
	assert_true(timers_next(&q) == 50);
	assert_ptr_equal(timers_pop(&q, 1000), &b);
	assert_ptr_equal(timers_pop(&q, 1000), &a);
	assert_null(timers_pop(&q, 1000));
	timers_free(&q);
}

TEST(cleared_timer_does_not_fire)
{
	struct timers q = { 0 };
	struct timer a = { 0 }, b = { 0 };

	timer_clear(&q, &a);
	assert_int_equal(timer_set(&q, &a, 1), OK);
	assert_int_equal(timer_set(&q, &b, 2), OK);
	timer_clear(&q, &a);
	timer_clear(&q, &a);
	assert_ptr_equal(timers_pop(&q, 10), &b);
	assert_null(timers_pop(&q, 10));
	timers_free(&q);
}

TEST(never_clears)
{
	struct timers q = { 0 };
	struct timer a = { 0 };

	assert_int_equal(timer_set(&q, &a, 1), OK);
	assert_int_equal(timer_set(&q, &a, TIMER_NEVER), OK);
	assert_int_equal(a.slot, 0);
	assert_null(timers_pop(&q, INT64_MAX));
	assert_int_equal(timer_set(&q, &a, TIMER_NEVER), OK);
	assert_int_equal(q.n, 0);
	timers_free(&q);
}

TEST(times_before_the_origin_come_first)
{
	struct timers q = { 0 };
	struct timer a = { 0 }, b = { 0 };

	assert_int_equal(timer_set(&q, &a, 0), OK);
	assert_int_equal(timer_set(&q, &b, INT64_MIN), OK);
	assert_true(timers_next(&q) == INT64_MIN);
	assert_ptr_equal(timers_pop(&q, -1), &b);
	assert_null(timers_pop(&q, -1));
	timers_free(&q);
}

TEST(freed_queue_forgets_its_timers)
{
	struct timers q = { 0 };
	struct timer a = { 0 };

	assert_int_equal(timer_set(&q, &a, 1), OK);
	timers_free(&q);
	assert_int_equal(a.slot, 0);
	assert_int_equal(timer_set(&q, &a, 5), OK);
	assert_true(timers_next(&q) == 5);
	timers_free(&q);
}

/* Set, moved and cleared at random; then they must come out in order, and none but those set. */
TEST(ten_thousand_random_timers_fire_in_order)
{
	static struct timer t[10000];
	struct timers q = { 0 };
	struct timer *got;
	uint64_t rng = 9;
	size_t i, set = 0, fired = 0;
	int64_t last = INT64_MIN, now;

	for (i = 0; i < COUNT(t) * 4; i++) {
		struct timer *one = &t[test_random(&rng) % COUNT(t)];

		if (test_random(&rng) % 5 == 0)
			timer_clear(&q, one);
		else
			assert_int_equal(timer_set(&q, one, (int64_t)(test_random(&rng) % 100000)),
			    OK);
	}
	for (i = 0; i < COUNT(t); i++)
		set += t[i].slot != 0;
	assert_true(set > COUNT(t) / 2);
	assert_int_equal(q.n, set);
	for (now = 0; now <= 100000; now += 10) {
		while ((got = timers_pop(&q, now)) != NULL) {
			assert_true(got->at >= last && got->at <= now && got->at > now - 10);
			assert_int_equal(got->slot, 0);
			last = got->at;
			fired++;
		}
		assert_true(timers_next(&q) > now);
	}
	assert_int_equal(fired, set);
	timers_free(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_queue_is_never_due),
		cmocka_unit_test(timer_is_due_at_its_time_and_not_before),
		cmocka_unit_test(timer_set_again_moves),
		cmocka_unit_test(cleared_timer_does_not_fire),
		cmocka_unit_test(never_clears),
		cmocka_unit_test(times_before_the_origin_come_first),
		cmocka_unit_test(freed_queue_forgets_its_timers),
		cmocka_unit_test(ten_thousand_random_timers_fire_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
