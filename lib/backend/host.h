/* SPDX-License-Identifier: ISC */
/* The state of backend_main(), shared by its files: main.c the loop, calls.c what is asked of us,
 * queue.c what the backend has not answered yet, upcall.c what we tell. Nobody else includes it. */
#ifndef BACKEND_HOST_H
#define BACKEND_HOST_H

#include "backend/conn.h"
#include "backend/guard.h"
#include "base/log.h"

/* Where the result of a call belongs: a place in the batch of a connection, if that still is there. */
struct place {
	enum proc_id proc;
	uint32_t serial;               /* of the connection: see struct conn */
	size_t index;
};

enum pending_kind {
	PENDING_CALL = 0,              /* the result is all there is to it */
	PENDING_SA_ADD,                /* dir, number (SPI), dst, held */
	PENDING_SA_MOVE,               /* waited for: *result */
	PENDING_SA_DEL,                /* number (SPI) */
	PENDING_GRANT_SET,             /* number */
	PENDING_GRANT_DROP,            /* number */
};

/* A call that returned BACKEND_QUEUED. */
struct pending {
	struct pending *next;
	enum pending_kind kind;
	bool asked;                    /* `at` holds; else the call was our own */
	struct place at;
	uint32_t number;
	uint64_t held;                 /* which of the SAs that had this SPI: struct held_sa */
	struct addr dst;
	uint8_t dir;
	int *result;
};

/* First in, first answered. */
struct queue {
	struct pending *head, *tail;
	size_t n, due;                 /* in all; those that the settle() under way must answer */
	bool lost;                     /* one could not be noted: no result can be told any more */
};

struct backend_host {
	const struct backend_ops *ops;
	struct backend *b;
	struct guard *guard;
	struct conn parent;
	struct conn conns[PROC_N];     /* by the process at the other end */
	struct queue queue;
	uint8_t *rx;                   /* SEQ_MAX octets */
	bool started;                  /* IPC_START has come */
	bool stop;
	int status;                    /* exit status once stopped */
	int64_t now_ms;                /* monotonic */
	int64_t now_s;                 /* since 1970 */
	int64_t orphan_ms;             /* option orphan-deadline */
	int64_t orphans_until;         /* monotonic; TIMER_NEVER when there are none */
	struct log_bucket bucket;
};

/* ---- calls.c ---- */
/* One message of a process; the body may be overwritten. */
void host_call(struct backend_host *, struct conn *, uint16_t type, struct bytes body);
/* Grants that have expired, and orphans whose time is up. */
void host_tick(struct backend_host *);
/* The engine's connection is gone. */
void host_engine_lost(struct backend_host *);
/* Monotonic time at which host_tick() has something to do. */
int64_t host_deadline(const struct backend_host *);

/* What became of a queued call. */
void host_settled(struct backend_host *, const struct pending *, int result);

/* ---- queue.c ---- */
/* The call just made returned BACKEND_QUEUED. *what is copied. */
void host_queue(struct backend_host *, const struct pending *what);
/*
 * Until nothing is queued any more: have the backend do it, and hand the results to host_settled(),
 * ERR_IO for a call that it does not answer. Not to be called from host_settled().
 */
void host_settle(struct backend_host *);
/* Is a grant_set of this number among what is queued? */
bool host_set_again(const struct backend_host *, uint32_t grant);
void host_queue_free(struct backend_host *);

/* ---- upcall.c ---- */
void host_hello(struct backend_host *, struct conn *);
void host_list_sas(struct backend_host *, struct conn *);
void host_list_counters(struct backend_host *, struct conn *);
void host_list_grants(struct backend_host *, struct conn *);

#endif
