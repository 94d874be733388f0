/* SPDX-License-Identifier: ISC */
#include "ike/peer.h"

#include <stdlib.h>

#include "ike/child.h"
#include "ike/init.h"

#define PAUSE_MAX_MS 60000u
/* Both sides may each have one, and one more that is to replace it. */
#define STANDING_MAX 4

static struct bytes
key(const char *node)
{
	return bytes_str(node);
}

struct peer *
peer_find(const struct ike *e, const char *node)
{
	return hash_get(e->peers, key(node));
}

struct peer *
peer_get(struct ike *e, const char *node)
{
	struct peer *p = peer_find(e, node);
	size_t n = strlen(node);

	if (p != NULL)
		return p;
	if (n == 0 || n >= ID_MAX || (p = calloc(1, sizeof *p)) == NULL)
		return NULL;
	memcpy(p->node, node, n);
	p->timer.kind = IKE_TIMER_PEER;
	if (hash_add(e->peers, key(p->node), p) != OK) {
		free(p);
		return NULL;
	}
	return p;
}

static void
peer_free(struct ike *e, struct peer *p)
{
	ike_timer_clear(e, &p->timer);
	(void)hash_del(e->peers, key(p->node));
	free(p->channels);
	free(p);
}

void
peers_free(struct ike *e)
{
	struct peer *p;
	size_t pos = 0;

	while ((p = hash_next(e->peers, &pos)) != NULL)
		peer_free(e, p);
}

void
peers_reap(struct ike *e)
{
	struct peer *p;
	size_t pos = 0;

	if (!e->orphans)
		return;
	e->orphans = false;
	while ((p = hash_next(e->peers, &pos)) != NULL)
		if (!p->configured && p->sas == NULL)
			peer_free(e, p);
}

void
peer_link(struct peer *p, struct ike_sa *sa)
{
	sa->node = p;
	sa->peer_prev = NULL;
	sa->peer_next = p->sas;
	if (p->sas != NULL)
		p->sas->peer_prev = sa;
	p->sas = sa;
}

void
peer_unlink(struct ike *e, struct ike_sa *sa)
{
	struct peer *p = sa->node;

	if (p == NULL)
		return;
	if (sa->peer_prev != NULL)
		sa->peer_prev->peer_next = sa->peer_next;
	else
		p->sas = sa->peer_next;
	if (sa->peer_next != NULL)
		sa->peer_next->peer_prev = sa->peer_prev;
	sa->node = NULL;
	sa->peer_next = sa->peer_prev = NULL;
	if (!p->configured && p->sas == NULL)
		e->orphans = true;
}

/* ---- setting up, and trying again ---- */

static bool
stands(const struct ike_sa *sa)
{
	return sa->state == IKE_UP && (sa->wants & WANT_DELETE) == 0;
}

static bool
has_child(const struct ike_sa *sa)
{
	const struct child *c;

	for (c = sa->children; c != NULL; c = c->next)
		if (c->up)
			return true;
	return false;
}

void
peer_soon(struct ike *e, struct peer *p)
{
	(void)ike_timer_set(e, &p->timer, e->now);
}

static void
look_after(struct ike *e, struct peer *p, uint32_t pause)
{
	/* Two nodes that lost each other at the same moment should not start at the same moment. */
	uint32_t ms = pause - pause / 4 + ike_random_below(e, pause / 2 + 1);

	(void)ike_timer_set(e, &p->timer, e->now + ms);
}

void
peer_retry(struct ike *e, struct peer *p, bool failed)
{
	if (!p->configured || !(p->initiate || p->renew) || p->held)
		return;
	if (p->pause_ms == 0 || !failed)
		p->pause_ms = e->cfg.retry_ms;
	look_after(e, p, p->pause_ms);
	if (failed)
		p->pause_ms = p->pause_ms > PAUSE_MAX_MS / 2 ? PAUSE_MAX_MS : 2 * p->pause_ms;
}

/* What there is with a node. */
struct sas_seen {
	bool served;             /* an SA with a Child SA stands */
	bool trying;             /* we are setting one up */
	bool being_tried;        /* the node is */
};

static struct sas_seen
see(const struct peer *p)
{
	struct sas_seen seen = { false, false, false };
	const struct ike_sa *sa;

	for (sa = p->sas; sa != NULL; sa = sa->peer_next) {
		if (stands(sa) && has_child(sa))
			seen.served = true;
		if (ike_sa_negotiating(sa) && sa->initiator)
			seen.trying = true;
		if (ike_sa_negotiating(sa) && !sa->initiator)
			seen.being_tried = true;
	}
	return seen;
}

static void
start(struct ike *e, struct peer *p, bool replaces)
{
	int r = init_start(e, p, replaces);

	p->wanted = false;
	if (r == OK)
		return;
	report(e, NULL, p->n_addrs != 0 ? &p->addrs[0] : NULL, IKE_REPORT_LOG, LOG_WARN_,
	    "%s: not begun: %s", p->node, err_str(r));
	peer_retry(e, p, true);
}

void
peer_look(struct ike *e, struct peer *p)
{
	struct sas_seen seen = see(p);
	struct ike_sa *sa, *next;

	if (!p->configured || p->held || !(p->initiate || p->wanted || p->renew) || seen.trying)
		return;
	if (seen.served && p->renew) {
		start(e, p, true);
		return;
	}
	if (seen.served) {
		p->wanted = false;
		return;
	}
	if (seen.being_tried) {
		look_after(e, p, e->cfg.retry_ms);
		return;
	}
	/* One that stands without a Child SA serves nobody. */
	for (sa = p->sas; sa != NULL; sa = next) {
		next = sa->peer_next;
		if (stands(sa))
			ike_sa_close(e, sa, "it has no Child SA");
	}
	start(e, p, false);
}

void
peer_replace(struct ike *e, struct peer *p)
{
	p->renew = true;
	p->pause_ms = 0;
	peer_soon(e, p);
}

bool
peer_is_first(const struct ike_sa *sa)
{
	const struct ike_sa *o;

	if (sa->replaces)
		return false;
	for (o = sa->node->sas; o != NULL; o = o->peer_next)
		if (o != sa && stands(o))
			return false;
	return true;
}

/* ---- one SA of several ---- */

/* Which of two that stand goes; both ends come to the same answer. Of two begun by the same side,
 * the older; when the sides began one each, the one with the greater initiator SPI (addresses may
 * look different to each side). */
static struct ike_sa *
loser(struct ike_sa *newer, struct ike_sa *older)
{
	if (newer->initiator == older->initiator)
		return older;
	return newer->spi_i > older->spi_i ? newer : older;
}

static void
settle_with(struct ike *e, struct ike_sa *sa, struct ike_sa *o)
{
	struct ike_sa *goes;

	if (ike_sa_negotiating(o)) {
		/* The responder knows nothing of it yet, or forgets it soon. */
		if (o->initiator && !sa->initiator &&
		    (o->state == IKE_INIT_SENT || o->state == IKE_AWAIT_SIGNATURE))
			(void)ike_sa_become(e, o, IKE_DEAD);
		return;
	}
	if (!stands(o))
		return;
	if (!has_child(o)) {
		ike_sa_close(e, o, "another one has a Child SA");
		return;
	}
	/* Whoever began it deletes it. */
	goes = loser(sa, o);
	if (goes->initiator)
		ike_sa_close(e, goes, "another one stands with this node");
}

/* Whoever began an SA deletes it when there is a newer one. A node that does not would fill our
 * memory and the backend's, so the oldest goes without a word. */
static void
drop_too_many(struct ike *e, struct peer *p)
{
	struct ike_sa *sa, *oldest = NULL;
	unsigned n = 0;

	for (sa = p->sas; sa != NULL; sa = sa->peer_next) {
		if (!stands(sa))
			continue;
		n++;
		oldest = sa;             /* the newest is first in the list */
	}
	if (n > STANDING_MAX)
		ike_sa_down(e, oldest, false, "the node has too many IKE SAs");
}

void
peer_up(struct ike *e, struct ike_sa *sa)
{
	struct peer *p = sa->node;
	struct ike_sa *o, *next;

	drop_too_many(e, p);
	if (!has_child(sa)) {
		peer_retry(e, p, true);
		return;
	}
	p->pause_ms = 0;
	p->wanted = p->renew = false;
	ike_timer_clear(e, &p->timer);
	for (o = p->sas; o != NULL && stands(sa); o = next) {
		next = o->peer_next;
		if (o != sa)
			settle_with(e, sa, o);
	}
}

void
peer_initial_contact(struct ike *e, struct ike_sa *sa)
{
	struct ike_sa *o, *next;

	for (o = sa->node->sas; o != NULL; o = next) {
		next = o->peer_next;
		if (o == sa || ike_sa_negotiating(o) || o->identity == NULL ||
		    strcmp(o->identity, sa->identity) != 0)
			continue;
		/* It came up while this one was on its way: the sides began at the same time, and
		 * the peer has it too. peer_up() decides between them. */
		if (o->since_ms >= sa->began_ms)
			continue;
		ike_sa_down(e, o, false, "the peer has started anew");
	}
}
