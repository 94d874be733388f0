/* SPDX-License-Identifier: ISC */
/*
 * The engine process, between its files: engine_proc.c life, connections and events into the
 * engine, engine_actions.c what the engine wants done, engine_status.c what the operator sees,
 * engine_keylog.c keys for decoding captures, engine_encap.c what the kernel takes off our sockets.
 * Nobody else includes it.
 */
#ifndef IKEV2D_ENGINE_INT_H
#define IKEV2D_ENGINE_INT_H

#include "backend/client.h"
#include "base/hash.h"
#include "base/log.h"
#include "ike/ike.h"
#include "shell/child.h"
#include "shell/udp.h"

#define LOG_BUCKETS 64

/* A peer of the NVA document, or one whose SAs are still winding up. */
struct known_peer {
	struct msg_peer about;
	bool named;              /* told since authz was (re)started */
};

/* A batch of SA calls that the backend has not answered. */
struct batch {
	struct batch *next;
	uint32_t generation, job;
};

struct engine {
	struct child *child;
	struct ike *ike;
	struct udp *udp;
	struct loop_timer *deadline, *stop_limit;
	struct hash *peers;      /* node -> struct known_peer */
	struct batch *batches;
	uint32_t next_generation;
	int key_log;             /* descriptor; -1: none */
	bool kernel_encap;       /* BACKEND_KERNEL_ENCAP: the backend's SAs are the kernel's */
	struct log_bucket buckets[LOG_BUCKETS];  /* by hash of the peer's address */
	uint8_t seed[16];
	/* What the configuration of the IKE engine is copied from, until it is made. */
	struct ike_config ike_config;
	struct blob id_data, certreq;
	struct x509 *chain[CHAIN_MAX];
	size_t n_chain;
};

int64_t engine_now(const struct engine *);
int64_t engine_time(void);                       /* seconds since 1970 */
/* An event into the engine, and all the actions that follow out of it. */
void engine_input(struct engine *, const struct ike_event *);

/* ---- engine_actions.c ---- */
void engine_drain(struct engine *);
/* The backend has answered a batch. */
void engine_batch_done(struct engine *, const struct bk_event *);
void engine_batches_forget(struct engine *);

/* ---- engine_status.c ---- */
struct known_peer *engine_peer(struct engine *, const char *node);       /* NULL: unknown */
void engine_peer_set(struct engine *, const struct ike_peer *);
void engine_peer_del(struct engine *, const char *node);
void engine_peers_unname(struct engine *);
/* Peers that were not named since are gone: an event for each. */
void engine_peers_end(struct engine *);
/* Keeps why an attempt failed. */
void engine_peer_failed(struct engine *, const char *node, const struct addr *, const char *why);
void engine_peers_free(struct engine *);
int engine_on_query(void *, struct chan *, struct bytes, int);
int engine_on_command(void *, struct chan *, struct bytes, int);

/* ---- engine_keylog.c ---- */
void engine_keylog_ike(const struct engine *, const struct ike_ref *);
void engine_keylog_esp(const struct engine *, const struct sa_params *);

/* ---- engine_encap.c ---- */
/* The backend has said what it can do. */
void engine_hello(struct engine *, const struct bk_event *);
/* A socket has come. */
void engine_encap(struct engine *);

#endif
