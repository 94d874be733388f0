/* SPDX-License-Identifier: ISC */
/* Who may sign an NVA document, and what it may look like. Each good one has broken twins. */
#include "crypto_pki.h"

#include "crypto/cms.h"

#define SIGNER_EXT "keyUsage=critical,digitalSignature", "extendedKeyUsage=" NVA_EKU_OID, \
	"subjectAltName=DNS:nva.dc1.example"

static const struct bytes document = { (const uint8_t *)"<authorization/>", 16 };
static struct ident root, signer;

static int
setup(void **state)
{
	const struct ident *anchor = &root;

	if (pki_setup(state) != 0)
		return -1;
	root = make_root("nva root");
	signer = issue(&root, (struct cert_spec){ .cn = "nva", .ext = { SIGNER_EXT } });
	write_certs("anchors.pem", &anchor, 1);
	return 0;
}

static int
teardown(void **state)
{
	ident_free(&signer);
	ident_free(&root);
	return pki_teardown(state);
}

/* What OpenSSL signs for one or several of them; `with` goes in besides the signers' own. */
static struct blob
sign_openssl(const struct ident *const *by, size_t n, const struct ident *with, const char *md,
    unsigned int flags)
{
	BIO *in = BIO_new_mem_buf(document.p, (int)document.n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;
	struct blob b = { NULL, 0 };
	char *p;
	long len;
	size_t i;

	flags |= CMS_BINARY | CMS_PARTIAL;
	cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	assert_non_null(cms);
	for (i = 0; i < n; i++)
		assert_non_null(CMS_add1_signer(cms, by[i]->cert, by[i]->key,
		    EVP_get_digestbyname(md),
		    flags | (i > 0 && by[i] == by[0] ? CMS_NOCERTS : 0)));
	if (with != NULL)
		assert_int_equal(CMS_add1_cert(cms, with->cert), 1);
	assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
	assert_int_equal(i2d_CMS_bio(out, cms), 1);
	len = BIO_get_mem_data(out, &p);
	assert_int_equal(blob_copy(&b, bytes_of(p, (size_t)len)), 0);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	return b;
}

static struct blob
sign_ours(const struct ident *by)
{
	struct blob b = { NULL, 0 };
	const char *why;

	assert_int_equal(cms_sign(document, write_certs("s.pem", &by, 1),
	    write_key("s.key", by->key),
	    &b, &why), 0);
	return b;
}

static int
verify_at(struct bytes in, int64_t now, struct cms_signer *signers, size_t *n)
{
	struct blob content = { NULL, 0 };
	const char *why = NULL;
	int r = cms_verify(in, path_of("anchors.pem"), now, &content, signers, n, &why);

	assert_non_null(why);
	if (r == 0) {
		assert_true(bytes_equal(blob_view(&content), document));
		assert_true(*n > 0);
	} else {
		assert_null(content.p);
		assert_int_equal(*n, 0);
		assert_true(why[0] != '\0');
	}
	blob_free(&content);
	return r;
}

static int
verify(struct bytes in)
{
	struct cms_signer signers[CMS_SIGNERS_MAX];
	size_t n;

	return verify_at(in, NOW, signers, &n);
}

/* Signed by somebody of this spec under the root: verdict. */
static int
try_signer(struct cert_spec spec)
{
	struct ident id = issue(&root, spec);
	struct blob b = sign_ours(&id);
	int r = verify(blob_view(&b));

	blob_free(&b);
	ident_free(&id);
	return r;
}

TEST(what_we_sign_verifies)
{
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob b = sign_ours(&signer);
	time_t now = time(NULL);
	size_t n;

	assert_int_equal(verify_at(blob_view(&b), NOW, signers, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(signers[0].identity, "dns:nva.dc1.example");
	assert_true(signers[0].not_after == NOW + DAY);
	assert_true(signers[0].signed_at <= now && signers[0].signed_at > now - 60);
	blob_free(&b);
}

TEST(kinds_of_signers_are_judged)
{
	assert_int_equal(try_signer((struct cert_spec){ .cn = "s", .ext = { SIGNER_EXT },
	    .key = "P-384" }), 0);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "s", .ext = { SIGNER_EXT },
	    .key = "P-521" }), 0);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "s", .ext = { SIGNER_EXT },
	    .key = "RSA2048" }), 0);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "s",
	    .ext = { "extendedKeyUsage=" NVA_EKU_OID } }), 0);
}

/* A device of the fleet has a certificate too, but must not write its own authorization. */
TEST(a_device_cannot_sign)
{
	assert_int_equal(try_signer((struct cert_spec){ .cn = "nve-1",
	    .ext = { "keyUsage=digitalSignature", "extendedKeyUsage=ipsecIKE" } }), ERR_AUTH);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "nve-1" }), ERR_AUTH);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "nve-1",
	    .ext = { "extendedKeyUsage=anyExtendedKeyUsage" } }), ERR_AUTH);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "s",
	    .ext = { "keyUsage=keyEncipherment", "extendedKeyUsage=" NVA_EKU_OID } }), ERR_AUTH);
	assert_int_equal(try_signer((struct cert_spec){ .cn = "s",
	    .ext = { CA_EXT, "extendedKeyUsage=" NVA_EKU_OID } }), ERR_AUTH);
}

TEST(a_signer_of_another_ca_is_refused)
{
	struct ident other = make_root("nva root");
	struct ident id = issue(&other, (struct cert_spec){ .cn = "nva", .ext = { SIGNER_EXT } });
	const struct ident *by = &id;
	struct blob b = sign_ours(&id), c = sign_openssl(&by, 1, &other, "SHA256", 0);

	assert_int_equal(verify(blob_view(&b)), ERR_AUTH);
	assert_int_equal(verify(blob_view(&c)), ERR_AUTH);
	blob_free(&c);
	blob_free(&b);
	ident_free(&id);
	ident_free(&other);
}

TEST(an_expired_signer_is_refused)
{
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob b = sign_ours(&signer);
	size_t n;

	assert_int_equal(verify_at(blob_view(&b), NOW + DAY, signers, &n), 0);
	assert_int_equal(verify_at(blob_view(&b), NOW + DAY + 1, signers, &n), ERR_EXPIRED);
	assert_int_equal(verify_at(blob_view(&b), NOW - DAY - 1, signers, &n), ERR_EXPIRED);
	blob_free(&b);
}

TEST(intermediates_come_along)
{
	struct ident sub = issue(&root, (struct cert_spec){ .cn = "sub", .ext = { CA_EXT } });
	struct ident id = issue(&sub, (struct cert_spec){ .cn = "nva", .ext = { SIGNER_EXT } });
	const struct ident *chain[] = { &id, &sub }, *by = &id;
	struct blob b = { NULL, 0 }, c;
	const char *why;

	assert_int_equal(cms_sign(document, write_certs("chain.pem", chain, 2),
	    write_key("chain.key", id.key), &b, &why), 0);
	assert_int_equal(verify(blob_view(&b)), 0);
	c = sign_openssl(&by, 1, NULL, "SHA256", 0);
	assert_int_equal(verify(blob_view(&c)), ERR_AUTH);
	blob_free(&c);
	blob_free(&b);
	ident_free(&id);
	ident_free(&sub);
}

TEST(every_signer_must_be_good)
{
	struct ident second = issue(&root, (struct cert_spec){ .cn = "b",
	    .ext = { "extendedKeyUsage=" NVA_EKU_OID, "subjectAltName=URI:spiffe://dc1/nva/2" } });
	struct ident device = issue(&root, (struct cert_spec){ .cn = "device" });
	const struct ident *two[] = { &signer, &second }, *mixed[] = { &signer, &device };
	const struct ident *same[] = { &signer, &signer };
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob b = sign_openssl(two, 2, NULL, "SHA384", 0);
	size_t n, i, at;

	assert_int_equal(verify_at(blob_view(&b), NOW, signers, &n), 0);
	assert_int_equal(n, 2);
	at = strcmp(signers[0].identity, "dns:nva.dc1.example") == 0 ? 1 : 0;
	assert_string_equal(signers[1 - at].identity, "dns:nva.dc1.example");
	assert_string_equal(signers[at].identity, "uri:spiffe://dc1/nva/2");
	/* The end of the last signature, and with it only one of the two. */
	for (i = 1; i < 40; i += 3) {
		b.p[b.n - i] ^= 1;
		assert_int_not_equal(verify(blob_view(&b)), 0);
		b.p[b.n - i] ^= 1;
	}
	blob_free(&b);
	b = sign_openssl(mixed, 2, NULL, "SHA256", 0);
	assert_int_equal(verify(blob_view(&b)), ERR_AUTH);
	blob_free(&b);
	/* Signing twice does not make two of one. */
	b = sign_openssl(same, 2, NULL, "SHA256", 0);
	assert_int_equal(verify_at(blob_view(&b), NOW, signers, &n), 0);
	assert_int_equal(n, 1);
	blob_free(&b);
	ident_free(&device);
	ident_free(&second);
}

TEST(form_and_algorithms_are_judged)
{
	static const struct {
		const char *md;
		unsigned int flags;
		int r;
	} cases[] = {
		{ "SHA256", 0, 0 }, { "SHA384", 0, 0 }, { "SHA512", 0, 0 },
		{ "SHA1", 0, ERR_AUTH }, { "SHA224", 0, ERR_AUTH },
		{ "SHA256", CMS_NOATTR, ERR_AUTH },
		{ "SHA256", CMS_DETACHED, ERR_SYNTAX },
		{ "SHA256", CMS_NOCERTS, ERR_AUTH },
		{ "SHA256", CMS_USE_KEYID, ERR_AUTH },
		{ "SHA256", CMS_NOSMIMECAP, 0 },
	};
	struct ident id = issue(&root, (struct cert_spec){ .cn = "s",
	    .ext = { SIGNER_EXT, "subjectKeyIdentifier=hash" } });
	const struct ident *by = &id;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct blob b = sign_openssl(&by, 1, NULL, cases[i].md, cases[i].flags);

		/* By key identifier is as good as by name, if the certificate is there. */
		assert_int_equal(verify(blob_view(&b)), cases[i].flags == CMS_USE_KEYID ? 0 :
		    cases[i].r);
		blob_free(&b);
	}
	ident_free(&id);
}

TEST(nobody_signed)
{
	struct blob b = sign_ours(&signer);
	const unsigned char *p = b.p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)b.n);
	CMS_SignerInfo *si = sk_CMS_SignerInfo_pop(CMS_get0_SignerInfos(cms));
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);

	assert_true(n > 0);
	assert_int_equal(verify(bytes_of(der, (size_t)n)), ERR_AUTH);
	assert_true(sk_CMS_SignerInfo_push(CMS_get0_SignerInfos(cms), si) > 0);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	blob_free(&b);
}

/*
 * Not all octets are signed (the case of letters in the issuer's name, a version number), but with
 * those changed it must still be the same document.
 */
TEST(no_changed_document_verifies)
{
	struct blob b = sign_ours(&signer);
	size_t i, at, good = 0;

	for (i = 0; memcmp(b.p + i, document.p, document.n) != 0; i++)
		;
	at = i;
	for (i = 0; i < b.n; i++) {
		bool inside = b.n - i <= 60 || (i >= at && i < at + document.n);

		b.p[i] ^= 0x20;
		if (verify(blob_view(&b)) == 0) {
			assert_false(inside);
			good++;
		}
		b.p[i] ^= 0x20;
	}
	assert_true(good < b.n / 20);
	blob_free(&b);
}

static void
assert_syntax(const void *p, size_t n)
{
	assert_int_equal(verify(bytes_of(p, n)), ERR_SYNTAX);
}

TEST(only_cms_and_nothing_after_it)
{
	struct blob b = sign_ours(&signer);
	uint8_t *more = calloc(1, b.n + 1);
	size_t i;

	memcpy(more, b.p, b.n);
	assert_syntax(more, b.n + 1);
	for (i = 0; i < b.n; i += 37)
		assert_syntax(b.p, i);
	assert_syntax("", 0);
	assert_syntax("<authorization/>", 16);
	assert_syntax(signer.der.p, signer.der.n);
	free(more);
	blob_free(&b);
}

static struct octets
to_pem(const char *name, const char *header, const struct blob *b, const char *after)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct octets o = { .n = 0 };
	char *p;

	assert_true(PEM_write_bio(bio, name, header, b->p, (long)b->n) > 0);
	BIO_puts(bio, after);
	o.n = (size_t)BIO_get_mem_data(bio, &p);
	assert_true(o.n <= OCTETS_MAX);
	memcpy(o.p, p, o.n);
	BIO_free(bio);
	return o;
}

TEST(pem_is_taken_too)
{
	static const struct {
		const char *name, *header, *after;
		int r;
	} cases[] = {
		{ "CMS", "", "", 0 }, { "PKCS7", "", "", 0 }, { "CMS", "", "\r\n \t\n", 0 },
		{ "CMS", "", "x", ERR_SYNTAX }, { "CERTIFICATE", "", "", ERR_SYNTAX },
		{ "CMS", "A: b\n", "", ERR_SYNTAX },
		{ "CMS", "", "-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n", ERR_SYNTAX },
	};
	struct blob b = sign_ours(&signer);
	struct octets o;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		o = to_pem(cases[i].name, cases[i].header, &b, cases[i].after);
		assert_int_equal(verify(view(&o)), cases[i].r);
	}
	o = to_pem("CMS", "", &b, "");
	assert_syntax(o.p, o.n - 10);
	o.p[60] = '!';
	assert_syntax(o.p, o.n);
	blob_free(&b);
}

TEST(no_anchors_no_verdict)
{
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob b = sign_ours(&signer), content = { NULL, 0 };
	const char *why;
	size_t n;

	assert_int_equal(cms_verify(blob_view(&b), path_of("none.pem"), NOW, &content, signers, &n,
	    &why), ERR_IO);
	assert_int_equal(n, 0);
	blob_free(&b);
}

TEST(signing_says_what_is_wrong)
{
	struct ident ed = issue(&root, (struct cert_spec){ .cn = "ed", .key = "ED25519",
	    .ext = { SIGNER_EXT } });
	const struct ident *s = &signer, *e = &ed;
	struct blob b = { NULL, 0 };
	const char *why;

	assert_int_equal(cms_sign(document, path_of("none"), path_of("none"), &b, &why), ERR_IO);
	assert_int_equal(cms_sign(document, write_certs("x.pem", &s, 1), path_of("none"), &b, &why),
	    ERR_IO);
	assert_int_equal(cms_sign(document, write_certs("x.pem", &s, 1),
	    write_key("x.key", root.key),
	    &b, &why), ERR_VALUE);
	assert_int_equal(cms_sign(document, write_certs("x.pem", &e, 1), write_key("x.key", ed.key),
	    &b, &why), ERR_UNSUPPORTED);
	assert_non_null(strstr(why, "Ed25519"));
	assert_null(b.p);
	ident_free(&ed);
}

TEST(an_empty_document_is_a_document)
{
	const struct ident *by = &signer;
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob b = { NULL, 0 }, content = { NULL, 0 };
	const char *why;
	size_t n;

	assert_int_equal(cms_sign(bytes_of(NULL, 0), write_certs("s.pem", &by, 1),
	    write_key("s.key", by->key), &b, &why), 0);
	assert_int_equal(cms_verify(blob_view(&b), path_of("anchors.pem"), NOW, &content, signers,
	    &n,
	    &why), 0);
	assert_int_equal(content.n, 0);
	blob_free(&content);
	blob_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_sign_verifies),
		cmocka_unit_test(kinds_of_signers_are_judged),
		cmocka_unit_test(a_device_cannot_sign),
		cmocka_unit_test(a_signer_of_another_ca_is_refused),
		cmocka_unit_test(an_expired_signer_is_refused),
		cmocka_unit_test(intermediates_come_along),
		cmocka_unit_test(every_signer_must_be_good),
		cmocka_unit_test(form_and_algorithms_are_judged),
		cmocka_unit_test(nobody_signed),
		cmocka_unit_test(no_changed_document_verifies),
		cmocka_unit_test(only_cms_and_nothing_after_it),
		cmocka_unit_test(pem_is_taken_too),
		cmocka_unit_test(no_anchors_no_verdict),
		cmocka_unit_test(signing_says_what_is_wrong),
		cmocka_unit_test(an_empty_document_is_a_document),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
