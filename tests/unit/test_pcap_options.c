/* SPDX-License-Identifier: ISC */
/* Options of the configuration, the capture filter made of them, and the keys file. */
#include "base_support.h"

#include "pcap-backend/counters.h"
#include "pcap-backend/keysfile.h"
#include "pcap-backend/options.h"
#include "pcap-backend/wire.h"

static int
read_options(struct options *o, const char *const *list, char why[static OPTIONS_WHY])
{
	why[0] = '\0';
	return options_read(o, list, why);
}

TEST(all_options_are_read)
{
	static const char *const list[] = { "wire=eth0", "local=192.0.2.1, 2001:db8::1",
	    "tenant.5001=ten1", "tenant.5002=ten2", "natt-port=14500", "vxlan-port=8472",
	    "mac-limit=10", "mac-age=60", "inner-vlan=keep", "unsafe-no-vni-check=no",
	    "unsafe-no-replay-check=yes", NULL };
	char why[OPTIONS_WHY];
	struct options o;

	assert_int_equal(read_options(&o, list, why), OK);
	assert_string_equal(o.wire, "eth0");
	assert_int_equal(o.n_local, 2);
	assert_int_equal(o.local[1].family, ADDR_V6);
	assert_int_equal(o.n_tenants, 2);
	assert_int_equal(o.tenants[1].vni, 5002);
	assert_string_equal(o.tenants[1].ifname, "ten2");
	assert_int_equal(o.dp.natt_port, 14500);
	assert_int_equal(o.dp.vxlan_port, 8472);
	assert_int_equal(o.dp.mac_limit, 10);
	assert_int_equal(o.dp.mac_age_ms, 60000);
	assert_true(o.dp.keep_vlan);
	assert_false(o.dp.unsafe_no_vni_check);
	assert_true(o.dp.unsafe_no_replay_check);
}

TEST(bad_options_are_named)
{
	static const struct { const char *list[4], *word; } rows[] = {
		{ { NULL }, "wire is missing" },
		{ { "wire=", NULL }, "wire = : " },
		{ { "wire=a-name-that-is-too-long", NULL }, "wire = " },
		{ { "wire=e", "local=192.0.2", NULL }, "local = 192.0.2" },
		{ { "wire=e", "local=224.0.0.1", NULL }, "local = " },
		{ { "wire=e", "local=0.0.0.0", NULL }, "local = " },
		{ { "wire=e", "local=", NULL }, "local = " },
		{ { "wire=e", "local=1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,"
		    "1.1.1.1", NULL }, "local = " },
		{ { "wire=e", "tenant.0=t", NULL }, "tenant.0" },
		{ { "wire=e", "tenant.16777216=t", NULL }, "tenant.16777216" },
		{ { "wire=e", "tenant.x=t", NULL }, "tenant.x" },
		{ { "wire=e", "tenant.1=", NULL }, "tenant.1" },
		{ { "wire=e", "tenant.1=a", "tenant.1=b" }, "twice" },
		{ { "wire=e", "tenant.1=a", "tenant.2=a" }, "twice" },
		{ { "wire=e", "natt-port=65536", NULL }, "natt-port" },
		{ { "wire=e", "natt-port=4500x", NULL }, "natt-port" },
		{ { "wire=e", "mac-age=0", NULL }, "mac-age" },
		{ { "wire=e", "mac-limit=99999999999999999999", NULL }, "mac-limit" },
		{ { "wire=e", "inner-vlan=maybe", NULL }, "strip or keep" },
		{ { "wire=e", "unsafe-no-vni-check=1", NULL }, "yes or no" },
		{ { "wire=e", "colour=red", NULL }, "no such option" },
		{ { "wire=e", "nonsense", NULL }, "key=value" },
		{ { "wire=e", "=x", NULL }, "key=value" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const char *list[5] = { rows[i].list[0], rows[i].list[1], rows[i].list[2],
		    rows[i].list[3], NULL };
		char why[OPTIONS_WHY];
		struct options o;

		assert_int_equal(read_options(&o, list, why), ERR_VALUE);
		if (strstr(why, rows[i].word) == NULL || strchr(why, '\n') != NULL)
			fail_msg("row %zu: \"%s\" lacks \"%s\"", i, why, rows[i].word);
	}
}

TEST(filter_takes_what_is_for_us)
{
	static const char *const list[] = { "wire=eth0", "local=192.0.2.1,2001:db8::1", NULL };
	char why[OPTIONS_WHY], filter[1024];
	struct options o;

	assert_int_equal(read_options(&o, list, why), OK);
	assert_int_equal(wire_filter(&o, o.local, o.n_local, filter, sizeof filter), OK);
	assert_string_equal(filter, "(ip proto 50 or ip6 proto 50 or udp dst port 4500 or udp dst port "
	    "4789) and (dst host 192.0.2.1 or dst host 2001:db8::1)");
	assert_int_equal(wire_filter(&o, o.local, o.n_local, filter, 100), ERR_SPACE);
}

TEST(counters_have_names_and_words)
{
	int i, j;

	for (i = 0; i < CTR_N; i++) {
		assert_non_null(counter_name((enum counter_id)i));
		assert_true(strlen(counter_what((enum counter_id)i)) > 10);
		for (j = 0; j < i; j++)
			assert_string_not_equal(counter_name((enum counter_id)i),
			    counter_name((enum counter_id)j));
	}
}

TEST(vni_counters_are_bounded)
{
	struct counters c = { 0 };
	uint32_t vni;

	for (vni = 1; vni <= COUNTER_VNIS_MAX + 10; vni++)
		count_vni(&c, "nve-1", vni);
	count_vni(&c, "nve-1", 1);
	count_vni(&c, "nve-1", COUNTER_VNIS_MAX + 5);
	assert_int_equal(c.n_vnis, COUNTER_VNIS_MAX);
	assert_int_equal(c.vnis[0].value, 2);
	assert_int_equal(c.vni_rest, 11);
	assert_int_equal(counters_vni_total(&c), COUNTER_VNIS_MAX + 12);
	counters_free(&c);
}

/* ---- keys files ---- */

static int
read_keys(struct keysfile *f, const char *text, unsigned *line, char why[static KEYSFILE_WHY])
{
	return keysfile_read(f, bytes_str(text), line, why);
}

#define SA_LINES "[sa]\nspi = 0x1001\nsrc = 10.0.0.1\ndst = 10.0.0.2\n" \
	"transform = aes128gcm16\nkey = 000102030405060708090a0b0c0d0e0f10111213\nvnis = 5002, 5001\n"

TEST(keys_file_is_read)
{
	struct keysfile f;
	char why[KEYSFILE_WHY];
	unsigned line;

	assert_int_equal(read_keys(&f, "# a comment\n\n" SA_LINES "; another\n"
	    "[sa]\r\nspi=4098\nsrc=2001:db8::1\ndst=2001:db8::2\nmode=tunnel\nencap=4500:61000\n"
	    "transform=aes256gcm16\nesn=yes\nwindow=64\nseq=5000000000\nport=8472\nnode=nve-7\n"
	    "key=0x000102030405060708090A0B0C0D0E0F000102030405060708090a0b0c0d0e0f10111213\n"
	    "vnis=7", &line, why), OK);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.sas[0].sa.spi, 0x1001);
	assert_int_equal(f.sas[0].sa.mode, SA_TRANSPORT);
	assert_int_equal(f.sas[0].sa.key_len, 20);
	assert_int_equal(f.sas[0].sa.key[19], 0x13);
	assert_int_equal(f.sas[0].n_vnis, 2);
	assert_int_equal(f.sas[0].vnis[0], 5001);
	assert_string_equal(f.sas[0].node, "sa-1");
	assert_int_equal(f.sas[0].sa.replay_window, 1024);
	assert_false(f.sas[0].sa.transform.esn);
	assert_int_equal(f.sas[0].sa.dst_sel[0].port_lo, 4789);
	assert_int_equal(f.sas[1].sa.spi, 4098);
	assert_int_equal(f.sas[1].sa.mode, SA_TUNNEL);
	assert_int_equal(f.sas[1].sa.encap_dport, 61000);
	assert_true(f.sas[1].sa.transform.esn);
	assert_int_equal(f.sas[1].sa.replay_window, 64);
	assert_int_equal(f.sas[1].seq, 5000000000);
	assert_int_equal(f.sas[1].sa.dst_sel[0].port_lo, 8472);
	assert_string_equal(f.sas[1].node, "nve-7");
	assert_int_equal(f.sas[1].sa.grant, 2);
	keysfile_free(&f);
}

TEST(bad_keys_file_is_told_with_its_line)
{
	static const struct { const char *text; unsigned line; const char *word; } rows[] = {
		{ "", 1, "no section" },
		{ "# nothing\n", 2, "no section" },
		{ "spi = 1\n", 1, "has to come first" },
		{ "[keys]\n", 1, "only sections" },
		{ "[sa]\nspi\n", 2, "name = value" },
		{ "[sa]\nspi = 255\n", 2, "spi: " },
		{ "[sa]\nspi = 4294967296\n", 2, "spi: " },
		{ "[sa]\nspi = -1\n", 2, "spi: " },
		{ "[sa]\nspi = 0x1001\nspi = 0x1001\n", 3, "twice" },
		{ "[sa]\ncolour = red\n", 2, "no colour" },
		{ "[sa]\nsrc = here\n", 2, "src: " },
		{ "[sa]\nmode = cable\n", 2, "mode: " },
		{ "[sa]\nencap = 4500\n", 2, "encap: " },
		{ "[sa]\nencap = 4500:0\n", 2, "encap: " },
		{ "[sa]\nencap = 450000000:1\n", 2, "encap: " },
		{ "[sa]\ntransform = rot13\n", 2, "transform: " },
		{ "[sa]\nkey = 0\n", 2, "key: " },
		{ "[sa]\nkey = 0g\n", 2, "key: " },
		{ "[sa]\nkey =\n", 2, "key: " },
		{ "[sa]\nvnis = 5001,5001\n", 2, "vnis: " },
		{ "[sa]\nvnis = 0\n", 2, "vnis: " },
		{ "[sa]\nvnis =\n", 2, "vnis: " },
		{ "[sa]\nwindow = 63\n", 2, "window: " },
		{ "[sa]\nseq = 0\n", 2, "seq: " },
		{ "[sa]\nesn = perhaps\n", 2, "esn: " },
		{ "[sa]\nnode = \n", 2, "node: " },
		{ SA_LINES "[sa]\n", 8, "no spi" },
		{ SA_LINES "seq = 4294967296\n", 1, "without esn" },
		{ "[sa]\nspi=300\nsrc=::1\ndst=10.0.0.2\ntransform=aes128gcm16\nvnis=1\nkey=00\n"
		    "[sa]\n", 1, "families" },
		{ "[sa]\nspi=300\nsrc=10.0.0.1\ndst=10.0.0.2\ntransform=aes128gcm16\nvnis=1\n"
		    "key=00", 1, "takes 20" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct keysfile f;
		char why[KEYSFILE_WHY];
		unsigned line = 0;

		assert_int_not_equal(read_keys(&f, rows[i].text, &line, why), OK);
		assert_null(f.sas);
		if (strstr(why, rows[i].word) == NULL)
			fail_msg("row %zu: \"%s\" lacks \"%s\"", i, why, rows[i].word);
		if (line != rows[i].line)
			fail_msg("row %zu: line %u, not %u", i, line, rows[i].line);
	}
}

TEST(binary_and_long_lines_are_refused)
{
	static const uint8_t nul[] = "[sa]\nnode = a\0b\n";
	char text[4000], why[KEYSFILE_WHY];
	struct keysfile f;
	unsigned line;

	assert_int_equal(keysfile_read(&f, bytes_of(nul, sizeof nul - 1), &line, why), ERR_SYNTAX);
	assert_int_equal(line, 2);
	memset(text, 'x', sizeof text);
	assert_int_equal(keysfile_read(&f, bytes_of(text, sizeof text), &line, why), ERR_SYNTAX);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_options_are_read),
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test(filter_takes_what_is_for_us),
		cmocka_unit_test(counters_have_names_and_words),
		cmocka_unit_test(vni_counters_are_bounded),
		cmocka_unit_test(keys_file_is_read),
		cmocka_unit_test(bad_keys_file_is_told_with_its_line),
		cmocka_unit_test(binary_and_long_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
