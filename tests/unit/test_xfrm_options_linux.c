/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include "xfrm-backend/options.h"

static int
read_options(struct options *o, const char *const *list, char why[static OPTIONS_WHY])
{
	why[0] = '\0';
	return options_read(o, list, why);
}

TEST(without_options_all_have_their_defaults)
{
	static const char *const list[] = { NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, list, why), OK);
	assert_int_equal(o.n_vxlan_ports, 1);
	assert_int_equal(o.vxlan_ports[0], 4789);
	assert_int_equal(o.ike_port, 500);
	assert_int_equal(o.natt_port, 4500);
	assert_int_equal(o.reqid_base, 1331036160);
	assert_int_equal(o.priority, 1000);
	assert_int_equal(o.block_priority, 50000);
	assert_int_equal(o.reconcile_s, 30);
	assert_string_equal(o.table, "overlock");
	assert_string_equal(why, "");
}

TEST(all_options_are_read)
{
	static const char *const list[] = { "vxlan-port= 4789, 8472,,6784 ", "ike-port=501",
	    "natt-port=4501", "reqid-base=1", "priority=4294967291", "block-priority=4294967295",
	    "reconcile=3600", "table=_over-lock2", NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, list, why), OK);
	assert_int_equal(o.n_vxlan_ports, 3);
	assert_int_equal(o.vxlan_ports[0], 4789);
	assert_int_equal(o.vxlan_ports[1], 8472);
	assert_int_equal(o.vxlan_ports[2], 6784);
	assert_int_equal(o.ike_port, 501);
	assert_int_equal(o.natt_port, 4501);
	assert_int_equal(o.reqid_base, 1);
	assert_true(o.priority == 4294967291);
	assert_true(o.block_priority == UINT32_MAX);
	assert_int_equal(o.reconcile_s, 3600);
	assert_string_equal(o.table, "_over-lock2");
}

TEST(the_last_of_several_counts)
{
	static const char *const list[] = { "vxlan-port=1,2,3", "table=a", "vxlan-port=4790", "table=b",
	    NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, list, why), OK);
	assert_int_equal(o.n_vxlan_ports, 1);
	assert_int_equal(o.vxlan_ports[0], 4790);
	assert_string_equal(o.table, "b");
}

TEST(the_largest_reqid_base_leaves_room_for_all_reqids)
{
	static const char *const fits[] = { "reqid-base=4293918719", NULL };
	static const char *const too_large[] = { "reqid-base=4293918720", NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, fits, why), OK);
	assert_true(UINT32_MAX - o.reqid_base >= REQIDS);
	assert_int_equal(read_options(&o, too_large, why), ERR_VALUE);
	assert_non_null(strstr(why, "4293918719"));
}

TEST(sixteen_ports_fit)
{
	static const char *const fits[] = { "vxlan-port=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", NULL };
	static const char *const too_many[] = { "vxlan-port=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
	    NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, fits, why), OK);
	assert_int_equal(o.n_vxlan_ports, OPTIONS_PORTS_MAX);
	assert_int_equal(read_options(&o, too_many, why), ERR_VALUE);
}

TEST(blocks_come_after_all_other_policies)
{
	static const char *const fits[] = { "priority=1000", "block-priority=1004", NULL };
	static const char *const equal[] = { "priority=1000", "block-priority=1003", NULL };
	static const char *const before[] = { "block-priority=5", "priority=60000", NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, fits, why), OK);
	assert_true(o.block_priority > o.priority + PRIORITIES);
	assert_int_equal(read_options(&o, equal, why), ERR_VALUE);
	assert_non_null(strstr(why, "block-priority: 1003"));
	assert_int_equal(read_options(&o, before, why), ERR_VALUE);
	assert_non_null(strstr(why, "60000"));
}

TEST(ports_of_ike_cant_be_protected)
{
	static const char *const defaults[] = { "vxlan-port=4789,4500", NULL };
	static const char *const chosen[] = { "ike-port=4789", NULL };
	static const char *const moved[] = { "vxlan-port=4500", "natt-port=4501", NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, defaults, why), ERR_VALUE);
	assert_non_null(strstr(why, "vxlan-port: "));
	assert_int_equal(read_options(&o, chosen, why), ERR_VALUE);
	assert_int_equal(read_options(&o, moved, why), OK);
}

TEST(bad_options_are_named_with_a_way_out)
{
	static const struct { const char *option, *word; } rows[] = {
		{ "vxlan-port=", "vxlan-port: " },
		{ "vxlan-port= , ,", "16 UDP ports" },
		{ "vxlan-port=0", "vxlan-port: '0'" },
		{ "vxlan-port=65536", "'65536'" },
		{ "vxlan-port=4789;8472", "4789,8472" },
		{ "vxlan-port=-1", "'-1'" },
		{ "vxlan-port", "vxlan-port: ''" },
		{ "ike-port=0", "[ike] port" },
		{ "ike-port=", "ike-port: " },
		{ "ike-port= 500", "ike-port: " },
		{ "natt-port=65536", "[ike] natt-port" },
		{ "natt-port=4500x", "natt-port: " },
		{ "reqid-base=0", "reqid-base: " },
		{ "reqid-base=18446744073709551617", "reqid-base: " },
		{ "reqid-base=0x100", "reqid-base: " },
		{ "priority=0", "priority: " },
		{ "priority=4294967292", "1 to 4294967291" },
		{ "block-priority=4", "5 to 4294967295" },
		{ "block-priority=4294967296", "block-priority: " },
		{ "block-priority=99999999999999999999999999999999999", "block-priority: " },
		{ "reconcile=0", "1 to 3600" },
		{ "reconcile=3601", "reconcile: " },
		{ "table=", "table: " },
		{ "table=2overlock", "table: " },
		{ "table=-overlock", "table: " },
		{ "table=over lock", "table: " },
		{ "table=a;flush ruleset", "letters, digits" },
		{ "table=abcdefghijklmnopqrstuvwxyzabcdef", "31" },
		{ "colour=red", "no such option" },
		{ "nonsense", "nonsense: " },
		{ "vxlan-ports=1", "no such option" },
		{ "vxlan=1", "no such option" },
		{ "=x", "no such option" },
		{ "", "no such option" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const char *const list[] = { rows[i].option, NULL };
		char why[OPTIONS_WHY];
		struct options o;

		if (read_options(&o, list, why) != ERR_VALUE)
			fail_msg("row %zu: %s is taken", i, rows[i].option);
		if (strstr(why, rows[i].word) == NULL)
			fail_msg("row %zu: \"%s\" lacks \"%s\"", i, why, rows[i].word);
	}
}

TEST(long_options_fit_what_is_said_of_them)
{
	static char text[5000];
	const char *const list[] = { text, NULL };
	char why[OPTIONS_WHY];
	struct options o;

	memset(text, 'x', sizeof text - 1);
	assert_int_equal(read_options(&o, list, why), ERR_VALUE);
	assert_true(strlen(why) < OPTIONS_WHY - 1);
	memcpy(text, "table=", 6);
	assert_int_equal(read_options(&o, list, why), ERR_VALUE);
	assert_non_null(strstr(why, "31 letters"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_all_have_their_defaults),
		cmocka_unit_test(all_options_are_read),
		cmocka_unit_test(the_last_of_several_counts),
		cmocka_unit_test(the_largest_reqid_base_leaves_room_for_all_reqids),
		cmocka_unit_test(sixteen_ports_fit),
		cmocka_unit_test(blocks_come_after_all_other_policies),
		cmocka_unit_test(ports_of_ike_cant_be_protected),
		cmocka_unit_test(bad_options_are_named_with_a_way_out),
		cmocka_unit_test(long_options_fit_what_is_said_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
