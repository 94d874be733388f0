/* SPDX-License-Identifier: ISC */
/* A receiver of ESP and what others may send to it: RFC 4303, RFC 3948, RFC 7296 section 2.23. */
#include "backend_support.h"

#include "crypto/crypto.h"
#include "pcap-backend/dp.h"
#include "pcap-backend/vxlan.h"

#define SPI      0x1000
#define KEY      0x5c
#define PACKET   512
#define FRAME    60
#define INNER    (UDP_LEN + VXLAN_LEN + FRAME)

static struct dp dp;
static size_t n_frames, n_mappings;
static struct esp_key *key;
static struct addr here, there;

static void
no_wire(void *arg, const struct dp_out *out, size_t n)
{
	(void)arg;
	(void)out;
	(void)n;
}

static void
count_frames(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	(void)arg;
	assert_int_equal(vni, 5001);
	assert_int_equal(frames[0].n, FRAME);
	n_frames += n;
}

static void
no_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	(void)arg;
	(void)node;
	(void)channel;
	(void)peer;
}

static void
no_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	(void)arg;
	(void)dir;
	(void)spi;
	(void)dst;
	(void)hard;
}

static void
count_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	(void)arg;
	(void)spi;
	(void)peer;
	n_mappings++;
}

/* One inbound SA from there to here; encap: its UDP port on both sides, 0: none. */
static void
receiver(uint16_t encap)
{
	static const uint8_t seed[16] = { 4 };
	struct dp_io io = { NULL, no_wire, count_frames, no_acquire, no_expire, count_mapping };
	struct grant g = test_grant(1, "192.0.2.2", "192.0.2.1");
	struct dp_config cfg;
	struct sa_params sa;
	struct policy p;

	n_frames = n_mappings = 0;
	here = g.local[0];
	there = g.peer[0];
	assert_int_equal(esp_transform_parse(&g.channels[0].esp, "aes128gcm16"), OK);
	dp_config_defaults(&cfg);
	assert_int_equal(dp_init(&dp, &cfg, &io, seed), OK);
	assert_int_equal(dp_vn_add(&dp, 5001), OK);
	assert_int_equal(dp_grant_set(&dp, &g), OK);
	p = test_policy(&g);
	assert_int_equal(dp_policy_add(&dp, &p), OK);
	sa = test_sa(&g, SA_IN, SPI, KEY);
	sa.encap_sport = sa.encap_dport = encap;
	assert_int_equal(esp_key_new(&key, &sa.transform, bytes_of(sa.key, sa.key_len)), OK);
	assert_int_equal(dp_sa_add(&dp, &sa), OK);
	policy_free(&p);
	grant_free(&g);
}

static void
gone(void)
{
	esp_key_free(key);
	dp_free(&dp);
	assert_int_equal(secret_live(), 0);
}

/* What the sender put into ESP: a UDP datagram with a frame of VNI 5001. */
static void
vxlan(uint8_t *to, uint16_t checksum)
{
	udp_put(to, 50000, 4789, INNER, checksum);
	vxlan_put(to + UDP_LEN, 5001);
	memset(to + UDP_LEN + VXLAN_LEN, 0x02, FRAME);
}

static void
receive(uint64_t seq, uint8_t next_header, uint16_t encap, uint16_t checksum)
{
	uint8_t packet[PACKET];
	size_t at = IPV4_LEN + (encap != 0 ? UDP_LEN : 0u), n;
	struct ip_tmpl ip;

	vxlan(packet + at + esp_head_len(key), checksum);
	assert_int_equal(esp_seal(key, SPI, seq, next_header, packet + at, INNER, &n), OK);
	n += at - IPV4_LEN;
	if (encap != 0)
		udp_put(packet + IPV4_LEN, encap, 4500, n, 0xbeef);
	ip_tmpl_init(&ip, &there, &here, encap != 0 ? IP_PROTO_UDP : IP_PROTO_ESP);
	ip_put(&ip, packet, n, 1);
	dp_wire_packet(&dp, bytes_of(packet, n + IPV4_LEN));
	dp_flush(&dp);
}

/* RFC 4303 section 2.6: next header 59 is thrown away without harm, but it uses up its number. */
static void
dummy_packets_are_thrown_away(void **state)
{
	(void)state;
	receiver(0);
	receive(1, IP_PROTO_NONE, 0, 0);
	assert_int_equal(n_frames, 0);
	assert_int_equal(dp.ctr.v[CTR_IN_DUMMY], 1);
	assert_int_equal(dp.ctr.v[CTR_DROP_SELECTOR], 0);
	receive(1, IP_PROTO_UDP, 0, 0);
	assert_int_equal(dp.ctr.v[CTR_DROP_REPLAY], 1);
	receive(2, IP_PROTO_UDP, 0, 0);
	assert_int_equal(n_frames, 1);
	gone();
}

/* RFC 7296 section 2.23: whatever we send ourselves, both forms are taken at any time; and, RFC 3948
 * section 2.1, whatever the checksum of the UDP header around ESP. */
static void
esp_is_taken_in_udp_and_without_it(void **state)
{
	static const uint16_t encap[] = { 0, 4500 };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		receiver(encap[i]);
		receive(1, IP_PROTO_UDP, 0, 0);
		receive(2, IP_PROTO_UDP, 4500, 0);
		assert_int_equal(n_frames, 2);
		assert_int_equal(n_mappings, 0);
		gone();
	}
}

/* RFC 3948 section 3.1.2: in transport mode the inner checksum is over addresses that a NAT has
 * changed; what ESP protected needs no other check. */
static void
inner_checksum_over_other_addresses_does_no_harm(void **state)
{
	(void)state;
	receiver(4500);
	receive(1, IP_PROTO_UDP, 4500, 0x1234);
	assert_int_equal(n_frames, 1);
	gone();
}

/* RFC 4303 section 3.4.4.1: what the SA's selectors do not cover is dropped, authentic or not. */
static void
protocol_outside_the_selectors_is_dropped(void **state)
{
	(void)state;
	receiver(0);
	receive(1, IP_PROTO_TCP, 0, 0);
	receive(2, IP_PROTO_IPV4, 0, 0);
	assert_int_equal(n_frames, 0);
	assert_int_equal(dp.ctr.v[CTR_DROP_SELECTOR], 2);
	gone();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(dummy_packets_are_thrown_away),
		cmocka_unit_test(esp_is_taken_in_udp_and_without_it),
		cmocka_unit_test(inner_checksum_over_other_addresses_does_no_harm),
		cmocka_unit_test(protocol_outside_the_selectors_is_dropped),
	};

	if (crypto_init() != OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
