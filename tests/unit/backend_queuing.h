/* SPDX-License-Identifier: ISC */
/* A backend that queues its calls and tells at settle() what became of them. */
#ifndef TESTS_UNIT_BACKEND_QUEUING_H
#define TESTS_UNIT_BACKEND_QUEUING_H

#include "backend_side.h"

#define FAKE_SAS   16
#define FAKE_QUEUE 64

/* What fails, and only when it is carried out. */
#define KEY_FAILS   0xeeu          /* first octet of an SA's key */
#define GRANT_FAILS 13u
#define VNIS_FAIL   1u             /* a grant with this many VNs */
#define PORT_FAILS  1313u          /* of a move */

enum op_kind { OP_GRANT_SET, OP_GRANT_DROP, OP_SA_ADD, OP_SA_DEL, OP_SA_MOVE, OP_POLICY, OP_FLUSH };

struct op {
	enum op_kind kind;
	struct sa_params sa;
	uint32_t number;               /* grant, or pair */
	size_t n_vnis;
	struct endpoint local, peer;
};

struct backend {
	struct backend_host *host;
	bool mute;                     /* the last call of a settle() stays without an answer */
	struct op queue[FAKE_QUEUE];
	size_t n_queue;
	struct sa_params sas[FAKE_SAS];
	size_t n;
	uint64_t grants, policies, flushes, settles;
};

static inline struct backend *
fake_open(const char *const *options, struct backend_host *host, char why[static 256])
{
	struct backend *b = calloc(1, sizeof *b);

	(void)why;
	if (b != NULL) {
		b->host = host;
		b->mute = options[0] != NULL && strcmp(options[0], "mute=yes") == 0;
	}
	return b;
}

static inline void
fake_close(struct backend *b)
{
	free(b);
}

static inline int
queue(struct backend *b, const struct op *op)
{
	if (b->n_queue == FAKE_QUEUE)
		return ERR_SPACE;
	b->queue[b->n_queue++] = *op;
	return BACKEND_QUEUED;
}

static inline int
fake_grant_set(struct backend *b, const struct grant *g)
{
	return queue(b, &(struct op){ .kind = OP_GRANT_SET, .number = g->number,
	    .n_vnis = g->n_vnis });
}

static inline int
fake_grant_drop(struct backend *b, uint32_t grant)
{
	return queue(b, &(struct op){ .kind = OP_GRANT_DROP, .number = grant });
}

static inline int
fake_sa_add(struct backend *b, const struct sa_params *sa)
{
	return queue(b, &(struct op){ .kind = OP_SA_ADD, .sa = *sa });
}

static inline int
fake_sa_del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	return queue(b, &(struct op){ .kind = OP_SA_DEL,
	    .sa = { .dir = dir, .spi = spi, .dst = *dst } });
}

static inline int
fake_sa_move(struct backend *b, uint32_t pair, const struct endpoint *local,
    const struct endpoint *peer)
{
	return queue(b, &(struct op){ .kind = OP_SA_MOVE, .number = pair, .local = *local,
	    .peer = *peer });
}

static inline int
fake_policy(struct backend *b, const struct policy *p)
{
	(void)p;
	return queue(b, &(struct op){ .kind = OP_POLICY });
}

static inline int
fake_flush_own(struct backend *b)
{
	return queue(b, &(struct op){ .kind = OP_FLUSH });
}

static inline struct sa_params *
fake_find(struct backend *b, const struct sa_params *like)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (b->sas[i].dir == like->dir && b->sas[i].spi == like->spi &&
		    addr_equal(&b->sas[i].dst, &like->dst))
			return &b->sas[i];
	return NULL;
}

static inline int
do_add(struct backend *b, const struct sa_params *sa)
{
	if (sa->key[0] == KEY_FAILS)
		return ERR_UNSUPPORTED;
	if (fake_find(b, sa) != NULL)
		return ERR_EXISTS;
	if (b->n == FAKE_SAS)
		return ERR_SPACE;
	b->sas[b->n++] = *sa;
	return OK;
}

static inline int
do_del(struct backend *b, const struct sa_params *like)
{
	struct sa_params *sa = fake_find(b, like);

	if (sa == NULL)
		return ERR_NOTFOUND;
	*sa = b->sas[--b->n];
	return OK;
}

static inline int
do_move(struct backend *b, const struct op *op)
{
	size_t i;

	if (op->local.port == PORT_FAILS)
		return ERR_IO;
	for (i = 0; i < b->n; i++)
		if (b->sas[i].pair == op->number && b->sas[i].dir == SA_IN)
			b->sas[i].dst = op->local.addr;
	return OK;
}

static inline int
carry_out(struct backend *b, const struct op *op)
{
	switch (op->kind) {
	case OP_GRANT_SET:
		if (op->number == GRANT_FAILS && op->n_vnis == VNIS_FAIL)
			return ERR_IO;
		b->grants++;
		return OK;
	case OP_GRANT_DROP:
		return b->grants == 0 ? ERR_NOTFOUND : (b->grants--, OK);
	case OP_SA_ADD:
		return do_add(b, &op->sa);
	case OP_SA_DEL:
		return do_del(b, &op->sa);
	case OP_SA_MOVE:
		return do_move(b, op);
	case OP_POLICY:
		b->policies++;
		return OK;
	case OP_FLUSH:
		b->flushes++;
		return OK;
	}
	return ERR_STATE;
}

static inline void
fake_settle(struct backend *b, void (*tell)(void *, int), void *arg)
{
	struct op now[FAKE_QUEUE];
	size_t i, n = b->n_queue;

	if (n == 0)
		return;
	memcpy(now, b->queue, sizeof now);
	b->n_queue = 0;
	b->settles++;
	for (i = 0; i < n; i++) {
		int rc = b->mute && i == n - 1 ? ERR_STATE : carry_out(b, &now[i]);

		/* The engine can see when it happened. */
		if (now[i].kind == OP_POLICY && !b->mute)
			backend_acquire(b->host, "nve-2", "vxlan", &(struct addr){ .family = ADDR_V4 });
		if (!b->mute || i < n - 1)
			tell(arg, rc);
	}
}

static inline int
fake_sa_list(struct backend *b, void (*emit)(void *, const struct sa_stats *, const struct sa_params *),
    void *arg)
{
	size_t i;

	assert_int_equal(b->n_queue, 0);
	for (i = 0; i < b->n; i++)
		emit(arg, &(struct sa_stats){ .spi = b->sas[i].spi, .dir = b->sas[i].dir }, &b->sas[i]);
	return OK;
}

static inline int
fake_counters(struct backend *b, void (*emit)(void *, const struct backend_counter *), void *arg)
{
	const struct backend_counter c[] = {
		{ "grants", "", 0, b->grants }, { "policies", "", 0, b->policies },
		{ "flushes", "", 0, b->flushes }, { "settles", "", 0, b->settles },
		{ "sas", "", 0, b->n }, { "queued", "", 0, b->n_queue },
		{ "orphan-ms", "", 0, (uint64_t)backend_orphan_ms(b->host) },
	};
	size_t i;

	for (i = 0; i < COUNT(c); i++)
		emit(arg, &c[i]);
	return OK;
}

static inline size_t
fake_poll_fds(struct backend *b, struct pollfd *fds, size_t max, int64_t *deadline)
{
	(void)b;
	(void)fds;
	(void)max;
	(void)deadline;
	return 0;
}

static inline void
fake_run(struct backend *b, int64_t now, const struct pollfd *fds, size_t n)
{
	(void)b;
	(void)now;
	(void)fds;
	(void)n;
}

static const struct backend_ops fake_ops = {
	.name = SIDE_NAME, .features = SIDE_FEATURES,
	.open = fake_open, .close = fake_close,
	.grant_set = fake_grant_set, .grant_drop = fake_grant_drop,
	.sa_add = fake_sa_add, .sa_move = fake_sa_move, .sa_del = fake_sa_del,
	.sa_list = fake_sa_list, .policy_add = fake_policy, .policy_del = fake_policy,
	.flush_own = fake_flush_own, .counters = fake_counters, .settle = fake_settle,
	.poll_fds = fake_poll_fds, .run = fake_run,
};

#endif
