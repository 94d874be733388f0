/* SPDX-License-Identifier: ISC */
#include "ikev2d/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "ikev2d/backend_exec.h"
#include "ikev2d/folders.h"
#include "ikev2d/roles.h"
#include "shell/backend_kind.h"
#include "shell/ctl.h"
#include "shell/proc.h"
#include "shell/udp.h"
#include "shell/user.h"

#define SOCKETS_MAX (2 * CONF_ADDRS_MAX + 4)
#define EXIT_CONFIG 2

struct bound {
	struct endpoint at;
	bool natt;
	int fd;
};

struct parent {
	const struct parent_setup *setup;
	const struct config *c;
	struct loop *loop;
	struct procs *procs;
	struct proc_def defs[PROC_N];
	struct bound sockets[SOCKETS_MAX];
	size_t n_sockets;
	int control_fd, key_log_fd, self_fd;
	char missed[200];
	int64_t started;
	int status;
};

/* ------------------------------------------------------------------ sockets and files */

static int
bind_one(struct parent *p, const struct addr *a, bool natt)
{
	struct bound *b = &p->sockets[p->n_sockets];
	char text[ENDPOINT_STRLEN];
	const char *key = natt ? "natt-port" : "port";

	b->at.addr = *a;
	b->at.port = (uint16_t)(natt ? p->c->natt_port : p->c->port);
	b->natt = natt;
	if (udp_bind(&b->at, natt, &b->fd) != OK) {
		(void)fprintf(stderr, "%s:%d: can't bind UDP %s (%s): end what holds it, or choose "
		    "another %s or listen address\n", p->c->path,
		    config_line(p->c, "ike", p->c->listen.n > 0 ? "listen" : key),
		    endpoint_str(&b->at, text), strerror(errno), key);
		return ERR_IO;
	}
	p->n_sockets++;
	return OK;
}

static int
bind_sockets(struct parent *p)
{
	struct addr any[2] = { { .family = ADDR_V4 }, { .family = ADDR_V6 } };
	const struct addr *a = p->c->listen.n > 0 ? p->c->listen.a : any;
	size_t i, n = p->c->listen.n > 0 ? p->c->listen.n : 2;

	for (i = 0; i < n; i++) {
		if (a == any && !udp_family_works(a[i].family))
			continue;
		if (bind_one(p, &a[i], false) != OK || bind_one(p, &a[i], true) != OK)
			return ERR_IO;
	}
	return OK;
}

static int
open_control(struct parent *p)
{
	int line = config_line(p->c, "control", "socket");
	int r = ctl_listen(p->c->socket, (mode_t)p->c->socket_mode, &p->control_fd);

	if (r == ERR_EXISTS)
		(void)fprintf(stderr, "%s:%d: another ikev2d listens on '%s': end it, or name another "
		    "socket\n", p->c->path, line, p->c->socket);
	else if (r != OK)
		(void)fprintf(stderr, "%s:%d: can't make the control socket '%s' (%s): name another "
		    "one\n", p->c->path, line, p->c->socket, strerror(errno));
	return r;
}

static int
open_key_log(struct parent *p)
{
	if (p->c->key_log[0] == '\0')
		return OK;
	p->key_log_fd = open(p->c->key_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (p->key_log_fd == -1) {
		(void)fprintf(stderr, "%s:%d: can't write '%s' (%s): name another file\n", p->c->path,
		    config_line(p->c, "debug", "key-log"), p->c->key_log, strerror(errno));
		return ERR_IO;
	}
	log_warn("ALL TRAFFIC KEYS ARE WRITTEN TO %s", p->c->key_log);
	return OK;
}

/* ------------------------------------------------------------------ starting processes */

/* By descriptor: a program file that was replaced meanwhile does not mix versions. */
static void
exec_self(const struct parent *p, const char *name)
{
	union { const char *in; char *out; } u[3] = {
		{ "ikev2d" }, { "--process" }, { name },
	};
	char *argv[] = { u[0].out, u[1].out, u[2].out, NULL };

	(void)fexecve(p->self_fd, argv, environ);
	(void)execv(p->setup->self, argv);
	_exit(1);
}

/* In the forked child. */
static void
run_role(void *arg, enum proc_id id)
{
	struct parent *p = arg;
	size_t i;

	for (i = 0; i < n_roles; i++) {
		if (roles[i].id != id)
			continue;
		if (roles[i].main == NULL)
			backend_exec(p->c, p->setup->self, p->setup->debug);
		exec_self(p, roles[i].name);
	}
	_exit(1);
}

static void
send_config(struct parent *p, struct chan *c, bool first)
{
	struct msg_config m = { .debug = p->setup->debug, .first = first, .text = p->setup->text };
	struct wr w = wr_grow(SEQ_MAX);

	(void)snprintf(m.path, sizeof m.path, "%s", p->c->path);
	wr_config(&w, &m);
	(void)chan_send_wr(c, MSG_CONFIG, &w);
}

static void
send_socket(struct chan *c, const struct bound *b)
{
	uint8_t buf[64];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_endpoint(&w, &b->at);
	wr_u8(&w, b->natt);
	(void)chan_send(c, IPC_SOCKET, wr_view(&w), b->fd);
}

static void
role_started(void *arg, enum proc_id id, struct chan *c, bool first)
{
	struct parent *p = arg;
	struct bound control = { .fd = p->control_fd };
	size_t i;

	if (id == PROC_BACKEND)
		return;
	send_config(p, c, first);
	if (id == PROC_CONTROL)
		send_socket(c, &control);
	if (id != PROC_ENGINE)
		return;
	for (i = 0; i < p->n_sockets; i++)
		send_socket(c, &p->sockets[i]);
	if (p->key_log_fd != -1)
		(void)chan_send(c, MSG_KEYLOG, bytes_of(NULL, 0), p->key_log_fd);
}

static void
all_ready(void *arg)
{
	struct parent *p = arg;
	FILE *f;

	log_info("%s (Overlock %s) is up, node %s", "ikev2d", OVERLOCK_VERSION, p->c->node);
	if (p->c->pid_file[0] == '\0')
		return;
	if ((f = fopen(p->c->pid_file, "we")) == NULL) {
		log_warn("can't write pid-file %s: %s", p->c->pid_file, strerror(errno));
		return;
	}
	(void)fprintf(f, "%d\n", (int)getpid());
	(void)fclose(f);
}

static void
all_ended(void *arg, int status, const char *text)
{
	struct parent *p = arg;

	p->status = status;
	/* Our own processes blame a line of the configuration; a backend does not know it. */
	if (status == EXIT_CONFIG && strncmp(text, p->c->path, strlen(p->c->path)) != 0)
		(void)fprintf(stderr, "%s:%d: %s\n", p->c->path, config_blame(p->c, text), text);
	else if (status != 0)
		(void)fprintf(stderr, "%s\n", text);
	else
		log_info("ended");
	loop_stop(p->loop);
}

/* ------------------------------------------------------------------ questions of control */

static void
tell_process(struct chan *c, const struct msg_process *m)
{
	uint8_t buf[512];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_process(&w, m);
	(void)chan_send_wr(c, MSG_PROCESS, &w);
}

static int
on_query(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct procs_from *from = arg;
	struct parent *p = from->arg;
	struct msg_process m = { .name = "parent", .ready = true };
	uint32_t sections;
	size_t i;

	(void)fd;
	if (from->id != PROC_CONTROL || rd_number(body, &sections) != OK)
		return ERR_PROTO;
	m.pid = (uint32_t)getpid();
	m.up_s = (loop_now(p->loop) - p->started) / 1000;
	(void)snprintf(m.missed, sizeof m.missed, "%s", p->missed);
	tell_process(c, &m);
	for (i = 0; i < n_roles; i++)
		if (procs_info(p->procs, roles[i].id, &m) == OK)
			tell_process(c, &m);
	(void)chan_send(c, MSG_END, bytes_of(NULL, 0), -1);
	return OK;
}

static const struct chan_rule parent_rules[] = {
	{ MSG_QUERY, PROC_PHASE_READY, 4, 4, false, on_query },
};

/* ------------------------------------------------------------------ life */

static void
on_signal(void *arg, int signo)
{
	struct parent *p = arg;

	if (signo == SIGHUP) {
		log_info("SIGHUP: the document is fetched anew");
		procs_tell(p->procs, IPC_RELOAD);
		return;
	}
	if (procs_stop(p->procs, PROC_ENGINE))
		log_info("%s: ending", signo == SIGTERM ? "SIGTERM" : "SIGINT");
}

static int
give_up_privileges(struct parent *p)
{
	const struct sandbox s = {
		.caps = backend_kind(p->c)->caps | (geteuid() == 0 ? SANDBOX_SETUID : 0),
		.profile = SANDBOX_PARENT,
	};
	const char *what = "";
	int r;

	if ((r = sandbox_enter(&s, &what, p->missed)) != OK)
		log_error("can't give privileges up: %s (%s)", what, err_str(r));
	if (geteuid() != 0)
		(void)snprintf(p->missed, sizeof p->missed,
		    "user and group ids (not started as root)");
	return r;
}

static int
begin(struct parent *p)
{
	struct procs_setup setup = {
		.defs = p->defs, .n_defs = n_roles, .arg = p, .run = run_role,
		.started = role_started, .rules = parent_rules, .n_rules = 1,
		.ready = all_ready, .ended = all_ended,
	};
	size_t i;

	for (i = 0; i < n_roles; i++)
		p->defs[i] = (struct proc_def){ roles[i].id, roles[i].name, roles[i].links };
	if ((p->loop = loop_new()) == NULL || (p->procs = procs_new(p->loop, &setup)) == NULL ||
	    loop_signal(p->loop, SIGTERM, on_signal, p) != OK ||
	    loop_signal(p->loop, SIGINT, on_signal, p) != OK ||
	    loop_signal(p->loop, SIGHUP, on_signal, p) != OK)
		return ERR_NOMEM;
	p->started = loop_now(p->loop);
	return give_up_privileges(p);
}

int
parent_main(const struct parent_setup *setup)
{
	struct parent p = {
		.setup = setup, .c = setup->config, .control_fd = -1, .key_log_fd = -1, .status = 1,
		.self_fd = open(setup->self, O_RDONLY | O_CLOEXEC),
	};
	size_t i;

	if (folders_make(p.c) != OK || bind_sockets(&p) != OK || open_control(&p) != OK ||
	    open_key_log(&p) != OK || begin(&p) != OK)
		goto out;
	if (procs_start(p.procs) != OK)
		procs_stop(p.procs, PROC_ENGINE);
	(void)loop_run(p.loop);
out:
	if (p.control_fd != -1) {
		(void)unlink(p.c->socket);
		(void)close(p.control_fd);
	}
	if (p.c->pid_file[0] != '\0' && p.status == 0)
		(void)unlink(p.c->pid_file);
	for (i = 0; i < p.n_sockets; i++)
		(void)close(p.sockets[i].fd);
	if (p.key_log_fd != -1)
		(void)close(p.key_log_fd);
	if (p.self_fd != -1)
		(void)close(p.self_fd);
	procs_free(p.procs);
	loop_free(p.loop);
	return p.status;
}
