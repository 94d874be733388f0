/* SPDX-License-Identifier: ISC */
/* AES-GCM and AES-GMAC with libipsec_mb: one call per packet, without its job queue. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/esp_int.h"

#if HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>

/* What the key's length chooses among the manager's functions. */
struct imb_functions {
	aes_gcm_enc_dec_t enc, dec;
	aes_gmac_init_t gmac_init;
	aes_gmac_update_t gmac_update;
	aes_gmac_finalize_t gmac_final;
};

/* As ct_equal(), in four instructions instead of a loop that takes as long as the cipher. */
static bool
tags_equal(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static int
gcm_seal(struct esp_key *k, struct esp_packet *p)
{
	struct gcm_context_data ctx;

	k->imb->enc(k->gcm, &ctx, p->body, p->body, p->n, p->nonce, p->aad, p->aad_len, p->icv,
	    ESP_TAG_LEN);
	return 0;
}

static int
gcm_open(struct esp_key *k, struct esp_packet *p)
{
	struct gcm_context_data ctx;
	uint8_t tag[ESP_TAG_LEN];

	k->imb->dec(k->gcm, &ctx, p->body, p->body, p->n, p->nonce, p->aad, p->aad_len, tag,
	    ESP_TAG_LEN);
	if (tags_equal(tag, p->icv))
		return 0;
	wipe(p->body, p->n);
	return ERR_AUTH;
}

static void
gmac(struct esp_key *k, const struct esp_packet *p, uint8_t *tag)
{
	struct gcm_context_data ctx;
	size_t iv_len = k->iv_len;

	k->imb->gmac_init(k->gcm, &ctx, p->nonce, ESP_NONCE_LEN);
	k->imb->gmac_update(k->gcm, &ctx, p->aad, p->aad_len);
	k->imb->gmac_update(k->gcm, &ctx, p->head + ESP_SPI_SEQ, iv_len + p->n);
	k->imb->gmac_final(k->gcm, &ctx, tag, ESP_TAG_LEN);
}

static int
gmac_seal(struct esp_key *k, struct esp_packet *p)
{
	gmac(k, p, p->icv);
	return 0;
}

static int
gmac_open(struct esp_key *k, struct esp_packet *p)
{
	uint8_t tag[ESP_TAG_LEN];

	gmac(k, p, tag);
	return tags_equal(tag, p->icv) ? 0 : ERR_AUTH;
}

static void
imb_free(struct esp_key *k)
{
	if (k->gcm != NULL)
		wipe(k->gcm, sizeof(*k->gcm));
	free(k->gcm);
	free(k->imb);
}

static const struct esp_engine gcm_engine = { "libipsec_mb", gcm_seal, gcm_open, imb_free };
static const struct esp_engine gmac_engine = { "libipsec_mb", gmac_seal, gmac_open, imb_free };

static void
choose(struct imb_functions *f, const IMB_MGR *m, uint16_t key_bits)
{
	switch (key_bits) {
	case 128:
		*f = (struct imb_functions){ m->gcm128_enc, m->gcm128_dec, m->gmac128_init,
			m->gmac128_update, m->gmac128_finalize };
		break;
	case 192:
		*f = (struct imb_functions){ m->gcm192_enc, m->gcm192_dec, m->gmac192_init,
			m->gmac192_update, m->gmac192_finalize };
		break;
	default:
		*f = (struct imb_functions){ m->gcm256_enc, m->gcm256_dec, m->gmac256_init,
			m->gmac256_update, m->gmac256_finalize };
		break;
	}
}

int
esp_imb_new(struct esp_key *k, struct bytes key)
{
	const IMB_MGR *m = algs.imb;
	uint16_t encr = k->transform.encr;
	void *aligned;

	if (m == NULL || (encr != ESP_AES_GCM_16 && encr != ESP_NULL_AES_GMAC))
		return ERR_UNSUPPORTED;
	k->engine = encr == ESP_AES_GCM_16 ? &gcm_engine : &gmac_engine;
	if (posix_memalign(&aligned, 64, sizeof(*k->gcm)) != 0)
		return ERR_NOMEM;
	k->gcm = aligned;
	if ((k->imb = malloc(sizeof(*k->imb))) == NULL)
		return ERR_NOMEM;
	choose(k->imb, m, k->transform.key_bits);
	switch (k->transform.key_bits) {
	case 128:
		IMB_AES128_GCM_PRE(m, key.p, k->gcm);
		break;
	case 192:
		IMB_AES192_GCM_PRE(m, key.p, k->gcm);
		break;
	default:
		IMB_AES256_GCM_PRE(m, key.p, k->gcm);
		break;
	}
	return 0;
}

void
esp_imb_init(char *name, size_t cap)
{
	IMB_ARCH arch;

	if ((algs.imb = alloc_mb_mgr(0)) == NULL) {
		snprintf(name, cap, "no libipsec_mb (out of memory)");
		return;
	}
	init_mb_mgr_auto(algs.imb, &arch);
	/* Its emulation of the AES instructions is slower than OpenSSL. */
	if (imb_get_errno(algs.imb) != 0 || (algs.imb->features & IMB_FEATURE_AESNI) == 0) {
		esp_imb_cleanup();
		snprintf(name, cap, "no libipsec_mb (processor)");
		return;
	}
	snprintf(name, cap, "libipsec_mb %s", imb_get_version_str());
}

void
esp_imb_cleanup(void)
{
	if (algs.imb != NULL)
		free_mb_mgr(algs.imb);
	algs.imb = NULL;
}

#else

int
esp_imb_new(struct esp_key *k, struct bytes key)
{
	(void)k;
	(void)key;
	return ERR_UNSUPPORTED;
}

void
esp_imb_init(char *name, size_t cap)
{
	snprintf(name, cap, "no libipsec_mb");
}

void
esp_imb_cleanup(void)
{
}
#endif
