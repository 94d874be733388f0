/* SPDX-License-Identifier: ISC */
#include "ike_support.h"

#include "ike/proposal.h"

/* Transforms as they stand in a proposal; the last one starts with 00, others with 03. */
#define T(last, type, id)       last " 00 0008 " type " 00 " id " "
#define T_KEY(last, type, id, bits) last " 00 000c " type " 00 " id " 800e " bits " "
#define GCM256 T_KEY("03", "01", "0014", "0100")
#define GCM128 T_KEY("03", "01", "0014", "0080")
#define CHACHA T("03", "01", "001c")
#define CBC256 T_KEY("03", "01", "000c", "0100")
#define SHA256 T("03", "03", "000c")
#define NO_INTEG T("03", "03", "0000")
#define PRF256 T("03", "02", "0005")
#define PRF384 T("03", "02", "0006")
#define X25519 T("03", "04", "001f")
#define ECP256 T("03", "04", "0013")
#define NO_KE  T("03", "04", "0000")
#define NO_ESN T("03", "05", "0000")
#define ESN    T("03", "05", "0001")

struct offered {
	struct octets octets;
	struct ike_sa_payload sa;
};

/* Appends a proposal of these transforms; lengths, counts and "last" octets are put right. */
static void
add_proposal(struct offered *o, uint8_t protocol, const char *spi, const char *transforms)
{
	struct octets s = hex(spi), t = hex(transforms);
	uint8_t *p = o->octets.p + o->octets.n;
	size_t length = 8 + s.n + t.n, i, last = 0;
	uint8_t n = 0;

	for (i = 0; i < t.n; i += t.p[i + 3], n++)
		last = i;
	t.p[last] = 0;
	for (i = 0; i < o->octets.n; i += (size_t)o->octets.p[i + 2] << 8 | o->octets.p[i + 3])
		o->octets.p[i] = 2;
	memcpy(p, (uint8_t[]){ 0, 0, (uint8_t)(length >> 8), (uint8_t)length,
	    (uint8_t)(o->sa.n_proposals + 1), protocol, (uint8_t)s.n, n }, 8);
	memcpy(p + 8, s.p, s.n);
	memcpy(p + 8 + s.n, t.p, t.n);
	o->octets.n += length;
	assert_int_equal(sa_payload_read(&o->sa, view(&o->octets)), OK);
}

static struct ike_suite default_suites[IKE_PROPOSALS_MAX];
static struct ike_offer ours;

static int
setup(void **state)
{
	ours.suites = default_suites;
	ours.n_suites = ike_default_suites(default_suites);
	return crypto_setup(state);
}

/* The code, and the name when there is a choice, of one IKE proposal. */
static const char *
choose_ike(const char *transforms)
{
	static char name[IKE_SUITE_STRLEN];
	struct offered o = { 0 };
	struct ike_chosen c;
	int rc;

	add_proposal(&o, SP_IKE, "", transforms);
	rc = proposal_choose_ike(&c, &o.sa, &ours, 0);
	assert_true(rc == OK || rc == ERR_NOTFOUND);
	return rc == OK ? ike_chosen_name(&c, name) : "none";
}

TEST(our_preference_decides)
{
	assert_string_equal(choose_ike(CHACHA GCM128 GCM256 PRF384 PRF256 ECP256 X25519),
	    "aes256gcm16-prfsha256-x25519");
	assert_string_equal(choose_ike(CHACHA GCM128 PRF384 ECP256),
	    "aes128gcm16-prfsha384-ecp256");
	assert_string_equal(choose_ike(CHACHA PRF384 T("03", "02", "0007") T("03", "04", "000e")),
	    "chacha20poly1305-prfsha384-modp2048");
	assert_string_equal(choose_ike(CBC256 PRF256 T("03", "03", "000e") SHA256 ECP256),
	    "aes256-sha256-prfsha256-ecp256");
}

TEST(earlier_suite_of_ours_goes_before_earlier_proposal_of_theirs)
{
	struct offered o = { 0 };
	struct ike_chosen c;

	add_proposal(&o, SP_IKE, "", CBC256 PRF256 SHA256 X25519);
	add_proposal(&o, SP_IKE, "", GCM128 PRF256 ECP256);
	assert_int_equal(proposal_choose_ike(&c, &o.sa, &ours, 0), OK);
	assert_int_equal(c.number, 2);
	assert_int_equal(c.encr, ENCR_AES_GCM_16);
}

TEST(group_of_the_ke_payload_is_preferred)
{
	struct offered o = { 0 };
	struct ike_chosen c;

	add_proposal(&o, SP_IKE, "", GCM128 PRF256 X25519 ECP256);
	assert_int_equal(proposal_choose_ike(&c, &o.sa, &ours, 0), OK);
	assert_int_equal(c.ke, KE_CURVE25519);
	assert_int_equal(proposal_choose_ike(&c, &o.sa, &ours, KE_ECP256), OK);
	assert_int_equal(c.ke, KE_ECP256);
	/* not one that was not offered */
	assert_int_equal(proposal_choose_ike(&c, &o.sa, &ours, KE_ECP384), OK);
	assert_int_equal(c.ke, KE_CURVE25519);
}

TEST(each_mandatory_type_must_be_there)
{
	assert_string_equal(choose_ike(PRF256 X25519), "none");
	assert_string_equal(choose_ike(GCM128 X25519), "none");
	assert_string_equal(choose_ike(GCM128 PRF256), "none");
	assert_string_equal(choose_ike(GCM128 PRF256 NO_KE), "none");
	assert_string_equal(choose_ike(CBC256 PRF256 X25519), "none");
	assert_string_equal(choose_ike(GCM128 PRF256 X25519), "aes128gcm16-prfsha256-x25519");
}

/* RFC 5282 section 8. */
TEST(aead_goes_without_integrity)
{
	assert_string_equal(choose_ike(GCM128 PRF256 NO_INTEG X25519),
	    "aes128gcm16-prfsha256-x25519");
	assert_string_equal(choose_ike(GCM128 PRF256 SHA256 X25519), "none");
	assert_string_equal(choose_ike(GCM128 PRF256 SHA256 NO_INTEG X25519), "none");
	assert_string_equal(choose_ike(CBC256 PRF256 NO_INTEG X25519), "none");
	assert_string_equal(choose_ike(GCM128 CBC256 PRF256 SHA256 X25519),
	    "aes256-sha256-prfsha256-x25519");
}

TEST(key_length_is_there_exactly_where_it_belongs)
{
	assert_string_equal(choose_ike(T("03", "01", "0014") PRF256 X25519), "none");
	assert_string_equal(choose_ike(T_KEY("03", "01", "0014", "00c0") PRF256 X25519), "none");
	assert_string_equal(choose_ike(T_KEY("03", "01", "0014", "0000") PRF256 X25519), "none");
	assert_string_equal(choose_ike(T_KEY("03", "01", "001c", "0100") PRF256 X25519), "none");
	assert_string_equal(choose_ike(T_KEY("03", "01", "001c", "0000") PRF256 X25519), "none");
	assert_string_equal(choose_ike(GCM128 T_KEY("03", "02", "0005", "0100") X25519), "none");
	assert_string_equal(choose_ike(T("03", "01", "0014") CHACHA PRF256 X25519),
	    "chacha20poly1305-prfsha256-x25519");
}

TEST(transform_with_an_unknown_attribute_is_passed_over)
{
#define ODD "03 00 0010 01 00 0014 800e 0100 8011 0001 "
	assert_string_equal(choose_ike(ODD PRF256 X25519), "none");
	assert_string_equal(choose_ike(ODD GCM128 PRF256 X25519), "aes128gcm16-prfsha256-x25519");
}

TEST(proposal_with_an_unknown_transform_type_is_passed_over)
{
	struct offered o = { 0 };
	struct ike_chosen c;

	assert_string_equal(choose_ike(GCM256 PRF256 X25519 T("03", "06", "0025")), "none");
	assert_string_equal(choose_ike(GCM256 PRF256 X25519 T("03", "ff", "0000")), "none");
	assert_string_equal(choose_ike(GCM256 PRF256 X25519 T("03", "00", "0000")), "none");
	assert_string_equal(choose_ike(GCM256 PRF256 X25519 NO_ESN), "none");
	add_proposal(&o, SP_IKE, "", GCM256 PRF256 X25519 T("03", "06", "0025"));
	add_proposal(&o, SP_IKE, "", GCM256 PRF256 ECP256);
	assert_int_equal(proposal_choose_ike(&c, &o.sa, &ours, 0), OK);
	assert_int_equal(c.number, 2);
}

TEST(spi_has_the_size_of_the_exchange)
{
	struct ike_offer rekey = ours;
	struct offered init = { 0 }, with = { 0 }, zero = { 0 };
	struct ike_chosen c;

	rekey.spi_len = 8;
	add_proposal(&init, SP_IKE, "", GCM256 PRF256 X25519);
	add_proposal(&with, SP_IKE, "c0c1c2c3c4c5c6c7", GCM256 PRF256 X25519);
	add_proposal(&zero, SP_IKE, "0000000000000000", GCM256 PRF256 X25519);
	assert_int_equal(proposal_choose_ike(&c, &init.sa, &rekey, 0), ERR_NOTFOUND);
	assert_int_equal(proposal_choose_ike(&c, &with.sa, &ours, 0), ERR_NOTFOUND);
	assert_int_equal(proposal_choose_ike(&c, &zero.sa, &rekey, 0), ERR_NOTFOUND);
	assert_int_equal(proposal_choose_ike(&c, &with.sa, &rekey, 0), OK);
	assert_true(c.spi == UINT64_C(0xc0c1c2c3c4c5c6c7));
}

TEST(proposal_of_another_protocol_is_passed_over)
{
	struct offered o = { 0 };
	struct ike_chosen c;

	add_proposal(&o, SP_ESP, "c0c1c2c3", GCM256 NO_ESN);
	assert_int_equal(proposal_choose_ike(&c, &o.sa, &ours, 0), ERR_NOTFOUND);
}

/* Write our offer, read it back, choose, answer, check. */
static void
negotiate(struct ike_offer *offer, uint64_t spi_i, uint64_t spi_r, const char *want)
{
	struct ike_chosen chosen, checked;
	char name[IKE_SUITE_STRLEN];
	struct ike_out out = test_out();
	struct octets o, answer;
	struct ike_msg m;

	proposal_write_ike(&out, offer, spi_i);
	finish(&out, &o, &m);
	assert_int_equal(m.sa.n_proposals, offer->n_suites);
	assert_int_equal(proposal_choose_ike(&chosen, &m.sa, offer, 0), OK);
	assert_true(chosen.spi == spi_i);
	out = test_out();
	proposal_write_chosen_ike(&out, &chosen, spi_r);
	finish(&out, &answer, &m);
	assert_int_equal(proposal_check_ike(&checked, &m.sa, offer), OK);
	assert_true(checked.spi == spi_r);
	assert_int_equal(checked.number, chosen.number);
	assert_string_equal(ike_chosen_name(&checked, name), want);
}

TEST(ike_negotiation_with_ourselves)
{
	struct ike_offer rekey = ours, second = { .suites = default_suites + 1, .n_suites = 1 };

	rekey.spi_len = 8;
	negotiate(&ours, 0, 0, "aes256gcm16-prfsha256-x25519");
	negotiate(&rekey, 0x0102030405060708, 0x1112131415161718, "aes256gcm16-prfsha256-x25519");
	negotiate(&second, 0, 0, "aes256-sha256-prfsha256-x25519");
}

/* Section 3.3.6: the initiator must check. */
TEST(answer_that_was_not_offered_is_refused)
{
	static const struct {
		const char *transforms;
		int rc;
	} cases[] = {
		{ GCM128 PRF384 ECP256, OK },
		{ CHACHA PRF256 X25519, OK },
		{ T_KEY("03", "01", "0014", "00c0") PRF256 X25519, ERR_PROTO },  /* AES-192 */
		{ T("03", "01", "0014") PRF256 X25519, ERR_PROTO },
		{ GCM128 T("03", "02", "0002") X25519, ERR_PROTO },              /* PRF SHA-1 */
		{ GCM128 PRF256 T("03", "04", "0002"), ERR_PROTO },              /* MODP1024 */
		{ GCM128 PRF256, ERR_PROTO },
		{ GCM128 X25519, ERR_PROTO },
		{ PRF256 X25519, ERR_PROTO },
		{ GCM128 GCM256 PRF256 X25519, ERR_PROTO },                      /* two ciphers */
		{ GCM128 PRF256 X25519 ECP256, ERR_PROTO },
		{ GCM128 PRF256 X25519 NO_INTEG, ERR_PROTO },
		{ GCM128 PRF256 X25519 T("03", "06", "0025"), ERR_PROTO },
		{ CBC256 PRF256 SHA256 X25519, ERR_PROTO },                      /* of proposal 2 */
	};
	struct ike_chosen c;
	struct offered o;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		memset(&o, 0, sizeof o);
		add_proposal(&o, SP_IKE, "", cases[i].transforms);
		assert_int_equal(proposal_check_ike(&c, &o.sa, &ours), cases[i].rc);
	}
}

TEST(answer_holds_one_proposal_under_a_number_of_ours)
{
	struct ike_offer first = { .suites = default_suites, .n_suites = 1 };
	struct offered two = { 0 }, esp = { 0 }, spi = { 0 }, o = { 0 };
	struct ike_chosen c;

	add_proposal(&two, SP_IKE, "", GCM128 PRF256 X25519);
	add_proposal(&two, SP_IKE, "", CBC256 PRF256 SHA256 X25519);
	assert_int_equal(proposal_check_ike(&c, &two.sa, &ours), ERR_PROTO);
	add_proposal(&esp, SP_ESP, "c0c1c2c3", GCM128 NO_ESN);
	assert_int_equal(proposal_check_ike(&c, &esp.sa, &ours), ERR_PROTO);
	add_proposal(&spi, SP_IKE, "c0c1c2c3c4c5c6c7", GCM128 PRF256 X25519);
	assert_int_equal(proposal_check_ike(&c, &spi.sa, &ours), ERR_PROTO);
	add_proposal(&o, SP_IKE, "", CBC256 PRF256 SHA256 X25519);
	o.octets.p[4] = 2;
	assert_int_equal(sa_payload_read(&o.sa, view(&o.octets)), OK);
	assert_int_equal(proposal_check_ike(&c, &o.sa, &ours), OK);
	assert_int_equal(c.number, 2);
	assert_int_equal(proposal_check_ike(&c, &o.sa, &first), ERR_PROTO);
}

static struct esp_transform
esp(const char *name)
{
	struct esp_transform t;

	assert_int_equal(esp_transform_parse(&t, name), OK);
	return t;
}

static int
choose_esp(struct ike_chosen *c, const struct esp_offer *offer, const char *transforms)
{
	struct offered o = { 0 };

	add_proposal(&o, SP_ESP, "c0c1c2c3", transforms);
	return proposal_choose_esp(c, &o.sa, offer, 0);
}

TEST(esp_needs_sequence_number_transform)
{
	struct esp_transform list[] = { esp("aes256gcm16-esn"), esp("aes256gcm16") };
	struct esp_offer both = { .transforms = list, .n_transforms = 2 };
	struct esp_offer plain = { .transforms = list + 1, .n_transforms = 1 };
	struct ike_chosen c;

	assert_int_equal(choose_esp(&c, &both, GCM256), ERR_NOTFOUND);
	assert_int_equal(choose_esp(&c, &both, GCM256 NO_ESN), OK);
	assert_false(c.esn);
	assert_int_equal(choose_esp(&c, &both, GCM256 NO_ESN ESN), OK);
	assert_true(c.esn);
	assert_true(c.spi == 0xc0c1c2c3);
	assert_int_equal(choose_esp(&c, &plain, GCM256 NO_ESN ESN), OK);
	assert_false(c.esn);
	assert_int_equal(choose_esp(&c, &plain, GCM256 ESN), ERR_NOTFOUND);
	assert_int_equal(choose_esp(&c, &both, GCM256 T("03", "05", "0002")), ERR_NOTFOUND);
	assert_int_equal(choose_esp(&c, &both, GCM256 PRF256 ESN), ERR_NOTFOUND);
}

/* RFC 7296 section 1.2: in IKE_AUTH no group, or NONE. */
TEST(esp_without_groups_of_ours_takes_none_only)
{
	struct esp_transform gcm = esp("aes256gcm16");
	struct esp_offer offer = { .transforms = &gcm, .n_transforms = 1 };
	struct ike_chosen c;

	assert_int_equal(choose_esp(&c, &offer, GCM256 NO_ESN), OK);
	assert_false(c.ke_none);
	assert_int_equal(choose_esp(&c, &offer, GCM256 NO_KE NO_ESN), OK);
	assert_true(c.ke_none);
	assert_int_equal(choose_esp(&c, &offer, GCM256 X25519 NO_KE NO_ESN), OK);
	assert_int_equal(c.ke, 0);
	assert_int_equal(choose_esp(&c, &offer, GCM256 X25519 NO_ESN), ERR_NOTFOUND);
}

TEST(esp_with_groups_of_ours_needs_one)
{
	static const uint16_t groups[] = { KE_CURVE25519, KE_ECP256 };
	struct esp_transform gcm = esp("aes256gcm16");
	struct esp_offer offer = { .transforms = &gcm, .n_transforms = 1, .ke = groups, .n_ke = 2 };
	struct ike_chosen c;

	assert_int_equal(choose_esp(&c, &offer, GCM256 NO_ESN), ERR_NOTFOUND);
	assert_int_equal(choose_esp(&c, &offer, GCM256 NO_KE NO_ESN), ERR_NOTFOUND);
	assert_int_equal(choose_esp(&c, &offer, GCM256 ECP256 NO_KE NO_ESN), OK);
	assert_int_equal(c.ke, KE_ECP256);
}

/* The answer has one transform of each type of the offer, NONE as well: section 3.3.6. */
TEST(none_that_was_spelled_out_is_answered)
{
	struct esp_transform gcm = esp("aes256gcm16");
	struct esp_offer offer = { .transforms = &gcm, .n_transforms = 1 };
	struct ike_out out = test_out();
	struct ike_chosen c;
	struct octets o;
	struct ike_msg m;

	assert_int_equal(choose_esp(&c, &offer, GCM256 NO_INTEG NO_KE NO_ESN), OK);
	proposal_write_chosen_esp(&out, &c, 0xd0d1d2d3);
	finish(&out, &o, &m);
	assert_hex(m.sa.body, "00 00 0030 01 03 04 04 d0d1d2d3" GCM256 NO_INTEG NO_KE
	    T("00", "05", "0000"));
	out = test_out();
	assert_int_equal(choose_esp(&c, &offer, GCM256 NO_ESN), OK);
	proposal_write_chosen_esp(&out, &c, 0xd0d1d2d3);
	finish(&out, &o, &m);
	assert_hex(m.sa.body, "00 00 0020 01 03 04 02 d0d1d2d3" GCM256 T("00", "05", "0000"));
}

TEST(esp_spi_is_not_zero)
{
	struct esp_transform gcm = esp("aes256gcm16");
	struct esp_offer offer = { .transforms = &gcm, .n_transforms = 1 };
	struct offered o = { 0 };
	struct ike_chosen c;

	add_proposal(&o, SP_ESP, "00000000", GCM256 NO_ESN);
	assert_int_equal(proposal_choose_esp(&c, &o.sa, &offer, 0), ERR_NOTFOUND);
	assert_int_equal(proposal_check_esp(&c, &o.sa, &offer), ERR_PROTO);
}

TEST(esp_negotiation_with_ourselves)
{
	static const char *const names[] = { "aes256gcm16-esn", "aes256gcm16", "chacha20poly1305",
	    "aes128-sha256-esn", "aes128-sha256", "aes128gmac" };
	struct esp_transform list[COUNT(names)], got;
	struct esp_offer offer = { .transforms = list, .n_transforms = COUNT(names) }, one;
	struct ike_chosen chosen, checked;
	struct ike_out out = test_out();
	struct octets o, answer;
	struct ike_msg m, reply;
	char name[48];
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		list[i] = esp(names[i]);
	proposal_write_esp(&out, &offer, 0xc0c1c2c3);
	finish(&out, &o, &m);
	assert_int_equal(m.sa.n_proposals, 4);     /* neighbours that differ in ESN share one */
	for (i = 0; i < COUNT(names); i++) {
		one = (struct esp_offer){ .transforms = &list[i], .n_transforms = 1 };
		assert_int_equal(proposal_choose_esp(&chosen, &m.sa, &one, 0), OK);
		assert_true(chosen.spi == 0xc0c1c2c3);
		out = test_out();
		proposal_write_chosen_esp(&out, &chosen, 0xd0d1d2d3);
		finish(&out, &answer, &reply);
		assert_int_equal(proposal_check_esp(&checked, &reply.sa, &offer), OK);
		assert_true(checked.spi == 0xd0d1d2d3);
		got = chosen_esp(&checked);
		assert_string_equal(esp_transform_name(&got, name), names[i]);
	}
}

TEST(esp_answer_that_was_not_offered_is_refused)
{
	struct esp_transform list[] = { esp("aes256gcm16"), esp("chacha20poly1305") };
	struct esp_offer offer = { .transforms = list, .n_transforms = 2 };
	static const struct {
		const char *transforms;
		uint8_t number;
		int rc;
	} cases[] = {
		{ GCM256 NO_ESN, 1, OK },
		{ CHACHA NO_ESN, 2, OK },
		{ GCM256 NO_ESN, 2, ERR_PROTO },
		{ GCM256 NO_ESN, 3, ERR_PROTO },
		{ GCM256 ESN, 1, ERR_PROTO },
		{ GCM256, 1, ERR_PROTO },
		{ GCM256 NO_ESN ESN, 1, ERR_PROTO },
		{ GCM128 NO_ESN, 1, ERR_PROTO },
		{ GCM256 X25519 NO_ESN, 1, ERR_PROTO },
		{ GCM256 SHA256 NO_ESN, 1, ERR_PROTO },
	};
	struct ike_chosen c;
	struct offered o;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		memset(&o, 0, sizeof o);
		add_proposal(&o, SP_ESP, "c0c1c2c3", cases[i].transforms);
		o.octets.p[4] = cases[i].number;
		assert_int_equal(sa_payload_read(&o.sa, view(&o.octets)), OK);
		assert_int_equal(proposal_check_esp(&c, &o.sa, &offer), cases[i].rc);
	}
}

TEST(default_suites_are_sound)
{
	size_t i;

	assert_int_equal(ours.n_suites, 2);
	for (i = 0; i < ours.n_suites; i++)
		assert_int_equal(ike_suite_check(&ours.suites[i]), OK);
	assert_true(ike_offer_has_ke(&ours, KE_MODP2048));
	assert_false(ike_offer_has_ke(&ours, 2));
	assert_false(ike_offer_has_ke(&ours, KE_NONE));
}

TEST(suite_that_is_not_sound_is_refused)
{
	struct ike_suite s, none = { 0 };

	assert_int_equal(ike_suite_check(&none), ERR_VALUE);
	s = default_suites[0];
	s.integ[0] = INTEG_HMAC_SHA2_256_128;       /* beside an AEAD */
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
	s = default_suites[1];
	s.encr[2].id = ENCR_CHACHA20_POLY1305;      /* an AEAD among others */
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
	s = default_suites[1];
	memset(s.integ, 0, sizeof s.integ);
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
	s = default_suites[0];
	s.prf[3] = 1;
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
	s = default_suites[0];
	s.ke[4] = 2;
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
	s = default_suites[0];
	memset(s.ke, 0, sizeof s.ke);
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
	s = default_suites[0];
	s.encr[1].key_bits = 100;
	assert_int_equal(ike_suite_check(&s), ERR_VALUE);
}

TEST(suites_as_large_as_they_get_are_written_whole)
{
	struct ike_suite full = { 0 };
	struct ike_offer offer = { .suites = &full, .n_suites = 1 };
	struct ike_out out = test_out();
	struct ike_proposal p;
	struct octets o;
	struct ike_msg m;
	struct rd r;
	uint16_t i;

	for (i = 0; i < IKE_TRANSFORMS_MAX; i++) {
		full.encr[i].id = (uint16_t)(100 + i);
		full.prf[i] = full.integ[i] = full.ke[i] = (uint16_t)(100 + i);
	}
	proposal_write_ike(&out, &offer, 0);
	finish(&out, &o, &m);
	r = rd_open(m.sa.body);
	assert_true(proposal_next(&r, &p));
	assert_int_equal(p.n_transforms, 4 * IKE_TRANSFORMS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_preference_decides),
		cmocka_unit_test(earlier_suite_of_ours_goes_before_earlier_proposal_of_theirs),
		cmocka_unit_test(group_of_the_ke_payload_is_preferred),
		cmocka_unit_test(each_mandatory_type_must_be_there),
		cmocka_unit_test(aead_goes_without_integrity),
		cmocka_unit_test(key_length_is_there_exactly_where_it_belongs),
		cmocka_unit_test(transform_with_an_unknown_attribute_is_passed_over),
		cmocka_unit_test(proposal_with_an_unknown_transform_type_is_passed_over),
		cmocka_unit_test(spi_has_the_size_of_the_exchange),
		cmocka_unit_test(proposal_of_another_protocol_is_passed_over),
		cmocka_unit_test(ike_negotiation_with_ourselves),
		cmocka_unit_test(answer_that_was_not_offered_is_refused),
		cmocka_unit_test(answer_holds_one_proposal_under_a_number_of_ours),
		cmocka_unit_test(esp_needs_sequence_number_transform),
		cmocka_unit_test(esp_without_groups_of_ours_takes_none_only),
		cmocka_unit_test(esp_with_groups_of_ours_needs_one),
		cmocka_unit_test(none_that_was_spelled_out_is_answered),
		cmocka_unit_test(esp_spi_is_not_zero),
		cmocka_unit_test(esp_negotiation_with_ourselves),
		cmocka_unit_test(esp_answer_that_was_not_offered_is_refused),
		cmocka_unit_test(default_suites_are_sound),
		cmocka_unit_test(suite_that_is_not_sound_is_refused),
		cmocka_unit_test(suites_as_large_as_they_get_are_written_whole),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
