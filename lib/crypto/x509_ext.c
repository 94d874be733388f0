/* SPDX-License-Identifier: ISC */
/* Extensions of a certificate, RFC 5280 section 4.2.1. */
#include "crypto/der.h"
#include "crypto/x509_int.h"

static bool
take_boolean(struct rd *r)
{
	struct rd b = rd_open(der_take(r, DER_BOOLEAN));
	bool yes = rd_u8(&b) != 0;

	if (!rd_end(&b))
		rd_fail(r);
	return yes;
}

static void
basic_constraints(struct x509 *x, struct rd *r)
{
	struct rd seq = der_open(r, DER_SEQUENCE);

	if (der_next_is(&seq, DER_BOOLEAN))
		x->ca = take_boolean(&seq);
	if (rd_left(&seq) > 0)
		x->path_len = (int)der_u16(&seq);
	if (!rd_end(&seq))
		rd_fail(r);
}

static void
key_usage(struct x509 *x, struct rd *r)
{
	struct rd bits = der_open(r, DER_BIT_STRING);
	uint8_t unused = rd_u8(&bits);

	x->usage = (uint16_t)(rd_u8(&bits) << 8);
	if (rd_left(&bits) > 0)
		x->usage = (uint16_t)(x->usage | rd_u8(&bits));
	if (!rd_end(&bits) || unused > 7 || x->usage == 0)
		rd_fail(r);
}

static void
extended_key_usage(struct x509 *x, struct rd *r)
{
	struct rd oids;

	x->eku = der_take(r, DER_SEQUENCE);
	oids = rd_open(x->eku);
	do {
		der_take(&oids, DER_OID);
	} while (rd_left(&oids) > 0);
	if (!rd_end(&oids))
		rd_fail(r);
}

static void
alternative_names(struct x509 *x, struct rd *r)
{
	x->alt_names = der_take_whole(r, DER_SEQUENCE);
}

static void
constraints_on_names(struct x509 *x, struct rd *r)
{
	x->name_constraints = der_take_whole(r, DER_SEQUENCE);
}

static void
subject_key_id(struct x509 *x, struct rd *r)
{
	x->key_id = der_take(r, DER_OCTET_STRING);
}

static void
authority_key_id(struct x509 *x, struct rd *r)
{
	struct rd seq = der_open(r, DER_SEQUENCE);

	if (der_next_is(&seq, DER_CONTEXT_0_BITS))
		x->issuer_key_id = der_take(&seq, DER_CONTEXT_0_BITS);
	rd_rest(&seq);
	if (!rd_end(&seq))
		rd_fail(r);
}

/* Policies are not used: with none asked for, RFC 5280 section 6.1.1 lets any policy pass. */
static void
policies(struct x509 *x, struct rd *r)
{
	(void)x;
	der_take(r, DER_SEQUENCE);
}

static const struct {
	uint8_t id;                  /* 2.5.29.id */
	void (*read)(struct x509 *, struct rd *);
} known[] = {
	{ 14, subject_key_id },
	{ 15, key_usage },
	{ 17, alternative_names },
	{ 19, basic_constraints },
	{ 30, constraints_on_names },
	{ 32, policies },
	{ 35, authority_key_id },
	{ 37, extended_key_usage },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

/* Which of known[]; KNOWN if it is none of them. */
static size_t
find(struct bytes oid)
{
	struct rd r = rd_open(oid);
	uint8_t id;
	size_t i;

	if (rd_u16(&r) != 0x551d)                       /* id-ce, 2.5.29 */
		return KNOWN;
	id = rd_u8(&r);
	for (i = 0; i < KNOWN && rd_end(&r); i++)
		if (known[i].id == id)
			return i;
	return KNOWN;
}

static bool
read_one(struct x509 *x, struct rd *list, unsigned *seen)
{
	struct rd ext = der_open(list, DER_SEQUENCE), value;
	size_t i = find(der_take(&ext, DER_OID));
	bool critical = der_next_is(&ext, DER_BOOLEAN) && take_boolean(&ext);

	value = rd_open(der_take(&ext, DER_OCTET_STRING));
	if (!rd_end(&ext))
		return false;
	if (i == KNOWN)
		return !critical;
	if ((*seen & 1u << i) != 0)
		return false;
	*seen |= 1u << i;
	known[i].read(x, &value);
	return rd_end(&value);
}

void
x509_read_extensions(struct x509 *x, struct bytes extensions)
{
	struct rd list = rd_open(extensions);
	unsigned seen = 0;

	x->path_len = -1;
	x->usage = USAGE_ANY;
	while (rd_left(&list) > 0 && !x->bad_extension)
		if (!read_one(x, &list, &seen) || !rd_ok(&list))
			x->bad_extension = true;
}
