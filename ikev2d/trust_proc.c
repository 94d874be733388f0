/* SPDX-License-Identifier: ISC */
/*
 * The trust process: certificate chains and the AUTH payload. It holds no secret of ours. What it
 * has verified it tells authz itself, so the engine can't put a name into anybody's mouth.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/sign.h"
#include "ike/authdata.h"
#include "ikev2d/identity.h"
#include "ikev2d/roles.h"
#include "shell/child.h"

/* What was verified lately is told again to an authz process that has just been restarted. */
#define RECENT_MAX 256
#define RECENT_MS 30000

struct recent {
	int64_t at;
	struct blob body;
};

struct trust {
	struct child *child;
	struct x509_store *anchors;
	struct recent recent[RECENT_MAX];
	size_t next;
};

static void
tell_authz(struct trust *t, const struct msg_identity *id)
{
	struct recent *slot = &t->recent[t->next++ % RECENT_MAX];
	struct wr w = wr_grow(SEQ_MAX);

	wr_identity(&w, id);
	if (chan_send(child_chan(t->child, PROC_AUTHZ), MSG_IDENTITY, wr_view(&w), -1) != OK)
		log_debug("authz is away: it will be told when it is back");
	slot->at = loop_now(child_loop(t->child));
	(void)wr_take(&w, &slot->body);
	wr_free(&w);
}

static void
authz_connected(void *arg, bool again)
{
	struct trust *t = arg;
	int64_t now = loop_now(child_loop(t->child));
	size_t i;

	(void)again;
	for (i = 0; i < RECENT_MAX; i++)
		if (t->recent[i].body.n > 0 && now - t->recent[i].at < RECENT_MS)
			(void)chan_send(child_chan(t->child, PROC_AUTHZ), MSG_IDENTITY,
			    blob_view(&t->recent[i].body), -1);
}

/* ------------------------------------------------------------------ requests */

/* Chain, then signature, then whether the ID is one that the certificate holds. */
static int
verify(const struct trust *t, const struct msg_verify *m, struct x509 **leaf,
    struct msg_identity *id, char *identity, const char **why)
{
	struct blob octets = { NULL, 0 };
	int r;

	*why = "";
	if (m->n_certs == 0) {
		*why = "no certificate";
		return ERR_AUTH;
	}
	if ((r = x509_verify_chain(t->anchors, m->certs, m->n_certs, (int64_t)time(NULL), leaf,
	    why)) != OK)
		return r;
	if ((r = authdata_octets(&m->in, &octets)) != OK)
		*why = "what was signed can't be rebuilt";
	else if ((r = verify_auth(*leaf, m->method, m->auth, blob_view(&octets))) != OK)
		*why = r == ERR_UNSUPPORTED ? "signature algorithm not accepted" :
		    "AUTH signature does not verify";
	else if ((r = x509_identities(*leaf, id->identities, MSG_IDENTITIES_MAX,
	    &id->n_identities)) != OK)
		*why = "no identity in the certificate";
	else if ((r = identity_fits(*leaf, id->identities, id->n_identities, m->in.id_type,
	    m->in.id_data, identity)) != OK)
		*why = "the ID payload is not in the certificate";
	wipe(octets.p, octets.n);
	blob_free(&octets);
	return r;
}

static int
on_verify(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct trust *t = arg;
	struct msg_verified answer = { .rc = OK };
	struct msg_identity id;
	struct wr w = wr_grow(SEQ_MAX);
	struct x509 *leaf = NULL;
	struct msg_verify m;
	const char *why;
	int r;

	(void)fd;
	if ((r = rd_verify(body, &m)) != OK) {
		wr_free(&w);
		return r;
	}
	id.n_identities = 0;
	r = verify(t, &m, &leaf, &id, answer.identity, &why);
	if (r == OK) {
		id.ref = m.ref;
		id.peer = m.peer;
		id.not_after = answer.not_after = x509_not_after(leaf);
		tell_authz(t, &id);
	} else {
		(void)snprintf(answer.reason, sizeof answer.reason, "%s",
		    why != NULL && *why != '\0' ? why : err_str(r));
	}
	answer.job = m.job;
	answer.rc = r;
	wr_verified(&w, &answer);
	(void)chan_send_wr(c, MSG_VERIFIED, &w);
	x509_free(leaf);
	return OK;
}

/* ------------------------------------------------------------------ life */

static int
prepare(void *arg, struct child *child, char why[static CHILD_WHY_MAX])
{
	struct trust *t = arg;
	const struct config *c = child_config(child);
	const char *reason = "";

	t->child = child;
	if (crypto_init() != OK) {
		(void)snprintf(why, CHILD_WHY_MAX, "cryptographic library missing");
		return ERR_CRYPTO;
	}
	if (x509_store_load(&t->anchors, c->device_ca, &reason) != OK)
		return child_blame(child, why, "node", "device-ca",
		    "device-ca '%s' can't be used (%s): run overlock check", c->device_ca, reason);
	return OK;
}

static void
finish(void *arg)
{
	struct trust *t = arg;
	size_t i;

	for (i = 0; i < RECENT_MAX; i++)
		blob_free(&t->recent[i].body);
	x509_store_free(t->anchors);
	crypto_cleanup();
}

static const struct chan_rule engine_rules[] = {
	{ MSG_VERIFY, PHASE_RUN, 32, SEQ_MAX, false, on_verify },
};

static const struct child_peer peers[] = {
	{ PROC_ENGINE, "engine", engine_rules, 1, NULL },
	{ PROC_AUTHZ, "authz", NULL, 0, authz_connected },
};

int
trust_main(void)
{
	static const struct child_setup setup = {
		.name = "trust", .profile = SANDBOX_TRUST, .chroot = true,
		.peers = peers, .n_peers = 2, .prepare = prepare, .finish = finish,
	};
	struct trust *t = calloc(1, sizeof *t);
	int status;

	if (t == NULL)
		return 1;
	status = child_main(&setup, t);
	free(t);
	return status;
}
