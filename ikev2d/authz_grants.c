/* SPDX-License-Identifier: ISC */
/*
 * Grants: what authz lets a verified peer have. A grant belongs to a node (and, where the peer
 * asked for one VN alone, to that VN), so the IKE SAs of a node share it, and it lives until the
 * document, the certificate or time takes it away. The engine hears of a grant when the backend
 * has it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend/client.h"
#include "base/log.h"
#include "ikev2d/authz.h"

#define WAIT_MS 8000             /* less than the engine waits for a job */
#define IDENTITY_MS 60000        /* how long a verified identity may be quoted */
#define IDENTITIES_MAX 8192
#define WAITING_MAX 4096
#define TICK_MAX_MS 10000        /* the wall clock may be set meanwhile */

/* ------------------------------------------------------------------ time */

static void
tick_by(struct authz *a, int64_t at)
{
	if (loop_timer_pending(a->tick) && a->next_tick <= at)
		return;
	a->next_tick = at;
	loop_timer_at(a->tick, at);
}

static void
expires_at(struct authz *a, int64_t expires)
{
	int64_t left = expires - authz_now_s();

	if (expires < a->first_expiry)
		a->first_expiry = expires;
	if (left < TICK_MAX_MS / 1000)
		tick_by(a, authz_now_ms(a) + left * 1000);
}

/* ------------------------------------------------------------------ answers */

static void
answer(struct authz *a, const struct msg_authorize *ask, int rc, const struct grant *g,
    const char *reason)
{
	struct msg_authorized m = { .job = ask->job, .rc = rc };
	struct wr w = wr_grow(SEQ_MAX);

	(void)snprintf(m.reason, sizeof m.reason, "%s", reason);
	if (g != NULL)
		m.grant = *g;
	wr_authorized(&w, &m);
	(void)chan_send_wr(child_chan(a->child, PROC_ENGINE), MSG_AUTHORIZED, &w);
}

/* Returns where it stands. */
static struct waiting **
waiting_add(struct authz *a, struct waiting *w)
{
	struct waiting **at = a->waiting == NULL ? &a->waiting : a->waiting_last;

	*at = w;
	a->waiting_last = &w->next;
	a->n_waiting++;
	return at;
}

static void
waiting_remove(struct authz *a, struct waiting **at)
{
	struct waiting *w = *at;

	if ((*at = w->next) == NULL)
		a->waiting_last = at;
	a->n_waiting--;
	free(w);
}

/* ------------------------------------------------------------------ held grants */

/* Node and, if the label names a single VN, the label. */
static struct bytes
grant_key(const char *node, const char *label, char buf[static ID_MAX + LABEL_MAX])
{
	int n;

	if (strstr(label, ";vni:") == NULL)
		label = "";
	n = snprintf(buf, ID_MAX + LABEL_MAX, "%s %s", node, label);
	return bytes_of(buf, n < 0 ? 0 : (size_t)n);
}

static void
held_free(struct held_grant *h)
{
	if (h == NULL)
		return;
	grant_free(&h->grant);
	free(h->identities);
	free(h);
}

/* What a request was decided to get, unless it was dropped or made anew since. */
static struct held_grant *
held_of(struct authz *a, const struct waiting *w)
{
	char key[ID_MAX + LABEL_MAX];
	struct held_grant *h = hash_get(a->grants, grant_key(w->node, w->ask.label, key));

	return h != NULL && h->grant.number == w->grant ? h : NULL;
}

static bool
send_grant(struct authz *a, const struct grant *g)
{
	struct wr w = wr_grow(SEQ_MAX);

	return authz_to_backend(a, bk_send_grant_set(&w, g), &w);
}

static bool
send_commit(struct authz *a, uint32_t generation)
{
	uint8_t buf[16];
	struct wr w = wr_fixed(buf, sizeof buf);

	return authz_to_backend(a, bk_send_commit(&w, generation), &w);
}

static uint32_t
new_generation(struct authz *a)
{
	if (++a->next_generation == 0)
		a->next_generation = 1;
	return a->next_generation;
}

/* Takes the grant away everywhere. */
static void
held_drop(struct authz *a, struct held_grant *h, const char *why)
{
	char key[ID_MAX + LABEL_MAX];
	uint8_t buf[16];
	struct wr w = wr_fixed(buf, sizeof buf);

	log_info("peer %s: grant %" PRIu32 " withdrawn: %s", h->grant.node, h->grant.number, why);
	(void)authz_to_backend(a, bk_send_grant_drop(&w, h->grant.number), &w);
	(void)send_commit(a, new_generation(a));
	w = wr_fixed(buf, sizeof buf);
	wr_u32(&w, h->grant.number);
	(void)chan_send_wr(child_chan(a->child, PROC_ENGINE), MSG_GRANT_GONE, &w);
	(void)hash_del(a->grants, grant_key(h->grant.node, h->label, key));
	held_free(h);
}

static bool
same_grant(const struct grant *x, const struct grant *y)
{
	struct wr a = wr_grow(SEQ_MAX), b = wr_grow(SEQ_MAX);
	bool same;

	wr_grant(&a, x);
	wr_grant(&b, y);
	same = !a.bad && !b.bad && bytes_equal(wr_view(&a), wr_view(&b));
	wr_free(&a);
	wr_free(&b);
	return same;
}

/* ------------------------------------------------------------------ decisions */

static enum nvo3_reason
decide(struct authz *a, const struct held_grant *h, const char *label, struct grant *g, int *line)
{
	struct nvo3_question q = {
		.identities = (const char (*)[300])h->identities, .n_identities = h->n_identities,
		.peer = h->peer, .self = a->config->node, .label = label, .now = authz_now_s(),
		.grace_s = a->config->grace, .cert_not_after = h->cert_not_after,
	};

	return nvo3_decide(a->doc.table, &q, g, line);
}

static struct held_grant *
held_for(const struct known_identity *id, const struct addr *peer)
{
	struct held_grant *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	h->peer = *peer;
	h->cert_not_after = id->not_after;
	h->n_identities = id->n_identities;
	h->identities = calloc(id->n_identities == 0 ? 1 : id->n_identities, sizeof *h->identities);
	if (h->identities == NULL) {
		free(h);
		return NULL;
	}
	memcpy(h->identities, id->identities, id->n_identities * sizeof *h->identities);
	return h;
}

/* The new one replaces what is held for the same node; the number stays. */
static int
held_keep(struct authz *a, struct held_grant *h)
{
	char key[ID_MAX + LABEL_MAX];
	struct bytes k = grant_key(h->grant.node, h->label, key);
	struct held_grant *old = hash_del(a->grants, k);

	h->grant.number = old != NULL ? old->grant.number : a->next_grant++;
	expires_at(a, h->grant.expires);
	held_free(old);
	return hash_add(a->grants, k, h);
}

static void
refuse(struct authz *a, const struct waiting *w, enum nvo3_reason reason, int line)
{
	char text[MSG_REASON_MAX], peer[ADDR_STRLEN];

	if (line > 0)
		(void)snprintf(text, sizeof text, "not authorized: %s (document line %d)",
		    nvo3_reason_text(reason), line);
	else
		(void)snprintf(text, sizeof text, "not authorized: %s", nvo3_reason_text(reason));
	log_debug("%s: %s", addr_str(&w->ask.peer, peer), text);
	answer(a, &w->ask, ERR_DENIED, NULL, text);
}

/* True when it was answered; else it waits on, for the backend if it has a generation. */
static bool
judge(struct authz *a, struct waiting *w, const struct known_identity *id)
{
	struct held_grant *h = held_for(id, &w->ask.peer);
	enum nvo3_reason reason;
	int line;

	if (h == NULL) {
		answer(a, &w->ask, ERR_NOMEM, NULL, err_str(ERR_NOMEM));
		return true;
	}
	/* The address of both messages is the engine's word; two different ones are a lie. */
	if (!addr_equal(&id->peer, &w->ask.peer)) {
		answer(a, &w->ask, ERR_DENIED, NULL,
		    "the peer's address changed during the handshake");
		held_free(h);
		return true;
	}
	reason = decide(a, h, w->ask.label, &h->grant, &line);
	if (reason != NVO3_ADMITTED) {
		refuse(a, w, reason, line);
		held_free(h);
		return true;
	}
	(void)snprintf(h->label, sizeof h->label, "%s",
	    strstr(w->ask.label, ";vni:") != NULL ? w->ask.label : "");
	if (held_keep(a, h) != OK) {
		answer(a, &w->ask, ERR_NOMEM, NULL, err_str(ERR_NOMEM));
		held_free(h);
		return true;
	}
	w->grant = h->grant.number;
	memcpy(w->node, h->grant.node, sizeof w->node);
	w->generation = new_generation(a);
	if (send_grant(a, &h->grant) && send_commit(a, w->generation))
		return false;
	w->generation = 0;       /* decided again when the backend is back */
	return false;
}

static struct known_identity *
known(struct authz *a, const struct ike_ref *ref)
{
	uint8_t key[32];
	struct wr w = wr_fixed(key, sizeof key);

	wr_ref(&w, ref);
	return hash_get(a->identities, wr_view(&w));
}

/* What can be answered now is; true when it was, and is no more. */
static bool
look_at(struct authz *a, struct waiting **at)
{
	bool can = a->tried && a->recovered && child_chan(a->child, PROC_BACKEND) != NULL;
	struct waiting *w = *at;
	struct known_identity *k = w->generation == 0 ? known(a, &w->ask.ref) : NULL;

	if (can && k != NULL && judge(a, w, k)) {
		waiting_remove(a, at);
		return true;
	}
	if (authz_now_ms(a) < w->deadline)
		return false;
	answer(a, &w->ask, ERR_TIMEOUT, NULL, w->generation == 0 && k == NULL ?
	    "no verified identity" : !a->tried ? "there is no authorization document yet" :
	    "the backend does not answer");
	waiting_remove(a, at);
	return true;
}

static void
look_at_waiting(struct authz *a)
{
	struct waiting **at = &a->waiting;

	while (*at != NULL)
		if (!look_at(a, at))
			at = &(*at)->next;
}

/* ------------------------------------------------------------------ messages */

void
authz_ask(struct authz *a, const struct msg_authorize *m)
{
	struct waiting *w = NULL, **at;

	if (a->n_waiting >= WAITING_MAX || (w = calloc(1, sizeof *w)) == NULL) {
		answer(a, m, ERR_SPACE, NULL, "too many requests");
		return;
	}
	w->ask = *m;
	w->deadline = authz_now_ms(a) + WAIT_MS;
	at = waiting_add(a, w);
	if (!look_at(a, at))
		tick_by(a, w->deadline);
}

/* Those that are too old; and where there is no room, the oldest: it was asked about long ago, and
 * nobody may keep others out by bringing many. */
static void
identities_forget(struct authz *a)
{
	int64_t now = authz_now_ms(a);
	struct known_identity *k;
	uint8_t key[32];

	while ((k = a->identities_first) != NULL && (now - k->at >= IDENTITY_MS ||
	    hash_count(a->identities) >= IDENTITIES_MAX)) {
		struct wr w = wr_fixed(key, sizeof key);

		wr_ref(&w, &k->ref);
		(void)hash_del(a->identities, wr_view(&w));
		a->identities_first = k->next;
		free(k);
	}
}

static struct known_identity *
identity_keep(struct authz *a, const struct msg_identity *m)
{
	size_t n = m->n_identities * sizeof m->identities[0];
	struct known_identity *k = malloc(sizeof *k + n);
	uint8_t key[32];
	struct wr w = wr_fixed(key, sizeof key);

	if (k == NULL)
		return NULL;
	*k = (struct known_identity){
		.at = authz_now_ms(a), .ref = m->ref, .peer = m->peer, .not_after = m->not_after,
		.n_identities = m->n_identities,
	};
	memcpy(k->identities, m->identities, n);
	wr_ref(&w, &m->ref);
	if (hash_add(a->identities, wr_view(&w), k) != OK) {
		free(k);
		return NULL;
	}
	if (a->identities_first == NULL)
		a->identities_last = &a->identities_first;
	*a->identities_last = k;
	a->identities_last = &k->next;
	return k;
}

void
authz_identity(struct authz *a, const struct msg_identity *m)
{
	struct waiting **at = &a->waiting;

	/* The first word on an IKE SA counts. */
	if (known(a, &m->ref) != NULL)
		return;
	identities_forget(a);
	if (identity_keep(a, m) == NULL)
		return;
	while (*at != NULL)
		if ((*at)->generation != 0 || !look_at(a, at))
			at = &(*at)->next;
}

void
authz_grants_done(struct authz *a, uint32_t generation, int result)
{
	struct waiting **at, *w;
	struct held_grant *h;
	char text[MSG_REASON_MAX];

	/* 0 is a batch of policies, and a request that no batch was sent for. */
	for (at = &a->waiting; generation != 0 && (w = *at) != NULL; at = &w->next) {
		if (w->generation != generation)
			continue;
		h = held_of(a, w);
		if (result == OK && h != NULL) {
			answer(a, &w->ask, OK, &h->grant, "");
		} else {
			(void)snprintf(text, sizeof text, "the backend refused the grant: %s",
			    err_str(result != OK ? result : ERR_GONE));
			answer(a, &w->ask, ERR_DENIED, NULL, text);
			if (h != NULL)
				held_drop(a, h, text);
		}
		waiting_remove(a, at);
		return;
	}
	if (result != OK && result != ERR_NOTFOUND)
		log_warn("the backend refused a change: %s", err_str(result));
}

void
authz_grants_engine_gone(struct authz *a)
{
	while (a->waiting != NULL)
		waiting_remove(a, &a->waiting);
}

/* ------------------------------------------------------------------ time and documents */

/* Drops what has expired; says when the next one does. */
static void
grants_expire(struct authz *a)
{
	struct held_grant *h;
	size_t pos = 0;

	if (authz_now_s() < a->first_expiry)
		return;
	a->first_expiry = INT64_MAX;
	while ((h = hash_next(a->grants, &pos)) != NULL) {
		if (h->grant.expires <= authz_now_s())
			held_drop(a, h, "it has expired");
		else
			expires_at(a, h->grant.expires);
	}
}

void
authz_grants_tick(void *arg)
{
	struct authz *a = arg;
	struct waiting *w;

	look_at_waiting(a);
	authz_watch(a);
	identities_forget(a);
	loop_timer_clear(a->tick);
	tick_by(a, authz_now_ms(a) + TICK_MAX_MS);
	grants_expire(a);
	if (a->first_expiry != INT64_MAX)
		expires_at(a, a->first_expiry);
	for (w = a->waiting; w != NULL; w = w->next)
		tick_by(a, w->deadline);
}

/* Identities of recovered grants are those that the table gives their nodes. */
static void
recover_identities(struct authz *a, struct held_grant *h)
{
	const struct nvo3_node *node = nvo3_node_by_id(a->doc.table, h->grant.node);

	if (h->n_identities > 0 || node == NULL || node->n_identities == 0)
		return;
	if ((h->identities = calloc(1, sizeof *h->identities)) == NULL)
		return;
	memcpy(h->identities[0], node->identities[0], sizeof h->identities[0]);
	h->n_identities = 1;
}

/* One grant under the table of now: kept, changed or dropped. */
static void
decide_again(struct authz *a, struct held_grant *h)
{
	enum nvo3_reason reason;
	struct grant g;
	int line;

	recover_identities(a, h);
	reason = decide(a, h, h->label, &g, &line);
	/*
	 * An expired document admits nobody new, but those that were admitted stay for the grace
	 * time.
	 */
	if (reason == NVO3_TABLE_EXPIRED || reason == NVO3_NO_TABLE)
		return;
	if (reason != NVO3_ADMITTED || strcmp(g.node, h->grant.node) != 0) {
		grant_free(&g);
		held_drop(a, h, reason != NVO3_ADMITTED ? nvo3_reason_text(reason) :
		    "the identity is another node's now");
		return;
	}
	g.number = h->grant.number;
	if (same_grant(&g, &h->grant)) {
		grant_free(&g);
		return;
	}
	log_info("peer %s: grant %" PRIu32 " changed with the document", g.node, g.number);
	grant_free(&h->grant);
	h->grant = g;
	expires_at(a, g.expires);
	if (send_grant(a, &h->grant))
		(void)send_commit(a, new_generation(a));
}

void
authz_grants_again(struct authz *a)
{
	struct held_grant *h;
	size_t pos = 0;

	/* hash_next() allows that the entry just returned goes. */
	while (a->doc.table != NULL && (h = hash_next(a->grants, &pos)) != NULL)
		decide_again(a, h);
	authz_grants_tick(a);
}

void
authz_grants_backend(struct authz *a)
{
	struct held_grant *h;
	struct waiting *w;
	size_t pos = 0;

	while ((h = hash_next(a->grants, &pos)) != NULL)
		(void)send_grant(a, &h->grant);
	(void)send_commit(a, new_generation(a));
	for (w = a->waiting; w != NULL; w = w->next)
		w->generation = 0;
	authz_grants_tick(a);
}

/* ------------------------------------------------------------------ after our own restart */

/* A grant for one VN that has keys of its own was asked for by a label. */
static void
recover_label(struct authz *a, struct held_grant *h)
{
	size_t i;

	if (a->doc.table == NULL || h->grant.n_vnis != 1 || h->grant.n_channels != 1)
		return;
	for (i = 0; i < a->doc.table->n_vns; i++)
		if (a->doc.table->vns[i].vni == h->grant.vnis[0] &&
		    a->doc.table->vns[i].keys == VN_KEYS_VN)
			(void)snprintf(h->label, sizeof h->label, "ch:%.40s;vni:%" PRIu32,
			    h->grant.channels[0].id, h->grant.vnis[0]);
}

/*
 * Who the peer was verified to be is not known any more; that it was this node is. Its certificate
 * is taken to end when the grant does, so a new handshake comes in time.
 */
void
authz_grants_recover(struct authz *a, struct grant *g)
{
	struct held_grant *h = calloc(1, sizeof *h);
	char key[ID_MAX + LABEL_MAX];

	if (g->number >= a->next_grant)
		a->next_grant = g->number + 1;
	if (h == NULL || !a->recovering) {
		grant_free(g);
		free(h);
		return;
	}
	h->grant = *g;
	memset(g, 0, sizeof *g);
	h->peer = h->grant.peer[0];
	h->cert_not_after = h->grant.expires;
	expires_at(a, h->grant.expires);
	recover_label(a, h);
	if (hash_add(a->grants, grant_key(h->grant.node, h->label, key), h) != OK)
		held_free(h);
}

void
authz_recover_begin(struct authz *a)
{
	struct wr w = wr_fixed(NULL, 0);

	if (a->recovered || a->recovering || !a->tried)
		return;
	a->recovering = authz_to_backend(a, bk_send_grant_list(&w), &w);
}

void
authz_grants_recovered(struct authz *a)
{
	struct held_grant *h;
	size_t pos = 0, n = hash_count(a->grants);

	a->recovering = false;
	a->recovered = true;
	if (n > 0)
		log_info("%zu grants of the backend taken over after a restart", n);
	while ((h = hash_next(a->grants, &pos)) != NULL)
		if (a->doc.table != NULL && nvo3_node_by_id(a->doc.table, h->grant.node) == NULL)
			authz_policies_drop(a, &h->grant);
	authz_peers_backend(a);
	authz_grants_again(a);
}

void
authz_grants_free(struct authz *a)
{
	struct known_identity *k;
	struct held_grant *h;
	size_t pos = 0;

	authz_grants_engine_gone(a);
	while (a->grants != NULL && (h = hash_next(a->grants, &pos)) != NULL)
		held_free(h);
	for (pos = 0; a->identities != NULL && (k = hash_next(a->identities, &pos)) != NULL; )
		free(k);
	hash_free(a->grants);
	hash_free(a->identities);
}
