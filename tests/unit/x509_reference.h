/* SPDX-License-Identifier: ISC */
/*
 * What OpenSSL says of the certificate paths that lib/crypto accepts. lib/crypto takes certificates
 * apart by itself, because of OpenSSL's cost; it may refuse more than OpenSSL, never accept more.
 */
#ifndef TESTS_UNIT_X509_REFERENCE_H
#define TESTS_UNIT_X509_REFERENCE_H

#include "crypto/x509_int.h"

/* 112 bits: no SHA-1, no RSA below 2048 bits. */
#define REFERENCE_LEVEL 2

/* One certificate from its octets, all of them. NULL: OpenSSL cannot read it. */
static inline X509 *
reference_read(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (x != NULL && p != der.p + der.n) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

/* The one difference: a certificate is valid in the second of notAfter (RFC 5280 section 4.1.2.5),
 * which OpenSSL's comparison takes for one after it. */
static inline int
reference_last_second(int ok, X509_STORE_CTX *ctx)
{
	const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	time_t now = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx));

	if (ok == 1 || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_CERT_HAS_EXPIRED || x == NULL ||
	    ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), now) != 0)
		return ok;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/*
 * X509_verify_cert() of certs[0], with the others of the n as untrusted issuers and the anchors as
 * trusted ones, self-signed or not: X509_V_OK or its error. X509_V_ERR_UNSPECIFIED if it cannot
 * even read one of them. flags: X509_V_FLAG_X509_STRICT, X509_V_FLAG_TRUSTED_FIRST or none.
 */
static inline int
reference_verify(const struct bytes *certs, size_t n, const struct bytes *anchors,
    size_t n_anchors, int64_t now, unsigned long flags)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	X509 *leaf = reference_read(certs[0]), *x;
	int error = X509_V_ERR_UNSPECIFIED;
	size_t i;

	if (store == NULL || ctx == NULL || untrusted == NULL || leaf == NULL)
		goto out;
	for (i = 0; i < n_anchors; i++) {
		if ((x = reference_read(anchors[i])) == NULL)
			goto out;
		X509_STORE_add_cert(store, x);
		X509_free(x);
	}
	for (i = 1; i < n; i++)
		if ((x = reference_read(certs[i])) == NULL || sk_X509_push(untrusted, x) <= 0)
			goto out;
	if (X509_STORE_CTX_init(ctx, store, leaf, untrusted) != 1)
		goto out;
	X509_VERIFY_PARAM_clear_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_TRUSTED_FIRST);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN | flags);
	X509_STORE_CTX_set_time(ctx, 0, (time_t)now);
	X509_STORE_CTX_set_verify_cb(ctx, reference_last_second);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), REFERENCE_LEVEL);
	error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	if (X509_STORE_CTX_get_error(ctx) != X509_V_OK)
		error = X509_STORE_CTX_get_error(ctx);
out:
	X509_STORE_CTX_free(ctx);
	X509_free(leaf);
	sk_X509_pop_free(untrusted, X509_free);
	X509_STORE_free(store);
	ERR_clear_error();
	return error;
}

/*
 * The same of a path that x509_path_find() accepted: these certificates, this anchor, no others.
 * OpenSSL chooses an issuer by its name before it tries the signature, and never goes back; where
 * several have one name it may be right in one order of search only, so it gets both.
 */
static inline int
reference_verify_path(const struct x509_path *path, int64_t now, unsigned long flags)
{
	struct bytes ders[CHAIN_MAX + 1];
	size_t i;
	int error;

	for (i = 0; i < path->n; i++)
		ders[i] = x509_der(path->cert[i]);
	error = reference_verify(ders, path->n - 1, &ders[path->n - 1], 1, now,
	    X509_V_FLAG_TRUSTED_FIRST | flags);
	return error == X509_V_OK ? error :
	    reference_verify(ders, path->n - 1, &ders[path->n - 1], 1, now, flags);
}

/*
 * Errors of the strict mode that are no reason to refuse a path. They are about the profile that
 * the issuer should have kept to (RFC 5280 section 4), not about path validation (section 6).
 */
static inline const char *
reference_strict_reason(int error)
{
	switch (error) {
	case X509_V_OK:
		return "accepted";
	case X509_V_ERR_CA_BCONS_NOT_CRITICAL:
		return "basicConstraints is obeyed, critical or not";
	case X509_V_ERR_CA_CERT_MISSING_KEY_USAGE:
		return "section 6.1.4 (n): judged if present";
	case X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA:
	case X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN:
		return "a path length where none can follow restricts nothing";
	case X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA:
		return "without basicConstraints it issues nothing, whatever its keyUsage";
	case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
	case X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER:
		return "key identifiers help to find an issuer, its key's signature proves it";
	case X509_V_ERR_ISSUER_NAME_EMPTY:
	case X509_V_ERR_SUBJECT_NAME_EMPTY:
		return "names are compared, empty or not, and prove nothing";
	case X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL:
	case X509_V_ERR_EMPTY_SUBJECT_ALT_NAME:
		return "identities are what subjectAltName holds, critical or not; none is none";
	default:
		return NULL;
	}
}

#endif
