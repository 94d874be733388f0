/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto only: the extensions of the certificates that labpki.c makes. */
#ifndef CRYPTO_LABPKI_INT_H
#define CRYPTO_LABPKI_INT_H

#include "crypto/cms.h"
#include "crypto/labpki.h"
#include "crypto/x509_int.h"

/* Add what the kind and the request ask for; the public key must be set. issuer NULL: self-signed.
 * ERR_VALUE: a bad subjectAltName. ERR_NOMEM, ERR_CRYPTO. */
int pki_put_extensions(X509 *, const struct pki_request *, X509 *issuer);

#endif
