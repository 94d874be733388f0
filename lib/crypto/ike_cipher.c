/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdlib.h>

#include "crypto/algs.h"

#define NONCE_LEN 12
#define SALT_LEN  4
#define TAG_LEN   16
#define AES_BLOCK 16

struct ike_cipher {
	struct ike_cipher_info info;
	EVP_CIPHER_CTX *enc;         /* AEAD: both directions, the key schedule is the same */
	EVP_CIPHER_CTX *dec;         /* CBC only */
	EVP_MAC_CTX *mac;            /* CBC only */
	uint8_t salt[SALT_LEN];
};

int
md_of_integ(uint16_t integ)
{
	switch (integ) {
	case INTEG_HMAC_SHA2_256_128:
		return MD_SHA256;
	case INTEG_HMAC_SHA2_384_192:
		return MD_SHA384;
	case INTEG_HMAC_SHA2_512_256:
		return MD_SHA512;
	default:
		return -1;
	}
}

EVP_CIPHER *
cipher_find(uint16_t encr, uint16_t key_bits)
{
	bool aes = key_bits == 128 || key_bits == 192 || key_bits == 256;

	switch (encr) {
	case ENCR_AES_CBC:
		return aes ? algs.aes_cbc[key_bits / 64 - 2] : NULL;
	case ENCR_AES_GCM_16:
	case ENCR_NULL_AES_GMAC:
		return aes ? algs.aes_gcm[key_bits / 64 - 2] : NULL;
	case ENCR_CHACHA20_POLY1305:
		return key_bits == 0 ? algs.chacha : NULL;
	default:
		return NULL;
	}
}

int
ike_cipher_info(uint16_t encr, uint16_t key_bits, uint16_t integ, struct ike_cipher_info *info)
{
	int md = md_of_integ(integ);

	/* GMAC does not encrypt: RFC 7296 section 3.14 has no use for it. */
	if (cipher_find(encr, key_bits) == NULL || encr == ENCR_NULL_AES_GMAC)
		return ERR_UNSUPPORTED;
	memset(info, 0, sizeof(*info));
	info->key = key_bits == 0 ? 32 : key_bits / 8u;
	if (encr == ENCR_AES_CBC) {
		if (md < 0)
			return ERR_UNSUPPORTED;
		info->iv = AES_BLOCK;
		info->block = AES_BLOCK;
		info->integ_key = md_len(md);
		info->icv = md_len(md) / 2;
		return 0;
	}
	if (integ != INTEG_NONE)
		return ERR_UNSUPPORTED;
	info->aead = true;
	info->salt = SALT_LEN;
	info->iv = NONCE_LEN - SALT_LEN;
	info->block = 1;
	info->icv = TAG_LEN;
	return 0;
}

bool
cipher_schedule(EVP_CIPHER_CTX **ctx, EVP_CIPHER *cipher, const uint8_t *key, bool encrypt)
{
	return (*ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    EVP_CipherInit_ex2(*ctx, cipher, key, NULL, encrypt ? 1 : 0, NULL) == 1 &&
	    EVP_CIPHER_CTX_set_padding(*ctx, 0) == 1;
}

int
ike_cipher_new(struct ike_cipher **out, uint16_t encr, uint16_t key_bits, uint16_t integ,
    struct bytes key, struct bytes integ_key)
{
	struct ike_cipher_info info;
	struct ike_cipher *c;
	EVP_CIPHER *cipher = cipher_find(encr, key_bits);
	int r;

	*out = NULL;
	if ((r = ike_cipher_info(encr, key_bits, integ, &info)) != 0)
		return r;
	if (key.n != info.key + info.salt || integ_key.n != info.integ_key)
		return ERR_VALUE;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ERR_NOMEM;
	c->info = info;
	r = ERR_CRYPTO;
	if (!cipher_schedule(&c->enc, cipher, key.p, true))
		goto out;
	if (info.aead)
		memcpy(c->salt, key.p + info.key, sizeof(c->salt));
	else if (!cipher_schedule(&c->dec, cipher, key.p, false) ||
	    (c->mac = EVP_MAC_CTX_dup(algs.hmac[md_of_integ(integ)])) == NULL ||
	    EVP_MAC_init(c->mac, integ_key.p, integ_key.n, NULL) != 1)
		goto out;
	*out = c;
	c = NULL;
	r = 0;
out:
	if (r != 0)
		errors_drop();
	ike_cipher_free(c);
	return r;
}

void
ike_cipher_free(struct ike_cipher *c)
{
	if (c == NULL)
		return;
	EVP_CIPHER_CTX_free(c->enc);
	EVP_CIPHER_CTX_free(c->dec);
	EVP_MAC_CTX_free(c->mac);
	wipe(c, sizeof(*c));
	free(c);
}

/* Sets the IV or nonce, keeps the key. */
static bool
start(struct ike_cipher *c, EVP_CIPHER_CTX *ctx, struct bytes iv, int enc)
{
	uint8_t nonce[NONCE_LEN];

	if (!c->info.aead)
		return EVP_CipherInit_ex2(ctx, NULL, NULL, iv.p, enc, NULL) == 1;
	memcpy(nonce, c->salt, SALT_LEN);
	memcpy(nonce + SALT_LEN, iv.p, NONCE_LEN - SALT_LEN);
	return EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, enc, NULL) == 1;
}

static int
check_lengths(const struct ike_cipher *c, struct bytes aad, struct bytes iv, size_t n)
{
	if (iv.n != c->info.iv || n % c->info.block != 0 || n > INT_MAX || aad.n > INT_MAX)
		return ERR_VALUE;
	return 0;
}

int
ike_cipher_seal(struct ike_cipher *c, struct bytes aad, struct bytes iv, uint8_t *plain, size_t n,
    uint8_t *icv)
{
	int r, len;

	if ((r = check_lengths(c, aad, iv, n)) != 0)
		return r;
	if (!start(c, c->enc, iv, 1) ||
	    (c->info.aead && EVP_EncryptUpdate(c->enc, NULL, &len, aad.p, (int)aad.n) != 1) ||
	    EVP_EncryptUpdate(c->enc, plain, &len, plain, (int)n) != 1 ||
	    EVP_EncryptFinal_ex(c->enc, plain + n, &len) != 1 ||
	    (c->info.aead &&
	    EVP_CIPHER_CTX_ctrl(c->enc, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, icv) != 1)) {
		errors_drop();
		return ERR_CRYPTO;
	}
	return 0;
}

static int
open_cbc(struct ike_cipher *c, struct bytes iv, uint8_t *cipher, size_t n)
{
	int len;

	if (!start(c, c->dec, iv, 0) ||
	    EVP_DecryptUpdate(c->dec, cipher, &len, cipher, (int)n) != 1 ||
	    EVP_DecryptFinal_ex(c->dec, cipher + n, &len) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	return 0;
}

int
ike_cipher_open(struct ike_cipher *c, struct bytes aad, struct bytes iv, uint8_t *cipher, size_t n,
    struct bytes icv)
{
	uint8_t tag[TAG_LEN];
	int r, len;

	if ((r = check_lengths(c, aad, iv, n)) != 0)
		return r;
	if (!c->info.aead)
		return open_cbc(c, iv, cipher, n);
	if (icv.n != TAG_LEN)
		return ERR_VALUE;
	memcpy(tag, icv.p, TAG_LEN);
	if (!start(c, c->enc, iv, 0) ||
	    EVP_CIPHER_CTX_ctrl(c->enc, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1 ||
	    EVP_DecryptUpdate(c->enc, NULL, &len, aad.p, (int)aad.n) != 1 ||
	    EVP_DecryptUpdate(c->enc, cipher, &len, cipher, (int)n) != 1)
		r = ERR_CRYPTO;
	else if (EVP_DecryptFinal_ex(c->enc, cipher + n, &len) != 1)
		r = ERR_AUTH;
	if (r != 0) {
		wipe(cipher, n);
		errors_drop();
	}
	return r;
}

int
ike_cipher_icv(struct ike_cipher *c, struct bytes whole, uint8_t *icv)
{
	uint8_t full[64];
	size_t n;

	if (c->mac == NULL)
		return ERR_UNSUPPORTED;
	if (EVP_MAC_init(c->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(c->mac, whole.p, whole.n) != 1 ||
	    EVP_MAC_final(c->mac, full, &n, sizeof(full)) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	memcpy(icv, full, c->info.icv);
	return 0;
}
