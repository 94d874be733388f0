/* SPDX-License-Identifier: ISC */
/* Is the table in the kernel ours? Each step reads one kind of objects and says the first difference. */
#include <errno.h>
/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "xfrm-backend/nft_int.h"
#include "xfrm-backend/nft_read.h"
#include "xfrm-backend/nft_same.h"

#define NAME_SHOWN 64

/* What is wanted in all sets, by set and key. */
struct wanted {
	struct hash *elems;          /* to an entry of seen */
	bool *seen;
	size_t n, n_seen;
};

struct check {
	struct nft *nft;
	char *why;
	int r;                       /* ERR_NOTFOUND once a difference is known */
	uint32_t use;                /* objects that the table says it has */
	bool chains[NT_CHAINS], sets[NT_SETS], counters[NT_COUNTERS];
	unsigned rules[NT_CHAINS];   /* seen in this chain */
	struct wanted want;
	unsigned set;                /* whose elements are being read */
	alignas(struct nlmsghdr) uint8_t buf[NMSG_MAX];   /* our version of a rule */
};

/* The first difference is the one that is told; returns what stops a dump. */
__attribute__((format(printf, 2, 3)))
static int
differs(struct check *c, const char *how, ...)
{
	char text[NL_WHY];
	va_list ap;

	if (c->r != OK)
		return c->r;
	va_start(ap, how);
	(void)vsnprintf(text, sizeof text, how, ap);
	va_end(ap);
	(void)snprintf(c->why, NL_WHY, "table inet %s: %.200s", c->nft->table, text);
	return c->r = ERR_NOTFOUND;
}

static int
malformed(struct check *c, const char *what)
{
	if (c->r == OK) {
		(void)snprintf(c->why, NL_WHY, "table inet %s: the kernel's words about %s are malformed",
		    c->nft->table, what);
		c->r = ERR_SYNTAX;
	}
	return c->r;
}

/* A name from the kernel, fit to be shown. */
static const char *
shown(struct bytes name, char buf[static NAME_SHOWN])
{
	size_t i;

	for (i = 0; i < name.n && i < NAME_SHOWN - 1 && name.p[i] != '\0'; i++)
		buf[i] = name.p[i] > ' ' && name.p[i] <= '~' ? (char)name.p[i] : '?';
	buf[i] = '\0';
	return buf;
}

/* One step: a dump, then what it said. */
static int
dump(struct check *c, struct nlmsghdr *request, int (*each)(void *arg, const struct nlmsghdr *))
{
	int r = nft_dump(c->nft, request, NFT_ABOUT_TABLE, 0, each, c, c->why);

	return r != OK ? r : c->r;
}

/* ---- the table ---- */

static void
on_table(void *arg, size_t item, int err, const struct nlmsghdr *reply, const char *text)
{
	struct check *c = arg;
	struct nft_read_table t;
	struct bytes attrs;

	(void)item;
	if (err == ENOENT)
		(void)differs(c, "it is gone");
	else if (err != 0)
		c->r = nft_explain(c->nft, NFT_ABOUT_TABLE, 0, err, text, c->why);
	else if (reply == NULL || nft_open_ours(reply, NFT_MSG_NEWTABLE, c->nft->table, &attrs) != OK ||
	    nft_read_table(attrs, &t) != OK)
		(void)malformed(c, "it");
	else if ((t.flags & NFT_TABLE_F_DORMANT) != 0)
		(void)differs(c, "it is dormant, nothing of it is in force");
	else if (t.flags != 0)
		(void)differs(c, "it has flags 0x%x, not 0", t.flags);
	else
		c->use = t.use;
}

static int
check_table(struct check *c)
{
	size_t item;
	int r;

	if ((r = nl_add(c->nft->nl, nmsg_table_get(c->nft->buf, c->nft->table), &item)) != OK)
		return nft_explain(c->nft, NFT_ABOUT_TABLE, 0, ENOMEM, "", c->why);
	r = nl_run(c->nft->nl, false, on_table, c);
	return c->r != OK ? c->r : r != OK ? nft_explain(c->nft, NFT_ABOUT_TABLE, 0, EIO, "", c->why) : OK;
}

/* ---- chains ---- */

static unsigned
chain_of(struct bytes name)
{
	unsigned i;

	for (i = 0; i < NT_CHAINS; i++)
		if (nft_is(name, nt_chains[i].name))
			break;
	return i;
}

static int
on_chain(void *arg, const struct nlmsghdr *h)
{
	struct check *c = arg;
	struct nft_read_chain k;
	char name[NAME_SHOWN];
	struct bytes attrs;
	unsigned i;
	int r = nft_open_ours(h, NFT_MSG_NEWCHAIN, c->nft->table, &attrs);

	if (r == ERR_NOTFOUND)
		return OK;
	if (r != OK || nft_read_chain(attrs, &k) != OK)
		return malformed(c, "chains");
	(void)shown(k.name, name);
	if ((i = chain_of(k.name)) == NT_CHAINS)
		return differs(c, "chain %s is not ours", name);
	c->chains[i] = true;
	if (!k.base)
		return differs(c, "chain %s is at no hook", name);
	if (k.hook != nt_chains[i].hook)
		return differs(c, "chain %s is at hook %u, not %u", name, k.hook, nt_chains[i].hook);
	if (k.priority != NT_PRIORITY)
		return differs(c, "chain %s has priority %d, not %d", name, k.priority, NT_PRIORITY);
	if (k.policy != NF_ACCEPT)
		return differs(c, "chain %s has policy %s, not accept", name, k.policy == NF_DROP ? "drop" : "unknown");
	if (!nft_is(k.type, "filter"))
		return differs(c, "chain %s is not of type filter", name);
	if (k.devices || (k.flags & ~(uint32_t)NFT_CHAIN_BASE) != 0)
		return differs(c, "chain %s is not for all packets", name);
	return OK;
}

static int
check_chains(struct check *c)
{
	unsigned i;
	int r;

	if ((r = dump(c, nmsg_dump(c->nft->buf, NFT_MSG_GETCHAIN, c->nft->table), on_chain)) != OK)
		return r;
	for (i = 0; i < NT_CHAINS; i++)
		if (!c->chains[i])
			return differs(c, "chain %s is missing", nt_chains[i].name);
	return OK;
}

/* ---- rules ---- */

/* Rule n of a chain, by its number in nt_rules; NT_RULES: there are fewer. */
static unsigned
rule_of(unsigned chain, unsigned n)
{
	unsigned i;

	for (i = 0; i < NT_RULES; i++)
		if (nt_rules[i].chain == chain && n-- == 0)
			break;
	return i;
}

/* Does the kernel's rule say what ours says? */
static bool
is_rule(struct check *c, unsigned rule, const struct nft_read_rule *r)
{
	struct nlmsghdr *h = nmsg_rule_add(c->buf, c->nft->table, rule);
	struct nft_read_rule our;
	struct bytes attrs;

	return !r->compat && h != NULL && nft_open_ours(h, NFT_MSG_NEWRULE, c->nft->table, &attrs) == OK &&
	    nft_read_rule(attrs, &our) == OK && nft_same_expressions(our.expressions, r->expressions);
}

static int
on_rule(void *arg, const struct nlmsghdr *h)
{
	struct check *c = arg;
	struct nft_read_rule rule;
	char name[NAME_SHOWN];
	struct bytes attrs;
	unsigned chain, want, later;
	int r = nft_open_ours(h, NFT_MSG_NEWRULE, c->nft->table, &attrs);

	if (r == ERR_NOTFOUND)
		return OK;
	if (r != OK || nft_read_rule(attrs, &rule) != OK)
		return malformed(c, "rules");
	if ((chain = chain_of(rule.chain)) == NT_CHAINS)
		return differs(c, "a rule in chain %s is not ours", shown(rule.chain, name));
	want = rule_of(chain, c->rules[chain]++);
	if (want < NT_RULES && is_rule(c, want, &rule))
		return OK;
	/* A rule of ours further down: the one that was due is missing. Else this one is too many, or changed. */
	for (later = want + 1; later < NT_RULES && nt_rules[later].chain == chain; later++)
		if (is_rule(c, later, &rule))
			return differs(c, "chain %s: rule %u \"%s\" is missing", nt_chains[chain].name,
			    c->rules[chain], nt_rules[want].comment);
	if (want == NT_RULES)
		return differs(c, "chain %s: rule %u is not ours", nt_chains[chain].name, c->rules[chain]);
	return differs(c, "chain %s: rule %u is not ours, where \"%s\" should be", nt_chains[chain].name,
	    c->rules[chain], nt_rules[want].comment);
}

static int
check_rules(struct check *c)
{
	unsigned i, want;
	int r;

	if ((r = dump(c, nmsg_dump(c->nft->buf, NFT_MSG_GETRULE, c->nft->table), on_rule)) != OK)
		return r;
	for (i = 0; i < NT_CHAINS; i++) {
		want = rule_of(i, c->rules[i]);
		if (want != NT_RULES)
			return differs(c, "chain %s: rule %u \"%s\" is missing", nt_chains[i].name, c->rules[i] + 1,
			    nt_rules[want].comment);
	}
	return OK;
}

/* ---- sets and counters ---- */

static int
on_set(void *arg, const struct nlmsghdr *h)
{
	struct check *c = arg;
	const struct nt_set_def *d;
	struct nft_read_set s;
	char name[NAME_SHOWN];
	struct bytes attrs;
	unsigned i;
	int r = nft_open_ours(h, NFT_MSG_NEWSET, c->nft->table, &attrs);

	if (r == ERR_NOTFOUND)
		return OK;
	if (r != OK || nft_read_set(attrs, &s) != OK)
		return malformed(c, "sets");
	for (i = 0; i < NT_SETS && !nft_is(s.name, nt_sets[i].name); i++)
		;
	(void)shown(s.name, name);
	if (i == NT_SETS)
		return differs(c, "set %s is not ours", name);
	c->sets[i] = true;
	d = &nt_sets[i];
	if (s.key_len != d->key_len)
		return differs(c, "set %s has keys of %u octets, not %u", name, s.key_len, d->key_len);
	if (s.flags != d->flags)
		return differs(c, "set %s has flags 0x%x, not 0x%x", name, s.flags, d->flags);
	if (s.size != d->size)
		return differs(c, "set %s has size %u, not %u", name, s.size, d->size);
	if (s.data || s.timeout)
		return differs(c, "set %s is %s", name, s.data ? "a map" : "one whose elements expire");
	if (s.expressions || s.counter != ((d->flags & NFT_SET_EVAL) != 0))
		return differs(c, "set %s has other expressions per element", name);
	return OK;
}

static int
check_sets(struct check *c)
{
	unsigned i;
	int r;

	if ((r = dump(c, nmsg_dump(c->nft->buf, NFT_MSG_GETSET, c->nft->table), on_set)) != OK)
		return r;
	for (i = 0; i < NT_SETS; i++)
		if (!c->sets[i])
			return differs(c, "set %s is missing", nt_sets[i].name);
	return OK;
}

static int
on_counter(void *arg, const struct nlmsghdr *h)
{
	struct check *c = arg;
	struct nft_read_counter counter;
	char name[NAME_SHOWN];
	struct bytes attrs;
	unsigned i;
	int r = nft_open_ours(h, NFT_MSG_NEWOBJ, c->nft->table, &attrs);

	if (r == ERR_NOTFOUND)
		return OK;
	if (r != OK || nft_read_counter(attrs, &counter) != OK)
		return malformed(c, "counters");
	for (i = 0; i < NT_COUNTERS; i++)
		if (nft_is(counter.name, nt_counters[i]) && counter.type == NFT_OBJECT_COUNTER) {
			c->counters[i] = true;
			return OK;
		}
	return differs(c, "object %s is not ours", shown(counter.name, name));
}

static int
check_counters(struct check *c)
{
	unsigned i;
	int r;

	if ((r = dump(c, nmsg_dump(c->nft->buf, NFT_MSG_GETOBJ, c->nft->table), on_counter)) != OK)
		return r;
	for (i = 0; i < NT_COUNTERS; i++)
		if (!c->counters[i])
			return differs(c, "counter %s is missing", nt_counters[i]);
	if (c->use != NT_CHAINS + NT_SETS + NT_COUNTERS)
		return differs(c, "it holds %u objects, not %d", c->use, NT_CHAINS + NT_SETS + NT_COUNTERS);
	return OK;
}

/* ---- elements ---- */

#define MARK_MAX (1 + NFT_KEY_MAX)

/* The key with its set in front; empty for an element that can't be. */
static struct bytes
mark_of(const struct nft_elem *e, uint8_t mark[static MARK_MAX])
{
	size_t n = nft_key(e, mark + 1);

	mark[0] = e->set;
	return bytes_of(mark, n == 0 ? 0 : 1 + n);
}

static int
want(struct wanted *w, const uint8_t seed[static 16], nft_next_fn next, void *arg)
{
	uint8_t mark[MARK_MAX];
	struct nft_elem e;
	size_t n = 0, i = 0;
	bool first;
	int r;

	for (first = true; next(arg, first, &e); first = false)
		n++;
	if ((w->elems = hash_new(seed)) == NULL || (w->seen = calloc(n + 1, sizeof *w->seen)) == NULL)
		return ERR_NOMEM;
	for (first = true; i < n && next(arg, first, &e); first = false) {
		struct bytes m = mark_of(&e, mark);

		if (m.n == 0)
			return ERR_VALUE;
		/* Several grants may allow the same. */
		if ((r = hash_add(w->elems, m, &w->seen[i++])) != OK && r != ERR_EXISTS)
			return r;
	}
	w->n = hash_count(w->elems);
	return OK;
}

static void
on_elem(void *arg, const struct nft_read_elem *read)
{
	struct check *c = arg;
	uint8_t mark[MARK_MAX];
	char text[NFT_ELEM_STRLEN];
	struct nft_elem e;
	bool *seen;

	if (c->r != OK)
		return;
	if (read->key.n == 0) {
		(void)differs(c, "set %s holds an element for every key, which is not ours", nt_sets[c->set].name);
		return;
	}
	if (!read->plain || nft_key_read(c->set, read->key, &e) != OK) {
		(void)differs(c, "set %s holds an element of a kind that is not ours", nt_sets[c->set].name);
		return;
	}
	if ((seen = hash_get(c->want.elems, mark_of(&e, mark))) == NULL) {
		(void)differs(c, "%s is not ours", nft_elem_str(&e, text));
		return;
	}
	c->want.n_seen += !*seen;
	*seen = true;
}

static int
on_elems(void *arg, const struct nlmsghdr *h)
{
	struct check *c = arg;
	struct bytes attrs;

	if (nft_open_ours(h, NFT_MSG_NEWSETELEM, c->nft->table, &attrs) != OK ||
	    nft_read_elems(attrs, on_elem, c) != OK)
		return malformed(c, "elements");
	return c->r;
}

static int
say_missing(struct check *c, nft_next_fn next, void *arg)
{
	uint8_t mark[MARK_MAX];
	char text[NFT_ELEM_STRLEN];
	struct nft_elem e;
	bool first, *seen;

	for (first = true; next(arg, first, &e); first = false)
		if ((seen = hash_get(c->want.elems, mark_of(&e, mark))) != NULL && !*seen)
			return differs(c, "%s is missing", nft_elem_str(&e, text));
	return differs(c, "elements are missing");
}

static int
check_elems(struct check *c, nft_next_fn next, void *arg)
{
	int r;

	if ((r = want(&c->want, c->nft->seed, next, arg)) != OK) {
		(void)snprintf(c->why, NL_WHY, "table inet %s: elements: %s", c->nft->table, err_str(r));
		return r;
	}
	for (c->set = 0; c->set < NFT_SETS; c->set++)
		if ((r = dump(c, nft_elems_dump(c->nft->buf, c->nft->table, c->set), on_elems)) != OK)
			return r;
	return c->want.n_seen == c->want.n ? OK : say_missing(c, next, arg);
}

int
nft_verify(struct nft *nft, nft_next_fn next, void *arg, char why[static NL_WHY])
{
	struct check *c = calloc(1, sizeof *c);
	int r;

	if (c == NULL)
		return nft_explain(nft, NFT_ABOUT_TABLE, 0, ENOMEM, "", why);
	c->nft = nft;
	c->why = why;
	/* What rules name comes before them: it is the better word for what is wrong. */
	if ((r = check_table(c)) == OK && (r = check_chains(c)) == OK && (r = check_sets(c)) == OK &&
	    (r = check_counters(c)) == OK && (r = check_rules(c)) == OK)
		r = check_elems(c, next, arg);
	hash_free(c->want.elems);
	free(c->want.seen);
	free(c);
	return r;
}
