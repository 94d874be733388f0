/* SPDX-License-Identifier: ISC */
#include "shell/child.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "shell/user.h"

#define PARENT_FD 3
#define CONFIG_WAIT_MS 10000
/* A connection that is not renewed within this time is told to the parent. */
#define LOST_MS 1000

#define EXIT_CONFIG 2

struct peer {
	struct child *child;
	const struct child_peer *def;
	struct chan *chan;
	struct loop_timer *lost;
	bool had_one;
};

struct child {
	const struct child_setup *setup;
	void *arg;
	struct loop *loop;
	struct config *config;
	struct chan *parent;
	struct chan_rule *rules;
	struct peer peers[PROC_N];
	size_t n_peers;
	bool stopping;
	int status;
	bool debug;
};

struct loop *
child_loop(struct child *c)
{
	return c->loop;
}

const struct config *
child_config(const struct child *c)
{
	return c->config;
}

struct chan *
child_chan(struct child *c, enum proc_id id)
{
	size_t i;

	if (id == PROC_PARENT)
		return c->parent;
	for (i = 0; i < c->n_peers; i++)
		if (c->peers[i].def->id == id)
			return c->peers[i].chan;
	return NULL;
}

bool
child_stopping(const struct child *c)
{
	return c->stopping;
}

void
child_end(struct child *c)
{
	loop_stop(c->loop);
}

int
child_blame(const struct child *c, char why[static CHILD_WHY_MAX], const char *section,
    const char *key, const char *fmt, ...)
{
	va_list ap;
	int n;

	n = snprintf(why, CHILD_WHY_MAX, "%s:%d: ", c->config->path,
	    config_line(c->config, section, key));
	if (n < 0 || n >= CHILD_WHY_MAX)
		return ERR_VALUE;
	va_start(ap, fmt);
	(void)vsnprintf(why + n, CHILD_WHY_MAX - (size_t)n, fmt, ap);
	va_end(ap);
	return ERR_VALUE;
}

/* ------------------------------------------------------------------ connections */

static void
tell_parent(struct child *c, uint16_t type, enum proc_id id, const char *why)
{
	uint8_t buf[256];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u8(&w, (uint8_t)id);
	if (why != NULL)
		wr_str(&w, why);
	(void)chan_send_wr(c->parent, type, &w);
}

static void
peer_lost(void *arg)
{
	struct peer *p = arg;

	if (p->chan == NULL)
		tell_parent(p->child, MSG_LOST, p->def->id, NULL);
}

static void
peer_broken(void *arg, struct chan *ch, int err, const char *why)
{
	struct child *c = arg;
	size_t i;

	for (i = 0; i < c->n_peers; i++) {
		struct peer *p = &c->peers[i];

		if (p->chan != ch)
			continue;
		p->chan = NULL;
		if (err == ERR_GONE)
			loop_timer_in(p->lost, LOST_MS);
		else
			tell_parent(c, MSG_COMPLAINT, p->def->id, why);
	}
	chan_free(ch);
}

static int
peer_given(struct child *c, enum proc_id id, int fd)
{
	struct peer *p = NULL;
	struct chan_setup setup;
	bool again;
	size_t i;

	for (i = 0; i < c->n_peers; i++)
		if (c->peers[i].def->id == id)
			p = &c->peers[i];
	if (p == NULL)
		return ERR_PROTO;
	chan_free(p->chan);
	loop_timer_clear(p->lost);
	setup = (struct chan_setup){
		.name = p->def->name, .rules = p->def->rules, .n_rules = p->def->n_rules,
		.phase = c->stopping ? PHASE_STOP : PHASE_RUN, .broken = peer_broken,
		.arg = c->arg, .broken_arg = c, .batch = true,
	};
	if ((p->chan = chan_new(c->loop, fd, &setup)) == NULL)
		return ERR_NOMEM;
	again = p->had_one;
	p->had_one = true;
	if (p->def->connected != NULL)
		p->def->connected(c->arg, again);
	return OK;
}

/* ------------------------------------------------------------------ the parent's messages */

static int
on_peer(void *arg, struct chan *ch, struct bytes body, int fd)
{
	struct child *c = arg;
	struct rd r = rd_open(body);
	enum proc_id id = (enum proc_id)rd_u8(&r);

	if (!rd_end(&r))
		return ERR_SYNTAX;
	chan_take_fd(ch);
	return peer_given(c, id, fd);
}

static int
on_socket(void *arg, struct chan *ch, struct bytes body, int fd)
{
	struct child *c = arg;
	struct rd r = rd_open(body);
	struct endpoint e = rd_endpoint(&r);
	bool natt = rd_u8(&r) != 0;

	if (!rd_end(&r) || c->setup->socket == NULL)
		return ERR_SYNTAX;
	chan_take_fd(ch);
	c->setup->socket(c->arg, fd, &e, natt);
	return OK;
}

static int
on_start(void *arg, struct chan *ch, struct bytes body, int fd)
{
	(void)arg;
	(void)ch;
	(void)body;
	(void)fd;
	return OK;
}

static int
on_reload(void *arg, struct chan *ch, struct bytes body, int fd)
{
	struct child *c = arg;

	(void)ch;
	(void)body;
	(void)fd;
	if (c->setup->reload != NULL)
		c->setup->reload(c->arg);
	return OK;
}

static int
on_stop(void *arg, struct chan *ch, struct bytes body, int fd)
{
	struct child *c = arg;
	size_t i;

	(void)ch;
	(void)body;
	(void)fd;
	c->stopping = true;
	for (i = 0; i < c->n_peers; i++)
		if (c->peers[i].chan != NULL)
			chan_set_phase(c->peers[i].chan, PHASE_STOP);
	if (c->setup->stop != NULL)
		c->setup->stop(c->arg);
	else
		child_end(c);
	return OK;
}

static const struct chan_rule lifecycle[] = {
	{ IPC_PEER, PHASE_ANY, 1, 1, true, on_peer },
	{ IPC_SOCKET, PHASE_ANY, 3, 64, true, on_socket },
	{ IPC_START, PHASE_ANY, 0, 0, false, on_start },
	{ IPC_RELOAD, PHASE_ANY, 0, 0, false, on_reload },
	{ IPC_STOP, PHASE_ANY, 0, 0, false, on_stop },
};
#define N_LIFECYCLE (sizeof lifecycle / sizeof lifecycle[0])

static void
parent_broken(void *arg, struct chan *ch, int err, const char *why)
{
	struct child *c = arg;

	if (err != ERR_GONE)
		log_error("the parent broke the protocol (%s): ending", why);
	c->parent = NULL;
	chan_free(ch);
	c->status = 1;
	loop_stop(c->loop);
}

/* ------------------------------------------------------------------ life */

static void
last_words(int status, const char *text)
{
	uint8_t buf[1024];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u8(&w, (uint8_t)status);
	wr_str(&w, text);
	(void)seq_send(PARENT_FD, IPC_FATAL, wr_view(&w), -1);
}

/* The first message. Blocking: nothing else can be done before it. */
static int
read_config(struct child *c, char why[static CONF_ERROR_MAX])
{
	struct pollfd p = { .fd = PARENT_FD, .events = POLLIN };
	uint8_t *buf = malloc(SEQ_MAX);
	struct msg_config m;
	struct bytes body;
	uint16_t type;
	int r = ERR_NOMEM;

	(void)snprintf(why, CONF_ERROR_MAX, "no configuration from the parent");
	if (buf == NULL)
		return r;
	if (poll(&p, 1, CONFIG_WAIT_MS) != 1 ||
	    (r = seq_recv(PARENT_FD, buf, &type, &body, NULL)) != OK || type != MSG_CONFIG ||
	    (r = rd_config(body, &m)) != OK) {
		r = r == OK ? ERR_PROTO : r;
		goto out;
	}
	c->debug = m.debug;
	r = (c->config = config_read(m.path, m.text, why)) == NULL ? ERR_VALUE : OK;
out:
	free(buf);
	return r;
}

static int
set_up(struct child *c)
{
	struct chan_setup parent = {
		.name = "parent", .phase = PHASE_RUN, .broken = parent_broken, .broken_arg = c,
	};
	const struct child_setup *s = c->setup;
	size_t i;

	parent.n_rules = N_LIFECYCLE + s->n_parent_rules;
	if ((c->rules = calloc(parent.n_rules, sizeof *c->rules)) == NULL)
		return ERR_NOMEM;
	memcpy(c->rules, lifecycle, sizeof lifecycle);
	for (i = 0; i < s->n_parent_rules; i++)
		c->rules[N_LIFECYCLE + i] = s->parent_rules[i];
	parent.rules = c->rules;
	parent.n_own = N_LIFECYCLE;
	parent.own_arg = c;
	parent.arg = c->arg;
	for (i = 0; i < s->n_peers; i++) {
		c->peers[i] = (struct peer){ .child = c, .def = &s->peers[i] };
		if ((c->peers[i].lost = loop_timer_new(c->loop, peer_lost, &c->peers[i])) == NULL)
			return ERR_NOMEM;
		c->n_peers++;
	}
	c->parent = chan_new(c->loop, PARENT_FD, &parent);
	return c->parent == NULL ? ERR_NOMEM : OK;
}

static int
confine(struct child *c, char missed[static 200], char why[static CHILD_WHY_MAX])
{
	struct sandbox s = { .profile = c->setup->profile };
	const char *what = "";
	int r;

	if (user_resolve(c->config, &s.uid, &s.gid, why, CHILD_WHY_MAX) != OK)
		return ERR_VALUE;
	if (c->setup->chroot)
		s.chroot_dir = c->config->chroot;
	if ((r = sandbox_enter(&s, &what, missed)) != OK)
		(void)snprintf(why, CHILD_WHY_MAX, "%s: can't give privileges up (%s)", what,
		    err_str(r));
	return r;
}

static int
life(struct child *c, char why[static CHILD_WHY_MAX])
{
	char missed[200], error[CONF_ERROR_MAX], name[64];
	uint8_t buf[256];
	struct wr w = wr_fixed(buf, sizeof buf);
	int r;

	if ((r = read_config(c, error)) != OK) {
		(void)snprintf(why, CHILD_WHY_MAX, "%.*s", CHILD_WHY_MAX - 1, error);
		return r;
	}
	(void)snprintf(name, sizeof name, "ikev2d[%s]", c->setup->name);
	log_setup(name, c->debug ? LOG_DEBUG_ : (enum log_level)(c->config->log_level + 1));
	(void)snprintf(why, CHILD_WHY_MAX, "out of memory");
	if ((c->loop = loop_new()) == NULL || (r = set_up(c)) != OK)
		return ERR_NOMEM;
	if (c->setup->prepare != NULL && (r = c->setup->prepare(c->arg, c, why)) != OK)
		return r;
	if ((r = confine(c, missed, why)) != OK)
		return r;
	if (c->setup->begin != NULL && (r = c->setup->begin(c->arg)) != OK) {
		(void)snprintf(why, CHILD_WHY_MAX, "can't begin: %s", err_str(r));
		return r;
	}
	wr_str(&w, missed);
	if ((r = chan_send_wr(c->parent, IPC_READY, &w)) != OK)
		return r;
	log_hold();
	return loop_run(c->loop);
}

int
child_main(const struct child_setup *setup, void *arg)
{
	struct child c = { .setup = setup, .arg = arg };
	char why[CHILD_WHY_MAX] = "";
	size_t i;
	int r;

	/* The parent gets the terminal's signals and tells us what to do. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if ((r = life(&c, why)) != OK) {
		c.status = r == ERR_VALUE ? EXIT_CONFIG : 1;
		last_words(c.status, why);
	}
	log_flush();
	if (setup->finish != NULL)
		setup->finish(arg);
	for (i = 0; i < c.n_peers; i++) {
		chan_free(c.peers[i].chan);
		loop_timer_free(c.peers[i].lost);
	}
	chan_free(c.parent);
	loop_free(c.loop);
	config_free(c.config);
	free(c.rules);
	return c.status;
}
