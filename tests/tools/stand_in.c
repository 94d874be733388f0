/* SPDX-License-Identifier: ISC */
/*
 * A backend that takes everything and moves nothing, for tests of what is around a backend:
 *
 *     stand_in [features=N]...                     started by a daemon
 *     stand_in --check say=FILE [status=N] [wait=yes]...
 *
 * --check copies FILE to standard output and ends with that status, or doesn't end. Options that it
 * does not know are fine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/backend.h"

struct backend {
	int nothing;
};

static struct backend *
stand_open(const char *const *options, struct backend_host *h, char why[static 256])
{
	static struct backend b;

	(void)options;
	(void)h;
	(void)why;
	return &b;
}

static void
stand_close(struct backend *b)
{
	(void)b;
}

static int
stand_grant_set(struct backend *b, const struct grant *g)
{
	(void)b;
	(void)g;
	return OK;
}

static int
stand_grant_drop(struct backend *b, uint32_t grant)
{
	(void)b;
	(void)grant;
	return OK;
}

static int
stand_sa_add(struct backend *b, const struct sa_params *sa)
{
	(void)b;
	(void)sa;
	return OK;
}

static int
stand_sa_del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	(void)b;
	(void)dir;
	(void)spi;
	(void)dst;
	return OK;
}

static int
stand_policy(struct backend *b, const struct policy *p)
{
	(void)b;
	(void)p;
	return OK;
}

static int
stand_flush_own(struct backend *b)
{
	(void)b;
	return OK;
}

static size_t
stand_poll_fds(struct backend *b, struct pollfd *fds, size_t max, int64_t *deadline)
{
	(void)b;
	(void)fds;
	(void)max;
	(void)deadline;
	return 0;
}

static void
stand_run(struct backend *b, int64_t now, const struct pollfd *fds, size_t n)
{
	(void)b;
	(void)now;
	(void)fds;
	(void)n;
}

static const char *
option(int argc, char **argv, const char *key)
{
	size_t n = strlen(key);
	int i;

	for (i = 1; i < argc; i++)
		if (strncmp(argv[i], key, n) == 0 && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

static int
check(int argc, char **argv)
{
	const char *say = option(argc, argv, "say"), *status = option(argc, argv, "status");
	FILE *f = say == NULL ? NULL : fopen(say, "re");
	int c;

	while (f != NULL && (c = getc(f)) != EOF)
		(void)putchar(c);
	(void)fflush(stdout);
	if (option(argc, argv, "wait") != NULL)
		(void)pause();
	if (status != NULL)
		(void)fprintf(stderr, "features: the stand-in was told to refuse\n");
	return status == NULL ? 0 : atoi(status);
}

int
main(int argc, char **argv)
{
	struct backend_ops ops = {
		.name = "stand-in", .open = stand_open, .close = stand_close,
		.grant_set = stand_grant_set, .grant_drop = stand_grant_drop,
		.sa_add = stand_sa_add, .sa_del = stand_sa_del, .policy_add = stand_policy,
		.policy_del = stand_policy, .flush_own = stand_flush_own,
		.poll_fds = stand_poll_fds, .run = stand_run,
	};
	const char *features = option(argc, argv, "features");

	if (argc > 1 && strcmp(argv[1], "--check") == 0)
		return check(argc, argv);
	if (features != NULL)
		ops.features = (uint32_t)strtoul(features, NULL, 0);
	return backend_main(&ops, argc, argv);
}
