/* SPDX-License-Identifier: ISC */
/* Making keys and certificates for a lab or a first fleet (overlock lab init). */
#ifndef CRYPTO_LABPKI_H
#define CRYPTO_LABPKI_H

#include "crypto/sign.h"
#include "base/err.h"

enum pki_kind {
	PKI_ROOT,
	PKI_INTERMEDIATE,            /* no further CA below it */
	PKI_DEVICE,
	PKI_NVA_SIGNER,
	PKI_TLS_SERVER,
	PKI_TLS_CLIENT,
};

struct pki_request {
	enum pki_kind kind;
	enum key_type type;          /* KEY_RSA makes 3072 bits */
	const char *cn;
	/* "dns:..", "uri:..", "ip:..", "email:.."; NULL-terminated, may be NULL. */
	const char *const *sans;
	int64_t not_before, not_after;   /* seconds since 1970 */
	const char *issuer_cert;     /* PEM files; NULL: self-signed */
	const char *issuer_key;
};

/*
 * Make a key (PEM, mode 0600, unencrypted PKCS#8) and a certificate (PEM, mode 0644; the issuer's
 * chain appended unless the issuer is self-signed). Existing files are not overwritten: ERR_EXISTS.
 */
int pki_issue(const struct pki_request *, const char *key_path, const char *cert_path,
    const char **why);

#endif
