/* SPDX-License-Identifier: ISC */
/*
 * The caller's side of the backend contract: bodies of the calls, and the backend's answers and
 * upcalls as plain data. No socket here: what bk_send_*() wrote goes out with base/seqpacket.h, and
 * what came in with it is given to bk_read().
 *
 *     struct wr w = wr_fixed(buf, sizeof buf);
 *     uint16_t type = bk_send_sa_add(&w, sa);
 *     r = w.bad ? ERR_SPACE : seq_send(sock, type, wr_view(&w), -1);
 *
 * A body that holds keys (bk_send_sa_add) is wiped by the caller when it is sent.
 */
#ifndef BACKEND_CLIENT_H
#define BACKEND_CLIENT_H

#include "backend/ipc.h"

/* Each writes the body of one call and returns the type of its message. */
uint16_t bk_send_sa_add(struct wr *, const struct sa_params *);
uint16_t bk_send_sa_del(struct wr *, uint8_t dir, uint32_t spi, const struct addr *dst);
uint16_t bk_send_sa_move(struct wr *, uint32_t pair, const struct endpoint *local,
    const struct endpoint *peer);
uint16_t bk_send_grant_set(struct wr *, const struct grant *);
uint16_t bk_send_grant_drop(struct wr *, uint32_t grant);
uint16_t bk_send_policy_add(struct wr *, const struct policy *);
uint16_t bk_send_policy_del(struct wr *, const struct policy *);
uint16_t bk_send_flush_own(struct wr *);
/* Ends a batch: BK_DONE answers it with this generation and a result per call since the last one. */
uint16_t bk_send_commit(struct wr *, uint32_t generation);
/* Lists: answered by any number of infos, then BK_END. No call of a batch. */
uint16_t bk_send_sa_list(struct wr *);
uint16_t bk_send_counters(struct wr *);
uint16_t bk_send_grant_list(struct wr *);

#define BK_NAME_MAX 64

/* One message of a backend, read. `type` says which member of the union holds. */
struct bk_event {
	uint16_t type;
	union {
		struct {
			uint32_t generation;
			size_t n;                /* calls answered */
			struct bytes results;    /* borrowed from the message; see bk_done_result() */
		} done;
		struct { char node[ID_MAX], channel[ID_MAX]; struct addr peer; } acquire;
		struct { uint8_t dir; uint32_t spi; struct addr dst; bool hard; } expire;
		struct { uint32_t spi; struct endpoint peer; } mapping;
		struct { char name[BK_NAME_MAX]; uint32_t features; } hello;
		struct { struct sa_stats stats; struct sa_params sa; } info;   /* sa without its key */
		struct { char name[BK_NAME_MAX], node[ID_MAX]; uint32_t vni; uint64_t value; } counter;
		struct grant grant;              /* the caller's: grant_free() */
	} u;
};

/* Read a message from a backend: 0, ERR_SYNTAX or ERR_VALUE; ERR_UNSUPPORTED for an unknown type. */
int bk_read(uint16_t type, struct bytes body, struct bk_event *);
/* Result (0 or enum err) of the i-th call of the batch; ERR_VALUE if there is no such call. */
int bk_done_result(const struct bk_event *, size_t i);

#endif
