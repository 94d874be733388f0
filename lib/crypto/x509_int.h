/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto only: what a certificate is made of. */
#ifndef CRYPTO_X509_INT_H
#define CRYPTO_X509_INT_H

#include "crypto/sigalg.h"
#include "crypto/x509.h"

/* Key usage bits, RFC 5280 section 4.2.1.3, counted from the most significant of 16. */
#define USAGE_DIGITAL_SIGNATURE 0x8000u
#define USAGE_CERT_SIGN         0x0400u
#define USAGE_ANY               0xffffu

#define EKU_ANY         "2.5.29.37.0"
#define EKU_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define EKU_CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define EKU_IPSEC_IKE   "1.3.6.1.5.5.7.3.17"

struct x509 {
	struct blob der;
	/* Views into der: whole elements, but of serial and signature only the octets. */
	struct bytes tbs, serial, subject, spki, sig_alg, signature;
	int64_t not_before, not_after;
	struct pubkey *key;          /* NULL: a kind of key that we do not take */
	X509_NAME *issuer_name, *subject_name;
	/* Extensions; views too, empty where there is none. */
	bool ca;
	int path_len;                /* -1: unlimited */
	uint16_t usage;              /* USAGE_ANY if absent */
	struct bytes eku;            /* content of the SEQUENCE: OIDs */
	struct bytes key_id, issuer_key_id;      /* p == NULL if absent; they may be empty */
	struct bytes issuer_serial;  /* p == NULL if absent */
	GENERAL_NAMES *issuer_issuer;            /* NULL if absent, and so are these */
	GENERAL_NAMES *alt_names;
	NAME_CONSTRAINTS *name_constraints;
	bool bad_extension;          /* malformed, twice there, or not to be ignored */
};

/* Read the Extensions (the content of the SEQUENCE) of a certificate into *x. Errors only set
 * bad_extension. */
void x509_read_extensions(struct x509 *x, struct bytes extensions);

/* OpenSSL's form, key included: slow to make. NULL if it does not like it. The caller's to free. */
X509 *x509_to_openssl(const struct x509 *);
/* And back from it. */
int x509_from_openssl(struct x509 **, X509 *);

/* Certificates of a PEM file, in order. *n is the room in out[], then how many there were.
 * ERR_IO, ERR_SYNTAX (also: none), ERR_SPACE. */
int x509_read_pem(const char *path, struct x509 **out, size_t *n, const char **why);

#define ANCHORS_MAX 64

struct x509_store {
	struct x509 *anchor[ANCHORS_MAX];
	size_t n;
};

/* A path that x509_path_find() found: leaf first, anchor last. All borrowed. */
struct x509_path {
	const struct x509 *cert[CHAIN_MAX + 1];
	size_t n;
};

/*
 * Find the path from certs[0] through any of the others to an anchor, and validate it at `now`
 * after RFC 5280 section 6.1 (certificate policies are not used). The leaf's own usage is the
 * caller's to check. ERR_AUTH, ERR_EXPIRED; *why is a static text.
 */
int x509_path_find(const struct x509_store *, struct x509 *const *certs, size_t n, int64_t now,
    struct x509_path *, const char **why);
/* The leaf is no CA, its keyUsage, if there, has digitalSignature, and we take its kind of key. */
bool x509_leaf_signs(const struct x509 *, const char **why);
/* Does the extendedKeyUsage name this dotted OID? False also if there is none. */
bool x509_has_eku(const struct x509 *, const char *oid);

#endif
