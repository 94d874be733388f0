/* SPDX-License-Identifier: ISC */
/* IKE_AUTH, RFC 7296 sections 1.2, 2.9, 2.15, 2.21.2; RFC 7427; RFC 9478. Handlers are rows of
 * exchange.c; the answers to jobs come by the table in engine.c. */
#ifndef IKE_AUTH_H
#define IKE_AUTH_H

#include "ike/exchange.h"

/* ---- initiator: auth_init.c ---- */
/* IKE_SA_INIT is done, keys are there: have our AUTH signed. */
void auth_begin(struct ike *, struct ike_sa *);
void auth_i_signed(struct ike *, struct ike_sa *, const struct ike_event *);
void auth_response(struct ike *, struct ike_sa *, const struct arrival *);
void auth_i_verified(struct ike *, struct ike_sa *, const struct ike_event *);
void auth_i_authorized(struct ike *, struct ike_sa *, const struct ike_event *);
void auth_i_installed(struct ike *, struct ike_sa *, const struct ike_event *);

/* ---- responder: auth_resp.c ---- */
void auth_request(struct ike *, struct ike_sa *, const struct arrival *);
void auth_r_verified(struct ike *, struct ike_sa *, const struct ike_event *);
void auth_r_authorized(struct ike *, struct ike_sa *, const struct ike_event *);
void auth_r_signed(struct ike *, struct ike_sa *, const struct ike_event *);
void auth_r_installed(struct ike *, struct ike_sa *, const struct ike_event *);

/* ---- shared: auth.c ---- */
/* A job answered with an error: is there text for people in it? */
const char *job_why(const struct ike_event *, const char *what);
/* ID, CERT and AUTH of ours. */
void auth_write_identity(struct ike *, const struct ike_sa *, struct ike_out *);
/* Keep our signature for the message. */
int auth_keep_signature(struct ike_sa *, const struct ike_event *);
/* A transport-mode selector of a peer behind a NAT names addresses that mean nothing to us: put
 * those in that the packets have (RFC 7296 section 2.23.1). `tsi_is_ours`: we are the exchange's
 * initiator. */
void auth_fix_addresses(const struct ike_sa *, struct ike_ts *tsi, struct ike_ts *tsr);
/* The IKE SA is up, with the child that neg made, or without. */
void auth_done(struct ike *, struct ike_sa *);

/* ---- responder's choice of a Child SA: auth_child.c ---- */
/*
 * Find the channel, narrow the selectors, choose the transform. 0 and neg->child, or the notify to
 * answer with.
 */
uint16_t auth_choose_child(struct ike *, struct ike_sa *, const struct channel *,
    size_t n_channels);
/* Initiator: the response's Child SA is what we asked for. 0 and neg->child_suite, tsi, tsr; or a
 * notify's number that says what is wrong, *why in words; *made: the responder has set up a Child
 * SA that must be deleted. */
uint16_t auth_check_child(struct ike *, struct ike_sa *, const struct ike_msg *, const char **why,
    bool *made);

#endif
