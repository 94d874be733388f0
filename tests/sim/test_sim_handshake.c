/* SPDX-License-Identifier: ISC */
/* Setting up: plain, with other groups and suites, with real keys, through retries and NATs. */
#include "sim_test.h"

static void
initiator_and_responder_pair_up(void **state)
{
	struct pair p = pair_new(1);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_sa(p.a).node, "b");
	assert_string_equal(sim_sa(p.b).node, "a");
	assert_string_equal(sim_child(p.a).channel, "vxlan");
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(initiator_and_responder_pair_up),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
