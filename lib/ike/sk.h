/* SPDX-License-Identifier: ISC */
/*
 * The Encrypted payload: RFC 7296 section 3.14 (encrypt, then MAC) and RFC 5282 (AEAD). Keys come
 * from keymat.h; the cipher itself from crypto.h.
 */
#ifndef IKE_SK_H
#define IKE_SK_H

#include "crypto/crypto.h"
#include "ike/ike.h"
#include "ike/msg.h"
#include "ike/out.h"

/*
 * One direction's protection. An AEAD nonce must never come twice under a key: the explicit IV is
 * next_iv, counted up for every message sealed, so a key must have one owner and is not copied.
 * A retransmission sends the same octets again and seals nothing.
 */
struct ike_sk_key {
	struct ike_cipher *cipher;
	struct ike_cipher_info info;
	uint64_t next_iv;
};

/*
 * SK_e (with salt) and SK_a of one direction; SK_a empty with AEAD. ERR_UNSUPPORTED, ERR_VALUE,
 * ERR_NOMEM, ERR_CRYPTO.
 */
int sk_key_init(struct ike_sk_key *, uint16_t encr, uint16_t key_bits, uint16_t integ,
    struct bytes sk_e, struct bytes sk_a);
void sk_key_free(struct ike_sk_key *);           /* fine on a zeroed one */

/*
 * Verify the ICV over the message, then decrypt into scratch (cap >= sk->body.n octets); the
 * message itself is never changed. *plain: the chain of payloads, within scratch, for
 * msg_read_inner(). Also for one fragment (SKF), whose *plain is a piece of that chain. Errors,
 * with nothing decrypted but for the last: ERR_SPACE; ERR_SYNTAX (too short, not whole blocks);
 * ERR_AUTH (ICV); ERR_PROTO (authentic, but the pad length is too long).
 */
int sk_open(struct ike_sk_key *, const struct ike_msg *outer, uint8_t *scratch, size_t cap,
    struct bytes *plain);

/* Open the SK payload in a message being written: what follows goes inside it. */
void sk_begin(struct ike_out *, const struct ike_sk_key *);
/*
 * Pad, encrypt in place, append the ICV; the message must end here. cb->random gives the IV for
 * CBC (AEAD uses the counter). ERR_STATE when the counter is used up or a payload is open,
 * ERR_SPACE, ERR_CRYPTO, or what random returned.
 */
int sk_end(struct ike_out *, struct ike_sk_key *, const struct ike_callbacks *cb);
/* Octets that SK adds around n octets of payloads: to know a message's size beforehand. */
size_t sk_overhead(const struct ike_sk_key *, size_t n);

#endif
