/* SPDX-License-Identifier: ISC */
#include "ike/keymat.h"

#include "base/rd.h"
#include "base/wr.h"
#include "crypto/crypto.h"

void
ike_keys_free(struct ike_keys *k)
{
	secret_free(&k->d);
	secret_free(&k->ai);
	secret_free(&k->ar);
	secret_free(&k->ei);
	secret_free(&k->er);
	secret_free(&k->pi);
	secret_free(&k->pr);
}

/* The next n octets as a secret of their own; none leave it empty. */
static int
take(struct rd *r, struct secret *to, size_t n)
{
	struct bytes b = rd_take(r, n);

	if (!rd_ok(r))
		return ERR_CRYPTO;
	return n == 0 ? OK : secret_copy(to, b);
}

static int
split(struct ike_keys *k, struct bytes octets, const struct ike_cipher_info *info, size_t prf)
{
	struct rd r = rd_open(octets);
	int rc;

	if ((rc = take(&r, &k->d, prf)) != 0 ||
	    (rc = take(&r, &k->ai, info->integ_key)) != 0 ||
	    (rc = take(&r, &k->ar, info->integ_key)) != 0 ||
	    (rc = take(&r, &k->ei, info->key + info->salt)) != 0 ||
	    (rc = take(&r, &k->er, info->key + info->salt)) != 0 ||
	    (rc = take(&r, &k->pi, prf)) != 0 ||
	    (rc = take(&r, &k->pr, prf)) != 0)
		return rc;
	return rd_end(&r) ? OK : ERR_CRYPTO;
}

static int
expand(struct ike_keys *k, const struct ike_chosen *c, const struct ike_keymat_input *in,
    struct bytes skeyseed)
{
	struct ike_cipher_info info;
	struct secret octets = { 0 };
	uint8_t spis[16];
	struct wr w = wr_fixed(spis, sizeof spis);
	struct bytes seed[] = { in->ni, in->nr, bytes_of(spis, sizeof spis) };
	size_t prf = prf_len(c->prf), n;
	int rc;

	ike_keys_free(k);
	if ((rc = ike_cipher_info(c->encr, c->key_bits, c->integ, &info)) != 0)
		return rc;
	wr_u64(&w, in->spi_i);
	wr_u64(&w, in->spi_r);
	n = 3 * prf + 2 * (info.integ_key + info.key + info.salt);
	if ((rc = secret_new(&octets, n)) != 0 ||
	    (rc = prf_plus(c->prf, skeyseed, seed, 3, octets.p, n)) != 0 ||
	    (rc = split(k, secret_view(&octets), &info, prf)) != 0)
		goto out;
out:
	if (rc != 0)
		ike_keys_free(k);
	secret_free(&octets);
	return rc;
}

int
keymat_ike(struct ike_keys *k, const struct ike_chosen *c, const struct ike_keymat_input *in)
{
	struct secret skeyseed = { 0 }, nonces = { 0 };
	size_t n = prf_len(c->prf);
	struct wr w;
	int rc;

	if (n == 0)
		return ERR_UNSUPPORTED;
	if ((rc = secret_new(&skeyseed, n)) != 0 ||
	    (rc = secret_new(&nonces, in->ni.n + in->nr.n)) != 0)
		goto out;
	w = wr_fixed(nonces.p, nonces.n);
	wr_put(&w, in->ni);
	wr_put(&w, in->nr);
	if ((rc = prf_compute(c->prf, secret_view(&nonces), &in->shared, 1, skeyseed.p)) == 0)
		rc = expand(k, c, in, secret_view(&skeyseed));
out:
	secret_free(&skeyseed);
	secret_free(&nonces);
	return rc;
}

int
keymat_ike_rekey(struct ike_keys *k, const struct ike_chosen *c, const struct ike_keymat_input *in,
    uint16_t old_prf, struct bytes old_sk_d)
{
	struct secret skeyseed = { 0 };
	struct bytes parts[] = { in->shared, in->ni, in->nr };
	size_t n = prf_len(old_prf);
	int rc;

	if (n == 0 || prf_len(c->prf) == 0)
		return ERR_UNSUPPORTED;
	if ((rc = secret_new(&skeyseed, n)) != 0)
		return rc;
	if ((rc = prf_compute(old_prf, old_sk_d, parts, 3, skeyseed.p)) == 0)
		rc = expand(k, c, in, secret_view(&skeyseed));
	secret_free(&skeyseed);
	return rc;
}

int
keymat_child(struct secret *i2r, struct secret *r2i, const struct esp_transform *t,
    const struct child_keymat_input *in)
{
	struct secret octets = { 0 };
	struct bytes seed[] = { in->shared, in->ni, in->nr };
	size_t encr, integ, n;
	struct rd r;
	int rc;

	secret_free(i2r);
	secret_free(r2i);
	if ((rc = esp_transform_lengths(t, &encr, &integ)) != 0)
		return rc;
	n = encr + integ;
	if ((rc = secret_new(&octets, 2 * n)) != 0 ||
	    (rc = prf_plus(in->prf, in->sk_d, seed, 3, octets.p, 2 * n)) != 0)
		goto out;
	r = rd_open(secret_view(&octets));
	if ((rc = take(&r, i2r, n)) != 0 || (rc = take(&r, r2i, n)) != 0)
		goto out;
out:
	if (rc != 0) {
		secret_free(i2r);
		secret_free(r2i);
	}
	secret_free(&octets);
	return rc;
}
