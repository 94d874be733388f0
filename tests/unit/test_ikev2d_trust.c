/* SPDX-License-Identifier: ISC */
/* What the trust process believes, and whom it tells. */
#include "role_support.h"

#include "ike/authdata.h"
#include "ikev2d/roles.h"

static struct role trust;
static struct msg_verified answer;
static struct msg_identity told;

static int
start(void **state)
{
	(void)state;
	role_start(&trust, trust_main);
	role_ready(&trust);
	role_connect(&trust, PROC_AUTHZ);
	role_connect(&trust, PROC_ENGINE);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	role_stop(&trust);
	return 0;
}

/* Somebody signs as `id` with the key and certificate of `who`; `spoil` is done to the signature. */
static int
ask(const struct ike_ref *ref, const char *who, const char *id, int spoil)
{
	static uint32_t job;
	struct msg_verify m = { .job = ++job, .ref = *ref, .peer = test_addr("192.0.2.2"), .n_certs = 1 };
	struct blob octets = { NULL, 0 }, auth = { NULL, 0 };
	struct wr w = wr_grow(SEQ_MAX);
	struct x509 *chain[CHAIN_MAX];
	struct pkey *key = NULL;
	const char *why;
	char name[64];
	uint8_t buf[28];
	size_t n, i;
	struct heard h;

	m.in = auth_input(sa_init(buf, ref, ref->initiator), id);
	(void)snprintf(name, sizeof name, "%s.key", who);
	assert_int_equal(pkey_load(&key, file(name), &why), OK);
	(void)snprintf(name, sizeof name, "%s.crt", who);
	assert_int_equal(x509_load_chain(file(name), chain, &n), OK);
	assert_int_equal(authdata_octets(&m.in, &octets), OK);
	assert_int_equal(sign_auth(key, HASHES_OURS, blob_view(&octets), &m.method, &auth), OK);
	if (spoil != 0)
		auth.p[auth.n - 1] ^= (uint8_t)spoil;
	m.auth = blob_view(&auth);
	m.certs[0] = x509_der(chain[0]);
	wr_verify(&w, &m);
	say(trust.peer[PROC_ENGINE], MSG_VERIFY, &w);
	h = hear_type(trust.peer[PROC_ENGINE], MSG_VERIFIED);
	assert_int_equal(rd_verified(h.body, &answer), OK);
	assert_int_equal(answer.job, job);
	pkey_free(key);
	for (i = 0; i < n; i++)
		x509_free(chain[i]);
	blob_free(&octets);
	blob_free(&auth);
	return answer.rc;
}

TEST(good_signature_is_believed_and_authz_is_told_first)
{
	struct ike_ref ref = { 1, 2, true };
	struct heard h;

	assert_int_equal(ask(&ref, "nve-2", "nve-2.example", 0), OK);
	assert_string_equal(answer.identity, "dns:nve-2.example");
	assert_true(answer.not_after > (int64_t)time(NULL));
	/* It is there already when the engine has its answer. */
	assert_false(silent(trust.peer[PROC_AUTHZ]));
	h = hear_type(trust.peer[PROC_AUTHZ], MSG_IDENTITY);
	assert_int_equal(rd_identity(h.body, &told), OK);
	assert_true(told.ref.spi_i == 1 && told.ref.spi_r == 2 && told.ref.initiator);
	assert_string_equal(told.identities[0], "dns:nve-2.example");
	assert_true(told.not_after == answer.not_after);
}

/* Each of them: an error for the engine, silence towards authz. */
static void
refused(const char *who, const char *id, int spoil, const char *says)
{
	struct ike_ref ref = { 3, 4, false };

	assert_int_not_equal(ask(&ref, who, id, spoil), OK);
	if (strstr(answer.reason, says) == NULL)
		fail_msg("%s", answer.reason);
	assert_true(silent(trust.peer[PROC_AUTHZ]));
}

TEST(spoilt_signature_is_refused)
{
	refused("nve-2", "nve-2.example", 1, "signature");
}

TEST(certificate_of_another_ca_is_refused)
{
	refused("stranger", "nve-2.example", 0, "");
}

TEST(id_that_is_not_in_the_certificate_is_refused)
{
	refused("nve-2", "nve-1.example", 0, "ID payload");
}

TEST(verification_without_certificate_is_refused)
{
	struct msg_verify m = { .job = 77, .ref = { 5, 6, true }, .method = 14,
		.auth = bytes_str("x"), .peer = test_addr("192.0.2.2") };
	struct wr w = wr_grow(SEQ_MAX);
	uint8_t buf[28];
	struct heard h;

	m.in = auth_input(sa_init(buf, &m.ref, true), "nve-2.example");
	wr_verify(&w, &m);
	say(trust.peer[PROC_ENGINE], MSG_VERIFY, &w);
	h = hear_type(trust.peer[PROC_ENGINE], MSG_VERIFIED);
	assert_int_equal(rd_verified(h.body, &answer), OK);
	assert_int_equal(answer.rc, ERR_AUTH);
	assert_true(silent(trust.peer[PROC_AUTHZ]));
}

TEST(authz_that_was_restarted_is_told_again)
{
	struct ike_ref ref = { 7, 8, true };
	struct heard h;

	assert_int_equal(ask(&ref, "nve-2", "nve-2.example", 0), OK);
	(void)hear_type(trust.peer[PROC_AUTHZ], MSG_IDENTITY);
	role_connect(&trust, PROC_AUTHZ);
	h = hear_type(trust.peer[PROC_AUTHZ], MSG_IDENTITY);
	assert_int_equal(rd_identity(h.body, &told), OK);
	assert_true(told.ref.spi_i == 7);
}

TEST(authz_may_not_ask_anything)
{
	say_fd(trust.peer[PROC_AUTHZ], MSG_VERIFY, bytes_of(NULL, 0), -1);
	(void)hear_type(trust.parent, MSG_COMPLAINT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(good_signature_is_believed_and_authz_is_told_first),
		T(spoilt_signature_is_refused),
		T(certificate_of_another_ca_is_refused),
		T(id_that_is_not_in_the_certificate_is_refused),
		T(verification_without_certificate_is_refused),
		T(authz_that_was_restarted_is_told_again),
		T(authz_may_not_ask_anything),
	};

	return cmocka_run_group_tests(tests, lab_make, lab_remove);
}
