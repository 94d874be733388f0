/* SPDX-License-Identifier: ISC */
/* Fetching: files, and an HTTPS server that does all that servers do. */
#include "nvo3_pki.h"

#include <time.h>

#include "base/err.h"
#include "tls_server.h"

enum { GOOD, OTHER_CA, OLD, CLIENT_CERT, SERVERS };

static pid_t pids[SERVERS];
static int ports[SERVERS];
static char pki[8][128];

static const char *
file(int slot, const char *name)
{
	snprintf(pki[slot], sizeof pki[slot], "%s/%s", work, name);
	return pki[slot];
}

static void
start(int which, const char *cert, const char *key, const char *client_ca, bool old)
{
	struct tls_server_options o = {
		.cert = cert, .key = key, .client_ca = client_ca, .old = old
	};

	ports[which] = tls_server_start(&o, &pids[which]);
}

static int
setup(void **unused)
{
	int64_t until = time(NULL) + 86400;

	(void)unused;
	work_make();
	assert_int_equal(crypto_init(), 0);
	assert_int_equal(nvo3_init(), 0);
	issue("ca", NULL, PKI_ROOT, NULL, until);
	issue("other-ca", NULL, PKI_ROOT, NULL, until);
	issue("server", "ca", PKI_TLS_SERVER, "ip:127.0.0.1", until);
	issue("other", "other-ca", PKI_TLS_SERVER, "ip:127.0.0.1", until);
	issue("client", "ca", PKI_TLS_CLIENT, "dns:nve-1.dc1.example", until);
	start(GOOD, file(0, "server.crt"), file(1, "server.key"), NULL, false);
	start(OTHER_CA, file(0, "other.crt"), file(1, "other.key"), NULL, false);
	start(OLD, file(0, "server.crt"), file(1, "server.key"), NULL, true);
	start(CLIENT_CERT, file(0, "server.crt"), file(1, "server.key"), file(2, "ca.crt"), false);
	/* What the environment says about proxies does not count. */
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.1:1", 1);
	return 0;
}

static int
teardown(void **unused)
{
	int i;

	(void)unused;
	for (i = 0; i < SERVERS; i++)
		tls_server_stop(pids[i]);
	work_remove(work);
	return 0;
}

struct want {
	const char *host;
	int server;
	const char *path, *etag;
	int rc;
	const char *why;
};

static void
check(const struct want *w, const struct nvo3_source *with)
{
	struct nvo3_source s = *with;
	struct nvo3_fetched got;
	char url[128], why[256];
	int r;

	snprintf(url, sizeof url, "https://%s:%d%s", w->host, ports[w->server], w->path);
	s.url = url;
	r = nvo3_fetch(&s, w->etag, &got, why);
	if (r != w->rc || strstr(why, w->why) == NULL)
		fail_msg("%s: %d \"%s\", expected %d \"%s\"", url, r, why, w->rc, w->why);
	if (r != 0) {
		assert_int_equal(got.octets.n, 0);
		assert_null(strstr(why, url));        /* whoever tells it names the URL */
	} else if (got.not_modified) {
		assert_int_equal(got.octets.n, 0);
		assert_string_equal(got.etag, w->etag);
	} else
		assert_true(bytes_equal(blob_view(&got.octets), bytes_str("document")));
	blob_free(&got.octets);
}

static void
test_https(void **unused)
{
	static const struct want rows[] = {
		{ "127.0.0.1", GOOD, "/doc", "", 0, "" },
		{ "127.0.0.1", GOOD, "/doc", "\"v1\"", 0, "" },
		{ "127.0.0.1", GOOD, "/doc", "\"v0\"", 0, "" },
		{ "127.0.0.1", GOOD, "/moved", "", 0, "" },
		{ "127.0.0.1", GOOD, "/no-etag", "", 0, "" },
		{ "127.0.0.1", GOOD, "/long-etag", "", 0, "" },
		{ "127.0.0.1", GOOD, "/empty", "", ERR_IO, "empty document" },
		{ "127.0.0.1", GOOD, "/missing", "", ERR_IO, "HTTP status 404" },
		{ "127.0.0.1", GOOD, "/error", "", ERR_IO, "HTTP status 500" },
		{ "127.0.0.1", GOOD, "/always-304", "", ERR_IO, "HTTP status 304" },
		{ "127.0.0.1", GOOD, "/big", "", ERR_SPACE, "longer than max-size" },
		{ "127.0.0.1", GOOD, "/endless", "", ERR_SPACE, "longer than max-size" },
		{ "127.0.0.1", GOOD, "/cut", "", ERR_IO, "cut off" },
		{ "127.0.0.1", GOOD, "/cut-chunk", "", ERR_IO, "" },
		{ "127.0.0.1", GOOD, "/garbage", "", ERR_IO, "" },
		{ "127.0.0.1", GOOD, "/to-http", "", ERR_IO, "disabled" },
		{ "127.0.0.1", GOOD, "/to-file", "", ERR_IO, "disabled" },
		{ "127.0.0.1", GOOD, "/loop", "", ERR_IO, "" },
		/* The server must be who it says. */
		{ "127.0.0.1", OTHER_CA, "/doc", "", ERR_IO, "see tls-ca" },
		{ "localhost", GOOD, "/doc", "", ERR_IO, "see tls-ca" },
		{ "127.0.0.1", OLD, "/doc", "", ERR_IO, "TLS failed" },
		{ "127.0.0.1", CLIENT_CERT, "/doc", "", ERR_IO, "" },
	};
	struct nvo3_source s = { .max_octets = 1000, .timeout_s = 20, .tls_ca = file(3, "ca.crt") };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&rows[i], &s);
}

static void
test_etags(void **unused)
{
	static const struct { const char *path, *etag, *got; bool same; } rows[] = {
		{ "/doc", "", "\"v1\"", false }, { "/doc", "\"v1\"", "\"v1\"", true },
		{ "/doc", "\"v0\"", "\"v1\"", false }, { "/moved", "", "\"v1\"", false },
		{ "/no-etag", "\"v1\"", "", false }, { "/long-etag", "", "", false },
		{ "/moved-plain", "", "", false },
	};
	struct nvo3_source s = { .max_octets = 1000, .timeout_s = 20, .tls_ca = file(3, "ca.crt") };
	struct nvo3_fetched got;
	char url[128], why[256];
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(url, sizeof url, "https://127.0.0.1:%d%s", ports[GOOD], rows[i].path);
		s.url = url;
		assert_int_equal(nvo3_fetch(&s, rows[i].etag, &got, why), 0);
		assert_string_equal(got.etag, rows[i].got);
		assert_int_equal(got.not_modified, rows[i].same);
		blob_free(&got.octets);
	}
}

static void
test_trust(void **unused)
{
	struct nvo3_source s = {
		.max_octets = 1000, .timeout_s = 20, .tls_ca = file(3, "ca.crt"),
		.tls_cert = file(4, "client.crt"), .tls_key = file(5, "client.key"),
	};

	(void)unused;
	check(&(struct want){ "127.0.0.1", CLIENT_CERT, "/doc", "", 0, "" }, &s);
	s.tls_key = file(5, "server.key");
	check(&(struct want){ "127.0.0.1", CLIENT_CERT, "/doc", "", ERR_IO, "tls-key" }, &s);
	s.tls_cert = s.tls_key = NULL;
	/* The twins of wrong CA and wrong name. */
	s.tls_ca = file(3, "other-ca.crt");
	check(&(struct want){ "127.0.0.1", OTHER_CA, "/doc", "", 0, "" }, &s);
	check(&(struct want){ "127.0.0.1", GOOD, "/doc", "", ERR_IO, "see tls-ca" }, &s);
	s.tls_ca = file(3, "missing.crt");
	check(&(struct want){ "127.0.0.1", GOOD, "/doc", "", ERR_IO, "see tls-ca" }, &s);
	/* The system does not know our CA. */
	s.tls_ca = NULL;
	check(&(struct want){ "127.0.0.1", GOOD, "/doc", "", ERR_IO, "see tls-ca" }, &s);
}

static void
test_slow(void **unused)
{
	static const char *const paths[] = { "/silent", "/stall" };
	struct nvo3_source s = { .max_octets = 1000, .timeout_s = 1, .tls_ca = file(3, "ca.crt") };
	size_t i;

	(void)unused;
	for (i = 0; i < 2; i++)
		check(&(struct want){ "127.0.0.1", GOOD, paths[i], "", ERR_TIMEOUT, "" }, &s);
}

static void
test_down(void **unused)
{
	struct nvo3_source s = { .max_octets = 1000, .timeout_s = 5, .tls_ca = file(3, "ca.crt") };

	(void)unused;
	tls_server_stop(pids[OTHER_CA]);
	pids[OTHER_CA] = 0;
	check(&(struct want){ "127.0.0.1", OTHER_CA, "/doc", "", ERR_IO, "is the server up?" }, &s);
}

static void
test_urls(void **unused)
{
	static const char *const urls[] = { "", "x", "http://127.0.0.1/doc", "HTTPS//x",
		"file://etc/passwd", "file:/etc/passwd", "ftp://127.0.0.1/doc", "/etc/passwd",
		"gopher://127.0.0.1/" };
	struct nvo3_source s = { .max_octets = 1000, .timeout_s = 5 };
	struct nvo3_fetched got;
	char why[256];
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		s.url = urls[i];
		assert_int_equal(nvo3_fetch(&s, "", &got, why), ERR_VALUE);
		assert_non_null(strstr(why, "https://"));
	}
	s.url = "https://";
	assert_int_equal(nvo3_fetch(&s, "", &got, why), ERR_IO);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
test_files(void **unused)
{
	char path[128], url[160], why[256], etag[128];
	struct nvo3_source s = { .url = url, .max_octets = 8, .timeout_s = 5 };
	struct nvo3_fetched got;

	(void)unused;
	snprintf(path, sizeof path, "%s/doc", work);
	snprintf(url, sizeof url, "file://%s", path);
	assert_int_equal(nvo3_fetch(&s, "", &got, why), ERR_IO);
	assert_non_null(strstr(why, "no such file"));
	write_file(path, "");
	assert_int_equal(nvo3_fetch(&s, "", &got, why), ERR_IO);
	assert_non_null(strstr(why, "empty"));
	write_file(path, "document");
	assert_int_equal(nvo3_fetch(&s, "", &got, why), 0);
	assert_true(bytes_equal(blob_view(&got.octets), bytes_str("document")));
	blob_free(&got.octets);
	memcpy(etag, got.etag, sizeof etag);
	assert_int_equal(nvo3_fetch(&s, etag, &got, why), 0);
	assert_true(got.not_modified);
	assert_int_equal(got.octets.n, 0);
	assert_string_equal(got.etag, etag);
	/* Another file in its place is another version, however alike. */
	assert_int_equal(rename(path, file(6, "doc.old")), 0);
	write_file(path, "document");
	assert_int_equal(nvo3_fetch(&s, etag, &got, why), 0);
	assert_false(got.not_modified);
	blob_free(&got.octets);
	write_file(path, "documents");
	assert_int_equal(nvo3_fetch(&s, etag, &got, why), ERR_SPACE);
	assert_non_null(strstr(why, "longer than max-size"));
	/* A FIFO does not hold us, a folder is no document. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(nvo3_fetch(&s, "", &got, why), ERR_IO);
	assert_non_null(strstr(why, "not a regular file"));
	snprintf(url, sizeof url, "file://%s", work);
	assert_int_equal(nvo3_fetch(&s, "", &got, why), ERR_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_https),
		cmocka_unit_test(test_etags),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
