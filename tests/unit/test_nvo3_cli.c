/* SPDX-License-Identifier: ISC */
/* overlock authz and overlock lab, as the shell calls them: arguments in; status, words and files
 * out. */
#include "nvo3_pki.h"

#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <time.h>

#include "crypto/x509.h"
#include "nvo3/file.h"
#include "overlock/cmd.h"
#include "shell/config.h"

static char out[1 << 16], err[1 << 14], top[128];

static int
setup(void **unused)
{
	(void)unused;
	work_make();
	snprintf(top, sizeof top, "%s/lab", work);
	return 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	work_remove(work);
	return 0;
}

/* Puts a file in the place of a descriptor; what was there is returned. */
static int
divert(int fd, const char *path)
{
	int old = dup(fd), new = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(old >= 0 && new >= 0);
	assert_int_equal(dup2(new, fd), fd);
	close(new);
	return old;
}

static void
restore(int fd, int old, char *text, size_t cap)
{
	off_t n = lseek(fd, 0, SEEK_CUR);

	assert_in_range(n, 0, cap - 1);
	assert_int_equal(pread(fd, text, (size_t)n, 0), n);
	text[n] = '\0';
	assert_int_equal(dup2(old, fd), fd);
	close(old);
}

/* "lab init %s": words are split at spaces; "@" in front stands for the work folder. */
static int
run(const char *line)
{
	static const struct cmd commands[] = {
		{ "authz", "", cmd_authz }, { "lab", "", cmd_lab }, { NULL, NULL, NULL },
	};
	char path[2][128], buf[1024], words[24][200], *argv[24], *save, *w;
	int argc = 1, status, old_out, old_err;

	snprintf(path[0], sizeof path[0], "%s/stdout", work);
	snprintf(path[1], sizeof path[1], "%s/stderr", work);
	snprintf(buf, sizeof buf, "%s", line);
	argv[0] = strcpy(words[0], "overlock");
	for (w = strtok_r(buf, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		snprintf(words[argc], sizeof words[argc], "%s%s", *w == '@' ? work : "",
		    *w == '@' ? w + 1 : w);
		argv[argc] = words[argc];
		argc++;
	}
	argv[argc] = NULL;
	/* 0: forget what is left of the run before, too. */
	optind = 0;
	fflush(stdout);
	fflush(stderr);
	old_out = divert(STDOUT_FILENO, path[0]);
	old_err = divert(STDERR_FILENO, path[1]);
	status = cmd_run(commands, "overlock", argc, argv);
	fflush(stdout);
	fflush(stderr);
	restore(STDOUT_FILENO, old_out, out, sizeof out);
	restore(STDERR_FILENO, old_err, err, sizeof err);
	return status;
}

static void
expect(const char *line, int status, const char *on_out, const char *on_err)
{
	int r = run(line);

	if (r != status || strstr(out, on_out) == NULL || strstr(err, on_err) == NULL)
		fail_msg("%s: %d\n%s%s", line, r, out, err);
	/* A refusal is one line, or two with the way to the help. */
	if (r != 0)
		assert_null(strstr(out, "usage:"));
}

static bool
there(const char *name)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", work, name);
	return access(path, F_OK) == 0;
}

static char *
slurp(const char *name)
{
	struct blob b = { NULL, 0 };
	char path[300], *text;

	snprintf(path, sizeof path, "%s/%s", work, name);
	if (file_read(AT_FDCWD, path, 1 << 20, &b, NULL) != 0)
		fail_msg("%s", path);
	text = strndup((const char *)b.p, b.n);
	assert_non_null(text);
	blob_free(&b);
	return text;
}

static void
write_doc(const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", work, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
test_help(void **unused)
{
	static const char *const lines[] = { "--help", "authz --help", "authz sign --help",
	    "authz verify -h", "authz show --help", "lab --help", "lab init --help" };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
		expect(lines[i], 0, "usage: overlock", "");
}

static void
test_usage(void **unused)
{
	static const char *const lines[] = { "", "nothing", "authz", "authz nothing", "lab",
		"authz sign", "authz sign x.xml", "authz sign -c a -k b",
		"authz sign --json -c a -k b x", "authz verify x", "authz verify -a a",
		"authz verify -a a x y", "authz verify --signer", "authz show", "authz show -o x y",
		"authz show --nonsense x", "lab init", "lab init a b", "lab init --nodes 0 @/x",
		"lab init --nodes 1001 @/x", "lab init --nodes three @/x", "lab init --vn 0 @/x",
		"lab init --vn 1,1 @/x", "lab init --vn 16777216 @/x", "lab init --vn , @/x",
		"lab init --underlay 192.0.2.0 @/x", "lab init --underlay 192.0.2.1/24 @/x",
		"lab init --underlay 192.0.2.0/33 @/x", "lab init --underlay 192.0.2.0/30 @/x",
		"lab init --underlay 224.0.0.0/8 @/x", "lab init --domain a..\"b @/x",
		"lab init --backend kernel @/x", "lab init --url http://x/ @/x", "lab init --url https:///x @/x",
		"lab init --url https://[::1 @/x" };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		expect(lines[i], CMD_USAGE, "", "overlock");
		assert_string_equal(out, "");
	}
	assert_false(there("x"));
}

static void
test_lab(void **unused)
{
	struct nvo3_table *t;
	char *conf, *doc;
	struct addr a;

	(void)unused;
	expect("lab init @/lab --nodes 2 --vn 7,16777215 --underlay 2001:db8::/64 --domain "
	       "Example.org "
	       "--url https://nva.example.org:8443/a.cms",
	    0, "2 NVEs, 2 VNs", "");
	assert_true(there("lab/pki/device-ca.key") && there("lab/pki/nva-signer.crt") &&
	    there("lab/pki/nva-tls.key") && there("lab/nve-2/nve-2.key"));
	assert_false(there("lab/nve-3"));
	doc = slurp("lab/authorization.xml");
	t = doc_table(doc);
	assert_int_equal(t->n_nodes, 2);
	assert_int_equal(t->n_vns, 2);
	assert_int_equal(t->serial, 1);
	assert_int_equal(addr_parse(&a, "2001:db8::2"), 0);
	assert_true(addr_equal(&t->nodes[1].underlay[0], &a));
	nvo3_table_free(t);
	free(doc);
	conf = slurp("lab/nve-2/ikev2d.conf");
	assert_non_null(strstr(conf, "\nurl = https://nva.example.org:8443/a.cms\n"));
	assert_non_null(strstr(conf, "\nlocal = 2001:db8::2\n"));
	assert_non_null(strstr(conf, "\ntenant.16777215 = ten16777215\n"));
	free(conf);
	expect("authz verify -a @/lab/pki/nva-ca.crt --signer dns:nva-1.example.org "
	       "@/lab/authorization.cms",
	    0, "good: epoch 1 serial 1", "");
	expect("authz verify -a @/lab/pki/nva-ca.crt --signer dns:nva-2.example.org "
	       "@/lab/authorization.cms",
	    1, "NOT good: signed by dns:nva-1", "");
	expect("authz verify -a @/lab/pki/device-ca.crt @/lab/authorization.cms", 1,
	    "NOT good: signature", "");
}

static void
test_lab_backend(void **unused)
{
	char error[CONF_ERROR_MAX], *conf;
	struct config *c;

	(void)unused;
	expect("lab init --force -b xfrm --vn 5001,77 @/lab", 0, "3 NVEs, 2 VNs", "");
	conf = slurp("lab/nve-2/ikev2d.conf");
	assert_non_null(strstr(conf, "\n;   ip link add vx77 type vxlan id 77 dstport 4789 local 192.0.2.2\n"));
	assert_non_null(c = config_read("/lab/ikev2d.conf", bytes_str(conf), error));
	assert_string_equal(c->program, "xfrm-backend");
	assert_int_equal(c->n_options, 0);
	config_free(c);
	free(conf);
	expect("lab init --force --backend pcap --vn 5001,77 @/lab", 0, "3 NVEs, 2 VNs", "");
	conf = slurp("lab/nve-2/ikev2d.conf");
	assert_non_null(c = config_read("/lab/ikev2d.conf", bytes_str(conf), error));
	assert_string_equal(c->program, "pcap-backend");
	assert_int_equal(c->n_options, 4);
	assert_string_equal(config_option(c, "local"), "192.0.2.2");
	config_free(c);
	free(conf);
}

/* The certificates fit together and hold the names of the document. */
static void
test_lab_pki(void **unused)
{
	static const struct { const char *cert, *ca, *name; } rows[] = {
		{ "nve-1/nve-1", "device-ca", "dns:nve-1.dc1.example" },
		{ "nve-3/nve-3", "device-ca", "dns:nve-3.dc1.example" },
		{ "pki/nva-tls", "tls-ca", "ip:192.0.2.250" },
	};
	static const char *const kinds[] = { "", "--rsa", "--ed25519" };
	char line[200], path[300], ids[8][X509_IDENTITY_MAX];
	struct x509_store *store;
	struct x509 *chain[CHAIN_MAX], *leaf;
	struct bytes der;
	const char *why;
	size_t i, k, j, n;
	bool found;

	(void)unused;
	for (k = 0; k < 3; k++) {
		snprintf(line, sizeof line, "lab init --force %s --url https://192.0.2.250/ @/lab",
		    kinds[k]);
		expect(line, 0, "3 NVEs, 2 VNs", "");
		for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			snprintf(path, sizeof path, "%s/pki/%s.crt", top, rows[i].ca);
			assert_int_equal(x509_store_load(&store, path, &why), 0);
			snprintf(path, sizeof path, "%s/%s.crt", top, rows[i].cert);
			assert_int_equal(x509_load_chain(path, chain, &n), 0);
			der = x509_der(chain[0]);
			if (x509_verify_chain(store, &der, 1, time(NULL), &leaf, &why) != 0)
				fail_msg("%s: %s", path, why);
			x509_free(leaf);
			assert_int_equal(x509_identities(chain[0], ids, 8, &n), 0);
			for (found = false, j = 0; j < n; j++)
				found |= strcmp(ids[j], rows[i].name) == 0;
			assert_true(found);
			x509_free(chain[0]);
			x509_store_free(store);
		}
	}
}

static void
test_lab_twice(void **unused)
{
	char *before, *after;

	(void)unused;
	expect("lab init --force @/lab", 0, "file://", "");
	before = slurp("lab/pki/device-ca.crt");
	expect("lab init @/lab", 1, "", "is not empty");
	after = slurp("lab/pki/device-ca.crt");
	assert_string_equal(before, after);
	free(after);
	expect("lab init @/nowhere/lab", 1, "", "No such file");
	expect("lab init --force @/lab", 0, "", "");
	after = slurp("lab/pki/device-ca.crt");
	assert_string_not_equal(before, after);
	free(before);
	free(after);
}

static void
test_lab_forgets(void **unused)
{
	char path[300];

	(void)unused;
	/* What a daemon remembers of the old lab would refuse the new one. */
	expect("lab init --force @/lab", 0, "", "");
	snprintf(path, sizeof path, "%s/nve-1/state", top);
	assert_int_equal(mkdir(path, 0700), 0);
	write_doc("lab/nve-1/state/authorization.serial", "1 9 x\n");
	write_doc("lab/nve-1/state/authorization.cms", "x");
	expect("lab init --force @/lab", 0, "", "");
	assert_false(there("lab/nve-1/state/authorization.serial"));
	assert_false(there("lab/nve-1/state/authorization.cms"));
}

static void
test_sign(void **unused)
{
	static const char keys[] = "-c @/lab/pki/nva-signer.crt -k @/lab/pki/nva-signer.key";
	char line[400], *doc, *edited;

	(void)unused;
	expect("lab init --force @/lab", 0, "", "");
	doc = slurp("lab/authorization.xml");
	edited = doc_edit(doc, "serial=\"1\"", "serial=\"2\"");
	write_doc("two.xml", edited);
	free(edited);
	snprintf(line, sizeof line, "authz sign %s -a @/lab/pki/nva-ca.crt -o @/two.cms @/two.xml",
	    keys);
	expect(line, 0, "", "signed: epoch 1 serial 2, valid until");
	expect("authz verify -a @/lab/pki/nva-ca.crt @/two.cms", 0, "serial 2", "");
	snprintf(line, sizeof line, "authz sign %s -a @/lab/pki/nva-ca.crt -o @/two.cms "
	    "@/lab/authorization.xml", keys);
	expect(line, 0, "", "two.cms has epoch 1 serial 2 already");
	snprintf(line, sizeof line, "authz sign %s -a @/lab/pki/nva-ca.crt -o @/two.cms @/two.xml",
	    keys);
	expect(line, 0, "", "");
	assert_null(strstr(err, "already"));

	/* To standard output, which is no terminal here. */
	snprintf(line, sizeof line, "authz sign %s @/two.xml", keys);
	assert_int_equal(run(line), 0);
	assert_true(strlen(out) > 0);

	edited = doc_edit(doc, "suite=\"bulk\"", "suite=\"bulky\"");
	write_doc("bad.xml", edited);
	free(edited);
	snprintf(line, sizeof line, "authz sign %s -o @/bad.cms @/bad.xml", keys);
	expect(line, 1, "", "/bad.xml: line 9: <channel> names the suite \"bulky\"");
	free(doc);
	doc = doc_edit(doc_base, "2026-11-22T10:00:00Z", "2020-01-01T00:00:00Z");
	edited = doc_edit(doc, "2026-11-23T10:00:00Z", "2020-01-02T00:00:00Z");
	write_doc("old.xml", edited);
	free(edited);
	free(doc);
	snprintf(line, sizeof line, "authz sign %s -o @/bad.cms @/old.xml", keys);
	expect(line, 1, "", "it has expired");
	snprintf(line, sizeof line, "authz sign %s -o @/bad.cms @/missing.xml", keys);
	expect(line, 1, "", "missing.xml: No such file");
	/* Key and certificate of two, another's signer, and a place where nothing can be written.
	 */
	expect(
	    "authz sign -c @/lab/pki/nva-signer.crt -k @/lab/pki/nva-ca.key -o @/bad.cms @/two.xml",
	    1, "", "do not belong together");
	expect("authz sign -c @/lab/nve-1/nve-1.crt -k @/lab/nve-1/nve-1.key -o @/bad.cms @/two.xml",
	    1, "", "every daemon would refuse");
	expect("authz sign -c @/lab/pki/nva-ca.crt -k @/lab/pki/nva-ca.key -o @/bad.cms @/two.xml",
	    1, "", "every daemon would refuse");
	expect("authz verify -a @/missing.crt @/lab/authorization.cms", 2, "", "missing.crt: ");
	expect("authz verify -a @/lab/pki/nva-ca.crt --signer x @/lab/authorization.cms", 2, "",
	    "--signer 'x': no identity");
	expect("authz verify -a @/lab/pki/nva-ca.crt @/two.xml", 1, "overlock authz sign", "");
	snprintf(line, sizeof line, "authz sign %s -a @/lab/pki/tls-ca.crt -o @/bad.cms @/two.xml",
	    keys);
	expect(line, 1, "", "not to be verified under");
	assert_false(there("bad.cms"));
	snprintf(line, sizeof line, "authz sign %s -o @/nowhere/x.cms @/two.xml", keys);
	expect(line, 1, "", "nowhere/x.cms: No such file");
	snprintf(
	    line, sizeof line, "authz sign --schema @/two.xml %s -o @/bad.cms @/two.xml", keys);
	expect(line, 2, "", "schema");
}

static json_t *
printed(void)
{
	json_t *j = json_loads(out, 0, NULL);

	assert_non_null(j);
	assert_int_equal(json_integer_value(json_object_get(j, "schema_version")), 1);
	return j;
}

static void
test_show(void **unused)
{
	json_t *j, *node;

	(void)unused;
	expect("lab init --force @/lab", 0, "", "");
	expect("authz show -a @/lab/pki/nva-ca.crt @/lab/authorization.cms", 0,
	    "signed by dns:nva-1.dc1.example", "");
	assert_non_null(strstr(out, "vxlan        nve - nve: data, udp/4789, transport mode"));
	assert_non_null(strstr(out, "in VN 5001 5002"));
	expect("authz show @/lab/authorization.xml", 0, "NOT SIGNED", "");
	expect("authz show @/lab/authorization.cms", 2, "", "name the NVA's trust anchors by -a");
	expect("authz show -a @/lab/pki/tls-ca.crt @/lab/authorization.cms", 1, "", "signature");
	expect("authz show @/lab/pki", 1, "", "not a file");
	write_doc("empty", "");
	expect("authz show @/empty", 1, "", "empty");
	write_doc("base.xml", doc_base);
	expect("authz show @/base.xml", 0, "seen from outside as 198.51.100.9", "");
	assert_non_null(strstr(out, "attached to nve-1"));
	assert_non_null(strstr(out, "keys per VN, suite tagged"));

	expect("authz show --json @/base.xml", 0, "", "");
	j = printed();
	assert_true(json_is_false(json_object_get(j, "verified")));
	assert_int_equal(json_integer_value(json_object_get(j, "serial")), 1042);
	assert_string_equal(
	    json_string_value(json_object_get(j, "expires")), "2026-11-23T10:00:00Z");
	assert_int_equal(json_array_size(json_object_get(j, "nodes")), 7);
	assert_int_equal(json_array_size(json_object_get(j, "channels")), 6);
	assert_int_equal(json_array_size(json_object_get(j, "virtual_networks")), 3);
	node = json_array_get(json_object_get(j, "nodes"), 0);
	assert_int_equal(json_array_size(json_object_get(node, "vnis")), 3);
	json_decref(j);

	expect("authz verify --json -a @/lab/pki/nva-ca.crt @/lab/authorization.cms", 0, "", "");
	j = printed();
	assert_true(json_is_true(json_object_get(j, "good")));
	assert_true(json_is_true(json_object_get(j, "verified")));
	json_decref(j);
	expect("authz verify --json -a @/lab/pki/tls-ca.crt @/lab/authorization.cms", 1, "", "");
	j = printed();
	assert_true(json_is_false(json_object_get(j, "good")));
	assert_true(json_string_length(json_object_get(j, "why")) > 0);
	json_decref(j);
}

static void
test_url(void **unused)
{
	char line[400];

	(void)unused;
	expect("lab init --force @/lab", 0, "", "");
	snprintf(line, sizeof line,
	    "authz verify -a @/lab/pki/nva-ca.crt file://%s/authorization.cms", top);
	expect(line, 0, "good: ", "");
	expect("authz verify -a @/lab/pki/nva-ca.crt file:///nonexistent", 1, "", "no such file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_lab),
		cmocka_unit_test(test_lab_backend),
		cmocka_unit_test(test_lab_pki),
		cmocka_unit_test(test_lab_twice),
		cmocka_unit_test(test_lab_forgets),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_url),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
