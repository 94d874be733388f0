/* SPDX-License-Identifier: ISC */
/* Which chains lead to an anchor: RFC 5280 section 6.1, RFC 4945 section 5.1.3. */
#include "crypto_pki.h"

#define DEVICE_EXT "keyUsage=critical,digitalSignature", "extendedKeyUsage=ipsecIKE", \
	"subjectAltName=DNS:nve-1.dc1.example", "authorityKeyIdentifier=keyid"

static struct ident root;
static struct x509_store *store;

static struct x509_store *
load_store(const struct ident *const *ids, size_t n)
{
	struct x509_store *s;
	const char *why;

	assert_int_equal(x509_store_load(&s, write_certs("anchors.pem", ids, n), &why), 0);
	return s;
}

static int
setup(void **state)
{
	const struct ident *anchors[1] = { &root };

	if (pki_setup(state) != 0)
		return -1;
	root = make_root("root");
	store = load_store(anchors, 1);
	return 0;
}

static int
teardown(void **state)
{
	x509_store_free(store);
	ident_free(&root);
	return pki_teardown(state);
}

static int
verify_at(const struct x509_store *s, const struct ident *const *ids, size_t n, int64_t now)
{
	struct bytes ders[12];
	const char *why = NULL;
	struct x509 *leaf;
	size_t i;
	int r;

	assert_true(n <= COUNT(ders));
	for (i = 0; i < n; i++)
		ders[i] = view(&ids[i]->der);
	r = x509_verify_chain(s, ders, n, now, &leaf, &why);
	assert_non_null(why);
	if (r == 0)
		assert_true(bytes_equal(x509_der(leaf), ders[0]));
	else {
		assert_null(leaf);
		assert_true(why[0] != '\0');
	}
	x509_free(leaf);
	return r;
}

static int
verify1(const struct ident *leaf)
{
	return verify_at(store, &leaf, 1, NOW);
}

/* One leaf under the root, judged and forgotten. */
static int
try_leaf(struct cert_spec spec)
{
	struct ident leaf = issue(&root, spec);
	int r = verify1(&leaf);

	ident_free(&leaf);
	return r;
}

/* An issuer of this spec between the root and a good leaf. */
static int
try_issuer(struct cert_spec spec)
{
	struct ident sub = issue(&root, spec);
	struct ident leaf = issue(&sub, (struct cert_spec){ .cn = "leaf" });
	const struct ident *chain[] = { &leaf, &sub };
	int r = verify_at(store, chain, 2, NOW);

	ident_free(&leaf);
	ident_free(&sub);
	return r;
}

TEST(a_leaf_under_the_root_is_good)
{
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } }), 0);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "no extensions" }), 0);
	assert_int_equal(try_leaf((struct cert_spec){ .ext = { "subjectAltName=critical,DNS:a" } }),
	    0);
}

TEST(usage_of_the_leaf_is_judged)
{
	static const struct {
		const char *ext;
		int r;
	} cases[] = {
		{ "keyUsage=digitalSignature", 0 },
		{ "keyUsage=nonRepudiation,digitalSignature", 0 },
		{ "keyUsage=keyEncipherment", ERR_AUTH },
		{ "keyUsage=decipherOnly", ERR_AUTH },
		{ "extendedKeyUsage=ipsecIKE", 0 },
		{ "extendedKeyUsage=critical,ipsecIKE", 0 },
		{ "extendedKeyUsage=serverAuth", 0 },
		{ "extendedKeyUsage=clientAuth", 0 },
		{ "extendedKeyUsage=anyExtendedKeyUsage", 0 },
		{ "extendedKeyUsage=codeSigning,ipsecIKE", 0 },
		{ "extendedKeyUsage=codeSigning", ERR_AUTH },
		{ "extendedKeyUsage=1.3.6.1.5.5.7.3.171", ERR_AUTH },
		{ "basicConstraints=CA:FALSE", 0 },
		{ "basicConstraints=CA:TRUE", ERR_AUTH },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(try_leaf((struct cert_spec){ .cn = "leaf",
		    .ext = { cases[i].ext } }),
		    cases[i].r);
}

TEST(extensions_are_known_or_not_critical)
{
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "a",
	    .ext = { "1.2.3.4=DER:0500" } }), 0);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "a",
	    .ext = { "1.2.3.4=critical,DER:0500" } }), ERR_AUTH);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "a",
	    .ext = { "2.5.29.32=critical,DER:3007300506032a0304" } }), 0);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "a",
	    .ext = { "policyConstraints=critical,requireExplicitPolicy:0" } }), ERR_AUTH);
	/* twice */
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "a",
	    .ext = { "subjectAltName=DNS:a", "subjectAltName=DNS:b" } }), ERR_AUTH);
}

TEST(malformed_extensions_are_refused)
{
	static const char *const bad[] = {
		"2.5.29.15=DER:0500",           /* keyUsage: not a BIT STRING */
		"2.5.29.15=DER:030100",         /* without a bit */
		"2.5.29.15=DER:03020880",       /* eight unused bits */
		"2.5.29.15=DER:0302078000",     /* something behind */
		"2.5.29.37=DER:3000",           /* extendedKeyUsage: empty */
		"2.5.29.37=DER:3003020101",
		"2.5.29.19=DER:3003010100ff",
		"2.5.29.19=DER:30060101ff020180",       /* path length negative */
		"2.5.29.17=DER:0500",
		"2.5.29.14=DER:0500",
		"2.5.29.35=DER:3005800304",
	};
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(try_leaf((struct cert_spec){ .cn = "a", .ext = { bad[i] } }),
		    ERR_AUTH);
}

TEST(times_are_judged_along_the_chain)
{
	struct ident sub = issue(&root, (struct cert_spec){ .cn = "sub", .ext = { CA_EXT },
	    .from = -10, .to = 10 });
	struct ident leaf = issue(&sub, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT },
	    .from = -5, .to = 20 });
	const struct ident *chain[] = { &leaf, &sub };

	assert_int_equal(verify_at(store, chain, 2, NOW), 0);
	assert_int_equal(verify_at(store, chain, 2, NOW - 5), 0);
	assert_int_equal(verify_at(store, chain, 2, NOW - 6), ERR_EXPIRED);
	assert_int_equal(verify_at(store, chain, 2, NOW + 10), 0);
	assert_int_equal(verify_at(store, chain, 2, NOW + 11), ERR_EXPIRED);
	assert_int_equal(verify_at(store, chain, 2, NOW + 3 * DAY), ERR_EXPIRED);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "old", .from = -3 * DAY, .to = -DAY }),
	    ERR_EXPIRED);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "new", .from = 10, .to = DAY }),
	    ERR_EXPIRED);
	ident_free(&leaf);
	ident_free(&sub);
}

TEST(issuers_must_be_cas)
{
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub", .ext = { CA_EXT } }), 0);
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub",
	    .ext = { "basicConstraints=CA:TRUE" } }), 0);
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub" }), ERR_AUTH);
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub", .ext = { DEVICE_EXT } }),
	    ERR_AUTH);
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub",
	    .ext = { "keyUsage=keyCertSign" } }), ERR_AUTH);
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub",
	    .ext = { "basicConstraints=CA:TRUE", "keyUsage=digitalSignature,cRLSign" } }),
	    ERR_AUTH);
	assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub",
	    .ext = { CA_EXT, "1.2.3.4=critical,DER:0500" } }), ERR_AUTH);
}

/* The names must be those of one chain, and so must the keys. */
TEST(another_ca_of_the_same_name_is_refused)
{
	struct ident twin = make_root("root");
	struct ident leaf = issue(&twin, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } });
	struct ident plain = issue(&twin, (struct cert_spec){ .cn = "leaf" });
	struct ident other = make_root("other");
	struct ident stray = issue(&other, (struct cert_spec){ .cn = "leaf",
	    .ext = { DEVICE_EXT } });
	const struct ident *chain[] = { &leaf, &twin };

	assert_int_equal(verify1(&leaf), ERR_AUTH);
	assert_int_equal(verify1(&plain), ERR_AUTH);
	assert_int_equal(verify1(&stray), ERR_AUTH);
	assert_int_equal(verify_at(store, chain, 2, NOW), ERR_AUTH);
	ident_free(&stray);
	ident_free(&other);
	ident_free(&plain);
	ident_free(&leaf);
	ident_free(&twin);
}

TEST(anchors_of_one_name_and_two_keys_both_count)
{
	struct ident twin = make_root("root");
	struct ident a = issue(&twin, (struct cert_spec){ .cn = "a" });
	struct ident b = issue(&root, (struct cert_spec){ .cn = "b", .ext = { DEVICE_EXT } });
	const struct ident *anchors[] = { &root, &twin }, *one = &a, *two = &b;
	struct x509_store *s = load_store(anchors, 2);

	assert_int_equal(verify_at(s, &one, 1, NOW), 0);
	assert_int_equal(verify_at(s, &two, 1, NOW), 0);
	x509_store_free(s);
	ident_free(&b);
	ident_free(&a);
	ident_free(&twin);
}

TEST(an_anchor_need_not_be_self_signed)
{
	struct ident sub = issue(&root, (struct cert_spec){ .cn = "sub", .ext = { CA_EXT } });
	struct ident leaf = issue(&sub, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } });
	struct ident other = issue(&root, (struct cert_spec){ .cn = "x", .ext = { DEVICE_EXT } });
	const struct ident *anchor = &sub, *l = &leaf, *o = &other;
	struct x509_store *s = load_store(&anchor, 1);

	assert_int_equal(verify_at(s, &l, 1, NOW), 0);
	assert_int_equal(verify_at(s, &o, 1, NOW), ERR_AUTH);
	x509_store_free(s);
	ident_free(&other);
	ident_free(&leaf);
	ident_free(&sub);
}

TEST(order_and_strangers_do_not_matter)
{
	struct ident sub1 = issue(&root, (struct cert_spec){ .cn = "sub1", .ext = { CA_EXT } });
	struct ident sub2 = issue(&sub1, (struct cert_spec){ .cn = "sub2", .ext = { CA_EXT } });
	struct ident leaf = issue(&sub2, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } });
	struct ident odd = issue(NULL, (struct cert_spec){ .cn = "sub2", .ext = { CA_EXT },
	    .key = "brainpoolP256r1" });
	const struct ident *in_order[] = { &leaf, &sub2, &sub1 };
	const struct ident *mixed[] = { &leaf, &root, &odd, &sub1, &leaf, &sub2 };
	const struct ident *lacking[] = { &leaf, &sub2, &root };

	assert_int_equal(verify_at(store, in_order, 3, NOW), 0);
	assert_int_equal(verify_at(store, mixed, 6, NOW), 0);
	assert_int_equal(verify_at(store, lacking, 3, NOW), ERR_AUTH);
	ident_free(&odd);
	ident_free(&leaf);
	ident_free(&sub2);
	ident_free(&sub1);
}

/* CA n is issued by CA n - 1; the leaf by the last. */
static int
try_depth(size_t n_subs, const char *constraints)
{
	struct ident subs[CHAIN_MAX + 1], leaf;
	const struct ident *chain[CHAIN_MAX + 2];
	char cn[16];
	size_t i;
	int r;

	for (i = 0; i < n_subs; i++) {
		snprintf(cn, sizeof cn, "sub %zu", i);
		subs[i] = issue(i == 0 ? &root : &subs[i - 1], (struct cert_spec){ .cn = cn,
		    .ext = { i == 0 ? constraints : "basicConstraints=CA:TRUE" } });
	}
	leaf = issue(&subs[n_subs - 1], (struct cert_spec){ .cn = "leaf" });
	chain[0] = &leaf;
	for (i = 0; i < n_subs; i++)
		chain[1 + i] = &subs[i];
	r = verify_at(store, chain, 1 + n_subs, NOW);
	ident_free(&leaf);
	for (i = 0; i < n_subs; i++)
		ident_free(&subs[i]);
	return r;
}

TEST(path_lengths_are_kept)
{
	assert_int_equal(try_depth(1, "basicConstraints=CA:TRUE,pathlen:0"), 0);
	assert_int_equal(try_depth(2, "basicConstraints=CA:TRUE,pathlen:0"), ERR_AUTH);
	assert_int_equal(try_depth(2, "basicConstraints=CA:TRUE,pathlen:1"), 0);
	assert_int_equal(try_depth(3, "basicConstraints=CA:TRUE,pathlen:1"), ERR_AUTH);
	assert_int_equal(try_depth(CHAIN_MAX - 1, "basicConstraints=CA:TRUE"), 0);
	assert_int_equal(try_depth(CHAIN_MAX, "basicConstraints=CA:TRUE"), ERR_AUTH);
}

/* A CA's new key, signed by the old one under the same name, is no step of the path's length. */
TEST(self_issued_certificates_are_not_counted)
{
	struct ident old = issue(&root, (struct cert_spec){ .cn = "ca",
	    .ext = { "basicConstraints=CA:TRUE,pathlen:0", "subjectKeyIdentifier=hash" } });
	struct ident new = issue(&old, (struct cert_spec){ .cn = "ca",
	    .ext = { "basicConstraints=CA:TRUE,pathlen:0", "subjectKeyIdentifier=hash",
	    "authorityKeyIdentifier=keyid" } });
	struct ident leaf = issue(&new, (struct cert_spec){ .cn = "leaf" });
	const struct ident *chain[] = { &leaf, &new, &old };

	assert_int_equal(verify_at(store, chain, 3, NOW), 0);
	ident_free(&leaf);
	ident_free(&new);
	ident_free(&old);
}

TEST(loops_end)
{
	struct ident a = make_root("a"), b = make_root("b");
	struct ident a_by_b = issue(&b, (struct cert_spec){ .cn = "a", .ext = { CA_EXT },
	    .reuse = &a });
	struct ident b_by_a = issue(&a, (struct cert_spec){ .cn = "b", .ext = { CA_EXT },
	    .reuse = &b });
	struct ident leaf = issue(&a, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } });
	const struct ident *chain[] = { &leaf, &a, &a_by_b, &b_by_a, &b, &a, &b_by_a, &a_by_b };

	assert_int_equal(verify_at(store, chain, 8, NOW), ERR_AUTH);
	ident_free(&leaf);
	ident_free(&b_by_a);
	ident_free(&a_by_b);
	ident_free(&b);
	ident_free(&a);
}

TEST(name_constraints_are_kept)
{
	static const struct {
		const char *nc, *san;
		int r;
	} cases[] = {
		{ "permitted;DNS:dc1.example", "subjectAltName=DNS:nve-1.dc1.example", 0 },
		{ "permitted;DNS:dc1.example", "subjectAltName=DNS:nve-1.dc2.example", ERR_AUTH },
		{ "excluded;DNS:dc1.example", "subjectAltName=DNS:nve-1.dc1.example", ERR_AUTH },
		{ "excluded;DNS:dc1.example", "subjectAltName=DNS:nve-1.dc2.example", 0 },
		{ "permitted;URI:dc1.example", "subjectAltName=URI:https://x.dc9.example/1",
		ERR_AUTH },
		{ "permitted;IP:192.0.2.0/255.255.255.0", "subjectAltName=IP:198.51.100.1",
		ERR_AUTH },
		{ "permitted;IP:192.0.2.0/255.255.255.0", "subjectAltName=IP:192.0.2.7", 0 },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		char nc[128];
		struct ident sub, leaf;
		const struct ident *chain[] = { &leaf, &sub };

		snprintf(nc, sizeof nc, "nameConstraints=critical,%s", cases[i].nc);
		sub = issue(&root, (struct cert_spec){ .cn = "sub", .ext = { CA_EXT, nc } });
		leaf = issue(&sub, (struct cert_spec){ .cn = "leaf", .ext = { cases[i].san } });
		assert_int_equal(verify_at(store, chain, 2, NOW), cases[i].r);
		ident_free(&leaf);
		ident_free(&sub);
	}
}

TEST(kinds_of_keys_are_judged)
{
	static const struct {
		const char *key;
		int r;
	} cases[] = {
		{ "P-256", 0 }, { "P-384", 0 }, { "P-521", 0 }, { "ED25519", 0 }, { "RSA2048", 0 },
		{ "RSA1024", ERR_AUTH }, { "RSA2040", ERR_AUTH }, { "ED448", ERR_AUTH },
		{ "P-224", ERR_AUTH }, { "secp256k1", ERR_AUTH },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(try_leaf((struct cert_spec){ .cn = "leaf", .key = cases[i].key }),
		    cases[i].r);
		assert_int_equal(try_issuer((struct cert_spec){ .cn = "sub", .key = cases[i].key,
		    .ext = { CA_EXT } }), cases[i].r);
	}
}

TEST(kinds_of_signatures_are_judged)
{
	struct ident rsa = issue(NULL, (struct cert_spec){ .cn = "rsa", .key = "RSA2048",
	    .ext = { CA_EXT } });
	const struct ident *anchor = &rsa;
	struct x509_store *s = load_store(&anchor, 1);
	static const struct {
		const char *md;
		bool pss;
		int r;
	} cases[] = {
		{ "SHA256", false, 0 }, { "SHA384", false, 0 }, { "SHA512", false, 0 },
		{ "SHA1", false, ERR_AUTH }, { "MD5", false, ERR_AUTH },
		{ "SHA224", false, ERR_AUTH },
		{ "SHA256", true, 0 }, { "SHA384", true, 0 }, { "SHA512", true, 0 },
		{ "SHA1", true, ERR_AUTH },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct ident leaf = issue(&rsa, (struct cert_spec){ .cn = "leaf", .md = cases[i].md,
		    .pss = cases[i].pss });
		const struct ident *l = &leaf;

		assert_int_equal(verify_at(s, &l, 1, NOW), cases[i].r);
		ident_free(&leaf);
	}
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "leaf", .md = "SHA1" }), ERR_AUTH);
	assert_int_equal(try_leaf((struct cert_spec){ .cn = "leaf", .md = "SHA512" }), 0);
	x509_store_free(s);
	ident_free(&rsa);
}

TEST(no_changed_octet_verifies)
{
	struct ident leaf = issue(&root, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } });
	const struct ident *l = &leaf;
	size_t i;

	for (i = 0; i < leaf.der.n; i++) {
		leaf.der.p[i] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(verify_at(store, &l, 1, NOW), 0);
		leaf.der.p[i] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 0; i < leaf.der.n; i++) {
		struct bytes cut = bytes_of(leaf.der.p, i);
		struct x509 *x;

		assert_int_equal(x509_from_der(&x, cut), ERR_SYNTAX);
		assert_null(x);
	}
	leaf.der.n++;
	assert_int_equal(verify_at(store, &l, 1, NOW), ERR_SYNTAX);
	ident_free(&leaf);
}

TEST(numbers_of_certificates_are_limited)
{
	struct ident leaf = issue(&root, (struct cert_spec){ .cn = "leaf", .ext = { DEVICE_EXT } });
	const struct ident *nine[9];
	size_t i;

	for (i = 0; i < 9; i++)
		nine[i] = &leaf;
	assert_int_equal(verify_at(store, nine, 8, NOW), 0);
	assert_int_equal(verify_at(store, nine, 9, NOW), ERR_AUTH);
	assert_int_equal(verify_at(store, nine, 0, NOW), ERR_AUTH);
	ident_free(&leaf);
}

/* A self-signed device, even the anchor's own certificate, is nobody's. */
TEST(an_end_is_not_its_own_anchor)
{
	struct ident self = issue(NULL, (struct cert_spec){ .cn = "self", .ext = { DEVICE_EXT } });

	assert_int_equal(verify1(&self), ERR_AUTH);
	assert_int_equal(verify1(&root), ERR_AUTH);
	ident_free(&self);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_under_the_root_is_good),
		cmocka_unit_test(usage_of_the_leaf_is_judged),
		cmocka_unit_test(extensions_are_known_or_not_critical),
		cmocka_unit_test(malformed_extensions_are_refused),
		cmocka_unit_test(times_are_judged_along_the_chain),
		cmocka_unit_test(issuers_must_be_cas),
		cmocka_unit_test(another_ca_of_the_same_name_is_refused),
		cmocka_unit_test(anchors_of_one_name_and_two_keys_both_count),
		cmocka_unit_test(an_anchor_need_not_be_self_signed),
		cmocka_unit_test(order_and_strangers_do_not_matter),
		cmocka_unit_test(path_lengths_are_kept),
		cmocka_unit_test(self_issued_certificates_are_not_counted),
		cmocka_unit_test(loops_end),
		cmocka_unit_test(name_constraints_are_kept),
		cmocka_unit_test(kinds_of_keys_are_judged),
		cmocka_unit_test(kinds_of_signatures_are_judged),
		cmocka_unit_test(no_changed_octet_verifies),
		cmocka_unit_test(numbers_of_certificates_are_limited),
		cmocka_unit_test(an_end_is_not_its_own_anchor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
