/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL reads the structure and checks the signatures; which certificate may have made them is
 * judged here, by the same path validation as for peers.
 */
#include <stdio.h>

#include "crypto/cms.h"
#include "crypto/der.h"
#include "crypto/x509_int.h"

#define CMS_CERTS_MAX 32

struct verifier {
	CMS_ContentInfo *cms;
	STACK_OF(X509) *embedded;
	struct x509_store *anchors;
	int64_t now;
	const char **why;
	/* The CAs among the embedded certificates, from [1]; the signer goes to [0]. */
	struct x509 *certs[CHAIN_MAX];
	size_t n_certs;
};

static int
fail(struct verifier *v, int code, const char *why)
{
	*v->why = why;
	return code;
}

/* PEM only if it begins so; nothing but white space may follow. */
static int
read_pem(struct bytes in, CMS_ContentInfo **cms)
{
	BIO *bio = BIO_new_mem_buf(in.p, (int)in.n);
	char *name = NULL, *header = NULL, c;
	unsigned char *der = NULL;
	const unsigned char *p;
	long n = 0;
	int r = ERR_SYNTAX;

	if (bio == NULL || PEM_read_bio(bio, &name, &header, &der, &n) != 1)
		goto out;
	if ((strcmp(name, PEM_STRING_CMS) != 0 && strcmp(name, PEM_STRING_PKCS7) != 0) ||
	    header[0] != '\0')
		goto out;
	while (BIO_read(bio, &c, 1) == 1)
		if (strchr(" \t\r\n", c) == NULL)
			goto out;
	p = der;
	*cms = d2i_CMS_ContentInfo(NULL, &p, n);
	if (*cms != NULL && p == der + n)
		r = 0;
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	return r;
}

static int
read_cms(struct bytes in, CMS_ContentInfo **cms)
{
	static const char begin[] = "-----BEGIN ";
	const unsigned char *p = in.p;

	*cms = NULL;
	if (in.n == 0 || in.n > INT32_MAX)
		return ERR_SYNTAX;
	if (in.n > strlen(begin) && memcmp(in.p, begin, strlen(begin)) == 0)
		return read_pem(in, cms);
	*cms = d2i_CMS_ContentInfo(NULL, &p, (long)in.n);
	return *cms != NULL && p == in.p + in.n ? 0 : ERR_SYNTAX;
}

static int
check_structure(struct verifier *v)
{
	ASN1_OCTET_STRING **content;

	if (OBJ_obj2nid(CMS_get0_type(v->cms)) != NID_pkcs7_signed)
		return fail(v, ERR_SYNTAX, "not CMS SignedData");
	content = CMS_get0_content(v->cms);
	if (content == NULL || *content == NULL)
		return fail(v, ERR_SYNTAX, "the content is not attached");
	if (OBJ_obj2nid(CMS_get0_eContentType(v->cms)) != NID_pkcs7_data)
		return fail(v, ERR_SYNTAX, "the content is not of type id-data");
	return 0;
}

/* Only CAs can be part of a path to an anchor. */
static int
gather_issuers(struct verifier *v)
{
	int i, r;

	v->n_certs = 1;
	if (sk_X509_num(v->embedded) > CMS_CERTS_MAX)
		return fail(v, ERR_SYNTAX, "too many certificates in it");
	for (i = 0; i < sk_X509_num(v->embedded); i++) {
		struct x509 *x;

		if ((r = x509_from_openssl(&x, sk_X509_value(v->embedded, i))) != 0)
			return fail(v, r, "a certificate in it cannot be read");
		if (!x->ca) {
			x509_free(x);
			continue;
		}
		if (v->n_certs == CHAIN_MAX) {
			x509_free(x);
			return fail(v, ERR_SYNTAX, "too many CA certificates in it");
		}
		v->certs[v->n_certs++] = x;
	}
	return 0;
}

/* CMS has rsaEncryption stand for PKCS#1 v1.5 with the digest algorithm: RFC 3370 section 3.2. */
static bool
algorithms_fit(X509_ALGOR *digest, X509_ALGOR *signature, const struct x509 *x)
{
	static const int nids[] = { NID_undef, NID_undef, NID_sha256, NID_sha384, NID_sha512 };
	const ASN1_OBJECT *digest_oid, *signature_oid;
	unsigned char *der = NULL;
	struct sig_alg alg;
	int n, r, nid;

	X509_ALGOR_get0(&digest_oid, NULL, NULL, digest);
	X509_ALGOR_get0(&signature_oid, NULL, NULL, signature);
	nid = OBJ_obj2nid(digest_oid);
	if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512)
		return false;
	if (OBJ_obj2nid(signature_oid) == NID_rsaEncryption)
		return x->key->type == KEY_RSA;
	if ((n = i2d_X509_ALGOR(signature, &der)) <= 0)
		return false;
	r = sig_alg_read(bytes_of(der, (size_t)n), &alg);
	OPENSSL_free(der);
	return r == 0 && alg.kind != SIG_ED25519 && nids[alg.hash] == nid &&
	    (alg.kind == SIG_ECDSA ? ec_size(x->key->type) != 0 : x->key->type == KEY_RSA);
}

/* RFC 5652 section 11: contentType and messageDigest once each, and the former says id-data. */
static bool
attributes_fit(const CMS_SignerInfo *si)
{
	const ASN1_OBJECT *type;

	if (CMS_signed_get_attr_count(si) <= 0)
		return false;
	type = CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_contentType), -3,
	    V_ASN1_OBJECT);
	return type != NULL && OBJ_obj2nid(type) == NID_pkcs7_data &&
	    CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_messageDigest), -3,
	    V_ASN1_OCTET_STRING) != NULL;
}

static int64_t
signing_time(const CMS_SignerInfo *si)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_pkcs9_signingTime);
	const ASN1_TIME *t;
	unsigned char *der = NULL;
	int64_t at = 0;
	struct rd r;
	int n;

	if ((t = CMS_signed_get0_data_by_OBJ(si, oid, -3, V_ASN1_UTCTIME)) == NULL &&
	    (t = CMS_signed_get0_data_by_OBJ(si, oid, -3, V_ASN1_GENERALIZEDTIME)) == NULL)
		return 0;
	if ((n = i2d_ASN1_TIME(t, &der)) > 0) {
		r = rd_open(bytes_of(der, (size_t)n));
		at = der_time(&r);
		if (!rd_end(&r))
			at = 0;
	}
	OPENSSL_free(der);
	return at;
}

/* The name that the document's reader knows the signer by. */
static int
signer_identity(const struct x509 *x, char *out, size_t cap)
{
	char ids[16][X509_IDENTITY_MAX];
	size_t i, n, best;
	int r;

	if ((r = x509_identities(x, ids, 16, &n)) != 0)
		return r;
	for (i = 0, best = n; i < n; i++) {
		bool name = strncmp(ids[i], "dns:", 4) == 0 || strncmp(ids[i], "uri:", 4) == 0;

		if (name || strncmp(ids[i], "dn:", 3) == 0)
			best = i;
		if (name)
			break;
	}
	if (best == n)
		return ERR_AUTH;
	snprintf(out, cap, "%s", ids[best]);
	return 0;
}

static int
check_signer(struct verifier *v, CMS_SignerInfo *si, struct x509 **out, struct cms_signer *signer)
{
	X509_ALGOR *digest, *signature;
	struct x509_path path;
	struct x509 *x;
	X509 *cert = NULL;
	int r;

	*out = NULL;
	if (!attributes_fit(si))
		return fail(v, ERR_AUTH, "a signer without the signed attributes");
	CMS_SignerInfo_get0_algs(si, NULL, &cert, &digest, &signature);
	if (cert == NULL)
		return fail(v, ERR_AUTH, "a signer whose certificate is not in it");
	if ((r = x509_from_openssl(&x, cert)) != 0)
		return fail(v, r, "a signer's certificate that cannot be read");
	*out = v->certs[0] = x;
	if (!x509_leaf_signs(x, v->why))
		return ERR_AUTH;
	if (!x509_has_eku(x, NVA_EKU_OID))
		return fail(v, ERR_AUTH, "a signer's certificate is not one for NVA documents "
		    "(extendedKeyUsage)");
	if (!algorithms_fit(digest, signature, x))
		return fail(v, ERR_AUTH, "a signature algorithm that is not accepted");
	if ((r = x509_path_find(v->anchors, v->certs, v->n_certs, v->now, &path, v->why)) != 0)
		return r;
	if ((r = signer_identity(x, signer->identity, sizeof(signer->identity))) != 0)
		return fail(v, r, "a signer's certificate without a name");
	signer->signed_at = signing_time(si);
	signer->not_after = x509_not_after(x);
	return 0;
}

static bool
among(struct x509 *const *list, size_t n, const struct x509 *x)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes_equal(x509_der(list[i]), x509_der(x)))
			return true;
	return false;
}

static int
check_signers(struct verifier *v, struct cms_signer *signers, size_t *n_signers)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(v->cms);
	struct x509 *seen[CMS_SIGNERS_MAX];
	int i, n = sk_CMS_SignerInfo_num(infos), r = 0;
	size_t n_seen = 0;

	if (n < 1)
		return fail(v, ERR_AUTH, "nobody signed it");
	if (n > CMS_SIGNERS_MAX)
		return fail(v, ERR_AUTH, "too many signers");
	for (i = 0; i < n && r == 0; i++) {
		struct cms_signer signer = { .signed_at = 0 };
		struct x509 *x;

		r = check_signer(v, sk_CMS_SignerInfo_value(infos, i), &x, &signer);
		if (r == 0 && !among(seen, n_seen, x)) {
			signers[n_seen] = signer;
			seen[n_seen++] = x;
		} else
			x509_free(x);
	}
	v->certs[0] = NULL;
	*n_signers = n_seen;
	while (n_seen > 0)
		x509_free(seen[--n_seen]);
	return r;
}

static int
verify(struct verifier *v, struct blob *content, struct cms_signer *signers, size_t *n)
{
	const ASN1_OCTET_STRING *octets;
	int r;

	if ((r = check_structure(v)) != 0)
		return r;
	v->embedded = CMS_get1_certs(v->cms);
	if ((r = gather_issuers(v)) != 0)
		return r;
	if (CMS_set1_signers_certs(v->cms, NULL, 0) < 0)
		return fail(v, ERR_CRYPTO, "the cryptographic library failed");
	if ((r = check_signers(v, signers, n)) != 0)
		return r;
	if (CMS_verify(v->cms, NULL, NULL, NULL, NULL,
	    CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) != 1)
		return fail(v, ERR_AUTH, "a signature does not verify");
	octets = *CMS_get0_content(v->cms);
	return blob_copy(content, bytes_of(ASN1_STRING_get0_data(octets),
	    (size_t)ASN1_STRING_length(octets)));
}

int
cms_verify(struct bytes in, const char *anchors, int64_t now, struct blob *content,
    struct cms_signer signers[static CMS_SIGNERS_MAX], size_t *n_signers, const char **why)
{
	struct verifier v = { .now = now, .why = why };
	size_t i;
	int r;

	*n_signers = 0;
	*why = "";
	if ((r = x509_store_load(&v.anchors, anchors, why)) != 0)
		goto out;
	if ((r = read_cms(in, &v.cms)) != 0) {
		*why = "not CMS, or something follows it";
		goto out;
	}
	r = verify(&v, content, signers, n_signers);
out:
	if (r != 0)
		*n_signers = 0;
	for (i = 1; i < v.n_certs; i++)
		x509_free(v.certs[i]);
	sk_X509_pop_free(v.embedded, X509_free);
	CMS_ContentInfo_free(v.cms);
	x509_store_free(v.anchors);
	errors_drop();
	return r;
}
