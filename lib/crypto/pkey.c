/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "crypto/pkey_int.h"
#include "crypto/x509_int.h"

/* "scheme:rest", and not a path that happens to hold a colon. */
static bool
is_uri(const char *s)
{
	size_t n = strcspn(s, ":/");

	return n > 1 && s[n] == ':' && access(s, F_OK) != 0;
}

/* The first private key of the store. Nobody is there to be asked for a passphrase. */
static EVP_PKEY *
first_key(const char *uri)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, UI_null(), NULL, NULL, NULL);
	OSSL_STORE_INFO *info;
	EVP_PKEY *key = NULL;

	if (store == NULL)
		return NULL;
	while (key == NULL && OSSL_STORE_eof(store) == 0) {
		if ((info = OSSL_STORE_load(store)) == NULL) {
			if (OSSL_STORE_error(store) != 0)
				break;
			continue;
		}
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	return key;
}

int
pkey_from_evp(struct pkey **out, EVP_PKEY *key)
{
	struct pkey *k;

	*out = NULL;
	if ((k = calloc(1, sizeof(*k))) == NULL) {
		EVP_PKEY_free(key);
		return ERR_NOMEM;
	}
	k->key = key;
	if ((k->type = key_type_of(key)) == 0) {
		pkey_free(k);
		return ERR_UNSUPPORTED;
	}
	if (ec_size(k->type) != 0 &&
	    ((k->ecdsa = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL)) == NULL ||
	    EVP_PKEY_sign_init(k->ecdsa) != 1)) {
		pkey_free(k);
		return ERR_CRYPTO;
	}
	*out = k;
	return 0;
}

int
pkey_load(struct pkey **out, const char *uri, const char **why)
{
	EVP_PKEY *key;
	int r;

	*out = NULL;
	*why = "cannot be opened";
	if (!is_uri(uri) && access(uri, R_OK) != 0)
		return ERR_IO;
	if ((key = first_key(uri)) == NULL) {
		errors_drop();
		*why = "no private key in it, or an encrypted one";
		return ERR_SYNTAX;
	}
	*why = "";
	r = pkey_from_evp(out, key);
	if (r == ERR_UNSUPPORTED)
		*why = "key must be EC P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 8192 bits";
	else if (r != 0)
		*why = "the cryptographic library failed";
	errors_drop();
	return r;
}

void
pkey_free(struct pkey *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_CTX_free(k->ecdsa);
	EVP_PKEY_free(k->key);
	free(k);
}

enum key_type
pkey_type(const struct pkey *k)
{
	return k->type;
}

bool
pkey_matches(const struct pkey *k, const struct x509 *x)
{
	bool same = x->key != NULL && x->key->type == k->type &&
	    pubkey_is(x->key, k->key);

	errors_drop();
	return same;
}
