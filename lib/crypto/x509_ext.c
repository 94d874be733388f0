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

	uint8_t first = rd_u8(&bits), second = 0, *last = &first;

	if (rd_left(&bits) > 0) {
		second = rd_u8(&bits);
		last = &second;
	}
	*last = (uint8_t)(*last & 0xff << unused % 8);
	x->usage = (uint16_t)(first << 8 | second);
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
		der_oid(&oids);
	} while (rd_left(&oids) > 0);
	if (!rd_end(&oids))
		rd_fail(r);
}

/* What OpenSSL has a reader for and is not in every certificate. The caller frees it. */
static void *
take_item(struct rd *r, const ASN1_ITEM *item)
{
	struct bytes whole = der_take_whole(r, DER_SEQUENCE);
	const unsigned char *p = whole.p;
	void *v = rd_ok(r) ? ASN1_item_d2i(NULL, &p, (long)whole.n, item) : NULL;

	if (v == NULL || p != whole.p + whole.n)
		rd_fail(r);
	return v;
}

static void
alternative_names(struct x509 *x, struct rd *r)
{
	x->alt_names = take_item(r, ASN1_ITEM_rptr(GENERAL_NAMES));
}

static void
constraints_on_names(struct x509 *x, struct rd *r)
{
	x->name_constraints = take_item(r, ASN1_ITEM_rptr(NAME_CONSTRAINTS));
}

static void
subject_key_id(struct x509 *x, struct rd *r)
{
	x->key_id = der_take(r, DER_OCTET_STRING);
}

static void
authority_key_id(struct x509 *x, struct rd *r)
{
	struct rd whole = *r, seq = der_open(r, DER_SEQUENCE);
	AUTHORITY_KEYID *id;

	if (der_next_is(&seq, DER_CONTEXT_0_BITS))
		x->issuer_key_id = der_take(&seq, DER_CONTEXT_0_BITS);
	if (rd_end(&seq))
		return;
	if ((id = take_item(&whole, ASN1_ITEM_rptr(AUTHORITY_KEYID))) == NULL) {
		rd_fail(r);
		return;
	}
	x->issuer_issuer = id->issuer;
	id->issuer = NULL;
	AUTHORITY_KEYID_free(id);
	if (der_next_is(&seq, DER_CONTEXT_0 + 1))
		der_take(&seq, DER_CONTEXT_0 + 1);
	if (der_next_is(&seq, DER_CONTEXT_2_BITS))
		x->issuer_serial = der_take(&seq, DER_CONTEXT_2_BITS);
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

/* Where revocation is published: not used. A name relative to its issuer's is not taken. */
static void
distribution_points(struct x509 *x, struct rd *r)
{
	CRL_DIST_POINTS *points = take_item(r, ASN1_ITEM_rptr(CRL_DIST_POINTS));
	int i;

	(void)x;
	for (i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *point = sk_DIST_POINT_value(points, i);

		if (point->distpoint != NULL && point->distpoint->type == 1)
			rd_fail(r);
	}
	CRL_DIST_POINTS_free(points);
}

static void
netscape_type(struct x509 *x, struct rd *r)
{
	struct rd bits = der_open(r, DER_BIT_STRING);

	(void)x;
	if (rd_u8(&bits) > 7 || !rd_ok(&bits))
		rd_fail(r);
}

/* Proxy certificates (RFC 3820) and delegated addresses (RFC 3779) restrict who signs for what. We
 * do not do as they say, so we do not take them, critical or not. */
static void
refuse(struct x509 *x, struct rd *r)
{
	(void)x;
	rd_fail(r);
}

#define ID_CE(n) OID(0x55, 0x1d, n)
#define ID_PE(n) OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, n)

static const struct {
	struct bytes oid;
	bool critical;               /* may be */
	void (*read)(struct x509 *, struct rd *);
} known[] = {
	{ ID_CE(14), false, subject_key_id },
	{ ID_CE(15), true, key_usage },
	{ ID_CE(17), true, alternative_names },
	{ ID_CE(19), true, basic_constraints },
	{ ID_CE(30), true, constraints_on_names },
	{ ID_CE(31), false, distribution_points },
	{ ID_CE(32), true, policies },
	{ ID_CE(35), false, authority_key_id },
	{ ID_CE(37), true, extended_key_usage },
	{ ID_PE(7), false, refuse },
	{ ID_PE(8), false, refuse },
	{ ID_PE(14), false, refuse },
	{ OID(0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 0x01, 0x01), false, netscape_type },
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

static bool
read_one(struct x509 *x, struct rd *list, unsigned *seen)
{
	struct rd ext = der_open(list, DER_SEQUENCE), value;
	struct bytes oid = der_oid(&ext);
	bool critical = der_next_is(&ext, DER_BOOLEAN) && take_boolean(&ext);
	size_t i;

	value = rd_open(der_take(&ext, DER_OCTET_STRING));
	if (!rd_end(&ext))
		return false;
	for (i = 0; i < KNOWN && !bytes_equal(known[i].oid, oid); i++)
		;
	if (critical && (i == KNOWN || !known[i].critical))
		return false;
	if (i == KNOWN)
		return true;
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
