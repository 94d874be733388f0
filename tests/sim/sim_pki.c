/* SPDX-License-Identifier: ISC */
#include "sim_pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/labpki.h"
#include "crypto/x509.h"
#include "ike/authdata.h"

/* Simulations are independent of the real clock; the certificates are valid at this time. */
#define SIM_TIME  INT64_C(1800000000)
#define VALIDITY  INT64_C(100000000)
#define PATH_SIZE 256

struct sim_signer {
	struct sim_signer *next;
	const struct sim_pki *pki;
	struct pkey *key;
	struct x509 *chain[CHAIN_MAX];
	size_t n;
	struct bytes ders[CHAIN_MAX];
};

struct sim_pki {
	char dir[64];
	struct x509_store *anchors;
	struct blob certreq;
	struct sim_signer *signers;
};

static void
path_of(char out[static PATH_SIZE], const struct sim_pki *p, const char *name, const char *suffix)
{
	(void)snprintf(out, PATH_SIZE, "%s/%s.%s", p->dir, name, suffix);
}

static void
need(int r, const char *what, const char *why)
{
	if (r == OK)
		return;
	(void)fprintf(stderr, "%s: %s %s\n", what, err_str(r), why == NULL ? "" : why);
	abort();
}

struct sim_pki *
sim_pki_new(void)
{
	struct sim_pki *p = sim_alloc(sizeof *p);
	struct pki_request rq = {
		.kind = PKI_ROOT, .type = KEY_EC_P256, .cn = "Simulated root",
		.not_before = SIM_TIME - VALIDITY, .not_after = SIM_TIME + VALIDITY,
	};
	char key[PATH_SIZE], crt[PATH_SIZE];
	const char *why = NULL;

	(void)snprintf(p->dir, sizeof p->dir, "%s", "/tmp/overlock-sim-XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		need(ERR_IO, p->dir, NULL);
	path_of(key, p, "root", "key");
	path_of(crt, p, "root", "crt");
	need(pki_issue(&rq, key, crt, &why), "root", why);
	need(x509_store_load(&p->anchors, crt, &why), crt, why);
	need(x509_store_certreq(p->anchors, &p->certreq), crt, NULL);
	return p;
}

const struct sim_signer *
sim_pki_device(struct sim_pki *p, const char *name, enum key_type type)
{
	struct sim_signer *s = sim_alloc(sizeof *s);
	char san[128], key[PATH_SIZE], crt[PATH_SIZE], root_key[PATH_SIZE], root_crt[PATH_SIZE];
	const char *const sans[] = { san, NULL };
	struct pki_request rq = {
		.kind = PKI_DEVICE,
		.type = type,
		.cn = name,
		.sans = sans,
		.not_before = SIM_TIME - VALIDITY,
		.not_after = SIM_TIME + VALIDITY,
		.issuer_cert = root_crt,
		.issuer_key = root_key,
	};
	const char *why = NULL;
	size_t i;

	(void)snprintf(san, sizeof san, "dns:%s", name);
	path_of(root_key, p, "root", "key");
	path_of(root_crt, p, "root", "crt");
	path_of(key, p, name, "key");
	path_of(crt, p, name, "crt");
	need(pki_issue(&rq, key, crt, &why), name, why);
	need(pkey_load(&s->key, key, &why), key, why);
	need(x509_load_chain(crt, s->chain, &s->n), crt, NULL);
	for (i = 0; i < s->n; i++)
		s->ders[i] = x509_der(s->chain[i]);
	(void)unlink(key);
	(void)unlink(crt);
	s->pki = p;
	s->next = p->signers;
	p->signers = s;
	return s;
}

void
sim_pki_free(struct sim_pki *p)
{
	struct sim_signer *s;
	char path[PATH_SIZE];
	size_t i;

	while ((s = p->signers) != NULL) {
		p->signers = s->next;
		pkey_free(s->key);
		for (i = 0; i < s->n; i++)
			x509_free(s->chain[i]);
		free(s);
	}
	path_of(path, p, "root", "key");
	(void)unlink(path);
	path_of(path, p, "root", "crt");
	(void)unlink(path);
	(void)rmdir(p->dir);
	x509_store_free(p->anchors);
	blob_free(&p->certreq);
	free(p);
}

void
sim_pki_use(struct sim_node *n, const struct sim_signer *s)
{
	n->signer = s;
	n->cfg.certs = s->ders;
	n->cfg.n_certs = s->n;
	n->cfg.certreq = blob_view(&s->pki->certreq);
}

int
sim_pki_sign(const struct sim_signer *s, const struct ike_auth_input *in, uint32_t peer_hashes,
    uint8_t *method, struct blob *out)
{
	struct blob octets = { 0 };
	int r;

	if ((r = authdata_octets(in, &octets)) == OK)
		r = sign_auth(s->key, peer_hashes, blob_view(&octets), method, out);
	blob_free(&octets);
	return r;
}

static int
find_identity(const struct x509 *leaf, char identity[static 300])
{
	char ids[4][X509_IDENTITY_MAX];
	size_t n = 0, i;

	if (x509_identities(leaf, ids, 4, &n) != OK)
		return ERR_AUTH;
	for (i = 0; i < n; i++)
		if (strncmp(ids[i], "dns:", 4) == 0) {
			memcpy(identity, ids[i], sizeof ids[i]);
			return OK;
		}
	return ERR_AUTH;
}

int
sim_pki_verify(const struct sim_signer *s, const struct ike_action *a, char identity[static 300])
{
	struct blob octets = { 0 };
	struct x509 *leaf = NULL;
	const char *why = NULL;
	int r;

	if ((r = authdata_octets(&a->u.verify.in, &octets)) != OK ||
	    (r = x509_verify_chain(s->pki->anchors, a->u.verify.certs, a->u.verify.n_certs,
		 SIM_TIME, &leaf, &why)) != OK ||
	    (r = verify_auth(leaf, a->u.verify.method, a->u.verify.auth, blob_view(&octets))) != OK)
		goto out;
	r = find_identity(leaf, identity);
out:
	blob_free(&octets);
	x509_free(leaf);
	return r;
}
