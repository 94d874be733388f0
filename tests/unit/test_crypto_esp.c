/* SPDX-License-Identifier: ISC */
#include "crypto_support.h"

#include "crypto/esp.h"

#define ROOM 2048

static const char *const transforms[] = {
	"aes128gcm16", "aes192gcm16", "aes256gcm16", "chacha20poly1305",
	"aes128gmac", "aes192gmac", "aes256gmac",
	"aes128-sha256", "aes256-sha384", "aes256-sha512",
	"aes128gcm16-esn", "aes256gcm16-esn", "chacha20poly1305-esn", "aes128gmac-esn",
	"aes256-sha256-esn",
};

static struct esp_key *
new_key(const char *name, bool openssl, uint8_t first)
{
	struct octets key = counted(first, SA_KEY_MAX);
	struct esp_transform t;
	size_t cipher, integ;
	struct esp_key *k;

	assert_int_equal(esp_transform_parse(&t, name), 0);
	assert_int_equal(esp_transform_lengths(&t, &cipher, &integ), 0);
	key.n = cipher + integ;
	assert_int_equal(openssl ? esp_key_new_openssl(&k, &t, view(&key)) :
	    esp_key_new(&k, &t, view(&key)), 0);
	return k;
}

static void
fill(uint8_t *p, size_t n, uint64_t *random)
{
	while (n-- > 0)
		*p++ = (uint8_t)test_random(random);
}

static size_t
seal(struct esp_key *k, uint64_t seq, uint8_t *esp, struct bytes payload)
{
	size_t len;

	memcpy(esp + esp_head_len(k), payload.p, payload.n);
	assert_int_equal(esp_seal(k, 0x12345678, seq, 17, esp, payload.n, &len), 0);
	assert_int_equal(len, esp_head_len(k) + payload.n + esp_tail_len(k, payload.n));
	return len;
}

/* Also with what the packets themselves say: SPI and sequence number are in front. */
static void
assert_opens(struct esp_key *k, uint64_t seq, uint8_t *esp, size_t len, struct bytes wanted)
{
	struct bytes payload;
	uint8_t next_header;

	assert_int_equal(esp[0] << 24 | esp[1] << 16 | esp[2] << 8 | esp[3], 0x12345678);
	assert_true(((uint32_t)esp[4] << 24 | (uint32_t)esp[5] << 16 | (uint32_t)esp[6] << 8 |
	    esp[7]) == (uint32_t)seq);
	assert_int_equal(esp_open(k, (uint32_t)(seq >> 32), esp, len, &payload, &next_header), 0);
	assert_int_equal(next_header, 17);
	assert_true(bytes_equal(payload, wanted));
	assert_true(payload.p == esp + esp_head_len(k));
}

TEST(every_transform_opens_what_it_sealed)
{
	static const size_t lengths[] = { 0, 1, 2, 3, 13, 14, 15, 16, 64, 300, 1420, 1500 };
	uint64_t random = 1;
	size_t i, j;

	for (i = 0; i < COUNT(transforms); i++) {
		struct esp_key *k = new_key(transforms[i], false, 3);

		assert_true(esp_head_len(k) <= ESP_HEAD_MAX);
		for (j = 0; j < COUNT(lengths); j++) {
			uint64_t seq = UINT64_C(0x1fffffff0) + j;
			uint8_t esp[ROOM], plain[ROOM];
			size_t len;

			assert_true(esp_tail_len(k, lengths[j]) <= ESP_TAIL_MAX);
			fill(plain, lengths[j], &random);
			len = seal(k, seq, esp, bytes_of(plain, lengths[j]));
			assert_int_equal(len % 4, 0);
			assert_opens(k, seq, esp, len, bytes_of(plain, lengths[j]));
		}
		esp_key_free(k);
	}
}

static void
compare_engines(struct esp_key *a, struct esp_key *b, uint64_t seq, size_t n, uint64_t *random)
{
	uint8_t plain[ROOM], one[ROOM], two[ROOM];
	size_t len;

	fill(plain, n, random);
	len = seal(a, seq, one, bytes_of(plain, n));
	assert_int_equal(seal(b, seq, two, bytes_of(plain, n)), len);
	assert_memory_equal(one, two, len);
	assert_opens(b, seq, one, len, bytes_of(plain, n));
	assert_opens(a, seq, two, len, bytes_of(plain, n));
}

/* CBC has an IV that nobody can foretell: only what each sealed is opened by the other. */
TEST(both_engines_give_the_same_octets)
{
	uint64_t random = 2, seq = UINT64_C(0xfffffff0);
	size_t i, n;

	for (i = 0; i < COUNT(transforms); i++) {
		struct esp_key *a = new_key(transforms[i], false, 5);
		struct esp_key *b = new_key(transforms[i], true, 5);

		assert_string_equal(esp_key_engine(b), "openssl");
		for (n = 0; n <= 300 && strstr(transforms[i], "-sha") == NULL; n++)
			compare_engines(a, b, seq++, n, &random);
		if (strstr(transforms[i], "-sha") == NULL)
			compare_engines(a, b, seq++, 1420, &random);
		esp_key_free(a);
		esp_key_free(b);
	}
}

TEST(the_fast_engine_is_used_where_it_is)
{
	const char *wanted = strstr(crypto_version(), "; libipsec_mb") != NULL ? "libipsec_mb" :
	    "openssl";
	struct esp_key *k = new_key("aes128gcm16", false, 0);

	assert_string_equal(esp_key_engine(k), wanted);
	esp_key_free(k);
	k = new_key("chacha20poly1305", false, 0);
	assert_string_equal(esp_key_engine(k), "openssl");
	esp_key_free(k);
}

struct example {
	const char *transform, *key, *esp, *payload;
	uint8_t next_header;
};

static const struct example examples[] = {
	/* RFC 7634 appendix A */
	{ "chacha20poly1305",
	    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a3",
	    "01020304 00000005 1011121314151617"
	    "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
	    "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
	    "cbec163fac469b502773f6fb94e664da9165b82829f641e0"
	    "76aaa8266b7fb0f7b11b369907e1ad43",
	    "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
	    "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	    "2425262728292a2b2c2d2e2f3031323334353637", 4 },
	/* draft-mcgrew-gcm-test-01, AES-128-GCM-ESP */
	{ "aes128gcm16", "feffe9928665731c6d6a8f9467308308 cafebabe",
	    "0000a5f8 0000000a facedbaddecaf888"
	    "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c"
	    "3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1"
	    "83b70d3aa8bc6ee4c309e9d85a41ad4a",
	    "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d00100"
	    "00010000000000000373697009637962657263697479 02646b0000010001", 1 },
	/* the same, AES-GMAC: the IV is authenticated too */
	{ "aes128gmac", "4c80cdefbb5d10da906ac73c3613a634 22433c64",
	    "00004321 00000007 0000000000000000"
	    "45000030da3a00008001df3bc0a80005c0a800010800c6cd0200070061626364"
	    "65666768696a6b6c6d6e6f707172737401020201"
	    "f2a9a836e155106aa8dcd618e4099aaa",
	    "45000030da3a00008001df3bc0a80005c0a800010800c6cd0200070061626364"
	    "65666768696a6b6c6d6e6f7071727374", 1 },
};

TEST(published_packets_are_opened)
{
	size_t i;
	int openssl;

	for (i = 0; i < COUNT(examples); i++)
		for (openssl = 0; openssl < 2; openssl++) {
			const struct example *e = &examples[i];
			struct octets key = hex(e->key), esp = hex(e->esp);
			struct esp_transform t;
			struct bytes payload;
			struct esp_key *k;
			uint8_t nh;

			assert_int_equal(esp_transform_parse(&t, e->transform), 0);
			assert_int_equal(openssl ? esp_key_new_openssl(&k, &t, view(&key)) :
			    esp_key_new(&k, &t, view(&key)), 0);
			assert_int_equal(esp_open(k, 0, esp.p, esp.n, &payload, &nh), 0);
			assert_int_equal(nh, e->next_header);
			assert_octets(payload, e->payload);
			esp_key_free(k);
		}
}

TEST(every_changed_octet_is_noticed)
{
	size_t i, k;
	int openssl;

	for (i = 0; i < COUNT(transforms); i++)
		for (openssl = 0; openssl < 2; openssl++) {
			struct esp_key *key = new_key(transforms[i], openssl != 0, 7);
			uint8_t esp[ROOM], copy[ROOM], nh;
			struct octets plain = counted(0, 37);
			struct bytes payload;
			size_t len = seal(key, 77, esp, view(&plain));

			for (k = 0; k < len; k++) {
				memcpy(copy, esp, len);
				copy[k] ^= 0x10;
				assert_int_equal(esp_open(key, 0, copy, len, &payload, &nh),
				    ERR_AUTH);
			}
			esp_key_free(key);
		}
}

TEST(the_high_half_counts_only_with_esn)
{
	size_t i;

	for (i = 0; i < COUNT(transforms); i++) {
		bool esn = strstr(transforms[i], "-esn") != NULL;
		struct esp_key *k = new_key(transforms[i], false, 9);
		struct octets plain = counted(0, 50);
		struct bytes payload;
		uint8_t esp[ROOM], nh;
		size_t len = seal(k, UINT64_C(0x100000005), esp, view(&plain));

		assert_int_equal(esp_open(k, 2, esp, len, &payload, &nh), esn ? ERR_AUTH : 0);
		esp_key_free(k);
	}
}

TEST(an_iv_is_never_used_twice)
{
	size_t i;

	for (i = 0; i < COUNT(transforms); i++) {
		struct esp_key *k = new_key(transforms[i], false, 11);
		struct octets plain = repeated(0, 20);
		uint8_t a[ROOM], b[ROOM];
		size_t n = esp_head_len(k) - 8;

		seal(k, 1, a, view(&plain));
		seal(k, UINT64_C(0x100000001), b, view(&plain));
		assert_memory_not_equal(a + 8, b + 8, n);
		seal(k, 2, b, view(&plain));
		assert_memory_not_equal(a + 8, b + 8, n);
		esp_key_free(k);
	}
}

TEST(short_packets_are_refused)
{
	size_t i, n;

	for (i = 0; i < COUNT(transforms); i++) {
		struct esp_key *k = new_key(transforms[i], false, 13);
		uint8_t esp[ROOM] = { 0 }, nh;
		struct bytes payload;
		size_t least = esp_head_len(k) + esp_tail_len(k, 0) - 2;

		for (n = 0; n < esp_head_len(k) + 2 + 12; n++)
			assert_int_equal(esp_open(k, 0, esp, n, &payload, &nh), ERR_SYNTAX);
		if (esp_head_len(k) == 24)      /* CBC: whole blocks only */
			assert_int_equal(esp_open(k, 0, esp, least + 3, &payload, &nh), ERR_SYNTAX);
		esp_key_free(k);
	}
}

/* Padding is 1, 2, 3 ... (RFC 4303 section 2.4): here made wrong by a sender that has the key. */
TEST(bad_padding_is_refused)
{
	static const char *const bodies[] = {
		"00000000 0504",                /* longer than the packet */
		"aabb 0202 0204",               /* not 1, 2 */
		"aabb 0100 0204",
		"ff04",
	};
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		struct octets key = counted(1, 20), esp = hex("00000001 00000001 0000000000000001");
		struct octets body = hex(bodies[i]);
		struct ike_cipher *c;
		struct esp_transform t;
		struct bytes payload;
		struct esp_key *k;
		uint8_t nh;

		memcpy(esp.p + esp.n, body.p, body.n);
		assert_int_equal(ike_cipher_new(&c, ENCR_AES_GCM_16, 128, INTEG_NONE, view(&key),
		    bytes_of(NULL, 0)), 0);
		assert_int_equal(ike_cipher_seal(c, bytes_of(esp.p, 8), bytes_of(esp.p + 8, 8),
		    esp.p + 16, body.n, esp.p + 16 + body.n), 0);
		assert_int_equal(esp_transform_parse(&t, "aes128gcm16"), 0);
		assert_int_equal(esp_key_new(&k, &t, view(&key)), 0);
		assert_int_equal(esp_open(k, 0, esp.p, 16 + body.n + 16, &payload, &nh),
		    ERR_SYNTAX);
		esp_key_free(k);
		ike_cipher_free(c);
	}
}

TEST(batches_do_what_calls_do)
{
	struct esp_key *k = new_key("aes128gcm16-esn", false, 17);
	struct esp_item items[5];
	uint8_t esp[5][ROOM], one[ROOM];
	uint64_t random = 3;
	size_t i;

	for (i = 0; i < COUNT(items); i++) {
		struct octets plain = counted((uint8_t)i, 40 * i);

		fill(esp[i], ROOM, &random);
		memcpy(esp[i] + esp_head_len(k), plain.p, plain.n);
		items[i] = (struct esp_item){ .esp = esp[i], .n = plain.n, .seq = 100 + i,
			.next_header = 17, .rc = 99 };
	}
	esp_seal_batch(k, 0x12345678, items, COUNT(items));
	for (i = 0; i < COUNT(items); i++) {
		struct octets plain = counted((uint8_t)i, 40 * i);

		assert_int_equal(items[i].rc, 0);
		assert_int_equal(seal(k, 100 + i, one, view(&plain)), items[i].n);
		assert_memory_equal(one, esp[i], items[i].n);
	}
	esp[2][30] ^= 1;
	esp_open_batch(k, items, COUNT(items));
	for (i = 0; i < COUNT(items); i++) {
		struct octets plain = counted((uint8_t)i, 40 * i);

		assert_int_equal(items[i].rc, i == 2 ? ERR_AUTH : 0);
		if (i != 2)
			assert_true(bytes_equal(items[i].payload, view(&plain)));
	}
	esp_key_free(k);
}

TEST(wrong_keys_are_refused)
{
	struct octets key = counted(0, 100);
	struct esp_transform t;
	struct esp_key *k;

	assert_int_equal(esp_transform_parse(&t, "aes128gcm16"), 0);
	assert_int_equal(esp_key_new(&k, &t, bytes_of(key.p, 19)), ERR_VALUE);
	assert_null(k);
	assert_int_equal(esp_key_new(&k, &t, bytes_of(key.p, 21)), ERR_VALUE);
	t.integ = ESP_HMAC_SHA2_256_128;
	assert_int_equal(esp_key_new(&k, &t, bytes_of(key.p, 52)), ERR_UNSUPPORTED);
	t = (struct esp_transform){ .encr = 3, .integ = ESP_HMAC_SHA2_256_128 };
	assert_int_equal(esp_key_new(&k, &t, bytes_of(key.p, 52)), ERR_UNSUPPORTED);
	esp_key_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_transform_opens_what_it_sealed),
		cmocka_unit_test(both_engines_give_the_same_octets),
		cmocka_unit_test(the_fast_engine_is_used_where_it_is),
		cmocka_unit_test(published_packets_are_opened),
		cmocka_unit_test(every_changed_octet_is_noticed),
		cmocka_unit_test(the_high_half_counts_only_with_esn),
		cmocka_unit_test(an_iv_is_never_used_twice),
		cmocka_unit_test(short_packets_are_refused),
		cmocka_unit_test(bad_padding_is_refused),
		cmocka_unit_test(batches_do_what_calls_do),
		cmocka_unit_test(wrong_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, crypto_setup, crypto_teardown);
}
