/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/labpki_int.h"
#include "crypto/pkey_int.h"

#define RSA_BITS      3072
#define SERIAL_OCTETS 16

struct issue {
	const struct pki_request *req;
	const char **why;
	EVP_PKEY *key;
	X509 *cert;
	/* The issuer; none if self-signed. */
	struct x509 *chain[CHAIN_MAX];
	size_t n_chain;
	X509 *issuer;
	struct pkey *issuer_key;
};

static int
fail(struct issue *is, int code, const char *why)
{
	*is->why = why;
	return code;
}

static EVP_PKEY *
make_key(enum key_type type)
{
	switch (type) {
	case KEY_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	case KEY_EC_P256:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case KEY_EC_P384:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case KEY_EC_P521:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	case KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	return NULL;
}

static int
load_issuer(struct issue *is)
{
	const struct pki_request *req = is->req;
	int r;

	if (req->issuer_cert == NULL)
		return 0;
	is->n_chain = CHAIN_MAX;
	if ((r = x509_read_pem(req->issuer_cert, is->chain, &is->n_chain, is->why)) != 0)
		return r;
	if (req->issuer_key == NULL)
		return fail(is, ERR_VALUE, "the issuer's key is not given");
	if ((r = pkey_load(&is->issuer_key, req->issuer_key, is->why)) != 0)
		return r;
	if (!is->chain[0]->ca || !pkey_matches(is->issuer_key, is->chain[0]))
		return fail(is, ERR_VALUE, is->chain[0]->ca ?
		    "the issuer's key and certificate do not belong together" :
		    "the issuer's certificate is not a CA's");
	is->issuer = x509_to_openssl(is->chain[0]);
	return is->issuer != NULL ? 0 :
	    fail(is, ERR_SYNTAX, "the issuer's certificate cannot be read");
}

static bool
set_serial(X509 *cert)
{
	uint8_t raw[SERIAL_OCTETS];
	ASN1_INTEGER *serial = NULL;
	BIGNUM *bn = NULL;
	bool ok;

	ok = crypto_random(raw, sizeof(raw)) == 0 &&
	    (bn = BN_bin2bn(raw, sizeof(raw), NULL)) != NULL &&
	    (serial = BN_to_ASN1_INTEGER(bn, NULL)) != NULL &&
	    X509_set_serialNumber(cert, serial) == 1;
	ASN1_INTEGER_free(serial);
	BN_free(bn);
	return ok;
}

static int
set_names(struct issue *is)
{
	X509_NAME *subject = X509_get_subject_name(is->cert);
	const char *cn = is->req->cn;

	if (cn == NULL || cn[0] == '\0' || X509_NAME_add_entry_by_NID(subject, NID_commonName,
	    MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) != 1)
		return fail(is, ERR_VALUE, "the common name must be 1 to 64 characters");
	if (X509_set_issuer_name(is->cert, is->issuer == NULL ? subject :
	    X509_get_subject_name(is->issuer)) != 1)
		return fail(is, ERR_CRYPTO, "the cryptographic library failed");
	return 0;
}

static int
make_certificate(struct issue *is)
{
	const struct pki_request *req = is->req;
	EVP_PKEY *signer = is->issuer_key != NULL ? is->issuer_key->key : is->key;
	int r;

	if (req->not_after <= req->not_before)
		return fail(is, ERR_VALUE, "the certificate would end before it begins");
	if ((is->cert = X509_new()) == NULL || X509_set_version(is->cert, X509_VERSION_3) != 1 ||
	    !set_serial(is->cert) || X509_set_pubkey(is->cert, is->key) != 1 ||
	    ASN1_TIME_set(X509_getm_notBefore(is->cert), (time_t)req->not_before) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(is->cert), (time_t)req->not_after) == NULL)
		return fail(is, ERR_CRYPTO, "the cryptographic library failed");
	if ((r = set_names(is)) != 0)
		return r;
	if ((r = pki_put_extensions(is->cert, req, is->issuer)) != 0)
		return fail(is, r, r == ERR_VALUE ?
		    "a subjectAltName must be dns:.., uri:.., ip:.. or email:.." :
		    "the cryptographic library failed");
	if (X509_sign(is->cert, signer, md_for_key(key_type_of(signer))) <= 0)
		return fail(is, ERR_CRYPTO, "the cryptographic library failed");
	return 0;
}

/* The certificate, then its issuers but for one that is self-signed. */
static BIO *
certificate_text(const struct issue *is)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = bio != NULL && PEM_write_bio_X509(bio, is->cert) == 1;
	size_t i;

	for (i = 0; i < is->n_chain && ok; i++) {
		const struct x509 *x = is->chain[i];

		if (X509_NAME_cmp(x->subject_name, x->issuer_name) != 0)
			ok = PEM_write_bio(bio, PEM_STRING_X509, "", x->der.p, (long)x->der.n) > 0;
	}
	if (ok)
		return bio;
	BIO_free(bio);
	return NULL;
}

static BIO *
key_text(const struct issue *is)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, is->key, NULL, NULL, 0, NULL, NULL) == 1)
		return bio;
	BIO_free(bio);
	return NULL;
}

static int
write_file(struct issue *is, const char *path, mode_t mode, BIO *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	char *p;
	long n = BIO_get_mem_data(text, &p);
	int r = 0;

	if (fd == -1)
		return errno == EEXIST ? fail(is, ERR_EXISTS, "the file is there already") :
		    fail(is, ERR_IO, "the file cannot be made");
	/* Whatever the umask: a certificate is for all to read, a key for nobody else. */
	if (fchmod(fd, mode) != 0 || write(fd, p, (size_t)n) != n)
		r = fail(is, ERR_IO, "the file cannot be written");
	if (close(fd) != 0 && r == 0)
		r = fail(is, ERR_IO, "the file cannot be written");
	if (r != 0)
		unlink(path);
	return r;
}

static int
write_both(struct issue *is, const char *key_path, const char *cert_path)
{
	BIO *key = key_text(is), *cert = certificate_text(is);
	int r;

	if (key == NULL || cert == NULL)
		r = fail(is, ERR_CRYPTO, "the cryptographic library failed");
	else if ((r = write_file(is, cert_path, 0644, cert)) == 0 &&
	    (r = write_file(is, key_path, 0600, key)) != 0)
		unlink(cert_path);
	BIO_free(key);
	BIO_free(cert);
	return r;
}

int
pki_issue(const struct pki_request *req, const char *key_path, const char *cert_path,
    const char **why)
{
	struct issue is = { .req = req, .why = why };
	int r;

	*why = "";
	if (access(key_path, F_OK) == 0 || access(cert_path, F_OK) == 0)
		return fail(&is, ERR_EXISTS, "the file is there already");
	if (req->kind != PKI_ROOT && req->issuer_cert == NULL)
		return fail(&is, ERR_VALUE, "only a root can be self-signed");
	if ((r = load_issuer(&is)) != 0)
		goto out;
	if ((is.key = make_key(req->type)) == NULL) {
		r = fail(&is, ERR_CRYPTO, "the cryptographic library failed");
		goto out;
	}
	if ((r = make_certificate(&is)) == 0)
		r = write_both(&is, key_path, cert_path);
out:
	EVP_PKEY_free(is.key);
	X509_free(is.cert);
	X509_free(is.issuer);
	pkey_free(is.issuer_key);
	while (is.n_chain > 0)
		x509_free(is.chain[--is.n_chain]);
	errors_drop();
	return r;
}
