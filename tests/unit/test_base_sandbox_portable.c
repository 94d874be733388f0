/* SPDX-License-Identifier: ISC */
/* Without Linux there are neither capabilities nor a filter, and that is told. */
#include "base_child.h"

#include "base/sandbox.h"
#include "base/sandbox_steps.h"

#define NOBODY 65534

static int
told_child(const void *arg)
{
	struct sandbox s = {
		.uid = NOBODY, .gid = NOBODY, .caps = SANDBOX_NET_RAW, .profile = SANDBOX_BACKEND,
	};
	char missed[SANDBOX_MISSED];
	const char *what;
	uid_t uid = getuid();

	(void)arg;
	if (sandbox_enter(&s, &what, missed) != OK)
		return 1;
	if (strstr(missed, "no capabilities") == NULL || strstr(missed, "filter") == NULL)
		return 2;
	if (sandbox_has(SANDBOX_NET_RAW) != (uid == 0) || !sandbox_has(0))
		return 4;
	/* Who must keep a privilege keeps its user. */
	return getuid() == uid ? 0 : 3;
}

TEST(lack_of_capabilities_and_filter_is_told)
{
	assert_int_equal(test_child(told_child, NULL), 0);
}

TEST(without_linux_there_is_no_filter_and_no_failure)
{
	enum sandbox_profile p;

	for (p = SANDBOX_NO_FILTER; p <= SANDBOX_PARENT; p++)
		assert_int_equal(sandbox_filter(p), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lack_of_capabilities_and_filter_is_told),
		cmocka_unit_test(without_linux_there_is_no_filter_and_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
