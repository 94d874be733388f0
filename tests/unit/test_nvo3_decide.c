/* SPDX-License-Identifier: ISC */
/* Who is admitted to what: each refusal beside the case that differs from it in one thing and is
 * admitted. */
#include "nvo3_doc.h"

#include "base/err.h"

#define CERT_UNTIL (DOC_ISSUED + 30 * 86400)
#define GRACE      3600

/* One question: who asks us, from where, for what. */
struct question {
	const char *self, *identity, *peer, *label;
};

static enum nvo3_reason
ask(const struct nvo3_table *t, const struct question *q, struct grant *g, int *line)
{
	char identities[1][300];
	struct nvo3_question full = {
		.identities = identities, .n_identities = 1, .self = q->self, .label = q->label,
		.now = DOC_ISSUED + 60, .grace_s = GRACE, .cert_not_after = CERT_UNTIL,
	};

	snprintf(identities[0], sizeof identities[0], "%s", q->identity);
	assert_int_equal(addr_parse(&full.peer, q->peer), 0);
	return nvo3_decide(t, &full, g, line);
}

static bool
has_channel(const struct grant *g, const char *id)
{
	size_t i;

	for (i = 0; i < g->n_channels; i++)
		if (strcmp(g->channels[i].id, id) == 0)
			return true;
	return false;
}

static bool
has_addr(const struct addr *list, size_t n, const char *text)
{
	struct addr a;
	size_t i;

	assert_int_equal(addr_parse(&a, text), 0);
	for (i = 0; i < n; i++)
		if (addr_equal(&list[i], &a))
			return true;
	return false;
}

static void
test_grant(void **state)
{
	struct nvo3_table *t = doc_table(doc_base);
	struct question q = { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" };
	struct grant g;
	int line;

	(void)state;
	assert_int_equal(ask(t, &q, &g, &line), NVO3_ADMITTED);
	assert_string_equal(g.node, "nve-2");
	assert_int_equal(g.number, 0);
	assert_int_equal(g.n_channels, 2);
	assert_true(has_channel(&g, "vxlan"));
	assert_true(has_channel(&g, "evpn"));
	/* 5001 is shared; 5002 too, but by keys="vn"; 5003 is ours alone. */
	assert_int_equal(g.n_vnis, 1);
	assert_int_equal(g.vnis[0], 5001);
	assert_int_equal(g.n_peer, 3);
	assert_true(has_addr(g.peer, g.n_peer, "192.0.2.2"));
	assert_true(has_addr(g.peer, g.n_peer, "10.0.0.1"));
	assert_true(has_addr(g.peer, g.n_peer, "198.51.100.9"));
	assert_int_equal(g.n_local, 2);
	assert_true(has_addr(g.local, g.n_local, "192.0.2.1"));
	assert_true(has_addr(g.local, g.n_local, "2001:db8::1"));
	assert_int_equal(g.expires, DOC_EXPIRES + GRACE);
	assert_int_equal(line, 26);
	grant_free(&g);

	/* The other way round, what is outside is not our own address. */
	q = (struct question){ "nve-2", "dns:nve-1.dc1.example", "2001:db8::1", "ch:vxlan" };
	assert_int_equal(ask(t, &q, &g, &line), NVO3_ADMITTED);
	assert_int_equal(g.n_local, 2);
	assert_false(has_addr(g.local, g.n_local, "198.51.100.9"));
	grant_free(&g);
	nvo3_table_free(t);
}

/* Pairs of roles by channels: the whole table. nve-1 and nve-2 share VN 5001, hv-3 is attached to
 * nve-1. */
static const struct node_of {
	const char *id, *identity, *addr;
} nodes[] = {
	{ "nve-1", "dns:nve-1.dc1.example", "192.0.2.1" },
	{ "nve-2", "dns:nve-2.dc1.example", "192.0.2.2" },
	{ "hv-3", "uri:spiffe://dc1.example/hv/3", "192.0.2.33" },
	{ "nva-1", "dns:nva-1.dc1.example", "192.0.2.250" },
	{ "nva-2", "dns:nva-2.dc1.example", "192.0.2.252" },
	{ "ks-1", "dns:ks-1.dc1.example", "192.0.2.251" },
};
#define NODES (sizeof nodes / sizeof nodes[0])

static const struct {
	size_t a, b;                     /* of nodes[] */
	const char *channels;            /* that they may have */
} pairs[] = {
	{ 0, 1, "vxlan evpn" },
	{ 0, 2, "split" },
	{ 0, 3, "ovsdb" },
	{ 0, 4, "ovsdb" },
	{ 0, 5, "reg" },
	{ 1, 2, NULL },
	{ 1, 3, "ovsdb" },
	{ 1, 4, "ovsdb" },
	{ 1, 5, "reg" },
	{ 2, 3, "" },
	{ 2, 4, "" },
	{ 2, 5, "" },
	{ 3, 4, "sync" },
	{ 3, 5, "" },
	{ 4, 5, "" },
};

static void
check_pair(const struct nvo3_table *t, size_t self, size_t peer, const char *may)
{
	static const char *const ids[] = { "vxlan", "evpn", "ovsdb", "split", "sync", "reg" };
	struct question q = { nodes[self].id, nodes[peer].identity, nodes[peer].addr, NULL };
	enum nvo3_reason r;
	char label[32];
	struct grant g;
	size_t i, n = 0;
	int line;

	for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		snprintf(label, sizeof label, "ch:%s", ids[i]);
		q.label = label;
		r = ask(t, &q, &g, &line);
		if (may == NULL) {
			assert_int_equal(r, strcmp(ids[i], "split") == 0 ? NVO3_NOT_ATTACHED :
			    NVO3_ROLE_MAY_NOT);
		} else if (strstr(may, ids[i]) != NULL) {
			n++;
			assert_int_equal(r, NVO3_ADMITTED);
			assert_true(has_channel(&g, ids[i]));
		} else
			assert_int_equal(r, NVO3_ROLE_MAY_NOT);
		if (r != NVO3_ADMITTED) {
			assert_null(g.vnis);
			assert_int_equal(g.n_channels, 0);
		}
		grant_free(&g);
	}
	q.label = "";
	r = ask(t, &q, &g, &line);
	assert_int_equal(r,
	    may == NULL ? NVO3_NOT_ATTACHED :
		n > 0   ? NVO3_ADMITTED :
			  NVO3_NO_CHANNEL);
	assert_int_equal(g.n_channels, n);
	grant_free(&g);
}

static void
test_roles(void **state)
{
	struct nvo3_table *t = doc_table(doc_base);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		check_pair(t, pairs[i].a, pairs[i].b, pairs[i].channels);
		check_pair(t, pairs[i].b, pairs[i].a, pairs[i].channels);
	}
	nvo3_table_free(t);
}

/* Each: a refusal, and its twin that is admitted. A NULL edit: the document as it is. */
static const struct twin {
	const char *what;
	struct question bad, good;
	const char *bad_edit[2], *good_edit[2];
	enum nvo3_reason r;
	int line;
} twins[] = {
	{ "unknown identity", { "nve-1", "dns:nve-9.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_IDENTITY, 0 },
	{ "a name that only ends the same way",
	    { "nve-1", "dns:xnve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:NVE-2.DC1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_IDENTITY, 0 },
	{ "a wildcard certificate", { "nve-1", "dns:*.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "ip:192.0.2.2", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_IDENTITY, 0 },
	{ "same text, other kind", { "nve-1", "uri:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_IDENTITY, 0 },
	{ "a path of SPIFFE in other case",
	    { "nve-1", "uri:spiffe://dc1.example/HV/3", "192.0.2.33", "ch:split" },
	    { "nve-1", "uri:spiffe://dc1.example/hv/3", "192.0.2.33", "ch:split" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_IDENTITY, 0 },
	{ "removed from the document",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "dns:NVE-2.dc1.example", "dns:gone" }, { 0 }, NVO3_UNKNOWN_IDENTITY, 0 },
	{ "another node's address", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.250", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_WRONG_ADDRESS, 26 },
	{ "our own address", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.1", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "10.0.0.1", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_WRONG_ADDRESS, 26 },
	{ "an outside address of another",
	    { "nve-1", "dns:nve-2.dc1.example", "198.51.100.10", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "198.51.100.9", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_WRONG_ADDRESS, 26 },
	{ "IPv4 address as IPv6",
	    { "nve-2", "dns:nve-1.dc1.example", "::ffff:192.0.2.1", "ch:vxlan" },
	    { "nve-2", "dns:nve-1.dc1.example", "2001:db8::1", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_WRONG_ADDRESS, 25 },
	{ "ourselves", { "nve-1", "dns:nve-1.dc1.example", "192.0.2.1", "ch:vxlan" },
	    { "nve-2", "dns:nve-1.dc1.example", "192.0.2.1", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_IS_SELF, 25 },
	{ "we are no node", { "nve-7", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_SELF_UNKNOWN, 0 },
	{ "we have no id", { NULL, "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_SELF_UNKNOWN, 0 },
	{ "no such channel", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan2" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 26 },
	{ "a channel's prefix", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxla" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:evpn" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 26 },
	{ "a label that is none of ours",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "system_u:object_r" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 26 },
	{ "an empty id", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", NULL }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 26 },
	{ "something behind the VNI",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5001;" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5001" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 26 },
	{ "VNI 0", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:0" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5002" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 26 },
	{ "a VN on a control channel",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:evpn;vni:5001" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:evpn" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_CHANNEL, 10 },
	{ "a VNI that is no VN",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5009" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5001" }, { 0 }, { 0 },
	    NVO3_UNKNOWN_VN, 26 },
	{ "a VN the peer is not in",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5003" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5001" }, { 0 }, { 0 },
	    NVO3_NOT_IN_VN, 26 },
	{ "a VN we are not in",
	    { "nve-2", "dns:nve-1.dc1.example", "192.0.2.1", "ch:vxlan;vni:5003" },
	    { "nve-2", "dns:nve-1.dc1.example", "192.0.2.1", "ch:vxlan;vni:5002" }, { 0 }, { 0 },
	    NVO3_NOT_IN_VN, 25 },
	{ "no VN in common", { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan" },
	    { "<vn ref=\"5001\" group=\"receiver\"/>", "" }, { 0 }, NVO3_NO_COMMON_VN, 26 },
	{ "in no VN at all", { "nve-1", "dns:nve-3.dc1.example", "198.51.100.10", "ch:vxlan" },
	    { "nve-1", "dns:nve-3.dc1.example", "198.51.100.10", "ch:evpn" }, { 0 }, { 0 },
	    NVO3_NO_COMMON_VN, 27 },
	{ "we are in no VN", { "nve-3", "dns:nve-1.dc1.example", "192.0.2.1", "ch:vxlan" },
	    { "nve-3", "dns:nve-1.dc1.example", "192.0.2.1", "ch:evpn" }, { 0 }, { 0 },
	    NVO3_NO_COMMON_VN, 25 },
	{ "a hypervisor without VNs",
	    { "nve-1", "uri:spiffe://dc1.example/hv/3", "192.0.2.33", "" },
	    { "nve-1", "uri:spiffe://dc1.example/hv/3", "192.0.2.33", "" },
	    { "<underlay>192.0.2.33</underlay><vn ref=\"5001\"/>",
		"<underlay>192.0.2.33</underlay>" },
	    { 0 }, NVO3_NO_COMMON_VN, 28 },
	{ "a hypervisor attached elsewhere",
	    { "nve-1", "uri:spiffe://dc1.example/hv/3", "192.0.2.33", "" },
	    { "nve-2", "uri:spiffe://dc1.example/hv/3", "192.0.2.33", "" },
	    { "attached nve=\"nve-1\"", "attached nve=\"nve-2\"" },
	    { "attached nve=\"nve-1\"", "attached nve=\"nve-2\"" }, NVO3_NOT_ATTACHED, 28 },
	{ "an NVE that acts as an NVA",
	    { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:ovsdb" },
	    { "nve-1", "dns:nva-1.dc1.example", "192.0.2.250", "ch:ovsdb" }, { 0 }, { 0 },
	    NVO3_ROLE_MAY_NOT, 11 },
	{ "roles without a channel", { "nva-1", "dns:ks-1.dc1.example", "192.0.2.251", "" },
	    { "nve-1", "dns:ks-1.dc1.example", "192.0.2.251", "" }, { 0 }, { 0 }, NVO3_NO_CHANNEL,
	    31 },
};

static void
test_twins(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof twins / sizeof twins[0]; i++) {
		const struct twin *w = &twins[i];
		char *bad = doc_edit(doc_base, w->bad_edit[0] ? w->bad_edit[0] : "<suites>",
		    w->bad_edit[0] ? w->bad_edit[1] : "<suites>");
		char *good = doc_edit(doc_base, w->good_edit[0] ? w->good_edit[0] : "<suites>",
		    w->good_edit[0] ? w->good_edit[1] : "<suites>");
		struct nvo3_table *t = doc_table(bad);
		enum nvo3_reason r;
		struct grant g;
		int line;

		r = ask(t, &w->bad, &g, &line);
		if (r != w->r || line != w->line)
			fail_msg("%s: %s, line %d", w->what, nvo3_reason_text(r), line);
		assert_int_equal(g.n_peer + g.n_local + g.n_channels, 0);
		assert_null(g.vnis);
		nvo3_table_free(t);
		t = doc_table(good);
		r = ask(t, &w->good, &g, &line);
		if (r != NVO3_ADMITTED)
			fail_msg("twin of %s: %s, line %d", w->what, nvo3_reason_text(r), line);
		grant_free(&g);
		nvo3_table_free(t);
		free(bad);
		free(good);
	}
}

static void
test_identities(void **state)
{
	struct nvo3_table *t = doc_table(doc_base);
	char two[3][300] = { "dns:nve-2.dc1.example", "dns:nva-1.dc1.example",
		"dns:nve-2.dc1.example" };
	struct nvo3_question q = {
		.identities = two,
		.n_identities = 2,
		.self = "nve-1",
		.label = "",
		.now = DOC_ISSUED,
		.cert_not_after = CERT_UNTIL,
	};
	struct grant g;
	size_t n;
	int line;

	(void)state;
	assert_int_equal(addr_parse(&q.peer, "192.0.2.2"), 0);
	assert_int_equal(nvo3_decide(t, &q, &g, &line), NVO3_AMBIGUOUS_IDENTITY);
	q.n_identities = 3;
	assert_int_equal(nvo3_decide(t, &q, &g, &line), NVO3_AMBIGUOUS_IDENTITY);
	q.n_identities = 0;
	assert_int_equal(nvo3_decide(t, &q, &g, &line), NVO3_UNKNOWN_IDENTITY);
	q.n_identities = 1;
	assert_int_equal(nvo3_decide(t, &q, &g, &line), NVO3_ADMITTED);
	grant_free(&g);
	/* Two names of one node, and names of nobody beside it, are not ambiguous. */
	snprintf(two[1], sizeof two[1], "ip:192.0.2.2");
	snprintf(two[2], sizeof two[2], "dns:other.example");
	q.n_identities = 3;
	assert_int_equal(nvo3_decide(t, &q, &g, &line), NVO3_ADMITTED);
	grant_free(&g);
	/* Without an address nobody is admitted. */
	memset(&q.peer, 0, sizeof q.peer);
	assert_int_equal(nvo3_decide(t, &q, &g, &line), NVO3_WRONG_ADDRESS);
	assert_null(nvo3_node_by_identity(t, two, 0, &n));
	assert_int_equal(n, 0);
	nvo3_table_free(t);
}

static void
test_times(void **state)
{
	static const struct {
		int64_t now, cert;
		enum nvo3_reason r;
		int64_t expires;
	} rows[] = {
		{ DOC_EXPIRES - 1, CERT_UNTIL, NVO3_ADMITTED, DOC_EXPIRES + GRACE },
		/* In the grace time nobody new is admitted; who is in has the grant until its end.
		 */
		{ DOC_EXPIRES, CERT_UNTIL, NVO3_TABLE_EXPIRED, 0 },
		{ DOC_EXPIRES + GRACE - 1, CERT_UNTIL, NVO3_TABLE_EXPIRED, 0 },
		{ DOC_EXPIRES + GRACE, CERT_UNTIL, NVO3_TABLE_EXPIRED, 0 },
		{ DOC_ISSUED, DOC_ISSUED + 100, NVO3_ADMITTED, DOC_ISSUED + 100 },
		{ DOC_ISSUED + 99, DOC_ISSUED + 100, NVO3_ADMITTED, DOC_ISSUED + 100 },
		{ DOC_ISSUED + 100, DOC_ISSUED + 100, NVO3_CERT_EXPIRED, 0 },
		{ DOC_ISSUED, 0, NVO3_CERT_EXPIRED, 0 },
		{ DOC_ISSUED, DOC_EXPIRES + GRACE - 1, NVO3_ADMITTED, DOC_EXPIRES + GRACE - 1 },
	};
	struct nvo3_table *t = doc_table(doc_base);
	char identity[1][300] = { "dns:nve-2.dc1.example" };
	struct nvo3_question q = {
		.identities = identity,
		.n_identities = 1,
		.self = "nve-1",
		.label = "ch:vxlan",
		.grace_s = GRACE,
	};
	struct grant g;
	size_t i;
	int line;

	(void)state;
	assert_int_equal(addr_parse(&q.peer, "192.0.2.2"), 0);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		q.now = rows[i].now;
		q.cert_not_after = rows[i].cert;
		assert_int_equal(nvo3_decide(t, &q, &g, &line), rows[i].r);
		assert_int_equal(g.expires, rows[i].expires);
		grant_free(&g);
	}
	assert_int_equal(nvo3_decide(NULL, &q, &g, &line), NVO3_NO_TABLE);
	nvo3_table_free(t);
}

/* A VN with keys of its own: that VN, that channel, the VN's suite, and nothing else. */
static void
test_vn_grants(void **state)
{
	struct nvo3_table *t = doc_table(doc_base);
	struct question q = { "nve-1", "dns:nve-2.dc1.example", "192.0.2.2", "ch:vxlan;vni:5002" };
	struct grant g;
	int line;

	(void)state;
	assert_int_equal(ask(t, &q, &g, &line), NVO3_ADMITTED);
	assert_int_equal(g.n_vnis, 1);
	assert_int_equal(g.vnis[0], 5002);
	assert_int_equal(g.n_channels, 1);
	assert_string_equal(g.channels[0].id, "vxlan");
	assert_int_equal(g.channels[0].esp.encr, ESP_NULL_AES_GMAC);
	assert_int_equal(g.channels[0].port, 4789);
	grant_free(&g);
	q.label = "ch:vxlan;vni:5001";
	assert_int_equal(ask(t, &q, &g, &line), NVO3_ADMITTED);
	assert_int_equal(g.n_vnis, 1);
	assert_int_equal(g.vnis[0], 5001);
	assert_int_equal(g.channels[0].esp.encr, ESP_AES_GCM_16);
	grant_free(&g);
	nvo3_table_free(t);
}

struct seen {
	char text[1024];
	size_t n, stop_at;
};

static int
note_policy(void *arg, const struct nvo3_node *node, const struct policy *p)
{
	struct seen *s = arg;
	char a[ADDR_STRLEN], b[ADDR_STRLEN];
	size_t used = strlen(s->text);

	assert_string_equal(node->id, p->node);
	assert_int_equal(p->action, POLICY_PROTECT);
	snprintf(s->text + used, sizeof s->text - used, "%s %s %s>%s %u\n", p->node, p->channel.id,
	    addr_str(&p->local, a), addr_str(&p->peer, b), p->n_vnis > 0 ? p->vnis[0] : 0);
	return ++s->n == s->stop_at ? ERR_GONE : 0;
}

static void
test_peers(void **state)
{
	static const struct { const char *self, *policies; } rows[] = {
		{ "nve-1", "nve-2 vxlan 192.0.2.1>192.0.2.2 5001\n"
		    "nve-2 evpn 192.0.2.1>192.0.2.2 0\n"
		    "nve-3 evpn 192.0.2.1>198.51.100.10 0\n"
		    "hv-3 split 192.0.2.1>192.0.2.33 5001\n"
		    "nva-1 ovsdb 192.0.2.1>192.0.2.250 0\n"
		    "nva-2 ovsdb 192.0.2.1>192.0.2.252 0\n"
		    "ks-1 reg 192.0.2.1>192.0.2.251 0\n" },
		{ "nve-3", "nve-1 evpn 10.0.0.1>192.0.2.1 0\n"
		    "nve-2 evpn 10.0.0.1>192.0.2.2 0\n"
		    "nva-1 ovsdb 10.0.0.1>192.0.2.250 0\n"
		    "nva-2 ovsdb 10.0.0.1>192.0.2.252 0\n"
		    "ks-1 reg 10.0.0.1>192.0.2.251 0\n" },
		{ "hv-3", "nve-1 split 192.0.2.33>192.0.2.1 5001\n" },
		{ "nva-2", "nve-1 ovsdb 192.0.2.252>192.0.2.1 0\n"
		    "nve-2 ovsdb 192.0.2.252>192.0.2.2 0\n"
		    "nve-3 ovsdb 192.0.2.252>198.51.100.10 0\n"
		    "nva-1 sync 192.0.2.252>192.0.2.250 0\n" },
	};
	struct nvo3_table *t = doc_table(doc_base);
	struct seen s;
	char *doc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(&s, 0, sizeof s);
		assert_int_equal(nvo3_peers(t, rows[i].self, note_policy, &s), 0);
		assert_string_equal(s.text, rows[i].policies);
	}
	memset(&s, 0, sizeof s);
	s.stop_at = 3;
	assert_int_equal(nvo3_peers(t, "nve-1", note_policy, &s), ERR_GONE);
	assert_int_equal(s.n, 3);
	assert_int_equal(nvo3_peers(t, "nve-9", note_policy, &s), ERR_NOTFOUND);
	nvo3_table_free(t);

	/* IPv6 alone is used where that is all they have in common; a node with nothing in common
	 * is not reachable. */
	doc = doc_edit(doc_base,
	    "<underlay>192.0.2.2</underlay><underlay outside=\"198.51.100.9\">10.0.0.1</underlay>",
	    "<underlay>2001:db8::2</underlay>");
	t = doc_table(doc);
	memset(&s, 0, sizeof s);
	assert_int_equal(nvo3_peers(t, "nve-2", note_policy, &s), 0);
	assert_string_equal(s.text, "nve-1 vxlan 2001:db8::2>2001:db8::1 5001\n"
	    "nve-1 evpn 2001:db8::2>2001:db8::1 0\n");
	nvo3_table_free(t);
	free(doc);
}

/* Whoever is among the peers is admitted from that address, and the other way round. */
static int
admitted_too(void *arg, const struct nvo3_node *node, const struct policy *p)
{
	const struct nvo3_table *t = arg;
	char label[LABEL_MAX], addr[ADDR_STRLEN];
	struct question q = { NULL, node->identities[0], addr_str(&p->peer, addr), label };
	struct grant g;
	size_t i;
	int line;

	snprintf(label, sizeof label, "ch:%.47s", p->channel.id);
	for (i = 0; i < t->n_nodes; i++)
		if (addr_equal(&t->nodes[i].underlay[0], &p->local) && t->nodes[i].n_underlay > 0 &&
		    &t->nodes[i] != node)
			q.self = t->nodes[i].id;
	assert_non_null(q.self);
	assert_int_equal(ask(t, &q, &g, &line), NVO3_ADMITTED);
	if (p->channel.level == LEVEL_DATA) {
		assert_int_equal(p->n_vnis, g.n_vnis);
		assert_memory_equal(p->vnis, g.vnis, g.n_vnis * sizeof g.vnis[0]);
	}
	grant_free(&g);
	return 0;
}

static void
test_peers_agree(void **state)
{
	struct nvo3_table *t = doc_table(doc_base);
	size_t i;

	(void)state;
	for (i = 0; i < t->n_nodes; i++)
		if (strcmp(t->nodes[i].id, "nve-3") != 0)
			assert_int_equal(nvo3_peers(t, t->nodes[i].id, admitted_too, t), 0);
	nvo3_table_free(t);
}

static void
test_reasons(void **state)
{
	int r, k;

	(void)state;
	for (r = NVO3_ADMITTED; r <= NVO3_NO_MEMORY; r++) {
		assert_non_null(nvo3_reason_text((enum nvo3_reason)r));
		for (k = 0; k < r; k++)
			assert_string_not_equal(nvo3_reason_text((enum nvo3_reason)r),
			    nvo3_reason_text((enum nvo3_reason)k));
	}
	assert_string_equal(nvo3_reason_text((enum nvo3_reason)99), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grant),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_twins),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_vn_grants),
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_peers_agree),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
