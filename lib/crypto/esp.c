/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/rd.h"
#include "crypto/esp_int.h"

#define AES_BLOCK 16

/* The general writer would be a tenth of the time of a short packet. */
static inline void
store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* As one store: eight octets are read back at once, and must not wait for two halves. */
static inline void
store64(uint8_t *p, uint64_t v)
{
	uint8_t octets[8];

	store32(octets, (uint32_t)(v >> 32));
	store32(octets + 4, (uint32_t)v);
	memcpy(p, octets, sizeof(octets));
}

static int
new_key(struct esp_key **out, const struct esp_transform *t, struct bytes key, bool openssl_only)
{
	struct bytes cipher_key, integ_key;
	size_t n_cipher, n_integ;
	struct esp_key *k;
	struct rd r = rd_open(key);
	int rc;

	*out = NULL;
	if ((rc = esp_transform_lengths(t, &n_cipher, &n_integ)) != 0)
		return rc;
	cipher_key = rd_take(&r, n_cipher);
	integ_key = rd_take(&r, n_integ);
	if (!rd_end(&r))
		return ERR_VALUE;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ERR_NOMEM;
	k->transform = *t;
	if (t->encr == ESP_AES_CBC) {
		k->iv_len = AES_BLOCK;
		k->icv_len = n_integ / 2;
		k->align = AES_BLOCK - 1;
	} else {
		k->iv_len = ESP_NONCE_LEN - ESP_SALT_LEN;
		k->icv_len = ESP_TAG_LEN;
		k->align = 3;
		cipher_key.n -= ESP_SALT_LEN;
		memcpy(k->salt, cipher_key.p + cipher_key.n, ESP_SALT_LEN);
	}
	rc = openssl_only ? ERR_UNSUPPORTED : esp_imb_new(k, cipher_key);
	if (rc == ERR_UNSUPPORTED)
		rc = esp_openssl_new(k, cipher_key, integ_key);
	if (rc == 0) {
		*out = k;
		k = NULL;
	} else
		errors_drop();
	esp_key_free(k);
	return rc;
}

int
esp_key_new(struct esp_key **out, const struct esp_transform *t, struct bytes key)
{
	return new_key(out, t, key, false);
}

int
esp_key_new_openssl(struct esp_key **out, const struct esp_transform *t, struct bytes key)
{
	return new_key(out, t, key, true);
}

void
esp_key_free(struct esp_key *k)
{
	if (k == NULL)
		return;
	if (k->engine != NULL)
		k->engine->free(k);
	wipe(k, sizeof(*k));
	free(k);
}

const char *
esp_key_engine(const struct esp_key *k)
{
	return k->engine->name;
}

size_t
esp_head_len(const struct esp_key *k)
{
	return ESP_SPI_SEQ + k->iv_len;
}

/* Padding so that the trailer's two octets end on the boundary, RFC 4303 section 2.4. */
static inline size_t
pad_len(const struct esp_key *k, size_t n)
{
	return (0 - (n + 2)) & k->align;
}

size_t
esp_tail_len(const struct esp_key *k, size_t n)
{
	return pad_len(k, n) + 2 + k->icv_len;
}

/* What both directions need besides the packet: AAD and nonce. */
static inline void
prepare(const struct esp_key *k, struct esp_packet *p, uint32_t seq_hi)
{
	p->head_len = ESP_SPI_SEQ + k->iv_len;
	p->body = p->head + p->head_len;
	p->icv = p->body + p->n;
	p->seq_hi = seq_hi;
	if (k->transform.esn) {
		memcpy(p->aad, p->head, 4);
		store32(p->aad + 4, seq_hi);
		memcpy(p->aad + 8, p->head + 4, 4);
		p->aad_len = 12;
	} else {
		memcpy(p->aad, p->head, ESP_SPI_SEQ);
		p->aad_len = ESP_SPI_SEQ;
	}
	memcpy(p->nonce, k->salt, ESP_SALT_LEN);
	memcpy(p->nonce + ESP_SALT_LEN, p->head + ESP_SPI_SEQ, ESP_NONCE_LEN - ESP_SALT_LEN);
}

int
esp_seal(struct esp_key *k, uint32_t spi, uint64_t seq, uint8_t next_header, uint8_t *esp, size_t n,
    size_t *len)
{
	size_t pad = pad_len(k, n), i;
	struct esp_packet p = { .head = esp, .n = n + pad + 2 };
	uint8_t *tail;
	int r;

	store64(esp, (uint64_t)spi << 32 | (uint32_t)seq);
	store64(esp + 8, seq);
	prepare(k, &p, (uint32_t)(seq >> 32));
	tail = p.body + n;
	for (i = 0; i < pad; i++)
		tail[i] = (uint8_t)(i + 1);
	tail[pad] = (uint8_t)pad;
	tail[pad + 1] = next_header;
	if ((r = k->engine->seal(k, &p)) != 0)
		return r;
	*len = p.head_len + p.n + k->icv_len;
	return 0;
}

/* Payload and next header out of a decrypted body, RFC 4303 sections 2.4 to 2.6. */
static int
read_body(struct bytes body, struct bytes *payload, uint8_t *next_header)
{
	struct rd r = rd_open(body);
	struct bytes front = rd_take(&r, body.n - 2);
	size_t pad = rd_u8(&r), i;

	*next_header = rd_u8(&r);
	if (pad > front.n)
		return ERR_SYNTAX;
	*payload = bytes_of(front.p, front.n - pad);
	for (i = 0; i < pad; i++)
		if (front.p[payload->n + i] != i + 1)
			return ERR_SYNTAX;
	return 0;
}

int
esp_open(struct esp_key *k, uint32_t seq_hi, uint8_t *esp, size_t len, struct bytes *payload,
    uint8_t *next_header)
{
	size_t overhead = ESP_SPI_SEQ + k->iv_len + k->icv_len;
	struct esp_packet p = { .head = esp };
	int r;

	if (len < overhead + 2)
		return ERR_SYNTAX;
	p.n = len - overhead;
	if (k->align == AES_BLOCK - 1 && p.n % AES_BLOCK != 0)
		return ERR_SYNTAX;
	prepare(k, &p, seq_hi);
	if ((r = k->engine->open(k, &p)) != 0)
		return r;
	return read_body(bytes_of(p.body, p.n), payload, next_header);
}

void
esp_seal_batch(struct esp_key *k, uint32_t spi, struct esp_item *items, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		items[i].rc = esp_seal(k, spi, items[i].seq, items[i].next_header, items[i].esp,
		    items[i].n, &items[i].n);
}

void
esp_open_batch(struct esp_key *k, struct esp_item *items, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		items[i].rc = esp_open(k, (uint32_t)(items[i].seq >> 32), items[i].esp, items[i].n,
		    &items[i].payload, &items[i].next_header);
}
