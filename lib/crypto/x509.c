/* SPDX-License-Identifier: ISC */
/*
 * Certificates are taken apart here, and not made into OpenSSL's X509, which decodes the public key
 * by way of all decoders of all providers each time: that takes twice as long as the signature
 * check. OpenSSL still reads the names.
 */
#include <stdlib.h>

#include "crypto/der.h"
#include "crypto/x509_int.h"

#define X509_DER_MAX (64u * 1024)

static X509_NAME *
take_name(struct rd *r, struct bytes *der)
{
	const unsigned char *p;
	X509_NAME *name;

	*der = der_take_whole(r, DER_SEQUENCE);
	p = der->p;
	name = rd_ok(r) ? d2i_X509_NAME(NULL, &p, (long)der->n) : NULL;
	if (name == NULL)
		rd_fail(r);
	return name;
}

/* A BIT STRING of no use. */
static void
skip_unique_id(struct rd *r, uint8_t tag)
{
	struct rd bits;

	if (!der_next_is(r, tag))
		return;
	bits = der_open(r, tag);
	if (rd_u8(&bits) > 7 || !rd_ok(&bits))
		rd_fail(r);
}

/* TBSCertificate, RFC 5280 section 4.1. */
static int
read_tbs(struct x509 *x)
{
	struct rd r = rd_open(x->tbs), tbs = der_open(&r, DER_SEQUENCE), validity, field;
	struct bytes inner_alg, issuer, extensions = { NULL, 0 };
	uint32_t version = 0;

	if (der_next_is(&tbs, DER_CONTEXT_0)) {
		field = der_open(&tbs, DER_CONTEXT_0);
		version = der_u16(&field);
		if (!rd_end(&field))
			return ERR_SYNTAX;
	}
	x->serial = der_integer(&tbs);
	inner_alg = der_take_whole(&tbs, DER_SEQUENCE);
	x->issuer_name = take_name(&tbs, &issuer);
	validity = der_open(&tbs, DER_SEQUENCE);
	x->not_before = der_time(&validity);
	x->not_after = der_time(&validity);
	x->subject_name = take_name(&tbs, &x->subject);
	x->spki = der_take_whole(&tbs, DER_SEQUENCE);
	if (!rd_end(&validity) || !rd_ok(&tbs) || !bytes_equal(inner_alg, x->sig_alg))
		return ERR_SYNTAX;
	skip_unique_id(&tbs, DER_CONTEXT_1_BITS);
	skip_unique_id(&tbs, DER_CONTEXT_2_BITS);
	if (version == 2 && der_next_is(&tbs, DER_CONTEXT_0 + 3)) {
		field = der_open(&tbs, DER_CONTEXT_0 + 3);
		extensions = der_take(&field, DER_SEQUENCE);
		if (!rd_end(&field))
			return ERR_SYNTAX;
	}
	if (!rd_end(&tbs) || version > 2)
		return ERR_SYNTAX;
	x509_read_extensions(x, extensions);
	return 0;
}

static int
read_certificate(struct x509 *x)
{
	struct rd r = rd_open(blob_view(&x->der)), cert = der_open(&r, DER_SEQUENCE);
	struct sig_alg alg;
	int rc;

	x->tbs = der_take_whole(&cert, DER_SEQUENCE);
	x->sig_alg = der_take_whole(&cert, DER_SEQUENCE);
	x->signature = der_bits(&cert);
	if (!rd_end(&cert) || !rd_end(&r) || sig_alg_read(x->sig_alg, &alg) == ERR_SYNTAX)
		return ERR_SYNTAX;
	if ((rc = read_tbs(x)) != 0)
		return rc;
	rc = pubkey_read(&x->key, x->spki);
	return rc == ERR_UNSUPPORTED ? 0 : rc;
}

int
x509_from_der(struct x509 **out, struct bytes der)
{
	struct x509 *x;
	int r;

	*out = NULL;
	if (der.n > X509_DER_MAX)
		return ERR_SYNTAX;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return ERR_NOMEM;
	if ((r = blob_copy(&x->der, der)) != 0 || (r = read_certificate(x)) != 0)
		goto out;
	*out = x;
	x = NULL;
out:
	errors_drop();
	x509_free(x);
	return r;
}

X509 *
x509_to_openssl(const struct x509 *x)
{
	const unsigned char *p = x->der.p;

	return d2i_X509(NULL, &p, (long)x->der.n);
}

int
x509_from_openssl(struct x509 **out, X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der), r;

	*out = NULL;
	if (n <= 0)
		return ERR_SYNTAX;
	r = x509_from_der(out, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return r;
}

void
x509_free(struct x509 *x)
{
	if (x == NULL)
		return;
	X509_NAME_free(x->issuer_name);
	X509_NAME_free(x->subject_name);
	GENERAL_NAMES_free(x->alt_names);
	GENERAL_NAMES_free(x->issuer_issuer);
	NAME_CONSTRAINTS_free(x->name_constraints);
	pubkey_free(x->key);
	blob_free(&x->der);
	free(x);
}

struct bytes
x509_der(const struct x509 *x)
{
	return blob_view(&x->der);
}

struct bytes
x509_subject_der(const struct x509 *x)
{
	return x->subject;
}

int64_t
x509_not_before(const struct x509 *x)
{
	return x->not_before;
}

int64_t
x509_not_after(const struct x509 *x)
{
	return x->not_after;
}

void
x509_spki_sha1(const struct x509 *x, uint8_t out[static 20])
{
	if (md_compute(MD_SHA1, &x->spki, 1, out) != 0)
		memset(out, 0, SHA1_LEN);
}
