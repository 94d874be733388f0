/* SPDX-License-Identifier: ISC */
/* The whole pipeline, two data planes joined by arrays: what goes out of one comes into the other. */
#include "backend_support.h"

#include <stdio.h>

#include "crypto/crypto.h"
#include "pcap-backend/dp.h"
#include "pcap-backend/esp_tx.h"
#include "pcap-backend/vxlan.h"

#define CAUGHT_MAX 64
#define OCTETS_MAX 10000

struct caught {
	uint8_t octets[OCTETS_MAX];
	size_t n;
	uint32_t vni;
};

struct box {
	struct dp dp;
	struct caught wire[CAUGHT_MAX], tenant[CAUGHT_MAX];
	size_t n_wire, n_tenant;
	int acquires, soft, hard, mappings;
	char node[ID_MAX];
	struct endpoint mapped;
};

static struct box a, b;

/* ---- catching what comes out ---- */

static void
catch_wire(void *arg, const struct dp_out *out, size_t n)
{
	struct box *box = arg;
	size_t i;

	for (i = 0; i < n && box->n_wire < CAUGHT_MAX; i++) {
		struct caught *c = &box->wire[box->n_wire++];

		assert_true(out[i].packet.n <= OCTETS_MAX);
		memcpy(c->octets, out[i].packet.p, c->n = out[i].packet.n);
	}
}

static void
catch_tenant(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	struct box *box = arg;
	size_t i;

	for (i = 0; i < n && box->n_tenant < CAUGHT_MAX; i++) {
		struct caught *c = &box->tenant[box->n_tenant++];

		memcpy(c->octets, frames[i].p, c->n = frames[i].n);
		c->vni = vni;
	}
}

static void
catch_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	struct box *box = arg;

	box->acquires++;
	(void)snprintf(box->node, sizeof box->node, "%s", node);
	assert_string_equal(channel, "vxlan");
	assert_true(addr_len(peer) != 0);
}

static void
catch_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	struct box *box = arg;

	(void)dir;
	(void)spi;
	(void)dst;
	if (hard)
		box->hard++;
	else
		box->soft++;
}

static void
catch_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	struct box *box = arg;

	(void)spi;
	box->mappings++;
	box->mapped = *peer;
}

static void
open_box(struct box *box, const struct dp_config *cfg)
{
	static const uint8_t seed[16] = { 9 };
	struct dp_io io = { box, catch_wire, catch_tenant, catch_acquire, catch_expire,
	    catch_mapping };
	struct dp_config defaults;

	memset(box, 0, sizeof *box);
	dp_config_defaults(&defaults);
	assert_int_equal(dp_init(&box->dp, cfg == NULL ? &defaults : cfg, &io, seed), OK);
	assert_int_equal(dp_vn_add(&box->dp, 5001), OK);
	assert_int_equal(dp_vn_add(&box->dp, 5002), OK);
	assert_int_equal(dp_vn_add(&box->dp, 5001), ERR_EXISTS);
}

/* ---- a pair of SAs from a to b ---- */

struct setup {
	const char *a, *b;             /* addresses */
	uint8_t mode;
	uint16_t encap;                /* both ports; 0: none */
	const char *transform;
	struct dp_config *b_cfg;
	uint32_t b_vnis;               /* how many of 5001, 5002 b grants to a */
};

static const struct setup plain = { "192.0.2.1", "192.0.2.2", SA_TRANSPORT, 0, "aes128gcm16-esn",
	NULL, 2 };

static void
grant_policy(struct box *box, const char *local, const char *peer, const char *node, uint32_t vnis,
    const struct setup *s, struct grant *g)
{
	struct policy p;

	*g = test_grant(1, local, peer);
	(void)strcpy(g->node, node);
	g->channels[0].mode = s->mode;
	assert_int_equal(esp_transform_parse(&g->channels[0].esp, s->transform), OK);
	g->n_vnis = vnis;
	assert_int_equal(dp_grant_set(&box->dp, g), OK);
	g->n_vnis = 2;
	p = test_policy(g);
	assert_int_equal(dp_policy_add(&box->dp, &p), OK);
	policy_free(&p);
}

static struct sa_params
sa_of(const struct grant *g, uint8_t dir, const struct setup *s)
{
	struct sa_params sa = test_sa(g, dir, 0x1000, 0x5c);

	sa.encap_sport = sa.encap_dport = s->encap;
	return sa;
}

static void
join(const struct setup *s)
{
	struct grant ga, gb;
	struct sa_params out, in;

	open_box(&a, NULL);
	open_box(&b, s->b_cfg);
	grant_policy(&a, s->a, s->b, "nve-b", 2, s, &ga);
	grant_policy(&b, s->b, s->a, "nve-a", s->b_vnis, s, &gb);
	out = sa_of(&ga, SA_OUT, s);
	in = sa_of(&gb, SA_IN, s);
	assert_int_equal(dp_sa_add(&a.dp, &out), OK);
	assert_int_equal(dp_sa_add(&b.dp, &in), OK);
	grant_free(&ga);
	grant_free(&gb);
}

static void
part(void)
{
	dp_free(&a.dp);
	dp_free(&b.dp);
	assert_int_equal(secret_live(), 0);
}

#define BROADCAST UINT64_C(0xffffffffffff)
#define MAC_A     UINT64_C(0x02000000000a)
#define MAC_B     UINT64_C(0x02000000000b)

static size_t
frame(uint8_t *to, uint64_t dst, uint64_t src, size_t n)
{
	struct wr w = wr_fixed(to, n);
	size_t i;

	wr_u16(&w, (uint16_t)(dst >> 32));
	wr_u32(&w, (uint32_t)dst);
	wr_u16(&w, (uint16_t)(src >> 32));
	wr_u32(&w, (uint32_t)src);
	wr_u16(&w, 0x88b5);
	for (i = ETH_LEN; i < n; i++)
		wr_u8(&w, (uint8_t)i);
	assert_false(w.bad);
	return n;
}

static void
send_frame(struct box *box, uint32_t vni, uint64_t dst, uint64_t src, size_t n)
{
	uint8_t octets[OCTETS_MAX];

	dp_tenant_frame(&box->dp, dp_vn(&box->dp, vni), bytes_of(octets, frame(octets, dst, src, n)));
	dp_flush(&box->dp);
}

static void
deliver(struct box *to, const struct caught *c)
{
	dp_wire_packet(&to->dp, bytes_of(c->octets, c->n));
	dp_flush(&to->dp);
}

/* ---- stories ---- */

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

static void
refit_v4(struct caught *c)
{
	uint16_t sum;

	c->octets[10] = c->octets[11] = 0;
	sum = (uint16_t)~csum_octets(bytes_of(c->octets, IPV4_LEN));
	c->octets[10] = (uint8_t)(sum >> 8);
	c->octets[11] = (uint8_t)sum;
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

static int
group_setup(void **state)
{
	(void)state;
	return crypto_init();
}

static int
group_teardown(void **state)
{
	(void)state;
	crypto_cleanup();
	return 0;
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
		cmocka_unit_test(without_an_sa_nothing_leaves_and_one_is_asked_for),
		cmocka_unit_test(frames_follow_learned_addresses),
		cmocka_unit_test(peer_is_learned_from_what_it_sends),
		cmocka_unit_test(policy_that_blocks_or_shares_no_vn_sends_nothing),
		cmocka_unit_test(newest_sa_is_used_and_that_of_the_vn_before_all),
		cmocka_unit_test(lifetimes_end_softly_then_hard),
		cmocka_unit_test(sequence_numbers_never_start_anew),
		cmocka_unit_test(extended_numbers_cross_the_wrap),
		cmocka_unit_test(new_mapping_of_a_nat_is_told_once_a_second),
		cmocka_unit_test(moved_pair_sends_to_the_new_place),
		cmocka_unit_test(inner_vlan_tags_are_handled_as_rfc_7348_says),
		cmocka_unit_test(full_batches_leave_by_themselves),
		cmocka_unit_test(flush_own_leaves_nothing),
		cmocka_unit_test(bad_frames_of_tenants_are_dropped),
		cmocka_unit_test(counters_name_the_peer_without_an_sa),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
