/* SPDX-License-Identifier: ISC */
/* After the set-up: Delete, liveness, simultaneous initiation, changed documents, lifetimes, NATs.
 */
#include "sim_test.h"

static bool
nothing_left(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->e != NULL &&
		    sim_ike_all(s->nodes[i]) + sim_esp_live(s->nodes[i]) != 0)
			return false;
	return true;
}

/* ---- Delete ---- */

static void
initiator_deletes(void **state)
{
	struct pair p = pair_new(1);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sim_command(p.a, IKE_EV_CLOSE, "b");
	assert_true(sim_until(p.sim, nothing_left, 100));
	assert_int_equal(p.a->reports[IKE_REPORT_IKE_DOWN], 1);
	assert_int_equal(p.b->reports[IKE_REPORT_IKE_DOWN], 1);
	/* Closed by command: nobody starts again by himself. */
	sim_run(p.sim, 60000);
	assert_true(nothing_left(p.sim));
	sim_command(p.a, IKE_EV_INITIATE, "b");
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
responder_deletes_and_the_initiator_comes_again(void **state)
{
	struct pair p = pair_new(2);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sim_command(p.b, IKE_EV_CLOSE, "a");
	assert_true(sim_until(p.sim, nothing_left, 100));
	assert_true(pair_up(&p));
	assert_int_equal(ike_counters(p.a->e)->ike_up, 2);
	pair_free(&p);
}

static void
both_delete_at_once(void **state)
{
	struct pair p = pair_new(3);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sim_command(p.a, IKE_EV_CLOSE, "b");
	sim_command(p.b, IKE_EV_CLOSE, "a");
	assert_true(sim_until(p.sim, nothing_left, 100));
	assert_int_equal(ike_counters(p.a->e)->retransmits + ike_counters(p.b->e)->retransmits, 0);
	pair_free(&p);
}

static void
closing_while_it_is_set_up(void **state)
{
	int64_t after;

	(void)state;
	for (after = 0; after < 12; after++) {
		struct pair p = pair_new(4);

		pair_start(&p);
		sim_run(p.sim, after);
		sim_command(p.a, IKE_EV_CLOSE, "");
		sim_command(p.b, IKE_EV_CLOSE, "");
		sim_run(p.sim, 60000);
		assert_true(nothing_left(p.sim));
		pair_free(&p);
	}
}

/* ---- liveness ---- */

static void
silence_is_asked_about_and_answered(void **state)
{
	struct pair p = pair_new(5);
	uint64_t sent;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sent = p.sim->sent;
	sim_run(p.sim, 5 * 60000);
	assert_true(sim_paired(p.a, p.b));
	assert_true(p.sim->sent >= sent + 2 * 9);
	assert_int_equal(ike_counters(p.a->e)->ike_up, 1);
	pair_free(&p);
}

static void
dead_peer_is_given_up(void **state)
{
	struct pair p = pair_new(6);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	p.sim->loss = 100;
	sim_run(p.sim, 29000);
	assert_int_equal(sim_ike_up(p.a), 1);
	sim_run(p.sim, 60000);
	assert_int_equal(sim_ike_up(p.a) + sim_ike_up(p.b), 0);
	assert_int_equal(sim_esp_live(p.a) + sim_esp_live(p.b), 0);
	assert_true(ike_counters(p.a->e)->timeouts >= 1);
	p.sim->loss = 0;
	assert_true(sim_until(p.sim, pair_is_up, 120000));
	pair_free(&p);
}

static void
liveness_can_be_switched_off(void **state)
{
	struct pair p = pair_new(7);
	uint64_t sent;

	(void)state;
	p.a->cfg.dpd_ms = p.b->cfg.dpd_ms = 0;
	pair_start(&p);
	assert_true(pair_up(&p));
	sent = p.sim->sent;
	sim_run(p.sim, 60 * 60000);
	assert_int_equal(p.sim->sent, sent);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

/* ---- one pair of nodes, one IKE SA ---- */

static void
both_begin_at_the_same_moment(void **state)
{
	uint64_t seed, collisions = 0;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		struct pair p = pair_new(seed);

		p.sim->job_ms = 3;
		sim_start(p.a);
		sim_start(p.b);
		sim_peer(p.a, p.b, true);
		sim_peer(p.b, p.a, true);
		assert_true(pair_up(&p));
		sim_run(p.sim, 60000);
		assert_true(sim_paired(p.a, p.b));
		collisions += ike_counters(p.a->e)->ike_up > 1;
		pair_free(&p);
	}
	/* The rule that decides between two was needed. */
	assert_true(collisions > 10);
}

static void
restarted_peer_replaces_its_old_sa(void **state)
{
	struct pair p = pair_new(8);
	uint64_t old;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	old = sim_sa(p.b).ref.spi_r;
	sim_crash(p.a);
	sim_peer(p.a, p.b, true);
	assert_true(pair_up(&p));
	assert_true(sim_sa(p.b).ref.spi_r != old);
	/* INITIAL_CONTACT did it, not a time-out. */
	assert_int_equal(ike_counters(p.b->e)->timeouts, 0);
	pair_free(&p);
}

static void
restarted_responder_is_noticed_by_silence(void **state)
{
	struct pair p = pair_new(9);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sim_crash(p.b);
	sim_peer(p.b, p.a, false);
	assert_true(sim_until(p.sim, pair_is_up, 120000));
	assert_true(ike_counters(p.b->e)->unknown_spi >= 8);
	pair_free(&p);
}

static void
three_nodes_in_a_mesh(void **state)
{
	struct sim *s = sim_new(10);
	struct sim_node *n[4];
	char name[8], addr[20];
	size_t i, k;

	(void)state;
	for (i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof name, "n%zu", i);
		(void)snprintf(addr, sizeof addr, "192.0.2.%zu", i + 1);
		n[i] = sim_node(s, name, addr);
		sim_start(n[i]);
	}
	s->loss = 20;
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			if (i != k)
				sim_peer(n[i], n[k], true);
	sim_run(s, 120000);
	s->loss = 0;
	sim_run(s, 60000);
	for (i = 0; i < 4; i++) {
		assert_int_equal(sim_ike_up(n[i]), 3);
		assert_int_equal(sim_ike_all(n[i]), 3);
		assert_int_equal(sim_children(n[i]), 3);
		assert_int_equal(sim_esp_live(n[i]), 6);
	}
	assert_string_equal(s->violation, "");
	sim_free(s);
}

/* ---- the document changes ---- */

static void
peer_that_left_the_document_is_deleted(void **state)
{
	struct pair p = pair_new(11);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	sim_command(p.a, IKE_EV_PEER_DEL, "b");
	assert_true(sim_until(p.sim, nothing_left, 100));
	sim_run(p.sim, 60000);
	assert_true(nothing_left(p.sim));
	sim_peer(p.a, p.b, true);
	assert_true(pair_up(&p));
	pair_free(&p);
}

static void
withdrawn_grant_takes_its_sas_along(void **state)
{
	struct pair p = pair_new(12);
	struct ike_event gone = { .type = IKE_EV_GRANT_GONE };

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	gone.u.grant = sim_child(p.b).grant + 1;
	sim_event(p.b, &gone);
	assert_true(sim_paired(p.a, p.b));
	gone.u.grant--;
	p.b->refuse[IKE_JOB_AUTHORIZE] = ERR_DENIED;
	sim_event(p.b, &gone);
	assert_int_equal(sim_esp_live(p.b), 0);
	assert_true(sim_until(p.sim, nothing_left, 100));
	sim_run(p.sim, 30000);
	assert_int_equal(sim_ike_up(p.a) + sim_ike_up(p.b), 0);
	pair_free(&p);
}

static void
unchanged_peer_keeps_its_sas(void **state)
{
	struct pair p = pair_new(13);
	uint32_t spi;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	spi = sim_child(p.a).spi_in;
	p.a->channels[1] = sim_channel_bgp();
	p.a->n_channels = 2;
	sim_peer(p.a, p.b, true);
	sim_peer(p.b, p.a, false);
	sim_run(p.sim, 10000);
	assert_true(sim_paired(p.a, p.b));
	assert_int_equal(sim_child(p.a).spi_in, spi);
	pair_free(&p);
}

static void
changed_transform_brings_new_sas(void **state)
{
	struct pair p = pair_new(14);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(esp_transform_parse(&p.a->channels[0].esp, "aes256gcm16"), OK);
	p.b->channels[0] = p.a->channels[0];
	sim_peer(p.a, p.b, true);
	sim_peer(p.b, p.a, false);
	assert_true(pair_up(&p));
	assert_string_equal(sim_child(p.a).suite, "aes256gcm16-esn");
	pair_free(&p);
}

static void
moved_peer_is_set_up_at_its_new_address(void **state)
{
	struct pair p = pair_new(15);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	p.b->addr.a[3] = 77;
	sim_crash(p.b);
	sim_peer(p.a, p.b, true);
	sim_peer(p.b, p.a, false);
	assert_true(sim_until(p.sim, pair_is_up, 120000));
	pair_free(&p);
}

/* ---- lifetimes ---- */

static void
expire(struct sim_node *n, bool hard)
{
	struct ike_event ev = { .type = IKE_EV_SA_EXPIRED };

	ev.u.expired.spi = sim_child(n).spi_in;
	ev.u.expired.dst = n->addr;
	ev.u.expired.hard = hard;
	sim_event(n, &ev);
}

/* The Child SA of the start; and the least that was ever live. */
static size_t least_live;
static uint32_t first_spi;

static bool
renewed(struct sim *s)
{
	size_t i;

	for (i = 0; i < 2; i++)
		if (sim_esp_live(s->nodes[i]) < least_live)
			least_live = sim_esp_live(s->nodes[i]);
	return pair_is_up(s) && sim_child(s->nodes[0]).spi_in != first_spi;
}

static void
soft_lifetime_brings_new_keys_without_a_gap(void **state)
{
	struct pair p = pair_new(16);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	first_spi = sim_child(p.a).spi_in;
	least_live = 2;
	expire(p.a, false);
	expire(p.b, false);
	assert_true(sim_until(p.sim, renewed, 10000));
	assert_int_equal(least_live, 2);
	sim_run(p.sim, 60000);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

/* The first try of the replacement fails; nobody says "soft" a second time. */
static void
replacement_is_tried_until_it_stands(void **state)
{
	struct pair p = pair_new(24);

	(void)state;
	sim_start(p.a);
	sim_start(p.b);
	sim_peer(p.b, p.a, false);
	sim_peer(p.a, p.b, false);
	sim_command(p.a, IKE_EV_INITIATE, "b");
	assert_true(pair_up(&p));
	first_spi = sim_child(p.a).spi_in;
	least_live = 2;
	p.b->refuse[IKE_JOB_AUTHORIZE] = ERR_TIMEOUT;
	expire(p.a, false);
	sim_run(p.sim, 3000);
	assert_true(ike_counters(p.a->e)->ike_failed >= 1);
	assert_int_equal(sim_child(p.a).spi_in, first_spi);
	p.b->refuse[IKE_JOB_AUTHORIZE] = OK;
	assert_true(sim_until(p.sim, renewed, 10000));
	assert_int_equal(least_live, 2);
	pair_free(&p);
}

static void
hard_lifetime_ends_it_and_it_is_set_up_anew(void **state)
{
	struct pair p = pair_new(17);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	expire(p.b, true);
	assert_int_equal(sim_esp_live(p.b), 0);
	assert_true(pair_up(&p));
	sim_run(p.sim, 60000);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

/* ---- NAT ---- */

static void
nated(uint64_t seed, const char *nat_a, const char *nat_b)
{
	struct pair p = pair_new(seed);

	if (nat_a != NULL)
		assert_int_equal(addr_parse(&p.a->nat, nat_a), OK);
	if (nat_b != NULL)
		assert_int_equal(addr_parse(&p.b->nat, nat_b), OK);
	p.b->nat_static = true;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_true(sim_sa(p.a).natt);
	assert_true(sim_sa(p.b).natt);
	assert_true(sim_child(p.a).encap);
	assert_true(sim_child(p.b).encap);
	assert_int_equal(sim_sa(p.a).local.port, 4500);
	sim_run(p.sim, 5 * 60000);
	assert_true(sim_paired(p.a, p.b));
	pair_free(&p);
}

static void
initiator_behind_a_nat(void **state)
{
	(void)state;
	nated(18, "198.51.100.1", NULL);
}

static void
responder_behind_a_static_nat(void **state)
{
	(void)state;
	nated(22, NULL, "203.0.113.1");
}

static void
both_behind_nats(void **state)
{
	(void)state;
	nated(23, "198.51.100.1", "203.0.113.1");
}

static const struct sa_params *
esp(const struct sim_node *n, uint8_t dir)
{
	size_t i;

	for (i = 0; i < n->n_esp; i++)
		if (n->esp[i].live && n->esp[i].params.dir == dir)
			return &n->esp[i].params;
	return NULL;
}

static void
addresses_and_ports_are_those_that_each_side_sees(void **state)
{
	struct pair p = pair_new(19);
	const struct sa_params *out;

	(void)state;
	assert_int_equal(addr_parse(&p.a->nat, "198.51.100.1"), OK);
	pair_start(&p);
	assert_true(pair_up(&p));
	out = esp(p.b, SA_OUT);
	assert_true(addr_equal(&out->dst, &p.a->nat));
	assert_true(addr_equal(&out->dst_sel[0].lo, &p.a->nat));
	assert_int_equal(out->encap_sport, 4500);
	assert_int_equal(out->encap_dport, 24500);
	out = esp(p.a, SA_OUT);
	assert_true(addr_equal(&out->src, &p.a->addr));
	assert_true(addr_equal(&out->src_sel[0].lo, &p.a->addr));
	assert_int_equal(out->encap_dport, 4500);
	pair_free(&p);
}

static void
encapsulation_can_be_forced_by_either_side(void **state)
{
	int side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct pair p = pair_new(20);

		(side == 0 ? p.a : p.b)->cfg.force_encap = true;
		pair_start(&p);
		assert_true(pair_up(&p));
		assert_true(sim_child(p.a).encap && sim_child(p.b).encap);
		assert_int_equal(esp(p.a, SA_OUT)->encap_dport, 4500);
		pair_free(&p);
	}
}

static bool
remap_port(struct sim *s, struct sim_datagram *d, void *arg)
{
	(void)s;
	if (d->from.port >= 20000)
		d->from.port = (uint16_t)(d->from.port + *(const unsigned *)arg);
	if (d->to.port >= 20000)
		d->to.port = (uint16_t)(d->to.port - *(const unsigned *)arg);
	return true;
}

static void
new_mapping_of_the_nat_is_followed(void **state)
{
	struct pair p = pair_new(21);
	unsigned shift = 0;

	(void)state;
	assert_int_equal(addr_parse(&p.a->nat, "198.51.100.1"), OK);
	p.sim->on_send = remap_port;
	p.sim->on_send_arg = &shift;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(sim_sa(p.b).peer.port, 24500);
	shift = 1000;
	sim_run(p.sim, 60000);
	assert_int_equal(sim_sa(p.b).peer.port, 25500);
	assert_int_equal(sim_ike_up(p.a), 1);
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(initiator_deletes),
		cmocka_unit_test(responder_deletes_and_the_initiator_comes_again),
		cmocka_unit_test(both_delete_at_once),
		cmocka_unit_test(closing_while_it_is_set_up),
		cmocka_unit_test(silence_is_asked_about_and_answered),
		cmocka_unit_test(dead_peer_is_given_up),
		cmocka_unit_test(liveness_can_be_switched_off),
		cmocka_unit_test(both_begin_at_the_same_moment),
		cmocka_unit_test(restarted_peer_replaces_its_old_sa),
		cmocka_unit_test(restarted_responder_is_noticed_by_silence),
		cmocka_unit_test(three_nodes_in_a_mesh),
		cmocka_unit_test(peer_that_left_the_document_is_deleted),
		cmocka_unit_test(withdrawn_grant_takes_its_sas_along),
		cmocka_unit_test(unchanged_peer_keeps_its_sas),
		cmocka_unit_test(changed_transform_brings_new_sas),
		cmocka_unit_test(moved_peer_is_set_up_at_its_new_address),
		cmocka_unit_test(soft_lifetime_brings_new_keys_without_a_gap),
		cmocka_unit_test(replacement_is_tried_until_it_stands),
		cmocka_unit_test(hard_lifetime_ends_it_and_it_is_set_up_anew),
		cmocka_unit_test(initiator_behind_a_nat),
		cmocka_unit_test(responder_behind_a_static_nat),
		cmocka_unit_test(both_behind_nats),
		cmocka_unit_test(addresses_and_ports_are_those_that_each_side_sees),
		cmocka_unit_test(encapsulation_can_be_forced_by_either_side),
		cmocka_unit_test(new_mapping_of_the_nat_is_followed),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
