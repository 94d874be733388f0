/* SPDX-License-Identifier: ISC */
/* Authentic messages that are wrong: RFC 7296 sections 2.5, 2.21.2, 2.21.3, 1.4.1. */
#include "sim_craft.h"
#include "sim_test.h"

#include "ike/exchange.h"
#include "ike/send.h"

static struct tape tape;

static struct pair
taped_pair(uint64_t seed)
{
	struct pair p = pair_new(seed);

	tape_free(&tape);
	p.sim->on_send = tape_record;
	p.sim->on_send_arg = &tape;
	pair_start(&p);
	assert_true(pair_up(&p));
	return p;
}

/* The responder's answer to a's crafted request number 2 (0 and 1 were the set-up). */
static struct ike_msg
answer_to(struct pair *p, uint8_t exchange, uint8_t first, struct bytes chain)
{
	struct craft c = { .exchange = exchange, .message_id = 2, .first = first, .chain = chain };
	struct ike_sa_info keys = sim_sa(p->a);
	static struct ike_msg m;
	size_t before = tape.n;

	(void)keys;
	craft_send(p->a, p->b, &c);
	assert_int_equal(tape.n, before + 1);
	assert_true(tape_open_last(&tape, p->b, p->a, &m));
	assert_true(header_is_response(&m.hdr));
	assert_int_equal(m.hdr.message_id, 2);
	assert_int_equal(m.hdr.exchange, exchange);
	return m;
}

static void
malformed_request_is_fatal_for_both(void **state)
{
	static const uint8_t chain[] = { 0, 0, 0, 3 };   /* a length below that of its own header */
	struct pair p = taped_pair(1);
	struct ike_msg m = answer_to(&p, EX_INFORMATIONAL, PL_N, bytes_of(chain, sizeof chain));

	(void)state;
	assert_non_null(msg_notify(&m, N_INVALID_SYNTAX));
	assert_int_equal(sim_ike_up(p.b), 0);
	assert_int_equal(sim_esp_live(p.b), 0);
	pair_free(&p);
}

static void
payload_of_another_exchange_is_invalid_syntax(void **state)
{
	uint8_t chain[64];
	struct wr w = wr_fixed(chain, sizeof chain);
	struct pair p = taped_pair(2);
	struct ike_msg m;

	(void)state;
	craft_payload(&w, 0, false, bytes_of("0123456789abcdef", 16));
	m = answer_to(&p, EX_INFORMATIONAL, PL_NONCE, wr_view(&w));
	assert_non_null(msg_notify(&m, N_INVALID_SYNTAX));
	assert_int_equal(sim_ike_up(p.b), 0);
	pair_free(&p);
}

static void
unknown_critical_payload_is_named_and_the_sa_lives(void **state)
{
	uint8_t chain[64];
	struct wr w = wr_fixed(chain, sizeof chain);
	struct pair p = taped_pair(3);
	const struct ike_notify *n;
	struct ike_msg m;

	(void)state;
	craft_payload(&w, 0, true, bytes_of("x", 1));
	m = answer_to(&p, EX_INFORMATIONAL, 200, wr_view(&w));
	n = msg_notify(&m, N_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_non_null(n);
	assert_int_equal(n->data.n, 1);
	assert_int_equal(n->data.p[0], 200);
	assert_int_equal(sim_ike_up(p.b), 1);
	assert_int_equal(sim_children(p.b), 1);
	pair_free(&p);
}

static void
unknown_payload_that_is_not_critical_is_passed_over(void **state)
{
	uint8_t chain[64];
	struct wr w = wr_fixed(chain, sizeof chain);
	struct pair p = taped_pair(4);
	struct ike_msg m;

	(void)state;
	craft_payload(&w, 0, false, bytes_of("x", 1));
	m = answer_to(&p, EX_INFORMATIONAL, 200, wr_view(&w));
	assert_int_equal(m.present, 0);
	assert_int_equal(sim_ike_up(p.b), 1);
	pair_free(&p);
}

static void
exchanges_that_we_do_not_do_are_declined(void **state)
{
	static const uint8_t exchanges[] = { EX_CREATE_CHILD_SA, EX_IKE_AUTH, EX_IKE_INTERMEDIATE,
		99 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof exchanges; i++) {
		struct pair p = taped_pair(5);
		struct ike_msg m = answer_to(&p, exchanges[i], 0, bytes_of(NULL, 0));

		assert_non_null(msg_notify(&m, N_NO_ADDITIONAL_SAS));
		assert_true(sim_paired(p.a, p.b));
		pair_free(&p);
	}
}

static void
answer_empty(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	(void)a;
	assert_int_equal(respond_empty(e, sa), OK);
}

/* A layer above brings an exchange of its own: its payloads are checked, its handler is called. */
static void
rows_of_a_layer_above_are_served(void **state)
{
	static const struct ike_row row = { EX_GSA_REGISTRATION, false, ROW_RESPONDER,
		IKE_STATE_BIT(IKE_UP), PL_BIT(PL_NONCE), PL_BIT(PL_N), answer_empty };
	uint8_t chain[64];
	struct wr w = wr_fixed(chain, sizeof chain);
	struct pair p = taped_pair(13);
	struct ike_msg m;

	(void)state;
	ike_add_rows(p.b->e, &row, 1);
	craft_payload(&w, 0, false, bytes_of("0123456789abcdef", 16));
	m = answer_to(&p, EX_GSA_REGISTRATION, PL_NONCE, wr_view(&w));
	assert_int_equal(m.present, 0);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);

	p = taped_pair(14);
	ike_add_rows(p.b->e, &row, 1);
	m = answer_to(&p, EX_GSA_REGISTRATION, 0, bytes_of(NULL, 0));
	assert_non_null(msg_notify(&m, N_INVALID_SYNTAX));
	pair_free(&p);
}

static struct bytes
delete_chain(uint8_t *room, size_t cap, uint8_t protocol, const uint32_t *spis, uint16_t n)
{
	uint8_t body[64];
	struct wr b = wr_fixed(body, sizeof body), w = wr_fixed(room, cap);
	uint16_t i;

	wr_u8(&b, protocol);
	wr_u8(&b, protocol == SP_IKE ? 0 : 4);
	wr_u16(&b, n);
	for (i = 0; i < n; i++)
		wr_u32(&b, spis[i]);
	craft_payload(&w, 0, false, wr_view(&b));
	return bytes_of(room, w.n);
}

static void
deleted_child_is_answered_with_our_half(void **state)
{
	uint8_t room[64];
	struct pair p = taped_pair(6);
	uint32_t spis[] = { 0x12345678, sim_child(p.a).spi_in }, ours = sim_child(p.b).spi_in;
	struct ike_msg m = answer_to(&p, EX_INFORMATIONAL, PL_D,
	    delete_chain(room, sizeof room, SP_ESP, spis, 2));

	(void)state;
	assert_int_equal(m.n_deletes, 1);
	assert_int_equal(m.deletes[0].n_spis, 1);
	assert_int_equal(delete_spi(&m.deletes[0], 0), ours);
	assert_int_equal(sim_ike_up(p.b), 1);
	assert_int_equal(sim_children(p.b), 0);
	assert_int_equal(sim_esp_live(p.b), 0);
	pair_free(&p);
}

static void
delete_of_nothing_of_ours_is_answered_empty(void **state)
{
	static const uint8_t protocols[] = { SP_ESP, SP_AH };
	uint8_t room[64];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pair p = taped_pair(7);
		/* Our own inbound SPI is not what a peer may name. */
		uint32_t spis[] = { sim_child(p.b).spi_in };
		struct ike_msg m = answer_to(&p, EX_INFORMATIONAL, PL_D,
		    delete_chain(room, sizeof room, protocols[i], spis, 1));

		assert_int_equal(m.present, 0);
		assert_true(sim_paired(p.a, p.b));
		pair_free(&p);
	}
}

static void
delete_of_the_ike_sa_is_answered_empty_and_again(void **state)
{
	uint8_t room[64];
	struct pair p = taped_pair(8);
	struct craft c = { .exchange = EX_INFORMATIONAL, .message_id = 2, .first = PL_D,
		.chain = delete_chain(room, sizeof room, SP_IKE, NULL, 0) };
	struct endpoint from = { p.a->addr, 500 };
	struct blob message = { 0 };
	struct ike_msg m;
	size_t n = tape.n;

	(void)state;
	craft_message(p.a, &c, &message);
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, n + 1);
	assert_true(tape_open_last(&tape, p.b, p.a, &m));
	assert_int_equal(m.present, 0);
	assert_int_equal(sim_ike_all(p.b), 0);
	assert_int_equal(sim_esp_live(p.b), 0);
	/* The answer may have been lost: the SA is gone, but it says so once more. */
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, n + 2);
	assert_true(bytes_equal(blob_view(&tape.sent[n].data), blob_view(&tape.sent[n + 1].data)));
	p.sim->loss = 100;
	sim_run(p.sim, 25000);
	n = tape.n;
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, n);
	blob_free(&message);
	pair_free(&p);
}

static void
message_outside_the_window_is_dropped(void **state)
{
	static const uint32_t ids[] = { 0, 1, 3, 4, 1000, UINT32_MAX };
	struct pair p = taped_pair(9);
	uint64_t a = sim_fingerprint(p.a), b = sim_fingerprint(p.b);
	size_t i, n = tape.n;

	(void)state;
	for (i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct craft c = { .exchange = EX_INFORMATIONAL, .message_id = ids[i] };

		craft_send(p.a, p.b, &c);
		c.response = true;
		craft_send(p.a, p.b, &c);
		craft_send(p.b, p.a, &c);
	}
	assert_int_equal(tape.n, n);
	assert_true(sim_fingerprint(p.a) == a && sim_fingerprint(p.b) == b);
	assert_true(ike_counters(p.b->e)->out_of_window >= 12);
	pair_free(&p);
}

/* From the responder: a request of its own, number 0. */
static void
responder_may_ask_and_say_that_it_refuses(void **state)
{
	uint8_t room[64], body[4];
	struct wr w = wr_fixed(room, sizeof room), b = wr_fixed(body, sizeof body);
	struct pair p = taped_pair(10);
	struct craft c = { .exchange = EX_INFORMATIONAL, .message_id = 0, .first = PL_N };
	struct ike_msg m;

	(void)state;
	wr_u8(&b, 0);
	wr_u8(&b, 0);
	wr_u16(&b, N_AUTHENTICATION_FAILED);
	craft_payload(&w, 0, false, bytes_of(body, sizeof body));
	c.chain = wr_view(&w);
	craft_send(p.b, p.a, &c);
	assert_true(tape_open_last(&tape, p.a, p.b, &m));
	assert_int_equal(m.present, 0);
	assert_int_equal(sim_ike_up(p.a), 0);
	assert_int_equal(sim_esp_live(p.a), 0);
	pair_free(&p);
}

static void
malformed_response_ends_the_sa(void **state)
{
	static const uint8_t chain[] = { 0, 0, 0, 3 };
	struct pair p = taped_pair(11);
	struct craft c = { .exchange = EX_INFORMATIONAL,
		.message_id = 2,
		.response = true,
		.first = PL_N,
		.chain = { chain, sizeof chain } };

	(void)state;
	/* a asks whether b is alive; its question is lost, a crafted answer comes. */
	p.sim->loss = 100;
	sim_run(p.sim, 30500);
	assert_int_equal(sim_ike_up(p.a), 1);
	craft_send(p.b, p.a, &c);
	assert_int_equal(sim_ike_up(p.a), 0);
	pair_free(&p);
}

static void
unprotected_messages_within_an_sa_are_ignored(void **state)
{
	struct pair p = taped_pair(12);
	struct ike_sa_info sa = sim_sa(p.a);
	struct ike_header h = { .spi_i = sa.ref.spi_i, .spi_r = sa.ref.spi_r, .major = 2,
		.exchange = EX_INFORMATIONAL, .message_id = 2 };
	uint64_t a = sim_fingerprint(p.a), b = sim_fingerprint(p.b);
	uint8_t flags;
	size_t n = tape.n;

	(void)state;
	for (flags = 0; flags < 0x40; flags = (uint8_t)(flags + 8)) {
		struct blob message = { 0 };
		struct ike_out o;

		h.flags = flags;
		msg_begin(&o, &h);
		notify_payload_write(&o, N_INVALID_IKE_SPI, bytes_of(NULL, 0));
		delete_payload_write_ike(&o);
		assert_int_equal(msg_end(&o, &message), OK);
		sim_inject(p.a, &sa.peer, 500, blob_view(&message));
		sim_inject(p.b, &sa.local, 500, blob_view(&message));
		blob_free(&message);
	}
	assert_int_equal(tape.n, n);
	assert_true(sim_fingerprint(p.a) == a && sim_fingerprint(p.b) == b);
	pair_free(&p);
}

/* A request that would be the next one, but for its last octet. */
static void
inject_forged(struct pair *p, const struct endpoint *from)
{
	struct craft c = { .exchange = EX_INFORMATIONAL, .message_id = 2 };
	struct blob message = { 0 };

	craft_message(p->a, &c, &message);
	message.p[message.n - 1] ^= 1;
	sim_inject(p->b, from, sim_sa(p->b).local.port, blob_view(&message));
	blob_free(&message);
}

static void
forged_message_does_not_move_a_peer_behind_a_nat(void **state)
{
	struct pair p = pair_new(15);
	struct craft c = { .exchange = EX_INFORMATIONAL, .message_id = 2 };
	struct endpoint elsewhere, before, after;
	struct blob message = { 0 };

	(void)state;
	assert_int_equal(addr_parse(&p.a->nat, "198.51.100.1"), OK);
	pair_start(&p);
	assert_true(pair_up(&p));
	before = elsewhere = sim_sa(p.b).peer;
	elsewhere.port++;
	inject_forged(&p, &elsewhere);
	after = sim_sa(p.b).peer;
	assert_true(endpoint_equal(&before, &after));
	/* The twin that is authentic does. */
	craft_message(p.a, &c, &message);
	sim_inject(p.b, &elsewhere, 4500, blob_view(&message));
	assert_int_equal(sim_sa(p.b).peer.port, elsewhere.port);
	/* And a repeat from where it was before does not move it back. */
	sim_inject(p.b, &before, 4500, blob_view(&message));
	assert_int_equal(sim_sa(p.b).peer.port, elsewhere.port);
	blob_free(&message);
	pair_free(&p);
}

static void
other_spi_must_fit_too(void **state)
{
	struct craft c = { .exchange = EX_INFORMATIONAL, .message_id = 2 };
	struct pair p = taped_pair(17);
	struct endpoint from = { p.a->addr, 500 };
	struct blob message = { 0 };
	uint64_t unknown = ike_counters(p.b->e)->unknown_spi;
	size_t n = tape.n;

	(void)state;
	craft_message(p.a, &c, &message);
	message.p[0] ^= 1;
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(ike_counters(p.b->e)->unknown_spi, unknown + 1);
	assert_int_equal(ike_counters(p.b->e)->bad_icv, 0);
	message.p[0] ^= 1;
	sim_inject(p.b, &from, 500, blob_view(&message));
	assert_int_equal(tape.n, n + 1);
	blob_free(&message);
	pair_free(&p);
}

/* Payloads beside SK are not protected from being read by others, and no exchange has any. */
static void
payloads_beside_sk_are_not_taken(void **state)
{
	struct ike_callbacks cb = { 0 };
	struct pair p = taped_pair(18);
	struct ike_sa_info sa = sim_sa(p.a);
	struct ike_header h = { .spi_i = sa.ref.spi_i, .spi_r = sa.ref.spi_r, .major = 2,
		.exchange = EX_INFORMATIONAL, .flags = HF_INITIATOR, .message_id = 2 };
	struct ike_sk_key key = { 0 };
	struct ike_keys_view v;
	struct blob message = { 0 };
	struct ike_out o;
	size_t n = tape.n;

	(void)state;
	assert_int_equal(ike_export_keys(p.a->e, &sa.ref, &v), OK);
	assert_int_equal(sk_key_init(&key, v.encr, v.key_bits, v.integ, v.sk_ei, v.sk_ai), OK);
	key.next_iv = 1u << 20;
	msg_begin(&o, &h);
	delete_payload_write_ike(&o);
	sk_begin(&o, &key);
	assert_int_equal(sk_end(&o, &key, &cb), OK);
	assert_int_equal(msg_end(&o, &message), OK);
	sim_inject(p.b, &sa.local, 500, blob_view(&message));
	assert_int_equal(tape.n, n);
	assert_true(sim_paired(p.a, p.b));
	blob_free(&message);
	sk_key_free(&key);
	pair_free(&p);
}

static void
forged_messages_do_not_pass_for_life(void **state)
{
	struct pair p = taped_pair(16);
	struct endpoint from = { p.a->addr, 500 };
	size_t i = 4;
	int64_t t;

	(void)state;
	p.sim->loss = 100;
	for (t = 0; t < 29; t++) {
		sim_run(p.sim, 1000);
		inject_forged(&p, &from);
	}
	assert_int_equal(tape.n, 4);
	/* Silence of 30 s: b asks, as a does. */
	sim_run(p.sim, 1200);
	while (i < tape.n && !addr_equal(&tape.sent[i].from.addr, &p.b->addr))
		i++;
	assert_true(i < tape.n);
	assert_true(ike_counters(p.b->e)->bad_icv == 29);
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_request_is_fatal_for_both),
		cmocka_unit_test(payload_of_another_exchange_is_invalid_syntax),
		cmocka_unit_test(unknown_critical_payload_is_named_and_the_sa_lives),
		cmocka_unit_test(unknown_payload_that_is_not_critical_is_passed_over),
		cmocka_unit_test(exchanges_that_we_do_not_do_are_declined),
		cmocka_unit_test(rows_of_a_layer_above_are_served),
		cmocka_unit_test(deleted_child_is_answered_with_our_half),
		cmocka_unit_test(delete_of_nothing_of_ours_is_answered_empty),
		cmocka_unit_test(delete_of_the_ike_sa_is_answered_empty_and_again),
		cmocka_unit_test(message_outside_the_window_is_dropped),
		cmocka_unit_test(responder_may_ask_and_say_that_it_refuses),
		cmocka_unit_test(malformed_response_ends_the_sa),
		cmocka_unit_test(unprotected_messages_within_an_sa_are_ignored),
		cmocka_unit_test(forged_message_does_not_move_a_peer_behind_a_nat),
		cmocka_unit_test(other_spi_must_fit_too),
		cmocka_unit_test(payloads_beside_sk_are_not_taken),
		cmocka_unit_test(forged_messages_do_not_pass_for_life),
	};
	int failed = sim_test_main(tests, sizeof tests / sizeof tests[0]);

	tape_free(&tape);
	return failed;
}
