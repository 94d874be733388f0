/* SPDX-License-Identifier: ISC */
#include "ikev2d/backend_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/ipc.h"
#include "base/err.h"
#include "base/sandbox.h"
#include "base/seqpacket.h"
#include "shell/backend_kind.h"
#include "shell/preflight.h"
#include "shell/user.h"

#define PARENT_FD 3
#define EXIT_CONFIG 2

static _Noreturn void
fatal(const struct config *c, int status, const char *what, const char *why)
{
	uint8_t buf[768];
	char text[600];
	struct wr w = wr_fixed(buf, sizeof buf);

	(void)snprintf(text, sizeof text, "%.200s:%d: backend '%.120s' can't be started: %.120s: %s",
	    c->path, config_line(c, "backend", "program"), c->program, what, why);
	wr_u8(&w, (uint8_t)status);
	wr_str(&w, text);
	(void)seq_send(PARENT_FD, IPC_FATAL, wr_view(&w), -1);
	_exit(status);
}

struct added {
	char level[32], natt[32], ike[32];
};

static void
add(const struct config *c, char **argv, size_t *n, const char *key, char text[static 32],
    const char *value)
{
	if (config_option(c, key) != NULL)
		return;
	(void)snprintf(text, 32, "%s=%s", key, value);
	argv[(*n)++] = text;
}

/* The options of [backend], and what the other sections say that a backend should know. */
static void
arguments(const struct config *c, bool debug, char **argv, struct added *a)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	union { const char *in; char *out; } u;
	char port[16];
	size_t i, n = 0;

	u.in = c->program;
	argv[n++] = u.out;
	for (i = 0; i < c->n_options; i++) {
		u.in = c->options[i].text;
		argv[n++] = u.out;
	}
	add(c, argv, &n, "log-level", a->level, debug ? "debug" : levels[c->log_level]);
	(void)snprintf(port, sizeof port, "%u", (unsigned)c->natt_port);
	add(c, argv, &n, "natt-port", a->natt, port);
	(void)snprintf(port, sizeof port, "%u", (unsigned)c->port);
	if (backend_kind(c)->kernel)
		add(c, argv, &n, "ike-port", a->ike, port);
	argv[n] = NULL;
}

_Noreturn void
backend_exec(const struct config *c, const char *self, bool debug)
{
	struct sandbox s = { .caps = backend_kind(c)->caps, .ambient = true };
	char path[CONF_PATH_MAX], dir[CONF_PATH_MAX], why[CONF_ERROR_MAX], missed[200];
	char *argv[CONFIG_OPTIONS_MAX + 5];
	struct added added;
	const char *what = "";
	int fd, r;

	(void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(self, '/') - self), self);
	if (preflight_program(c, dir, path, sizeof path) != OK)
		fatal(c, EXIT_CONFIG, "its path", "too long");
	/* By descriptor: the user that it runs as need not reach the folder. */
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		fatal(c, EXIT_CONFIG, path, strerror(errno));
	arguments(c, debug, argv, &added);
	if (user_resolve(c, &s.uid, &s.gid, why, sizeof why) != OK)
		fatal(c, EXIT_CONFIG, "user", why);
	if ((r = sandbox_enter(&s, &what, missed)) != OK)
		fatal(c, 1, what, err_str(r));
	(void)fexecve(fd, argv, environ);
	(void)execv(path, argv);
	fatal(c, EXIT_CONFIG, path, strerror(errno));
}
