/* SPDX-License-Identifier: ISC */
/* Certificates by themselves: reading, names, files. */
#include "crypto_pki.h"

#include "crypto/der.h"

static struct x509 *
read_cert(const struct ident *id)
{
	struct x509 *x;

	assert_int_equal(x509_from_der(&x, view(&id->der)), 0);
	return x;
}

static void
assert_identities(struct cert_spec spec, const char *const *wanted, size_t n_wanted)
{
	struct ident id = issue(NULL, spec);
	char ids[8][X509_IDENTITY_MAX];
	struct x509 *x = read_cert(&id);
	size_t i, n;

	assert_int_equal(x509_identities(x, ids, COUNT(ids), &n), 0);
	assert_int_equal(n, n_wanted);
	for (i = 0; i < n; i++)
		assert_string_equal(ids[i], wanted[i]);
	x509_free(x);
	ident_free(&id);
}

TEST(identities_are_alternative_names_and_the_subject)
{
	static const char *const all[] = { "dns:nve-1.dc1.example", "uri:spiffe://dc1/Hv/3",
		"ip:192.0.2.1", "ip:2001:db8::1", "email:Ops@dc1.example", "dn:CN=Nve 1" };
	static const char *const dn[] = { "dn:CN=nve-1.dc1.example" };

	assert_identities((struct cert_spec){ .cn = "Nve 1", .ext = { "subjectAltName="
	    "DNS:NVE-1.dc1.example,URI:spiffe://dc1/Hv/3,IP:192.0.2.1,IP:2001:db8::1,"
	    "email:Ops@dc1.example,RID:1.2.3" } }, all, COUNT(all));
	assert_identities((struct cert_spec){ .cn = "nve-1.dc1.example" }, dn, 1);
	assert_identities((struct cert_spec){ .cn = NULL }, NULL, 0);
}

/* A NUL would end the string early in one place and not in another. */
TEST(odd_names_are_left_out)
{
	static const char *const dn[] = { "dn:CN=x" };
	char longest[X509_IDENTITY_MAX + 64], kept[X509_IDENTITY_MAX];
	const char *fits[] = { kept, "dn:CN=x" };
	size_t n = X509_IDENTITY_MAX - 1 - strlen("dns:");

	/* dNSName "a\0b", "a\nb", "", U+00E9 and an iPAddress of 5 octets */
	assert_identities((struct cert_spec){ .cn = "x",
	    .ext = { "2.5.29.17=DER:30058203610062" } }, dn, 1);
	assert_identities((struct cert_spec){ .cn = "x",
	    .ext = { "2.5.29.17=DER:30058203610a62" } }, dn, 1);
	assert_identities((struct cert_spec){ .cn = "x", .ext = { "2.5.29.17=DER:30028200" } }, dn,
	    1);
	assert_identities((struct cert_spec){ .cn = "x", .ext = { "2.5.29.17=DER:30048202c3a9" } },
	    dn, 1);
	assert_identities((struct cert_spec){ .cn = "x",
	    .ext = { "2.5.29.17=DER:300787050102030405" } }, dn, 1);

	snprintf(longest, sizeof longest, "subjectAltName=DNS:%0*d", (int)n, 7);
	snprintf(kept, sizeof kept, "dns:%0*d", (int)n, 7);
	assert_identities((struct cert_spec){ .cn = "x", .ext = { longest } }, fits, 2);
	snprintf(longest, sizeof longest, "subjectAltName=DNS:%0*d", (int)n + 1, 7);
	assert_identities((struct cert_spec){ .cn = "x", .ext = { longest } }, dn, 1);
}

TEST(identities_stop_at_the_room_there_is)
{
	struct ident id = issue(NULL, (struct cert_spec){ .cn = "x",
	    .ext = { "subjectAltName=DNS:a,DNS:b,DNS:c" } });
	char ids[2][X509_IDENTITY_MAX];
	struct x509 *x = read_cert(&id);
	size_t n;

	assert_int_equal(x509_identities(x, ids, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(ids[1], "dns:b");
	x509_free(x);
	ident_free(&id);
}

TEST(broken_alternative_names_are_an_error)
{
	struct ident id = issue(NULL, (struct cert_spec){ .cn = "x",
	    .ext = { "2.5.29.17=DER:30058209610062" } });
	char ids[2][X509_IDENTITY_MAX];
	struct x509 *x = read_cert(&id);
	size_t n = 7;

	assert_int_equal(x509_identities(x, ids, 2, &n), ERR_SYNTAX);
	assert_int_equal(n, 0);
	x509_free(x);
	ident_free(&id);
}

TEST(the_subject_is_given_as_der_and_text)
{
	struct ident id = issue(NULL, (struct cert_spec){ .cn = "a, b\"c" });
	struct x509 *x = read_cert(&id);
	char buf[64], small[6];
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(X509_get_subject_name(id.cert), &der);

	assert_true(n > 0);
	assert_true(bytes_equal(x509_subject_der(x), bytes_of(der, (size_t)n)));
	assert_string_equal(x509_subject(x, buf, sizeof buf), "CN=a\\, b\\\"c");
	assert_string_equal(x509_subject(x, small, sizeof small), "CN=a\\");
	OPENSSL_free(der);
	x509_free(x);
	ident_free(&id);
}

TEST(times_are_seconds_since_1970)
{
	static const int64_t times[][2] = {
		{ 0, 1 }, { -631152000, 951782400 }, { 951868799, 951868800 },
		{ 2524607999, 2524608000 },
		{ 4107542399, INT64_C(253402300799) },
	};
	size_t i;

	for (i = 0; i < COUNT(times); i++) {
		struct ident id = issue(NULL, (struct cert_spec){ .cn = "t",
		    .from = times[i][0] - NOW, .to = times[i][1] - NOW });
		struct x509 *x;

		x = read_cert(&id);
		assert_true(x509_not_before(x) == times[i][0]);
		assert_true(x509_not_after(x) == times[i][1]);
		x509_free(x);
		ident_free(&id);
	}
}

static int
read_time(uint8_t tag, const char *digits, int64_t *t)
{
	uint8_t der[40] = { tag, (uint8_t)strlen(digits) };
	struct rd r;

	memcpy(der + 2, digits, strlen(digits));
	r = rd_open(bytes_of(der, 2 + strlen(digits)));
	*t = der_time(&r);
	return rd_end(&r) ? 0 : ERR_SYNTAX;
}

TEST(malformed_times_are_refused)
{
	static const char *const bad[] = {
		"", "Z", "700101000000", "7001010000Z", "700101000000+0000", "701301000000Z",
		"700001000000Z", "700132000000Z", "700100000000Z", "700101240000Z",
		"700101006000Z", "700101000060Z", "7001010000000Z", "70010100000aZ",
		"-00101000000Z", "700231000000Z", "19700101000000Z",
	};
	int64_t t;
	size_t i;

	assert_int_equal(read_time(DER_UTC_TIME, "700101000000Z", &t), 0);
	assert_true(t == 0);
	assert_int_equal(read_time(DER_UTC_TIME, "491231235959Z", &t), 0);
	assert_true(t == INT64_C(2524607999));
	assert_int_equal(read_time(DER_GENERALIZED_TIME, "20500101000000Z", &t), 0);
	assert_true(t == INT64_C(2524608000));
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(read_time(DER_UTC_TIME, bad[i], &t), ERR_SYNTAX);
	assert_int_equal(read_time(DER_GENERALIZED_TIME, "20500101000000.5Z", &t), ERR_SYNTAX);
	assert_int_equal(read_time(DER_INTEGER, "700101000000Z", &t), ERR_SYNTAX);
}

/* RFC 7296 section 3.7: SHA-1 of each anchor's SubjectPublicKeyInfo. */
TEST(certreq_holds_the_hash_of_each_anchor)
{
	struct ident a = make_root("a"), b = make_root("b");
	const struct ident *ids[] = { &a, &b };
	struct blob req = { NULL, 0 };
	struct x509_store *s;
	const char *why;
	size_t i;

	assert_int_equal(x509_store_load(&s, write_certs("two.pem", ids, 2), &why), 0);
	assert_int_equal(x509_store_certreq(s, &req), 0);
	assert_int_equal(req.n, 40);
	for (i = 0; i < 2; i++) {
		unsigned char *spki = NULL;
		int n = i2d_PUBKEY(ids[i]->key, &spki);
		struct bytes whole = bytes_of(spki, (size_t)n);
		uint8_t hash[20];

		assert_int_equal(crypto_sha1(&whole, 1, hash), 0);
		assert_memory_equal(req.p + 20 * i, hash, 20);
		OPENSSL_free(spki);
	}
	blob_free(&req);
	x509_store_free(s);
	ident_free(&b);
	ident_free(&a);
}

TEST(chains_are_loaded_in_order)
{
	struct ident root = make_root("r");
	struct ident leaf = issue(&root, (struct cert_spec){ .cn = "l" });
	const struct ident *ids[] = { &leaf, &root };
	struct x509 *chain[CHAIN_MAX];
	size_t n;

	assert_int_equal(x509_load_chain(write_certs("chain.pem", ids, 2), chain, &n), 0);
	assert_int_equal(n, 2);
	assert_true(bytes_equal(x509_der(chain[0]), view(&leaf.der)));
	assert_true(bytes_equal(x509_der(chain[1]), view(&root.der)));
	x509_free(chain[0]);
	x509_free(chain[1]);
	ident_free(&leaf);
	ident_free(&root);
}

TEST(bad_files_are_told_apart)
{
	struct ident root = make_root("r"), leaf = issue(&root, (struct cert_spec){ .cn = "l" });
	struct ident weak = issue(NULL, (struct cert_spec){ .cn = "w", .key = "RSA1024",
	    .ext = { CA_EXT } });
	const struct ident *nine[9], *one = &leaf, *w = &weak;
	struct x509 *chain[CHAIN_MAX];
	struct x509_store *s;
	const char *why;
	size_t i, n = 9;

	for (i = 0; i < 9; i++)
		nine[i] = &root;
	assert_int_equal(x509_load_chain(path_of("none.pem"), chain, &n), ERR_IO);
	assert_int_equal(n, 0);
	assert_int_equal(x509_load_chain(write_certs("nine.pem", nine, 9), chain, &n), ERR_SPACE);
	assert_int_equal(n, 0);
	assert_int_equal(x509_load_chain(write_key("key.pem", root.key), chain, &n), ERR_SYNTAX);
	write_text("text.pem", "nothing here\n");
	assert_int_equal(x509_load_chain(path_of("text.pem"), chain, &n), ERR_SYNTAX);
	write_text("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
	assert_int_equal(x509_load_chain(path_of("cut.pem"), chain, &n), ERR_SYNTAX);
	write_text("bad.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(x509_load_chain(path_of("bad.pem"), chain, &n), ERR_SYNTAX);

	assert_int_equal(x509_store_load(&s, path_of("none.pem"), &why), ERR_IO);
	assert_null(s);
	assert_int_equal(x509_store_load(&s, path_of("text.pem"), &why), ERR_SYNTAX);
	assert_int_equal(x509_store_load(&s, write_certs("leaf.pem", &one, 1), &why), ERR_VALUE);
	assert_non_null(strstr(why, "CA"));
	assert_int_equal(x509_store_load(&s, write_certs("weak.pem", &w, 1), &why),
	    ERR_UNSUPPORTED);
	assert_null(s);
	ident_free(&weak);
	ident_free(&leaf);
	ident_free(&root);
}

/* Signed by two algorithms at once: the one inside and the one outside must be the same. */
TEST(inner_and_outer_algorithm_must_agree)
{
	static const uint8_t sha256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	struct ident id = make_root("r");
	struct x509 *x;
	size_t i, at = 0;

	for (i = 0; i + sizeof sha256 <= id.der.n; i++)
		if (memcmp(id.der.p + i, sha256, sizeof sha256) == 0)
			at = i;
	assert_true(at > 0);
	id.der.p[at + sizeof sha256 - 1] = 3;
	assert_int_equal(x509_from_der(&x, view(&id.der)), ERR_SYNTAX);
	ident_free(&id);
}

TEST(der_lengths_are_strict)
{
	static const struct {
		const char *der;
		bool ok;
	} cases[] = {
		{ "3000", true }, { "3001", false }, { "30", false }, { "", false },
		{ "3080", false }, { "308100", false }, { "30817f", false }, { "30820001", false },
		{ "3084000000", false }, { "308201", false }, { "3100", false },
	};
	struct octets o = repeated(0, 3 + 0x80);
	struct rd r;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct octets d = hex(cases[i].der);

		r = rd_open(view(&d));
		der_take(&r, DER_SEQUENCE);
		assert_int_equal(rd_ok(&r), cases[i].ok);
	}
	memcpy(o.p, "\x30\x81\x80", 3);
	r = rd_open(view(&o));
	assert_int_equal(der_take(&r, DER_SEQUENCE).n, 0x80);
	assert_true(rd_end(&r));
}

TEST(der_integers_are_read_and_written)
{
	static const struct {
		const char *der, *value;
	} cases[] = {
		{ "020100", "" }, { "020101", "01" }, { "02017f", "7f" }, { "02020080", "80" },
		{ "0202ff", NULL }, { "0200", NULL }, { "020180", NULL }, { "02020001", NULL },
		{ "0203010203", "010203" },
	};
	uint8_t buf[64];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		struct octets d = hex(cases[i].der), v;
		struct rd r = rd_open(view(&d));
		struct bytes got = der_unsigned(&r);
		struct wr w = wr_fixed(buf, sizeof buf);

		assert_int_equal(rd_ok(&r), cases[i].value != NULL);
		if (cases[i].value == NULL)
			continue;
		v = hex(cases[i].value);
		assert_true(bytes_equal(got, view(&v)));
		der_put_unsigned(&w, got);
		if (got.n > 0)
			assert_octets(wr_view(&w), cases[i].der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities_are_alternative_names_and_the_subject),
		cmocka_unit_test(odd_names_are_left_out),
		cmocka_unit_test(identities_stop_at_the_room_there_is),
		cmocka_unit_test(broken_alternative_names_are_an_error),
		cmocka_unit_test(the_subject_is_given_as_der_and_text),
		cmocka_unit_test(times_are_seconds_since_1970),
		cmocka_unit_test(malformed_times_are_refused),
		cmocka_unit_test(certreq_holds_the_hash_of_each_anchor),
		cmocka_unit_test(chains_are_loaded_in_order),
		cmocka_unit_test(bad_files_are_told_apart),
		cmocka_unit_test(inner_and_outer_algorithm_must_agree),
		cmocka_unit_test(der_lengths_are_strict),
		cmocka_unit_test(der_integers_are_read_and_written),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
