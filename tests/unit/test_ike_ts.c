/* SPDX-License-Identifier: ISC */
#include "ike_support.h"

#include "ike/ts.h"

#define V4_UDP  "07 11 0010 0000 ffff c0000201 c0000201"
#define V4_VXLAN "07 11 0010 12b5 12b5 c0000201 c0000201"
#define V6_ANY  "08 00 0028 0000 ffff 20010db8000000000000000000000001" \
	"20010db80000000000000000000000ff"
#define LABEL_A "0a 00 0008 63683a61"           /* ch:a */

static struct selector
range(const char *lo, const char *hi, uint8_t proto, uint16_t port_lo, uint16_t port_hi)
{
	struct selector s = {
		.proto = proto, .port_lo = port_lo, .port_hi = port_hi,
		.lo = test_addr(lo), .hi = test_addr(hi),
	};

	return s;
}

static struct ike_ts
asked(const struct selector *s, size_t n)
{
	struct ike_ts ts = { .n_sel = (uint8_t)n };

	memcpy(ts.sel, s, n * sizeof *s);
	return ts;
}

static int
read_ts(struct ike_ts *ts, const char *text)
{
	struct octets o = hex(text);

	return ts_read(ts, view(&o));
}

TEST(selectors_come_back_as_written)
{
	struct selector s[] = {
		range("192.0.2.1", "192.0.2.1", 17, 4789, 4789),
		range("2001:db8::1", "2001:db8::ff", 0, 0, 65535),
		range("10.0.0.0", "10.255.255.255", 1, 0x0800, 0x08ff),
	};
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;
	size_t i;

	ts_write(&out, PL_TSi, s, COUNT(s), "ch:vxlan;vni:5001");
	ts_write(&out, PL_TSr, s, 1, NULL);
	finish(&out, &o, &m);
	assert_int_equal(m.tsi.n_sel, 3);
	for (i = 0; i < COUNT(s); i++)
		assert_true(selector_equal(&m.tsi.sel[i], &s[i]));
	assert_int_equal(m.tsi.n_labels, 1);
	assert_octets(m.tsi.labels[0], bytes_str("ch:vxlan;vni:5001"));
	assert_int_equal(m.tsr.n_sel, 1);
	assert_int_equal(m.tsr.n_labels, 0);
}

TEST(octets_are_those_of_the_rfcs)
{
	struct selector s = range("192.0.2.1", "192.0.2.1", 17, 0, 65535);
	struct ike_out out = test_out();
	struct octets o;
	struct ike_msg m;

	ts_write(&out, PL_TSi, &s, 1, "ch:a");
	finish(&out, &o, &m);
	assert_hex(bytes_of(o.p + IKE_HEADER_LEN, o.n - IKE_HEADER_LEN),
	    "00 00 0020 02 000000" V4_UDP LABEL_A);
}

TEST(payload_is_refused_at_every_truncation)
{
	assert_prefixes_refused(PL_TSi, "03 000000" V4_UDP V6_ANY LABEL_A);
	assert_trailing_refused(PL_TSr, "03 000000" V4_UDP V6_ANY LABEL_A);
}

TEST(count_is_that_of_the_selectors)
{
	assert_int_equal(read_hex(PL_TSi, "00 000000"), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "00 000000" V4_UDP), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000" V4_UDP V4_UDP), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "03 000000" V4_UDP V4_UDP), ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "02 ffffff" V4_UDP V4_UDP), OK);
}

TEST(length_is_that_of_the_type)
{
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 0000 0000 ffff c0000201 c0000201"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 0003 0000 ffff c0000201 c0000201"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 000f 0000 ffff c0000201 c00002"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 0011 0000 ffff c0000201 c000020100"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 08 11 0010 0000 ffff c0000201 c0000201"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 ffff 0000 ffff c0000201 c0000201"),
	    ERR_SYNTAX);
}

TEST(range_that_runs_backwards_is_refused)
{
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 0010 0000 ffff c0000202 c0000201"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 0010 0002 0001 c0000201 c0000201"),
	    ERR_SYNTAX);
	assert_int_equal(read_hex(PL_TSi, "01 000000 07 11 0010 ffff 0001 c0000201 c0000201"),
	    ERR_SYNTAX);
}

TEST(opaque_ports_are_read_but_never_granted)
{
	struct selector policy = range("192.0.2.1", "192.0.2.1", 0, 0, 65535);
	struct selector out[SELECTORS_MAX];
	struct ike_ts ts;
	uint8_t n;

	assert_int_equal(read_ts(&ts, "01 000000 07 11 0010 ffff 0000 c0000201 c0000201"), OK);
	assert_true(ts_is_opaque(&ts.sel[0]));
	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), ERR_NOTFOUND);
	assert_int_equal(n, 0);
	assert_int_equal(ts_check_subset(&ts, &policy, 1), ERR_PROTO);
}

TEST(unknown_types_are_skipped)
{
	struct ike_ts ts;

	assert_int_equal(read_ts(&ts, "03 000000 09 00 0006 0102 c8 00 0004" V4_UDP), OK);
	assert_int_equal(ts.n_sel, 1);
	assert_int_equal(read_ts(&ts, "01 000000 c8 00 0003"), ERR_SYNTAX);
	assert_int_equal(read_ts(&ts, "01 000000 c8 00 0004"), OK);
	assert_int_equal(ts.n_sel, 0);
}

TEST(label_has_octets_and_an_address_beside_it)
{
	struct selector policy = range("0.0.0.0", "255.255.255.255", 0, 0, 65535);
	struct selector out[SELECTORS_MAX];
	char text[LABEL_MAX];
	struct ike_ts ts;
	uint8_t n;

	assert_int_equal(read_ts(&ts, "02 000000" V4_UDP "0a 00 0004"), OK);
	assert_int_equal(ts_choose_label(&ts, &ts, text), ERR_NOTFOUND);
	assert_int_equal(ts_check_label(&ts, &ts, NULL), ERR_PROTO);
	assert_int_equal(ts_check_label(&ts, &ts, "ch:a"), ERR_PROTO);
	assert_int_equal(read_ts(&ts, "02 000000" V4_UDP "0a ff 0005 00"), OK);
	assert_int_equal(read_ts(&ts, "01 000000" LABEL_A), OK);
	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), ERR_NOTFOUND);
	assert_int_equal(ts_check_subset(&ts, &policy, 1), ERR_PROTO);
}

TEST(more_than_the_struct_holds_is_refused)
{
	struct octets o = { .n = 4, .p = { IKE_TS_MAX } }, one = hex(V4_UDP), label = hex(LABEL_A);
	struct ike_ts ts;
	size_t i;

	for (i = 0; i <= IKE_TS_MAX; i++, o.n += one.n)
		memcpy(o.p + o.n, one.p, one.n);
	assert_int_equal(ts_read(&ts, bytes_of(o.p, o.n - one.n)), OK);
	assert_int_equal(ts.n_sel, IKE_TS_MAX);
	o.p[0]++;
	assert_int_equal(ts_read(&ts, view(&o)), ERR_SPACE);

	o.n = 4;
	o.p[0] = IKE_TS_LABELS_MAX;
	for (i = 0; i <= IKE_TS_LABELS_MAX; i++, o.n += label.n)
		memcpy(o.p + o.n, label.p, label.n);
	assert_int_equal(ts_read(&ts, bytes_of(o.p, o.n - label.n)), OK);
	assert_int_equal(ts.n_labels, IKE_TS_LABELS_MAX);
	o.p[0]++;
	assert_int_equal(ts_read(&ts, view(&o)), ERR_SPACE);
}

/* RFC 7296 section 2.9: the responder takes what its policy allows. */
TEST(offer_is_narrowed_to_the_policy)
{
	struct selector offer = range("0.0.0.0", "255.255.255.255", 0, 0, 65535);
	struct selector policy = range("192.0.2.1", "192.0.2.1", 17, 4789, 4789);
	struct selector out[SELECTORS_MAX];
	struct ike_ts ts = asked(&offer, 1);
	uint8_t n;

	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), OK);
	assert_int_equal(n, 1);
	assert_true(selector_equal(&out[0], &policy));
	/* and the other way round: never wider than asked for */
	ts = asked(&policy, 1);
	assert_int_equal(ts_narrow(&ts, &offer, 1, out, &n), OK);
	assert_true(selector_equal(&out[0], &policy));
}

TEST(offer_outside_the_policy_leaves_nothing)
{
	struct selector offers[] = {
		range("192.0.2.2", "192.0.2.9", 17, 0, 65535),
		range("192.0.2.1", "192.0.2.1", 6, 0, 65535),
		range("192.0.2.1", "192.0.2.1", 17, 0, 4788),
		range("2001:db8::1", "2001:db8::1", 17, 0, 65535),
	};
	struct selector policy = range("192.0.2.1", "192.0.2.1", 17, 4789, 4789);
	struct selector out[SELECTORS_MAX];
	struct ike_ts ts = asked(offers, COUNT(offers));
	uint8_t n;

	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), ERR_NOTFOUND);
	assert_int_equal(ts_narrow(&ts, &policy, 0, out, &n), ERR_NOTFOUND);
}

TEST(order_asked_for_is_kept_and_covered_ranges_go)
{
	struct selector offers[] = {
		range("192.0.2.1", "192.0.2.1", 17, 4789, 4789),   /* the packet */
		range("198.51.100.1", "198.51.100.1", 6, 179, 179),
		range("192.0.2.1", "192.0.2.1", 17, 4789, 4789),   /* again */
		range("192.0.2.0", "192.0.2.255", 17, 0, 65535),   /* covers the first */
		range("192.0.2.7", "192.0.2.7", 17, 1, 1),         /* covered by it */
	};
	struct selector policy = range("0.0.0.0", "255.255.255.255", 0, 0, 65535);
	struct selector out[SELECTORS_MAX];
	struct ike_ts ts = asked(offers, 3);
	uint8_t n;

	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), OK);
	assert_int_equal(n, 2);
	assert_true(selector_equal(&out[0], &offers[0]));
	assert_true(selector_equal(&out[1], &offers[1]));
	ts = asked(offers, COUNT(offers));
	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), OK);
	assert_int_equal(n, 2);
	assert_true(selector_equal(&out[0], &offers[1]));
	assert_true(selector_equal(&out[1], &offers[3]));
}

TEST(narrowing_stops_at_what_an_sa_holds)
{
	struct selector offers[IKE_TS_MAX], out[SELECTORS_MAX + 1], guard;
	struct selector policy = range("0.0.0.0", "255.255.255.255", 0, 0, 65535);
	struct ike_ts ts;
	uint16_t i;
	uint8_t n;

	for (i = 0; i < IKE_TS_MAX; i++)
		offers[i] = range("192.0.2.1", "192.0.2.1", 17, i, i);
	memset(out, 0xa5, sizeof out);
	guard = out[SELECTORS_MAX];
	ts = asked(offers, IKE_TS_MAX);
	assert_int_equal(ts_narrow(&ts, &policy, 1, out, &n), OK);
	assert_int_equal(n, SELECTORS_MAX);
	assert_true(selector_equal(&out[SELECTORS_MAX - 1], &offers[SELECTORS_MAX - 1]));
	assert_memory_equal(&guard, &out[SELECTORS_MAX], sizeof guard);
}

TEST(response_lies_within_the_offer)
{
	struct selector offer[] = {
		range("192.0.2.1", "192.0.2.1", 17, 0, 65535),
		range("198.51.100.0", "198.51.100.255", 6, 179, 179),
	};
	struct selector inside = range("198.51.100.7", "198.51.100.7", 6, 179, 179);
	struct selector wider = range("192.0.2.1", "192.0.2.2", 17, 0, 65535);
	struct selector any = range("192.0.2.1", "192.0.2.1", 0, 0, 65535);
	struct ike_ts ts;

	ts = asked(offer, 2);
	assert_int_equal(ts_check_subset(&ts, offer, 2), OK);
	ts = asked(&inside, 1);
	assert_int_equal(ts_check_subset(&ts, offer, 2), OK);
	assert_int_equal(ts_check_subset(&ts, offer, 1), ERR_PROTO);
	ts = asked(&wider, 1);
	assert_int_equal(ts_check_subset(&ts, offer, 2), ERR_PROTO);
	ts = asked(&any, 1);
	assert_int_equal(ts_check_subset(&ts, offer, 2), ERR_PROTO);
	ts = asked(&any, 0);
	assert_int_equal(ts_check_subset(&ts, offer, 2), ERR_PROTO);
}

TEST(label_text_round_trips)
{
	static const struct {
		const char *text, *channel;
		uint32_t vni;
	} cases[] = {
		{ "ch:vxlan", "vxlan", 0 },
		{ "ch:a", "a", 0 },
		{ "ch:vxlan;vni:1", "vxlan", 1 },
		{ "ch:A.b_c-9;vni:16777215", "A.b_c-9", 0xffffff },
		{ "ch:0123456789012345678901234567890123456789012345678901234567;v", NULL, 0 },
	};
	struct ike_label l;
	char text[LABEL_MAX];
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		if (cases[i].channel == NULL) {
			assert_int_equal(ts_label_parse(&l, bytes_str(cases[i].text)), ERR_VALUE);
			continue;
		}
		assert_int_equal(ts_label_parse(&l, bytes_str(cases[i].text)), OK);
		assert_string_equal(l.channel, cases[i].channel);
		assert_int_equal(l.vni, cases[i].vni);
		assert_int_equal(ts_label_format(&l, text), OK);
		assert_string_equal(text, cases[i].text);
	}
}

TEST(label_of_another_form_is_refused)
{
	static const char *const bad[] = {
		"", "c", "ch", "ch:", "CH:vxlan", "ch:;vni:5", "ch:vx lan", "ch:vxlan;", "ch:vxlan;vni",
		"ch:vxlan;vni:", "ch:vxlan;vni:0", "ch:vxlan;vni:05", "ch:vxlan;vni:16777216",
		"ch:vxlan;vni:99999999999999999999", "ch:vxlan;vni:5;vni:6", "ch:vxlan;vni:5 ",
		"ch:vxlan;vni:-5", "ch:vxlan\n", "ch:\303\244", "vni:5", "ch:vxlan;VNI:5",
		"system_u:object_r:ipsec_spd_t:s0",
		"ch:012345678901234567890123456789012345678901234567890123456789012",
	};
	struct ike_label l;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		if (ts_label_parse(&l, bytes_str(bad[i])) != ERR_VALUE)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(ts_label_parse(&l, bytes_of("ch:a\0", 5)), ERR_VALUE);
	assert_int_equal(ts_label_parse(&l, bytes_of(NULL, 0)), ERR_VALUE);
}

TEST(label_that_cannot_be_written_is_told)
{
	struct ike_label l = { .channel = "vxlan", .vni = VNI_MAX + 1 };
	char text[LABEL_MAX];

	assert_int_equal(ts_label_format(&l, text), ERR_VALUE);
	l = (struct ike_label){ .channel = "" };
	assert_int_equal(ts_label_format(&l, text), ERR_VALUE);
	l = (struct ike_label){ .channel = "a;b" };
	assert_int_equal(ts_label_format(&l, text), ERR_VALUE);
	memset(l.channel, 'x', sizeof l.channel);
	assert_int_equal(ts_label_format(&l, text), ERR_VALUE);
	l.channel[61] = '\0';
	assert_int_equal(ts_label_format(&l, text), ERR_SPACE);
	assert_string_equal(text, "");
	l.channel[60] = '\0';
	assert_int_equal(ts_label_format(&l, text), OK);
	assert_int_equal(strlen(text), LABEL_MAX - 1);
}

static struct ike_ts
labelled(const char *a, const char *b)
{
	struct ike_ts ts = { .n_sel = 0 };

	if (a != NULL)
		ts.labels[ts.n_labels++] = bytes_str(a);
	if (b != NULL)
		ts.labels[ts.n_labels++] = bytes_str(b);
	return ts;
}

TEST(responder_picks_the_first_label_that_both_sides_hold)
{
	struct ike_ts none = labelled(NULL, NULL), other = labelled("selinux", NULL);
	struct ike_ts tsi = labelled("ch:a", "ch:b"), tsr = labelled("ch:b", "ch:c");
	struct ike_ts mixed = labelled("selinux", "ch:b");
	char label[LABEL_MAX];

	assert_int_equal(ts_choose_label(&tsi, &tsr, label), OK);
	assert_string_equal(label, "ch:b");
	assert_int_equal(ts_choose_label(&mixed, &mixed, label), OK);
	assert_string_equal(label, "ch:b");
	assert_int_equal(ts_choose_label(&none, &none, label), OK);
	assert_string_equal(label, "");
	assert_int_equal(ts_choose_label(&tsi, &none, label), ERR_NOTFOUND);
	assert_int_equal(ts_choose_label(&none, &tsr, label), ERR_NOTFOUND);
	assert_int_equal(ts_choose_label(&other, &other, label), ERR_NOTFOUND);
}

TEST(initiator_wants_its_label_alone_in_both)
{
	struct ike_ts none = labelled(NULL, NULL), a = labelled("ch:a", NULL);
	struct ike_ts b = labelled("ch:b", NULL), two = labelled("ch:a", "ch:a");

	assert_int_equal(ts_check_label(&a, &a, "ch:a"), OK);
	assert_int_equal(ts_check_label(&none, &none, NULL), OK);
	assert_int_equal(ts_check_label(&none, &none, ""), OK);
	assert_int_equal(ts_check_label(&none, &none, "ch:a"), ERR_PROTO);
	assert_int_equal(ts_check_label(&a, &none, "ch:a"), ERR_PROTO);
	assert_int_equal(ts_check_label(&a, &b, "ch:a"), ERR_PROTO);
	assert_int_equal(ts_check_label(&two, &a, "ch:a"), ERR_PROTO);
	assert_int_equal(ts_check_label(&a, &a, NULL), ERR_PROTO);
	assert_int_equal(ts_check_label(&a, &a, "ch:aa"), ERR_PROTO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_come_back_as_written),
		cmocka_unit_test(octets_are_those_of_the_rfcs),
		cmocka_unit_test(payload_is_refused_at_every_truncation),
		cmocka_unit_test(count_is_that_of_the_selectors),
		cmocka_unit_test(length_is_that_of_the_type),
		cmocka_unit_test(range_that_runs_backwards_is_refused),
		cmocka_unit_test(opaque_ports_are_read_but_never_granted),
		cmocka_unit_test(unknown_types_are_skipped),
		cmocka_unit_test(label_has_octets_and_an_address_beside_it),
		cmocka_unit_test(more_than_the_struct_holds_is_refused),
		cmocka_unit_test(offer_is_narrowed_to_the_policy),
		cmocka_unit_test(offer_outside_the_policy_leaves_nothing),
		cmocka_unit_test(order_asked_for_is_kept_and_covered_ranges_go),
		cmocka_unit_test(narrowing_stops_at_what_an_sa_holds),
		cmocka_unit_test(response_lies_within_the_offer),
		cmocka_unit_test(label_text_round_trips),
		cmocka_unit_test(label_of_another_form_is_refused),
		cmocka_unit_test(label_that_cannot_be_written_is_told),
		cmocka_unit_test(responder_picks_the_first_label_that_both_sides_hold),
		cmocka_unit_test(initiator_wants_its_label_alone_in_both),
	};

	return cmocka_run_group_tests(tests, crypto_setup, NULL);
}
