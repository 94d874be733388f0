/* SPDX-License-Identifier: ISC */
/* Many handshakes and deletes in one run: nothing is left behind. `make check-valgrind` runs it too. */
#include "sim_pki.h"
#include "sim_test.h"

#define ROUNDS 100

static bool
nothing_stands(struct sim *s)
{
	return sim_ike_all(s->nodes[0]) + sim_ike_all(s->nodes[1]) == 0;
}

static void
hundred_handshakes_and_deletes_leave_nothing_behind(void **state)
{
	struct sim_pki *pki = sim_pki_new();
	struct pair p = pair_new(1);
	size_t secrets;
	int i;

	(void)state;
	sim_pki_use(p.a, sim_pki_device(pki, "a", KEY_EC_P256));
	sim_pki_use(p.b, sim_pki_device(pki, "b", KEY_EC_P256));
	pair_start(&p);
	secrets = secret_live();
	for (i = 0; i < ROUNDS; i++) {
		bool ours = i % 2 != 0;          /* the last one closes for good */

		assert_true(pair_up(&p));
		sim_command(ours ? p.a : p.b, IKE_EV_CLOSE, ours ? "b" : "a");
		assert_true(sim_until(p.sim, nothing_stands, 1000));
		assert_int_equal(sim_esp_live(p.a) + sim_esp_live(p.b), 0);
		if (ours && i + 1 < ROUNDS)
			sim_command(p.a, IKE_EV_INITIATE, "b");
	}
	/* Long enough for what lingers to answer a repeated Delete. */
	sim_run(p.sim, 120000);
	assert_true(secret_live() <= secrets);
	assert_int_equal(ike_counters(p.a->e)->ike_up, ROUNDS);
	assert_int_equal(ike_counters(p.b->e)->ike_up, ROUNDS);
	pair_free(&p);
	sim_pki_free(pki);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hundred_handshakes_and_deletes_leave_nothing_behind),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
