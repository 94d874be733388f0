/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <string.h>

#include "base/sandbox.h"
#include "shell/backend_kind.h"

#define HEAD \
	"[node]\n" \
	"id = nve-1\n" \
	"certificate = nve-1.crt\n" \
	"private-key = nve-1.key\n" \
	"device-ca = /etc/ca.crt\n" \
	"[authorization]\n" \
	"url = https://nva.example/a.cms\n" \
	"nva-ca = nva-ca.crt\n"
#define HEAD_LINES 8

static char error[CONF_ERROR_MAX];

static struct config *
read_text(const char *text)
{
	return config_read("/etc/overlock/test.conf", bytes_str(text), error);
}

TEST(smallest_configuration_gets_defaults)
{
	struct config *c = read_text(HEAD);

	assert_non_null(c);
	assert_string_equal(error, "");
	assert_string_equal(c->node, "nve-1");
	assert_string_equal(c->certificate, "/etc/overlock/nve-1.crt");
	assert_string_equal(c->device_ca, "/etc/ca.crt");
	assert_int_equal(c->port, 500);
	assert_int_equal(c->natt_port, 4500);
	assert_int_equal(c->refresh, 60);
	assert_int_equal(c->grace, 3600);
	assert_int_equal(c->max_size, 16 * 1024 * 1024);
	assert_int_equal(c->socket_mode, 0600);
	assert_int_equal(c->initiate, INITIATE_AUTO);
	assert_int_equal(c->listen.n, 0);
	assert_string_equal(c->program, "pcap-backend");
	assert_string_equal(c->signer, "");
	config_free(c);
}

/* Its program decides which capability the daemon keeps. */
TEST(backend_is_known_by_the_file_name_of_its_program)
{
	static const struct { const char *program; unsigned caps; bool kernel; } rows[] = {
		{ "pcap-backend", SANDBOX_NET_RAW, false },
		{ "xfrm-backend", SANDBOX_NET_ADMIN, true },
		{ "/usr/sbin/xfrm-backend", SANDBOX_NET_ADMIN, true },
		{ "/xfrm-backend/other", SANDBOX_NET_RAW, false },
		{ "xfrm-backend2", SANDBOX_NET_RAW, false },
		{ "/opt/pcap-backend", SANDBOX_NET_RAW, false },
	};
	struct config c;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		memset(&c, 0, sizeof c);
		(void)strcpy(c.program, rows[i].program);
		assert_int_equal(backend_kind(&c)->caps, rows[i].caps);
		assert_int_equal(backend_kind(&c)->kernel, rows[i].kernel);
	}
}

TEST(every_key_is_read)
{
	struct config *c = read_text(HEAD
	    "signer = dns:nva-1.example ; the only one\n"
	    "tls-ca = a/b.crt\ntls-certificate = c\ntls-key = d\nstate-dir = /s\n"
	    "refresh = 5\ntimeout = 6\nmax-size = 2048\ngrace = 0\n"
	    "# a comment\n\n"
	    "[ike]\n\tlisten = 192.0.2.1, 2001:db8::1\nport=1500\nnatt-port=14500\n"
	    "force-encap = yes\ncookie-threshold = 0\ndpd = 0\ninitiate = none\n"
	    "[backend]\nprogram = /x/y\nwire = eth0\ntenant.5001 = ten1\n"
	    "[control]\nsocket = sock\nmode = 0660\n"
	    "[daemon]\nuser = me\nchroot = empty\nlog-level = debug\npid-file = /p\n"
	    "[debug]\nkey-log = k\nallow-key-log = yes\n");

	assert_non_null(c);
	assert_string_equal(c->signer, "dns:nva-1.example");
	assert_string_equal(c->tls_ca, "/etc/overlock/a/b.crt");
	assert_string_equal(c->state_dir, "/s");
	assert_int_equal(c->refresh, 5);
	assert_int_equal(c->max_size, 2048);
	assert_int_equal(c->grace, 0);
	assert_int_equal(c->listen.n, 2);
	assert_int_equal(c->listen.a[1].family, ADDR_V6);
	assert_int_equal(c->natt_port, 14500);
	assert_true(c->force_encap);
	assert_int_equal(c->initiate, INITIATE_NONE);
	assert_string_equal(c->program, "/x/y");
	assert_int_equal(c->n_options, 2);
	assert_string_equal(c->options[1].text, "tenant.5001=ten1");
	assert_string_equal(config_option(c, "wire"), "eth0");
	assert_null(config_option(c, "wir"));
	assert_null(config_option(c, "program"));
	assert_int_equal(c->socket_mode, 0660);
	assert_string_equal(c->user, "me");
	assert_true(c->allow_key_log);
	assert_int_equal(config_line(c, "node", "private-key"), 4);
	assert_int_equal(config_line(c, "authorization", "refresh"), HEAD_LINES + 6);
	config_free(c);
}

TEST(store_uri_is_no_path)
{
	struct config *c = read_text("[node]\nid=n\ncertificate=c\ndevice-ca=d\n"
	    "private-key = pkcs11:token=a;object=b\n"
	    "[authorization]\nurl=file:///a\nnva-ca=n\n");

	assert_non_null(c);
	assert_string_equal(c->private_key, "pkcs11:token=a;object=b");
	config_free(c);
}

TEST(windows_line_ends_and_no_last_newline_are_fine)
{
	struct config *c = read_text("[node]\r\nid = a\r\ncertificate = c\r\nprivate-key = k\r\n"
	    "device-ca = d\r\n[authorization]\r\nurl = file:///x\r\nnva-ca = n");

	assert_non_null(c);
	assert_string_equal(c->node, "a");
	assert_string_equal(c->url, "file:///x");
	config_free(c);
}

static const struct bad {
	const char *text;        /* after HEAD */
	int line;
	const char *says;        /* in the message */
} bad[] = {
	{ "port = 500\n", 9, "unknown key 'port' in section [authorization]" },
	{ "[ike]\nprot = 500\n", 10, "unknown key 'prot'" },
	{ "[ikee]\n", 9, "unknown section [ikee]" },
	{ "[ike\nport = 1\n", 9, "close the bracket" },
	{ "[ike]\nport = 70000\n", 10, "number from 1 to 65535" },
	{ "[ike]\nport = -1\n", 10, "number from 1 to 65535" },
	{ "[ike]\nport = 5x\n", 10, "number from" },
	{ "[ike]\nport =\n", 10, "has no value" },
	{ "[ike]\nport\n", 10, "neither 'key = value'" },
	{ "[ike]\nport = 1\nport = 2\n", 11, "given in line 10 already" },
	{ "[ike]\nport = 4500\n", 10, "the same" },
	{ "[ike]\nforce-encap = maybe\n", 10, "say yes or no" },
	{ "[ike]\ninitiate = sometimes\n", 10, "choose one of auto, all, none" },
	{ "[ike]\nlisten = 192.0.2.300\n", 10, "is no address" },
	{ "[ike]\nlisten = 192.0.2.1,\n", 10, "is no address" },
	{ "[ike]\nlisten = \"192.0.2.1\"\n", 10, "without them" },
	{ "refresh = 0\n", 9, "number from 1" },
	{ "url = ftp://x/\n", 9, "already" },
	{ "signer = nva-1\n", 9, "give an identity" },
	{ "tls-key = k\n", 9, "give both or none" },
	{ "[control]\nmode = 9999\n", 10, "octal" },
	{ "[backend]\nprogram = a/b\n", 10, "starts with /" },
	{ "[backend]\nwire = a\nwire = b\n", 11, "given twice" },
	{ "[debug]\nkey-log = f\n", 10, "allow-key-log = yes" },
	{ "[daemon]\nlog-level = loud\n", 10, "choose one of error" },
	{ "refresh = 1\x01\n", 9, "control character" },
	{ "nonsense\n", 9, "neither" },
};

TEST(each_mistake_is_told_with_its_line_and_what_to_do)
{
	char text[2048], want[64];
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		(void)snprintf(text, sizeof text, "%s%s", HEAD, bad[i].text);
		assert_null(read_text(text));
		(void)snprintf(want, sizeof want, "/etc/overlock/test.conf:%d: ", bad[i].line);
		if (strncmp(error, want, strlen(want)) != 0 || strstr(error, bad[i].says) == NULL ||
		    strchr(error, '\n') != NULL)
			fail_msg("%s: %s", bad[i].text, error);
	}
}

TEST(missing_key_is_told)
{
	assert_null(read_text("[node]\nid = a\n"));
	assert_non_null(strstr(error, "'certificate' of section [node] is missing"));
	assert_null(read_text(""));
	assert_non_null(strstr(error, "'id' of section [node] is missing"));
}

TEST(key_before_any_section_is_told)
{
	assert_null(read_text("id = a\n" HEAD));
	assert_non_null(strstr(error, "test.conf:1: 'id' stands before the first section"));
}

TEST(line_that_is_too_long_is_told_and_not_cut)
{
	char text[2048], value[400];

	memset(value, 'a', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	(void)snprintf(text, sizeof text, HEAD "tls-ca = %s\n", value);
	assert_null(read_text(text));
	assert_non_null(strstr(error, ":9: line too long"));
}

TEST(long_name_is_told_and_not_cut)
{
	assert_null(read_text(HEAD "[backend]\n"
	    "a123456789012345678901234567890123456789012345678901234567890 = x\n"));
	assert_non_null(strstr(error, "too long"));
}

TEST(too_many_options_are_told)
{
	char text[8192] = HEAD "[backend]\n", one[32];
	int i;

	for (i = 0; i <= CONFIG_OPTIONS_MAX; i++) {
		(void)snprintf(one, sizeof one, "o%d = 1\n", i);
		strncat(text, one, sizeof text - strlen(text) - 1);
	}
	assert_null(read_text(text));
	assert_non_null(strstr(error, "at most 264"));
}

TEST(unreadable_file_is_told)
{
	struct blob text = { NULL, 0 };

	assert_int_equal(conf_load("/nonexistent/x.conf", &text, error), ERR_IO);
	assert_non_null(strstr(error, "/nonexistent/x.conf: can't be read (No such file"));
	assert_int_equal(conf_load("/dev/zero", &text, error), ERR_SPACE);
	assert_non_null(strstr(error, "larger than"));
	blob_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_configuration_gets_defaults),
		cmocka_unit_test(backend_is_known_by_the_file_name_of_its_program),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(store_uri_is_no_path),
		cmocka_unit_test(windows_line_ends_and_no_last_newline_are_fine),
		cmocka_unit_test(each_mistake_is_told_with_its_line_and_what_to_do),
		cmocka_unit_test(missing_key_is_told),
		cmocka_unit_test(key_before_any_section_is_told),
		cmocka_unit_test(line_that_is_too_long_is_told_and_not_cut),
		cmocka_unit_test(long_name_is_told_and_not_cut),
		cmocka_unit_test(too_many_options_are_told),
		cmocka_unit_test(unreadable_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
