/* SPDX-License-Identifier: ISC */
/* ESP transforms, as the kernel names them. */
#include "base/err.h"
#include "xfrm-backend/xfrm_msg_wire.h"

#define AEAD_SALT_BITS 32u
#define AEAD_ICV_BITS  128u

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

static const struct {
	uint16_t encr;
	const char *aead;
} aeads[] = {
	{ ESP_AES_GCM_16, "rfc4106(gcm(aes))" },
	{ ESP_NULL_AES_GMAC, "rfc4543(gcm(aes))" },
	{ ESP_CHACHA20_POLY1305, "rfc7539esp(chacha20,poly1305)" },
};

/* RFC 4868: half of the hash. */
static const struct {
	uint16_t integ;
	const char *auth;
	unsigned icv;
} auths[] = {
	{ ESP_HMAC_SHA2_256_128, "hmac(sha256)", 128 },
	{ ESP_HMAC_SHA2_384_192, "hmac(sha384)", 192 },
	{ ESP_HMAC_SHA2_512_256, "hmac(sha512)", 256 },
};

static const char cbc[] = "cbc(aes)";

int
xalg_of(const struct esp_transform *t, struct xalg *out)
{
	size_t encr, integ, i;

	memset(out, 0, sizeof *out);
	if (esp_transform_lengths(t, &encr, &integ) != OK)
		return ERR_UNSUPPORTED;
	for (i = 0; i < COUNT(aeads); i++)
		if (t->encr == aeads[i].encr) {
			out->aead = aeads[i].aead;
			out->icv = AEAD_ICV_BITS;
			return OK;
		}
	for (i = 0; i < COUNT(auths); i++)
		if (t->encr == ESP_AES_CBC && t->integ == auths[i].integ) {
			out->encr = cbc;
			out->auth = auths[i].auth;
			out->icv = auths[i].icv;
			return OK;
		}
	return ERR_UNSUPPORTED;
}

/* An algorithm's attribute: name, key length and, but for ciphers, ICV length in bits. The key itself is not read. */
struct alg {
	char name[64];
	uint32_t key_bits, icv_bits;
};

static int
read_alg(const struct xattrs *attrs, unsigned type, bool icv, struct alg *a)
{
	struct rd r = rd_open(attrs->a[type]);

	memset(a, 0, sizeof *a);
	rd_copy(&r, a->name, sizeof a->name);
	rd_copy(&r, &a->key_bits, sizeof a->key_bits);
	if (icv)
		rd_copy(&r, &a->icv_bits, sizeof a->icv_bits);
	if (!rd_ok(&r) || memchr(a->name, '\0', sizeof a->name) == NULL ||
	    rd_left(&r) != ((size_t)a->key_bits + 7) / 8)
		return ERR_SYNTAX;
	return OK;
}

static int
read_aead(const struct xattrs *attrs, struct esp_transform *t)
{
	struct alg a;
	size_t i;
	int r;

	if ((r = read_alg(attrs, XFRMA_ALG_AEAD, true, &a)) != OK)
		return r;
	for (i = 0; i < COUNT(aeads); i++)
		if (strcmp(a.name, aeads[i].aead) == 0 && a.icv_bits == AEAD_ICV_BITS &&
		    a.key_bits > AEAD_SALT_BITS && a.key_bits <= UINT16_MAX) {
			t->encr = aeads[i].encr;
			t->key_bits = (uint16_t)(a.key_bits - AEAD_SALT_BITS);
			if (t->encr == ESP_CHACHA20_POLY1305)
				t->key_bits = t->key_bits == 256 ? 0 : t->key_bits;
		}
	return OK;
}

static int
read_cipher_and_auth(const struct xattrs *attrs, struct esp_transform *t, uint32_t *auth_bits)
{
	struct alg cipher, auth;
	size_t i;
	int r;

	if ((r = read_alg(attrs, XFRMA_ALG_CRYPT, false, &cipher)) != OK ||
	    (r = read_alg(attrs, XFRMA_ALG_AUTH_TRUNC, true, &auth)) != OK)
		return r;
	if (strcmp(cipher.name, cbc) != 0 || cipher.key_bits > UINT16_MAX)
		return OK;
	*auth_bits = auth.key_bits;
	for (i = 0; i < COUNT(auths); i++)
		if (strcmp(auth.name, auths[i].auth) == 0 && auth.icv_bits == auths[i].icv) {
			t->encr = ESP_AES_CBC;
			t->key_bits = (uint16_t)cipher.key_bits;
			t->integ = auths[i].integ;
		}
	return OK;
}

int
xalg_read(const struct xattrs *attrs, struct esp_transform *t)
{
	size_t encr, integ = 0;
	uint32_t auth_bits = 0;
	int r = OK;

	if (attrs->a[XFRMA_ALG_AEAD].p != NULL)
		r = read_aead(attrs, t);
	else if (attrs->a[XFRMA_ALG_CRYPT].p != NULL && attrs->a[XFRMA_ALG_AUTH_TRUNC].p != NULL)
		r = read_cipher_and_auth(attrs, t, &auth_bits);
	if (r == OK && (esp_transform_lengths(t, &encr, &integ) != OK || integ * 8 != auth_bits))
		memset(t, 0, sizeof *t);
	return r;
}

static void
write_alg(struct wr *w, uint16_t type, const char *name, unsigned icv, struct bytes key)
{
	char field[64] = "";
	uint32_t key_bits = (uint32_t)(key.n * 8), icv_bits = icv;

	memcpy(field, name, strlen(name));
	xattr_head(w, type, sizeof field + sizeof key_bits + (icv == 0 ? 0 : sizeof icv_bits) + key.n);
	wr_put(w, bytes_of(field, sizeof field));
	wr_put(w, bytes_of(&key_bits, sizeof key_bits));
	if (icv != 0)
		wr_put(w, bytes_of(&icv_bits, sizeof icv_bits));
	wr_put(w, key);
	xmsg_pad(w);
}

int
xalg_write(struct wr *w, const struct esp_transform *t, struct bytes key)
{
	size_t encr, integ;
	struct xalg alg;
	struct rd r = rd_open(key);
	struct bytes first;

	if (xalg_of(t, &alg) != OK || esp_transform_lengths(t, &encr, &integ) != OK ||
	    key.n != encr + integ)
		return ERR_VALUE;
	first = rd_take(&r, encr);
	if (alg.aead != NULL) {
		write_alg(w, XFRMA_ALG_AEAD, alg.aead, alg.icv, first);
		return OK;
	}
	write_alg(w, XFRMA_ALG_CRYPT, alg.encr, 0, first);
	write_alg(w, XFRMA_ALG_AUTH_TRUNC, alg.auth, alg.icv, rd_rest(&r));
	return OK;
}
