/* SPDX-License-Identifier: ISC */
/* The state of backend_main(), shared by its files: main.c the loop, calls.c what is asked of us,
 * upcall.c what we tell. Nobody else includes it. */
#ifndef BACKEND_HOST_H
#define BACKEND_HOST_H

#include "backend/conn.h"
#include "backend/guard.h"
#include "base/log.h"

struct backend_host {
	const struct backend_ops *ops;
	struct backend *b;
	struct guard *guard;
	struct conn parent;
	struct conn conns[PROC_N];     /* by the process at the other end */
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

/* ---- upcall.c ---- */
void host_hello(struct backend_host *, struct conn *);
void host_list_sas(struct backend_host *, struct conn *);
void host_list_counters(struct backend_host *, struct conn *);
void host_list_grants(struct backend_host *, struct conn *);

#endif
