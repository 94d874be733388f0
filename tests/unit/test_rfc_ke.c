/* SPDX-License-Identifier: ISC */
/* What a recipient of Curve25519 values must accept: RFC 8031 section 3.2, RFC 7748 section 5. */
#include "base_support.h"

#include "crypto/crypto.h"

#define LEN 32

static void
derive(const struct ke *ke, const uint8_t peer[static LEN], uint8_t out[static LEN])
{
	struct secret shared = { 0 };

	assert_int_equal(ke_derive(ke, bytes_of(peer, LEN), &shared), OK);
	assert_int_equal(shared.n, LEN);
	memcpy(out, shared.p, LEN);
	secret_free(&shared);
}

static void
topmost_bit_of_x25519_is_masked(void **state)
{
	uint8_t peer[LEN], one[LEN], two[LEN];
	struct ke *ours, *theirs;

	(void)state;
	assert_int_equal(ke_new(&ours, KE_CURVE25519), OK);
	assert_int_equal(ke_new(&theirs, KE_CURVE25519), OK);
	memcpy(peer, ke_public(theirs).p, LEN);
	assert_int_equal(peer[LEN - 1] & 0x80, 0);
	derive(ours, peer, one);
	peer[LEN - 1] |= 0x80;
	derive(ours, peer, two);
	assert_memory_equal(one, two, LEN);
	ke_free(ours);
	ke_free(theirs);
}

/* p + 9 is another way to write 9, the base point: the secret is our own public value. */
static void
value_above_the_prime_is_accepted(void **state)
{
	uint8_t peer[LEN], out[LEN];
	struct ke *ours;

	(void)state;
	memset(peer, 0xff, LEN);
	peer[0] = 0xf6;
	peer[LEN - 1] = 0x7f;
	assert_int_equal(ke_new(&ours, KE_CURVE25519), OK);
	derive(ours, peer, out);
	assert_memory_equal(out, ke_public(ours).p, LEN);
	ke_free(ours);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(topmost_bit_of_x25519_is_masked),
		cmocka_unit_test(value_above_the_prime_is_accepted),
	};

	if (crypto_init() != OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
