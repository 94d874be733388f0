/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include <stdlib.h>

#include "base/sa.h"

#define WIRE_MAX 32768

/* One of the four structs, so that each test can go through them all. */
union any {
	struct sa_params sa;
	struct sa_stats stats;
	struct grant grant;
	struct policy policy;
};

static struct sa_params
sample_sa(void)
{
	struct sa_params sa = {
		.spi = 0xc0ffee01, .dir = SA_IN, .mode = SA_TUNNEL,
		.src = test_addr("192.0.2.1"), .dst = test_addr("192.0.2.2"),
		.encap_sport = 4500, .encap_dport = 4501,
		.transform = { ESP_AES_CBC, 256, ESP_HMAC_SHA2_512_256, true },
		.key_len = 96, .replay_window = 64, .n_src_sel = 2, .n_dst_sel = 1,
		.channel = "vxlan", .vni = VNI_MAX, .grant = 3, .pair = 4, .inactive = true,
		.life = { 1, 2, UINT64_MAX, 4, 5, 6 },
	};
	struct addr v6 = test_addr("2001:db8::1");

	memset(sa.key, 0x5c, 96);
	sa.src_sel[0] = selector_host(&sa.src, 17, 0, 65535);
	sa.src_sel[1] = selector_host(&v6, 17, 65535, 0);
	sa.dst_sel[0] = selector_host(&sa.dst, 17, 4789, 4789);
	return sa;
}

static struct channel
sample_channel(const char *id)
{
	struct channel c = {
		.level = LEVEL_DATA, .proto = 17, .port = 4789, .mode = SA_TRANSPORT,
		.esp = { ESP_AES_GCM_16, 128, 0, false }, .ke = 31, .lifetime_s = 3600,
	};

	strcpy(c.id, id);
	return c;
}

static uint32_t *
sample_vnis(uint32_t n)
{
	uint32_t *vnis = calloc(n, sizeof *vnis), i;

	assert_non_null(vnis);
	for (i = 0; i < n; i++)
		vnis[i] = VNI_MAX - n + 1 + i;
	return vnis;
}

static struct grant
sample_grant(uint32_t n_vnis)
{
	struct grant g = {
		.number = 42, .node = "nve-1", .n_peer = 2, .n_local = 1, .n_channels = 2,
		.vnis = sample_vnis(n_vnis), .n_vnis = n_vnis, .expires = 1795000000,
	};

	g.peer[0] = test_addr("192.0.2.1");
	g.peer[1] = test_addr("2001:db8::1");
	g.local[0] = test_addr("192.0.2.2");
	g.channels[0] = sample_channel("vxlan");
	g.channels[1] = sample_channel("evpn");
	g.channels[1].level = LEVEL_CONTROL;
	return g;
}

static struct policy
sample_policy(uint32_t n_vnis)
{
	struct policy p = {
		.action = POLICY_PROTECT, .node = "nve-1", .local = test_addr("192.0.2.2"),
		.channel = sample_channel("vxlan"), .vnis = sample_vnis(n_vnis), .n_vnis = n_vnis,
	};

	return p;
}

static struct sa_stats
sample_stats(void)
{
	return (struct sa_stats){
		.spi = 0xc0ffee01, .dir = SA_OUT, .src = test_addr("::1"), .dst = test_addr("::2"),
		.packets = 1, .bytes = UINT64_MAX, .replays = 3, .bad_icv = 4, .bad_selector = 5,
		.bad_vni = 6, .seq = 7, .age_s = INT64_MAX,
	};
}

enum { SA, STATS, GRANT, POLICY, KINDS };

static void
any_make(int kind, union any *a)
{
	memset(a, 0, sizeof *a);
	if (kind == SA)
		a->sa = sample_sa();
	else if (kind == STATS)
		a->stats = sample_stats();
	else if (kind == GRANT)
		a->grant = sample_grant(5);
	else
		a->policy = sample_policy(5);
}

static void
any_write(int kind, struct wr *w, const union any *a)
{
	if (kind == SA)
		wr_sa(w, &a->sa);
	else if (kind == STATS)
		wr_sa_stats(w, &a->stats);
	else if (kind == GRANT)
		wr_grant(w, &a->grant);
	else
		wr_policy(w, &a->policy);
}

static int
any_read(int kind, struct rd *r, union any *a)
{
	return kind == SA ? rd_sa(r, &a->sa) : kind == STATS ? rd_sa_stats(r, &a->stats) :
	    kind == GRANT ? rd_grant(r, &a->grant) : rd_policy(r, &a->policy);
}

static void
any_free(int kind, union any *a)
{
	if (kind == GRANT)
		grant_free(&a->grant);
	else if (kind == POLICY)
		policy_free(&a->policy);
}

/* Writes and reads; what came out is freed again. */
static int
pass(int kind, const union any *in)
{
	uint8_t *buf = malloc(WIRE_MAX);
	union any out;
	struct wr w;
	struct rd r;
	int err;

	assert_non_null(buf);
	w = wr_fixed(buf, WIRE_MAX);
	any_write(kind, &w, in);
	assert_false(w.bad);
	r = rd_open(wr_view(&w));
	err = any_read(kind, &r, &out);
	if (err == OK)
		assert_true(rd_end(&r));
	any_free(kind, &out);
	free(buf);
	return err;
}

TEST(sa_round_trips)
{
	struct sa_params in = sample_sa(), out;
	uint8_t buf[4096];
	struct wr w = wr_fixed(buf, sizeof buf);
	struct rd r;

	wr_sa(&w, &in);
	wr_u8(&w, 0x77);
	r = rd_open(wr_view(&w));
	assert_int_equal(rd_sa(&r, &out), OK);
	assert_int_equal(rd_u8(&r), 0x77);
	assert_true(rd_end(&r));
	assert_int_equal(out.spi, in.spi);
	assert_int_equal(out.dir, in.dir);
	assert_int_equal(out.mode, in.mode);
	assert_true(addr_equal(&out.src, &in.src) && addr_equal(&out.dst, &in.dst));
	assert_int_equal(out.encap_sport, 4500);
	assert_int_equal(out.encap_dport, 4501);
	assert_int_equal(out.transform.encr, ESP_AES_CBC);
	assert_int_equal(out.transform.key_bits, 256);
	assert_int_equal(out.transform.integ, ESP_HMAC_SHA2_512_256);
	assert_true(out.transform.esn);
	assert_int_equal(out.key_len, 96);
	assert_memory_equal(out.key, in.key, sizeof in.key);
	assert_int_equal(out.replay_window, 64);
	assert_int_equal(out.n_src_sel, 2);
	assert_int_equal(out.n_dst_sel, 1);
	assert_true(selector_equal(&out.src_sel[0], &in.src_sel[0]));
	assert_true(selector_equal(&out.src_sel[1], &in.src_sel[1]));
	assert_true(selector_equal(&out.dst_sel[0], &in.dst_sel[0]));
	assert_string_equal(out.channel, "vxlan");
	assert_int_equal(out.vni, VNI_MAX);
	assert_int_equal(out.grant, 3);
	assert_int_equal(out.pair, 4);
	assert_memory_equal(&out.life, &in.life, sizeof in.life);
	assert_true(out.inactive);
}

TEST(stats_round_trip)
{
	struct sa_stats in = sample_stats(), out;
	uint8_t buf[256];
	struct wr w = wr_fixed(buf, sizeof buf);
	struct rd r;

	wr_sa_stats(&w, &in);
	r = rd_open(wr_view(&w));
	assert_int_equal(rd_sa_stats(&r, &out), OK);
	assert_true(rd_end(&r));
	assert_int_equal(out.spi, in.spi);
	assert_int_equal(out.dir, in.dir);
	assert_true(addr_equal(&out.src, &in.src) && addr_equal(&out.dst, &in.dst));
	assert_true(out.packets == 1 && out.bytes == UINT64_MAX && out.replays == 3);
	assert_true(out.bad_icv == 4 && out.bad_selector == 5 && out.bad_vni == 6);
	assert_true(out.seq == 7 && out.age_s == INT64_MAX);
}

static void
assert_channel_equal(const struct channel *a, const struct channel *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->level, b->level);
	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->esp.encr, b->esp.encr);
	assert_int_equal(a->esp.key_bits, b->esp.key_bits);
	assert_int_equal(a->esp.integ, b->esp.integ);
	assert_int_equal(a->esp.esn, b->esp.esn);
	assert_int_equal(a->ke, b->ke);
	assert_int_equal(a->lifetime_s, b->lifetime_s);
}

TEST(grant_round_trips)
{
	struct grant in = sample_grant(SA_VNIS_MAX), out;
	struct wr w = wr_grow(WIRE_MAX);
	struct rd r;
	size_t i;

	wr_grant(&w, &in);
	r = rd_open(wr_view(&w));
	assert_int_equal(rd_grant(&r, &out), OK);
	assert_true(rd_end(&r));
	assert_int_equal(out.number, 42);
	assert_string_equal(out.node, "nve-1");
	assert_int_equal(out.n_peer, 2);
	assert_int_equal(out.n_local, 1);
	assert_true(addr_equal(&out.peer[1], &in.peer[1]));
	assert_true(addr_equal(&out.local[0], &in.local[0]));
	assert_int_equal(out.n_channels, 2);
	for (i = 0; i < 2; i++)
		assert_channel_equal(&out.channels[i], &in.channels[i]);
	assert_int_equal(out.n_vnis, SA_VNIS_MAX);
	assert_memory_equal(out.vnis, in.vnis, SA_VNIS_MAX * sizeof in.vnis[0]);
	assert_true(out.expires == in.expires);
	grant_free(&in);
	grant_free(&out);
	wr_free(&w);
}

TEST(policy_round_trips)
{
	struct policy in = sample_policy(3), out;
	uint8_t buf[512];
	struct wr w = wr_fixed(buf, sizeof buf);
	struct rd r;

	wr_policy(&w, &in);
	r = rd_open(wr_view(&w));
	assert_int_equal(rd_policy(&r, &out), OK);
	assert_true(rd_end(&r));
	assert_int_equal(out.action, POLICY_PROTECT);
	assert_string_equal(out.node, "nve-1");
	assert_true(addr_equal(&out.local, &in.local));
	assert_int_equal(out.peer.family, AF_NONE_);
	assert_channel_equal(&out.channel, &in.channel);
	assert_int_equal(out.n_vnis, 3);
	assert_memory_equal(out.vnis, in.vnis, 3 * sizeof in.vnis[0]);
	policy_free(&in);
	policy_free(&out);
}

TEST(what_is_cut_short_is_malformed_and_leaves_nothing)
{
	static uint8_t buf[WIRE_MAX];
	static const union any zero;
	union any in, out;
	size_t full, n;
	struct wr w;
	struct rd r;
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		any_make(kind, &in);
		w = wr_fixed(buf, sizeof buf);
		any_write(kind, &w, &in);
		full = wr_view(&w).n;
		for (n = 0; n < full; n++) {
			memset(&out, 0, sizeof out);
			r = rd_open(bytes_of(buf, n));
			assert_int_equal(any_read(kind, &r, &out), ERR_SYNTAX);
			assert_memory_equal(&out, &zero, sizeof out);
		}
		any_free(kind, &in);
	}
}

/* Any octet changed to anything: refused, or read as what would be written so. */
TEST(what_is_read_would_be_written_the_same_way)
{
	static uint8_t buf[WIRE_MAX], again[WIRE_MAX];
	union any in, out;
	struct wr w, w2;
	struct rd r;
	size_t n, i;
	int kind, v, accepted;

	for (kind = 0; kind < KINDS; kind++) {
		any_make(kind, &in);
		w = wr_fixed(buf, sizeof buf);
		any_write(kind, &w, &in);
		n = wr_view(&w).n;
		accepted = 0;
		for (i = 0; i < n; i++) {
			uint8_t was = buf[i];

			for (v = 0; v < 256; v++) {
				buf[i] = (uint8_t)v;
				r = rd_open(bytes_of(buf, n));
				if (any_read(kind, &r, &out) != OK)
					continue;
				accepted++;
				w2 = wr_fixed(again, sizeof again);
				any_write(kind, &w2, &out);
				assert_int_equal(wr_view(&w2).n, n - rd_left(&r));
				assert_memory_equal(again, buf, wr_view(&w2).n);
				any_free(kind, &out);
			}
			buf[i] = was;
		}
		assert_true(accepted > 256);
		any_free(kind, &in);
	}
}

/* Each line breaks one thing; the sample itself passes. */
#define REFUSED(kind, change) do { \
	union any a; \
	any_make((kind), &a); \
	assert_int_equal(pass((kind), &a), OK); \
	change; \
	assert_int_equal(pass((kind), &a), ERR_VALUE); \
	any_free((kind), &a); \
} while (0)

TEST(sa_with_values_not_allowed_is_refused)
{
	REFUSED(SA, a.sa.dir = 0);
	REFUSED(SA, a.sa.dir = 3);
	REFUSED(SA, a.sa.mode = 0);
	REFUSED(SA, a.sa.mode = 3);
	REFUSED(SA, a.sa.dst = test_addr("::1"));
	REFUSED(SA, memset(&a.sa.src, 0, sizeof a.sa.src));
	REFUSED(SA, a.sa.encap_sport = 0);
	REFUSED(SA, a.sa.encap_dport = 0);
	REFUSED(SA, a.sa.transform.encr = 99);
	REFUSED(SA, a.sa.transform.key_bits = 64);
	REFUSED(SA, a.sa.transform.integ = 1);
	REFUSED(SA, memset(&a.sa.transform, 0, sizeof a.sa.transform));
	REFUSED(SA, a.sa.key_len = 95);
	REFUSED(SA, a.sa.key_len = 97);
	REFUSED(SA, a.sa.replay_window = 63);
	REFUSED(SA, a.sa.vni = VNI_MAX + 1);
	REFUSED(SA, a.sa.src_sel[1].port_lo = 1);
	REFUSED(SA, a.sa.dst_sel[0].hi = test_addr("10.0.0.0"));
}

TEST(others_with_values_not_allowed_are_refused)
{
	REFUSED(STATS, a.stats.dir = 0);
	REFUSED(STATS, a.stats.age_s = -1);
	REFUSED(STATS, a.stats.src = test_addr("1.2.3.4"));
	REFUSED(GRANT, a.grant.expires = -1);
	REFUSED(GRANT, memset(&a.grant.peer[1], 0, sizeof a.grant.peer[1]));
	REFUSED(GRANT, a.grant.channels[1].level = 0);
	REFUSED(GRANT, a.grant.channels[1].level = 3);
	REFUSED(GRANT, a.grant.channels[0].mode = 0);
	REFUSED(GRANT, a.grant.channels[0].esp.encr = 1);
	REFUSED(GRANT, a.grant.vnis[1] = a.grant.vnis[0]);
	REFUSED(GRANT, a.grant.vnis[1] = 0);
	REFUSED(POLICY, a.policy.action = 0);
	REFUSED(POLICY, a.policy.action = 4);
	REFUSED(POLICY, a.policy.channel.level = 0);
	REFUSED(POLICY, a.policy.vnis[4] = 0);
}

TEST(sa_without_its_key_is_a_listing)
{
	union any a = { .sa = sample_sa() };

	sa_wipe(&a.sa);
	assert_int_equal(pass(SA, &a), OK);
	a.sa.replay_window = 0;
	a.sa.encap_sport = a.sa.encap_dport = 0;
	a.sa.n_src_sel = a.sa.n_dst_sel = 0;
	assert_int_equal(pass(SA, &a), OK);
}

static bool
writer_refuses(int kind, const union any *a)
{
	struct wr w = wr_grow(1 << 20);
	bool bad;

	any_write(kind, &w, a);
	bad = w.bad;
	wr_free(&w);
	return bad;
}

TEST(writer_refuses_more_than_the_struct_holds)
{
	uint32_t *vnis = sample_vnis(SA_VNIS_MAX + 1);
	union any a;

	a.sa = sample_sa();
	assert_false(writer_refuses(SA, &a));
	a.sa.key_len = SA_KEY_MAX + 1;
	assert_true(writer_refuses(SA, &a));
	a.sa = sample_sa();
	a.sa.n_dst_sel = SELECTORS_MAX + 1;
	assert_true(writer_refuses(SA, &a));
	a.sa = sample_sa();
	memset(a.sa.channel, 'x', sizeof a.sa.channel);
	assert_true(writer_refuses(SA, &a));

	memset(&a, 0, sizeof a);
	a.grant.vnis = vnis;
	a.grant.n_vnis = SA_VNIS_MAX + 1;
	assert_true(writer_refuses(GRANT, &a));
	a.grant.n_vnis = 0;
	assert_false(writer_refuses(GRANT, &a));
	a.grant.n_peer = ADDRS_MAX + 1;
	assert_true(writer_refuses(GRANT, &a));
	a.grant.n_peer = 0;
	a.grant.n_channels = CHANNELS_MAX + 1;
	assert_true(writer_refuses(GRANT, &a));
	free(vnis);
}

/* Offset of the octet at which two writings of a struct differ first. */
static size_t
offset_of_change(int kind, const union any *a, const union any *b, uint8_t *buf)
{
	static uint8_t other[WIRE_MAX];
	struct wr w = wr_fixed(other, sizeof other);
	size_t i = 0, n;

	any_write(kind, &w, b);
	w = wr_fixed(buf, WIRE_MAX);
	any_write(kind, &w, a);
	n = wr_view(&w).n;
	assert_true(n != 0);
	while (i < n && buf[i] == other[i])
		i++;
	assert_true(i < n);
	return i;
}

static int
read_patched(int kind, uint8_t *buf, size_t n, size_t at, uint8_t value)
{
	union any out;
	struct rd r;
	int err;

	buf[at] = value;
	r = rd_open(bytes_of(buf, n));
	err = any_read(kind, &r, &out);
	any_free(kind, &out);
	return err;
}

TEST(counts_beyond_the_struct_are_malformed)
{
	static uint8_t buf[WIRE_MAX];
	union any a, b;
	size_t at;

	a.sa = b.sa = sample_sa();
	b.sa.n_src_sel = 1;
	at = offset_of_change(SA, &a, &b, buf);
	assert_int_equal(read_patched(SA, buf, WIRE_MAX, at, SELECTORS_MAX + 1), ERR_SYNTAX);
	b.sa = a.sa;
	b.sa.key_len = 95;
	at = offset_of_change(SA, &a, &b, buf);
	assert_int_equal(read_patched(SA, buf, WIRE_MAX, at, SA_KEY_MAX + 1), ERR_SYNTAX);

	a.grant = sample_grant(2);
	b = a;
	b.grant.n_peer = 1;
	at = offset_of_change(GRANT, &a, &b, buf);
	assert_int_equal(read_patched(GRANT, buf, WIRE_MAX, at, ADDRS_MAX + 1), ERR_SYNTAX);
	b = a;
	b.grant.n_channels = 1;
	at = offset_of_change(GRANT, &a, &b, buf);
	assert_int_equal(read_patched(GRANT, buf, WIRE_MAX, at, CHANNELS_MAX + 1), ERR_SYNTAX);
	b = a;
	b.grant.n_vnis = 1;
	at = offset_of_change(GRANT, &a, &b, buf);
	/* The count has two octets, this is the second one; now it says more than 4096. */
	assert_int_equal(read_patched(GRANT, buf, WIRE_MAX, at - 1, 0x11), ERR_SYNTAX);
	any_free(GRANT, &a);
}

TEST(strings_with_nul_or_without_end_are_refused)
{
	static uint8_t buf[WIRE_MAX];
	union any a, b;
	size_t at;

	a.sa = b.sa = sample_sa();
	memset(a.sa.channel, 'a', sizeof a.sa.channel - 1);
	strcpy(b.sa.channel, a.sa.channel);
	assert_int_equal(pass(SA, &a), OK);
	b.sa.channel[10] = 'b';
	at = offset_of_change(SA, &a, &b, buf);
	assert_int_equal(read_patched(SA, buf, WIRE_MAX, at, 0), ERR_VALUE);
	/* Its length, 63, becomes 64: one octet too many for the struct. */
	buf[at] = 'a';
	assert_int_equal(buf[at - 11], ID_MAX - 1);
	assert_int_equal(read_patched(SA, buf, WIRE_MAX, at - 11, ID_MAX), ERR_VALUE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sa_round_trips),
		cmocka_unit_test(stats_round_trip),
		cmocka_unit_test(grant_round_trips),
		cmocka_unit_test(policy_round_trips),
		cmocka_unit_test(what_is_cut_short_is_malformed_and_leaves_nothing),
		cmocka_unit_test(what_is_read_would_be_written_the_same_way),
		cmocka_unit_test(sa_with_values_not_allowed_is_refused),
		cmocka_unit_test(others_with_values_not_allowed_are_refused),
		cmocka_unit_test(sa_without_its_key_is_a_listing),
		cmocka_unit_test(writer_refuses_more_than_the_struct_holds),
		cmocka_unit_test(counts_beyond_the_struct_are_malformed),
		cmocka_unit_test(strings_with_nul_or_without_end_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
