/* SPDX-License-Identifier: ISC */
/* AUTH payloads: RFC 7296 section 2.15, RFC 4754, RFC 7427, RFC 8420. */
#include "crypto_pki.h"

#include "crypto/sign.h"
#include "crypto/sigalg.h"

enum { P256, P384, P521, ED25519, RSA2K, SIGNERS };

static const struct {
	const char *key;
	enum key_type type;
} kinds[SIGNERS] = {
	{ "P-256", KEY_EC_P256 }, { "P-384", KEY_EC_P384 }, { "P-521", KEY_EC_P521 },
	{ "ED25519", KEY_ED25519 }, { "RSA2048", KEY_RSA },
};

static struct {
	struct ident id;
	struct x509 *cert;
	struct pkey *key;
} signers[SIGNERS];

static const struct bytes octets = { (const uint8_t *)"what is signed", 14 };

static int
setup(void **state)
{
	const char *why;
	size_t i;

	if (pki_setup(state) != 0)
		return -1;
	for (i = 0; i < SIGNERS; i++) {
		signers[i].id = issue(NULL, (struct cert_spec){ .cn = "x", .key = kinds[i].key });
		if (x509_from_der(&signers[i].cert, view(&signers[i].id.der)) != 0 ||
		    pkey_load(&signers[i].key, write_key("key.pem", signers[i].id.key), &why) != 0)
			return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	for (i = 0; i < SIGNERS; i++) {
		pkey_free(signers[i].key);
		x509_free(signers[i].cert);
		ident_free(&signers[i].id);
	}
	return pki_teardown(state);
}

/* Signed by who, for a peer that announced this: has this method, verifies, and not if changed. */
static void
check(size_t who, uint32_t hashes, uint8_t wanted, const char *id)
{
	struct octets prefix = hex(id);
	struct blob data = { NULL, 0 };
	uint8_t method = 0;
	size_t i;

	assert_int_equal(sign_auth(signers[who].key, hashes, octets, &method, &data), 0);
	assert_int_equal(method, wanted);
	assert_true(data.n > prefix.n);
	assert_memory_equal(data.p, prefix.p, prefix.n);
	assert_int_equal(verify_auth(signers[who].cert, method, blob_view(&data), octets), 0);
	assert_int_equal(verify_auth(signers[who].cert, method, blob_view(&data),
	    bytes_str("what is not signed")), ERR_AUTH);
	for (i = prefix.n; i < data.n; i += 5) {
		data.p[i] ^= 4;
		assert_int_equal(verify_auth(signers[who].cert, method, blob_view(&data), octets),
		    ERR_AUTH);
		data.p[i] ^= 4;
	}
	assert_int_not_equal(verify_auth(signers[who].cert, method, bytes_of(data.p, data.n - 1),
	    octets), 0);
	for (i = 0; i < SIGNERS; i++)
		if (i != who)
			assert_int_equal(verify_auth(signers[i].cert, method, blob_view(&data),
			    octets),
			    ERR_AUTH);
	blob_free(&data);
}

#define ECDSA_ID(n) "0c 300a06082a8648ce3d0403" n
#define PSS_ID(h, salt) "48 304606092a864886f70d01010a3039a00f300d060960864801650304020" h \
	"0500a11c301a06092a864886f70d010108300d060960864801650304020" h "0500a2030201" salt \
	"a303020101"

TEST(the_hash_is_that_of_the_key_if_announced)
{
	check(P256, HASHES_OURS, AUTH_DIGITAL_SIGNATURE, ECDSA_ID("02"));
	check(P384, HASHES_OURS, AUTH_DIGITAL_SIGNATURE, ECDSA_ID("03"));
	check(P521, HASHES_OURS, AUTH_DIGITAL_SIGNATURE, ECDSA_ID("04"));
	check(ED25519, HASHES_OURS, AUTH_DIGITAL_SIGNATURE, "07 300506032b6570");
	check(RSA2K, HASHES_OURS, AUTH_DIGITAL_SIGNATURE, PSS_ID("1", "20"));
}

TEST(else_the_strongest_that_was_announced)
{
	uint32_t two = HASH_BIT(HASH_SHA2_384), three = two | HASH_BIT(HASH_SHA2_512);

	check(P256, two, AUTH_DIGITAL_SIGNATURE, ECDSA_ID("03"));
	check(P256, three, AUTH_DIGITAL_SIGNATURE, ECDSA_ID("04"));
	check(P384, HASH_BIT(HASH_SHA2_256) | HASH_BIT(HASH_SHA1), AUTH_DIGITAL_SIGNATURE,
	    ECDSA_ID("02"));
	check(RSA2K, two, AUTH_DIGITAL_SIGNATURE, PSS_ID("2", "30"));
	check(RSA2K, three, AUTH_DIGITAL_SIGNATURE, PSS_ID("3", "40"));
}

TEST(a_peer_without_sha2_gets_the_older_methods)
{
	static const uint32_t hashes[] = { 0, HASH_BIT(HASH_SHA1), HASH_BIT(HASH_IDENTITY) };
	size_t i;

	for (i = 0; i < COUNT(hashes); i++) {
		check(P256, hashes[i], AUTH_ECDSA_256, "");
		check(P384, hashes[i], AUTH_ECDSA_384, "");
		check(P521, hashes[i], AUTH_ECDSA_521, "");
		check(RSA2K, hashes[i], AUTH_RSA, "");
	}
}

TEST(ed25519_needs_identity)
{
	struct blob data = { NULL, 0 };
	uint8_t method;

	assert_int_equal(sign_auth(signers[ED25519].key, 0, octets, &method, &data),
	    ERR_UNSUPPORTED);
	assert_int_equal(sign_auth(signers[ED25519].key, HASH_BIT(HASH_SHA2_256), octets, &method,
	    &data), ERR_UNSUPPORTED);
	check(ED25519, HASH_BIT(HASH_IDENTITY), AUTH_DIGITAL_SIGNATURE, "07 300506032b6570");
}

/* RFC 4754 section 7: r | s, each as long as the curve's order, whatever their values. */
TEST(raw_signatures_have_a_fixed_length)
{
	static const size_t lengths[] = { 64, 96, 132 };
	struct blob data = { NULL, 0 };
	uint8_t method;
	size_t who, i;

	for (who = P256; who <= P521; who++)
		for (i = 0; i < 300; i += who == P256 ? 1 : 60) {
			assert_int_equal(sign_auth(signers[who].key, 0, octets, &method, &data), 0);
			assert_int_equal(data.n, lengths[who]);
			assert_int_equal(verify_auth(signers[who].cert, method, blob_view(&data),
			    octets), 0);
		}
	blob_free(&data);
}

/* A signature by OpenSSL, as other peers may send it. */
static struct octets
signed_by(size_t who, const char *md, int padding, int salt)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct octets o = { .n = OCTETS_MAX };
	EVP_PKEY_CTX *pctx;

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, md, NULL, NULL, signers[who].id.key,
	    NULL), 1);
	if (padding != 0)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, padding), 1);
	if (padding == RSA_PKCS1_PSS_PADDING)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, salt), 1);
	assert_int_equal(EVP_DigestSign(ctx, o.p, &o.n, octets.p, octets.n), 1);
	EVP_MD_CTX_free(ctx);
	return o;
}

static int
verify_with_id(size_t who, const char *id, const struct octets *sig)
{
	struct octets prefix = hex(id), data = { .n = 1 + prefix.n + sig->n };

	data.p[0] = (uint8_t)prefix.n;
	memcpy(data.p + 1, prefix.p, prefix.n);
	memcpy(data.p + 1 + prefix.n, sig->p, sig->n);
	return verify_auth(signers[who].cert, AUTH_DIGITAL_SIGNATURE, view(&data), octets);
}

#define PKCS1_ID(n) "300d06092a864886f70d0101" n "0500"
#define PKCS1_SHORT_ID(n) "300b06092a864886f70d0101" n

TEST(pkcs1_signatures_are_taken_with_sha2)
{
	struct octets s256 = signed_by(RSA2K, "SHA256", RSA_PKCS1_PADDING, 0);
	struct octets s384 = signed_by(RSA2K, "SHA384", RSA_PKCS1_PADDING, 0);
	struct octets s512 = signed_by(RSA2K, "SHA512", RSA_PKCS1_PADDING, 0);
	struct octets s1 = signed_by(RSA2K, "SHA1", RSA_PKCS1_PADDING, 0);

	assert_int_equal(verify_with_id(RSA2K, PKCS1_ID("0b"), &s256), 0);
	assert_int_equal(verify_with_id(RSA2K, PKCS1_SHORT_ID("0b"), &s256), 0);
	assert_int_equal(verify_with_id(RSA2K, PKCS1_ID("0c"), &s384), 0);
	assert_int_equal(verify_with_id(RSA2K, PKCS1_ID("0d"), &s512), 0);
	assert_int_equal(verify_with_id(RSA2K, PKCS1_ID("0b"), &s384), ERR_AUTH);
	assert_int_equal(verify_with_id(P256, PKCS1_ID("0b"), &s256), ERR_AUTH);
	assert_int_equal(verify_with_id(RSA2K, PKCS1_ID("05"), &s1), ERR_UNSUPPORTED);

	assert_int_equal(verify_auth(signers[RSA2K].cert, AUTH_RSA, view(&s1), octets), 0);
	assert_int_equal(verify_auth(signers[RSA2K].cert, AUTH_RSA, view(&s256), octets), 0);
	assert_int_equal(verify_auth(signers[RSA2K].cert, AUTH_RSA, view(&s384), octets), 0);
	assert_int_equal(verify_auth(signers[RSA2K].cert, AUTH_RSA, view(&s512), octets), 0);
	assert_int_equal(verify_auth(signers[P256].cert, AUTH_RSA, view(&s256), octets), ERR_AUTH);
}

/* Whatever salt the identifier names, RFC 4055; with and without the trailer and the NULLs. */
TEST(pss_signatures_are_taken_as_their_identifier_says)
{
	struct octets s32 = signed_by(RSA2K, "SHA256", RSA_PKCS1_PSS_PADDING, 32);
	struct octets s20 = signed_by(RSA2K, "SHA256", RSA_PKCS1_PSS_PADDING, 20);
	struct octets s1 = signed_by(RSA2K, "SHA1", RSA_PKCS1_PSS_PADDING, 20);
	static const char no_trailer[] =
	    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
	    "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120";
	static const char no_nulls[] =
	    "303d06092a864886f70d01010a3030a00d300b0609608648016503040201"
	    "a11a301806092a864886f70d010108300b0609608648016503040201a203020120";
	static const char default_salt[] =
	    "303c06092a864886f70d01010a302fa00f300d06096086480165030402010500"
	    "a11c301a06092a864886f70d010108300d06096086480165030402010500";
	static const char two_hashes[] =
	    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
	    "a11c301a06092a864886f70d010108300d06096086480165030402020500a203020120";
	static const char all_defaults[] = "300d06092a864886f70d01010a3000";
	static const char sha1[] =
	    "303e06092a864886f70d01010a3031a00b300906052b0e03021a0500"
	    "a118301606092a864886f70d010108300906052b0e03021a0500a203020114a303020101";

	assert_int_equal(verify_with_id(RSA2K, no_trailer, &s32), 0);
	assert_int_equal(verify_with_id(RSA2K, no_nulls, &s32), 0);
	assert_int_equal(verify_with_id(RSA2K, default_salt, &s20), 0);
	assert_int_equal(verify_with_id(RSA2K, default_salt, &s32), ERR_AUTH);
	assert_int_equal(verify_with_id(RSA2K, no_trailer, &s20), ERR_AUTH);
	assert_int_equal(verify_with_id(RSA2K, two_hashes, &s32), ERR_UNSUPPORTED);
	assert_int_equal(verify_with_id(RSA2K, all_defaults, &s1), ERR_UNSUPPORTED);
	assert_int_equal(verify_with_id(RSA2K, sha1, &s1), ERR_UNSUPPORTED);
	assert_int_equal(verify_with_id(P256, no_trailer, &s32), ERR_AUTH);
}

TEST(ecdsa_hash_and_curve_are_free_only_with_method_14)
{
	struct octets sig = signed_by(P256, "SHA512", 0, 0);
	struct blob data = { NULL, 0 };
	uint8_t method;

	assert_int_equal(verify_with_id(P256, "300a06082a8648ce3d040304", &sig), 0);
	assert_int_equal(verify_with_id(P256, "300a06082a8648ce3d040302", &sig), ERR_AUTH);
	sig = signed_by(P256, "SHA1", 0, 0);
	assert_int_equal(verify_with_id(P256, "300906072a8648ce3d0401", &sig), ERR_UNSUPPORTED);

	assert_int_equal(sign_auth(signers[P256].key, 0, octets, &method, &data), 0);
	assert_int_equal(verify_auth(signers[P256].cert, AUTH_ECDSA_384, blob_view(&data), octets),
	    ERR_AUTH);
	assert_int_equal(verify_auth(signers[P256].cert, AUTH_DIGITAL_SIGNATURE, blob_view(&data),
	    octets), ERR_AUTH);
	blob_free(&data);
}

TEST(malformed_data_is_refused)
{
	static const char *const bad[] = {
		"", "00", "0c", "0c300a06082a8648ce3d0403", "0c300b06082a8648ce3d040302",
		"0e300c06082a8648ce3d0403020500", "0d300b06092a864886f70d01010a",
		"02300030", "0530030601ff",
	};
	struct octets zero = repeated(0, 132);
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		struct octets data = hex(bad[i]);

		assert_int_not_equal(verify_auth(signers[P256].cert, AUTH_DIGITAL_SIGNATURE,
		    view(&data), octets), 0);
	}
	assert_int_equal(verify_auth(signers[P256].cert, AUTH_ECDSA_256, bytes_of(zero.p, 64),
	    octets),
	    ERR_AUTH);
	assert_int_equal(verify_auth(signers[P521].cert, AUTH_ECDSA_521, view(&zero), octets),
	    ERR_AUTH);
	assert_int_equal(verify_auth(signers[P256].cert, AUTH_PSK, view(&zero), octets),
	    ERR_UNSUPPORTED);
	assert_int_equal(verify_auth(signers[P256].cert, 0, view(&zero), octets), ERR_UNSUPPORTED);
}

TEST(identifiers_are_read_as_they_are_written)
{
	static const struct sig_alg written[] = {
		{ SIG_ECDSA, HASH_SHA2_256, 0 }, { SIG_ECDSA, HASH_SHA2_384, 0 },
		{ SIG_ECDSA, HASH_SHA2_512, 0 }, { SIG_ED25519, HASH_IDENTITY, 0 },
		{ SIG_RSA_PSS, HASH_SHA2_256, 32 }, { SIG_RSA_PSS, HASH_SHA2_384, 48 },
		{ SIG_RSA_PSS, HASH_SHA2_512, 64 },
	};
	static const struct sig_alg never = { SIG_RSA_PKCS1, HASH_SHA1, 0 };
	struct sig_alg read;
	size_t i;

	for (i = 0; i < COUNT(written); i++) {
		assert_int_equal(sig_alg_read(sig_alg_der(&written[i]), &read), 0);
		assert_true(read.kind == written[i].kind && read.hash == written[i].hash &&
		    read.salt == written[i].salt);
	}
	assert_int_equal(sig_alg_der(&never).n, 0);
}

TEST(keys_are_loaded_and_matched)
{
	const char *why;
	struct pkey *k;
	size_t i, j;

	for (i = 0; i < SIGNERS; i++) {
		assert_int_equal(pkey_type(signers[i].key), kinds[i].type);
		for (j = 0; j < SIGNERS; j++)
			assert_int_equal(pkey_matches(signers[i].key, signers[j].cert), i == j);
	}
	write_key("uri.pem", signers[P256].id.key);
	{
		char uri[160];

		snprintf(uri, sizeof uri, "file:%s/uri.pem", test_dir);
		assert_int_equal(pkey_load(&k, uri, &why), 0);
		assert_true(pkey_matches(k, signers[P256].cert));
		pkey_free(k);
	}
}

static void
refuse_key(const char *kind)
{
	EVP_PKEY *key = make_key(kind);
	const char *why = "";
	struct pkey *k;

	assert_int_equal(pkey_load(&k, write_key("bad.pem", key), &why), ERR_UNSUPPORTED);
	assert_null(k);
	assert_true(why[0] != '\0');
	EVP_PKEY_free(key);
}

TEST(bad_keys_are_told_apart)
{
	const struct ident *id = &signers[P256].id;
	const char *why;
	struct pkey *k;
	FILE *f;

	refuse_key("RSA1024");
	refuse_key("secp256k1");
	refuse_key("ED448");
	assert_int_equal(pkey_load(&k, path_of("none"), &why), ERR_IO);
	assert_int_equal(pkey_load(&k, write_certs("cert.pem", &id, 1), &why), ERR_SYNTAX);
	write_text("text", "nothing here\n");
	assert_int_equal(pkey_load(&k, path_of("text"), &why), ERR_SYNTAX);
	assert_int_equal(pkey_load(&k, "nosuch:scheme", &why), ERR_SYNTAX);

	/* Encrypted: nobody is there to be asked. */
	f = fopen(path_of("encrypted"), "w");
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, id->key, EVP_aes_128_cbc(), "secret", 6, NULL,
	    NULL), 1);
	fclose(f);
	assert_int_equal(pkey_load(&k, path_of("encrypted"), &why), ERR_SYNTAX);
	assert_non_null(strstr(why, "encrypted"));
	pkey_free(NULL);
}

TEST(a_certificate_with_a_weak_key_verifies_nothing)
{
	struct ident id = issue(NULL, (struct cert_spec){ .cn = "x", .key = "RSA1024" });
	struct x509 *x;

	assert_int_equal(x509_from_der(&x, view(&id.der)), 0);
	assert_int_equal(verify_auth(x, AUTH_RSA, octets, octets), ERR_UNSUPPORTED);
	assert_false(pkey_matches(signers[RSA2K].key, x));
	x509_free(x);
	ident_free(&id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_that_of_the_key_if_announced),
		cmocka_unit_test(else_the_strongest_that_was_announced),
		cmocka_unit_test(a_peer_without_sha2_gets_the_older_methods),
		cmocka_unit_test(ed25519_needs_identity),
		cmocka_unit_test(raw_signatures_have_a_fixed_length),
		cmocka_unit_test(pkcs1_signatures_are_taken_with_sha2),
		cmocka_unit_test(pss_signatures_are_taken_as_their_identifier_says),
		cmocka_unit_test(ecdsa_hash_and_curve_are_free_only_with_method_14),
		cmocka_unit_test(malformed_data_is_refused),
		cmocka_unit_test(identifiers_are_read_as_they_are_written),
		cmocka_unit_test(keys_are_loaded_and_matched),
		cmocka_unit_test(bad_keys_are_told_apart),
		cmocka_unit_test(a_certificate_with_a_weak_key_verifies_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
