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

/*
 * The key of a peer's certificate is used once or twice. An EC key is therefore only its point,
 * which is put into the curve's one EVP_PKEY for use; pubkey_keep() gives it one of its own.
 */
struct pubkey {
	enum key_type type;
	EVP_PKEY *key;               /* EC: NULL unless it is kept, */
	EVP_PKEY_CTX *ecdsa;         /* and so is this, ready to verify */
	uint8_t point[EC_POINT_MAX];
	size_t n_point;
	uint64_t id;                 /* never that of another one */
};

/* From a whole SubjectPublicKeyInfo. ERR_SYNTAX, ERR_UNSUPPORTED (type, curve, RSA size). */
int pubkey_read(struct pubkey **, struct bytes spki);
void pubkey_free(struct pubkey *);
/* For a key that verifies often: a trust anchor's. 0 or ERR_CRYPTO. */
int pubkey_keep(struct pubkey *);
/* Is it the public half of this private key? */
bool pubkey_is(const struct pubkey *, const EVP_PKEY *);
/* ERR_AUTH also if algorithm and key do not fit. */
int pubkey_verify(const struct pubkey *, const struct sig_alg *, struct bytes signature,
    struct bytes octets);

/* Key type of a provider's key; 0 if it is none that we take. */
enum key_type key_type_of(const EVP_PKEY *);
/* Octets of r and of s, and curve index, by key type; 0 and -1 if not EC. */
size_t ec_size(enum key_type);
int ec_curve(enum key_type);

#endif
