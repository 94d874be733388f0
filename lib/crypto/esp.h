/* SPDX-License-Identifier: ISC */
/*
 * The ESP transform, RFC 4303 with AES-GCM (4106), AES-GMAC (4543), ChaCha20-Poly1305 (7634) and
 * AES-CBC + HMAC-SHA2. Works on one packet's ESP part in place:
 * | SPI | Seq | IV | payload | padding, pad length, next header | ICV |.
 * libipsec_mb where built with it (AES-GCM), OpenSSL otherwise; both give the same octets.
 * Sequence numbers, windows and policy are the caller's.
 */
#ifndef CRYPTO_ESP_H
#define CRYPTO_ESP_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/sa.h"

struct esp_key;

/* Key as in struct sa_params: cipher key | salt | integrity key. ERR_UNSUPPORTED, ERR_VALUE
 * (length). */
int esp_key_new(struct esp_key **, const struct esp_transform *, struct bytes key);
/* The same, but always by OpenSSL: for comparing the two. */
int esp_key_new_openssl(struct esp_key **, const struct esp_transform *, struct bytes key);
void esp_key_free(struct esp_key *);
/* Overhead for a payload of n octets: octets before it (SPI, Seq, IV) and after it (pad, ICV). */
size_t esp_head_len(const struct esp_key *);
size_t esp_tail_len(const struct esp_key *, size_t n);
#define ESP_HEAD_MAX 24
#define ESP_TAIL_MAX 64
/* "libipsec_mb" or "openssl". */
const char *esp_key_engine(const struct esp_key *);

/*
 * Encapsulate: esp points to head room for esp_head_len(), then n payload octets, then room for
 * esp_tail_len(n). Writes SPI, low 32 bits of seq, IV (the 64-bit sequence number for counter
 * modes: unique per key since seq is; for CBC one that nobody can foretell), padding, next header,
 * ICV. *len is the resulting length. seq is 64 bit; the high half is authenticated only with
 * ESN.
 */
int esp_seal(struct esp_key *, uint32_t spi, uint64_t seq, uint8_t next_header, uint8_t *esp,
    size_t n, size_t *len);
/*
 * Verify and decrypt in place. esp/len is the whole ESP part; seq_hi the inferred high half
 * (ESN). *payload points into it. ERR_SYNTAX (too short, bad padding), ERR_AUTH (what was
 * encrypted is then zeroed or as it came).
 */
int esp_open(struct esp_key *, uint32_t seq_hi, uint8_t *esp, size_t len,
    struct bytes *payload, uint8_t *next_header);

/* Several packets, for speed: same results as n calls; one SA, result code per packet. */
struct esp_item {
	uint8_t *esp;
	size_t n;              /* payload octets in, ESP length out (seal); ESP length in (open) */
	uint64_t seq;          /* seal: 64-bit sequence number; open: inferred, for ESN */
	uint8_t next_header;
	int rc;
	struct bytes payload;  /* open: result */
};
void esp_seal_batch(struct esp_key *, uint32_t spi, struct esp_item *, size_t n);
void esp_open_batch(struct esp_key *, struct esp_item *, size_t n);

#endif
