/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include <stdlib.h>

#include "pcap-backend/replay.h"

static struct replay
window(uint32_t size, bool esn)
{
	struct replay r;

	assert_int_equal(replay_init(&r, size, esn), OK);
	return r;
}

/* What a receiver does with an authentic packet. */
static bool
receive(struct replay *r, uint64_t seq)
{
	if (!replay_ok(r, seq))
		return false;
	replay_mark(r, seq);
	return true;
}

TEST(each_number_is_taken_once)
{
	struct replay r = window(64, false);
	uint64_t seq;

	assert_false(receive(&r, 0));
	for (seq = 1; seq <= 1000; seq++) {
		assert_true(receive(&r, seq));
		assert_false(receive(&r, seq));
	}
	replay_free(&r);
}

TEST(window_reaches_exactly_as_far_back_as_it_says)
{
	static const uint32_t sizes[] = { 64, 65, 100, 127, 128, 1000, 1024, 65535 };
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		struct replay r = window(sizes[i], false);
		uint64_t top = 200000;

		assert_true(receive(&r, top));
		assert_false(receive(&r, top - sizes[i]));
		assert_true(receive(&r, top - sizes[i] + 1));
		assert_false(receive(&r, top - sizes[i] + 1));
		assert_true(receive(&r, top + 1));
		assert_false(replay_ok(&r, top - sizes[i] + 1));
		replay_free(&r);
	}
}

/* Against a plain list of all numbers taken. */
TEST(window_agrees_with_a_list_of_all_numbers)
{
	struct replay r = window(100, false);
	uint64_t rnd = 42, top = 0;
	bool *seen = calloc(200000, sizeof *seen);
	int i;

	assert_non_null(seen);
	for (i = 0; i < 100000; i++) {
		uint64_t jump = test_random(&rnd) % 100 == 0 ? 300 : 3;
		uint64_t lo = top > 120 ? top - 120 : 1;
		uint64_t seq = lo + test_random(&rnd) % (top - lo + 1 + jump);
		bool want = !seen[seq] && (seq > top || top - seq < 100);

		if (seq >= 199000)
			break;
		assert_int_equal(receive(&r, seq), want);
		if (want)
			seen[seq] = true;
		if (want && seq > top)
			top = seq;
	}
	assert_true(i > 50000);
	free(seen);
	replay_free(&r);
}

TEST(nothing_changes_before_a_packet_is_marked)
{
	struct replay r = window(64, false);

	assert_true(replay_ok(&r, 5000));
	assert_int_equal(r.top, 0);
	assert_true(replay_ok(&r, 1));
	replay_mark(&r, 1);
	assert_true(replay_ok(&r, 5000));
	assert_int_equal(r.top, 1);
	replay_free(&r);
}

TEST(high_half_follows_over_the_wrap)
{
	struct replay r = window(64, true);
	uint64_t seq;

	for (seq = UINT32_MAX - UINT64_C(200); seq < UINT32_MAX + UINT64_C(200); seq++) {
		assert_int_equal(replay_infer(&r, (uint32_t)seq), seq);
		assert_true(receive(&r, seq));
	}
	replay_free(&r);
}

/* RFC 4303 Appendix A2.2, both cases, at their edges. */
TEST(high_half_is_inferred_as_appendix_a_says)
{
	static const struct { uint64_t top; uint32_t lo; uint64_t want; } rows[] = {
		{ 0, 1, 1 },
		{ 0, 0xffffffff, 0 },                              /* no space below the first one */
		{ 0x100000000, 1, 0x100000001 },
		{ 0x100000000, 0xffffffff, 0xffffffff },           /* case B: one behind */
		{ 0x100000000, 0xffffffc1, 0xffffffc1 },           /* bottom of the window */
		{ 0x100000000, 0xffffffc0, 0x1ffffffc0 },          /* below it: the future */
		{ 0x10000003f, 0, 0x100000000 },                   /* case A begins at W - 1 */
		{ 0x10000003f, 0xffffffff, 0x1ffffffff },
		{ 0x1000000ff, 0xc0, 0x1000000c0 },
		{ 0x1000000ff, 0xbf, 0x2000000bf },
		{ 0x1ffffffff, 0, 0x200000000 },
	};
	struct replay r = window(64, true);
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		r.top = rows[i].top;
		assert_int_equal(replay_infer(&r, rows[i].lo), rows[i].want);
	}
	replay_free(&r);
	r = window(64, false);
	r.top = 0xffffffff;
	assert_int_equal(replay_infer(&r, 1), 1);
	replay_free(&r);
}

TEST(late_packets_are_taken_on_both_sides_of_the_wrap)
{
	struct replay r = window(128, true);

	assert_true(receive(&r, UINT64_C(0x1ffffffa0)));
	assert_true(receive(&r, UINT64_C(0x200000010)));
	assert_int_equal(replay_infer(&r, 0xffffffb0), UINT64_C(0x1ffffffb0));
	assert_true(receive(&r, UINT64_C(0x1ffffffb0)));
	assert_false(receive(&r, UINT64_C(0x1ffffffb0)));
	assert_false(receive(&r, UINT64_C(0x1ffffffa0)));
	replay_free(&r);
}

TEST(window_of_zero_takes_everything_but_still_infers)
{
	struct replay r = window(0, true);

	assert_true(receive(&r, 5));
	assert_true(receive(&r, 5));
	assert_false(receive(&r, 0));
	assert_true(receive(&r, UINT64_C(0x1ffffffff)));
	assert_int_equal(replay_infer(&r, 3), UINT64_C(0x200000003));
	replay_free(&r);
}

TEST(small_windows_are_refused)
{
	struct replay r;

	assert_int_equal(replay_init(&r, 1, false), ERR_VALUE);
	assert_int_equal(replay_init(&r, 63, false), ERR_VALUE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_is_taken_once),
		cmocka_unit_test(window_reaches_exactly_as_far_back_as_it_says),
		cmocka_unit_test(window_agrees_with_a_list_of_all_numbers),
		cmocka_unit_test(nothing_changes_before_a_packet_is_marked),
		cmocka_unit_test(high_half_follows_over_the_wrap),
		cmocka_unit_test(high_half_is_inferred_as_appendix_a_says),
		cmocka_unit_test(late_packets_are_taken_on_both_sides_of_the_wrap),
		cmocka_unit_test(window_of_zero_takes_everything_but_still_infers),
		cmocka_unit_test(small_windows_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
