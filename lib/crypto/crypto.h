/* SPDX-License-Identifier: ISC */
/*
 * The cryptographic primitives of IKEv2, behind names of our own: nothing outside lib/crypto
 * includes OpenSSL. Algorithms are fetched once, by crypto_init(), and looked up by IANA number.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/bytes.h"
#include "base/err.h"

/* Fetch all algorithms. Call once at start, before any sandbox. Idempotent. 0 or ERR_CRYPTO. */
int crypto_init(void);
void crypto_cleanup(void);
/* "OpenSSL 3.0.17 ...; libipsec_mb 1.3": for overlock check and the log. */
const char *crypto_version(void);
/* Fill with random octets from the system. 0 or ERR_CRYPTO. */
int crypto_random(uint8_t *, size_t);

/* Transform numbers (IANA). */
enum {
	ENCR_AES_CBC = 12,
	ENCR_AES_GCM_16 = 20,
	ENCR_NULL_AES_GMAC = 21,
	ENCR_CHACHA20_POLY1305 = 28,
};
enum { PRF_HMAC_SHA2_256 = 5, PRF_HMAC_SHA2_384 = 6, PRF_HMAC_SHA2_512 = 7, PRF_HMAC_SHA1 = 2 };
enum {
	INTEG_NONE = 0,
	INTEG_HMAC_SHA2_256_128 = 12,
	INTEG_HMAC_SHA2_384_192 = 13,
	INTEG_HMAC_SHA2_512_256 = 14,
};
enum { KE_NONE = 0, KE_MODP2048 = 14, KE_ECP256 = 19, KE_ECP384 = 20, KE_CURVE25519 = 31 };

/* ---- PRF, RFC 7296 section 2.13 ---- */
/* Output octets of a PRF (also its preferred key length); 0 if we do not have it. */
size_t prf_len(uint16_t prf);
/* prf(key, parts[0] | parts[1] | ...) into out[prf_len()]. */
int prf_compute(uint16_t prf, struct bytes key, const struct bytes *parts, size_t n_parts,
    uint8_t *out);
/* prf+(key, seed parts) of n octets (at most 255 * prf_len). */
int prf_plus(uint16_t prf, struct bytes key, const struct bytes *parts, size_t n_parts,
    uint8_t *out, size_t n);

/* ---- hashes ---- */
#define SHA1_LEN 20
#define SHA256_LEN 32
/* For NAT detection and key identifiers. */
int crypto_sha1(const struct bytes *parts, size_t n, uint8_t out[static SHA1_LEN]);
int crypto_sha256(const struct bytes *parts, size_t n, uint8_t out[static SHA256_LEN]);

/* ---- protection of the Encrypted payload, RFC 7296 section 3.14 and RFC 5282 ---- */
struct ike_cipher_info {
	size_t key;        /* cipher key octets for key_bits, without salt */
	size_t salt;       /* implicit salt octets taken from KEYMAT after the key (AEAD) */
	size_t iv;         /* explicit IV octets in the payload */
	size_t block;      /* padding granularity */
	size_t icv;        /* AEAD: tag; else: the integrity transform's */
	size_t integ_key;  /* 0 with AEAD */
	bool aead;
};
/* ERR_UNSUPPORTED for what we do not have, or key_bits that the cipher does not take. */
int ike_cipher_info(uint16_t encr, uint16_t key_bits, uint16_t integ, struct ike_cipher_info *);

struct ike_cipher;     /* one direction, keys scheduled once */
int ike_cipher_new(struct ike_cipher **, uint16_t encr, uint16_t key_bits, uint16_t integ,
    struct bytes encr_key_and_salt, struct bytes integ_key);
void ike_cipher_free(struct ike_cipher *);        /* wipes; NULL is fine */
/*
 * Encrypt `plain` (already padded) in place and produce the ICV. `aad` is the message from the IKE
 * header through the SK generic header (AEAD). For CBC the caller computes the ICV afterwards with
 * ike_cipher_icv() over everything before it; icv is then not touched here.
 */
int ike_cipher_seal(struct ike_cipher *, struct bytes aad, struct bytes iv, uint8_t *plain,
    size_t n, uint8_t *icv);
/* Verify (AEAD) and decrypt in place. ERR_AUTH when the tag is wrong: then the octets are zeroed;
 * ERR_VALUE for lengths that do not fit. */
int ike_cipher_open(struct ike_cipher *, struct bytes aad, struct bytes iv, uint8_t *cipher,
    size_t n, struct bytes icv);
/* Non-AEAD integrity: ICV over `whole` (message up to the ICV) into icv[info.icv]. */
int ike_cipher_icv(struct ike_cipher *, struct bytes whole, uint8_t *icv);

/* ---- key exchange ---- */
struct ke;             /* our half: private and public value */
/* Public value octets on the wire (256, 64, 96, 32); 0 if we do not have the group. */
size_t ke_public_len(uint16_t group);
int ke_new(struct ke **, uint16_t group);
/* From 32..64 octets of seed, for replayable simulations: never used by a daemon. */
int ke_from_seed(struct ke **, uint16_t group, struct bytes seed);
void ke_free(struct ke *);
uint16_t ke_group(const struct ke *);
/* Borrowed, in wire form: RFC 5903 (x | y), RFC 8031, RFC 3526 (padded to the prime). */
struct bytes ke_public(const struct ke *);
/* Shared secret; ERR_VALUE for a bad peer value (RFC 6989: wrong length, not on the curve, 0, 1,
 * p - 1; RFC 8031: all-zero result). */
int ke_derive(const struct ke *, struct bytes peer_public, struct secret *shared);

#endif
