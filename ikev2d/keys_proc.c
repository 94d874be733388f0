/* SPDX-License-Identifier: ISC */
/*
 * The keys process: holds the private key and signs with it. It builds the signed octets itself, as
 * our own identity only, and once per IKE SA and role, so a taken-over engine gets nothing else
 * signed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/sign.h"
#include "ike/authdata.h"
#include "ikev2d/identity.h"
#include "ikev2d/roles.h"
#include "shell/child.h"

/*
 * IKE SAs remembered per generation. Two are kept: an attacker that wants one forgotten has to
 * begin as many others, with SPIs in messages of their own.
 */
#define SEEN_MAX 16384

struct keys {
	struct child *child;
	struct pkey *key;
	uint8_t id_type;
	struct blob id_data;
	uint8_t seed[16];
	struct hash *seen[2];    /* this generation and the one before */
};

/* ------------------------------------------------------------------ once per SA */

static int
seen_before(struct keys *k, const struct ike_ref *ref)
{
	uint8_t key[32];
	struct wr w = wr_fixed(key, sizeof key);
	int r;

	wr_ref(&w, ref);
	if (hash_get(k->seen[0], wr_view(&w)) != NULL || hash_get(k->seen[1], wr_view(&w)) != NULL)
		return ERR_STATE;
	if (hash_count(k->seen[0]) >= SEEN_MAX) {
		hash_free(k->seen[1]);
		k->seen[1] = k->seen[0];
		if ((k->seen[0] = hash_new(k->seed)) == NULL) {
			k->seen[0] = k->seen[1];
			k->seen[1] = NULL;
			return ERR_NOMEM;
		}
	}
	r = hash_add(k->seen[0], wr_view(&w), k);
	return r == ERR_EXISTS ? ERR_STATE : r;
}

/* ------------------------------------------------------------------ requests */

/* The message to be signed is one of the SA that is named, and the ID is ours. */
static int
judge(const struct keys *k, const struct msg_sign *m, const char **why)
{
	struct rd r = rd_open(m->in.message);
	uint64_t spi_i = rd_u64(&r), spi_r = rd_u64(&r);

	if (m->in.id_type != k->id_type || !bytes_equal(m->in.id_data, blob_view(&k->id_data))) {
		*why = "not our identity";
		return ERR_DENIED;
	}
	if (!rd_ok(&r) || spi_i != m->ref.spi_i || (!m->ref.initiator && spi_r != m->ref.spi_r)) {
		*why = "the message is not of this IKE SA";
		return ERR_DENIED;
	}
	return OK;
}

static int
on_sign(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct keys *k = arg;
	struct blob octets = { NULL, 0 }, auth = { NULL, 0 };
	struct msg_signed answer = { .rc = OK };
	const char *why = "";
	struct wr w = wr_grow(SEQ_MAX);
	struct msg_sign m;
	int r;

	(void)fd;
	if ((r = rd_sign(body, &m)) != OK) {
		wr_free(&w);
		return r;
	}
	if ((r = judge(k, &m, &why)) == OK && (r = seen_before(k, &m.ref)) != OK)
		why = "signed once already for this IKE SA";
	if (r == OK && (r = authdata_octets(&m.in, &octets)) == OK)
		r = sign_auth(k->key, m.peer_hashes, blob_view(&octets), &answer.method, &auth);
	if (r != OK) {
		log_warn("refused to sign: %s", *why != '\0' ? why : err_str(r));
		(void)snprintf(answer.reason, sizeof answer.reason, "%s", *why != '\0' ? why : err_str(r));
	}
	answer.job = m.job;
	answer.rc = r;
	answer.auth = blob_view(&auth);
	wr_signed(&w, &answer);
	(void)chan_send_wr(c, MSG_SIGNED, &w);
	wipe(octets.p, octets.n);
	blob_free(&octets);
	blob_free(&auth);
	return OK;
}

/* ------------------------------------------------------------------ life */

static int
prepare(void *arg, struct child *child, char why[static CHILD_WHY_MAX])
{
	struct keys *k = arg;
	const struct config *c = child_config(child);
	struct x509 *chain[CHAIN_MAX];
	const char *reason = "";
	size_t n = 0, i;
	int r;

	k->child = child;
	if (crypto_init() != OK || crypto_random(k->seed, sizeof k->seed) != OK ||
	    (k->seen[0] = hash_new(k->seed)) == NULL || (k->seen[1] = hash_new(k->seed)) == NULL) {
		(void)snprintf(why, CHILD_WHY_MAX, "cryptographic library or memory missing");
		return ERR_CRYPTO;
	}
	if ((r = x509_load_chain(c->certificate, chain, &n)) != OK)
		return child_blame(child, why, "node", "certificate",
		    "certificate '%s' can't be used (%s): run overlock check", c->certificate,
		    err_str(r));
	if (pkey_load(&k->key, c->private_key, &reason) != OK)
		r = child_blame(child, why, "node", "private-key",
		    "private key '%s' can't be read (%s): run overlock check", c->private_key, reason);
	else if (!pkey_matches(k->key, chain[0]))
		r = child_blame(child, why, "node", "private-key",
		    "private key '%s' does not match the certificate: run overlock check",
		    c->private_key);
	else
		r = identity_of(chain[0], &k->id_type, &k->id_data);
	for (i = 0; i < n; i++)
		x509_free(chain[i]);
	return r;
}

static void
finish(void *arg)
{
	struct keys *k = arg;

	pkey_free(k->key);
	blob_free(&k->id_data);
	hash_free(k->seen[0]);
	hash_free(k->seen[1]);
	crypto_cleanup();
}

static const struct chan_rule engine_rules[] = {
	{ MSG_SIGN, PHASE_RUN, 32, SEQ_MAX, false, on_sign },
};

static const struct child_peer peers[] = {
	{ PROC_ENGINE, "engine", engine_rules, 1, NULL },
};

int
keys_main(void)
{
	static const struct child_setup setup = {
		.name = "keys", .profile = SANDBOX_KEYS, .chroot = true,
		.peers = peers, .n_peers = 1, .prepare = prepare, .finish = finish,
	};
	struct keys k;

	memset(&k, 0, sizeof k);
	return child_main(&setup, &k);
}
