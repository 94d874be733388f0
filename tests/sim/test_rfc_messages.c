/* SPDX-License-Identifier: ISC */
/* Clauses of RFC 7296 that no story tells by the way: docs/RFC.md names each of these tests. */
#include "sim_craft.h"
#include "sim_test.h"

static struct tape tape;

static struct pair
taped_pair(uint64_t seed)
{
	struct pair p = pair_new(seed);

	tape_free(&tape);
	p.sim->on_send = tape_record;
	p.sim->on_send_arg = &tape;
	return p;
}

static struct pair
pair_that_is_up(uint64_t seed)
{
	struct pair p = taped_pair(seed);

	pair_start(&p);
	assert_true(pair_up(&p));
	return p;
}

/* A protected message as no engine of ours would write it. */
struct forged {
	uint8_t exchange;
	uint32_t id;
	uint8_t first;
	struct bytes chain;
	uint8_t version, flags;          /* changed bits of the header */
	bool critical;                   /* an unknown critical payload in front of SK */
};

static int
zeros(void *arg, uint8_t *p, size_t n)
{
	(void)arg;
	memset(p, 0, n);
	return OK;
}

static void
forge(const struct sim_node *as, const struct forged *f, struct blob *message)
{
	static uint64_t iv = UINT64_C(0x6000000000000000);
	struct ike_callbacks cb = { .random = zeros };
	struct ike_sa_info sa = sim_sa(as);
	struct ike_header h = { .spi_i = sa.ref.spi_i, .spi_r = sa.ref.spi_r, .major = 2,
		.exchange = f->exchange, .message_id = f->id,
		.flags = (uint8_t)((sa.ref.initiator ? HF_INITIATOR : 0) ^ f->flags) };
	struct ike_keys_view v;
	struct ike_sk_key key;
	struct ike_out o;

	assert_int_equal(ike_export_keys(as->e, &sa.ref, &v), OK);
	assert_int_equal(sk_key_init(&key, v.encr, v.key_bits, v.integ,
	    sa.ref.initiator ? v.sk_ei : v.sk_er, sa.ref.initiator ? v.sk_ai : v.sk_ar), OK);
	key.next_iv = iv++;
	msg_begin(&o, &h);
	wr_patch8(&o.wr, 17, (uint8_t)(0x20 ^ f->version));
	if (f->critical) {
		payload_put(&o, 200, bytes_str("x"));
		wr_patch8(&o.wr, o.wr.n - 4, 0x80);
	}
	sk_begin(&o, &key);
	if (f->first != 0)
		payload_put_chain(&o, f->first, f->chain);
	assert_int_equal(sk_end(&o, &key, &cb), OK);
	assert_int_equal(msg_end(&o, message), OK);
	sk_key_free(&key);
}

/* From a to b, where a is for b. */
static void
send_forged(struct pair *p, const struct forged *f)
{
	struct ike_sa_info b = sim_sa(p->b);
	struct blob message = { 0 };

	forge(p->a, f, &message);
	sim_inject(p->b, &b.peer, b.local.port, blob_view(&message));
	blob_free(&message);
}

static struct ike_msg
last_answer(const struct pair *p)
{
	static struct ike_msg m;

	assert_true(tape_open_last(&tape, p->b, p->a, &m));
	return m;
}

static struct bytes
notify_chain(uint8_t room[static 16], uint16_t type, struct bytes data)
{
	uint8_t body[12];
	struct wr b = wr_fixed(body, sizeof body), w = wr_fixed(room, 16);

	wr_u16(&b, 0);
	wr_u16(&b, type);
	wr_put(&b, data);
	craft_payload(&w, PL_NONE, false, wr_view(&b));
	return bytes_of(room, w.n);
}

/* ---- section 2.11 ---- */

static void
answer_goes_to_where_the_request_came_from(void **state)
{
	struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2 };
	struct pair p = pair_that_is_up(1);
	struct endpoint elsewhere = sim_sa(p.b).peer, known = elsewhere, now;
	struct blob message = { 0 };
	size_t n = tape.n;

	(void)state;
	elsewhere.port = 1025;
	forge(p.a, &f, &message);
	sim_inject(p.b, &elsewhere, 4500, blob_view(&message));
	assert_int_equal(tape.n, n + 1);
	assert_true(endpoint_equal(&tape.sent[n].to, &elsewhere));
	assert_int_equal(tape.sent[n].from.port, 4500);
	/* Again, and then from where the peer has always been: the same octets, to where it asked. */
	sim_inject(p.b, &elsewhere, 4500, blob_view(&message));
	sim_inject(p.b, &known, 500, blob_view(&message));
	assert_int_equal(tape.n, n + 3);
	assert_true(endpoint_equal(&tape.sent[n + 1].to, &elsewhere));
	assert_true(endpoint_equal(&tape.sent[n + 2].to, &known));
	assert_true(bytes_equal(blob_view(&tape.sent[n].data), blob_view(&tape.sent[n + 2].data)));
	/* There is no NAT: what we ask ourselves goes where it always went. */
	now = sim_sa(p.b).peer;
	assert_true(endpoint_equal(&now, &known));
	blob_free(&message);
	pair_free(&p);
}

/* ---- sections 2.1, 2.2 ---- */

static void
init_request_with_another_nonce_is_another_sa(void **state)
{
	struct craft_init c = { .spi_i = 7, .group = KE_CURVE25519, .padding = 64 };
	struct pair p = taped_pair(2);
	struct endpoint from = { .port = 500 };
	struct ike_header first, second, again;
	struct blob one = { 0 }, other = { 0 };

	(void)state;
	assert_int_equal(addr_parse(&from.addr, "192.0.2.77"), OK);
	sim_start(p.b);
	craft_init(&c, &one);
	c.nonce_len = 40;
	craft_init(&c, &other);
	sim_inject(p.b, &from, 500, blob_view(&one));
	sim_inject(p.b, &from, 500, blob_view(&other));
	sim_inject(p.b, &from, 500, blob_view(&one));
	assert_int_equal(tape.n, 3);
	assert_int_equal(header_read(&first, blob_view(&tape.sent[0].data)), OK);
	assert_int_equal(header_read(&second, blob_view(&tape.sent[1].data)), OK);
	assert_int_equal(header_read(&again, blob_view(&tape.sent[2].data)), OK);
	assert_true(first.spi_r != 0 && second.spi_r != 0 && first.spi_r != second.spi_r);
	assert_true(bytes_equal(blob_view(&tape.sent[0].data), blob_view(&tape.sent[2].data)));
	assert_int_equal(sim_ike_all(p.b), 2);
	blob_free(&one);
	blob_free(&other);
	pair_free(&p);
}

struct sendings {
	int64_t at[16];
	struct blob first;
	size_t n;
};

static bool
note_and_lose(struct sim *s, struct sim_datagram *d, void *arg)
{
	struct sendings *t = arg;

	if (t->n == 0)
		assert_int_equal(blob_copy(&t->first, d->data), OK);
	if (!bytes_equal(blob_view(&t->first), d->data))
		return false;            /* the next try: another SPI */
	assert_true(t->n < 16);
	t->at[t->n++] = s->now;
	return false;
}

static void
request_is_repeated_unchanged_at_growing_intervals(void **state)
{
	struct pair p = pair_new(3);
	struct sendings t = { .n = 0 };
	size_t i;

	(void)state;
	p.sim->on_send = note_and_lose;
	p.sim->on_send_arg = &t;
	pair_start(&p);
	sim_run(p.sim, 120000);
	assert_int_equal(t.n, 1 + p.a->cfg.retransmit_tries);
	for (i = 1; i < t.n; i++) {
		int64_t want = INT64_C(500) << (i - 1);

		assert_int_equal(t.at[i] - t.at[i - 1], want < 8000 ? want : 8000);
	}
	blob_free(&t.first);
	pair_free(&p);
}

static void
last_response_outlives_its_sa(void **state)
{
	static const uint8_t delete_ike[] = { 0, 0, 0, 8, SP_IKE, 0, 0, 0 };
	struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2, .first = PL_D,
		.chain = { delete_ike, sizeof delete_ike } };
	struct pair p = pair_that_is_up(14);
	struct endpoint from = sim_sa(p.b).peer;
	struct blob message = { 0 };
	size_t n = tape.n;

	(void)state;
	forge(p.a, &f, &message);
	sim_crash(p.a);                  /* it asks for nothing more */
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(sim_ike_up(p.b), 0);
	assert_int_equal(tape.n, n + 1);
	sim_run(p.sim, 5000);
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, n + 2);
	assert_true(bytes_equal(blob_view(&tape.sent[n].data), blob_view(&tape.sent[n + 1].data)));
	/* Forgotten in the end: then there is silence, not a new answer. */
	sim_run(p.sim, 60000);
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, n + 2);
	blob_free(&message);
	pair_free(&p);
}

/* ---- section 1.4 ---- */

static void
nothing_but_ike_auth_follows_ike_sa_init(void **state)
{
	struct pair p = taped_pair(4);
	struct ike_header h = { .major = 2, .exchange = EX_INFORMATIONAL, .flags = HF_INITIATOR,
		.message_id = 1 };
	struct blob message = { 0 };
	struct ike_header init;
	struct ike_out o;
	uint64_t before;

	(void)state;
	p.a->hold[IKE_JOB_SIGN] = true;
	pair_start(&p);
	sim_run(p.sim, 100);
	assert_int_equal(tape.n, 2);
	assert_int_equal(header_read(&init, blob_view(&tape.sent[1].data)), OK);
	h.spi_i = init.spi_i;
	h.spi_r = init.spi_r;
	msg_begin(&o, &h);
	payload_put(&o, PL_SK, bytes_of("0123456789abcdef0123456789", 26));
	assert_int_equal(msg_end(&o, &message), OK);
	before = ike_counters(p.b->e)->out_of_window;
	sim_inject(p.b, &tape.sent[0].from, 500, blob_view(&message));
	assert_int_equal(ike_counters(p.b->e)->out_of_window, before + 1);
	assert_int_equal(tape.n, 2);
	blob_free(&message);
	pair_free(&p);
}

/* ---- section 1.4.1 ---- */

static bool
record_and_lose_informational(struct sim *s, struct sim_datagram *d, void *arg)
{
	struct ike_header h;

	(void)tape_record(s, d, arg);
	return header_read(&h, d->data) == OK && h.exchange != EX_INFORMATIONAL;
}

static bool
both_ike_sas_are_up(struct sim *s)
{
	return sim_ike_up(s->nodes[0]) == 1 && sim_ike_up(s->nodes[1]) == 1;
}

static void
child_that_both_delete_is_not_named_again(void **state)
{
	uint8_t body[8], room[16];
	struct wr b = wr_fixed(body, sizeof body), w = wr_fixed(room, sizeof room);
	struct forged f = { .exchange = EX_INFORMATIONAL, .id = 0, .first = PL_D };
	struct pair p = taped_pair(13);
	struct blob message = { 0 };
	struct ike_sa_info a;
	struct ike_msg m;

	(void)state;
	p.sim->on_send = record_and_lose_informational;
	p.a->refuse[IKE_JOB_SA_ADD] = ERR_SPACE;
	pair_start(&p);
	assert_true(sim_until(p.sim, both_ike_sas_are_up, 1000));
	sim_quiet(p.sim);
	assert_true(tape_open_last(&tape, p.a, p.b, &m));
	assert_true(m.n_deletes == 1 && !header_is_response(&m.hdr));
	wr_u8(&b, SP_ESP);
	wr_u8(&b, 4);
	wr_u16(&b, 1);
	wr_u32(&b, sim_child(p.b).spi_in);
	craft_payload(&w, PL_NONE, false, wr_view(&b));
	f.chain = wr_view(&w);
	forge(p.b, &f, &message);
	a = sim_sa(p.a);
	sim_inject(p.a, &a.peer, a.local.port, blob_view(&message));
	assert_true(tape_open_last(&tape, p.a, p.b, &m));
	assert_true(header_is_response(&m.hdr));
	assert_int_equal(m.present, 0);
	blob_free(&message);
	pair_free(&p);
}

/* ---- sections 2.5 and 3.1 ---- */

static void
reserved_flags_and_minor_version_are_ignored(void **state)
{
	static const struct { uint8_t version, flags; } odd[] = { { 0x05, 0 }, { 0x0f, 0xc7 },
	    { 0, HF_VERSION } };
	struct pair p = pair_that_is_up(5);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof odd / sizeof odd[0]; i++) {
		struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2 + (uint32_t)i,
			.version = odd[i].version, .flags = odd[i].flags };
		struct ike_msg m;

		send_forged(&p, &f);
		m = last_answer(&p);
		assert_int_equal(m.hdr.message_id, f.id);
		assert_int_equal(m.hdr.minor, 0);
		assert_int_equal(m.hdr.flags, HF_RESPONSE);
		assert_int_equal(m.present, 0);
	}
	pair_free(&p);
}

static void
initiator_flag_must_fit_the_role(void **state)
{
	struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2, .flags = HF_INITIATOR };
	struct pair p = pair_that_is_up(6);
	uint64_t unknown = ike_counters(p.b->e)->unknown_spi, was = sim_fingerprint(p.b);
	size_t n = tape.n;

	(void)state;
	send_forged(&p, &f);
	f.id = 0;
	send_forged(&p, &f);
	assert_int_equal(tape.n, n);
	assert_int_equal(ike_counters(p.b->e)->unknown_spi, unknown + 2);
	assert_true(sim_fingerprint(p.b) == was);
	pair_free(&p);
}

/* The first message of an IKE SA with one octet changed. */
static size_t
answers_to(struct pair *p, size_t at, uint8_t value, struct ike_msg *m)
{
	struct craft_init c = { .spi_i = 9, .group = KE_CURVE25519, .padding = 64 };
	struct endpoint from = { .port = 500 };
	struct blob message = { 0 };
	size_t n = tape.n;

	assert_int_equal(addr_parse(&from.addr, "192.0.2.77"), OK);
	craft_init(&c, &message);
	message.p[at] = value;
	sim_inject(p->b, &from, 500, blob_view(&message));
	blob_free(&message);
	if (tape.n > n)
		assert_int_equal(msg_read(m, blob_view(&tape.sent[n].data)), OK);
	return tape.n - n;
}

static void
higher_major_version_is_answered_with_ours(void **state)
{
	struct pair p = taped_pair(7);
	struct ike_msg m;

	(void)state;
	sim_start(p.b);
	assert_int_equal(answers_to(&p, 17, 0x30, &m), 1);
	assert_non_null(msg_notify(&m, N_INVALID_MAJOR_VERSION));
	assert_int_equal(m.n_notifies, 1);
	assert_int_equal(m.hdr.major, 2);
	assert_true(m.hdr.spi_i == 9 && m.hdr.spi_r == 0);
	assert_int_equal(answers_to(&p, 17, 0x10, &m), 0);
	assert_int_equal(sim_ike_all(p.b), 0);
	pair_free(&p);
}

static void
malformed_first_messages_leave_no_state(void **state)
{
	/* flags: none, a response; Message ID 1; SPIr not zero; first payload's length */
	static const struct { size_t at; uint8_t value; size_t answers; } odd[] = {
	    { 19, 0, 0 }, { 19, HF_RESPONSE, 0 }, { 23, 1, 0 }, { 15, 1, 0 }, { 31, 0, 1 } };
	struct pair p = taped_pair(8);
	struct ike_msg m;
	size_t i;

	(void)state;
	sim_start(p.b);
	for (i = 0; i < sizeof odd / sizeof odd[0]; i++)
		assert_int_equal(answers_to(&p, odd[i].at, odd[i].value, &m), odd[i].answers);
	assert_non_null(msg_notify(&m, N_INVALID_SYNTAX));
	assert_int_equal(sim_ike_all(p.b), 0);
	pair_free(&p);
}

static void
critical_payload_of_a_first_message_is_named(void **state)
{
	struct craft_init c = { .spi_i = 11, .group = KE_CURVE25519, .critical = true };
	struct pair p = taped_pair(9);
	struct endpoint from = { .port = 500 };
	struct blob message = { 0 };
	const struct ike_notify *n;
	struct ike_msg m;

	(void)state;
	assert_int_equal(addr_parse(&from.addr, "192.0.2.77"), OK);
	sim_start(p.b);
	craft_init(&c, &message);
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, 1);
	assert_int_equal(msg_read(&m, blob_view(&tape.sent[0].data)), OK);
	n = msg_notify(&m, N_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_non_null(n);
	assert_true(n->data.n == 1 && n->data.p[0] == 200);
	assert_int_equal(sim_ike_all(p.b), 0);
	blob_free(&message);
	pair_free(&p);
}

static void
critical_payload_outside_sk_is_refused(void **state)
{
	struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2, .critical = true };
	struct pair p = pair_that_is_up(10);
	const struct ike_notify *n;
	struct ike_msg m;

	(void)state;
	send_forged(&p, &f);
	m = last_answer(&p);
	n = msg_notify(&m, N_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_non_null(n);
	assert_true(n->data.n == 1 && n->data.p[0] == 200);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

/* ---- sections 2.21.2 and 3.10.1 ---- */

static void
critical_payload_in_our_ike_auth_response_ends_it(void **state)
{
	static const uint8_t type = PL_CERT;
	uint8_t room[16];
	struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2, .first = PL_N,
		.chain = notify_chain(room, N_UNSUPPORTED_CRITICAL_PAYLOAD, bytes_of(&type, 1)) };
	struct forged empty = { .exchange = EX_INFORMATIONAL, .id = 2 };
	struct pair p = pair_that_is_up(11);

	(void)state;
	send_forged(&p, &f);
	assert_int_equal(last_answer(&p).present, 0);
	assert_int_equal(sim_ike_up(p.b), 0);
	assert_int_equal(sim_esp_live(p.b), 0);
	pair_free(&p);

	/* Any later it means nothing. */
	p = pair_that_is_up(11);
	send_forged(&p, &empty);
	f.id = 3;
	send_forged(&p, &f);
	assert_int_equal(last_answer(&p).hdr.message_id, 3);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

static void
unknown_notifies_of_a_request_are_ignored(void **state)
{
	static const uint16_t types[] = { 2, 8191, 16000, 40000, 65535, N_INVALID_IKE_SPI, N_NO_PROPOSAL_CHOSEN };
	struct pair p = pair_that_is_up(12);
	uint8_t room[16];
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct forged f = { .exchange = EX_INFORMATIONAL, .id = 2 + i, .first = PL_N,
			.chain = notify_chain(room, types[i], bytes_of(NULL, 0)) };
		struct ike_msg m;

		send_forged(&p, &f);
		m = last_answer(&p);
		assert_int_equal(m.hdr.message_id, 2 + i);
		assert_int_equal(m.present, 0);
	}
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_goes_to_where_the_request_came_from),
		cmocka_unit_test(init_request_with_another_nonce_is_another_sa),
		cmocka_unit_test(request_is_repeated_unchanged_at_growing_intervals),
		cmocka_unit_test(last_response_outlives_its_sa),
		cmocka_unit_test(nothing_but_ike_auth_follows_ike_sa_init),
		cmocka_unit_test(child_that_both_delete_is_not_named_again),
		cmocka_unit_test(reserved_flags_and_minor_version_are_ignored),
		cmocka_unit_test(initiator_flag_must_fit_the_role),
		cmocka_unit_test(higher_major_version_is_answered_with_ours),
		cmocka_unit_test(malformed_first_messages_leave_no_state),
		cmocka_unit_test(critical_payload_of_a_first_message_is_named),
		cmocka_unit_test(critical_payload_outside_sk_is_refused),
		cmocka_unit_test(critical_payload_in_our_ike_auth_response_ends_it),
		cmocka_unit_test(unknown_notifies_of_a_request_are_ignored),
	};
	int failed = sim_test_main(tests, sizeof tests / sizeof tests[0]);

	tape_free(&tape);
	return failed;
}
