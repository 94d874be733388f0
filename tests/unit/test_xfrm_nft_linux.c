/* SPDX-License-Identifier: ISC */
/* The nf_tables layer without a kernel: keys, messages as they are written, messages as they are read. */
#include "base_support.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <errno.h>

#include "xfrm-backend/nft_int.h"
#include "xfrm-backend/nft_read.h"
#include "xfrm-backend/nft_same.h"

union message {
	struct nlmsghdr h;
	uint8_t octets[NMSG_MAX];
};

static struct nft_elem
elem(uint8_t set, uint32_t reqid, const char *addr, uint32_t vni, uint8_t proto, uint16_t port)
{
	struct nft_elem e = { .set = set, .reqid = reqid, .vni = vni, .proto = proto, .port = port };

	if (addr != NULL)
		e.addr = test_addr(addr);
	return e;
}

/* ---- keys ---- */

TEST(keys_are_laid_out_as_the_registers_are)
{
	uint32_t reqid = 0x01020304;
	uint8_t vni4[12] = { 0, 0, 0, 0, 192, 0, 2, 1, 0x12, 0x34, 0x56, 0 };
	uint8_t vni6[24] = { 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 42, 0 };
	static const uint8_t port[2] = { 0x12, 0xb5 };
	static const uint8_t control4[12] = { 192, 0, 2, 1, 6, 0, 0, 0, 0, 179, 0, 0 };
	static const uint8_t control6[24] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0,
	    0x19, 0xf0, 0, 0 };
	const struct { struct nft_elem e; const uint8_t *want; size_t n; } rows[] = {
		{ elem(NFT_SET_VXLAN, 0, NULL, 0, 0, 4789), port, sizeof port },
		{ elem(NFT_SET_VNI4, reqid, "192.0.2.1", 0x123456, 0, 0), vni4, sizeof vni4 },
		{ elem(NFT_SET_VNI6, reqid, "2001:db8::1", 42, 0, 0), vni6, sizeof vni6 },
		{ elem(NFT_SET_CONTROL4, 0, "192.0.2.1", 0, 6, 179), control4, sizeof control4 },
		{ elem(NFT_SET_CONTROL6, 0, "2001:db8::1", 0, 6, 6640), control6, sizeof control6 },
	};
	char t1[NFT_ELEM_STRLEN], t2[NFT_ELEM_STRLEN];
	uint8_t key[NFT_KEY_MAX];
	size_t i;

	/* A number in a register, in the order of this machine. */
	memcpy(vni4, &reqid, sizeof reqid);
	memcpy(vni6, &reqid, sizeof reqid);
	for (i = 0; i < COUNT(rows); i++) {
		struct nft_elem back;

		assert_int_equal(nft_key(&rows[i].e, key), rows[i].n);
		assert_int_equal(rows[i].n, nt_sets[rows[i].e.set].key_len);
		assert_memory_equal(key, rows[i].want, rows[i].n);
		assert_int_equal(nft_key_read(rows[i].e.set, bytes_of(key, rows[i].n), &back), OK);
		assert_string_equal(nft_elem_str(&back, t1), nft_elem_str(&rows[i].e, t2));
		/* A length that is not this set's. */
		assert_int_equal(nft_key_read(rows[i].e.set, bytes_of(key, rows[i].n - 1), &back), ERR_SYNTAX);
	}
}

TEST(elements_that_cant_be_have_no_key)
{
	const struct nft_elem rows[] = {
		elem(NFT_SET_VXLAN, 0, NULL, 0, 0, 0),
		elem(NFT_SET_VNI4, 7, "192.0.2.1", 0x1000000, 0, 0),
		elem(NFT_SET_VNI4, 7, "2001:db8::1", 42, 0, 0),
		elem(NFT_SET_VNI4, 0, "192.0.2.1", 42, 0, 0),
		elem(NFT_SET_VNI6, 7, "192.0.2.1", 42, 0, 0),
		elem(NFT_SET_VNI6, 7, NULL, 42, 0, 0),
		elem(NFT_SET_CONTROL4, 0, "2001:db8::1", 0, 6, 179),
		elem(NFT_SET_CONTROL4, 0, "192.0.2.1", 0, 0, 179),
		elem(NFT_SET_CONTROL6, 0, "2001:db8::1", 0, 6, 0),
		elem(NFT_SETS, 7, "192.0.2.1", 42, 6, 179),
	};
	uint8_t key[NFT_KEY_MAX];
	char text[NFT_ELEM_STRLEN];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(nft_key(&rows[i], key), 0);
		assert_true(strlen(nft_elem_str(&rows[i], text)) > 0);
	}
}

TEST(keys_that_nobody_writes_are_refused)
{
	struct nft_elem e = elem(NFT_SET_VNI4, 7, "192.0.2.1", 42, 0, 0);
	uint8_t key[NFT_KEY_MAX];
	size_t n = nft_key(&e, key);

	key[11] = 1;         /* behind the VNI */
	assert_int_equal(nft_key_read(NFT_SET_VNI4, bytes_of(key, n), &e), ERR_SYNTAX);
	e = elem(NFT_SET_CONTROL4, 0, "192.0.2.1", 0, 6, 179);
	n = nft_key(&e, key);
	key[5] = 1;          /* behind the protocol */
	assert_int_equal(nft_key_read(NFT_SET_CONTROL4, bytes_of(key, n), &e), ERR_SYNTAX);
	assert_int_equal(nft_key_read(NT_SETS, bytes_of(key, n), &e), ERR_SYNTAX);
}

/* ---- messages ---- */

static void
is_request(const struct nlmsghdr *h, uint16_t type, unsigned flags)
{
	assert_non_null(h);
	assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_NFTABLES << 8 | type);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | flags);
}

TEST(a_batch_has_a_beginning_and_an_end_that_ask_for_no_answer)
{
	union message m;
	struct nlmsghdr *h = nmsg_batch_begin(&m);

	assert_int_equal(h->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST);
	h = nmsg_batch_end(&m);
	assert_int_equal(h->nlmsg_type, NFNL_MSG_BATCH_END);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST);
}

TEST(chains_are_filters_at_their_hooks)
{
	struct nft_read_chain c;
	struct bytes attrs;
	union message m;
	unsigned i;

	for (i = 0; i < NT_CHAINS; i++) {
		is_request(nmsg_chain_add(&m, "overlock", i), NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK);
		assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWCHAIN, "overlock", &attrs), OK);
		assert_int_equal(nft_read_chain(attrs, &c), OK);
		assert_true(c.base && nft_is(c.name, nt_chains[i].name) && nft_is(c.type, "filter"));
		assert_int_equal(c.hook, i == NT_IN ? NF_INET_LOCAL_IN : NF_INET_LOCAL_OUT);
		assert_int_equal(c.priority, -10);
		assert_int_equal(c.policy, NF_ACCEPT);
	}
}

TEST(sets_have_keys_of_their_length_and_denied_is_bounded)
{
	struct nft_read_set s;
	struct bytes attrs;
	union message m;
	unsigned i;

	for (i = 0; i < NT_SETS; i++) {
		is_request(nmsg_set_add(&m, "overlock", i), NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_ACK);
		assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWSET, "overlock", &attrs), OK);
		assert_int_equal(nft_read_set(attrs, &s), OK);
		assert_true(nft_is(s.name, nt_sets[i].name));
		assert_int_equal(s.key_len, nt_sets[i].key_len);
		assert_int_equal(s.flags, i == NT_DENIED ? NFT_SET_EVAL : 0);
		assert_int_equal(s.size, i == NT_DENIED ? NT_DENIED_MAX : 0);
		assert_int_equal(s.counter, i == NT_DENIED);
		assert_false(s.data || s.timeout || s.expressions);
	}
}

TEST(every_counter_is_a_counter)
{
	struct nft_read_counter c;
	struct bytes attrs;
	union message m;
	unsigned i;

	for (i = 0; i < NT_COUNTERS; i++) {
		is_request(nmsg_counter_add(&m, "overlock", i), NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_ACK);
		assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWOBJ, "overlock", &attrs), OK);
		assert_int_equal(nft_read_counter(attrs, &c), OK);
		assert_true(nft_is(c.name, nt_counters[i]));
		assert_int_equal(c.type, NFT_OBJECT_COUNTER);
		assert_int_equal(c.packets, 0);
	}
}

static struct bytes
expressions(union message *m, unsigned rule)
{
	struct nft_read_rule r;
	struct bytes attrs;

	/* libmnl leaves padding as it was. */
	memset(m, 0, sizeof *m);
	assert_non_null(nmsg_rule_add(m, "overlock", rule));
	assert_int_equal(nft_open_ours(&m->h, NFT_MSG_NEWRULE, "overlock", &attrs), OK);
	assert_int_equal(nft_read_rule(attrs, &r), OK);
	assert_true(nft_is(r.chain, nt_chains[nt_rules[rule].chain].name));
	return r.expressions;
}

/* What accepts names what it accepts; and in either chain, what was not accepted is dropped. */
TEST(rules_accept_what_is_in_a_set_and_then_drop)
{
	unsigned i, k, accepts = 0;

	for (i = 0; i < NT_RULES; i++) {
		const struct nt_op *op = nt_rules[i].ops;
		bool reqid = false, accept = false;
		unsigned looks = 0, exts = 0;

		assert_true(i == 0 || nt_rules[i].chain >= nt_rules[i - 1].chain);
		for (k = 0; op[k].what != NT_END; k++) {
			reqid = reqid || op[k].what == NT_LOAD_REQID;
			looks += op[k].what == NT_LOOKUP;
			exts += op[k].what == NT_LOAD_EXT;
			accept = accept || (op[k].what == NT_VERDICT && op[k].a == NF_ACCEPT);
		}
		assert_true(k > 0 && k < NT_OPS && looks + exts >= 1);
		assert_true(!accept || (reqid && looks == 2));
		accepts += accept;
	}
	assert_int_equal(accepts, 2);
}

TEST(every_rule_is_the_same_as_itself_only)
{
	static union message a, b;
	unsigned i, k;

	for (i = 0; i < NT_RULES; i++)
		for (k = 0; k < NT_RULES; k++) {
			/* Those of one direction and family that differ in the chain alone have other counters. */
			bool same = nft_same_expressions(expressions(&a, i), expressions(&b, k));

			is_request(&a.h, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK);
			assert_int_equal(same, i == k);
		}
}

/* Is the attribute whose header is at this place a number, 0? */
static bool
says_zero(struct bytes list, size_t at)
{
	struct rd r = rd_open(list);

	rd_skip(&r, at + sizeof(struct nlattr));
	return rd_u32(&r) == 0 && rd_ok(&r);
}

/* Any octet of an expression counts: its name, its attributes, its lengths. */
TEST(every_changed_octet_of_a_rule_is_seen)
{
	static union message a, b;
	unsigned i;

	for (i = 0; i < NT_RULES; i++) {
		struct bytes ours = expressions(&a, i), theirs = expressions(&b, i);
		uint8_t *p = b.octets + (theirs.p - b.octets);
		size_t n, k;

		for (k = 0; k < theirs.n; k++) {
			uint8_t was = p[k];
			bool same;

			p[k] ^= 0x41;
			same = nft_same_expressions(ours, theirs);
			/* Padding, the mark of a nest, the NUL of a name say nothing; nor does what is a default. */
			if (same)
				assert_true(was == 0 || (was & 0x80) != 0 || says_zero(theirs, k - 2));
			p[k] = was;
		}
		for (n = 0; n < theirs.n; n++)
			assert_false(nft_same_expressions(ours, bytes_of(theirs.p, n)));
	}
}

static void
put_attr(struct wr *w, uint16_t type, struct bytes value)
{
	uint16_t len = (uint16_t)(4 + value.n);

	wr_put(w, bytes_of(&len, 2));
	wr_put(w, bytes_of(&type, 2));
	wr_put(w, value);
	wr_zero(w, (4 - value.n % 4) % 4);
}

/* One lookup: with flags (the kernel tells them though nobody set any), negated, with one thing more. */
TEST(defaults_are_no_difference_and_all_else_is)
{
	static const struct { uint16_t type; uint32_t value; bool same; } rows[] = {
		{ NFTA_LOOKUP_FLAGS, 0, true }, { NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV, false },
		{ 99, 0, true }, { 99, 1, false },
	};
	uint8_t ours_buf[128], theirs_buf[128], data_buf[64];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct wr ours = wr_fixed(ours_buf, sizeof ours_buf), theirs = wr_fixed(theirs_buf, sizeof theirs_buf);
		struct wr expr, data = wr_fixed(data_buf, sizeof data_buf);
		uint8_t expr_buf[96], value[4] = { 0, 0, 0, (uint8_t)rows[i].value }, reg[4] = { 0, 0, 0, 1 };

		/* Ours: set, register; without NUL. Theirs: the other way round, and more. */
		put_attr(&data, NFTA_LOOKUP_SET, bytes_str("vxlan"));
		put_attr(&data, NFTA_LOOKUP_SREG, bytes_of(reg, 4));
		expr = wr_fixed(expr_buf, sizeof expr_buf);
		put_attr(&expr, NFTA_EXPR_NAME, bytes_of("lookup", 7));
		put_attr(&expr, NFTA_EXPR_DATA | NLA_F_NESTED, wr_view(&data));
		put_attr(&ours, NFTA_LIST_ELEM | NLA_F_NESTED, wr_view(&expr));

		data = wr_fixed(data_buf, sizeof data_buf);
		put_attr(&data, NFTA_LOOKUP_SREG, bytes_of(reg, 4));
		put_attr(&data, NFTA_LOOKUP_SET, bytes_of("vxlan", 6));
		put_attr(&data, rows[i].type, bytes_of(value, 4));
		expr = wr_fixed(expr_buf, sizeof expr_buf);
		put_attr(&expr, NFTA_EXPR_NAME, bytes_of("lookup", 7));
		put_attr(&expr, NFTA_EXPR_DATA, wr_view(&data));
		put_attr(&theirs, NFTA_LIST_ELEM, wr_view(&expr));
		assert_int_equal(nft_same_expressions(wr_view(&ours), wr_view(&theirs)), rows[i].same);
		/* One more expression behind it, on either side. */
		put_attr(&theirs, NFTA_LIST_ELEM, wr_view(&expr));
		assert_false(nft_same_expressions(wr_view(&ours), wr_view(&theirs)));
		assert_false(nft_same_expressions(wr_view(&theirs), wr_view(&ours)));
	}
}

/* What ours says and theirs doesn't is a difference, unless it is a zero. */
TEST(what_is_missing_is_a_difference)
{
	static const struct { uint32_t value; bool same; } rows[] = { { 0, true }, { 9, false } };
	uint8_t ours_buf[64], theirs_buf[64], with[64], without[64];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct wr a = wr_fixed(with, sizeof with), b = wr_fixed(without, sizeof without);
		struct wr ours = wr_fixed(ours_buf, sizeof ours_buf), theirs = wr_fixed(theirs_buf, sizeof theirs_buf);
		uint8_t value[4] = { 0, 0, 0, (uint8_t)rows[i].value };

		put_attr(&a, NFTA_EXPR_NAME, bytes_of("lookup", 7));
		put_attr(&a, NFTA_EXPR_DATA, bytes_of(value, 4));
		put_attr(&b, NFTA_EXPR_NAME, bytes_of("lookup", 7));
		put_attr(&ours, NFTA_LIST_ELEM, wr_view(&a));
		put_attr(&theirs, NFTA_LIST_ELEM, wr_view(&b));
		assert_int_equal(nft_same_expressions(wr_view(&ours), wr_view(&theirs)), rows[i].same);
		assert_int_equal(nft_same_expressions(wr_view(&theirs), wr_view(&ours)), rows[i].same);
	}
}

/* ---- elements in messages ---- */

struct told {
	uint32_t n;
	uint32_t sum;
};

static void
on_elem(void *arg, const struct nft_read_elem *r)
{
	struct told *t = arg;
	struct nft_elem e;

	assert_true(r->plain);
	assert_int_equal(nft_key_read(NFT_SET_VNI6, r->key, &e), OK);
	t->n++;
	t->sum += e.vni;
}

TEST(a_message_is_filled_up_and_read_back)
{
	static union {
		struct nlmsghdr h;
		uint8_t octets[NFT_ELEMS_ROOM];
	} m;
	struct told told = { 0, 0 };
	uint32_t n, sum = 0;
	uint8_t key[NFT_KEY_MAX];
	struct nft_elems list;
	struct bytes attrs;

	nft_elems_start(&list, &m, NFT_MSG_NEWSETELEM, "overlock", NFT_SET_VNI6);
	for (n = 0;; n++) {
		struct nft_elem e = elem(NFT_SET_VNI6, 7, "2001:db8::1", n, 0, 0);

		if (!nft_elems_put(&list, bytes_of(key, nft_key(&e, key))))
			break;
		sum += n;
	}
	assert_true(n > 1500 && list.n == n);
	assert_true(m.h.nlmsg_len <= NFT_ELEMS_ROOM);
	is_request(&m.h, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK);
	assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWSETELEM, "overlock", &attrs), OK);
	assert_int_equal(nft_read_elems(attrs, on_elem, &told), OK);
	assert_int_equal(told.n, n);
	assert_int_equal(told.sum, sum);
}

static void
look(void *arg, const struct nft_read_elem *r)
{
	*(struct nft_read_elem *)arg = *r;
}

/* What is more than a key is not plain: a catch-all matches whatever is looked up. */
TEST(elements_of_another_kind_are_told_apart)
{
	static const struct { uint16_t type; uint8_t octets; bool plain; } rows[] = {
		{ 0, 0, true }, { NFTA_SET_ELEM_FLAGS, 4, false }, { NFTA_SET_ELEM_DATA, 4, false },
		{ NFTA_SET_ELEM_TIMEOUT, 8, false }, { NFTA_SET_ELEM_EXPIRATION, 8, false },
		{ NFTA_SET_ELEM_KEY_END, 4, false }, { NFTA_SET_ELEM_OBJREF, 4, false },
		{ NFTA_SET_ELEM_EXPRESSIONS, 4, false }, { NFTA_SET_ELEM_USERDATA, 4, true },
	};
	static const uint8_t ones[8] = { 0, 0, 0, 0, 0, 0, 0, 2 };
	uint8_t buf[128], elem_buf[96], list_buf[112], value[16];
	struct nft_read_elem e;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct wr w = wr_fixed(value, sizeof value), el = wr_fixed(elem_buf, sizeof elem_buf);
		struct wr list = wr_fixed(list_buf, sizeof list_buf), m = wr_fixed(buf, sizeof buf);

		put_attr(&w, NFTA_DATA_VALUE, bytes_of("\x12\xb5", 2));
		put_attr(&el, NFTA_SET_ELEM_KEY, wr_view(&w));
		if (rows[i].type != 0)
			put_attr(&el, rows[i].type, bytes_of(ones + 8 - rows[i].octets, rows[i].octets));
		put_attr(&list, NFTA_LIST_ELEM, wr_view(&el));
		put_attr(&m, NFTA_SET_ELEM_LIST_ELEMENTS, wr_view(&list));
		assert_int_equal(nft_read_elems(wr_view(&m), look, &e), OK);
		assert_int_equal(e.plain, rows[i].plain);
	}
}

/* ---- readers ---- */

/* Do the first n octets end with an attribute, its padding apart? */
static bool
is_whole(struct bytes attrs, size_t n)
{
	struct rd r = rd_open(attrs);
	struct nft_attr a;

	while (n != 0 && nft_attr_next(&r, &a))
		if (n <= attrs.n - rd_left(&r))
			return n >= (size_t)(a.value.p + a.value.n - attrs.p);
	return n == 0;
}

TEST(every_truncation_is_refused)
{
	struct bytes attrs, at[NFTA_CHAIN_MAX + 1];
	static union message m;
	uint32_t n, len;

	len = nmsg_chain_add(&m, "overlock", NT_IN)->nlmsg_len;
	assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWCHAIN, "overlock", &attrs), OK);
	for (n = 0; n <= attrs.n; n++)
		assert_int_equal(nft_attrs(bytes_of(attrs.p, n), at, COUNT(at)), is_whole(attrs, n) ? OK : ERR_SYNTAX);
	for (n = sizeof m.h; n < sizeof m.h + sizeof(struct nfgenmsg); n++) {
		m.h.nlmsg_len = n;
		assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWCHAIN, "overlock", &attrs), ERR_SYNTAX);
	}
	m.h.nlmsg_len = len;
	assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWRULE, "overlock", &attrs), ERR_SYNTAX);
	assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWCHAIN, "overloc", &attrs), ERR_NOTFOUND);
	assert_int_equal(nft_open_ours(&m.h, NFT_MSG_NEWCHAIN, "overlockx", &attrs), ERR_NOTFOUND);
}

/* ---- notifications ---- */

static struct nlmsghdr *
event(union message *m, uint16_t type, uint8_t family, uint32_t port, const char *table)
{
	struct nfgenmsg g = { .nfgen_family = family };
	struct wr w = wr_fixed(m->octets, sizeof m->octets);

	wr_zero(&w, sizeof m->h);
	wr_put(&w, bytes_of(&g, sizeof g));
	if (table != NULL)
		put_attr(&w, NFTA_RULE_TABLE, bytes_of(table, strlen(table) + 1));
	m->h = (struct nlmsghdr){ .nlmsg_len = (uint32_t)w.n,
	    .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), .nlmsg_pid = port };
	return &m->h;
}

TEST(events_of_others_in_our_table_count)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		uint32_t port;
		const char *table;
		bool ours, gone;
	} rows[] = {
		{ NFT_MSG_DELRULE, NFPROTO_INET, 9, "overlock", true, false },
		{ NFT_MSG_NEWTABLE, NFPROTO_INET, 9, "overlock", true, false },
		{ NFT_MSG_DELSETELEM, NFPROTO_INET, 0, "overlock", true, false },
		{ NFT_MSG_DELTABLE, NFPROTO_INET, 9, "overlock", true, true },
		{ 26, NFPROTO_INET, 9, "overlock", true, true },
		{ NFT_MSG_DELTABLE, NFPROTO_INET, 7, "overlock", false, false },
		{ NFT_MSG_DELRULE, NFPROTO_INET, 9, "filter", false, false },
		{ NFT_MSG_DELTABLE, NFPROTO_IPV4, 9, "overlock", false, false },
		{ NFT_MSG_NEWGEN, NFPROTO_UNSPEC, 9, NULL, false, false },
		{ NFT_MSG_DELRULE, NFPROTO_INET, 9, NULL, false, false },
	};
	union message m;
	bool gone;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		(void)event(&m, rows[i].type, rows[i].family, rows[i].port, rows[i].table);
		assert_int_equal(nft_read_event(&m.h, "overlock", 7, &gone), rows[i].ours);
		assert_int_equal(gone, rows[i].gone);
	}
	/* Another subsystem's; and what can't be read is taken for a change. */
	m.h.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8;
	assert_false(nft_read_event(&m.h, "overlock", 7, &gone));
	(void)event(&m, NFT_MSG_DELRULE, NFPROTO_INET, 9, "overlock");
	m.h.nlmsg_len -= 5;
	assert_true(nft_read_event(&m.h, "overlock", 7, &gone));
	m.h.nlmsg_len = sizeof m.h;
	assert_true(nft_read_event(&m.h, "overlock", 7, &gone));
}

/* ---- words ---- */

TEST(errors_name_the_object_and_the_way_out)
{
	static const struct {
		enum nft_about about;
		uint32_t no;
		int err;
		const char *text;
		int want;
		const char *object, *way;
	} rows[] = {
		{ NFT_ABOUT_BATCH, 0, EPERM, "", ERR_DENIED, "table inet overlock: ", "needs CAP_NET_ADMIN" },
		{ NFT_ABOUT_BATCH, 0, EOPNOTSUPP, "", ERR_UNSUPPORTED, "table inet overlock: ", "modprobe nf_tables" },
		{ NFT_ABOUT_TABLE, 0, EAFNOSUPPORT, "", ERR_UNSUPPORTED, "inet overlock: ", "modprobe nf_tables" },
		{ NFT_ABOUT_COUNTER, NT_IN_DENIED, ENOENT, "", ERR_UNSUPPORTED, "counter inet overlock in-denied: ",
		    "modprobe nft_counter" },
		{ NFT_ABOUT_CHAIN, NT_OUT, ENOENT, "", ERR_UNSUPPORTED, "chain inet overlock out: ", "modprobe" },
		{ NFT_ABOUT_RULE, 1, ENOENT, "", ERR_UNSUPPORTED,
		    "rule \"VXLAN, VNI granted to this sender (IPv4)\" of chain inet overlock in: ",
		    "modprobe -a nft_xfrm" },
		{ NFT_ABOUT_SET, NT_DENIED, EOPNOTSUPP, "", ERR_UNSUPPORTED, "set inet overlock denied: ", "no sets" },
		{ NFT_ABOUT_ELEMS, NFT_SET_VNI6, ENOENT, "", ERR_NOTFOUND, "elements of set inet overlock vni6: ",
		    "No such" },
		{ NFT_ABOUT_ELEMS, NFT_SET_VNI4, EINVAL, "the kernel's word", ERR_IO, "vni4: ", "kernel's word" },
		{ NFT_ABOUT_DEL, 3, ENOMEM, "", ERR_NOMEM, "an element of table inet overlock", "memory" },
	};
	struct nft nft = { .table = "overlock" };
	char why[NL_WHY];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		int r = nft_explain(&nft, rows[i].about, rows[i].no, rows[i].err, rows[i].text, why);

		assert_int_equal(r, rows[i].want);
		if (strstr(why, rows[i].object) == NULL || strstr(why, rows[i].way) == NULL)
			fail_msg("%s", why);
	}
	/* The longest names and words do not cut the way out off. */
	nft.table = "1234567890123456789012345678901";
	for (i = 0; i < NT_RULES; i++) {
		(void)nft_explain(&nft, NFT_ABOUT_RULE, (uint32_t)i, EOPNOTSUPP,
		    "a text of the kernel's that is longer than anything it ever says of a rule", why);
		assert_non_null(strstr(why, "modprobe -a nft_xfrm nft_objref"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_laid_out_as_the_registers_are),
		cmocka_unit_test(elements_that_cant_be_have_no_key),
		cmocka_unit_test(keys_that_nobody_writes_are_refused),
		cmocka_unit_test(a_batch_has_a_beginning_and_an_end_that_ask_for_no_answer),
		cmocka_unit_test(chains_are_filters_at_their_hooks),
		cmocka_unit_test(sets_have_keys_of_their_length_and_denied_is_bounded),
		cmocka_unit_test(every_counter_is_a_counter),
		cmocka_unit_test(rules_accept_what_is_in_a_set_and_then_drop),
		cmocka_unit_test(every_rule_is_the_same_as_itself_only),
		cmocka_unit_test(every_changed_octet_of_a_rule_is_seen),
		cmocka_unit_test(defaults_are_no_difference_and_all_else_is),
		cmocka_unit_test(what_is_missing_is_a_difference),
		cmocka_unit_test(a_message_is_filled_up_and_read_back),
		cmocka_unit_test(elements_of_another_kind_are_told_apart),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(events_of_others_in_our_table_count),
		cmocka_unit_test(errors_name_the_object_and_the_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
