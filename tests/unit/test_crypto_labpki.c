/* SPDX-License-Identifier: ISC */
#include "crypto_pki.h"

#include <sys/stat.h>

#include "crypto/cms.h"
#include "crypto/labpki.h"
#include "crypto/x509_int.h"

static int
issue_to(enum pki_kind kind, enum key_type type, const char *name, const char *issuer,
    const char *const *sans)
{
	char key[400], cert[400], issuer_key[400], issuer_cert[400];
	struct pki_request req = { .kind = kind, .type = type, .cn = name, .sans = sans,
		.not_before = NOW - DAY, .not_after = NOW + DAY };
	const char *why = NULL;
	int r;

	snprintf(key, sizeof key, "%s/%s.key", test_dir, name);
	snprintf(cert, sizeof cert, "%s/%s.pem", test_dir, name);
	if (issuer != NULL) {
		snprintf(issuer_key, sizeof issuer_key, "%s/%s.key", test_dir, issuer);
		snprintf(issuer_cert, sizeof issuer_cert, "%s/%s.pem", test_dir, issuer);
		req.issuer_key = issuer_key;
		req.issuer_cert = issuer_cert;
	}
	r = pki_issue(&req, key, cert, &why);
	assert_non_null(why);
	assert_int_equal(r == 0, why[0] == '\0');
	return r;
}

static void
assert_mode(const char *name, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path_of(name), &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static int
verify(const char *leaf, const char *root, struct x509 **out)
{
	struct x509 *chain[CHAIN_MAX];
	struct bytes ders[CHAIN_MAX];
	struct x509_store *store;
	const char *why;
	size_t i, n;
	int r;

	assert_int_equal(x509_store_load(&store, path_of(root), &why), 0);
	assert_int_equal(x509_load_chain(path_of(leaf), chain, &n), 0);
	for (i = 0; i < n; i++)
		ders[i] = x509_der(chain[i]);
	r = x509_verify_chain(store, ders, n, NOW, out, &why);
	for (i = 0; i < n; i++)
		x509_free(chain[i]);
	x509_store_free(store);
	return r;
}

TEST(devices_of_every_key_type_chain_to_the_root)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_ED25519,
		KEY_RSA };
	static const char *const sans[] = { "dns:nve-1.dc1.example", "uri:spiffe://dc1/nve/1",
		"ip:192.0.2.1", "ip:2001:db8::1", "email:ops@dc1.example", NULL };
	char ids[8][X509_IDENTITY_MAX], name[32], root[32];
	size_t i, k, n;

	for (i = 0; i < COUNT(types); i++) {
		struct x509 *leaf;
		struct pkey *key;
		const char *why;

		snprintf(root, sizeof root, "root-%zu", i);
		snprintf(name, sizeof name, "device-%zu", i);
		assert_int_equal(issue_to(PKI_ROOT, types[i], root, NULL, NULL), 0);
		assert_int_equal(issue_to(PKI_DEVICE, types[i], name, root, sans), 0);
		snprintf(name, sizeof name, "device-%zu.key", i);
		assert_mode(name, 0600);
		assert_int_equal(pkey_load(&key, path_of(name), &why), 0);
		assert_int_equal(pkey_type(key), types[i]);
		snprintf(name, sizeof name, "device-%zu.pem", i);
		assert_mode(name, 0644);
		snprintf(root, sizeof root, "root-%zu.pem", i);
		assert_int_equal(verify(name, root, &leaf), 0);
		assert_true(pkey_matches(key, leaf));
		assert_int_equal(x509_identities(leaf, ids, COUNT(ids), &n), 0);
		assert_int_equal(n, 6);
		for (k = 0; k < 5; k++)
			assert_string_equal(ids[k], sans[k]);
		x509_free(leaf);
		pkey_free(key);
	}
}

TEST(certificates_say_what_their_kind_is_for)
{
	static const struct {
		enum pki_kind kind;
		const char *name, *eku;
	} kinds[] = {
		{ PKI_DEVICE, "k-device", EKU_IPSEC_IKE },
		{ PKI_NVA_SIGNER, "k-signer", NVA_EKU_OID },
		{ PKI_TLS_SERVER, "k-server", EKU_SERVER_AUTH },
		{ PKI_TLS_CLIENT, "k-client", EKU_CLIENT_AUTH },
	};
	char file[40];
	size_t i, k, n;

	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "k-root", NULL, NULL), 0);
	for (i = 0; i < COUNT(kinds); i++) {
		struct x509 *chain[CHAIN_MAX];

		assert_int_equal(issue_to(kinds[i].kind, KEY_EC_P256, kinds[i].name, "k-root",
		    NULL), 0);
		snprintf(file, sizeof file, "%s.pem", kinds[i].name);
		assert_int_equal(x509_load_chain(path_of(file), chain, &n), 0);
		assert_int_equal(n, 1);
		assert_false(chain[0]->ca);
		assert_int_equal(chain[0]->usage, USAGE_DIGITAL_SIGNATURE);
		assert_int_equal(chain[0]->key_id.n, SHA1_LEN);
		assert_int_equal(chain[0]->issuer_key_id.n, SHA1_LEN);
		for (k = 0; k < COUNT(kinds); k++)
			assert_int_equal(x509_has_eku(chain[0], kinds[k].eku), k == i);
		x509_free(chain[0]);
	}
}

/* The file of a device has the intermediate with it, and not the root. */
TEST(the_chain_of_the_issuer_is_appended)
{
	struct x509 *chain[CHAIN_MAX], *leaf;
	size_t n;

	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P384, "c-root", NULL, NULL), 0);
	assert_int_equal(issue_to(PKI_INTERMEDIATE, KEY_EC_P256, "c-sub", "c-root", NULL), 0);
	assert_int_equal(issue_to(PKI_DEVICE, KEY_EC_P256, "c-device", "c-sub", NULL), 0);
	assert_int_equal(x509_load_chain(path_of("c-sub.pem"), chain, &n), 0);
	assert_int_equal(n, 1);
	assert_true(chain[0]->ca);
	assert_int_equal(chain[0]->path_len, 0);
	x509_free(chain[0]);
	assert_int_equal(x509_load_chain(path_of("c-device.pem"), chain, &n), 0);
	assert_int_equal(n, 2);
	x509_free(chain[0]);
	x509_free(chain[1]);
	assert_int_equal(verify("c-device.pem", "c-root.pem", &leaf), 0);
	x509_free(leaf);
}

TEST(what_is_there_is_kept)
{
	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "e-root", NULL, NULL), 0);
	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "e-root", NULL, NULL), ERR_EXISTS);
	assert_int_equal(unlink(path_of("e-root.key")), 0);
	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "e-root", NULL, NULL), ERR_EXISTS);
	assert_int_not_equal(access(path_of("e-root.key"), F_OK), 0);
	assert_int_equal(unlink(path_of("e-root.pem")), 0);
	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "e-root", NULL, NULL), 0);
}

TEST(serials_differ)
{
	uint8_t seen[2][32];
	int i;

	for (i = 0; i < 2; i++) {
		struct x509 *chain[CHAIN_MAX];
		struct bytes der;
		size_t n;

		assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "s-root", NULL, NULL), 0);
		assert_int_equal(x509_load_chain(path_of("s-root.pem"), chain, &n), 0);
		der = x509_der(chain[0]);
		memcpy(seen[i], der.p + 13, 18);
		x509_free(chain[0]);
		unlink(path_of("s-root.pem"));
		unlink(path_of("s-root.key"));
	}
	assert_memory_not_equal(seen[0], seen[1], 18);
}

TEST(bad_requests_are_refused)
{
	static const char *const bad[][2] = {
		{ "nve-1", NULL }, { "dns:", NULL }, { "ip:300.1.1.1", NULL }, { "ip:", NULL },
		{ "dns:a b", NULL }, { "uri:\x01", NULL }, { "dns:\xc3\xa9", NULL },
	};
	char cn[80], name[16];
	struct pki_request req = { .kind = PKI_ROOT, .type = KEY_EC_P256, .cn = "x",
		.not_before = NOW, .not_after = NOW };
	const char *why;
	size_t i;

	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "b-root", NULL, NULL), 0);
	for (i = 0; i < COUNT(bad); i++) {
		snprintf(name, sizeof name, "b-%zu", i);
		assert_int_equal(issue_to(PKI_DEVICE, KEY_EC_P256, name, "b-root", bad[i]),
		    ERR_VALUE);
	}
	assert_int_equal(issue_to(PKI_DEVICE, KEY_EC_P256, "b-self", NULL, NULL), ERR_VALUE);
	assert_int_equal(issue_to(PKI_INTERMEDIATE, KEY_EC_P256, "b-self", NULL, NULL), ERR_VALUE);
	assert_int_equal(issue_to(PKI_DEVICE, KEY_EC_P256, "b-x", "none", NULL), ERR_IO);

	assert_int_equal(pki_issue(&req, path_of("b-k"), path_of("b-c"), &why), ERR_VALUE);
	req.not_after = NOW + 1;
	memset(cn, 'a', 65);
	cn[65] = '\0';
	req.cn = cn;
	assert_int_equal(pki_issue(&req, path_of("b-k"), path_of("b-c"), &why), ERR_VALUE);
	req.cn = "";
	assert_int_equal(pki_issue(&req, path_of("b-k"), path_of("b-c"), &why), ERR_VALUE);
	req.cn = "x";
	assert_int_equal(pki_issue(&req, "/nonexistent/k", path_of("b-c"), &why), ERR_IO);
	assert_int_not_equal(access(path_of("b-c"), F_OK), 0);
}

TEST(only_a_ca_with_its_own_key_issues)
{
	struct pki_request req = { .kind = PKI_DEVICE, .type = KEY_EC_P256, .cn = "x",
		.not_before = NOW, .not_after = NOW + 1 };
	const char *why;
	char cert[400];

	assert_int_equal(issue_to(PKI_ROOT, KEY_EC_P256, "o-root", NULL, NULL), 0);
	assert_int_equal(issue_to(PKI_DEVICE, KEY_EC_P256, "o-device", "o-root", NULL), 0);
	assert_int_equal(issue_to(PKI_DEVICE, KEY_EC_P256, "o-x", "o-device", NULL), ERR_VALUE);
	snprintf(cert, sizeof cert, "%s/o-root.pem", test_dir);
	req.issuer_cert = cert;
	assert_int_equal(pki_issue(&req, path_of("o-k"), path_of("o-c"), &why), ERR_VALUE);
	req.issuer_key = path_of("o-device.key");
	assert_int_equal(pki_issue(&req, path_of("o-k"), path_of("o-c"), &why), ERR_VALUE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_of_every_key_type_chain_to_the_root),
		cmocka_unit_test(certificates_say_what_their_kind_is_for),
		cmocka_unit_test(the_chain_of_the_issuer_is_appended),
		cmocka_unit_test(what_is_there_is_kept),
		cmocka_unit_test(serials_differ),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(only_a_ca_with_its_own_key_issues),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
