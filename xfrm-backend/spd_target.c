/* SPDX-License-Identifier: ISC */
/* Layer 2: what each node and channel needs. */
#include "xfrm-backend/spd_int.h"

#include <stdlib.h>

#define TARGET_KEY_MAX (2 * ID_MAX)
#define REQID_NEAR 4                 /* so many after its own does a target look further, practically */

static struct bytes
target_key(uint8_t buf[static TARGET_KEY_MAX], const char *node, const char *channel)
{
	struct wr w = wr_fixed(buf, TARGET_KEY_MAX);

	wr_put(&w, bytes_of(node, strnlen(node, ID_MAX - 1)));
	wr_u8(&w, 0);
	wr_put(&w, bytes_of(channel, strnlen(channel, ID_MAX - 1)));
	return wr_view(&w);
}

static struct bytes
reqid_key(const uint32_t *reqid)
{
	return bytes_of(reqid, sizeof *reqid);
}

struct target *
spd_target(const struct spd *s, const char *node, const char *channel)
{
	uint8_t buf[TARGET_KEY_MAX];

	return hash_get(s->targets, target_key(buf, node, channel));
}

struct target *
spd_by_reqid(const struct spd *s, uint32_t reqid)
{
	return hash_get(s->reqids, reqid_key(&reqid));
}

struct target *
spd_next(const struct spd *s, size_t *pos)
{
	return hash_next(s->targets, pos);
}

/* ---- policies of a pair of addresses ---- */

/*
 * A UDP channel's port is the destination's in both directions (VXLAN's source port is entropy); with
 * others a connection may be opened from either end. What the host forwards is not its own, even if it
 * says so (Linux does not doubt an IPv6 source that is one of ours): it must not get our ESP. A block has a
 * template too: its reqid says that it is ours.
 */
static size_t
forms(const struct spd *s, const struct target *t, const struct pair *p,
    struct xpol out[static TARGET_FORMS_MAX])
{
	const struct channel *c = &t->channel;
	uint16_t port = c->proto == 0 ? 0 : c->port;
	bool both = port != 0 && c->proto != SPD_UDP;
	size_t n = 0;
	uint8_t dir, k;

	for (dir = XDIR_IN; dir <= XDIR_FWD; dir++)
		for (k = 0; k < (both ? 2 : 1); k++) {
			bool o = dir != XDIR_IN;

			out[n++] = (struct xpol){
				.dir = dir, .block = t->blocked || dir == XDIR_FWD,
				.priority = s->priority + (port != 0 ? PLACE_TARGET : PLACE_WIDE),
				.sel = xsel_hosts(o ? &p->sel_local : &p->sel_peer,
				    o ? &p->sel_peer : &p->sel_local, c->proto, k == 0 ? 0 : port,
				    k == 0 ? port : 0),
				.tmpl = true, .reqid = t->reqid, .mode = p->mode,
				.src = o ? p->local : p->peer, .dst = o ? p->peer : p->local,
			};
		}
	return n;
}

/* Has no other pair the better right to the same selectors? See struct target. */
static bool
pair_rules(const struct target *t, uint8_t at)
{
	const struct pair *p = &t->pairs[at], *q;
	uint8_t i;

	for (i = 0; i < t->n_pairs; i++) {
		q = &t->pairs[i];
		if (i == at || !addr_equal(&p->sel_local, &q->sel_local) ||
		    !addr_equal(&p->sel_peer, &q->sel_peer))
			continue;
		if ((p->n_sas != 0) != (q->n_sas != 0) ? q->n_sas != 0 : i > at)
			return false;
	}
	return true;
}

/* The policies of what `like` says are wanted for t, in a new round. */
static int
target_wants(struct spd *s, struct target *t, const struct target *like)
{
	struct xpol f[TARGET_FORMS_MAX];
	uint8_t i;
	size_t k, n;
	int r = OK;

	t->round++;
	for (i = 0; i < like->n_pairs && r == OK; i++) {
		n = pair_rules(like, i) ? forms(s, like, &like->pairs[i], f) : 0;
		for (k = 0; k < n && r == OK; k++)
			r = spd_want(s, &f[k], t);
	}
	return r;
}

/* Those of what `like` says that were not wanted in the last round. */
static void
target_drops(struct spd *s, const struct target *t, const struct target *like)
{
	struct xpol f[TARGET_FORMS_MAX];
	struct pol_entry *e;
	uint8_t i;
	size_t k, n;

	for (i = 0; i < like->n_pairs; i++) {
		n = forms(s, like, &like->pairs[i], f);
		for (k = 0; k < n; k++) {
			e = spd_find(s, f[k].dir, &f[k].sel);
			if (e != NULL && e->target == t && e->round != t->round)
				spd_unwant(s, e);
		}
	}
}

/* On error all is as before. No error if `next` has no selectors that *t hasn't. */
static int
target_become(struct spd *s, struct target *t, const struct target *next)
{
	const struct target before = *t;
	int r = target_wants(s, t, next);
	uint32_t round = t->round;

	if (r != OK) {
		(void)target_wants(s, t, &before);   /* all of these are there */
		target_drops(s, t, next);
		return r;
	}
	target_drops(s, t, &before);
	*t = *next;
	t->round = round;
	return OK;
}

/* ---- targets ---- */

uint32_t
spd_reqid_of(const struct spd *s, const char *node, const char *channel)
{
	static const uint8_t key[16] = { 0 };
	uint8_t buf[TARGET_KEY_MAX];

	return s->reqid_base + (uint32_t)(siphash(key, target_key(buf, node, channel)) % REQIDS);
}

static uint32_t
reqid_after(const struct spd *s, uint32_t reqid, uint32_t n)
{
	return s->reqid_base + (reqid - s->reqid_base + n) % REQIDS;
}

/* Could it have been this target's? */
static bool
near_its_own(const struct spd *s, const struct target *t, uint32_t reqid)
{
	uint32_t own = spd_reqid_of(s, t->node, t->channel.id), n;

	for (n = 0; n < REQID_NEAR; n++)
		if (reqid_after(s, own, n) == reqid)
			return true;
	return false;
}

/*
 * A former process's policies, if they are there, say which reqid its SAs have. Those may be another node's
 * that had these addresses before: what is granted now is not for their SAs.
 */
static uint32_t
inherited_reqid(const struct spd *s, const struct target *t, const struct pair *p)
{
	struct xpol f[TARGET_FORMS_MAX];
	size_t i, n = forms(s, t, p, f);

	for (i = 0; i < n; i++) {
		const struct pol_entry *e = spd_find(s, f[i].dir, &f[i].sel);

		if (e != NULL && e->inherited && e->pol.tmpl && near_its_own(s, t, e->pol.reqid) &&
		    spd_by_reqid(s, e->pol.reqid) == NULL)
			return e->pol.reqid;
	}
	return 0;
}

static uint32_t
fresh_reqid(const struct spd *s, const struct target *t)
{
	uint32_t own = spd_reqid_of(s, t->node, t->channel.id), i, reqid;

	for (i = 0; i < REQIDS; i++) {
		reqid = reqid_after(s, own, i);
		if (hash_get(s->reqids, reqid_key(&reqid)) == NULL &&
		    hash_get(s->former, reqid_key(&reqid)) == NULL)
			return reqid;
	}
	return 0;
}

/* Unless something needs it. */
static void
target_release(struct spd *s, struct target *t)
{
	uint8_t buf[TARGET_KEY_MAX];

	if (t->n_pairs != 0 || t->has_policy || t->n_sas != 0)
		return;
	if (spd_by_reqid(s, t->reqid) == t)
		(void)hash_del(s->reqids, reqid_key(&t->reqid));
	(void)hash_del(s->targets, target_key(buf, t->node, t->channel.id));
	free(t);
}

static int
target_get(struct spd *s, const char *node, const struct channel *c, const struct pair *p,
    struct target **out)
{
	struct target *t = spd_target(s, node, c->id);
	uint8_t buf[TARGET_KEY_MAX];
	int r;

	if ((*out = t) != NULL)
		return OK;
	if ((t = calloc(1, sizeof *t)) == NULL)
		return ERR_NOMEM;
	memcpy(t->node, node, strnlen(node, ID_MAX - 1));
	t->channel = *c;
	if ((t->reqid = inherited_reqid(s, t, p)) == 0)
		t->reqid = fresh_reqid(s, t);
	r = t->reqid == 0 ? ERR_SPACE : hash_add(s->targets, target_key(buf, t->node, c->id), t);
	if (r != OK) {
		free(t);
		return r;
	}
	if ((r = hash_add(s->reqids, reqid_key(&t->reqid), t)) != OK)
		target_release(s, t);
	else
		*out = t;
	return r;
}

/* ---- pairs ---- */

static bool
pair_sound(const struct pair *p)
{
	if (addr_len(&p->local) == 0 || p->local.family != p->peer.family ||
	    addr_len(&p->sel_local) == 0 || p->sel_local.family != p->sel_peer.family)
		return false;
	return p->mode == SA_TUNNEL || (p->mode == SA_TRANSPORT &&
	    addr_equal(&p->local, &p->sel_local) && addr_equal(&p->peer, &p->sel_peer));
}

/* The bypass is for IKE alone; policies that would go before it can't be. */
static bool
channel_sound(const struct spd *s, const struct channel *c)
{
	return c->proto != SPD_UDP || c->port == 0 || !spd_is_ike_port(s, c->port);
}

static bool
pair_equal(const struct pair *a, const struct pair *b)
{
	return addr_equal(&a->local, &b->local) && addr_equal(&a->peer, &b->peer) &&
	    addr_equal(&a->sel_local, &b->sel_local) && addr_equal(&a->sel_peer, &b->sel_peer) &&
	    a->mode == b->mode;
}

static struct pair *
pair_find(struct target *t, const struct pair *like)
{
	uint8_t i;

	for (i = 0; i < t->n_pairs; i++)
		if (pair_equal(&t->pairs[i], like))
			return &t->pairs[i];
	return NULL;
}

static void
pair_remove(struct target *t, const struct pair *p)
{
	size_t at = (size_t)(p - t->pairs);

	t->n_pairs--;
	memmove(&t->pairs[at], &t->pairs[at + 1], (t->n_pairs - at) * sizeof *p);
}

/* A new one if there is none; NULL: they are too many. */
static struct pair *
pair_get(struct target *t, const struct pair *like)
{
	struct pair *p = pair_find(t, like);

	if (p != NULL || t->n_pairs == TARGET_PAIRS_MAX)
		return p;
	p = &t->pairs[t->n_pairs++];
	*p = *like;
	return p;
}

static void
pairs_without_policy(struct target *t)
{
	uint8_t i;

	for (i = 0; i < t->n_pairs; i++)
		t->pairs[i].by_policy = false;
}

/* Those that nothing needs any more. */
static void
pairs_tidy(struct target *t)
{
	uint8_t i = 0;

	while (i < t->n_pairs)
		if (t->pairs[i].by_policy || t->pairs[i].n_sas != 0)
			i++;
		else
			pair_remove(t, &t->pairs[i]);
}

/* ---- policies of the document ---- */

int
spd_policy_add(struct spd *s, const struct policy *p)
{
	struct pair like = { .local = p->local, .peer = p->peer, .sel_local = p->local,
	    .sel_peer = p->peer, .mode = p->channel.mode }, *pair;
	struct target *t, next;
	int r;

	if ((p->action != POLICY_PROTECT && p->action != POLICY_BLOCK) || !pair_sound(&like) ||
	    !channel_sound(s, &p->channel))
		return ERR_UNSUPPORTED;
	if ((r = target_get(s, p->node, &p->channel, &like, &t)) != OK)
		return r;
	next = *t;
	next.channel = p->channel;
	next.has_policy = true;
	next.blocked = p->action == POLICY_BLOCK;
	pairs_without_policy(&next);
	pairs_tidy(&next);
	if ((pair = pair_get(&next, &like)) == NULL) {
		r = ERR_SPACE;
	} else {
		pair->by_policy = true;
		r = target_become(s, t, &next);
	}
	target_release(s, t);
	return r;
}

int
spd_policy_del(struct spd *s, const char *node, const char *channel)
{
	struct target *t = spd_target(s, node, channel), next;

	if (t == NULL || !t->has_policy)
		return ERR_NOTFOUND;
	next = *t;
	next.has_policy = next.blocked = false;
	pairs_without_policy(&next);
	pairs_tidy(&next);
	(void)target_become(s, t, &next);
	target_release(s, t);
	return OK;
}

/* ---- SAs ---- */

static struct pair
pair_of(const struct sa_params *sa)
{
	bool out = sa->dir == SA_OUT;

	return (struct pair){
		.local = out ? sa->src : sa->dst, .peer = out ? sa->dst : sa->src,
		.sel_local = out ? sa->src_sel[0].lo : sa->dst_sel[0].lo,
		.sel_peer = out ? sa->dst_sel[0].lo : sa->src_sel[0].lo,
		.mode = sa->mode,
	};
}

int
spd_bind(struct spd *s, const char *node, const struct channel *c, const struct sa_params *sa,
    struct target **out)
{
	struct pair like = pair_of(sa), *pair;
	struct target *t, next;
	int r;

	if (!pair_sound(&like) || !channel_sound(s, c))
		return ERR_UNSUPPORTED;
	if ((r = target_get(s, node, c, &like, &t)) != OK)
		return r;
	if (t->blocked)
		return ERR_DENIED;
	next = *t;
	if ((pair = pair_get(&next, &like)) == NULL) {
		r = ERR_SPACE;
	} else {
		like = *pair;
		like.n_sas++;
		pair_remove(&next, pair);
		next.pairs[next.n_pairs++] = like;
		next.n_sas++;
		r = target_become(s, t, &next);
	}
	target_release(s, t);
	if (r == OK)
		*out = t;
	return r;
}

void
spd_unbind(struct spd *s, struct target *t, const struct sa_params *sa)
{
	struct pair like = pair_of(sa), *pair;
	struct target next = *t;

	if ((pair = pair_find(&next, &like)) != NULL && pair->n_sas != 0)
		pair->n_sas--;
	if (next.n_sas != 0)
		next.n_sas--;
	pairs_tidy(&next);
	(void)target_become(s, t, &next);
	target_release(s, t);
}
