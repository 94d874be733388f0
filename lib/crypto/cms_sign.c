/* SPDX-License-Identifier: ISC */
#include <limits.h>

#include "crypto/cms.h"
#include "crypto/pkey_int.h"
#include "crypto/x509_int.h"

static int
to_blob(CMS_ContentInfo *cms, struct blob *out)
{
	unsigned char *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der), r;

	if (n <= 0)
		return ERR_CRYPTO;
	r = blob_copy(out, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	return r;
}

static int
sign(struct bytes content, struct x509 *const *chain, size_t n, const struct pkey *key,
    struct blob *out)
{
	const unsigned int flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
	BIO *bio = BIO_new_mem_buf(content.n == 0 ? "" : (const void *)content.p, (int)content.n);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	int r = ERR_CRYPTO;
	X509 *cert = NULL;
	size_t i;

	if (bio == NULL || cms == NULL)
		goto out;
	/* The signer's own certificate, which stays in cert, is added with the signer. */
	for (i = n; i-- > 0; ) {
		X509_free(cert);
		if ((cert = x509_to_openssl(chain[i])) == NULL ||
		    (i > 0 && CMS_add1_cert(cms, cert) != 1))
			goto out;
	}
	if (CMS_add1_signer(cms, cert, key->key, md_for_key(key->type), flags) == NULL ||
	    CMS_final(cms, bio, NULL, flags) != 1)
		goto out;
	r = to_blob(cms, out);
out:
	X509_free(cert);
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	return r;
}

int
cms_sign(struct bytes content, const char *cert_path, const char *key_uri, struct blob *out,
    const char **why)
{
	struct x509 *chain[CHAIN_MAX];
	struct pkey *key = NULL;
	size_t n = CHAIN_MAX;
	int r;

	if (content.n > INT_MAX) {
		*why = "the content is too long";
		return ERR_SPACE;
	}
	if ((r = x509_read_pem(cert_path, chain, &n, why)) != 0)
		return r;
	if ((r = pkey_load(&key, key_uri, why)) != 0)
		goto out;
	if (!pkey_matches(key, chain[0])) {
		*why = "key and certificate do not belong together";
		r = ERR_VALUE;
	} else if (key->type == KEY_ED25519) {
		*why = "CMS is not signed with Ed25519; ECDSA or RSA is needed";
		r = ERR_UNSUPPORTED;
	} else if ((r = sign(content, chain, n, key, out)) != 0)
		*why = "the cryptographic library failed";
out:
	while (n > 0)
		x509_free(chain[--n]);
	pkey_free(key);
	errors_drop();
	return r;
}

int
cms_signer_fits(const char *cert_path, const char **why)
{
	struct x509 *chain[CHAIN_MAX];
	size_t n = CHAIN_MAX;
	int r;

	if ((r = x509_read_pem(cert_path, chain, &n, why)) != 0)
		return r;
	if (!x509_leaf_signs(chain[0], why)) {
		r = ERR_AUTH;
	} else if (!x509_has_eku(chain[0], NVA_EKU_OID)) {
		*why = "the certificate is not one for NVA documents (extendedKeyUsage " NVA_EKU_OID ")";
		r = ERR_AUTH;
	}
	while (n > 0)
		x509_free(chain[--n]);
	errors_drop();
	return r;
}
