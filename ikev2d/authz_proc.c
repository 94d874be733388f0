/* SPDX-License-Identifier: ISC */
/*
 * The authz process: turns an identity that trust has verified, and the NVA's document, into a
 * grant. It tells the backend what is granted, and the engine only its number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backend/client.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "ikev2d/authz.h"
#include "ikev2d/roles.h"

int64_t
authz_now_ms(const struct authz *a)
{
	return loop_now(child_loop(a->child));
}

int64_t
authz_now_s(void)
{
	return (int64_t)time(NULL);
}

/* ------------------------------------------------------------------ trust and engine */

static int
on_identity(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct msg_identity *m = malloc(sizeof *m);
	int r = ERR_NOMEM;

	(void)c;
	(void)fd;
	if (m != NULL && (r = rd_identity(body, m)) == OK)
		authz_identity(arg, m);
	free(m);
	return r;
}

static int
on_authorize(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct msg_authorize m;
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_authorize(body, &m)) == OK)
		authz_ask(arg, &m);
	return r;
}

static void
engine_connected(void *arg, bool again)
{
	struct authz *a = arg;

	if (again)
		authz_grants_engine_gone(a);
	authz_peers_engine(a);
}

/* ------------------------------------------------------------------ the backend */

bool
authz_to_backend(struct authz *a, uint16_t type, struct wr *w)
{
	return chan_send_wr(child_chan(a->child, PROC_BACKEND), type, w) == OK;
}

static void
backend_connected(void *arg, bool again)
{
	struct authz *a = arg;

	(void)again;
	a->recovering = false;
	if (a->recovered) {
		authz_peers_backend(a);
		authz_grants_backend(a);
	} else {
		/* It may have outlived an authz process before us. */
		authz_recover_begin(a);
	}
}

static int
on_backend(struct authz *a, uint16_t type, struct bytes body)
{
	struct bk_event e;
	int r;
	size_t i;

	if ((r = bk_read(type, body, &e)) != OK)
		return r;
	switch (type) {
	case BK_DONE:
		for (i = 0, r = OK; i < e.u.done.n && r == OK; i++)
			r = bk_done_result(&e, i);
		authz_grants_done(a, e.u.done.generation, r);
		break;
	case BK_GRANT_INFO:
		authz_grants_recover(a, &e.u.grant);
		break;
	case BK_END:
		authz_grants_recovered(a);
		break;
	default:
		break;
	}
	return OK;
}

#define BACKEND_HANDLER(name, type) \
	static int \
	name(void *arg, struct chan *c, struct bytes body, int fd) \
	{ \
		(void)c; \
		(void)fd; \
		return on_backend(arg, (type), body); \
	}
BACKEND_HANDLER(on_hello, BK_HELLO)
BACKEND_HANDLER(on_done, BK_DONE)
BACKEND_HANDLER(on_grant, BK_GRANT_INFO)
BACKEND_HANDLER(on_end, BK_END)

/* ------------------------------------------------------------------ control */

static int
on_query(void *arg, struct chan *c, struct bytes body, int fd)
{
	uint32_t sections;

	(void)fd;
	if (rd_number(body, &sections) != OK)
		return ERR_SYNTAX;
	if (sections & SECTION_STATUS)
		authz_status(arg, c);
	return chan_send(c, MSG_END, bytes_of(NULL, 0), -1) == OK ? OK : ERR_GONE;
}

/* ------------------------------------------------------------------ life */

static int
prepare(void *arg, struct child *child, char why[static CHILD_WHY_MAX])
{
	struct authz *a = arg;
	char reason[256];

	a->child = child;
	a->config = child_config(child);
	(void)snprintf(why, CHILD_WHY_MAX, "out of memory, or a library is missing");
	if (crypto_init() != OK || nvo3_init() != OK ||
	    crypto_random(a->seed, sizeof a->seed) != OK)
		return ERR_CRYPTO;
	if (nvo3_schema_load(&a->schema, NULL, reason) != OK) {
		(void)snprintf(why, CHILD_WHY_MAX, "%s", reason);
		return ERR_UNSUPPORTED;
	}
	a->grants = hash_new(a->seed);
	a->identities = hash_new(a->seed);
	a->peers = hash_new(a->seed);
	a->policies = hash_new(a->seed);
	a->tick = loop_timer_new(child_loop(child), authz_grants_tick, a);
	a->next_grant = 1;
	if (a->grants == NULL || a->identities == NULL || a->peers == NULL || a->policies == NULL ||
	    a->tick == NULL)
		return ERR_NOMEM;
	return authz_fetch_prepare(a);
}

static int
begin(void *arg)
{
	return authz_fetch_begin(arg);
}

static void
reload(void *arg)
{
	authz_fetch_now(arg);
}

static void
finish(void *arg)
{
	struct authz *a = arg;

	authz_fetch_free(a);
	authz_peers_free(a);
	authz_grants_free(a);
	loop_timer_free(a->tick);
	nvo3_document_free(&a->doc);
	nvo3_schema_free(a->schema);
	crypto_cleanup();
}

static const struct chan_rule trust_rules[] = {
	{ MSG_IDENTITY, PHASE_ANY, 8, SEQ_MAX, false, on_identity },
};

static const struct chan_rule engine_rules[] = {
	{ MSG_AUTHORIZE, PHASE_ANY, 8, 256, false, on_authorize },
};

static const struct chan_rule backend_rules[] = {
	{ BK_HELLO, PHASE_ANY, 6, 256, false, on_hello },
	{ BK_DONE, PHASE_ANY, 6, SEQ_MAX, false, on_done },
	{ BK_GRANT_INFO, PHASE_ANY, 8, SEQ_MAX, false, on_grant },
	{ BK_END, PHASE_ANY, 0, 0, false, on_end },
};

static const struct chan_rule control_rules[] = {
	{ MSG_QUERY, PHASE_ANY, 4, 4, false, on_query },
};

static const struct child_peer peers[] = {
	{ PROC_TRUST, "trust", trust_rules, 1, NULL },
	{ PROC_ENGINE, "engine", engine_rules, 1, engine_connected },
	{ PROC_BACKEND, "backend", backend_rules, 4, backend_connected },
	{ PROC_CONTROL, "control", control_rules, 1, NULL },
};

int
authz_main(void)
{
	static const struct child_setup setup = {
		.name = "authz", .profile = SANDBOX_AUTHZ, .chroot = false,
		.peers = peers, .n_peers = 4, .prepare = prepare, .begin = begin,
		.reload = reload, .finish = finish,
	};
	struct authz *a = calloc(1, sizeof *a);
	int status;

	if (a == NULL)
		return 1;
	status = child_main(&setup, a);
	free(a);
	return status;
}
