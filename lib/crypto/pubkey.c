/* SPDX-License-Identifier: ISC */
/*
 * Public keys are built from their octets here: OpenSSL's own way, a search through all decoders of
 * all providers for each key, takes longer than verifying a signature.
 */
#include <stdlib.h>

#include "crypto/der.h"
#include "crypto/sigalg.h"

static const uint8_t oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };
static const uint8_t oid_ed25519[] = { 0x2b, 0x65, 0x70 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t oid_p521[] = { 0x2b, 0x81, 0x04, 0x00, 0x23 };

#define IS(b, oid) bytes_equal(b, bytes_of(oid, sizeof(oid)))

size_t
ec_size(enum key_type type)
{
	switch (type) {
	case KEY_EC_P256:
		return 32;
	case KEY_EC_P384:
		return 48;
	case KEY_EC_P521:
		return 66;
	default:
		return 0;
	}
}

int
ec_curve(enum key_type type)
{
	switch (type) {
	case KEY_EC_P256:
		return CURVE_P256;
	case KEY_EC_P384:
		return CURVE_P384;
	case KEY_EC_P521:
		return CURVE_P521;
	default:
		return -1;
	}
}

enum key_type
key_type_of(const EVP_PKEY *key)
{
	char group[32];
	int bits, nid;

	if (EVP_PKEY_is_a(key, "ED25519"))
		return KEY_ED25519;
	if (EVP_PKEY_is_a(key, "RSA")) {
		bits = EVP_PKEY_get_bits(key);
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? KEY_RSA : 0;
	}
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return 0;
	/* Providers of hardware keys may say P-256 where OpenSSL's own says prime256v1. */
	if ((nid = EC_curve_nist2nid(group)) == NID_undef)
		nid = OBJ_sn2nid(group);
	switch (nid) {
	case NID_X9_62_prime256v1:
		return KEY_EC_P256;
	case NID_secp384r1:
		return KEY_EC_P384;
	case NID_secp521r1:
		return KEY_EC_P521;
	default:
		return 0;
	}
}

/* Puts the key into its curve's EVP_PKEY, if another one is there. */
static bool
load_ec(const struct pubkey *k)
{
	struct curve *c = &algs.curve[ec_curve(k->type)];

	if (c->peer_id == k->id)
		return true;
	c->peer_id = 0;
	if (EVP_PKEY_set1_encoded_public_key(c->peer, k->point, k->n_point) != 1)
		return false;
	c->peer_id = k->id;
	return true;
}

static int
read_ec(struct pubkey *k, struct rd *alg, struct bytes bits)
{
	struct bytes curve = der_take(alg, DER_OID);
	struct rd point = rd_open(bits);

	if (!rd_end(alg))
		return ERR_UNSUPPORTED;
	if (IS(curve, oid_p256))
		k->type = KEY_EC_P256;
	else if (IS(curve, oid_p384))
		k->type = KEY_EC_P384;
	else if (IS(curve, oid_p521))
		k->type = KEY_EC_P521;
	else
		return ERR_UNSUPPORTED;
	/* RFC 5480 section 2.2: uncompressed is what everybody has to take. */
	if (rd_u8(&point) != POINT_CONVERSION_UNCOMPRESSED)
		return ERR_UNSUPPORTED;
	if (rd_left(&point) != 2 * ec_size(k->type))
		return ERR_SYNTAX;
	memcpy(k->point, bits.p, bits.n);
	k->n_point = bits.n;
	k->id = ++algs.last_key_id;
	return load_ec(k) ? 0 : ERR_SYNTAX;
}

int
pubkey_keep(struct pubkey *k)
{
	int r = ERR_CRYPTO;

	if (ec_size(k->type) == 0 || k->key != NULL)
		return 0;
	if ((k->key = EVP_PKEY_dup(algs.curve[ec_curve(k->type)].params)) == NULL ||
	    EVP_PKEY_set1_encoded_public_key(k->key, k->point, k->n_point) != 1 ||
	    (k->ecdsa = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL)) == NULL ||
	    EVP_PKEY_verify_init(k->ecdsa) != 1)
		goto out;
	r = 0;
out:
	errors_drop();
	return r;
}

bool
pubkey_is(const struct pubkey *k, const EVP_PKEY *private)
{
	const EVP_PKEY *key = k->key;

	if (key == NULL && load_ec(k))
		key = algs.curve[ec_curve(k->type)].peer;
	return key != NULL && EVP_PKEY_eq(private, key) == 1;
}

static int
import_rsa(struct pubkey *k, struct bytes n, struct bytes e)
{
	BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	int r = ERR_CRYPTO;

	if (bn == NULL || be == NULL || bld == NULL ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) != 1 ||
	    (params = OSSL_PARAM_BLD_to_param(bld)) == NULL)
		goto out;
	if (EVP_PKEY_fromdata(algs.rsa_import, &k->key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		r = ERR_SYNTAX;
		goto out;
	}
	r = 0;
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn);
	BN_free(be);
	return r;
}

static int
read_rsa(struct pubkey *k, struct rd *alg, struct bytes bits)
{
	struct rd r = rd_open(bits), seq = der_open(&r, DER_SEQUENCE), top;
	struct bytes n = der_unsigned(&seq), e = der_unsigned(&seq);
	size_t n_bits;
	bool weak;

	if (!rd_end(&seq) || !rd_end(&r) || der_take(alg, DER_NULL).n != 0 || !rd_end(alg))
		return ERR_SYNTAX;
	top = rd_open(n);
	n_bits = n.n * 8 - (size_t)(n.n > 0 && (rd_u8(&top) & 0x80) == 0);
	/* With an exponent of 1 every octet string is a signature; even ones are no exponents. */
	weak = e.n == 0 || (e.p[e.n - 1] & 1) == 0 || (e.n == 1 && e.p[0] == 1);
	if (n_bits < RSA_BITS_MIN || n.n * 8 > RSA_BITS_MAX || weak || e.n > 8)
		return ERR_UNSUPPORTED;
	k->type = KEY_RSA;
	return import_rsa(k, n, e);
}

static int
read_ed25519(struct pubkey *k, struct rd *alg, struct bytes bits)
{
	uint8_t copy[32];
	OSSL_PARAM params[2];

	if (!rd_end(alg) || bits.n != sizeof(copy))
		return ERR_SYNTAX;
	memcpy(copy, bits.p, sizeof(copy));
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy));
	params[1] = OSSL_PARAM_construct_end();
	k->type = KEY_ED25519;
	return EVP_PKEY_fromdata(algs.ed25519_import, &k->key, EVP_PKEY_PUBLIC_KEY, params) == 1 ?
	    0 : ERR_CRYPTO;
}

int
pubkey_read(struct pubkey **out, struct bytes spki)
{
	struct rd r = rd_open(spki), seq = der_open(&r, DER_SEQUENCE);
	struct rd alg = der_open(&seq, DER_SEQUENCE);
	struct bytes oid = der_take(&alg, DER_OID), bits = der_bits(&seq);
	struct pubkey *k;
	int rc;

	*out = NULL;
	if (!rd_ok(&alg) || !rd_end(&seq) || !rd_end(&r))
		return ERR_SYNTAX;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ERR_NOMEM;
	if (IS(oid, oid_ec))
		rc = read_ec(k, &alg, bits);
	else if (IS(oid, oid_rsa))
		rc = read_rsa(k, &alg, bits);
	else if (IS(oid, oid_ed25519))
		rc = read_ed25519(k, &alg, bits);
	else
		rc = ERR_UNSUPPORTED;
	if (rc == 0) {
		*out = k;
		k = NULL;
	} else
		errors_drop();
	pubkey_free(k);
	return rc;
}

void
pubkey_free(struct pubkey *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_CTX_free(k->ecdsa);
	EVP_PKEY_free(k->key);
	free(k);
}

static bool
verify_rsa(const struct pubkey *k, const struct sig_alg *a, struct bytes sig, const uint8_t *digest)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL);
	int md = md_of_hash(a->hash);
	bool ok;

	ok = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, a->kind == SIG_RSA_PSS ?
	    RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, algs.md[md]) == 1 &&
	    (a->kind != SIG_RSA_PSS || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)a->salt) == 1) &&
	    EVP_PKEY_verify(ctx, sig.p, sig.n, digest, md_len(md)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
verify_ed25519(const struct pubkey *k, struct bytes sig, struct bytes octets)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	    EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, k->key, NULL) == 1 &&
	    EVP_DigestVerify(ctx, sig.p, sig.n, octets.p, octets.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool
verify_ec(const struct pubkey *k, struct bytes sig, const uint8_t *digest, size_t n)
{
	EVP_PKEY_CTX *ctx = k->ecdsa;

	if (ec_size(k->type) == 0)
		return false;
	if (ctx == NULL && load_ec(k))
		ctx = algs.curve[ec_curve(k->type)].verify;
	return ctx != NULL && EVP_PKEY_verify(ctx, sig.p, sig.n, digest, n) == 1;
}

int
pubkey_verify(const struct pubkey *k, const struct sig_alg *a, struct bytes sig,
    struct bytes octets)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	int md = md_of_hash(a->hash), r;
	bool ok = false;

	if (a->kind == SIG_ED25519) {
		ok = k->type == KEY_ED25519 && verify_ed25519(k, sig, octets);
		goto out;
	}
	if ((r = md_compute(md, &octets, 1, digest)) != 0)
		return r;
	if (a->kind == SIG_ECDSA)
		ok = verify_ec(k, sig, digest, md_len(md));
	else
		ok = k->type == KEY_RSA && verify_rsa(k, a, sig, digest);
out:
	errors_drop();
	return ok ? 0 : ERR_AUTH;
}
