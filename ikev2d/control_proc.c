/* SPDX-License-Identifier: ISC */
/*
 * The control process: the UNIX socket that `overlock` speaks to. It asks the other processes, puts
 * their answers together and holds nothing itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "ikev2d/control_json.h"
#include "ikev2d/roles.h"
#include "shell/child.h"
#include "shell/ctl.h"

#define ANSWER_MS 3000           /* for all processes together */
#define BIT(proc) (1u << (proc))

/* One request of a client. One is worked on at a time; the others queue. */
struct query {
	struct query *next;
	uint32_t client;
	struct control_request req;
	uint32_t id;             /* of a command */
	uint32_t awaited;        /* processes that have not said their last word: BIT() */
	json_t *processes, *document, *alarms, *peers, *ike_sas, *child_sas, *sas, *counters,
	    *backend_counters;
	json_t *result;          /* of a command */
};

struct control {
	struct child *child;
	struct ctl *ctl;
	struct ctl_access access;
	struct query *queries, *active;
	struct loop_timer *limit;
	uint32_t next_id;
	unsigned skip[PROC_N];   /* answers to queries that were given up on */
	int64_t started;
};

static void next_query(struct control *);

static void
query_free(struct query *q)
{
	json_decref(q->processes);
	json_decref(q->document);
	json_decref(q->alarms);
	json_decref(q->peers);
	json_decref(q->ike_sas);
	json_decref(q->child_sas);
	json_decref(q->sas);
	json_decref(q->counters);
	json_decref(q->backend_counters);
	json_decref(q->result);
	free(q);
}

/* ------------------------------------------------------------------ answers */

static void
reply(struct control *c, uint32_t client, json_t *root)
{
	char *line = root == NULL ? NULL : json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);

	if (line != NULL)
		(void)ctl_reply(c->ctl, client, bytes_str(line));
	free(line);
	json_decref(root);
}

static json_t *
answer_head(const struct control *c, const struct query *q)
{
	static const char *const names[PROC_N] = {
		[PROC_PARENT] = "parent", [PROC_ENGINE] = "engine", [PROC_AUTHZ] = "authz",
		[PROC_BACKEND] = "backend",
	};
	json_t *silent = json_array();
	size_t i;

	for (i = 0; i < PROC_N; i++)
		if ((q->awaited & BIT(i)) != 0 && names[i] != NULL)
			(void)json_array_append_new(silent, json_string(names[i]));
	return json_pack("{s:i, s:s, s:b, s:s, s:s, s:I, s:o}",
	    "schema_version", CONTROL_SCHEMA_VERSION, "command", control_verb_name(q->req.verb),
	    "ok", 1, "version", OVERLOCK_VERSION, "node", child_config(c->child)->node, "uptime_s",
	    (json_int_t)((loop_now(child_loop(c->child)) - c->started) / 1000),
	    "not_answering", silent);
}

static void
answer_status(json_t *root, const struct query *q)
{
	control_join_peers(q->peers, q->ike_sas, q->child_sas);
	(void)json_object_set(root, "processes", q->processes);
	(void)json_object_set(root, "document", q->document);
	(void)json_object_set(root, "alarms", q->alarms);
	(void)json_object_set(root, "peers", q->peers);
	(void)json_object_set(root, "ike_sas", q->ike_sas);
}

static void
query_done(struct control *c)
{
	struct query *q = c->active;
	json_t *root = answer_head(c, q);

	loop_timer_clear(c->limit);
	switch (q->req.verb) {
	case CONTROL_STATUS:
		answer_status(root, q);
		break;
	case CONTROL_CHECK:
		answer_status(root, q);
		(void)json_object_set_new(root, "findings", control_findings(root));
		break;
	case CONTROL_SAS:
		control_join_sas(q->sas, q->child_sas);
		(void)json_object_set(root, "sas", q->sas);
		(void)json_object_set(root, "ike_sas", q->ike_sas);
		break;
	case CONTROL_COUNTERS:
		(void)json_object_set(root, "engine", q->counters);
		(void)json_object_set(root, "backend", q->backend_counters);
		break;
	case CONTROL_CLOSE:
	case CONTROL_INITIATE:
		if (q->result != NULL)
			(void)json_object_update(root, q->result);
		break;
	}
	reply(c, q->client, root);
	c->active = NULL;
	query_free(q);
	next_query(c);
}

static void
query_late(void *arg)
{
	struct control *c = arg;
	size_t i;

	for (i = 0; i < PROC_N; i++)
		if ((c->active->awaited & BIT(i)) != 0)
			c->skip[i]++;
	if (c->active->result == NULL &&
	    (c->active->req.verb == CONTROL_CLOSE || c->active->req.verb == CONTROL_INITIATE))
		c->active->result = control_error("the engine does not answer");
	query_done(c);
}

/* The last word of a process on the query. */
static void
said_all(struct control *c, enum proc_id proc)
{
	if (c->skip[proc] > 0) {
		c->skip[proc]--;
		return;
	}
	if (c->active == NULL)
		return;
	c->active->awaited &= ~BIT(proc);
	if (c->active->awaited == 0)
		query_done(c);
}

/* Where an answer of this process goes to; NULL when it is a late one. */
static struct query *
query_of(const struct control *c, enum proc_id proc)
{
	return c->skip[proc] > 0 || c->active == NULL || (c->active->awaited & BIT(proc)) == 0 ?
	    NULL : c->active;
}

/* ------------------------------------------------------------------ questions */

static void
ask(struct control *c, struct query *q, enum proc_id proc, uint16_t type, uint32_t sections)
{
	uint8_t buf[4];
	struct wr w = wr_fixed(buf, sizeof buf);

	if (type == MSG_QUERY)
		wr_u32(&w, sections);
	/* Awaited in any case: who can't be asked is told as not answering. */
	q->awaited |= BIT(proc);
	(void)chan_send_wr(child_chan(c->child, proc), type, &w);
}

static void
command(struct control *c, struct query *q)
{
	struct msg_command m = { .id = q->id };
	uint8_t buf[256];
	struct wr w = wr_fixed(buf, sizeof buf);

	m.verb = q->req.verb == CONTROL_CLOSE ? COMMAND_CLOSE : COMMAND_INITIATE;
	memcpy(m.node, q->req.node, sizeof m.node);
	wr_command(&w, &m);
	q->awaited = BIT(PROC_ENGINE);
	(void)chan_send_wr(child_chan(c->child, PROC_ENGINE), MSG_COMMAND, &w);
}

static void
query_begin(struct control *c, struct query *q)
{
	switch (q->req.verb) {
	case CONTROL_STATUS:
	case CONTROL_CHECK:
		ask(c, q, PROC_PARENT, MSG_QUERY, SECTION_STATUS);
		ask(c, q, PROC_ENGINE, MSG_QUERY, SECTION_STATUS);
		ask(c, q, PROC_AUTHZ, MSG_QUERY, SECTION_STATUS);
		break;
	case CONTROL_SAS:
		ask(c, q, PROC_ENGINE, MSG_QUERY, SECTION_SAS);
		ask(c, q, PROC_BACKEND, BK_SA_LIST, 0);
		break;
	case CONTROL_COUNTERS:
		ask(c, q, PROC_ENGINE, MSG_QUERY, SECTION_COUNTERS);
		ask(c, q, PROC_BACKEND, BK_COUNTERS, 0);
		break;
	case CONTROL_CLOSE:
	case CONTROL_INITIATE:
		command(c, q);
		break;
	}
	loop_timer_in(c->limit, ANSWER_MS);
}

static void
next_query(struct control *c)
{
	struct query *q = c->queries;

	if (c->active != NULL || q == NULL)
		return;
	c->queries = q->next;
	c->active = q;
	query_begin(c, q);
}

static void
on_request(void *arg, uint32_t client, struct bytes line)
{
	struct control *c = arg;
	struct query *q = calloc(1, sizeof *q), **at;
	const char *why = "out of memory";

	if (q == NULL || control_request_read(line, &q->req, &why) != OK) {
		free(q);
		reply(c, client, control_error(why));
		return;
	}
	q->client = client;
	q->id = ++c->next_id;
	q->processes = json_array();
	q->alarms = json_array();
	q->peers = json_array();
	q->ike_sas = json_array();
	q->child_sas = json_array();
	q->sas = json_array();
	q->counters = json_object();
	q->backend_counters = json_array();
	for (at = &c->queries; *at != NULL; at = &(*at)->next)
		;
	*at = q;
	next_query(c);
}

/* ------------------------------------------------------------------ what they say */

#define HANDLER(fn) static int fn(void *arg, struct chan *ch, struct bytes body, int fd)

/* Reads one message and appends it, as an object, to an array of the query. */
#define COLLECT(fn, proc, type, read, make, member) \
	HANDLER(fn) \
	{ \
		struct control *c = arg; \
		struct query *q = query_of(c, (proc)); \
		struct type m; \
		int r; \
		(void)ch; \
		(void)fd; \
		if ((r = read(body, &m)) != OK) \
			return r; \
		if (q != NULL) \
			(void)json_array_append_new(q->member, make(&m)); \
		return OK; \
	}

COLLECT(on_process, PROC_PARENT, msg_process, rd_process, control_process, processes)
COLLECT(on_alarm, PROC_AUTHZ, msg_alarm, rd_alarm, control_alarm, alarms)
COLLECT(on_peer, PROC_ENGINE, msg_peer, rd_peer, control_peer, peers)
COLLECT(on_ike_sa, PROC_ENGINE, msg_ike_sa, rd_ike_sa, control_ike_sa, ike_sas)
COLLECT(on_child_sa, PROC_ENGINE, msg_child_sa, rd_child_sa, control_child_sa, child_sas)

HANDLER(on_document)
{
	struct control *c = arg;
	struct query *q = query_of(c, PROC_AUTHZ);
	struct msg_document m;
	int r;

	(void)ch;
	(void)fd;
	if ((r = rd_document(body, &m)) != OK)
		return r;
	if (q != NULL && q->document == NULL)
		q->document = control_document(&m);
	return OK;
}

HANDLER(on_counter)
{
	struct control *c = arg;
	struct query *q = query_of(c, PROC_ENGINE);
	struct msg_counter m;
	int r;

	(void)ch;
	(void)fd;
	if ((r = rd_counter(body, &m)) != OK)
		return r;
	if (q != NULL)
		(void)json_object_set_new(q->counters, m.name, json_integer((json_int_t)m.value));
	return OK;
}

HANDLER(on_result)
{
	struct control *c = arg;
	struct query *q = query_of(c, PROC_ENGINE);
	struct msg_result m;
	int r;

	(void)ch;
	(void)fd;
	if ((r = rd_result(body, &m)) != OK)
		return r;
	if (q != NULL && q->id == m.id && m.rc != OK)
		q->result = control_error(m.text);
	said_all(c, PROC_ENGINE);
	return OK;
}

HANDLER(on_parent_end)
{
	(void)ch;
	(void)body;
	(void)fd;
	said_all(arg, PROC_PARENT);
	return OK;
}

HANDLER(on_engine_end)
{
	(void)ch;
	(void)body;
	(void)fd;
	said_all(arg, PROC_ENGINE);
	return OK;
}

HANDLER(on_authz_end)
{
	(void)ch;
	(void)body;
	(void)fd;
	said_all(arg, PROC_AUTHZ);
	return OK;
}

HANDLER(on_backend_end)
{
	(void)ch;
	(void)body;
	(void)fd;
	said_all(arg, PROC_BACKEND);
	return OK;
}

HANDLER(on_hello)
{
	struct bk_event e;

	(void)arg;
	(void)ch;
	(void)fd;
	return bk_read(BK_HELLO, body, &e);
}

HANDLER(on_sa_info)
{
	struct query *q = query_of(arg, PROC_BACKEND);
	struct bk_event e;
	int r;

	(void)ch;
	(void)fd;
	if ((r = bk_read(BK_SA_INFO, body, &e)) != OK)
		return r;
	if (q != NULL)
		(void)json_array_append_new(q->sas, control_esp_sa(&e.u.info.stats, &e.u.info.sa));
	return OK;
}

HANDLER(on_backend_counter)
{
	struct query *q = query_of(arg, PROC_BACKEND);
	struct bk_event e;
	int r;

	(void)ch;
	(void)fd;
	if ((r = bk_read(BK_COUNTER, body, &e)) != OK)
		return r;
	if (q != NULL)
		(void)json_array_append_new(q->backend_counters, json_pack("{s:s, s:s, s:I, s:I}",
		    "name", e.u.counter.name, "node", e.u.counter.node,
		    "vni", (json_int_t)e.u.counter.vni, "value", (json_int_t)e.u.counter.value));
	return OK;
}

/* ------------------------------------------------------------------ life */

/* A process that was restarted says nothing more on what the one before was asked. */
static void
again(struct control *c, enum proc_id proc, bool is_again)
{
	c->skip[proc] = 0;
	if (is_again && c->active != NULL && (c->active->awaited & BIT(proc)) != 0) {
		c->skip[proc] = 0;
		loop_timer_in(c->limit, 0);
	}
}

static void
engine_connected(void *arg, bool is_again)
{
	again(arg, PROC_ENGINE, is_again);
}

static void
authz_connected(void *arg, bool is_again)
{
	again(arg, PROC_AUTHZ, is_again);
}

static void
backend_connected(void *arg, bool is_again)
{
	again(arg, PROC_BACKEND, is_again);
}

static int
prepare(void *arg, struct child *child, char why[static CHILD_WHY_MAX])
{
	struct control *c = arg;

	c->child = child;
	c->started = loop_now(child_loop(child));
	/* Before the ids change: the socket belongs to whoever started the daemon. */
	c->access = (struct ctl_access){
		.owner = geteuid(), .group = getegid(),
		.mode = (mode_t)child_config(child)->socket_mode,
	};
	/* Now, since it reads random octets from a file. */
	json_object_seed(0);
	(void)snprintf(why, CHILD_WHY_MAX, "out of memory");
	c->limit = loop_timer_new(child_loop(child), query_late, c);
	return c->limit == NULL ? ERR_NOMEM : OK;
}

static void
take_socket(void *arg, int fd, const struct endpoint *at, bool natt)
{
	struct control *c = arg;

	(void)at;
	(void)natt;
	if (c->ctl != NULL) {
		(void)close(fd);
		return;
	}
	if ((c->ctl = ctl_new(child_loop(c->child), fd, &c->access, on_request, c)) == NULL)
		log_error("the control socket can't be served: out of memory");
}

static void
finish(void *arg)
{
	struct control *c = arg;
	struct query *q;

	ctl_free(c->ctl);
	loop_timer_free(c->limit);
	if (c->active != NULL)
		query_free(c->active);
	while ((q = c->queries) != NULL) {
		c->queries = q->next;
		query_free(q);
	}
}

static const struct chan_rule parent_rules[] = {
	{ MSG_PROCESS, PHASE_ANY, 8, 1024, false, on_process },
	{ MSG_END, PHASE_ANY, 0, 0, false, on_parent_end },
};
static const struct chan_rule engine_rules[] = {
	{ MSG_PEER, PHASE_ANY, 8, 4096, false, on_peer },
	{ MSG_IKE_SA, PHASE_ANY, 8, 4096, false, on_ike_sa },
	{ MSG_CHILD_SA, PHASE_ANY, 8, 4096, false, on_child_sa },
	{ MSG_COUNTER, PHASE_ANY, 8, 256, false, on_counter },
	{ MSG_RESULT, PHASE_ANY, 8, 512, false, on_result },
	{ MSG_END, PHASE_ANY, 0, 0, false, on_engine_end },
};
static const struct chan_rule authz_rules[] = {
	{ MSG_DOCUMENT, PHASE_ANY, 8, 4096, false, on_document },
	{ MSG_ALARM, PHASE_ANY, 8, 2048, false, on_alarm },
	{ MSG_END, PHASE_ANY, 0, 0, false, on_authz_end },
};
static const struct chan_rule backend_rules[] = {
	{ BK_HELLO, PHASE_ANY, 6, 256, false, on_hello },
	{ BK_SA_INFO, PHASE_ANY, 8, SEQ_MAX, false, on_sa_info },
	{ BK_COUNTER, PHASE_ANY, 8, 512, false, on_backend_counter },
	{ BK_END, PHASE_ANY, 0, 0, false, on_backend_end },
};

#define N(rules) (sizeof(rules) / sizeof(rules)[0])
static const struct child_peer peers[] = {
	{ PROC_ENGINE, "engine", engine_rules, N(engine_rules), engine_connected },
	{ PROC_AUTHZ, "authz", authz_rules, N(authz_rules), authz_connected },
	{ PROC_BACKEND, "backend", backend_rules, N(backend_rules), backend_connected },
};

int
control_main(void)
{
	static const struct child_setup setup = {
		.name = "control", .profile = SANDBOX_CONTROL, .chroot = true,
		.peers = peers, .n_peers = N(peers),
		.parent_rules = parent_rules, .n_parent_rules = N(parent_rules),
		.prepare = prepare, .socket = take_socket, .finish = finish,
	};
	struct control *c = calloc(1, sizeof *c);
	int status;

	if (c == NULL)
		return 1;
	status = child_main(&setup, c);
	free(c);
	return status;
}
