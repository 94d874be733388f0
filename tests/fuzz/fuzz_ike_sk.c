/* SPDX-License-Identifier: ISC */
/*
 * The Encrypted payload under fixed keys. Octet 0 chooses the suite. With its top bit clear the rest
 * is a datagram to be opened. With it set: position (2 octets), change (1), type of the first payload
 * (1), chain: the chain is sealed, the octet at the position changed, and only what was not changed
 * may open.
 */
/* reads: lib/ike/sk.c lib/ike/msg.c */
/* fuzz: -max_len=4096 */
#include <stdlib.h>

#include "base/rd.h"
#include "ike/sk.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct {
	uint16_t encr, key_bits, integ;
} suites[] = {
	{ ENCR_AES_GCM_16, 128, INTEG_NONE },
	{ ENCR_AES_GCM_16, 256, INTEG_NONE },
	{ ENCR_CHACHA20_POLY1305, 0, INTEG_NONE },
	{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_384_192 },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
};
#define SUITES (sizeof suites / sizeof suites[0])

static struct ike_sk_key keys[SUITES];

static void
require(bool holds)
{
	if (!holds)
		abort();
}

/* SK_e is 20.., SK_a is 50.., as in the known answers of the unit tests. */
int
LLVMFuzzerInitialize(int *argc __attribute__((unused)), char ***argv __attribute__((unused)))
{
	uint8_t e[64], a[64];
	struct ike_cipher_info info;
	uint8_t i;

	require(crypto_init() == 0);
	for (i = 0; i < 64; i++) {
		e[i] = (uint8_t)(0x20 + i);
		a[i] = (uint8_t)(0x50 + i);
	}
	for (i = 0; i < SUITES; i++) {
		require(ike_cipher_info(suites[i].encr, suites[i].key_bits, suites[i].integ,
		    &info) == 0);
		require(sk_key_init(&keys[i], suites[i].encr, suites[i].key_bits, suites[i].integ,
		    bytes_of(e, info.key + info.salt), bytes_of(a, info.integ_key)) == 0);
	}
	return 0;
}

static int
zero_random(void *arg __attribute__((unused)), uint8_t *p, size_t n)
{
	memset(p, 0, n);
	return 0;
}

static int
open_datagram(struct ike_sk_key *key, struct bytes datagram, uint8_t *scratch, struct bytes *plain)
{
	struct ike_msg outer, inner;
	int rc;

	if ((rc = msg_read(&outer, datagram)) != 0)
		return rc;
	if (!msg_has(&outer, PL_SK) && !msg_has(&outer, PL_SKF))
		return ERR_NOTFOUND;
	rc = sk_open(key, &outer, scratch, outer.sk.body.n, plain);
	if (rc == 0)
		(void)msg_read_inner(&inner, &outer.hdr, outer.sk.first, *plain);
	return rc;
}

static void
seal(struct ike_sk_key *key, uint8_t first, struct bytes chain, struct blob *b)
{
	const struct ike_callbacks cb = { .random = zero_random };
	struct ike_header h = { .spi_i = 1, .spi_r = 2, .exchange = EX_INFORMATIONAL };
	struct ike_out o;

	key->next_iv = 0;        /* every run alike */
	msg_begin(&o, &h);
	sk_begin(&o, key);
	payload_put_chain(&o, first, chain);
	require(sk_end(&o, key, &cb) == 0);
	require(msg_end(&o, b) == 0);
	require(b->n == IKE_HEADER_LEN + chain.n + sk_overhead(key, chain.n));
}

static void
seal_change_open(struct ike_sk_key *key, struct rd *r)
{
	uint16_t position = rd_u16(r);
	uint8_t change = rd_u8(r), first = rd_u8(r), *scratch;
	struct bytes chain = rd_rest(r), plain;
	struct blob b = { 0 };
	int rc;

	if (!rd_ok(r))
		return;
	seal(key, first, chain, &b);
	require((scratch = malloc(b.n)) != NULL);
	b.p[position % b.n] ^= change;
	rc = open_datagram(key, blob_view(&b), scratch, &plain);
	if (change != 0)
		require(rc != 0);
	else
		require(rc == 0 && bytes_equal(plain, chain));
	free(scratch);
	blob_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(bytes_of(data, len));
	uint8_t mode = rd_u8(&r), *scratch;
	struct ike_sk_key *key = &keys[(mode & 0x7f) % SUITES];
	struct bytes plain;

	if (!rd_ok(&r))
		return 0;
	if ((mode & 0x80) != 0) {
		seal_change_open(key, &r);
		return 0;
	}
	require((scratch = malloc(len)) != NULL);
	(void)open_datagram(key, rd_rest(&r), scratch, &plain);
	free(scratch);
	return 0;
}
