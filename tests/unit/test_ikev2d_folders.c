/* SPDX-License-Identifier: ISC */
/* Folders that the parent makes, and gives away, as root. Run by another user nothing is given. */
#include "base_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ikev2d/folders.h"
#include "shell/user.h"

static struct config c;
static int lines[256];
static char dir[64];

static int
setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof c);
	c.lines = lines;
	strcpy(dir, "/tmp/overlock-folders-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(c.user, sizeof c.user, "nobody");
	snprintf(c.state_dir, sizeof c.state_dir, "%s/state", dir);
	snprintf(c.chroot, sizeof c.chroot, "%s/empty", dir);
	snprintf(c.socket, sizeof c.socket, "%s/run/ikev2d.sock", dir);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "state", "empty", "run", "other", "" };
	char path[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		if (unlink(path) != 0)
			(void)rmdir(path);
	}
	return 0;
}

static struct stat
look(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st;
}

TEST(a_folder_that_we_make_is_the_users)
{
	char why[CONF_ERROR_MAX];
	uid_t uid;
	gid_t gid;

	assert_int_equal(user_resolve(&c, &uid, &gid, why, sizeof why), OK);
	assert_int_equal(folders_make(&c), OK);
	assert_int_equal(look(c.state_dir).st_uid, geteuid() == 0 ? uid : geteuid());
	assert_int_equal(look(c.state_dir).st_mode & 07777, 0700);
	assert_int_equal(look(c.chroot).st_uid, geteuid());
	/* Again, and after a run as root that left it root's. */
	assert_int_equal(folders_make(&c), OK);
	if (geteuid() == 0) {
		assert_int_equal(chown(c.state_dir, 0, 0), 0);
		assert_int_equal(folders_make(&c), OK);
		assert_int_equal(look(c.state_dir).st_uid, uid);
	}
}

/* "state-dir = /var/lib" must not make the user master of /var/lib. */
TEST(a_folder_that_others_use_is_not_given_away)
{
	int r;

	assert_int_equal(mkdir(c.state_dir, 0755), 0);
	r = folders_make(&c);
	assert_int_equal(r, geteuid() == 0 ? ERR_IO : OK);
	assert_int_equal(look(c.state_dir).st_uid, geteuid());
}

/* Nor what a link points to. */
TEST(a_link_gives_nothing_away)
{
	char other[128];
	int r;

	snprintf(other, sizeof other, "%s/other", dir);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(symlink(other, c.state_dir), 0);
	r = folders_make(&c);
	assert_int_equal(r, geteuid() == 0 ? ERR_IO : OK);
	assert_int_equal(look(other).st_uid, geteuid());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_folder_that_we_make_is_the_users, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_others_use_is_not_given_away, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(a_link_gives_nothing_away, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
