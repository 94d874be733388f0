/* SPDX-License-Identifier: ISC */
/*
 * A world for engines: nodes, a network that loses, doubles, delays and translates datagrams, a
 * clock moved by hand to the next event, and stand-ins for the processes that answer jobs. All
 * chance comes from the seed: the same seed replays the same run, octet for octet.
 *
 * What must hold in every run is checked all the time (sim_violation): no ESP key is installed
 * twice, no move of a state machine is illegal, and a source that was not verified never gets more
 * octets than it sent.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "base/log.h"
#include "ike/ike.h"

#define SIM_NODES_MAX 8
#define SIM_JOB_KINDS 5

struct sim;
struct sim_node;

struct sim_datagram {
	struct endpoint from, to;        /* as on the wire, after translation */
	bool natt;                       /* went out with the non-ESP marker */
	struct bytes data;
};

/* An ESP SA that a backend was given. */
struct sim_esp {
	struct sa_params params;
	bool live;
};

/* Whom VERIFY found behind an IKE SA. */
struct sim_verified {
	struct ike_ref ref;
	char identity[300];
};

struct sim_signer;                       /* real keys, sim_pki.h */

struct sim_node {
	struct sim *sim;
	struct ike *e;
	char name[ID_MAX];
	struct addr addr;
	struct addr nat;                 /* sits behind this address; unset: no NAT */
	bool nat_static;                 /* ... which leaves ports alone and lets anybody in */
	struct ike_config cfg;           /* to be changed before sim_start() */
	uint64_t rng;                    /* its entropy */
	struct channel channels[CHANNELS_MAX];   /* that its authz grants to others */
	uint8_t n_channels;
	const struct sim_signer *signer; /* NULL: keyed hashes stand in for signatures */

	/* how its processes answer */
	bool hold[SIM_JOB_KINDS];        /* not at all */
	int refuse[SIM_JOB_KINDS];       /* with this error */
	bool forge;                      /* SIGN yields nonsense */
	bool blind;                      /* VERIFY believes everything */
	const char *authorized_as;       /* AUTHORIZE names this node instead */

	/* what it did */
	uint32_t jobs[SIM_JOB_KINDS];
	uint32_t reports[IKE_REPORT_CHILD_DOWN + 1];
	char last_log[256];              /* last report of at least level WARN */
	struct sim_esp *esp;
	size_t n_esp;
	struct sim_verified *verified;
	size_t n_verified;
	uint32_t last_grant;
};

struct sim_item;

struct sim {
	uint64_t rng;
	int64_t now;
	struct sim_node *nodes[SIM_NODES_MAX];
	size_t n_nodes;
	struct sim_item *items;          /* heap, by time and then by age */
	size_t n_items, cap_items;
	uint64_t next_age;

	unsigned loss, twice;            /* per cent */
	unsigned delay_min, delay_max;   /* ms */
	unsigned job_ms;                 /* answers take up to this long */
	bool verbose; /* reports go to stderr; or SIM_VERBOSE in the environment */
	/* Sees every datagram as it leaves and may change it (its octets are copied after the
	 * call); false: it is lost. May be NULL. */
	bool (*on_send)(struct sim *, struct sim_datagram *, void *);
	void *on_send_arg;
	uint64_t sent, delivered;
	const struct sim_datagram *answering;    /* being delivered */
	char violation[256];             /* the first one; empty: none */
};

/* A network without loss and with 1 to 3 ms of delay. Aborts when memory is out, as all of these.
 */
struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *);
/* A node that has not been started: cfg has the defaults, one channel "vxlan" is granted. */
struct sim_node *sim_node(struct sim *, const char *name, const char *addr);
void sim_start(struct sim_node *);
/* All that it knew is gone; it starts again. */
void sim_crash(struct sim_node *);

/* channel udp/4789, transport mode, AES-128-GCM */
struct channel sim_channel_vxlan(void);
struct channel sim_channel_bgp(void);    /* tcp/179, AES-256-GCM */
struct channel sim_channel_any(void);    /* any, tunnel mode, AES-128-CBC + HMAC-SHA2-256 */

/* Tell `a` about `b`: with the channels that `a` grants. */
void sim_peer(struct sim_node *a, const struct sim_node *b, bool initiate);
void sim_event(struct sim_node *, const struct ike_event *);
void sim_command(struct sim_node *, enum ike_event_type, const char *node);
/* A datagram out of nowhere, now. */
void sim_inject(struct sim_node *to, const struct endpoint *from, uint16_t to_port, struct bytes);

/* Next event. False: there is none. */
bool sim_step(struct sim *);
/* Let this much time go by. */
void sim_run(struct sim *, int64_t ms);
/* Until the condition holds: true; or ms have gone by: false. */
bool sim_until(struct sim *, bool (*done)(struct sim *), int64_t ms);
/* Until nothing is on the wire and no job is out. */
void sim_quiet(struct sim *);

uint64_t sim_random(uint64_t *state);
uint32_t sim_below(struct sim *, uint32_t n);
void sim_violation(struct sim *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- what stands ---- */
size_t sim_ike_up(const struct sim_node *);
size_t sim_ike_all(const struct sim_node *);     /* set-ups and closings too */
size_t sim_children(const struct sim_node *);
size_t sim_esp_live(const struct sim_node *);
/* The only IKE SA (of those that are up) / Child SA. */
struct ike_sa_info sim_sa(const struct sim_node *);
struct ike_child_info sim_child(const struct sim_node *);
/* Exactly one IKE SA and one Child SA at both ends, whose ESP SAs match each other: SPIs, keys,
 * addresses, ports and transforms. */
bool sim_paired(const struct sim_node *, const struct sim_node *);
/* A fingerprint of all that can be seen of an engine's SAs. */
uint64_t sim_fingerprint(const struct sim_node *);

/* ---- between sim*.c ---- */
void sim_schedule_datagram(struct sim *, int64_t at, const struct sim_datagram *);
void sim_schedule_answer(struct sim_node *, int64_t at, const struct ike_event *);
void sim_job(struct sim_node *, const struct ike_action *);
void sim_transmit(struct sim_node *, const struct ike_action *);
void sim_net_deliver(struct sim *, const struct sim_datagram *);
void sim_backend_del(struct sim_node *, uint32_t pair);
void *sim_alloc(size_t);

#endif
