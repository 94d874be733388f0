/* SPDX-License-Identifier: ISC */
/* That secrets are locked in memory, as the kernel shows it. */
#include "base_child.h"

#include <stdio.h>
#include <stdlib.h>

/* AddressSanitizer swallows mlock(). */
#define LOCKS (!SANITIZER)

/* Whether the mapping that holds p has the flag, "lo" or "dd". */
static bool
mapping_has(const void *p, const char *flag)
{
	char line[4096], what[8];
	unsigned long lo, hi;
	bool mine = false, has = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	if (f == NULL)
		return false;
	(void)snprintf(what, sizeof what, " %s ", flag);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			mine = lo <= (uintptr_t)p && (uintptr_t)p < hi;
		else if (mine && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, what) != NULL;
	}
	(void)fclose(f);
	return has;
}

TEST(secrets_are_locked_and_left_out_of_core_dumps)
{
	struct secret s = { 0 }, large = { 0 };
	void *plain = malloc(64);

	assert_non_null(plain);
	assert_int_equal(secret_new(&s, 32), OK);
	assert_int_equal(secret_new(&large, 20000), OK);
	assert_int_equal(mapping_has(s.p, "lo"), LOCKS);
	assert_int_equal(mapping_has(large.p + 19999, "lo"), LOCKS);
	assert_true(mapping_has(s.p, "dd"));
	assert_true(mapping_has(large.p, "dd"));
	assert_false(mapping_has(plain, "lo"));
	free(plain);
	secret_free(&s);
	secret_free(&large);
}

static struct secret inherited;

static int
locked_child(const void *arg)
{
	(void)arg;
	if (mapping_has(inherited.p, "lo"))
		return 1;      /* then this shows nothing */
	if (secret_unlocked() != 0)
		return 2;
	return mapping_has(inherited.p, "lo") == LOCKS ? 0 : 3;
}

TEST(secrets_are_locked_anew_after_fork)
{
	assert_int_equal(secret_copy(&inherited, bytes_str("inherited")), OK);
	assert_int_equal(test_child(locked_child, NULL), 0);
	secret_free(&inherited);
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_locked_and_left_out_of_core_dumps),
		cmocka_unit_test(secrets_are_locked_anew_after_fork),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
