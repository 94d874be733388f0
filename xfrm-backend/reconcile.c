/* SPDX-License-Identifier: ISC */
/*
 * Full comparison of what is ours with what the kernel has: at start, after notifications were lost, after
 * somebody's flush, and every `reconcile` seconds. Differences are repaired and logged; objects of
 * others are only looked at.
 */
#include <errno.h>
#include <stdlib.h>

#include "xfrm-backend/state.h"

#define RETRY_MS 1000

struct scan {
	struct backend *b;
	bool first;
	size_t repaired;
	int r;
};

/* ---- policies that go before ours ---- */

void
shadows_forget(struct backend *b)
{
	while (b->n_shadows != 0)
		free(b->shadows[--b->n_shadows].text);
}

static bool
shadow_told(struct backend *b, const char *text)
{
	size_t i;

	for (i = 0; i < b->n_shadows; i++)
		if (strcmp(b->shadows[i].text, text) == 0) {
			b->shadows[i].seen = true;
			return true;
		}
	return false;
}

static void
shadows_unseen(struct backend *b)
{
	size_t i;

	for (i = 0; i < b->n_shadows; i++)
		b->shadows[i].seen = false;
}

static void
shadows_gone(struct backend *b)
{
	size_t i = 0;

	while (i < b->n_shadows) {
		if (b->shadows[i].seen) {
			i++;
			continue;
		}
		free(b->shadows[i].text);
		b->shadows[i] = b->shadows[--b->n_shadows];
	}
}

void
shadow_check(struct backend *b, const struct xpol *p)
{
	char theirs[XPOL_STRLEN], ours[XPOL_STRLEN];
	const struct pol_entry *e;
	size_t pos = 0;

	if (p->dir > XDIR_OUT)
		return;
	while ((e = spd_entry_next(&b->spd, &pos)) != NULL) {
		bool bypass = !e->pol.block && !e->pol.tmpl;

		if (!e->want || bypass || e->pol.dir != p->dir || p->priority > e->pol.priority ||
		    !xsel_overlap(&p->sel, &e->pol.sel))
			continue;
		(void)xpol_str(p, theirs);
		if (shadow_told(b, theirs) || b->n_shadows == SHADOWS_MAX)
			return;
		b->shadows[b->n_shadows] = (struct shadow){ .text = strdup(theirs), .seen = true };
		if (b->shadows[b->n_shadows].text != NULL)
			b->n_shadows++;
		log_warn("somebody else's policy %s goes before ours, %s: what it lets through in the "
		    "clear is dropped by nf_tables; remove it, or give it a priority above %u",
		    theirs, xpol_str(&e->pol, ours), e->pol.priority);
		return;
	}
}

/* ---- policies ---- */

static int
see_policy(void *arg, const struct nlmsghdr *m)
{
	struct scan *s = arg;
	struct backend *b = s->b;
	struct pol_entry *e;
	struct xpol p;
	uint16_t port;

	if (xmsg_pol_read(m, &p) != OK)
		return OK;
	e = spd_find(&b->spd, p.dir, &p.sel);
	if (e != NULL && e->want) {
		e->seen = true;
		if (xpol_equal(&p, &e->pol)) {
			e->have = true;
			return OK;
		}
		s->repaired += e->have;
		e->have = e->differs = e->have || spd_is_own(&b->spd, &p);
		spd_touch(&b->spd, e);
		return OK;
	}
	if (!spd_is_own(&b->spd, &p)) {
		shadow_check(b, &p);
		return OK;
	}
	if (e != NULL)
		e->seen = true;
	if ((s->r = spd_inherit(&b->spd, &p)) != OK)
		return s->r;
	if ((e = spd_find(&b->spd, p.dir, &p.sel)) != NULL)
		e->seen = true;
	/* Nobody but --remove takes a block away. */
	if (spd_is_block(&b->spd, &p, &port) && (s->r = spd_block(&b->spd, port)) == OK)
		s->r = vn_port(&b->vn, port);
	return s->r;
}

static void
policies_unseen(struct backend *b)
{
	struct pol_entry *e;
	size_t pos = 0;

	while ((e = spd_entry_next(&b->spd, &pos)) != NULL)
		e->seen = false;
}

static void
policies_missing(struct scan *s)
{
	struct backend *b = s->b;
	struct pol_entry *e;
	char name[XPOL_STRLEN];
	size_t pos = 0;

	while ((e = spd_entry_next(&b->spd, &pos)) != NULL) {
		if (e->seen)
			continue;
		/* One that could not be installed is tried again. */
		if (e->have || e->want)
			spd_touch(&b->spd, e);
		if (!e->have)
			continue;
		e->have = e->differs = e->inherited = false;
		if (!e->want)
			continue;
		s->repaired++;
		log_peer(&b->bucket, b->now_ms, "policy %s was gone: installed again",
		    xpol_str(&e->pol, name));
	}
}

static int
dump(struct scan *s, struct nlmsghdr *request, int (*each)(void *, const struct nlmsghdr *),
    const char *what)
{
	int e = 0, r = nl_dump(s->b->req, request, each, s, &e);

	if (r == ERR_IO)
		log_error("the kernel's %s can't be read: %s%s", what, strerror(e),
		    e == EPERM ? "; CAP_NET_ADMIN is missing" : "");
	return r == OK ? s->r : r;
}

static int
policies(struct scan *s)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	int r;

	policies_unseen(s->b);
	shadows_unseen(s->b);
	r = dump(s, xmsg_pol_dump(buf), see_policy, "policies");
	if (r == OK) {
		policies_missing(s);
		shadows_gone(s->b);
	}
	return r;
}

/* ---- SAs ---- */

static int
see_sa(void *arg, const struct nlmsghdr *m)
{
	struct scan *s = arg;
	struct backend *b = s->b;
	struct sad_entry *e;
	struct xsa_figures f;
	struct xsa x;
	char name[XSA_STRLEN];

	if (xmsg_sa_read(m, &x, &f) != OK || x.spi == 0)
		return OK;
	if ((e = sad_find(&b->sad, x.spi, &x.dst)) != NULL) {
		e->seen = xsa_equal(&x, &e->x);
		e->changed = !e->seen && x.reqid == e->x.reqid;
		return OK;
	}
	if (!spd_is_own_reqid(&b->spd, x.reqid))
		return OK;
	if (sad_former(&b->sad, x.spi, &x.dst) != NULL)
		return OK;
	if (!s->first)
		log_warn("SA %s has a reqid of ours, but is not ours: it is deleted; reqid-base in "
		    "[backend] chooses another range", xsa_str(&x, name));
	if ((s->r = spd_reserve(&b->spd, x.reqid)) == OK)
		s->r = sad_inherit(&b->sad, &x);
	return s->r;
}

static void
sas_missing(struct scan *s)
{
	struct backend *b = s->b;
	struct sad_entry *e;
	char name[XSA_STRLEN];
	size_t pos = 0;

	while ((e = sad_next(&b->sad, &pos)) != NULL) {
		struct addr dst = e->p.dst;
		uint8_t dir = e->p.dir;
		uint32_t spi = e->p.spi;

		if (e->seen || !e->have)
			continue;
		b->repairs[REPAIR_SA_GONE]++;
		log_peer(&b->bucket, b->now_ms, "SA %s was deleted or changed by somebody else: it is "
		    "replaced by a new one", xsa_str(&e->x, name));
		e->unfit = e->changed;
		sa_gone(b, e);
		backend_expire(b->host, dir, spi, &dst, true);
	}
}

static int
sas(struct scan *s)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	struct sad_entry *e;
	size_t pos = 0;
	int r;

	while ((e = sad_next(&s->b->sad, &pos)) != NULL)
		e->seen = e->changed = false;
	r = dump(s, xmsg_sa_dump(buf), see_sa, "SAs");
	if (r == OK && !s->first)
		sas_missing(s);
	s->b->sas_due = false;
	return r;
}

/* ---- what a former process left ---- */

static void
former_delete(struct backend *b, struct xsa *x)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));

	(void)request_add(b, xmsg_sa_del(buf, x->spi, &x->dst),
	    &(struct item){ .kind = ITEM_SA_DEL, .call = SIZE_MAX });
	sad_former_del(&b->sad, x);
}

void
former_drop(struct backend *b)
{
	struct xsa *x;
	size_t pos = 0, n = 0;

	while ((x = sad_former_next(&b->sad, &pos)) != NULL) {
		former_delete(b, x);
		n++;
	}
	if (n != 0)
		log_info("%zu SAs of a former process deleted: nothing came to replace them", n);
	spd_disinherit(&b->spd);
	vn_disinherit(&b->vn);
}

void
former_replaced(struct backend *b, const struct target *t)
{
	struct xsa *x;
	size_t pos = 0;

	while ((x = sad_former_next(&b->sad, &pos)) != NULL)
		if (x->reqid == t->reqid)
			former_delete(b, x);
}

/* ---- the table ---- */

static void
inherit_elem(void *arg, const struct nft_elem *e)
{
	struct scan *s = arg;

	struct backend *b = s->b;
	int r = OK;

	if (e->set == NFT_SET_VXLAN) {
		if (!spd_is_ike_port(&b->spd, e->port) && (r = spd_block(&b->spd, e->port)) == OK)
			r = vn_port(&b->vn, e->port);
	} else if (e->set != NFT_SET_VNI4 && e->set != NFT_SET_VNI6) {
		r = vn_inherit(&b->vn, e);
	} else if (spd_is_own_reqid(&b->spd, e->reqid) &&
	    (r = spd_reserve(&b->spd, e->reqid)) == OK) {
		r = vn_inherit(&b->vn, e);
	}
	if (r != OK)
		s->r = r;
}

static int
table(struct scan *s)
{
	struct backend *b = s->b;
	struct table_walk w = { b, 0 };
	char why[NL_WHY] = "";
	int r;

	if (s->first) {
		/* What is there is kept, but the table is made anew: nobody knows what is in it. */
		(void)nft_elements(b->nft, inherit_elem, s, why);
		return s->r != OK ? s->r : table_build(b);
	}
	r = nft_verify(b->nft, table_next, &w, why);
	if (r == OK) {
		b->nft_due = false;
		return OK;
	}
	if (r == ERR_AGAIN)              /* somebody keeps changing nf_tables: look again soon */
		return r;
	log_peer(&b->bucket, b->now_ms, "nf_tables table %s is not as we made it: %s: it is made anew",
	    b->options.table, why);
	b->repairs[REPAIR_TABLE]++;
	return table_build(b);
}

int
table_adopt(struct backend *b)
{
	return table(&(struct scan){ .b = b, .first = true });
}

/* ---- all of it ---- */

int
reconcile(struct backend *b, bool first)
{
	struct scan s = { .b = b, .first = first };
	int r, one;

	/* Nothing may be on its way while we look. */
	if (!first)
		apply(b);
	b->reconciled_ms = b->now_ms;
	b->reconcile_at = b->now_ms + (int64_t)b->options.reconcile_s * 1000;
	r = b->no_table ? OK : table(&s);
	if ((one = policies(&s)) != OK)
		r = one;
	apply(b);
	if ((one = sas(&s)) != OK)
		r = one;
	if (!first && b->inherit_until == INT64_MAX)
		former_drop(b);
	if (s.repaired != 0) {
		b->repairs[REPAIR_POLICY] += s.repaired;
		log_warn("%zu of our policies were removed or changed by somebody else: installed again",
		    s.repaired);
	}
	apply(b);
	if (r != OK)
		b->reconcile_at = b->now_ms + RETRY_MS;
	return r;
}
