/* SPDX-License-Identifier: ISC */
/* Private keys and signatures of the AUTH payload: RFC 7296 section 2.15, RFC 7427, 4754, 8420. */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "base/bytes.h"
#include "base/err.h"

/* AUTH methods, IANA. */
enum {
	AUTH_RSA = 1,
	AUTH_PSK = 2,
	AUTH_ECDSA_256 = 9,
	AUTH_ECDSA_384 = 10,
	AUTH_ECDSA_521 = 11,
	AUTH_DIGITAL_SIGNATURE = 14,
};
/* Hash algorithms of SIGNATURE_HASH_ALGORITHMS, IANA; as a bit set 1 << number. */
enum { HASH_SHA1 = 1, HASH_SHA2_256 = 2, HASH_SHA2_384 = 3, HASH_SHA2_512 = 4, HASH_IDENTITY = 5 };
#define HASH_BIT(h) (1u << (h))
/* What we announce: SHA2-256, -384, -512, Identity. */
#define HASHES_OURS (HASH_BIT(2) | HASH_BIT(3) | HASH_BIT(4) | HASH_BIT(5))

enum key_type { KEY_RSA = 1, KEY_EC_P256, KEY_EC_P384, KEY_ED25519, KEY_EC_P521 };

struct pkey;           /* private or public key */
struct x509;           /* one certificate, see x509.h */
void pkey_free(struct pkey *);
enum key_type pkey_type(const struct pkey *);

/*
 * Load a private key from a PEM/DER file or any OpenSSL store URI ("file:", "pkcs11:" ...). ERR_IO
 * (a file that cannot be read), ERR_SYNTAX (no key there, an encrypted one, a store that cannot be
 * opened), ERR_UNSUPPORTED (type, or RSA not of 2048 to 8192 bits); *why then is a static text.
 */
int pkey_load(struct pkey **, const char *uri, const char **why);
/* True when the private key belongs to the certificate's public key. */
bool pkey_matches(const struct pkey *, const struct x509 *);

/*
 * Sign `octets` for an AUTH payload. `peer_hashes`: bit set that the peer announced by
 * SIGNATURE_HASH_ALGORITHMS, 0 if it did not. Method 14 is used with the hash of the key's strength
 * (P-384: SHA-384, P-521: SHA-512, else SHA-256) or else the strongest announced; RSA signs with
 * RSASSA-PSS. If the peer announced nothing of SHA-2, the older method of the key type is used
 * (ECDSA 9 to 11, RSA PKCS#1 v1.5 with SHA-1 as RFC 7296 says for method 1). Ed25519 without
 * Identity gives ERR_UNSUPPORTED. Sets the method and the payload's data (for method 14 with the
 * length octet and the AlgorithmIdentifier in front).
 */
int sign_auth(const struct pkey *, uint32_t peer_hashes, struct bytes octets, uint8_t *method,
    struct blob *data);
/*
 * Verify AUTH data under a certificate's public key. ERR_AUTH when the signature is wrong or its
 * algorithm does not fit the key; ERR_UNSUPPORTED for a method or algorithm we do not accept (SHA-1
 * with method 14, RSA not of 2048 to 8192 bits). Method 1 takes SHA-1 and, from peers that use the
 * hash of their certificate, SHA-2.
 */
int verify_auth(const struct x509 *, uint8_t method, struct bytes data, struct bytes octets);

#endif
