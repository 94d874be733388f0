/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include "base/sa.h"

static struct selector
sel(const char *lo, const char *hi, uint8_t proto, uint16_t port_lo, uint16_t port_hi)
{
	struct selector s = selector_host(&(struct addr){ 0 }, proto, port_lo, port_hi);

	s.lo = test_addr(lo);
	s.hi = test_addr(hi);
	return s;
}

#define ANY_PORT 0, 65535
#define OPAQUE   65535, 0

static struct selector
all_v4(void)
{
	return sel("0.0.0.0", "255.255.255.255", 0, ANY_PORT);
}

static struct selector
all_v6(void)
{
	return sel("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, ANY_PORT);
}

static bool
narrows_to(struct selector a, struct selector b, struct selector want)
{
	struct selector out;

	return selector_narrow(&out, &a, &b) && selector_equal(&out, &want) &&
	    selector_narrow(&out, &b, &a) && selector_equal(&out, &want);
}

static bool
apart(struct selector a, struct selector b)
{
	struct selector out;

	return !selector_narrow(&out, &a, &b) && !selector_narrow(&out, &b, &a);
}

TEST(full_ranges_contain_everything_of_their_family)
{
	struct selector v4 = all_v4(), v6 = all_v6();
	struct selector s = sel("192.0.2.1", "192.0.2.9", 17, 4789, 4789);
	struct selector t = sel("2001:db8::", "2001:db8::ffff", 6, 179, 179);

	assert_true(selector_contains(&v4, &v4));
	assert_true(selector_contains(&v6, &v6));
	assert_true(selector_contains(&v4, &s));
	assert_true(selector_contains(&v6, &t));
	assert_false(selector_contains(&v4, &t));
	assert_false(selector_contains(&v6, &s));
	assert_false(selector_contains(&s, &v4));
	assert_false(selector_contains(&t, &v6));
}

TEST(containment_is_tight_at_each_bound)
{
	struct selector outer = sel("10.0.0.10", "10.0.0.20", 17, 1000, 2000), s;

	s = outer;
	assert_true(selector_contains(&outer, &s));
	s = sel("10.0.0.9", "10.0.0.20", 17, 1000, 2000);
	assert_false(selector_contains(&outer, &s));
	s = sel("10.0.0.10", "10.0.0.21", 17, 1000, 2000);
	assert_false(selector_contains(&outer, &s));
	s = sel("10.0.0.10", "10.0.0.20", 17, 999, 2000);
	assert_false(selector_contains(&outer, &s));
	s = sel("10.0.0.10", "10.0.0.20", 17, 1000, 2001);
	assert_false(selector_contains(&outer, &s));
	s = sel("10.0.0.10", "10.0.0.20", 6, 1000, 2000);
	assert_false(selector_contains(&outer, &s));
	s = sel("10.0.0.10", "10.0.0.20", 0, 1000, 2000);
	assert_false(selector_contains(&outer, &s));
	s = sel("10.0.0.20", "10.0.0.20", 17, 2000, 2000);
	assert_true(selector_contains(&outer, &s));
}

TEST(narrowing_gives_the_intersection)
{
	assert_true(narrows_to(all_v4(), all_v4(), all_v4()));
	assert_true(narrows_to(all_v6(), sel("2001:db8::1", "2001:db8::1", 17, 4789, 4789),
	    sel("2001:db8::1", "2001:db8::1", 17, 4789, 4789)));
	assert_true(narrows_to(sel("10.0.0.0", "10.0.0.127", 0, ANY_PORT),
	    sel("10.0.0.64", "10.0.0.255", 17, 100, 200), sel("10.0.0.64", "10.0.0.127", 17, 100, 200)));
	assert_true(narrows_to(sel("10.0.0.0", "10.0.0.9", 6, 100, 200),
	    sel("10.0.0.9", "10.0.0.10", 6, 200, 300), sel("10.0.0.9", "10.0.0.9", 6, 200, 200)));
}

TEST(what_does_not_meet_has_no_intersection)
{
	assert_true(apart(sel("10.0.0.0", "10.0.0.9", 0, ANY_PORT),
	    sel("10.0.0.10", "10.0.0.11", 0, ANY_PORT)));
	assert_true(apart(sel("10.0.0.0", "10.0.0.9", 6, 100, 199),
	    sel("10.0.0.0", "10.0.0.9", 6, 200, 300)));
	assert_true(apart(sel("10.0.0.0", "10.0.0.9", 6, ANY_PORT),
	    sel("10.0.0.0", "10.0.0.9", 17, ANY_PORT)));
	assert_true(apart(all_v4(), all_v6()));
}

TEST(failed_narrowing_leaves_the_result_alone)
{
	struct selector a = all_v4(), b = all_v6(), out = sel("1.2.3.4", "1.2.3.4", 1, 2, 3), was = out;

	assert_false(selector_narrow(&out, &a, &b));
	assert_true(selector_equal(&out, &was));
}

TEST(narrowing_may_write_over_its_input)
{
	struct selector a = all_v4(), b = sel("10.0.0.1", "10.0.0.1", 17, 4789, 4789);

	assert_true(selector_narrow(&a, &a, &b));
	assert_true(selector_equal(&a, &b));
}

/* RFC 4301 section 4.4.1.1: ANY includes OPAQUE; no other range does. */
TEST(opaque_ports_are_in_any_and_in_opaque_alone)
{
	struct selector opaque = sel("10.0.0.0", "10.0.0.9", 6, OPAQUE);
	struct selector any = sel("10.0.0.0", "10.0.0.9", 6, ANY_PORT);
	struct selector some = sel("10.0.0.0", "10.0.0.9", 6, 0, 65534);

	assert_true(selector_valid(&opaque));
	assert_true(selector_contains(&any, &opaque));
	assert_true(selector_contains(&opaque, &opaque));
	assert_false(selector_contains(&some, &opaque));
	assert_false(selector_contains(&opaque, &some));
	assert_false(selector_contains(&opaque, &any));
	assert_true(narrows_to(any, opaque, opaque));
	assert_true(narrows_to(opaque, opaque, opaque));
	assert_true(apart(opaque, some));
}

TEST(senseless_selectors_are_not_valid_and_select_nothing)
{
	struct selector all = all_v4(), bad[5], out;
	size_t i;

	bad[0] = sel("10.0.0.2", "10.0.0.1", 0, ANY_PORT);
	bad[1] = sel("10.0.0.1", "10.0.0.2", 6, 200, 100);
	bad[2] = sel("10.0.0.1", "::1", 0, ANY_PORT);
	bad[3] = selector_host(&(struct addr){ 0 }, 0, ANY_PORT);
	bad[4] = sel("10.0.0.1", "10.0.0.2", 6, 65535, 1);
	assert_true(selector_valid(&all));
	for (i = 0; i < COUNT(bad); i++) {
		assert_false(selector_valid(&bad[i]));
		assert_false(selector_contains(&all, &bad[i]));
		assert_false(selector_contains(&bad[i], &all));
		assert_false(selector_contains(&bad[i], &bad[i]));
		assert_false(selector_narrow(&out, &all, &bad[i]));
		assert_false(selector_narrow(&out, &bad[i], &all));
	}
}

static struct selector
random_selector(uint64_t *rng)
{
	static const uint8_t protos[] = { 0, 6, 17 };
	struct selector s = sel("10.0.0.0", "10.0.0.0", protos[test_random(rng) % 3], ANY_PORT);

	s.lo.a[3] = (uint8_t)(test_random(rng) % 8);
	s.hi.a[3] = (uint8_t)(s.lo.a[3] + test_random(rng) % 4);
	if (test_random(rng) % 3 != 0) {
		s.port_lo = (uint16_t)(test_random(rng) % 8);
		s.port_hi = (uint16_t)(s.port_lo + test_random(rng) % 4);
	}
	return s;
}

/* The intersection selects a packet exactly when both do. */
TEST(narrowing_and_containment_agree_packet_by_packet)
{
	struct selector a, b, n, packet;
	uint64_t rng = 11;
	bool meet, both;
	int i, j;

	for (i = 0; i < 3000; i++) {
		a = random_selector(&rng);
		b = random_selector(&rng);
		meet = selector_narrow(&n, &a, &b);
		if (meet)
			assert_true(selector_contains(&a, &n) && selector_contains(&b, &n));
		for (j = 0; j < 30; j++) {
			packet = random_selector(&rng);
			packet.hi = packet.lo;
			packet.port_hi = packet.port_lo;
			packet.proto = test_random(&rng) % 2 == 0 ? 6 : 17;
			both = selector_contains(&a, &packet) && selector_contains(&b, &packet);
			assert_int_equal(meet && selector_contains(&n, &packet), both);
		}
	}
}

TEST(text_names_prefix_or_range_and_ports)
{
	static const struct {
		const char *lo, *hi;
		uint8_t proto;
		uint16_t port_lo, port_hi;
		const char *text;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", 17, 4789, 4789, "192.0.2.1/32[udp/4789]" },
		{ "0.0.0.0", "255.255.255.255", 0, ANY_PORT, "0.0.0.0/0" },
		{ "10.0.0.0", "10.255.255.255", 6, ANY_PORT, "10.0.0.0/8[tcp]" },
		{ "10.0.0.5", "10.0.0.9", 0, 1, 2, "10.0.0.5-10.0.0.9[any/1-2]" },
		{ "10.0.0.1", "10.0.0.2", 0, ANY_PORT, "10.0.0.1-10.0.0.2" },
		{ "10.0.0.0", "10.0.0.2", 0, ANY_PORT, "10.0.0.0-10.0.0.2" },
		{ "2001:db8::", "2001:db8::ffff", 58, ANY_PORT, "2001:db8::/112[icmpv6]" },
		{ "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, ANY_PORT, "::/0" },
		{ "10.0.0.0", "10.0.0.1", 47, OPAQUE, "10.0.0.0/31[47/opaque]" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888",
		    "9999:aaaa:bbbb:cccc:dddd:eeee:ffff:8888", 255, 10000, 65535,
		    "1111:2222:3333:4444:5555:6666:7777:8888-"
		    "9999:aaaa:bbbb:cccc:dddd:eeee:ffff:8888[255/10000-65535]" },
	};
	char buf[SELECTOR_STRLEN];
	struct selector s;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		s = sel(rows[i].lo, rows[i].hi, rows[i].proto, rows[i].port_lo, rows[i].port_hi);
		assert_string_equal(selector_str(&s, buf), rows[i].text);
	}
}

TEST(host_selector_is_one_address)
{
	struct addr a = test_addr("2001:db8::1");
	struct selector s = selector_host(&a, 17, 4789, 4790);

	assert_true(addr_equal(&s.lo, &a) && addr_equal(&s.hi, &a));
	assert_int_equal(s.proto, 17);
	assert_int_equal(s.port_lo, 4789);
	assert_int_equal(s.port_hi, 4790);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_ranges_contain_everything_of_their_family),
		cmocka_unit_test(containment_is_tight_at_each_bound),
		cmocka_unit_test(narrowing_gives_the_intersection),
		cmocka_unit_test(what_does_not_meet_has_no_intersection),
		cmocka_unit_test(failed_narrowing_leaves_the_result_alone),
		cmocka_unit_test(narrowing_may_write_over_its_input),
		cmocka_unit_test(opaque_ports_are_in_any_and_in_opaque_alone),
		cmocka_unit_test(senseless_selectors_are_not_valid_and_select_nothing),
		cmocka_unit_test(narrowing_and_containment_agree_packet_by_packet),
		cmocka_unit_test(text_names_prefix_or_range_and_ports),
		cmocka_unit_test(host_selector_is_one_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
