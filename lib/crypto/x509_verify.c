/* SPDX-License-Identifier: ISC */
#include "crypto/der.h"
#include "crypto/x509_int.h"

bool
x509_leaf_signs(const struct x509 *x, const char **why)
{
	if (x->ca) {
		*why = "the certificate is a CA's";
		return false;
	}
	if (x->usage != USAGE_ANY && (x->usage & USAGE_CERT_SIGN) != 0) {
		*why = "the certificate's keyUsage has keyCertSign, which only a CA's may";
		return false;
	}
	if ((x->usage & USAGE_DIGITAL_SIGNATURE) == 0) {
		*why = "the certificate's keyUsage lacks digitalSignature";
		return false;
	}
	if (x->key == NULL) {
		*why = "the certificate's key is of a type or size that we do not take";
		return false;
	}
	return true;
}

bool
x509_has_eku(const struct x509 *x, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	struct bytes wanted = bytes_of(NULL, 0);
	struct rd r = rd_open(x->eku);
	bool found = false;

	if (object != NULL)
		wanted = bytes_of(OBJ_get0_data(object), OBJ_length(object));
	while (wanted.n > 0 && rd_left(&r) > 0 && !found)
		found = bytes_equal(der_take(&r, DER_OID), wanted);
	ASN1_OBJECT_free(object);
	return found;
}

/* RFC 4945 section 5.1.3.12. */
static bool
eku_fits_ike(const struct x509 *x)
{
	return x->eku.n == 0 || x509_has_eku(x, EKU_IPSEC_IKE) ||
	    x509_has_eku(x, EKU_SERVER_AUTH) || x509_has_eku(x, EKU_CLIENT_AUTH) ||
	    x509_has_eku(x, EKU_ANY);
}

static int
check_leaf(const struct x509 *x, const char **why)
{
	if (!x509_leaf_signs(x, why))
		return ERR_AUTH;
	if (!eku_fits_ike(x)) {
		*why = "the certificate's extendedKeyUsage does not allow IKE";
		return ERR_AUTH;
	}
	return 0;
}

int
x509_verify_chain(const struct x509_store *s, const struct bytes *ders, size_t n, int64_t now,
    struct x509 **leaf, const char **why)
{
	struct x509 *certs[CHAIN_MAX] = { NULL };
	struct x509_path path;
	size_t i;
	int r = 0;

	*leaf = NULL;
	if (n == 0 || n > CHAIN_MAX) {
		*why = n == 0 ? "no certificate" : "too many certificates";
		return ERR_AUTH;
	}
	for (i = 0; i < n && r == 0; i++)
		if ((r = x509_from_der(&certs[i], ders[i])) != 0)
			*why = "a certificate that cannot be read";
	if (r != 0 || (r = check_leaf(certs[0], why)) != 0 ||
	    (r = x509_path_find(s, certs, n, now, &path, why)) != 0)
		goto out;
	*leaf = certs[0];
	certs[0] = NULL;
out:
	for (i = 0; i < n; i++)
		x509_free(certs[i]);
	errors_drop();
	return r;
}
