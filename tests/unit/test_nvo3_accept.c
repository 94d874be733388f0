/* SPDX-License-Identifier: ISC */
/* What is accepted of the NVA, what is kept of it, and that nothing else changes what is kept. */
#include "nvo3_pki.h"

#include <errno.h>

#include "base/err.h"

#define NOW        (DOC_ISSUED + 60)
#define CERT_UNTIL (DOC_ISSUED + 365 * 86400)

static struct nvo3_schema *schema;
static struct nvo3_trust trust;
static char anchors[128], state[128];

static int
setup(void **unused)
{
	char why[256];

	(void)unused;
	work_make();
	assert_int_equal(crypto_init(), 0);
	assert_int_equal(nvo3_init(), 0);
	assert_int_equal(nvo3_schema_load(&schema, NULL, why), 0);
	issue("ca", NULL, PKI_ROOT, NULL, CERT_UNTIL + 86400);
	issue("other-ca", NULL, PKI_ROOT, NULL, CERT_UNTIL + 86400);
	issue("nva-1", "ca", PKI_NVA_SIGNER, "dns:nva-1.dc1.example", CERT_UNTIL);
	issue("nva-2", "ca", PKI_NVA_SIGNER, "dns:nva-2.dc1.example", CERT_UNTIL);
	issue("short", "ca", PKI_NVA_SIGNER, "dns:nva-1.dc1.example", NOW + 3600);
	issue("device", "ca", PKI_DEVICE, "dns:nva-1.dc1.example", CERT_UNTIL);
	issue("fake", "other-ca", PKI_NVA_SIGNER, "dns:nva-1.dc1.example", CERT_UNTIL);
	return 0;
}

static int
teardown(void **unused)
{
	(void)unused;
	nvo3_schema_free(schema);
	work_remove(work);
	return 0;
}

/* Each test has an empty state directory. */
static int
fresh(void **unused)
{
	(void)unused;
	snprintf(anchors, sizeof anchors, "%s/ca.crt", work);
	snprintf(state, sizeof state, "%s/state", work);
	work_remove(state);
	assert_int_equal(mkdir(state, 0700), 0);
	memset(&trust, 0, sizeof trust);
	trust.anchors = anchors;
	trust.signer = "dns:NVA-1.dc1.example";
	trust.schema = schema;
	trust.state_dir = state;
	nvo3_limits_default(&trust.limits);
	return 0;
}

static struct blob
sign(const char *xml, const char *who)
{
	struct blob out = { NULL, 0 };
	char cert[128], key[128];
	const char *why = "";

	snprintf(cert, sizeof cert, "%s/%s.crt", work, who);
	snprintf(key, sizeof key, "%s/%s.key", work, who);
	if (cms_sign(bytes_str(xml), cert, key, &out, &why) != 0)
		fail_msg("%s", why);
	return out;
}

static struct blob
read_state(const char *name)
{
	struct blob b = { NULL, 0 };
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", state, name);
	if ((f = fopen(path, "rb")) == NULL)
		return b;
	b.p = malloc(1 << 16);
	assert_non_null(b.p);
	b.n = fread(b.p, 1, 1 << 16, f);
	fclose(f);
	return b;
}

static void
write_state(const char *name, struct bytes b)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", state, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
	fclose(f);
}

/* Signs, accepts, and looks that a refusal has changed nothing on disk. */
static int
try_at(const char *xml, const char *who, int64_t now, const char *words)
{
	struct blob cms = sign(xml, who), doc = read_state("authorization.cms"), mark;
	struct blob old = read_state("authorization.serial"), doc2;
	struct nvo3_document d;
	char why[256];
	int r = nvo3_accept(&trust, blob_view(&cms), now, &d, why);

	if (strstr(why, words) == NULL || (r == 0) != (d.table != NULL))
		fail_msg("%d \"%s\", expected \"%s\"", r, why, words);
	doc2 = read_state("authorization.cms");
	mark = read_state("authorization.serial");
	if (r != 0) {
		assert_true(bytes_equal(blob_view(&doc), blob_view(&doc2)));
		assert_true(bytes_equal(blob_view(&old), blob_view(&mark)));
		assert_int_equal(d.n_signers, 0);
	} else if (trust.state_dir != NULL)
		assert_true(bytes_equal(blob_view(&cms), blob_view(&doc2)));
	nvo3_document_free(&d);
	blob_free(&cms);
	blob_free(&doc);
	blob_free(&doc2);
	blob_free(&old);
	blob_free(&mark);
	return r;
}

static int
try_edit(const char *from, const char *to, const char *words)
{
	char *doc = doc_edit(doc_base, from, to);
	int r = try_at(doc, "nva-1", NOW, words);

	free(doc);
	return r;
}

static void
test_good(void **unused)
{
	struct blob cms = sign(doc_base, "nva-1");
	struct nvo3_document d;
	char why[256];

	(void)unused;
	assert_int_equal(nvo3_accept(&trust, blob_view(&cms), NOW, &d, why), 0);
	assert_string_equal(why, "");
	assert_int_equal(d.table->serial, 1042);
	assert_int_equal(d.n_signers, 1);
	assert_string_equal(d.signers[0].identity, "dns:nva-1.dc1.example");
	assert_int_equal(d.signers[0].not_after, CERT_UNTIL);
	nvo3_document_free(&d);
	/* Opening alone keeps nothing, and does not mind dates. */
	assert_int_equal(fresh(NULL), 0);
	assert_int_equal(nvo3_open(&trust, blob_view(&cms), DOC_EXPIRES + 1, &d, why), 0);
	nvo3_document_free(&d);
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), ERR_NOTFOUND);
	blob_free(&cms);
}

static void
test_signers(void **unused)
{
	(void)unused;
	assert_int_equal(try_at(doc_base, "fake", NOW, "signature: "), ERR_AUTH);
	assert_int_equal(try_at(doc_base, "device", NOW, "signature: "), ERR_AUTH);
	assert_int_equal(try_at(doc_base, "nva-2", NOW, "signed by dns:nva-2.dc1.example, not by"),
	    ERR_AUTH);
	trust.signer = "uri:nva-1.dc1.example";
	assert_int_equal(try_at(doc_base, "nva-1", NOW, "not by uri:"), ERR_AUTH);
	trust.signer = NULL;
	assert_int_equal(try_at(doc_base, "nva-2", NOW, ""), 0);
	/* The signer's certificate has its own end. */
	assert_int_equal(try_at(doc_base, "short", NOW + 3601, "signature: "), ERR_EXPIRED);
	assert_int_equal(try_at(doc_base, "short", NOW + 3599, ""), 0);
	anchors[0] = '\0';
	assert_true(try_at(doc_base, "nva-1", NOW, "signature: ") != 0);
}

static void
test_not_cms(void **unused)
{
	static const char *const texts[] = { "", "x", "<authorization/>", doc_base,
	    "-----BEGIN CMS-----\n-----END CMS-----\n" };
	struct blob cms = sign(doc_base, "nva-1");
	struct nvo3_document d;
	char why[256];
	size_t i, n;
	int r;

	(void)unused;
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(
		    nvo3_accept(&trust, bytes_str(texts[i]), NOW, &d, why), ERR_SYNTAX);
	for (n = 0; n < cms.n; n += 61)
		assert_int_equal(nvo3_accept(&trust, bytes_of(cms.p, n), NOW, &d, why), ERR_SYNTAX);
	trust.state_dir = NULL;
	for (n = 0; n < cms.n; n += 13) {
		cms.p[n] ^= 0x04;
		r = nvo3_accept(&trust, blob_view(&cms), NOW, &d, why);
		/* A flipped bit of what is not signed may pass, but then changes nothing. */
		if (r == 0)
			assert_int_equal(d.table->serial, 1042);
		nvo3_document_free(&d);
		cms.p[n] ^= 0x04;
	}
	blob_free(&cms);
}

static void
test_content(void **unused)
{
	(void)unused;
	assert_int_equal(try_edit("<suites>", "<suites>x", "text outside"), ERR_SYNTAX);
	assert_int_equal(try_edit("<authorization", "<!DOCTYPE a><authorization", "document type"),
	    ERR_SYNTAX);
	assert_int_equal(try_edit("ref=\"5003\"", "ref=\"5004\"", "VN 5004"), ERR_VALUE);
	trust.limits.max_octets = 1000;
	assert_int_equal(try_at(doc_base, "nva-1", NOW, "max-size"), ERR_SPACE);
}

static void
test_window(void **unused)
{
	(void)unused;
	assert_int_equal(
	    try_at(doc_base, "nva-1", DOC_ISSUED - 301, "in the future, at 2026-11-22T10"),
	    ERR_EXPIRED);
	assert_int_equal(
	    try_at(doc_base, "nva-1", DOC_EXPIRES, "expired at 2026-11-23T10"), ERR_EXPIRED);
	assert_int_equal(try_at(doc_base, "nva-1", DOC_EXPIRES - 1, ""), 0);
	assert_int_equal(try_at(doc_base, "nva-1", DOC_ISSUED - 300, ""), 0);
}

static void
test_rollback(void **unused)
{
	(void)unused;
	assert_int_equal(try_at(doc_base, "nva-1", NOW, ""), 0);
	assert_int_equal(
	    try_edit("serial=\"1042\"", "serial=\"1041\"", "serial 1041 is older than 1 / 1042"),
	    ERR_STALE);
	/* The same once more, newly signed, is fine; the same number for something else is not. */
	assert_int_equal(try_at(doc_base, "nva-1", NOW, ""), 0);
	assert_int_equal(try_edit("tenant-b", "tenant-c", "other content"), ERR_STALE);
	assert_int_equal(try_edit("serial=\"1042\"", "serial=\"1043\"", ""), 0);
	assert_int_equal(try_at(doc_base, "nva-1", NOW, "older"), ERR_STALE);
	assert_int_equal(
	    try_edit("epoch=\"1\" serial=\"1042\"", "epoch=\"2\" serial=\"1\"", ""), 0);
	assert_int_equal(
	    try_edit("serial=\"1042\"", "serial=\"9999\"", "epoch 1 serial 9999 is older"),
	    ERR_STALE);
	assert_int_equal(
	    try_edit("epoch=\"1\" serial=\"1042\"", "epoch=\"0\" serial=\"9999\"", "older"),
	    ERR_STALE);
	/* The twin: without a memory each of them is good. */
	trust.state_dir = NULL;
	assert_int_equal(try_edit("serial=\"1042\"", "serial=\"1041\"", ""), 0);
}

static void
test_recall(void **unused)
{
	struct blob old = sign(doc_base, "nva-1"), fake = sign(doc_base, "fake");
	struct nvo3_document d;
	char why[256];

	(void)unused;
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), ERR_NOTFOUND);
	assert_int_equal(try_edit("serial=\"1042\"", "serial=\"1043\"", ""), 0);
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), 0);
	assert_int_equal(d.table->serial, 1043);
	nvo3_document_free(&d);
	/* Expired is for the decision to say. */
	assert_int_equal(nvo3_recall(&trust, DOC_EXPIRES + 1, &d, why), 0);
	nvo3_document_free(&d);
	/* Who can write there still can't put an older or another's document in. */
	write_state("authorization.cms", blob_view(&old));
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), ERR_STALE);
	write_state("authorization.cms", blob_view(&fake));
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), ERR_AUTH);
	write_state("authorization.cms", bytes_str(doc_base));
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), ERR_SYNTAX);
	assert_null(d.table);
	trust.state_dir = NULL;
	assert_int_equal(nvo3_recall(&trust, NOW, &d, why), ERR_NOTFOUND);
	blob_free(&old);
	blob_free(&fake);
}

/* The mark outlives the document: a replay after its loss is seen. */
static void
test_document_lost(void **unused)
{
	char path[200];

	(void)unused;
	assert_int_equal(try_edit("serial=\"1042\"", "serial=\"1043\"", ""), 0);
	snprintf(path, sizeof path, "%s/authorization.cms", state);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(try_at(doc_base, "nva-1", NOW, "older"), ERR_STALE);
}

static void
test_damaged_mark(void **unused)
{
	static const char hash[] =
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct { const char *form; bool good;
	} marks[] = {
		{ "1 7 %s\n", true },
		{ "1 7 %s", false },
		{ "1 7 %s\n\n", false },
		{ "1 7 x%s\n", false },
		{ "1 0 %s\n", false },
		{ "-1 7 %s\n", false },
		{ "1 7 %.63s\n", false },
		{ "1 7\n", false },
		{ "1 7 g%.63s\n", false },
		{ "4294967296 7 %s\n", false },
		{ "", false },
	};
	char text[128];
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		snprintf(text, sizeof text, marks[i].form, hash);
		write_state("authorization.serial", bytes_str(text));
		assert_int_equal(try_at(doc_base, "nva-1", NOW, marks[i].good ? "" : "is damaged"),
		    marks[i].good ? 0 : ERR_SYNTAX);
	}
	memset(text, 'x', sizeof text);
	write_state("authorization.serial", bytes_of(text, sizeof text));
	assert_int_equal(try_at(doc_base, "nva-1", NOW, "damaged"), ERR_SYNTAX);
}

static void
test_disk(void **unused)
{
	char path[200], victim[200];
	struct stat st;
	FILE *f;

	(void)unused;
	/* Left over from a crash: in nobody's way. */
	write_state("authorization.cms.new", bytes_str("half"));
	assert_int_equal(try_at(doc_base, "nva-1", NOW, ""), 0);
	snprintf(path, sizeof path, "%s/authorization.cms.new", state);
	assert_int_equal(access(path, F_OK), -1);
	/* What can't be kept is not accepted. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(try_edit("serial=\"1042\"", "serial=\"1043\"", "state-dir "), ERR_IO);
	assert_int_equal(rmdir(path), 0);
	/* A link in its place is not followed. */
	snprintf(victim, sizeof victim, "%s/victim", work);
	f = fopen(victim, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(try_edit("serial=\"1042\"", "serial=\"1043\"", "state-dir "), ERR_IO);
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 0);
	work_remove(state);
	assert_int_equal(try_at(doc_base, "nva-1", NOW, "make it, for the daemon's user"), ERR_IO);
	assert_int_equal(errno, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, fresh),
		cmocka_unit_test_setup(test_signers, fresh),
		cmocka_unit_test_setup(test_not_cms, fresh),
		cmocka_unit_test_setup(test_content, fresh),
		cmocka_unit_test_setup(test_window, fresh),
		cmocka_unit_test_setup(test_rollback, fresh),
		cmocka_unit_test_setup(test_recall, fresh),
		cmocka_unit_test_setup(test_document_lost, fresh),
		cmocka_unit_test_setup(test_damaged_mark, fresh),
		cmocka_unit_test_setup(test_disk, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
