/* SPDX-License-Identifier: ISC */
/*
 * lib/crypto against OpenSSL's X509_verify_cert(): no path that lib/crypto accepts may be refused
 * by OpenSSL. What OpenSSL accepts and lib/crypto refuses has its reason in x509_variants.h.
 */
#include "crypto_pki.h"

#include "crypto/der.h"
#include "x509_reference.h"
#include "x509_variants.h"

#define CERTS_MAX 10

enum outcome { BOTH, NEITHER, STRICTER, LAXER, OUTCOMES };

/* What is judged: certificates, leaf first, and the trust anchors. */
struct chain {
	struct bytes cert[CERTS_MAX], anchor[CERTS_MAX];
	size_t n, n_anchors;
	int64_t now;
};

static struct ident leaf, sub, root;
static unsigned count[OUTCOMES];
static const char *const leaf_ext[] = { "keyUsage=critical,digitalSignature",
	"extendedKeyUsage=ipsecIKE", "subjectAltName=DNS:nve-1.example", "subjectKeyIdentifier=hash",
	"authorityKeyIdentifier=keyid", NULL };
static const char *const ca_ext[] = { "basicConstraints=critical,CA:TRUE",
	"keyUsage=critical,keyCertSign,digitalSignature", "subjectKeyIdentifier=hash",
	"authorityKeyIdentifier=keyid", NULL };

/* ---- judging ---- */

static struct x509_store *
load_anchors(const struct chain *c)
{
	const char *path = path_of("anchors.pem"), *why;
	FILE *f = fopen(path, "w");
	struct x509_store *s;
	size_t i;

	assert_non_null(f);
	for (i = 0; i < c->n_anchors; i++)
		assert_true(PEM_write(f, "CERTIFICATE", "", c->anchor[i].p,
		    (long)c->anchor[i].n) > 0);
	fclose(f);
	return x509_store_load(&s, path, &why) == 0 ? s : NULL;
}

/* The path that x509_verify_chain() went, found again, goes to OpenSSL: alone, so that only what
 * is judged differs, not what is chosen. */
static bool
path_is_sound(const struct x509_store *s, const struct chain *c)
{
	struct x509 *x[CERTS_MAX] = { NULL };
	struct x509_path path;
	const char *why;
	size_t i;
	int error;

	for (i = 0; i < c->n; i++)
		assert_int_equal(x509_from_der(&x[i], c->cert[i]), 0);
	assert_int_equal(x509_path_find(s, x, c->n, c->now, &path, &why), 0);
	if ((error = reference_verify_path(&path, c->now, 0)) == X509_V_OK) {
		error = reference_verify_path(&path, c->now, X509_V_FLAG_X509_STRICT);
		if (reference_strict_reason(error) != NULL)
			error = X509_V_OK;
	}
	if (error != X509_V_OK)
		print_message("OpenSSL: %s\n", X509_verify_cert_error_string(error));
	for (i = 0; i < c->n; i++)
		x509_free(x[i]);
	return error == X509_V_OK;
}

static enum outcome
judge(const struct chain *c)
{
	struct x509_store *s = load_anchors(c);
	bool ours = false, theirs;
	enum outcome o;
	struct x509 *x;
	const char *why;

	theirs = reference_verify(c->cert, c->n, c->anchor, c->n_anchors, c->now,
	    X509_V_FLAG_TRUSTED_FIRST) == X509_V_OK;
	if (s != NULL && x509_verify_chain(s, c->cert, c->n, c->now, &x, &why) == 0) {
		ours = true;
		x509_free(x);
		theirs = path_is_sound(s, c);
	}
	x509_store_free(s);
	o = ours ? theirs ? BOTH : LAXER : theirs ? STRICTER : NEITHER;
	count[o]++;
	return o;
}

static struct chain
chain_of(const struct ident *l, const struct ident *s, const struct ident *r)
{
	struct chain c = { .cert = { view(&l->der) }, .n = 1, .anchor = { view(&r->der) },
	    .n_anchors = 1, .now = NOW };

	if (s != NULL)
		c.cert[c.n++] = view(&s->der);
	return c;
}

/* ---- making ---- */

static void
put_header(struct wr *w, uint8_t tag, size_t n)
{
	wr_u8(w, tag);
	wr_u8(w, 0x82);
	wr_u16(w, (uint16_t)n);
}

/* Strict DER wants the short forms. */
static void
put_element(struct wr *w, uint8_t tag, struct bytes b)
{
	if (b.n >= 0x100)
		put_header(w, tag, b.n);
	else {
		wr_u8(w, tag);
		if (b.n >= 0x80)
			wr_u8(w, 0x81);
		wr_u8(w, (uint8_t)b.n);
	}
	wr_put(w, b);
}

/* tbs, signed; ECDSA with SHA-256 whatever it says. */
static struct octets
sign_tbs(struct bytes tbs, struct bytes alg, struct bytes behind, struct bytes behind_all,
    EVP_PKEY *key)
{
	uint8_t body[OCTETS_MAX], sig[128] = { 0 };
	struct wr w = wr_fixed(body, sizeof(body)), out;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = sizeof(sig) - 1;
	struct octets o;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig + 1, &n, tbs.p, tbs.n), 1);
	EVP_MD_CTX_free(ctx);
	wr_put(&w, tbs);
	wr_put(&w, alg);
	put_element(&w, DER_BIT_STRING, bytes_of(sig, n + 1));
	wr_put(&w, behind);
	out = wr_fixed(o.p, sizeof(o.p));
	put_element(&out, DER_SEQUENCE, wr_view(&w));
	wr_put(&out, behind_all);
	assert_true(!out.bad);
	o.n = out.n;
	return o;
}

static struct bytes
take_any(struct rd *r)
{
	struct rd peek = *r;

	return der_take_whole(r, rd_u8(&peek));
}

/* The certificate with one field replaced, signed again. */
static void
replace_field(struct ident *id, enum field field, const char *hex_value, EVP_PKEY *key)
{
	struct octets value = hex(hex_value);
	struct rd r = rd_open(view(&id->der)), cert = der_open(&r, DER_SEQUENCE);
	struct rd tbs = der_open(&cert, DER_SEQUENCE);
	struct bytes none = bytes_of(NULL, 0), alg = der_take_whole(&cert, DER_SEQUENCE), b;
	uint8_t body[OCTETS_MAX], whole[OCTETS_MAX];
	struct wr w = wr_fixed(body, sizeof(body)), out = wr_fixed(whole, sizeof(whole));
	int i;

	for (i = 0; i < FIELDS && rd_left(&tbs) > 0; i++) {
		if (i == EXTENSIONS && field == BEHIND_SPKI)
			wr_put(&w, view(&value));
		b = take_any(&tbs);
		wr_put(&w, i == (int)field ? view(&value) : b);
	}
	if (field == BEHIND_FIELDS)
		wr_put(&w, view(&value));
	put_element(&out, DER_SEQUENCE, wr_view(&w));
	id->der = sign_tbs(wr_view(&out), field == OUTER_ALG ? view(&value) : alg,
	    field == BEHIND_SIGNATURE ? view(&value) : none,
	    field == BEHIND_ALL ? view(&value) : none, key);
}

static struct ident
make(const struct ident *issuer, const char *cn, const struct ident *reuse,
    const char *const *ext, const struct variant *v)
{
	struct cert_spec spec = { .cn = cn, .from = -5 * DAY, .to = 5 * DAY, .reuse = reuse };
	struct ident id;
	size_t n = 0, i;

	for (; *ext != NULL; ext++)
		if (v->drop == NULL || (strcmp(v->drop, "*") != 0 &&
		    strncmp(*ext, v->drop, strlen(v->drop)) != 0))
			spec.ext[n++] = *ext;
	for (i = 0; i < COUNT(v->ext) && v->ext[i] != NULL; i++)
		spec.ext[n++] = v->ext[i];
	assert_true(n <= EXT_MAX);
	id = issue(issuer, spec);
	if (v->hex != NULL)
		replace_field(&id, v->field, v->hex, issuer == NULL ? id.key : issuer->key);
	return id;
}

static int
setup(void **state)
{
	static const struct variant plain = { .what = "plain" };

	if (pki_setup(state) != 0)
		return -1;
	root = make(NULL, "root", NULL, ca_ext, &plain);
	sub = make(&root, "sub", NULL, ca_ext, &plain);
	leaf = make(&sub, "nve-1.example", NULL, leaf_ext, &plain);
	return 0;
}

static int
teardown(void **state)
{
	print_message("%u chains: both accept %u, both refuse %u, only OpenSSL accepts %u, "
	    "only lib/crypto accepts %u\n", count[BOTH] + count[NEITHER] + count[STRICTER] +
	    count[LAXER], count[BOTH], count[NEITHER], count[STRICTER], count[LAXER]);
	ident_free(&leaf);
	ident_free(&sub);
	ident_free(&root);
	return pki_teardown(state);
}

/* ---- tests ---- */

static enum outcome
judge_variant(const struct variant *v, unsigned at)
{
	struct ident id = at == AT_LEAF ? make(&sub, "nve-1.example", &leaf, leaf_ext, v) :
	    at == AT_SUB ? make(&root, "sub", &sub, ca_ext, v) :
	    make(NULL, "root", &root, ca_ext, v);
	struct chain c = chain_of(at == AT_LEAF ? &id : &leaf, at == AT_SUB ? &id : &sub,
	    at == AT_ROOT ? &id : &root);
	enum outcome o = judge(&c);

	ident_free(&id);
	return o;
}

TEST(one_certificate_of_the_chain_varies)
{
	static const char *const names[] = { "leaf", "sub", "", "root" };
	unsigned wrong = 0, at;
	size_t i;

	for (i = 0; i < COUNT(variants); i++)
		for (at = AT_LEAF; at <= AT_ROOT; at <<= 1) {
			const struct variant *v = &variants[i];
			enum outcome o = judge_variant(v, at);

			if (o != LAXER && (o == STRICTER) == ((v->stricter & at) != 0))
				continue;
			print_message("%s, in the %s: %s\n", v->what, names[at - 1],
			    o == LAXER ? "only lib/crypto accepts" :
			    o == STRICTER ? "only OpenSSL accepts, and the list has no reason" :
			    "the list has a reason that is none");
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

/* Each octet of what is signed, changed and signed again. */
TEST(one_octet_of_a_certificate_varies)
{
	struct ident *const who[] = { &leaf, &sub, &root };
	EVP_PKEY *const keys[] = { sub.key, root.key, root.key };
	size_t i, k;

	for (i = 0; i < COUNT(who); i++) {
		struct ident id = *who[i];
		struct rd r = rd_open(view(&who[i]->der)), cert = der_open(&r, DER_SEQUENCE);
		struct bytes tbs = der_take_whole(&cert, DER_SEQUENCE);
		struct bytes alg = der_take_whole(&cert, DER_SEQUENCE), none = { NULL, 0 };
		struct chain c = chain_of(i == 0 ? &id : &leaf, i == 1 ? &id : &sub,
		    i == 2 ? &id : &root);

		for (k = 0; k < 2 * tbs.n; k++) {
			struct octets o = { .n = tbs.n };

			memcpy(o.p, tbs.p, tbs.n);
			o.p[k / 2] ^= k % 2 == 0 ? (uint8_t)(1u << k / 2 % 8) : 0xff;
			id.der = sign_tbs(view(&o), alg, none, none, keys[i]);
			c.cert[0].n = i == 0 ? id.der.n : c.cert[0].n;
			c.cert[1].n = i == 1 ? id.der.n : c.cert[1].n;
			c.anchor[0].n = i == 2 ? id.der.n : c.anchor[0].n;
			assert_int_not_equal(judge(&c), LAXER);
		}
	}
}

static const struct variant plain = { .what = "plain" };

struct kind {
	const char *key, *md;
	bool pss;
	bool good;                   /* as a CA: its key and what it signs with it */
};

/* Kinds of keys and signatures that we do not take at all, each for the same reason: RFC 8247 and
 * RFC 8221 have no place for them. OpenSSL takes some. */
static const struct kind kinds[] = {
	{ "P-256", "SHA256", false, true }, { "P-256", "SHA384", false, true },
	{ "P-256", "SHA512", false, true }, { "P-256", "SHA1", false, false },
	{ "P-256", "SHA224", false, false }, { "P-256", "SHA3-256", false, false },
	{ "P-384", "SHA256", false, true }, { "P-384", "SHA384", false, true },
	{ "P-521", "SHA512", false, true }, { "ED25519", NULL, false, true },
	{ "ED448", NULL, false, false }, { "secp256k1", "SHA256", false, false },
	{ "brainpoolP256r1", "SHA256", false, false }, { "P-224", "SHA256", false, false },
	{ "RSA2048", "SHA256", false, true }, { "RSA2048", "SHA512", false, true },
	{ "RSA2048", "SHA1", false, false }, { "RSA2048", "SHA224", false, false },
	{ "RSA2048", "SHA256", true, true }, { "RSA2048", "SHA384", true, true },
	{ "RSA2048", "SHA1", true, false }, { "RSA1024", "SHA256", false, false },
	{ "RSA2040", "SHA256", false, false }, { "RSA3072", "SHA384", true, true },
};

static struct ident
issue_kind(const struct ident *issuer, const char *cn, const char *key, const char *const *ext,
    const struct kind *signer, const struct ident *reuse)
{
	struct cert_spec spec = { .cn = cn, .key = key, .md = signer->md, .pss = signer->pss,
	    .reuse = reuse };
	size_t i;

	for (i = 0; ext[i] != NULL; i++)
		spec.ext[i] = ext[i];
	return issue(issuer, spec);
}

TEST(keys_and_signatures_vary)
{
	static const struct kind p256 = { "P-256", "SHA256", false, true };
	size_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		const struct kind *k = &kinds[i];
		struct ident s = issue_kind(&root, "sub", k->key, ca_ext, &p256, NULL);
		struct ident l = issue_kind(&s, "leaf", "P-256", leaf_ext, k, NULL);
		struct ident r = issue_kind(NULL, "root", k->key, ca_ext, k, &s);
		struct ident r_sub = issue_kind(&r, "sub", NULL, ca_ext, k, &sub);
		struct ident l_key = issue_kind(&sub, "leaf", NULL, leaf_ext, &p256, &s);
		struct chain in_sub = chain_of(&l, &s, &root), in_root = chain_of(&leaf, &r_sub, &r);
		struct chain in_leaf = chain_of(&l_key, &sub, &root);
		enum outcome o = judge(&in_sub), p = judge(&in_root), q = judge(&in_leaf);

		assert_true(k->good ? o == BOTH && p == BOTH && q == BOTH :
		    o != BOTH && o != LAXER && p != BOTH && p != LAXER && q != LAXER);
		ident_free(&l_key);
		ident_free(&r_sub);
		ident_free(&r);
		ident_free(&l);
		ident_free(&s);
	}
}

/* Validity of each of the three begins and ends at another second. */
TEST(times_vary)
{
	static const int64_t edges[] = { -30, -20, -10, 10, 20, 30 };
	static const int order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
	    { 2, 0, 1 }, { 2, 1, 0 } };
	size_t i, k;
	int64_t d;

	for (i = 0; i < COUNT(order); i++) {
		struct ident who[3];
		struct chain c;

		for (k = 3; k-- > 0;) {
			static const char *const cn[] = { "leaf", "sub", "root" };

			who[k] = issue(k == 2 ? NULL : &who[k + 1], (struct cert_spec){ .cn = cn[k],
			    .ext = { k > 0 ? "basicConstraints=critical,CA:TRUE" : NULL },
			    .from = edges[order[i][k]], .to = edges[3 + order[i][2 - k]] });
		}
		c = chain_of(&who[0], &who[1], &who[2]);
		for (k = 0; k < COUNT(edges); k++)
			for (d = -1; d <= 1; d++) {
				c.now = NOW + edges[k] + d;
				assert_int_equal(judge(&c), c.now >= NOW - 10 &&
				    c.now <= NOW + 10 ? BOTH : NEITHER);
			}
		for (k = 0; k < 3; k++)
			ident_free(&who[k]);
	}
}

#define CA(constraints) { "basicConstraints=critical,CA:TRUE" constraints, \
	"keyUsage=critical,keyCertSign", "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid" }

#define LIST(...) (const struct ident *const[]){ __VA_ARGS__, NULL }

/* Certificates and anchors, each list ended by NULL. */
static enum outcome
judge_list(const struct ident *const *certs, const struct ident *const *anchors)
{
	struct chain c = { .now = NOW };

	for (; *certs != NULL; certs++)
		c.cert[c.n++] = view(&(*certs)->der);
	for (; *anchors != NULL; anchors++)
		c.anchor[c.n_anchors++] = view(&(*anchors)->der);
	return judge(&c);
}

/* Every sequence of up to four out of leaf, sub, root and a stranger, under anchors of all kinds. */
TEST(what_is_sent_varies)
{
	struct ident odd = make(NULL, "sub", NULL, ca_ext, &plain);
	struct ident cross = make(&odd, "sub", &sub, ca_ext, &plain);
	const struct ident *const all[] = { &leaf, &sub, &root, &odd, &cross };
	const struct ident *const anchors[] = { &root, &sub, &odd, &leaf, &cross };
	const struct ident *certs[5] = { NULL };
	unsigned good = 0, k;
	size_t n, a, i;

	for (n = 1; n <= 4; n++)
		for (k = 0; k < (n == 1 ? 5u : n == 2 ? 25u : n == 3 ? 125u : 625u); k++) {
			unsigned digits = k;

			for (i = 0; i < n; i++, digits /= 5)
				certs[i] = all[digits % 5];
			certs[n] = NULL;
			if (n == 4 && certs[0] != &leaf)
				continue;
			for (a = 0; a < COUNT(anchors); a++) {
				enum outcome o = judge_list(certs, LIST(anchors[a]));

				assert_int_not_equal(o, LAXER);
				good += o == BOTH;
				/* An end that is its own anchor, or a CA for an end. */
				if (o == STRICTER)
					assert_true(certs[0] != &leaf || anchors[a] == &leaf ||
					    anchors[a] == &cross || anchors[a] == &odd);
			}
		}
	assert_true(good > 100);
	assert_int_equal(judge_list(LIST(&leaf, &sub), LIST(&odd, &root)), BOTH);
	assert_int_equal(judge_list(LIST(&leaf, &sub, &cross), LIST(&root)), BOTH);
	/* Neither goes back to try another issuer of that name and key. */
	assert_int_equal(judge_list(LIST(&leaf, &cross, &sub), LIST(&root)), NEITHER);
	ident_free(&cross);
	ident_free(&odd);
}

/* A CA's new key under the old one and the old under the new; loops that lead nowhere. */
TEST(issuers_go_in_circles)
{
	struct ident new = issue(NULL, (struct cert_spec){ .cn = "root", .ext = CA("") });
	struct ident old_by_new = issue(&new, (struct cert_spec){ .cn = "root", .ext = CA(""),
	    .reuse = &root });
	struct ident new_by_old = issue(&root, (struct cert_spec){ .cn = "root",
	    .ext = CA(",pathlen:0"), .reuse = &new });
	struct ident l_new = make(&new, "leaf", NULL, leaf_ext, &plain);
	struct ident l_old = make(&root, "leaf", NULL, leaf_ext, &plain);
	struct ident a = issue(NULL, (struct cert_spec){ .cn = "a", .ext = CA("") });
	struct ident b = issue(&a, (struct cert_spec){ .cn = "b", .ext = CA("") });
	struct ident a_by_b = issue(&b, (struct cert_spec){ .cn = "a", .ext = CA(""), .reuse = &a });
	struct ident lost = make(&a_by_b, "leaf", NULL, leaf_ext, &plain);
	struct ident bare = issue(&root, (struct cert_spec){ .cn = "root", .reuse = &new,
	    .ext = { "basicConstraints=critical,CA:TRUE", "subjectKeyIdentifier=hash" } });

	/* Without a key identifier it looks as if it had signed itself. */
	assert_int_equal(judge_list(LIST(&l_new, &bare), LIST(&root)), NEITHER);
	ident_free(&bare);
	assert_int_equal(judge_list(LIST(&l_new, &new_by_old), LIST(&root)), BOTH);
	assert_int_equal(judge_list(LIST(&l_old, &old_by_new), LIST(&new)), BOTH);
	assert_int_equal(judge_list(LIST(&l_old, &old_by_new, &new_by_old), LIST(&root)), BOTH);
	assert_int_equal(judge_list(LIST(&lost, &a_by_b, &b), LIST(&root)), NEITHER);
	assert_int_equal(judge_list(LIST(&lost, &a, &a_by_b, &b), LIST(&root, &new)), NEITHER);
	assert_int_not_equal(judge_list(LIST(&lost, &a_by_b, &b), LIST(&a)), LAXER);
	ident_free(&lost);
	ident_free(&a_by_b);
	ident_free(&b);
	ident_free(&a);
	ident_free(&l_old);
	ident_free(&l_new);
	ident_free(&new_by_old);
	ident_free(&old_by_new);
	ident_free(&new);
}

TEST(path_lengths_vary)
{
	static const char *const lens[] = { "", ",pathlen:0", ",pathlen:1", ",pathlen:2" };
	size_t i, k, n;

	for (i = 0; i < COUNT(lens); i++)
		for (k = 0; k < COUNT(lens); k++)
			for (n = 1; n <= 3; n++) {
				char first[64], second[64];
				struct ident s[3], l;
				enum outcome o;

				snprintf(first, sizeof first, "basicConstraints=CA:TRUE%s", lens[i]);
				snprintf(second, sizeof second, "basicConstraints=CA:TRUE%s",
				    lens[k]);
				s[0] = issue(&root, (struct cert_spec){ .cn = "s0",
				    .ext = { first } });
				s[1] = issue(&s[0], (struct cert_spec){ .cn = "s1",
				    .ext = { second, "subjectKeyIdentifier=hash" } });
				/* The third is self-issued every other time. */
				s[2] = issue(&s[1], (struct cert_spec){ .cn = i % 2 ? "s1" : "s2",
				    .ext = { "basicConstraints=CA:TRUE", "subjectKeyIdentifier=hash",
				    "authorityKeyIdentifier=keyid" } });
				l = issue(&s[n - 1], (struct cert_spec){ .cn = "leaf" });
				o = judge_list(LIST(&l, &s[n - 1], &s[n > 1 ? n - 2 : 0], &s[0]),
				    LIST(&root));
				assert_true(o == BOTH || o == NEITHER);
				ident_free(&l);
				ident_free(&s[2]);
				ident_free(&s[1]);
				ident_free(&s[0]);
			}
}

TEST(name_constraints_vary)
{
	static const char *const rules[] = { "permitted;DNS:example", "excluded;DNS:example",
		"permitted;URI:.example", "permitted;email:example", "excluded;URI:a.example",
		"permitted;IP:10.0.0.0/255.0.0.0", "excluded;IP:10.0.0.0/255.0.0.0",
		"permitted;DNS:.example", "permitted;email:a@b", "permitted;DNS:." };
	static const char *const names[] = { NULL, "DNS:a.example", "DNS:a.other", "DNS:example",
		"URI:https://a.example/b", "URI:spiffe://a.example/b", "URI:urn:a", "email:a@example",
		"email:a@b", "IP:10.1.2.3", "IP:11.1.2.3", "DNS:*.example", "DNS:A.EXAMPLE",
		"RID:1.2.3.4", "DNS:a.example,DNS:b.other" };
	static const char *const cns[] = { "a.example", "a.other", "plain", "A*B" };
	char rule[80], san[80];
	size_t i, k, m;

	for (i = 0; i < COUNT(rules); i++) {
		struct ident s;

		snprintf(rule, sizeof rule, "nameConstraints=critical,%s", rules[i]);
		s = issue(&root, (struct cert_spec){ .cn = "s", .reuse = &sub,
		    .ext = { "basicConstraints=CA:TRUE", rule } });
		for (k = 0; k < COUNT(names); k++)
			for (m = 0; m < COUNT(cns); m++) {
				struct ident l;
				enum outcome o;

				snprintf(san, sizeof san, "subjectAltName=%s",
				    names[k] == NULL ? "" : names[k]);
				l = issue(&s, (struct cert_spec){ .cn = cns[m], .reuse = &leaf,
				    .ext = { names[k] == NULL ? NULL : san } });
				o = judge_list(LIST(&l, &s), LIST(&root));
				if (o != BOTH && o != NEITHER)
					print_message("%s, %s, %s\n", rules[i], cns[m], san);
				assert_true(o == BOTH || o == NEITHER);
				ident_free(&l);
			}
		ident_free(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_certificate_of_the_chain_varies),
		cmocka_unit_test(one_octet_of_a_certificate_varies),
		cmocka_unit_test(keys_and_signatures_vary),
		cmocka_unit_test(times_vary),
		cmocka_unit_test(what_is_sent_varies),
		cmocka_unit_test(issuers_go_in_circles),
		cmocka_unit_test(path_lengths_vary),
		cmocka_unit_test(name_constraints_vary),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
