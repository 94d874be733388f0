/* SPDX-License-Identifier: ISC */
/* IP, UDP and VXLAN headers, checksums, tenant frames, MAC tables. */
#include "base_support.h"

#include "pcap-backend/iphdr.h"
#include "pcap-backend/mactab.h"
#include "pcap-backend/vxlan.h"

static struct ip_tmpl
tmpl(const char *src, const char *dst, uint8_t proto)
{
	struct addr s = test_addr(src), d = test_addr(dst);
	struct ip_tmpl t;

	ip_tmpl_init(&t, &s, &d, proto);
	return t;
}

TEST(headers_written_are_read_back)
{
	static const struct { const char *src, *dst; size_t len; } rows[] = {
		{ "192.0.2.1", "192.0.2.2", IPV4_LEN }, { "2001:db8::1", "2001:db8::2", IPV6_LEN },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct ip_tmpl t = tmpl(rows[i].src, rows[i].dst, IP_PROTO_ESP);
		struct addr src = test_addr(rows[i].src), dst = test_addr(rows[i].dst);
		uint8_t buf[128];
		struct ip_view v;

		memset(buf, 0xa5, sizeof buf);
		assert_int_equal(t.len, rows[i].len);
		ip_put(&t, buf, 50, 0xabcd);
		/* The link may have padded it. */
		assert_int_equal(ip_read(bytes_of(buf, sizeof buf), &v), OK);
		assert_true(addr_equal(&v.src, &src));
		assert_true(addr_equal(&v.dst, &dst));
		assert_int_equal(v.proto, IP_PROTO_ESP);
		assert_int_equal(v.payload.n, 50);
		assert_ptr_equal(v.payload.p, buf + t.len);
	}
}

TEST(every_truncation_of_a_packet_is_refused)
{
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "2001:db8::2" },
	};
	uint8_t buf[128] = { 0 };
	struct ip_view v;
	size_t i, n;

	for (i = 0; i < COUNT(pairs); i++) {
		struct ip_tmpl t = tmpl(pairs[i][0], pairs[i][1], IP_PROTO_UDP);

		ip_put(&t, buf, 30, 1);
		for (n = 0; n < t.len + 30u; n++)
			assert_int_equal(ip_read(bytes_of(buf, n), &v), ERR_SYNTAX);
		assert_int_equal(ip_read(bytes_of(buf, n), &v), OK);
	}
}

TEST(bad_ip_headers_are_refused)
{
	struct ip_tmpl t = tmpl("192.0.2.1", "192.0.2.2", IP_PROTO_UDP);
	uint8_t good[60], bad[60];
	struct ip_view v;
	size_t i;

	memset(good, 0, sizeof good);
	ip_put(&t, good, 40, 7);
	assert_int_equal(ip_read(bytes_of(good, 60), &v), OK);
	/* Every single octet of the header counts in its checksum. */
	for (i = 0; i < IPV4_LEN; i++) {
		memcpy(bad, good, sizeof bad);
		bad[i] ^= 0x40;
		assert_int_not_equal(ip_read(bytes_of(bad, 60), &v), OK);
	}
	/* Total length shorter than the header, the checksum being right. */
	t.octets[3] = 19;
	memcpy(bad, t.octets, IPV4_LEN);
	{
		uint16_t sum = (uint16_t)~csum_octets(bytes_of(bad, IPV4_LEN));

		bad[10] = (uint8_t)(sum >> 8);
		bad[11] = (uint8_t)sum;
	}
	assert_int_equal(ip_read(bytes_of(bad, 60), &v), ERR_SYNTAX);
}

static void
refit(uint8_t *p)
{
	uint16_t sum;

	p[10] = p[11] = 0;
	sum = (uint16_t)~csum_octets(bytes_of(p, (size_t)(p[0] & 15) * 4));
	p[10] = (uint8_t)(sum >> 8);
	p[11] = (uint8_t)sum;
}

TEST(fragments_are_told_apart)
{
	struct ip_tmpl t = tmpl("192.0.2.1", "192.0.2.2", IP_PROTO_ESP);
	struct ip_tmpl t6 = tmpl("2001:db8::1", "2001:db8::2", 44);
	uint8_t p[100] = { 0 };
	struct ip_view v;

	ip_put(&t, p, 40, 7);
	p[6] = 0x40;                /* don't fragment: is none */
	refit(p);
	assert_int_equal(ip_read(bytes_of(p, 60), &v), OK);
	p[6] = 0x20;                /* the first one */
	refit(p);
	assert_int_equal(ip_read(bytes_of(p, 60), &v), ERR_UNSUPPORTED);
	p[6] = 0;
	p[7] = 1;                   /* another one */
	refit(p);
	assert_int_equal(ip_read(bytes_of(p, 60), &v), ERR_UNSUPPORTED);
	ip_put(&t6, p, 40, 7);
	assert_int_equal(ip_read(bytes_of(p, 80), &v), ERR_UNSUPPORTED);
}

TEST(ipv4_options_are_passed_over)
{
	struct ip_tmpl t = tmpl("192.0.2.1", "192.0.2.2", IP_PROTO_UDP);
	uint8_t p[64] = { 0 };
	struct ip_view v;

	ip_put(&t, p, 44, 7);
	p[0] = 0x46;
	refit(p);
	assert_int_equal(ip_read(bytes_of(p, 64), &v), OK);
	assert_int_equal(v.payload.n, 40);
	assert_ptr_equal(v.payload.p, p + 24);
}

TEST(udp_header_is_read_within_its_length)
{
	uint8_t p[20] = { 0 };
	struct udp_view u;
	size_t n;

	udp_put(p, 50000, 4789, 18, 0);
	assert_int_equal(udp_read(bytes_of(p, 20), &u), OK);
	assert_int_equal(u.sport, 50000);
	assert_int_equal(u.dport, 4789);
	assert_int_equal(u.payload.n, 10);
	for (n = 0; n < 18; n++)
		assert_int_equal(udp_read(bytes_of(p, n), &u), ERR_SYNTAX);
	udp_put(p, 1, 2, 7, 0);
	assert_int_equal(udp_read(bytes_of(p, 20), &u), ERR_SYNTAX);
}

/* RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 sums up to ddf2. */
TEST(checksum_is_that_of_rfc_1071)
{
	static const uint8_t b[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	static const uint8_t odd[] = { 0x01, 0x02, 0x03 };

	assert_int_equal(csum_octets(bytes_of(b, sizeof b)), 0xddf2);
	assert_int_equal(csum_octets(bytes_of(odd, sizeof odd)), 0x0402);
	assert_int_equal(csum_octets(bytes_of(NULL, 0)), 0);
	assert_int_equal(csum_plus(0xffff, 1), 1);
}

/* A datagram with its checksum in it sums up to ffff with its pseudo header. */
TEST(udp_checksum_verifies_over_both_families)
{
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "2001:db8::2" },
	};
	uint8_t p[41];
	size_t i, n;

	for (i = 0; i < COUNT(pairs); i++)
		for (n = UDP_LEN; n <= sizeof p; n++) {
			struct ip_tmpl t = tmpl(pairs[i][0], pairs[i][1], IP_PROTO_ESP);
			struct addr s = test_addr(pairs[i][0]), d = test_addr(pairs[i][1]);

			memset(p, (int)n, sizeof p);
			udp_put(p, 1000, 4500, n, 0);
			udp_put(p, 1000, 4500, n, udp_checksum(&t, p, n));
			assert_int_equal(csum_plus(csum_octets(bytes_of(p, n)),
			    csum_pseudo(&s, &d, IP_PROTO_UDP, n)), 0xffff);
		}
}

TEST(vxlan_header_round_trip)
{
	uint8_t p[VXLAN_LEN + ETH_LEN] = { 0 };
	struct bytes frame;
	uint32_t vni;
	size_t n;

	vxlan_put(p, 0xabcdef);
	assert_int_equal(vxlan_read(bytes_of(p, sizeof p), &vni, &frame), OK);
	assert_int_equal(vni, 0xabcdef);
	assert_int_equal(frame.n, ETH_LEN);
	for (n = 0; n < sizeof p; n++)
		assert_int_equal(vxlan_read(bytes_of(p, n), &vni, &frame), ERR_SYNTAX);
	/* Reserved bits do not matter, the I flag does. RFC 7348 section 5. */
	memset(p, 0xff, sizeof p);
	assert_int_equal(vxlan_read(bytes_of(p, sizeof p), &vni, &frame), OK);
	p[0] = 0xf7;
	assert_int_equal(vxlan_read(bytes_of(p, sizeof p), &vni, &frame), ERR_SYNTAX);
}

/* ---- tenant frames ---- */

#define PAYLOAD 24

/* Ethernet, IPv4 or IPv6, UDP or TCP header of zeros but for ports, PAYLOAD octets of it in all. */
static size_t
make_frame(uint8_t *to, bool v6, uint8_t proto, uint16_t sport)
{
	struct ip_tmpl t = v6 ? tmpl("2001:db8::1", "2001:db8::2", proto) :
	    tmpl("10.0.0.1", "10.0.0.2", proto);
	uint8_t *l4 = to + ETH_LEN + t.len;

	memset(to, 0, ETH_LEN + t.len + PAYLOAD);
	memcpy(to, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
	to[12] = v6 ? 0x86 : 0x08;
	to[13] = v6 ? 0xdd : 0x00;
	ip_put(&t, to + ETH_LEN, PAYLOAD, 1);
	if (proto == IP_PROTO_UDP) {
		udp_put(l4, sport, 53, PAYLOAD, 0);
	} else {
		l4[0] = (uint8_t)(sport >> 8);
		l4[1] = (uint8_t)sport;
		l4[12] = 0x50;
	}
	return ETH_LEN + t.len + PAYLOAD;
}

TEST(entropy_is_the_flows_and_in_range)
{
	uint8_t a[128], b[128];
	struct frame fa, fb;
	unsigned port, same = 0;

	for (port = 1; port <= 1000; port++) {
		size_t n = make_frame(a, port % 2 == 0, IP_PROTO_UDP, (uint16_t)port);

		assert_int_equal(frame_read(bytes_of(a, n), true, &fa), OK);
		assert_true(fa.entropy >= 49152);
		/* Another packet of the same flow. */
		memcpy(b, a, n);
		b[n - 1] ^= 0xff;
		assert_int_equal(frame_read(bytes_of(b, n), true, &fb), OK);
		assert_int_equal(fa.entropy, fb.entropy);
		n = make_frame(b, port % 2 == 0, IP_PROTO_UDP, (uint16_t)(port + 1000));
		assert_int_equal(frame_read(bytes_of(b, n), true, &fb), OK);
		same += fa.entropy == fb.entropy;
	}
	assert_true(same < 5);
}

/* What a system with checksum offload hands over: the sum of the pseudo header alone. */
TEST(checksum_left_to_hardware_is_completed)
{
	static const uint8_t protos[] = { IP_PROTO_UDP, IP_PROTO_TCP };
	unsigned i;

	for (i = 0; i < 4; i++) {
		bool v6 = i >= 2;
		uint8_t proto = protos[i % 2], a[128], b[128];
		size_t n = make_frame(a, v6, proto, 5353), at;
		struct addr s = test_addr(v6 ? "2001:db8::1" : "10.0.0.1");
		struct addr d = test_addr(v6 ? "2001:db8::2" : "10.0.0.2");
		uint16_t partial = csum_pseudo(&s, &d, proto, PAYLOAD);
		struct frame f;

		at = n - PAYLOAD + (proto == IP_PROTO_UDP ? 6 : 16);
		a[n - 1] = 0x77;
		a[at] = (uint8_t)(partial >> 8);
		a[at + 1] = (uint8_t)partial;
		assert_int_equal(frame_read(bytes_of(a, n), true, &f), OK);
		frame_copy(&f, b);
		assert_int_equal(csum_plus(csum_octets(bytes_of(b + n - PAYLOAD, PAYLOAD)), partial),
		    0xffff);
		/* One that is complete stays as it is. */
		assert_int_equal(frame_read(bytes_of(b, n), true, &f), OK);
		assert_int_equal(f.fix_at, 0);
		frame_copy(&f, a);
		assert_memory_equal(a, b, n);
	}
}

TEST(vlan_tag_is_stripped_where_told_so)
{
	uint8_t plain[128], tagged[128], out[128];
	size_t n = make_frame(plain, false, IP_PROTO_UDP, 9);
	struct frame f, g;

	memcpy(tagged, plain, 12);
	memcpy(tagged + 12, "\x81\x00\x00\x07", 4);
	memcpy(tagged + 16, plain + 12, n - 12);
	assert_int_equal(frame_read(bytes_of(tagged, n + 4), true, &f), OK);
	assert_true(f.tagged);
	assert_int_equal(frame_len(&f), n);
	frame_copy(&f, out);
	assert_memory_equal(out, plain, n);
	assert_int_equal(frame_read(bytes_of(plain, n), true, &g), OK);
	assert_false(g.tagged);
	assert_int_equal(f.entropy, g.entropy);
	assert_int_equal(frame_read(bytes_of(tagged, n + 4), false, &f), OK);
	assert_int_equal(frame_len(&f), n + 4);
	frame_copy(&f, out);
	assert_memory_equal(out, tagged, n + 4);
}

TEST(short_frames_are_refused)
{
	uint8_t p[128];
	struct frame f;
	size_t n;

	(void)make_frame(p, false, IP_PROTO_UDP, 9);
	for (n = 0; n < ETH_LEN; n++)
		assert_int_equal(frame_read(bytes_of(p, n), true, &f), ERR_SYNTAX);
	assert_int_equal(frame_read(bytes_of(p, n), true, &f), OK);
	memcpy(p + 12, "\x81\x00", 2);
	for (; n < ETH_LEN + 4; n++)
		assert_int_equal(frame_read(bytes_of(p, n), true, &f), ERR_SYNTAX);
}

/* ---- MAC tables ---- */

#define PEER(n) ((struct peer *)(uintptr_t)(16 * (n)))

TEST(addresses_are_learned_move_and_age)
{
	struct mactab t;

	assert_int_equal(mactab_init(&t, 100, 1000, 0x123456789abcdefULL), OK);
	assert_null(mactab_find(&t, 7, 0));
	assert_int_equal(mactab_learn(&t, 7, PEER(1), 0), MAC_NEW);
	assert_int_equal(mactab_learn(&t, 7, PEER(1), 500), MAC_KNOWN);
	assert_ptr_equal(mactab_find(&t, 7, 1499), PEER(1));
	assert_null(mactab_find(&t, 7, 1500));
	assert_int_equal(mactab_learn(&t, 7, PEER(1), 1400), MAC_KNOWN);
	assert_int_equal(mactab_learn(&t, 7, MAC_LOCAL, 1500), MAC_MOVED);
	assert_ptr_equal(mactab_find(&t, 7, 1500), MAC_LOCAL);
	/* Long unseen: that is no move. */
	assert_int_equal(mactab_learn(&t, 7, PEER(2), 9000), MAC_NEW);
	mactab_forget(&t, PEER(1));
	assert_ptr_equal(mactab_find(&t, 7, 9000), PEER(2));
	mactab_forget(&t, PEER(2));
	assert_null(mactab_find(&t, 7, 9000));
	mactab_free(&t);
}

TEST(invented_addresses_push_nobody_out)
{
	struct mactab t;
	uint64_t mac, learned = 0, refused = 0;

	assert_int_equal(mactab_init(&t, 64, 1000, 0x9ae16a3b2f90404fULL), OK);
	for (mac = 1; mac <= 50; mac++)
		assert_int_equal(mactab_learn(&t, mac << 24, PEER(1), 0), MAC_NEW);
	for (mac = 1000; mac < 100000; mac++)
		if (mactab_learn(&t, mac, PEER(2), 0) == MAC_NEW)
			learned++;
		else
			refused++;
	assert_true(learned <= t.n_sets * MACTAB_WAYS - 50);
	assert_true(refused > 90000);
	for (mac = 1; mac <= 50; mac++)
		assert_ptr_equal(mactab_find(&t, mac << 24, 0), PEER(1));
	/* What has aged makes room. */
	assert_int_equal(mactab_learn(&t, 12345678, PEER(3), 1000), MAC_NEW);
	mactab_free(&t);
}

static bool
is_first(const struct peer *p, uint32_t arg)
{
	return p == PEER(arg);
}

TEST(filter_keeps_local_addresses)
{
	struct mactab t;

	assert_int_equal(mactab_init(&t, 64, 1000, 1), OK);
	(void)mactab_learn(&t, 1, PEER(1), 0);
	(void)mactab_learn(&t, 2, PEER(2), 0);
	(void)mactab_learn(&t, 3, MAC_LOCAL, 0);
	mactab_filter(&t, is_first, 1);
	assert_ptr_equal(mactab_find(&t, 1, 0), PEER(1));
	assert_null(mactab_find(&t, 2, 0));
	assert_ptr_equal(mactab_find(&t, 3, 0), MAC_LOCAL);
	mactab_free(&t);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_written_are_read_back),
		cmocka_unit_test(every_truncation_of_a_packet_is_refused),
		cmocka_unit_test(bad_ip_headers_are_refused),
		cmocka_unit_test(fragments_are_told_apart),
		cmocka_unit_test(ipv4_options_are_passed_over),
		cmocka_unit_test(udp_header_is_read_within_its_length),
		cmocka_unit_test(checksum_is_that_of_rfc_1071),
		cmocka_unit_test(udp_checksum_verifies_over_both_families),
		cmocka_unit_test(vxlan_header_round_trip),
		cmocka_unit_test(entropy_is_the_flows_and_in_range),
		cmocka_unit_test(checksum_left_to_hardware_is_completed),
		cmocka_unit_test(vlan_tag_is_stripped_where_told_so),
		cmocka_unit_test(short_frames_are_refused),
		cmocka_unit_test(addresses_are_learned_move_and_age),
		cmocka_unit_test(invented_addresses_push_nobody_out),
		cmocka_unit_test(filter_keeps_local_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
