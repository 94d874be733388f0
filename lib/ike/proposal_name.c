/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "ike/proposal.h"

struct word {
	uint16_t id;
	const char *text;
};

static const struct word prfs[] = {
	{ PRF_HMAC_SHA1, "prfsha1" },
	{ PRF_HMAC_SHA2_256, "prfsha256" },
	{ PRF_HMAC_SHA2_384, "prfsha384" },
	{ PRF_HMAC_SHA2_512, "prfsha512" },
	{ 0, NULL },
};

static const struct word groups[] = {
	{ KE_MODP2048, "modp2048" },
	{ KE_ECP256, "ecp256" },
	{ KE_ECP384, "ecp384" },
	{ KE_CURVE25519, "x25519" },
	{ 0, NULL },
};

static const char *
word(const struct word *w, uint16_t id)
{
	for (; w->text != NULL; w++)
		if (w->id == id)
			return w->text;
	return NULL;
}

struct esp_transform
chosen_esp(const struct ike_chosen *c)
{
	struct esp_transform t = {
		.encr = c->encr, .key_bits = c->key_bits, .integ = c->integ, .esn = c->esn,
	};

	return t;
}

/* Ciphers have the same names in IKE and in ESP. */
const char *
ike_chosen_name(const struct ike_chosen *c, char buf[static IKE_SUITE_STRLEN])
{
	struct esp_transform cipher = chosen_esp(c);
	char name[48];
	const char *encr = esp_transform_name(&cipher, name);
	const char *prf = word(prfs, c->prf), *group = word(groups, c->ke);

	(void)snprintf(buf, IKE_SUITE_STRLEN, "%s%s%s%s%s", encr != NULL ? encr : "unknown",
	    prf != NULL ? "-" : "", prf != NULL ? prf : "", group != NULL ? "-" : "",
	    group != NULL ? group : "");
	return buf;
}
