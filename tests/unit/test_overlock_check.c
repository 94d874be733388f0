/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include "overlock/check_int.h"

/* Octets on the wire for an inner IP packet, put together the other way round: RFC 7348, 4303, 3948. */
static int
on_the_wire(int inner, bool v6, bool encap)
{
	int sealed = 8 + 8 + 14 + inner + 2;       /* UDP, VXLAN, Ethernet, packet, ESP trailer */

	while (sealed % 4 != 0)
		sealed++;
	return (v6 ? 40 : 20) + (encap ? 8 : 0) + 8 + 8 + sealed + 16;
}

TEST(what_fits_into_an_underlay)
{
	static const struct { int mtu, v4, v4_encap, v6, v6_encap; } rows[] = {
		{ 1500, 1416, 1408, 1396, 1388 },
		{ 9000, 8916, 8908, 8896, 8888 },
		{ 1501, 1416, 1408, 1396, 1388 },
		{ 1503, 1416, 1408, 1396, 1388 },
		{ 1504, 1420, 1412, 1400, 1392 },
		/* For an inner MTU of 1500. */
		{ 1584, 1500, 1492, 1480, 1472 },
		{ 1612, 1528, 1520, 1508, 1500 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(check_fits(rows[i].mtu, false, false), rows[i].v4);
		assert_int_equal(check_fits(rows[i].mtu, false, true), rows[i].v4_encap);
		assert_int_equal(check_fits(rows[i].mtu, true, false), rows[i].v6);
		assert_int_equal(check_fits(rows[i].mtu, true, true), rows[i].v6_encap);
	}
}

TEST(one_octet_more_does_not_fit)
{
	int mtu, v6, encap;

	for (mtu = 1280; mtu < 1700; mtu++)
		for (v6 = 0; v6 < 2; v6++)
			for (encap = 0; encap < 2; encap++) {
				int fits = check_fits(mtu, v6 != 0, encap != 0);

				assert_true(on_the_wire(fits, v6 != 0, encap != 0) <= mtu);
				assert_true(on_the_wire(fits + 1, v6 != 0, encap != 0) > mtu);
			}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_into_an_underlay),
		cmocka_unit_test(one_octet_more_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
