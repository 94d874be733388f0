/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/nft_read.h"

/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* ---- attributes ---- */

bool
nft_attr_next(struct rd *r, struct nft_attr *a)
{
	struct nlattr h;
	size_t pad;

	if (rd_left(r) == 0)
		return false;
	rd_copy(r, &h, sizeof h);
	if (!rd_ok(r) || h.nla_len < sizeof h) {
		rd_fail(r);
		return false;
	}
	a->type = (uint16_t)(h.nla_type & NLA_TYPE_MASK);
	a->nested = (h.nla_type & NLA_F_NESTED) != 0;
	a->value = rd_take(r, h.nla_len - sizeof h);
	pad = (4u - h.nla_len % 4u) % 4u;
	rd_skip(r, pad < rd_left(r) ? pad : rd_left(r));
	return rd_ok(r);
}

int
nft_attrs(struct bytes payload, struct bytes *at, size_t n)
{
	struct rd r = rd_open(payload);
	struct nft_attr a;

	memset(at, 0, n * sizeof *at);
	while (nft_attr_next(&r, &a))
		if (a.type < n && at[a.type].p == NULL)
			at[a.type] = a.value;
	return rd_ok(&r) ? OK : ERR_SYNTAX;
}

bool
nft_u32(struct bytes b, uint32_t *v)
{
	struct rd r = rd_open(b);

	*v = rd_u32(&r);
	if (rd_end(&r))
		return true;
	*v = 0;
	return false;
}

bool
nft_u64(struct bytes b, uint64_t *v)
{
	struct rd r = rd_open(b);

	*v = rd_u64(&r);
	if (rd_end(&r))
		return true;
	*v = 0;
	return false;
}

bool
nft_is(struct bytes b, const char *s)
{
	if (b.n > 0 && b.p[b.n - 1] == '\0')
		b.n--;
	return bytes_equal(b, bytes_str(s));
}

/* A number that may be missing (0), but not of another length. */
static bool
u32_or_0(struct bytes b, uint32_t *v)
{
	*v = 0;
	return b.p == NULL || nft_u32(b, v);
}

/* ---- messages ---- */

int
nft_open_msg(const struct nlmsghdr *h, uint16_t *type, uint8_t *family, struct bytes *attrs)
{
	struct rd r = rd_open(bytes_of(h, h->nlmsg_len));
	struct nfgenmsg g;

	rd_skip(&r, sizeof *h);
	rd_copy(&r, &g, sizeof g);
	if (!rd_ok(&r) || NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return ERR_SYNTAX;
	*type = (uint16_t)NFNL_MSG_TYPE(h->nlmsg_type);
	*family = g.nfgen_family;
	*attrs = rd_rest(&r);
	return OK;
}

int
nft_open_ours(const struct nlmsghdr *h, uint16_t type, const char *table, struct bytes *attrs)
{
	/* Attribute 1 is the table in all of them. */
	struct bytes at[NFTA_RULE_TABLE + 1];
	uint16_t t;
	uint8_t family;

	if (nft_open_msg(h, &t, &family, attrs) != OK || t != type || nft_attrs(*attrs, at, NFTA_RULE_TABLE + 1) != OK)
		return ERR_SYNTAX;
	return family == NFPROTO_INET && nft_is(at[NFTA_RULE_TABLE], table) ? OK : ERR_NOTFOUND;
}

/* Newer than the headers of Linux 6.1: a deletion that is content when there is nothing (Linux 6.3). */
#define MSG_DESTROYTABLE 26

bool
nft_read_event(const struct nlmsghdr *h, const char *table, uint32_t port_id, bool *gone)
{
	struct bytes attrs, at[NFTA_RULE_TABLE + 1];
	uint16_t type;
	uint8_t family;

	*gone = false;
	if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES || h->nlmsg_pid == port_id)
		return false;
	if (nft_open_msg(h, &type, &family, &attrs) != OK)
		return true;
	if (type == NFT_MSG_NEWGEN || type == NFT_MSG_TRACE || family != NFPROTO_INET)
		return false;
	if (nft_attrs(attrs, at, NFTA_RULE_TABLE + 1) != OK)
		return true;
	if (!nft_is(at[NFTA_RULE_TABLE], table))
		return false;
	*gone = type == NFT_MSG_DELTABLE || type == MSG_DESTROYTABLE;
	return true;
}

int
nft_read_table(struct bytes attrs, struct nft_read_table *t)
{
	struct bytes at[NFTA_TABLE_USE + 1];

	memset(t, 0, sizeof *t);
	if (nft_attrs(attrs, at, NFTA_TABLE_USE + 1) != OK || !u32_or_0(at[NFTA_TABLE_FLAGS], &t->flags) ||
	    !u32_or_0(at[NFTA_TABLE_USE], &t->use))
		return ERR_SYNTAX;
	return OK;
}

static int
read_hook(struct bytes hook, struct nft_read_chain *c)
{
	struct bytes at[NFTA_HOOK_DEVS + 1];
	uint32_t priority;

	if (nft_attrs(hook, at, NFTA_HOOK_DEVS + 1) != OK || !nft_u32(at[NFTA_HOOK_HOOKNUM], &c->hook) ||
	    !nft_u32(at[NFTA_HOOK_PRIORITY], &priority))
		return ERR_SYNTAX;
	c->priority = (int32_t)priority;
	c->devices = at[NFTA_HOOK_DEV].p != NULL || at[NFTA_HOOK_DEVS].p != NULL;
	c->base = true;
	return OK;
}

int
nft_read_chain(struct bytes attrs, struct nft_read_chain *c)
{
	struct bytes at[NFTA_CHAIN_FLAGS + 1];

	memset(c, 0, sizeof *c);
	if (nft_attrs(attrs, at, NFTA_CHAIN_FLAGS + 1) != OK || at[NFTA_CHAIN_NAME].p == NULL ||
	    !u32_or_0(at[NFTA_CHAIN_POLICY], &c->policy) || !u32_or_0(at[NFTA_CHAIN_FLAGS], &c->flags))
		return ERR_SYNTAX;
	c->name = at[NFTA_CHAIN_NAME];
	c->type = at[NFTA_CHAIN_TYPE];
	return at[NFTA_CHAIN_HOOK].p == NULL ? OK : read_hook(at[NFTA_CHAIN_HOOK], c);
}

int
nft_read_rule(struct bytes attrs, struct nft_read_rule *r)
{
	struct bytes at[NFTA_RULE_COMPAT + 1];

	memset(r, 0, sizeof *r);
	if (nft_attrs(attrs, at, NFTA_RULE_COMPAT + 1) != OK || at[NFTA_RULE_CHAIN].p == NULL)
		return ERR_SYNTAX;
	r->chain = at[NFTA_RULE_CHAIN];
	r->expressions = at[NFTA_RULE_EXPRESSIONS];
	r->compat = at[NFTA_RULE_COMPAT].p != NULL;
	return OK;
}

int
nft_read_set(struct bytes attrs, struct nft_read_set *s)
{
	struct bytes at[NFTA_SET_EXPRESSIONS + 1], desc[NFTA_SET_DESC_SIZE + 1], expr[NFTA_EXPR_NAME + 1];

	memset(s, 0, sizeof *s);
	if (nft_attrs(attrs, at, NFTA_SET_EXPRESSIONS + 1) != OK || at[NFTA_SET_NAME].p == NULL ||
	    !nft_u32(at[NFTA_SET_KEY_LEN], &s->key_len) || !u32_or_0(at[NFTA_SET_FLAGS], &s->flags))
		return ERR_SYNTAX;
	s->name = at[NFTA_SET_NAME];
	s->data = at[NFTA_SET_DATA_LEN].p != NULL || at[NFTA_SET_OBJ_TYPE].p != NULL;
	s->timeout = at[NFTA_SET_TIMEOUT].p != NULL;
	if (nft_attrs(at[NFTA_SET_DESC], desc, NFTA_SET_DESC_SIZE + 1) != OK ||
	    !u32_or_0(desc[NFTA_SET_DESC_SIZE], &s->size) ||
	    nft_attrs(at[NFTA_SET_EXPR], expr, NFTA_EXPR_NAME + 1) != OK)
		return ERR_SYNTAX;
	s->counter = nft_is(expr[NFTA_EXPR_NAME], "counter");
	s->expressions = at[NFTA_SET_EXPRESSIONS].p != NULL || (at[NFTA_SET_EXPR].p != NULL && !s->counter);
	return OK;
}

/* Of a counter's NFTA_COUNTER_ attributes. */
static bool
read_packets(struct bytes counter, uint64_t *packets)
{
	struct bytes at[NFTA_COUNTER_PACKETS + 1];

	return nft_attrs(counter, at, NFTA_COUNTER_PACKETS + 1) == OK && nft_u64(at[NFTA_COUNTER_PACKETS], packets);
}

int
nft_read_counter(struct bytes attrs, struct nft_read_counter *c)
{
	struct bytes at[NFTA_OBJ_DATA + 1];

	memset(c, 0, sizeof *c);
	if (nft_attrs(attrs, at, NFTA_OBJ_DATA + 1) != OK || at[NFTA_OBJ_NAME].p == NULL ||
	    !nft_u32(at[NFTA_OBJ_TYPE], &c->type))
		return ERR_SYNTAX;
	c->name = at[NFTA_OBJ_NAME];
	if (c->type != NFT_OBJECT_COUNTER)
		return OK;
	return read_packets(at[NFTA_OBJ_DATA], &c->packets) ? OK : ERR_SYNTAX;
}

static int
read_elem(struct bytes elem, struct nft_read_elem *e)
{
	struct bytes at[NFTA_SET_ELEM_EXPRESSIONS + 1], key[NFTA_DATA_VALUE + 1], expr[NFTA_EXPR_DATA + 1];
	uint32_t flags;

	memset(e, 0, sizeof *e);
	if (nft_attrs(elem, at, NFTA_SET_ELEM_EXPRESSIONS + 1) != OK || !u32_or_0(at[NFTA_SET_ELEM_FLAGS], &flags) ||
	    nft_attrs(at[NFTA_SET_ELEM_KEY], key, NFTA_DATA_VALUE + 1) != OK ||
	    nft_attrs(at[NFTA_SET_ELEM_EXPR], expr, NFTA_EXPR_DATA + 1) != OK)
		return ERR_SYNTAX;
	e->key = key[NFTA_DATA_VALUE];
	e->plain = e->key.n != 0 && flags == 0 && at[NFTA_SET_ELEM_DATA].p == NULL &&
	    at[NFTA_SET_ELEM_TIMEOUT].p == NULL && at[NFTA_SET_ELEM_EXPIRATION].p == NULL &&
	    at[NFTA_SET_ELEM_OBJREF].p == NULL && at[NFTA_SET_ELEM_KEY_END].p == NULL &&
	    at[NFTA_SET_ELEM_EXPRESSIONS].p == NULL;
	if (nft_is(expr[NFTA_EXPR_NAME], "counter"))
		return read_packets(expr[NFTA_EXPR_DATA], &e->packets) ? OK : ERR_SYNTAX;
	return OK;
}

int
nft_read_elems(struct bytes attrs, void (*each)(void *arg, const struct nft_read_elem *), void *arg)
{
	struct bytes at[NFTA_SET_ELEM_LIST_ELEMENTS + 1];
	struct nft_read_elem e;
	struct nft_attr a;
	struct rd r;

	if (nft_attrs(attrs, at, NFTA_SET_ELEM_LIST_ELEMENTS + 1) != OK)
		return ERR_SYNTAX;
	r = rd_open(at[NFTA_SET_ELEM_LIST_ELEMENTS]);
	while (nft_attr_next(&r, &a)) {
		if (a.type != NFTA_LIST_ELEM || read_elem(a.value, &e) != OK)
			return ERR_SYNTAX;
		each(arg, &e);
	}
	return rd_ok(&r) ? OK : ERR_SYNTAX;
}
