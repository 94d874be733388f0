/* SPDX-License-Identifier: ISC */
/* Bad networks: whatever is lost, doubled or overtaken, both ends come to the same single pair of
 * SAs. */
#include "sim_test.h"

/* One more figure for the reader of a failure. */
static void
need_pair(struct pair *p, uint64_t seed)
{
	if (!sim_until(p->sim, pair_is_up, 20 * 60000))
		fail_msg("seed %llu: a %zu/%zu/%zu b %zu/%zu/%zu IKE/up/children",
		    (unsigned long long)seed, sim_ike_all(p->a), sim_ike_up(p->a),
		    sim_children(p->a), sim_ike_all(p->b), sim_ike_up(p->b), sim_children(p->b));
}

/* Without further loss nothing changes any more, however long it takes. */
static void
need_rest(struct pair *p, uint64_t seed)
{
	uint32_t spi = sim_child(p->a).spi_in;

	p->sim->loss = p->sim->twice = 0;
	sim_run(p->sim, 5 * 60000);
	if (!sim_paired(p->a, p->b) || sim_child(p->a).spi_in != spi)
		fail_msg("seed %llu: not stable", (unsigned long long)seed);
}

static void
make_bad(struct sim *s, unsigned loss)
{
	s->loss = loss;
	s->twice = 10;
	s->delay_min = 1;
	s->delay_max = 300;
	s->job_ms = 20;
}

static void
thousand_seeds_with_a_third_lost(void **state)
{
	uint64_t seed, again = 0, timeouts = 0;

	(void)state;
	for (seed = 1; seed <= 1000; seed++) {
		struct pair p = pair_new(seed);

		make_bad(p.sim, 30);
		pair_start(&p);
		need_pair(&p, seed);
		need_rest(&p, seed);
		again += ike_counters(p.a->e)->retransmits;
		timeouts += ike_counters(p.a->e)->timeouts;
		pair_free(&p);
	}
	/* About half of the round trips fail. */
	print_message("%llu retransmissions, %llu time-outs\n", (unsigned long long)again,
	    (unsigned long long)timeouts);
	assert_true(again > 1000);
}

static void
both_begin_at_once_with_a_third_lost(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 1000; seed++) {
		struct pair p = pair_new(seed * 7919);

		make_bad(p.sim, 30);
		sim_start(p.a);
		sim_start(p.b);
		sim_peer(p.a, p.b, true);
		sim_run(p.sim, (int64_t)(seed % 50));
		sim_peer(p.b, p.a, true);
		need_pair(&p, seed);
		need_rest(&p, seed);
		pair_free(&p);
	}
}

static void
cookies_and_wrong_groups_with_a_third_lost(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		struct pair p = pair_new(seed * 104729);

		make_bad(p.sim, 30);
		p.b->cfg.cookie_threshold = 0;
		p.b->cfg.cookie_rotate_ms = 700;
		p.b->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
			.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_ECP256 } };
		p.b->cfg.n_suites = 1;
		pair_start(&p);
		need_pair(&p, seed);
		need_rest(&p, seed);
		pair_free(&p);
	}
}

static void
closing_with_a_third_lost_leaves_nothing(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		struct pair p = pair_new(seed * 31337);

		pair_start(&p);
		assert_true(pair_up(&p));
		make_bad(p.sim, 30);
		sim_command(p.a, IKE_EV_CLOSE, "");
		if (seed % 2 == 0)
			sim_command(p.b, IKE_EV_CLOSE, "");
		sim_run(p.sim, 10 * 60000);
		if (sim_ike_all(p.a) + sim_ike_all(p.b) + sim_esp_live(p.a) + sim_esp_live(p.b) !=
		    0)
			fail_msg("seed %llu: something is left", (unsigned long long)seed);
		pair_free(&p);
	}
}

/* The responder did its work once for each message that differs, however often it came. */
static void
doubled_and_overtaken_datagrams_are_processed_once(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 100; seed++) {
		struct pair p = pair_new(seed * 65537);

		p.sim->twice = 100;
		p.sim->delay_max = 400;
		pair_start(&p);
		need_pair(&p, seed);
		sim_run(p.sim, 5000);
		assert_true(sim_paired(p.a, p.b));
		assert_int_equal(p.b->jobs[IKE_JOB_SIGN], 1);
		assert_int_equal(p.b->jobs[IKE_JOB_VERIFY], 1);
		assert_int_equal(p.b->jobs[IKE_JOB_SA_ADD], 1);
		assert_int_equal(p.a->jobs[IKE_JOB_SIGN], 1);
		assert_int_equal(ike_counters(p.b->e)->ike_up, 1);
		assert_true(ike_counters(p.b->e)->replays >= 2);
		pair_free(&p);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousand_seeds_with_a_third_lost),
		cmocka_unit_test(both_begin_at_once_with_a_third_lost),
		cmocka_unit_test(cookies_and_wrong_groups_with_a_third_lost),
		cmocka_unit_test(closing_with_a_third_lost_leaves_nothing),
		cmocka_unit_test(doubled_and_overtaken_datagrams_are_processed_once),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
