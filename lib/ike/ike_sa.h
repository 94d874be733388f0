/* SPDX-License-Identifier: ISC */
/* One IKE SA: what lasts as long as it does, its states, the tables it is found by. */
#ifndef IKE_IKE_SA_H
#define IKE_IKE_SA_H

#include "ike/engine.h"
#include "ike/jobs.h"
#include "ike/keymat.h"
#include "ike/negotiation.h"
#include "ike/sk.h"
#include "ike/window.h"

struct child;
struct peer;

/* Named for what is awaited. Which side we are on is in `initiator`. */
enum ike_state {
	IKE_NEW = 0,
	IKE_INIT_SENT,           /* initiator: the IKE_SA_INIT response */
	IKE_INIT_DONE,           /* responder: the IKE_AUTH request */
	IKE_AUTH_SENT,           /* initiator: the IKE_AUTH response */
	IKE_AWAIT_VERIFY,        /* jobs, both sides */
	IKE_AWAIT_AUTHORIZE,
	IKE_AWAIT_SIGNATURE,
	IKE_AWAIT_INSTALL,
	IKE_UP,
	IKE_CLOSING,             /* the answer to our Delete (or AUTHENTICATION_FAILED) */
	IKE_LINGER,              /* nothing: gone, it only repeats its last response if asked */
	IKE_DEAD,                /* the end of the running call */
	IKE_STATES
};
#define IKE_STATE_BIT(s) (1u << (s))
const char *ike_state_name(enum ike_state);

/* Requests that want to be sent as soon as the window is free. */
enum {
	WANT_LIVENESS = 1,
	WANT_DELETE = 2,         /* of the IKE SA */
	WANT_AUTH_FAILED = 4,    /* the peer is not who it should be: notify and forget */
	WANT_CHILD_DELETE = 8,   /* of those children that are marked */
};

struct ike_sa {
	struct ike_sa *next, *prev;              /* in ike.sas */
	struct ike_sa *peer_next, *peer_prev;    /* in peer.sas */
	uint64_t spi_i, spi_r;
	bool initiator;                          /* we are */
	uint8_t state;                           /* enum ike_state, set by ike_sa_become() */
	uint8_t wants;
	bool natt;                               /* speaks over the NAT-T port */
	bool nat_here, nat_there;                /* who sits behind a NAT; here: or forced */
	bool overlock;                           /* the peer announced itself as one of ours */
	bool source_verified;                    /* the peer's address: by a cookie or an ICV */
	bool counted;                            /* in ike.half_open */
	bool replaces;                           /* set up to take over from another of ours */
	bool refused;                            /* closing, never was up: not who it should be */
	struct endpoint local, peer;
	struct endpoint asked_at, asked_from;    /* to and from where its last request came */
	bool asked_natt;
	struct ike_chosen suite;
	struct ike_keys keys;
	struct ike_sk_key in, out;
	struct window win;
	struct ike_timer retransmit;             /* of our outstanding request */
	struct ike_timer watch;                  /* half-open, liveness, lingering: by state */
	struct ike_job job;                      /* the one that is out, if any */
	struct peer *node;                       /* NULL: not known (yet) */
	char *identity;                          /* verified one; NULL before */
	uint32_t grant;
	struct child *children;
	struct negotiation *neg;                 /* until UP */
	int64_t began_ms, since_ms;              /* created; came up */
	int64_t heard_ms;                        /* last fresh authentic message */
	uint8_t init_key[16];                    /* responder: key in by_init */
};

/* A new SA in the tables under a fresh SPI of ours, with negotiation state. NULL when memory or
 * entropy is out. The responder's caller sets init_key and calls ike_sa_index_init(). */
struct ike_sa *ike_sa_new(struct ike *, bool initiator, const struct endpoint *local,
    const struct endpoint *peer);
int ike_sa_index_init(struct ike *, struct ike_sa *);
/* By our SPI. */
struct ike_sa *ike_sa_find(const struct ike *, uint64_t our_spi);

static inline uint64_t
ike_sa_our_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}
static inline struct ike_ref
ike_sa_ref(const struct ike_sa *sa)
{
	struct ike_ref ref = { sa->spi_i, sa->spi_r, sa->initiator };
	return ref;
}
/* Still being set up. */
static inline bool
ike_sa_negotiating(const struct ike_sa *sa)
{
	return sa->state < IKE_UP;
}

/*
 * The only way from one state to another. A move that the table does not hold is a bug of ours: it
 * is reported and the SA is torn down instead. Keeps the half-open count. Returns whether it was
 * legal.
 */
bool ike_sa_become(struct ike *, struct ike_sa *, enum ike_state);

/* Keys from the key exchange: SK_* and both directions' ciphers. */
int ike_sa_derive(struct ike_sa *, struct bytes shared);
/* Free what only the set-up needed. */
void ike_sa_settle(struct ike_sa *);

/*
 * The set-up failed: counted, reported once with `why`, children in the making withdrawn. The SA
 * dies, or, when it owes the peer the last response again (linger), becomes LINGER. A peer that we
 * want to be connected with is tried again later.
 */
void ike_sa_fail(struct ike *, struct ike_sa *, bool linger, const char *why);
/* It was UP or CLOSING and is no more: children go, reported. Then as above. */
void ike_sa_down(struct ike *, struct ike_sa *, bool linger, const char *why);
/* Close with notice to the peer, or at once if it is still being set up. */
void ike_sa_close(struct ike *, struct ike_sa *, const char *why);

/* Take note of a fresh authentic message, and follow the peer's address where the RFC allows it. */
void ike_sa_heard(struct ike *, struct ike_sa *, const struct endpoint *local,
    const struct endpoint *peer, bool natt);
/* (Re)arm the liveness check. */
void ike_sa_watch_liveness(struct ike *, struct ike_sa *);
void ike_sa_watch_fired(struct ike *, struct ike_sa *);

/* Free those that died in this call. */
void ike_sa_reap(struct ike *);
/* Free all, silently: the end of the engine. */
void ike_sa_free_all(struct ike *);

#endif
