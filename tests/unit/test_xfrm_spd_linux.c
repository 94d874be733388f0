/* SPDX-License-Identifier: ISC */
/* The policies for all addresses, and what is known of the kernel's; test_xfrm_target has those per peer. */
#include "xfrm_model.h"

#define HERE  "192.0.2.1"
#define THERE "192.0.2.2"
#define HERE6  "2001:db8::1"
#define THERE6 "2001:db8::2"

static struct spd spd;
static struct kernel kernel;

static int
setup(void **state)
{
	struct options o = model_options();

	(void)state;
	kernel.n = 0;
	return spd_init(&spd, &o, model_seed);
}

static int
teardown(void **state)
{
	(void)state;
	spd_free(&spd);
	return 0;
}

static struct target *
protect(const char *node, const char *local, const char *peer, struct channel c)
{
	struct policy p = model_policy(node, local, peer, c);

	assert_int_equal(spd_policy_add(&spd, &p), OK);
	return spd_target(&spd, node, c.id);
}

static void
layer_1(void)
{
	assert_int_equal(spd_block(&spd, 4789), OK);
	assert_int_equal(spd_bypass_ike(&spd), OK);
}

/* Takes all policies with this priority out of the kernel: the broken twin of what they are for. */
static void
without_priority(uint32_t priority)
{
	size_t i = 0;

	while (i < kernel.n)
		if (kernel.p[i].priority == priority)
			kernel_del(&kernel, &kernel.p[i]);
		else
			i++;
}

/* ---- what is there before any peer is known ---- */

TEST(protected_port_is_blocked_both_ways_in_both_families)
{
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 50000, 4789), PASS);
	layer_1();
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 50000, 4789), BLOCK);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, UDP, 50000, 4789), BLOCK);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE6, THERE6, UDP, 50000, 4789), BLOCK);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE6, HERE6, UDP, 50000, 4789), BLOCK);
}

TEST(blocks_leave_other_traffic_alone)
{
	layer_1();
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 50000, 8472), PASS);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, UDP, 4789, 50000), PASS);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, TCP, 50000, 4789), PASS);
}

/* How many source ports let a datagram to the protected port through in the clear. */
static unsigned
open_ports(uint8_t dir)
{
	unsigned port, n = 0;

	for (port = 0; port <= UINT16_MAX; port++)
		n += judge(&kernel, dir, dir == XDIR_OUT ? HERE : THERE,
		    dir == XDIR_OUT ? THERE : HERE, UDP, (uint16_t)port, 4789) == PASS;
	return n;
}

TEST(no_source_port_opens_a_protected_port)
{
	layer_1();
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(open_ports(XDIR_OUT), 0);
	assert_int_equal(open_ports(XDIR_IN), 0);
	/* The twin: VXLAN's source port may be any, so the way of IKE would be its way, too. */
	without_priority(spd.priority + 1);
	assert_int_equal(open_ports(XDIR_OUT), 2);
	assert_int_equal(open_ports(XDIR_IN), 0);
}

TEST(ike_and_neighbour_discovery_pass_where_all_traffic_is_protected)
{
	static const uint16_t ports[] = { 500, 4500 };
	size_t i;

	layer_1();
	(void)protect("nva-1", HERE, THERE, model_channel("all", LEVEL_CONTROL, 0, 0));
	(void)protect("nva-2", HERE6, THERE6, model_channel("all", LEVEL_CONTROL, 0, 0));
	(void)kernel_apply(&kernel, &spd);
	for (i = 0; i < COUNT(ports); i++) {
		/* The peer may be behind a NAT. */
		assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, ports[i], 61000), PASS);
		assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, UDP, 61000, ports[i]), PASS);
		assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, UDP, ports[i], 61000), PROTECT);
		assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 61000, ports[i]), PROTECT);
	}
	for (i = 133; i <= 138; i++) {
		enum verdict v = i == 135 || i == 136 ? PASS : PROTECT;

		assert_int_equal(judge(&kernel, XDIR_OUT, HERE6, THERE6, 58, (uint16_t)i, 0), v);
		assert_int_equal(judge(&kernel, XDIR_IN, THERE6, HERE6, 58, (uint16_t)i, 0), v);
	}
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, TCP, 1, 2), PROTECT);
	/* The twin: without the bypass nobody could agree on keys. */
	without_priority(spd.priority + 2);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 500, 500), PROTECT);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE6, THERE6, 58, 136, 0), PROTECT);
}

TEST(ports_of_ike_are_never_blocked)
{
	struct policy p = model_policy("nve-2", HERE, THERE, model_channel("x", LEVEL_DATA, UDP, 4500));
	struct sa_params sa = model_sa(&p, SA_OUT, 0x1001);
	struct target *t;

	layer_1();
	assert_int_equal(spd_block(&spd, 500), ERR_VALUE);
	assert_int_equal(spd_block(&spd, 4500), ERR_VALUE);
	assert_int_equal(spd_policy_add(&spd, &p), ERR_UNSUPPORTED);
	assert_int_equal(spd_bind(&spd, "nve-2", &p.channel, &sa, &t), ERR_UNSUPPORTED);
	assert_null(spd_target(&spd, "nve-2", "x"));
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, UDP, 61000, 4500), PASS);
}

TEST(port_0_would_be_every_port)
{
	assert_int_equal(spd_block(&spd, 0), ERR_VALUE);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

TEST(blocked_twice_is_blocked_once)
{
	size_t n;

	layer_1();
	n = spd.n_own;
	layer_1();
	assert_int_equal(spd.n_own, n);
	assert_int_equal(kernel_apply(&kernel, &spd), n);
	layer_1();
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

/* ---- the list of what is to be done ---- */

TEST(what_was_done_is_not_done_again)
{
	struct target *t;

	layer_1();
	t = protect("nve-2", HERE, THERE, vxlan());
	assert_int_equal(kernel_apply(&kernel, &spd), spd.n_own);
	assert_ptr_equal(protect("nve-2", HERE, THERE, vxlan()), t);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

TEST(what_was_lost_is_wanted_again)
{
	struct pol_entry *e;
	size_t pos = 0, n = 0;

	layer_1();
	(void)kernel_apply(&kernel, &spd);
	for (; (e = spd_entry_next(&spd, &pos)) != NULL; n++) {
		e->have = false;
		spd_touch(&spd, e);
		spd_touch(&spd, e);
	}
	kernel.n = 0;
	assert_int_equal(kernel_apply(&kernel, &spd), n);
	assert_int_equal(kernel.n, n);
}

TEST(what_was_wanted_and_withdrawn_before_it_came_there_is_nothing)
{
	size_t pos = 0;

	(void)protect("nve-2", HERE, THERE, vxlan());
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
	assert_int_equal(spd.n_own, 0);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_null(spd_entry_next(&spd, &pos));
}

TEST(entry_that_is_listed_is_not_released_under_way)
{
	struct pol_entry *e;
	size_t pos = 0;

	(void)protect("nve-2", HERE, THERE, vxlan());
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
	while ((e = spd_entry_next(&spd, &pos)) != NULL) {
		assert_true(e->listed && !e->want && !e->have);
		spd_release(&spd, e);
	}
	assert_int_equal(hash_count(spd.pols), 3);
	assert_null(spd_dirty(&spd));
	assert_int_equal(hash_count(spd.pols), 0);
	/* The list is whole: what comes next is on it. */
	(void)protect("nve-3", HERE, "192.0.2.3", vxlan());
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
}

TEST(withdrawn_and_wanted_again_is_left_alone)
{
	uint32_t reqid = protect("nve-2", HERE, THERE, vxlan())->reqid;
	struct policy p = model_policy("nve-2", HERE, THERE, vxlan());
	struct sa_params sa = model_sa(&p, SA_OUT, 0x1001);
	struct target *t;

	assert_int_equal(spd_bind(&spd, "nve-2", &p.channel, &sa, &t), OK);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
	assert_int_equal(protect("nve-2", HERE, THERE, vxlan())->reqid, reqid);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

/* ---- ours, by their looks ---- */

TEST(all_that_we_make_is_ours_by_its_looks)
{
	struct policy block = model_policy("nve-4", HERE, "192.0.2.4", vxlan());
	const struct pol_entry *e;
	size_t pos = 0, blocks = 0;
	uint16_t port;

	layer_1();
	(void)protect("nve-2", HERE, THERE, vxlan());
	(void)protect("nve-2", HERE6, THERE6, evpn());
	(void)protect("nve-3", HERE, "192.0.2.3", model_channel("all", LEVEL_CONTROL, 0, 0));
	block.action = POLICY_BLOCK;
	assert_int_equal(spd_policy_add(&spd, &block), OK);
	while ((e = spd_entry_next(&spd, &pos)) != NULL) {
		assert_true(spd_is_own(&spd, &e->pol));
		if (spd_is_block(&spd, &e->pol, &port)) {
			assert_int_equal(port, 4789);
			blocks++;
		}
	}
	assert_int_equal(blocks, 4);
}

static struct xpol
like_block(void)
{
	return (struct xpol){ .dir = XDIR_IN, .block = true, .priority = 50000,
	    .sel = xsel_any(ADDR_V4, UDP, 0, 4789) };
}

static struct xpol
like_peer(void)
{
	struct addr a = test_addr(HERE), b = test_addr(THERE);

	return (struct xpol){ .dir = XDIR_OUT, .priority = 1000, .tmpl = true,
	    .reqid = spd_reqid_of(&spd, "nve-2", "vxlan"), .mode = SA_TRANSPORT, .src = a,
	    .dst = b, .sel = xsel_hosts(&a, &b, UDP, 0, 4789) };
}

static struct xpol
like_bypass(void)
{
	return (struct xpol){ .dir = XDIR_IN, .priority = 1002, .sel = xsel_any(ADDR_V4, UDP, 0, 500) };
}

static struct xpol
like_fence(void)
{
	return (struct xpol){ .dir = XDIR_OUT, .block = true, .priority = 1001,
	    .sel = xsel_any(ADDR_V4, UDP, 4500, 4789) };
}

/* One thing changed, and it is somebody else's. */
TEST(policies_of_others_are_not_ours)
{
	struct xpol (*const likes[])(void) = { like_block, like_peer, like_bypass, like_fence };
	struct xpol p;
	size_t i;

	for (i = 0; i < COUNT(likes); i++) {
		p = likes[i]();
		assert_true(spd_is_own(&spd, &p));
#define NOT_OURS(change) (p = likes[i](), (void)(change), assert_false(spd_is_own(&spd, &p)))
		NOT_OURS(p.foreign_shape = true);
		NOT_OURS(p.priority = 7);
		NOT_OURS(p.dir = XDIR_FWD + 1);
		if (p.tmpl) {
			NOT_OURS(p.reqid = 0x4f560000 - 1);
			NOT_OURS(p.reqid = 0x4f560000 + REQIDS);
			NOT_OURS(p.reqid = 0);
			NOT_OURS(p.tmpl = false);
			continue;
		}
		NOT_OURS(p.dir = XDIR_FWD);
		NOT_OURS(p.block = !p.block);
		NOT_OURS(p.tmpl = true);
		NOT_OURS(p.sel.proto = TCP);
		NOT_OURS(p.sel.proto = 0);
		NOT_OURS(p.sel.src_len = 8);
		NOT_OURS(p.sel.dst_len = 32);
		NOT_OURS(p.sel.dport_mask ^= 0xff00);
		NOT_OURS(p.sel.sport_mask ^= 0x00ff);
		NOT_OURS((p.sel.dport = 0, p.sel.dport_mask = p.dir == XDIR_IN ? 0xffff : 0xff));
#undef NOT_OURS
	}
	p = like_block();
	p.sel = xsel_any(ADDR_V4, UDP, 0, 0);
	assert_false(spd_is_own(&spd, &p));
	p = like_bypass();
	p.sel.dport = 501;
	assert_false(spd_is_own(&spd, &p));
	/* A host that an administrator blocks with our priority. */
	p = like_peer();
	p.block = true;
	p.tmpl = false;
	assert_false(spd_is_own(&spd, &p));
}

/* ---- what a former process left ---- */

static void
inherit(struct xpol p)
{
	assert_int_equal(spd_inherit(&spd, &p), OK);
	if (kernel_find(&kernel, p.dir, &p.sel) == NULL)
		kernel.p[kernel.n++] = p;
}

TEST(inherited_ones_stay_until_they_are_disinherited)
{
	inherit(like_peer());
	inherit(like_bypass());
	inherit(like_fence());
	inherit(like_peer());
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_int_equal(kernel.n, 3);
	assert_int_equal(spd.n_own, 0);
	spd_disinherit(&spd);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_int_equal(kernel.n, 0);
	assert_int_equal(hash_count(spd.pols), 0);
}

TEST(blocks_never_go)
{
	struct xpol other = like_block();

	other.sel = xsel_any(ADDR_V6, UDP, 0, 8472);
	inherit(like_block());
	inherit(other);
	spd_disinherit(&spd);
	spd_disinherit(&spd);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_int_equal(kernel.n, 2);
	/* But a former one on what is IKE's port now does: nothing would come through. */
	other.sel = xsel_any(ADDR_V6, UDP, 0, 4500);
	inherit(other);
	spd_disinherit(&spd);
	assert_int_equal(kernel_apply(&kernel, &spd), 1);
	assert_int_equal(kernel.n, 2);
}

TEST(inherited_and_wanted_is_kept_as_it_is)
{
	inherit(like_block());
	inherit(like_peer());
	inherit(like_bypass());
	layer_1();
	assert_int_equal(protect("nve-2", HERE, THERE, vxlan())->reqid, like_peer().reqid);
	assert_int_equal(kernel_apply(&kernel, &spd), spd.n_own - 3);
	spd_disinherit(&spd);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_int_equal(kernel.n, spd.n_own);
}

TEST(inherited_ones_that_differ_are_replaced)
{
	struct xpol p = like_peer(), q = like_bypass();
	const struct xpol *now;

	p.mode = SA_TUNNEL;
	inherit(p);
	/* A block where IKE's bypass is to be: of a process that had other ports. */
	q.block = true;
	q.priority = 50000;
	inherit(q);
	(void)protect("nve-2", HERE, THERE, vxlan());
	layer_1();
	(void)kernel_apply(&kernel, &spd);
	now = kernel_find(&kernel, p.dir, &p.sel);
	assert_int_equal(now->mode, SA_TRANSPORT);
	assert_int_equal(now->reqid, p.reqid);
	assert_false(kernel_find(&kernel, q.dir, &q.sel)->block);
	assert_int_equal(kernel.n, spd.n_own);
}

/* Somebody changed one of ours while we looked elsewhere. */
TEST(wanted_ones_found_otherwise_are_replaced)
{
	struct xpol p, *there;

	layer_1();
	(void)protect("nve-2", HERE, THERE, vxlan());
	(void)kernel_apply(&kernel, &spd);
	p = like_peer();
	there = kernel_find(&kernel, p.dir, &p.sel);
	there->mode = SA_TUNNEL;
	assert_int_equal(spd_inherit(&spd, there), OK);
	assert_int_equal(kernel_apply(&kernel, &spd), 1);
	assert_int_equal(kernel_find(&kernel, p.dir, &p.sel)->mode, SA_TRANSPORT);
	assert_int_equal(spd_inherit(&spd, kernel_find(&kernel, p.dir, &p.sel)), OK);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

#define WITH_SPD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_SPD(protected_port_is_blocked_both_ways_in_both_families),
		WITH_SPD(blocks_leave_other_traffic_alone),
		WITH_SPD(no_source_port_opens_a_protected_port),
		WITH_SPD(ike_and_neighbour_discovery_pass_where_all_traffic_is_protected),
		WITH_SPD(ports_of_ike_are_never_blocked),
		WITH_SPD(port_0_would_be_every_port),
		WITH_SPD(blocked_twice_is_blocked_once),
		WITH_SPD(what_was_done_is_not_done_again),
		WITH_SPD(what_was_lost_is_wanted_again),
		WITH_SPD(what_was_wanted_and_withdrawn_before_it_came_there_is_nothing),
		WITH_SPD(entry_that_is_listed_is_not_released_under_way),
		WITH_SPD(withdrawn_and_wanted_again_is_left_alone),
		WITH_SPD(all_that_we_make_is_ours_by_its_looks),
		WITH_SPD(policies_of_others_are_not_ours),
		WITH_SPD(inherited_ones_stay_until_they_are_disinherited),
		WITH_SPD(blocks_never_go),
		WITH_SPD(inherited_and_wanted_is_kept_as_it_is),
		WITH_SPD(inherited_ones_that_differ_are_replaced),
		WITH_SPD(wanted_ones_found_otherwise_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
