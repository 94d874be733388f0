/* SPDX-License-Identifier: ISC */
/* Between a certificate and the ID payload: RFC 7296 section 3.5, RFC 4945 section 3.1. */
#ifndef IKEV2D_IDENTITY_H
#define IKEV2D_IDENTITY_H

#include "crypto/x509.h"

/*
 * The ID that we go by: the first dNSName, else IP address, else e-mail address of the certificate,
 * else its subject. 0, ERR_VALUE (a certificate without any of them), ERR_NOMEM.
 */
int identity_of(const struct x509 *, uint8_t *id_type, struct blob *id_data);

/*
 * Does the ID payload say nothing but what the certificate says? ids: the certificate's, from
 * x509_identities(). *text is the ID in the NVA document's form ("dns:nve-2.dc1.example"). 0 or
 * ERR_AUTH.
 */
int identity_fits(const struct x509 *, char (*ids)[X509_IDENTITY_MAX], size_t n_ids,
    uint8_t id_type, struct bytes id_data, char text[static X509_IDENTITY_MAX]);

#endif
