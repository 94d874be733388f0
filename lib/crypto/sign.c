/* SPDX-License-Identifier: ISC */
#include "crypto/der.h"
#include "crypto/pkey_int.h"

#define SIGNATURE_MAX 1100           /* RSA of 8192 bits, or ECDSA P-521 as DER */

/*
 * The hash of the key's strength if the peer takes it, else the strongest that it takes; 0 if it
 * takes none of SHA-2.
 */
static unsigned
choose_hash(enum key_type type, uint32_t peer)
{
	unsigned best = type == KEY_EC_P384 ? HASH_SHA2_384 :
	    type == KEY_EC_P521 ? HASH_SHA2_512 : HASH_SHA2_256, h;

	if ((peer & HASH_BIT(best)) != 0)
		return best;
	for (h = HASH_SHA2_512; h >= HASH_SHA2_256; h--)
		if ((peer & HASH_BIT(h)) != 0)
			return h;
	return 0;
}

/* Method and algorithm for a key and what the peer announced; ERR_UNSUPPORTED if there is none. */
static int
choose(enum key_type type, uint32_t peer, uint8_t *method, struct sig_alg *alg)
{
	memset(alg, 0, sizeof(*alg));
	*method = AUTH_DIGITAL_SIGNATURE;
	if (type == KEY_ED25519) {
		alg->kind = SIG_ED25519;
		alg->hash = HASH_IDENTITY;
		return (peer & HASH_BIT(HASH_IDENTITY)) != 0 ? 0 : ERR_UNSUPPORTED;
	}
	alg->kind = type == KEY_RSA ? SIG_RSA_PSS : SIG_ECDSA;
	alg->hash = choose_hash(type, peer);
	alg->salt = (unsigned)md_len(md_of_hash(alg->hash));
	if (alg->hash != 0)
		return 0;
	switch (type) {
	case KEY_RSA:
		*method = AUTH_RSA;
		alg->kind = SIG_RSA_PKCS1;
		alg->hash = HASH_SHA1;
		return 0;
	case KEY_EC_P256:
		*method = AUTH_ECDSA_256;
		alg->hash = HASH_SHA2_256;
		return 0;
	case KEY_EC_P384:
		*method = AUTH_ECDSA_384;
		alg->hash = HASH_SHA2_384;
		return 0;
	case KEY_EC_P521:
		*method = AUTH_ECDSA_521;
		alg->hash = HASH_SHA2_512;
		return 0;
	default:
		return ERR_UNSUPPORTED;
	}
}

static bool
sign_rsa(const struct pkey *k, const struct sig_alg *a, const uint8_t *digest, uint8_t *sig,
    size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->key, NULL);
	int md = md_of_hash(a->hash);
	bool ok;

	ok = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, a->kind == SIG_RSA_PSS ?
	    RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, algs.md[md]) == 1 &&
	    (a->kind != SIG_RSA_PSS || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)a->salt) == 1) &&
	    EVP_PKEY_sign(ctx, sig, n, digest, md_len(md)) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
sign_ed25519(const struct pkey *k, struct bytes octets, uint8_t *sig, size_t *n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	    EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, k->key, NULL) == 1 &&
	    EVP_DigestSign(ctx, sig, n, octets.p, octets.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static int
make_signature(const struct pkey *k, const struct sig_alg *a, struct bytes octets, uint8_t *sig,
    size_t *n)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	int md = md_of_hash(a->hash), r;
	bool ok;

	if (a->kind == SIG_ED25519)
		ok = sign_ed25519(k, octets, sig, n);
	else if ((r = md_compute(md, &octets, 1, digest)) != 0)
		return r;
	else if (a->kind == SIG_ECDSA)
		ok = EVP_PKEY_sign(k->ecdsa, sig, n, digest, md_len(md)) == 1;
	else
		ok = sign_rsa(k, a, digest, sig, n);
	errors_drop();
	return ok ? 0 : ERR_CRYPTO;
}

static void
put_padded(struct wr *w, struct bytes number, size_t n)
{
	if (number.n <= n)
		wr_zero(w, n - number.n);
	wr_put(w, number);
}

/* Ecdsa-Sig-Value to r | s of fixed length, RFC 4754 section 7. */
static int
put_raw(struct wr *w, struct bytes der, size_t n)
{
	struct rd r = rd_open(der), seq = der_open(&r, DER_SEQUENCE);
	struct bytes number_r = der_unsigned(&seq), number_s = der_unsigned(&seq);

	if (!rd_end(&seq) || !rd_end(&r) || number_r.n > n || number_s.n > n)
		return ERR_CRYPTO;
	put_padded(w, number_r, n);
	put_padded(w, number_s, n);
	return 0;
}

int
sign_auth(const struct pkey *k, uint32_t peer_hashes, struct bytes octets, uint8_t *method,
    struct blob *data)
{
	struct wr w = wr_grow(SIGNATURE_MAX + 256);
	uint8_t sig[SIGNATURE_MAX];
	size_t n = sizeof(sig);
	struct sig_alg alg;
	struct bytes id;
	int r;

	if ((r = choose(k->type, peer_hashes, method, &alg)) != 0 ||
	    (r = make_signature(k, &alg, octets, sig, &n)) != 0)
		goto out;
	if (*method == AUTH_DIGITAL_SIGNATURE) {
		id = sig_alg_der(&alg);
		wr_u8(&w, (uint8_t)id.n);
		wr_put(&w, id);
		wr_put(&w, bytes_of(sig, n));
	} else if (*method == AUTH_RSA)
		wr_put(&w, bytes_of(sig, n));
	else
		r = put_raw(&w, bytes_of(sig, n), ec_size(k->type));
	if (r == 0)
		r = wr_take(&w, data);
out:
	wr_free(&w);
	return r;
}
