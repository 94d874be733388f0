/* SPDX-License-Identifier: ISC */
/*
 * The payloads of IKEv2, RFC 7296 section 3.3 to 3.16: a struct of views, a reader and a writer
 * for each. Readers get a payload's body (what follows the generic header), check everything that
 * can be checked without knowing an SA, and yield views that live as long as the input. They
 * return 0 or ERR_SYNTAX; trailing octets are an error, RESERVED fields are ignored. Writers
 * append one whole payload to a message (see out.h) and send RESERVED fields as zero.
 */
#ifndef IKE_PAYLOAD_H
#define IKE_PAYLOAD_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/rd.h"
#include "ike/params.h"

struct ike_out;                  /* message being written, out.h */

/* ---- Security Association, section 3.3 ---- */

/* All proposals, already checked for shape: walk them with proposal_next(). */
struct ike_sa_payload {
	struct bytes body;
	uint8_t n_proposals;     /* numbered 1, 2, 3 ... or, in a response, one with any number */
};

struct ike_proposal {
	uint8_t number;
	uint8_t protocol;        /* enum ike_protocol */
	struct bytes spi;        /* IKE: 0 or 8 octets; ESP, AH: 4 */
	uint8_t n_transforms;
	struct bytes transforms; /* walk with transform_next() */
};

struct ike_transform {
	uint8_t type;            /* enum ike_transform_type */
	uint16_t id;
	bool has_key_bits;       /* a Key Length attribute is there */
	uint16_t key_bits;
	bool unknown_attribute;  /* makes the transform unacceptable, section 3.3.6 */
};

/*
 * At least one proposal and, in each, at least one transform; counts, "last" octets and lengths
 * agree; SPI sizes as above (any for a protocol we do not know).
 */
int sa_payload_read(struct ike_sa_payload *, struct bytes body);
/* Start with rd_open(payload.body) / rd_open(proposal.transforms); false at the end. */
bool proposal_next(struct rd *, struct ike_proposal *);
bool transform_next(struct rd *, struct ike_transform *);

/* ---- Key Exchange, section 3.4 ---- */

struct ike_ke {
	uint16_t group;
	struct bytes data;       /* at least 1 octet; of its group's length if we have that */
};
int ke_payload_read(struct ike_ke *, struct bytes body);
void ke_payload_write(struct ike_out *, uint16_t group, struct bytes data);

/* ---- Identification, section 3.5 ---- */

struct ike_id {
	uint8_t type;            /* enum ike_id_type, or one we do not know */
	struct bytes data;       /* addresses: 4 or 16 octets; ID_NULL: none; else some */
};
int id_payload_read(struct ike_id *, struct bytes body);
/* payload: PL_IDi or PL_IDr. */
void id_payload_write(struct ike_out *, uint8_t payload, uint8_t id_type, struct bytes data);

/* ---- Certificate and Certificate Request, sections 3.6 and 3.7 ---- */

struct ike_cert {
	uint8_t encoding;        /* enum ike_cert_encoding */
	struct bytes data;       /* at least 1 octet */
};
int cert_payload_read(struct ike_cert *, struct bytes body);
/* Encoding X509_SIGNATURE. */
void cert_payload_write(struct ike_out *, struct bytes der);

struct ike_certreq {
	uint8_t encoding;
	struct bytes data;       /* X509_SIGNATURE: SHA-1 hashes of 20 octets each; may be empty */
};
int certreq_payload_read(struct ike_certreq *, struct bytes body);
void certreq_payload_write(struct ike_out *, struct bytes hashes);

/* ---- Authentication, section 3.8 ---- */

struct ike_auth {
	uint8_t method;          /* enum ike_auth_method */
	struct bytes data;       /* at least 1 octet */
};
int auth_payload_read(struct ike_auth *, struct bytes body);
void auth_payload_write(struct ike_out *, uint8_t method, struct bytes data);

/* ---- Nonce, section 3.9 ---- */

#define NONCE_MIN 16
#define NONCE_MAX 256
int nonce_payload_read(struct bytes *nonce, struct bytes body);
void nonce_payload_write(struct ike_out *, struct bytes nonce);

/* ---- Notify, section 3.10 ---- */

struct ike_notify {
	uint8_t protocol;        /* meaningful only where there is an SPI */
	struct bytes spi;        /* none; AH, ESP: or 4 octets; IKE: or 8 */
	uint16_t type;           /* enum ike_notify_type, or one we do not know */
	struct bytes data;       /* of the length its type prescribes */
};
int notify_payload_read(struct ike_notify *, struct bytes body);
/* Without an SPI. */
void notify_payload_write(struct ike_out *, uint16_t type, struct bytes data);
/* About the Child SA that has this SPI (protocol ESP), e.g. REKEY_SA, CHILD_SA_NOT_FOUND. */
void notify_payload_write_esp(struct ike_out *, uint16_t type, uint32_t spi, struct bytes data);

/* ---- Delete, section 3.11 ---- */

struct ike_delete {
	uint8_t protocol;
	uint8_t spi_size;        /* IKE: 0; AH, ESP: 4 */
	uint16_t n_spis;
	struct bytes spis;       /* n_spis * spi_size octets */
};
int delete_payload_read(struct ike_delete *, struct bytes body);
/* The SPI number i < n_spis of an AH or ESP payload, host order; 0 for anything else. */
uint32_t delete_spi(const struct ike_delete *, size_t i);
void delete_payload_write_ike(struct ike_out *);
void delete_payload_write_esp(struct ike_out *, const uint32_t *spis, size_t n);

/* ---- Vendor ID, section 3.12: opaque ---- */

void vendor_payload_write(struct ike_out *, struct bytes id);

/* ---- Encrypted, section 3.14, and Encrypted Fragment, RFC 7383 section 2.5 ---- */

/* Nothing in it is verified yet; sk.h opens it. */
struct ike_sk_payload {
	uint8_t first;           /* type of the first payload inside; 0 = none or unknown */
	uint16_t fragment;       /* SKF: 1 .. fragments; SK: 0 */
	uint16_t fragments;
	struct bytes aad;        /* message from the IKE header up to the IV */
	struct bytes body;       /* IV, ciphertext, ICV: all the rest of the message */
};

/* ---- Extensible Authentication, section 3.16: header checked, the rest opaque ---- */

int eap_payload_read(struct bytes *eap, struct bytes body);

/* ---- Configuration, section 3.15: shape checked, attributes opaque ---- */

struct ike_cp {
	uint8_t type;
	struct bytes attributes;
};
int cp_payload_read(struct ike_cp *, struct bytes body);

#endif
