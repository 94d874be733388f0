/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include "base/rd.h"

static const uint8_t octets[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
	0xf0, 0xf1, 0xf2,
};

static struct rd
reader(size_t n)
{
	return rd_open(bytes_of(octets, n));
}

TEST(numbers_are_read_in_network_order)
{
	struct rd r = reader(18);

	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u24(&r), 0x040506);
	assert_int_equal(rd_u32(&r), 0x0708090a);
	assert_true(rd_u64(&r) == UINT64_C(0x0b0c0d0e0ff0f1f2));
	assert_true(rd_end(&r));
	assert_int_equal(rd_left(&r), 0);
}

/* Each read with one octet less than it needs. */
TEST(reading_past_the_end_gives_zero_and_stays_bad)
{
	uint8_t out[5] = { 9, 9, 9, 9, 9 };
	struct rd r;

	r = reader(0);
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_ok(&r));
	r = reader(1);
	assert_int_equal(rd_u16(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_ok(&r));
	r = reader(2);
	assert_int_equal(rd_u24(&r), 0);
	r = reader(3);
	assert_int_equal(rd_u32(&r), 0);
	assert_false(rd_end(&r));
	r = reader(7);
	assert_true(rd_u64(&r) == 0);
	r = reader(4);
	rd_copy(&r, out, 5);
	assert_int_equal(out[0] | out[4], 0);
	assert_int_equal(rd_left(&r), 0);
	assert_false(rd_end(&r));
}

TEST(view_is_borrowed_and_bounded)
{
	struct rd r = reader(10);
	struct bytes b = rd_take(&r, 4);

	assert_ptr_equal(b.p, octets);
	assert_int_equal(b.n, 4);
	assert_int_equal(rd_left(&r), 6);
	b = rd_take(&r, 7);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	assert_false(rd_ok(&r));
	assert_int_equal(rd_take(&r, 0).n, 0);
	assert_int_equal(rd_rest(&r).n, 0);
}

TEST(huge_length_does_not_wrap)
{
	struct rd r = reader(10);

	(void)rd_u8(&r);
	rd_skip(&r, SIZE_MAX);
	assert_false(rd_ok(&r));
	r = reader(10);
	(void)rd_u8(&r);
	assert_int_equal(rd_take(&r, SIZE_MAX - 5).n, 0);
	assert_false(rd_ok(&r));
}

TEST(inner_reader_cannot_leave_its_block)
{
	struct rd r = reader(10), sub = rd_sub(&r, 3);

	assert_int_equal(rd_left(&r), 7);
	assert_int_equal(rd_u16(&sub), 0x0102);
	assert_int_equal(rd_u16(&sub), 0);
	assert_false(rd_ok(&sub));
	assert_true(rd_ok(&r));
	assert_int_equal(rd_u8(&r), 0x04);
}

TEST(inner_reader_of_too_large_a_block_is_bad_like_the_outer)
{
	struct rd r = reader(10), sub = rd_sub(&r, 11);

	assert_false(rd_ok(&sub));
	assert_false(rd_ok(&r));
	assert_false(rd_end(&sub));
	assert_int_equal(rd_u8(&sub), 0);
}

TEST(trailing_octets_are_no_end)
{
	struct rd r = reader(3);

	(void)rd_u16(&r);
	assert_false(rd_end(&r));
	assert_true(rd_ok(&r));
	rd_skip(&r, 1);
	assert_true(rd_end(&r));
}

TEST(rest_takes_all_and_may_be_empty)
{
	struct rd r = reader(5);

	(void)rd_u8(&r);
	assert_int_equal(rd_rest(&r).n, 4);
	assert_int_equal(rd_rest(&r).n, 0);
	assert_true(rd_end(&r));
}

TEST(failed_reader_gives_nothing_more)
{
	struct rd r = reader(8);

	rd_fail(&r);
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_false(rd_end(&r));
}

TEST(empty_input_is_at_its_end)
{
	struct rd r = rd_open(bytes_of(NULL, 0));

	assert_true(rd_end(&r));
	assert_int_equal(rd_take(&r, 0).n, 0);
	rd_copy(&r, NULL, 0);
	assert_true(rd_end(&r));
	(void)rd_u8(&r);
	assert_false(rd_end(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_in_network_order),
		cmocka_unit_test(reading_past_the_end_gives_zero_and_stays_bad),
		cmocka_unit_test(view_is_borrowed_and_bounded),
		cmocka_unit_test(huge_length_does_not_wrap),
		cmocka_unit_test(inner_reader_cannot_leave_its_block),
		cmocka_unit_test(inner_reader_of_too_large_a_block_is_bad_like_the_outer),
		cmocka_unit_test(trailing_octets_are_no_end),
		cmocka_unit_test(rest_takes_all_and_may_be_empty),
		cmocka_unit_test(failed_reader_gives_nothing_more),
		cmocka_unit_test(empty_input_is_at_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
