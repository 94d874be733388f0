/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "xfrm-backend/state.h"

#define ROUNDS 3                 /* replacing what a former process left takes a second one */
#define RETRY_MS 1000
#define NFT_BATCH 4096           /* elements in one transaction */

int
err_of_errno(int e)
{
	switch (e) {
	case 0:
		return OK;
	case EEXIST:
		return ERR_EXISTS;
	case ENOMEM:
	case ENOBUFS:
		return ERR_NOMEM;
	case EPERM:
	case EACCES:
		return ERR_DENIED;
	case EPROTONOSUPPORT:
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case ENOSYS:
	case ENOENT:
		return ERR_UNSUPPORTED;
	case ESRCH:
		return ERR_NOTFOUND;
	default:
		return ERR_IO;
	}
}

/* ---- what is collected ---- */

size_t
call_add(struct backend *b, enum call_kind kind, const void *about)
{
	if (b->n_calls == b->cap_calls) {
		size_t cap = b->cap_calls == 0 ? 64 : 2 * b->cap_calls;
		struct call *more = realloc(b->calls, cap * sizeof *more);

		if (more == NULL)
			return SIZE_MAX;
		b->calls = more;
		b->cap_calls = cap;
	}
	b->calls[b->n_calls] = (struct call){ .kind = kind, .result = OK, .about = about };
	return b->n_calls++;
}

int
request_add(struct backend *b, struct nlmsghdr *m, const struct item *item)
{
	size_t at;
	int r;

	if (m == NULL)
		return ERR_UNSUPPORTED;
	if (b->n_items == b->cap_items) {
		size_t cap = b->cap_items == 0 ? 64 : 2 * b->cap_items;
		struct item *more = realloc(b->items, cap * sizeof *more);

		if (more == NULL) {
			wipe(m, m->nlmsg_len);
			return ERR_NOMEM;
		}
		b->items = more;
		b->cap_items = cap;
	}
	r = nl_add(b->req, m, &at);
	wipe(m, m->nlmsg_len);
	if (r != OK)
		return r;
	b->items[b->n_items++] = *item;
	return OK;
}

static void
call_failed(struct backend *b, size_t call, int r)
{
	if (call < b->n_calls && b->calls[call].result == OK)
		b->calls[call].result = r;
}

/* ---- SAs ---- */

void
sa_gone(struct backend *b, struct sad_entry *e)
{
	struct target *t = e->target;
	char node[ID_MAX];
	size_t targets;
	uint8_t pairs;

	if (e->dead)
		return;
	sad_del(&b->sad, e);
	e->target = NULL;
	if (t == NULL)
		return;
	memcpy(node, t->node, sizeof node);
	targets = hash_count(b->spd.targets);
	pairs = t->n_pairs;
	spd_unbind(&b->spd, t, &e->p);
	if (hash_count(b->spd.targets) != targets || t->n_pairs != pairs)
		(void)vn_node_again(&b->vn, &b->spd, node);
}

static void
sa_failed(struct backend *b, const struct item *it, int r)
{
	call_failed(b, it->call, r);
	sa_gone(b, it->sa);
}

static const char *
way_out(int e)
{
	switch (e) {
	case EEXIST:
		return "; another SA has this SPI and address (ip xfrm state): the peer is asked for a new "
		    "pair of SAs";
	case EPROTONOSUPPORT:
		return "; the kernel has no ESP: modprobe -a esp4 esp6, or take another kernel";
	case ENOSYS:
	case ENOENT:
	case EOPNOTSUPP:
		return "; the kernel lacks this algorithm: load its module, or have the NVA choose another "
		    "suite; `overlock check` lists what there is";
	case EPERM:
		return "; CAP_NET_ADMIN is missing";
	default:
		return "";
	}
}

static void
sa_added(struct backend *b, const struct item *it, int e, const char *text)
{
	char name[XSA_STRLEN], esp[48];
	const char *t;

	if (e == 0 || it->sa->dead)
		return;
	t = esp_transform_name(&it->sa->x.transform, esp);
	log_error("SA %s (%s) not installed: %s%s%s%s", xsa_str(&it->sa->x, name),
	    t == NULL ? "?" : t, strerror(e), text[0] == '\0' ? "" : ", ", text, way_out(e));
	sa_failed(b, it, err_of_errno(e));
}

static void
sa_read_back(struct backend *b, const struct item *it, int e, const struct nlmsghdr *reply)
{
	struct xsa_figures f;
	struct xsa x;
	char name[XSA_STRLEN];

	if (it->sa->dead)
		return;
	if (e == 0 && reply != NULL && xmsg_sa_read(reply, &x, &f) == OK &&
	    xsa_equal(&x, &it->sa->x)) {
		it->sa->have = true;
		return;
	}
	log_error("SA %s: the kernel does not hold it as it was given (%s): it is not used",
	    xsa_str(&it->sa->x, name), e == 0 ? "another value read back" : strerror(e));
	it->sa->unfit = true;
	sa_failed(b, it, ERR_IO);
}

/* ---- policies ---- */

/* What was asked for this target's sake has failed. */
static void
policy_failed(struct backend *b, const struct pol_entry *p, int r)
{
	size_t i;

	for (i = 0; i < b->n_calls; i++)
		if (b->calls[i].kind == CALL_POLICY && b->calls[i].about == p->target &&
		    p->target != NULL && b->calls[i].result == OK)
			b->calls[i].result = r;
}

static void
policy_conflict(struct backend *b, struct pol_entry *p, const struct xpol *there)
{
	char ours[XPOL_STRLEN], theirs[XPOL_STRLEN];

	if (!p->conflict)
		log_error("policy %s can't be installed: somebody else has %s in its place: remove that "
		    "(ip xfrm policy delete); until then nf_tables alone keeps plaintext back",
		    xpol_str(&p->pol, ours), xpol_str(there, theirs));
	p->conflict = true;
	p->have = false;
	policy_failed(b, p, ERR_EXISTS);
}

static void
policy_added(struct backend *b, const struct item *it, int e, const char *text)
{
	char name[XPOL_STRLEN];

	if (e == 0 || e == EEXIST)       /* what is there is read back */
		return;
	log_error("policy %s not installed: %s%s%s%s", xpol_str(&it->pol->pol, name), strerror(e),
	    text[0] == '\0' ? "" : ", ", text, way_out(e));
	policy_failed(b, it->pol, err_of_errno(e));
}

static void
policy_read_back(struct backend *b, const struct item *it, int e, const struct nlmsghdr *reply)
{
	struct pol_entry *p = it->pol;
	struct xpol there;

	if (e != 0 || reply == NULL || xmsg_pol_read(reply, &there) != OK) {
		p->have = false;
		policy_failed(b, p, ERR_IO);
	} else if (xpol_equal(&there, &p->pol)) {
		p->have = true;
		p->differs = p->conflict = false;
	} else if (spd_is_own(&b->spd, &there)) {
		p->have = p->differs = true;
		spd_touch(&b->spd, p);
	} else {
		policy_conflict(b, p, &there);
	}
}

static void
policies_queue(struct backend *b)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	struct pol_entry *p;

	while ((p = spd_dirty(&b->spd)) != NULL) {
		if (p->want) {
			if (request_add(b, xmsg_pol_add(buf, &p->pol, p->have && p->differs),
			    &(struct item){ .kind = ITEM_POL_ADD, .pol = p, .call = SIZE_MAX }) != OK ||
			    request_add(b, xmsg_pol_get(buf, p->pol.dir, &p->pol.sel),
			    &(struct item){ .kind = ITEM_POL_GET, .pol = p, .call = SIZE_MAX }) != OK)
				policy_failed(b, p, ERR_NOMEM);
		} else if (request_add(b, xmsg_pol_del(buf, p->pol.dir, &p->pol.sel),
		    &(struct item){ .kind = ITEM_POL_DEL, .pol = p, .call = SIZE_MAX }) == OK) {
			p->have = false;
		}
	}
}

/* ---- answers ---- */

static void
on_answer(void *arg, size_t at, int e, const struct nlmsghdr *reply, const char *text)
{
	struct backend *b = arg;
	struct item it;

	if (at >= b->n_items)
		return;
	it = b->items[at];
	switch (it.kind) {
	case ITEM_SA_ADD:
		sa_added(b, &it, e, text);
		break;
	case ITEM_SA_GET:
		sa_read_back(b, &it, e, reply);
		break;
	case ITEM_SA_DEL:
		/* Gone already is gone as well. */
		if (e != 0 && e != ESRCH) {
			call_failed(b, it.call, err_of_errno(e));
			b->failed_deletions++;
		}
		break;
	case ITEM_POL_ADD:
		policy_added(b, &it, e, text);
		break;
	case ITEM_POL_GET:
		policy_read_back(b, &it, e, reply);
		break;
	case ITEM_POL_DEL:
		/* What can't be deleted is found again by the next comparison. */
		if (e != 0 && e != ENOENT && e != ESRCH) {
			b->reconcile_at = b->now_ms + RETRY_MS;
			b->failed_deletions++;
		}
		break;
	}
}

static void
release_deleted(struct backend *b, const struct item *items, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (items[i].kind == ITEM_POL_DEL)
			spd_release(&b->spd, items[i].pol);
}

/* Has the target an SA for each direction now? */
static bool
goes_both_ways(const struct backend *b, const struct target *t)
{
	const struct sad_entry *e;
	bool in = false, out = false;
	size_t pos = 0;

	while ((!in || !out) && (e = sad_next(&b->sad, &pos)) != NULL)
		if (e->target == t && e->have) {
			in |= e->p.dir == SA_IN;
			out |= e->p.dir == SA_OUT;
		}
	return in && out;
}

static void
supersede_former(struct backend *b, const struct item *items, size_t n)
{
	size_t i;

	for (i = 0; i < n && hash_count(b->sad.former) != 0; i++)
		if (items[i].kind == ITEM_SA_GET && items[i].sa->target != NULL &&
		    items[i].sa->have && goes_both_ways(b, items[i].sa->target))
			former_replaced(b, items[i].sa->target);
}

static void
run_requests(struct backend *b)
{
	struct item *done;
	size_t n;

	if (nl_run(b->req, false, on_answer, b) != OK)
		log_error("netlink: the kernel did not take all requests: %s", strerror(errno));
	/* What is asked for from here on is for the next run. */
	done = b->items;
	n = b->n_items;
	b->items = NULL;
	b->n_items = b->cap_items = 0;
	release_deleted(b, done, n);
	supersede_former(b, done, n);
	free(done);
}

/* SAs that are in the kernel but may not be used. */
static void
unfit_queue(struct backend *b)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	struct sad_entry *e;

	for (e = b->sad.dead; e != NULL; e = e->next_dead)
		if (e->unfit && request_add(b, xmsg_sa_del(buf, e->p.spi, &e->p.dst),
		    &(struct item){ .kind = ITEM_SA_DEL, .call = SIZE_MAX }) == OK)
			e->unfit = false;
}

/* ---- VNs ---- */

bool
table_next(void *arg, bool first, struct nft_elem *e)
{
	struct table_walk *w = arg;
	struct vn_entry *v;

	if (first)
		w->pos = 0;
	while ((v = vn_next(&w->b->vn, &w->pos)) != NULL)
		if (vn_stays(v)) {
			*e = v->e;
			return true;
		}
	return false;
}

/* All that is wanted is in the new table, and nothing else. */
static void
table_is_new(struct backend *b)
{
	struct vn_entry *v;
	size_t pos = 0;

	while ((v = vn_next(&b->vn, &pos)) != NULL) {
		v->have = vn_stays(v);
		if (!v->have)
			vn_touch(&b->vn, v);
	}
}

static void
grants_failed(struct backend *b, int r)
{
	size_t i;

	for (i = 0; i < b->n_calls; i++)
		if (b->calls[i].kind == CALL_GRANT && b->calls[i].result == OK)
			b->calls[i].result = r;
}

int
table_build(struct backend *b)
{
	const struct nft_figures before = b->figures_base;
	struct table_walk w = { b, 0 };
	char why[NL_WHY] = "";
	int r;

	figures_keep(b);
	if ((r = nft_build(b->nft, table_next, &w, why)) != OK) {
		b->figures_base = before;
		log_error("nf_tables table %s can't be made: %s", b->options.table, why);
		grants_failed(b, r);
		b->nft_gone = true;
		b->nft_retry_at = b->now_ms + RETRY_MS;
		return r;
	}
	table_is_new(b);
	b->nft_gone = b->nft_due = false;
	return OK;
}

static void
vn_change(struct backend *b, bool add)
{
	struct vn_entry **taken = malloc(NFT_BATCH * sizeof *taken);
	struct nft_elem *elems = malloc(NFT_BATCH * sizeof *elems);
	char why[NL_WHY] = "";
	size_t n = 0, i;
	int r = OK;

	if (taken == NULL || elems == NULL) {
		grants_failed(b, ERR_NOMEM);
		b->nft_due = true;
		goto out;
	}
	do {
		for (n = 0; n < NFT_BATCH && (taken[n] = vn_dirty(&b->vn, add)) != NULL; n++)
			elems[n] = taken[n]->e;
		if (n == 0)
			break;
		r = nft_change(b->nft, elems, add ? n : 0, elems, add ? 0 : n, why);
		for (i = 0; i < n; i++) {
			if (r == OK)
				taken[i]->have = add;
			else
				vn_touch(&b->vn, taken[i]);
			if (!add && r == OK)
				vn_release(&b->vn, taken[i]);
		}
	} while (n == NFT_BATCH && r == OK);
	if (r != OK) {
		log_error("nf_tables table %s: %s: it is made anew", b->options.table, why);
		b->repairs[REPAIR_TABLE]++;
		(void)table_build(b);
	}
out:
	free(taken);
	free(elems);
}

/* ---- all of it ---- */

void
apply(struct backend *b)
{
	int round;

	if (!b->nft_gone)
		vn_change(b, false);
	for (round = 0; round < ROUNDS; round++) {
		policies_queue(b);
		unfit_queue(b);
		if (nl_pending(b->req) == 0)
			break;
		run_requests(b);
	}
	/* After the policies, which are quicker: one of the two layers is enough against plaintext. */
	if (b->nft_gone && b->now_ms >= b->nft_retry_at)
		(void)table_build(b);
	if (b->nft_gone)
		grants_failed(b, ERR_IO);
	else
		vn_change(b, true);
	sad_sweep(&b->sad);
}

void
op_settle(struct backend *b, void (*result)(void *, int), void *arg)
{
	struct call *calls;
	size_t i, n;

	again_run(b);
	apply(b);
	calls = b->calls;
	n = b->n_calls;
	b->calls = NULL;
	b->n_calls = b->cap_calls = 0;
	for (i = 0; i < n; i++)
		result(arg, calls[i].result);
	free(calls);
}
