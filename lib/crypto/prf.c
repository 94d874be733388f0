/* SPDX-License-Identifier: ISC */
#include "crypto/algs.h"

#define PRF_MAX 64

int
md_of_prf(uint16_t prf)
{
	switch (prf) {
	case PRF_HMAC_SHA1:
		return MD_SHA1;
	case PRF_HMAC_SHA2_256:
		return MD_SHA256;
	case PRF_HMAC_SHA2_384:
		return MD_SHA384;
	case PRF_HMAC_SHA2_512:
		return MD_SHA512;
	default:
		return -1;
	}
}

size_t
prf_len(uint16_t prf)
{
	return md_len(md_of_prf(prf));
}

static bool
set_key(EVP_MAC_CTX *mac, struct bytes key)
{
	static const uint8_t none[1];

	/* A NULL key would mean "the one before" to OpenSSL. */
	return EVP_MAC_init(mac, key.n == 0 ? none : key.p, key.n, NULL) == 1;
}

static bool
add_parts(EVP_MAC_CTX *mac, const struct bytes *parts, size_t n_parts)
{
	size_t i;

	for (i = 0; i < n_parts; i++)
		if (parts[i].n > 0 && EVP_MAC_update(mac, parts[i].p, parts[i].n) != 1)
			return false;
	return true;
}

/* The context is shared: it must not keep a peer's key until the next one comes along. */
static void
forget_key(EVP_MAC_CTX *mac)
{
	static const uint8_t zero[1];

	EVP_MAC_init(mac, zero, sizeof(zero), NULL);
}

int
prf_compute(uint16_t prf, struct bytes key, const struct bytes *parts, size_t n_parts, uint8_t *out)
{
	int md = md_of_prf(prf), r = ERR_CRYPTO;
	EVP_MAC_CTX *mac;
	size_t n;

	if (md < 0)
		return ERR_UNSUPPORTED;
	mac = algs.hmac[md];
	if (set_key(mac, key) && add_parts(mac, parts, n_parts) &&
	    EVP_MAC_final(mac, out, &n, md_len(md)) == 1)
		r = 0;
	else
		errors_drop();
	forget_key(mac);
	return r;
}

int
prf_plus(uint16_t prf, struct bytes key, const struct bytes *parts, size_t n_parts, uint8_t *out,
    size_t n)
{
	int md = md_of_prf(prf), r = ERR_CRYPTO;
	size_t len = md_len(md), done, part;
	uint8_t t[PRF_MAX], counter = 1;
	EVP_MAC_CTX *mac;

	if (md < 0)
		return ERR_UNSUPPORTED;
	if (n > 255 * len)
		return ERR_VALUE;
	mac = algs.hmac[md];
	if (!set_key(mac, key))
		goto out;
	for (done = 0; done < n; done += part, counter++) {
		if (done > 0 && (EVP_MAC_init(mac, NULL, 0, NULL) != 1 ||
		    EVP_MAC_update(mac, t, len) != 1))
			goto out;
		if (!add_parts(mac, parts, n_parts) || EVP_MAC_update(mac, &counter, 1) != 1 ||
		    EVP_MAC_final(mac, t, &part, sizeof(t)) != 1)
			goto out;
		part = n - done < len ? n - done : len;
		memcpy(out + done, t, part);
	}
	r = 0;
out:
	if (r != 0)
		errors_drop();
	forget_key(mac);
	wipe(t, sizeof(t));
	return r;
}
