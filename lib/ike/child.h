/* SPDX-License-Identifier: ISC */
/* Child SAs: what we remember of a pair of ESP SAs, and how they are described to the backend. */
#ifndef IKE_CHILD_H
#define IKE_CHILD_H

#include "ike/ike_sa.h"

struct child {
	struct child *next;              /* in ike_sa.children */
	struct ike_sa *sa;
	uint32_t spi_in, spi_out;
	uint32_t pair, grant, vni;
	char channel[ID_MAX];
	struct esp_transform transform;
	uint8_t mode;                    /* enum sa_mode */
	bool encap;
	bool in_backend;                 /* SA_ADD was handed out */
	bool up;                         /* ... and answered well */
	bool doomed;                     /* to be named in a Delete */
	bool delete_sent;
	struct addr local, peer;
	int64_t since_ms;
	struct child_sas *pending;       /* described, until SA_ADD is handed out; owned */
};

/* The two SAs of a pair, with their keys. */
struct child_sas {
	struct sa_params in, out;
};
void child_sas_free(struct child_sas *);         /* wipes; NULL is fine */

/* A fresh one with an SPI of ours in the tables; belongs to nobody's list yet. */
int child_new(struct ike *, struct ike_sa *, struct child **);
/* Out of the tables, keys wiped; nothing is told to anybody. NULL is fine. */
void child_free(struct ike *, struct child *);

/*
 * Derive the keys and describe both SAs, from the agreement in sa->neg: child_suite, tsi, tsr,
 * channel. `mode` is child->mode. ERR_VALUE when nothing of the channel is left of the agreed
 * selectors.
 */
int child_prepare(struct ike_sa *, struct child *);

/* The set-up is over: the child that neg made becomes one of the SA's. */
void child_adopt(struct ike *, struct ike_sa *);
/* Take it away from the backend (if it is there), report, unlink, free. */
void child_down(struct ike *, struct child *, const char *why);
/* Take it away from the backend and ask for a Delete; it stays in the list until that is done. */
void child_doom(struct ike *, struct child *, const char *why);
/* The backend is gone and the SA with it. */
void child_lost(struct child *);

/* What we offer or allow on the wire for a channel: one host each side. */
struct selector child_selector(const struct channel *, const struct addr *);
/* Both forms of a channel's transform, ESN first: RFC 8221 section 4 and RFC 7296 section 3.3.2. */
struct child_offer {
	struct esp_transform transforms[2];
	struct esp_offer offer;
};
void child_offer_init(struct child_offer *, const struct channel *);
/* Channel `c` still allows what this child was set up for. */
bool child_fits(const struct child *, const struct channel *c);

#endif
