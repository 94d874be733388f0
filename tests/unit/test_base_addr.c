/* SPDX-License-Identifier: ISC */
#include "base_support.h"

/* Text in, canonical text out. The examples of RFC 5952 sections 1, 2 and 4, and edges. */
static const struct {
	const char *in, *out;
} texts[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8::1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:0db8::1:0:0:1", "2001:db8::1:0:0:1" },
	{ "2001:db8:0:0:1::1", "2001:db8::1:0:0:1" },
	{ "2001:DB8:0:0:1::1", "2001:db8::1:0:0:1" },
	{ "2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1" },
	{ "2001:db8:aaaa:bbbb:cccc:dddd:0:1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1" },
	{ "2001:db8:0:0:0::1", "2001:db8::1" },
	{ "2001:db8:0:0::1", "2001:db8::1" },
	{ "2001:db8:0::1", "2001:db8::1" },
	{ "2001:db8:aaaa:bbbb:cccc:dddd:eeee:AaAa", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa" },
	{ "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
	{ "2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::" },
	{ "0:0:0:0:0:0:0:0", "::" },
	{ "0:0:0:0:0:0:0:1", "::1" },
	{ "1:0:0:0:0:0:0:0", "1::" },
	{ "0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7" },
	{ "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0" },
	{ "0:0:3:4:5:6:7:8", "::3:4:5:6:7:8" },
	{ "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ "::ffff:0:0", "::ffff:0.0.0.0" },
	{ "::192.0.2.1", "::c000:201" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

TEST(text_becomes_canonical)
{
	char buf[ADDR_STRLEN];
	struct addr a, again;
	size_t i;

	for (i = 0; i < COUNT(texts); i++) {
		a = test_addr(texts[i].in);
		assert_string_equal(addr_str(&a, buf), texts[i].out);
		again = test_addr(buf);
		assert_true(addr_equal(&a, &again));
	}
}

TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"", " ", "192.0.2", "192.0.2.256", "192.0.2.1.1", "192.0.2.1 ", " 192.0.2.1",
		"192.0.2.1/32", "192.0.2.1:500", "0x7f.0.0.1", "1", "-1.0.0.0", "::1%lo", "[::1]",
		":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::",
		"::ffff:1.2.3", "localhost", "::1/128",
	};
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(addr_parse(&a, bad[i]), ERR_VALUE);
}

TEST(any_v6_address_survives_its_text)
{
	uint64_t rng = 3;
	char buf[ADDR_STRLEN];
	struct addr a, b;
	int i, j;

	for (i = 0; i < 20000; i++) {
		memset(&a, 0, sizeof a);
		a.family = ADDR_V6;
		/* Many zero groups, so that every pattern of runs comes up. */
		for (j = 0; j < 8; j++)
			if (test_random(&rng) % 2 == 0) {
				a.a[2 * j] = (uint8_t)test_random(&rng);
				a.a[2 * j + 1] = (uint8_t)test_random(&rng);
			}
		b = test_addr(addr_str(&a, buf));
		assert_memory_equal(&a, &b, sizeof a);
	}
}

TEST(endpoint_text_sets_v6_apart)
{
	struct endpoint e = { .port = 500 };
	char buf[ENDPOINT_STRLEN];

	e.addr = test_addr("192.0.2.1");
	assert_string_equal(endpoint_str(&e, buf), "192.0.2.1:500");
	e.addr = test_addr("2001:db8::1");
	assert_string_equal(endpoint_str(&e, buf), "[2001:db8::1]:500");
	memset(&e, 0, sizeof e);
	assert_string_equal(endpoint_str(&e, buf), "none:0");
	e.addr = test_addr("1111:2222:3333:4444:5555:6666:7777:8888");
	e.port = 65535;
	assert_string_equal(endpoint_str(&e, buf),
	    "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

TEST(octets_make_an_address_of_their_length)
{
	uint8_t octets[17] = { 1, 2, 3, 4, 5 };
	struct addr a;
	size_t n;

	for (n = 0; n <= sizeof octets; n++)
		assert_int_equal(addr_from_bytes(&a, bytes_of(octets, n)),
		    n == 4 || n == 16 ? OK : ERR_VALUE);
	assert_int_equal(addr_from_bytes(&a, bytes_of(octets, 4)), OK);
	assert_int_equal(addr_len(&a), 4);
	assert_int_equal(a.a[4], 0);
	assert_int_equal(addr_from_bytes(&a, bytes_of(octets, 16)), OK);
	assert_int_equal(addr_bytes(&a).n, 16);
	memset(&a, 0, sizeof a);
	assert_int_equal(addr_bytes(&a).n, 0);
}

TEST(order_is_by_family_then_octets)
{
	static const char *const sorted[] = {
		"0.0.0.0", "10.0.0.1", "10.0.0.2", "255.0.0.0", "::", "::1", "1::", "ffff::",
	};
	struct addr a, b, none = { 0 };
	size_t i, j;

	for (i = 0; i < COUNT(sorted); i++) {
		a = test_addr(sorted[i]);
		assert_true(addr_cmp(&none, &a) < 0);
		for (j = 0; j < COUNT(sorted); j++) {
			b = test_addr(sorted[j]);
			assert_int_equal(addr_cmp(&a, &b) < 0, i < j);
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
	}
	assert_true(addr_equal(&none, &none));
}

TEST(endpoints_differ_by_port_too)
{
	struct endpoint a = { test_addr("192.0.2.1"), 500 }, b = a;

	assert_true(endpoint_equal(&a, &b));
	b.port = 4500;
	assert_false(endpoint_equal(&a, &b));
	b.port = 500;
	b.addr.a[3] = 2;
	assert_false(endpoint_equal(&a, &b));
}

TEST(multicast_and_unspecified_are_known)
{
	static const struct {
		const char *text;
		bool multicast, unspecified;
	} rows[] = {
		{ "223.255.255.255", false, false }, { "224.0.0.0", true, false },
		{ "239.255.255.255", true, false }, { "240.0.0.0", false, false },
		{ "0.0.0.0", false, true }, { "::", false, true }, { "::1", false, false },
		{ "ff02::1", true, false }, { "fe80::1", false, false },
	};
	struct addr a;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		a = test_addr(rows[i].text);
		assert_int_equal(addr_is_multicast(&a), rows[i].multicast);
		assert_int_equal(addr_is_unspecified(&a), rows[i].unspecified);
	}
}

TEST(hash_depends_on_address_and_seed)
{
	struct addr a = test_addr("192.0.2.1"), b = test_addr("192.0.2.2");

	assert_int_equal(addr_hash(&a, 1), addr_hash(&a, 1));
	assert_int_not_equal(addr_hash(&a, 1), addr_hash(&b, 1));
	assert_int_not_equal(addr_hash(&a, 1), addr_hash(&a, 2));
}

TEST(wire_form_round_trips)
{
	static const char *const text[] = { "192.0.2.1", "2001:db8::1" };
	struct endpoint e, got;
	uint8_t buf[64];
	struct wr w;
	struct rd r;
	size_t i;

	for (i = 0; i <= COUNT(text); i++) {
		memset(&e, 0, sizeof e);
		e.port = 4789;
		if (i < COUNT(text))
			e.addr = test_addr(text[i]);
		w = wr_fixed(buf, sizeof buf);
		wr_endpoint(&w, &e);
		r = rd_open(wr_view(&w));
		got = rd_endpoint(&r);
		assert_true(rd_end(&r));
		assert_true(endpoint_equal(&e, &got));
	}
}

TEST(wire_form_of_unknown_family_or_short_is_bad)
{
	uint8_t buf[20] = { 0 };
	struct addr a;
	struct rd r;
	int family;

	for (family = 0; family < 256; family++) {
		buf[0] = (uint8_t)family;
		r = rd_open(bytes_of(buf, sizeof buf));
		a = rd_addr(&r);
		assert_int_equal(rd_ok(&r), family == 0 || family == 4 || family == 6);
		if (!rd_ok(&r))
			assert_int_equal(a.family, AF_NONE_);
	}
	buf[0] = ADDR_V6;
	r = rd_open(bytes_of(buf, 16));
	a = rd_addr(&r);
	assert_false(rd_ok(&r));
	assert_int_equal(a.family, AF_NONE_);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_canonical),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(any_v6_address_survives_its_text),
		cmocka_unit_test(endpoint_text_sets_v6_apart),
		cmocka_unit_test(octets_make_an_address_of_their_length),
		cmocka_unit_test(order_is_by_family_then_octets),
		cmocka_unit_test(endpoints_differ_by_port_too),
		cmocka_unit_test(multicast_and_unspecified_are_known),
		cmocka_unit_test(hash_depends_on_address_and_seed),
		cmocka_unit_test(wire_form_round_trips),
		cmocka_unit_test(wire_form_of_unknown_family_or_short_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
