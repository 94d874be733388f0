/* SPDX-License-Identifier: ISC */
/*
 * Writer of IKE messages. Payloads follow each other as they are opened; next-payload octets and
 * all lengths fill themselves in. The payload writers of payload.h, proposal.h and ts.h call open
 * and close; a protected message has sk_begin() / sk_end() (sk.h) around its payloads:
 *
 *     msg_begin(&o, &hdr);                         msg_begin(&o, &hdr);
 *     ke_payload_write(&o, group, pub);            sk_begin(&o, key);
 *     nonce_payload_write(&o, nonce);              auth_payload_write(&o, method, data);
 *     rc = msg_end(&o, &blob);                     rc = sk_end(&o, key, cb);
 *                                                  rc = rc != 0 ? rc : msg_end(&o, &blob);
 *
 * Errors stick: the writers return nothing and msg_end() tells.
 */
#ifndef IKE_OUT_H
#define IKE_OUT_H

#include "base/wr.h"
#include "ike/params.h"

struct ike_header;

/* Largest message we write: a UDP datagram over IPv4 with the non-ESP marker. */
#define IKE_MESSAGE_MAX 65503

struct ike_out {
	struct wr wr;
	size_t next_at;          /* next-payload octet that the next payload fills in */
	size_t payload_mark;     /* length field of the open payload */
	size_t sk_at;            /* offset of the open SK payload's generic header; 0 = none */
	size_t sk_mark;
	bool open;               /* a payload is open */
	bool ended;              /* nothing may follow */
	bool misused;            /* calls in an order that makes no message */
};

/*
 * Writes the IKE header (hdr->next and hdr->length are ignored). Freed by msg_end() or
 * msg_abort().
 */
void msg_begin(struct ike_out *, const struct ike_header *hdr);
/*
 * Generic payload header with the critical bit clear; then the caller writes the body into o->wr.
 */
void payload_open(struct ike_out *, uint8_t type);
void payload_close(struct ike_out *);
/* One payload with this body. */
void payload_put(struct ike_out *, uint8_t type, struct bytes body);
/*
 * An opaque chain of payloads, already linked, whose first one has this type: what msg_read_inner()
 * reads. Closes the message for further payloads. For tests and fragments.
 */
void payload_put_chain(struct ike_out *, uint8_t first, struct bytes chain);
/* Fill in the message's length as of now: for sk_end(), which authenticates it. */
void msg_close_length(struct ike_out *);
/*
 * Fill in the message's length and hand the octets over (`to` is freed first). 0; ERR_SPACE when
 * the message grew too long or memory ran out; ERR_STATE when a payload or SK is still open, or was
 * opened out of order. The writer is empty afterwards in every case.
 */
int msg_end(struct ike_out *, struct blob *to);
/* Wipe and free without a result; fine after msg_end(). */
void msg_abort(struct ike_out *);

#endif
