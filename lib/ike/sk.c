/* SPDX-License-Identifier: ISC */
#include "ike/sk.h"

#include "base/rd.h"

#define ICV_MAX     64u
#define GENERIC_LEN 4u

int
sk_key_init(struct ike_sk_key *key, uint16_t encr, uint16_t key_bits, uint16_t integ,
    struct bytes sk_e, struct bytes sk_a)
{
	int rc;

	memset(key, 0, sizeof *key);
	if ((rc = ike_cipher_info(encr, key_bits, integ, &key->info)) != 0)
		return rc;
	return ike_cipher_new(&key->cipher, encr, key_bits, integ, sk_e, sk_a);
}

void
sk_key_free(struct ike_sk_key *key)
{
	ike_cipher_free(key->cipher);
	memset(key, 0, sizeof *key);
}

/* Encrypt-then-MAC: the ICV covers the message from its first octet to the one before the ICV. */
static int
check_icv(struct ike_sk_key *key, struct bytes message, struct bytes icv)
{
	uint8_t want[ICV_MAX];
	int rc;

	if (message.n < icv.n)
		return ERR_SYNTAX;
	rc = ike_cipher_icv(key->cipher, bytes_of(message.p, message.n - icv.n), want);
	if (rc == 0 && !ct_equal(bytes_of(want, icv.n), icv))
		rc = ERR_AUTH;
	wipe(want, sizeof want);
	return rc;
}

/* The last octet of the plaintext tells how many before it are padding. */
static int
strip_padding(const uint8_t *plain, size_t n, struct bytes *out)
{
	size_t pad = plain[n - 1];

	if (pad > n - 1)
		return ERR_PROTO;
	*out = bytes_of(plain, n - 1 - pad);
	return OK;
}

int
sk_open(struct ike_sk_key *key, const struct ike_msg *outer, uint8_t *scratch, size_t cap,
    struct bytes *plain)
{
	const struct ike_cipher_info *info = &key->info;
	struct rd r = rd_open(outer->sk.body);
	struct bytes iv, cipher, icv;
	size_t left;
	int rc;

	*plain = bytes_of(NULL, 0);
	iv = rd_take(&r, info->iv);
	left = rd_left(&r);
	if (left <= info->icv || (left - info->icv) % info->block != 0)
		return ERR_SYNTAX;
	cipher = rd_take(&r, left - info->icv);
	icv = rd_rest(&r);
	if (cipher.n > cap)
		return ERR_SPACE;
	if (!info->aead && (rc = check_icv(key, outer->raw, icv)) != 0)
		return rc;
	memcpy(scratch, cipher.p, cipher.n);
	rc = ike_cipher_open(key->cipher, outer->sk.aad, iv, scratch, cipher.n, icv);
	return rc != 0 ? rc : strip_padding(scratch, cipher.n, plain);
}

void
sk_begin(struct ike_out *o, const struct ike_sk_key *key)
{
	size_t at = o->wr.n;

	if (o->sk_at != 0)
		o->misused = true;
	payload_open(o, PL_SK);
	o->sk_at = at;
	o->sk_mark = o->payload_mark;
	wr_zero(&o->wr, key->info.iv);
	o->open = false;
}

static size_t
padding(const struct ike_cipher_info *info, size_t n)
{
	return (info->block - (n + 1) % info->block) % info->block;
}

size_t
sk_overhead(const struct ike_sk_key *key, size_t n)
{
	return GENERIC_LEN + key->info.iv + padding(&key->info, n) + 1 + key->info.icv;
}

/*
 * RFC 5282 section 3.1: the IV of an AEAD must be unique under its key, nothing more, and a counter
 * is. CBC needs an unpredictable one.
 */
static int
make_iv(struct ike_sk_key *key, const struct ike_callbacks *cb, uint8_t *iv)
{
	struct wr w = wr_fixed(iv, key->info.iv);

	if (!key->info.aead)
		return cb->random(cb->arg, iv, key->info.iv);
	if (key->next_iv == UINT64_MAX)
		return ERR_STATE;
	wr_u64(&w, key->next_iv++);
	return w.bad ? ERR_CRYPTO : OK;
}

int
sk_end(struct ike_out *o, struct ike_sk_key *key, const struct ike_callbacks *cb)
{
	const struct ike_cipher_info *info = &key->info;
	size_t start = o->sk_at + GENERIC_LEN + info->iv, n;
	uint8_t *msg;
	int rc;

	if (o->open || o->misused || o->sk_at == 0)
		return ERR_STATE;
	if (o->wr.bad)
		return ERR_SPACE;
	n = padding(info, o->wr.n - start);
	wr_zero(&o->wr, n);
	wr_u8(&o->wr, (uint8_t)n);
	n = o->wr.n - start;
	wr_zero(&o->wr, info->icv);
	wr_close16(&o->wr, o->sk_mark, 2);
	msg_close_length(o);
	if (o->wr.bad)
		return ERR_SPACE;
	o->ended = true;
	msg = o->wr.p;
	if ((rc = make_iv(key, cb, msg + start - info->iv)) != 0)
		return rc;
	rc = ike_cipher_seal(key->cipher, bytes_of(msg, start - info->iv),
	    bytes_of(msg + start - info->iv, info->iv), msg + start, n, msg + start + n);
	if (rc == 0 && !info->aead)
		rc = ike_cipher_icv(key->cipher, bytes_of(msg, start + n), msg + start + n);
	if (rc == 0)
		o->sk_at = 0;
	return rc;
}
