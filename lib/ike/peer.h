/* SPDX-License-Identifier: ISC */
/*
 * Peers of the NVA document: who sets up an SA with whom, when to try again, and which of several
 * SAs with one node stays. A node that an SA was authorized for but the daemon has not (yet) set is
 * kept as long as the SA.
 */
#ifndef IKE_PEER_H
#define IKE_PEER_H

#include "ike/ike_sa.h"

struct peer {
	char node[ID_MAX];
	bool configured;                 /* PEER_SET; else only SAs hold it */
	bool initiate;                   /* keep connected */
	bool held;                       /* closed by command: wait to be asked */
	bool wanted;                     /* asked for by command or acquire */
	bool renew;                      /* what stands is to be replaced */
	struct addr local, addrs[ADDRS_MAX];
	uint8_t n_addrs, n_channels;
	struct channel *channels;        /* owned */
	struct ike_sa *sas;              /* with this node: initiated by us, or authorized */
	struct ike_timer timer;          /* when to look after it */
	uint32_t pause_ms;               /* before the next try */
};

/* Events. */
void peer_set(struct ike *, const struct ike_peer *);
void peer_del(struct ike *, const char *node);
void peer_initiate(struct ike *, const char *node);
void peer_close(struct ike *, const char *node);         /* "": all */
void peer_grant_gone(struct ike *, uint32_t grant);
void peer_child_expired(struct ike *, uint32_t spi, const struct addr *dst, bool hard);
void peer_backend_lost(struct ike *);

/* Find, or make an unconfigured one. NULL: out of memory (or not there). */
struct peer *peer_find(const struct ike *, const char *node);
struct peer *peer_get(struct ike *, const char *node);
/* Put the SA under its node / take it out. */
void peer_link(struct peer *, struct ike_sa *);
void peer_unlink(struct ike *, struct ike_sa *);
void peers_free(struct ike *);
/* Free unconfigured ones without an SA, at the end of a call. */
void peers_reap(struct ike *);

/* Set up a new SA beside the one that stands, however often that takes. */
void peer_replace(struct ike *, struct peer *);
/* The timer fired: set up what is missing. */
void peer_look(struct ike *, struct peer *);
/* An SA of this node is gone or could not be set up, or came up without a Child SA: look after it
 * later. */
void peer_retry(struct ike *, struct peer *, bool failed);
/* Look after it at the end of this call. */
void peer_soon(struct ike *, struct peer *);
/* An SA came up: the pause is forgotten, duplicates go. */
void peer_up(struct ike *, struct ike_sa *);
/* INITIAL_CONTACT came with this SA, which is authenticated: RFC 7296 section 2.4. */
void peer_initial_contact(struct ike *, struct ike_sa *);
/* No other SA stands with this node: say INITIAL_CONTACT. */
bool peer_is_first(const struct ike_sa *);

#endif
