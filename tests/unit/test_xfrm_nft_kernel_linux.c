/* SPDX-License-Identifier: ISC */
/* The nf_tables layer in the running kernel, in network namespaces of its own; tampered with by nft(8). */
#include "xfrm_netns.h"

#include <netinet/in.h>

#include <linux/netfilter/nfnetlink.h>

#include "xfrm-backend/nft.h"

#define TABLE "overlock"
#define GONE  "it is gone"

/* ---- what the table shall hold ---- */

struct list {
	struct nft_elem e[8];
	size_t n, at;
	size_t more;                 /* VNIs of one sender, besides */
};

static bool
next(void *arg, bool first, struct nft_elem *e)
{
	struct list *l = arg;

	if (first)
		l->at = 0;
	if (l->at >= l->n + l->more)
		return false;
	if (l->at < l->n)
		*e = l->e[l->at];
	else
		*e = (struct nft_elem){ .set = l->at % 2 == 0 ? NFT_SET_VNI4 : NFT_SET_VNI6, .reqid = 1000,
		    .vni = (uint32_t)l->at, .addr = test_addr(l->at % 2 == 0 ? "192.0.2.77" : "2001:db8::77") };
	l->at++;
	return true;
}

static struct nft_elem
vni(uint32_t reqid, const char *addr, uint32_t n)
{
	struct addr a = test_addr(addr);

	return (struct nft_elem){ .set = a.family == ADDR_V4 ? NFT_SET_VNI4 : NFT_SET_VNI6, .reqid = reqid, .vni = n,
	    .addr = a };
}

static struct nft_elem
control(const char *addr, uint16_t port)
{
	struct addr a = test_addr(addr);

	return (struct nft_elem){ .set = a.family == ADDR_V4 ? NFT_SET_CONTROL4 : NFT_SET_CONTROL6, .proto = 6,
	    .port = port, .addr = a };
}

static struct nft_elem
port(uint16_t n)
{
	return (struct nft_elem){ .set = NFT_SET_VXLAN, .port = n };
}

static struct list
usual(void)
{
	struct list l = { .n = 7, .e = { port(4789), port(8472), vni(7, "192.0.2.1", 42), vni(7, "192.0.2.1", 0xabcdef),
	    vni(8, "2001:db8::1", 42), control("192.0.2.9", 179), control("2001:db8::9", 6640) } };

	return l;
}

/* ---- a namespace, a table, somebody who listens ---- */

struct box {
	struct nft *nft;
	struct nl *listener;
	struct list list;
	char why[NL_WHY];
};

static struct box
box_open(void)
{
	static const unsigned groups[] = { NFNLGRP_NFTABLES, 0 };
	struct box b = { .list = usual() };

	test_netns();
	b.nft = nft_open(TABLE, b.why);
	b.listener = nl_listen(NETLINK_NETFILTER, groups, b.why);
	if (b.nft == NULL || b.listener == NULL)
		fail_msg("%s", b.why);
	return b;
}

static void
box_close(struct box *b)
{
	nft_close(b->nft);
	nl_close(b->listener);
}

static int
verify(struct box *b)
{
	b->why[0] = '\0';
	return nft_verify(b->nft, next, &b->list, b->why);
}

static void
build(struct box *b)
{
	if (nft_build(b->nft, next, &b->list, b->why) != OK || verify(b) != OK)
		fail_msg("%s", b->why);
}

struct heard {
	const struct nft *nft;
	size_t n, ours, gone;
};

static void
on_event(void *arg, const struct nlmsghdr *h)
{
	struct heard *heard = arg;
	bool gone;

	heard->n++;
	heard->ours += nft_event_ours(heard->nft, h, &gone);
	heard->gone += gone;
}

/* What was notified since the last time. */
static struct heard
hear(struct box *b)
{
	struct heard heard = { .nft = b->nft };

	assert_int_equal(nl_events(b->listener, SIZE_MAX, on_event, &heard), OK);
	return heard;
}

/* ---- making and removing ---- */

TEST(what_is_built_is_what_is_there)
{
	struct box b = box_open();

	assert_int_equal(verify(&b), ERR_NOTFOUND);
	assert_non_null(strstr(b.why, "is gone"));
	build(&b);
	assert_true(test_shell("nft list table inet " TABLE " > list && nft -j list ruleset > json"));
	/* What nft(8) shows of the keys, in its own language; it takes what it shows. */
	assert_true(test_shell("grep -q 'typeof ipsec in reqid . ip saddr . @th,96,24' list"));
	assert_true(test_shell("grep -q '7 . 192.0.2.1 . 0xabcdef' list"));
	assert_true(test_shell("grep -q 'type ipv6_addr . inet_proto . inet_service' list"));
	assert_true(test_shell("grep -q 'udp dport @vxlan meta ipsec missing counter name \"in-plaintext\" drop "
	    "comment \"VXLAN in the clear\"' list"));
	assert_true(test_shell("nft flush ruleset && nft -f list"));
	/* Made by nft(8) out of that list, it is the same. */
	if (verify(&b) != OK)
		fail_msg("%s", b.why);
	box_close(&b);
}

TEST(a_table_is_replaced_as_a_whole)
{
	struct box b = box_open();
	size_t i;

	build(&b);
	assert_true(test_shell("nft add rule inet " TABLE " in accept && "
	    "nft add set inet " TABLE " more '{ type mark; }'"));
	for (i = 0; i < 2; i++) {
		b.list.n = 3 + i;
		build(&b);
	}
	assert_int_equal(nft_remove(b.nft, b.why), OK);
	assert_int_equal(nft_remove(b.nft, b.why), OK);
	assert_int_equal(verify(&b), ERR_NOTFOUND);
	assert_true(test_shell("test -z \"$(nft list ruleset)\""));
	box_close(&b);
}

TEST(other_tables_are_left_alone)
{
	struct box b = box_open();
	struct nft *other = nft_open("other", b.why);

	assert_non_null(other);
	assert_true(test_shell("nft add table inet admin && nft add chain inet admin in '{ type filter hook input "
	    "priority 0; policy drop; }' && nft add rule inet admin in udp dport 4789 accept && "
	    "nft add table ip " TABLE " && nft list table inet admin > before"));
	build(&b);
	assert_int_equal(nft_build(other, next, &b.list, b.why), OK);
	assert_int_equal(nft_remove(other, b.why), OK);
	assert_int_equal(verify(&b), OK);
	assert_true(test_shell("nft list table inet admin | cmp - before && nft list table ip " TABLE));
	nft_close(other);
	box_close(&b);
}

TEST(elements_that_cant_be_change_nothing)
{
	struct box b = box_open();
	struct nft_elem bad = vni(7, "192.0.2.1", 0x1000000);
	struct list with = b.list;

	build(&b);
	with.e[with.n++] = bad;
	assert_int_equal(nft_build(b.nft, next, &with, b.why), ERR_VALUE);
	assert_non_null(strstr(b.why, "VNI 16777216"));
	assert_int_equal(nft_change(b.nft, &bad, 1, NULL, 0, b.why), ERR_VALUE);
	assert_int_equal(verify(&b), OK);
	box_close(&b);
}

static void
count(void *arg, const struct nft_elem *e)
{
	assert_true(e->set < NFT_SETS);
	++*(size_t *)arg;
}

/* Several messages, one system call. */
TEST(a_hundred_thousand_elements_are_one_transaction)
{
	struct box b = box_open();
	size_t n = 0;

	/* Who is root of a user namespace alone has a smaller send buffer. */
	b.list.more = test_is_root() ? 100000 : 4000;
	build(&b);
	assert_int_equal(nft_elements(b.nft, count, &n, b.why), OK);
	assert_int_equal(n, b.list.n + b.list.more);
	/* One of them away: found without looking at each for each. */
	assert_true(test_shell("nft delete element inet " TABLE " vni4 '{ 1000 . 192.0.2.77 . 0x200 }'"));
	assert_int_equal(verify(&b), ERR_NOTFOUND);
	assert_non_null(strstr(b.why, "vni4 element reqid 1000, 192.0.2.77, VNI 512 is missing"));
	box_close(&b);
}

TEST(a_table_that_is_not_there_has_no_elements)
{
	struct box b = box_open();
	struct nft_figures f;
	size_t n = 0;

	assert_int_equal(nft_elements(b.nft, count, &n, b.why), OK);
	assert_int_equal(n, 0);
	assert_int_equal(nft_figures(b.nft, &f, NULL, NULL), ERR_NOTFOUND);
	build(&b);
	assert_int_equal(nft_elements(b.nft, count, &n, b.why), OK);
	assert_int_equal(n, b.list.n);
	box_close(&b);
}

/* ---- changing ---- */

/* The same in the list that is compared. */
static void
list_change(struct list *l, const struct nft_elem *add, const struct nft_elem *del)
{
	size_t i;

	for (i = 0; del != NULL && i < l->n; i++)
		if (l->e[i].set == del->set && l->e[i].vni == del->vni && l->e[i].port == del->port &&
		    addr_equal(&l->e[i].addr, &del->addr))
			l->e[i] = l->e[--l->n];
	if (add != NULL)
		l->e[l->n++] = *add;
}

TEST(elements_come_and_go)
{
	struct box b = box_open();
	struct nft_elem add[] = { vni(7, "192.0.2.1", 43), port(4790), vni(7, "192.0.2.1", 42) };
	struct nft_elem del[] = { vni(7, "192.0.2.1", 0xabcdef), vni(7, "192.0.2.1", 99), control("192.0.2.9", 179),
	    vni(7, "192.0.2.1", 99), port(1) };
	size_t i;

	build(&b);
	/* Some are there already, some were never there. */
	for (i = 0; i < 2; i++)
		assert_int_equal(nft_change(b.nft, add, COUNT(add), del, COUNT(del), b.why), OK);
	list_change(&b.list, &add[0], &del[0]);
	list_change(&b.list, &add[1], &del[2]);
	assert_int_equal(verify(&b), OK);
	/* Nothing to be done at all. */
	assert_int_equal(nft_change(b.nft, NULL, 0, &del[1], 1, b.why), OK);
	assert_int_equal(nft_change(b.nft, NULL, 0, NULL, 0, b.why), OK);
	/* In both lists: there in the end, whether it was before or not. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(nft_change(b.nft, &add[0], 1, &add[0], 1, b.why), OK);
		assert_int_equal(verify(&b), OK);
		assert_true(i == 1 || test_shell("nft delete element inet " TABLE " vni4 '{ 7 . 192.0.2.1 . 0x2b }'"));
	}
	box_close(&b);
}

TEST(many_elements_change_at_once)
{
	static struct nft_elem add[5000];
	struct box b = box_open();
	size_t i;

	build(&b);
	for (i = 0; i < COUNT(add); i++)
		add[i] = vni(9, i % 2 == 0 ? "192.0.2.50" : "2001:db8::50", (uint32_t)i);
	assert_int_equal(nft_change(b.nft, add, COUNT(add), NULL, 0, b.why), OK);
	assert_int_equal(verify(&b), ERR_NOTFOUND);
	/* The last is not there for a second time. */
	add[0] = add[1];
	assert_int_equal(nft_change(b.nft, NULL, 0, add, COUNT(add), b.why), OK);
	add[0] = vni(9, "192.0.2.50", 0);
	assert_int_equal(nft_change(b.nft, NULL, 0, add, 1, b.why), OK);
	assert_int_equal(verify(&b), OK);
	box_close(&b);
}

TEST(a_change_to_what_is_gone_says_so)
{
	struct box b = box_open();
	struct nft_elem e = vni(7, "192.0.2.1", 43);

	assert_int_equal(nft_change(b.nft, &e, 1, NULL, 0, b.why), ERR_NOTFOUND);
	assert_int_equal(nft_change(b.nft, NULL, 0, &e, 1, b.why), ERR_NOTFOUND);
	build(&b);
	assert_true(test_shell("nft flush table inet " TABLE " && nft delete set inet " TABLE " vni4"));
	assert_int_equal(nft_change(b.nft, &e, 1, NULL, 0, b.why), ERR_NOTFOUND);
	assert_non_null(strstr(b.why, "set inet overlock vni4"));
	assert_int_equal(nft_change(b.nft, NULL, 0, &e, 1, b.why), ERR_NOTFOUND);
	assert_non_null(strstr(b.why, "set inet overlock vni4"));
	box_close(&b);
}

/* ---- tampering ---- */

#define RULE(comment) "$(nft -a list table inet overlock | sed -n 's/.*\"" comment "\" # handle //p')"
#define ELEMENT(what, set, key) "nft " what " element inet overlock " set " '{ " key " }'"

static const struct tampering {
	const char *command, *why;
} tamperings[] = {
	{ "nft delete rule inet overlock in handle " RULE("VXLAN in the clear"),
	    "chain in: rule 1 \"VXLAN in the clear\" is missing" },
	{ "nft delete rule inet overlock in handle " RULE("VXLAN, VNI not granted to this sender"),
	    "chain in: rule 5 \"VXLAN, VNI not granted to this sender\" is missing" },
	{ "nft delete rule inet overlock out handle "
	    RULE("control channel would leave in the clear, from its port (IPv6)"),
	    "chain out: rule 10 \"control channel would leave in the clear, from its port (IPv6)\" is missing" },
	{ "nft insert rule inet overlock in accept",
	    "chain in: rule 1 is not ours, where \"VXLAN in the clear\" should be" },
	{ "nft add rule inet overlock out accept", "chain out: rule 11 is not ours" },
	{ "nft delete rule inet overlock out handle " RULE("VXLAN without an SA"),
	    "chain out: rule 1 \"VXLAN without an SA\" is missing" },
	{ "nft replace rule inet overlock out handle " RULE("VXLAN without an SA")
	    " udp dport @vxlan rt ipsec missing meta oiftype ether counter name out-no-sa drop",
	    "chain out: rule 1 is not ours" },
	{ "nft replace rule inet overlock out handle " RULE("VXLAN without an SA")
	    " udp dport @vxlan rt ipsec missing meta oiftype loopback counter name out-no-sa accept",
	    "chain out: rule 1 is not ours" },
	{ "nft replace rule inet overlock in handle " RULE("VXLAN, VNI not granted to this sender")
	    " udp dport @vxlan counter name in-denied accept", "chain in: rule 5 is not ours" },
	{ "nft replace rule inet overlock in handle " RULE("VXLAN, VNI not granted to this sender")
	    " udp dport @vxlan counter name in-granted drop", "chain in: rule 5 is not ours" },
	{ "nft replace rule inet overlock in handle " RULE("VXLAN in the clear")
	    " udp dport @vxlan meta ipsec exists counter name in-plaintext drop", "chain in: rule 1 is not ours" },
	{ "nft replace rule inet overlock in handle " RULE("VXLAN in the clear")
	    " udp dport != @vxlan meta ipsec missing counter name in-plaintext drop",
	    "chain in: rule 1 is not ours" },
	{ "nft replace rule inet overlock in handle " RULE("VXLAN in the clear")
	    " udp sport @vxlan meta ipsec missing counter name in-plaintext drop", "chain in: rule 1 is not ours" },
	{ "nft flush chain inet overlock in", "chain in: rule 1 \"VXLAN in the clear\" is missing" },
	{ "nft flush chain inet overlock out", "chain out: rule 1 \"VXLAN without an SA\" is missing" },
	{ "nft add table inet overlock '{ flags dormant; }'", "it is dormant" },
	{ ELEMENT("delete", "vni4", "7 . 192.0.2.1 . 0x2a"), "vni4 element reqid 7, 192.0.2.1, VNI 42 is missing" },
	{ ELEMENT("delete", "vxlan", "4789"), "vxlan element port 4789 is missing" },
	{ ELEMENT("add", "vni4", "7 . 192.0.2.1 . 0x2b"), "vni4 element reqid 7, 192.0.2.1, VNI 43 is not ours" },
	{ ELEMENT("add", "vni6", "7 . 2001:db8::1 . 0x2b"), "vni6 element reqid 7, 2001:db8::1, VNI 43 is not ours" },
	{ ELEMENT("add", "vni4", "*"), "set vni4 holds an element for every key" },
	{ ELEMENT("add", "control4", "192.0.2.9 . tcp . 22"),
	    "control4 element 192.0.2.9, protocol 6, port 22 is not ours" },
	{ "nft flush set inet overlock control6", "control6 element 2001:db8::9, protocol 6, port 6640 is missing" },
	{ "nft flush table inet overlock && nft delete set inet overlock denied", "set denied is missing" },
	{ "nft flush table inet overlock && nft delete set inet overlock denied && "
	    "nft add set inet overlock denied '{ typeof ipsec in reqid . @th,96,24; flags dynamic; size 1; counter; }'",
	    "set denied has size 1, not 4096" },
	{ "nft flush table inet overlock && nft delete set inet overlock vni4 && "
	    "nft add set inet overlock vni4 '{ typeof ipsec in reqid . ip saddr; }'",
	    "set vni4 has keys of 8 octets" },
	{ "nft flush table inet overlock && nft delete set inet overlock vni4 && nft add set inet overlock vni4 "
	    "'{ typeof ipsec in reqid . ip saddr . @th,96,24; flags timeout; timeout 1h; }'", "set vni4 has flags" },
	{ "nft flush table inet overlock && nft delete counter inet overlock in-denied",
	    "counter in-denied is missing" },
	{ "nft add set inet overlock more '{ type mark; }'", "set more is not ours" },
	{ "nft add quota inet overlock more 1 mbytes", "object more is not ours" },
	{ "nft add chain inet overlock more", "chain more is not ours" },
	{ "nft add chain inet overlock more && nft insert rule inet overlock in jump more",
	    "chain more is not ours" },
	{ "nft chain inet overlock in '{ policy drop; }'", "chain in has policy drop, not accept" },
	{ "nft flush chain inet overlock out && nft delete chain inet overlock out", "chain out is missing" },
	{ "nft flush chain inet overlock out && nft delete chain inet overlock out && "
	    "nft add chain inet overlock out", "chain out is at no hook" },
	{ "nft flush chain inet overlock out && nft delete chain inet overlock out && "
	    "nft add chain inet overlock out '{ type filter hook output priority 10; }'",
	    "chain out has priority 10, not -10" },
	{ "nft flush chain inet overlock out && nft delete chain inet overlock out && "
	    "nft add chain inet overlock out '{ type filter hook forward priority -10; }'",
	    "chain out is at hook 2, not 3" },
	{ "nft flush chain inet overlock out && nft delete chain inet overlock out && "
	    "nft add chain inet overlock out '{ type route hook output priority -10; }'",
	    "chain out is not of type filter" },
	{ "nft delete table inet overlock", GONE },
	{ "nft flush ruleset", GONE },
};

TEST(every_tampering_is_heard_of_and_named)
{
	struct box b = box_open();
	struct heard heard;
	size_t i;

	for (i = 0; i < COUNT(tamperings); i++) {
		const struct tampering *t = &tamperings[i];

		build(&b);
		heard = hear(&b);
		assert_true(heard.n > 0 && heard.ours == 0);
		if (!test_shell(t->command))
			fail_msg("%s", t->command);
		heard = hear(&b);
		if (verify(&b) != ERR_NOTFOUND || strstr(b.why, t->why) == NULL || heard.ours == 0 ||
		    (heard.gone != 0) != (strcmp(t->why, GONE) == 0))
			fail_msg("%s: heard %zu, gone %zu, why \"%s\"", t->command, heard.ours, heard.gone, b.why);
	}
	box_close(&b);
}

TEST(what_does_not_concern_us_is_not_heard)
{
	struct box b = box_open();
	struct nft_elem e = vni(7, "192.0.2.1", 43);
	struct heard heard;

	build(&b);
	assert_int_equal(nft_change(b.nft, &e, 1, NULL, 0, b.why), OK);
	assert_int_equal(nft_change(b.nft, NULL, 0, &e, 1, b.why), OK);
	assert_true(test_shell("nft add table ip " TABLE " && nft delete table ip " TABLE " && "
	    "nft add table inet admin && nft add chain inet admin in && nft delete table inet admin"));
	heard = hear(&b);
	assert_true(heard.n > 0 && heard.ours == 0 && heard.gone == 0);
	assert_int_equal(verify(&b), OK);
	box_close(&b);
}

/* ---- figures ---- */

struct tried {
	uint32_t reqid, vni;
	uint64_t packets;
	size_t n;
};

static void
on_denied(void *arg, uint32_t reqid, uint32_t n, uint64_t packets)
{
	struct tried *t = arg;

	t->n++;
	t->reqid = reqid;
	t->vni = n;
	t->packets = packets;
}

TEST(figures_are_those_of_the_kernel)
{
	struct box b = box_open();
	struct nft_figures f;
	struct tried t = { 0 };

	build(&b);
	assert_int_equal(nft_figures(b.nft, &f, on_denied, &t), OK);
	assert_int_equal(f.in_plaintext + f.in_granted + f.in_denied + f.out_plaintext + f.out_no_sa, 0);
	assert_int_equal(t.n, 0);
	assert_true(test_shell(ELEMENT("add", "denied", "7 . 0x2b counter packets 31 bytes 3100")));
	assert_int_equal(nft_figures(b.nft, &f, on_denied, &t), OK);
	assert_int_equal(t.n, 1);
	assert_true(t.reqid == 7 && t.vni == 43 && t.packets == 31);
	/* Who tried what is not ours to compare. */
	assert_int_equal(verify(&b), OK);
	box_close(&b);
}

/* ---- refused ---- */

static int
unprivileged(void)
{
	char why[NL_WHY] = "";
	struct list l = usual();
	struct nft *nft;
	int r = 0;

	/* Someone else; or root of a namespace that this network does not belong to. */
	if (setresuid(65534, 65534, 65534) != 0 && unshare(CLONE_NEWUSER) != 0)
		return 1;
	if ((nft = nft_open(TABLE, why)) == NULL)
		return 2;
	if (nft_build(nft, next, &l, why) != ERR_DENIED || strstr(why, "table inet overlock") == NULL ||
	    strstr(why, "needs CAP_NET_ADMIN") == NULL)
		r = 3;
	if (nft_verify(nft, next, &l, why) != ERR_DENIED || strstr(why, "needs CAP_NET_ADMIN") == NULL)
		r = 4;
	if (nft_change(nft, l.e, 1, NULL, 0, why) != ERR_DENIED || nft_remove(nft, why) != ERR_DENIED)
		r = 5;
	nft_close(nft);
	return r;
}

TEST(without_the_capability_the_reason_is_told)
{
	struct box b = box_open();
	int status;
	pid_t pid;

	build(&b);
	if ((pid = fork()) == 0)
		_exit(unprivileged());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(verify(&b), OK);
	box_close(&b);
}

TEST(names_have_at_most_31_octets)
{
	char why[NL_WHY] = "";
	struct nft *nft;

	assert_null(nft_open("", why));
	assert_null(nft_open("12345678901234567890123456789012", why));
	assert_non_null(strstr(why, "31"));
	assert_non_null(nft = nft_open("1234567890123456789012345678901", why));
	nft_close(nft);
	nft_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_there),
		cmocka_unit_test(a_table_is_replaced_as_a_whole),
		cmocka_unit_test(other_tables_are_left_alone),
		cmocka_unit_test(elements_that_cant_be_change_nothing),
		cmocka_unit_test(a_hundred_thousand_elements_are_one_transaction),
		cmocka_unit_test(a_table_that_is_not_there_has_no_elements),
		cmocka_unit_test(elements_come_and_go),
		cmocka_unit_test(many_elements_change_at_once),
		cmocka_unit_test(a_change_to_what_is_gone_says_so),
		cmocka_unit_test(every_tampering_is_heard_of_and_named),
		cmocka_unit_test(what_does_not_concern_us_is_not_heard),
		cmocka_unit_test(figures_are_those_of_the_kernel),
		cmocka_unit_test(without_the_capability_the_reason_is_told),
		cmocka_unit_test(names_have_at_most_31_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
