/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/nft_msg.h"

/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/bytes.h"

#define DIR_IN 0                     /* of an xfrm expression: XFRM_POLICY_IN */

static struct nlmsghdr *
header(void *buf, uint16_t type, unsigned flags)
{
	return nftnl_nlmsg_build_hdr(buf, type, NFPROTO_INET, (uint16_t)flags, 0);
}

struct nlmsghdr *
nmsg_batch_begin(void *buf)
{
	return nftnl_batch_begin(buf, 0);
}

struct nlmsghdr *
nmsg_batch_end(void *buf)
{
	return nftnl_batch_end(buf, 0);
}

/* ---- tables, counters, chains ---- */

struct nlmsghdr *
nmsg_table_add(void *buf, const char *table)
{
	struct nlmsghdr *h = header(buf, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, 0);
	return h;
}

struct nlmsghdr *
nmsg_table_del(void *buf, const char *table)
{
	struct nlmsghdr *h = header(buf, NFT_MSG_DELTABLE, NLM_F_ACK);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	return h;
}

struct nlmsghdr *
nmsg_counter_add(void *buf, const char *table, unsigned counter)
{
	struct nftnl_obj *o = nftnl_obj_alloc();
	struct nlmsghdr *h;

	if (o == NULL)
		return NULL;
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, table);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, nt_counters[counter]);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	/* The kernel wants the data of an object to be there. */
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, 0);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_BYTES, 0);
	h = header(buf, NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_ACK);
	nftnl_obj_nlmsg_build_payload(h, o);
	nftnl_obj_free(o);
	return h;
}

struct nlmsghdr *
nmsg_chain_add(void *buf, const char *table, unsigned chain)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h;

	if (c == NULL)
		return NULL;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, nt_chains[chain].name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, nt_chains[chain].hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, NT_PRIORITY);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	h = header(buf, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK);
	nftnl_chain_nlmsg_build_payload(h, c);
	nftnl_chain_free(c);
	return h;
}

/* ---- sets ---- */

/*
 * The notes by which nft(8) shows a key: its own numbers of expressions (13 concatenation, 7 payload,
 * 27 xfrm), of headers and their fields. It does without when they are missing or unknown to it.
 */
#define EXPR_CONCAT 13
struct part_note {
	uint32_t expr;
	uint8_t n;
	uint32_t v[5];
};
static const struct part_note part_notes[] = {
	[NT_REQID] = { 27, 3, { NFT_XFRM_KEY_REQID, 0, DIR_IN } },
	[NT_SADDR4] = { 7, 2, { 12, 11 } },
	[NT_SADDR6] = { 7, 2, { 13, 8 } },
	[NT_VNI] = { 7, 5, { 0, 0, 3, 96, 24 } },          /* 24 bits at 96 of the transport header */
};

enum { ORDER_NONE = 0, ORDER_BIG_ENDIAN = 2 };

static void
put_part(struct nftnl_udata_buf *u, uint8_t i, const struct part_note *p)
{
	struct nftnl_udata *part = nftnl_udata_nest_start(u, i), *data;
	uint8_t k;

	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_TYPEOF_EXPR, p->expr);
	data = nftnl_udata_nest_start(u, NFTNL_UDATA_SET_TYPEOF_DATA);
	for (k = 0; k < p->n; k++)
		nftnl_udata_put_u32(u, k, p->v[k]);
	nftnl_udata_nest_end(u, data);
	nftnl_udata_nest_end(u, part);
}

static struct nftnl_udata_buf *
set_notes(const struct nt_set_def *d)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	struct nftnl_udata *key, *parts;
	uint8_t i;

	if (u == NULL)
		return NULL;
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER, d->key_len <= 2 ? ORDER_BIG_ENDIAN : ORDER_NONE);
	if (d->parts[0] == NT_NO_PART)
		return u;
	key = nftnl_udata_nest_start(u, NFTNL_UDATA_SET_KEY_TYPEOF);
	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_TYPEOF_EXPR, EXPR_CONCAT);
	parts = nftnl_udata_nest_start(u, NFTNL_UDATA_SET_TYPEOF_DATA);
	for (i = 0; i < NT_PARTS && d->parts[i] != NT_NO_PART; i++)
		put_part(u, i, &part_notes[d->parts[i]]);
	nftnl_udata_nest_end(u, parts);
	nftnl_udata_nest_end(u, key);
	return u;
}

struct nlmsghdr *
nmsg_set_add(void *buf, const char *table, unsigned set)
{
	const struct nt_set_def *d = &nt_sets[set];
	struct nftnl_set *s = nftnl_set_alloc();
	struct nftnl_udata_buf *u = set_notes(d);
	struct nftnl_expr *counter = (d->flags & NFT_SET_EVAL) != 0 ? nftnl_expr_alloc("counter") : NULL;
	struct nlmsghdr *h = NULL;

	if (s == NULL || u == NULL || ((d->flags & NFT_SET_EVAL) != 0 && counter == NULL)) {
		if (counter != NULL)
			nftnl_expr_free(counter);
		goto out;
	}
	nftnl_set_set_str(s, NFTNL_SET_TABLE, table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, d->name);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, d->flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, d->type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, d->key_len);
	nftnl_set_set_u32(s, NFTNL_SET_ID, set + 1);
	if (d->size != 0)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, d->size);
	(void)nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	if (counter != NULL)
		nftnl_set_add_expr(s, counter);      /* the set's from here on */
	h = header(buf, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_ACK);
	nftnl_set_nlmsg_build_payload(h, s);
out:
	if (u != NULL)
		nftnl_udata_buf_free(u);
	if (s != NULL)
		nftnl_set_free(s);
	return h;
}

/* ---- rules ---- */

static const char *
op_name(const struct nt_op *op)
{
	static const char *const names[] = { [NT_META] = "meta", [NT_RT] = "rt", [NT_LOAD_REQID] = "xfrm",
	    [NT_LOAD] = "payload", [NT_LOAD_EXT] = "exthdr", [NT_IS] = "cmp", [NT_IS_U16] = "cmp",
	    [NT_LOOKUP] = "lookup", [NT_NOTE] = "dynset", [NT_COUNT] = "objref", [NT_VERDICT] = "immediate" };

	return names[op->what];
}

static struct nftnl_expr *
expr_of(const struct nt_op *op)
{
	struct nftnl_expr *e = nftnl_expr_alloc(op_name(op));
	uint8_t octet = (uint8_t)op->a;
	uint16_t u16 = (uint16_t)op->a;

	if (e == NULL)
		return NULL;
	switch (op->what) {
	case NT_META:
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, op->a);
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, op->reg);
		break;
	case NT_RT:
		nftnl_expr_set_u32(e, NFTNL_EXPR_RT_KEY, op->a);
		nftnl_expr_set_u32(e, NFTNL_EXPR_RT_DREG, op->reg);
		break;
	case NT_LOAD_REQID:
		nftnl_expr_set_u32(e, NFTNL_EXPR_XFRM_KEY, NFT_XFRM_KEY_REQID);
		nftnl_expr_set_u8(e, NFTNL_EXPR_XFRM_DIR, DIR_IN);
		nftnl_expr_set_u32(e, NFTNL_EXPR_XFRM_SPNUM, 0);
		nftnl_expr_set_u32(e, NFTNL_EXPR_XFRM_DREG, op->reg);
		break;
	case NT_LOAD:
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, op->reg);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, op->a);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, op->b);
		nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, op->c);
		break;
	case NT_LOAD_EXT:
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_DREG, op->reg);
		nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, (uint8_t)op->a);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, op->b);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, op->c);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
		break;
	case NT_IS:
	case NT_IS_U16:
		nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, op->reg);
		nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
		if (op->what == NT_IS)
			(void)nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &octet, sizeof octet);
		else
			(void)nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &u16, sizeof u16);
		break;
	case NT_LOOKUP:
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, op->reg);
		(void)nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, nt_sets[op->a].name);
		break;
	case NT_NOTE:
		nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, op->reg);
		nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
		(void)nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, nt_sets[op->a].name);
		break;
	case NT_COUNT:
		nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
		(void)nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, nt_counters[op->a]);
		break;
	case NT_VERDICT:
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, op->reg);
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, op->a);
		break;
	}
	return e;
}

/* 0 or ERR_NOMEM. */
static int
rule_fill(struct nftnl_rule *r, const char *table, const struct nt_rule *d)
{
	struct nftnl_udata_buf *u = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	const struct nt_op *op;
	struct nftnl_expr *e;

	if (u == NULL)
		return ERR_NOMEM;
	(void)nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	(void)nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, nt_chains[d->chain].name);
	(void)nftnl_udata_put_strz(u, NFTNL_UDATA_RULE_COMMENT, d->comment);
	(void)nftnl_rule_set_data(r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
	for (op = d->ops; op->what != NT_END; op++) {
		if ((e = expr_of(op)) == NULL)
			return ERR_NOMEM;
		nftnl_rule_add_expr(r, e);           /* the rule's from here on */
	}
	return OK;
}

struct nlmsghdr *
nmsg_rule_add(void *buf, const char *table, unsigned rule)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *h = NULL;

	if (r != NULL && rule_fill(r, table, &nt_rules[rule]) == OK) {
		h = header(buf, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
		nftnl_rule_nlmsg_build_payload(h, r);
	}
	if (r != NULL)
		nftnl_rule_free(r);
	return h;
}

/* ---- questions ---- */

struct nlmsghdr *
nmsg_table_get(void *buf, const char *table)
{
	struct nlmsghdr *h = header(buf, NFT_MSG_GETTABLE, NLM_F_ACK);

	mnl_attr_put_strz(h, NFTA_TABLE_NAME, table);
	return h;
}

struct nlmsghdr *
nmsg_set_get(void *buf, const char *table, unsigned set)
{
	struct nlmsghdr *h = header(buf, NFT_MSG_GETSET, NLM_F_ACK);

	mnl_attr_put_strz(h, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_NAME, nt_sets[set].name);
	return h;
}

struct nlmsghdr *
nmsg_dump(void *buf, uint16_t type, const char *table)
{
	struct nlmsghdr *h = header(buf, type, NLM_F_DUMP);

	/* Attribute 1 is the table in all of them. */
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, table);
	return h;
}
