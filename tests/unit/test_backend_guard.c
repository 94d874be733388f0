/* SPDX-License-Identifier: ISC */
#include "backend_support.h"

#include "backend/cover.h"
#include "backend/guard.h"
#include "backend/seen.h"

#define NOW 1000

static const uint8_t seed[16] = { 1, 2, 3 };

static struct guard *
guard_with_grant(uint32_t number)
{
	struct guard *g = guard_new(seed);
	struct grant grant = test_grant(number, "192.0.2.1", "192.0.2.2");

	assert_non_null(g);
	assert_int_equal(guard_grant_set(g, &grant), OK);
	assert_null(grant.vnis);
	return g;
}

static int
judge(const struct guard *g, const struct sa_params *sa)
{
	const char *why;

	return guard_sa_judge(g, sa, NOW, &why);
}

static void
keep(struct guard *g, const struct sa_params *sa)
{
	uint32_t pair;

	assert_int_equal(judge(g, sa), OK);
	assert_int_equal(guard_sa_reserve(g, sa, &pair), OK);
	guard_sa_keep(g, sa);
}

TEST(sa_within_its_grant_is_let_through)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params in = test_sa(guard_grant(g, 7), SA_IN, 0x1000, 1);
	struct sa_params out = test_sa(guard_grant(g, 7), SA_OUT, 0x2000, 2);

	assert_int_equal(judge(g, &in), OK);
	assert_int_equal(judge(g, &out), OK);
	in.vni = 5002;
	assert_int_equal(judge(g, &in), OK);
	in.transform.esn = true;
	assert_int_equal(judge(g, &in), OK);
	guard_free(g);
}

/* Each row spoils one thing of an SA that is fine otherwise. */
struct spoil {
	const char *what;
	int want;
	void (*spoil)(struct sa_params *);
};

static void no_grant(struct sa_params *s) { s->grant = 8; }
static void foreign_peer(struct sa_params *s) { s->src = test_addr("192.0.2.9"); }
static void foreign_local(struct sa_params *s) { s->dst = test_addr("192.0.2.9"); }
static void swapped(struct sa_params *s) { struct addr a = s->src; s->src = s->dst; s->dst = a; }
static void other_channel(struct sa_params *s) { s->channel[0] = 'y'; }
static void weak_suite(struct sa_params *s)
{
	assert_int_equal(esp_transform_parse(&s->transform, "aes128gmac"), OK);
}
static void tunnel(struct sa_params *s) { s->mode = SA_TUNNEL; }
static void foreign_vni(struct sa_params *s) { s->vni = 5003; }
static void wide_source(struct sa_params *s) { s->src_sel[0].lo = test_addr("192.0.2.0"); }
static void foreign_dst_sel(struct sa_params *s)
{
	s->dst_sel[0].lo = s->dst_sel[0].hi = test_addr("192.0.2.7");
}
static void any_proto(struct sa_params *s) { s->src_sel[0].proto = 0; }
static void tcp_dst(struct sa_params *s) { s->dst_sel[0].proto = 6; }
static void any_port(struct sa_params *s) { s->dst_sel[0].port_lo = 0; s->dst_sel[0].port_hi = 65535; }
static void wider_port(struct sa_params *s) { s->dst_sel[0].port_hi = 4790; }
static void second_pair(struct sa_params *s)
{
	s->src_sel[1] = s->src_sel[0];
	s->dst_sel[1] = s->dst_sel[0];
	s->dst_sel[1].port_lo = 22;
	s->dst_sel[1].port_hi = 22;
	s->n_src_sel = s->n_dst_sel = 2;
}
static void reserved_spi(struct sa_params *s) { s->spi = 255; }
static void no_dir(struct sa_params *s) { s->dir = 3; }
static void no_mode(struct sa_params *s) { s->mode = 0; }
static void no_selector(struct sa_params *s) { s->n_src_sel = 0; }
static void too_many_selectors(struct sa_params *s) { s->n_dst_sel = SELECTORS_MAX + 1; }
static void short_key(struct sa_params *s) { s->key_len--; }
static void two_families(struct sa_params *s) { s->src = test_addr("2001:db8::1"); }
static void half_encap(struct sa_params *s) { s->encap_sport = 4500; }
static void big_vni(struct sa_params *s) { s->vni = VNI_MAX + 1; }
static void no_transform(struct sa_params *s) { s->transform.encr = 99; }

TEST(sa_outside_its_grant_is_refused)
{
	static const struct spoil rows[] = {
		{ "no grant", ERR_DENIED, no_grant },
		{ "foreign peer", ERR_DENIED, foreign_peer },
		{ "foreign local", ERR_DENIED, foreign_local },
		{ "direction turned", ERR_DENIED, swapped },
		{ "other channel", ERR_DENIED, other_channel },
		{ "other suite", ERR_DENIED, weak_suite },
		{ "other mode", ERR_DENIED, tunnel },
		{ "foreign VNI", ERR_DENIED, foreign_vni },
		{ "wide source selector", ERR_DENIED, wide_source },
		{ "foreign destination selector", ERR_DENIED, foreign_dst_sel },
		{ "any protocol", ERR_DENIED, any_proto },
		{ "TCP", ERR_DENIED, tcp_dst },
		{ "any port", ERR_DENIED, any_port },
		{ "one port more", ERR_DENIED, wider_port },
		{ "a second selector with another port", ERR_DENIED, second_pair },
		{ "reserved SPI", ERR_VALUE, reserved_spi },
		{ "no direction", ERR_VALUE, no_dir },
		{ "no mode", ERR_VALUE, no_mode },
		{ "no selector", ERR_VALUE, no_selector },
		{ "too many selectors", ERR_VALUE, too_many_selectors },
		{ "short key", ERR_VALUE, short_key },
		{ "two families", ERR_VALUE, two_families },
		{ "half an encapsulation", ERR_VALUE, half_encap },
		{ "VNI of 25 bits", ERR_VALUE, big_vni },
		{ "unknown transform", ERR_VALUE, no_transform },
	};
	struct guard *g = guard_with_grant(7);
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct sa_params sa = test_sa(guard_grant(g, 7), SA_IN, 0x1000, 1);
		const char *why = NULL;
		int r;

		assert_int_equal(judge(g, &sa), OK);
		rows[i].spoil(&sa);
		r = guard_sa_judge(g, &sa, NOW, &why);
		if (r != rows[i].want || why == NULL || *why == '\0')
			fail_msg("%s: got %d, wanted %d (%s)", rows[i].what, r, rows[i].want,
			    why == NULL ? "no reason" : why);
	}
	guard_free(g);
}

TEST(tcp_channel_takes_selectors_in_pairs)
{
	struct guard *g = guard_new(seed);
	struct grant grant = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa;

	grant.channels[0].proto = 6;
	grant.channels[0].port = 179;
	sa = test_sa(&grant, SA_OUT, 0x1000, 1);
	sa.n_src_sel = sa.n_dst_sel = 2;
	sa.src_sel[1] = selector_host(&sa.src, 6, 179, 179);
	sa.dst_sel[1] = selector_host(&sa.dst, 6, 0, 65535);
	assert_int_equal(guard_grant_set(g, &grant), OK);
	assert_int_equal(judge(g, &sa), OK);
	/* The same selectors the other way round would be anything to anything. */
	sa.src_sel[1].port_lo = 0;
	sa.src_sel[1].port_hi = 65535;
	assert_int_equal(judge(g, &sa), ERR_DENIED);
	guard_free(g);
}

TEST(key_is_never_taken_twice)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params sa = test_sa(guard_grant(g, 7), SA_OUT, 0x1000, 1);

	keep(g, &sa);
	guard_sa_forget(g, sa.dir, sa.spi, &sa.dst);
	assert_int_equal(judge(g, &sa), ERR_REPLAY);
	sa.spi = 0x3000;
	assert_int_equal(judge(g, &sa), ERR_REPLAY);
	sa.key[0] ^= 1;
	assert_int_equal(judge(g, &sa), OK);
	guard_free(g);
}

TEST(key_of_an_sa_that_was_not_installed_is_still_good)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params sa = test_sa(guard_grant(g, 7), SA_OUT, 0x1000, 1);
	uint32_t pair;

	assert_int_equal(guard_sa_reserve(g, &sa, &pair), OK);
	guard_sa_forget(g, sa.dir, sa.spi, &sa.dst);
	assert_int_equal(judge(g, &sa), OK);
	guard_free(g);
}

TEST(many_keys_are_remembered)
{
	struct seen s;
	uint32_t i;

	seen_init(&s, seed);
	for (i = 0; i < 5000; i++) {
		struct bytes key = bytes_of(&i, sizeof i);

		assert_false(seen_has(&s, key));
		assert_int_equal(seen_reserve(&s), OK);
		seen_add(&s, key);
		seen_add(&s, key);
	}
	assert_int_equal(s.n, 5000);
	for (i = 0; i < 5000; i++)
		assert_true(seen_has(&s, bytes_of(&i, sizeof i)));
	seen_free(&s);
}

TEST(spi_in_use_and_second_half_of_one_direction_are_refused)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params sa = test_sa(guard_grant(g, 7), SA_OUT, 0x1000, 1);
	struct sa_params twin = test_sa(guard_grant(g, 7), SA_OUT, 0x1000, 2);
	uint32_t pair;

	keep(g, &sa);
	assert_int_equal(judge(g, &twin), ERR_EXISTS);
	twin.spi = 0x1001;
	assert_int_equal(judge(g, &twin), OK);
	assert_int_equal(guard_sa_reserve(g, &twin, &pair), ERR_EXISTS);
	guard_free(g);
}

TEST(expired_grant_admits_nothing)
{
	struct guard *g = guard_new(seed);
	struct grant grant = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa = test_sa(&grant, SA_IN, 0x1000, 1);

	grant.expires = NOW + 5;
	assert_int_equal(guard_next_expiry(g), INT64_MAX);
	assert_int_equal(guard_grant_set(g, &grant), OK);
	assert_int_equal(guard_next_expiry(g), NOW + 5);
	assert_int_equal(judge(g, &sa), OK);
	assert_null(guard_grant_expired(g, NOW + 4));
	assert_non_null(guard_grant_expired(g, NOW + 5));
	{
		const char *why;

		assert_int_equal(guard_sa_judge(g, &sa, NOW + 5, &why), ERR_DENIED);
	}
	assert_int_equal(guard_grant_drop(g, 7), OK);
	assert_int_equal(guard_grant_drop(g, 7), ERR_NOTFOUND);
	assert_int_equal(guard_next_expiry(g), INT64_MAX);
	guard_free(g);
}

TEST(grant_that_shrinks_uncovers_its_sas)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params all = test_sa(guard_grant(g, 7), SA_IN, 0x1000, 1);
	struct sa_params one = test_sa(guard_grant(g, 7), SA_IN, 0x1001, 2);
	struct grant less = test_grant(7, "192.0.2.1", "192.0.2.2");
	const struct held_sa *h;

	one.vni = 5002;
	one.pair = 2;
	keep(g, &all);
	keep(g, &one);
	assert_null(guard_uncovered(g, 7));
	less.n_vnis = 1;
	assert_int_equal(guard_grant_set(g, &less), OK);
	h = guard_uncovered(g, 7);
	assert_non_null(h);
	assert_int_equal(h->sa.spi, 0x1001);
	assert_int_equal(h->sa.key_len, 0);
	guard_sa_forget(g, h->sa.dir, h->sa.spi, &one.dst);
	assert_null(guard_uncovered(g, 7));
	assert_int_equal(guard_grant_drop(g, 7), OK);
	h = guard_uncovered(g, 7);
	assert_non_null(h);
	assert_int_equal(h->sa.spi, 0x1000);
	guard_free(g);
}

TEST(grant_number_stays_with_its_node)
{
	struct guard *g = guard_with_grant(7);
	struct grant other = test_grant(7, "192.0.2.1", "192.0.2.2");

	(void)strcpy(other.node, "nve-9");
	assert_int_equal(guard_grant_set(g, &other), ERR_VALUE);
	assert_non_null(other.vnis);
	other.number = 0;
	assert_int_equal(guard_grant_set(g, &other), ERR_VALUE);
	grant_free(&other);
	guard_free(g);
}

TEST(orphans_stay_until_a_whole_pair_replaces_them)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params in = test_sa(guard_grant(g, 7), SA_IN, 0x1000, 1);
	struct sa_params out = test_sa(guard_grant(g, 7), SA_OUT, 0x2000, 2);
	struct sa_params in2 = test_sa(guard_grant(g, 7), SA_IN, 0x1001, 3);
	struct sa_params out2 = test_sa(guard_grant(g, 7), SA_OUT, 0x2001, 4);
	const struct held_sa *h;
	int n = 0;

	keep(g, &in);
	keep(g, &out);
	assert_false(guard_has_orphans(g));
	guard_orphan_all(g);
	assert_true(guard_has_orphans(g));
	/* The new engine counts its pairs from 1 again. */
	keep(g, &in2);
	assert_int_not_equal(guard_sa(g, SA_IN, 0x1001, &in2.dst)->sa.pair,
	    guard_sa(g, SA_IN, 0x1000, &in.dst)->sa.pair);
	assert_null(guard_orphan(g, &in2));
	keep(g, &out2);
	while ((h = guard_orphan(g, &out2)) != NULL) {
		const struct addr dst = h->sa.dst;

		assert_true(h->sa.spi == 0x1000 || h->sa.spi == 0x2000);
		guard_sa_forget(g, h->sa.dir, h->sa.spi, &dst);
		n++;
	}
	assert_int_equal(n, 2);
	assert_false(guard_has_orphans(g));
	assert_non_null(guard_sa(g, SA_OUT, 0x2001, &out2.dst));
	guard_free(g);
}

TEST(orphans_of_another_vn_stay)
{
	struct guard *g = guard_with_grant(7);
	struct sa_params in = test_sa(guard_grant(g, 7), SA_IN, 0x1000, 1);
	struct sa_params in2 = test_sa(guard_grant(g, 7), SA_IN, 0x1001, 3);
	struct sa_params out2 = test_sa(guard_grant(g, 7), SA_OUT, 0x2001, 4);

	in.vni = 5002;
	keep(g, &in);
	guard_orphan_all(g);
	keep(g, &in2);
	keep(g, &out2);
	assert_null(guard_orphan(g, &out2));
	assert_non_null(guard_orphan(g, NULL));
	guard_free(g);
}

TEST(pair_moves_only_within_its_grant)
{
	struct guard *g = guard_new(seed);
	struct grant grant = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct endpoint local = { test_addr("192.0.2.1"), 4500 };
	struct endpoint peer = { test_addr("198.51.100.9"), 61000 };
	struct sa_params in, out;
	uint32_t pair = 0;

	grant.peer[grant.n_peer++] = test_addr("198.51.100.9");
	in = test_sa(&grant, SA_IN, 0x1000, 1);
	out = test_sa(&grant, SA_OUT, 0x2000, 2);
	assert_int_equal(guard_grant_set(g, &grant), OK);
	keep(g, &in);
	keep(g, &out);
	assert_int_equal(guard_move_judge(g, 9, &local, &peer, &pair), ERR_NOTFOUND);
	assert_int_equal(guard_move_judge(g, 1, &local, &peer, &pair), OK);
	assert_int_equal(guard_moved(g, 1, &local, &peer), OK);
	assert_null(guard_sa(g, SA_OUT, 0x2000, &out.dst));
	assert_non_null(guard_sa(g, SA_OUT, 0x2000, &peer.addr));
	assert_int_equal(guard_sa(g, SA_OUT, 0x2000, &peer.addr)->sa.encap_dport, 61000);
	assert_int_equal(guard_sa(g, SA_IN, 0x1000, &local.addr)->sa.encap_sport, 61000);
	peer.addr = test_addr("198.51.100.10");
	assert_int_equal(guard_move_judge(g, 1, &local, &peer, &pair), ERR_DENIED);
	guard_orphan_all(g);
	peer.addr = test_addr("198.51.100.9");
	assert_int_equal(guard_move_judge(g, 1, &local, &peer, &pair), ERR_NOTFOUND);
	guard_free(g);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sa_within_its_grant_is_let_through),
		cmocka_unit_test(sa_outside_its_grant_is_refused),
		cmocka_unit_test(tcp_channel_takes_selectors_in_pairs),
		cmocka_unit_test(key_is_never_taken_twice),
		cmocka_unit_test(key_of_an_sa_that_was_not_installed_is_still_good),
		cmocka_unit_test(many_keys_are_remembered),
		cmocka_unit_test(spi_in_use_and_second_half_of_one_direction_are_refused),
		cmocka_unit_test(expired_grant_admits_nothing),
		cmocka_unit_test(grant_that_shrinks_uncovers_its_sas),
		cmocka_unit_test(grant_number_stays_with_its_node),
		cmocka_unit_test(orphans_stay_until_a_whole_pair_replaces_them),
		cmocka_unit_test(orphans_of_another_vn_stay),
		cmocka_unit_test(pair_moves_only_within_its_grant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
