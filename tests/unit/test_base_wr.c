/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include "base/rd.h"
#include "base/wr.h"

TEST(numbers_are_written_in_network_order)
{
	static const uint8_t want[] = {
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
		0x0f, 0xf0, 0xf1, 0xf2, 'h', 'i', 0, 0,
	};
	uint8_t buf[22];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u8(&w, 0x01);
	wr_u16(&w, 0x0203);
	wr_u24(&w, 0x040506);
	wr_u32(&w, 0x0708090a);
	wr_u64(&w, UINT64_C(0x0b0c0d0e0ff0f1f2));
	wr_put(&w, bytes_str("hi"));
	wr_zero(&w, 2);
	assert_true(bytes_equal(wr_view(&w), bytes_of(want, sizeof want)));
}

TEST(fixed_buffer_is_never_overrun)
{
	uint8_t buf[8];
	struct wr w = wr_fixed(buf, 4);

	memset(buf, 0xee, sizeof buf);
	wr_u32(&w, 1);
	assert_int_equal(wr_view(&w).n, 4);
	wr_u8(&w, 2);
	assert_true(w.bad);
	assert_int_equal(wr_view(&w).n, 0);
	assert_int_equal(buf[4], 0xee);
	/* Bad for good, even for what would fit. */
	w = wr_fixed(buf, 4);
	wr_put(&w, bytes_of("12345", 5));
	wr_u8(&w, 1);
	assert_int_equal(wr_view(&w).n, 0);
	assert_int_equal(buf[4], 0xee);
	assert_null(wr_room(&w, 1));
}

TEST(growing_writer_grows_to_its_limit_and_no_further)
{
	struct wr w = wr_grow(1000);
	size_t i;

	for (i = 0; i < 1000; i++)
		wr_u8(&w, (uint8_t)i);
	assert_int_equal(wr_view(&w).n, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(wr_view(&w).p[i], (uint8_t)i);
	assert_true(w.cap <= 1000);
	wr_u8(&w, 0);
	assert_true(w.bad);
	wr_free(&w);
	assert_null(w.p);
}

TEST(growing_writer_refuses_what_would_wrap)
{
	struct wr w = wr_grow(SIZE_MAX);

	wr_u8(&w, 1);
	assert_null(wr_room(&w, SIZE_MAX));
	assert_true(w.bad);
	wr_free(&w);
}

TEST(taken_octets_change_the_owner)
{
	struct wr w = wr_grow(100);
	struct blob b = { 0 };

	assert_int_equal(blob_copy(&b, bytes_str("old")), OK);
	wr_put(&w, bytes_str("content"));
	assert_int_equal(wr_take(&w, &b), OK);
	assert_true(bytes_equal(blob_view(&b), bytes_str("content")));
	assert_int_equal(wr_view(&w).n, 0);
	wr_put(&w, bytes_str("more"));
	assert_int_equal(wr_take(&w, &b), OK);
	assert_true(bytes_equal(blob_view(&b), bytes_str("more")));
	assert_int_equal(wr_take(&w, &b), OK);
	assert_int_equal(b.n, 0);
	assert_null(b.p);
	wr_free(&w);
	blob_free(&b);
}

TEST(bad_or_fixed_writer_gives_nothing_away)
{
	uint8_t buf[4];
	struct wr w = wr_grow(2), fixed = wr_fixed(buf, sizeof buf);
	struct blob b = { 0 };

	assert_int_equal(blob_copy(&b, bytes_str("old")), OK);
	wr_u32(&w, 1);
	assert_int_equal(wr_take(&w, &b), ERR_SPACE);
	wr_u8(&fixed, 1);
	assert_int_equal(wr_take(&fixed, &b), ERR_STATE);
	assert_true(bytes_equal(blob_view(&b), bytes_str("old")));
	wr_free(&w);
	wr_free(&fixed);
	blob_free(&b);
}

TEST(length_is_filled_in_when_the_block_is_closed)
{
	uint8_t buf[64];
	struct wr w = wr_fixed(buf, sizeof buf);
	size_t outer, inner;

	/* A generic payload header counts the two octets before the length too. */
	wr_u16(&w, 0x2100);
	outer = wr_open16(&w);
	inner = wr_open16(&w);
	wr_put(&w, bytes_str("abc"));
	wr_close16(&w, inner, -2);
	wr_close16(&w, outer, 2);
	assert_true(bytes_equal(wr_view(&w), bytes_of("\x21\x00\x00\x09\x00\x03" "abc", 9)));

	w = wr_fixed(buf, sizeof buf);
	outer = wr_open32(&w);
	wr_u8(&w, 7);
	wr_close32(&w, outer, 0);
	assert_true(bytes_equal(wr_view(&w), bytes_of("\x00\x00\x00\x05\x07", 5)));
}

/* A block of 65,535 and one of 65,536 octets. */
TEST(length_that_does_not_fit_marks_the_writer_bad)
{
	struct wr w = wr_grow(70000);
	size_t mark = wr_open16(&w);

	wr_zero(&w, 65533);
	wr_close16(&w, mark, 0);
	assert_false(w.bad);
	assert_int_equal(w.p[0] << 8 | w.p[1], 65535);
	wr_u8(&w, 0);
	wr_close16(&w, mark, 0);
	assert_true(w.bad);
	wr_free(&w);

	w = wr_grow(70000);
	mark = wr_open16(&w);
	wr_zero(&w, 65535);
	wr_close16(&w, mark, -2);
	assert_false(w.bad);
	wr_close16(&w, mark, -1);
	assert_true(w.bad);
	wr_free(&w);
}

TEST(closing_what_was_never_opened_marks_the_writer_bad)
{
	uint8_t buf[16];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u16(&w, 1);
	wr_close16(&w, 1, 0);
	assert_true(w.bad);
	w = wr_fixed(buf, sizeof buf);
	wr_close16(&w, 5, 0);
	assert_true(w.bad);
	w = wr_fixed(buf, sizeof buf);
	wr_u16(&w, 1);
	wr_close16(&w, 0, -3);
	assert_true(w.bad);
}

TEST(opening_without_room_is_harmless)
{
	uint8_t buf[1];
	struct wr w = wr_fixed(buf, sizeof buf);
	size_t mark = wr_open16(&w);

	wr_close16(&w, mark, 0);
	assert_true(w.bad);
	assert_int_equal(wr_view(&w).n, 0);
}

TEST(patch_changes_only_what_was_written)
{
	uint8_t buf[16];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_zero(&w, 6);
	wr_patch8(&w, 0, 0x11);
	wr_patch32(&w, 2, 0x22334455);
	assert_true(bytes_equal(wr_view(&w), bytes_of("\x11\x00\x22\x33\x44\x55", 6)));
	wr_patch32(&w, 3, 1);
	assert_true(w.bad);
	w = wr_fixed(buf, sizeof buf);
	wr_patch8(&w, 0, 1);
	assert_true(w.bad);
	w = wr_fixed(buf, sizeof buf);
	wr_zero(&w, 6);
	wr_patch32(&w, SIZE_MAX, 1);
	assert_true(w.bad);
}

TEST(number_wider_than_its_field_marks_the_writer_bad)
{
	uint8_t buf[8];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u24(&w, 0xffffff);
	assert_false(w.bad);
	wr_u24(&w, 0x1000000);
	assert_true(w.bad);
}

TEST(room_is_filled_in_by_the_caller)
{
	struct wr w = wr_grow(64);
	uint8_t *p;

	wr_u8(&w, 'a');
	p = wr_room(&w, 2);
	assert_non_null(p);
	p[0] = 'b';
	p[1] = 'c';
	assert_true(bytes_equal(wr_view(&w), bytes_str("abc")));
	wr_put(&w, bytes_of(NULL, 0));
	wr_zero(&w, 0);
	assert_int_equal(wr_view(&w).n, 3);
	wr_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_in_network_order),
		cmocka_unit_test(fixed_buffer_is_never_overrun),
		cmocka_unit_test(growing_writer_grows_to_its_limit_and_no_further),
		cmocka_unit_test(growing_writer_refuses_what_would_wrap),
		cmocka_unit_test(taken_octets_change_the_owner),
		cmocka_unit_test(bad_or_fixed_writer_gives_nothing_away),
		cmocka_unit_test(length_is_filled_in_when_the_block_is_closed),
		cmocka_unit_test(length_that_does_not_fit_marks_the_writer_bad),
		cmocka_unit_test(closing_what_was_never_opened_marks_the_writer_bad),
		cmocka_unit_test(opening_without_room_is_harmless),
		cmocka_unit_test(patch_changes_only_what_was_written),
		cmocka_unit_test(number_wider_than_its_field_marks_the_writer_bad),
		cmocka_unit_test(room_is_filled_in_by_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
