/* SPDX-License-Identifier: ISC */
/* The pipeline: what ESP, anti-replay, selectors and the VNI check do to packets. */
#include "pcap_box.h"

#include "pcap-backend/esp_tx.h"

static void
one_way(const struct setup *s)
{
	static const size_t sizes[] = { 14, 15, 60, 61, 64, 500, 1434, 1514, 9014, DP_FRAME_MAX };
	uint8_t want[OCTETS_MAX];
	size_t i;

	join(s);
	for (i = 0; i < COUNT(sizes); i++) {
		size_t n = frame(want, BROADCAST, MAC_A, sizes[i]);

		send_frame(&a, 5001, BROADCAST, MAC_A, sizes[i]);
		assert_int_equal(a.n_wire, i + 1);
		/* Nothing of the frame is to be seen. */
		if (n > 60)
			assert_null(memmem(a.wire[i].octets, a.wire[i].n, want, 20));
		deliver(&b, &a.wire[i]);
		assert_int_equal(b.n_tenant, i + 1);
		assert_int_equal(b.tenant[i].n, n);
		assert_int_equal(b.tenant[i].vni, 5001);
		assert_memory_equal(b.tenant[i].octets, want, n);
	}
	assert_int_equal(b.dp.ctr.v[CTR_IN_PACKETS], COUNT(sizes));
	part();
}

TEST(frames_cross_in_every_mode_family_and_transform)
{
	static const char *const transforms[] = { "aes128gcm16", "aes256gcm16-esn", "aes128gmac",
	    "chacha20poly1305-esn", "aes256-sha512", "aes128-sha256-esn" };
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "2001:db8::2" },
	};
	size_t t, p, m, e;

	for (t = 0; t < COUNT(transforms); t++)
		for (p = 0; p < COUNT(pairs); p++)
			for (m = SA_TRANSPORT; m <= SA_TUNNEL; m++)
				for (e = 0; e < 2; e++) {
					struct setup s = { pairs[p][0], pairs[p][1], (uint8_t)m,
					    e == 0 ? 0 : 4500, transforms[t], NULL, 2 };

					/* Integrity only: the frame is to be seen. */
					if (strcmp(transforms[t], "aes128gmac") != 0)
						one_way(&s);
				}
}

TEST(packets_are_what_the_rfcs_say)
{
	struct setup s = plain;
	struct ip_view ip;
	struct udp_view udp;
	struct rd r;

	join(&s);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(ip_read(bytes_of(a.wire[0].octets, a.wire[0].n), &ip), OK);
	assert_int_equal(ip.proto, IP_PROTO_ESP);
	r = rd_open(ip.payload);
	assert_int_equal(rd_u32(&r), 0x1000);
	assert_int_equal(rd_u32(&r), 1);
	assert_int_equal(a.wire[0].octets[8], 64);        /* TTL */
	assert_int_equal(a.wire[0].octets[6], 0);         /* may be fragmented */
	part();
	s.encap = 4500;
	join(&s);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(ip_read(bytes_of(a.wire[0].octets, a.wire[0].n), &ip), OK);
	assert_int_equal(ip.proto, IP_PROTO_UDP);
	assert_int_equal(udp_read(ip.payload, &udp), OK);
	assert_int_equal(udp.sport, 4500);
	assert_int_equal(udp.dport, 4500);
	assert_int_equal(udp.payload.n, ip.payload.n - UDP_LEN);
	/* RFC 3948 section 2.1: the checksum SHOULD be zero. */
	assert_int_equal(ip.payload.p[6] | ip.payload.p[7], 0);
	part();
}

/* 1416 and its kin: an inner IP packet of that size fits, one octet more does not. */
TEST(inner_mtu_is_exact)
{
	static const struct { struct setup s; size_t want; } rows[] = {
		{ { "192.0.2.1", "192.0.2.2", SA_TRANSPORT, 0, "aes128gcm16", NULL, 2 }, 1416 },
		{ { "192.0.2.1", "192.0.2.2", SA_TRANSPORT, 4500, "aes128gcm16", NULL, 2 }, 1408 },
		{ { "2001:db8::1", "2001:db8::2", SA_TRANSPORT, 0, "aes256gcm16", NULL, 2 }, 1396 },
		{ { "2001:db8::1", "2001:db8::2", SA_TRANSPORT, 4500, "aes128gcm16", NULL, 2 }, 1388 },
		{ { "192.0.2.1", "192.0.2.2", SA_TUNNEL, 0, "aes128gcm16", NULL, 2 }, 1396 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const struct setup *s = &rows[i].s;
		struct addr dst = test_addr(s->b);
		size_t mtu;

		join(s);
		mtu = esp_tx_inner_mtu(sad_find(&a.dp.sad, SA_OUT, 0x1000, &dst), 1500);
		assert_int_equal(mtu, rows[i].want);
		send_frame(&a, 5001, BROADCAST, MAC_A, mtu + ETH_LEN);
		assert_true(a.wire[0].n <= 1500);
		send_frame(&a, 5001, BROADCAST, MAC_A, mtu + ETH_LEN + 1);
		assert_true(a.wire[1].n > 1500);
		part();
	}
}

TEST(replayed_packet_is_dropped_and_its_twin_lets_it_pass)
{
	struct dp_config unsafe;
	struct setup s = plain;

	join(&s);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	deliver(&b, &a.wire[0]);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.n_tenant, 1);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_REPLAY], 1);
	/* Twice in one batch. */
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	dp_wire_packet(&b.dp, bytes_of(a.wire[1].octets, a.wire[1].n));
	dp_wire_packet(&b.dp, bytes_of(a.wire[1].octets, a.wire[1].n));
	dp_flush(&b.dp);
	assert_int_equal(b.n_tenant, 2);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_REPLAY], 2);
	part();

	dp_config_defaults(&unsafe);
	unsafe.unsafe_no_replay_check = true;
	s.b_cfg = &unsafe;
	join(&s);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	deliver(&b, &a.wire[0]);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.n_tenant, 2);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_REPLAY], 0);
	assert_true(b.dp.ctr.v[CTR_UNSAFE_REPLAY] > 0);
	part();
}

TEST(vni_outside_the_grant_is_dropped_and_its_twin_lets_it_pass)
{
	struct dp_config unsafe;
	struct setup s = plain;

	s.b_vnis = 1;
	join(&s);
	send_frame(&a, 5002, BROADCAST, MAC_A, 100);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.n_tenant, 0);
	assert_int_equal(counters_vni_total(&b.dp.ctr), 1);
	assert_string_equal(b.dp.ctr.vnis[0].node, "nve-a");
	assert_int_equal(b.dp.ctr.vnis[0].vni, 5002);
	deliver(&b, &a.wire[1]);
	assert_int_equal(b.n_tenant, 1);
	part();

	dp_config_defaults(&unsafe);
	unsafe.unsafe_no_vni_check = true;
	s.b_cfg = &unsafe;
	join(&s);
	send_frame(&a, 5002, BROADCAST, MAC_A, 100);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.n_tenant, 1);
	assert_int_equal(b.tenant[0].vni, 5002);
	assert_int_equal(b.dp.ctr.v[CTR_UNSAFE_VNI], 1);
	part();
}

TEST(sa_of_one_vn_carries_that_vn_only)
{
	struct setup s = plain;
	struct addr dst = test_addr(s.b);
	struct esp_sa *in;

	join(&s);
	in = sad_find(&b.dp.sad, SA_IN, 0x1000, &dst);
	in->p.vni = 5001;
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	send_frame(&a, 5002, BROADCAST, MAC_A, 100);
	deliver(&b, &a.wire[0]);
	deliver(&b, &a.wire[1]);
	assert_int_equal(b.n_tenant, 1);
	assert_int_equal(in->bad_vni, 1);
	part();
}

TEST(forged_outer_source_is_dropped_in_transport_mode)
{
	join(&plain);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	a.wire[0].octets[15] = 77;        /* 192.0.2.77 */
	refit_v4(&a.wire[0]);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.n_tenant, 0);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_SELECTOR], 1);
	part();
}

TEST(changed_packet_changes_no_state)
{
	struct addr dst = test_addr(plain.b);
	struct esp_sa *in;
	size_t i;

	join(&plain);
	in = sad_find(&b.dp.sad, SA_IN, 0x1000, &dst);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	for (i = IPV4_LEN; i < a.wire[0].n; i++) {
		a.wire[0].octets[i] ^= 1;
		deliver(&b, &a.wire[0]);
		a.wire[0].octets[i] ^= 1;
		assert_int_equal(b.n_tenant, 0);
		assert_int_equal(in->replay.top, 0);
		assert_int_equal(in->packets, 0);
	}
	/* Another SPI for the first four octets, number 0 once, a bad ICV for the rest. */
	assert_int_equal(b.dp.ctr.v[CTR_DROP_SPI], 4);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_REPLAY], 1);
	assert_int_equal(in->bad_icv, a.wire[0].n - IPV4_LEN - 5);
	deliver(&b, &a.wire[0]);
	assert_int_equal(b.n_tenant, 1);
	part();
}

TEST(every_truncation_is_dropped)
{
	struct setup s = plain;
	struct caught c;
	size_t n;

	s.encap = 4500;
	join(&s);
	send_frame(&a, 5001, BROADCAST, MAC_A, 60);
	for (n = 0; n < a.wire[0].n; n++) {
		c = a.wire[0];
		c.n = n;
		deliver(&b, &c);
		if (n < IPV4_LEN + UDP_LEN)
			continue;
		/* Headers that agree with the shorter length. */
		c.octets[2] = (uint8_t)(n >> 8);
		c.octets[3] = (uint8_t)n;
		c.octets[IPV4_LEN + 4] = (uint8_t)((n - IPV4_LEN) >> 8);
		c.octets[IPV4_LEN + 5] = (uint8_t)(n - IPV4_LEN);
		refit_v4(&c);
		deliver(&b, &c);
	}
	assert_int_equal(b.n_tenant, 0);
	part();
}

TEST(plaintext_and_fragments_are_counted)
{
	struct addr src = test_addr("192.0.2.9"), dst = test_addr("192.0.2.2");
	struct ip_tmpl t;
	struct caught c = { .n = IPV4_LEN + UDP_LEN + VXLAN_LEN + 60 };

	join(&plain);
	ip_tmpl_init(&t, &src, &dst, IP_PROTO_UDP);
	ip_put(&t, c.octets, c.n - IPV4_LEN, 1);
	udp_put(c.octets + IPV4_LEN, 55555, 4789, c.n - IPV4_LEN, 0);
	vxlan_put(c.octets + IPV4_LEN + UDP_LEN, 5001);
	(void)frame(c.octets + IPV4_LEN + UDP_LEN + VXLAN_LEN, BROADCAST, MAC_A, 60);
	deliver(&b, &c);
	assert_int_equal(b.n_tenant, 0);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_PLAINTEXT], 1);
	c.octets[6] = 0x20;
	refit_v4(&c);
	deliver(&b, &c);
	assert_int_equal(b.dp.ctr.v[CTR_DROP_FRAGMENT], 1);
	part();
}

TEST(ike_and_keepalives_on_the_natt_port_are_left_alone)
{
	struct addr src = test_addr("192.0.2.1"), dst = test_addr("192.0.2.2");
	struct ip_tmpl t;
	struct caught c = { .n = IPV4_LEN + UDP_LEN + 32 };
	size_t i;

	join(&plain);
	ip_tmpl_init(&t, &src, &dst, IP_PROTO_UDP);
	ip_put(&t, c.octets, c.n - IPV4_LEN, 1);
	udp_put(c.octets + IPV4_LEN, 4500, 4500, c.n - IPV4_LEN, 0);
	deliver(&b, &c);
	c.n = IPV4_LEN + UDP_LEN + 1;
	ip_put(&t, c.octets, c.n - IPV4_LEN, 1);
	udp_put(c.octets + IPV4_LEN, 4500, 4500, UDP_LEN + 1, 0);
	c.octets[c.n - 1] = 0xff;
	deliver(&b, &c);
	for (i = 0; i < CTR_N; i++)
		assert_int_equal(b.dp.ctr.v[i], 0);
	part();
}

TEST(sequence_numbers_never_start_anew)
{
	struct setup s = plain;
	struct addr dst = test_addr(s.b);
	struct esp_sa *out;

	s.transform = "aes128gcm16";
	join(&s);
	out = sad_find(&a.dp.sad, SA_OUT, 0x1000, &dst);
	out->seq = sad_soft_seq(out) - 1;
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.soft, 1);
	out->seq = UINT32_MAX - UINT64_C(1);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.n_wire, 2);
	assert_int_equal(a.hard, 1);
	assert_null(sad_find(&a.dp.sad, SA_OUT, 0x1000, &dst));
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(a.n_wire, 2);
	part();
}

TEST(extended_numbers_cross_the_wrap)
{
	struct addr dst = test_addr(plain.b);
	struct esp_sa *out, *in;
	int i;

	join(&plain);
	out = sad_find(&a.dp.sad, SA_OUT, 0x1000, &dst);
	in = sad_find(&b.dp.sad, SA_IN, 0x1000, &dst);
	out->seq = UINT32_MAX - UINT64_C(5);
	in->replay.top = out->seq;
	for (i = 0; i < 10; i++) {
		send_frame(&a, 5001, BROADCAST, MAC_A, 100);
		deliver(&b, &a.wire[i]);
	}
	assert_int_equal(b.n_tenant, 10);
	assert_int_equal(in->replay.top, UINT32_MAX + UINT64_C(5));
	part();
}

TEST(new_mapping_of_a_nat_is_told_once_a_second)
{
	struct setup s = plain;
	struct endpoint local = { test_addr(s.b), 4500 }, peer = { test_addr(s.a), 61000 };
	struct caught c;
	int i;

	s.encap = 4500;
	join(&s);
	for (i = 0; i < 3; i++) {
		send_frame(&a, 5001, BROADCAST, MAC_A, 100);
		c = a.wire[i];
		c.octets[IPV4_LEN] = 61000 >> 8;
		c.octets[IPV4_LEN + 1] = 61000 & 0xff;
		deliver(&b, &c);
	}
	assert_int_equal(b.n_tenant, 3);
	assert_int_equal(b.mappings, 1);
	assert_int_equal(b.mapped.port, 61000);
	/* The engine agrees: then it is no news any more. */
	assert_int_equal(dp_sa_move(&b.dp, 1, &local, &peer), OK);
	b.dp.now_ms = 10000;
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	c = a.wire[3];
	c.octets[IPV4_LEN] = 61000 >> 8;
	c.octets[IPV4_LEN + 1] = 61000 & 0xff;
	deliver(&b, &c);
	assert_int_equal(b.mappings, 1);
	assert_int_equal(dp_sa_move(&b.dp, 99, &local, &peer), ERR_NOTFOUND);
	part();
}

TEST(moved_pair_sends_to_the_new_place)
{
	struct setup s = plain;
	struct endpoint local = { test_addr(s.a), 4500 }, peer = { test_addr("192.0.2.99"), 4501 };
	struct ip_view ip;
	struct udp_view udp;

	s.encap = 4500;
	join(&s);
	assert_int_equal(dp_sa_move(&a.dp, 1, &local, &peer), OK);
	send_frame(&a, 5001, BROADCAST, MAC_A, 100);
	assert_int_equal(ip_read(bytes_of(a.wire[0].octets, a.wire[0].n), &ip), OK);
	assert_int_equal(udp_read(ip.payload, &udp), OK);
	assert_true(addr_equal(&ip.dst, &peer.addr));
	assert_int_equal(udp.dport, 4501);
	part();
}

TEST(full_batches_leave_by_themselves)
{
	uint8_t f[100];
	int i;

	join(&plain);
	(void)frame(f, BROADCAST, MAC_A, sizeof f);
	for (i = 0; i < DP_BATCH + 3; i++)
		dp_tenant_frame(&a.dp, dp_vn(&a.dp, 5001), bytes_of(f, sizeof f));
	assert_int_equal(a.n_wire, DP_BATCH);
	dp_flush(&a.dp);
	assert_int_equal(a.n_wire, DP_BATCH + 3);
	for (i = 0; i < DP_BATCH + 3; i++)
		dp_wire_packet(&b.dp, bytes_of(a.wire[i].octets, a.wire[i].n));
	assert_int_equal(b.n_tenant, DP_BATCH);
	dp_flush(&b.dp);
	assert_int_equal(b.n_tenant, DP_BATCH + 3);
	part();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_cross_in_every_mode_family_and_transform),
		cmocka_unit_test(packets_are_what_the_rfcs_say),
		cmocka_unit_test(inner_mtu_is_exact),
		cmocka_unit_test(replayed_packet_is_dropped_and_its_twin_lets_it_pass),
		cmocka_unit_test(vni_outside_the_grant_is_dropped_and_its_twin_lets_it_pass),
		cmocka_unit_test(sa_of_one_vn_carries_that_vn_only),
		cmocka_unit_test(forged_outer_source_is_dropped_in_transport_mode),
		cmocka_unit_test(changed_packet_changes_no_state),
		cmocka_unit_test(every_truncation_is_dropped),
		cmocka_unit_test(plaintext_and_fragments_are_counted),
		cmocka_unit_test(ike_and_keepalives_on_the_natt_port_are_left_alone),
		cmocka_unit_test(sequence_numbers_never_start_anew),
		cmocka_unit_test(extended_numbers_cross_the_wrap),
		cmocka_unit_test(new_mapping_of_a_nat_is_told_once_a_second),
		cmocka_unit_test(moved_pair_sends_to_the_new_place),
		cmocka_unit_test(full_batches_leave_by_themselves),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
