/* SPDX-License-Identifier: ISC */
#include "ike/ike_sa.h"

#include <stdlib.h>

#include "ike/child.h"
#include "ike/info.h"
#include "ike/peer.h"

/* Repeats of a last response are answered for this long: longer than a peer with our own
 * retransmission settings waits between two of them. */
#define LINGER_MS 20000
/* A NAT forgets mappings within a minute or less: RFC 3948 section 4. */
#define NAT_LIVENESS_MS 20000

static const char *const state_names[IKE_STATES] = {
	[IKE_NEW] = "NEW",
	[IKE_INIT_SENT] = "INIT_SENT",
	[IKE_INIT_DONE] = "INIT_DONE",
	[IKE_AUTH_SENT] = "AUTH_SENT",
	[IKE_AWAIT_VERIFY] = "AWAIT_VERIFY",
	[IKE_AWAIT_AUTHORIZE] = "AWAIT_AUTHORIZE",
	[IKE_AWAIT_SIGNATURE] = "AWAIT_SIGNATURE",
	[IKE_AWAIT_INSTALL] = "AWAIT_INSTALL",
	[IKE_UP] = "UP",
	[IKE_CLOSING] = "CLOSING",
	[IKE_LINGER] = "LINGER",
	[IKE_DEAD] = "DEAD",
};

#define S(name) IKE_STATE_BIT(IKE_##name)
#define ENDED   (S(LINGER) | S(DEAD))

/* Legal moves: [initiator][from] = set of states to go to. */
static const uint32_t moves[2][IKE_STATES] = {
	{
		[IKE_NEW] = S(INIT_DONE) | ENDED,
		[IKE_INIT_DONE] = S(AWAIT_VERIFY) | ENDED,
		[IKE_AWAIT_VERIFY] = S(AWAIT_AUTHORIZE) | ENDED,
		[IKE_AWAIT_AUTHORIZE] = S(AWAIT_SIGNATURE) | ENDED,
		[IKE_AWAIT_SIGNATURE] = S(AWAIT_INSTALL) | S(UP) | ENDED,
		[IKE_AWAIT_INSTALL] = S(UP) | ENDED,
		[IKE_UP] = S(CLOSING) | ENDED,
		[IKE_CLOSING] = ENDED,
		[IKE_LINGER] = S(DEAD),
	},
	{
		[IKE_NEW] = S(INIT_SENT) | ENDED,
		[IKE_INIT_SENT] = S(AWAIT_SIGNATURE) | ENDED,
		[IKE_AWAIT_SIGNATURE] = S(AUTH_SENT) | ENDED,
		[IKE_AUTH_SENT] = S(AWAIT_VERIFY) | ENDED,
		[IKE_AWAIT_VERIFY] = S(AWAIT_AUTHORIZE) | S(CLOSING) | ENDED,
		[IKE_AWAIT_AUTHORIZE] = S(AWAIT_INSTALL) | S(UP) | S(CLOSING) | ENDED,
		[IKE_AWAIT_INSTALL] = S(UP) | ENDED,
		[IKE_UP] = S(CLOSING) | ENDED,
		[IKE_CLOSING] = ENDED,
		[IKE_LINGER] = S(DEAD),
	},
};

/* A responder's SA counts as half-open until its initiator was authorized. */
#define HALF_OPEN (S(INIT_DONE) | S(AWAIT_VERIFY) | S(AWAIT_AUTHORIZE))

const char *
ike_state_name(enum ike_state s)
{
	return s < IKE_STATES ? state_names[s] : "?";
}

static struct bytes
spi_key(const uint64_t *spi)
{
	return bytes_of(spi, sizeof *spi);
}

struct ike_sa *
ike_sa_find(const struct ike *e, uint64_t our_spi)
{
	return hash_get(e->by_spi, spi_key(&our_spi));
}

/* Not zero, not in use, the shard's number in its top bits. */
static int
draw_spi(struct ike *e, uint64_t *spi)
{
	unsigned bits = e->cfg.shard_bits;
	int r;

	do {
		if ((r = ike_random(e, spi, sizeof *spi)) != OK)
			return r;
		if (bits != 0)
			*spi = *spi >> bits | (uint64_t)e->cfg.shard << (64 - bits);
	} while (*spi == 0 || ike_sa_find(e, *spi) != NULL);
	return OK;
}

struct ike_sa *
ike_sa_new(struct ike *e, bool initiator, const struct endpoint *local, const struct endpoint *peer)
{
	struct ike_sa *sa = calloc(1, sizeof *sa);
	uint64_t spi;

	if (sa == NULL)
		return NULL;
	if ((sa->neg = negotiation_new()) == NULL || draw_spi(e, &spi) != OK ||
	    hash_add(e->by_spi, spi_key(&spi), sa) != OK) {
		negotiation_free(sa->neg);
		free(sa);
		return NULL;
	}
	*(initiator ? &sa->spi_i : &sa->spi_r) = spi;
	sa->initiator = initiator;
	sa->local = *local;
	sa->peer = *peer;
	sa->began_ms = sa->since_ms = sa->heard_ms = e->now;
	sa->retransmit.kind = IKE_TIMER_RETRANSMIT;
	sa->watch.kind = IKE_TIMER_WATCH;
	sa->job.deadline.kind = IKE_TIMER_JOB;
	sa->next = e->sas;
	if (sa->next != NULL)
		sa->next->prev = sa;
	e->sas = sa;
	return sa;
}

int
ike_sa_index_init(struct ike *e, struct ike_sa *sa)
{
	return hash_add(e->by_init, bytes_of(sa->init_key, sizeof sa->init_key), sa);
}

/* Out of everything that leads to it; freed when the call ends, for callers up the stack still hold
 * it. */
static void
bury(struct ike *e, struct ike_sa *sa)
{
	uint64_t spi = ike_sa_our_spi(sa);
	struct bytes init_key = bytes_of(sa->init_key, sizeof sa->init_key);

	(void)hash_del(e->by_spi, spi_key(&spi));
	if (hash_get(e->by_init, init_key) == sa)
		(void)hash_del(e->by_init, init_key);
	job_cancel(e, sa);
	ike_timer_clear(e, &sa->retransmit);
	ike_timer_clear(e, &sa->watch);
	peer_unlink(e, sa);
	if (sa->prev != NULL)
		sa->prev->next = sa->next;
	else
		e->sas = sa->next;
	if (sa->next != NULL)
		sa->next->prev = sa->prev;
	sa->next = e->dead;
	e->dead = sa;
}

bool
ike_sa_become(struct ike *e, struct ike_sa *sa, enum ike_state to)
{
	bool legal = (moves[sa->initiator][sa->state] & IKE_STATE_BIT(to)) != 0;
	bool half_open;

	if (!legal) {
		report(e, sa, NULL, IKE_REPORT_LOG, LOG_ERROR_, "bug: %s does not lead to %s",
		    ike_state_name(sa->state), ike_state_name(to));
		if (sa->state == IKE_DEAD)
			return false;
		to = IKE_DEAD;
	} else {
		report(e, sa, NULL, IKE_REPORT_LOG, LOG_DEBUG_, "%s -> %s",
		    ike_state_name(sa->state), ike_state_name(to));
	}
	sa->state = (uint8_t)to;
	half_open = !sa->initiator && (HALF_OPEN & IKE_STATE_BIT(to)) != 0;
	if (half_open && !sa->counted)
		e->half_open++;
	else if (!half_open && sa->counted)
		e->half_open--;
	sa->counted = half_open;
	if (to == IKE_DEAD)
		bury(e, sa);
	return legal;
}

int
ike_sa_derive(struct ike_sa *sa, struct bytes shared)
{
	const struct negotiation *n = sa->neg;
	struct bytes ours = bytes_of(n->nonce_ours, NONCE_LEN);
	struct bytes theirs = blob_view(&n->nonce_theirs);
	struct ike_keymat_input in = {
		.ni = sa->initiator ? ours : theirs, .nr = sa->initiator ? theirs : ours,
		.spi_i = sa->spi_i, .spi_r = sa->spi_r, .shared = shared,
	};
	const struct ike_chosen *s = &sa->suite;
	struct ike_sk_key *i = sa->initiator ? &sa->out : &sa->in;
	struct ike_sk_key *r = sa->initiator ? &sa->in : &sa->out;
	int rc;

	if ((rc = keymat_ike(&sa->keys, s, &in)) != OK ||
	    (rc = sk_key_init(i, s->encr, s->key_bits, s->integ, secret_view(&sa->keys.ei),
	    secret_view(&sa->keys.ai))) != OK)
		return rc;
	return sk_key_init(r, s->encr, s->key_bits, s->integ, secret_view(&sa->keys.er),
	    secret_view(&sa->keys.ar));
}

void
ike_sa_settle(struct ike_sa *sa)
{
	negotiation_free(sa->neg);
	sa->neg = NULL;
	secret_free(&sa->keys.pi);
	secret_free(&sa->keys.pr);
}

/* What both ends of life have in common. */
static void
end(struct ike *e, struct ike_sa *sa, bool linger)
{
	while (sa->children != NULL)
		child_down(e, sa->children, "its IKE SA is gone");
	job_cancel(e, sa);
	ike_timer_clear(e, &sa->retransmit);
	blob_free(&sa->win.request);
	ike_sa_settle(sa);
	peer_unlink(e, sa);
	sa->wants = 0;
	if (!linger || sa->win.response.n == 0 ||
	    ike_timer_set(e, &sa->watch, e->now + LINGER_MS) != OK)
		(void)ike_sa_become(e, sa, IKE_DEAD);
	else
		(void)ike_sa_become(e, sa, IKE_LINGER);
}

void
ike_sa_fail(struct ike *e, struct ike_sa *sa, bool linger, const char *why)
{
	struct peer *p = sa->node;
	struct child *c = sa->neg == NULL ? NULL : sa->neg->child;

	if (sa->state >= IKE_LINGER)
		return;
	e->counters.ike_failed++;
	report(e, sa, NULL, IKE_REPORT_IKE_FAILED, LOG_WARN_, "not set up in %s: %s",
	    ike_state_name(sa->state), why);
	if (c != NULL) {
		if (c->in_backend)
			act_sa_del(e, sa, c);
		sa->neg->child = NULL;
		child_free(e, c);
	}
	end(e, sa, linger);
	if (p != NULL)
		peer_retry(e, p, true);
}

void
ike_sa_down(struct ike *e, struct ike_sa *sa, bool linger, const char *why)
{
	struct peer *p = sa->node;

	if (sa->state >= IKE_LINGER)
		return;
	report(e, sa, NULL, sa->refused ? IKE_REPORT_LOG : IKE_REPORT_IKE_DOWN, LOG_INFO_,
	    "down: %s", why);
	end(e, sa, linger);
	if (p != NULL)
		peer_retry(e, p, false);
}

void
ike_sa_close(struct ike *e, struct ike_sa *sa, const char *why)
{
	struct child *c;

	if (ike_sa_negotiating(sa)) {
		ike_sa_fail(e, sa, false, why);
		return;
	}
	if (sa->state != IKE_UP || (sa->wants & WANT_DELETE) != 0)
		return;
	report(e, sa, NULL, IKE_REPORT_LOG, LOG_INFO_, "closing: %s", why);
	for (c = sa->children; c != NULL; c = sa->children)
		child_down(e, c, why);
	sa->wants |= WANT_DELETE;
	info_pump(e, sa);
}

void
ike_sa_heard(struct ike *e, struct ike_sa *sa, const struct endpoint *local,
    const struct endpoint *peer, bool natt)
{
	/* The initiator may move to the NAT-T port with its first protected request. Later on only
	 * a peer behind a NAT moves, and not when we are behind one ourselves: RFC 7296
	 * section 2.23. */
	bool may_move = sa->state == IKE_INIT_DONE || (sa->nat_there && !sa->nat_here);

	sa->heard_ms = e->now;
	sa->wants &= (uint8_t)~WANT_LIVENESS;
	sa->source_verified = true;
	if (may_move) {
		sa->local = *local;
		sa->peer = *peer;
		sa->natt = natt;
	}
}

static int64_t
liveness_interval(const struct ike *e, const struct ike_sa *sa)
{
	int64_t ms = e->cfg.dpd_ms;

	return sa->nat_here && ms > NAT_LIVENESS_MS ? NAT_LIVENESS_MS : ms;
}

void
ike_sa_watch_liveness(struct ike *e, struct ike_sa *sa)
{
	if (e->cfg.dpd_ms == 0)
		ike_timer_clear(e, &sa->watch);
	else
		(void)ike_timer_set(e, &sa->watch, sa->heard_ms + liveness_interval(e, sa));
}

void
ike_sa_watch_fired(struct ike *e, struct ike_sa *sa)
{
	switch (sa->state) {
	case IKE_INIT_DONE:
		e->counters.timeouts++;
		ike_sa_fail(e, sa, false, "no IKE_AUTH request");
		break;
	case IKE_UP:
		if (e->now - sa->heard_ms < liveness_interval(e, sa)) {
			ike_sa_watch_liveness(e, sa);
			break;
		}
		sa->wants |= WANT_LIVENESS;
		(void)ike_timer_set(e, &sa->watch, e->now + liveness_interval(e, sa));
		info_pump(e, sa);
		break;
	case IKE_LINGER:
		(void)ike_sa_become(e, sa, IKE_DEAD);
		break;
	default:
		break;
	}
}

static void
sa_free(struct ike *e, struct ike_sa *sa)
{
	struct child *c;

	if (sa->neg != NULL)
		child_free(e, sa->neg->child);
	negotiation_free(sa->neg);
	while ((c = sa->children) != NULL) {
		sa->children = c->next;
		child_free(e, c);
	}
	window_free(&sa->win);
	ike_keys_free(&sa->keys);
	sk_key_free(&sa->in);
	sk_key_free(&sa->out);
	free(sa->identity);
	wipe(sa, sizeof *sa);
	free(sa);
}

void
ike_sa_reap(struct ike *e)
{
	struct ike_sa *sa;

	while ((sa = e->dead) != NULL) {
		e->dead = sa->next;
		sa_free(e, sa);
	}
}

void
ike_sa_free_all(struct ike *e)
{
	while (e->sas != NULL)
		bury(e, e->sas);
	ike_sa_reap(e);
}
