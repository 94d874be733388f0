/* SPDX-License-Identifier: ISC */
/*
 * Reader of IKE messages: IKE header and payload chain, RFC 7296 sections 3.1 and 3.2, into one
 * struct of views. Reading touches no SA. A message with an Encrypted payload is read in two
 * steps: msg_read() stops at SK, sk_open() (sk.h) verifies and decrypts, msg_read_inner() reads
 * what was in it, into a second struct ike_msg.
 */
#ifndef IKE_MSG_H
#define IKE_MSG_H

#include "ike/payload.h"
#include "ike/ts.h"

#define IKE_HEADER_LEN 28

struct ike_header {
	uint64_t spi_i, spi_r;
	uint8_t next;            /* type of the first payload */
	uint8_t major, minor;
	uint8_t exchange;        /* enum ike_exchange_type */
	uint8_t flags;           /* enum ike_header_flag */
	uint32_t message_id;
	uint32_t length;
};

/*
 * The header alone, as far as it can be trusted to find an SA: 0; ERR_SYNTAX when the datagram is
 * shorter than a header, its length is not the header's, or spi_i is zero; ERR_UNSUPPORTED when
 * the major version is not 2 (the header is filled in then: INVALID_MAJOR_VERSION is to be
 * answered if it is higher). The minor version and unknown flags are ignored.
 */
int header_read(struct ike_header *, struct bytes datagram);
/* Version 2.0; next and length are left zero for out.h to fill in. */
void header_write(struct wr *, const struct ike_header *);

static inline bool
header_is_response(const struct ike_header *h)
{
	return (h->flags & HF_RESPONSE) != 0;
}
/* By the original initiator of the IKE SA, whoever began this exchange. */
static inline bool
header_from_initiator(const struct ike_header *h)
{
	return (h->flags & HF_INITIATOR) != 0;
}

#define IKE_CERTS_MAX    8
#define IKE_CERTREQS_MAX 8
#define IKE_NOTIFIES_MAX 32
#define IKE_DELETES_MAX  8
#define IKE_VENDORS_MAX  16
#define IKE_PAYLOADS_MAX 128     /* of all types, unknown ones included */

/* All views point into the datagram (or the plaintext given to msg_read_inner()). */
struct ike_msg {
	struct ike_header hdr;
	struct bytes raw;        /* the whole message, or the inner chain */
	uint64_t present;        /* PL_BIT(type) of each payload that was read */
	uint8_t critical;        /* first unknown payload type with the critical bit; 0 = none */
	uint8_t bad;             /* on error: type of the payload at fault; 0 = the chain itself */
	const char *why;         /* on error: static text, else NULL */

	struct ike_sk_payload sk;
	struct ike_sa_payload sa;
	struct ike_ke ke;
	struct bytes nonce;
	struct ike_id idi, idr;
	struct ike_auth auth;
	struct ike_ts tsi, tsr;
	struct bytes eap;
	struct ike_cp cp;

	struct ike_cert certs[IKE_CERTS_MAX];
	struct ike_certreq certreqs[IKE_CERTREQS_MAX];
	struct ike_notify notifies[IKE_NOTIFIES_MAX];
	struct ike_delete deletes[IKE_DELETES_MAX];
	struct bytes vendors[IKE_VENDORS_MAX];
	uint8_t n_certs, n_certreqs, n_notifies, n_deletes, n_vendors;
};

/*
 * Read a whole datagram. 0; the codes of header_read(); ERR_SYNTAX for a chain or payload that is
 * malformed, comes twice though it may not, or follows SK; ERR_SPACE for more payloads of a type
 * than the arrays hold. Unknown payloads are skipped; the first with the critical bit is
 * remembered in `critical` and it is the caller's business to refuse (RFC 7296 section 2.5).
 */
int msg_read(struct ike_msg *, struct bytes datagram);
/*
 * Read the chain that was inside SK: `first` is sk.first, `plain` what sk_open() yielded. hdr is
 * copied from the outer message. SK inside SK is an error. Codes as above.
 */
int msg_read_inner(struct ike_msg *, const struct ike_header *hdr, uint8_t first,
    struct bytes plain);

static inline bool
msg_has(const struct ike_msg *m, uint8_t payload)
{
	return (m->present & PL_BIT(payload)) != 0;
}

/* The first notify of this type, or NULL. Borrowed. */
const struct ike_notify *msg_notify(const struct ike_msg *, uint16_t type);
/* The first error notify (type below N_STATUS_MIN), or NULL. */
const struct ike_notify *msg_error(const struct ike_msg *);
/* The vendor ID equals these octets. */
bool msg_vendor(const struct ike_msg *, struct bytes id);
/*
 * "IKE_AUTH req #1 { IDi CERT AUTH SA TSi TSr N(COOKIE) }" for logs and the decoder. Every octet is
 * printable whatever was received. The buffer is returned.
 */
const char *msg_text(const struct ike_msg *, char *buf, size_t cap);

#endif
