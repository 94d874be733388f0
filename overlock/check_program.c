/* SPDX-License-Identifier: ISC */
/* A backend's program is asked what it thinks of its options and of this host. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "overlock/check_int.h"
#include "shell/preflight.h"

#define EXIT_CONFIG 2
#define PATIENCE_S  20           /* some try out what a kernel can do */
#define ANSWER_MAX  65536u       /* octets */
#define LINES_MAX   200
#define TOPIC_MAX   40

/* What it wrote on one of its outputs, up to a limit; what comes after is read and forgotten. */
struct output {
	int fd;
	char *text;
	size_t n, cap;
	bool cut;
};

struct answer {
	struct output out, err;
	int status;                      /* of waitpid() */
	bool late;
};

static int64_t
now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void
run_program(const struct config *cf, const char *path, int out, int err)
{
	const char *argv[CONFIG_OPTIONS_MAX + 3] = { path, "--check" };
	size_t i;

	for (i = 0; i < cf->n_options; i++)
		argv[i + 2] = cf->options[i].text;
	if (dup2(out, STDOUT_FILENO) != -1 && dup2(err, STDERR_FILENO) != -1)
		(void)execv(path, (char *const *)(uintptr_t)argv);
	_exit(1);
}

/* Closes the descriptor at the end of what there is to read. */
static void
read_some(struct output *o)
{
	char beyond[4096];
	bool full = o->n == o->cap;
	ssize_t n = full ? read(o->fd, beyond, sizeof beyond) :
	    read(o->fd, o->text + o->n, o->cap - o->n);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		(void)close(o->fd);
		o->fd = -1;
	} else if (full) {
		o->cut = true;
	} else {
		o->n += (size_t)n;
	}
}

static void
read_answer(struct answer *a)
{
	int64_t until = now_ms() + PATIENCE_S * 1000, left;

	while (a->out.fd != -1 || a->err.fd != -1) {
		struct pollfd fds[2] = { { .fd = a->out.fd, .events = POLLIN },
		    { .fd = a->err.fd, .events = POLLIN } };

		if ((left = until - now_ms()) <= 0) {
			a->late = true;
			return;
		}
		if (poll(fds, 2, (int)left) <= 0)
			continue;
		if (fds[0].revents != 0)
			read_some(&a->out);
		if (fds[1].revents != 0)
			read_some(&a->err);
	}
}

static int
make_pipes(int fds[static 4])
{
	int i;

	if (pipe(fds) != 0)
		return ERR_IO;
	if (pipe(fds + 2) != 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return ERR_IO;
	}
	for (i = 0; i < 4; i++)
		(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	return OK;
}

static int
ask(const struct config *cf, const char *path, struct answer *a)
{
	int fds[4];
	pid_t pid;

	if (make_pipes(fds) != OK)
		return ERR_IO;
	if ((pid = fork()) == 0)
		run_program(cf, path, fds[1], fds[3]);
	(void)close(fds[1]);
	(void)close(fds[3]);
	a->out.fd = fds[0];
	a->err.fd = fds[2];
	if (pid != -1)
		read_answer(a);
	if (a->out.fd != -1)
		(void)close(a->out.fd);
	if (a->err.fd != -1)
		(void)close(a->err.fd);
	if (pid == -1)
		return ERR_IO;
	if (a->late)
		(void)kill(pid, SIGKILL);
	return waitpid(pid, &a->status, 0) == pid ? OK : ERR_IO;
}

/* ------------------------------------------------------------------ what it said */

/* The next part up to one of these characters, without it; *s moves behind that. */
static struct bytes
part(struct bytes *s, char end)
{
	const uint8_t *at = s->n == 0 ? NULL : memchr(s->p, end, s->n);
	struct bytes head = bytes_of(s->p, at == NULL ? s->n : (size_t)(at - s->p));
	size_t used = at == NULL ? s->n : head.n + 1;

	*s = bytes_of(s->p + used, s->n - used);
	return head;
}

/* LEVEL, WHAT and TEXT with tabs in between. */
static bool
say_line(struct check *c, struct bytes line)
{
	static const char *const levels[] = { "ok", "warn", "fail" };
	struct bytes level = part(&line, '\t'), what = part(&line, '\t');
	char topic[TOPIC_MAX], text[CONF_ERROR_MAX];
	size_t i;

	if (what.n == 0 || line.n == 0)
		return false;
	for (i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (!bytes_equal(level, bytes_str(levels[i])))
			continue;
		check_say(c, levels[i], log_safe(topic, sizeof topic, what), "%s",
		    log_safe(text, sizeof text, line));
		return true;
	}
	return false;
}

static void
say_lines(struct check *c, const struct output *o)
{
	struct bytes left = bytes_of(o->text, o->n);
	size_t odd = 0, n = 0;

	while (left.n != 0 && n < LINES_MAX) {
		n++;
		if (!say_line(c, part(&left, '\n')))
			odd++;
	}
	if (odd != 0)
		check_say(c, "warn", "options", "%zu lines that the backend answered make no sense here: "
		    "use the backend of this release", odd);
	if (left.n != 0 || o->cut)
		check_say(c, "warn", "options", "the backend answered more than %d lines: the others are "
		    "not shown; run '%s --check' by hand", LINES_MAX, c->config->program);
}

static void
say_answer(struct check *c, struct answer *a)
{
	const struct config *cf = c->config;
	struct bytes err = bytes_of(a->err.text, a->err.n);
	char line[CONF_ERROR_MAX];
	bool ended = WIFEXITED(a->status) && !a->late;

	(void)log_safe(line, sizeof line, part(&err, '\n'));
	if (ended && WEXITSTATUS(a->status) == EXIT_CONFIG) {
		check_say(c, "fail", "options", "%s:%d: %s", cf->path, config_blame(cf, line), line);
		return;
	}
	if (a->late)
		check_say(c, "warn", "options", "the backend did not answer --check within %d s: run "
		    "'%s --check' by hand", PATIENCE_S, cf->program);
	else if (!ended || WEXITSTATUS(a->status) != 0)
		check_say(c, "warn", "options", "the backend could not judge its options (%s %d%s%s): run "
		    "'%s --check' by hand", ended ? "status" : "signal",
		    ended ? WEXITSTATUS(a->status) : WTERMSIG(a->status), line[0] == '\0' ? "" : ": ",
		    line, cf->program);
	else
		check_say(c, "ok", "options", "%zu options of the backend", cf->n_options);
	say_lines(c, &a->out);
}

void
check_program(struct check *c, const char *dir)
{
	char path[CONF_PATH_MAX], out[ANSWER_MAX], err[CONF_ERROR_MAX];
	struct answer a = { .out = { .text = out, .cap = sizeof out },
	    .err = { .text = err, .cap = sizeof err } };

	if (preflight_program(c->config, dir, path, sizeof path) != OK || access(path, X_OK) != 0)
		return;          /* told already */
	if (ask(c->config, path, &a) != OK)
		check_say(c, "warn", "options", "the backend could not be asked (%s)", strerror(errno));
	else
		say_answer(c, &a);
}
