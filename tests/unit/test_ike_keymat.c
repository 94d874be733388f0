/* SPDX-License-Identifier: ISC */
#include "ike_support.h"

#include "ike/authdata.h"
#include "ike/keymat.h"
#include "ike_vectors.h"

struct inputs {
	struct octets ni, nr, shared, old_sk_d;
	struct ike_keymat_input in;
};

/* What tests/tools/ike-vectors computes from. */
static void
vector_inputs(struct inputs *v)
{
	v->ni = counted(0x00, 32);
	v->nr = counted(0x40, 48);
	v->shared = counted(0x80, 32);
	v->old_sk_d = counted(0xa0, 48);
	v->in = (struct ike_keymat_input){
		.ni = view(&v->ni), .nr = view(&v->nr), .shared = view(&v->shared),
		.spi_i = UINT64_C(0x0102030405060708), .spi_r = UINT64_C(0x1112131415161718),
	};
}

static struct ike_chosen
vector_suite(const struct keymat_vector *v)
{
	return (struct ike_chosen){
		.encr = v->encr, .key_bits = v->key_bits, .integ = v->integ, .prf = v->prf,
	};
}

static int
vector_keys(struct ike_keys *k, const struct keymat_vector *v, const struct inputs *in)
{
	struct ike_chosen c = vector_suite(v);

	return v->old_prf == 0 ? keymat_ike(k, &c, &in->in) :
	    keymat_ike_rekey(k, &c, &in->in, v->old_prf, view(&in->old_sk_d));
}

static void
append(struct octets *o, const struct secret *s)
{
	if (s->n != 0)
		memcpy(o->p + o->n, s->p, s->n);
	o->n += s->n;
}

TEST(ike_keys_are_those_that_python_computes)
{
	struct ike_keys k = { 0 };
	struct inputs in;
	struct octets all;
	size_t i;

	vector_inputs(&in);
	for (i = 0; i < COUNT(keymat_vectors); i++) {
		assert_int_equal(vector_keys(&k, &keymat_vectors[i], &in), OK);
		all.n = 0;
		append(&all, &k.d);
		append(&all, &k.ai);
		append(&all, &k.ar);
		append(&all, &k.ei);
		append(&all, &k.er);
		append(&all, &k.pi);
		append(&all, &k.pr);
		assert_hex(view(&all), keymat_vectors[i].keys);
	}
	ike_keys_free(&k);
	assert_null(k.d.p);
}

TEST(ike_keys_have_the_lengths_of_their_algorithms)
{
	struct ike_chosen gcm = { .encr = ENCR_AES_GCM_16, .key_bits = 128, .prf = PRF_HMAC_SHA2_256 };
	struct ike_chosen cbc = { .encr = ENCR_AES_CBC, .key_bits = 256,
	    .integ = INTEG_HMAC_SHA2_512_256, .prf = PRF_HMAC_SHA2_384 };
	struct ike_keys k = { 0 };
	struct inputs in;

	vector_inputs(&in);
	assert_int_equal(keymat_ike(&k, &gcm, &in.in), OK);
	assert_int_equal(k.d.n, 32);
	assert_int_equal(k.ai.n + k.ar.n, 0);
	assert_int_equal(k.ei.n, 16 + 4);
	assert_int_equal(k.pr.n, 32);
	assert_int_equal(keymat_ike(&k, &cbc, &in.in), OK);
	assert_int_equal(k.d.n, 48);
	assert_int_equal(k.ai.n, 64);
	assert_int_equal(k.ar.n, 64);
	assert_int_equal(k.er.n, 32);
	assert_int_equal(k.pi.n, 48);
	ike_keys_free(&k);
}

TEST(ike_keys_need_algorithms_that_exist)
{
	struct ike_chosen no_prf = { .encr = ENCR_AES_GCM_16, .key_bits = 128, .prf = 1 };
	struct ike_chosen no_cipher = { .encr = 3, .prf = PRF_HMAC_SHA2_256 };
	struct ike_chosen good = { .encr = ENCR_AES_GCM_16, .key_bits = 128,
	    .prf = PRF_HMAC_SHA2_256 };
	struct ike_keys k = { 0 };
	struct inputs in;

	vector_inputs(&in);
	assert_int_equal(keymat_ike(&k, &no_prf, &in.in), ERR_UNSUPPORTED);
	assert_int_equal(keymat_ike(&k, &no_cipher, &in.in), ERR_UNSUPPORTED);
	assert_null(k.d.p);
	assert_int_equal(keymat_ike_rekey(&k, &good, &in.in, 1, view(&in.old_sk_d)),
	    ERR_UNSUPPORTED);
	assert_int_equal(keymat_ike_rekey(&k, &no_prf, &in.in, PRF_HMAC_SHA2_256,
	    view(&in.old_sk_d)), ERR_UNSUPPORTED);
	assert_null(k.d.p);
}

TEST(child_keys_are_those_that_python_computes)
{
	struct secret i2r = { 0 }, r2i = { 0 };
	const struct child_vector *v;
	struct child_keymat_input ck;
	struct esp_transform t;
	struct inputs in;
	size_t i;

	vector_inputs(&in);
	for (i = 0; i < COUNT(child_vectors); i++) {
		v = &child_vectors[i];
		ck = (struct child_keymat_input){
			.prf = v->prf, .sk_d = view(&in.old_sk_d), .ni = in.in.ni, .nr = in.in.nr,
			.shared = v->ke ? in.in.shared : bytes_of(NULL, 0),
		};
		assert_int_equal(esp_transform_parse(&t, v->transform), OK);
		assert_int_equal(keymat_child(&i2r, &r2i, &t, &ck), OK);
		assert_hex(secret_view(&i2r), v->i2r);
		assert_hex(secret_view(&r2i), v->r2i);
	}
	secret_free(&i2r);
	secret_free(&r2i);
}

TEST(child_keys_need_a_transform_that_exists)
{
	struct esp_transform none = { .encr = 11 }, gcm;
	struct secret i2r = { 0 }, r2i = { 0 };
	struct child_keymat_input ck = { .prf = PRF_HMAC_SHA2_256 };
	struct inputs in;

	vector_inputs(&in);
	ck.sk_d = view(&in.old_sk_d);
	assert_int_equal(keymat_child(&i2r, &r2i, &none, &ck), ERR_UNSUPPORTED);
	assert_int_equal(esp_transform_parse(&gcm, "aes128gcm16"), OK);
	ck.prf = 1;
	assert_int_equal(keymat_child(&i2r, &r2i, &gcm, &ck), ERR_UNSUPPORTED);
	assert_null(i2r.p);
	assert_null(r2i.p);
}

/* An IKE_SA_INIT message of a signer. */
static void
sa_init(struct octets *o, uint8_t exchange, uint32_t message_id)
{
	struct ike_header h = test_header(exchange, HF_INITIATOR, message_id);
	struct ike_out out;
	struct blob b = { 0 };

	msg_begin(&out, &h);
	nonce_payload_write(&out, bytes_str("0123456789abcdef"));
	assert_int_equal(msg_end(&out, &b), OK);
	memcpy(o->p, b.p, b.n);
	o->n = b.n;
	blob_free(&b);
}

TEST(signed_octets_are_message_nonce_and_maced_id)
{
	struct octets message, nonce = counted(0x40, 48), id, sk_p, want;
	const struct maced_id_vector *v;
	struct ike_auth_input in;
	struct blob got = { 0 };
	size_t i;

	sa_init(&message, EX_IKE_SA_INIT, 0);
	for (i = 0; i < COUNT(maced_id_vectors); i++) {
		v = &maced_id_vectors[i];
		id = hex(v->id);
		sk_p = counted(0x60, prf_len(v->prf));
		in = (struct ike_auth_input){
			.message = view(&message), .nonce = view(&nonce), .id_type = v->id_type,
			.id_data = view(&id), .sk_p = view(&sk_p), .prf = v->prf,
		};
		assert_int_equal(authdata_octets(&in, &got), OK);
		want = hex(v->maced);
		assert_int_equal(got.n, message.n + nonce.n + want.n);
		assert_memory_equal(got.p, message.p, message.n);
		assert_memory_equal(got.p + message.n, nonce.p, nonce.n);
		assert_memory_equal(got.p + message.n + nonce.n, want.p, want.n);
	}
	blob_free(&got);
}

/* The keys process asks this function, and must not be led to sign something else. */
TEST(nothing_but_an_ike_sa_init_is_signed)
{
	struct octets good, other, late, nonce = counted(0, 257), sk_p = counted(0x60, 32);
	struct ike_auth_input in = { .id_type = IDT_KEY_ID, .id_data = bytes_str("id"),
	    .prf = PRF_HMAC_SHA2_256 }, bad;
	struct blob got = { 0 };

	sa_init(&good, EX_IKE_SA_INIT, 0);
	sa_init(&other, EX_IKE_AUTH, 0);
	sa_init(&late, EX_IKE_SA_INIT, 1);
	in.message = view(&good);
	in.nonce = bytes_of(nonce.p, 16);
	in.sk_p = view(&sk_p);
	assert_int_equal(authdata_octets(&in, &got), OK);
	blob_free(&got);

	bad = in;
	bad.message = view(&other);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad.message = view(&late);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad.message = bytes_of(good.p, good.n - 1);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad.message = bytes_of(NULL, 0);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad = in;
	bad.nonce = bytes_of(nonce.p, 15);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad.nonce = bytes_of(nonce.p, 257);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad = in;
	bad.sk_p = bytes_of(sk_p.p, 31);
	assert_int_equal(authdata_octets(&bad, &got), ERR_VALUE);
	bad = in;
	bad.prf = 1;
	assert_int_equal(authdata_octets(&bad, &got), ERR_UNSUPPORTED);
	assert_null(got.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ike_keys_are_those_that_python_computes),
		cmocka_unit_test(ike_keys_have_the_lengths_of_their_algorithms),
		cmocka_unit_test(ike_keys_need_algorithms_that_exist),
		cmocka_unit_test(child_keys_are_those_that_python_computes),
		cmocka_unit_test(child_keys_need_a_transform_that_exists),
		cmocka_unit_test(signed_octets_are_message_nonce_and_maced_id),
		cmocka_unit_test(nothing_but_an_ike_sa_init_is_signed),
	};

	return cmocka_run_group_tests(tests, crypto_setup, NULL);
}
