/* SPDX-License-Identifier: ISC */
/* Messages made by hand: what no engine of ours would send, and what one did send, opened. */
#ifndef TESTS_SIM_SIM_CRAFT_H
#define TESTS_SIM_SIM_CRAFT_H

#include "ike/msg.h"
#include "ike/proposal.h"
#include "ike/cookie.h"
#include "ike/sk.h"
#include "sim.h"

/* How a crafted protected message differs from others. */
struct craft {
	uint8_t exchange;                /* enum ike_exchange_type */
	bool response;
	uint32_t message_id;
	uint8_t first;                   /* type of the first payload of the chain; 0: empty SK */
	struct bytes chain;
};

/* Seal a message as `as`, within its only IKE SA that is up. */
void craft_message(struct sim_node *as, const struct craft *, struct blob *out);
/* And give it to `to` as if it came from there. */
void craft_send(struct sim_node *as, struct sim_node *to, const struct craft *);
/* A generic payload for a chain: next type, flags, body. */
void craft_payload(struct wr *, uint8_t next, bool critical, struct bytes body);

/* Remembers all that is sent: set sim.on_send = tape_record, sim.on_send_arg = a tape. */
#define TAPE_MAX 512
struct tape {
	struct { struct endpoint from, to; struct blob data; } sent[TAPE_MAX];
	size_t n;
};
bool tape_record(struct sim *, struct sim_datagram *, void *tape);
void tape_free(struct tape *);
/*
 * Open the last message that `from` sent, with the keys of `as`, whichever end that is. Views stay
 * valid until the next call. False: there is none, or it cannot be opened.
 */
bool tape_open_last(const struct tape *, const struct sim_node *from,
    const struct sim_node *keys_of, struct ike_msg *inner);

/* An IKE_SA_INIT request that is worth an answer: proposals of ike_default_suites(), or what is
 * given. */
struct craft_init {
	uint64_t spi_i;
	uint16_t group;
	size_t nonce_len;                /* 0: 32 */
	struct bytes cookie;             /* empty: none */
	const struct ike_suite *suites;  /* NULL: the defaults */
	size_t n_suites;
	size_t padding;                  /* octets of a Vendor ID at the end; 0: none */
	bool critical;                   /* with an unknown critical payload */
};
void craft_init(const struct craft_init *, struct blob *out);

#endif
