/* SPDX-License-Identifier: ISC */
/* What every system must do. Run by root and by others: those are told what they missed. */
#include "base_child.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/sandbox.h"

#define NOBODY 65534

static int
enter(const struct sandbox *s, char missed[static SANDBOX_MISSED])
{
	const char *what;

	return sandbox_enter(s, &what, missed);
}

/* The ids as root sees to it; anyone else must have been told. */
static int
ids_child(const void *arg)
{
	struct sandbox s = { .uid = NOBODY, .gid = NOBODY };
	char missed[SANDBOX_MISSED];
	bool root = geteuid() == 0;
	gid_t groups[64];

	(void)arg;
	if (getuid() == NOBODY)
		s.uid = s.gid = NOBODY - 1;
	if (enter(&s, missed) != OK)
		return 1;
	if (!root)
		return strstr(missed, "user id") != NULL ? 0 : 2;
	if (missed[0] != '\0')
		return 3;
	if (getuid() != NOBODY || geteuid() != NOBODY || getgid() != NOBODY || getegid() != NOBODY)
		return 4;
	if (getgroups(64, groups) != 1 || groups[0] != NOBODY)
		return 5;
	return setuid(0) == 0 || setgid(0) == 0 ? 6 : 0;
}

TEST(ids_are_given_up_for_good)
{
	assert_int_equal(test_child(ids_child, NULL), 0);
}

static int
chroot_child(const void *arg)
{
	struct sandbox s = { .uid = NOBODY, .gid = NOBODY, .chroot_dir = arg };
	char missed[SANDBOX_MISSED];
	bool root = geteuid() == 0;

	if (enter(&s, missed) != OK)
		return 1;
	if (!root)
		return strstr(missed, "chroot") != NULL ? 0 : 2;
	if (strcmp(missed, CHROOT_MISSED) != 0)
		return 3;
	if ((access("/inside", F_OK) == 0) == SANITIZER)
		return 4;
	return (access("/etc", F_OK) == 0 || access("../etc", F_OK) == 0) == SANITIZER ? 0 : 5;
}

TEST(chroot_shows_the_directory_alone)
{
	char dir[] = "/tmp/test-base-sandbox.XXXXXX", inside[64];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(inside, sizeof inside, "%s/inside", dir);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(mkdir(inside, 0755), 0);
	assert_int_equal(test_child(chroot_child, dir), 0);
	assert_int_equal(rmdir(inside), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* What failed is named, and it is a failure: only want of privilege is not. */
static int
no_directory_child(const void *arg)
{
	struct sandbox s = { .chroot_dir = "/no/such/directory" };
	char missed[SANDBOX_MISSED];
	const char *what = "";
	int r = sandbox_enter(&s, &what, missed);

	(void)arg;
	if (geteuid() != 0)
		return r == ERR_IO || strstr(missed, "chroot") != NULL ? 0 : 1;
	return r == ERR_IO && strcmp(what, "chroot") == 0 ? 0 : 2;
}

TEST(failed_step_is_named)
{
	assert_int_equal(test_child(no_directory_child, NULL), 0);
}

static int
core_child(const void *arg)
{
	struct sandbox s = { .uid = 0 };
	char missed[SANDBOX_MISSED];
	struct rlimit core;

	(void)arg;
	if (enter(&s, missed) != OK || missed[0] != '\0')
		return 1;
	if (getrlimit(RLIMIT_CORE, &core) != 0)
		return 2;
	return core.rlim_cur == 0 && core.rlim_max == 0 ? 0 : 3;
}

TEST(no_core_is_dumped)
{
	assert_int_equal(test_child(core_child, NULL), 0);
}

/* First without any privilege, then asking for all there is. */
static int
unprivileged_child(const void *arg)
{
	struct sandbox first = { .uid = NOBODY, .gid = NOBODY };
	struct sandbox s = { .uid = 1, .gid = 1, .chroot_dir = "/tmp" };
	char missed[SANDBOX_MISSED];

	(void)arg;
	if (enter(&first, missed) != OK || enter(&s, missed) != OK)
		return 1;
	if (strstr(missed, "chroot") == NULL || strstr(missed, "group id") == NULL ||
	    strstr(missed, "user id") == NULL || strstr(missed, "supplementary groups") == NULL)
		return 2;
	return access("/etc", F_OK) == 0 ? 0 : 3;
}

TEST(what_lack_of_privilege_prevents_is_told_and_no_error)
{
	assert_int_equal(test_child(unprivileged_child, NULL), 0);
}

/* Already the right user: nothing to do, so nothing is missed. */
static int
same_user_child(const void *arg)
{
	struct sandbox s = { .uid = NOBODY, .gid = NOBODY };
	char missed[SANDBOX_MISSED];

	(void)arg;
	if (geteuid() != 0)
		s = (struct sandbox){ .uid = getuid(), .gid = getgid() };
	if (enter(&s, missed) != OK || enter(&s, missed) != OK)
		return 1;
	return missed[0] == '\0' ? 0 : 2;
}

TEST(sandbox_may_be_entered_twice)
{
	assert_int_equal(test_child(same_user_child, NULL), 0);
}

TEST(list_of_what_was_missed_stays_in_its_bounds)
{
	char missed[SANDBOX_MISSED] = "";
	size_t i;

	sandbox_miss(missed, "one");
	assert_string_equal(missed, "one");
	sandbox_miss(missed, "two");
	assert_string_equal(missed, "one, two");
	for (i = 0; i < 100; i++)
		sandbox_miss(missed, "three");
	assert_true(strlen(missed) < sizeof missed && strlen(missed) > 180);
	assert_string_equal(missed + strlen(missed) - 5, "three");
}

TEST(unknown_profile_is_refused)
{
	assert_int_equal(sandbox_filter(SANDBOX_NO_FILTER), OK);
	assert_int_equal(sandbox_filter((enum sandbox_profile)(SANDBOX_PARENT + 1)), ERR_VALUE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_given_up_for_good),
		cmocka_unit_test(chroot_shows_the_directory_alone),
		cmocka_unit_test(failed_step_is_named),
		cmocka_unit_test(no_core_is_dumped),
		cmocka_unit_test(what_lack_of_privilege_prevents_is_told_and_no_error),
		cmocka_unit_test(sandbox_may_be_entered_twice),
		cmocka_unit_test(list_of_what_was_missed_stays_in_its_bounds),
		cmocka_unit_test(unknown_profile_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
