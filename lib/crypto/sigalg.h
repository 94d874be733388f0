/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/crypto only: signature algorithms as AlgorithmIdentifiers, in certificates and in the
 * AUTH payload, RFC 7427 appendix A, RFC 4055, RFC 8410. SHA-1 is not among them.
 */
#ifndef CRYPTO_SIGALG_H
#define CRYPTO_SIGALG_H

#include "crypto/algs.h"

enum sig_kind { SIG_RSA_PKCS1 = 1, SIG_RSA_PSS, SIG_ECDSA, SIG_ED25519 };

struct sig_alg {
	enum sig_kind kind;
	unsigned hash;               /* HASH_...; HASH_IDENTITY with Ed25519 */
	unsigned salt;               /* PSS: octets */
};

/* From a whole AlgorithmIdentifier. ERR_SYNTAX, ERR_UNSUPPORTED. */
int sig_alg_read(struct bytes, struct sig_alg *);
/* The AlgorithmIdentifier that we send for it, static; empty if we never do. */
struct bytes sig_alg_der(const struct sig_alg *);

/* ---- public keys ---- */
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192            /* an upper bound on what a peer's certificate can cost us */

struct pubkey {
	enum key_type type;
	EVP_PKEY *key;
	EVP_PKEY_CTX *ecdsa;         /* EC: ready to verify, again and again */
};

/* From a whole SubjectPublicKeyInfo. ERR_SYNTAX, ERR_UNSUPPORTED (type, curve, RSA size). */
int pubkey_read(struct pubkey **, struct bytes spki);
void pubkey_free(struct pubkey *);
/* ERR_AUTH also if algorithm and key do not fit. */
int pubkey_verify(const struct pubkey *, const struct sig_alg *, struct bytes signature,
    struct bytes octets);

/* Key type of a provider's key; 0 if it is none that we take. */
enum key_type key_type_of(const EVP_PKEY *);
/* Octets of r and of s, and curve index, by key type; 0 and -1 if not EC. */
size_t ec_size(enum key_type);
int ec_curve(enum key_type);

#endif
