/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto only: a private key. */
#ifndef CRYPTO_PKEY_INT_H
#define CRYPTO_PKEY_INT_H

#include "crypto/sigalg.h"

struct pkey {
	enum key_type type;
	EVP_PKEY *key;
	EVP_PKEY_CTX *ecdsa;         /* EC: ready to sign, again and again */
};

/* Takes the key over, also on error. ERR_UNSUPPORTED, ERR_NOMEM, ERR_CRYPTO. */
int pkey_from_evp(struct pkey **, EVP_PKEY *);

#endif
