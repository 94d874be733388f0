/* SPDX-License-Identifier: ISC */
#include "overlock/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static void
list(FILE *to, const struct cmd *table, const char *prog)
{
	fprintf(to, "usage: %s COMMAND [OPTION]... [ARGUMENT]...\n\ncommands:\n", prog);
	for (; table->name != NULL; table++)
		fprintf(to, "  %-10s %s\n", table->name, table->summary);
	fprintf(to, "\n%s COMMAND --help tells more about one of them.\n", prog);
}

int
cmd_run(const struct cmd *table, const char *prog, int argc, char **argv)
{
	const struct cmd *c;
	char name[64];

	if (argc < 2) {
		list(stderr, table, prog);
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		list(stdout, table, prog);
		return cmd_flush(prog);
	}
	for (c = table; c->name != NULL; c++) {
		if (strcmp(argv[1], c->name) != 0)
			continue;
		snprintf(name, sizeof name, "%s %s", prog, c->name);
		argv[1] = name;
		return c->run(argc - 1, argv + 1);
	}
	cmd_fail(prog, CMD_USAGE, "no command '%s'", argv[1]);
	return cmd_bad_usage(prog);
}

int
cmd_bad_usage(const char *name)
{
	fprintf(stderr, "see %s --help\n", name);
	return CMD_USAGE;
}

int
cmd_fail(const char *name, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	return status;
}

int
cmd_help(const char *text)
{
	fputs(text, stdout);
	return cmd_flush("overlock");
}

int
cmd_flush(const char *name)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return CMD_OK;
	return cmd_fail(name, CMD_FAILED, "standard output: %s", strerror(errno));
}

const char *
cmd_time(char buf[static CMD_TIME_STRLEN], int64_t t)
{
	if (t < 0 || t > INT64_MAX / 1000)
		return "?";
	log_time(buf, t * 1000);
	/* Without the milliseconds. */
	if (strlen(buf) > 20)
		memcpy(buf + 19, "Z", 2);
	return buf;
}

static int
write_all(int fd, struct bytes b)
{
	size_t at = 0;
	ssize_t n;

	while (at < b.n) {
		if ((n = write(fd, b.p + at, b.n - at)) > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return ERR_IO;
	}
	return 0;
}

int
cmd_write_file(const char *path, struct bytes b, unsigned mode)
{
	size_t n = strlen(path) + 8;
	char *tmp;
	int fd, r = ERR_IO, saved;

	if (strcmp(path, "-") == 0)
		return fflush(stdout) == 0 ? write_all(STDOUT_FILENO, b) : ERR_IO;
	if ((tmp = malloc(n)) == NULL)
		return ERR_IO;
	snprintf(tmp, n, "%s.XXXXXX", path);
	if ((fd = mkstemp(tmp)) == -1)
		goto out;
	r = write_all(fd, b);
	if (r == 0 && (fchmod(fd, (mode_t)mode) != 0 || fsync(fd) != 0))
		r = ERR_IO;
	saved = errno;
	close(fd);
	errno = saved;
	if (r == 0 && rename(tmp, path) != 0)
		r = ERR_IO;
	if (r != 0) {
		saved = errno;
		unlink(tmp);
		errno = saved;
	}
out:
	free(tmp);
	return r;
}
