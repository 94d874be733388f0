/* SPDX-License-Identifier: ISC */
/* reads: lib/crypto/esp.c lib/crypto/esp_openssl.c */
/* fuzz: -max_len=2048 */
/*
 * The first octet chooses a transform, the second what to do: open the rest as a packet under a
 * fixed key, or seal it, damage it by one octet, and open it. Both engines must be of one mind.
 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "crypto/esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define ROOM 4096

static const char *const names[] = {
	"aes128gcm16", "aes192gcm16", "aes256gcm16", "chacha20poly1305", "aes128gmac", "aes256gmac",
	"aes128-sha256", "aes192-sha384", "aes256-sha512", "aes128gcm16-esn", "aes256gmac-esn",
	"aes128-sha256-esn", "chacha20poly1305-esn",
};
#define TRANSFORMS (sizeof names / sizeof names[0])

static struct esp_key *keys[TRANSFORMS][2];

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
free_keys(void)
{
	size_t i;

	for (i = 0; i < TRANSFORMS; i++) {
		esp_key_free(keys[i][0]);
		esp_key_free(keys[i][1]);
	}
	crypto_cleanup();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t key[SA_KEY_MAX];
	size_t i, cipher, integ;

	(void)argc;
	(void)argv;
	must(crypto_init() == 0);
	memset(key, 7, sizeof key);
	for (i = 0; i < TRANSFORMS; i++) {
		struct esp_transform t;

		must(esp_transform_parse(&t, names[i]) == 0);
		must(esp_transform_lengths(&t, &cipher, &integ) == 0);
		must(esp_key_new(&keys[i][0], &t, bytes_of(key, cipher + integ)) == 0);
		must(esp_key_new_openssl(&keys[i][1], &t, bytes_of(key, cipher + integ)) == 0);
	}
	return atexit(free_keys);
}

/* As both engines see it; what came out is left in `esp`. */
static int
open_both(size_t which, uint32_t seq_hi, uint8_t *esp, size_t len, struct bytes *payload,
    uint8_t *next_header)
{
	uint8_t other[ROOM], nh = 0;
	struct bytes second;
	int r;

	memcpy(other, esp, len);
	r = esp_open(keys[which][0], seq_hi, esp, len, payload, next_header);
	must(esp_open(keys[which][1], seq_hi, other, len, &second, &nh) == r);
	if (r == 0) {
		must(nh == *next_header && bytes_equal(*payload, second));
		must(payload->p == esp + esp_head_len(keys[which][0]) && payload->n < len);
	}
	return r;
}

static void
seal_and_open(size_t which, uint8_t engine, struct bytes plain, uint8_t damage)
{
	struct esp_key *k = keys[which][engine & 1];
	uint8_t esp[ROOM], copy[ROOM], nh;
	struct bytes payload;
	size_t len;

	if (plain.n > 0)
		memcpy(esp + esp_head_len(k), plain.p, plain.n);
	must(esp_seal(k, 0x01020304, UINT64_C(0x100000002), 17, esp, plain.n, &len) == 0);
	must(len == esp_head_len(k) + plain.n + esp_tail_len(k, plain.n));
	memcpy(copy, esp, len);
	copy[damage % len] ^= 1;
	must(open_both(which, 1, copy, len, &payload, &nh) == ERR_AUTH);
	must(open_both(which, 1, esp, len, &payload, &nh) == 0);
	must(nh == 17 && bytes_equal(payload, plain));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t esp[ROOM], nh;
	struct bytes payload;
	size_t which;

	if (len < 2 || len > 2050)
		return 0;
	which = data[0] % TRANSFORMS;
	if ((data[1] & 1) != 0) {
		seal_and_open(which, data[1] >> 1, bytes_of(data + 2, len - 2), data[1]);
		return 0;
	}
	memcpy(esp, data + 2, len - 2);
	(void)open_both(which, data[1] >> 1, esp, len - 2, &payload, &nh);
	return 0;
}
