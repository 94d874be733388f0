/* SPDX-License-Identifier: ISC */
#include "ike/authdata.h"

#include "base/wr.h"
#include "crypto/crypto.h"
#include "ike/msg.h"

#define PRF_MAX 64u

/* Signing anything but an IKE_SA_INIT message could be turned against some other protocol. */
static bool
is_sa_init(struct bytes message)
{
	struct ike_header h;

	return header_read(&h, message) == 0 && h.exchange == EX_IKE_SA_INIT && h.message_id == 0;
}

int
authdata_octets(const struct ike_auth_input *in, struct blob *octets)
{
	uint8_t id[4] = { in->id_type }, maced[PRF_MAX];
	struct bytes parts[] = { bytes_of(id, sizeof id), in->id_data };
	size_t n = prf_len(in->prf);
	struct wr w;
	int rc;

	if (n == 0 || n > sizeof maced)
		return ERR_UNSUPPORTED;
	if (!is_sa_init(in->message) || in->nonce.n < NONCE_MIN || in->nonce.n > NONCE_MAX ||
	    in->sk_p.n != n)
		return ERR_VALUE;
	if ((rc = prf_compute(in->prf, in->sk_p, parts, 2, maced)) != 0)
		return rc;
	w = wr_grow(in->message.n + in->nonce.n + n);
	wr_put(&w, in->message);
	wr_put(&w, in->nonce);
	wr_put(&w, bytes_of(maced, n));
	rc = w.bad ? ERR_NOMEM : wr_take(&w, octets);
	wr_free(&w);
	wipe(maced, sizeof maced);
	return rc;
}
