/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "crypto/x509_int.h"

static int
read_blocks(BIO *bio, struct x509 **out, size_t *n, const char **why)
{
	size_t room = *n;
	int r = 0;

	*n = 0;
	while (r == 0) {
		char *name = NULL, *header = NULL;
		unsigned char *der = NULL;
		long len = 0;

		if (PEM_read_bio(bio, &name, &header, &der, &len) != 1)
			break;
		if (strcmp(name, PEM_STRING_X509) != 0 && strcmp(name, PEM_STRING_X509_OLD) != 0)
			;
		else if (*n == room) {
			*why = "too many certificates";
			r = ERR_SPACE;
		} else if ((r = x509_from_der(&out[*n], bytes_of(der, (size_t)len))) != 0)
			*why = "a certificate that cannot be read";
		else
			++*n;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
	}
	if (r != 0)
		return r;
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		*why = "broken PEM";
		return ERR_SYNTAX;
	}
	if (*n == 0) {
		*why = "no certificate in it";
		return ERR_SYNTAX;
	}
	return 0;
}

int
x509_read_pem(const char *path, struct x509 **out, size_t *n, const char **why)
{
	BIO *bio = BIO_new_file(path, "r");
	int r;

	if (bio == NULL) {
		*n = 0;
		*why = "cannot be opened";
		errors_drop();
		return ERR_IO;
	}
	r = read_blocks(bio, out, n, why);
	if (r != 0)
		while (*n > 0)
			x509_free(out[--*n]);
	BIO_free(bio);
	errors_drop();
	return r;
}

int
x509_load_chain(const char *path, struct x509 *chain[static CHAIN_MAX], size_t *n)
{
	const char *why;

	*n = CHAIN_MAX;
	return x509_read_pem(path, chain, n, &why);
}

int
x509_store_load(struct x509_store **out, const char *path, const char **why)
{
	struct x509_store *s = calloc(1, sizeof(*s));
	size_t i;
	int r;

	*out = NULL;
	*why = "out of memory";
	if (s == NULL)
		return ERR_NOMEM;
	s->n = ANCHORS_MAX;
	if ((r = x509_read_pem(path, s->anchor, &s->n, why)) != 0)
		goto out;
	for (i = 0; i < s->n; i++) {
		if (!s->anchor[i]->ca) {
			*why = "a trust anchor that is not a CA's certificate";
			r = ERR_VALUE;
			goto out;
		}
		if (s->anchor[i]->key == NULL) {
			*why = "a trust anchor's key is of a type or size that we do not take";
			r = ERR_UNSUPPORTED;
			goto out;
		}
		*why = "the cryptographic library failed";
		if ((r = pubkey_keep(s->anchor[i]->key)) != 0)
			goto out;
	}
	*why = "";
	*out = s;
	s = NULL;
out:
	x509_store_free(s);
	return r;
}

void
x509_store_free(struct x509_store *s)
{
	if (s == NULL)
		return;
	while (s->n > 0)
		x509_free(s->anchor[--s->n]);
	free(s);
}

int
x509_store_certreq(const struct x509_store *s, struct blob *out)
{
	uint8_t hashes[ANCHORS_MAX * SHA1_LEN];
	size_t i;

	for (i = 0; i < s->n; i++)
		x509_spki_sha1(s->anchor[i], hashes + i * SHA1_LEN);
	return blob_copy(out, bytes_of(hashes, s->n * SHA1_LEN));
}
