/* SPDX-License-Identifier: ISC */
#include "ike/payload.h"

#include "crypto/crypto.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
result(const struct rd *r)
{
	return rd_end(r) ? OK : ERR_SYNTAX;
}

/* All that is left, which must be something. */
static struct bytes
some_octets(struct rd *r)
{
	if (rd_left(r) == 0)
		rd_fail(r);
	return rd_rest(r);
}

int
ke_payload_read(struct ike_ke *ke, struct bytes body)
{
	struct rd r = rd_open(body);
	size_t want;

	ke->group = rd_u16(&r);
	rd_skip(&r, 2);
	ke->data = some_octets(&r);
	want = ke_public_len(ke->group);
	if (want != 0 && ke->data.n != want)
		rd_fail(&r);
	return result(&r);
}

static bool
id_length_ok(uint8_t type, size_t n)
{
	switch (type) {
	case IDT_IPV4_ADDR:
		return n == 4;
	case IDT_IPV6_ADDR:
		return n == 16;
	case IDT_NULL:
		return n == 0;
	default:
		return n != 0;
	}
}

int
id_payload_read(struct ike_id *id, struct bytes body)
{
	struct rd r = rd_open(body);

	id->type = rd_u8(&r);
	rd_skip(&r, 3);
	id->data = rd_rest(&r);
	if (!id_length_ok(id->type, id->data.n))
		rd_fail(&r);
	return result(&r);
}

int
cert_payload_read(struct ike_cert *cert, struct bytes body)
{
	struct rd r = rd_open(body);

	cert->encoding = rd_u8(&r);
	cert->data = some_octets(&r);
	return result(&r);
}

int
certreq_payload_read(struct ike_certreq *req, struct bytes body)
{
	struct rd r = rd_open(body);

	req->encoding = rd_u8(&r);
	req->data = rd_rest(&r);
	if (req->encoding == CE_X509_SIGNATURE && req->data.n % SHA1_LEN != 0)
		rd_fail(&r);
	return result(&r);
}

int
auth_payload_read(struct ike_auth *auth, struct bytes body)
{
	struct rd r = rd_open(body);

	auth->method = rd_u8(&r);
	rd_skip(&r, 3);
	auth->data = some_octets(&r);
	return result(&r);
}

int
nonce_payload_read(struct bytes *nonce, struct bytes body)
{
	*nonce = body;
	return body.n >= NONCE_MIN && body.n <= NONCE_MAX ? OK : ERR_SYNTAX;
}

/* Notifies that we act upon, with the octets of data and the SPI that their sections prescribe. */
static const struct notify_rule {
	uint16_t type;
	uint16_t min, max;
	uint16_t multiple;
	bool spi;
} notify_rules[] = {
	/* type                         min    max  multiple  spi */
	{ N_UNSUPPORTED_CRITICAL_PAYLOAD, 1,     1, 1, false },
	{ N_INVALID_MESSAGE_ID,           4,     4, 1, false },
	{ N_INVALID_KE_PAYLOAD,           2,     2, 1, false },
	{ N_SET_WINDOW_SIZE,              4,     4, 1, false },
	{ N_NAT_DETECTION_SOURCE_IP,     20,    20, 1, false },
	{ N_NAT_DETECTION_DESTINATION_IP, 20,   20, 1, false },
	{ N_COOKIE,                       1,    64, 1, false },
	{ N_REKEY_SA,                     0, 65535, 1, true },
	{ N_SIGNATURE_HASH_ALGORITHMS,    2, 65535, 2, false },
};

static bool
notify_rule_ok(const struct ike_notify *n)
{
	const struct notify_rule *rule;
	size_t i;

	for (i = 0; i < COUNT(notify_rules); i++) {
		rule = &notify_rules[i];
		if (rule->type == n->type)
			return n->data.n >= rule->min && n->data.n <= rule->max &&
			    n->data.n % rule->multiple == 0 && (!rule->spi || n->spi.n == 4);
	}
	return true;
}

/* Section 3.10: about the IKE SA no SPI; yet some peers spell out the protocol and 8 octets. */
static bool
notify_spi_ok(uint8_t protocol, size_t n)
{
	switch (protocol) {
	case SP_IKE:
		return n == 0 || n == 8;
	case SP_AH:
	case SP_ESP:
		return n == 0 || n == 4;
	default:
		return true;
	}
}

int
notify_payload_read(struct ike_notify *n, struct bytes body)
{
	struct rd r = rd_open(body);
	uint8_t spi_size;

	n->protocol = rd_u8(&r);
	spi_size = rd_u8(&r);
	n->type = rd_u16(&r);
	n->spi = rd_take(&r, spi_size);
	n->data = rd_rest(&r);
	if (!notify_spi_ok(n->protocol, n->spi.n) || !notify_rule_ok(n))
		rd_fail(&r);
	return result(&r);
}

static bool
delete_spi_ok(const struct ike_delete *d)
{
	switch (d->protocol) {
	case SP_IKE:
		return d->spi_size == 0 && d->n_spis == 0;
	case SP_AH:
	case SP_ESP:
		return d->spi_size == 4;
	default:
		return true;
	}
}

int
delete_payload_read(struct ike_delete *d, struct bytes body)
{
	struct rd r = rd_open(body);

	d->protocol = rd_u8(&r);
	d->spi_size = rd_u8(&r);
	d->n_spis = rd_u16(&r);
	d->spis = rd_rest(&r);
	if (d->spis.n != (size_t)d->spi_size * d->n_spis || !delete_spi_ok(d))
		rd_fail(&r);
	return result(&r);
}

uint32_t
delete_spi(const struct ike_delete *d, size_t i)
{
	struct rd r = rd_open(d->spis);

	if (d->spi_size != 4 || i >= d->n_spis)
		return 0;
	rd_skip(&r, i * 4);
	return rd_u32(&r);
}

int
eap_payload_read(struct bytes *eap, struct bytes body)
{
	struct rd r = rd_open(body);

	*eap = body;
	rd_skip(&r, 2);
	if (rd_u16(&r) != body.n)
		rd_fail(&r);
	rd_rest(&r);
	return result(&r);
}

int
cp_payload_read(struct ike_cp *cp, struct bytes body)
{
	struct rd r = rd_open(body), attributes;

	cp->type = rd_u8(&r);
	rd_skip(&r, 3);
	cp->attributes = rd_rest(&r);
	attributes = rd_open(cp->attributes);
	while (rd_left(&attributes) != 0) {
		rd_skip(&attributes, 2);
		rd_skip(&attributes, rd_u16(&attributes));
	}
	return rd_ok(&attributes) ? result(&r) : ERR_SYNTAX;
}
