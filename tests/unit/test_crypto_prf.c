/* SPDX-License-Identifier: ISC */
#include "crypto_support.h"

/* RFC 4231, test cases 1 to 4, 6 and 7; for SHA-1 RFC 2202, the first. */
static const struct {
	const char *sha256, *sha384, *sha512;
} answers[] = {
	{ "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	    "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	    "faea9ea9076ede7f4af152e8b2fa9cb6",
	    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	    "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	    "8e2240ca5e69e2c78b3239ecfab21649",
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
	    "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
	    "2a5ab39dc13814b94e3ab6e101a34f27",
	    "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
	    "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" },
	{ "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
	    "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e"
	    "6801dd23c4a7d679ccf8a386c674cffb",
	    "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
	    "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd" },
	{ "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
	    "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	    "0c2ef6ab4030fe8296248df163f44952",
	    "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	    "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	{ "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
	    "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
	    "a678cc31e799176d3860e6110c46523e",
	    "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
	    "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58" },
};

static struct octets
case_key(size_t i)
{
	return i == 0 ? repeated(0x0b, 20) : i == 1 ? text("Jefe") : i == 2 ? repeated(0xaa, 20) :
	    i == 3 ? counted(1, 25) : repeated(0xaa, 131);
}

static struct octets
case_data(size_t i)
{
	return i == 0 ? text("Hi There") : i == 1 ? text("what do ya want for nothing?") :
	    i == 2 ? repeated(0xdd, 50) : i == 3 ? repeated(0xcd, 50) :
	    i == 4 ? text("Test Using Larger Than Block-Size Key - Hash Key First") :
	    text("This is a test using a larger than block-size key and a larger than block-size "
	    "data. The key needs to be hashed before being used by the HMAC algorithm.");
}

static void
check_prf(uint16_t prf, const struct octets *key, struct bytes data, const char *wanted)
{
	struct bytes parts[3] = { bytes_of(data.p, 3), bytes_of(NULL, 0),
	    bytes_of(data.p + 3, data.n - 3) };
	uint8_t out[64];

	assert_int_equal(prf_compute(prf, view(key), &data, 1, out), 0);
	assert_octets(bytes_of(out, prf_len(prf)), wanted);
	assert_int_equal(prf_compute(prf, view(key), parts, 3, out), 0);
	assert_octets(bytes_of(out, prf_len(prf)), wanted);
}

TEST(prf_gives_the_examples_of_rfc_4231)
{
	size_t i;

	for (i = 0; i < COUNT(answers); i++) {
		struct octets key = case_key(i), data = case_data(i);

		check_prf(PRF_HMAC_SHA2_256, &key, view(&data), answers[i].sha256);
		check_prf(PRF_HMAC_SHA2_384, &key, view(&data), answers[i].sha384);
		check_prf(PRF_HMAC_SHA2_512, &key, view(&data), answers[i].sha512);
	}
}

TEST(prf_with_sha1_gives_the_example_of_rfc_2202)
{
	struct octets key = repeated(0x0b, 20), data = text("Hi There");

	check_prf(PRF_HMAC_SHA1, &key, view(&data), "b617318655057264e28bc0b6fb378c8ef146be00");
}

/* HMAC of nothing under nothing: an empty key must not mean the key before. */
TEST(prf_takes_an_empty_key_and_no_data)
{
	struct octets key = repeated(7, 32);
	uint8_t out[32];
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(prf_compute(PRF_HMAC_SHA2_256, bytes_of(NULL, 0), NULL, 0, out),
		    0);
		assert_octets(bytes_of(out, 32),
		    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
		assert_int_equal(prf_compute(PRF_HMAC_SHA2_256, view(&key), NULL, 0, out), 0);
	}
}

TEST(prf_of_another_number_is_unsupported)
{
	uint8_t out[64];

	assert_int_equal(prf_len(1), 0);
	assert_int_equal(prf_len(8), 0);
	assert_int_equal(prf_compute(8, bytes_str("k"), NULL, 0, out), ERR_UNSUPPORTED);
	assert_int_equal(prf_plus(8, bytes_str("k"), NULL, 0, out, 1), ERR_UNSUPPORTED);
}

/* RFC 7296 section 2.13, step by step. */
TEST(prf_plus_chains_the_prf)
{
	static const uint16_t prfs[] = { PRF_HMAC_SHA1, PRF_HMAC_SHA2_256, PRF_HMAC_SHA2_384,
		PRF_HMAC_SHA2_512 };
	struct octets key = counted(0, 40), seed = counted(100, 77);
	size_t k, n;

	for (k = 0; k < COUNT(prfs); k++) {
		size_t len = prf_len(prfs[k]);
		struct bytes two[2] = { bytes_of(seed.p, 30), bytes_of(seed.p + 30, 47) };
		uint8_t whole[64 * 5], out[64 * 5], counter;

		for (counter = 1; counter <= 5; counter++) {
			uint8_t *t = whole + (size_t)(counter - 1) * len;
			struct bytes parts[3] = { bytes_of(t - (counter == 1 ? 0 : len),
			    counter == 1 ? 0 : len), view(&seed), bytes_of(&counter, 1) };

			assert_int_equal(prf_compute(prfs[k], view(&key), parts, 3, t), 0);
		}
		for (n = 0; n <= 5 * len; n += n < 3 ? 1 : 13) {
			memset(out, 0xee, sizeof out);
			assert_int_equal(prf_plus(prfs[k], view(&key), two, 2, out, n), 0);
			assert_memory_equal(out, whole, n);
			if (n < sizeof out)
				assert_int_equal(out[n], 0xee);
		}
	}
}

TEST(prf_plus_ends_at_255_blocks)
{
	static uint8_t out[256 * 32];
	struct bytes seed = bytes_str("seed");

	assert_int_equal(prf_plus(PRF_HMAC_SHA2_256, bytes_str("key"), &seed, 1, out, 255 * 32), 0);
	assert_int_equal(prf_plus(PRF_HMAC_SHA2_256, bytes_str("key"), &seed, 1, out, 255 * 32 + 1),
	    ERR_VALUE);
}

TEST(hashes_give_known_digests)
{
	struct bytes parts[2] = { bytes_str("a"), bytes_str("bc") };
	uint8_t out[32];

	assert_int_equal(crypto_sha1(parts, 2, out), 0);
	assert_octets(bytes_of(out, SHA1_LEN), "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(crypto_sha256(parts, 2, out), 0);
	assert_octets(bytes_of(out, SHA256_LEN),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(crypto_sha256(NULL, 0, out), 0);
	assert_octets(bytes_of(out, SHA256_LEN),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(random_octets_differ)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	assert_int_equal(crypto_random(a, sizeof a), 0);
	assert_int_equal(crypto_random(b, sizeof b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(crypto_random(NULL, 0), 0);
}

TEST(version_names_the_libraries)
{
	assert_non_null(strstr(crypto_version(), "OpenSSL"));
	assert_non_null(strstr(crypto_version(), "libipsec_mb"));
}

TEST(init_and_cleanup_can_be_repeated)
{
	assert_int_equal(crypto_init(), 0);
	crypto_cleanup();
	crypto_cleanup();
	assert_int_equal(crypto_init(), 0);
	assert_int_equal(crypto_init(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prf_gives_the_examples_of_rfc_4231),
		cmocka_unit_test(prf_with_sha1_gives_the_example_of_rfc_2202),
		cmocka_unit_test(prf_takes_an_empty_key_and_no_data),
		cmocka_unit_test(prf_of_another_number_is_unsupported),
		cmocka_unit_test(prf_plus_chains_the_prf),
		cmocka_unit_test(prf_plus_ends_at_255_blocks),
		cmocka_unit_test(hashes_give_known_digests),
		cmocka_unit_test(random_octets_differ),
		cmocka_unit_test(version_names_the_libraries),
		cmocka_unit_test(init_and_cleanup_can_be_repeated),
	};

	return cmocka_run_group_tests(tests, crypto_setup, crypto_teardown);
}
