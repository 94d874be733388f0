/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include <stdlib.h>

#include "base/sa.h"

static const struct {
	const char *name;
	uint16_t encr, key_bits, integ;
	size_t encr_key, integ_key;
} rows[] = {
	{ "aes128gcm16", ESP_AES_GCM_16, 128, 0, 20, 0 },
	{ "aes192gcm16", ESP_AES_GCM_16, 192, 0, 28, 0 },
	{ "aes256gcm16", ESP_AES_GCM_16, 256, 0, 36, 0 },
	{ "chacha20poly1305", ESP_CHACHA20_POLY1305, 0, 0, 36, 0 },
	{ "aes128gmac", ESP_NULL_AES_GMAC, 128, 0, 20, 0 },
	{ "aes256gmac", ESP_NULL_AES_GMAC, 256, 0, 36, 0 },
	{ "aes128-sha256", ESP_AES_CBC, 128, ESP_HMAC_SHA2_256_128, 16, 32 },
	{ "aes256-sha256", ESP_AES_CBC, 256, ESP_HMAC_SHA2_256_128, 32, 32 },
	{ "aes256-sha384", ESP_AES_CBC, 256, ESP_HMAC_SHA2_384_192, 32, 48 },
	{ "aes256-sha512", ESP_AES_CBC, 256, ESP_HMAC_SHA2_512_256, 32, 64 },
};

TEST(transform_names_round_trip)
{
	char buf[48], want[48];
	struct esp_transform t;
	size_t i;
	int esn;

	for (i = 0; i < COUNT(rows); i++)
		for (esn = 0; esn < 2; esn++) {
			assert_true(strlen(rows[i].name) + 4 < sizeof want);
			strcpy(want, rows[i].name);
			strcat(want, esn ? "-esn" : "");
			assert_int_equal(esp_transform_parse(&t, want), OK);
			assert_int_equal(t.encr, rows[i].encr);
			assert_int_equal(t.key_bits, rows[i].key_bits);
			assert_int_equal(t.integ, rows[i].integ);
			assert_int_equal(t.esn, esn);
			assert_string_equal(esp_transform_name(&t, buf), want);
		}
}

TEST(transform_lengths_include_the_salt)
{
	size_t i, encr, integ;
	struct esp_transform t;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(esp_transform_parse(&t, rows[i].name), OK);
		assert_int_equal(esp_transform_lengths(&t, &encr, &integ), OK);
		assert_int_equal(encr, rows[i].encr_key);
		assert_int_equal(integ, rows[i].integ_key);
		assert_true(encr + integ <= SA_KEY_MAX);
	}
}

TEST(names_that_are_not_ours_are_unsupported)
{
	static const char *const bad[] = {
		"", "aes", "aes128", "aes128gcm", "aes128gcm16 ", "aes128gcm16-", "aes128gcm16-es",
		"aes128gcm16-esnn", "aes128gcm16-esn-esn", "AES128GCM16", "3des-sha1", "null",
		"aes128-sha1", "-esn", "aes512gcm16", "chacha20poly1305x",
	};
	struct esp_transform t;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(esp_transform_parse(&t, bad[i]), ERR_UNSUPPORTED);
}

TEST(combinations_that_do_not_exist_are_unsupported)
{
	static const struct esp_transform bad[] = {
		{ 0, 0, 0, false },
		{ ESP_AES_CBC, 128, ESP_INTEG_NONE, false },
		{ ESP_AES_GCM_16, 128, ESP_HMAC_SHA2_256_128, false },
		{ ESP_AES_GCM_16, 0, 0, false },
		{ ESP_AES_GCM_16, 129, 0, false },
		{ ESP_CHACHA20_POLY1305, 256, 0, false },
		{ ESP_ENCR_NONE, 0, ESP_HMAC_SHA2_256_128, false },
		{ 99, 128, 0, false },
	};
	size_t i, encr, integ;
	char buf[48];

	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(esp_transform_lengths(&bad[i], &encr, &integ), ERR_UNSUPPORTED);
		assert_null(esp_transform_name(&bad[i], buf));
	}
}

TEST(wiped_sa_has_no_key)
{
	struct sa_params sa = { .spi = 0x1234, .key_len = 20 };
	size_t i;

	memset(sa.key, 0xa5, sizeof sa.key);
	sa_wipe(&sa);
	for (i = 0; i < sizeof sa.key; i++)
		assert_int_equal(sa.key[i], 0);
	assert_int_equal(sa.key_len, 0);
	assert_int_equal(sa.spi, 0x1234);
}

TEST(grant_knows_its_vns)
{
	uint32_t vnis[] = { 1, 5, 5001, 5002, VNI_MAX };
	struct grant g = { .vnis = vnis, .n_vnis = COUNT(vnis) }, none = { 0 };
	size_t i;

	for (i = 0; i < COUNT(vnis); i++) {
		assert_true(grant_has_vni(&g, vnis[i]));
		assert_false(grant_has_vni(&none, vnis[i]));
	}
	assert_false(grant_has_vni(&g, 0));
	assert_false(grant_has_vni(&g, 2));
	assert_false(grant_has_vni(&g, 5003));
	assert_false(grant_has_vni(&g, UINT32_MAX));
}

TEST(copies_share_no_memory)
{
	struct grant g = { .number = 7, .n_vnis = 3 }, h;
	struct policy p = { .action = POLICY_PROTECT, .n_vnis = 3 }, q;
	size_t i;

	g.vnis = calloc(3, sizeof g.vnis[0]);
	p.vnis = calloc(3, sizeof p.vnis[0]);
	assert_non_null(g.vnis);
	assert_non_null(p.vnis);
	for (i = 0; i < 3; i++)
		g.vnis[i] = p.vnis[i] = (uint32_t)i + 1;
	assert_int_equal(grant_copy(&h, &g), OK);
	assert_int_equal(policy_copy(&q, &p), OK);
	assert_ptr_not_equal(h.vnis, g.vnis);
	assert_ptr_not_equal(q.vnis, p.vnis);
	grant_free(&g);
	policy_free(&p);
	assert_null(g.vnis);
	assert_int_equal(g.n_vnis, 0);
	assert_int_equal(h.number, 7);
	assert_true(grant_has_vni(&h, 3));
	assert_int_equal(q.vnis[2], 3);
	grant_free(&h);
	policy_free(&q);
	grant_free(&h);
	policy_free(&q);
	assert_int_equal(grant_copy(&h, &g), OK);
	assert_null(h.vnis);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transform_names_round_trip),
		cmocka_unit_test(transform_lengths_include_the_salt),
		cmocka_unit_test(names_that_are_not_ours_are_unsupported),
		cmocka_unit_test(combinations_that_do_not_exist_are_unsupported),
		cmocka_unit_test(wiped_sa_has_no_key),
		cmocka_unit_test(grant_knows_its_vns),
		cmocka_unit_test(copies_share_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
