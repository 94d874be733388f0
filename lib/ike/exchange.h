/* SPDX-License-Identifier: ISC */
/*
 * The RFC's tables of payloads as a table of ours: exchange x direction x state -> payloads that
 * must and may be there -> handler. A message without a row is not processed. Rows for further
 * exchanges (CREATE_CHILD_SA, IKE_INTERMEDIATE, the GSA_* ones) are added here or, by a layer
 * above, with ike_add_rows().
 */
#ifndef IKE_EXCHANGE_H
#define IKE_EXCHANGE_H

#include "ike/ike_sa.h"

/* A message on its way in. Everything is borrowed for the call. */
struct arrival {
	struct endpoint local, peer;
	bool natt;
	struct bytes data;               /* the datagram */
	const struct ike_msg *outer;     /* header and unprotected payloads */
	const struct ike_msg *msg;       /* to act upon: what is inside SK; IKE_SA_INIT: outer */
};

enum { ROW_INITIATOR = 1, ROW_RESPONDER = 2, ROW_BOTH = 3 };

struct ike_row {
	uint8_t exchange;                /* enum ike_exchange_type */
	bool response;
	uint8_t roles;                   /* in the IKE SA: ROW_INITIATOR, ROW_RESPONDER */
	uint32_t states;                 /* IKE_STATE_BIT()s */
	uint64_t must, may;              /* PL_BIT()s; others are INVALID_SYNTAX */
	/* sa is NULL for IKE_SA_INIT requests. Requests: answers, now or after jobs. */
	void (*handle)(struct ike *, struct ike_sa *, const struct arrival *);
};

/* The row for a message to an SA (NULL: to none yet), or NULL. Rows of the daemon come first. */
const struct ike_row *row_find(const struct ike *, const struct ike_sa *,
    const struct ike_header *);
/* It has all that it must and nothing that it may not have. *bad: the payload type at fault. */
bool row_fits(const struct ike_row *, const struct ike_msg *, uint8_t *bad);

/* Rows of a layer above; borrowed as long as the engine lives. Once, before the first message. */
void ike_add_rows(struct ike *, const struct ike_row *, size_t n);

#endif
