/* SPDX-License-Identifier: ISC */
#include "xfrm_support.h"

static struct xsel
sel(const char *src, uint8_t src_len, const char *dst, uint8_t dst_len, uint8_t proto, uint16_t sport,
    uint16_t dport)
{
	struct addr s = test_addr(src), d = test_addr(dst);
	struct xsel x = xsel_hosts(&s, &d, proto, sport, dport);

	x.src_len = src_len;
	x.dst_len = dst_len;
	return x;
}

TEST(selector_of_hosts_has_full_prefixes_and_masks_for_its_ports)
{
	struct addr a = test_addr("192.0.2.1"), b = test_addr("192.0.2.2");
	struct addr c = test_addr("2001:db8::1"), d = test_addr("2001:db8::2");
	struct xsel s = xsel_hosts(&a, &b, 17, 0, 4789);

	assert_int_equal(s.family, ADDR_V4);
	assert_int_equal(s.src_len, 32);
	assert_int_equal(s.dst_len, 32);
	assert_int_equal(s.proto, 17);
	assert_int_equal(s.sport_mask, 0);
	assert_int_equal(s.dport, 4789);
	assert_int_equal(s.dport_mask, 0xffff);
	s = xsel_hosts(&c, &d, 6, 179, 0);
	assert_int_equal(s.family, ADDR_V6);
	assert_int_equal(s.src_len, 128);
	assert_int_equal(s.dst_len, 128);
	assert_int_equal(s.sport_mask, 0xffff);
	assert_int_equal(s.dport_mask, 0);
}

TEST(selector_of_a_family_overlaps_all_of_it_and_none_of_the_other)
{
	struct xsel any4 = xsel_any(ADDR_V4, 0, 0, 0), any6 = xsel_any(ADDR_V6, 0, 0, 0);
	struct xsel host = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 7, 4789);

	assert_int_equal(addr_len(&any4.src), 4);
	assert_int_equal(addr_len(&any6.dst), 16);
	assert_true(xsel_overlap(&any4, &host));
	assert_true(xsel_overlap(&host, &any4));
	assert_false(xsel_overlap(&any6, &host));
	assert_false(xsel_overlap(&any6, &any4));
}

TEST(selectors_overlap_where_every_part_does)
{
	static const struct {
		const char *src;
		uint8_t src_len;
		const char *dst;
		uint8_t dst_len, proto;
		uint16_t sport, dport;
		bool overlaps;
	} rows[] = {
		{ "192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 4789, true },
		{ "192.0.2.1", 32, "192.0.2.2", 32, 17, 4789, 4789, true },
		{ "192.0.2.1", 32, "192.0.2.2", 32, 0, 0, 0, true },
		{ "192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 4790, false },
		{ "192.0.2.1", 32, "192.0.2.2", 32, 6, 0, 4789, false },
		{ "192.0.2.0", 31, "192.0.2.2", 32, 17, 0, 4789, true },
		{ "192.0.2.2", 31, "192.0.2.2", 32, 17, 0, 4789, false },
		{ "192.0.0.0", 16, "192.0.0.0", 9, 17, 0, 4789, true },
		{ "192.128.0.0", 8, "192.128.0.0", 9, 17, 0, 4789, false },
		{ "203.0.113.1", 0, "203.0.113.1", 0, 17, 0, 0, true },
		{ "192.0.2.1", 32, "192.0.2.3", 32, 17, 0, 4789, false },
		{ "192.0.2.1", 32, "192.0.2.2", 31, 17, 0, 4789, true },
	};
	struct xsel vxlan = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 4789), other;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		other = sel(rows[i].src, rows[i].src_len, rows[i].dst, rows[i].dst_len, rows[i].proto,
		    rows[i].sport, rows[i].dport);
		assert_int_equal(xsel_overlap(&vxlan, &other), rows[i].overlaps);
		assert_int_equal(xsel_overlap(&other, &vxlan), rows[i].overlaps);
	}
}

TEST(port_masks_overlap_by_the_bits_that_both_look_at)
{
	struct xsel a = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 0x1200), b = a;

	a.dport_mask = 0xff00;
	b.dport = 0x1234;
	assert_true(xsel_overlap(&a, &b));
	b.dport = 0x1334;
	assert_false(xsel_overlap(&a, &b));
}

/* ---- the selector of an SA ---- */

static struct selector
host(const char *a, uint8_t proto, uint16_t lo, uint16_t hi)
{
	struct addr addr = test_addr(a);

	return selector_host(&addr, proto, lo, hi);
}

static struct sa_params
params(uint8_t proto, uint16_t sport, uint16_t dport)
{
	struct sa_params p = { .n_src_sel = 1, .n_dst_sel = 1 };

	p.src_sel[0] = host("192.0.2.1", proto, sport, sport == 0 ? 65535 : sport);
	p.dst_sel[0] = host("192.0.2.2", proto, dport, dport == 0 ? 65535 : dport);
	return p;
}

TEST(sa_with_one_pair_gets_that_selector)
{
	struct sa_params p = params(17, 0, 4789);
	struct xsel want = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 4789), s;

	assert_int_equal(xsel_of_sa(&s, &p), OK);
	assert_true(xsel_equal(&s, &want));
	p = params(0, 0, 0);
	want = sel("192.0.2.1", 32, "192.0.2.2", 32, 0, 0, 0);
	assert_int_equal(xsel_of_sa(&s, &p), OK);
	assert_true(xsel_equal(&s, &want));
}

TEST(sa_for_tcp_to_and_from_a_port_gets_any_port)
{
	struct sa_params p = params(6, 179, 0);
	struct xsel want = sel("192.0.2.1", 32, "192.0.2.2", 32, 6, 0, 0), s;

	p.src_sel[1] = host("192.0.2.1", 6, 0, 65535);
	p.dst_sel[1] = host("192.0.2.2", 6, 179, 179);
	p.n_src_sel = p.n_dst_sel = 2;
	assert_int_equal(xsel_of_sa(&s, &p), OK);
	assert_true(xsel_equal(&s, &want));
	/* Two ports that are not the same are any, too. */
	p = params(6, 179, 1000);
	p.src_sel[1] = host("192.0.2.1", 6, 179, 179);
	p.dst_sel[1] = host("192.0.2.2", 6, 1001, 1001);
	p.n_src_sel = p.n_dst_sel = 2;
	want = sel("192.0.2.1", 32, "192.0.2.2", 32, 6, 179, 0);
	assert_int_equal(xsel_of_sa(&s, &p), OK);
	assert_true(xsel_equal(&s, &want));
}

TEST(shorter_list_goes_on_with_its_last_selector)
{
	struct sa_params p = params(17, 0, 4789);
	struct xsel want = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 0), s;

	p.dst_sel[1] = host("192.0.2.2", 17, 4790, 4790);
	p.n_dst_sel = 2;
	assert_int_equal(xsel_of_sa(&s, &p), OK);
	assert_true(xsel_equal(&s, &want));
}

TEST(sa_that_no_kernel_selector_covers_is_refused)
{
	struct sa_params p[10];
	struct xsel s;
	size_t i;

	for (i = 0; i < COUNT(p); i++) {
		p[i] = params(17, 0, 4789);
		p[i].src_sel[1] = p[i].src_sel[0];
		p[i].dst_sel[1] = p[i].dst_sel[0];
		p[i].n_src_sel = p[i].n_dst_sel = 2;
	}
	p[0].n_src_sel = 0;
	p[1].src_sel[0].hi = test_addr("192.0.2.9");
	p[2].src_sel[1] = host("192.0.2.3", 17, 0, 65535);
	p[3].dst_sel[1] = host("192.0.2.3", 17, 4789, 4789);
	p[4].dst_sel[1].proto = 6;
	p[5].dst_sel[1].port_hi = 4790;
	p[6].dst_sel[0] = host("2001:db8::2", 17, 4789, 4789);
	p[7].src_sel[0].port_lo = 65535;        /* OPAQUE */
	p[7].src_sel[0].port_hi = 0;
	p[8] = params(1, 0, 8 << 8);
	p[9].n_dst_sel = SELECTORS_MAX + 1;
	for (i = 0; i < COUNT(p); i++)
		assert_int_equal(xsel_of_sa(&s, &p[i]), ERR_UNSUPPORTED);
	p[8] = params(1, 0, 0);
	assert_int_equal(xsel_of_sa(&s, &p[8]), OK);
}

/* ---- equality: whatever is changed, it is no longer equal ---- */

TEST(selectors_differ_by_any_part)
{
	struct xsel a = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 1, 4789), b[9];
	size_t i;

	for (i = 0; i < COUNT(b); i++) {
		b[i] = a;
		assert_true(xsel_equal(&a, &b[i]));
	}
	b[0].src.a[3]++;
	b[1].dst.a[3]++;
	b[2].src_len--;
	b[3].dst_len--;
	b[4].proto = 6;
	b[5].sport++;
	b[6].sport_mask = 0xff00;
	b[7].dport++;
	b[8].dport_mask = 0;
	for (i = 0; i < COUNT(b); i++)
		assert_false(xsel_equal(&a, &b[i]));
}

TEST(policies_differ_by_any_part_that_we_set)
{
	struct xpol a = test_xpol(ADDR_V4, XDIR_OUT), b[10], c;
	size_t i;

	for (i = 0; i < COUNT(b); i++)
		b[i] = a;
	b[0].dir = XDIR_IN;
	b[1].block = true;
	b[2].sel.dport++;
	b[3].priority++;
	b[4].tmpl = false;
	b[5].reqid++;
	b[6].mode = SA_TUNNEL;
	b[7].src.a[0]++;
	b[8].dst.a[0]++;
	b[9].foreign_shape = true;
	for (i = 0; i < COUNT(b); i++)
		assert_false(xpol_equal(&a, &b[i]));
	c = a;
	c.index = 4711;
	assert_true(xpol_equal(&a, &c));
	a.tmpl = c.tmpl = false;
	c.reqid++;
	c.dst.a[0]++;
	assert_true(xpol_equal(&a, &c));
}

TEST(sas_differ_by_any_part_that_we_set)
{
	struct xsa want = test_xsa(1, ADDR_V4, SA_IN), have[22];
	size_t i;

	for (i = 0; i < COUNT(have); i++) {
		have[i] = want;
		assert_true(xsa_equal(&have[i], &want));
	}
	have[0].spi++;
	have[1].src.a[0]++;
	have[2].dst.a[0]++;
	have[3].reqid++;
	have[4].mode = SA_TUNNEL;
	have[5].dir = SA_OUT;
	have[6].sel.dport++;
	have[7].encap_sport = 4500;
	have[8].encap_dport = 4500;
	have[9].transform.encr = ESP_ENCR_NONE;
	have[10].transform.key_bits = 256;
	have[11].transform.integ = ESP_HMAC_SHA2_256_128;
	have[12].transform.esn = true;
	have[13].replay_window--;
	have[14].replay_window = 0;
	have[15].life.soft_s = 1;
	have[16].life.hard_s = 1;
	have[17].life.soft_bytes = 1;
	have[18].life.hard_bytes = 1;
	have[19].life.soft_packets = 1;
	have[20].life.hard_packets = 1;
	have[21].foreign_shape = true;
	for (i = 0; i < COUNT(have); i++)
		assert_false(xsa_equal(&have[i], &want));
}

TEST(kernel_that_does_not_say_the_direction_is_believed)
{
	struct xsa want = test_xsa(1, ADDR_V4, SA_IN), have = want;

	have.dir = 0;
	assert_true(xsa_equal(&have, &want));
	have.replay_window = 32;
	assert_false(xsa_equal(&have, &want));
	/* Outbound it does not matter: some kernels want one there, some forbid it. */
	want.dir = SA_OUT;
	assert_true(xsa_equal(&have, &want));
}

TEST(inbound_window_is_one_that_the_kernel_takes)
{
	static const struct {
		uint32_t asked, given;
	} rows[] = {
		{ 0, 64 }, { 32, 64 }, { 64, 64 }, { 65, 65 }, { 1024, 1024 }, { 4096, 4096 },
		{ 65535, 4096 },
	};
	struct xsa want = test_xsa(1, ADDR_V4, SA_IN), have = want;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		want.dir = SA_IN;
		want.replay_window = rows[i].asked;
		assert_int_equal(xsa_window(&want), rows[i].given);
		have.replay_window = rows[i].given;
		assert_true(xsa_equal(&have, &want));
		have.replay_window = 0;
		assert_false(xsa_equal(&have, &want));
		want.dir = SA_OUT;
		assert_int_equal(xsa_window(&want), 0);
	}
}

/* ---- texts ---- */

TEST(texts_say_what_a_selector_selects)
{
	struct xsel s = sel("192.0.2.1", 32, "192.0.2.2", 32, 17, 0, 4789);
	char buf[XSEL_STRLEN];

	assert_string_equal(xsel_str(&s, buf), "192.0.2.1/32 -> 192.0.2.2/32 udp dport 4789");
	s = sel("2001:db8::1", 128, "2001:db8::", 64, 6, 179, 0);
	assert_string_equal(xsel_str(&s, buf), "2001:db8::1/128 -> 2001:db8::/64 tcp sport 179");
	s = xsel_any(ADDR_V6, 0, 0, 0);
	assert_string_equal(xsel_str(&s, buf), "::/0 -> ::/0");
	s = xsel_any(ADDR_V4, 132, 0x1200, 0);
	s.sport_mask = 0xff00;
	assert_string_equal(xsel_str(&s, buf), "0.0.0.0/0 -> 0.0.0.0/0 proto 132 sport 0x1200/0xff00");
}

TEST(texts_say_what_a_policy_does)
{
	struct xpol p = test_xpol(ADDR_V4, XDIR_OUT), b = test_block(ADDR_V6, XDIR_IN);
	char buf[XPOL_STRLEN];

	p.reqid = 1325400065;
	assert_string_equal(xpol_str(&p, buf), "out 192.0.2.1/32 -> 192.0.2.2/32 udp dport 4789 "
	    "priority 1000 esp transport reqid 1325400065");
	p.mode = SA_TUNNEL;
	p.dir = XDIR_FWD;
	assert_string_equal(xpol_str(&p, buf), "fwd 192.0.2.1/32 -> 192.0.2.2/32 udp dport 4789 "
	    "priority 1000 esp tunnel 192.0.2.1 -> 192.0.2.2 reqid 1325400065");
	assert_string_equal(xpol_str(&b, buf), "in ::/0 -> ::/0 udp dport 4789 priority 50000 block");
	b.block = false;
	assert_string_equal(xpol_str(&b, buf), "in ::/0 -> ::/0 udp dport 4789 priority 50000 allow");
}

TEST(texts_name_an_sa)
{
	struct xsa sa = test_xsa(0x01020304, ADDR_V4, SA_IN);
	char buf[XSA_STRLEN];

	assert_string_equal(xsa_str(&sa, buf), "0x01020304 192.0.2.1 -> 192.0.2.2 transport reqid 7");
	sa.mode = SA_TUNNEL;
	sa.encap_sport = 50001;
	sa.encap_dport = 4500;
	assert_string_equal(xsa_str(&sa, buf),
	    "0x01020304 192.0.2.1 -> 192.0.2.2 tunnel udp 50001-4500 reqid 7");
	sa.mode = 0;
	assert_string_equal(xsa_str(&sa, buf),
	    "0x01020304 192.0.2.1 -> 192.0.2.2 other udp 50001-4500 reqid 7");
}

TEST(longest_texts_fit)
{
	struct addr wide = test_addr("2001:db80:1111:2222:3333:4444:5555:6666");
	struct xpol p = { .dir = XDIR_FWD, .priority = UINT32_MAX, .tmpl = true, .reqid = UINT32_MAX,
	    .mode = SA_TUNNEL, .src = wide, .dst = wide };
	struct xsa sa = { .spi = UINT32_MAX, .src = wide, .dst = wide, .reqid = UINT32_MAX,
	    .mode = SA_TRANSPORT, .encap_sport = UINT16_MAX, .encap_dport = UINT16_MAX };
	char sel_buf[XSEL_STRLEN], pol_buf[XPOL_STRLEN], sa_buf[XSA_STRLEN];
	const char *end;

	p.sel = xsel_hosts(&wide, &wide, 255, 0xff00, 0xff00);
	p.sel.sport_mask = p.sel.dport_mask = 0xff00;
	end = xsel_str(&p.sel, sel_buf);
	assert_string_equal(end + strlen(end) - 13, "0xff00/0xff00");
	end = xpol_str(&p, pol_buf);
	assert_string_equal(end + strlen(end) - 10, "4294967295");
	end = xsa_str(&sa, sa_buf);
	assert_string_equal(end + strlen(end) - 10, "4294967295");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selector_of_hosts_has_full_prefixes_and_masks_for_its_ports),
		cmocka_unit_test(selector_of_a_family_overlaps_all_of_it_and_none_of_the_other),
		cmocka_unit_test(selectors_overlap_where_every_part_does),
		cmocka_unit_test(port_masks_overlap_by_the_bits_that_both_look_at),
		cmocka_unit_test(sa_with_one_pair_gets_that_selector),
		cmocka_unit_test(sa_for_tcp_to_and_from_a_port_gets_any_port),
		cmocka_unit_test(shorter_list_goes_on_with_its_last_selector),
		cmocka_unit_test(sa_that_no_kernel_selector_covers_is_refused),
		cmocka_unit_test(selectors_differ_by_any_part),
		cmocka_unit_test(policies_differ_by_any_part_that_we_set),
		cmocka_unit_test(sas_differ_by_any_part_that_we_set),
		cmocka_unit_test(kernel_that_does_not_say_the_direction_is_believed),
		cmocka_unit_test(inbound_window_is_one_that_the_kernel_takes),
		cmocka_unit_test(texts_say_what_a_selector_selects),
		cmocka_unit_test(texts_say_what_a_policy_does),
		cmocka_unit_test(texts_name_an_sa),
		cmocka_unit_test(longest_texts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
