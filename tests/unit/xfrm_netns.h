/* SPDX-License-Identifier: ISC */
/* A network namespace of a test's own, and nft(8) in it: for tests that need a kernel. */
#ifndef TESTS_UNIT_XFRM_NETNS_H
#define TESTS_UNIT_XFRM_NETNS_H

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_support.h"

static inline bool
test_write_file(const char *path, const char *text)
{
	int f = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = f >= 0 && write(f, text, strlen(text)) == (ssize_t)strlen(text);

	if (f >= 0)
		(void)close(f);
	return ok;
}

/*
 * This process is in an empty network namespace from here on. Who is not root becomes root of a user
 * namespace first; the limits of the system's socket buffers hold for them.
 */
static inline void
test_netns(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return;
	assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
	(void)snprintf(map, sizeof map, "0 %u 1", uid);
	assert_true(test_write_file("/proc/self/uid_map", map));
	assert_true(test_write_file("/proc/self/setgroups", "deny"));
	(void)snprintf(map, sizeof map, "0 %u 1", gid);
	assert_true(test_write_file("/proc/self/gid_map", map));
}

/* Is this root of the system, not of a user namespace? */
static inline bool
test_is_root(void)
{
	unsigned long first, outside, n;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool whole = f != NULL && fscanf(f, "%lu %lu %lu", &first, &outside, &n) == 3 && n > 1;

	if (f != NULL)
		(void)fclose(f);
	return geteuid() == 0 && whole;
}

/* A command of the shell; nft(8) and ip(8) are in sbin. */
static inline bool
test_shell(const char *command)
{
	char line[1024];
	int n = snprintf(line, sizeof line, "PATH=$PATH:/usr/sbin:/sbin; %s", command);

	assert_true(n > 0 && (size_t)n < sizeof line);
	return system(line) == 0;
}

#endif
