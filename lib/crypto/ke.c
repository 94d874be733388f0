/* SPDX-License-Identifier: ISC */
/*
 * Ephemeral keys live for one exchange, so the elliptic and modular groups use OpenSSL's point and
 * number functions directly: making provider keys of them would cost as much again.
 */
#include <stdlib.h>

#include "crypto/ke_int.h"

#define KE_PUBLIC_MAX 256
#define X25519_LEN    32
#define MODP_EXP_BITS 256            /* above twice the strength of the group, RFC 3526 section 8 */

struct ke {
	uint16_t group;
	size_t n_public;
	uint8_t public[KE_PUBLIC_MAX];
	EVP_PKEY *x25519;
	BIGNUM *exp;                 /* ECP, MODP */
};

static const struct curve *
curve_of(uint16_t group)
{
	switch (group) {
	case KE_ECP256:
		return &algs.curve[CURVE_P256];
	case KE_ECP384:
		return &algs.curve[CURVE_P384];
	default:
		return NULL;
	}
}

size_t
ke_public_len(uint16_t group)
{
	switch (group) {
	case KE_MODP2048:
		return 256;
	case KE_ECP256:
		return 64;
	case KE_ECP384:
		return 96;
	case KE_CURVE25519:
		return X25519_LEN;
	default:
		return 0;
	}
}

static int
expand_seed(uint16_t group, struct bytes seed, uint8_t *out, size_t n)
{
	uint8_t label[2] = { (uint8_t)(group >> 8), (uint8_t)group };
	struct bytes parts[2] = { bytes_str("key exchange from seed"), bytes_of(label, 2) };

	return prf_plus(PRF_HMAC_SHA2_256, seed, parts, 2, out, n);
}

/* Uniform in 1 .. order - 1. */
static bool
draw_scalar(BIGNUM *k, const BIGNUM *order)
{
	do {
		if (BN_priv_rand_range(k, order) != 1)
			return false;
	} while (BN_is_zero(k));
	return true;
}

/* Uniform in 1 .. order - 1. */
static bool
reduce_scalar(BIGNUM *k, const BIGNUM *order, BN_CTX *ctx)
{
	BIGNUM *range;
	bool ok;

	BN_CTX_start(ctx);
	range = BN_CTX_get(ctx);
	ok = range != NULL && BN_copy(range, order) != NULL && BN_sub_word(range, 1) == 1 &&
	    BN_nnmod(k, k, range, ctx) == 1 && BN_add_word(k, 1) == 1;
	BN_CTX_end(ctx);
	return ok;
}

static EVP_PKEY *
x25519_private(struct bytes raw)
{
	EVP_PKEY *key = NULL;
	uint8_t copy[X25519_LEN];
	OSSL_PARAM params[2];

	if (raw.n != sizeof(copy))
		return NULL;
	memcpy(copy, raw.p, sizeof(copy));
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, copy, sizeof(copy));
	params[1] = OSSL_PARAM_construct_end();
	if (EVP_PKEY_fromdata(algs.x25519_import, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	wipe(copy, sizeof(copy));
	return key;
}

/* ---- the private value, in one of three ways ---- */

static bool
private_random(struct ke *ke)
{
	const struct curve *curve = curve_of(ke->group);

	if (ke->group == KE_CURVE25519)
		return EVP_PKEY_keygen(algs.x25519_gen, &ke->x25519) == 1;
	if (curve != NULL)
		return draw_scalar(ke->exp, EC_GROUP_get0_order(curve->group));
	return BN_priv_rand(ke->exp, MODP_EXP_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1;
}

static bool
private_octets(struct ke *ke, struct bytes raw)
{
	if (ke->group == KE_CURVE25519)
		return (ke->x25519 = x25519_private(raw)) != NULL;
	return BN_bin2bn(raw.p, (int)raw.n, ke->exp) != NULL && !BN_is_zero(ke->exp);
}

static bool
private_seed(struct ke *ke, struct bytes seed, BN_CTX *ctx)
{
	const struct curve *curve = curve_of(ke->group);
	uint8_t raw[KE_PUBLIC_MAX];
	/* ECP: twice as long as the order, which leaves no bias worth naming. */
	size_t n = curve != NULL ? ke->n_public : MODP_EXP_BITS / 8;
	bool ok;

	ok = expand_seed(ke->group, seed, raw, n) == 0 && private_octets(ke, bytes_of(raw, n)) &&
	    (curve == NULL || reduce_scalar(ke->exp, EC_GROUP_get0_order(curve->group), ctx));
	wipe(raw, sizeof(raw));
	return ok;
}

/* ---- the public value ---- */

static bool
public_ecp(struct ke *ke, const struct curve *curve, BN_CTX *ctx)
{
	EC_POINT *point = EC_POINT_new(curve->group);
	uint8_t raw[1 + KE_PUBLIC_MAX];
	bool ok;

	ok = point != NULL && EC_POINT_mul(curve->group, point, ke->exp, NULL, NULL, ctx) == 1 &&
	    EC_POINT_point2oct(curve->group, point, POINT_CONVERSION_UNCOMPRESSED, raw,
	    sizeof(raw), ctx) == 1 + ke->n_public;
	if (ok)
		memcpy(ke->public, raw + 1, ke->n_public);
	EC_POINT_free(point);
	return ok;
}

static bool
public_modp(struct ke *ke, BN_CTX *ctx)
{
	BIGNUM *y, *g;
	bool ok;

	BN_CTX_start(ctx);
	y = BN_CTX_get(ctx);
	g = BN_CTX_get(ctx);
	ok = g != NULL && BN_set_word(g, 2) == 1 &&
	    BN_mod_exp_mont_consttime(y, g, ke->exp, algs.modp2048, ctx, algs.modp2048_mont) == 1 &&
	    BN_bn2binpad(y, ke->public, (int)ke->n_public) == (int)ke->n_public;
	BN_CTX_end(ctx);
	return ok;
}

static bool
public_make(struct ke *ke, BN_CTX *ctx)
{
	const struct curve *curve = curve_of(ke->group);
	size_t n = ke->n_public;

	if (ke->group == KE_CURVE25519)
		return EVP_PKEY_get_raw_public_key(ke->x25519, ke->public, &n) == 1;
	return curve != NULL ? public_ecp(ke, curve, ctx) : public_modp(ke, ctx);
}

static int
ke_make(struct ke **out, uint16_t group, struct bytes private, struct bytes seed)
{
	BN_CTX *ctx = NULL;
	struct ke *ke;
	int r = ERR_CRYPTO;

	*out = NULL;
	if (ke_public_len(group) == 0)
		return ERR_UNSUPPORTED;
	if ((ke = calloc(1, sizeof(*ke))) == NULL)
		return ERR_NOMEM;
	ke->group = group;
	ke->n_public = ke_public_len(group);
	if (group != KE_CURVE25519) {
		if ((ctx = BN_CTX_new()) == NULL || (ke->exp = BN_new()) == NULL)
			goto out;
		BN_set_flags(ke->exp, BN_FLG_CONSTTIME);
	}
	if (!(private.n > 0 ? private_octets(ke, private) :
	    seed.n > 0 ? private_seed(ke, seed, ctx) : private_random(ke)) ||
	    !public_make(ke, ctx))
		goto out;
	*out = ke;
	ke = NULL;
	r = 0;
out:
	if (r != 0)
		errors_drop();
	BN_CTX_free(ctx);
	ke_free(ke);
	return r;
}

int
ke_new(struct ke **out, uint16_t group)
{
	return ke_make(out, group, bytes_of(NULL, 0), bytes_of(NULL, 0));
}

int
ke_from_private(struct ke **out, uint16_t group, struct bytes private)
{
	*out = NULL;
	return private.n == 0 ? ERR_VALUE : ke_make(out, group, private, bytes_of(NULL, 0));
}

int
ke_from_seed(struct ke **out, uint16_t group, struct bytes seed)
{
	*out = NULL;
	if (seed.n < 32 || seed.n > 64)
		return ERR_VALUE;
	return ke_make(out, group, bytes_of(NULL, 0), seed);
}

void
ke_free(struct ke *ke)
{
	if (ke == NULL)
		return;
	EVP_PKEY_free(ke->x25519);
	BN_clear_free(ke->exp);
	wipe(ke, sizeof(*ke));
	free(ke);
}

uint16_t
ke_group(const struct ke *ke)
{
	return ke->group;
}

struct bytes
ke_public(const struct ke *ke)
{
	return bytes_of(ke->public, ke->n_public);
}

/* The x coordinate only, RFC 5903 section 9. */
static int
derive_ecp(const struct ke *ke, const struct curve *curve, struct bytes peer, struct secret *shared,
    BN_CTX *ctx)
{
	EC_POINT *point = EC_POINT_new(curve->group), *product = EC_POINT_new(curve->group);
	uint8_t raw[1 + KE_PUBLIC_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
	BIGNUM *x;
	int r = ERR_CRYPTO;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	if (x == NULL || point == NULL || product == NULL)
		goto out;
	memcpy(raw + 1, peer.p, peer.n);
	/* Also says no to a point off the curve; infinity has no such encoding. */
	if (EC_POINT_oct2point(curve->group, point, raw, 1 + peer.n, ctx) != 1) {
		r = ERR_VALUE;
		goto out;
	}
	if (EC_POINT_mul(curve->group, product, NULL, point, ke->exp, ctx) != 1 ||
	    EC_POINT_get_affine_coordinates(curve->group, product, x, NULL, ctx) != 1 ||
	    BN_bn2binpad(x, shared->p, (int)shared->n) != (int)shared->n)
		goto out;
	r = 0;
out:
	EC_POINT_free(point);
	EC_POINT_clear_free(product);
	BN_CTX_end(ctx);
	return r;
}

/* The prime is safe, so 1 < y < p - 1 is all there is to check: RFC 6989 section 2.1. */
static int
derive_modp(const struct ke *ke, struct bytes peer, struct secret *shared, BN_CTX *ctx)
{
	BIGNUM *y, *z;
	int r = ERR_CRYPTO;

	BN_CTX_start(ctx);
	y = BN_CTX_get(ctx);
	z = BN_CTX_get(ctx);
	if (z == NULL || BN_copy(z, algs.modp2048) == NULL || BN_sub_word(z, 1) != 1 ||
	    BN_bin2bn(peer.p, (int)peer.n, y) == NULL)
		goto out;
	if (BN_cmp(y, BN_value_one()) <= 0 || BN_cmp(y, z) >= 0) {
		r = ERR_VALUE;
		goto out;
	}
	if (BN_mod_exp_mont_consttime(z, y, ke->exp, algs.modp2048, ctx, algs.modp2048_mont) != 1 ||
	    BN_bn2binpad(z, shared->p, (int)shared->n) != (int)shared->n)
		goto out;
	r = 0;
out:
	BN_CTX_end(ctx);
	return r;
}

/* OpenSSL fails on an all-zero result, which is what RFC 8031 section 3.2 asks for. */
static int
derive_x25519(const struct ke *ke, struct bytes peer, struct secret *shared)
{
	EVP_PKEY_CTX *ctx = NULL;
	size_t n = shared->n;
	int r = ERR_CRYPTO;

	if (EVP_PKEY_set1_encoded_public_key(algs.x25519_peer, peer.p, peer.n) != 1 ||
	    (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ke->x25519, NULL)) == NULL ||
	    EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(ctx, algs.x25519_peer, 0) != 1)
		goto out;
	r = EVP_PKEY_derive(ctx, shared->p, &n) == 1 && n == shared->n ? 0 : ERR_VALUE;
out:
	EVP_PKEY_CTX_free(ctx);
	return r;
}

int
ke_derive(const struct ke *ke, struct bytes peer, struct secret *shared)
{
	const struct curve *curve = curve_of(ke->group);
	BN_CTX *ctx = NULL;
	int r;

	if (peer.n != ke->n_public)
		return ERR_VALUE;
	if ((r = secret_new(shared, curve != NULL ? ke->n_public / 2 : ke->n_public)) != 0)
		return r;
	if (ke->group == KE_CURVE25519)
		r = derive_x25519(ke, peer, shared);
	else if ((ctx = BN_CTX_new()) == NULL)
		r = ERR_NOMEM;
	else if (curve != NULL)
		r = derive_ecp(ke, curve, peer, shared, ctx);
	else
		r = derive_modp(ke, peer, shared, ctx);
	if (r != 0) {
		errors_drop();
		secret_free(shared);
	}
	BN_CTX_free(ctx);
	return r;
}
