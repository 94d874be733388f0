/* SPDX-License-Identifier: ISC */
#include "backend/host.h"
#include "base/timer.h"

#define GRANT_RECHECK_MS 10000   /* the wall clock may be set while we wait */

#define FROM(proc) (1u << (proc))
#define FROM_ANY   (FROM(PROC_ENGINE) | FROM(PROC_AUTHZ) | FROM(PROC_CONTROL))

/* ---- calls of our own: nobody waits for their results ---- */

static void
complain(const struct pending *p, int rc)
{
	/* SAs end by themselves, too. */
	if (rc == OK || rc == ERR_NOTFOUND)
		return;
	if (p->kind == PENDING_SA_DEL)
		log_error("SA 0x%08x could not be removed: %s", p->number, err_str(rc));
	else if (p->kind == PENDING_GRANT_DROP)
		log_error("grant %u could not be dropped: %s", p->number, err_str(rc));
}

static void
own(struct backend_host *h, int rc, const struct pending *p)
{
	if (rc == BACKEND_QUEUED)
		host_queue(h, p);
	else
		complain(p, rc);
}

/* Take an SA out of the backend; the engine hears of it when it did not ask for that. */
static void
remove_sa(struct backend_host *h, const struct held_sa *held, bool tell)
{
	const struct addr dst = held->sa.dst;
	uint32_t spi = held->sa.spi;
	uint8_t dir = held->sa.dir;
	bool orphan = held->orphan;

	own(h, h->ops->sa_del(h->b, dir, spi, &dst),
	    &(struct pending){ .kind = PENDING_SA_DEL, .number = spi });
	if (tell && !orphan)
		backend_expire(h, dir, spi, &dst, true);
	guard_sa_forget(h->guard, dir, spi, &dst);
}

static void
remove_uncovered(struct backend_host *h, uint32_t grant)
{
	const struct held_sa *held;

	while ((held = guard_uncovered(h->guard, grant)) != NULL) {
		log_warn("SA 0x%08x removed: grant %u does not cover it any more", held->sa.spi,
		    grant);
		remove_sa(h, held, true);
	}
}

/* ---- the engine's calls ---- */

/* Calls return the result that belongs at this place, or BACKEND_QUEUED when it comes later. */
static int
asked(struct backend_host *h, int rc, const struct place *at, struct pending p)
{
	p.asked = true;
	p.at = *at;
	if (rc == BACKEND_QUEUED)
		host_queue(h, &p);
	return rc;
}

static void
replace_orphans(struct backend_host *h, const struct sa_params *sa)
{
	const struct held_sa *old;

	while ((old = guard_orphan(h->guard, sa)) != NULL)
		remove_sa(h, old, false);
}

/* A key that was tried counts as used, whatever becomes of the SA. */
static int
install(struct backend_host *h, struct sa_params *sa, const struct place *at)
{
	struct pending p = { .kind = PENDING_SA_ADD, .dir = sa->dir, .number = sa->spi,
	    .dst = sa->dst };
	uint32_t engine_pair = sa->pair;
	int r;

	if ((r = guard_sa_reserve(h->guard, sa, &sa->pair)) != OK)
		return r;
	if ((r = h->ops->sa_add(h->b, sa)) < 0) {
		guard_sa_forget(h->guard, sa->dir, sa->spi, &sa->dst);
		return r;
	}
	sa->pair = engine_pair;
	guard_sa_keep(h->guard, sa);
	if (r == OK)
		replace_orphans(h, sa);
	else
		p.held = guard_sa_pending(h->guard, sa);
	return asked(h, r, at, p);
}

static void
sa_added(struct backend_host *h, const struct pending *p, int rc)
{
	const struct held_sa *held;
	struct sa_params sa;

	/* Deleted meanwhile? Then its place may have been taken by another. */
	held = guard_sa_installed(h->guard, p->held, p->dir, p->number, &p->dst);
	if (held == NULL)
		return;
	if (rc != OK) {
		guard_sa_forget(h->guard, p->dir, p->number, &p->dst);
		return;
	}
	if (held->orphan)
		return;
	sa = held->sa;
	sa.pair = held->engine_pair;
	replace_orphans(h, &sa);
}

/* The NVA's lifetime holds whatever the engine asked for. */
static void
clamp_lifetime(const struct grant *g, struct sa_params *sa)
{
	uint8_t i;

	for (i = 0; i < g->n_channels; i++) {
		uint32_t max = g->channels[i].lifetime_s;

		if (strcmp(g->channels[i].id, sa->channel) != 0 || max == 0)
			continue;
		if (sa->life.hard_s == 0 || sa->life.hard_s > max)
			sa->life.hard_s = max;
	}
}

static int
call_sa_add(struct backend_host *h, struct rd *r, const struct place *at)
{
	struct sa_params sa;
	const char *why;
	int rc;

	if ((rc = rd_sa(r, &sa)) != OK)
		return rc;
	if (!rd_end(r)) {
		rc = ERR_SYNTAX;
		goto out;
	}
	if ((rc = guard_sa_judge(h->guard, &sa, h->now_s, &why)) != OK) {
		log_peer(&h->bucket, h->now_ms, "SA 0x%08x on grant %u refused: %s", sa.spi,
		    sa.grant, why);
		goto out;
	}
	clamp_lifetime(guard_grant(h->guard, sa.grant), &sa);
	rc = install(h, &sa, at);
out:
	sa_wipe(&sa);
	return rc;
}

static int
call_sa_del(struct backend_host *h, struct rd *r, const struct place *at)
{
	uint8_t dir = rd_u8(r);
	uint32_t spi = rd_u32(r);
	struct addr dst = rd_addr(r);
	int rc;

	if (!rd_end(r))
		return ERR_SYNTAX;
	if (guard_sa(h->guard, dir, spi, &dst) == NULL)
		return ERR_NOTFOUND;
	rc = h->ops->sa_del(h->b, dir, spi, &dst);
	guard_sa_forget(h->guard, dir, spi, &dst);
	return asked(h, rc, at, (struct pending){ .kind = PENDING_CALL });
}

/* Settled at once: the calls after it name the SAs by their new addresses. */
static int
call_sa_move(struct backend_host *h, struct rd *r, const struct place *at)
{
	uint32_t engine_pair = rd_u32(r), pair;
	struct endpoint local = rd_endpoint(r), peer = rd_endpoint(r);
	int rc;

	(void)at;
	if (!rd_end(r))
		return ERR_SYNTAX;
	if (h->ops->sa_move == NULL)
		return ERR_UNSUPPORTED;
	if ((rc = guard_move_judge(h->guard, engine_pair, &local, &peer, &pair)) != OK)
		return rc;
	if ((rc = h->ops->sa_move(h->b, pair, &local, &peer)) == BACKEND_QUEUED) {
		rc = ERR_IO;
		host_queue(h, &(struct pending){ .kind = PENDING_SA_MOVE, .result = &rc });
		host_settle(h);
	}
	if (rc != OK)
		return rc;
	return guard_moved(h->guard, engine_pair, &local, &peer);
}

/* ---- the authorization process's calls ---- */

static int
drop_grant(struct backend_host *h, uint32_t number)
{
	int rc;

	if ((rc = guard_grant_drop(h->guard, number)) != OK)
		return rc;
	remove_uncovered(h, number);
	return h->ops->grant_drop(h->b, number);
}

static void
drop_grant_ourselves(struct backend_host *h, uint32_t number)
{
	own(h, drop_grant(h, number),
	    &(struct pending){ .kind = PENDING_GRANT_DROP, .number = number });
}

/*
 * What the backend does not know is worth nothing: rather no grant than an old one. But the last word
 * on a grant that was set twice has the second time.
 */
static void
grant_set_settled(struct backend_host *h, const struct pending *p, int rc)
{
	if (rc != OK && !host_set_again(h, p->number))
		drop_grant_ourselves(h, p->number);
}

static int
call_grant_set(struct backend_host *h, struct rd *r, const struct place *at)
{
	struct pending p = { .kind = PENDING_GRANT_SET };
	struct grant g;
	uint32_t number;
	int rc;

	if ((rc = rd_grant(r, &g)) != OK)
		return rc;
	number = g.number;
	if (!rd_end(r))
		rc = ERR_SYNTAX;
	else if (g.expires <= h->now_s)
		rc = ERR_EXPIRED;
	else
		rc = guard_grant_set(h->guard, &g);
	grant_free(&g);
	if (rc != OK)
		return rc;
	p.number = number;
	rc = h->ops->grant_set(h->b, guard_grant(h->guard, number));
	if (rc < 0)
		drop_grant_ourselves(h, number);
	(void)asked(h, rc, at, p);
	remove_uncovered(h, number);
	return rc;
}

static int
call_grant_drop(struct backend_host *h, struct rd *r, const struct place *at)
{
	uint32_t number = rd_u32(r);

	if (!rd_end(r))
		return ERR_SYNTAX;
	return asked(h, drop_grant(h, number), at, (struct pending){ .kind = PENDING_CALL });
}

static int
with_policy(struct backend_host *h, struct rd *r, const struct place *at,
    int (*op)(struct backend *, const struct policy *))
{
	struct policy p;
	int rc;

	if ((rc = rd_policy(r, &p)) != OK)
		return rc;
	rc = rd_end(r) ? op(h->b, &p) : ERR_SYNTAX;
	policy_free(&p);
	return asked(h, rc, at, (struct pending){ .kind = PENDING_CALL });
}

static int
call_policy_add(struct backend_host *h, struct rd *r, const struct place *at)
{
	return with_policy(h, r, at, h->ops->policy_add);
}

static int
call_policy_del(struct backend_host *h, struct rd *r, const struct place *at)
{
	return with_policy(h, r, at, h->ops->policy_del);
}

static int
call_flush_own(struct backend_host *h, struct rd *r, const struct place *at)
{
	const struct grant *g;
	size_t pos;

	if (!rd_end(r))
		return ERR_SYNTAX;
	while (pos = 0, (g = guard_grant_next(h->guard, &pos)) != NULL)
		drop_grant_ourselves(h, g->number);
	return asked(h, h->ops->flush_own(h->b), at, (struct pending){ .kind = PENDING_CALL });
}

/* ---- what became of queued calls ---- */

void
host_settled(struct backend_host *h, const struct pending *p, int rc)
{
	struct conn *c = &h->conns[p->at.proc];

	if (p->kind == PENDING_SA_ADD)
		sa_added(h, p, rc);
	else if (p->kind == PENDING_GRANT_SET)
		grant_set_settled(h, p, rc);
	else if (p->kind == PENDING_SA_MOVE)
		*p->result = rc;
	else if (!p->asked)
		complain(p, rc);
	if (p->asked && c->serial == p->at.serial)
		conn_result_at(c, p->at.index, rc);
}

/* ---- who may ask for what ---- */

static const struct call {
	uint16_t type;
	unsigned from;
	int (*run)(struct backend_host *, struct rd *, const struct place *);
} calls[] = {
	{ BK_SA_ADD, FROM(PROC_ENGINE), call_sa_add },
	{ BK_SA_DEL, FROM(PROC_ENGINE), call_sa_del },
	{ BK_SA_MOVE, FROM(PROC_ENGINE), call_sa_move },
	{ BK_GRANT_SET, FROM(PROC_AUTHZ), call_grant_set },
	{ BK_GRANT_DROP, FROM(PROC_AUTHZ), call_grant_drop },
	{ BK_POLICY_ADD, FROM(PROC_AUTHZ), call_policy_add },
	{ BK_POLICY_DEL, FROM(PROC_AUTHZ), call_policy_del },
	{ BK_FLUSH_OWN, FROM(PROC_AUTHZ), call_flush_own },
};

static const struct question {
	uint16_t type;
	unsigned from;
	void (*run)(struct backend_host *, struct conn *);
} questions[] = {
	{ BK_SA_LIST, FROM_ANY, host_list_sas },
	{ BK_COUNTERS, FROM_ANY, host_list_counters },
	{ BK_GRANT_LIST, FROM(PROC_AUTHZ), host_list_grants },
};

static const char *
name_of(const struct conn *c)
{
	static const char *const names[PROC_N] = {
		[PROC_PARENT] = "daemon", [PROC_ENGINE] = "engine", [PROC_KEYS] = "keys",
		[PROC_TRUST] = "trust", [PROC_AUTHZ] = "authz", [PROC_BACKEND] = "backend",
		[PROC_CONTROL] = "control",
	};

	return names[c->proc];
}

static void
commit(struct backend_host *h, struct conn *c, struct rd *r)
{
	uint32_t generation = rd_u32(r);

	if (!rd_end(r)) {
		log_peer(&h->bucket, h->now_ms, "%s sent a malformed commit", name_of(c));
		c->broken = true;
		return;
	}
	host_settle(h);
	conn_done(c, generation);
}

static void
make(struct backend_host *h, struct conn *c, const struct call *call, struct rd *r)
{
	const struct place at = { c->proc, c->serial, c->n_results };
	int rc = ERR_DENIED;

	if ((call->from & FROM(c->proc)) != 0)
		rc = call->run(h, r, &at);
	else
		log_peer(&h->bucket, h->now_ms, "%s may not call 0x%x", name_of(c),
		    (unsigned)call->type);
	/* Not known yet counts as failed until it is. */
	conn_result(c, rc == BACKEND_QUEUED ? ERR_IO : rc);
}

void
host_call(struct backend_host *h, struct conn *c, uint16_t type, struct bytes body)
{
	struct rd r = rd_open(body);
	size_t i;

	if (type == BK_COMMIT && c->proc != PROC_CONTROL) {
		commit(h, c, &r);
		return;
	}
	for (i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (calls[i].type == type) {
			make(h, c, &calls[i], &r);
			return;
		}
	for (i = 0; i < sizeof questions / sizeof questions[0]; i++)
		if (questions[i].type == type && (questions[i].from & FROM(c->proc)) != 0) {
			host_settle(h);
			questions[i].run(h, c);
			return;
		}
	log_peer(&h->bucket, h->now_ms, "%s sent a message 0x%x that it may not send",
	    name_of(c), (unsigned)type);
	c->broken = true;
}

/* ---- time ---- */

void
host_engine_lost(struct backend_host *h)
{
	guard_orphan_all(h->guard);
	if (guard_has_orphans(h->guard))
		h->orphans_until = h->now_ms + h->orphan_ms;
}

void
host_tick(struct backend_host *h)
{
	const struct grant *g;
	const struct held_sa *held;

	while (guard_next_expiry(h->guard) <= h->now_s &&
	    (g = guard_grant_expired(h->guard, h->now_s)) != NULL) {
		log_warn("grant %u for node %s has expired", g->number, g->node);
		drop_grant_ourselves(h, g->number);
	}
	if (h->orphans_until > h->now_ms)
		return;
	while ((held = guard_orphan(h->guard, NULL)) != NULL)
		remove_sa(h, held, false);
	h->orphans_until = TIMER_NEVER;
}

int64_t
host_deadline(const struct backend_host *h)
{
	int64_t expiry = guard_next_expiry(h->guard), at = h->orphans_until, ms;

	if (expiry == INT64_MAX)
		return at;
	ms = expiry - h->now_s > GRANT_RECHECK_MS / 1000 ? GRANT_RECHECK_MS :
	    (expiry - h->now_s) * 1000;
	if (ms < 0)
		ms = 0;
	return h->now_ms + ms < at ? h->now_ms + ms : at;
}
