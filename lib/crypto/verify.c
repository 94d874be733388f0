/* SPDX-License-Identifier: ISC */
#include "crypto/der.h"
#include "crypto/x509_int.h"

#define ECDSA_DER_MAX 160

/* RFC 7427 section 3: length, AlgorithmIdentifier, signature. */
static int
verify_digital(const struct pubkey *k, struct bytes data, struct bytes octets)
{
	struct rd r = rd_open(data);
	struct bytes id = rd_take(&r, rd_u8(&r)), sig = rd_rest(&r);
	struct sig_alg alg;
	int rc;

	if (!rd_ok(&r))
		return ERR_AUTH;
	if ((rc = sig_alg_read(id, &alg)) != 0)
		return rc == ERR_UNSUPPORTED ? rc : ERR_AUTH;
	return pubkey_verify(k, &alg, sig, octets);
}

/* RFC 4754 section 7: r | s, and curve and hash belong together. */
static int
verify_ecdsa(const struct pubkey *k, enum key_type type, unsigned hash, struct bytes data,
    struct bytes octets)
{
	struct sig_alg alg = { SIG_ECDSA, hash, 0 };
	uint8_t der[ECDSA_DER_MAX], body[ECDSA_DER_MAX];
	struct wr w = wr_fixed(body, sizeof(body)), out = wr_fixed(der, sizeof(der));
	struct rd r = rd_open(data);
	size_t n = ec_size(type);

	if (k->type != type || data.n != 2 * n)
		return ERR_AUTH;
	der_put_unsigned(&w, rd_take(&r, n));
	der_put_unsigned(&w, rd_take(&r, n));
	wr_u8(&out, DER_SEQUENCE);
	if (wr_view(&w).n >= 0x80)
		wr_u8(&out, 0x81);
	wr_u8(&out, (uint8_t)wr_view(&w).n);
	wr_put(&out, wr_view(&w));
	return pubkey_verify(k, &alg, wr_view(&out), octets);
}

/* RFC 7296 section 2.15: SHA-1 is the default; some peers use the hash of their certificate. */
static int
verify_rsa(const struct pubkey *k, struct bytes data, struct bytes octets)
{
	static const unsigned hashes[] = { HASH_SHA1, HASH_SHA2_256, HASH_SHA2_384, HASH_SHA2_512 };
	struct sig_alg alg = { SIG_RSA_PKCS1, 0, 0 };
	size_t i;
	int r = ERR_AUTH;

	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]) && r == ERR_AUTH; i++) {
		alg.hash = hashes[i];
		r = pubkey_verify(k, &alg, data, octets);
	}
	return r;
}

int
verify_auth(const struct x509 *x, uint8_t method, struct bytes data, struct bytes octets)
{
	const struct pubkey *k = x->key;

	if (k == NULL)
		return ERR_UNSUPPORTED;
	switch (method) {
	case AUTH_DIGITAL_SIGNATURE:
		return verify_digital(k, data, octets);
	case AUTH_RSA:
		return verify_rsa(k, data, octets);
	case AUTH_ECDSA_256:
		return verify_ecdsa(k, KEY_EC_P256, HASH_SHA2_256, data, octets);
	case AUTH_ECDSA_384:
		return verify_ecdsa(k, KEY_EC_P384, HASH_SHA2_384, data, octets);
	case AUTH_ECDSA_521:
		return verify_ecdsa(k, KEY_EC_P521, HASH_SHA2_512, data, octets);
	default:
		return ERR_UNSUPPORTED;
	}
}
