/* SPDX-License-Identifier: ISC */
#include "crypto_support.h"

struct aead_example {
	uint16_t encr, bits;
	const char *key, *salt, *iv, *aad, *plain, *cipher, *tag;
};

/* The nonce is salt | IV: RFC 5282 section 4, RFC 7634 section 2. */
static const struct aead_example examples[] = {
	/* The GCM specification (McGrew, Viega), test case 4 */
	{ ENCR_AES_GCM_16, 128, "feffe9928665731c6d6a8f9467308308", "cafebabe", "facedbaddecaf888",
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
	    "5bc94fbc3221a5db94fae95ae7121a47" },
	/* test case 10 */
	{ ENCR_AES_GCM_16, 192, "feffe9928665731c6d6a8f9467308308feffe9928665731c", "cafebabe",
	    "facedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
	    "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
	    "2519498e80f1478f37ba55bd6d27618c" },
	/* test case 16 */
	{ ENCR_AES_GCM_16, 256,
	    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabe",
	    "facedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	    "76fc6ece0f4e1768cddf8853bb2d551b" },
	/* RFC 7634 appendix B */
	{ ENCR_CHACHA20_POLY1305, 0,
	    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "a0a1a2a3",
	    "1011121314151617",
	    "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
	    "0000000c000040010000000a00", "610394701f8d017f7c12924889",
	    "6b71bfe25236efd7cdc67066906315b2" },
};

static struct ike_cipher *
new_aead(const struct aead_example *e)
{
	struct octets key = hex(e->key), salt = hex(e->salt);
	struct ike_cipher *c;

	memcpy(key.p + key.n, salt.p, salt.n);
	key.n += salt.n;
	assert_int_equal(ike_cipher_new(&c, e->encr, e->bits, INTEG_NONE, view(&key),
	    bytes_of(NULL, 0)), 0);
	return c;
}

TEST(aead_gives_the_published_examples)
{
	size_t i;

	for (i = 0; i < COUNT(examples); i++) {
		const struct aead_example *e = &examples[i];
		struct octets aad = hex(e->aad), iv = hex(e->iv), buf = hex(e->plain), plain = buf;
		struct ike_cipher *c = new_aead(e);
		uint8_t icv[16];
		int turn;

		/* Twice: nothing of a message may be left for the next. */
		for (turn = 0; turn < 2; turn++) {
			assert_int_equal(ike_cipher_seal(c, view(&aad), view(&iv), buf.p, buf.n,
			    icv), 0);
			assert_octets(view(&buf), e->cipher);
			assert_octets(bytes_of(icv, sizeof icv), e->tag);
			assert_int_equal(ike_cipher_open(c, view(&aad), view(&iv), buf.p, buf.n,
			    bytes_of(icv, sizeof icv)), 0);
			assert_true(bytes_equal(view(&buf), view(&plain)));
		}
		ike_cipher_free(c);
	}
}

static void
assert_refused(struct ike_cipher *c, const struct octets *aad, const struct octets *iv,
    struct octets buf, const uint8_t *icv)
{
	struct octets zero = repeated(0, buf.n);

	assert_int_equal(ike_cipher_open(c, view(aad), view(iv), buf.p, buf.n, bytes_of(icv, 16)),
	    ERR_AUTH);
	assert_true(bytes_equal(view(&buf), view(&zero)));
}

TEST(aead_refuses_what_was_changed)
{
	size_t i, k;

	for (i = 0; i < COUNT(examples); i++) {
		const struct aead_example *e = &examples[i];
		struct octets aad = hex(e->aad), iv = hex(e->iv), buf = hex(e->cipher), tag =
		    hex(e->tag);
		struct ike_cipher *c = new_aead(e);

		for (k = 0; k < aad.n; k++) {
			aad.p[k] ^= 0x40;
			assert_refused(c, &aad, &iv, buf, tag.p);
			aad.p[k] ^= 0x40;
		}
		for (k = 0; k < buf.n; k++) {
			buf.p[k] ^= 1;
			assert_refused(c, &aad, &iv, buf, tag.p);
			buf.p[k] ^= 1;
		}
		for (k = 0; k < tag.n; k++) {
			tag.p[k] ^= 0x80;
			assert_refused(c, &aad, &iv, buf, tag.p);
			tag.p[k] ^= 0x80;
		}
		iv.p[7] ^= 1;
		assert_refused(c, &aad, &iv, buf, tag.p);
		ike_cipher_free(c);
	}
}

TEST(aead_seals_nothing_at_all)
{
	struct octets iv = counted(0, 8);
	struct ike_cipher *c = new_aead(&examples[0]);
	uint8_t none[1] = { 9 }, icv[16];

	assert_int_equal(ike_cipher_seal(c, bytes_str("aad"), view(&iv), none, 0, icv), 0);
	assert_int_equal(none[0], 9);
	assert_int_equal(ike_cipher_open(c, bytes_str("aad"), view(&iv), none, 0,
	    bytes_of(icv, 16)), 0);
	icv[0] ^= 1;
	assert_int_equal(ike_cipher_open(c, bytes_str("aad"), view(&iv), none, 0,
	    bytes_of(icv, 16)), ERR_AUTH);
	ike_cipher_free(c);
}

/* RFC 3602 section 4, cases 1 and 2. */
TEST(cbc_gives_the_examples_of_rfc_3602)
{
	static const struct {
		const char *key, *iv, *plain, *cipher;
	} cbc[] = {
		{ "06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41",
		    "53696e676c6520626c6f636b206d7367", "e353779c1079aeb82708942dbe77181a" },
		{ "c286696d887c9aa0611bbb3e2025a45a", "562e17996d093d28ddb3ba695a2e6f58",
		    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		    "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1" },
	};
	struct octets integ = repeated(1, 32);
	size_t i;

	for (i = 0; i < COUNT(cbc); i++) {
		struct octets key = hex(cbc[i].key), iv = hex(cbc[i].iv), buf = hex(cbc[i].plain);
		struct ike_cipher *c;

		assert_int_equal(ike_cipher_new(&c, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128,
		    view(&key), view(&integ)), 0);
		assert_int_equal(ike_cipher_seal(c, bytes_of(NULL, 0), view(&iv), buf.p, buf.n,
		    NULL),
		    0);
		assert_octets(view(&buf), cbc[i].cipher);
		assert_int_equal(ike_cipher_open(c, bytes_of(NULL, 0), view(&iv), buf.p, buf.n,
		    bytes_of(NULL, 0)), 0);
		assert_octets(view(&buf), cbc[i].plain);
		assert_int_equal(ike_cipher_seal(c, bytes_of(NULL, 0), view(&iv), buf.p, 15, NULL),
		    ERR_VALUE);
		ike_cipher_free(c);
	}
}

/* RFC 4868 section 2.7.2: AUTH test vectors, case 1 of each. */
TEST(icv_gives_the_examples_of_rfc_4868)
{
	static const struct {
		uint16_t integ;
		size_t key;
		const char *icv;
	} macs[] = {
		{ INTEG_HMAC_SHA2_256_128, 32, "198a607eb44bfbc69903a0f1cf2bbdc5" },
		{ INTEG_HMAC_SHA2_384_192, 48, "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973" },
		{ INTEG_HMAC_SHA2_512_256, 64,
		    "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8" },
	};
	struct octets key = repeated(2, 16);
	size_t i;

	for (i = 0; i < COUNT(macs); i++) {
		struct octets integ = repeated(0x0b, macs[i].key);
		struct ike_cipher_info info;
		struct ike_cipher *c;
		uint8_t icv[33];
		int turn;

		assert_int_equal(ike_cipher_info(ENCR_AES_CBC, 128, macs[i].integ, &info), 0);
		assert_int_equal(info.integ_key, macs[i].key);
		assert_int_equal(ike_cipher_new(&c, ENCR_AES_CBC, 128, macs[i].integ, view(&key),
		    view(&integ)), 0);
		for (turn = 0; turn < 2; turn++) {
			icv[info.icv] = 0xee;
			assert_int_equal(ike_cipher_icv(c, bytes_str("Hi There"), icv), 0);
			assert_octets(bytes_of(icv, info.icv), macs[i].icv);
			assert_int_equal(icv[info.icv], 0xee);
		}
		ike_cipher_free(c);
	}
}

TEST(info_tells_the_lengths)
{
	struct ike_cipher_info info;

	assert_int_equal(ike_cipher_info(ENCR_AES_GCM_16, 256, INTEG_NONE, &info), 0);
	assert_true(info.aead && info.key == 32 && info.salt == 4 && info.iv == 8);
	assert_true(info.block == 1 && info.icv == 16 && info.integ_key == 0);
	assert_int_equal(ike_cipher_info(ENCR_CHACHA20_POLY1305, 0, INTEG_NONE, &info), 0);
	assert_true(info.aead && info.key == 32 && info.salt == 4 && info.iv == 8);
	assert_int_equal(ike_cipher_info(ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256, &info), 0);
	assert_true(!info.aead && info.key == 32 && info.salt == 0 && info.iv == 16);
	assert_true(info.block == 16 && info.icv == 32 && info.integ_key == 64);
}

TEST(other_combinations_are_unsupported)
{
	static const uint16_t bad[][3] = {
		{ ENCR_AES_GCM_16, 0, INTEG_NONE },
		{ ENCR_AES_GCM_16, 64, INTEG_NONE },
		{ ENCR_AES_GCM_16, 512, INTEG_NONE },
		{ ENCR_AES_GCM_16, 128, INTEG_HMAC_SHA2_256_128 },
		{ ENCR_CHACHA20_POLY1305, 256, INTEG_NONE },
		{ ENCR_AES_CBC, 128, INTEG_NONE },
		{ ENCR_AES_CBC, 128, 2 },
		{ ENCR_AES_CBC, 0, INTEG_HMAC_SHA2_256_128 },
		{ ENCR_NULL_AES_GMAC, 128, INTEG_NONE },
		{ 3, 0, INTEG_HMAC_SHA2_256_128 },
	};
	struct octets key = repeated(0, 64);
	struct ike_cipher_info info;
	struct ike_cipher *c;
	size_t i;

	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(ike_cipher_info(bad[i][0], bad[i][1], bad[i][2], &info),
		    ERR_UNSUPPORTED);
		assert_int_equal(ike_cipher_new(&c, bad[i][0], bad[i][1], bad[i][2], view(&key),
		    view(&key)), ERR_UNSUPPORTED);
		assert_null(c);
	}
	ike_cipher_free(NULL);
}

TEST(wrong_lengths_are_refused)
{
	struct octets key = repeated(0, 64), buf = repeated(0, 64);
	struct ike_cipher *c;
	uint8_t icv[16];

	assert_int_equal(ike_cipher_new(&c, ENCR_AES_GCM_16, 128, INTEG_NONE, bytes_of(key.p, 16),
	    bytes_of(NULL, 0)), ERR_VALUE);
	assert_int_equal(ike_cipher_new(&c, ENCR_AES_GCM_16, 128, INTEG_NONE, bytes_of(key.p, 20),
	    bytes_of(key.p, 1)), ERR_VALUE);
	assert_int_equal(ike_cipher_new(&c, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128,
	    bytes_of(key.p, 16), bytes_of(key.p, 31)), ERR_VALUE);
	assert_int_equal(ike_cipher_new(&c, ENCR_AES_GCM_16, 128, INTEG_NONE, bytes_of(key.p, 20),
	    bytes_of(NULL, 0)), 0);
	assert_int_equal(ike_cipher_seal(c, view(&key), bytes_of(key.p, 7), buf.p, 8, icv),
	    ERR_VALUE);
	assert_int_equal(ike_cipher_open(c, view(&key), bytes_of(key.p, 8), buf.p, 8,
	    bytes_of(icv, 15)), ERR_VALUE);
	assert_int_equal(ike_cipher_icv(c, view(&key), icv), ERR_UNSUPPORTED);
	ike_cipher_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aead_gives_the_published_examples),
		cmocka_unit_test(aead_refuses_what_was_changed),
		cmocka_unit_test(aead_seals_nothing_at_all),
		cmocka_unit_test(cbc_gives_the_examples_of_rfc_3602),
		cmocka_unit_test(icv_gives_the_examples_of_rfc_4868),
		cmocka_unit_test(info_tells_the_lengths),
		cmocka_unit_test(other_combinations_are_unsupported),
		cmocka_unit_test(wrong_lengths_are_refused),
	};

	return cmocka_run_group_tests(tests, crypto_setup, crypto_teardown);
}
