/* SPDX-License-Identifier: ISC */
/* CMS SignedData with attached content: the envelope of the NVA document. RFC 5652. */
#ifndef CRYPTO_CMS_H
#define CRYPTO_CMS_H

#include "base/bytes.h"
#include "base/err.h"

/* Extended key usage that a signer of NVA documents must have; checked by cms_verify(). An OID
 * from a UUID (ITU-T X.667), which needs no registry. */
#define NVA_EKU_OID "2.25.125917240518289071537230032361194637902"

struct cms_signer {
	char identity[300];      /* first "dns:.." or "uri:.." alternative name, else "dn:.." */
	int64_t signed_at;       /* signingTime, seconds since 1970; 0 if absent */
	int64_t not_after;       /* of its certificate */
};
#define CMS_SIGNERS_MAX 8

/*
 * Verify DER or PEM CMS SignedData. The signer's certificate must be inside, chain to an anchor
 * in the PEM file `anchors` at `now`, hold NVA_EKU_OID, and sign with signed attributes
 * (contentType, messageDigest) by ECDSA or RSA >= 2048 over SHA-256/384/512. Every SignerInfo
 * must verify; they are listed in signers[] (distinct certificates only). Gives the content,
 * owned by the caller. Nothing of the content is looked at before. ERR_SYNTAX (no CMS, or
 * content missing), ERR_AUTH, ERR_EXPIRED.
 */
int cms_verify(struct bytes in, const char *anchors, int64_t now, struct blob *content,
    struct cms_signer signers[static CMS_SIGNERS_MAX], size_t *n_signers, const char **why);

/* Sign: PEM certificate file (chain after it), private key file or store URI; DER out. The signing
 * time is taken from the clock. */
int cms_sign(struct bytes content, const char *cert_path, const char *key_uri, struct blob *out,
    const char **why);

/* Would a verifier take what this certificate (PEM file) signs: digital signatures, NVA_EKU_OID? 0,
 * ERR_AUTH, or what reading the file gives; with the reason. */
int cms_signer_fits(const char *cert_path, const char **why);

#endif
