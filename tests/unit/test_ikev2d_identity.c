/* SPDX-License-Identifier: ISC */
/* Between certificates and ID payloads. */
#include "role_support.h"

#include "ike/params.h"
#include "ikev2d/identity.h"

static struct x509 *chain[CHAIN_MAX];
static size_t n_chain;

static const struct x509 *
certificate(const char *name, const char *san)
{
	char crt[80];

	if (san != NULL)
		issue(name, "device-ca", PKI_DEVICE, san);
	(void)snprintf(crt, sizeof crt, "%s.crt", name);
	assert_int_equal(x509_load_chain(file(crt), chain, &n_chain), OK);
	return chain[0];
}

static int
forget_chain(void **state)
{
	(void)state;
	while (n_chain > 0)
		x509_free(chain[--n_chain]);
	return 0;
}

static void
is_id(const struct x509 *x, uint8_t type, const char *data, size_t n)
{
	struct blob id = { NULL, 0 };
	uint8_t id_type = 0;

	assert_int_equal(identity_of(x, &id_type, &id), OK);
	assert_int_equal(id_type, type);
	assert_true(bytes_equal(blob_view(&id), bytes_of(data, n)));
	blob_free(&id);
}

TEST(dns_name_is_the_id)
{
	is_id(certificate("nve-2", NULL), IDT_FQDN, "nve-2.example", 13);
}

TEST(address_is_the_id_where_there_is_no_name)
{
	is_id(certificate("by-ip", "ip:192.0.2.9"), IDT_IPV4_ADDR, "\xc0\0\x02\x09", 4);
}

TEST(mail_address_is_the_id_where_there_is_nothing_else)
{
	is_id(certificate("by-mail", "email:a@b.example"), IDT_RFC822_ADDR, "a@b.example", 11);
}

TEST(subject_is_the_id_of_a_certificate_with_a_uri_only)
{
	const struct x509 *x = certificate("by-uri", "uri:spiffe://x/y");
	struct bytes subject = x509_subject_der(x);

	is_id(x, IDT_DER_ASN1_DN, (const char *)subject.p, subject.n);
}

static int
id_fits(const struct x509 *x, uint8_t type, struct bytes id, char *text)
{
	char ids[MSG_IDENTITIES_MAX][X509_IDENTITY_MAX];
	size_t n_ids = 0;

	assert_int_equal(x509_identities(x, ids, MSG_IDENTITIES_MAX, &n_ids), OK);
	return identity_fits(x, ids, n_ids, type, id, text);
}

static int
fits(const struct x509 *x, uint8_t type, const char *data, size_t n, char *text)
{
	return id_fits(x, type, bytes_of(data, n), text);
}

TEST(only_what_the_certificate_holds_fits)
{
	const struct x509 *x = certificate("nve-2", NULL);
	char text[X509_IDENTITY_MAX];
	struct bytes subject = x509_subject_der(x);

	assert_int_equal(fits(x, IDT_FQDN, "nve-2.example", 13, text), OK);
	assert_string_equal(text, "dns:nve-2.example");
	assert_int_equal(fits(x, IDT_FQDN, "NVE-2.Example", 13, text), OK);
	assert_int_equal(fits(x, IDT_FQDN, "nve-1.example", 13, text), ERR_AUTH);
	assert_int_equal(fits(x, IDT_FQDN, "nve-2.example\0", 14, text), ERR_AUTH);
	assert_int_equal(fits(x, IDT_FQDN, "", 0, text), ERR_AUTH);
	assert_int_equal(fits(x, IDT_RFC822_ADDR, "nve-2.example", 13, text), ERR_AUTH);
	assert_int_equal(fits(x, IDT_KEY_ID, "nve-2.example", 13, text), ERR_AUTH);
	assert_int_equal(fits(x, IDT_IPV4_ADDR, "\xc0\0\x02\x02", 4, text), ERR_AUTH);
	assert_int_equal(id_fits(x, IDT_DER_ASN1_DN, subject, text), OK);
	assert_string_equal(text, "dns:nve-2.example");
	subject.n--;
	assert_int_equal(id_fits(x, IDT_DER_ASN1_DN, subject, text), ERR_AUTH);
}

TEST(the_common_name_is_no_identity)
{
	const struct x509 *x = certificate("cn-only", "uri:spiffe://x/z");
	char text[X509_IDENTITY_MAX];

	assert_int_equal(fits(x, IDT_FQDN, "cn-only", 7, text), ERR_AUTH);
}

TEST(address_fits_in_its_own_length_only)
{
	const struct x509 *x = certificate("by-ip2", "ip:192.0.2.9");
	char text[X509_IDENTITY_MAX];

	assert_int_equal(fits(x, IDT_IPV4_ADDR, "\xc0\0\x02\x09", 4, text), OK);
	assert_string_equal(text, "ip:192.0.2.9");
	assert_int_equal(fits(x, IDT_IPV4_ADDR, "\xc0\0\x02\x09\0", 5, text), ERR_AUTH);
	assert_int_equal(fits(x, IDT_IPV6_ADDR, "\xc0\0\x02\x09", 4, text), ERR_AUTH);
}

#define T(name) cmocka_unit_test_teardown(name, forget_chain)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(dns_name_is_the_id),
		T(address_is_the_id_where_there_is_no_name),
		T(mail_address_is_the_id_where_there_is_nothing_else),
		T(subject_is_the_id_of_a_certificate_with_a_uri_only),
		T(only_what_the_certificate_holds_fits),
		T(the_common_name_is_no_identity),
		T(address_fits_in_its_own_length_only),
	};

	return cmocka_run_group_tests(tests, lab_make, lab_remove);
}
