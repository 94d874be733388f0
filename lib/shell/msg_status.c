/* SPDX-License-Identifier: ISC */
/* The messages that `overlock status` and its like are made of. */
#include "shell/msg.h"

static int
verdict(const struct rd *r, bool ok)
{
	if (!rd_end(r))
		return ERR_SYNTAX;
	return ok ? OK : ERR_VALUE;
}

static bool
rd_flag(struct rd *r, bool *ok)
{
	uint8_t v = rd_u8(r);

	if (v > 1)
		*ok = false;
	return v == 1;
}

void
wr_process(struct wr *w, const struct msg_process *m)
{
	wr_str(w, m->name);
	wr_u32(w, m->pid);
	wr_u32(w, m->restarts);
	wr_u64(w, (uint64_t)m->up_s);
	wr_u8(w, m->ready);
	wr_str(w, m->missed);
}

int
rd_process(struct bytes b, struct msg_process *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	rd_str(&r, m->name, sizeof m->name);
	m->pid = rd_u32(&r);
	m->restarts = rd_u32(&r);
	m->up_s = (int64_t)rd_u64(&r);
	m->ready = rd_flag(&r, &ok);
	rd_str(&r, m->missed, sizeof m->missed);
	return verdict(&r, ok);
}

void
wr_document(struct wr *w, const struct msg_document *m)
{
	wr_u8(w, m->loaded);
	wr_str(w, m->nva);
	wr_str(w, m->signer);
	wr_str(w, m->url);
	wr_str(w, m->source);
	wr_u32(w, m->epoch);
	wr_u64(w, m->serial);
	wr_u32(w, m->nodes);
	wr_u64(w, (uint64_t)m->issued);
	wr_u64(w, (uint64_t)m->expires);
	wr_u64(w, (uint64_t)m->fetched);
	wr_u8(w, m->enforcement);
}

int
rd_document(struct bytes b, struct msg_document *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->loaded = rd_flag(&r, &ok);
	rd_str(&r, m->nva, sizeof m->nva);
	rd_str(&r, m->signer, sizeof m->signer);
	rd_str(&r, m->url, sizeof m->url);
	rd_str(&r, m->source, sizeof m->source);
	m->epoch = rd_u32(&r);
	m->serial = rd_u64(&r);
	m->nodes = rd_u32(&r);
	m->issued = (int64_t)rd_u64(&r);
	m->expires = (int64_t)rd_u64(&r);
	m->fetched = (int64_t)rd_u64(&r);
	m->enforcement = rd_u8(&r);
	if (m->enforcement > ENFORCE_REQUIRE)
		ok = false;
	return verdict(&r, ok);
}

void
wr_alarm(struct wr *w, const struct msg_alarm *m)
{
	wr_str(w, m->text);
	wr_u64(w, (uint64_t)m->since);
}

int
rd_alarm(struct bytes b, struct msg_alarm *m)
{
	struct rd r = rd_open(b);

	rd_str(&r, m->text, sizeof m->text);
	m->since = (int64_t)rd_u64(&r);
	return verdict(&r, true);
}

void
wr_peer(struct wr *w, const struct msg_peer *m)
{
	wr_str(w, m->node);
	wr_addr(w, &m->local);
	wr_addr(w, &m->peer);
	wr_u8(w, m->configured);
	wr_u8(w, m->initiate);
	wr_u32(w, m->channels);
	wr_str(w, m->failure);
	wr_u64(w, (uint64_t)m->failed_at);
}

int
rd_peer(struct bytes b, struct msg_peer *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	rd_str(&r, m->node, sizeof m->node);
	m->local = rd_addr(&r);
	m->peer = rd_addr(&r);
	m->configured = rd_flag(&r, &ok);
	m->initiate = rd_flag(&r, &ok);
	m->channels = rd_u32(&r);
	rd_str(&r, m->failure, sizeof m->failure);
	m->failed_at = (int64_t)rd_u64(&r);
	return verdict(&r, ok);
}

void
wr_ike_sa(struct wr *w, const struct msg_ike_sa *m)
{
	wr_ref(w, &m->ref);
	wr_str(w, m->node);
	wr_str(w, m->identity);
	wr_str(w, m->state);
	wr_str(w, m->suite);
	wr_endpoint(w, &m->local);
	wr_endpoint(w, &m->peer);
	wr_u8(w, m->up);
	wr_u8(w, m->natt);
	wr_u64(w, (uint64_t)m->age_s);
	wr_u32(w, m->grant);
	wr_u32(w, m->children);
}

int
rd_ike_sa(struct bytes b, struct msg_ike_sa *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->ref = rd_ref(&r);
	rd_str(&r, m->node, sizeof m->node);
	rd_str(&r, m->identity, sizeof m->identity);
	rd_str(&r, m->state, sizeof m->state);
	rd_str(&r, m->suite, sizeof m->suite);
	m->local = rd_endpoint(&r);
	m->peer = rd_endpoint(&r);
	m->up = rd_flag(&r, &ok);
	m->natt = rd_flag(&r, &ok);
	m->age_s = (int64_t)rd_u64(&r);
	m->grant = rd_u32(&r);
	m->children = rd_u32(&r);
	return verdict(&r, ok);
}

void
wr_child_sa(struct wr *w, const struct msg_child_sa *m)
{
	wr_ref(w, &m->ref);
	wr_str(w, m->node);
	wr_str(w, m->channel);
	wr_str(w, m->suite);
	wr_u32(w, m->vni);
	wr_u32(w, m->pair);
	wr_u32(w, m->spi_in);
	wr_u32(w, m->spi_out);
	wr_u32(w, m->grant);
	wr_u8(w, m->mode);
	wr_u8(w, m->encap);
	wr_addr(w, &m->local);
	wr_addr(w, &m->peer);
	wr_u64(w, (uint64_t)m->age_s);
}

int
rd_child_sa(struct bytes b, struct msg_child_sa *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->ref = rd_ref(&r);
	rd_str(&r, m->node, sizeof m->node);
	rd_str(&r, m->channel, sizeof m->channel);
	rd_str(&r, m->suite, sizeof m->suite);
	m->vni = rd_u32(&r);
	m->pair = rd_u32(&r);
	m->spi_in = rd_u32(&r);
	m->spi_out = rd_u32(&r);
	m->grant = rd_u32(&r);
	m->mode = rd_u8(&r);
	m->encap = rd_flag(&r, &ok);
	m->local = rd_addr(&r);
	m->peer = rd_addr(&r);
	m->age_s = (int64_t)rd_u64(&r);
	if (m->mode != SA_TRANSPORT && m->mode != SA_TUNNEL)
		ok = false;
	return verdict(&r, ok);
}

void
wr_counter(struct wr *w, const struct msg_counter *m)
{
	wr_str(w, m->name);
	wr_u64(w, m->value);
}

int
rd_counter(struct bytes b, struct msg_counter *m)
{
	struct rd r = rd_open(b);

	rd_str(&r, m->name, sizeof m->name);
	m->value = rd_u64(&r);
	return verdict(&r, true);
}

void
wr_command(struct wr *w, const struct msg_command *m)
{
	wr_u32(w, m->id);
	wr_u8(w, m->verb);
	wr_str(w, m->node);
}

int
rd_command(struct bytes b, struct msg_command *m)
{
	struct rd r = rd_open(b);
	bool ok = true;

	m->id = rd_u32(&r);
	m->verb = rd_u8(&r);
	rd_str(&r, m->node, sizeof m->node);
	if (m->verb != COMMAND_INITIATE && m->verb != COMMAND_CLOSE)
		ok = false;
	if (m->verb == COMMAND_INITIATE && m->node[0] == '\0')
		ok = false;
	return verdict(&r, ok);
}

void
wr_result(struct wr *w, const struct msg_result *m)
{
	wr_u32(w, m->id);
	wr_u16(w, (uint16_t)(int16_t)m->rc);
	wr_str(w, m->text);
}

int
rd_result(struct bytes b, struct msg_result *m)
{
	struct rd r = rd_open(b);

	m->id = rd_u32(&r);
	m->rc = (int16_t)rd_u16(&r);
	rd_str(&r, m->text, sizeof m->text);
	return verdict(&r, m->rc <= 0);
}
