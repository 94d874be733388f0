/* SPDX-License-Identifier: ISC */
#include "ike_support.h"

#include "ike/sk.h"
#include "ike_vectors.h"

static const struct suite {
	uint16_t encr, key_bits, integ;
} suites[] = {
	{ ENCR_AES_GCM_16, 128, 0 },
	{ ENCR_AES_GCM_16, 256, 0 },
	{ ENCR_CHACHA20_POLY1305, 0, 0 },
	{ ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_384_192 },
	{ ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
};

/* e0, e1 ...: the IV of the vectors. */
static int
fixed_random(void *arg __attribute__((unused)), uint8_t *p, size_t n)
{
	struct octets o = counted(0xe0, n);

	memcpy(p, o.p, n);
	return OK;
}

static int
no_random(void *arg __attribute__((unused)), uint8_t *p __attribute__((unused)),
    size_t n __attribute__((unused)))
{
	return ERR_IO;
}

static const struct ike_callbacks callbacks = { .random = fixed_random };

/* SK_e is 20.., SK_a is 50.. */
static void
make_key(struct ike_sk_key *key, uint16_t encr, uint16_t key_bits, uint16_t integ)
{
	struct ike_cipher_info info;
	struct octets e, a;

	assert_int_equal(ike_cipher_info(encr, key_bits, integ, &info), OK);
	e = counted(0x20, info.key + info.salt);
	a = counted(0x50, info.integ_key);
	assert_int_equal(sk_key_init(key, encr, key_bits, integ, view(&e), view(&a)), OK);
}

static void
take_message(struct ike_out *out, struct octets *o)
{
	struct blob b = { 0 };

	assert_int_equal(msg_end(out, &b), OK);
	assert_true(b.n <= OCTETS_MAX);
	memcpy(o->p, b.p, b.n);
	o->n = b.n;
	blob_free(&b);
}

static void
seal_cookie(struct ike_sk_key *key, const char *cookie, struct octets *o)
{
	struct ike_out out = test_out();

	sk_begin(&out, key);
	if (cookie != NULL) {
		notify_payload_write(&out, N_SET_WINDOW_SIZE, bytes_of("\0\0\0\n", 4));
		notify_payload_write(&out, N_COOKIE, bytes_str(cookie));
	}
	assert_int_equal(sk_end(&out, key, &callbacks), OK);
	take_message(&out, o);
}

/* The code of sk_open(); the message must come out unchanged, whatever it is. */
static int
open_octets(struct ike_sk_key *key, const struct octets *o, struct octets *plain)
{
	struct octets before = *o;
	struct ike_msg outer;
	struct bytes got;
	int rc;

	if ((rc = msg_read(&outer, view(o))) != 0)
		return rc;
	rc = sk_open(key, &outer, plain->p, sizeof plain->p, &got);
	assert_memory_equal(before.p, o->p, o->n);
	if (rc == OK) {
		assert_ptr_equal(got.p, plain->p);
		plain->n = got.n;
	} else {
		assert_null(got.p);
		assert_int_equal(got.n, 0);
	}
	return rc;
}

TEST(sealing_gives_the_octets_that_python_gives)
{
	const struct sk_vector *v;
	struct ike_sk_key key;
	struct octets o;
	size_t i;

	for (i = 0; i < COUNT(sk_vectors); i++) {
		v = &sk_vectors[i];
		make_key(&key, v->encr, v->key_bits, v->integ);
		key.next_iv = v->iv;
		seal_cookie(&key, v->data, &o);
		assert_hex(view(&o), v->message);
		if (key.info.aead)
			assert_true(key.next_iv == v->iv + 1);
		sk_key_free(&key);
	}
}

TEST(opening_gives_what_python_sealed)
{
	const struct sk_vector *v;
	struct ike_msg outer, inner;
	struct octets o, plain;
	struct ike_sk_key key;
	size_t i;

	for (i = 0; i < COUNT(sk_vectors); i++) {
		v = &sk_vectors[i];
		make_key(&key, v->encr, v->key_bits, v->integ);
		o = hex(v->message);
		assert_int_equal(open_octets(&key, &o, &plain), OK);
		assert_int_equal(msg_read(&outer, view(&o)), OK);
		assert_int_equal(msg_read_inner(&inner, &outer.hdr, outer.sk.first, view(&plain)),
		    OK);
		if (v->data != NULL) {
			assert_int_equal(inner.n_notifies, 2);
			assert_octets(msg_notify(&inner, N_COOKIE)->data, bytes_str(v->data));
		} else {
			assert_true(inner.present == 0);
		}
		sk_key_free(&key);
	}
}

/* RFC 7634, appendix B. */
TEST(rfc_7634_example_is_reproduced)
{
	static const char message[] =
	    "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029"
	    "1011121314151617610394701f8d017f7c129248896b71bfe25236efd7cdc670"
	    "66906315b2";
	struct ike_header h = { .spi_i = UINT64_C(0xc0c1c2c3c4c5c6c7),
	    .spi_r = UINT64_C(0xd0d1d2d3d4d5d6d7), .exchange = EX_INFORMATIONAL, .message_id = 9 };
	struct octets sk_e = counted(0x80, 36), o, plain;
	struct ike_sk_key key;
	struct ike_out out;

	assert_int_equal(sk_key_init(&key, ENCR_CHACHA20_POLY1305, 0, 0, view(&sk_e),
	    bytes_of(NULL, 0)), OK);
	key.next_iv = UINT64_C(0x1011121314151617);
	msg_begin(&out, &h);
	sk_begin(&out, &key);
	notify_payload_write(&out, N_SET_WINDOW_SIZE, bytes_of("\0\0\0\n", 4));
	assert_int_equal(sk_end(&out, &key, &callbacks), OK);
	take_message(&out, &o);
	assert_hex(view(&o), message);
	assert_int_equal(open_octets(&key, &o, &plain), OK);
	assert_hex(view(&plain), "0000000c000040010000000a");
	sk_key_free(&key);
}

TEST(every_flipped_bit_is_noticed)
{
	struct octets o, changed, plain;
	struct ike_sk_key key;
	size_t i, at;
	int rc;

	for (i = 0; i < COUNT(suites); i++) {
		make_key(&key, suites[i].encr, suites[i].key_bits, suites[i].integ);
		seal_cookie(&key, "cookie", &o);
		for (at = 0; at < o.n * 8; at++) {
			changed = o;
			changed.p[at / 8] ^= (uint8_t)(1u << at % 8);
			rc = open_octets(&key, &changed, &plain);
			/* Version, lengths and types may already not make a message. */
			if (rc != ERR_AUTH && rc != ERR_SYNTAX && rc != ERR_UNSUPPORTED)
				fail_msg("bit %zu of suite %zu: %d", at, i, rc);
			if (at / 8 >= IKE_HEADER_LEN + 4 && rc != ERR_AUTH)
				fail_msg("bit %zu of suite %zu is not for the ICV: %d", at, i, rc);
		}
		assert_int_equal(open_octets(&key, &o, &plain), OK);
		sk_key_free(&key);
	}
}

/* Cut off anywhere, with lengths that agree with what is left. */
TEST(every_truncation_is_refused)
{
	struct octets o, cut, plain;
	struct ike_sk_key key;
	size_t i, n;
	int rc;

	for (i = 0; i < COUNT(suites); i++) {
		make_key(&key, suites[i].encr, suites[i].key_bits, suites[i].integ);
		seal_cookie(&key, "cookie", &o);
		for (n = IKE_HEADER_LEN + 4; n < o.n; n++) {
			cut = o;
			cut.n = n;
			cut.p[26] = (uint8_t)(n >> 8);
			cut.p[27] = (uint8_t)n;
			cut.p[30] = (uint8_t)((n - IKE_HEADER_LEN) >> 8);
			cut.p[31] = (uint8_t)(n - IKE_HEADER_LEN);
			rc = open_octets(&key, &cut, &plain);
			if (rc != ERR_SYNTAX && rc != ERR_AUTH)
				fail_msg("suite %zu, %zu octets: %d", i, n, rc);
			if (n < IKE_HEADER_LEN + 4 + key.info.iv + key.info.icv + 1)
				assert_int_equal(rc, ERR_SYNTAX);
		}
		sk_key_free(&key);
	}
}

/* A body made with the cipher itself, so that it is authentic. */
static void
seal_plain(struct ike_sk_key *key, struct bytes padded, struct octets *o)
{
	const struct ike_cipher_info *info = &key->info;
	size_t start = IKE_HEADER_LEN + 4 + info->iv;
	struct ike_out out = test_out();

	payload_open(&out, PL_SK);
	wr_zero(&out.wr, info->iv);
	wr_put(&out.wr, padded);
	wr_zero(&out.wr, info->icv);
	payload_close(&out);
	take_message(&out, o);
	assert_int_equal(ike_cipher_seal(key->cipher, bytes_of(o->p, IKE_HEADER_LEN + 4),
	    bytes_of(o->p + IKE_HEADER_LEN + 4, info->iv), o->p + start, padded.n,
	    o->p + start + padded.n), OK);
	if (!info->aead)
		assert_int_equal(ike_cipher_icv(key->cipher, bytes_of(o->p, start + padded.n),
		    o->p + start + padded.n), OK);
}

TEST(pad_length_is_checked_after_the_icv)
{
	struct octets padded = counted(0, 16), o, plain;
	struct ike_sk_key key;
	size_t i;

	for (i = 0; i < COUNT(suites); i++) {
		make_key(&key, suites[i].encr, suites[i].key_bits, suites[i].integ);
		padded.p[15] = 15;
		seal_plain(&key, view(&padded), &o);
		assert_int_equal(open_octets(&key, &o, &plain), OK);
		assert_int_equal(plain.n, 0);
		padded.p[15] = 16;
		seal_plain(&key, view(&padded), &o);
		assert_int_equal(open_octets(&key, &o, &plain), ERR_PROTO);
		padded.p[15] = 255;
		seal_plain(&key, view(&padded), &o);
		assert_int_equal(open_octets(&key, &o, &plain), ERR_PROTO);
		padded.p[15] = 3;
		seal_plain(&key, view(&padded), &o);
		assert_int_equal(open_octets(&key, &o, &plain), OK);
		assert_int_equal(plain.n, 12);
		sk_key_free(&key);
	}
}

TEST(scratch_that_is_too_small_is_told)
{
	uint8_t scratch[8];
	struct ike_msg outer;
	struct ike_sk_key key;
	struct bytes plain;
	struct octets o;

	make_key(&key, ENCR_AES_GCM_16, 128, 0);
	seal_cookie(&key, "cookie", &o);
	assert_int_equal(msg_read(&outer, view(&o)), OK);
	assert_int_equal(sk_open(&key, &outer, scratch, sizeof scratch, &plain), ERR_SPACE);
	sk_key_free(&key);
}

TEST(iv_of_an_aead_never_comes_twice)
{
	struct octets first, second;
	struct ike_sk_key key;
	struct ike_out out;
	struct blob b = { 0 };

	make_key(&key, ENCR_AES_GCM_16, 128, 0);
	seal_cookie(&key, "cookie", &first);
	seal_cookie(&key, "cookie", &second);
	assert_hex(bytes_of(first.p + 32, 8), "0000000000000000");
	assert_hex(bytes_of(second.p + 32, 8), "0000000000000001");
	assert_memory_not_equal(first.p + 40, second.p + 40, first.n - 40);

	key.next_iv = UINT64_MAX;
	out = test_out();
	sk_begin(&out, &key);
	assert_int_equal(sk_end(&out, &key, &callbacks), ERR_STATE);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	assert_null(b.p);
	assert_true(key.next_iv == UINT64_MAX);
	sk_key_free(&key);
}

/* Without entropy for its IV a message stays unsent, and so does its plaintext. */
TEST(random_that_fails_leaves_no_message)
{
	const struct ike_callbacks cb = { .random = no_random };
	struct ike_out out = test_out();
	struct ike_sk_key key;
	struct blob b = { 0 };

	make_key(&key, ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128);
	sk_begin(&out, &key);
	notify_payload_write(&out, N_COOKIE, bytes_str("cookie"));
	assert_int_equal(sk_end(&out, &key, &cb), ERR_IO);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	assert_null(b.p);
	sk_key_free(&key);
}

TEST(calls_out_of_order_are_refused)
{
	struct ike_sk_key key;
	struct ike_out out;
	struct blob b = { 0 };

	make_key(&key, ENCR_AES_GCM_16, 128, 0);
	out = test_out();
	assert_int_equal(sk_end(&out, &key, &callbacks), ERR_STATE);
	sk_begin(&out, &key);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);        /* SK is still open */
	out = test_out();
	sk_begin(&out, &key);
	sk_begin(&out, &key);
	assert_int_equal(sk_end(&out, &key, &callbacks), ERR_STATE);
	msg_abort(&out);
	out = test_out();
	sk_begin(&out, &key);
	payload_open(&out, PL_N);
	assert_int_equal(sk_end(&out, &key, &callbacks), ERR_STATE);
	msg_abort(&out);
	out = test_out();
	sk_begin(&out, &key);
	assert_int_equal(sk_end(&out, &key, &callbacks), OK);
	nonce_payload_write(&out, bytes_str("0123456789abcdef"));
	assert_int_equal(msg_end(&out, &b), ERR_STATE);        /* something after SK */
	sk_key_free(&key);
}

TEST(message_that_grows_too_long_is_refused)
{
	static uint8_t big[IKE_MESSAGE_MAX];
	struct ike_sk_key key;
	struct ike_out out;
	struct blob b = { 0 };

	make_key(&key, ENCR_AES_GCM_16, 128, 0);
	out = test_out();
	sk_begin(&out, &key);
	vendor_payload_write(&out, bytes_of(big, sizeof big));
	assert_int_equal(sk_end(&out, &key, &callbacks), ERR_SPACE);
	msg_abort(&out);
	/* Room for the payload, but not for the ICV. */
	out = test_out();
	sk_begin(&out, &key);
	vendor_payload_write(&out, bytes_of(big, sizeof big - 28 - 4 - 8 - 4 - 10));
	assert_int_equal(sk_end(&out, &key, &callbacks), ERR_SPACE);
	assert_int_equal(msg_end(&out, &b), ERR_STATE);
	assert_true(key.next_iv == 0);
	sk_key_free(&key);
}

TEST(overhead_is_known_beforehand)
{
	static const char cookie[] = "0123456789abcdef0123456789abcdef";
	struct ike_sk_key key;
	struct octets o;
	size_t i, n;

	for (i = 0; i < COUNT(suites); i++) {
		make_key(&key, suites[i].encr, suites[i].key_bits, suites[i].integ);
		for (n = 1; n < sizeof cookie; n++) {
			seal_cookie(&key, cookie + sizeof cookie - 1 - n, &o);
			assert_int_equal(o.n,
			    IKE_HEADER_LEN + 12 + 8 + n + sk_overhead(&key, 12 + 8 + n));
		}
		sk_key_free(&key);
	}
}

TEST(key_of_a_wrong_length_is_refused)
{
	struct octets e = counted(0, 36);
	struct ike_sk_key key;

	assert_int_equal(sk_key_init(&key, ENCR_AES_GCM_16, 128, 0, view(&e), bytes_of(NULL, 0)),
	    ERR_VALUE);
	sk_key_free(&key);
	assert_int_equal(sk_key_init(&key, 3, 0, 0, view(&e), bytes_of(NULL, 0)),
	    ERR_UNSUPPORTED);
	sk_key_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealing_gives_the_octets_that_python_gives),
		cmocka_unit_test(opening_gives_what_python_sealed),
		cmocka_unit_test(rfc_7634_example_is_reproduced),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(pad_length_is_checked_after_the_icv),
		cmocka_unit_test(scratch_that_is_too_small_is_told),
		cmocka_unit_test(iv_of_an_aead_never_comes_twice),
		cmocka_unit_test(random_that_fails_leaves_no_message),
		cmocka_unit_test(calls_out_of_order_are_refused),
		cmocka_unit_test(message_that_grows_too_long_is_refused),
		cmocka_unit_test(overhead_is_known_beforehand),
		cmocka_unit_test(key_of_a_wrong_length_is_refused),
	};

	return cmocka_run_group_tests(tests, crypto_setup, NULL);
}
