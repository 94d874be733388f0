/* SPDX-License-Identifier: ISC */
/* The suites of a daemon without configuration, and what makes a suite sound. */
#include "ike/proposal.h"

#define SLOTS IKE_TRANSFORMS_MAX

/* The order of RFC 8247's recommendations, elliptic curves before modular groups for their speed. */
static const struct ike_suite defaults[] = {
	{
		.encr = { { ENCR_AES_GCM_16, 256 }, { ENCR_AES_GCM_16, 128 },
		    { ENCR_CHACHA20_POLY1305, 0 } },
		.prf = { PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512 },
		.ke = { KE_CURVE25519, KE_ECP256, KE_ECP384, KE_MODP2048 },
	}, {
		.encr = { { ENCR_AES_CBC, 256 }, { ENCR_AES_CBC, 128 } },
		.prf = { PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384, PRF_HMAC_SHA2_512 },
		.integ = { INTEG_HMAC_SHA2_256_128, INTEG_HMAC_SHA2_384_192,
		    INTEG_HMAC_SHA2_512_256 },
		.ke = { KE_CURVE25519, KE_ECP256, KE_ECP384, KE_MODP2048 },
	},
};

#define DEFAULTS (sizeof defaults / sizeof defaults[0])
_Static_assert(DEFAULTS <= IKE_PROPOSALS_MAX, "more default suites than a configuration holds");

size_t
ike_default_suites(struct ike_suite suites[static IKE_PROPOSALS_MAX])
{
	memcpy(suites, defaults, sizeof defaults);
	return DEFAULTS;
}

/* Every cipher of the suite goes with every integrity algorithm of it. */
static bool
ciphers_ok(const struct ike_suite *s)
{
	struct ike_cipher_info info;
	size_t i, k;

	if (s->encr[0].id == 0)
		return false;
	for (i = 0; i < SLOTS && s->encr[i].id != 0; i++)
		for (k = 0; k == 0 || (k < SLOTS && s->integ[k] != 0); k++)
			if (ike_cipher_info(s->encr[i].id, s->encr[i].key_bits, s->integ[k],
			    &info) != 0)
				return false;
	return true;
}

static bool
all_known(const uint16_t *ids, size_t (*len)(uint16_t))
{
	size_t i;

	for (i = 0; i < SLOTS && ids[i] != 0; i++)
		if (len(ids[i]) == 0)
			return false;
	return i != 0;
}

int
ike_suite_check(const struct ike_suite *s)
{
	return ciphers_ok(s) && all_known(s->prf, prf_len) && all_known(s->ke, ke_public_len) ?
	    OK : ERR_VALUE;
}

bool
ike_offer_has_ke(const struct ike_offer *offer, uint16_t group)
{
	size_t i, k;

	for (i = 0; i < offer->n_suites; i++)
		for (k = 0; k < SLOTS && offer->suites[i].ke[k] != 0; k++)
			if (offer->suites[i].ke[k] == group)
				return true;
	return false;
}
