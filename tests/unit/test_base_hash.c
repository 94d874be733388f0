/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include "base/hash.h"

static const uint8_t seed[16] = "0123456789abcdef";

static struct bytes
key_of(const uint32_t *n)
{
	return bytes_of(n, sizeof *n);
}

/* The vectors that come with SipHash: key 00..0f, input 00..n-1. */
TEST(siphash_gives_the_reference_vectors)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} rows[] = {
		{ 0, 0x726fdb47dd0e0e31 }, { 1, 0x74f839c593dc67fd }, { 2, 0x0d6c8009d9a94f5a },
		{ 3, 0x85676696d7fb7e2d }, { 4, 0xcf2794e0277187b7 }, { 5, 0x18765564cd99a68d },
		{ 6, 0xcbc9466e58fee3ce }, { 7, 0xab0200f58b01d137 }, { 8, 0x93f5f5799a932462 },
		{ 9, 0x9e0082df0ba9e4b0 }, { 10, 0x7a5dbbc594ddb9f3 }, { 11, 0xf4b32f46226bada7 },
		{ 12, 0x751e8fbc860ee5fb }, { 13, 0x14ea5627c0843d90 }, { 14, 0xf723ca908e7af2ee },
		{ 15, 0xa129ca6149be45e5 }, { 16, 0x3f2acc7f57c29bdb }, { 31, 0x32d892fad841c342 },
		{ 63, 0x958a324ceb064572 },
	};
	uint8_t key[16], in[64];
	size_t i;

	for (i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)i;
	memcpy(key, in, sizeof key);
	for (i = 0; i < COUNT(rows); i++)
		assert_true(siphash(key, bytes_of(in, rows[i].n)) == rows[i].hash);
}

TEST(what_was_added_is_found_until_deleted)
{
	struct hash *h = hash_new(seed);
	int a = 1, b = 2;

	assert_non_null(h);
	assert_null(hash_get(h, bytes_str("a")));
	assert_null(hash_del(h, bytes_str("a")));
	assert_int_equal(hash_add(h, bytes_str("a"), &a), OK);
	assert_int_equal(hash_add(h, bytes_str("b"), &b), OK);
	assert_int_equal(hash_add(h, bytes_str("a"), &b), ERR_EXISTS);
	assert_ptr_equal(hash_get(h, bytes_str("a")), &a);
	assert_ptr_equal(hash_get(h, bytes_str("b")), &b);
	assert_null(hash_get(h, bytes_str("ab")));
	assert_int_equal(hash_count(h), 2);
	assert_ptr_equal(hash_del(h, bytes_str("a")), &a);
	assert_null(hash_get(h, bytes_str("a")));
	assert_null(hash_del(h, bytes_str("a")));
	assert_int_equal(hash_count(h), 1);
	assert_int_equal(hash_add(h, bytes_str("a"), &b), OK);
	assert_ptr_equal(hash_get(h, bytes_str("a")), &b);
	hash_free(h);
	hash_free(NULL);
}

TEST(null_is_no_value)
{
	struct hash *h = hash_new(seed);

	assert_non_null(h);
	assert_int_equal(hash_add(h, bytes_str("a"), NULL), ERR_VALUE);
	assert_int_equal(hash_count(h), 0);
	hash_free(h);
}

/* Around the length up to which keys live in the table itself, and none at all. */
TEST(keys_of_any_length_are_copied)
{
	struct hash *h = hash_new(seed);
	uint8_t key[40];
	int values[40];
	size_t n;

	assert_non_null(h);
	for (n = 0; n < sizeof key; n++) {
		memset(key, 'k', sizeof key);
		assert_int_equal(hash_add(h, bytes_of(key, n), &values[n]), OK);
		memset(key, 'x', sizeof key);
	}
	memset(key, 'k', sizeof key);
	for (n = 0; n < sizeof key; n++)
		assert_ptr_equal(hash_get(h, bytes_of(key, n)), &values[n]);
	for (n = 0; n < sizeof key; n += 2)
		assert_ptr_equal(hash_del(h, bytes_of(key, n)), &values[n]);
	hash_free(h);
}

TEST(table_grows_and_keeps_everything)
{
	static uint32_t keys[50000];
	struct hash *h = hash_new(seed);
	uint32_t i;

	assert_non_null(h);
	for (i = 0; i < COUNT(keys); i++) {
		keys[i] = i;
		assert_int_equal(hash_add(h, key_of(&keys[i]), &keys[i]), OK);
	}
	assert_int_equal(hash_count(h), COUNT(keys));
	for (i = 0; i < COUNT(keys); i++)
		assert_ptr_equal(hash_get(h, key_of(&keys[i])), &keys[i]);
	i = COUNT(keys);
	assert_null(hash_get(h, key_of(&i)));
	hash_free(h);
}

TEST(walk_visits_each_once)
{
	static uint32_t keys[1000];
	static uint8_t seen[1000];
	struct hash *h = hash_new(seed);
	size_t pos = 0, count = 0;
	uint32_t i, *v;

	assert_non_null(h);
	assert_null(hash_next(h, &pos));
	for (i = 0; i < COUNT(keys); i++) {
		keys[i] = i;
		assert_int_equal(hash_add(h, key_of(&keys[i]), &keys[i]), OK);
	}
	pos = 0;
	while ((v = hash_next(h, &pos)) != NULL) {
		assert_int_equal(seen[*v]++, 0);
		count++;
	}
	assert_int_equal(count, COUNT(keys));
	assert_null(hash_next(h, &pos));
	hash_free(h);
}

TEST(entry_just_returned_may_be_deleted_while_walking)
{
	static uint32_t keys[3000];
	struct hash *h = hash_new(seed);
	size_t pos = 0, count = 0;
	uint32_t i, *v;

	assert_non_null(h);
	for (i = 0; i < COUNT(keys); i++) {
		keys[i] = i;
		assert_int_equal(hash_add(h, key_of(&keys[i]), &keys[i]), OK);
	}
	while ((v = hash_next(h, &pos)) != NULL) {
		count++;
		if (*v % 3 != 0)
			assert_ptr_equal(hash_del(h, key_of(v)), v);
	}
	assert_int_equal(count, COUNT(keys));
	assert_int_equal(hash_count(h), COUNT(keys) / 3);
	for (i = 0; i < COUNT(keys); i++)
		assert_int_equal(hash_get(h, key_of(&keys[i])) != NULL, i % 3 == 0);
	hash_free(h);
}

/* Entries come and go by the million without the table filling up with graves. */
TEST(churn_agrees_with_a_plain_array)
{
	static uint32_t keys[500];
	static bool in[500];
	struct hash *h = hash_new(seed);
	size_t count = 0;
	uint64_t rng = 5;
	uint32_t i, k;

	assert_non_null(h);
	for (i = 0; i < COUNT(keys); i++)
		keys[i] = i;
	for (i = 0; i < 300000; i++) {
		k = (uint32_t)(test_random(&rng) % COUNT(keys));
		assert_ptr_equal(hash_get(h, key_of(&keys[k])), in[k] ? &keys[k] : NULL);
		if (in[k]) {
			assert_ptr_equal(hash_del(h, key_of(&keys[k])), &keys[k]);
			count--;
		} else {
			assert_int_equal(hash_add(h, key_of(&keys[k]), &keys[k]), OK);
			count++;
		}
		in[k] = !in[k];
		assert_int_equal(hash_count(h), count);
	}
	hash_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_reference_vectors),
		cmocka_unit_test(what_was_added_is_found_until_deleted),
		cmocka_unit_test(null_is_no_value),
		cmocka_unit_test(keys_of_any_length_are_copied),
		cmocka_unit_test(table_grows_and_keeps_everything),
		cmocka_unit_test(walk_visits_each_once),
		cmocka_unit_test(entry_just_returned_may_be_deleted_while_walking),
		cmocka_unit_test(churn_agrees_with_a_plain_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
