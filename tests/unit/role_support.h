/* SPDX-License-Identifier: ISC */
/*
 * One process of ikev2d under test: it runs for real, sandboxed, and the test plays its parent and
 * the processes that it is connected with.
 */
#ifndef TESTS_UNIT_ROLE_SUPPORT_H
#define TESTS_UNIT_ROLE_SUPPORT_H

#include "base_support.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/seqpacket.h"
#include "crypto/crypto.h"
#include "crypto/labpki.h"
#include "crypto/sign.h"
#include "crypto/x509.h"
#include "shell/config.h"
#include "shell/msg.h"

#define PATIENCE_MS 20000
#define SK_P "0123456789abcdef0123456789abcdef"          /* PRF_HMAC_SHA2_256 */
#define NONCE "nonce-nonce-nonce-nonce-nonce-32"

static char work[64], conf[1024];

struct role {
	pid_t pid;
	int parent;              /* our ends */
	int peer[PROC_N];
};

struct heard {
	uint16_t type;
	struct bytes body;       /* good until more is heard on that socket */
};

/* What came on a descriptor: processes may put several messages into one packet. */
static struct ear {
	uint8_t *rx;
	struct rd more;
} ears[256];

/* ------------------------------------------------------------------ files */

static inline const char *
file(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *p = paths[next++ % 8];

	(void)snprintf(p, sizeof paths[0], "%s/%s", work, name);
	return p;
}

/* NAME.key and NAME.crt; issuer NULL: self-signed. */
static inline void
issue(const char *name, const char *issuer, enum pki_kind kind, const char *san)
{
	char key[128], cert[128], ca_key[128], ca_cert[128];
	const char *sans[] = { san, NULL }, *why = "";
	struct pki_request req = {
		.kind = kind, .type = KEY_EC_P256, .cn = name, .sans = san == NULL ? NULL : sans,
		.not_before = (int64_t)time(NULL) - 3600, .not_after = (int64_t)time(NULL) + 86400,
		.issuer_cert = issuer == NULL ? NULL : ca_cert,
		.issuer_key = issuer == NULL ? NULL : ca_key,
	};

	(void)snprintf(key, sizeof key, "%s/%s.key", work, name);
	(void)snprintf(cert, sizeof cert, "%s/%s.crt", work, name);
	(void)snprintf(ca_key, sizeof ca_key, "%s/%s.key", work, issuer == NULL ? "" : issuer);
	(void)snprintf(ca_cert, sizeof ca_cert, "%s/%s.crt", work, issuer == NULL ? "" : issuer);
	if (pki_issue(&req, key, cert, &why) != OK)
		fail_msg("%s: %s", name, why);
}

static inline int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* A folder with the certificates of two nodes, and the configuration of the first. */
static int
lab_make(void **state)
{
	(void)state;
	strcpy(work, "/tmp/overlock-role-XXXXXX");
	if (mkdtemp(work) == NULL || chmod(work, 0755) != 0 || crypto_init() != OK ||
	    mkdir(file("empty"), 0755) != 0 || mkdir(file("state"), 0777) != 0 ||
	    chmod(file("state"), 0777) != 0)
		return -1;
	issue("device-ca", NULL, PKI_ROOT, NULL);
	issue("other-ca", NULL, PKI_ROOT, NULL);
	issue("nva-ca", NULL, PKI_ROOT, NULL);
	issue("nve-1", "device-ca", PKI_DEVICE, "dns:nve-1.example");
	issue("nve-2", "device-ca", PKI_DEVICE, "dns:nve-2.example");
	issue("stranger", "other-ca", PKI_DEVICE, "dns:nve-2.example");
	issue("nva-signer", "nva-ca", PKI_NVA_SIGNER, "dns:nva.example");
	(void)snprintf(conf, sizeof conf, "[node]\nid = nve-1\ncertificate = nve-1.crt\n"
	    "private-key = nve-1.key\ndevice-ca = device-ca.crt\n[authorization]\n"
	    "url = file://%s/authorization.cms\nnva-ca = nva-ca.crt\nstate-dir = state\n"
	    "refresh = 3600\n[daemon]\nchroot = empty\nlog-level = error\n", work);
	return 0;
}

static int
lab_remove(void **state)
{
	(void)state;
	(void)nftw(work, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	crypto_cleanup();
	return 0;
}

/* ------------------------------------------------------------------ speaking */

static inline void
say_fd(int sock, uint16_t type, struct bytes body, int fd)
{
	struct pollfd p = { .fd = sock, .events = POLLOUT };
	int r;

	while ((r = seq_send(sock, type, body, fd)) == ERR_AGAIN)
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(r, OK);
}

static inline void
say(int sock, uint16_t type, struct wr *w)
{
	assert_false(w->bad);
	say_fd(sock, type, wr_view(w), -1);
	wr_free(w);
}

/* The next message; false when the other end hung up. */
static inline bool
hear(int sock, struct heard *h)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct ear *e = &ears[sock];
	int r;

	if (e->rx == NULL)
		assert_non_null(e->rx = malloc(SEQ_MAX));
	if (rd_left(&e->more) == 0) {
		while ((r = seq_recv(sock, e->rx, &h->type, &h->body, NULL)) == ERR_AGAIN)
			if (poll(&p, 1, PATIENCE_MS) != 1)
				fail_msg("nothing was heard");
		if (r != OK)
			return false;
		if (h->type != SEQ_SEVERAL)
			return true;
		e->more = rd_open(h->body);
	}
	assert_int_equal(seq_unpack(&e->more, &h->type, &h->body), 1);
	return true;
}

static inline struct heard
hear_type(int sock, uint16_t type)
{
	struct heard h;

	assert_true(hear(sock, &h));
	assert_int_equal(h.type, type);
	return h;
}

/* A descriptor is used again for something else. */
static inline void
forget(int sock)
{
	free(ears[sock].rx);
	memset(&ears[sock], 0, sizeof ears[sock]);
}

/* Nothing has come, once the process has answered what was asked of it after. */
static inline bool
silent(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	return rd_left(&ears[sock].more) == 0 && poll(&p, 1, 0) == 0;
}

/* ------------------------------------------------------------------ the process */

static inline void
role_connect(struct role *r, enum proc_id id)
{
	uint8_t body = (uint8_t)id;
	int fd[2];

	if (r->peer[id] != -1)
		(void)close(r->peer[id]);
	assert_int_equal(seq_pair(fd), OK);
	forget(fd[0]);
	say_fd(r->parent, IPC_PEER, bytes_of(&body, 1), fd[1]);
	(void)close(fd[1]);
	r->peer[id] = fd[0];
}

static inline void
role_start(struct role *r, int (*main_fn)(void))
{
	struct msg_config m = { .text = bytes_str(conf) };
	struct wr w = wr_grow(SEQ_MAX);
	int fd[2], i;

	for (i = 0; i < PROC_N; i++)
		r->peer[i] = -1;
	assert_int_equal(seq_pair(fd), OK);
	(void)fflush(NULL);
	assert_true((r->pid = fork()) >= 0);
	if (r->pid == 0) {
		if (dup2(fd[1], 3) != 3)
			_exit(99);
		for (i = 4; i < 64; i++)
			(void)close(i);
		exit(main_fn());
	}
	(void)close(fd[1]);
	r->parent = fd[0];
	forget(fd[0]);
	(void)snprintf(m.path, sizeof m.path, "%s/ikev2d.conf", work);
	wr_config(&w, &m);
	say(r->parent, MSG_CONFIG, &w);
}

static inline void
role_ready(struct role *r)
{
	struct heard h;

	assert_true(hear(r->parent, &h));
	if (h.type == IPC_FATAL)
		fail_msg("%.*s", (int)h.body.n - 3, (const char *)h.body.p + 3);
	assert_int_equal(h.type, IPC_READY);
}

static inline int
role_status(struct role *r)
{
	int status = 0, i;

	while (waitpid(r->pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	forget(r->parent);
	(void)close(r->parent);
	for (i = 0; i < PROC_N; i++)
		if (r->peer[i] != -1) {
			forget(r->peer[i]);
			(void)close(r->peer[i]);
		}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Ends in order when it is told to. */
static inline void
role_stop(struct role *r)
{
	say_fd(r->parent, IPC_STOP, bytes_of(NULL, 0), -1);
	assert_int_equal(role_status(r), 0);
}

/* ------------------------------------------------------------------ handshakes */

/* Header of an IKE_SA_INIT message and nothing else. */
static inline struct bytes
sa_init(uint8_t buf[static 28], const struct ike_ref *ref, bool response)
{
	struct wr w = wr_fixed(buf, 28);

	wr_u64(&w, ref->spi_i);
	wr_u64(&w, response ? ref->spi_r : 0);
	wr_u8(&w, 0);
	wr_u8(&w, 0x20);
	wr_u8(&w, 34);
	wr_u8(&w, response ? 0x20 : 0x08);
	wr_u32(&w, 0);
	wr_u32(&w, 28);
	return wr_view(&w);
}

static inline struct ike_auth_input
auth_input(struct bytes message, const char *id)
{
	struct ike_auth_input in = {
		.message = message, .nonce = bytes_str(NONCE), .id_type = 2, .id_data = bytes_str(id),
		.sk_p = bytes_str(SK_P), .prf = PRF_HMAC_SHA2_256,
	};

	return in;
}

#endif
