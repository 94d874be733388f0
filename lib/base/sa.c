/* SPDX-License-Identifier: ISC */
#include "base/sa.h"

#include <stdlib.h>

#include "base/err.h"

struct transform_row {
	const char *name;
	uint16_t encr, key_bits, integ;
	uint8_t encr_key, integ_key;   /* octets; the cipher's includes the salt */
};

/* A transform that is not here does not exist for us. Salts: RFC 4106, RFC 4543, RFC 7634. */
static const struct transform_row transforms[] = {
	{ "aes128gcm16", ESP_AES_GCM_16, 128, ESP_INTEG_NONE, 16 + 4, 0 },
	{ "aes192gcm16", ESP_AES_GCM_16, 192, ESP_INTEG_NONE, 24 + 4, 0 },
	{ "aes256gcm16", ESP_AES_GCM_16, 256, ESP_INTEG_NONE, 32 + 4, 0 },
	{ "chacha20poly1305", ESP_CHACHA20_POLY1305, 0, ESP_INTEG_NONE, 32 + 4, 0 },
	{ "aes128gmac", ESP_NULL_AES_GMAC, 128, ESP_INTEG_NONE, 16 + 4, 0 },
	{ "aes192gmac", ESP_NULL_AES_GMAC, 192, ESP_INTEG_NONE, 24 + 4, 0 },
	{ "aes256gmac", ESP_NULL_AES_GMAC, 256, ESP_INTEG_NONE, 32 + 4, 0 },
	{ "aes128-sha256", ESP_AES_CBC, 128, ESP_HMAC_SHA2_256_128, 16, 32 },
	{ "aes128-sha384", ESP_AES_CBC, 128, ESP_HMAC_SHA2_384_192, 16, 48 },
	{ "aes128-sha512", ESP_AES_CBC, 128, ESP_HMAC_SHA2_512_256, 16, 64 },
	{ "aes192-sha256", ESP_AES_CBC, 192, ESP_HMAC_SHA2_256_128, 24, 32 },
	{ "aes192-sha384", ESP_AES_CBC, 192, ESP_HMAC_SHA2_384_192, 24, 48 },
	{ "aes192-sha512", ESP_AES_CBC, 192, ESP_HMAC_SHA2_512_256, 24, 64 },
	{ "aes256-sha256", ESP_AES_CBC, 256, ESP_HMAC_SHA2_256_128, 32, 32 },
	{ "aes256-sha384", ESP_AES_CBC, 256, ESP_HMAC_SHA2_384_192, 32, 48 },
	{ "aes256-sha512", ESP_AES_CBC, 256, ESP_HMAC_SHA2_512_256, 32, 64 },
};

#define TRANSFORMS (sizeof transforms / sizeof transforms[0])

static const char esn_suffix[] = "-esn";

static const struct transform_row *
transform_find(const struct esp_transform *t)
{
	size_t i;

	for (i = 0; i < TRANSFORMS; i++)
		if (transforms[i].encr == t->encr && transforms[i].key_bits == t->key_bits &&
		    transforms[i].integ == t->integ)
			return &transforms[i];
	return NULL;
}

int
esp_transform_lengths(const struct esp_transform *t, size_t *encr_key, size_t *integ_key)
{
	const struct transform_row *row = transform_find(t);

	if (row == NULL)
		return ERR_UNSUPPORTED;
	*encr_key = row->encr_key;
	*integ_key = row->integ_key;
	return OK;
}

const char *
esp_transform_name(const struct esp_transform *t, char buf[static 48])
{
	const struct transform_row *row = transform_find(t);
	size_t n;

	if (row == NULL)
		return NULL;
	n = strlen(row->name);
	memcpy(buf, row->name, n + 1);
	if (t->esn)
		memcpy(buf + n, esn_suffix, sizeof esn_suffix);
	return buf;
}

int
esp_transform_parse(struct esp_transform *t, const char *name)
{
	const struct transform_row *row;
	size_t i, n;

	for (i = 0; i < TRANSFORMS; i++) {
		row = &transforms[i];
		n = strlen(row->name);
		if (strncmp(name, row->name, n) != 0)
			continue;
		if (name[n] != '\0' && strcmp(name + n, esn_suffix) != 0)
			continue;
		memset(t, 0, sizeof *t);
		t->encr = row->encr;
		t->key_bits = row->key_bits;
		t->integ = row->integ;
		t->esn = name[n] != '\0';
		return OK;
	}
	return ERR_UNSUPPORTED;
}

void
sa_wipe(struct sa_params *sa)
{
	wipe(sa->key, sizeof sa->key);
	sa->key_len = 0;
}

static int
vnis_copy(uint32_t **to, uint32_t *n_to, const uint32_t *from, uint32_t n)
{
	*to = NULL;
	*n_to = 0;
	if (n == 0)
		return OK;
	if ((*to = calloc(n, sizeof **to)) == NULL)
		return ERR_NOMEM;
	memcpy(*to, from, n * sizeof **to);
	*n_to = n;
	return OK;
}

void
grant_free(struct grant *g)
{
	free(g->vnis);
	g->vnis = NULL;
	g->n_vnis = 0;
}

int
grant_copy(struct grant *to, const struct grant *from)
{
	*to = *from;
	return vnis_copy(&to->vnis, &to->n_vnis, from->vnis, from->n_vnis);
}

static int
vni_cmp(const void *key, const void *member)
{
	uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)member;

	return a < b ? -1 : a > b;
}

bool
grant_has_vni(const struct grant *g, uint32_t vni)
{
	return g->n_vnis != 0 &&
	    bsearch(&vni, g->vnis, g->n_vnis, sizeof g->vnis[0], vni_cmp) != NULL;
}

void
policy_free(struct policy *p)
{
	free(p->vnis);
	p->vnis = NULL;
	p->n_vnis = 0;
}

int
policy_copy(struct policy *to, const struct policy *from)
{
	*to = *from;
	return vnis_copy(&to->vnis, &to->n_vnis, from->vnis, from->n_vnis);
}
