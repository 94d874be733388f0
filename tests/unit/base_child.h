/* SPDX-License-Identifier: ISC */
/* Children that a sandbox test starts, since a process that entered one cannot leave it. */
#ifndef TESTS_UNIT_BASE_CHILD_H
#define TESTS_UNIT_BASE_CHILD_H

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox_steps.h"
#include "base_support.h"

#define KILLED 1000            /* + signal */

/* What is missed when a chroot was asked for and nothing stands against it. */
#ifdef SANDBOX_SANITIZER
#define SANITIZER 1
#define CHROOT_MISSED SANDBOX_NO_CHROOT
#else
#define SANITIZER 0
#define CHROOT_MISSED ""
#endif

/* Exit status of a child that runs body(arg), or KILLED + the signal that ended it. */
static inline int
test_child(int (*body)(const void *), const void *arg)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(arg));
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	if (WIFSIGNALED(status))
		return KILLED + WTERMSIG(status);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
