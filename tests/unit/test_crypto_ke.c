/* SPDX-License-Identifier: ISC */
#include "crypto_support.h"

#include "crypto/ke_int.h"

static const uint16_t groups[] = { KE_CURVE25519, KE_ECP256, KE_ECP384, KE_MODP2048 };

struct example {
	uint16_t group;
	const char *i, *gi, *r, *gr, *shared;
};

static const struct example examples[] = {
	/* RFC 5903 section 8.1 */
	{ KE_ECP256,
	    "C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 C62A9C57 862D1433",
	    "DAD0B653 94221CF9 B051E1FE CA5787D0 98DFE637 FC90B9EF 945D0C37 72581180"
	    "5271A046 1CDB8252 D61F1C45 6FA3E59A B1F45B33 ACCF5F58 389E0577 B8990BB3",
	    "C6EF9C5D 78AE012A 011164AC B397CE20 88685D8F 06BF9BE0 B283AB46 476BEE53",
	    "D12DFB52 89C8D4F8 1208B702 70398C34 2296970A 0BCCB74C 736FC755 4494BF63"
	    "56FBF3CA 366CC23E 8157854C 13C58D6A AC23F046 ADA30F83 53E74F33 039872AB",
	    "D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 812464D0 4B9442DE" },
	/* RFC 5903 section 8.2 */
	{ KE_ECP384,
	    "099F3C70 34D4A2C6 99884D73 A375A67F 7624EF7C 6B3C0F16 0647B674 14DCE655"
	    "E35B5380 41E649EE 3FAEF896 783AB194",
	    "667842D7 D180AC2C DE6F74F3 7551F557 55C7645C 20EF73E3 1634FE72 B4C55EE6"
	    "DE3AC808 ACB4BDB4 C88732AE E95F41AA"
	    "9482ED1F C0EEB9CA FC498462 5CCFC23F 65032149 E0E144AD A0241815 35A0F38E"
	    "EB9FCFF3 C2C947DA E69B4C63 4573A81C",
	    "41CB0779 B4BDB85D 47846725 FBEC3C94 30FAB46C C8DC5060 855CC9BD A0AA2942"
	    "E0308312 916B8ED2 960E4BD5 5A7448FC",
	    "E558DBEF 53EECDE3 D3FCCFC1 AEA08A89 A987475D 12FD950D 83CFA417 32BC509D"
	    "0D1AC43A 0336DEF9 6FDA41D0 774A3571"
	    "DCFBEC7A ACF31964 72169E83 8430367F 66EEBE3C 6E70C416 DD5F0C68 759DD1FF"
	    "F83FA401 42209DFF 5EAAD96D B9E6386C",
	    "11187331 C279962D 93D60424 3FD592CB 9D0A926F 422E4718 7521287E 7156C5C4"
	    "D6031355 69B9E9D0 9CF5D4A2 70F59746" },
	/* RFC 7748 section 6.1, with Bob's private value */
	{ KE_CURVE25519, NULL,
	    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
	/* RFC 7748 section 5.2 */
	{ KE_CURVE25519, NULL,
	    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
	    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", NULL,
	    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
};

static void
check_side(uint16_t group, const char *private, const char *public, const char *peer,
    const char *wanted)
{
	struct octets key = hex(private), other = hex(peer);
	struct secret shared = { NULL, 0 };
	struct ke *ke;

	assert_int_equal(ke_from_private(&ke, group, view(&key)), 0);
	assert_int_equal(ke_group(ke), group);
	if (public != NULL)
		assert_octets(ke_public(ke), public);
	assert_int_equal(ke_derive(ke, view(&other), &shared), 0);
	assert_octets(secret_view(&shared), wanted);
	secret_free(&shared);
	ke_free(ke);
}

TEST(examples_of_the_rfcs_agree)
{
	size_t i;

	for (i = 0; i < COUNT(examples); i++) {
		const struct example *e = &examples[i];

		if (e->i != NULL)
			check_side(e->group, e->i, e->gi, e->gr, e->shared);
		check_side(e->group, e->r, e->gr, e->gi, e->shared);
	}
}

/* Both values 256 octets long, with the zeros in front: RFC 7296 section 2.14. */
TEST(modp_values_are_padded_to_the_prime)
{
	struct octets three = hex("03"), four = repeated(0, 256);
	struct secret shared = { NULL, 0 };
	struct ke *ke;
	size_t i;

	assert_int_equal(ke_from_private(&ke, KE_MODP2048, view(&three)), 0);
	assert_int_equal(ke_public(ke).n, 256);
	assert_int_equal(ke_public(ke).p[255], 8);
	four.p[255] = 4;
	assert_int_equal(ke_derive(ke, view(&four), &shared), 0);
	assert_int_equal(shared.n, 256);
	assert_int_equal(shared.p[255], 64);
	for (i = 0; i < 255; i++)
		assert_int_equal(shared.p[i] | ke_public(ke).p[i], 0);
	secret_free(&shared);
	ke_free(ke);
}

TEST(fresh_halves_agree_and_differ)
{
	size_t i;

	for (i = 0; i < COUNT(groups); i++) {
		struct secret s[2] = { { NULL, 0 }, { NULL, 0 } };
		struct ke *a, *b;

		assert_int_equal(ke_new(&a, groups[i]), 0);
		assert_int_equal(ke_new(&b, groups[i]), 0);
		assert_int_equal(ke_public(a).n, ke_public_len(groups[i]));
		assert_false(bytes_equal(ke_public(a), ke_public(b)));
		assert_int_equal(ke_derive(a, ke_public(b), &s[0]), 0);
		assert_int_equal(ke_derive(b, ke_public(a), &s[1]), 0);
		assert_true(bytes_equal(secret_view(&s[0]), secret_view(&s[1])));
		secret_free(&s[0]);
		secret_free(&s[1]);
		ke_free(a);
		ke_free(b);
	}
}

TEST(a_seed_gives_the_same_half_again)
{
	struct octets seed = counted(1, 64);
	size_t i;

	for (i = 0; i < COUNT(groups); i++) {
		struct ke *a, *b, *c;
		struct secret s[2] = { { NULL, 0 }, { NULL, 0 } };

		assert_int_equal(ke_from_seed(&a, groups[i], view(&seed)), 0);
		assert_int_equal(ke_from_seed(&b, groups[i], view(&seed)), 0);
		assert_int_equal(ke_from_seed(&c, groups[i], bytes_of(seed.p, 32)), 0);
		assert_true(bytes_equal(ke_public(a), ke_public(b)));
		assert_false(bytes_equal(ke_public(a), ke_public(c)));
		assert_int_equal(ke_derive(a, ke_public(c), &s[0]), 0);
		assert_int_equal(ke_derive(c, ke_public(b), &s[1]), 0);
		assert_true(bytes_equal(secret_view(&s[0]), secret_view(&s[1])));
		secret_free(&s[0]);
		secret_free(&s[1]);
		ke_free(a);
		ke_free(b);
		ke_free(c);
		assert_int_equal(ke_from_seed(&a, groups[i], bytes_of(seed.p, 31)), ERR_VALUE);
		assert_null(a);
	}
}

static void
refuse(uint16_t group, struct bytes peer)
{
	struct secret shared = { NULL, 0 };
	struct ke *ke;

	assert_int_equal(ke_new(&ke, group), 0);
	assert_int_equal(ke_derive(ke, peer, &shared), ERR_VALUE);
	assert_null(shared.p);
	ke_free(ke);
}

TEST(wrong_lengths_are_refused)
{
	struct octets o = repeated(5, 300);
	size_t i;

	for (i = 0; i < COUNT(groups); i++) {
		size_t n = ke_public_len(groups[i]);

		refuse(groups[i], bytes_of(o.p, 0));
		refuse(groups[i], bytes_of(o.p, n - 1));
		refuse(groups[i], bytes_of(o.p, n + 1));
	}
}

TEST(points_off_the_curve_are_refused)
{
	size_t i, k;

	for (i = 0; i < 2; i++) {
		struct octets o = hex(examples[i].gi);

		for (k = 0; k < o.n; k += 7) {
			o.p[k] ^= 1;
			refuse(examples[i].group, view(&o));
			o.p[k] ^= 1;
		}
		memset(o.p, 0, o.n);
		refuse(examples[i].group, view(&o));
		memset(o.p, 0xff, o.n);
		refuse(examples[i].group, view(&o));
	}
}

/* RFC 6989 section 2.1: 0, 1, p - 1, and what is not below p. */
TEST(modp_values_of_small_order_are_refused)
{
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL);
	struct octets o = repeated(0, 256);

	refuse(KE_MODP2048, view(&o));
	o.p[255] = 1;
	refuse(KE_MODP2048, view(&o));
	assert_int_equal(BN_bn2binpad(p, o.p, 256), 256);
	refuse(KE_MODP2048, view(&o));
	o.p[255]--;
	refuse(KE_MODP2048, view(&o));
	memset(o.p, 0xff, 256);
	refuse(KE_MODP2048, view(&o));
	BN_free(p);
}

/* RFC 8031 section 3.2, RFC 7748 section 7: points of small order give all zeros. */
TEST(x25519_values_of_small_order_are_refused)
{
	static const char *const small[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	size_t i;

	for (i = 0; i < COUNT(small); i++) {
		struct octets o = hex(small[i]);

		refuse(KE_CURVE25519, view(&o));
	}
}

TEST(other_groups_are_unsupported)
{
	struct octets seed = counted(0, 32);
	struct ke *ke;

	assert_int_equal(ke_public_len(KE_NONE), 0);
	assert_int_equal(ke_public_len(2), 0);
	assert_int_equal(ke_new(&ke, 2), ERR_UNSUPPORTED);
	assert_null(ke);
	assert_int_equal(ke_from_seed(&ke, 21, view(&seed)), ERR_UNSUPPORTED);
	assert_null(ke);
	ke_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_rfcs_agree),
		cmocka_unit_test(modp_values_are_padded_to_the_prime),
		cmocka_unit_test(fresh_halves_agree_and_differ),
		cmocka_unit_test(a_seed_gives_the_same_half_again),
		cmocka_unit_test(wrong_lengths_are_refused),
		cmocka_unit_test(points_off_the_curve_are_refused),
		cmocka_unit_test(modp_values_of_small_order_are_refused),
		cmocka_unit_test(x25519_values_of_small_order_are_refused),
		cmocka_unit_test(other_groups_are_unsupported),
	};

	return cmocka_run_group_tests(tests, crypto_setup, crypto_teardown);
}
