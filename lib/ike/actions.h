/* SPDX-License-Identifier: ISC */
/*
 * The queue of actions. An entry owns what it points to; the one that was handed out last lives
 * until the next one is asked for. Jobs are queued by number only and filled in when they are taken
 * out: a job whose SA has gone in the meantime costs nothing and points nowhere.
 */
#ifndef IKE_ACTIONS_H
#define IKE_ACTIONS_H

#include "ike/ike.h"

struct ike_sa;
struct queued;

struct actions {
	struct queued *head, **tail;
	struct queued *current;          /* handed out */
};

void actions_init(struct actions *);
void actions_free(struct actions *);

/* Queue a datagram; data is copied. sa NULL: it belongs to none. When memory is out it is lost, as
 * it might be on the wire. */
void act_send(struct ike *, const struct ike_sa *, const struct endpoint *local,
    const struct endpoint *peer, bool natt, struct bytes data);
/* Queue job number `job`. 0 or ERR_NOMEM. */
int act_job(struct ike *, uint32_t job);
/* Queue the removal of a Child SA from the backend. */
struct child;
void act_sa_del(struct ike *, const struct ike_sa *, const struct child *);

/*
 * One line for people: "ike <spi_i>:<spi_r> with <addr>: text". sa NULL: `peer` alone says who
 * (NULL: nobody).
 */
void report(struct ike *, const struct ike_sa *, const struct addr *peer, enum ike_report_type,
    int level, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* The same for what a peer can cause at will: goes through its bucket. Level INFO. */
void report_peer(struct ike *, const struct ike_sa *, const struct addr *peer, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
