/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>

#include "crypto/algs.h"
#include "crypto/esp_int.h"

struct algs algs;

static const char *const md_names[MD_COUNT] = { "SHA1", "SHA2-256", "SHA2-384", "SHA2-512" };
static const char *const cbc_names[3] = { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" };
static const char *const gcm_names[3] = { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM" };

static const struct {
	int nid;
	const char *name;
} curves[CURVE_COUNT] = {
	{ NID_X9_62_prime256v1, "prime256v1" },
	{ NID_secp384r1, "secp384r1" },
	{ NID_secp521r1, "secp521r1" },
};

void
errors_drop(void)
{
	ERR_clear_error();
}

static int
fetch_hashes(void)
{
	EVP_MAC *hmac;
	int i, r = ERR_CRYPTO;

	if ((algs.md_ctx = EVP_MD_CTX_new()) == NULL ||
	    (hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL)
		return ERR_CRYPTO;
	for (i = 0; i < MD_COUNT; i++) {
		char name[16];
		OSSL_PARAM params[2];

		snprintf(name, sizeof(name), "%s", md_names[i]);
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
		params[1] = OSSL_PARAM_construct_end();
		if ((algs.md[i] = EVP_MD_fetch(NULL, md_names[i], NULL)) == NULL ||
		    (algs.hmac[i] = EVP_MAC_CTX_new(hmac)) == NULL ||
		    EVP_MAC_CTX_set_params(algs.hmac[i], params) != 1)
			goto out;
	}
	r = 0;
out:
	EVP_MAC_free(hmac);
	return r;
}

static int
fetch_ciphers(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		algs.aes_cbc[i] = EVP_CIPHER_fetch(NULL, cbc_names[i], NULL);
		algs.aes_gcm[i] = EVP_CIPHER_fetch(NULL, gcm_names[i], NULL);
		if (algs.aes_cbc[i] == NULL || algs.aes_gcm[i] == NULL)
			return ERR_CRYPTO;
	}
	algs.chacha = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	return algs.chacha != NULL ? 0 : ERR_CRYPTO;
}

/* A key of any value is needed to begin with. */
static int
make_curve_peer(struct curve *c)
{
	uint8_t point[EC_POINT_MAX];
	size_t n = EC_POINT_point2oct(c->group, EC_GROUP_get0_generator(c->group),
	    POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), NULL);

	return n > 0 && (c->peer = EVP_PKEY_dup(c->params)) != NULL &&
	    EVP_PKEY_set1_encoded_public_key(c->peer, point, n) == 1 &&
	    (c->verify = EVP_PKEY_CTX_new_from_pkey(NULL, c->peer, NULL)) != NULL &&
	    EVP_PKEY_verify_init(c->verify) == 1 ? 0 : ERR_CRYPTO;
}

static int
make_curve(struct curve *c, int nid, const char *curve_name)
{
	EVP_PKEY_CTX *ctx = NULL;
	OSSL_PARAM params[2];
	char name[16];
	int r = ERR_CRYPTO;

	snprintf(name, sizeof(name), "%s", curve_name);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	params[1] = OSSL_PARAM_construct_end();
	if ((c->group = EC_GROUP_new_by_curve_name(nid)) == NULL ||
	    (ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &c->params, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		goto out;
	r = make_curve_peer(c);
out:
	EVP_PKEY_CTX_free(ctx);
	return r;
}

static EVP_PKEY_CTX *
make_import(const char *name)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) != 1) {
		EVP_PKEY_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

static int
make_x25519_peer(void)
{
	uint8_t base[32] = { 9 };
	OSSL_PARAM params[2];

	params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, base, sizeof(base));
	params[1] = OSSL_PARAM_construct_end();
	return EVP_PKEY_fromdata(algs.x25519_import, &algs.x25519_peer, EVP_PKEY_PUBLIC_KEY,
	    params) == 1 ? 0 : ERR_CRYPTO;
}

static int
make_groups(void)
{
	BN_CTX *bn_ctx = NULL;
	int i, r = ERR_CRYPTO;

	for (i = 0; i < CURVE_COUNT; i++)
		if ((r = make_curve(&algs.curve[i], curves[i].nid, curves[i].name)) != 0)
			return r;
	r = ERR_CRYPTO;
	if ((algs.x25519_import = make_import("X25519")) == NULL ||
	    (algs.ed25519_import = make_import("ED25519")) == NULL ||
	    (algs.rsa_import = make_import("RSA")) == NULL ||
	    (algs.x25519_gen = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL)) == NULL ||
	    EVP_PKEY_keygen_init(algs.x25519_gen) != 1 || make_x25519_peer() != 0)
		goto out;
	if ((bn_ctx = BN_CTX_new()) == NULL ||
	    (algs.modp2048 = BN_get_rfc3526_prime_2048(NULL)) == NULL ||
	    (algs.modp2048_mont = BN_MONT_CTX_new()) == NULL ||
	    BN_MONT_CTX_set(algs.modp2048_mont, algs.modp2048, bn_ctx) != 1)
		goto out;
	r = 0;
out:
	BN_CTX_free(bn_ctx);
	return r;
}

int
crypto_init(void)
{
	char engine[64];
	int r;

	if (algs.ready)
		return 0;
	if ((r = fetch_hashes()) != 0 || (r = fetch_ciphers()) != 0 || (r = make_groups()) != 0) {
		errors_drop();
		crypto_cleanup();
		return r;
	}
	esp_imb_init(engine, sizeof(engine));
	snprintf(algs.version, sizeof(algs.version), "%s; %s", OpenSSL_version(OPENSSL_VERSION),
	    engine);
	algs.ready = true;
	return 0;
}

void
crypto_cleanup(void)
{
	int i;

	esp_imb_cleanup();
	for (i = 0; i < MD_COUNT; i++) {
		EVP_MD_free(algs.md[i]);
		EVP_MAC_CTX_free(algs.hmac[i]);
	}
	EVP_MD_CTX_free(algs.md_ctx);
	for (i = 0; i < 3; i++) {
		EVP_CIPHER_free(algs.aes_cbc[i]);
		EVP_CIPHER_free(algs.aes_gcm[i]);
	}
	EVP_CIPHER_free(algs.chacha);
	for (i = 0; i < CURVE_COUNT; i++) {
		EC_GROUP_free(algs.curve[i].group);
		EVP_PKEY_free(algs.curve[i].params);
		EVP_PKEY_CTX_free(algs.curve[i].verify);
		EVP_PKEY_free(algs.curve[i].peer);
	}
	EVP_PKEY_CTX_free(algs.x25519_gen);
	EVP_PKEY_CTX_free(algs.x25519_import);
	EVP_PKEY_free(algs.x25519_peer);
	EVP_PKEY_CTX_free(algs.ed25519_import);
	EVP_PKEY_CTX_free(algs.rsa_import);
	BN_free(algs.modp2048);
	BN_MONT_CTX_free(algs.modp2048_mont);
	memset(&algs, 0, sizeof(algs));
}

const char *
crypto_version(void)
{
	return algs.ready ? algs.version : OpenSSL_version(OPENSSL_VERSION);
}

int
crypto_random(uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (n > INT_MAX || RAND_bytes(p, (int)n) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	return 0;
}
