/* SPDX-License-Identifier: ISC */
#include "base_child.h"

#include <sys/resource.h>

/* AddressSanitizer swallows mlock(), so nothing is locked there and nothing seems unlocked. */
#define LOCKS (!SANITIZER)

/* Looks at memory that was given back, which AddressSanitizer rightly forbids elsewhere. */
__attribute__((no_sanitize("address"))) static size_t
count_octets(const uint8_t *p, size_t n, uint8_t value)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		count += ((const volatile uint8_t *)p)[i] == value;
	return count;
}

TEST(new_secret_is_zero)
{
	struct secret s = { 0 };
	size_t n;

	for (n = 1; n < 6000; n += 37) {
		assert_int_equal(secret_new(&s, n), OK);
		assert_int_equal(s.n, n);
		assert_int_equal(count_octets(s.p, n, 0), n);
		assert_int_equal((uintptr_t)s.p % 16, 0);
		memset(s.p, 0xee, n);
	}
	secret_free(&s);
	assert_int_equal(secret_live(), 0);
}

TEST(freed_secret_is_wiped)
{
	struct secret keep = { 0 }, s = { 0 };
	const uint8_t *was;
	size_t n;

	for (n = 24; n <= 1024; n += 100) {
		/* A neighbour keeps the page mapped. */
		assert_int_equal(secret_new(&keep, n), OK);
		assert_int_equal(secret_new(&s, n), OK);
		memset(s.p, 0xa7, n);
		was = s.p;
		assert_int_equal(count_octets(was, n, 0xa7), n);
		secret_free(&s);
		assert_int_equal(count_octets(was, n, 0xa7), 0);
	}
	secret_free(&keep);
}

TEST(replaced_secret_is_wiped)
{
	struct secret keep = { 0 }, s = { 0 };
	const uint8_t *was;

	assert_int_equal(secret_new(&keep, 64), OK);
	assert_int_equal(secret_new(&s, 64), OK);
	memset(s.p, 0xa7, 64);
	was = s.p;
	assert_int_equal(secret_copy(&s, bytes_str("another secret, shorter")), OK);
	assert_int_equal(count_octets(was, 64, 0xa7), 0);
	assert_true(bytes_equal(secret_view(&s), bytes_str("another secret, shorter")));
	secret_free(&s);
	secret_free(&keep);
}

TEST(secret_may_be_copied_from_a_view_of_itself)
{
	struct secret s = { 0 };

	assert_int_equal(secret_copy(&s, bytes_str("0123456789abcdef")), OK);
	assert_int_equal(secret_copy(&s, bytes_of(s.p + 10, 6)), OK);
	assert_true(bytes_equal(secret_view(&s), bytes_str("abcdef")));
	secret_free(&s);
}

TEST(moved_secret_leaves_the_source_empty)
{
	struct secret a = { 0 }, b = { 0 };

	assert_int_equal(secret_copy(&a, bytes_str("old")), OK);
	assert_int_equal(secret_copy(&b, bytes_str("new")), OK);
	secret_move(&a, &b);
	assert_true(bytes_equal(secret_view(&a), bytes_str("new")));
	assert_null(b.p);
	assert_int_equal(b.n, 0);
	secret_move(&a, &a);
	assert_true(bytes_equal(secret_view(&a), bytes_str("new")));
	assert_int_equal(secret_live(), 1);
	secret_free(&a);
	secret_free(&a);
	assert_int_equal(secret_live(), 0);
}

TEST(empty_secret_is_no_secret)
{
	struct secret s = { 0 };

	assert_int_equal(secret_copy(&s, bytes_str("x")), OK);
	assert_int_equal(secret_new(&s, 0), OK);
	assert_null(s.p);
	assert_int_equal(secret_live(), 0);
	assert_int_equal(secret_copy(&s, bytes_of(NULL, 0)), OK);
	assert_null(s.p);
	assert_int_equal(secret_new(&s, SIZE_MAX), ERR_NOMEM);
	assert_int_equal(secret_new(&s, SIZE_MAX / 2), ERR_NOMEM);
	assert_null(s.p);
	assert_int_equal(s.n, 0);
}

TEST(many_secrets_do_not_overlap)
{
	static struct secret s[2000];
	static uint8_t mark[2000];
	uint64_t rng = 7;
	size_t i, round;

	for (round = 0; round < 20000; round++) {
		i = test_random(&rng) % COUNT(s);
		assert_int_equal(count_octets(s[i].p, s[i].n, mark[i]), s[i].n);
		if (test_random(&rng) % 3 == 0) {
			secret_free(&s[i]);
			continue;
		}
		assert_int_equal(secret_new(&s[i], 1 + test_random(&rng) % 1500), OK);
		mark[i] = (uint8_t)(1 + test_random(&rng) % 255);
		memset(s[i].p, mark[i], s[i].n);
	}
	for (i = 0; i < COUNT(s); i++) {
		assert_int_equal(count_octets(s[i].p, s[i].n, mark[i]), s[i].n);
		secret_free(&s[i]);
	}
	assert_int_equal(secret_live(), 0);
	assert_int_equal(secret_unlocked(), 0);
}

/* With no right to lock memory: 100 + n when n secrets are counted as unlocked. */
static int
unlocked_child(const void *arg)
{
	struct rlimit zero = { 0, 0 };
	struct secret s[3] = { { 0 } };
	size_t held, n;

	(void)arg;
	if (setrlimit(RLIMIT_MEMLOCK, &zero) != 0)
		return 1;
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return 2;
	for (n = 0; n < 3; n++) {
		if (secret_new(&s[n], n == 2 ? 9000 : 32) != OK)
			return 3;
		memset(s[n].p, 1, s[n].n);
	}
	held = secret_unlocked();
	for (n = 0; n < 3; n++)
		secret_free(&s[n]);
	return secret_unlocked() == 0 ? 100 + (int)held : 4;
}

TEST(secrets_that_cannot_be_locked_work_and_are_counted)
{
	assert_int_equal(test_child(unlocked_child, NULL), 100 + (LOCKS ? 3 : 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_secret_is_zero),
		cmocka_unit_test(freed_secret_is_wiped),
		cmocka_unit_test(replaced_secret_is_wiped),
		cmocka_unit_test(secret_may_be_copied_from_a_view_of_itself),
		cmocka_unit_test(moved_secret_leaves_the_source_empty),
		cmocka_unit_test(empty_secret_is_no_secret),
		cmocka_unit_test(many_secrets_do_not_overlap),
		cmocka_unit_test(secrets_that_cannot_be_locked_work_and_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
