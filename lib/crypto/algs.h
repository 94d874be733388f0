/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/crypto only: what crypto_init() fetched. OpenSSL 3 looks an algorithm up by name,
 * with locks, each time it is asked by name or by a static table; so everything is fetched here
 * once, and contexts that can be used again are kept. Not for several threads: a process of ours
 * has one.
 */
#ifndef CRYPTO_ALGS_H
#define CRYPTO_ALGS_H

#include "crypto/openssl.h"
#include "crypto/crypto.h"
#include "crypto/sign.h"

enum { MD_SHA1, MD_SHA256, MD_SHA384, MD_SHA512, MD_COUNT };
enum { CURVE_P256, CURVE_P384, CURVE_P521, CURVE_COUNT };

#define EC_POINT_MAX (1 + 2 * 66)        /* octets, uncompressed, P-521 */

struct curve {
	EC_GROUP *group;
	EVP_PKEY *params;            /* the group without a key: dup'ed for keys that stay */
	EVP_PKEY *peer;              /* takes each peer's public key in turn, */
	EVP_PKEY_CTX *verify;        /* with which this verifies; */
	uint64_t peer_id;            /* whose it is now, see struct pubkey */
};

struct algs {
	bool ready;
	char version[160];
	EVP_MD *md[MD_COUNT];
	EVP_MD_CTX *md_ctx;          /* scratch */
	EVP_MAC_CTX *hmac[MD_COUNT]; /* the digest is set; scratch for the PRF, copied for ICVs */
	EVP_CIPHER *aes_cbc[3], *aes_gcm[3];   /* 128, 192, 256 */
	EVP_CIPHER *chacha;
	struct curve curve[CURVE_COUNT];
	EVP_PKEY_CTX *x25519_gen;    /* key generation, again and again */
	EVP_PKEY_CTX *x25519_import; /* octets to key, likewise */
	EVP_PKEY *x25519_peer;       /* takes each peer's public value in turn */
	uint64_t last_key_id;
	EVP_PKEY_CTX *ed25519_import;
	EVP_PKEY_CTX *rsa_import;
	BIGNUM *modp2048;            /* RFC 3526 group 14 */
	BN_MONT_CTX *modp2048_mont;
	struct IMB_MGR *imb;         /* NULL without libipsec_mb or a processor for it */
};

extern struct algs algs;

/* Index into algs.md for a hash of SIGNATURE_HASH_ALGORITHMS or a PRF; -1 if we do not have it. */
int md_of_hash(unsigned hash);
int md_of_prf(uint16_t prf);
int md_of_integ(uint16_t integ);
size_t md_len(int md);
/* Digest of the parts into out[md_len()]. */
int md_compute(int md, const struct bytes *parts, size_t n_parts, uint8_t *out);

/* The digest of a key's strength: for what we sign besides AUTH payloads. NULL for Ed25519. */
const EVP_MD *md_for_key(enum key_type);

/* The cipher for an IANA number and key length in bits; NULL if we do not have it. */
EVP_CIPHER *cipher_find(uint16_t encr, uint16_t key_bits);

/* A context with its key scheduled, without padding. false: the library failed. */
bool cipher_schedule(EVP_CIPHER_CTX **, EVP_CIPHER *, const uint8_t *key, bool encrypt);

/* Empties OpenSSL's error queue, so that a failure never shows up in somebody else's. */
void errors_drop(void);

#endif
