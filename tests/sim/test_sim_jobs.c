/* SPDX-License-Identifier: ISC */
/* The other processes: slow, dead, restarted; and a backend that is lost with its keys. */
#include "sim_test.h"

static void
reissue(struct sim_node *n, enum ike_job_kind kind)
{
	struct ike_event ev = { .type = IKE_EV_REISSUE };

	ev.u.reissue = kind;
	sim_event(n, &ev);
}

static void
jobs_of_a_holder_that_died_are_issued_again(void **state)
{
	static const enum ike_job_kind kinds[] = { IKE_JOB_SIGN, IKE_JOB_VERIFY,
		IKE_JOB_AUTHORIZE };
	size_t i, side;

	(void)state;
	for (i = 0; i < 3; i++)
		for (side = 0; side < 2; side++) {
			struct pair p = pair_new(1 + i);
			struct sim_node *n = side == 0 ? p.a : p.b;

			n->hold[kinds[i]] = true;
			pair_start(&p);
			sim_run(p.sim, 3000);
			assert_int_equal(n->jobs[kinds[i]], 1);
			assert_int_equal(sim_ike_up(n), 0);
			n->hold[kinds[i]] = false;
			reissue(n, kinds[i]);
			assert_int_equal(n->jobs[kinds[i]], 2);
			assert_true(pair_up(&p));
			assert_int_equal(ike_counters(p.a->e)->ike_failed, 0);
			pair_free(&p);
		}
}

static void
reissue_of_another_kind_disturbs_nobody(void **state)
{
	struct pair p = pair_new(4);

	(void)state;
	p.b->hold[IKE_JOB_VERIFY] = true;
	pair_start(&p);
	sim_run(p.sim, 1000);
	reissue(p.b, IKE_JOB_SIGN);
	reissue(p.b, IKE_JOB_AUTHORIZE);
	reissue(p.b, IKE_JOB_SA_ADD);
	assert_int_equal(p.b->jobs[IKE_JOB_VERIFY], 1);
	assert_int_equal(p.b->jobs[IKE_JOB_SIGN], 0);
	pair_free(&p);
}

static void
unanswered_job_fails_its_sa(void **state)
{
	static const enum ike_job_kind kinds[] = { IKE_JOB_SIGN, IKE_JOB_VERIFY,
		IKE_JOB_AUTHORIZE };
	size_t i, side;

	(void)state;
	for (i = 0; i < 3; i++)
		for (side = 0; side < 2; side++) {
			struct pair p = pair_new(5 + i);
			struct sim_node *n = side == 0 ? p.a : p.b;

			n->hold[kinds[i]] = true;
			pair_start(&p);
			sim_run(p.sim, 11000);
			assert_true(ike_counters(n->e)->ike_failed >= 1);
			assert_int_equal(sim_esp_live(n), 0);
			n->hold[kinds[i]] = false;
			assert_true(sim_until(p.sim, pair_is_up, 180000));
			pair_free(&p);
		}
}

/* An answer that comes when its SA has gone, or to a job of another kind, or twice, finds nobody.
 */
static void
answers_that_nobody_waits_for_are_dropped(void **state)
{
	struct pair p = pair_new(8);
	struct ike_event ev = { .job = 1 };
	uint64_t a, b;
	uint32_t job;
	int type;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	a = sim_fingerprint(p.a);
	b = sim_fingerprint(p.b);
	for (type = IKE_EV_SIGNED; type <= IKE_EV_SA_ADDED; type++)
		for (job = 0; job < 20; job++) {
			ev.type = (enum ike_event_type)type;
			ev.job = job;
			ev.rc = job % 2 == 0 ? OK : ERR_DENIED;
			sim_event(p.a, &ev);
			sim_event(p.b, &ev);
		}
	assert_true(sim_fingerprint(p.a) == a && sim_fingerprint(p.b) == b);
	pair_free(&p);
}

static void
child_that_the_backend_refuses_is_not_there(void **state)
{
	int side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct pair p = pair_new(9);
		struct sim_node *n = side == 0 ? p.a : p.b;

		n->refuse[IKE_JOB_SA_ADD] = ERR_DENIED;
		pair_start(&p);
		sim_run(p.sim, 1500);
		assert_int_equal(sim_children(p.a) + sim_children(p.b), 0);
		assert_int_equal(sim_esp_live(p.a) + sim_esp_live(p.b), 0);
		assert_int_equal(sim_ike_up(p.a), 1);
		n->refuse[IKE_JOB_SA_ADD] = OK;
		assert_true(pair_up(&p));
		pair_free(&p);
	}
}

/* The backend held the job when it died: the keys may have been in use, so they are never given
 * again. */
static void
keys_given_to_a_dead_backend_are_not_given_again(void **state)
{
	int side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct pair p = pair_new(10);
		struct sim_node *n = side == 0 ? p.a : p.b;

		n->hold[IKE_JOB_SA_ADD] = true;
		pair_start(&p);
		sim_run(p.sim, 1000);
		assert_int_equal(n->jobs[IKE_JOB_SA_ADD], 1);
		n->hold[IKE_JOB_SA_ADD] = false;
		reissue(n, IKE_JOB_SA_ADD);
		assert_int_equal(n->jobs[IKE_JOB_SA_ADD], 1);
		assert_true(pair_up(&p));
		assert_int_equal(n->jobs[IKE_JOB_SA_ADD], 2);
		pair_free(&p);
	}
}

static void
lose_backend(struct sim_node *n)
{
	static const struct ike_event lost = { .type = IKE_EV_BACKEND_LOST };
	size_t i;

	for (i = 0; i < n->n_esp; i++)
		n->esp[i].live = false;
	sim_event(n, &lost);
}

static void
lost_backend_brings_new_keys_at_once(void **state)
{
	int side;

	(void)state;
	for (side = 0; side < 3; side++) {
		struct pair p = pair_new(11);
		uint32_t spi;

		pair_start(&p);
		assert_true(pair_up(&p));
		spi = sim_child(p.a).spi_in;
		if (side != 1)
			lose_backend(p.a);
		if (side != 0)
			lose_backend(p.b);
		assert_true(sim_until(p.sim, pair_is_up, 1000));
		assert_true(sim_child(p.a).spi_in != spi);
		sim_run(p.sim, 60000);
		assert_true(sim_paired(p.a, p.b));
		pair_free(&p);
	}
}

/* At any moment, on a bad network, over and over: sim_violation() sees a key that comes twice. */
static void
no_key_is_ever_installed_twice(void **state)
{
	size_t installed = 0;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		struct pair p = pair_new(seed);
		int i;

		p.sim->loss = 15;
		p.sim->twice = 10;
		p.sim->delay_max = 100;
		p.sim->job_ms = 50;
		sim_start(p.a);
		sim_start(p.b);
		sim_peer(p.b, p.a, seed % 2 == 0);
		sim_peer(p.a, p.b, true);
		for (i = 0; i < 10; i++) {
			sim_run(p.sim, sim_below(p.sim, 2000));
			lose_backend(i % 3 == 0 ? p.b : p.a);
			if (i % 4 == 0)
				reissue(p.a, IKE_JOB_SA_ADD);
		}
		p.sim->loss = 0;
		assert_true(sim_until(p.sim, pair_is_up, 300000));
		installed += p.a->n_esp + p.b->n_esp;
		pair_free(&p);
	}
	print_message("%zu ESP SAs installed\n", installed);
	assert_true(installed > 2000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_of_a_holder_that_died_are_issued_again),
		cmocka_unit_test(reissue_of_another_kind_disturbs_nobody),
		cmocka_unit_test(unanswered_job_fails_its_sa),
		cmocka_unit_test(answers_that_nobody_waits_for_are_dropped),
		cmocka_unit_test(child_that_the_backend_refuses_is_not_there),
		cmocka_unit_test(keys_given_to_a_dead_backend_are_not_given_again),
		cmocka_unit_test(lost_backend_brings_new_keys_at_once),
		cmocka_unit_test(no_key_is_ever_installed_twice),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
