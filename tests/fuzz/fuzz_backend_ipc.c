/* SPDX-License-Identifier: ISC */
/* reads: lib/backend/calls.c lib/backend/client.c lib/backend/guard.c lib/backend/cover.c */
/* reads: lib/backend/ipc.c lib/backend/queue.c */
/* fuzz: -max_len=16384 */
/*
 * A conversation: records of process (1 octet), type (2), length (2), body, as the engine, the
 * authorization process and the control process could send them. Whatever comes, the backend below
 * may hold no SA that its grant does not cover, and no key twice. Each conversation is held twice:
 * with a backend that answers at once, and with one that queues calls until it is told to settle.
 */
#include <stdlib.h>

#include "backend/client.h"
#include "backend/cover.h"
#include "backend/host.h"
#include "base/timer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define SAS_MAX   64
#define QUEUE_MAX 256

/* One call of the contract, with what the backend needs of it. */
struct op {
	enum { SA_ADD, SA_DEL, SA_MOVE, GRANT_SET, GRANT_DROP, POLICY, FLUSH } kind;
	struct sa_params sa;
	uint32_t number;
	struct endpoint local, peer;
};

struct backend {
	struct backend_host *host;
	bool queues;
	struct op *queue;
	size_t n_queue;
	struct sa_params sas[SAS_MAX];
	size_t n;
	uint8_t keys[SAS_MAX * 4][SA_KEY_MAX];     /* of all that ever were installed */
	size_t n_keys;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static int
add(struct backend *b, const struct sa_params *sa)
{
	size_t i;

	if (b->n == SAS_MAX || b->n_keys == SAS_MAX * 4)
		return ERR_SPACE;
	for (i = 0; i < b->n_keys; i++)
		must(memcmp(b->keys[i], sa->key, SA_KEY_MAX) != 0);
	memcpy(b->keys[b->n_keys++], sa->key, SA_KEY_MAX);
	b->sas[b->n++] = *sa;
	return OK;
}

static int
del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (b->sas[i].dir == dir && b->sas[i].spi == spi && addr_equal(&b->sas[i].dst, dst)) {
			b->sas[i] = b->sas[--b->n];
			return OK;
		}
	return ERR_NOTFOUND;
}

static int
move(struct backend *b, uint32_t pair, const struct endpoint *local, const struct endpoint *peer)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (b->sas[i].pair == pair) {
			bool in = b->sas[i].dir == SA_IN;

			b->sas[i].src = in ? peer->addr : local->addr;
			b->sas[i].dst = in ? local->addr : peer->addr;
		}
	return OK;
}

static int
list(struct backend *b, void (*emit)(void *, const struct sa_stats *, const struct sa_params *),
    void *arg)
{
	struct sa_stats stats = { 0 };
	size_t i;

	for (i = 0; i < b->n; i++)
		emit(arg, &stats, &b->sas[i]);
	return OK;
}

static int
do_grant_drop(struct backend *b, uint32_t grant)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		must(b->sas[i].grant != grant);
	return OK;
}

static int
carry_out(struct backend *b, const struct op *op)
{
	switch (op->kind) {
	case SA_ADD:
		return add(b, &op->sa);
	case SA_DEL:
		return del(b, op->sa.dir, op->sa.spi, &op->sa.dst);
	case SA_MOVE:
		return move(b, op->number, &op->local, &op->peer);
	case GRANT_SET:
		return op->number == 0xdead ? ERR_NOMEM : OK;
	case GRANT_DROP:
		return do_grant_drop(b, op->number);
	case FLUSH:
		must(b->n == 0);
		return OK;
	case POLICY:
		return OK;
	}
	return ERR_STATE;
}

static int
do_op(struct backend *b, struct op op)
{
	if (!b->queues)
		return carry_out(b, &op);
	if (b->n_queue == QUEUE_MAX)
		return ERR_SPACE;
	b->queue[b->n_queue++] = op;
	return BACKEND_QUEUED;
}

/* What can't be known when a call is queued: every SA whose SPI is a multiple of 7 is refused. */
static void
settle(struct backend *b, void (*result)(void *, int), void *arg)
{
	struct op *now = b->queue;
	size_t i, n = b->n_queue;

	must((b->queue = calloc(QUEUE_MAX, sizeof *b->queue)) != NULL);
	b->n_queue = 0;
	for (i = 0; i < n; i++)
		if (now[i].kind == SA_ADD && now[i].sa.spi % 7 == 0)
			result(arg, ERR_UNSUPPORTED);
		else
			result(arg, carry_out(b, &now[i]));
	free(now);
}

static int
sa_add(struct backend *b, const struct sa_params *sa)
{
	return do_op(b, (struct op){ .kind = SA_ADD, .sa = *sa });
}

static int
sa_del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	return do_op(b, (struct op){ .kind = SA_DEL, .sa = { .dir = dir, .spi = spi, .dst = *dst } });
}

static int
sa_move(struct backend *b, uint32_t pair, const struct endpoint *local, const struct endpoint *peer)
{
	return do_op(b, (struct op){ .kind = SA_MOVE, .number = pair, .local = *local,
	    .peer = *peer });
}

static int
grant_set(struct backend *b, const struct grant *g)
{
	return do_op(b, (struct op){ .kind = GRANT_SET, .number = g->number });
}

static int
grant_drop(struct backend *b, uint32_t grant)
{
	return do_op(b, (struct op){ .kind = GRANT_DROP, .number = grant });
}

static int
policy(struct backend *b, const struct policy *p)
{
	struct endpoint e = { p->peer, 4500 };

	backend_acquire(b->host, p->node, p->channel.id, &p->peer);
	backend_mapping(b->host, 1, &e);
	return do_op(b, (struct op){ .kind = POLICY });
}

static int
flush_own(struct backend *b)
{
	return do_op(b, (struct op){ .kind = FLUSH });
}

static int
counters(struct backend *b, void (*emit)(void *, const struct backend_counter *), void *arg)
{
	struct backend_counter c = { "sas", "", 0, b->n };

	emit(arg, &c);
	return OK;
}

static const struct backend_ops ops = {
	.name = "fuzz", .grant_set = grant_set, .grant_drop = grant_drop, .sa_add = sa_add,
	.sa_del = sa_del, .sa_move = sa_move, .sa_list = list, .policy_add = policy,
	.policy_del = policy, .flush_own = flush_own, .counters = counters, .settle = settle,
};

static void
no_log(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_sink(no_log, NULL);
	return 0;
}

static void
check(const struct backend_host *h)
{
	const struct backend *b = h->b;
	const char *why;
	size_t i;

	if (b->n_queue != 0)
		return;
	for (i = 0; i < b->n; i++) {
		const struct grant *g = guard_grant(h->guard, b->sas[i].grant);

		must(g != NULL && cover_check(g, &b->sas[i], &why) == OK);
		must(guard_sa(h->guard, b->sas[i].dir, b->sas[i].spi, &b->sas[i].dst) != NULL);
	}
}

/* ---- what can be read is written again octet by octet ---- */

static void
same(uint16_t type, uint16_t got, const struct wr *w, struct bytes body)
{
	must(got == type && bytes_equal(wr_view(w), body));
}

static void
again_structs(uint16_t type, struct bytes body, struct wr *w)
{
	struct rd r = rd_open(body);
	struct sa_params sa;
	struct grant g;
	struct policy p;

	if (type == BK_SA_ADD && rd_sa(&r, &sa) == OK && rd_end(&r))
		same(type, bk_send_sa_add(w, &sa), w, body);
	if (type == BK_GRANT_SET && rd_grant(&r, &g) == OK) {
		if (rd_end(&r))
			same(type, bk_send_grant_set(w, &g), w, body);
		grant_free(&g);
	}
	if ((type == BK_POLICY_ADD || type == BK_POLICY_DEL) && rd_policy(&r, &p) == OK) {
		if (rd_end(&r))
			same(type, type == BK_POLICY_ADD ? bk_send_policy_add(w, &p) :
			    bk_send_policy_del(w, &p), w, body);
		policy_free(&p);
	}
}

static void
again_plain(uint16_t type, struct bytes body, struct wr *w)
{
	struct rd r = rd_open(body);
	uint8_t dir = type == BK_SA_DEL ? rd_u8(&r) : 0;
	uint32_t number = body.n == 0 ? 0 : rd_u32(&r);
	struct addr dst;
	struct endpoint local, peer;

	if (type == BK_SA_DEL) {
		dst = rd_addr(&r);
		if (rd_end(&r))
			same(type, bk_send_sa_del(w, dir, number, &dst), w, body);
	} else if (type == BK_SA_MOVE) {
		local = rd_endpoint(&r);
		peer = rd_endpoint(&r);
		if (rd_end(&r))
			same(type, bk_send_sa_move(w, number, &local, &peer), w, body);
	} else if (type == BK_GRANT_DROP && body.n != 0 && rd_end(&r)) {
		same(type, bk_send_grant_drop(w, number), w, body);
	} else if (type == BK_COMMIT && body.n != 0 && rd_end(&r)) {
		same(type, bk_send_commit(w, number), w, body);
	} else if (body.n == 0) {
		must(bk_send_flush_own(w) == BK_FLUSH_OWN && bk_send_sa_list(w) == BK_SA_LIST);
		must(bk_send_counters(w) == BK_COUNTERS && bk_send_grant_list(w) == BK_GRANT_LIST);
		must(wr_view(w).n == 0);
	}
}

static void
again(uint16_t type, struct bytes body)
{
	struct wr w = wr_grow(1u << 17);

	again_structs(type, body, &w);
	wr_free(&w);
	again_plain(type, body, &w);
	wr_free(&w);
}

static void
one_record(struct backend_host *h, struct rd *r)
{
	static const enum proc_id procs[] = { PROC_ENGINE, PROC_AUTHZ, PROC_CONTROL };
	uint8_t who = rd_u8(r);
	uint16_t type = rd_u16(r);
	struct bytes body = rd_take(r, rd_u16(r));
	struct bk_event e;

	if (!rd_ok(r))
		return;
	if (who == 0xff) {
		h->now_s += type;
		h->now_ms += type * INT64_C(1000);
		host_tick(h);
		return;
	}
	if (who == 0xfe) {
		conn_close(&h->conns[PROC_ENGINE]);
		host_engine_lost(h);
		return;
	}
	if (who == 0xfd) {
		host_settle(h);
		check(h);
		return;
	}
	host_call(h, &h->conns[procs[who % 3]], type, body);
	if (bk_read(type, body, &e) == OK) {
		if (type == BK_GRANT_INFO)
			grant_free(&e.u.grant);
		if (type == BK_DONE && e.u.done.n != 0)
			(void)bk_done_result(&e, e.u.done.n - 1);
	}
	again(type, body);
	check(h);
	must(host_deadline(h) >= h->now_ms || h->orphans_until < h->now_ms);
}

static void
conversation(struct bytes records, bool queues)
{
	static const uint8_t seed[16] = { 7 };
	struct backend_host h = { .ops = &ops, .now_s = 1000, .orphan_ms = 60000,
	    .orphans_until = TIMER_NEVER };
	struct rd r = rd_open(records);
	int i;

	must((h.b = calloc(1, sizeof *h.b)) != NULL);
	must((h.b->queue = calloc(QUEUE_MAX, sizeof *h.b->queue)) != NULL);
	h.b->host = &h;
	h.b->queues = queues;
	must((h.guard = guard_new(seed)) != NULL);
	for (i = 0; i < PROC_N; i++)
		conn_init(&h.conns[i], (enum proc_id)i);
	while (rd_left(&r) != 0)
		one_record(&h, &r);
	host_settle(&h);
	must(h.b->n_queue == 0 && h.queue.n == 0);
	check(&h);
	for (i = 0; i < PROC_N; i++)
		conn_close(&h.conns[i]);
	guard_free(h.guard);
	free(h.b->queue);
	free(h.b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	conversation(bytes_of(data, len), false);
	conversation(bytes_of(data, len), true);
	return 0;
}
