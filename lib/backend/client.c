/* SPDX-License-Identifier: ISC */
#include "backend/client.h"

uint16_t
bk_send_sa_add(struct wr *w, const struct sa_params *sa)
{
	wr_sa(w, sa);
	return BK_SA_ADD;
}

uint16_t
bk_send_sa_del(struct wr *w, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	wr_u8(w, dir);
	wr_u32(w, spi);
	wr_addr(w, dst);
	return BK_SA_DEL;
}

uint16_t
bk_send_sa_move(struct wr *w, uint32_t pair, const struct endpoint *local,
    const struct endpoint *peer)
{
	wr_u32(w, pair);
	wr_endpoint(w, local);
	wr_endpoint(w, peer);
	return BK_SA_MOVE;
}

uint16_t
bk_send_grant_set(struct wr *w, const struct grant *g)
{
	wr_grant(w, g);
	return BK_GRANT_SET;
}

uint16_t
bk_send_grant_drop(struct wr *w, uint32_t grant)
{
	wr_u32(w, grant);
	return BK_GRANT_DROP;
}

uint16_t
bk_send_policy_add(struct wr *w, const struct policy *p)
{
	wr_policy(w, p);
	return BK_POLICY_ADD;
}

uint16_t
bk_send_policy_del(struct wr *w, const struct policy *p)
{
	wr_policy(w, p);
	return BK_POLICY_DEL;
}

uint16_t
bk_send_flush_own(struct wr *w)
{
	(void)w;
	return BK_FLUSH_OWN;
}

uint16_t
bk_send_commit(struct wr *w, uint32_t generation)
{
	wr_u32(w, generation);
	return BK_COMMIT;
}

uint16_t
bk_send_sa_list(struct wr *w)
{
	(void)w;
	return BK_SA_LIST;
}

uint16_t
bk_send_counters(struct wr *w)
{
	(void)w;
	return BK_COUNTERS;
}

uint16_t
bk_send_grant_list(struct wr *w)
{
	(void)w;
	return BK_GRANT_LIST;
}

static void
read_done(struct rd *r, struct bk_event *e)
{
	e->u.done.generation = rd_u32(r);
	e->u.done.n = rd_u16(r);
	e->u.done.results = rd_take(r, e->u.done.n * 2);
}

static void
read_acquire(struct rd *r, struct bk_event *e)
{
	rd_str(r, e->u.acquire.node, sizeof e->u.acquire.node);
	rd_str(r, e->u.acquire.channel, sizeof e->u.acquire.channel);
	e->u.acquire.peer = rd_addr(r);
}

static void
read_expire(struct rd *r, struct bk_event *e)
{
	e->u.expire.dir = rd_u8(r);
	e->u.expire.spi = rd_u32(r);
	e->u.expire.dst = rd_addr(r);
	e->u.expire.hard = rd_u8(r) != 0;
}

static void
read_counter(struct rd *r, struct bk_event *e)
{
	rd_str(r, e->u.counter.name, sizeof e->u.counter.name);
	rd_str(r, e->u.counter.node, sizeof e->u.counter.node);
	e->u.counter.vni = rd_u32(r);
	e->u.counter.value = rd_u64(r);
}

static int
read_info(struct rd *r, struct bk_event *e)
{
	int rc = rd_sa_stats(r, &e->u.info.stats);

	return rc != OK ? rc : rd_sa(r, &e->u.info.sa);
}

static int
read_body(struct rd *r, struct bk_event *e)
{
	switch (e->type) {
	case BK_DONE:
		read_done(r, e);
		return OK;
	case BK_ACQUIRE:
		read_acquire(r, e);
		return OK;
	case BK_EXPIRE:
		read_expire(r, e);
		return OK;
	case BK_MAPPING:
		e->u.mapping.spi = rd_u32(r);
		e->u.mapping.peer = rd_endpoint(r);
		return OK;
	case BK_HELLO:
		rd_str(r, e->u.hello.name, sizeof e->u.hello.name);
		e->u.hello.features = rd_u32(r);
		return OK;
	case BK_SA_INFO:
		return read_info(r, e);
	case BK_COUNTER:
		read_counter(r, e);
		return OK;
	case BK_GRANT_INFO:
		return rd_grant(r, &e->u.grant);
	case BK_END:
		return OK;
	default:
		return ERR_UNSUPPORTED;
	}
}

int
bk_read(uint16_t type, struct bytes body, struct bk_event *e)
{
	struct rd r = rd_open(body);
	int rc;

	memset(e, 0, sizeof *e);
	e->type = type;
	if ((rc = read_body(&r, e)) != OK)
		return rc;
	if (rd_end(&r))
		return OK;
	if (type == BK_GRANT_INFO)
		grant_free(&e->u.grant);
	return ERR_SYNTAX;
}

int
bk_done_result(const struct bk_event *e, size_t i)
{
	struct rd r = rd_open(e->u.done.results);

	if (e->type != BK_DONE || i >= e->u.done.n)
		return ERR_VALUE;
	rd_skip(&r, i * 2);
	return (int16_t)rd_u16(&r);
}
