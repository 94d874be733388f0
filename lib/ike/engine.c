/* SPDX-License-Identifier: ISC */
#include "ike/engine.h"

#include <stdlib.h>

#include "ike/arrive.h"
#include "ike/auth.h"
#include "ike/child.h"
#include "ike/peer.h"
#include "ike/send.h"

/* Larger than any UDP datagram. */
#define SCRATCH_LEN 65536

void
ike_config_defaults(struct ike_config *c)
{
	memset(c, 0, sizeof *c);
	c->port = 500;
	c->natt_port = 4500;
	c->retransmit_ms = 500;
	c->retransmit_max_ms = 8000;
	c->retransmit_tries = 7;
	c->half_open_ms = 10000;
	c->cookie_threshold = 64;
	c->half_open_max = 4096;
	c->cookie_rotate_ms = 60000;
	c->dpd_ms = 30000;
	c->job_ms = 10000;
	c->retry_ms = 2000;
}

/* Replace the configuration's pointers by copies of our own. */
static int
own_config(struct ike *e)
{
	struct ike_config *c = &e->cfg;
	size_t i;
	int r;

	if (c->n_suites == 0)
		c->n_suites = ike_default_suites(c->suites);
	for (i = 0; i < c->n_suites; i++)
		if ((r = ike_suite_check(&c->suites[i])) != OK)
			return r;
	if ((r = blob_copy(&e->id_data, c->id_data)) != OK ||
	    (r = blob_copy(&e->certreq, c->certreq)) != OK)
		return r;
	c->id_data = blob_view(&e->id_data);
	c->certreq = blob_view(&e->certreq);
	e->certs = calloc(c->n_certs + 1, sizeof *e->certs);
	e->cert_views = calloc(c->n_certs + 1, sizeof *e->cert_views);
	if (e->certs == NULL || e->cert_views == NULL)
		return ERR_NOMEM;
	for (i = 0; i < c->n_certs; i++) {
		if ((r = blob_copy(&e->certs[i], c->certs[i])) != OK)
			return r;
		e->cert_views[i] = blob_view(&e->certs[i]);
	}
	c->certs = e->cert_views;
	return OK;
}

static int
make_tables(struct ike *e)
{
	int r = ike_random(e, e->seed, sizeof e->seed);

	if (r != OK)
		return r;
	e->by_spi = hash_new(e->seed);
	e->by_init = hash_new(e->seed);
	e->by_child = hash_new(e->seed);
	e->by_job = hash_new(e->seed);
	e->peers = hash_new(e->seed);
	e->scratch_cap = SCRATCH_LEN;
	e->scratch = malloc(e->scratch_cap);
	if (e->by_spi == NULL || e->by_init == NULL || e->by_child == NULL || e->by_job == NULL ||
	    e->peers == NULL || e->scratch == NULL)
		return ERR_NOMEM;
	return OK;
}

struct ike *
ike_new(const struct ike_config *c, int64_t now_ms)
{
	struct ike *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	actions_init(&e->queue);
	e->cfg = *c;
	e->cfg.certs = NULL;
	e->now = now_ms;
	e->cfg.certs = c->certs;
	if (own_config(e) != OK || make_tables(e) != OK) {
		ike_free(e);
		return NULL;
	}
	return e;
}

void
ike_free(struct ike *e)
{
	size_t i;

	if (e == NULL)
		return;
	ike_sa_free_all(e);
	if (e->peers != NULL)
		peers_free(e);
	actions_free(&e->queue);
	timers_free(&e->timers);
	cookies_free(&e->cookies);
	hash_free(e->by_spi);
	hash_free(e->by_init);
	hash_free(e->by_child);
	hash_free(e->by_job);
	hash_free(e->peers);
	for (i = 0; e->certs != NULL && i < e->cfg.n_certs; i++)
		blob_free(&e->certs[i]);
	free(e->certs);
	free(e->cert_views);
	blob_free(&e->id_data);
	blob_free(&e->certreq);
	if (e->scratch != NULL)
		wipe(e->scratch, e->scratch_cap);
	free(e->scratch);
	free(e);
}

int
ike_timer_set(struct ike *e, struct ike_timer *t, int64_t at)
{
	return timer_set(&e->timers, &t->t, at);
}

void
ike_timer_clear(struct ike *e, struct ike_timer *t)
{
	timer_clear(&e->timers, &t->t);
}

int
ike_random(struct ike *e, void *p, size_t n)
{
	return e->cfg.cb.random(e->cfg.cb.arg, p, n);
}

uint32_t
ike_random_below(struct ike *e, uint32_t n)
{
	uint32_t x = 0;

	return ike_random(e, &x, sizeof x) == OK ? x % n : 0;
}

/* ---- answers to jobs ---- */

struct answer_row {
	enum ike_event_type event;
	enum ike_job_kind kind;
	enum ike_state state;
	bool initiator;
	void (*handle)(struct ike *, struct ike_sa *, const struct ike_event *);
};

static const struct answer_row answers[] = {
	{ IKE_EV_SIGNED, IKE_JOB_SIGN, IKE_AWAIT_SIGNATURE, true, auth_i_signed },
	{ IKE_EV_SIGNED, IKE_JOB_SIGN, IKE_AWAIT_SIGNATURE, false, auth_r_signed },
	{ IKE_EV_VERIFIED, IKE_JOB_VERIFY, IKE_AWAIT_VERIFY, true, auth_i_verified },
	{ IKE_EV_VERIFIED, IKE_JOB_VERIFY, IKE_AWAIT_VERIFY, false, auth_r_verified },
	{ IKE_EV_AUTHORIZED, IKE_JOB_AUTHORIZE, IKE_AWAIT_AUTHORIZE, true, auth_i_authorized },
	{ IKE_EV_AUTHORIZED, IKE_JOB_AUTHORIZE, IKE_AWAIT_AUTHORIZE, false, auth_r_authorized },
	{ IKE_EV_SA_ADDED, IKE_JOB_SA_ADD, IKE_AWAIT_INSTALL, true, auth_i_installed },
	{ IKE_EV_SA_ADDED, IKE_JOB_SA_ADD, IKE_AWAIT_INSTALL, false, auth_r_installed },
};

static void
answer(struct ike *e, const struct ike_event *ev)
{
	const struct answer_row *last = answers + sizeof answers / sizeof answers[0];
	const struct answer_row *row = answers;
	struct ike_sa *sa;

	while (row < last && row->event != ev->type)
		row++;
	if (row == last || (sa = job_done(e, ev->job, row->kind)) == NULL)
		return;
	for (; row < last; row++)
		if (row->event == ev->type && row->state == sa->state &&
		    row->initiator == sa->initiator) {
			row->handle(e, sa, ev);
			return;
		}
}

/* ---- timers ---- */

#define OWNER(timer, type, member) ((type *)(void *)((char *)(timer) - offsetof(type, member)))

static void
run_timers(struct ike *e)
{
	struct timer *t;

	while ((t = timers_pop(&e->timers, e->now)) != NULL) {
		struct ike_timer *timer = (struct ike_timer *)(void *)t;

		switch ((enum ike_timer_kind)timer->kind) {
		case IKE_TIMER_RETRANSMIT:
			retransmit(e, OWNER(timer, struct ike_sa, retransmit));
			break;
		case IKE_TIMER_WATCH:
			ike_sa_watch_fired(e, OWNER(timer, struct ike_sa, watch));
			break;
		case IKE_TIMER_JOB:
			job_timed_out(e, OWNER(timer, struct ike_sa, job.deadline));
			break;
		case IKE_TIMER_PEER:
			peer_look(e, OWNER(timer, struct peer, timer));
			break;
		}
	}
}

void
ike_input(struct ike *e, int64_t now_ms, const struct ike_event *ev)
{
	/* The clock is the caller's, but time does not run backwards in here. */
	if (now_ms > e->now)
		e->now = now_ms;
	switch (ev->type) {
	case IKE_EV_TICK:
		break;
	case IKE_EV_DATAGRAM:
		arrive(e, &ev->u.datagram.local, &ev->u.datagram.peer, ev->u.datagram.natt,
		    ev->u.datagram.data);
		break;
	case IKE_EV_SIGNED:
	case IKE_EV_VERIFIED:
	case IKE_EV_AUTHORIZED:
	case IKE_EV_SA_ADDED:
		answer(e, ev);
		break;
	case IKE_EV_PEER_SET:
		peer_set(e, &ev->u.peer);
		break;
	case IKE_EV_PEER_DEL:
		peer_del(e, ev->u.node);
		break;
	case IKE_EV_INITIATE:
		peer_initiate(e, ev->u.node);
		break;
	case IKE_EV_CLOSE:
		peer_close(e, ev->u.node);
		break;
	case IKE_EV_GRANT_GONE:
		peer_grant_gone(e, ev->u.grant);
		break;
	case IKE_EV_SA_EXPIRED:
		peer_child_expired(e, ev->u.expired.spi, &ev->u.expired.dst, ev->u.expired.hard);
		break;
	case IKE_EV_BACKEND_LOST:
		peer_backend_lost(e);
		break;
	case IKE_EV_REISSUE:
		jobs_reissue(e, ev->u.reissue);
		break;
	}
	run_timers(e);
	ike_sa_reap(e);
	peers_reap(e);
}

int64_t
ike_deadline(const struct ike *e)
{
	return timers_next(&e->timers);
}
