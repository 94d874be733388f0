/* SPDX-License-Identifier: ISC */
/*
 * Keying material: RFC 7296 sections 2.13, 2.14, 2.17 and 2.18. All results are secrets that the
 * caller frees.
 */
#ifndef IKE_KEYMAT_H
#define IKE_KEYMAT_H

#include "base/sa.h"
#include "ike/proposal.h"

/*
 * The seven keys of an IKE SA. ei and er hold the AEAD salt behind the key; ai and ar are empty
 * with AEAD.
 */
struct ike_keys {
	struct secret d, ai, ar, ei, er, pi, pr;
};
void ike_keys_free(struct ike_keys *);           /* wipes; fine on a zeroed one */

/* What both SKEYSEEDs and prf+ are fed with. */
struct ike_keymat_input {
	struct bytes ni, nr;     /* nonces, without payload header */
	uint64_t spi_i, spi_r;   /* of the new IKE SA */
	struct bytes shared;     /* g^ir of the (new) key exchange */
};

/*
 * A fresh IKE SA: SKEYSEED = prf(Ni | Nr, g^ir), then {SK_d | SK_ai | SK_ar | SK_ei | SK_er |
 * SK_pi | SK_pr} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr). `keys` is freed first. ERR_UNSUPPORTED,
 * ERR_NOMEM, ERR_CRYPTO.
 */
int keymat_ike(struct ike_keys *keys, const struct ike_chosen *, const struct ike_keymat_input *);
/*
 * A rekeyed one: SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr) under the old SA's PRF. Section
 * 2.18.
 */
int keymat_ike_rekey(struct ike_keys *keys, const struct ike_chosen *,
    const struct ike_keymat_input *, uint16_t old_prf, struct bytes old_sk_d);

/*
 * Keys of a Child SA, KEYMAT = prf+(SK_d, [g^ir] | Ni | Nr): the SA that carries data from
 * initiator to responder (of the exchange that made the Child SA) first, in each the cipher's key
 * and salt, then the integrity key: as struct sa_params wants them. `shared` is empty without a
 * key exchange of its own.
 */
struct child_keymat_input {
	uint16_t prf;            /* the IKE SA's */
	struct bytes sk_d;
	struct bytes ni, nr;     /* of the exchange that makes the Child SA */
	struct bytes shared;
};
int keymat_child(struct secret *i2r, struct secret *r2i, const struct esp_transform *,
    const struct child_keymat_input *);

#endif
