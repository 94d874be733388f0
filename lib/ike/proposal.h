/* SPDX-License-Identifier: ISC */
/*
 * Offering, choosing and checking cryptographic suites: RFC 7296 sections 2.7 and 3.3, RFC 5282
 * section 8 (AEAD), RFC 7634, RFC 4304 (ESN). The wire form is read by payload.h.
 */
#ifndef IKE_PROPOSAL_H
#define IKE_PROPOSAL_H

#include "base/sa.h"
#include "ike/ike.h"
#include "ike/payload.h"

/* What both sides agreed upon. */
struct ike_chosen {
	uint8_t number;          /* of the proposal it came from */
	uint16_t encr;           /* IANA transform ids, see crypto.h and params.h */
	uint16_t key_bits;       /* 0 where the cipher has one key length only */
	uint16_t prf;            /* IKE only */
	uint16_t integ;          /* 0 = NONE, with AEAD */
	uint16_t ke;             /* 0 = none (ESP without a key exchange of its own) */
	bool esn;                /* ESP only */
	bool integ_none;         /* the offer spelled NONE out, and so must the answer */
	bool ke_none;
	uint64_t spi;            /* of that proposal's sender, host order; 0 if it has none */
};

/*
 * The suites that a daemon without configuration uses: AES-GCM-16-256, -128 and ChaCha20-Poly1305
 * with PRF HMAC-SHA2-256, -384, -512 and groups 31, 19, 20, 14; then AES-CBC-256, -128 with
 * HMAC-SHA2. Returns how many of the IKE_PROPOSALS_MAX were set.
 */
size_t ike_default_suites(struct ike_suite suites[static IKE_PROPOSALS_MAX]);

/* What we offer or accept for an IKE SA: suites in order of preference. */
struct ike_offer {
	const struct ike_suite *suites;
	size_t n_suites;
	size_t spi_len;          /* 0 in IKE_SA_INIT, 8 when an IKE SA is rekeyed */
};

/* Likewise for a Child SA; groups for a key exchange of its own (none in IKE_AUTH). */
struct esp_offer {
	const struct esp_transform *transforms;
	size_t n_transforms;
	const uint16_t *ke;
	size_t n_ke;
};

/*
 * For configurations: at least one cipher, PRF and group; integrity exactly when the ciphers are no
 * AEADs, which must not be mixed with others; only algorithms that lib/crypto has. ERR_VALUE.
 */
int ike_suite_check(const struct ike_suite *);

/* ---- writing an SA payload ---- */

/* One proposal per suite, numbered from 1; the SPI is left out when spi_len is 0. */
void proposal_write_ike(struct ike_out *, const struct ike_offer *, uint64_t spi);
/* One proposal per transform, numbered from 1; neighbours that differ in ESN only share one. */
void proposal_write_esp(struct ike_out *, const struct esp_offer *, uint32_t spi);
/* The answer: the one proposal that was chosen, under its number, with our SPI. */
/* spi 0: no SPI, as in IKE_SA_INIT. */
void proposal_write_chosen_ike(struct ike_out *, const struct ike_chosen *, uint64_t spi);
void proposal_write_chosen_esp(struct ike_out *, const struct ike_chosen *, uint32_t spi);

/* ---- responder ---- */

/*
 * Choose by our preference: our suites in their order, within one its alternatives in their order.
 * A group equal to prefer_ke (the KE payload that came along; 0 = none) goes before the others of
 * the suite, which saves a round trip. Proposals with an unknown transform type, with a wrong SPI
 * size or of another protocol are passed over, likewise transforms with an unknown attribute or a
 * key length that is missing or out of place. ERR_NOTFOUND: NO_PROPOSAL_CHOSEN.
 */
int proposal_choose_ike(struct ike_chosen *, const struct ike_sa_payload *,
    const struct ike_offer *, uint16_t prefer_ke);
/*
 * Likewise for ESP (SPI of 4 octets, not 0). Without groups of ours a proposal must allow KE NONE.
 */
int proposal_choose_esp(struct ike_chosen *, const struct ike_sa_payload *,
    const struct esp_offer *, uint16_t prefer_ke);

/* ---- initiator ---- */

/*
 * The response holds exactly one proposal, with one transform of each type needed and no other,
 * and all of it from the proposal of ours with that number; ERR_PROTO if not. Section 3.3.6.
 */
int proposal_check_ike(struct ike_chosen *, const struct ike_sa_payload *,
    const struct ike_offer *);
int proposal_check_esp(struct ike_chosen *, const struct ike_sa_payload *,
    const struct esp_offer *);

/* ---- names ---- */

/* The group is in one of our suites: after INVALID_KE_PAYLOAD. */
bool ike_offer_has_ke(const struct ike_offer *, uint16_t group);
/* The data-plane half of an ESP choice. */
struct esp_transform chosen_esp(const struct ike_chosen *);
/* "aes256gcm16-prfsha256-x25519", "aes256-sha256-prfsha256-ecp256"; the buffer is returned. */
#define IKE_SUITE_STRLEN 80
const char *ike_chosen_name(const struct ike_chosen *, char buf[static IKE_SUITE_STRLEN]);

#endif
