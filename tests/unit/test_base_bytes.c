/* SPDX-License-Identifier: ISC */
#include "base_support.h"

TEST(equality_wants_equal_length_and_content)
{
	assert_true(bytes_equal(bytes_str("abc"), bytes_str("abc")));
	assert_false(bytes_equal(bytes_str("abc"), bytes_str("abd")));
	assert_false(bytes_equal(bytes_str("abc"), bytes_str("ab")));
	assert_true(bytes_equal(bytes_of(NULL, 0), bytes_str("")));
}

TEST(constant_time_equality_sees_every_bit)
{
	uint8_t a[32], b[32];
	size_t i;

	memset(a, 0x5a, sizeof a);
	memset(b, 0x5a, sizeof b);
	assert_true(ct_equal(bytes_of(a, sizeof a), bytes_of(b, sizeof b)));
	for (i = 0; i < sizeof a * 8; i++) {
		b[i / 8] = (uint8_t)(b[i / 8] ^ 1u << i % 8);
		assert_false(ct_equal(bytes_of(a, sizeof a), bytes_of(b, sizeof b)));
		b[i / 8] = a[i / 8];
	}
	assert_false(ct_equal(bytes_of(a, 31), bytes_of(b, 32)));
	assert_true(ct_equal(bytes_of(NULL, 0), bytes_of(NULL, 0)));
}

TEST(wipe_clears_exactly_what_it_is_given)
{
	uint8_t a[64];
	size_t i;

	memset(a, 0xff, sizeof a);
	wipe(a + 8, 48);
	for (i = 0; i < sizeof a; i++)
		assert_int_equal(a[i], i < 8 || i >= 56 ? 0xff : 0);
	wipe(NULL, 0);
}

TEST(blob_copy_replaces_what_was_held)
{
	struct blob b = { 0 };

	assert_int_equal(blob_copy(&b, bytes_str("first")), OK);
	assert_int_equal(blob_copy(&b, bytes_str("second")), OK);
	assert_true(bytes_equal(blob_view(&b), bytes_str("second")));
	assert_int_equal(blob_copy(&b, bytes_of(NULL, 0)), OK);
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	blob_free(&b);
}

TEST(blob_may_be_copied_from_a_view_of_itself)
{
	struct blob b = { 0 };

	assert_int_equal(blob_copy(&b, bytes_str("0123456789")), OK);
	assert_int_equal(blob_copy(&b, bytes_of(b.p + 4, 3)), OK);
	assert_true(bytes_equal(blob_view(&b), bytes_str("456")));
	blob_free(&b);
}

TEST(blob_move_leaves_the_source_empty)
{
	struct blob a = { 0 }, b = { 0 };

	assert_int_equal(blob_copy(&a, bytes_str("old")), OK);
	assert_int_equal(blob_copy(&b, bytes_str("new")), OK);
	blob_move(&a, &b);
	assert_true(bytes_equal(blob_view(&a), bytes_str("new")));
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	blob_move(&a, &a);
	assert_true(bytes_equal(blob_view(&a), bytes_str("new")));
	blob_free(&a);
	blob_free(&a);
}

TEST(every_error_has_a_text_of_its_own)
{
	int e, f;

	for (e = ERR_PROTO; e <= OK; e++) {
		assert_string_not_equal(err_str(e), "unknown error");
		for (f = ERR_PROTO; f < e; f++)
			assert_string_not_equal(err_str(e), err_str(f));
	}
	assert_string_equal(err_str(1), "unknown error");
	assert_string_equal(err_str(ERR_PROTO - 1), "unknown error");
	assert_string_equal(err_str(-2147483647 - 1), "unknown error");
	assert_string_equal(err_str(2147483647), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_wants_equal_length_and_content),
		cmocka_unit_test(constant_time_equality_sees_every_bit),
		cmocka_unit_test(wipe_clears_exactly_what_it_is_given),
		cmocka_unit_test(blob_copy_replaces_what_was_held),
		cmocka_unit_test(blob_may_be_copied_from_a_view_of_itself),
		cmocka_unit_test(blob_move_leaves_the_source_empty),
		cmocka_unit_test(every_error_has_a_text_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
