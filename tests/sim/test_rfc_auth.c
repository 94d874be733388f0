/* SPDX-License-Identifier: ISC */
/* IKE_AUTH requests that no engine of ours writes, and what they are answered: RFC 7296, RFC 9478. */
#include "sim_craft.h"
#include "sim_test.h"

#define P(name) PL_BIT(PL_##name)

static struct tape tape;

/* The initiator is a crafted one, with the keys of an engine that waits for its signature. */
struct story {
	struct pair p;
	struct ike_ref ref;
	struct ike_keys_view keys;
	struct ike_sk_key out, in;
	struct ike_out o;
	uint8_t plain[4096];
};

static void
begin(struct story *s)
{
	struct ike_header init, h = { .major = 2, .exchange = EX_IKE_AUTH, .flags = HF_INITIATOR,
		.message_id = 1 };
	const struct ike_keys_view *k = &s->keys;

	s->p = pair_new(1);
	tape_free(&tape);
	s->p.sim->on_send = tape_record;
	s->p.sim->on_send_arg = &tape;
	s->p.a->hold[IKE_JOB_SIGN] = true;
	s->p.b->blind = true;
	pair_start(&s->p);
	sim_run(s->p.sim, 100);
	assert_int_equal(tape.n, 2);
	assert_int_equal(header_read(&init, blob_view(&tape.sent[1].data)), OK);
	s->ref = (struct ike_ref){ init.spi_i, init.spi_r, true };
	assert_int_equal(ike_export_keys(s->p.a->e, &s->ref, &s->keys), OK);
	assert_int_equal(sk_key_init(&s->out, k->encr, k->key_bits, k->integ, k->sk_ei, k->sk_ai), OK);
	assert_int_equal(sk_key_init(&s->in, k->encr, k->key_bits, k->integ, k->sk_er, k->sk_ar), OK);
	h.spi_i = s->ref.spi_i;
	h.spi_r = s->ref.spi_r;
	msg_begin(&s->o, &h);
	sk_begin(&s->o, &s->out);
}

/* Send what was written; the answer, opened. */
static struct ike_msg
answer(struct story *s)
{
	struct ike_callbacks cb = { .random = NULL };
	struct blob message = { 0 };
	struct ike_msg outer, m;
	struct bytes plain;

	assert_int_equal(sk_end(&s->o, &s->out, &cb), OK);
	assert_int_equal(msg_end(&s->o, &message), OK);
	sim_inject(s->p.b, &tape.sent[0].from, 500, blob_view(&message));
	sim_run(s->p.sim, 100);
	assert_int_equal(tape.n, 3);
	assert_int_equal(msg_read(&outer, blob_view(&tape.sent[2].data)), OK);
	assert_int_equal(outer.hdr.message_id, 1);
	assert_int_equal(outer.hdr.flags, HF_RESPONSE);
	assert_int_equal(sk_open(&s->in, &outer, s->plain, sizeof s->plain, &plain), OK);
	assert_int_equal(msg_read_inner(&m, &outer.hdr, outer.sk.first, plain), OK);
	blob_free(&message);
	return m;
}

static void
end(struct story *s)
{
	sk_key_free(&s->out);
	sk_key_free(&s->in);
	pair_free(&s->p);
}

static void
write_child(struct story *s)
{
	struct esp_transform t = s->p.b->channels[0].esp;
	struct esp_offer offer = { .transforms = &t, .n_transforms = 1 };

	t.esn = true;
	notify_payload_write(&s->o, N_USE_TRANSPORT_MODE, bytes_of(NULL, 0));
	proposal_write_esp(&s->o, &offer, 0x12345678);
}

static void
write_selectors(struct story *s, const char *label)
{
	struct selector tsi = selector_host(&s->p.a->addr, 17, 0, 65535);
	struct selector tsr = selector_host(&s->p.b->addr, 17, 0, 65535);

	ts_write(&s->o, PL_TSi, &tsi, 1, label);
	ts_write(&s->o, PL_TSr, &tsr, 1, label);
}

static void
write_identity(struct story *s)
{
	id_payload_write(&s->o, PL_IDi, IDT_FQDN, bytes_str("a"));
	auth_payload_write(&s->o, AM_DIGITAL_SIGNATURE, bytes_str("believed"));
}

static void
assert_refused(struct story *s, const struct ike_msg *m, uint16_t type)
{
	assert_int_equal(m->present, P(N));
	assert_int_equal(m->n_notifies, 1);
	assert_int_equal(m->notifies[0].type, type);
	assert_int_equal(s->p.b->jobs[IKE_JOB_VERIFY], 0);
	assert_int_equal(sim_ike_all(s->p.b), 0);
}

/* The twin of all that follow: it is the change that makes the difference. */
static void
crafted_request_is_answered_with_a_child(void **state)
{
	struct story s;
	struct ike_msg m;

	(void)state;
	begin(&s);
	write_identity(&s);
	write_child(&s);
	write_selectors(&s, "ch:vxlan");
	m = answer(&s);
	assert_int_equal(m.present & (P(IDr) | P(AUTH) | P(SA) | P(TSi) | P(TSr)),
	    P(IDr) | P(AUTH) | P(SA) | P(TSi) | P(TSr));
	assert_null(msg_error(&m));
	assert_int_equal(sim_children(s.p.b), 1);
	end(&s);
}

/* Section 2.16. */
static void
eap_is_refused(void **state)
{
	struct story s;
	struct ike_msg m;

	(void)state;
	begin(&s);
	id_payload_write(&s.o, PL_IDi, IDT_FQDN, bytes_str("a"));
	write_child(&s);
	write_selectors(&s, "ch:vxlan");
	m = answer(&s);
	assert_refused(&s, &m, N_AUTHENTICATION_FAILED);
	end(&s);
}

/* Section 2.21.2: only this, and AUTH is not looked at. */
static void
critical_payload_is_all_that_is_told(void **state)
{
	struct story s;
	struct ike_msg m;

	(void)state;
	begin(&s);
	write_identity(&s);
	write_child(&s);
	write_selectors(&s, "ch:vxlan");
	payload_put(&s.o, 201, bytes_str("x"));
	wr_patch8(&s.o.wr, s.o.wr.n - 4, 0x80);
	m = answer(&s);
	assert_refused(&s, &m, N_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_true(m.notifies[0].data.n == 1 && m.notifies[0].data.p[0] == 201);
	end(&s);
}

static void
malformed_request_is_all_that_is_told(void **state)
{
	struct story s;
	struct ike_msg m;

	(void)state;
	begin(&s);
	write_identity(&s);
	write_child(&s);
	write_selectors(&s, "ch:vxlan");
	payload_put(&s.o, PL_TSr, bytes_str("x"));
	m = answer(&s);
	assert_refused(&s, &m, N_INVALID_SYNTAX);
	end(&s);
}

static void
assert_no_child(struct story *s, const struct ike_msg *m, uint16_t type)
{
	assert_int_equal(m->present & (P(IDr) | P(AUTH) | P(N)), P(IDr) | P(AUTH) | P(N));
	assert_int_equal(m->present & (P(SA) | P(TSi) | P(TSr)), 0);
	assert_non_null(msg_notify(m, type));
	assert_int_equal(sim_ike_up(s->p.b), 1);
	assert_int_equal(sim_children(s->p.b), 0);
}

/* A TS payload of one address selector and one label, or of the label alone. */
static void
write_label(struct story *s, uint8_t payload, const struct addr *a, const char *label)
{
	struct wr *w = &s->o.wr;

	payload_open(&s->o, payload);
	wr_u8(w, a != NULL ? 2 : 1);
	wr_zero(w, 3);
	if (a != NULL) {
		wr_u8(w, TST_IPV4_ADDR_RANGE);
		wr_u8(w, 17);
		wr_u16(w, 16);
		wr_u16(w, 0);
		wr_u16(w, 65535);
		wr_put(w, addr_bytes(a));
		wr_put(w, addr_bytes(a));
	}
	wr_u8(w, TST_SECLABEL);
	wr_u8(w, 0);
	wr_u16(w, (uint16_t)(4 + strlen(label)));
	wr_put(w, bytes_str(label));
	payload_close(&s->o);
}

/* RFC 9478 section 2.2: without octets, without an address beside it, or not ours to choose. */
static void
label_that_will_not_do_is_ts_unacceptable(void **state)
{
	static const struct { const char *label; bool alone; } odd[] = {
	    { "", false }, { "ch:vxlan", true }, { "system_u:object_r:ipsec_t", false }, { "ch:other", false } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		struct story s;
		struct ike_msg m;

		begin(&s);
		write_identity(&s);
		write_child(&s);
		write_label(&s, PL_TSi, odd[i].alone ? NULL : &s.p.a->addr, odd[i].label);
		write_label(&s, PL_TSr, odd[i].alone ? NULL : &s.p.b->addr, odd[i].label);
		m = answer(&s);
		assert_no_child(&s, &m, N_TS_UNACCEPTABLE);
		end(&s);
	}
}

/* Section 1.2 and 3.3.3: an ESP proposal without the ESN transform is none. */
static void
proposal_without_esn_is_not_chosen(void **state)
{
	struct story s;
	struct ike_msg m;

	(void)state;
	begin(&s);
	write_identity(&s);
	notify_payload_write(&s.o, N_USE_TRANSPORT_MODE, bytes_of(NULL, 0));
	payload_open(&s.o, PL_SA);
	wr_put(&s.o.wr, bytes_of("\0\0\0\x18\1\3\4\1\x12\x34\x56\x78" "\0\0\0\x0c\1\0\0\x14\x80\x0e\0\x80", 24));
	payload_close(&s.o);
	write_selectors(&s, "ch:vxlan");
	m = answer(&s);
	assert_no_child(&s, &m, N_NO_PROPOSAL_CHOSEN);
	end(&s);
}

/* Sections 2.19 and 2.22: nobody needs to give an address or to compress. */
static void
configuration_and_compression_are_passed_over(void **state)
{
	struct story s;
	struct ike_msg m;

	(void)state;
	begin(&s);
	write_identity(&s);
	payload_put(&s.o, PL_CP, bytes_of("\1\0\0\0\0\1\0\0", 8));
	notify_payload_write(&s.o, N_IPCOMP_SUPPORTED, bytes_of("\1\2\3", 3));
	write_child(&s);
	write_selectors(&s, "ch:vxlan");
	m = answer(&s);
	assert_int_equal(m.present & P(CP), 0);
	assert_null(msg_notify(&m, N_IPCOMP_SUPPORTED));
	assert_null(msg_error(&m));
	assert_int_equal(sim_children(s.p.b), 1);
	end(&s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(crafted_request_is_answered_with_a_child),
		cmocka_unit_test(eap_is_refused),
		cmocka_unit_test(critical_payload_is_all_that_is_told),
		cmocka_unit_test(malformed_request_is_all_that_is_told),
		cmocka_unit_test(label_that_will_not_do_is_ts_unacceptable),
		cmocka_unit_test(proposal_without_esn_is_not_chosen),
		cmocka_unit_test(configuration_and_compression_are_passed_over),
	};
	int failed = sim_test_main(tests, sizeof tests / sizeof tests[0]);

	tape_free(&tape);
	return failed;
}
