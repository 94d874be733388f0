/* SPDX-License-Identifier: ISC */
/*
 * A node of a lab (overlock lab init) without processes: an engine whose jobs are answered on the
 * spot, with the node's real key, certificates and the fleet's document. The counterpart of a daemon
 * that is measured.
 */
#ifndef TESTS_BENCH_NODE_SUPPORT_H
#define TESTS_BENCH_NODE_SUPPORT_H

#include "base/timer.h"
#include "crypto/sign.h"
#include "crypto/x509.h"
#include "ike/ike.h"
#include "nvo3/authz.h"

/* What all nodes of a lab share. */
struct bench_lab {
	char dir[512];
	struct nvo3_table *table;
	int64_t now;                     /* seconds since 1970: of certificates and document */
};

struct bench_node;
struct bench_calls {
	void *arg;
	void (*send)(void *arg, struct bench_node *, const struct ike_action *);
	/* A Child SA came up, or (up false) went or could not be had: why. */
	void (*child)(void *arg, struct bench_node *, bool up, const char *text);
};

struct bench_node {
	struct timer timer;              /* first: the caller's heap yields one of these */
	struct bench_lab *lab;
	const struct bench_calls *calls;
	char id[ID_MAX];
	struct addr addr;
	struct ike *e;
	struct pkey *key;
	struct x509_store *anchors;
	uint32_t next_grant;
};

/* Reads DIR/authorization.xml. 0, or an error after a line on stderr; so below. */
int bench_lab_open(struct bench_lab *, const char *dir);
void bench_lab_close(struct bench_lab *);

/* Node `id` by its DIR/ID/ikev2d.conf; it knows no peer. */
int bench_node_open(struct bench_node *, struct bench_lab *, const char *id, int64_t now_ms,
    const struct bench_calls *);
void bench_node_close(struct bench_node *);

/* Let it set up SAs with a node of the document, or wait for it to do so. */
int bench_node_peer(struct bench_node *, int64_t now_ms, const char *id, bool initiate);
/* Hand an event to the engine and carry out all that it wants done. */
void bench_node_event(struct bench_node *, int64_t now_ms, const struct ike_event *);

#endif
