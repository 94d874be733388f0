/* SPDX-License-Identifier: ISC */
#include "ike_support.h"

#define NONCE16 "00112233445566778899aabbccddeeff"

/* An IKE_SA_INIT request with some payloads, the last one a vendor ID of 5 octets. */
static void
sample(struct octets *o, struct ike_msg *m)
{
	struct octets pub = counted(1, 32);
	struct ike_header h = test_header(EX_IKE_SA_INIT, HF_INITIATOR, 0);
	struct ike_out out;

	h.spi_r = 0;
	msg_begin(&out, &h);
	notify_payload_write(&out, N_COOKIE, bytes_str("cookie"));
	ke_payload_write(&out, TR_KE_CURVE25519, view(&pub));
	nonce_payload_write(&out, bytes_str("0123456789abcdef"));
	notify_payload_write(&out, N_IKEV2_FRAGMENTATION_SUPPORTED, bytes_of(NULL, 0));
	vendor_payload_write(&out, bytes_str("hello"));
	finish(&out, o, m);
}

static void
set_length(struct octets *o, size_t n)
{
	o->p[26] = (uint8_t)(n >> 8);
	o->p[27] = (uint8_t)n;
}

/* A header for `chain`, whose first payload has this type. */
static int
read_chain_hex(struct ike_msg *m, uint8_t first, const char *chain)
{
	static struct octets o;
	struct octets c = hex(chain);
	struct ike_out out = test_out();
	struct blob b = { 0 };

	payload_put_chain(&out, first, view(&c));
	assert_int_equal(msg_end(&out, &b), OK);
	o.n = b.n;
	memcpy(o.p, b.p, b.n);
	blob_free(&b);
	return msg_read(m, view(&o));
}

TEST(message_comes_back_as_written)
{
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	assert_true(m.hdr.spi_i == UINT64_C(0x0102030405060708));
	assert_true(m.hdr.spi_r == 0);
	assert_int_equal(m.hdr.major, 2);
	assert_int_equal(m.hdr.minor, 0);
	assert_int_equal(m.hdr.exchange, EX_IKE_SA_INIT);
	assert_int_equal(m.hdr.message_id, 0);
	assert_int_equal(m.hdr.length, o.n);
	assert_int_equal(m.hdr.next, PL_N);
	assert_false(header_is_response(&m.hdr));
	assert_true(header_from_initiator(&m.hdr));
	assert_true(m.present == (PL_BIT(PL_KE) | PL_BIT(PL_NONCE) | PL_BIT(PL_N) | PL_BIT(PL_V)));
	assert_octets(m.nonce, bytes_str("0123456789abcdef"));
	assert_int_equal(m.n_notifies, 2);
	assert_true(msg_vendor(&m, bytes_str("hello")));
	assert_false(msg_vendor(&m, bytes_str("hell")));
	assert_int_equal(m.critical, 0);
}

TEST(views_point_into_the_datagram)
{
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	assert_ptr_equal(m.raw.p, o.p);
	assert_true(m.nonce.p > o.p && m.nonce.p + m.nonce.n <= o.p + o.n);
}

TEST(header_without_payloads_is_a_message)
{
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	finish(&out, &o, &m);
	assert_int_equal(o.n, IKE_HEADER_LEN);
	assert_true(m.present == 0);
}

TEST(every_beginning_is_refused)
{
	struct octets o, cut;
	struct ike_msg m;
	uint8_t *exact;
	size_t n;

	sample(&o, &m);
	for (n = 0; n < o.n; n++) {
		assert_non_null(exact = malloc(n + 1));
		memcpy(exact, o.p, n);
		assert_int_equal(msg_read(&m, bytes_of(exact, n)), ERR_SYNTAX);
		free(exact);
	}
	/* With a length that agrees only the ends of payloads would do, if the chain ended there. */
	for (n = IKE_HEADER_LEN; n < o.n; n++) {
		cut = o;
		cut.n = n;
		set_length(&cut, n);
		assert_int_equal(msg_read(&m, view(&cut)), ERR_SYNTAX);
		assert_string_equal(m.why, "payload length is wrong");
	}
}

TEST(octets_behind_the_message_are_refused)
{
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	o.n++;
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
	set_length(&o, o.n);
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
	assert_string_equal(m.why, "octets after the last payload");
}

TEST(length_of_the_header_is_that_of_the_datagram)
{
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	set_length(&o, o.n - 1);
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
	set_length(&o, 0);
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
	set_length(&o, o.n);
	o.p[24] = 1;
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
}

TEST(initiator_spi_is_never_zero)
{
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	memset(o.p, 0, 8);
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
}

TEST(major_version_is_2_and_the_minor_is_ignored)
{
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	o.p[17] = 0x2f;
	assert_int_equal(msg_read(&m, view(&o)), OK);
	assert_int_equal(m.hdr.minor, 15);
	o.p[17] = 0x30;
	assert_int_equal(msg_read(&m, view(&o)), ERR_UNSUPPORTED);
	assert_int_equal(m.hdr.major, 3);
	assert_int_equal(m.hdr.exchange, EX_IKE_SA_INIT);
	o.p[17] = 0x10;
	assert_int_equal(msg_read(&m, view(&o)), ERR_UNSUPPORTED);
	assert_int_equal(m.hdr.major, 1);
}

TEST(payload_length_below_its_header_is_refused)
{
	struct octets o;
	struct ike_msg m;
	uint8_t n;

	for (n = 0; n < 4; n++) {
		sample(&o, &m);
		o.p[IKE_HEADER_LEN + 3] = n;
		assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
		assert_int_equal(m.bad, PL_N);
	}
}

/* A payload that says it is shorter or longer than it is moves where the next one is looked for. */
TEST(overlapping_payloads_are_refused)
{
	struct octets o, changed;
	struct ike_msg m;
	unsigned n;

	sample(&o, &m);
	for (n = 4; n < 256; n++) {
		changed = o;
		changed.p[IKE_HEADER_LEN + 3] = (uint8_t)n;
		/* The true length, and the one where the KE payload would be part of the cookie. */
		if (n == 14 || n == 14 + 40)
			assert_int_equal(msg_read(&m, view(&changed)), OK);
		else
			assert_int_not_equal(msg_read(&m, view(&changed)), OK);
	}
	o.p[IKE_HEADER_LEN + 2] = 0xff;
	assert_int_equal(msg_read(&m, view(&o)), ERR_SYNTAX);
}

TEST(payload_that_comes_twice_is_refused)
{
	static const uint8_t once[] = { PL_SA, PL_KE, PL_IDi, PL_IDr, PL_AUTH, PL_NONCE, PL_TSi,
	    PL_TSr, PL_CP, PL_EAP };
	static const char *const body[] = {
		"00 00 0010 01 01 00 01 00 00 0008 02 00 0005", "0400 0000 01", "0b 000000 69",
		"0b 000000 69", "02 000000 61", NONCE16,
		"01 000000 07 00 0010 0000 ffff c0000201 c0000201",
		"01 000000 07 00 0010 0000 ffff c0000201 c0000201", "01 000000", "03 02 0004",
	};
	struct ike_out out;
	struct octets b;
	struct ike_msg m;
	struct blob blob = { 0 };
	size_t i, k;

	for (i = 0; i < COUNT(once); i++) {
		b = hex(body[i]);
		out = test_out();
		for (k = 0; k < 2; k++)
			payload_put(&out, once[i], view(&b));
		assert_int_equal(msg_end(&out, &blob), OK);
		assert_int_equal(msg_read(&m, blob_view(&blob)), ERR_SYNTAX);
		assert_int_equal(m.bad, once[i]);
		assert_string_equal(m.why, "payload comes twice");
	}
	blob_free(&blob);
}

TEST(payloads_that_may_repeat_do_so_up_to_a_limit)
{
	static const struct {
		uint8_t type;
		size_t max;
		const char *body;
	} cases[] = {
		{ PL_CERT, IKE_CERTS_MAX, "04 30" },
		{ PL_CERTREQ, IKE_CERTREQS_MAX, "04" },
		{ PL_N, IKE_NOTIFIES_MAX, "0000 4000" },
		{ PL_D, IKE_DELETES_MAX, "01 00 0000" },
		{ PL_V, IKE_VENDORS_MAX, "01" },
		{ 200, IKE_PAYLOADS_MAX, "" },
	};
	struct octets b;
	struct ike_out out;
	struct ike_msg m;
	struct blob blob = { 0 };
	size_t i, k, more;

	for (i = 0; i < COUNT(cases); i++) {
		b = hex(cases[i].body);
		for (more = 0; more < 2; more++) {
			out = test_out();
			for (k = 0; k < cases[i].max + more; k++)
				payload_put(&out, cases[i].type, view(&b));
			assert_int_equal(msg_end(&out, &blob), OK);
			assert_int_equal(msg_read(&m, blob_view(&blob)), more == 0 ? OK : ERR_SPACE);
			if (more != 0)
				assert_int_equal(m.bad, cases[i].type);
		}
	}
	blob_free(&blob);
}

TEST(unknown_payload_is_skipped)
{
	struct ike_msg m;

	assert_int_equal(read_chain_hex(&m, 200, "28 00 0006 abcd 00 00 0014" NONCE16), OK);
	assert_int_equal(m.critical, 0);
	assert_true(m.present == PL_BIT(PL_NONCE));
	/* groups are known by name, but not to this reader */
	assert_int_equal(read_chain_hex(&m, PL_KD, "28 00 0006 abcd 00 00 0014" NONCE16), OK);
	assert_true(m.present == PL_BIT(PL_NONCE));
}

TEST(unknown_critical_payload_is_remembered)
{
	struct ike_msg m;

	assert_int_equal(read_chain_hex(&m, 200, "c9 80 0004  28 80 0005 00  00 00 0014" NONCE16),
	    OK);
	assert_int_equal(m.critical, 200);
	assert_int_equal(read_chain_hex(&m, 1, "28 80 0004  00 00 0014" NONCE16), OK);
	assert_int_equal(m.critical, 1);
	assert_int_equal(read_chain_hex(&m, PL_GSA, "00 ff 0004"), OK);
	assert_int_equal(m.critical, PL_GSA);
}

TEST(critical_bit_of_a_known_payload_is_ignored)
{
	struct ike_msg m;

	assert_int_equal(read_chain_hex(&m, PL_NONCE, "00 80 0014" NONCE16), OK);
	assert_int_equal(m.critical, 0);
	assert_true(msg_has(&m, PL_NONCE));
}

TEST(encrypted_payload_is_the_last_one)
{
	struct ike_msg m;

	assert_int_equal(read_chain_hex(&m, PL_V, "2e 00 0005 01  29 00 0008 01020304"), OK);
	assert_true(m.present == (PL_BIT(PL_V) | PL_BIT(PL_SK)));
	assert_int_equal(m.sk.first, PL_N);
	assert_int_equal(m.sk.fragment, 0);
	assert_int_equal(m.sk.aad.n, IKE_HEADER_LEN + 5 + 4);
	assert_ptr_equal(m.sk.aad.p, m.raw.p);
	assert_hex(m.sk.body, "01020304");
	assert_int_equal(read_chain_hex(&m, PL_SK, "2b 00 0008 01020304 00 00 0005 01"), ERR_SYNTAX);
	assert_string_equal(m.why, "octets after the encrypted payload");
	assert_int_equal(read_chain_hex(&m, PL_SK, "00 00 0004"), OK);
	assert_int_equal(m.sk.body.n, 0);
	assert_int_equal(read_chain_hex(&m, PL_SK, "00 00 0003"), ERR_SYNTAX);
}

TEST(encrypted_fragment_says_which_of_how_many)
{
	struct ike_msg m;

	assert_int_equal(read_chain_hex(&m, PL_SKF, "29 00 000a 0001 0002 abcd"), OK);
	assert_int_equal(m.sk.first, PL_N);
	assert_int_equal(m.sk.fragment, 1);
	assert_int_equal(m.sk.fragments, 2);
	assert_int_equal(m.sk.aad.n, IKE_HEADER_LEN + 8);
	assert_hex(m.sk.body, "abcd");
	assert_int_equal(read_chain_hex(&m, PL_SKF, "00 00 000a 0002 0002 abcd"), OK);
	assert_int_equal(read_chain_hex(&m, PL_SKF, "29 00 000a 0002 0002 abcd"), ERR_SYNTAX);
	assert_int_equal(read_chain_hex(&m, PL_SKF, "00 00 000a 0003 0002 abcd"), ERR_SYNTAX);
	assert_int_equal(read_chain_hex(&m, PL_SKF, "29 00 000a 0000 0002 abcd"), ERR_SYNTAX);
	assert_int_equal(read_chain_hex(&m, PL_SKF, "29 00 0007 0001 00"), ERR_SYNTAX);
}

TEST(inner_chain_is_read_with_the_outer_header)
{
	struct ike_header h = test_header(EX_IKE_AUTH, HF_RESPONSE, 1);
	struct octets chain = hex("28 00 0009 0b 000000 69  00 00 0014" NONCE16);
	struct ike_msg m;

	assert_int_equal(msg_read_inner(&m, &h, PL_IDr, view(&chain)), OK);
	assert_int_equal(m.hdr.exchange, EX_IKE_AUTH);
	assert_true(m.present == (PL_BIT(PL_IDr) | PL_BIT(PL_NONCE)));
	assert_int_equal(msg_read_inner(&m, &h, PL_NONE, bytes_of(NULL, 0)), OK);
	assert_true(m.present == 0);
	assert_int_equal(msg_read_inner(&m, &h, PL_NONE, view(&chain)), ERR_SYNTAX);
	assert_int_equal(msg_read_inner(&m, &h, PL_IDr, bytes_of(NULL, 0)), ERR_SYNTAX);
	assert_int_equal(msg_read_inner(&m, &h, PL_IDr, bytes_of(chain.p, chain.n - 1)),
	    ERR_SYNTAX);
}

TEST(encryption_inside_encryption_is_refused)
{
	struct ike_header h = test_header(EX_IKE_AUTH, HF_INITIATOR, 1);
	struct octets chain = hex("00 00 0008 01020304");
	struct ike_msg m;

	assert_int_equal(msg_read_inner(&m, &h, PL_SK, view(&chain)), ERR_SYNTAX);
	assert_string_equal(m.why, "encrypted twice");
	assert_int_equal(msg_read_inner(&m, &h, PL_SKF, view(&chain)), ERR_SYNTAX);
}

TEST(writer_that_is_misused_yields_no_message)
{
	struct blob b = { 0 };
	struct ike_out out;

	out = test_out();
	payload_open(&out, PL_N);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	out = test_out();
	payload_open(&out, PL_N);
	payload_open(&out, PL_N);
	payload_close(&out);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	out = test_out();
	payload_close(&out);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	out = test_out();
	payload_put_chain(&out, PL_NONE, bytes_of(NULL, 0));
	payload_put(&out, PL_V, bytes_str("after the end"));
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	out = test_out();
	payload_open(&out, PL_V);
	payload_put_chain(&out, PL_NONE, bytes_of(NULL, 0));
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	assert_null(b.p);
	msg_abort(&out);
}

TEST(message_that_grows_too_long_is_refused)
{
	static uint8_t big[IKE_MESSAGE_MAX - IKE_HEADER_LEN - 4 + 1];
	struct ike_out out = test_out();
	struct blob b = { 0 };

	vendor_payload_write(&out, bytes_of(big, sizeof big));
	assert_int_equal(msg_end(&out, &b), ERR_SPACE);
	out = test_out();
	vendor_payload_write(&out, bytes_of(big, sizeof big - 1));
	assert_int_equal(msg_end(&out, &b), OK);
	assert_int_equal(b.n, IKE_MESSAGE_MAX);
	blob_free(&b);
}

TEST(text_names_exchange_and_payloads)
{
	char buf[256];
	struct octets o;
	struct ike_msg m;

	sample(&o, &m);
	assert_string_equal(msg_text(&m, buf, sizeof buf),
	    "IKE_SA_INIT req #0 { KE NONCE N(COOKIE) N(IKEV2_FRAGMENTATION_SUPPORTED) V }");
	assert_int_equal(read_chain_hex(&m, PL_CERT,
	    "25 00 0006 0430  2e 00 0006 0430  00 00 0005 00"), OK);
	m.hdr.flags |= HF_RESPONSE;
	assert_string_equal(msg_text(&m, buf, sizeof buf),
	    "INFORMATIONAL rsp #7 { 2*CERT SK }");
	assert_int_equal(read_chain_hex(&m, PL_SKF, "29 00 0009 0001 0003 ab"), OK);
	m.hdr.exchange = 99;
	assert_string_equal(msg_text(&m, buf, sizeof buf), "unassigned req #7 { SKF(1/3) }");
}

TEST(text_is_cut_where_the_buffer_ends)
{
	char whole[256], buf[64];
	struct octets o;
	struct ike_msg m;
	size_t n;

	sample(&o, &m);
	msg_text(&m, whole, sizeof whole);
	assert_string_equal(msg_text(&m, buf, 0), "");
	for (n = 1; n < sizeof buf; n++) {
		msg_text(&m, buf, n);
		assert_int_equal(strlen(buf), n - 1);
		assert_memory_equal(buf, whole, n - 1);
	}
}

TEST(numbers_have_names)
{
	assert_string_equal(ike_name_exchange(34), "IKE_SA_INIT");
	assert_string_equal(ike_name_exchange(44), "IKE_FOLLOWUP_KE");
	assert_string_equal(ike_name_exchange(45), "unassigned");
	assert_string_equal(ike_name_payload(46), "SK");
	assert_string_equal(ike_name_payload_long(53), "Encrypted and Authenticated Fragment");
	assert_string_equal(ike_name_payload(32), "unassigned");
	assert_string_equal(ike_name_notify(14), "NO_PROPOSAL_CHOSEN");
	assert_string_equal(ike_name_notify(16431), "SIGNATURE_HASH_ALGORITHMS");
	assert_string_equal(ike_name_notify(16383), "unknown error");
	assert_string_equal(ike_name_notify(40000), "unknown status");
	assert_string_equal(ike_name_protocol(3), "ESP");
	assert_string_equal(ike_name_transform_type(5), "SN");
	assert_string_equal(ike_name_transform(1, 20), "AES_GCM_16");
	assert_string_equal(ike_name_transform(1, 11), "NULL");
	assert_string_equal(ike_name_transform(4, 31), "CURVE25519");
	assert_string_equal(ike_name_transform(9, 31), "unassigned");
	assert_string_equal(ike_name_id_type(2), "FQDN");
	assert_string_equal(ike_name_cert_encoding(4), "X509_SIGNATURE");
	assert_string_equal(ike_name_auth_method(14), "DIGITAL_SIGNATURE");
	assert_string_equal(ike_name_ts_type(10), "SECLABEL");
	assert_string_equal(ike_name_hash(5), "IDENTITY");
	assert_int_equal(ike_notify_by_name("COOKIE"), 16390);
	assert_int_equal(ike_notify_by_name("COOKIES"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_comes_back_as_written),
		cmocka_unit_test(views_point_into_the_datagram),
		cmocka_unit_test(header_without_payloads_is_a_message),
		cmocka_unit_test(every_beginning_is_refused),
		cmocka_unit_test(octets_behind_the_message_are_refused),
		cmocka_unit_test(length_of_the_header_is_that_of_the_datagram),
		cmocka_unit_test(initiator_spi_is_never_zero),
		cmocka_unit_test(major_version_is_2_and_the_minor_is_ignored),
		cmocka_unit_test(payload_length_below_its_header_is_refused),
		cmocka_unit_test(overlapping_payloads_are_refused),
		cmocka_unit_test(payload_that_comes_twice_is_refused),
		cmocka_unit_test(payloads_that_may_repeat_do_so_up_to_a_limit),
		cmocka_unit_test(unknown_payload_is_skipped),
		cmocka_unit_test(unknown_critical_payload_is_remembered),
		cmocka_unit_test(critical_bit_of_a_known_payload_is_ignored),
		cmocka_unit_test(encrypted_payload_is_the_last_one),
		cmocka_unit_test(encrypted_fragment_says_which_of_how_many),
		cmocka_unit_test(inner_chain_is_read_with_the_outer_header),
		cmocka_unit_test(encryption_inside_encryption_is_refused),
		cmocka_unit_test(writer_that_is_misused_yields_no_message),
		cmocka_unit_test(message_that_grows_too_long_is_refused),
		cmocka_unit_test(text_names_exchange_and_payloads),
		cmocka_unit_test(text_is_cut_where_the_buffer_ends),
		cmocka_unit_test(numbers_have_names),
	};

	return cmocka_run_group_tests(tests, crypto_setup, NULL);
}
