/* SPDX-License-Identifier: ISC */
/* reads: lib/crypto/x509.c lib/crypto/x509_ext.c lib/crypto/x509_path.c lib/crypto/x509_verify.c */
/* reads: lib/crypto/der.c lib/crypto/pubkey.c lib/crypto/sigalg.c */
/* fuzz: -max_len=4096 */
/*
 * Up to four TBSCertificates, leaf first, anchor last. Each is signed here, with the fixed key of
 * the next one, so that what is mutated gets past the signatures. Whatever path lib/crypto accepts
 * OpenSSL must accept too. An octet of 0xff in front leaves the signatures broken.
 */
#include <stdlib.h>

#include "../unit/x509_reference.h"
#include "crypto/crypto.h"
#include "crypto/der.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define NOW INT64_C(1800000000)
#define CERTS_MAX 4
#define DER_MAX 8192
#define SIG_LEN 64

static EVP_PKEY *keys[CERTS_MAX];            /* of the leaf, of its issuer, ... */

struct cert {
	uint8_t p[DER_MAX];
	struct bytes der;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t seed[32];
	size_t i;

	(void)argc;
	(void)argv;
	for (i = 0; i < CERTS_MAX; i++) {
		memset(seed, (int)i + 1, sizeof(seed));
		keys[i] = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
		must(keys[i] != NULL);
	}
	return crypto_init();
}

/* The algorithm that a TBSCertificate says it is signed with. */
static struct bytes
algorithm_of(struct bytes tbs)
{
	static const uint8_t ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };
	struct rd r = rd_open(tbs), seq = der_open(&r, DER_SEQUENCE);
	struct bytes alg;

	if (der_next_is(&seq, DER_CONTEXT_0))
		der_take(&seq, DER_CONTEXT_0);
	der_take(&seq, DER_INTEGER);
	alg = der_take_whole(&seq, DER_SEQUENCE);
	return rd_ok(&seq) && alg.n < 256 ? alg : bytes_of(ed25519, sizeof(ed25519));
}

static void
put_header(struct wr *w, uint8_t tag, size_t n)
{
	wr_u8(w, tag);
	if (n >= 0x100)
		wr_u8(w, 0x82);
	else if (n >= 0x80)
		wr_u8(w, 0x81);
	if (n >= 0x100)
		wr_u16(w, (uint16_t)n);
	else
		wr_u8(w, (uint8_t)n);
}

static void
make_cert(struct cert *c, struct bytes tbs, EVP_PKEY *key, bool spoil)
{
	struct wr w = wr_fixed(c->p, sizeof(c->p));
	struct bytes alg = algorithm_of(tbs);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[SIG_LEN];
	size_t n = sizeof(sig);

	must(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
	must(EVP_DigestSign(ctx, sig, &n, tbs.p, tbs.n) == 1 && n == SIG_LEN);
	EVP_MD_CTX_free(ctx);
	sig[0] ^= spoil ? 1 : 0;
	put_header(&w, DER_SEQUENCE, tbs.n + alg.n + 3 + SIG_LEN);
	wr_put(&w, tbs);
	wr_put(&w, alg);
	put_header(&w, DER_BIT_STRING, SIG_LEN + 1);
	wr_u8(&w, 0);
	wr_put(&w, bytes_of(sig, SIG_LEN));
	must(!w.bad);
	c->der = wr_view(&w);
}

static void
judge(const struct cert *certs, size_t n, bool spoil)
{
	struct x509 *x[CERTS_MAX] = { NULL };
	struct x509_store store = { .n = 0 };
	struct x509_path path;
	const char *why = NULL;
	size_t i;
	int error;

	for (i = 0; i < n; i++)
		if (x509_from_der(&x[i], certs[i].der) != 0)
			goto out;
	store.anchor[store.n++] = x[n - 1];
	if (x509_leaf_signs(x[0], &why) &&
	    x509_path_find(&store, x, n - 1, NOW, &path, &why) == 0) {
		must(!spoil && path.n >= 2 && path.cert[0] == x[0]);
		error = reference_verify_path(&path, NOW, 0);
		if (error != X509_V_OK)
			fprintf(stderr, "OpenSSL: %s\n", X509_verify_cert_error_string(error));
		must(error == X509_V_OK);
		must(reference_strict_reason(reference_verify_path(&path, NOW,
		    X509_V_FLAG_X509_STRICT)) != NULL);
	} else
		must(why != NULL && why[0] != '\0');
out:
	for (i = 0; i < n; i++)
		x509_free(x[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct cert certs[CERTS_MAX];
	struct bytes tbs[CERTS_MAX];
	struct rd r = rd_open(bytes_of(data, len));
	bool spoil = len > 0 && data[0] == 0xff;
	size_t n = 0, i;

	if (spoil)
		rd_u8(&r);
	while (n < CERTS_MAX && der_next_is(&r, DER_SEQUENCE)) {
		tbs[n] = der_take_whole(&r, DER_SEQUENCE);
		if (!rd_ok(&r) || tbs[n].n > DER_MAX / 2)
			break;
		n++;
	}
	if (n < 2)
		return 0;
	for (i = 0; i < n; i++)
		make_cert(&certs[i], tbs[i], keys[i + 1 < n ? i + 1 : i], spoil && i == 0);
	judge(certs, n, spoil);
	return 0;
}
