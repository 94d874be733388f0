/* SPDX-License-Identifier: ISC */
/*
 * One connection of a backend to another process: what the socket doesn't take now waits in a queue,
 * and while it waits nothing more is read from that process, so a slow one can't make us grow.
 */
#ifndef BACKEND_CONN_H
#define BACKEND_CONN_H

#include "backend/ipc.h"

#define CONN_QUEUE_MAX (64u * 1024 * 1024)   /* octets waiting */

struct conn_msg;

struct conn {
	int fd;                        /* -1: not connected */
	uint32_t serial;               /* another one for each connection to this process */
	enum proc_id proc;
	bool broken;                   /* to be closed by the loop */
	struct conn_msg *head, *tail;
	size_t queued;
	struct wr batch;               /* what conn_release() sends: a packet of several messages */
	unsigned n_batch;
	int16_t *results;              /* of the calls since the last commit */
	size_t n_results, cap_results;
};

/* Not connected. */
void conn_init(struct conn *, enum proc_id);
/* Takes the descriptor. What was there before is closed. */
void conn_open(struct conn *, int fd);
/* Close and forget what waited. Fine when not connected. */
void conn_close(struct conn *);
/*
 * Send now or queue. 0; ERR_GONE when not connected; ERR_SPACE or ERR_NOMEM when it can't be kept;
 * any failure but "not connected" marks the connection broken, since answers would be missing.
 */
int conn_send(struct conn *, uint16_t type, struct bytes body);
/*
 * As conn_send(), but small messages wait for conn_release(), or for a message that does not wait:
 * the other process is woken once for all of them.
 */
int conn_later(struct conn *, uint16_t type, struct bytes body);
void conn_release(struct conn *);
/* Send of the queue what the socket takes. */
void conn_flush(struct conn *);
/* Keeps the result of one call for the next commit; too many in one batch break the connection. */
void conn_result(struct conn *, int result);
/* Another result for the call at this place (from 0) since the last commit, if there is one. */
void conn_result_at(struct conn *, size_t place, int result);
/* Answers the batch, with conn_later(). */
void conn_done(struct conn *, uint32_t generation);

#endif
