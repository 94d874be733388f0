/* SPDX-License-Identifier: ISC */
/* Strangers: forged, replayed, malformed and flooding datagrams outside and inside of IKE SAs. */
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

static struct endpoint
stranger(unsigned i)
{
	struct endpoint e = { .port = 500 };

	e.addr.family = ADDR_V4;
	e.addr.a[0] = 203;
	e.addr.a[2] = (uint8_t)(i >> 8);
	e.addr.a[3] = (uint8_t)i;
	return e;
}

/* ---- replays and garbage ---- */

static void
everything_sent_before_is_of_no_use_later(void **state)
{
	struct pair p = taped_pair(1);
	uint64_t a, b;
	uint32_t jobs;
	size_t i, n;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sim_run(p.sim, 70000);
	n = tape.n;
	assert_true(n >= 6);
	a = sim_fingerprint(p.a);
	b = sim_fingerprint(p.b);
	jobs = p.b->jobs[IKE_JOB_VERIFY] + p.b->jobs[IKE_JOB_SIGN];
	for (i = 0; i < n; i++) {
		struct endpoint from = tape.sent[i].from, to = tape.sent[i].to, other = stranger(1);

		sim_inject(addr_equal(&to.addr, &p.a->addr) ? p.a : p.b, &from, to.port,
		    blob_view(&tape.sent[i].data));
		/* An old IKE_SA_INIT request from elsewhere is a new one; the rest belongs to an
		 * SA. */
		if (i == 0)
			continue;
		sim_inject(p.a, &other, to.port, blob_view(&tape.sent[i].data));
		sim_inject(p.b, &other, to.port, blob_view(&tape.sent[i].data));
	}
	assert_true(sim_fingerprint(p.a) == a);
	assert_true(sim_fingerprint(p.b) == b);
	assert_int_equal(p.b->jobs[IKE_JOB_VERIFY] + p.b->jobs[IKE_JOB_SIGN], jobs);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

/* A repeated request gets the octets it got before, while the responder waits for a job nothing. */
static void
repeated_request_gets_the_same_response(void **state)
{
	struct pair p = taped_pair(2);
	struct bytes request, response;
	size_t n;

	(void)state;
	p.b->hold[IKE_JOB_VERIFY] = true;
	pair_start(&p);
	sim_run(p.sim, 200);
	assert_int_equal(tape.n, 3);
	sim_inject(p.b, &tape.sent[2].from, 500, blob_view(&tape.sent[2].data));
	assert_int_equal(tape.n, 3);
	assert_int_equal(p.b->jobs[IKE_JOB_VERIFY], 1);
	pair_free(&p);

	p = taped_pair(2);
	pair_start(&p);
	assert_true(pair_up(&p));
	n = tape.n;
	assert_int_equal(n, 4);
	request = blob_view(&tape.sent[2].data);
	response = blob_view(&tape.sent[3].data);
	sim_inject(p.b, &tape.sent[2].from, 500, request);
	assert_int_equal(tape.n, n + 1);
	assert_true(bytes_equal(blob_view(&tape.sent[n].data), response));
	pair_free(&p);
}

/* After each event of a handshake, and of what follows, throw damaged copies of all that was sent.
 */
static void
damaged_datagrams_change_nothing_in_any_state(void **state)
{
	struct pair p = taped_pair(3);
	uint8_t damaged[4096];
	uint64_t a, b, tried = 0;
	size_t i, n, len, at;
	int step;

	(void)state;
	p.sim->job_ms = 2;
	pair_start(&p);
	for (step = 0; step < 40; step++) {
		a = sim_fingerprint(p.a);
		b = sim_fingerprint(p.b);
		n = tape.n;
		for (i = 0; i < n; i++) {
			struct bytes d = blob_view(&tape.sent[i].data);
			struct endpoint from = tape.sent[i].from;
			struct sim_node *to = addr_equal(&from.addr, &p.a->addr) ? p.b : p.a;
			struct ike_header h;

			/* What cannot be protected yet has stories of its own. */
			if (header_read(&h, d) != OK || h.exchange == EX_IKE_SA_INIT)
				continue;
			for (at = 0; at < d.n; at += 1 + at / 8) {
				memcpy(damaged, d.p, d.n);
				damaged[at] ^= (uint8_t)(1 + sim_below(p.sim, 255));
				sim_inject(to, &from, 500, bytes_of(damaged, d.n));
				len = at;
				sim_inject(to, &from, 500, bytes_of(d.p, len));
				tried += 2;
			}
		}
		assert_true(sim_fingerprint(p.a) == a);
		assert_true(sim_fingerprint(p.b) == b);
		if (!sim_step(p.sim))
			break;
	}
	assert_true(tried > 2000);
	assert_true(pair_up(&p));
	assert_true(ike_counters(p.b->e)->bad_icv > 30);
	pair_free(&p);
}

static void
noise_changes_nothing_in_any_state(void **state)
{
	struct pair p = pair_new(4);
	uint8_t noise[600];
	size_t i, k, n;
	int step;

	(void)state;
	pair_start(&p);
	for (step = 0; step < 30; step++) {
		uint64_t a = sim_fingerprint(p.a), b = sim_fingerprint(p.b);
		struct endpoint from = { p.a->addr, 500 };

		for (k = 0; k < 50; k++) {
			n = sim_below(p.sim, sizeof noise);
			for (i = 0; i < n; i++)
				noise[i] = (uint8_t)sim_below(p.sim, 256);
			sim_inject(p.b, &from, 500, bytes_of(noise, n));
			from.addr = p.b->addr;
			sim_inject(p.a, &from, 4500, bytes_of(noise, n));
		}
		assert_true(sim_fingerprint(p.a) == a && sim_fingerprint(p.b) == b);
		if (!sim_step(p.sim))
			break;
	}
	assert_true(pair_up(&p));
	pair_free(&p);
}

/* ---- forged answers to IKE_SA_INIT ---- */

/* Before the true response comes, a forger answers with this notify. */
static void
forge_answer(struct pair *p, uint16_t type, struct bytes data)
{
	struct ike_header h = { .major = 2, .exchange = EX_IKE_SA_INIT, .flags = HF_RESPONSE };
	struct ike_header request;
	struct endpoint from = { p->b->addr, 500 };
	struct blob message = { 0 };
	struct ike_out o;

	assert_int_equal(header_read(&request, blob_view(&tape.sent[tape.n - 1].data)), OK);
	h.spi_i = request.spi_i;
	msg_begin(&o, &h);
	notify_payload_write(&o, type, data);
	assert_int_equal(msg_end(&o, &message), OK);
	sim_inject(p->a, &from, 500, blob_view(&message));
	blob_free(&message);
}

static void
forged_error_does_not_stop_the_initiator(void **state)
{
	static const uint16_t errors[] = { N_NO_PROPOSAL_CHOSEN, N_INVALID_SYNTAX,
		N_AUTHENTICATION_FAILED, N_INVALID_MAJOR_VERSION };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct pair p = taped_pair(5);

		pair_start(&p);
		forge_answer(&p, errors[i], bytes_of(NULL, 0));
		assert_true(pair_up(&p));
		assert_int_equal(ike_counters(p.a->e)->ike_failed, 0);
		pair_free(&p);
	}
}

static void
forged_group_or_cookie_costs_a_round_trip_at_most(void **state)
{
	static const uint8_t not_offered[] = { 0, 2 }, offered[] = { 0, KE_ECP256 },
			     short_group[] = { 0 };
	struct pair p;

	(void)state;
	p = taped_pair(6);
	pair_start(&p);
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(not_offered, 2));
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(short_group, 1));
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(NULL, 0));
	assert_int_equal(tape.n, 1);
	assert_int_equal(ike_counters(p.a->e)->ike_failed, 0);
	assert_true(pair_up(&p));
	pair_free(&p);

	p = taped_pair(7);
	pair_start(&p);
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(offered, 2));
	assert_int_equal(tape.n, 2);
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(offered, 2));
	assert_int_equal(tape.n, 2);
	assert_true(pair_up(&p));
	pair_free(&p);

	p = taped_pair(8);
	pair_start(&p);
	forge_answer(&p, N_COOKIE, bytes_of("forged", 6));
	assert_int_equal(tape.n, 2);
	assert_true(pair_up(&p));
	pair_free(&p);
}

/* A group that we have, but did not offer; and a stranger, who says the right thing from the wrong
 * address. */
static void
group_is_taken_from_our_offer_and_from_our_peer_only(void **state)
{
	static const uint8_t group[] = { 0, KE_ECP256 };
	struct pair p = taped_pair(16);
	struct addr b = p.b->addr;

	(void)state;
	p.a->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	p.a->cfg.n_suites = 1;
	pair_start(&p);
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(group, 2));
	assert_int_equal(tape.n, 1);
	pair_free(&p);

	p = taped_pair(17);
	pair_start(&p);
	p.b->addr = stranger(1).addr;
	forge_answer(&p, N_INVALID_KE_PAYLOAD, bytes_of(group, 2));
	forge_answer(&p, N_COOKIE, bytes_of("forged", 6));
	assert_int_equal(tape.n, 1);
	p.b->addr = b;
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
flood_of_forged_cookies_is_not_followed(void **state)
{
	struct pair p = taped_pair(9);
	uint8_t i;

	(void)state;
	pair_start(&p);
	for (i = 0; i < 100; i++)
		forge_answer(&p, N_COOKIE, bytes_of(&i, 1));
	assert_true(tape.n <= 5);
	assert_true(pair_up(&p));
	pair_free(&p);
}

/* ---- amplification, cookies, limits ---- */

static void
inject_init(struct pair *p, const struct craft_init *c, const struct endpoint *from)
{
	struct blob message = { 0 };

	craft_init(c, &message);
	sim_inject(p->b, from, 500, blob_view(&message));
	blob_free(&message);
}

/* What b sent to this source so far. */
static size_t
octets_to(const struct endpoint *to)
{
	size_t i, n = 0;

	for (i = 0; i < tape.n; i++)
		if (endpoint_equal(&tape.sent[i].to, to))
			n += tape.sent[i].data.n;
	return n;
}

static struct bytes
last_cookie(void)
{
	static struct ike_msg m;
	const struct ike_notify *n;

	assert_true(tape.n > 0);
	assert_int_equal(msg_read(&m, blob_view(&tape.sent[tape.n - 1].data)), OK);
	n = msg_notify(&m, N_COOKIE);
	return n == NULL ? bytes_of(NULL, 0) : n->data;
}

/* Every kind of first message that gets an answer, from sources that prove nothing. */
static void
nobody_unverified_gets_more_than_he_sent(void **state)
{
	static const struct ike_suite strange = { .encr = { { ENCR_AES_GCM_16, 192 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	static const struct ike_suite one = { .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	static const struct craft_init inits[] = {
		{ .spi_i = 1, .group = KE_CURVE25519 },
		{ .spi_i = 2,
		    .group = KE_CURVE25519,
		    .suites = &one,
		    .n_suites = 1,
		    .nonce_len = 16 },
		{ .spi_i = 3, .group = KE_CURVE25519, .suites = &strange, .n_suites = 1 },
		{ .spi_i = 4, .group = KE_ECP256, .suites = &one, .n_suites = 1 },
		{ .spi_i = 5, .group = KE_CURVE25519, .critical = true },
		{ .spi_i = 6, .group = KE_CURVE25519, .padding = 1000 },
		{ .spi_i = 7, .group = KE_CURVE25519, .cookie = { (const uint8_t *)"x", 1 } },
	};
	struct pair p = taped_pair(10);
	uint8_t version3[40] = { 1, 2, 3 };
	size_t i, answered = 0;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	for (i = 0; i < sizeof inits / sizeof inits[0]; i++) {
		struct endpoint from = stranger((unsigned)i);
		struct blob message = { 0 };

		/* Answers to strangers are rationed by the second. */
		sim_run(p.sim, 1000);
		craft_init(&inits[i], &message);
		sim_inject(p.b, &from, 500, blob_view(&message));
		assert_true(octets_to(&from) <= message.n);
		answered += octets_to(&from) != 0;
		/* Cut short at any octet it is no better. */
		while (message.n > 0) {
			message.n--;
			if (message.n > 27) {
				struct wr w = wr_fixed(message.p + 24, 4);

				wr_u32(&w, (uint32_t)message.n);
			}
			from = stranger((unsigned)(0x100 + i));
			tape_free(&tape);
			sim_inject(p.b, &from, 500, blob_view(&message));
			assert_true(octets_to(&from) <= message.n);
		}
		blob_free(&message);
	}
	assert_int_equal(answered, sizeof inits / sizeof inits[0]);
	sim_run(p.sim, 1000);
	version3[17] = 0x30;
	version3[18] = EX_IKE_SA_INIT;
	version3[19] = HF_INITIATOR;
	for (i = 28; i <= sizeof version3; i++) {
		struct endpoint from = stranger((unsigned)(0x200 + i));

		version3[27] = (uint8_t)i;
		tape_free(&tape);
		sim_inject(p.b, &from, 500, bytes_of(version3, i));
		assert_true(octets_to(&from) <= i);
		assert_int_equal(octets_to(&from), i >= 36 ? 36 : 0);
	}
	assert_string_equal(p.sim->violation, "");
	pair_free(&p);
}

/* The twin: once a cookie has come back, the response may be longer than the request. */
static void
with_a_cookie_the_response_may_be_longer(void **state)
{
	static const struct ike_suite one = { .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	struct craft_init c = { .spi_i = 9, .group = KE_CURVE25519, .suites = &one, .n_suites = 1,
		.nonce_len = 16 };
	struct endpoint from = stranger(1), other = stranger(2);
	struct pair p = taped_pair(11);
	uint8_t kept[64];
	size_t before;

	(void)state;
	pair_start(&p);
	inject_init(&p, &c, &from);
	c.cookie = last_cookie();
	assert_int_equal(c.cookie.n, COOKIE_LEN);
	memcpy(kept, c.cookie.p, c.cookie.n);
	c.cookie.p = kept;
	/* It is of no use to anybody else. */
	inject_init(&p, &c, &other);
	assert_int_equal(ike_counters(p.b->e)->cookies_bad, 1);
	before = octets_to(&from);
	inject_init(&p, &c, &from);
	assert_true(octets_to(&from) - before > 100 + COOKIE_LEN);
	assert_int_equal(last_cookie().n, 0);
	pair_free(&p);
}

/* The same first message again gets the same answer, but only as long as that pays for it. */
static void
shorter_repeat_of_a_first_message_gets_nothing(void **state)
{
	static const struct ike_suite one = { .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	struct craft_init c = { .spi_i = 11, .group = KE_CURVE25519, .padding = 1000 };
	struct endpoint from = stranger(1);
	struct pair p = taped_pair(18);
	size_t once;

	(void)state;
	pair_start(&p);
	inject_init(&p, &c, &from);
	once = octets_to(&from);
	assert_true(once > 200);
	inject_init(&p, &c, &from);
	assert_int_equal(octets_to(&from), 2 * once);
	c.padding = 0;
	c.suites = &one;
	c.n_suites = 1;
	inject_init(&p, &c, &from);
	assert_int_equal(octets_to(&from), 2 * once);
	pair_free(&p);
}

/* Nor does somebody who recorded a request become the one that its longer response goes to. */
static void
recorded_request_is_no_reflector(void **state)
{
	static uint8_t der[1500];
	struct bytes cert = bytes_of(der, sizeof der);
	struct endpoint other = stranger(1);
	struct pair p = taped_pair(19);
	size_t n, to_peer;

	(void)state;
	p.b->cfg.certs = &cert;
	p.b->cfg.n_certs = 1;
	pair_start(&p);
	assert_true(pair_up(&p));
	n = tape.n;
	assert_int_equal(n, 4);
	assert_true(tape.sent[3].data.n > tape.sent[2].data.n);
	to_peer = octets_to(&tape.sent[3].to);
	sim_inject(p.b, &other, 500, blob_view(&tape.sent[2].data));
	assert_int_equal(octets_to(&other), 0);
	assert_int_equal(octets_to(&tape.sent[3].to), to_peer + tape.sent[3].data.n);
	pair_free(&p);
}

static void
cookie_lives_for_two_periods(void **state)
{
	struct craft_init c = { .spi_i = 10, .group = KE_CURVE25519 };
	struct endpoint from = stranger(1);
	struct pair p = taped_pair(12);
	uint8_t kept[64];

	(void)state;
	p.b->cfg.cookie_threshold = 0;
	pair_start(&p);
	sim_command(p.a, IKE_EV_CLOSE, "");
	inject_init(&p, &c, &from);
	memcpy(kept, last_cookie().p, COOKIE_LEN);
	c.cookie = bytes_of(kept, COOKIE_LEN);
	sim_run(p.sim, 61000);
	inject_init(&p, &c, &from);
	assert_int_equal(last_cookie().n, 0);
	assert_int_equal(ike_counters(p.b->e)->cookies_bad, 0);
	sim_run(p.sim, 61000);
	c.spi_i = 10;
	inject_init(&p, &c, &from);
	assert_int_equal(last_cookie().n, COOKIE_LEN);
	assert_int_equal(ike_counters(p.b->e)->cookies_bad, 1);
	pair_free(&p);
}

static void
flood_leads_to_cookies_and_leaves_nothing(void **state)
{
	struct craft_init c = { .group = KE_CURVE25519 };
	struct pair p = pair_new(13);
	unsigned i;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	for (i = 1; i <= 500; i++) {
		struct endpoint from = stranger(i);

		c.spi_i = i;
		inject_init(&p, &c, &from);
	}
	assert_int_equal(sim_ike_all(p.b), 1 + 64);
	assert_int_equal(ike_counters(p.b->e)->cookies_sent, 500 - 64);
	/* Whoever can return a cookie still gets in. */
	sim_command(p.a, IKE_EV_CLOSE, "b");
	sim_command(p.a, IKE_EV_INITIATE, "b");
	sim_run(p.sim, 1000);
	assert_int_equal(sim_ike_up(p.a), 1);
	sim_run(p.sim, 15000);
	assert_int_equal(sim_ike_all(p.b), 1);
	pair_free(&p);
}

static void
above_the_limit_there_is_silence(void **state)
{
	struct craft_init c = { .group = KE_CURVE25519 };
	struct pair p = pair_new(14);
	uint64_t sent;
	unsigned i;

	(void)state;
	p.b->cfg.cookie_threshold = 1000;
	p.b->cfg.half_open_max = 10;
	pair_start(&p);
	assert_true(pair_up(&p));
	for (i = 1; i <= 10; i++) {
		struct endpoint from = stranger(i);

		c.spi_i = i;
		inject_init(&p, &c, &from);
	}
	sent = p.sim->sent;
	for (; i <= 50; i++) {
		struct endpoint from = stranger(i);

		c.spi_i = i;
		inject_init(&p, &c, &from);
	}
	assert_int_equal(p.sim->sent, sent);
	assert_int_equal(ike_counters(p.b->e)->silenced, 40);
	pair_free(&p);
}

static void
errors_to_strangers_are_rationed(void **state)
{
	static const struct ike_suite strange = { .encr = { { ENCR_AES_GCM_16, 192 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	struct craft_init c = { .group = KE_CURVE25519, .suites = &strange, .n_suites = 1 };
	struct pair p = pair_new(15);
	uint64_t sent;
	unsigned i;

	(void)state;
	p.b->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	p.b->cfg.n_suites = 1;
	pair_start(&p);
	assert_true(pair_up(&p));
	sent = p.sim->sent;
	for (i = 1; i <= 300; i++) {
		struct endpoint from = stranger(i);

		c.spi_i = i;
		inject_init(&p, &c, &from);
	}
	assert_int_equal(p.sim->sent - sent, 100);
	pair_free(&p);
}

/* Whoever begins IKE SAs is to delete those that he needs no more. One who does not, with a key of
 * the fleet, must not fill our memory, nor the backend, in which all nodes have to find room. */
static void
node_that_deletes_nothing_keeps_few(void **state)
{
	static const char *const addrs[] = { "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14",
		"192.0.2.15", "192.0.2.16" };
	struct pair p = pair_new(16);
	struct sim_node *n;
	char name[8];
	size_t i;

	(void)state;
	sim_start(p.b);
	p.b->authorized_as = "thief";
	for (i = 0; i < sizeof addrs / sizeof addrs[0]; i++) {
		snprintf(name, sizeof name, "t%zu", i);
		n = sim_node(p.sim, name, addrs[i]);
		sim_start(n);
		sim_peer(n, p.b, true);
		sim_run(p.sim, 1000);
		assert_int_equal(sim_ike_up(n), 1);
		assert_true(sim_ike_up(p.b) >= 1 && sim_ike_up(p.b) <= 4);
		assert_int_equal(sim_children(p.b), sim_ike_up(p.b));
		assert_int_equal(sim_esp_live(p.b), 2 * sim_ike_up(p.b));
	}
	assert_int_equal(sim_ike_up(p.b), 4);
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_sent_before_is_of_no_use_later),
		cmocka_unit_test(repeated_request_gets_the_same_response),
		cmocka_unit_test(damaged_datagrams_change_nothing_in_any_state),
		cmocka_unit_test(noise_changes_nothing_in_any_state),
		cmocka_unit_test(forged_error_does_not_stop_the_initiator),
		cmocka_unit_test(forged_group_or_cookie_costs_a_round_trip_at_most),
		cmocka_unit_test(group_is_taken_from_our_offer_and_from_our_peer_only),
		cmocka_unit_test(flood_of_forged_cookies_is_not_followed),
		cmocka_unit_test(nobody_unverified_gets_more_than_he_sent),
		cmocka_unit_test(with_a_cookie_the_response_may_be_longer),
		cmocka_unit_test(shorter_repeat_of_a_first_message_gets_nothing),
		cmocka_unit_test(recorded_request_is_no_reflector),
		cmocka_unit_test(cookie_lives_for_two_periods),
		cmocka_unit_test(flood_leads_to_cookies_and_leaves_nothing),
		cmocka_unit_test(above_the_limit_there_is_silence),
		cmocka_unit_test(errors_to_strangers_are_rationed),
		cmocka_unit_test(node_that_deletes_nothing_keeps_few),
	};
	int failed = sim_test_main(tests, sizeof tests / sizeof tests[0]);

	tape_free(&tape);
	return failed;
}
