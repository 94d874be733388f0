/* SPDX-License-Identifier: ISC */
/* Where frames go: MAC learning, replication, policies, choice and end of SAs. */
#include "pcap_box.h"

TEST(without_an_sa_nothing_leaves_and_one_is_asked_for)
{
	struct addr dst = test_addr(plain.b);

	join(&plain);
	assert_int_equal(dp_sa_del(&a.dp, SA_OUT, 0x1000, &dst), OK);
	assert_int_equal(dp_sa_del(&a.dp, SA_OUT, 0x1000, &dst), ERR_NOTFOUND);
	a.dp.now_ms = 5000;
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.n_wire, 0);
	assert_int_equal(a.acquires, 1);
	assert_string_equal(a.node, "nve-b");
	a.dp.now_ms = 5999;
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.acquires, 1);
	a.dp.now_ms = 6000;
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.acquires, 2);
	part();
}

TEST(frames_follow_learned_addresses)
{
	struct grant g = test_grant(2, plain.a, "192.0.2.3");
	struct policy p;
	struct sa_params sa;

	join(&plain);
	/* A third node, c. */
	(void)strcpy(g.node, "nve-c");
	assert_int_equal(dp_grant_set(&a.dp, &g), OK);
	p = test_policy(&g);
	assert_int_equal(dp_policy_add(&a.dp, &p), OK);
	sa = test_sa(&g, SA_OUT, 0x3000, 0x33);
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	sa = test_sa(&g, SA_IN, 0x3001, 0x34);
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);

	send_frame(&a, 5001, MAC_B, MAC_A, 100);         /* unknown: to both */
	assert_int_equal(a.n_wire, 2);
	{
		struct esp_sa *in = sad_find(&a.dp.sad, SA_IN, 0x3001, &g.local[0]);
		struct vn *vn = dp_vn(&a.dp, 5001);

		(void)mactab_learn(&vn->macs, MAC_B, in->peer, 0);
	}
	a.n_wire = 0;
	send_frame(&a, 5001, MAC_B, MAC_A, 100);         /* known: to c alone */
	assert_int_equal(a.n_wire, 1);
	assert_int_equal(a.wire[0].octets[19], 3);
	a.n_wire = 0;
	send_frame(&a, 5001, MAC_A, MAC_B, 100);         /* b's address appears here: it moved */
	assert_int_equal(a.n_wire, 0);
	assert_int_equal(a.dp.ctr.v[CTR_OUT_LOCAL], 1);
	assert_int_equal(a.dp.ctr.v[CTR_MAC_MOVED], 1);
	send_frame(&a, 5002, MAC_B, MAC_A, 100);         /* another VN knows nothing of it */
	assert_int_equal(a.n_wire, 2);
	policy_free(&p);
	grant_free(&g);
	part();
}

TEST(peer_is_learned_from_what_it_sends)
{
	struct grant g = test_grant(1, plain.b, plain.a);
	struct sa_params sa;

	(void)strcpy(g.node, "nve-a");
	join(&plain);
	sa = test_sa(&g, SA_OUT, 0x4000, 0x44);
	assert_int_equal(dp_sa_add(&b.dp, &sa), OK);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	deliver(&b, &a.wire[0]);
	send_frame(&b, 5001, MAC_A, MAC_B, 100);
	assert_int_equal(b.n_wire, 1);
	assert_int_equal(b.dp.ctr.v[CTR_FLOODED], 0);
	/* The peer goes, and with it what was learned. */
	{
		struct policy p = test_policy(&g);

		assert_int_equal(dp_policy_del(&b.dp, &p), OK);
		assert_int_equal(dp_policy_del(&b.dp, &p), ERR_NOTFOUND);
		assert_int_equal(dp_grant_drop(&b.dp, 1), OK);
		policy_free(&p);
	}
	send_frame(&b, 5001, MAC_A, MAC_B, 100);
	assert_int_equal(b.n_wire, 1);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_NO_PEER], 1);
	assert_int_equal(b.dp.sad.n, 0);
	grant_free(&g);
	part();
}

TEST(policy_that_blocks_or_shares_no_vn_sends_nothing)
{
	struct grant g = test_grant(1, plain.a, plain.b);
	struct policy p;

	(void)strcpy(g.node, "nve-b");
	join(&plain);
	p = test_policy(&g);
	p.action = POLICY_BLOCK;
	assert_int_equal(dp_policy_add(&a.dp, &p), OK);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.dp.ctr.v[CTR_DROP_BLOCKED], 1);
	p.action = POLICY_BYPASS;
	assert_int_equal(dp_policy_add(&a.dp, &p), ERR_UNSUPPORTED);
	p.action = POLICY_PROTECT;
	p.n_vnis = 1;
	assert_int_equal(dp_policy_add(&a.dp, &p), OK);
	send_frame(&a, 5002, BROADCAST, MAC_A, 100);
	assert_int_equal(a.dp.ctr.v[CTR_DROP_NO_PEER], 1);
	assert_int_equal(a.n_wire, 0);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.n_wire, 1);
	policy_free(&p);
	grant_free(&g);
	part();
}

TEST(newest_sa_is_used_and_that_of_the_vn_before_all)
{
	struct grant g = test_grant(1, plain.a, plain.b);
	struct sa_params sa;
	struct rd r;

	(void)strcpy(g.node, "nve-b");
	join(&plain);
	sa = test_sa(&g, SA_OUT, 0x7000, 0x70);
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	assert_int_equal(dp_sa_add(&a.dp, &sa), ERR_EXISTS);
	sa = test_sa(&g, SA_OUT, 0x7001, 0x71);
	sa.vni = 5002;
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	sa = test_sa(&g, SA_OUT, 0x7002, 0x72);
	sa.inactive = true;
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	send_frame(&a, 5002, BROADCAST, MAC_A, 100);
	r = rd_open(bytes_of(a.wire[0].octets + IPV4_LEN, 4));
	assert_int_equal(rd_u32(&r), 0x7000);
	r = rd_open(bytes_of(a.wire[1].octets + IPV4_LEN, 4));
	assert_int_equal(rd_u32(&r), 0x7001);
	grant_free(&g);
	part();
}

TEST(lifetimes_end_softly_then_hard)
{
	struct grant g = test_grant(1, plain.a, plain.b);
	struct sa_params sa = test_sa(&g, SA_OUT, 0x7000, 0x70);
	int i;

	(void)strcpy(g.node, "nve-b");
	join(&plain);
	sa.life.soft_packets = 3;
	sa.life.hard_packets = 5;
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	for (i = 1; i <= 5; i++) {
		send_frame(&a, 5001, BROADCAST, MAC_A, 100);
		assert_int_equal(a.soft, i >= 3);
		assert_int_equal(a.hard, i == 5);
	}
	assert_null(sad_find(&a.dp.sad, SA_OUT, 0x7000, &sa.dst));
	assert_int_equal(a.n_wire, 5);
	/* By octets. */
	sa = test_sa(&g, SA_OUT, 0x7001, 0x71);
	sa.life.hard_bytes = 1;
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.hard, 2);
	/* By time. */
	sa = test_sa(&g, SA_OUT, 0x7002, 0x72);
	sa.life.soft_s = 10;
	sa.life.hard_s = 20;
	assert_int_equal(dp_sa_add(&a.dp, &sa), OK);
	assert_int_equal(dp_deadline(&a.dp), 10000);
	a.dp.now_ms = 9999;
	dp_tick(&a.dp);
	assert_int_equal(a.soft, 1);
	a.dp.now_ms = 10000;
	dp_tick(&a.dp);
	assert_int_equal(a.soft, 2);
	a.dp.now_ms = 20000;
	dp_tick(&a.dp);
	assert_int_equal(a.hard, 3);
	assert_int_equal(dp_deadline(&a.dp), TIMER_NEVER);
	grant_free(&g);
	part();
}

TEST(inner_vlan_tags_are_handled_as_rfc_7348_says)
{
	struct dp_config keep;
	uint8_t f[64];
	struct setup s = plain;

	/* Stripped on the way in. */
	join(&s);
	(void)frame(f, BROADCAST, MAC_A, sizeof f);
	memcpy(f + 12, "\x81\x00\x00\x05\x88\xb5", 6);
	dp_tenant_frame(&a.dp, dp_vn(&a.dp, 5001), bytes_of(f, sizeof f));
	dp_flush(&a.dp);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.tenant[0].n, sizeof f - 4);
	/* One that came tagged is dropped. */
	a.dp.cfg.keep_vlan = true;
	dp_tenant_frame(&a.dp, dp_vn(&a.dp, 5001), bytes_of(f, sizeof f));
	dp_flush(&a.dp);
	deliver(&b, &a.wire[1]);
	assert_int_equal(b.n_tenant, 1);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_VLAN], 1);
	part();
	/* Unless configured otherwise. */
	dp_config_defaults(&keep);
	keep.keep_vlan = true;
	s.b_cfg = &keep;
	join(&s);
	a.dp.cfg.keep_vlan = true;
	dp_tenant_frame(&a.dp, dp_vn(&a.dp, 5001), bytes_of(f, sizeof f));
	dp_flush(&a.dp);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.tenant[0].n, sizeof f);
	part();
}

TEST(flush_own_leaves_nothing)
{
	join(&plain);
	dp_flush_own(&a.dp);
	assert_int_equal(a.dp.sad.n, 0);
	assert_int_equal(hash_count(a.dp.spd.grants), 0);
	assert_int_equal(hash_count(a.dp.spd.peers), 0);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.n_wire, 0);
	part();
}

TEST(bad_frames_of_tenants_are_dropped)
{
	uint8_t f[OCTETS_MAX];

	join(&plain);
	send_frame(&a, 5001, MAC_B, BROADCAST, 100);
	send_frame(&a, 5001, MAC_B, 0, 100);
	dp_tenant_frame(&a.dp, dp_vn(&a.dp, 5001), bytes_of(f, 13));
	assert_int_equal(a.dp.ctr.v[CTR_DROP_FRAME], 3);
	send_frame(&a, 5001, MAC_B, MAC_A, DP_FRAME_MAX + 1);
	assert_int_equal(a.dp.ctr.v[CTR_DROP_TOO_BIG], 1);
	assert_int_equal(a.n_wire, 0);
	part();
}

static uint64_t node_sum;

static void
sum_no_sa(void *arg, const char *name, const char *node, uint32_t vni, uint64_t value)
{
	(void)arg;
	(void)vni;
	if (strcmp(name, "drop.no-sa") == 0 && strcmp(node, "nve-b") == 0)
		node_sum += value;
}

TEST(counters_name_the_peer_without_an_sa)
{
	struct addr dst = test_addr(plain.b);

	join(&plain);
	assert_int_equal(dp_sa_del(&a.dp, SA_OUT, 0x1000, &dst), OK);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	dp_counters(&a.dp, sum_no_sa, NULL);
	assert_int_equal(node_sum, 2);
	part();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_an_sa_nothing_leaves_and_one_is_asked_for),
		cmocka_unit_test(frames_follow_learned_addresses),
		cmocka_unit_test(peer_is_learned_from_what_it_sends),
		cmocka_unit_test(policy_that_blocks_or_shares_no_vn_sends_nothing),
		cmocka_unit_test(newest_sa_is_used_and_that_of_the_vn_before_all),
		cmocka_unit_test(lifetimes_end_softly_then_hard),
		cmocka_unit_test(inner_vlan_tags_are_handled_as_rfc_7348_says),
		cmocka_unit_test(flush_own_leaves_nothing),
		cmocka_unit_test(bad_frames_of_tenants_are_dropped),
		cmocka_unit_test(counters_name_the_peer_without_an_sa),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
