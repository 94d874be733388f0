/* SPDX-License-Identifier: ISC */
/*
 * A small HTTPS server for tests, in a process of its own: what it answers depends on the path. It
 * serves one connection after the other, and misbehaves where the path says so. For one test
 * program each.
 */
#ifndef UNIT_TLS_SERVER_H
#define UNIT_TLS_SERVER_H

/* OpenSSL has a type of that name. */
#define ERR_STATE openssl_err_state
#include <openssl/err.h>
#include <openssl/ssl.h>
#undef ERR_STATE

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct tls_server_options {
	const char *cert, *key;          /* PEM files */
	const char *client_ca;           /* demand a certificate of the client; or NULL */
	bool old;                        /* TLS 1.1 at most */
};

static void
say(SSL *ssl, const char *text)
{
	(void)SSL_write(ssl, text, (int)strlen(text));
}

/* Until the client has had enough. */
static void
wait_close(SSL *ssl)
{
	char c;

	while (SSL_read(ssl, &c, 1) > 0)
		continue;
}

static void
flood(SSL *ssl)
{
	char part[4096];

	memset(part, 'x', sizeof part);
	while (SSL_write(ssl, part, sizeof part) > 0)
		continue;
}

static const struct {
	const char *path, *answer;
	void (*then)(SSL *);
} scripts[] = {
	{ "/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL },
	{ "/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", NULL },
	{ "/error", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", NULL },
	{ "/big", "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n", flood },
	{ "/endless", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", flood },
	{ "/cut", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this", NULL },
	{ "/cut-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nonly", NULL },
	{ "/silent", "", wait_close },
	{ "/stall", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome", wait_close },
	{ "/moved", "HTTP/1.1 302 Found\r\nETag: \"moved\"\r\nLocation: /doc\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n", NULL },
	{ "/moved-plain", "HTTP/1.1 302 Found\r\nETag: \"moved\"\r\nLocation: /no-etag\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n", NULL },
	{ "/to-http", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/doc\r\n"
	    "Content-Length: 0\r\n\r\n", NULL },
	{ "/to-file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
	    "Content-Length: 0\r\n\r\n", NULL },
	{ "/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n"
	    "Connection: close\r\n\r\n", NULL },
	{ "/always-304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n", NULL },
	{ "/no-etag", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ndocument", NULL },
	{ "/garbage", "this is not HTTP\r\n\r\n", NULL },
	{ "/long-etag", "HTTP/1.1 200 OK\r\nETag: \"0123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789012345678901234567890123456789"
	    "0123456789012345678901234567890123456789\"\r\nContent-Length: 8\r\n\r\ndocument",
	    NULL },
};

static void
answer(SSL *ssl, const char *request)
{
	char path[64] = "";
	size_t i;

	if (sscanf(request, "GET %63s ", path) != 1)
		return;
	if (strcmp(path, "/doc") == 0) {
		if (strstr(request, "\r\nIf-None-Match: \"v1\"\r\n") != NULL)
			say(ssl,
			    "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nConnection: "
			    "close\r\n\r\n");
		else
			say(ssl, "HTTP/1.1 200 OK\r\neTaG:  \"v1\"\r\nContent-Length: 8\r\n"
			    "Connection: close\r\n\r\ndocument");
		return;
	}
	for (i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		if (strcmp(scripts[i].path, path) != 0)
			continue;
		if (scripts[i].answer[0] != '\0')
			say(ssl, scripts[i].answer);
		if (scripts[i].then != NULL)
			scripts[i].then(ssl);
	}
}

static void
serve(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	char request[4096];
	size_t used = 0;
	int n;

	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
		while (used < sizeof request - 1 &&
		    (n = SSL_read(ssl, request + used, (int)(sizeof request - 1 - used))) > 0) {
			used += (size_t)n;
			request[used] = '\0';
			if (strstr(request, "\r\n\r\n") == NULL)
				continue;
			answer(ssl, request);
			break;
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	ERR_clear_error();
	close(fd);
}

static void
die(const char *what)
{
	perror(what);
	ERR_print_errors_fp(stderr);
	_exit(1);
}

static void
run(const struct tls_server_options *o, int listener)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int fd;

	/* Nobody is left behind when the test program is killed. */
	alarm(120);
	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
		die("TLS server");
	if (o->old) {
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
	}
	if (o->client_ca != NULL) {
		if (SSL_CTX_load_verify_file(ctx, o->client_ca) != 1)
			die("client CA");
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	for (;;)
		if ((fd = accept(listener, NULL, NULL)) >= 0)
			serve(ctx, fd);
}

/* Starts one on 127.0.0.1; the port is returned. Failure ends the test program. */
static int
tls_server_start(const struct tls_server_options *o, pid_t *pid)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof sin;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener == -1 || bind(listener, (struct sockaddr *)&sin, sizeof sin) != 0 ||
	    listen(listener, 16) != 0 ||
	    getsockname(listener, (struct sockaddr *)&sin, &len) != 0) {
		perror("TLS server");
		exit(1);
	}
	if ((*pid = fork()) == 0) {
		signal(SIGPIPE, SIG_IGN);
		run(o, listener);
	}
	close(listener);
	if (*pid == -1) {
		perror("fork");
		exit(1);
	}
	return ntohs(sin.sin_port);
}

static void
tls_server_stop(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
}

#endif
