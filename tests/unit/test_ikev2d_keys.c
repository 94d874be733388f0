/* SPDX-License-Identifier: ISC */
/* What the keys process signs, and what it refuses to. */
#include "role_support.h"

#include "ike/authdata.h"
#include "ikev2d/roles.h"

static struct role keys;

static int
start(void **state)
{
	(void)state;
	role_start(&keys, keys_main);
	role_ready(&keys);
	role_connect(&keys, PROC_ENGINE);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	role_stop(&keys);
	return 0;
}

static struct msg_signed answer;

static int
ask(const struct ike_ref *ref, const struct ike_auth_input *in)
{
	static uint32_t job;
	struct msg_sign m = { .job = ++job, .ref = *ref, .in = *in, .peer_hashes = HASHES_OURS };
	struct wr w = wr_grow(SEQ_MAX);
	struct heard h;

	wr_sign(&w, &m);
	say(keys.peer[PROC_ENGINE], MSG_SIGN, &w);
	h = hear_type(keys.peer[PROC_ENGINE], MSG_SIGNED);
	assert_int_equal(rd_signed(h.body, &answer), OK);
	assert_int_equal(answer.job, job);
	return answer.rc;
}

static int
ask_plainly(const struct ike_ref *ref)
{
	uint8_t buf[28];
	struct ike_auth_input in = auth_input(sa_init(buf, ref, !ref->initiator), "nve-1.example");

	return ask(ref, &in);
}

TEST(signature_is_over_the_octets_of_the_rfc)
{
	struct ike_ref ref = { 0x11, 0x22, true };
	struct blob octets = { NULL, 0 };
	struct x509 *chain[CHAIN_MAX];
	struct ike_auth_input in;
	uint8_t buf[28];
	size_t n, i;

	in = auth_input(sa_init(buf, &ref, false), "nve-1.example");
	assert_int_equal(ask(&ref, &in), OK);
	assert_int_equal(x509_load_chain(file("nve-1.crt"), chain, &n), OK);
	assert_int_equal(authdata_octets(&in, &octets), OK);
	assert_int_equal(verify_auth(chain[0], answer.method, answer.auth, blob_view(&octets)), OK);
	octets.p[octets.n - 1] ^= 1;
	assert_int_equal(verify_auth(chain[0], answer.method, answer.auth, blob_view(&octets)),
	    ERR_AUTH);
	blob_free(&octets);
	for (i = 0; i < n; i++)
		x509_free(chain[i]);
}

TEST(one_signature_per_ike_sa_and_role)
{
	struct ike_ref ref = { 0x31, 0x32, true };

	assert_int_equal(ask_plainly(&ref), OK);
	assert_int_equal(ask_plainly(&ref), ERR_STATE);
	assert_string_equal(answer.reason, "signed once already for this IKE SA");
	assert_int_equal(answer.auth.n, 0);
	ref.initiator = false;
	assert_int_equal(ask_plainly(&ref), OK);
	ref.spi_r++;
	assert_int_equal(ask_plainly(&ref), OK);
}

TEST(another_identity_is_not_signed_for)
{
	struct ike_ref ref = { 0x41, 0x42, true };
	uint8_t buf[28];
	struct ike_auth_input in = auth_input(sa_init(buf, &ref, false), "nve-2.example");

	assert_int_equal(ask(&ref, &in), ERR_DENIED);
	/* That was no signature: the right one may follow. */
	assert_int_equal(ask_plainly(&ref), OK);
}

TEST(message_of_another_ike_sa_is_not_signed)
{
	struct ike_ref ref = { 0x51, 0x52, false }, other = { 0x51, 0x53, false };
	uint8_t buf[28];
	struct ike_auth_input in = auth_input(sa_init(buf, &other, true), "nve-1.example");

	assert_int_equal(ask(&ref, &in), ERR_DENIED);
	other = (struct ike_ref){ 0x50, 0x52, false };
	in = auth_input(sa_init(buf, &other, true), "nve-1.example");
	assert_int_equal(ask(&ref, &in), ERR_DENIED);
}

TEST(octets_that_are_no_ike_message_are_not_signed)
{
	struct ike_ref ref = { 0x61, 0x62, true };
	uint8_t buf[28];
	struct ike_auth_input in = auth_input(sa_init(buf, &ref, false), "nve-1.example");

	buf[18] = 35;            /* IKE_AUTH */
	assert_int_equal(ask(&ref, &in), ERR_VALUE);
	assert_int_equal(answer.auth.n, 0);
}

TEST(wrong_length_of_sk_p_is_refused)
{
	struct ike_ref ref = { 0x71, 0x72, true };
	uint8_t buf[28];
	struct ike_auth_input in = auth_input(sa_init(buf, &ref, false), "nve-1.example");

	in.sk_p.n--;
	assert_int_equal(ask(&ref, &in), ERR_VALUE);
}

TEST(malformed_request_is_told_to_the_parent_and_cuts_the_engine_off)
{
	struct heard h;
	uint8_t junk[40] = { 0 };
	struct rd r;

	junk[20] = 9;            /* a role that is neither */
	say_fd(keys.peer[PROC_ENGINE], MSG_SIGN, bytes_of(junk, sizeof junk), -1);
	h = hear_type(keys.parent, MSG_COMPLAINT);
	r = rd_open(h.body);
	assert_int_equal(rd_u8(&r), PROC_ENGINE);
	assert_false(hear(keys.peer[PROC_ENGINE], &h));
	/* A new engine is served again. */
	role_connect(&keys, PROC_ENGINE);
	assert_int_equal(ask_plainly(&(struct ike_ref){ 0x81, 0x82, true }), OK);
}

TEST(request_of_another_kind_is_illegal)
{
	say_fd(keys.peer[PROC_ENGINE], MSG_VERIFY, bytes_of("abcdefghijklmnopqrstuvwxyzabcdefghij", 36),
	    -1);
	(void)hear_type(keys.parent, MSG_COMPLAINT);
}

TEST(key_of_another_certificate_is_a_configuration_error)
{
	char saved[sizeof conf], *at;
	struct role r;
	struct heard h;
	struct rd rd;
	char text[1024];

	memcpy(saved, conf, sizeof conf);
	at = strstr(conf, "nve-1.key");
	memcpy(at, "nve-2.key", 9);
	role_start(&r, keys_main);
	memcpy(conf, saved, sizeof conf);
	assert_true(hear(r.parent, &h));
	assert_int_equal(h.type, IPC_FATAL);
	rd = rd_open(h.body);
	assert_int_equal(rd_u8(&rd), 2);
	rd_str(&rd, text, sizeof text);
	assert_non_null(strstr(text, "ikev2d.conf:4: private key"));
	assert_non_null(strstr(text, "does not match"));
	assert_int_equal(role_status(&r), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(signature_is_over_the_octets_of_the_rfc),
		T(one_signature_per_ike_sa_and_role),
		T(another_identity_is_not_signed_for),
		T(message_of_another_ike_sa_is_not_signed),
		T(octets_that_are_no_ike_message_are_not_signed),
		T(wrong_length_of_sk_p_is_refused),
		T(malformed_request_is_told_to_the_parent_and_cuts_the_engine_off),
		T(request_of_another_kind_is_illegal),
		cmocka_unit_test(key_of_another_certificate_is_a_configuration_error),
	};

	return cmocka_run_group_tests(tests, lab_make, lab_remove);
}
