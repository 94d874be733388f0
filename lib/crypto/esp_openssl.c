/* SPDX-License-Identifier: ISC */
#include <limits.h>

#include "crypto/esp_int.h"

#define AES_BLOCK 16

/*
 * ---- AEAD: RFC 4106, 7634; and RFC 4543, where the body is authenticated only ----
 *
 * With GMAC the IV is authenticated too: RFC 4543 section 3.3 leaves it out, but its author's
 * examples (draft-mcgrew-gcm-test) do not, and those are what is on the wire.
 */

static bool
aead_update(struct esp_key *k, struct esp_packet *p, int enc)
{
	int len;

	if (p->n > INT_MAX || EVP_CipherInit_ex2(k->enc, NULL, NULL, p->nonce, enc, NULL) != 1 ||
	    EVP_CipherUpdate(k->enc, NULL, &len, p->aad, (int)p->aad_len) != 1)
		return false;
	if (k->transform.encr == ESP_NULL_AES_GMAC)
		return EVP_CipherUpdate(k->enc, NULL, &len, p->head + ESP_SPI_SEQ,
		    (int)(k->iv_len + p->n)) == 1;
	return EVP_CipherUpdate(k->enc, p->body, &len, p->body, (int)p->n) == 1;
}

static int
aead_seal(struct esp_key *k, struct esp_packet *p)
{
	int len;

	if (!aead_update(k, p, 1) || EVP_EncryptFinal_ex(k->enc, p->icv, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(k->enc, EVP_CTRL_AEAD_GET_TAG, ESP_TAG_LEN, p->icv) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	return 0;
}

static int
aead_open(struct esp_key *k, struct esp_packet *p)
{
	int len, r = 0;

	if (!aead_update(k, p, 0) ||
	    EVP_CIPHER_CTX_ctrl(k->enc, EVP_CTRL_AEAD_SET_TAG, ESP_TAG_LEN, p->icv) != 1)
		r = ERR_CRYPTO;
	else if (EVP_DecryptFinal_ex(k->enc, p->icv, &len) != 1)
		r = ERR_AUTH;
	if (r != 0) {
		if (k->transform.encr != ESP_NULL_AES_GMAC)
			wipe(p->body, p->n);
		errors_drop();
	}
	return r;
}

/* ---- AES-CBC + HMAC: RFC 3602, 4868 ---- */

/* The high half of the sequence number stands behind the packet: RFC 4303 section 2.2.1. */
static int
cbc_icv(struct esp_key *k, const struct esp_packet *p, uint8_t *full)
{
	size_t n;

	if (EVP_MAC_init(k->mac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(k->mac, p->head, p->head_len + p->n) != 1 ||
	    (k->transform.esn && EVP_MAC_update(k->mac, p->aad + 4, 4) != 1) ||
	    EVP_MAC_final(k->mac, full, &n, EVP_MAX_MD_SIZE) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	return 0;
}

/* The sequence number under a key of its own: never twice the same, and not to be foretold. */
static bool
cbc_iv(struct esp_key *k, const struct esp_packet *p, uint8_t *iv)
{
	static const uint8_t zero[AES_BLOCK];
	uint8_t block[AES_BLOCK] = { 0 };
	int len;

	memcpy(block, &p->seq_hi, sizeof(p->seq_hi));
	memcpy(block + 8, p->head + 4, 4);
	return EVP_EncryptInit_ex2(k->iv_gen, NULL, NULL, zero, NULL) == 1 &&
	    EVP_EncryptUpdate(k->iv_gen, iv, &len, block, AES_BLOCK) == 1;
}

static int
cbc_seal(struct esp_key *k, struct esp_packet *p)
{
	uint8_t full[EVP_MAX_MD_SIZE], *iv = p->head + ESP_SPI_SEQ;
	int len, r;

	if (p->n > INT_MAX || !cbc_iv(k, p, iv) ||
	    EVP_EncryptInit_ex2(k->enc, NULL, NULL, iv, NULL) != 1 ||
	    EVP_EncryptUpdate(k->enc, p->body, &len, p->body, (int)p->n) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	if ((r = cbc_icv(k, p, full)) == 0)
		memcpy(p->icv, full, k->icv_len);
	return r;
}

static int
cbc_open(struct esp_key *k, struct esp_packet *p)
{
	uint8_t full[EVP_MAX_MD_SIZE];
	int len, r;

	if ((r = cbc_icv(k, p, full)) != 0)
		return r;
	if (!ct_equal(bytes_of(full, k->icv_len), bytes_of(p->icv, k->icv_len)))
		return ERR_AUTH;
	if (p->n > INT_MAX ||
	    EVP_DecryptInit_ex2(k->dec, NULL, NULL, p->head + ESP_SPI_SEQ, NULL) != 1 ||
	    EVP_DecryptUpdate(k->dec, p->body, &len, p->body, (int)p->n) != 1) {
		errors_drop();
		return ERR_CRYPTO;
	}
	return 0;
}

static void
openssl_free(struct esp_key *k)
{
	EVP_CIPHER_CTX_free(k->enc);
	EVP_CIPHER_CTX_free(k->dec);
	EVP_CIPHER_CTX_free(k->iv_gen);
	EVP_MAC_CTX_free(k->mac);
}

static const struct esp_engine aead_engine = { "openssl", aead_seal, aead_open, openssl_free };
static const struct esp_engine cbc_engine = { "openssl", cbc_seal, cbc_open, openssl_free };

int
esp_openssl_new(struct esp_key *k, struct bytes cipher_key, struct bytes integ_key)
{
	EVP_CIPHER *cipher = cipher_find(k->transform.encr, k->transform.key_bits);
	uint8_t iv_key[AES_BLOCK];
	int r = ERR_CRYPTO;

	if (cipher == NULL)
		return ERR_UNSUPPORTED;
	k->engine = k->transform.encr == ESP_AES_CBC ? &cbc_engine : &aead_engine;
	if (!cipher_schedule(&k->enc, cipher, cipher_key.p, true))
		return ERR_CRYPTO;
	if (k->transform.encr != ESP_AES_CBC)
		return 0;
	if (crypto_random(iv_key, sizeof(iv_key)) != 0 ||
	    !cipher_schedule(&k->iv_gen, algs.aes_cbc[0], iv_key, true) ||
	    !cipher_schedule(&k->dec, cipher, cipher_key.p, false) ||
	    (k->mac = EVP_MAC_CTX_dup(algs.hmac[md_of_integ(k->transform.integ)])) == NULL ||
	    EVP_MAC_init(k->mac, integ_key.p, integ_key.n, NULL) != 1)
		goto out;
	r = 0;
out:
	wipe(iv_key, sizeof(iv_key));
	return r;
}
