/* SPDX-License-Identifier: ISC */
#include "nvo3/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "nvo3/file.h"

#define CONNECT_S      5
#define SLOW_OCTETS    64 /* a second; below that for SLOW_S the server is given up */
#define SLOW_S         5
#define REDIRECTS_MAX  3

struct transfer {
	struct wr body;
	size_t max;
	bool too_long;
	char etag[128];
};

int
nvo3_init(void)
{
	xmlInitParser();
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : ERR_CRYPTO;
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)size;
	if (n > t->max - t->body.n) {
		t->too_long = true;
		return 0;
	}
	wr_put(&t->body, bytes_of(p, n));
	return t->body.bad ? 0 : n;
}

/* Keeps the ETag of the last answer, for those before it were redirections. */
static size_t
on_header(char *p, size_t size, size_t n, void *arg)
{
	static const char name[] = "etag:";
	struct transfer *t = arg;
	size_t i = sizeof name - 1, len;

	(void)size;
	if (n >= 5 && strncasecmp(p, "HTTP/", 5) == 0)
		t->etag[0] = '\0';
	if (n < i || strncasecmp(p, name, i) != 0)
		return n;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	for (len = 0; i + len < n && p[i + len] > ' ' && p[i + len] < 0x7f;)
		len++;
	/* One that does not fit is none: a cut one would never match. */
	if (len < sizeof t->etag) {
		memcpy(t->etag, p + i, len);
		t->etag[len] = '\0';
	}
	return n;
}

static void
set_protocols(CURL *c)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	/* The environment has no say in whom we talk to. */
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
}

static void
set_tls(CURL *c, const struct nvo3_source *s)
{
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	if (s->tls_ca != NULL) {
		curl_easy_setopt(c, CURLOPT_CAINFO, s->tls_ca);
		/* Else the system's directory would be trusted besides. */
		curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	}
	if (s->tls_cert != NULL) {
		curl_easy_setopt(c, CURLOPT_SSLCERT, s->tls_cert);
		curl_easy_setopt(c, CURLOPT_SSLKEY, s->tls_key != NULL ? s->tls_key : s->tls_cert);
	}
}

static void
set_limits(CURL *c, const struct nvo3_source *s)
{
	unsigned timeout = s->timeout_s > 0 ? s->timeout_s : 10;

	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)timeout);
	curl_easy_setopt(
	    c, CURLOPT_CONNECTTIMEOUT, (long)(timeout < CONNECT_S ? timeout : CONNECT_S));
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_OCTETS);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)s->max_octets);
}

static int
tell(char why[static 256], int r, const char *text, const char *hint)
{
	char safe[140];

	log_safe(safe, sizeof safe, bytes_str(text));
	snprintf(why, 256, "%s%s%s", safe, hint[0] != '\0' ? "; " : "", hint);
	return r;
}

static int
curl_failed(CURLcode code, const struct transfer *t, const char *text, char why[static 256])
{
	const char *what = text[0] != '\0' ? text : curl_easy_strerror(code);

	if (t->too_long || code == CURLE_FILESIZE_EXCEEDED)
		return tell(why, ERR_SPACE, "longer than max-size", "raise it if that is right");
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return tell(why, ERR_TIMEOUT, what, "is the server up?");
	case CURLE_PARTIAL_FILE:
		return tell(why, ERR_IO, "the transfer was cut off", "it will be tried again");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return tell(why, ERR_IO, what, "see tls-ca in [authorization]");
	case CURLE_SSL_CERTPROBLEM:
		return tell(why, ERR_IO, what, "see tls-certificate and tls-key");
	case CURLE_SSL_CONNECT_ERROR:
		return tell(why, ERR_IO, what, "TLS failed");
	case CURLE_OUT_OF_MEMORY:
		return tell(why, ERR_NOMEM, what, "");
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return tell(why, ERR_IO, what, "is the server up?");
	default:
		return tell(why, ERR_IO, what, "");
	}
}

static int
http_answer(CURL *c, struct transfer *t, const char *etag, struct nvo3_fetched *out,
    char why[static 256])
{
	char text[32];
	long status = 0;

	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (status == 304 && etag[0] != '\0') {
		out->not_modified = true;
		snprintf(out->etag, sizeof out->etag, "%s", etag);
		return 0;
	}
	if (status != 200) {
		snprintf(text, sizeof text, "HTTP status %ld", status);
		return tell(why, ERR_IO, text, "is the path of the URL right?");
	}
	if (t->body.n == 0)
		return tell(why, ERR_IO, "the server sent an empty document", "");
	memcpy(out->etag, t->etag, sizeof out->etag);
	return wr_take(&t->body, &out->octets);
}

static int
fetch_https(const struct nvo3_source *s, const char *etag, struct nvo3_fetched *out,
    char why[static 256])
{
	struct transfer t = { .body = wr_grow(s->max_octets), .max = s->max_octets };
	struct curl_slist *headers = NULL;
	char text[CURL_ERROR_SIZE] = "", line[160];
	CURL *c = curl_easy_init();
	CURLcode code;
	int r;

	if (c == NULL)
		return tell(why, ERR_NOMEM, "out of memory", "");
	set_protocols(c);
	set_tls(c, s);
	set_limits(c, s);
	curl_easy_setopt(c, CURLOPT_URL, s->url);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "overlock/" OVERLOCK_VERSION);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, text);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &t);
	if (etag[0] != '\0') {
		snprintf(line, sizeof line, "If-None-Match: %s", etag);
		headers = curl_slist_append(NULL, line);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	}
	code = curl_easy_perform(c);
	if (code != CURLE_OK)
		r = curl_failed(code, &t, text, why);
	else
		r = http_answer(c, &t, etag, out, why);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	wr_free(&t.body);
	return r;
}

/* A file has an ETag, too: what tells one version from the other without reading it. */
static int
fetch_file(const struct nvo3_source *s, const char *path, const char *etag,
    struct nvo3_fetched *out, char why[static 256])
{
	struct stat st;
	int r;

	if ((r = file_read(AT_FDCWD, path, s->max_octets, &out->octets, &st)) == ERR_IO)
		return tell(why, r, strerror(errno), "");
	if (r == ERR_NOTFOUND)
		return tell(why, ERR_IO, "there is no such file", "");
	if (r == ERR_SPACE)
		return tell(why, r, "longer than max-size", "raise it if that is right");
	if (r == ERR_VALUE)
		return tell(why, ERR_IO, "not a regular file", "");
	if (r != 0)
		return tell(why, r, err_str(r), "");
	if (out->octets.n == 0)
		return tell(why, ERR_IO, "the file is empty", "");
	snprintf(out->etag, sizeof out->etag, "file-%llu-%llu-%llu-%lld.%09ld",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	    (unsigned long long)out->octets.n, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	if (strcmp(out->etag, etag) == 0) {
		blob_free(&out->octets);
		out->not_modified = true;
	}
	return 0;
}

int
nvo3_fetch(
    const struct nvo3_source *s, const char *etag, struct nvo3_fetched *out, char why[static 256])
{
	why[0] = '\0';
	memset(out, 0, sizeof *out);
	if (strncmp(s->url, "file:///", 8) == 0)
		return fetch_file(s, s->url + 7, etag, out, why);
	if (strncmp(s->url, "https://", 8) == 0)
		return fetch_https(s, etag, out, why);
	return tell(why, ERR_VALUE, "not a URL we fetch from", "write https://... or file:///...");
}
