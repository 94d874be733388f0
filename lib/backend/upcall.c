/* SPDX-License-Identifier: ISC */
#include "backend/host.h"

/* Acquires come again by themselves, so they are the first to go when the engine is slow. */
#define ACQUIRE_QUEUE_MAX (256u * 1024)

#define SMALL_BODY 256u
#define LARGE_BODY (64u * 1024)

/* Lists are long, and go out as they are made; what comes by itself waits for others like it. */
static void
send_body(struct conn *c, uint16_t type, const struct wr *w, bool later)
{
	if (w->bad)
		log_error("a message of type 0x%x did not fit its buffer", (unsigned)type);
	else if (later)
		(void)conn_later(c, type, wr_view(w));
	else
		(void)conn_send(c, type, wr_view(w));
}

void
host_hello(struct backend_host *h, struct conn *c)
{
	uint8_t buf[SMALL_BODY];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_str(&w, h->ops->name);
	wr_u32(&w, h->ops->features);
	send_body(c, BK_HELLO, &w, false);
}

void
backend_acquire(struct backend_host *h, const char *node, const char *channel,
    const struct addr *peer)
{
	struct conn *c = &h->conns[PROC_ENGINE];
	uint8_t buf[SMALL_BODY];
	struct wr w = wr_fixed(buf, sizeof buf);

	if (c->queued > ACQUIRE_QUEUE_MAX)
		return;
	wr_str(&w, node);
	wr_str(&w, channel);
	wr_addr(&w, peer);
	send_body(c, BK_ACQUIRE, &w, true);
}

void
backend_expire(struct backend_host *h, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	const struct addr to = *dst;
	uint8_t buf[SMALL_BODY];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u8(&w, dir);
	wr_u32(&w, spi);
	wr_addr(&w, &to);
	wr_u8(&w, hard);
	send_body(&h->conns[PROC_ENGINE], BK_EXPIRE, &w, true);
	if (hard)
		guard_sa_forget(h->guard, dir, spi, &to);
}

void
backend_mapping(struct backend_host *h, uint32_t spi, const struct endpoint *peer)
{
	uint8_t buf[SMALL_BODY];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u32(&w, spi);
	wr_endpoint(&w, peer);
	send_body(&h->conns[PROC_ENGINE], BK_MAPPING, &w, true);
}

int64_t
backend_orphan_ms(const struct backend_host *h)
{
	return h->orphan_ms;
}

/* ---- lists ---- */

struct list {
	struct backend_host *h;
	struct conn *c;
};

static void
emit_sa(void *arg, const struct sa_stats *stats, const struct sa_params *sa)
{
	const struct list *l = arg;
	const struct held_sa *held = guard_sa(l->h->guard, sa->dir, sa->spi, &sa->dst);
	struct sa_params shown = *sa;
	uint8_t buf[4096];
	struct wr w = wr_fixed(buf, sizeof buf);

	sa_wipe(&shown);
	shown.pair = held == NULL ? 0 : held->engine_pair;
	wr_sa_stats(&w, stats);
	wr_sa(&w, &shown);
	send_body(l->c, BK_SA_INFO, &w, false);
}

void
host_list_sas(struct backend_host *h, struct conn *c)
{
	struct list l = { h, c };

	if (h->ops->sa_list != NULL)
		(void)h->ops->sa_list(h->b, emit_sa, &l);
	(void)conn_send(c, BK_END, bytes_of(NULL, 0));
}

static void
emit_counter(void *arg, const struct backend_counter *counter)
{
	const struct list *l = arg;
	uint8_t buf[SMALL_BODY];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_str(&w, counter->name);
	wr_str(&w, counter->node);
	wr_u32(&w, counter->vni);
	wr_u64(&w, counter->value);
	send_body(l->c, BK_COUNTER, &w, false);
}

void
host_list_counters(struct backend_host *h, struct conn *c)
{
	struct list l = { h, c };

	if (h->ops->counters != NULL)
		(void)h->ops->counters(h->b, emit_counter, &l);
	(void)conn_send(c, BK_END, bytes_of(NULL, 0));
}

void
host_list_grants(struct backend_host *h, struct conn *c)
{
	const struct grant *g;
	size_t pos = 0;

	while ((g = guard_grant_next(h->guard, &pos)) != NULL) {
		struct wr w = wr_grow(LARGE_BODY);

		wr_grant(&w, g);
		send_body(c, BK_GRANT_INFO, &w, false);
		wr_free(&w);
	}
	(void)conn_send(c, BK_END, bytes_of(NULL, 0));
}
