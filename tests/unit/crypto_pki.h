/* SPDX-License-Identifier: ISC */
/* Certificates of every kind, good and bad, for the tests of lib/crypto. */
#ifndef TESTS_UNIT_CRYPTO_PKI_H
#define TESTS_UNIT_CRYPTO_PKI_H

#include "crypto_support.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/openssl.h"
#include "crypto/x509.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

#define EXT_MAX 8
#define CA_EXT  "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign", \
	"subjectKeyIdentifier=hash"

/* Somebody with a key and a certificate. Both kept until the end of the test program. */
struct ident {
	EVP_PKEY *key;
	X509 *cert;
	struct octets der;
};

struct cert_spec {
	const char *cn;
	const char *key;             /* "P-256" (if NULL), "P-384", "ED25519", "RSA2048" ... */
	const char *ext[EXT_MAX];    /* "name=value", as in openssl.cnf */
	int64_t from, to;            /* relative to NOW; 0: a day before and after */
	const char *md;              /* NULL: SHA256 */
	bool pss;
	const struct ident *reuse;   /* its key, not a new one */
};

static char test_dir[64];

static inline const char *
path_of(const char *name)
{
	static char paths[8][384];
	static unsigned next;
	char *p = paths[next++ % 8];

	snprintf(p, sizeof paths[0], "%s/%s", test_dir, name);
	return p;
}

static int
pki_setup(void **state)
{
	strcpy(test_dir, "/tmp/overlock-crypto-XXXXXX");
	if (mkdtemp(test_dir) == NULL)
		return -1;
	return crypto_setup(state);
}

static int
pki_teardown(void **state)
{
	DIR *d = opendir(test_dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlink(path_of(e->d_name));
	if (d != NULL)
		closedir(d);
	rmdir(test_dir);
	return crypto_teardown(state);
}

static inline EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key;

	if (kind == NULL)
		kind = "P-256";
	if (strncmp(kind, "RSA", 3) == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)strtoul(kind + 3, NULL, 10));
	else if (strncmp(kind, "ED", 2) == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	assert_non_null(key);
	return key;
}

static inline void
put_ext(X509 *cert, X509 *issuer, const char *line)
{
	char name[64];
	const char *value = strchr(line, '=');
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	assert_non_null(value);
	snprintf(name, sizeof name, "%.*s", (int)(value - line), line);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_nconf(NULL, &ctx, name, value + 1);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static inline void
sign_cert(X509 *cert, EVP_PKEY *key, const struct cert_spec *spec)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ed = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, ed ? NULL :
	    spec->md != NULL ? spec->md : "SHA256", NULL, NULL, key, NULL), 1);
	if (spec->pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	assert_true(X509_sign_ctx(cert, ctx) > 0);
	EVP_MD_CTX_free(ctx);
}

/* issuer NULL: self-signed. */
static inline struct ident
issue(const struct ident *issuer, struct cert_spec spec)
{
	static long serial;
	struct ident id = { .cert = X509_new() };
	X509_NAME *name;
	unsigned char *der = id.der.p;
	size_t i;
	int n;

	id.key = spec.reuse != NULL ? spec.reuse->key : make_key(spec.key);
	if (spec.reuse != NULL)
		EVP_PKEY_up_ref(id.key);
	assert_int_equal(X509_set_version(id.cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial), 1);
	name = X509_get_subject_name(id.cert);
	if (spec.cn != NULL)
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		    (const unsigned char *)spec.cn, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(id.cert,
	    issuer == NULL ? name : X509_get_subject_name(issuer->cert)), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(id.cert),
	    (time_t)(NOW + (spec.from != 0 ? spec.from : -DAY))));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(id.cert),
	    (time_t)(NOW + (spec.to != 0 ? spec.to : DAY))));
	assert_int_equal(X509_set_pubkey(id.cert, id.key), 1);
	for (i = 0; i < EXT_MAX && spec.ext[i] != NULL; i++)
		put_ext(id.cert, issuer == NULL ? id.cert : issuer->cert, spec.ext[i]);
	sign_cert(id.cert, issuer == NULL ? id.key : issuer->key, &spec);
	n = i2d_X509(id.cert, NULL);
	assert_true(n > 0 && n <= OCTETS_MAX);
	id.der.n = (size_t)i2d_X509(id.cert, &der);
	return id;
}

static inline void
ident_free(struct ident *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->cert);
	id->key = NULL;
	id->cert = NULL;
}

static inline struct ident
make_root(const char *cn)
{
	return issue(NULL, (struct cert_spec){ .cn = cn, .ext = { CA_EXT } });
}

static inline const char *
write_certs(const char *name, const struct ident *const *ids, size_t n)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");
	size_t i;

	assert_non_null(f);
	for (i = 0; i < n; i++)
		assert_int_equal(PEM_write_X509(f, ids[i]->cert), 1);
	fclose(f);
	return path;
}

static inline const char *
write_key(const char *name, EVP_PKEY *key)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	return path;
}

static inline void
write_text(const char *name, const char *content)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

#endif
