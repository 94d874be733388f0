/* SPDX-License-Identifier: ISC */
/*
 * The engine process: every octet from the network, the IKE state machines of lib/ike, and nothing
 * that would let it sign, admit or install on its own word.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "ikev2d/engine_int.h"
#include "ikev2d/identity.h"
#include "ikev2d/roles.h"

#define STOP_MS 2000             /* for Deletes to be answered at the end */

int64_t
engine_now(const struct engine *e)
{
	return loop_now(child_loop(e->child));
}

int64_t
engine_time(void)
{
	return (int64_t)time(NULL);
}

void
engine_input(struct engine *e, const struct ike_event *ev)
{
	ike_input(e->ike, engine_now(e), ev);
	engine_drain(e);
}

/* ------------------------------------------------------------------ network and time */

static void
on_datagram(void *arg, const struct udp_datagram *d)
{
	struct ike_event ev = { .type = IKE_EV_DATAGRAM };

	ev.u.datagram.local = d->local;
	ev.u.datagram.peer = d->peer;
	ev.u.datagram.data = d->data;
	ev.u.datagram.natt = d->natt;
	engine_input(arg, &ev);
}

static void
on_deadline(void *arg)
{
	engine_input(arg, &(struct ike_event){ .type = IKE_EV_TICK });
}

static bool
any_sa(const struct engine *e)
{
	struct ike_sa_info info;
	size_t cursor = 0;

	return ike_sa_next(e->ike, &cursor, &info) != 0;
}

/* At the end of each wake-up. */
static void
settle(void *arg)
{
	struct engine *e = arg;

	udp_flush(e->udp);
	loop_timer_at(e->deadline, ike_deadline(e->ike));
	if (child_stopping(e->child) && !any_sa(e))
		child_end(e->child);
}

/* ------------------------------------------------------------------ answers to jobs */

static int
on_signed(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct ike_event ev = { .type = IKE_EV_SIGNED };
	struct msg_signed m;
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_signed(body, &m)) != OK)
		return r;
	ev.job = m.job;
	ev.rc = m.rc;
	ev.reason = m.reason;
	ev.u.sign.method = m.method;
	ev.u.sign.auth = m.auth;
	engine_input(arg, &ev);
	return OK;
}

static int
on_verified(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct ike_event ev = { .type = IKE_EV_VERIFIED };
	struct msg_verified m;
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_verified(body, &m)) != OK)
		return r;
	ev.job = m.job;
	ev.rc = m.rc;
	ev.reason = m.reason;
	ev.u.verified.identity = m.identity;
	ev.u.verified.not_after = m.not_after;
	engine_input(arg, &ev);
	return OK;
}

static int
on_authorized(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct ike_event ev = { .type = IKE_EV_AUTHORIZED };
	struct msg_authorized m;
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_authorized(body, &m)) != OK)
		return r;
	ev.job = m.job;
	ev.rc = m.rc;
	ev.reason = m.reason;
	ev.u.authorized.grant = m.grant.number;
	ev.u.authorized.node = m.grant.node;
	ev.u.authorized.channels = m.grant.channels;
	ev.u.authorized.n_channels = m.grant.n_channels;
	ev.u.authorized.expires = m.grant.expires;
	engine_input(arg, &ev);
	grant_free(&m.grant);
	return OK;
}

/* ------------------------------------------------------------------ peers and grants */

static int
on_peer_set(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct ike_event ev = { .type = IKE_EV_PEER_SET };
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_peer_set(body, &ev.u.peer)) != OK)
		return r;
	engine_peer_set(arg, &ev.u.peer);
	if (!child_stopping(((struct engine *)arg)->child))
		engine_input(arg, &ev);
	return OK;
}

static int
on_peer_del(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct ike_event ev = { .type = IKE_EV_PEER_DEL };
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_node(body, ev.u.node)) != OK)
		return r;
	engine_peer_del(arg, ev.u.node);
	engine_input(arg, &ev);
	return OK;
}

static int
on_peers_end(void *arg, struct chan *c, struct bytes body, int fd)
{
	(void)c;
	(void)body;
	(void)fd;
	engine_peers_end(arg);
	return OK;
}

static int
on_grant_gone(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct ike_event ev = { .type = IKE_EV_GRANT_GONE };
	int r;

	(void)c;
	(void)fd;
	if ((r = rd_number(body, &ev.u.grant)) != OK)
		return r;
	engine_input(arg, &ev);
	return OK;
}

/* ------------------------------------------------------------------ backend */

static void
on_acquire(struct engine *e, const struct bk_event *b)
{
	struct ike_event ev = { .type = IKE_EV_INITIATE };

	memcpy(ev.u.node, b->u.acquire.node, sizeof ev.u.node);
	log_debug("backend asks for an SA with %s", ev.u.node);
	if (engine_peer(e, ev.u.node) != NULL && !child_stopping(e->child))
		engine_input(e, &ev);
}

static void
on_expire(struct engine *e, const struct bk_event *b)
{
	struct ike_event ev = { .type = IKE_EV_SA_EXPIRED };

	ev.u.expired.spi = b->u.expire.spi;
	ev.u.expired.dst = b->u.expire.dst;
	ev.u.expired.hard = b->u.expire.hard;
	engine_input(e, &ev);
}

static int
on_backend(struct engine *e, uint16_t type, struct bytes body)
{
	struct bk_event b;
	int r;

	if ((r = bk_read(type, body, &b)) != OK)
		return r;
	if (type == BK_HELLO)
		engine_hello(e, &b);
	else if (type == BK_DONE)
		engine_batch_done(e, &b);
	else if (type == BK_ACQUIRE)
		on_acquire(e, &b);
	else if (type == BK_EXPIRE)
		on_expire(e, &b);
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
BACKEND_HANDLER(on_bk_hello, BK_HELLO)
BACKEND_HANDLER(on_bk_done, BK_DONE)
BACKEND_HANDLER(on_bk_acquire, BK_ACQUIRE)
BACKEND_HANDLER(on_bk_expire, BK_EXPIRE)
/* A new NAT mapping is only followed when IKE says so, authenticated. RFC 7296 section 2.23. */
BACKEND_HANDLER(on_bk_mapping, BK_MAPPING)

/* ------------------------------------------------------------------ processes come back */

static void
reissue(struct engine *e, enum ike_job_kind kind)
{
	struct ike_event ev = { .type = IKE_EV_REISSUE };

	ev.u.reissue = kind;
	engine_input(e, &ev);
}

static void
keys_connected(void *arg, bool again)
{
	(void)again;
	reissue(arg, IKE_JOB_SIGN);
}

static void
trust_connected(void *arg, bool again)
{
	(void)again;
	reissue(arg, IKE_JOB_VERIFY);
}

static void
authz_connected(void *arg, bool again)
{
	if (again)
		engine_peers_unname(arg);
	reissue(arg, IKE_JOB_AUTHORIZE);
}

static void
backend_connected(void *arg, bool again)
{
	struct engine *e = arg;

	if (!again)
		return;
	engine_batches_forget(e);
	engine_input(e, &(struct ike_event){ .type = IKE_EV_BACKEND_LOST });
}

/* ------------------------------------------------------------------ life */

static int
random_octets(void *arg, uint8_t *to, size_t n)
{
	(void)arg;
	return crypto_random(to, n);
}

static int
fresh_ke(void *arg, uint16_t group, struct ke **ke)
{
	(void)arg;
	return ke_new(ke, group);
}

static void
configure(struct engine *e, struct bytes certs[static CHAIN_MAX])
{
	const struct config *c = child_config(e->child);
	struct ike_config *ic = &e->ike_config;
	size_t i;

	ic->cb = (struct ike_callbacks){ .random = random_octets, .ke_new = fresh_ke };
	ic->id_data = blob_view(&e->id_data);
	for (i = 0; i < e->n_chain; i++)
		certs[i] = x509_der(e->chain[i]);
	ic->certs = certs;
	ic->n_certs = e->n_chain;
	ic->certreq = blob_view(&e->certreq);
	ic->port = (uint16_t)c->port;
	ic->natt_port = (uint16_t)c->natt_port;
	ic->force_encap = c->force_encap;
	ic->cookie_threshold = c->cookie_threshold;
	ic->dpd_ms = c->dpd * 1000;
}

/* Our certificate and the anchors that we announce: both public. */
static int
load_public(struct engine *e, uint8_t *id_type, char why[static CHILD_WHY_MAX])
{
	const struct config *c = child_config(e->child);
	struct x509_store *anchors = NULL;
	const char *reason = "";
	int r;

	if ((r = x509_load_chain(c->certificate, e->chain, &e->n_chain)) != OK)
		return child_blame(e->child, why, "node", "certificate",
		    "certificate '%s' can't be used (%s): run overlock check", c->certificate,
		    err_str(r));
	if ((r = identity_of(e->chain[0], id_type, &e->id_data)) != OK)
		return child_blame(e->child, why, "node", "certificate",
		    "certificate '%s' holds no identity: give it a dNSName", c->certificate);
	if (x509_store_load(&anchors, c->device_ca, &reason) != OK)
		return child_blame(e->child, why, "node", "device-ca",
		    "device-ca '%s' can't be used (%s): run overlock check", c->device_ca, reason);
	r = x509_store_certreq(anchors, &e->certreq);
	x509_store_free(anchors);
	return r;
}

static int
prepare(void *arg, struct child *child, char why[static CHILD_WHY_MAX])
{
	struct engine *e = arg;
	struct bytes certs[CHAIN_MAX];
	int r;

	e->child = child;
	(void)snprintf(why, CHILD_WHY_MAX, "out of memory, or a library is missing");
	if (crypto_init() != OK || crypto_random(e->seed, sizeof e->seed) != OK)
		return ERR_CRYPTO;
	ike_config_defaults(&e->ike_config);
	if ((r = load_public(e, &e->ike_config.id_type, why)) != OK)
		return r;
	configure(e, certs);
	e->ike = ike_new(&e->ike_config, loop_now(child_loop(child)));
	e->udp = udp_new(child_loop(child), on_datagram, e);
	e->deadline = loop_timer_new(child_loop(child), on_deadline, e);
	e->peers = hash_new(e->seed);
	if (e->ike == NULL || e->udp == NULL || e->deadline == NULL || e->peers == NULL)
		return ERR_NOMEM;
	loop_after(child_loop(child), settle, e);
	return OK;
}

static void
take_socket(void *arg, int fd, const struct endpoint *at, bool natt)
{
	struct engine *e = arg;

	if (udp_add(e->udp, fd, at, natt) != OK) {
		log_error("one socket too many");
		(void)close(fd);
		return;
	}
	engine_encap(e);
}

static int
on_keylog(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct engine *e = arg;

	(void)body;
	if (e->key_log != -1)
		return ERR_STATE;
	chan_take_fd(c);
	e->key_log = fd;
	log_warn("keys of all SAs are written to the key log");
	return OK;
}

static void
stop_late(void *arg)
{
	struct engine *e = arg;

	child_end(e->child);
}

static void
stop(void *arg)
{
	struct engine *e = arg;
	struct ike_event ev = { .type = IKE_EV_CLOSE };

	engine_input(e, &ev);
	e->stop_limit = loop_timer_new(child_loop(e->child), stop_late, e);
	if (e->stop_limit == NULL)
		child_end(e->child);
	else
		loop_timer_in(e->stop_limit, STOP_MS);
}

static void
finish(void *arg)
{
	struct engine *e = arg;
	size_t i;

	ike_free(e->ike);
	udp_free(e->udp);
	loop_timer_free(e->deadline);
	loop_timer_free(e->stop_limit);
	engine_peers_free(e);
	engine_batches_forget(e);
	blob_free(&e->id_data);
	blob_free(&e->certreq);
	for (i = 0; i < e->n_chain; i++)
		x509_free(e->chain[i]);
	if (e->key_log != -1)
		(void)close(e->key_log);
	crypto_cleanup();
}

static const struct chan_rule parent_rules[] = {
	{ MSG_KEYLOG, PHASE_RUN, 0, 0, true, on_keylog },
};
static const struct chan_rule keys_rules[] = {
	{ MSG_SIGNED, PHASE_ANY, 13, 8192, false, on_signed },
};
static const struct chan_rule trust_rules[] = {
	{ MSG_VERIFIED, PHASE_ANY, 18, 1024, false, on_verified },
};
static const struct chan_rule authz_rules[] = {
	{ MSG_AUTHORIZED, PHASE_ANY, 8, SEQ_MAX, false, on_authorized },
	{ MSG_PEER_SET, PHASE_ANY, 8, SEQ_MAX, false, on_peer_set },
	{ MSG_PEER_DEL, PHASE_ANY, 3, 128, false, on_peer_del },
	{ MSG_PEERS_END, PHASE_ANY, 0, 0, false, on_peers_end },
	{ MSG_GRANT_GONE, PHASE_ANY, 4, 4, false, on_grant_gone },
};
static const struct chan_rule backend_rules[] = {
	{ BK_HELLO, PHASE_ANY, 6, 256, false, on_bk_hello },
	{ BK_DONE, PHASE_ANY, 6, SEQ_MAX, false, on_bk_done },
	{ BK_ACQUIRE, PHASE_ANY, 5, 256, false, on_bk_acquire },
	{ BK_EXPIRE, PHASE_ANY, 7, 64, false, on_bk_expire },
	{ BK_MAPPING, PHASE_ANY, 7, 64, false, on_bk_mapping },
};
static const struct chan_rule control_rules[] = {
	{ MSG_QUERY, PHASE_ANY, 4, 4, false, engine_on_query },
	{ MSG_COMMAND, PHASE_RUN, 7, 128, false, engine_on_command },
};

#define N(rules) (sizeof(rules) / sizeof(rules)[0])
static const struct child_peer peers[] = {
	{ PROC_KEYS, "keys", keys_rules, N(keys_rules), keys_connected },
	{ PROC_TRUST, "trust", trust_rules, N(trust_rules), trust_connected },
	{ PROC_AUTHZ, "authz", authz_rules, N(authz_rules), authz_connected },
	{ PROC_BACKEND, "backend", backend_rules, N(backend_rules), backend_connected },
	{ PROC_CONTROL, "control", control_rules, N(control_rules), NULL },
};

int
engine_main(void)
{
	static const struct child_setup setup = {
		.name = "engine", .profile = SANDBOX_ENGINE, .chroot = true,
		.peers = peers, .n_peers = N(peers),
		.parent_rules = parent_rules, .n_parent_rules = N(parent_rules),
		.prepare = prepare, .socket = take_socket, .stop = stop, .finish = finish,
	};
	struct engine *e = calloc(1, sizeof *e);
	int status;

	if (e == NULL)
		return 1;
	e->key_log = -1;
	status = child_main(&setup, e);
	free(e);
	return status;
}
