/* SPDX-License-Identifier: ISC */
/*
 * Path building and validation, RFC 5280 section 6.1. An issuer is one whose name and key
 * identifier fit and whose key verifies; no other ground is there to choose by.
 */
#include "crypto/x509_int.h"

/* What a peer can make us verify by sending many certificates of one name. */
#define SIGNATURES_MAX (2 * CHAIN_MAX)

struct search {
	const struct x509_store *store;
	struct x509 *const *certs;
	size_t n;
	bool used[CHAIN_MAX];
	int budget;
	bool name_seen;              /* an issuer of the right name was there */
};

static bool
verifies(struct search *s, const struct x509 *x, const struct x509 *issuer)
{
	struct sig_alg alg;

	return issuer->key != NULL && s->budget-- > 0 && sig_alg_read(x->sig_alg, &alg) == 0 &&
	    pubkey_verify(issuer->key, &alg, x->signature, x->tbs) == 0;
}

/* RFC 5280 section 4.2.1.1: what authorityKeyIdentifier says of the issuer. */
static bool
key_ids_fit(const struct x509 *x, const struct x509 *issuer)
{
	int i;

	if (x->issuer_key_id.p != NULL && issuer->key_id.p != NULL &&
	    !bytes_equal(x->issuer_key_id, issuer->key_id))
		return false;
	if (x->issuer_serial.p != NULL && !bytes_equal(x->issuer_serial, issuer->serial))
		return false;
	for (i = 0; i < sk_GENERAL_NAME_num(x->issuer_issuer); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(x->issuer_issuer, i);

		if (name->type == GEN_DIRNAME)
			return X509_NAME_cmp(name->d.directoryName, issuer->issuer_name) == 0;
	}
	return true;
}

static bool
self_issued(const struct x509 *x)
{
	return X509_NAME_cmp(x->issuer_name, x->subject_name) == 0;
}

static bool
issued(struct search *s, const struct x509 *x, const struct x509 *issuer)
{
	if (X509_NAME_cmp(x->issuer_name, issuer->subject_name) != 0)
		return false;
	s->name_seen = true;
	return key_ids_fit(x, issuer) && verifies(s, x, issuer);
}

static const struct x509 *
find_issuer(struct search *s, const struct x509 *x, bool *anchor)
{
	size_t i;

	for (i = 0; i < s->store->n; i++)
		if (issued(s, x, s->store->anchor[i])) {
			*anchor = true;
			return s->store->anchor[i];
		}
	*anchor = false;
	for (i = 1; i < s->n; i++)
		if (!s->used[i] && issued(s, x, s->certs[i])) {
			s->used[i] = true;
			return s->certs[i];
		}
	return NULL;
}

static int
build(struct search *s, struct x509_path *path, const char **why)
{
	bool anchor = false;

	path->cert[0] = s->certs[0];
	path->n = 1;
	while (!anchor) {
		const struct x509 *x = path->cert[path->n - 1], *issuer = NULL;

		/* Self-issued is good for a new key, not for one that says it signed itself. */
		if (self_issued(x) && key_ids_fit(x, x)) {
			*why = "a self-signed certificate in the chain is not a trust anchor";
			return ERR_AUTH;
		}
		if (path->n <= CHAIN_MAX)
			issuer = find_issuer(s, x, &anchor);
		if (issuer == NULL) {
			*why = path->n > CHAIN_MAX ? "the chain is too long" : s->name_seen ?
			    "a signature in the chain does not verify or its kind is not accepted" :
			    "the chain does not lead to a trust anchor";
			return ERR_AUTH;
		}
		s->name_seen = false;
		path->cert[path->n++] = issuer;
	}
	return 0;
}

/* RFC 5280 section 6.1.4 (k) to (n), for the issuer at position i. */
static int
check_issuer(const struct x509_path *path, size_t i, const char **why)
{
	const struct x509 *x = path->cert[i];
	int below = 0;
	size_t k;

	*why = "an issuer in the chain is not a CA";
	if (!x->ca)
		return ERR_AUTH;
	*why = "an issuer in the chain may not sign certificates";
	if ((x->usage & USAGE_CERT_SIGN) == 0)
		return ERR_AUTH;
	for (k = 1; k < i; k++)
		if (!self_issued(path->cert[k]))
			below++;
	*why = "the chain is longer than an issuer's path length";
	return x->path_len >= 0 && below > x->path_len ? ERR_AUTH : 0;
}

/* In OpenSSL's form, with what it derives from the extensions. */
static X509 *
with_extensions(const struct x509 *x)
{
	X509 *cert = x509_to_openssl(x);

	if (cert != NULL && X509_check_purpose(cert, -1, 0) != 1) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

/* A host name in the subject's CN is within them too if no subjectAltName holds one: it is no
 * identity to us, but it is what an issuer so constrained must not certify. */
static bool
within(const struct x509 *x, bool leaf, NAME_CONSTRAINTS *nc)
{
	X509 *cert = with_extensions(x);
	bool ok = cert != NULL && NAME_CONSTRAINTS_check(cert, nc) == X509_V_OK;
	bool host = false;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(x->alt_names); i++)
		host = host || sk_GENERAL_NAME_value(x->alt_names, i)->type == GEN_DNS;
	if (ok && leaf && !host)
		ok = NAME_CONSTRAINTS_check_CN(cert, nc) == X509_V_OK;
	X509_free(cert);
	return ok;
}

/* RFC 5280 section 6.1.3 (b), (c): the names below must be within what the issuer may name. */
static int
check_names(const struct x509_path *path, size_t i, const char **why)
{
	NAME_CONSTRAINTS *nc = path->cert[i]->name_constraints;
	size_t k;

	*why = "a name in the chain is outside its issuer's name constraints";
	for (k = 0; k < i && nc != NULL; k++)
		if ((k == 0 || !self_issued(path->cert[k])) && !within(path->cert[k], k == 0, nc))
			return ERR_AUTH;
	return 0;
}

static int
check_times(const struct x509_path *path, int64_t now, const char **why)
{
	size_t i;

	for (i = 0; i < path->n; i++) {
		if (now < path->cert[i]->not_before) {
			*why = i == 0 ? "the certificate is not valid yet" :
			    "an issuer's certificate is not valid yet";
			return ERR_EXPIRED;
		}
		if (now > path->cert[i]->not_after) {
			*why = i == 0 ? "the certificate has expired" :
			    "an issuer's certificate has expired";
			return ERR_EXPIRED;
		}
	}
	return 0;
}

int
x509_path_find(const struct x509_store *store, struct x509 *const *certs, size_t n, int64_t now,
    struct x509_path *path, const char **why)
{
	struct search s = { .store = store, .certs = certs, .n = n, .budget = SIGNATURES_MAX };
	size_t i;
	int r;

	if ((r = build(&s, path, why)) != 0)
		goto out;
	for (i = 0; i < path->n; i++)
		if (path->cert[i]->bad_extension) {
			*why = "a certificate has a malformed or an unknown critical extension";
			r = ERR_AUTH;
			goto out;
		}
	for (i = 1; i < path->n; i++)
		if ((r = check_issuer(path, i, why)) != 0 || (r = check_names(path, i, why)) != 0)
			goto out;
	if ((r = check_times(path, now, why)) != 0)
		goto out;
	*why = "";
out:
	errors_drop();
	return r;
}
