/* SPDX-License-Identifier: ISC */
/* Who is let in: signatures, authorization, labels, modes. Each refusal has a twin that is let in.
 */
#include "sim_pki.h"
#include "sim_test.h"

#include "ike/msg.h"
#include "ike/init.h"
#include "ike/send.h"

static void
nothing_stands(const struct pair *p)
{
	assert_int_equal(sim_ike_up(p->a) + sim_ike_up(p->b), 0);
	assert_int_equal(sim_esp_live(p->a) + sim_esp_live(p->b), 0);
}

/* ---- real signatures ---- */

static void
pair_up_with_keys(enum key_type a, enum key_type b)
{
	struct sim_pki *pki = sim_pki_new();
	struct pair p = pair_new(1);

	sim_pki_use(p.a, sim_pki_device(pki, "a", a));
	sim_pki_use(p.b, sim_pki_device(pki, "b", b));
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_sa(p.a).identity, "dns:b");
	assert_string_equal(sim_sa(p.b).identity, "dns:a");
	pair_free(&p);
	sim_pki_free(pki);
}

static void
real_signatures_of_every_key_type(void **state)
{
	(void)state;
	pair_up_with_keys(KEY_EC_P256, KEY_EC_P256);
	pair_up_with_keys(KEY_ED25519, KEY_EC_P384);
	pair_up_with_keys(KEY_RSA, KEY_ED25519);
}

static void
certificate_of_another_root_is_refused(void **state)
{
	struct sim_pki *ours = sim_pki_new(), *theirs = sim_pki_new();
	struct pair p = pair_new(2);

	(void)state;
	sim_pki_use(p.a, sim_pki_device(ours, "a", KEY_EC_P256));
	sim_pki_use(p.b, sim_pki_device(theirs, "b", KEY_EC_P256));
	pair_start(&p);
	sim_run(p.sim, 1500);
	nothing_stands(&p);
	assert_true(ike_counters(p.b->e)->auth_failed >= 1);
	pair_free(&p);
	sim_pki_free(ours);
	sim_pki_free(theirs);
}

/* ---- AUTH that does not verify ---- */

static void
wrong_auth_of_the_initiator_is_answered_and_forgotten(void **state)
{
	struct pair p = pair_new(3);

	(void)state;
	p.a->forge = true;
	pair_start(&p);
	sim_run(p.sim, 1500);
	nothing_stands(&p);
	assert_int_equal(ike_counters(p.b->e)->auth_failed, 1);
	assert_int_equal(p.b->jobs[IKE_JOB_AUTHORIZE], 0);
	assert_int_equal(p.b->jobs[IKE_JOB_SIGN], 0);
	assert_non_null(strstr(p.a->last_log, "AUTHENTICATION_FAILED"));
	p.a->forge = false;
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
wrong_auth_of_the_responder_is_told_to_it(void **state)
{
	struct pair p = pair_new(4);

	(void)state;
	p.b->forge = true;
	pair_start(&p);
	sim_run(p.sim, 1500);
	nothing_stands(&p);
	/* The responder believed the initiator, was up, and was told otherwise. */
	assert_int_equal(ike_counters(p.a->e)->auth_failed, 1);
	assert_int_equal(ike_counters(p.b->e)->ike_up, 1);
	assert_int_equal(p.b->reports[IKE_REPORT_IKE_DOWN], 1);
	assert_int_equal(p.b->reports[IKE_REPORT_CHILD_DOWN], 1);
	assert_int_equal(p.a->reports[IKE_REPORT_IKE_UP], 0);
	p.b->forge = false;
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
initiator_that_is_not_authorized_is_refused(void **state)
{
	struct pair p = pair_new(5);

	(void)state;
	p.b->refuse[IKE_JOB_AUTHORIZE] = ERR_DENIED;
	pair_start(&p);
	sim_run(p.sim, 1500);
	nothing_stands(&p);
	assert_int_equal(ike_counters(p.b->e)->not_authorized, 1);
	assert_int_equal(p.b->jobs[IKE_JOB_SIGN], 0);
	p.b->refuse[IKE_JOB_AUTHORIZE] = OK;
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
responder_that_is_not_authorized_is_refused(void **state)
{
	struct pair p = pair_new(6);

	(void)state;
	p.a->refuse[IKE_JOB_AUTHORIZE] = ERR_DENIED;
	pair_start(&p);
	sim_run(p.sim, 1500);
	nothing_stands(&p);
	assert_int_equal(ike_counters(p.a->e)->not_authorized, 1);
	p.a->refuse[IKE_JOB_AUTHORIZE] = OK;
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
responder_that_is_another_node_is_refused(void **state)
{
	struct pair p = pair_new(7);

	(void)state;
	p.a->authorized_as = "c";
	pair_start(&p);
	sim_run(p.sim, 1500);
	nothing_stands(&p);
	p.a->authorized_as = NULL;
	assert_true(pair_up(&p));
	pair_free(&p);
}

/* ---- Child SA ---- */

static void
channel_that_the_responder_does_not_grant_has_no_child(void **state)
{
	struct pair p = pair_new(8);

	(void)state;
	p.b->channels[0] = sim_channel_bgp();
	pair_start(&p);
	sim_run(p.sim, 1500);
	/* The IKE SA stands, RFC 7296 section 1.2. */
	assert_int_equal(sim_ike_up(p.a), 1);
	assert_int_equal(sim_ike_up(p.b), 1);
	assert_int_equal(sim_children(p.a) + sim_children(p.b), 0);
	assert_int_equal(p.a->n_esp + p.b->n_esp, 0);
	assert_non_null(strstr(p.a->last_log, "TS_UNACCEPTABLE"));
	p.b->channels[0] = sim_channel_vxlan();
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
channel_that_the_initiator_is_not_granted_is_deleted(void **state)
{
	struct pair p = pair_new(9);

	(void)state;
	pair_start(&p);
	p.a->channels[0] = sim_channel_bgp();
	sim_run(p.sim, 1500);
	assert_int_equal(p.a->n_esp, 0);
	assert_int_equal(p.b->reports[IKE_REPORT_CHILD_UP], 1);
	assert_int_equal(p.b->reports[IKE_REPORT_CHILD_DOWN], 1);
	assert_int_equal(sim_esp_live(p.b), 0);
	p.a->channels[0] = sim_channel_vxlan();
	assert_true(pair_up(&p));
	pair_free(&p);
}

/* The vendor ID is turned into another one on the way: in messages from this address, or (port 0)
 * from any. */
static bool
hide_vendor(struct sim *s, struct sim_datagram *d, void *arg)
{
	static uint8_t changed[4096];
	const struct sim_node *only = arg;
	size_t i;

	(void)s;
	if (d->data.n > sizeof changed || (only != NULL && !addr_equal(&d->from.addr, &only->addr)))
		return true;
	memcpy(changed, d->data.p, d->data.n);
	for (i = 0; i + VENDOR_ID_LEN <= d->data.n; i++)
		if (memcmp(changed + i, vendor_id, VENDOR_ID_LEN) == 0)
			changed[i] ^= 0xff;
	d->data.p = changed;
	return true;
}

static void
peer_of_another_make_needs_no_label(void **state)
{
	struct pair p = pair_new(10);

	(void)state;
	p.a->blind = p.b->blind = true;
	p.sim->on_send = hide_vendor;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_child(p.b).channel, "vxlan");
	pair_free(&p);
}

static void
peer_of_another_make_gets_the_channel_that_fits(void **state)
{
	struct pair p = pair_new(11);

	(void)state;
	p.a->blind = p.b->blind = true;
	p.sim->on_send = hide_vendor;
	p.b->channels[0] = sim_channel_bgp();
	p.b->channels[1] = sim_channel_vxlan();
	p.b->n_channels = 2;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_child(p.b).channel, "vxlan");
	pair_free(&p);
}

static void
response_without_our_label_is_deleted_at_once(void **state)
{
	struct pair p = pair_new(12);

	(void)state;
	/* b takes a for another make and leaves the label out; a knows that b is one of ours. */
	p.a->blind = p.b->blind = true;
	p.sim->on_send = hide_vendor;
	p.sim->on_send_arg = p.a;
	pair_start(&p);
	sim_run(p.sim, 1500);
	assert_int_equal(p.a->n_esp, 0);
	assert_int_equal(sim_ike_up(p.a), 1);
	assert_int_equal(p.b->reports[IKE_REPORT_CHILD_UP], 1);
	assert_int_equal(p.b->reports[IKE_REPORT_CHILD_DOWN], 1);
	assert_int_equal(sim_esp_live(p.b), 0);
	assert_non_null(strstr(p.a->last_log, "label"));
	p.sim->on_send = NULL;
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
tunnel_is_refused_where_the_channel_wants_transport(void **state)
{
	struct pair p = pair_new(13);

	(void)state;
	p.b->channels[0].mode = SA_TUNNEL;
	p.b->channels[0].proto = 17;
	pair_start(&p);
	sim_run(p.sim, 1500);
	/* b answers without USE_TRANSPORT_MODE; a deletes what it did not want. */
	assert_int_equal(p.a->n_esp, 0);
	assert_int_equal(sim_esp_live(p.b), 0);
	assert_non_null(strstr(p.a->last_log, "mode"));
	pair_free(&p);
}

static void
transport_channel_refuses_a_peer_that_asks_for_tunnel(void **state)
{
	struct pair p = pair_new(14);

	(void)state;
	p.a->channels[0].mode = SA_TUNNEL;
	pair_start(&p);
	sim_run(p.sim, 1500);
	assert_int_equal(p.b->n_esp, 0);
	assert_non_null(strstr(p.a->last_log, "NO_PROPOSAL_CHOSEN"));
	pair_free(&p);
}

static void
other_transform_than_offered_is_not_chosen(void **state)
{
	struct pair p = pair_new(15);

	(void)state;
	assert_int_equal(esp_transform_parse(&p.b->channels[0].esp, "aes256gcm16"), OK);
	pair_start(&p);
	sim_run(p.sim, 1500);
	assert_int_equal(p.a->n_esp + p.b->n_esp, 0);
	assert_non_null(strstr(p.a->last_log, "NO_PROPOSAL_CHOSEN"));
	pair_free(&p);
}

/* ---- responders that answer with something else ---- */

/* What is wrong with the answer. */
struct wrong {
	const char *esp;                 /* transform chosen; NULL: no SA payload */
	uint8_t number;                  /* of the proposal */
	bool transport, wide, no_ts, no_auth;
	uint16_t notify;
	const char *log;                 /* the initiator says so */
	bool fails;                      /* the IKE SA does not come up */
};
static const struct wrong *wrong;

static void
wrong_answer(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	struct selector tsi = a->msg->tsi.sel[0], tsr = a->msg->tsr.sel[0];
	struct ike_chosen chosen = { .number = wrong->number, .esn = true };
	struct esp_transform t = { .esn = true };
	struct ike_out o;

	tsr.hi.a[3] = (uint8_t)(tsr.hi.a[3] + wrong->wide);
	response_begin(&o, sa);
	id_payload_write(&o, PL_IDr, IDT_FQDN, bytes_of("b", 1));
	cert_payload_write(&o, bytes_of("certificate", 11));
	if (!wrong->no_auth)
		auth_payload_write(&o, AM_DIGITAL_SIGNATURE, bytes_of("signature", 9));
	if (wrong->transport)
		notify_payload_write(&o, N_USE_TRANSPORT_MODE, bytes_of(NULL, 0));
	if (wrong->notify != 0)
		notify_payload_write(&o, wrong->notify, bytes_of(NULL, 0));
	if (wrong->esp != NULL) {
		assert_int_equal(esp_transform_parse(&t, wrong->esp), OK);
		chosen.encr = t.encr;
		chosen.key_bits = t.key_bits;
		chosen.integ = t.integ;
		proposal_write_chosen_esp(&o, &chosen, 0xabcdef01);
	}
	if (!wrong->no_ts) {
		ts_write(&o, PL_TSi, &tsi, 1, "ch:vxlan");
		ts_write(&o, PL_TSr, &tsr, 1, "ch:vxlan");
	}
	assert_int_equal(response_end(e, sa, &o), OK);
}

static void
answer_that_is_not_what_was_asked_for_installs_nothing(void **state)
{
	static const struct ike_row row = { EX_IKE_AUTH, false, ROW_RESPONDER,
		IKE_STATE_BIT(IKE_INIT_DONE), 0, ~UINT64_C(0), wrong_answer };
	static const struct wrong wrongs[] = {
		{ "aes256gcm16", 1, true, .log = "proposal" },
		{ "aes128gcm16", 2, true, .log = "proposal" },
		{ "aes128-sha256", 1, true, .log = "proposal" },
		{ "aes128gcm16", 1, false, .log = "mode" },
		{ "aes128gcm16", 1, true, .wide = true, .log = "selectors" },
		{ "aes128gcm16", 1, true, .no_ts = true, .log = "none" },
		{ NULL, 1, true, .log = "none" },
		{ NULL, 1, .notify = N_TS_UNACCEPTABLE, .no_ts = true, .log = "TS_UNACCEPTABLE" },
		{ "aes128gcm16", 1, true, .no_auth = true, .log = "AUTH", .fails = true },
	};
	/* The twin: the same hand, nothing wrong. */
	static const struct wrong right = { "aes128gcm16", 1, true, .log = "" };
	size_t i;

	(void)state;
	for (i = 0; i <= sizeof wrongs / sizeof wrongs[0]; i++) {
		struct pair p = pair_new(16);
		bool good = i == sizeof wrongs / sizeof wrongs[0];

		wrong = good ? &right : &wrongs[i];
		p.a->blind = true;
		sim_start(p.a);
		sim_start(p.b);
		ike_add_rows(p.b->e, &row, 1);
		sim_peer(p.a, p.b, true);
		sim_run(p.sim, 300);
		assert_int_equal(p.a->n_esp, good ? 2 : 0);
		assert_int_equal(sim_ike_up(p.a), wrong->fails ? 0 : 1);
		if (strstr(p.a->last_log, wrong->log) == NULL)
			fail_msg("answer %zu: \"%s\" does not say \"%s\"", i, p.a->last_log,
			    wrong->log);
		pair_free(&p);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_signatures_of_every_key_type),
		cmocka_unit_test(certificate_of_another_root_is_refused),
		cmocka_unit_test(wrong_auth_of_the_initiator_is_answered_and_forgotten),
		cmocka_unit_test(wrong_auth_of_the_responder_is_told_to_it),
		cmocka_unit_test(initiator_that_is_not_authorized_is_refused),
		cmocka_unit_test(responder_that_is_not_authorized_is_refused),
		cmocka_unit_test(responder_that_is_another_node_is_refused),
		cmocka_unit_test(channel_that_the_responder_does_not_grant_has_no_child),
		cmocka_unit_test(channel_that_the_initiator_is_not_granted_is_deleted),
		cmocka_unit_test(peer_of_another_make_needs_no_label),
		cmocka_unit_test(peer_of_another_make_gets_the_channel_that_fits),
		cmocka_unit_test(response_without_our_label_is_deleted_at_once),
		cmocka_unit_test(tunnel_is_refused_where_the_channel_wants_transport),
		cmocka_unit_test(transport_channel_refuses_a_peer_that_asks_for_tunnel),
		cmocka_unit_test(other_transform_than_offered_is_not_chosen),
		cmocka_unit_test(answer_that_is_not_what_was_asked_for_installs_nothing),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
