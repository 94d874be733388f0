/* SPDX-License-Identifier: ISC */
/*
 * Inside of the engine: what one shard holds. Only the engine's own files include this; everybody
 * else uses ike.h. A call goes through in three passes: read (views, nothing is touched), judge
 * (window, exchange table; SAs are const), act (handlers).
 */
#ifndef IKE_ENGINE_H
#define IKE_ENGINE_H

#include "base/hash.h"
#include "base/log.h"
#include "base/timer.h"
#include "ike/actions.h"
#include "ike/cookie.h"
#include "ike/ike.h"
#include "ike/params.h"

struct ike_sa;
struct ike_row;

/* A timer of the engine; `t` comes first, so that what the heap yields is one of these. */
enum ike_timer_kind {
	IKE_TIMER_RETRANSMIT = 1,        /* in a struct ike_sa */
	IKE_TIMER_WATCH,                 /* in a struct ike_sa */
	IKE_TIMER_JOB,                   /* in a struct ike_sa */
	IKE_TIMER_PEER,                  /* in a struct peer */
};
struct ike_timer {
	struct timer t;
	uint8_t kind;                    /* enum ike_timer_kind */
};

/* Tokens for answers to messages that nobody vouches for: RFC 7296 section 2.21.4. */
struct ike_tokens {
	int64_t refilled_ms;
	uint32_t left;
};

struct ike {
	struct ike_config cfg;           /* its pointers lead to the copies below */
	struct blob id_data, certreq;
	struct blob *certs;
	struct bytes *cert_views;

	int64_t now;                     /* of the running call, monotonic ms */
	struct ike_counters counters;
	uint8_t seed[16];                /* of the tables and of request marks */

	struct hash *by_spi;             /* our SPI of an IKE SA, 8 octets -> struct ike_sa */
	struct hash *by_init;            /* ike_sa.init_key, 16 octets -> struct ike_sa */
	struct hash *by_child;           /* our ESP SPI, 4 octets -> struct child */
	struct hash *by_job;             /* job number, 4 octets -> struct ike_sa */
	struct hash *peers;              /* node id -> struct peer */
	struct ike_sa *sas;              /* all that live, newest first */
	struct ike_sa *dead;             /* freed at the end of the call */
	bool orphans;                    /* a peer may be of no use any more */
	uint32_t half_open;              /* responder SAs without an authenticated initiator */

	struct timers timers;
	struct actions queue;
	struct cookies cookies;
	struct ike_tokens error_tokens;
	uint32_t next_job, next_pair;

	const struct ike_row *rows;      /* added by the daemon; may be NULL */
	size_t n_rows;

	uint8_t *scratch;                /* decrypted payloads of the running call */
	size_t scratch_cap;
	struct bytes job_certs[8];       /* what a VERIFY action points to */
};

/* (Re)arm; when memory is out the timer stays as it was and ERR_NOMEM is returned. */
int ike_timer_set(struct ike *, struct ike_timer *, int64_t at);
void ike_timer_clear(struct ike *, struct ike_timer *);

/* Fill with random octets from the callback. 0 or what it returned. */
int ike_random(struct ike *, void *, size_t);
/* A number 0 .. n-1 (n > 0); 0 too when the callback fails. Not for secrets. */
uint32_t ike_random_below(struct ike *, uint32_t n);

#endif
