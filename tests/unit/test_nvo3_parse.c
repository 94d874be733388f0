/* SPDX-License-Identifier: ISC */
/* The reader of NVA documents: what it takes in, and what it refuses in which words. */
#include "nvo3_doc.h"

#include <unistd.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "nvo3/value.h"

static struct nvo3_schema *schema;

static int
setup(void **state)
{
	char why[256];

	(void)state;
	return nvo3_schema_load(&schema, NULL, why);
}

static int
teardown(void **state)
{
	(void)state;
	nvo3_schema_free(schema);
	return 0;
}

static int
parse(
    struct bytes doc, const struct nvo3_limits *limits, struct nvo3_table **t, char why[static 256])
{
	struct nvo3_limits plain;

	nvo3_limits_default(&plain);
	return nvo3_parse(doc, schema, limits != NULL ? limits : &plain, t, why);
}

static void
test_whole(void **state)
{
	struct nvo3_table *t = doc_table(doc_base);
	const struct nvo3_node *n;
	struct addr a;

	(void)state;
	assert_string_equal(t->nva, "nva.dc1.example");
	assert_int_equal(t->epoch, 1);
	assert_int_equal(t->serial, 1042);
	assert_int_equal(t->issued, DOC_ISSUED);
	assert_int_equal(t->expires, DOC_EXPIRES);
	assert_int_equal(t->enforcement, ENFORCE_REQUIRE);
	assert_int_equal(t->n_suites, 3);
	assert_int_equal(t->suites[1].ke, KE_CURVE25519);
	assert_int_equal(t->suites[1].lifetime_s, 1800);
	assert_int_equal(t->suites[2].lifetime_s, 3600);
	assert_int_equal(t->suites[2].esp.encr, ESP_NULL_AES_GMAC);

	assert_int_equal(t->n_channels, 6);
	assert_string_equal(t->channels[0].ch.id, "vxlan");
	assert_int_equal(t->channels[0].ch.level, LEVEL_DATA);
	assert_int_equal(t->channels[0].ch.proto, 17);
	assert_int_equal(t->channels[0].ch.port, 4789);
	assert_int_equal(t->channels[0].ch.mode, SA_TRANSPORT);
	assert_int_equal(t->channels[0].ch.esp.encr, ESP_AES_GCM_16);
	assert_int_equal(t->channels[0].ch.esp.key_bits, 128);
	assert_int_equal(t->channels[0].line, 9);
	assert_int_equal(t->channels[1].ch.lifetime_s, 1800);
	assert_int_equal(t->channels[3].between[0], ROLE_NVE);
	assert_int_equal(t->channels[3].between[1], ROLE_HYPERVISOR);
	assert_int_equal(t->channels[5].ch.proto, 0);
	assert_int_equal(t->channels[5].ch.port, 0);
	assert_int_equal(t->channels[5].ch.mode, SA_TUNNEL);

	assert_int_equal(t->n_vns, 3);
	assert_int_equal(t->vns[0].vni, 5001);
	assert_int_equal(t->vns[0].keys, VN_KEYS_PAIR);
	assert_int_equal(t->vns[0].bum, VN_BUM_GROUP);
	assert_int_equal(t->vns[1].vni, 5002);
	assert_int_equal(t->vns[1].keys, VN_KEYS_VN);
	assert_string_equal(t->vns[1].suite, "tagged");
	assert_int_equal(t->vns[2].bum, VN_BUM_PAIRWISE);

	assert_int_equal(t->n_nodes, 7);
	n = nvo3_node_by_id(t, "nve-1");
	assert_non_null(n);
	assert_int_equal(n->n_vnis, 3);
	assert_int_equal(n->vnis[0], 5001);
	assert_int_equal(n->vnis[2], 5003);
	n = nvo3_node_by_id(t, "nve-2");
	assert_int_equal(n->n_identities, 2);
	assert_string_equal(n->identities[0], "dns:nve-2.dc1.example");
	assert_int_equal(n->n_underlay, 2);
	assert_int_equal(addr_len(&n->outside[0]), 0);
	assert_int_equal(addr_parse(&a, "198.51.100.9"), 0);
	assert_true(addr_equal(&n->outside[1], &a));
	n = nvo3_node_by_id(t, "hv-3");
	assert_int_equal(n->n_attached, 1);
	assert_string_equal(n->attached[0], "nve-1");
	assert_int_equal(n->line, 28);
	assert_null(nvo3_node_by_id(t, "nve-4"));
	nvo3_table_free(t);
}

/* One edit of the base document each. rc 0: it is as good as before. */
static const struct edit {
	const char *from, *to;
	int rc;
	const char *why;
} edits[] = {
	/* --- still good --- */
	{ " enforcement=\"require\"", "", 0, "" },
	{ "<suites>", "<!-- <!DOCTYPE in a comment --><?pi?>\n<suites>", 0, "" },
	{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "", 0, "" },
	{ "<?xml", "\xef\xbb\xbf<?xml", 0, "" },
	{ "encoding=\"UTF-8\"", "encoding=\"UTF-16\"", 0, "" },
	{ "dns:nve-1.dc1", "<![CDATA[dns:nve-1.dc1]]>", 0, "" },
	{ "dns:nve-1.dc1", "d&#110;s:nve-1<!-- x -->.dc1", 0, "" },
	{ "uri:spiffe://dc1.example/hv/3", "uri:spiffe://dc1.example/hv?a=b&amp;c=d", 0, "" },
	{ "<groups>\n", "<!-- --><groups>\n", 0, "" },
	{ "serial=\"1042\"", "serial=\"9223372036854775807\"", 0, "" },
	{ "outside=\"198.51.100.10\"", "outside=\"203.0.113.4\"", 0, "" },
	{ "2026-11-23T10:00:00Z", "2028-02-29T23:59:59Z", 0, "" },
	{ "attached nve=\"nve-1\"/>", "attached nve=\"nve-1\"/><attached nve=\"nve-2\"/>", 0, "" },
	/* --- no XML that we read --- */
	{ "<authorization", "<!DOCTYPE authorization>\n<authorization", ERR_SYNTAX,
	    "line 2: a document type" },
	{ "<authorization",
	    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><authorization", ERR_SYNTAX,
	    "document type" },
	{ "<authorization", "<!-- a\n-->\n<!DOCTYPE a [<!ENTITY % x \"y\"> %x;]><authorization",
	    ERR_SYNTAX, "line 4: a document type" },
	{ "tenant-b", "&x;", ERR_SYNTAX, "line 17: not well-formed XML" },
	{ "dns:nve-1", "&x;", ERR_SYNTAX, "not well-formed XML" },
	{ "</channels>", "", ERR_SYNTAX,
	    "line 16: <virtual-networks> does not belong into channels" },
	{ "</authorization>", "", ERR_SYNTAX, "cut off" },
	{ "</authorization>", "</authorization><x/>", ERR_SYNTAX, "cut off" },
	{ "<?xml", "x<?xml", ERR_SYNTAX, "line 1: not an XML document" },
	{ "tenant-b", "\xff", ERR_SYNTAX, "not well-formed XML" },
	{ "nve-1.dc1", "nve-1\x01.dc1", ERR_SYNTAX, "not well-formed XML" },
	{ "<nodes>",
	    "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" "
	    "href=\"/etc/passwd\"/><nodes>",
	    ERR_SYNTAX, "line 24: <include> is not of the namespace" },
	/* --- structure --- */
	{ "urn:overlock:authorization:1", "urn:overlock:authorization:2", ERR_SYNTAX, "namespace" },
	{ "<suites>", "<suits/><suites>", ERR_SYNTAX,
	    "line 3: <suits> does not belong into authorization" },
	{ "<suites>", "<suites><suites>", ERR_SYNTAX, "<suites> does not belong into suites" },
	{ "<suites>", "<suites>text", ERR_SYNTAX, "text outside of <identity>" },
	{ "<underlay>192.0.2.1<", "<underlay><b/>192.0.2.1<", ERR_SYNTAX,
	    "<b> does not belong into underlay" },
	{ "<suite id=\"bulk\"", "<suite id=\"bulk\" x=\"y\"", ERR_SYNTAX,
	    "line 4: <suite> has no attribute \"x\"" },
	{ "<suite id=\"bulk\"", "<suite id=\"bulk\" xml:lang=\"en\"", ERR_SYNTAX, "xml:lang" },
	{ "<suite id=\"bulk\"", "<suite", ERR_SYNTAX, "line 4: <suite> needs the attribute id" },
	{ "<identity>dns:nve-1.dc1.example</identity>", "", ERR_SYNTAX, "line 25" },
	{ "<underlay>192.0.2.250</underlay>", "", ERR_SYNTAX, "nva-1" },
	{ "<nodes>\n", "<suites/><nodes>\n", ERR_SYNTAX, "not as the schema wants it" },
	{ "<attached nve=\"nve-1\"/>", "<attached nve=\"nve-1\"/><vn ref=\"5002\"/>", ERR_SYNTAX,
	    "schema" },
	{ "senders=\"each\"", "senders=\"all\"", ERR_SYNTAX, "schema" },
	{ "members=\"role:nva\"", "members=\"nva\"", ERR_SYNTAX, "schema" },
	/* --- values --- */
	{ "nva=\"nva.dc1.example\"", "", ERR_VALUE, "line 2: <authorization> needs nva" },
	{ "epoch=\"1\"", "epoch=\"-1\"", ERR_VALUE, "epoch=\"-1\" is no number" },
	{ "epoch=\"1\"", "epoch=\"4294967296\"", ERR_VALUE, "epoch" },
	{ "serial=\"1042\"", "serial=\"0\"", ERR_VALUE, "serial" },
	{ "serial=\"1042\"", "serial=\"9223372036854775808\"", ERR_VALUE, "serial" },
	{ "serial=\"1042\"", "serial=\" 1042\"", ERR_VALUE, "serial" },
	{ "2026-11-22T10:00:00Z", "2026-11-22T10:00:00+01:00", ERR_VALUE, "is no time" },
	{ "2026-11-22T10:00:00Z", "2026-02-29T10:00:00Z", ERR_VALUE, "is no time" },
	{ "2026-11-23T10:00:00Z", "2026-11-22T10:00:00Z", ERR_VALUE, "expires is not later" },
	{ "enforcement=\"require\"", "enforcement=\"maybe\"", ERR_VALUE,
	    "none of: observe, prefer, require" },
	{ "esp=\"aes128gcm16\"", "esp=\"rot13\"", ERR_VALUE,
	    "line 4: suite \"bulk\": esp=\"rot13\"" },
	{ "ke=\"curve25519\"", "ke=\"modp1024\"", ERR_VALUE, "ke=\"modp1024\" is none of" },
	{ "lifetime=\"3600\"", "lifetime=\"9\"", ERR_VALUE, "no number from 10 to" },
	{ "between=\"nve nve\"", "between=\"nve\"", ERR_VALUE,
	    "line 9: channel \"vxlan\": between" },
	{ "between=\"nve nve\"", "between=\"nve router\"", ERR_VALUE, "between" },
	{ "level=\"data\"", "level=\"bulk\"", ERR_VALUE, "none of: data, control" },
	{ "protocol=\"udp\" port=\"4789\"", "protocol=\"udp\"", ERR_SYNTAX,
	    "needs the attribute port" },
	{ "protocol=\"udp\" port=\"4789\"", "protocol=\"any\" port=\"4789\"", ERR_VALUE,
	    "has no ports" },
	{ "protocol=\"udp\"", "protocol=\"sctp\"", ERR_VALUE, "none of: udp, tcp, any" },
	{ "port=\"4789\"", "port=\"65536\"", ERR_VALUE, "from 1 to 65535" },
	{ "mode=\"tunnel\"", "mode=\"beet\"", ERR_VALUE, "none of: transport, tunnel" },
	{ "id=\"vxlan\"", "id=\"vx;lan\"", ERR_VALUE, "is no id" },
	{ "id=\"vxlan\"", "id=\"a123456789012345678901234567890123456789012345678\"", ERR_VALUE,
	    "at most 47" },
	{ "vn id=\"5002\"", "vn id=\"0\"", ERR_VALUE,
	    "line 17: <vn> id=\"0\" is no number from 1 to 16777215" },
	{ "vn id=\"5002\"", "vn id=\"16777216\"", ERR_VALUE, "16777216" },
	{ "keys=\"vn\" suite=\"tagged\"", "keys=\"vn\"", ERR_VALUE,
	    "VN 5002: keys=\"vn\" needs suite" },
	{ "keys=\"pair\" suite=\"bulk\"", "keys=\"pair\" suite=\"strong\"", ERR_VALUE,
	    "VN 5001: keys=\"pair\" uses the SA" },
	{ "bum=\"pairwise\"", "bum=\"group\"", ERR_VALUE,
	    "line 17: VN 5002: bum=\"group\" and a <group>" },
	{ "bum=\"group\"", "bum=\"pairwise\"", ERR_VALUE, "VN 5001: bum" },
	{ "239.1.1.1", "192.0.2.77", ERR_VALUE, "multicast" },
	{ "239.1.0.1", "239.1.0.1.7", ERR_VALUE, "no IP address" },
	{ "role=\"nva\"", "role=\"router\"", ERR_VALUE,
	    "none of: nve, nva, hypervisor, key-server" },
	{ "dns:nve-1.dc1.example", "nve-1.dc1.example", ERR_VALUE, "is no identity" },
	{ "dns:nve-1.dc1.example", "dns:*.dc1.example", ERR_VALUE, "is no identity" },
	{ "dns:nve-1.dc1.example", "dns:", ERR_VALUE, "is no identity" },
	{ "dns:nve-1.dc1.example", " dns:nve-1.dc1.example", ERR_VALUE, "is no identity" },
	{ "ip:192.0.2.2", "ip:192.0.2.256", ERR_VALUE, "is no identity" },
	{ "<underlay>192.0.2.1<", "<underlay>192.0.2.1/24<", ERR_VALUE, "is no IP address" },
	{ "<underlay>192.0.2.1<", "<underlay>224.0.0.1<", ERR_VALUE, "no host's address" },
	{ "<underlay>192.0.2.1<", "<underlay>0.0.0.0<", ERR_VALUE, "no host's address" },
	{ "outside=\"198.51.100.9\"", "outside=\"2001:db8::9\"", ERR_VALUE, "not both" },
	{ "outside=\"198.51.100.9\"", "outside=\"\"", ERR_VALUE, "no IP address" },
	/* --- references --- */
	{ "suite=\"bulk\" protocol", "suite=\"bulky\" protocol", ERR_VALUE,
	    "line 9: <channel> names the suite \"bulky\"" },
	{ "suite=\"tagged\" bum", "suite=\"tag\" bum", ERR_VALUE, "suite \"tag\"" },
	{ "senders=\"each\" suite=\"bulk\"", "senders=\"each\" suite=\"x\"", ERR_VALUE,
	    "suite \"x\"" },
	{ "ref=\"5003\"", "ref=\"5004\"", ERR_VALUE, "line 25: node \"nve-1\" is in VN 5004" },
	{ "nve=\"nve-1\"", "nve=\"nve-9\"", ERR_VALUE, "line 28: \"nve-9\" is named here" },
	{ "nve=\"nve-1\"", "nve=\"nva-1\"", ERR_VALUE,
	    "must have the role nve, and has the role nva" },
	{ "key-server=\"ks-1\"", "key-server=\"ks-2\"", ERR_VALUE, "line 18: \"ks-2\"" },
	{ "key-server=\"ks-1\" suite=\"strong\"", "key-server=\"nve-1\" suite=\"strong\"",
	    ERR_VALUE, "role key-server" },
	/* --- duplicates --- */
	{ "suite id=\"strong\"", "suite id=\"bulk\"", ERR_VALUE,
	    "line 5: suite \"bulk\" is there already, in line 4" },
	{ "channel id=\"evpn\"", "channel id=\"vxlan\"", ERR_VALUE,
	    "channel \"vxlan\" is there already" },
	{ "between=\"nve hypervisor\"", "between=\"nve nve\"", ERR_VALUE,
	    "\"split\" is for the same traffic as \"vxlan\" in line 9" },
	{ "vn id=\"5001\"", "vn id=\"5002\"", ERR_VALUE,
	    "line 18: VN 5002 is there already, in line 17" },
	{ "</groups>",
	    "<group id=\"nva-sync\" level=\"data\" address=\"239.1.0.2\" protocol=\"udp\" "
	    "port=\"1\" "
	    "key-server=\"ks-1\" suite=\"bulk\" members=\"role:nve\"/></groups>",
	    ERR_VALUE, "group \"nva-sync\"" },
	{ "node id=\"nve-2\"", "node id=\"nve-1\"", ERR_VALUE,
	    "line 26: node \"nve-1\" is there already, in line 25" },
	{ "dns:NVE-2.dc1", "dns:Nve-1.dc1", ERR_VALUE,
	    "identity \"dns:nve-1.dc1.example\" is that of node \"nve-1\"" },
	{ "<underlay>192.0.2.2<", "<underlay>192.0.2.1<", ERR_VALUE,
	    "address 192.0.2.1 is there already" },
	{ "198.51.100.10", "198.51.100.9", ERR_VALUE, "198.51.100.9 is there already" },
	{ "<underlay>192.0.2.33<", "<underlay>10.0.0.1<", ERR_VALUE, "10.0.0.1 is there already" },
	{ "<underlay>2001:db8::1<", "<underlay>192.0.2.1<", ERR_VALUE, "twice" },
	{ "<vn ref=\"5003\"/>", "<vn ref=\"5001\"/>", ERR_VALUE, "has VN 5001 twice" },
	{ "role=\"nva\"><identity>dns:nva-1.dc1.example</identity><underlay>192.0.2.250</underlay>",
	    "role=\"nva\"><identity>dns:nva-1.dc1.example</identity><underlay>192.0.2.250</"
	    "underlay>"
	    "<attached nve=\"nve-1\"/>",
	    ERR_VALUE, "only a hypervisor" },
};

static void
test_edits(void **state)
{
	struct nvo3_table *t;
	char why[256], *doc;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		doc = doc_edit(doc_base, edits[i].from, edits[i].to);
		r = parse(bytes_str(doc), NULL, &t, why);
		if (r != edits[i].rc || strstr(why, edits[i].why) == NULL ||
		    (r != 0 && strncmp(why, "line ", 5) != 0))
			fail_msg("%s -> %s: %d \"%s\", expected %d \"%s\"", edits[i].from,
			    edits[i].to, r, why, edits[i].rc, edits[i].why);
		assert_true((t != NULL) == (r == 0));
		nvo3_table_free(t);
		free(doc);
	}
}

/* What must be there, and what may be left out. */
static void
test_sections(void **state)
{
	static const struct { const char *from, *to; int rc;
	} rows[] = {
		{ "<suites>", "</suites>\n", ERR_SYNTAX },
		{ "<channels>", "</channels>\n", ERR_SYNTAX },
		{ "<virtual-networks>", "</virtual-networks>\n", ERR_VALUE },
		{ "<groups>", "</groups>\n", 0 },
		{ "<nodes>", "</nodes>\n", ERR_SYNTAX },
	};
	struct nvo3_table *t;
	char why[256], *doc, *rest;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		doc = strdup(doc_base);
		assert_non_null(doc);
		rest = strstr(doc, rows[i].to) + strlen(rows[i].to);
		memmove(strstr(doc, rows[i].from), rest, strlen(rest) + 1);
		if (parse(bytes_str(doc), NULL, &t, why) != rows[i].rc)
			fail_msg("without %s: %s", rows[i].from, why);
		nvo3_table_free(t);
		free(doc);
	}
}

/* Every beginning of a good document is refused, and nothing is read behind its end. */
static void
test_truncated(void **state)
{
	size_t n, full = strlen(doc_base) - 1;
	struct nvo3_table *t;
	char why[256], *exact;

	(void)state;
	for (n = 0; n < full; n++) {
		exact = malloc(n + (n == 0));
		assert_non_null(exact);
		memcpy(exact, doc_base, n);
		assert_int_equal(parse(bytes_of(exact, n), NULL, &t, why), ERR_SYNTAX);
		assert_null(t);
		free(exact);
	}
}

static void
test_encodings(void **state)
{
	uint8_t wide[2 * sizeof doc_base];
	struct nvo3_table *t;
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof doc_base - 1; i++) {
		wide[2 * i] = (uint8_t)doc_base[i];
		wide[2 * i + 1] = 0;
	}
	assert_int_equal(parse(bytes_of(wide, 2 * i), NULL, &t, why), ERR_SYNTAX);
	assert_non_null(strstr(why, "UTF-8"));
	memmove(wide + 1, wide, 2 * i);
	wide[0] = 0;
	assert_int_equal(parse(bytes_of(wide, 2 * i), NULL, &t, why), ERR_SYNTAX);
}

static void
test_limits(void **state)
{
	struct nvo3_limits l;
	struct nvo3_table *t;
	char why[256];

	(void)state;
	nvo3_limits_default(&l);
	l.max_octets = strlen(doc_base);
	l.max_nodes = 7;
	l.max_vns = 3;
	l.max_depth = 4;
	assert_int_equal(parse(bytes_str(doc_base), &l, &t, why), 0);
	nvo3_table_free(t);
	l.max_octets--;
	assert_int_equal(parse(bytes_str(doc_base), &l, &t, why), ERR_SPACE);
	assert_non_null(strstr(why, "max-size"));
	l.max_octets++;
	l.max_nodes--;
	assert_int_equal(parse(bytes_str(doc_base), &l, &t, why), ERR_SPACE);
	assert_string_equal(why, "line 31: more than 6 nodes");
	l.max_nodes++;
	l.max_vns--;
	assert_int_equal(parse(bytes_str(doc_base), &l, &t, why), ERR_SPACE);
	assert_string_equal(why, "line 19: more than 2 VNs");
	l.max_vns++;
	l.max_depth--;
	assert_int_equal(parse(bytes_str(doc_base), &l, &t, why), ERR_SPACE);
	assert_non_null(strstr(why, "nested"));
}

/* n copies of a piece with %u in it, put before `before`. */
static char *
doc_repeat(const char *before, const char *piece, unsigned n)
{
	size_t cap = (strlen(piece) + 12) * n + 1, used = 0;
	char *many = malloc(cap), *doc, *where;
	const char *hole = strstr(piece, "%u");
	unsigned i;

	assert_non_null(many);
	many[0] = '\0';
	for (i = 0; i < n; i++)
		used += (size_t)snprintf(many + used, cap - used, "%.*s%u%s", (int)(hole - piece),
		    piece, i + 1, hole + 2);
	where = malloc(cap + strlen(before));
	assert_non_null(where);
	snprintf(where, cap + strlen(before), "%s%s", many, before);
	doc = doc_edit(doc_base, before, where);
	free(where);
	free(many);
	return doc;
}

static void
test_many(void **state)
{
	static const struct {
		const char *before, *piece;
		unsigned most;           /* that fit beside what is there */
		const char *why;
	} rows[] = {
		{ "<suite id=\"bulk\"", "<suite id=\"s%u\" esp=\"aes128gcm16\"/>", 253,
		    "more than 256 suites" },
		{ "<underlay>192.0.2.250<", "<identity>dns:x%u</identity>", 15,
		    "more than 16 identities" },
		{ "<underlay>192.0.2.250<", "<underlay>10.1.1.%u</underlay>", 7,
		    "at most 8 addresses" },
	};
	struct nvo3_table *t;
	char why[256], *doc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		doc = doc_repeat(rows[i].before, rows[i].piece, rows[i].most);
		if (parse(bytes_str(doc), NULL, &t, why) != 0)
			fail_msg("%s", why);
		nvo3_table_free(t);
		free(doc);
		doc = doc_repeat(rows[i].before, rows[i].piece, rows[i].most + 1);
		assert_int_equal(parse(bytes_str(doc), NULL, &t, why), ERR_SPACE);
		assert_non_null(strstr(why, rows[i].why));
		free(doc);
	}
}

static void
test_channels_of_a_pair(void **state)
{
	struct nvo3_table *t;
	char many[4096], why[256], *doc;
	int n, k, used;

	(void)state;
	for (n = 15; n <= 16; n++) {
		for (used = 0, k = 0; k < n; k++)
			used += snprintf(many + used, sizeof many - (size_t)used,
			    "<channel id=\"c%d\" "
			    "between=\"nva nva\" level=\"control\" suite=\"bulk\" protocol=\"tcp\" "
			    "port=\"%d\"/>",
			    k, k + 1);
		snprintf(many + used, sizeof many - (size_t)used, "</channels>");
		doc = doc_edit(doc_base, "</channels>", many);
		assert_int_equal(parse(bytes_str(doc), NULL, &t, why), n == 15 ? 0 : ERR_SPACE);
		if (n == 16)
			assert_non_null(strstr(why, "more than 16 channels between nva and nva"));
		nvo3_table_free(t);
		free(doc);
	}
}

static void
test_hostile(void **state)
{
	char *deep = malloc(200000), why[256];
	struct nvo3_table *t;
	size_t n = 0;

	(void)state;
	assert_non_null(deep);
	while (n < 190000)
		n += (size_t)sprintf(deep + n, "<a>");
	assert_int_equal(parse(bytes_of(deep, n), NULL, &t, why), ERR_SYNTAX);
	/* Control octets of the document reach no log. */
	n = (size_t)sprintf(deep, "<a\xc2\x9b\x33m/>");
	assert_int_equal(parse(bytes_of(deep, n), NULL, &t, why), ERR_SYNTAX);
	for (n = 0; why[n] != '\0'; n++)
		assert_in_range((unsigned char)why[n], 0x20, 0x7e);
	free(deep);
}

static void
test_schema(void **state)
{
	static const char *const bad[] = { "\n<grammar",
		"<grammar "
		"xmlns=\"http://relaxng.org/ns/structure/1.0\">\n<start><x/></start></grammar>" };
	char path[] = "/tmp/overlock-schema-XXXXXX", why[256];
	struct nvo3_schema *s;
	size_t i;
	FILE *f;
	int fd;

	(void)state;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(nvo3_schema_load(&s, "/nonexistent/authorization.rng", why), ERR_NOTFOUND);
	assert_null(s);
	assert_non_null(strstr(why, "/nonexistent/authorization.rng"));
	assert_int_equal(nvo3_schema_load(&s, "/dev/null", why), ERR_VALUE);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(bad[i], f);
		fclose(f);
		assert_int_equal(nvo3_schema_load(&s, path, why), ERR_SYNTAX);
		if (strstr(why, "line 2") == NULL)
			fail_msg("%s", why);
	}
	unlink(path);
	nvo3_schema_free(NULL);
	nvo3_table_free(NULL);
}

static void
test_values(void **state)
{
	static const struct { const char *text; int64_t t; } times[] = {
		{ "1970-01-01T00:00:00Z", 0 }, { "2000-02-29T12:00:00Z", 951825600 },
		{ "2026-11-22T10:00:00Z", DOC_ISSUED }, { "2100-03-01T00:00:00Z", 4107542400 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};
	static const char *const bad_times[] = { "", "2026-11-22", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z", "2026-01-01T00:00:00ZZ", "1969-12-31T23:59:59Z",
		"2026-01-01 00:00:00Z", "-026-01-01T00:00:00Z" };
	static const struct { const char *in, *out;
	} ids[] = {
		{ "dns:A.Example", "dns:a.example" },
		{ "ip:2001:DB8:0::1", "ip:2001:db8::1" },
		{ "uri:Spiffe://X", "uri:Spiffe://X" },
		{ "email:a@B", "email:a@B" },
		{ "dn:CN=x,O=y", "dn:CN=x,O=y" },
		{ "dns:", NULL },
		{ "dns:a.", NULL },
		{ "dns:.a", NULL },
		{ "dns:*.a", NULL },
		{ "dns:a b", NULL },
		{ "uri:", NULL },
		{ "email:", NULL },
		{ "dn:", NULL },
		{ "ip:1.2.3", NULL },
		{ "cn:a", NULL },
		{ "", NULL },
		{ "uri:a\nb", NULL },
	};
	char out[300], big[400];
	int64_t t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof times / sizeof times[0]; i++) {
		assert_true(value_time(times[i].text, &t));
		assert_int_equal(t, times[i].t);
	}
	for (i = 0; i < sizeof bad_times / sizeof bad_times[0]; i++)
		assert_false(value_time(bad_times[i], &t));
	for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		assert_int_equal(value_identity(ids[i].in, out), ids[i].out != NULL);
		if (ids[i].out != NULL)
			assert_string_equal(out, ids[i].out);
	}
	memset(big, 'a', sizeof big);
	memcpy(big, "dns:", 4);
	big[299] = '\0';
	assert_true(value_identity(big, out));
	big[299] = 'a';
	big[300] = '\0';
	assert_false(value_identity(big, out));
	assert_string_equal(role_name(ROLE_KEY_SERVER), "key-server");
	assert_string_equal(role_name((enum role)9), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_sections), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_channels_of_a_pair),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
