/* SPDX-License-Identifier: ISC */
/* reads: lib/crypto/x509.c lib/crypto/x509_ext.c lib/crypto/x509_names.c lib/crypto/der.c */
/* reads: lib/crypto/sigalg.c lib/crypto/pubkey.c lib/crypto/verify.c */
/* fuzz: -max_len=8192 */
/*
 * A certificate, then a method and the data of an AUTH payload to be verified under its key. What
 * is accepted must be sound; the certificate is also judged as its own anchor.
 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/der.h"
#include "crypto/x509_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define NOW INT64_C(1800000000)

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return crypto_init();
}

static void
check_names(const struct x509 *x)
{
	char ids[16][X509_IDENTITY_MAX], text[64];
	const char *p;
	size_t i, n;

	must(strlen(x509_subject(x, text, sizeof text)) < sizeof text);
	if (x509_identities(x, ids, 16, &n) != 0)
		return;
	must(n <= 16);
	for (i = 0; i < n; i++) {
		must(memchr(ids[i], '\0', X509_IDENTITY_MAX) != NULL);
		must(strchr(ids[i], ':') != NULL);
		for (p = ids[i]; *p != '\0'; p++)
			must(*p >= 0x20 && *p < 0x7f);
	}
}

static void
check_chain(struct x509 *x, struct bytes der)
{
	struct x509_store store = { .anchor = { x }, .n = 1 };
	struct bytes twice[2] = { der, der };
	struct x509_path path;
	struct x509 *leaf;
	const char *why = NULL;

	if (x509_path_find(&store, &x, 1, NOW, &path, &why) == 0)
		must(x->ca && path.n == 2 && x->not_before <= NOW && x->not_after >= NOW);
	must(why != NULL);
	if (x509_verify_chain(&store, twice, 2, NOW, &leaf, &why) == 0) {
		must(!leaf->ca && leaf->key != NULL && bytes_equal(x509_der(leaf), der));
		x509_free(leaf);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(bytes_of(data, len));
	struct bytes der = der_take_whole(&r, DER_SEQUENCE);
	uint8_t method = rd_u8(&r), hash[SHA1_LEN];
	struct bytes auth = rd_rest(&r);
	struct x509 *x;

	if (!rd_ok(&r))
		der = bytes_of(data, len);
	if (x509_from_der(&x, der) != 0) {
		must(x == NULL);
		return 0;
	}
	must(bytes_equal(x509_der(x), der));
	must(x509_subject_der(x).n < der.n);
	x509_spki_sha1(x, hash);
	check_names(x);
	check_chain(x, der);
	if (rd_ok(&r))
		(void)verify_auth(x, method, auth, bytes_str("octets"));
	x509_free(x);
	return 0;
}
