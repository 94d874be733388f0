/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto only: an ESP key and the two engines that work with it. */
#ifndef CRYPTO_ESP_INT_H
#define CRYPTO_ESP_INT_H

#include "crypto/algs.h"
#include "crypto/esp.h"

#define ESP_SPI_SEQ   8
#define ESP_NONCE_LEN 12
#define ESP_SALT_LEN  4
#define ESP_TAG_LEN   16

struct esp_key;

/* One packet taken apart. Everything points into it but the fields that are arrays. */
struct esp_packet {
	uint8_t *head;               /* SPI, sequence number, IV */
	size_t head_len;
	uint8_t *body;               /* payload, padding, pad length, next header */
	size_t n;
	uint8_t *icv;
	uint8_t aad[12];             /* SPI, sequence number of 32 or 64 bits: RFC 4106 section 5 */
	size_t aad_len;
	uint8_t nonce[ESP_NONCE_LEN];/* counter modes: salt, IV */
	uint32_t seq_hi;
};

/* seal: encrypt body in place, fill in icv (and the IV of CBC). open: verify, decrypt; ERR_AUTH. */
struct esp_engine {
	const char *name;
	int (*seal)(struct esp_key *, struct esp_packet *);
	int (*open)(struct esp_key *, struct esp_packet *);
	void (*free)(struct esp_key *);
};

struct esp_key {
	const struct esp_engine *engine;
	struct esp_transform transform;
	size_t iv_len, icv_len;
	size_t align;                /* of the body's length, less one */
	uint8_t salt[ESP_SALT_LEN];
	/* OpenSSL */
	EVP_CIPHER_CTX *enc, *dec;
	EVP_CIPHER_CTX *iv_gen;      /* CBC */
	EVP_MAC_CTX *mac;            /* CBC */
	/* libipsec_mb */
	struct gcm_key_data *gcm;
	struct imb_functions *imb;
};

/* Take the keys and set the engine. ERR_UNSUPPORTED: not one for this engine. */
int esp_openssl_new(struct esp_key *, struct bytes cipher_key, struct bytes integ_key);
int esp_imb_new(struct esp_key *, struct bytes cipher_key);

/* Makes the process's manager if the processor has AES instructions; name for crypto_version(). */
void esp_imb_init(char *name, size_t cap);
void esp_imb_cleanup(void);

#endif
