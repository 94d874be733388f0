/* SPDX-License-Identifier: ISC */
/* Certificates: chains to a trust anchor, subject alternative names. RFC 5280, RFC 4945. */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "base/bytes.h"
#include "base/err.h"

struct x509;
struct x509_store;     /* trust anchors */

#define CHAIN_MAX 8

/* From DER. ERR_SYNTAX. Trailing octets are an error. */
int x509_from_der(struct x509 **, struct bytes der);
/* First certificate is the leaf. PEM file with 1..CHAIN_MAX certificates. *n is set. ERR_IO,
 * ERR_SYNTAX, ERR_SPACE (too many). */
int x509_load_chain(const char *path, struct x509 *chain[static CHAIN_MAX], size_t *n);
void x509_free(struct x509 *);
/* DER of the certificate, borrowed for its lifetime. */
struct bytes x509_der(const struct x509 *);
/* Subject as DER Name (ID_DER_ASN1_DN), borrowed. */
struct bytes x509_subject_der(const struct x509 *);
/* Subject in RFC 2253 text, for people. Buffer is returned. */
const char *x509_subject(const struct x509 *, char *buf, size_t cap);
int64_t x509_not_before(const struct x509 *);    /* seconds since 1970 */
int64_t x509_not_after(const struct x509 *);
/* SHA-1 of SubjectPublicKeyInfo, as CERTREQ wants it for trust anchors (RFC 7296 section 3.7). */
void x509_spki_sha1(const struct x509 *, uint8_t out[static 20]);

/* Trust anchors from a PEM file (1..64): certificates of CAs, basicConstraints included,
 * self-signed or not. ERR_IO, ERR_SYNTAX, ERR_SPACE, ERR_VALUE, ERR_UNSUPPORTED; *why is a
 * static text. */
int x509_store_load(struct x509_store **, const char *path, const char **why);
void x509_store_free(struct x509_store *);
/* Concatenated SPKI SHA-1 hashes of the anchors, the body of a CERTREQ. */
int x509_store_certreq(const struct x509_store *, struct blob *);
/*
 * Does the chain (leaf first; the rest untrusted intermediates) lead to an anchor at `now`
 * (seconds since 1970)? Leaf must not be a CA, must allow digitalSignature if keyUsage is there,
 * and its EKU, if there, must hold one of ipsecIKE (1.3.6.1.5.5.7.3.17), serverAuth/clientAuth,
 * any, per RFC 4945. Keys: RSA of 2048 to 8192 bits, EC P-256, P-384, P-521, Ed25519; signatures
 * over SHA-2 or Ed25519. Certificates that are not on the path do no harm. ERR_SYNTAX,
 * ERR_EXPIRED, ERR_AUTH; *why is a static text. *leaf (the caller's to free) only on success.
 */
int x509_verify_chain(const struct x509_store *, const struct bytes *ders, size_t n, int64_t now,
    struct x509 **leaf, const char **why);

/*
 * Identities of a certificate, in the NVA document's form: "dns:nve-1.dc1.example",
 * "uri:spiffe://..", "ip:192.0.2.1", "email:..", "dn:<RFC 2253>". Only subjectAltName entries
 * and the subject DN; the CN is never an identity. Strings with NUL, control or non-ASCII
 * octets, and those too long, are left out. DNS names are given in lower case. At most max; *n
 * is set. 0 or ERR_SYNTAX.
 */
#define X509_IDENTITY_MAX 300
int x509_identities(const struct x509 *, char (*out)[X509_IDENTITY_MAX], size_t max, size_t *n);

#endif
