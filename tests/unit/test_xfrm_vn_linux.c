/* SPDX-License-Identifier: ISC */
#include "xfrm_model.h"

#include <stdio.h>
#include <time.h>

#include "xfrm-backend/vn.h"

#define HERE   "192.0.2.1"
#define THERE  "192.0.2.2"
#define OTHER  "192.0.2.3"
#define THERE6 "2001:db8::2"

static struct spd spd;
static struct vn vn;

static int
setup(void **state)
{
	struct options o = model_options();

	(void)state;
	return spd_init(&spd, &o, model_seed) != OK || vn_init(&vn, model_seed) != OK;
}

static int
teardown(void **state)
{
	(void)state;
	vn_free(&vn);
	spd_free(&spd);
	return 0;
}

/* A grant for the first channel, with VNs from 5001 on. */
static struct grant
grant_of(uint32_t number, const char *node, const char *peer, struct channel c, uint32_t n_vnis)
{
	struct grant g = { .number = number, .n_peer = 1, .n_local = 1, .channels = { c }, .n_channels = 1,
	    .n_vnis = n_vnis, .expires = INT64_MAX };
	uint32_t i;

	(void)strncpy(g.node, node, sizeof g.node - 1);
	g.peer[0] = test_addr(peer);
	g.local[0] = test_addr(HERE);
	if (n_vnis != 0)
		assert_non_null(g.vnis = calloc(n_vnis, sizeof *g.vnis));
	for (i = 0; i < n_vnis; i++)
		g.vnis[i] = 5001 + i;
	return g;
}

static void
set_grant(struct grant g)
{
	assert_int_equal(vn_grant_set(&vn, &spd, &g), OK);
	grant_free(&g);
}

static struct target *
protect(const char *node, const char *local, const char *peer, struct channel c)
{
	struct policy p = model_policy(node, local, peer, c);

	assert_int_equal(spd_policy_add(&spd, &p), OK);
	assert_int_equal(vn_node_again(&vn, &spd, node), OK);
	return spd_target(&spd, node, c.id);
}

static void
withdraw(const char *node, const char *channel)
{
	assert_int_equal(spd_policy_del(&spd, node, channel), OK);
	assert_int_equal(vn_node_again(&vn, &spd, node), OK);
}

/* What the table must do is done: deletions first. How many changes that took. */
static size_t
apply(void)
{
	struct vn_entry *e;
	size_t n = 0;

	for (; (e = vn_dirty(&vn, false)) != NULL; n++) {
		assert_true(e->have && !e->want && !e->inherited);
		e->have = false;
		vn_release(&vn, e);
	}
	for (; (e = vn_dirty(&vn, true)) != NULL; n++) {
		assert_true(e->want && !e->have);
		e->have = true;
	}
	assert_null(vn.dirty);
	assert_null(vn.later);
	return n;
}

static struct nft_elem
vni_elem(uint32_t reqid, const char *src, uint32_t vni)
{
	struct nft_elem e = { .reqid = reqid, .addr = test_addr(src), .vni = vni };

	e.set = e.addr.family == ADDR_V4 ? NFT_SET_VNI4 : NFT_SET_VNI6;
	return e;
}

static struct nft_elem
end_elem(const char *peer, uint8_t proto, uint16_t port)
{
	struct nft_elem e = { .addr = test_addr(peer), .proto = proto, .port = port };

	e.set = e.addr.family == ADDR_V4 ? NFT_SET_CONTROL4 : NFT_SET_CONTROL6;
	return e;
}

static struct nft_elem
port_elem(uint16_t port)
{
	return (struct nft_elem){ .set = NFT_SET_VXLAN, .port = port };
}

static bool
same_elem(const struct nft_elem *a, const struct nft_elem *b)
{
	return a->set == b->set && a->proto == b->proto && a->port == b->port && a->reqid == b->reqid &&
	    a->vni == b->vni && addr_equal(&a->addr, &b->addr);
}

/* Is it in the table? */
static bool
has(struct nft_elem like)
{
	struct vn_entry *e;
	size_t pos = 0;

	while ((e = vn_next(&vn, &pos)) != NULL)
		if (same_elem(&e->e, &like))
			return e->have;
	return false;
}

static size_t
count(void)
{
	return hash_count(vn.elems);
}

/* ---- who may send what ---- */

TEST(without_a_grant_nothing_is_accepted)
{
	(void)protect("nve-2", HERE, THERE, vxlan());
	assert_int_equal(apply(), 1);
	assert_true(has(port_elem(4789)));
	assert_int_equal(count(), 1);
}

TEST(a_grant_is_reqid_source_and_vn_together)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(apply(), 3);
	assert_true(has(vni_elem(t->reqid, THERE, 5001)));
	assert_true(has(vni_elem(t->reqid, THERE, 5002)));
	assert_false(has(vni_elem(t->reqid, THERE, 5003)));
	assert_false(has(vni_elem(t->reqid, OTHER, 5001)));
	assert_false(has(vni_elem(t->reqid + 1, THERE, 5001)));
	assert_int_equal(vn_grant(&vn, 1)->n_vnis, 2);
	assert_null(vn_grant(&vn, 2));
}

TEST(a_grant_without_vns_accepts_nothing)
{
	(void)protect("nve-2", HERE, THERE, vxlan());
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 0));
	assert_int_equal(apply(), 1);
	assert_int_equal(count(), 1);
}

TEST(a_grant_that_comes_before_its_target_counts)
{
	struct target *t;

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	assert_int_equal(apply(), 0);
	t = protect("nve-2", HERE, THERE, vxlan());
	assert_int_equal(apply(), 2);
	assert_true(has(vni_elem(t->reqid, THERE, 5001)));
}

TEST(all_addresses_of_the_peer_count)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());
	struct grant g = grant_of(1, "nve-2", THERE, vxlan(), 1);

	g.peer[1] = test_addr(THERE6);
	g.peer[2] = test_addr(OTHER);
	g.n_peer = 3;
	set_grant(g);
	assert_int_equal(apply(), 4);
	assert_true(has(vni_elem(t->reqid, THERE6, 5001)));
	assert_true(has(vni_elem(t->reqid, OTHER, 5001)));
}

TEST(a_channel_that_was_not_granted_accepts_nothing)
{
	struct channel second = vxlan();

	(void)strcpy(second.id, "second");
	second.port = 8472;
	(void)protect("nve-2", HERE, THERE, second);
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(apply(), 1);
	assert_true(has(port_elem(8472)));
}

TEST(a_data_channel_for_all_traffic_carries_vns_too)
{
	struct channel all = model_channel("all", LEVEL_DATA, 0, 0);
	struct target *t = protect("nve-2", HERE, THERE, all);

	set_grant(grant_of(1, "nve-2", THERE, all, 1));
	assert_int_equal(apply(), 1);
	assert_true(has(vni_elem(t->reqid, THERE, 5001)));
}

/* ---- grants that change ---- */

TEST(a_grant_that_goes_takes_its_elements)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan()), *u = protect("nve-3", HERE, OTHER, vxlan());

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 3));
	set_grant(grant_of(2, "nve-3", OTHER, vxlan(), 3));
	assert_int_equal(apply(), 7);
	assert_int_equal(vn_grant_drop(&vn, &spd, 1), OK);
	assert_int_equal(apply(), 3);
	assert_false(has(vni_elem(t->reqid, THERE, 5001)));
	/* The twin: another node's stay. */
	assert_true(has(vni_elem(u->reqid, OTHER, 5001)));
	assert_int_equal(count(), 4);
	assert_int_equal(vn_grant_drop(&vn, &spd, 1), ERR_NOTFOUND);
}

TEST(a_narrower_grant_takes_what_it_lacks)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 3));
	(void)apply();
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	assert_int_equal(apply(), 2);
	assert_true(has(vni_elem(t->reqid, THERE, 5001)));
	assert_false(has(vni_elem(t->reqid, THERE, 5002)));
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	assert_int_equal(apply(), 0);
}

TEST(two_grants_of_a_node_add_up)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	set_grant(grant_of(2, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(apply(), 3);
	assert_int_equal(vn_grant_drop(&vn, &spd, 2), OK);
	assert_int_equal(apply(), 1);
	assert_true(has(vni_elem(t->reqid, THERE, 5001)));
	assert_int_equal(vn_grant_drop(&vn, &spd, 1), OK);
	assert_int_equal(apply(), 1);
	assert_int_equal(count(), 1);
}

TEST(a_number_stays_with_its_node)
{
	struct grant g = grant_of(1, "nve-3", OTHER, vxlan(), 2);

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	assert_int_equal(vn_grant_set(&vn, &spd, &g), ERR_VALUE);
	assert_string_equal(vn_grant(&vn, 1)->node, "nve-2");
	grant_free(&g);
}

TEST(a_target_that_goes_takes_its_elements)
{
	(void)protect("nve-2", HERE, THERE, vxlan());
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(apply(), 3);
	withdraw("nve-2", "vxlan");
	assert_int_equal(apply(), 2);
	/* The port stays protected. */
	assert_true(has(port_elem(4789)));
	assert_int_equal(count(), 1);
	assert_int_equal(hash_count(vn.nodes), 0);
}

TEST(a_blocked_channel_accepts_nothing)
{
	struct policy p = model_policy("nve-2", HERE, THERE, vxlan());

	(void)protect("nve-2", HERE, THERE, vxlan());
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(apply(), 3);
	p.action = POLICY_BLOCK;
	assert_int_equal(spd_policy_add(&spd, &p), OK);
	assert_int_equal(vn_node_again(&vn, &spd, "nve-2"), OK);
	assert_int_equal(apply(), 2);
	assert_int_equal(count(), 1);
}

TEST(a_rekey_changes_no_element)
{
	struct policy p = model_policy("nve-2", HERE, THERE, vxlan());
	struct sa_params old = model_sa(&p, SA_IN, 0x1001), new = model_sa(&p, SA_IN, 0x1002);
	struct target *t, *u;

	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(spd_bind(&spd, "nve-2", &p.channel, &old, &t), OK);
	assert_int_equal(vn_node_again(&vn, &spd, "nve-2"), OK);
	assert_int_equal(apply(), 3);
	assert_int_equal(spd_bind(&spd, "nve-2", &p.channel, &new, &u), OK);
	spd_unbind(&spd, u, &old);
	assert_int_equal(vn_node_again(&vn, &spd, "nve-2"), OK);
	assert_int_equal(apply(), 0);
}

/* ---- control channels ---- */

TEST(ends_of_control_channels_are_protected_in_both_families)
{
	(void)protect("nve-2", HERE, THERE, evpn());
	(void)protect("nve-3", "2001:db8::1", THERE6, evpn());
	(void)protect("nve-4", HERE, OTHER, model_channel("udp", LEVEL_CONTROL, UDP, 7000));
	(void)protect("nve-5", HERE, "192.0.2.5", model_channel("tcp", LEVEL_DATA, TCP, 6640));
	(void)protect("nve-6", HERE, "192.0.2.6", model_channel("all", LEVEL_CONTROL, 0, 0));
	assert_int_equal(apply(), 4);
	assert_true(has(end_elem(THERE, TCP, 179)));
	assert_true(has(end_elem(THERE6, TCP, 179)));
	assert_true(has(end_elem(OTHER, UDP, 7000)));
	assert_true(has(end_elem("192.0.2.5", TCP, 6640)));
	withdraw("nve-2", "evpn");
	assert_int_equal(apply(), 1);
	assert_false(has(end_elem(THERE, TCP, 179)));
	assert_true(has(end_elem(THERE6, TCP, 179)));
}

/* Two nodes that are reached from different addresses of ours at the same one, behind a NAT for example. */
TEST(an_end_that_another_node_needs_stays)
{
	(void)protect("nve-2", HERE, THERE, evpn());
	(void)protect("nve-3", "192.0.2.101", THERE, evpn());
	assert_int_equal(apply(), 1);
	withdraw("nve-2", "evpn");
	assert_int_equal(apply(), 0);
	assert_true(has(end_elem(THERE, TCP, 179)));
	/* The twin: once nobody needs it, it goes. */
	withdraw("nve-3", "evpn");
	assert_int_equal(apply(), 1);
	assert_int_equal(count(), 0);
	assert_int_equal(hash_count(vn.nodes), 0);
}

TEST(a_blocked_control_channel_stays_closed)
{
	struct policy p = model_policy("nve-2", HERE, THERE, evpn());

	p.action = POLICY_BLOCK;
	assert_int_equal(spd_policy_add(&spd, &p), OK);
	assert_int_equal(vn_node_again(&vn, &spd, "nve-2"), OK);
	assert_int_equal(apply(), 1);
	assert_true(has(end_elem(THERE, TCP, 179)));
}

/* ---- what a former process left ---- */

static void
inherit(struct nft_elem e)
{
	assert_int_equal(vn_inherit(&vn, &e), OK);
}

TEST(inherited_elements_stay_until_they_are_disinherited)
{
	inherit(vni_elem(7, THERE, 5001));
	inherit(vni_elem(7, THERE6, 5001));
	inherit(vni_elem(8, THERE, 5001));
	inherit(vni_elem(8, THERE, 5001));
	inherit(end_elem(THERE, TCP, 179));
	inherit(port_elem(4789));
	assert_int_equal(apply(), 0);
	assert_int_equal(count(), 5);
	vn_disinherit(&vn);
	assert_int_equal(apply(), 4);
	/* A protected port stays one. */
	assert_true(has(port_elem(4789)));
	assert_int_equal(count(), 1);
	assert_int_equal(hash_count(vn.former), 0);
}

TEST(what_is_revoked_goes_and_what_blocks_stays)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());

	(void)protect("nve-2", HERE, THERE, model_channel("bgp", LEVEL_CONTROL, TCP, 179));
	inherit(vni_elem(t->reqid + 9, OTHER, 5001));
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 3));
	assert_int_equal(apply(), 5);
	vn_revoke(&vn);
	assert_int_equal(apply(), 3);
	assert_true(has(port_elem(4789)));
	assert_true(has(end_elem(THERE, TCP, 179)));
	/* Not what a former process left: that has its own time. */
	assert_true(has(vni_elem(t->reqid + 9, OTHER, 5001)));
	assert_int_equal(count(), 3);
}

TEST(inherited_and_granted_is_kept_without_a_gap)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());

	inherit(port_elem(4789));
	inherit(vni_elem(t->reqid, THERE, 5001));
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	assert_int_equal(apply(), 0);
	vn_disinherit(&vn);
	assert_int_equal(apply(), 0);
	/* What is found again is no inheritance. */
	inherit(vni_elem(t->reqid, THERE, 5001));
	assert_int_equal(vn_grant_drop(&vn, &spd, 1), OK);
	assert_int_equal(apply(), 1);
}

/* Else who took over a reqid would have the VNs of the one before until the end of the delay. */
TEST(a_grant_is_the_whole_word_on_its_reqid)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());
	struct target *u = protect("nve-3", HERE, OTHER, vxlan());

	inherit(vni_elem(t->reqid, THERE, 5001));
	inherit(vni_elem(t->reqid, THERE, 5007));
	inherit(vni_elem(t->reqid, OTHER, 5001));
	inherit(vni_elem(u->reqid, OTHER, 5007));
	inherit(end_elem(OTHER, TCP, 179));
	/* The twin: as long as nobody said anything, SAs of the former process go on. */
	assert_int_equal(vn_node_again(&vn, &spd, "nve-2"), OK);
	assert_int_equal(apply(), 1);
	assert_true(has(vni_elem(t->reqid, THERE, 5007)));
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(apply(), 3);
	assert_true(has(vni_elem(t->reqid, THERE, 5001)));
	assert_true(has(vni_elem(t->reqid, THERE, 5002)));
	assert_false(has(vni_elem(t->reqid, THERE, 5007)));
	assert_false(has(vni_elem(t->reqid, OTHER, 5001)));
	assert_true(has(vni_elem(u->reqid, OTHER, 5007)));
	assert_true(has(end_elem(OTHER, TCP, 179)));
}

TEST(inherited_elements_that_are_lost_are_forgotten)
{
	struct vn_entry *e;
	size_t pos = 0;

	inherit(vni_elem(7, THERE, 5001));
	inherit(vni_elem(7, THERE, 5002));
	inherit(vni_elem(7, THERE, 5003));
	while ((e = vn_next(&vn, &pos)) != NULL)
		if (e->e.vni != 5003) {
			assert_true(vn_stays(e));
			e->have = false;
			assert_false(vn_stays(e));
			vn_touch(&vn, e);
		}
	assert_int_equal(apply(), 0);
	assert_int_equal(count(), 1);
	vn_disinherit(&vn);
	assert_int_equal(apply(), 1);
}

/* ---- the list ---- */

TEST(additions_and_deletions_are_told_apart_in_any_order)
{
	struct vn_entry *e, *taken[8];
	size_t n = 0, k;

	(void)protect("nve-2", HERE, THERE, vxlan());
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 4));
	(void)apply();
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	assert_int_equal(vn_port(&vn, 1), OK);
	assert_int_equal(vn_port(&vn, 2), OK);
	/* One deletion, then all additions, then the other one. */
	assert_non_null(e = vn_dirty(&vn, false));
	assert_true(e->have);
	e->have = false;
	vn_release(&vn, e);
	while ((e = vn_dirty(&vn, true)) != NULL)
		taken[n++] = e;
	assert_int_equal(n, 2);
	assert_non_null(e = vn_dirty(&vn, false));
	assert_true(e->have);
	assert_null(vn_dirty(&vn, false));
	/* It failed: once more. */
	vn_touch(&vn, e);
	for (k = 0; k < n; k++)
		vn_touch(&vn, taken[k]);
	assert_int_equal(apply(), 3);
	assert_int_equal(count(), 5);
}

TEST(what_changes_its_mind_while_listed_is_seen_as_it_is_now)
{
	struct vn_entry *e;

	(void)protect("nve-2", HERE, THERE, vxlan());
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 2));
	/* Passed over by a walk for deletions that was not finished, and then to be deleted. */
	assert_null(vn_dirty(&vn, false));
	assert_non_null(e = vn_dirty(&vn, true));
	vn_touch(&vn, e);
	while ((e = vn_dirty(&vn, true)) != NULL)
		e->have = true;
	assert_int_equal(vn_grant_drop(&vn, &spd, 1), OK);
	assert_null(vn_dirty(&vn, true));
	assert_non_null(vn.dirty);
	set_grant(grant_of(1, "nve-2", THERE, vxlan(), 1));
	assert_int_equal(apply(), 1);
	assert_int_equal(count(), 2);
}

TEST(wanted_and_withdrawn_before_it_came_there_is_nothing)
{
	struct vn_entry *e;
	size_t pos = 0;

	(void)protect("nve-2", HERE, THERE, evpn());
	withdraw("nve-2", "evpn");
	while ((e = vn_next(&vn, &pos)) != NULL)
		vn_release(&vn, e);
	assert_int_equal(count(), 1);
	assert_int_equal(apply(), 0);
	assert_int_equal(count(), 0);
}

static double
seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* The largest grant there is, and then all of its VNs change: in one walk, not in one per element. */
TEST(the_largest_grant_is_counted_and_changed_in_no_time)
{
	struct grant g = grant_of(1, "nve-2", THERE, vxlan(), SA_VNIS_MAX);
	double start = seconds();
	char peer[16];
	uint32_t i;

	(void)protect("nve-2", HERE, THERE, vxlan());
	for (g.n_peer = 0; g.n_peer < ADDRS_MAX; g.n_peer++) {
		(void)snprintf(peer, sizeof peer, "192.0.2.%d", 10 + g.n_peer);
		g.peer[g.n_peer] = test_addr(peer);
	}
	assert_int_equal(vn_grant_set(&vn, &spd, &g), OK);
	assert_int_equal(apply(), SA_VNIS_MAX * ADDRS_MAX + 1);
	for (i = 0; i < g.n_vnis; i++)
		g.vnis[i] += 100000;
	set_grant(g);
	assert_int_equal(apply(), 2 * SA_VNIS_MAX * ADDRS_MAX);
	assert_int_equal(count(), SA_VNIS_MAX * ADDRS_MAX + 1);
	print_message("%.3f s of processor time\n", seconds() - start);
	/* A walk per element takes minutes; valgrind and the sanitizers only tens of times what this takes. */
	assert_true(seconds() - start < 20);
}

/* ---- against a model ---- */

#define NODES 5
#define STEPS 3000

static const char *const nodes[NODES] = { "nve-1", "nve-2", "nve-3", "nve-4", "nva-1" };
static const char *const addrs[] = { "192.0.2.11", "192.0.2.12", "192.0.2.13", "2001:db8::11" };
static const char *const locals[] = { HERE, "192.0.2.101" };
static uint64_t state_of_random;

static size_t
any(size_t n)
{
	return (size_t)(test_random(&state_of_random) % n);
}

static struct channel
some_channel(void)
{
	switch (any(4)) {
	case 0:
		return evpn();
	case 1:
		return model_channel("udp", LEVEL_CONTROL, UDP, 7000);
	case 2:
		return model_channel("all", LEVEL_DATA, 0, 0);
	default:
		return vxlan();
	}
}

static void
step_policy(void)
{
	const char *node = nodes[any(NODES)], *peer = addrs[any(COUNT(addrs))];
	struct policy p = model_policy(node, strchr(peer, ':') ? "2001:db8::1" : locals[any(2)], peer,
	    some_channel());

	p.action = any(5) == 0 ? POLICY_BLOCK : POLICY_PROTECT;
	if (any(3) == 0)
		(void)spd_policy_del(&spd, node, p.channel.id);
	else
		(void)spd_policy_add(&spd, &p);
	assert_int_equal(vn_node_again(&vn, &spd, node), OK);
}

/* Numbers belong to nodes. */
static void
step_grant(void)
{
	uint32_t number = (uint32_t)any(2 * NODES), i;
	struct grant g = grant_of(number + 1, nodes[number / 2], addrs[any(COUNT(addrs))], some_channel(),
	    (uint32_t)any(6));
	int r;

	for (i = 0; i < g.n_vnis; i++)
		g.vnis[i] += i + (uint32_t)any(2);
	g.channels[1] = some_channel();
	g.n_channels = 2;
	if (any(3) == 0) {
		r = vn_grant(&vn, number + 1) == NULL ? ERR_NOTFOUND : OK;
		assert_int_equal(vn_grant_drop(&vn, &spd, number + 1), r);
	} else {
		assert_int_equal(vn_grant_set(&vn, &spd, &g), OK);
	}
	grant_free(&g);
}

static bool
granted(const struct target *t, const struct nft_elem *e)
{
	const struct grant *g;
	size_t pos = 0;
	uint8_t i, k;

	while ((g = hash_next(vn.grants, &pos)) != NULL)
		for (i = 0; i < g->n_channels && strcmp(g->node, t->node) == 0; i++)
			for (k = 0; k < g->n_peer && strcmp(g->channels[i].id, t->channel.id) == 0; k++)
				if (addr_equal(&g->peer[k], &e->addr) && grant_has_vni(g, e->vni))
					return true;
	return false;
}

/* By the header's words: may this be in the table now? */
static bool
shall(const struct nft_elem *e)
{
	const struct target *t;
	size_t pos = 0;
	uint8_t i;

	if (e->set == NFT_SET_VNI4 || e->set == NFT_SET_VNI6) {
		t = spd_by_reqid(&spd, e->reqid);
		return t != NULL && !t->blocked && t->channel.level == LEVEL_DATA &&
		    (t->channel.proto == 0 || t->channel.proto == UDP) && granted(t, e);
	}
	while ((t = spd_next(&spd, &pos)) != NULL)
		for (i = 0; i < t->n_pairs; i++)
			if (t->channel.level == LEVEL_CONTROL && t->channel.proto == e->proto &&
			    t->channel.port == e->port && addr_equal(&t->pairs[i].sel_peer, &e->addr))
				return true;
	return false;
}

/* Everything that could be an element: is it there if and only if it shall be? */
static void
check(void)
{
	struct nft_elem e;
	struct target *t;
	size_t a, pos, n = 0;
	uint32_t vni;

	(void)apply();
	for (a = 0; a < COUNT(addrs); a++) {
		for (pos = 0; (t = spd_next(&spd, &pos)) != NULL;)
			for (vni = 5001; vni < 5012; vni++) {
				e = vni_elem(t->reqid, addrs[a], vni);
				assert_int_equal(has(e), shall(&e));
				n += shall(&e);
			}
		e = end_elem(addrs[a], TCP, 179);
		assert_int_equal(has(e), shall(&e));
		n += shall(&e);
		e = end_elem(addrs[a], UDP, 7000);
		assert_int_equal(has(e), shall(&e));
		n += shall(&e);
	}
	assert_int_equal(count(), n + has(port_elem(4789)));
}

static void
one_run(uint64_t seed)
{
	struct vn_entry *e;
	size_t i, pos;

	state_of_random = seed;
	assert_int_equal(setup(NULL), 0);
	for (i = 0; i < STEPS; i++)
		switch (any(40)) {
		case 0:
			check();
			break;
		case 1:
			/* The table was flushed, and is being made anew. */
			for (pos = 0; (e = vn_next(&vn, &pos)) != NULL;) {
				e->have = any(2) == 0 && vn_stays(e);
				vn_touch(&vn, e);
			}
			break;
		case 2:
			/* A batch that is cut short. */
			if ((e = vn_dirty(&vn, any(2) == 0)) != NULL)
				vn_touch(&vn, e);
			break;
		default:
			if (any(2) == 0)
				step_policy();
			else
				step_grant();
			break;
		}
	check();
	assert_int_equal(teardown(NULL), 0);
}

TEST(table_has_what_the_model_says)
{
	uint64_t seed;

	(void)teardown(NULL);
	for (seed = 1; seed <= 8; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		one_run(seed * UINT64_C(0x9e3779b97f4a7c15));
	}
	assert_int_equal(setup(NULL), 0);
}

#define WITH_VN(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_VN(without_a_grant_nothing_is_accepted),
		WITH_VN(a_grant_is_reqid_source_and_vn_together),
		WITH_VN(a_grant_without_vns_accepts_nothing),
		WITH_VN(a_grant_that_comes_before_its_target_counts),
		WITH_VN(all_addresses_of_the_peer_count),
		WITH_VN(a_channel_that_was_not_granted_accepts_nothing),
		WITH_VN(a_data_channel_for_all_traffic_carries_vns_too),
		WITH_VN(a_grant_that_goes_takes_its_elements),
		WITH_VN(a_narrower_grant_takes_what_it_lacks),
		WITH_VN(two_grants_of_a_node_add_up),
		WITH_VN(a_number_stays_with_its_node),
		WITH_VN(a_target_that_goes_takes_its_elements),
		WITH_VN(a_blocked_channel_accepts_nothing),
		WITH_VN(a_rekey_changes_no_element),
		WITH_VN(ends_of_control_channels_are_protected_in_both_families),
		WITH_VN(an_end_that_another_node_needs_stays),
		WITH_VN(a_blocked_control_channel_stays_closed),
		WITH_VN(inherited_elements_stay_until_they_are_disinherited),
		WITH_VN(what_is_revoked_goes_and_what_blocks_stays),
		WITH_VN(inherited_and_granted_is_kept_without_a_gap),
		WITH_VN(a_grant_is_the_whole_word_on_its_reqid),
		WITH_VN(inherited_elements_that_are_lost_are_forgotten),
		WITH_VN(additions_and_deletions_are_told_apart_in_any_order),
		WITH_VN(what_changes_its_mind_while_listed_is_seen_as_it_is_now),
		WITH_VN(wanted_and_withdrawn_before_it_came_there_is_nothing),
		WITH_VN(the_largest_grant_is_counted_and_changed_in_no_time),
		WITH_VN(table_has_what_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
