/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backend/host.h"
#include "base/sandbox.h"
#include "base/seqpacket.h"
#include "base/timer.h"

#define PARENT_FD     3
#define BACKEND_FDS   256
#define CALLS_A_TURN  256      /* then packets get their turn again */
#define ORPHAN_MAX_S  86400

#define EXIT_CONFIG 2

static void
read_clocks(struct backend_host *h)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	h->now_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	h->now_s = (int64_t)t.tv_sec;
}

/* ---- options ---- */

static bool
option_is(const char *arg, const char *name, const char **value)
{
	size_t n = strlen(name);

	if (strncmp(arg, name, n) != 0 || arg[n] != '=')
		return false;
	*value = arg + n + 1;
	return true;
}

static int
set_log_level(const char *name, const char *value)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };
	unsigned i;

	for (i = 0; i < 4; i++)
		if (strcmp(levels[i], value) == 0) {
			log_setup(name, (enum log_level)(LOG_ERROR_ + i));
			return OK;
		}
	return ERR_VALUE;
}

int
backend_options(const char *name, int argc, char **argv, const char **rest, int64_t *orphan_ms,
    char why[static 256])
{
	const char *value;
	size_t n = 0;
	char *end;
	int i;

	for (i = 1; i < argc; i++) {
		if (option_is(argv[i], "orphan-deadline", &value)) {
			long s = strtol(value, &end, 10);

			if (*value == '\0' || *end != '\0' || s < 0 || s > ORPHAN_MAX_S) {
				(void)snprintf(why, 256, "orphan-deadline=%s: give seconds, "
				    "0 to %d", value, ORPHAN_MAX_S);
				return ERR_VALUE;
			}
			*orphan_ms = (int64_t)s * 1000;
		} else if (option_is(argv[i], "log-level", &value)) {
			if (set_log_level(name, value) != OK) {
				(void)snprintf(why, 256, "log-level=%s: give error, warn, info or "
				    "debug", value);
				return ERR_VALUE;
			}
		} else if (n == BACKEND_OPTIONS_MAX) {
			(void)snprintf(why, 256, "more than %d options", BACKEND_OPTIONS_MAX);
			return ERR_SPACE;
		} else {
			rest[n++] = argv[i];
		}
	}
	rest[n] = NULL;
	return OK;
}

/* ---- start and end ---- */

static int
fatal(struct backend_host *h, int status, const char *text)
{
	uint8_t buf[512];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u8(&w, (uint8_t)status);
	wr_str(&w, text);
	/* The daemon shows it to the operator, once. */
	if (conn_send(&h->parent, IPC_FATAL, wr_view(&w)) != OK)
		log_error("%s", text);
	return status;
}

static bool
parent_is_there(void)
{
	int type = 0;
	socklen_t n = sizeof type;

	return getsockopt(PARENT_FD, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_SEQPACKET;
}

static int
open_all(struct backend_host *h, int argc, char **argv)
{
	const char *rest[BACKEND_OPTIONS_MAX + 1];
	char why[256] = "";
	uint8_t seed[16], none[2];
	struct wr w = wr_fixed(none, sizeof none);

	if (sandbox_no_dump() != OK)
		return fatal(h, EXIT_FAILURE, "core dumps could not be turned off");
	if (backend_options(h->ops->name, argc, argv, rest, &h->orphan_ms, why) != OK)
		return fatal(h, EXIT_CONFIG, why);
	if (getentropy(seed, sizeof seed) != 0 || (h->guard = guard_new(seed)) == NULL ||
	    (h->rx = malloc(SEQ_MAX)) == NULL)
		return fatal(h, EXIT_FAILURE, "no memory, or no random octets from the system");
	if ((h->b = h->ops->open(rest, h, why)) == NULL)
		return fatal(h, EXIT_CONFIG, why);
	if (sandbox_filter(SANDBOX_BACKEND) != OK)
		return fatal(h, EXIT_FAILURE, "the system-call filter could not be installed");
	wr_str(&w, "");
	return conn_send(&h->parent, IPC_READY, wr_view(&w)) == OK ? 0 : EXIT_FAILURE;
}

static void
close_all(struct backend_host *h)
{
	int i;

	if (h->b != NULL)
		h->ops->close(h->b);
	for (i = 0; i < PROC_N; i++)
		conn_close(&h->conns[i]);
	conn_close(&h->parent);
	host_queue_free(h);
	guard_free(h->guard);
	if (h->rx != NULL)
		wipe(h->rx, SEQ_MAX);
	free(h->rx);
}

/* ---- connections ---- */

static void
lose(struct backend_host *h, struct conn *c)
{
	enum proc_id proc = c->proc;

	conn_close(c);
	if (proc == PROC_PARENT) {
		log_error("the daemon is gone: ending");
		h->stop = true;
		h->status = EXIT_FAILURE;
	} else if (proc == PROC_ENGINE) {
		log_info("engine gone: SAs that it left stay for %lld s", (long long)h->orphan_ms / 1000);
		host_engine_lost(h);
	}
}

static void
peer_given(struct backend_host *h, struct bytes body, int fd)
{
	struct rd r = rd_open(body);
	unsigned proc = rd_u8(&r);

	if (!rd_end(&r) || fd == -1 ||
	    (proc != PROC_ENGINE && proc != PROC_AUTHZ && proc != PROC_CONTROL)) {
		log_error("the daemon sent a connection that has no place here");
		if (fd != -1)
			(void)close(fd);
		return;
	}
	if (h->conns[proc].fd != -1)
		lose(h, &h->conns[proc]);
	conn_open(&h->conns[proc], fd);
	host_hello(h, &h->conns[proc]);
}

static void
parent_message(struct backend_host *h, uint16_t type, struct bytes body, int fd)
{
	switch (type) {
	case IPC_PEER:
		peer_given(h, body, fd);
		return;
	case IPC_START:
		h->started = true;
		break;
	case IPC_STOP:
		h->stop = true;
		h->status = EXIT_SUCCESS;
		break;
	case IPC_RELOAD:
		break;
	default:
		log_warn("message 0x%x of the daemon has no meaning here", (unsigned)type);
		break;
	}
	if (fd != -1)
		(void)close(fd);
}

static void
several(struct backend_host *h, struct conn *c, struct bytes packet)
{
	struct rd r = rd_open(packet);
	struct bytes body;
	uint16_t type;
	int rc = 1;

	while (c->fd != -1 && !c->broken && (rc = seq_unpack(&r, &type, &body)) == 1)
		host_call(h, c, type, body);
	if (rc < 0)
		c->broken = true;
}

static void
read_conn(struct backend_host *h, struct conn *c)
{
	struct bytes body;
	uint16_t type;
	int i, r, fd;

	for (i = 0; i < CALLS_A_TURN && c->fd != -1 && !c->broken && c->head == NULL; i++) {
		r = seq_recv(c->fd, h->rx, &type, &body, c->proc == PROC_PARENT ? &fd : NULL);
		if (r == ERR_AGAIN)
			return;
		if (r != OK) {
			c->broken = true;
			return;
		}
		if (c->proc == PROC_PARENT)
			parent_message(h, type, body, fd);
		else if (type == SEQ_SEVERAL)
			several(h, c, body);
		else
			host_call(h, c, type, body);
		wipe(h->rx, body.n + sizeof type);
		if (h->stop)
			return;
	}
}

/* ---- the loop ---- */

struct slots {
	struct pollfd fds[1 + PROC_N + BACKEND_FDS];
	struct conn *conns[1 + PROC_N];
	size_t n_conns, n_backend;
	int64_t deadline;              /* the backend's */
};

static void
add_conn(struct slots *s, struct conn *c)
{
	s->fds[s->n_conns].fd = c->fd;
	s->fds[s->n_conns].events = c->head != NULL ? POLLOUT : POLLIN;
	s->fds[s->n_conns].revents = 0;
	s->conns[s->n_conns++] = c;
}

static int
wait_for_events(struct backend_host *h, struct slots *s)
{
	int64_t at = host_deadline(h), wait;
	int i;

	s->n_conns = s->n_backend = 0;
	s->deadline = INT64_MAX;
	add_conn(s, &h->parent);
	for (i = 0; i < PROC_N; i++)
		if (h->conns[i].fd != -1 && h->started)
			add_conn(s, &h->conns[i]);
	if (h->started)
		s->n_backend = h->ops->poll_fds(h->b, s->fds + s->n_conns, BACKEND_FDS,
		    &s->deadline);
	if (s->deadline < at)
		at = s->deadline;
	wait = at == INT64_MAX ? -1 : at <= h->now_ms ? 0 : at - h->now_ms;
	if (wait > INT32_MAX)
		wait = INT32_MAX;
	if (poll(s->fds, (nfds_t)(s->n_conns + s->n_backend), (int)wait) < 0) {
		if (errno != EINTR)
			return ERR_IO;
		for (i = 0; (size_t)i < s->n_conns + s->n_backend; i++)
			s->fds[i].revents = 0;
	}
	read_clocks(h);
	return OK;
}

static void
serve_conns(struct backend_host *h, struct slots *s)
{
	size_t i;

	for (i = 0; i < s->n_conns && !h->stop; i++) {
		struct conn *c = s->conns[i];

		/* Its place may have been given to another one meanwhile. */
		if (c->fd != s->fds[i].fd || s->fds[i].revents == 0)
			continue;
		if (s->fds[i].revents & POLLOUT)
			conn_flush(c);
		if (s->fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			read_conn(h, c);
	}
}

static void
loop(struct backend_host *h)
{
	struct slots s;
	int i;

	while (!h->stop) {
		if (wait_for_events(h, &s) != OK) {
			log_error("poll: errno %d", errno);
			h->status = EXIT_FAILURE;
			return;
		}
		serve_conns(h, &s);
		if (h->stop)
			return;
		if (h->started)
			h->ops->run(h->b, h->now_ms, s.fds + s.n_conns, s.n_backend);
		host_tick(h);
		host_settle(h);
		for (i = 0; i < PROC_N; i++) {
			conn_release(&h->conns[i]);
			if (h->conns[i].broken)
				lose(h, &h->conns[i]);
		}
		if (h->parent.broken)
			lose(h, &h->parent);
	}
}

int
backend_main(const struct backend_ops *ops, int argc, char **argv)
{
	struct backend_host h = { .ops = ops, .orphan_ms = 60000, .orphans_until = TIMER_NEVER };
	int i, status;

	log_setup(ops->name, LOG_INFO_);
	if (!parent_is_there()) {
		log_error("%s is started by a daemon (descriptor %d is its connection): see "
		    "%s --help", ops->name, PARENT_FD, ops->name);
		return EXIT_CONFIG;
	}
	/* Signals to the whole group are the daemon's to act on; we end when it says so or is gone. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)fcntl(PARENT_FD, F_SETFD, FD_CLOEXEC);
	conn_init(&h.parent, PROC_PARENT);
	h.parent.fd = PARENT_FD;
	for (i = 0; i < PROC_N; i++)
		conn_init(&h.conns[i], (enum proc_id)i);
	read_clocks(&h);
	if ((status = open_all(&h, argc, argv)) == 0) {
		loop(&h);
		host_settle(&h);
		status = h.status;
	}
	close_all(&h);
	return status;
}
