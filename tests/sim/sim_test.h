/* SPDX-License-Identifier: ISC */
/* What the stories share: two nodes, "a" at 192.0.2.1 that initiates and "b" at 192.0.2.2. */
#ifndef TESTS_SIM_SIM_TEST_H
#define TESTS_SIM_SIM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "crypto/crypto.h"
#include "ike/proposal.h"
#include "sim.h"

struct pair {
	struct sim *sim;
	struct sim_node *a, *b;
};

static inline struct pair
pair_new(uint64_t seed)
{
	struct pair p = { .sim = sim_new(seed) };

	p.a = sim_node(p.sim, "a", "192.0.2.1");
	p.b = sim_node(p.sim, "b", "192.0.2.2");
	return p;
}

/* Start both; a initiates at once. */
static inline void
pair_start(struct pair *p)
{
	sim_start(p->a);
	sim_start(p->b);
	sim_peer(p->b, p->a, false);
	sim_peer(p->a, p->b, true);
}

static inline bool
pair_is_up(struct sim *s)
{
	return s->nodes[0]->e != NULL && s->nodes[1]->e != NULL &&
	    sim_paired(s->nodes[0], s->nodes[1]);
}

/* Let it run until both ends have what they should have. */
static inline bool
pair_up(struct pair *p)
{
	return sim_until(p->sim, pair_is_up, 60000);
}

static inline void
pair_free(struct pair *p)
{
	if (p->sim->violation[0] != '\0')
		fail_msg("%s", p->sim->violation);
	sim_free(p->sim);
}

static inline int
sim_test_setup(void **state)
{
	(void)state;
	return crypto_init();
}

#define sim_test_main(tests, n) \
	_cmocka_run_group_tests("sim", (tests), (n), sim_test_setup, NULL)

#endif
