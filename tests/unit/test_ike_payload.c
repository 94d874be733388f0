/* SPDX-License-Identifier: ISC */
#include "ike_support.h"

#include <stdio.h>

#define X16 "00112233445566778899aabbccddeeff"
#define X20 X16 "00112233"
#define X32 X16 X16
#define X64 X32 X32

/* A proposal for ESP: AES-GCM-16-256, no ESN. */
#define ESP_PROPOSAL(last, number) \
	last "00 0020" number "03 04 02 c0c1c2c3" \
	" 03 00 000c 01 00 0014 800e 0100" \
	" 00 00 0008 05 00 0000"

TEST(ke_comes_back_as_written)
{
	struct octets pub = counted(1, 32), o;
	struct ike_out out = test_out();
	struct ike_msg m;

	ke_payload_write(&out, TR_KE_CURVE25519, view(&pub));
	finish(&out, &o, &m);
	assert_int_equal(m.ke.group, 31);
	assert_octets(m.ke.data, view(&pub));
}

TEST(ke_has_the_length_of_its_group)
{
	assert_int_equal(read_hex(PL_KE, "001f 0000" X32), OK);
	assert_int_equal(read_hex(PL_KE, "001f ffff" X32), OK);
	assert_int_equal(read_hex(PL_KE, "001f 0000" X32 "00"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_KE, "001f 0000" X16), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_KE, "0013 0000" X64), OK);
	assert_int_equal(read_hex(PL_KE, "0013 0000" X32), ERR_SYNTAX);
	assert_prefixes_refused(PL_KE, "0013 0000" X64);
}

TEST(ke_of_an_unknown_group_may_have_any_length_but_none)
{
	assert_int_equal(read_hex(PL_KE, "0400 0000 01"), OK);
	assert_int_equal(read_hex(PL_KE, "0400 0000"), ERR_SYNTAX);
}

TEST(id_comes_back_as_written)
{
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	id_payload_write(&out, PL_IDi, IDT_FQDN, bytes_str("nve-1.dc1.example"));
	id_payload_write(&out, PL_IDr, IDT_NULL, bytes_of(NULL, 0));
	finish(&out, &o, &m);
	assert_int_equal(m.idi.type, IDT_FQDN);
	assert_octets(m.idi.data, bytes_str("nve-1.dc1.example"));
	assert_int_equal(m.idr.type, IDT_NULL);
	assert_int_equal(m.idr.data.n, 0);
}

TEST(id_has_the_length_of_its_type)
{
	assert_int_equal(read_hex(PL_IDi, "01 000000 c0000201"), OK);
	assert_int_equal(read_hex(PL_IDi, "01 000000 c00002"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_IDi, "01 000000 c000020100"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_IDr, "05 aabbcc" X16), OK);
	assert_int_equal(read_hex(PL_IDr, "05 000000" X16 "00"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_IDr, "02 000000"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_IDr, "0d 000000"), OK);
	assert_int_equal(read_hex(PL_IDr, "0d 000000 01"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_IDr, "c9 000000 01"), OK);
	assert_prefixes_refused(PL_IDi, "05 000000" X16);
}

TEST(certificates_come_back_as_written)
{
	struct octets hashes = counted(0, 40), o;
	struct ike_out out = test_out();
	struct ike_msg m;

	cert_payload_write(&out, bytes_str("leaf"));
	cert_payload_write(&out, bytes_str("intermediate"));
	certreq_payload_write(&out, view(&hashes));
	finish(&out, &o, &m);
	assert_int_equal(m.n_certs, 2);
	assert_int_equal(m.certs[0].encoding, CE_X509_SIGNATURE);
	assert_octets(m.certs[0].data, bytes_str("leaf"));
	assert_octets(m.certs[1].data, bytes_str("intermediate"));
	assert_int_equal(m.n_certreqs, 1);
	assert_octets(m.certreqs[0].data, view(&hashes));
}

TEST(certificate_is_not_empty)
{
	assert_int_equal(read_hex(PL_CERT, ""), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_CERT, "04"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_CERT, "04 30"), OK);
}

TEST(certificate_request_holds_whole_hashes)
{
	assert_int_equal(read_hex(PL_CERTREQ, ""), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_CERTREQ, "04"), OK);
	assert_int_equal(read_hex(PL_CERTREQ, "04" X20), OK);
	assert_int_equal(read_hex(PL_CERTREQ, "04" X16), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_CERTREQ, "0e 01"), OK);
}

TEST(auth_comes_back_as_written)
{
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	auth_payload_write(&out, AM_DIGITAL_SIGNATURE, bytes_str("signature"));
	finish(&out, &o, &m);
	assert_int_equal(m.auth.method, AM_DIGITAL_SIGNATURE);
	assert_octets(m.auth.data, bytes_str("signature"));
	assert_prefixes_refused(PL_AUTH, "0e 000000 01");
}

TEST(nonce_has_16_to_256_octets)
{
	struct octets o = counted(0, 257);

	assert_int_equal(read_body(PL_NONCE, bytes_of(o.p, 0)), ERR_SYNTAX);
	assert_int_equal(read_body(PL_NONCE, bytes_of(o.p, 15)), ERR_SYNTAX);
	assert_int_equal(read_body(PL_NONCE, bytes_of(o.p, 16)), OK);
	assert_int_equal(read_body(PL_NONCE, bytes_of(o.p, 256)), OK);
	assert_int_equal(read_body(PL_NONCE, bytes_of(o.p, 257)), ERR_SYNTAX);
}

TEST(notifies_come_back_as_written)
{
	struct ike_out out = test_out();
	const struct ike_notify *n;
	struct octets o;
	struct ike_msg m;

	notify_payload_write(&out, N_COOKIE, bytes_str("cookie"));
	notify_payload_write_esp(&out, N_REKEY_SA, 0xc0c1c2c3, bytes_of(NULL, 0));
	finish(&out, &o, &m);
	assert_non_null(n = msg_notify(&m, N_COOKIE));
	assert_octets(n->data, bytes_str("cookie"));
	assert_int_equal(n->spi.n, 0);
	assert_non_null(n = msg_notify(&m, N_REKEY_SA));
	assert_int_equal(n->protocol, SP_ESP);
	assert_hex(n->spi, "c0c1c2c3");
	assert_null(msg_notify(&m, N_REDIRECT));
	assert_null(msg_error(&m));
}

TEST(first_error_notify_is_found)
{
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	notify_payload_write(&out, N_INITIAL_CONTACT, bytes_of(NULL, 0));
	notify_payload_write(&out, N_TS_UNACCEPTABLE, bytes_of(NULL, 0));
	notify_payload_write(&out, N_INVALID_SYNTAX, bytes_of(NULL, 0));
	finish(&out, &o, &m);
	assert_non_null(msg_error(&m));
	assert_int_equal(msg_error(&m)->type, N_TS_UNACCEPTABLE);
}

TEST(notify_spi_has_the_size_of_its_protocol)
{
	assert_prefixes_refused(PL_N, "03 04 4009 c0c1c2c3");
	assert_int_equal(read_hex(PL_N, "03 04 0027 c0c1c2c3 01"), OK);
	assert_int_equal(read_hex(PL_N, "03 00 0027"), OK);
	assert_int_equal(read_hex(PL_N, "03 08 0027" X16), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_N, "01 08 4000 0102030405060708"), OK);
	assert_int_equal(read_hex(PL_N, "01 04 4000 01020304"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_N, "00 00 4000"), OK);
	assert_int_equal(read_hex(PL_N, "00 05 4000 01020304"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_N, "02 ff 4000"), ERR_SYNTAX);
}

TEST(notify_data_has_the_length_of_its_type)
{
	/* UNSUPPORTED_CRITICAL_PAYLOAD */
	assert_int_equal(read_hex(PL_N, "0000 0001 c8"), OK);
	assert_int_equal(read_hex(PL_N, "0000 0001"), ERR_SYNTAX);
	/* INVALID_KE_PAYLOAD */
	assert_prefixes_refused(PL_N, "0000 0011 001f");
	assert_trailing_refused(PL_N, "0000 0011 001f");
	/* NAT_DETECTION_SOURCE_IP */
	assert_int_equal(read_hex(PL_N, "0000 4004" X20), OK);
	assert_int_equal(read_hex(PL_N, "0000 4004" X16), ERR_SYNTAX);
	/* COOKIE */
	assert_int_equal(read_hex(PL_N, "0000 4006"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_N, "0000 4006" X64), OK);
	assert_int_equal(read_hex(PL_N, "0000 4006" X64 "00"), ERR_SYNTAX);
	/* SIGNATURE_HASH_ALGORITHMS */
	assert_int_equal(read_hex(PL_N, "0000 402f 0002 0005"), OK);
	assert_int_equal(read_hex(PL_N, "0000 402f 0002 00"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_N, "0000 402f"), ERR_SYNTAX);
	/* REKEY_SA without an SPI */
	assert_int_equal(read_hex(PL_N, "0000 4009"), ERR_SYNTAX);
	/* one that nobody knows */
	assert_int_equal(read_hex(PL_N, "0000 9c40 01020304"), OK);
}

TEST(delete_comes_back_as_written)
{
	static const uint32_t spis[] = { 0xc0c1c2c3, 0x00000100 };
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	delete_payload_write_ike(&out);
	delete_payload_write_esp(&out, spis, COUNT(spis));
	finish(&out, &o, &m);
	assert_int_equal(m.n_deletes, 2);
	assert_int_equal(m.deletes[0].protocol, SP_IKE);
	assert_int_equal(m.deletes[0].n_spis, 0);
	assert_int_equal(delete_spi(&m.deletes[0], 0), 0);
	assert_int_equal(m.deletes[1].protocol, SP_ESP);
	assert_int_equal(m.deletes[1].n_spis, 2);
	assert_int_equal(delete_spi(&m.deletes[1], 0), 0xc0c1c2c3);
	assert_int_equal(delete_spi(&m.deletes[1], 1), 0x100);
	assert_int_equal(delete_spi(&m.deletes[1], 2), 0);
}

TEST(delete_holds_as_many_spis_as_it_says)
{
	assert_prefixes_refused(PL_D, "03 04 0002 c0c1c2c3 d0d1d2d3");
	assert_trailing_refused(PL_D, "03 04 0002 c0c1c2c3 d0d1d2d3");
	assert_int_equal(read_hex(PL_D, "03 04 0001 c0c1c2c3 d0d1d2d3"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_D, "03 04 ffff c0c1c2c3"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_D, "03 08 0001 c0c1c2c3 d0d1d2d3"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_D, "01 08 0001 c0c1c2c3 d0d1d2d3"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_D, "01 00 0001"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_D, "06 10 0001" X16), OK);
}

TEST(sa_is_walked_proposal_by_proposal)
{
	struct octets body = hex(ESP_PROPOSAL("02", "01") ESP_PROPOSAL("00", "02"));
	struct ike_sa_payload sa;
	struct ike_transform t;
	struct ike_proposal p;
	struct rd r, tr;

	assert_int_equal(sa_payload_read(&sa, view(&body)), OK);
	assert_int_equal(sa.n_proposals, 2);
	r = rd_open(sa.body);
	assert_true(proposal_next(&r, &p));
	assert_int_equal(p.number, 1);
	assert_int_equal(p.protocol, SP_ESP);
	assert_hex(p.spi, "c0c1c2c3");
	tr = rd_open(p.transforms);
	assert_true(transform_next(&tr, &t));
	assert_int_equal(t.type, TT_ENCR);
	assert_int_equal(t.id, 20);
	assert_true(t.has_key_bits);
	assert_int_equal(t.key_bits, 256);
	assert_true(transform_next(&tr, &t));
	assert_int_equal(t.type, TT_SN);
	assert_false(t.has_key_bits);
	assert_false(transform_next(&tr, &t));
	assert_true(proposal_next(&r, &p));
	assert_int_equal(p.number, 2);
	assert_false(proposal_next(&r, &p));
}

TEST(sa_is_refused_at_every_truncation)
{
	assert_prefixes_refused(PL_SA, ESP_PROPOSAL("02", "01") ESP_PROPOSAL("00", "02"));
	assert_trailing_refused(PL_SA, ESP_PROPOSAL("00", "01"));
	assert_int_equal(read_hex(PL_SA, ""), ERR_SYNTAX);
}

/* Each octet that says how long or how many, off by some. */
TEST(sa_is_refused_when_its_counts_and_lengths_disagree)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 0, 2 }, { 0, 3 }, { 0, 1 },                    /* last proposal */
		{ 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 7 }, /* proposal's length */
		{ 3, 31 }, { 3, 33 }, { 2, 0xff },
		{ 4, 0 },                                         /* number */
		{ 6, 0 }, { 6, 3 }, { 6, 5 }, { 6, 8 }, { 6, 255 }, /* SPI size */
		{ 7, 0 }, { 7, 1 }, { 7, 3 }, { 7, 255 },         /* number of transforms */
		{ 12, 0 }, { 12, 2 }, { 12, 255 },                /* last transform */
		{ 15, 0 }, { 15, 1 }, { 15, 2 }, { 15, 3 },       /* transform's length */
		{ 15, 7 }, { 15, 9 }, { 15, 11 }, { 15, 13 }, { 15, 20 }, { 14, 1 },
		{ 20, 0x00 },                                     /* attribute with a length then */
		{ 24, 3 }, { 27, 7 }, { 27, 9 },
	};
	struct octets good = hex(ESP_PROPOSAL("00", "01")), o;
	size_t i;

	assert_int_equal(read_body(PL_SA, view(&good)), OK);
	for (i = 0; i < COUNT(changes); i++) {
		o = good;
		o.p[changes[i].at] = changes[i].value;
		if (read_body(PL_SA, view(&o)) != ERR_SYNTAX)
			fail_msg("octet %zu = %u was taken", changes[i].at, changes[i].value);
	}
}

TEST(sa_reserved_octets_are_ignored)
{
	struct octets o = hex(ESP_PROPOSAL("00", "01"));

	o.p[1] = o.p[13] = o.p[17] = 0xff;
	assert_int_equal(read_body(PL_SA, view(&o)), OK);
}

TEST(proposals_are_numbered_from_one)
{
	assert_int_equal(read_hex(PL_SA, ESP_PROPOSAL("00", "07")), OK);
	assert_int_equal(read_hex(PL_SA, ESP_PROPOSAL("02", "01") ESP_PROPOSAL("00", "01")),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_SA, ESP_PROPOSAL("02", "01") ESP_PROPOSAL("00", "03")),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_SA, ESP_PROPOSAL("02", "02") ESP_PROPOSAL("00", "03")),
	    ERR_SYNTAX);
}

TEST(spi_of_a_proposal_has_the_size_of_its_protocol)
{
	/* IKE: none or 8 octets */
	assert_int_equal(read_hex(PL_SA, "00 00 0010 01 01 00 01  00 00 0008 02 00 0005"), OK);
	assert_int_equal(read_hex(PL_SA,
	    "00 00 0018 01 01 08 01 c0c1c2c3c4c5c6c7 00 00 0008 02 00 0005"), OK);
	assert_int_equal(read_hex(PL_SA,
	    "00 00 0014 01 01 04 01 c0c1c2c3 00 00 0008 02 00 0005"), ERR_SYNTAX);
	/* AH: 4 */
	assert_int_equal(read_hex(PL_SA,
	    "00 00 0014 01 02 04 01 c0c1c2c3 00 00 0008 03 00 000c"), OK);
	assert_int_equal(read_hex(PL_SA, "00 00 0010 01 02 00 01 00 00 0008 03 00 000c"),
	    ERR_SYNTAX);
	/* a protocol that is still to come: whatever it likes */
	assert_int_equal(read_hex(PL_SA, "00 00 0012 01 c8 02 01 c0c1 00 00 0008 01 00 0001"), OK);
}

TEST(odd_attributes_are_told_but_not_refused)
{
	static const struct {
		const char *text;
		bool has_key_bits, unknown;
	} cases[] = {
		{ "800e 0080", true, false },
		{ "8011 0080", false, true },            /* unknown, short form */
		{ "0011 0003 010203", false, true },     /* unknown, long form */
		{ "000e 0002 0080", false, true },       /* key length in the long form */
		{ "800e 0080 800e 0100", true, true },   /* twice */
		{ "8011 0000 800e 0080", true, true },
	};
	char text[128];
	struct ike_transform t;
	struct ike_proposal p;
	struct ike_sa_payload sa;
	struct octets attributes, o;
	struct rd r;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		attributes = hex(cases[i].text);
		(void)snprintf(text, sizeof text,
		    "00 00 00%02zx 01 01 00 01 00 00 00%02zx 01 00 0014 %s", 16 + attributes.n,
		    8 + attributes.n, cases[i].text);
		o = hex(text);
		assert_int_equal(sa_payload_read(&sa, view(&o)), OK);
		r = rd_open(sa.body);
		assert_true(proposal_next(&r, &p));
		r = rd_open(p.transforms);
		assert_true(transform_next(&r, &t));
		assert_int_equal(t.has_key_bits, cases[i].has_key_bits);
		assert_int_equal(t.unknown_attribute, cases[i].unknown);
	}
}

TEST(eap_length_is_checked)
{
	assert_prefixes_refused(PL_EAP, "01 02 0006 01 00");
	assert_trailing_refused(PL_EAP, "01 02 0006 01 00");
	assert_int_equal(read_hex(PL_EAP, "03 02 0004"), OK);
}

TEST(configuration_attributes_are_whole)
{
	assert_int_equal(read_hex(PL_CP, "01 000000"), OK);
	assert_int_equal(read_hex(PL_CP, "01 000000 0001 0000 0003 0004 01020304"), OK);
	assert_int_equal(read_hex(PL_CP, "01 000000 0001 0004 010203"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_CP, "01 000000 0001 00"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_CP, "01 0000"), ERR_SYNTAX);
}

TEST(reserved_octets_are_written_as_zero)
{
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	ke_payload_write(&out, 1024, bytes_str("k"));
	id_payload_write(&out, PL_IDi, IDT_KEY_ID, bytes_str("i"));
	auth_payload_write(&out, AM_PSK, bytes_str("a"));
	finish(&out, &o, &m);
	assert_hex(bytes_of(o.p + IKE_HEADER_LEN, o.n - IKE_HEADER_LEN),
	    "23 00 0009 0400 0000 6b"
	    "27 00 0009 0b 000000 69"
	    "00 00 0009 02 000000 61");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ke_comes_back_as_written),
		cmocka_unit_test(ke_has_the_length_of_its_group),
		cmocka_unit_test(ke_of_an_unknown_group_may_have_any_length_but_none),
		cmocka_unit_test(id_comes_back_as_written),
		cmocka_unit_test(id_has_the_length_of_its_type),
		cmocka_unit_test(certificates_come_back_as_written),
		cmocka_unit_test(certificate_is_not_empty),
		cmocka_unit_test(certificate_request_holds_whole_hashes),
		cmocka_unit_test(auth_comes_back_as_written),
		cmocka_unit_test(nonce_has_16_to_256_octets),
		cmocka_unit_test(notifies_come_back_as_written),
		cmocka_unit_test(first_error_notify_is_found),
		cmocka_unit_test(notify_spi_has_the_size_of_its_protocol),
		cmocka_unit_test(notify_data_has_the_length_of_its_type),
		cmocka_unit_test(delete_comes_back_as_written),
		cmocka_unit_test(delete_holds_as_many_spis_as_it_says),
		cmocka_unit_test(sa_is_walked_proposal_by_proposal),
		cmocka_unit_test(sa_is_refused_at_every_truncation),
		cmocka_unit_test(sa_is_refused_when_its_counts_and_lengths_disagree),
		cmocka_unit_test(sa_reserved_octets_are_ignored),
		cmocka_unit_test(proposals_are_numbered_from_one),
		cmocka_unit_test(spi_of_a_proposal_has_the_size_of_its_protocol),
		cmocka_unit_test(odd_attributes_are_told_but_not_refused),
		cmocka_unit_test(eap_length_is_checked),
		cmocka_unit_test(configuration_attributes_are_whole),
		cmocka_unit_test(reserved_octets_are_written_as_zero),
	};

	return cmocka_run_group_tests(tests, crypto_setup, NULL);
}
