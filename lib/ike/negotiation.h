/* SPDX-License-Identifier: ISC */
/* What is needed only until an IKE SA is up; freed then. */
#ifndef IKE_NEGOTIATION_H
#define IKE_NEGOTIATION_H

#include "ike/keymat.h"
#include "ike/msg.h"

#define NONCE_LEN 32             /* of ours */
#define KE_TRIED_MAX 8

struct negotiation {
	struct ke *ke;
	uint16_t ke_tried[KE_TRIED_MAX];         /* initiator: groups sent so far, current last */
	uint8_t n_ke_tried;
	uint8_t n_cookies;                       /* initiator: followed since the last timeout */
	uint16_t init_error;                     /* initiator: unauthenticated error; 0 = none */
	struct blob cookie;                      /* initiator: to be sent first in IKE_SA_INIT */
	struct blob init_ours, init_theirs;      /* IKE_SA_INIT messages as sent and received */
	uint8_t nonce_ours[NONCE_LEN];
	struct blob nonce_theirs;
	uint32_t peer_hashes;                    /* of SIGNATURE_HASH_ALGORITHMS, HASH_BIT()s */
	bool certs_wanted;                       /* the peer sent a CERTREQ for X.509 */

	struct ike_header auth_hdr;              /* the peer's IKE_AUTH message: header, */
	uint8_t auth_first;                      /* type of its first inner payload, */
	struct blob auth_plain;                  /* and its payloads */

	uint8_t auth_method;                     /* our AUTH payload */
	struct blob auth;

	struct channel channel;                  /* that the Child SA is for */
	char label[LABEL_MAX];                   /* asked for; empty: none */
	uint32_t vni;
	struct child *child;                     /* in the making; NULL: none */
	uint16_t child_error;                    /* notify: why there is no Child SA; 0 = none */
	struct ike_chosen child_suite;
	struct selector tsi[SELECTORS_MAX], tsr[SELECTORS_MAX];   /* agreed, as on the wire */
	uint8_t n_tsi, n_tsr;
};

struct negotiation *negotiation_new(void);
void negotiation_free(struct negotiation *);     /* wipes; NULL is fine. Not the child. */
/* Keep an IKE_AUTH message's payloads for the jobs that follow. */
int negotiation_keep(struct negotiation *, uint8_t first, const struct ike_msg *);
/* Read what was kept again; cannot fail, since it has been read before. */
int negotiation_reread(const struct negotiation *, struct ike_msg *);

#endif
