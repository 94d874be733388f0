/* SPDX-License-Identifier: ISC */
/*
 * The public-key operations that one IKE handshake can't do without, by OpenSSL alone: what the
 * daemon's processor time per handshake is compared with. Per side: an X25519 key pair, an X25519
 * shared secret, one ECDSA P-256 signature, two verifications (AUTH and the leaf certificate).
 *
 *     rawops [SECONDS]
 *
 * Each figure is the median of rounds, in nanoseconds of this process's processor time, printed as
 * "name value" lines.
 */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 15
#define DIGEST 32

struct keys {
	EVP_PKEY_CTX *gen, *derive, *sign, *verify;
	EVP_PKEY *ours, *theirs, *ec;
	uint8_t digest[DIGEST], sig[80];
	size_t n_sig;
};

static int64_t
cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
op_keygen(struct keys *k)
{
	EVP_PKEY *key = NULL;
	int ok = EVP_PKEY_keygen(k->gen, &key) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static int
op_derive(struct keys *k)
{
	uint8_t shared[32];
	size_t n = sizeof shared;

	return EVP_PKEY_derive(k->derive, shared, &n) == 1;
}

static int
op_sign(struct keys *k)
{
	k->n_sig = sizeof k->sig;
	return EVP_PKEY_sign(k->sign, k->sig, &k->n_sig, k->digest, DIGEST) == 1;
}

static int
op_verify(struct keys *k)
{
	return EVP_PKEY_verify(k->verify, k->sig, k->n_sig, k->digest, DIGEST) == 1;
}

static const struct {
	const char *name;
	int (*run)(struct keys *);
	int64_t times;           /* in one handshake */
} ops[] = {
	{ "x25519_keygen", op_keygen, 1 },
	{ "x25519_derive", op_derive, 1 },
	{ "ecdsa_p256_sign", op_sign, 1 },
	{ "ecdsa_p256_verify", op_verify, 2 },
};
#define OPS (sizeof ops / sizeof ops[0])

static int
prepare(struct keys *k)
{
	memset(k, 0, sizeof *k);
	memset(k->digest, 0x5a, sizeof k->digest);
	return (k->gen = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL)) != NULL &&
	    EVP_PKEY_keygen_init(k->gen) == 1 && EVP_PKEY_keygen(k->gen, &k->ours) == 1 &&
	    EVP_PKEY_keygen(k->gen, &k->theirs) == 1 &&
	    (k->derive = EVP_PKEY_CTX_new_from_pkey(NULL, k->ours, NULL)) != NULL &&
	    EVP_PKEY_derive_init(k->derive) == 1 &&
	    EVP_PKEY_derive_set_peer(k->derive, k->theirs) == 1 &&
	    (k->ec = EVP_EC_gen("P-256")) != NULL &&
	    (k->sign = EVP_PKEY_CTX_new_from_pkey(NULL, k->ec, NULL)) != NULL &&
	    EVP_PKEY_sign_init(k->sign) == 1 &&
	    (k->verify = EVP_PKEY_CTX_new_from_pkey(NULL, k->ec, NULL)) != NULL &&
	    EVP_PKEY_verify_init(k->verify) == 1 && op_sign(k) && op_verify(k);
}

static void
finish(struct keys *k)
{
	EVP_PKEY_CTX_free(k->gen);
	EVP_PKEY_CTX_free(k->derive);
	EVP_PKEY_CTX_free(k->sign);
	EVP_PKEY_CTX_free(k->verify);
	EVP_PKEY_free(k->ours);
	EVP_PKEY_free(k->theirs);
	EVP_PKEY_free(k->ec);
}

/* Per operation, over at least ns nanoseconds; -1 when it fails. */
static int64_t
measure(struct keys *k, size_t op, int64_t ns)
{
	int64_t begin = cpu_ns(), spent, n = 0;
	int i;

	do {
		for (i = 0; i < 16; i++, n++)
			if (!ops[op].run(k))
				return -1;
		spent = cpu_ns() - begin;
	} while (spent < ns);
	return spent / n;
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1.5;
	int64_t slice = (int64_t)(seconds * 1e9 / (ROUNDS * (double)OPS));
	int64_t figures[OPS][ROUNDS], sum = 0;
	struct keys k;
	int status = 1;
	size_t i, r;

	if (!prepare(&k))
		goto out;
	for (r = 0; r < ROUNDS; r++)
		for (i = 0; i < OPS; i++)
			if ((figures[i][r] = measure(&k, i, slice)) < 0)
				goto out;
	for (i = 0; i < OPS; i++) {
		qsort(figures[i], ROUNDS, sizeof figures[i][0], by_value);
		(void)printf("%s %lld\n", ops[i].name, (long long)figures[i][ROUNDS / 2]);
		sum += ops[i].times * figures[i][ROUNDS / 2];
	}
	(void)printf("sum %lld\n", (long long)sum);
	status = fflush(stdout) != 0;
out:
	if (status != 0)
		(void)fprintf(stderr, "rawops: OpenSSL failed\n");
	finish(&k);
	return status;
}
