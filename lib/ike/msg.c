/* SPDX-License-Identifier: ISC */
#include "ike/msg.h"

#include "base/rd.h"
#include "base/wr.h"

#define CRITICAL      0x80u
#define GENERIC_LEN   4u
#define MAJOR_VERSION 2

int
header_read(struct ike_header *h, struct bytes datagram)
{
	struct rd r = rd_open(datagram);
	uint8_t version;

	h->spi_i = rd_u64(&r);
	h->spi_r = rd_u64(&r);
	h->next = rd_u8(&r);
	version = rd_u8(&r);
	h->major = version >> 4;
	h->minor = version & 0x0f;
	h->exchange = rd_u8(&r);
	h->flags = rd_u8(&r);
	h->message_id = rd_u32(&r);
	h->length = rd_u32(&r);
	if (!rd_ok(&r))
		return ERR_SYNTAX;
	if (h->major != MAJOR_VERSION)
		return ERR_UNSUPPORTED;
	return h->length == datagram.n && h->spi_i != 0 ? OK : ERR_SYNTAX;
}

void
header_write(struct wr *w, const struct ike_header *h)
{
	wr_u64(w, h->spi_i);
	wr_u64(w, h->spi_r);
	wr_u8(w, PL_NONE);
	wr_u8(w, MAJOR_VERSION << 4);
	wr_u8(w, h->exchange);
	wr_u8(w, h->flags);
	wr_u32(w, h->message_id);
	wr_u32(w, 0);
}

static int
put_sa(struct ike_msg *m, struct bytes body)
{
	return sa_payload_read(&m->sa, body);
}

static int
put_ke(struct ike_msg *m, struct bytes body)
{
	return ke_payload_read(&m->ke, body);
}

static int
put_idi(struct ike_msg *m, struct bytes body)
{
	return id_payload_read(&m->idi, body);
}

static int
put_idr(struct ike_msg *m, struct bytes body)
{
	return id_payload_read(&m->idr, body);
}

static int
put_cert(struct ike_msg *m, struct bytes body)
{
	if (m->n_certs == IKE_CERTS_MAX)
		return ERR_SPACE;
	return cert_payload_read(&m->certs[m->n_certs++], body);
}

static int
put_certreq(struct ike_msg *m, struct bytes body)
{
	if (m->n_certreqs == IKE_CERTREQS_MAX)
		return ERR_SPACE;
	return certreq_payload_read(&m->certreqs[m->n_certreqs++], body);
}

static int
put_auth(struct ike_msg *m, struct bytes body)
{
	return auth_payload_read(&m->auth, body);
}

static int
put_nonce(struct ike_msg *m, struct bytes body)
{
	return nonce_payload_read(&m->nonce, body);
}

static int
put_notify(struct ike_msg *m, struct bytes body)
{
	if (m->n_notifies == IKE_NOTIFIES_MAX)
		return ERR_SPACE;
	return notify_payload_read(&m->notifies[m->n_notifies++], body);
}

static int
put_delete(struct ike_msg *m, struct bytes body)
{
	if (m->n_deletes == IKE_DELETES_MAX)
		return ERR_SPACE;
	return delete_payload_read(&m->deletes[m->n_deletes++], body);
}

static int
put_vendor(struct ike_msg *m, struct bytes body)
{
	if (m->n_vendors == IKE_VENDORS_MAX)
		return ERR_SPACE;
	m->vendors[m->n_vendors++] = body;
	return OK;
}

static int
put_tsi(struct ike_msg *m, struct bytes body)
{
	return ts_read(&m->tsi, body);
}

static int
put_tsr(struct ike_msg *m, struct bytes body)
{
	return ts_read(&m->tsr, body);
}

static int
put_cp(struct ike_msg *m, struct bytes body)
{
	return cp_payload_read(&m->cp, body);
}

static int
put_eap(struct ike_msg *m, struct bytes body)
{
	return eap_payload_read(&m->eap, body);
}

/* Payloads that we understand, by type - PL_SA. */
static const struct slot {
	bool repeats;            /* may come several times in a message */
	int (*put)(struct ike_msg *, struct bytes body);
} slots[] = {
	[PL_SA - PL_SA] =      { false, put_sa },
	[PL_KE - PL_SA] =      { false, put_ke },
	[PL_IDi - PL_SA] =     { false, put_idi },
	[PL_IDr - PL_SA] =     { false, put_idr },
	[PL_CERT - PL_SA] =    { true, put_cert },
	[PL_CERTREQ - PL_SA] = { true, put_certreq },
	[PL_AUTH - PL_SA] =    { false, put_auth },
	[PL_NONCE - PL_SA] =   { false, put_nonce },
	[PL_N - PL_SA] =       { true, put_notify },
	[PL_D - PL_SA] =       { true, put_delete },
	[PL_V - PL_SA] =       { true, put_vendor },
	[PL_TSi - PL_SA] =     { false, put_tsi },
	[PL_TSr - PL_SA] =     { false, put_tsr },
	[PL_CP - PL_SA] =      { false, put_cp },
	[PL_EAP - PL_SA] =     { false, put_eap },
};

static const struct slot *
slot_find(uint8_t type)
{
	size_t i = (size_t)type - PL_SA;

	return type < PL_SA || i >= sizeof slots / sizeof slots[0] || slots[i].put == NULL ?
	    NULL : &slots[i];
}

static int
fail(struct ike_msg *m, uint8_t type, int rc, const char *why)
{
	m->bad = type;
	m->why = why;
	return rc;
}

static int
read_known(struct ike_msg *m, const struct slot *slot, uint8_t type, struct bytes body)
{
	int rc;

	if ((m->present & PL_BIT(type)) != 0 && !slot->repeats)
		return fail(m, type, ERR_SYNTAX, "payload comes twice");
	if ((rc = slot->put(m, body)) != 0)
		return fail(m, type, rc,
		    rc == ERR_SPACE ? "more payloads than we take" : "malformed payload");
	m->present |= PL_BIT(type);
	return OK;
}

/* The rest of the message is r: what the Encrypted payload covers cannot be followed by anything. */
static int
read_encrypted(struct ike_msg *m, struct rd *r, uint8_t type, uint8_t next)
{
	struct ike_sk_payload *sk = &m->sk;

	sk->first = next;
	if (type == PL_SKF) {
		sk->fragment = rd_u16(r);
		sk->fragments = rd_u16(r);
		if (sk->fragment == 0 || sk->fragment > sk->fragments)
			rd_fail(r);
	}
	sk->aad = bytes_of(m->raw.p, m->raw.n - rd_left(r));
	sk->body = rd_rest(r);
	if (!rd_end(r) || (sk->fragment > 1 && next != PL_NONE))
		return fail(m, type, ERR_SYNTAX, "malformed payload");
	m->present |= PL_BIT(type);
	return OK;
}

static int
read_chain(struct ike_msg *m, struct rd *r, uint8_t type, bool inner)
{
	size_t n = 0, length;
	uint8_t next, flags;
	const struct slot *slot;
	struct bytes body;
	int rc;

	for (; type != PL_NONE; type = next) {
		if (n++ == IKE_PAYLOADS_MAX)
			return fail(m, type, ERR_SPACE, "more payloads than we take");
		next = rd_u8(r);
		flags = rd_u8(r);
		length = rd_u16(r);
		if (!rd_ok(r) || length < GENERIC_LEN || length - GENERIC_LEN > rd_left(r))
			return fail(m, type, ERR_SYNTAX, "payload length is wrong");
		if (type == PL_SK || type == PL_SKF) {
			if (inner)
				return fail(m, type, ERR_SYNTAX, "encrypted twice");
			if (length - GENERIC_LEN != rd_left(r))
				return fail(m, type, ERR_SYNTAX, "octets after the encrypted payload");
			return read_encrypted(m, r, type, next);
		}
		body = rd_take(r, length - GENERIC_LEN);
		if ((slot = slot_find(type)) == NULL) {
			if ((flags & CRITICAL) != 0 && m->critical == 0)
				m->critical = type;
		} else if ((rc = read_known(m, slot, type, body)) != 0) {
			return rc;
		}
	}
	return rd_end(r) ? OK : fail(m, PL_NONE, ERR_SYNTAX, "octets after the last payload");
}

int
msg_read(struct ike_msg *m, struct bytes datagram)
{
	struct rd r = rd_open(datagram);
	int rc;

	memset(m, 0, sizeof *m);
	m->raw = datagram;
	if ((rc = header_read(&m->hdr, datagram)) != 0)
		return fail(m, PL_NONE, rc, rc == ERR_UNSUPPORTED ?
		    "major version is not 2" : "malformed header");
	rd_skip(&r, IKE_HEADER_LEN);
	return read_chain(m, &r, m->hdr.next, false);
}

int
msg_read_inner(struct ike_msg *m, const struct ike_header *hdr, uint8_t first, struct bytes plain)
{
	struct rd r = rd_open(plain);

	memset(m, 0, sizeof *m);
	m->hdr = *hdr;
	m->raw = plain;
	return read_chain(m, &r, first, true);
}

const struct ike_notify *
msg_notify(const struct ike_msg *m, uint16_t type)
{
	size_t i;

	for (i = 0; i < m->n_notifies; i++)
		if (m->notifies[i].type == type)
			return &m->notifies[i];
	return NULL;
}

const struct ike_notify *
msg_error(const struct ike_msg *m)
{
	size_t i;

	for (i = 0; i < m->n_notifies; i++)
		if (m->notifies[i].type < N_STATUS_MIN)
			return &m->notifies[i];
	return NULL;
}

bool
msg_vendor(const struct ike_msg *m, struct bytes id)
{
	size_t i;

	for (i = 0; i < m->n_vendors; i++)
		if (bytes_equal(m->vendors[i], id))
			return true;
	return false;
}
