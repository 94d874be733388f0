/* SPDX-License-Identifier: ISC */
#include "shell/msg.h"

#include <stdlib.h>

static int
verdict(const struct rd *r, bool ok)
{
	if (!rd_end(r))
		return ERR_SYNTAX;
	return ok ? OK : ERR_VALUE;
}

static void
wr_block(struct wr *w, struct bytes b)
{
	size_t mark = wr_open32(w);

	wr_put(w, b);
	wr_close32(w, mark, -4);
}

static struct bytes
rd_block(struct rd *r)
{
	return rd_take(r, rd_u32(r));
}

static bool
rd_flag(struct rd *r, bool *ok)
{
	uint8_t v = rd_u8(r);

	if (v > 1)
		*ok = false;
	return v == 1;
}

static void
wr_code(struct wr *w, int rc)
{
	wr_u16(w, (uint16_t)(int16_t)rc);
}

static int
rd_code(struct rd *r, bool *ok)
{
	int rc = (int16_t)rd_u16(r);

	if (rc > 0)
		*ok = false;
	return rc;
}

void
wr_ref(struct wr *w, const struct ike_ref *ref)
{
	wr_u64(w, ref->spi_i);
	wr_u64(w, ref->spi_r);
	wr_u8(w, ref->initiator);
}

struct ike_ref
rd_ref(struct rd *r)
{
	struct ike_ref ref = { .spi_i = rd_u64(r) };
	uint8_t initiator;

	ref.spi_r = rd_u64(r);
	initiator = rd_u8(r);
	if (initiator > 1)
		rd_fail(r);
	ref.initiator = initiator == 1;
	return ref;
}

static void
wr_auth_input(struct wr *w, const struct ike_auth_input *in)
{
	wr_block(w, in->message);
	wr_block(w, in->nonce);
	wr_u8(w, in->id_type);
	wr_block(w, in->id_data);
	wr_block(w, in->sk_p);
	wr_u16(w, in->prf);
}

static struct ike_auth_input
rd_auth_input(struct rd *r)
{
	struct ike_auth_input in = { .message = rd_block(r) };

	in.nonce = rd_block(r);
	in.id_type = rd_u8(r);
	in.id_data = rd_block(r);
	in.sk_p = rd_block(r);
	in.prf = rd_u16(r);
	return in;
}

void
wr_sign(struct wr *w, const struct msg_sign *m)
{
	wr_u32(w, m->job);
	wr_ref(w, &m->ref);
	wr_auth_input(w, &m->in);
	wr_u32(w, m->peer_hashes);
}

int
rd_sign(struct bytes b, struct msg_sign *m)
{
	struct rd r = rd_open(b);

	m->job = rd_u32(&r);
	m->ref = rd_ref(&r);
	m->in = rd_auth_input(&r);
	m->peer_hashes = rd_u32(&r);
	return verdict(&r, true);
}

void
wr_signed(struct wr *w, const struct msg_signed *m)
{
	wr_u32(w, m->job);
	wr_code(w, m->rc);
	wr_str(w, m->reason);
	wr_u8(w, m->method);
	wr_block(w, m->auth);
}

int
rd_signed(struct bytes b, struct msg_signed *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->job = rd_u32(&r);
	m->rc = rd_code(&r, &ok);
	rd_str(&r, m->reason, sizeof m->reason);
	m->method = rd_u8(&r);
	m->auth = rd_block(&r);
	return verdict(&r, ok);
}

void
wr_verify(struct wr *w, const struct msg_verify *m)
{
	size_t i;

	wr_u32(w, m->job);
	wr_ref(w, &m->ref);
	wr_auth_input(w, &m->in);
	if (m->n_certs > MSG_CERTS_MAX)
		w->bad = true;
	wr_u8(w, (uint8_t)m->n_certs);
	for (i = 0; i < m->n_certs && !w->bad; i++) {
		if (m->certs[i].n > MSG_CERT_OCTETS)
			w->bad = true;
		wr_block(w, m->certs[i]);
	}
	wr_u8(w, m->method);
	wr_block(w, m->auth);
	wr_addr(w, &m->peer);
}

int
rd_verify(struct bytes b, struct msg_verify *m)
{
	struct rd r = rd_open(b);
	bool ok = true;
	size_t i;

	m->job = rd_u32(&r);
	m->ref = rd_ref(&r);
	m->in = rd_auth_input(&r);
	m->n_certs = rd_u8(&r);
	if (m->n_certs > MSG_CERTS_MAX) {
		m->n_certs = 0;
		rd_fail(&r);
	}
	for (i = 0; i < m->n_certs; i++) {
		m->certs[i] = rd_block(&r);
		if (m->certs[i].n > MSG_CERT_OCTETS)
			ok = false;
	}
	m->method = rd_u8(&r);
	m->auth = rd_block(&r);
	m->peer = rd_addr(&r);
	return verdict(&r, ok);
}

void
wr_verified(struct wr *w, const struct msg_verified *m)
{
	wr_u32(w, m->job);
	wr_code(w, m->rc);
	wr_str(w, m->reason);
	wr_str(w, m->identity);
	wr_u64(w, (uint64_t)m->not_after);
}

int
rd_verified(struct bytes b, struct msg_verified *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->job = rd_u32(&r);
	m->rc = rd_code(&r, &ok);
	rd_str(&r, m->reason, sizeof m->reason);
	rd_str(&r, m->identity, sizeof m->identity);
	m->not_after = (int64_t)rd_u64(&r);
	return verdict(&r, ok);
}

void
wr_identity(struct wr *w, const struct msg_identity *m)
{
	size_t i;

	wr_ref(w, &m->ref);
	wr_addr(w, &m->peer);
	wr_u64(w, (uint64_t)m->not_after);
	if (m->n_identities > MSG_IDENTITIES_MAX)
		w->bad = true;
	wr_u8(w, (uint8_t)m->n_identities);
	for (i = 0; i < m->n_identities && !w->bad; i++)
		wr_str(w, m->identities[i]);
}

int
rd_identity(struct bytes b, struct msg_identity *m)
{
	struct rd r = rd_open(b);
	size_t i;

	m->ref = rd_ref(&r);
	m->peer = rd_addr(&r);
	m->not_after = (int64_t)rd_u64(&r);
	m->n_identities = rd_u8(&r);
	if (m->n_identities > MSG_IDENTITIES_MAX) {
		m->n_identities = 0;
		rd_fail(&r);
	}
	for (i = 0; i < m->n_identities; i++)
		rd_str(&r, m->identities[i], sizeof m->identities[i]);
	return verdict(&r, true);
}

void
wr_authorize(struct wr *w, const struct msg_authorize *m)
{
	wr_u32(w, m->job);
	wr_ref(w, &m->ref);
	wr_addr(w, &m->local);
	wr_addr(w, &m->peer);
	wr_str(w, m->label);
	wr_u8(w, m->overlock);
}

int
rd_authorize(struct bytes b, struct msg_authorize *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->job = rd_u32(&r);
	m->ref = rd_ref(&r);
	m->local = rd_addr(&r);
	m->peer = rd_addr(&r);
	rd_str(&r, m->label, sizeof m->label);
	m->overlock = rd_flag(&r, &ok);
	return verdict(&r, ok);
}

void
wr_authorized(struct wr *w, const struct msg_authorized *m)
{
	struct grant g = m->grant;

	g.vnis = NULL;
	g.n_vnis = 0;
	wr_u32(w, m->job);
	wr_code(w, m->rc);
	wr_str(w, m->reason);
	wr_grant(w, &g);
}

int
rd_authorized(struct bytes b, struct msg_authorized *m)
{
	struct rd r = rd_open(b);
	bool ok = true;
	int err;

	m->job = rd_u32(&r);
	m->rc = rd_code(&r, &ok);
	rd_str(&r, m->reason, sizeof m->reason);
	if ((err = rd_grant(&r, &m->grant)) != OK)
		return err;
	if ((err = verdict(&r, ok)) != OK)
		grant_free(&m->grant);
	return err;
}

/* A peer goes as a grant without number and VNs: node, its addresses, ours, the channels. */
void
wr_peer_set(struct wr *w, const struct ike_peer *p)
{
	struct grant g = { .n_peer = p->n_addrs, .n_local = 1, .n_channels = p->n_channels };

	if (p->n_addrs > ADDRS_MAX || p->n_channels > CHANNELS_MAX) {
		w->bad = true;
		return;
	}
	memcpy(g.node, p->node, sizeof g.node);
	memcpy(g.peer, p->addrs, p->n_addrs * sizeof p->addrs[0]);
	g.local[0] = p->local;
	memcpy(g.channels, p->channels, p->n_channels * sizeof p->channels[0]);
	wr_grant(w, &g);
	wr_u8(w, p->initiate);
}

int
rd_peer_set(struct bytes b, struct ike_peer *p)
{
	struct rd r = rd_open(b);
	struct grant g;
	bool ok = true;
	int err;

	memset(p, 0, sizeof *p);
	if ((err = rd_grant(&r, &g)) != OK)
		return err;
	memcpy(p->node, g.node, sizeof p->node);
	if (g.n_local != 1 || g.n_peer == 0 || g.node[0] == '\0')
		ok = false;
	p->local = g.local[0];
	memcpy(p->addrs, g.peer, sizeof p->addrs);
	p->n_addrs = g.n_peer;
	memcpy(p->channels, g.channels, sizeof p->channels);
	p->n_channels = g.n_channels;
	p->initiate = rd_flag(&r, &ok);
	grant_free(&g);
	return verdict(&r, ok);
}

int
rd_node(struct bytes b, char node[static ID_MAX])
{
	struct rd r = rd_open(b);

	rd_str(&r, node, ID_MAX);
	return verdict(&r, true);
}

int
rd_number(struct bytes b, uint32_t *n)
{
	struct rd r = rd_open(b);

	*n = rd_u32(&r);
	return verdict(&r, true);
}

void
wr_config(struct wr *w, const struct msg_config *m)
{
	wr_str(w, m->path);
	wr_u8(w, m->debug);
	wr_u8(w, m->first);
	wr_put(w, m->text);
}

int
rd_config(struct bytes b, struct msg_config *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	rd_str(&r, m->path, sizeof m->path);
	m->debug = rd_flag(&r, &ok);
	m->first = rd_flag(&r, &ok);
	m->text = rd_rest(&r);
	return verdict(&r, ok);
}
