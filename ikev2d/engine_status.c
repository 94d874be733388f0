/* SPDX-License-Identifier: ISC */
/* What is known of peers beside the engine's own state, and what the operator sees of both. */
#include <stdio.h>
#include <stdlib.h>

#include "ikev2d/engine_int.h"

/* ------------------------------------------------------------------ peers */

struct known_peer *
engine_peer(struct engine *e, const char *node)
{
	return hash_get(e->peers, bytes_str(node));
}

void
engine_peer_set(struct engine *e, const struct ike_peer *p)
{
	struct known_peer *k = engine_peer(e, p->node);

	if (k == NULL) {
		if ((k = calloc(1, sizeof *k)) == NULL ||
		    hash_add(e->peers, bytes_str(p->node), k) != OK) {
			free(k);
			return;
		}
		memcpy(k->about.node, p->node, sizeof k->about.node);
	}
	k->about.local = p->local;
	k->about.peer = p->addrs[0];
	k->about.configured = true;
	k->about.initiate = p->initiate;
	k->about.channels = p->n_channels;
	k->named = true;
}

void
engine_peer_del(struct engine *e, const char *node)
{
	free(hash_del(e->peers, bytes_str(node)));
}

void
engine_peers_unname(struct engine *e)
{
	struct known_peer *k;
	size_t pos = 0;

	while ((k = hash_next(e->peers, &pos)) != NULL)
		k->named = false;
}

void
engine_peers_end(struct engine *e)
{
	struct ike_event ev = { .type = IKE_EV_PEER_DEL };
	struct known_peer *k;
	size_t pos = 0;

	while ((k = hash_next(e->peers, &pos)) != NULL) {
		if (k->named)
			continue;
		memcpy(ev.u.node, k->about.node, sizeof ev.u.node);
		engine_peer_del(e, ev.u.node);
		engine_input(e, &ev);
	}
}

void
engine_peer_failed(struct engine *e, const char *node, const struct addr *at, const char *why)
{
	struct known_peer *k = node != NULL && *node != '\0' ? engine_peer(e, node) : NULL, *other;
	size_t pos = 0;

	while (k == NULL && (other = hash_next(e->peers, &pos)) != NULL)
		if (addr_equal(&other->about.peer, at))
			k = other;
	if (k == NULL)
		return;
	(void)snprintf(k->about.failure, sizeof k->about.failure, "%s", why);
	k->about.failed_at = engine_time();
}

void
engine_peers_free(struct engine *e)
{
	struct known_peer *k;
	size_t pos = 0;

	while (e->peers != NULL && (k = hash_next(e->peers, &pos)) != NULL)
		free(k);
	hash_free(e->peers);
}

/* ------------------------------------------------------------------ questions */

static void
tell_peers(struct engine *e, struct chan *c)
{
	struct known_peer *k;
	size_t pos = 0;

	while ((k = hash_next(e->peers, &pos)) != NULL) {
		struct wr w = wr_grow(4096);

		wr_peer(&w, &k->about);
		(void)chan_send_wr(c, MSG_PEER, &w);
	}
}

static void
tell_ike_sas(struct engine *e, struct chan *c)
{
	struct ike_sa_info i;
	struct msg_ike_sa m;
	size_t cursor = 0;

	while (ike_sa_next(e->ike, &cursor, &i) != 0) {
		struct wr w = wr_grow(4096);

		memset(&m, 0, sizeof m);
		m.ref = i.ref;
		memcpy(m.node, i.node, sizeof m.node);
		(void)snprintf(m.identity, sizeof m.identity, "%s", i.identity);
		(void)snprintf(m.state, sizeof m.state, "%s", i.state);
		memcpy(m.suite, i.suite, sizeof m.suite);
		m.local = i.local;
		m.peer = i.peer;
		m.up = i.up;
		m.natt = i.natt;
		m.age_s = (engine_now(e) - i.since_ms) / 1000;
		m.grant = i.grant;
		m.children = (uint32_t)i.n_children;
		wr_ike_sa(&w, &m);
		(void)chan_send_wr(c, MSG_IKE_SA, &w);
	}
}

static void
tell_child_sas(struct engine *e, struct chan *c)
{
	struct ike_child_info i;
	struct msg_child_sa m;
	size_t cursor = 0;

	while (ike_child_next(e->ike, &cursor, &i) != 0) {
		struct wr w = wr_grow(4096);

		memset(&m, 0, sizeof m);
		m.ref = i.ref;
		memcpy(m.node, i.node, sizeof m.node);
		memcpy(m.channel, i.channel, sizeof m.channel);
		memcpy(m.suite, i.suite, sizeof m.suite);
		m.vni = i.vni;
		m.pair = i.pair;
		m.spi_in = i.spi_in;
		m.spi_out = i.spi_out;
		m.grant = i.grant;
		m.mode = i.mode;
		m.encap = i.encap;
		m.local = i.local;
		m.peer = i.peer;
		m.age_s = (engine_now(e) - i.since_ms) / 1000;
		wr_child_sa(&w, &m);
		(void)chan_send_wr(c, MSG_CHILD_SA, &w);
	}
}

static void
tell_counter(struct chan *c, const char *name, uint64_t value)
{
	struct msg_counter m = { .value = value };
	uint8_t buf[128];
	struct wr w = wr_fixed(buf, sizeof buf);

	(void)snprintf(m.name, sizeof m.name, "%s", name);
	wr_counter(&w, &m);
	(void)chan_send_wr(c, MSG_COUNTER, &w);
}

static void
tell_counters(struct engine *e, struct chan *c)
{
	const struct ike_counters *k = ike_counters(e->ike);
	const struct udp_counters *u = udp_counters(e->udp);
	const struct { const char *name; uint64_t value; } all[] = {
		{ "ike.datagrams-in", k->datagrams_in }, { "ike.datagrams-out", k->datagrams_out },
		{ "ike.bytes-in", k->bytes_in }, { "ike.bytes-out", k->bytes_out },
		{ "ike.malformed", k->malformed }, { "ike.bad-icv", k->bad_icv },
		{ "ike.unknown-spi", k->unknown_spi }, { "ike.replays", k->replays },
		{ "ike.out-of-window", k->out_of_window }, { "ike.rejected", k->rejected },
		{ "ike.cookies-sent", k->cookies_sent }, { "ike.cookies-bad", k->cookies_bad },
		{ "ike.silenced", k->silenced }, { "ike.retransmits", k->retransmits },
		{ "ike.timeouts", k->timeouts }, { "ike.up", k->ike_up },
		{ "ike.failed", k->ike_failed }, { "ike.child-up", k->child_up },
		{ "ike.auth-failed", k->auth_failed }, { "ike.not-authorized", k->not_authorized },
		{ "udp.in", u->in }, { "udp.out", u->out }, { "udp.not-ike", u->not_ike },
		{ "udp.truncated", u->truncated }, { "udp.send-failed", u->send_failed },
		{ "udp.no-socket", u->no_socket },
	};
	size_t i;

	for (i = 0; i < sizeof all / sizeof all[0]; i++)
		tell_counter(c, all[i].name, all[i].value);
}

int
engine_on_query(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct engine *e = arg;
	uint32_t sections;

	(void)fd;
	if (rd_number(body, &sections) != OK)
		return ERR_SYNTAX;
	if (sections & SECTION_STATUS)
		tell_peers(e, c);
	if (sections & (SECTION_STATUS | SECTION_SAS)) {
		tell_ike_sas(e, c);
		tell_child_sas(e, c);
	}
	if (sections & SECTION_COUNTERS)
		tell_counters(e, c);
	(void)chan_send(c, MSG_END, bytes_of(NULL, 0), -1);
	return OK;
}

int
engine_on_command(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct engine *e = arg;
	struct ike_event ev = { .type = IKE_EV_INITIATE };
	struct msg_result result = { .rc = OK };
	uint8_t buf[512];
	struct wr w = wr_fixed(buf, sizeof buf);
	struct msg_command m;
	int r;

	(void)fd;
	if ((r = rd_command(body, &m)) != OK)
		return r;
	result.id = m.id;
	if (m.node[0] != '\0' && engine_peer(e, m.node) == NULL) {
		result.rc = ERR_NOTFOUND;
		(void)snprintf(result.text, sizeof result.text,
		    "'%s' is no peer: overlock status lists the peers", m.node);
	} else {
		if (m.verb == COMMAND_CLOSE)
			ev.type = IKE_EV_CLOSE;
		memcpy(ev.u.node, m.node, sizeof ev.u.node);
		engine_input(e, &ev);
	}
	wr_result(&w, &result);
	(void)chan_send_wr(c, MSG_RESULT, &w);
	return OK;
}
