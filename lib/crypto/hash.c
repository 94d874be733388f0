/* SPDX-License-Identifier: ISC */
#include "crypto/algs.h"

int
md_of_hash(unsigned hash)
{
	switch (hash) {
	case HASH_SHA1:
		return MD_SHA1;
	case HASH_SHA2_256:
		return MD_SHA256;
	case HASH_SHA2_384:
		return MD_SHA384;
	case HASH_SHA2_512:
		return MD_SHA512;
	default:
		return -1;
	}
}

size_t
md_len(int md)
{
	static const size_t len[MD_COUNT] = { 20, 32, 48, 64 };

	return md >= 0 && md < MD_COUNT ? len[md] : 0;
}

const EVP_MD *
md_for_key(enum key_type type)
{
	switch (type) {
	case KEY_ED25519:
		return NULL;
	case KEY_EC_P384:
		return algs.md[MD_SHA384];
	case KEY_EC_P521:
		return algs.md[MD_SHA512];
	default:
		return algs.md[MD_SHA256];
	}
}

int
md_compute(int md, const struct bytes *parts, size_t n_parts, uint8_t *out)
{
	size_t i;

	if (md < 0 || md >= MD_COUNT || EVP_DigestInit_ex2(algs.md_ctx, algs.md[md], NULL) != 1)
		goto fail;
	for (i = 0; i < n_parts; i++)
		if (EVP_DigestUpdate(algs.md_ctx, parts[i].p, parts[i].n) != 1)
			goto fail;
	if (EVP_DigestFinal_ex(algs.md_ctx, out, NULL) != 1)
		goto fail;
	return 0;
fail:
	errors_drop();
	return ERR_CRYPTO;
}

int
crypto_sha1(const struct bytes *parts, size_t n, uint8_t out[static SHA1_LEN])
{
	return md_compute(MD_SHA1, parts, n, out);
}

int
crypto_sha256(const struct bytes *parts, size_t n, uint8_t out[static SHA256_LEN])
{
	return md_compute(MD_SHA256, parts, n, out);
}
