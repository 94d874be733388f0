/* SPDX-License-Identifier: ISC */
/* IKE_SA_INIT, RFC 7296 sections 1.2, 2.6, 2.7, 2.21.1 and 2.23; both roles. Handlers are rows of
 * exchange.c. */
#ifndef IKE_INIT_H
#define IKE_INIT_H

#include "ike/exchange.h"

/*
 * Our Vendor ID: the first 16 octets of SHA-256("Overlock"). Whoever sends it labels its Child SAs.
 */
#define VENDOR_ID_LEN 16
extern const uint8_t vendor_id[VENDOR_ID_LEN];

struct peer;

/* ---- initiator ---- */
/* Begin an IKE SA with this peer, for its first channel. `replaces`: it is to take over from one
 * that stands. 0, or why it could not even begin. */
int init_start(struct ike *, struct peer *, bool replaces);
void init_response(struct ike *, struct ike_sa *, const struct arrival *);

/* ---- responder ---- */
void init_request(struct ike *, struct ike_sa *, const struct arrival *);

/*
 * Answer a message outside any SA with one notify and nothing else, unless that would be longer
 * than what came or too much of it: RFC 7296 sections 1.5 and 2.21.4.
 */
void init_error(struct ike *, const struct arrival *, uint16_t type, struct bytes data);

/* ---- shared ---- */
/* Payloads that both messages end with: NAT detection, hash algorithms, vendor ID. */
int init_write_notifies(struct ike *, struct ike_out *, const struct ike_header *,
    const struct endpoint *local, const struct endpoint *peer);
/* What the peer said in its IKE_SA_INIT message about hashes, NATs and itself. */
int init_learn(struct ike *, struct ike_sa *, const struct arrival *);

#endif
