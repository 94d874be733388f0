/* SPDX-License-Identifier: ISC */
/*
 * The IKEv2 engine: bytes and time in, actions out. It opens no socket, reads no clock, holds no
 * private key and draws no entropy of its own; a run replays from its callbacks' seed. RFC 7296.
 *
 *     ike_input(e, now, &event);
 *     while (ike_next_action(e, &action)) carry_out(&action);
 *     sleep_until(ike_deadline(e));           then ike_input(e, now, &(struct ike_event){ .type = IKE_EV_TICK })
 *
 * Work that leaves the process (SIGN, VERIFY, AUTHORIZE, SA_ADD) carries a job number. Its answer
 * is an event with the same number; an answer whose SA is gone is dropped. A job that gets no answer
 * within config.job_ms fails its SA. When the process that held jobs has died, IKE_EV_REISSUE makes
 * the engine put the unanswered ones of that kind into the action queue again.
 */
#ifndef IKE_IKE_H
#define IKE_IKE_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/sa.h"
#include "crypto/crypto.h"

struct ike;

/* ------------------------------------------------------------------ configuration */

#define IKE_PROPOSALS_MAX 8
#define IKE_TRANSFORMS_MAX 12

/* One IKE proposal of ours: alternatives per type, in order of preference. Unused slots are 0. */
struct ike_suite {
	struct { uint16_t id, key_bits; } encr[IKE_TRANSFORMS_MAX];
	uint16_t prf[IKE_TRANSFORMS_MAX];
	uint16_t integ[IKE_TRANSFORMS_MAX];      /* empty with AEAD */
	uint16_t ke[IKE_TRANSFORMS_MAX];
};

struct ike_callbacks {
	void *arg;
	int (*random)(void *arg, uint8_t *, size_t);            /* 0 or an error: the exchange then fails */
	int (*ke_new)(void *arg, uint16_t group, struct ke **);
};

struct ike_config {
	struct ike_callbacks cb;
	uint8_t id_type;                 /* our IDi/IDr, RFC 7296 section 3.5 */
	struct bytes id_data;            /* copied */
	const struct bytes *certs;       /* DER, leaf first; copied */
	size_t n_certs;
	struct bytes certreq;            /* SHA-1 hashes of our trust anchors; copied */
	struct ike_suite suites[IKE_PROPOSALS_MAX];
	size_t n_suites;                 /* 0: the defaults of ike_default_suites() */
	uint16_t port, natt_port;        /* 500, 4500; both ours and the peers' */
	bool force_encap;                /* always UDP-encapsulate ESP (fakes NAT detection) */
	uint32_t shard, shard_bits;      /* the top bits of the SPIs that we draw */
	uint32_t retransmit_ms;          /* first interval, 500; doubles each time ... */
	uint32_t retransmit_max_ms;      /* ... up to this, 8000 */
	uint32_t retransmit_tries;       /* 7, then the IKE SA is given up */
	uint32_t half_open_ms;           /* responder: half-open SAs live this long, 10000 */
	uint32_t cookie_threshold;       /* half-open SAs from which on cookies are demanded, 64; 0 = always */
	uint32_t half_open_max;          /* above: new IKE_SA_INITs are dropped, 4096 */
	uint32_t cookie_rotate_ms;       /* 60000 */
	uint32_t dpd_ms;                 /* liveness check after silence, 30000; 0 = off */
	uint32_t job_ms;                 /* deadline of a job, 10000 */
	uint32_t retry_ms;               /* initiator: pause before a new try, 2000, doubling to 60 s */
};

/* Sensible values for everything but callbacks, identity and certificates. */
void ike_config_defaults(struct ike_config *);

/* NULL when out of memory, or when the callbacks fail. now_ms: monotonic, any origin. */
struct ike *ike_new(const struct ike_config *, int64_t now_ms);
void ike_free(struct ike *);             /* wipes all keys, sends nothing */

/* A node that the NVA document lets us speak with, and what about. */
struct ike_peer {
	char node[ID_MAX];
	struct addr local;                       /* our underlay address towards it */
	struct addr addrs[ADDRS_MAX];            /* its underlay addresses; the first is used to initiate */
	uint8_t n_addrs;
	struct channel channels[CHANNELS_MAX];   /* one Child SA is set up: for the first */
	uint8_t n_channels;
	bool initiate;                           /* set up now and keep up; else wait for it or for an acquire */
};

/* ------------------------------------------------------------------ events */

enum ike_event_type {
	IKE_EV_TICK = 1,         /* the deadline has come */
	IKE_EV_DATAGRAM,
	IKE_EV_SIGNED, IKE_EV_VERIFIED, IKE_EV_AUTHORIZED, IKE_EV_SA_ADDED,   /* answers to jobs */
	IKE_EV_PEER_SET,         /* new or changed; a changed peer keeps its SAs as far as still granted */
	IKE_EV_PEER_DEL,         /* its SAs are deleted, with notice to the peer */
	IKE_EV_INITIATE,         /* by node id: command or acquire */
	IKE_EV_CLOSE,            /* by node id: delete its SAs; empty id: all (shutdown) */
	IKE_EV_GRANT_GONE,       /* authz withdrew a grant: delete what stands on it */
	IKE_EV_SA_EXPIRED,       /* backend: soft or hard */
	IKE_EV_BACKEND_LOST,     /* backend died: every Child SA must get new keys */
	IKE_EV_REISSUE,          /* the holder of jobs of this kind was restarted */
};

enum ike_job_kind { IKE_JOB_SIGN = 1, IKE_JOB_VERIFY, IKE_JOB_AUTHORIZE, IKE_JOB_SA_ADD };

struct ike_event {
	enum ike_event_type type;
	uint32_t job;                    /* answers */
	int rc;                          /* answers: 0 or enum err */
	const char *reason;              /* answers: why not, for the log (may be NULL) */
	union {
		struct {                 /* DATAGRAM: without non-ESP marker */
			struct endpoint local, peer;
			struct bytes data;
			bool natt;       /* came to the NAT-T port */
		} datagram;
		struct { uint8_t method; struct bytes auth; } sign;
		struct { const char *identity; int64_t not_after; } verified;
		/*
		 * AUTHORIZED: rc says whether the peer may be spoken with at all (if not, the IKE SA
		 * is refused). A label asked for whose channel is not among `channels` costs the Child
		 * SA only (TS_UNACCEPTABLE). Our own side of the answer: `node` must be the peer that
		 * we meant when we are the initiator.
		 */
		struct {
			uint32_t grant;
			const char *node;
			const struct channel *channels;
			size_t n_channels;
			int64_t expires;
		} authorized;
		struct ike_peer peer;                    /* PEER_SET */
		char node[ID_MAX];                       /* PEER_DEL, INITIATE, CLOSE */
		uint32_t grant;                          /* GRANT_GONE */
		struct { uint32_t spi; struct addr dst; bool hard; } expired;
		enum ike_job_kind reissue;
	} u;
};

/* Everything in the event is borrowed for the call. */
void ike_input(struct ike *, int64_t now_ms, const struct ike_event *);

/* ------------------------------------------------------------------ actions */

enum ike_action_type {
	IKE_ACT_SEND = 1,
	IKE_ACT_SIGN,            /* to keys */
	IKE_ACT_VERIFY,          /* to trust */
	IKE_ACT_AUTHORIZE,       /* to authz */
	IKE_ACT_SA_ADD,          /* to the backend: both SAs of a Child SA in one batch */
	IKE_ACT_SA_DEL,
	IKE_ACT_REPORT,
};

struct ike_ref {                 /* names an IKE SA outside the engine */
	uint64_t spi_i, spi_r;
	bool initiator;          /* we are */
};

/* What the keys process needs to build the signed octets itself. RFC 7296 section 2.15. */
struct ike_auth_input {
	struct bytes message;    /* the signer's IKE_SA_INIT message, as sent */
	struct bytes nonce;      /* the other side's nonce */
	uint8_t id_type;
	struct bytes id_data;    /* the signer's ID */
	struct bytes sk_p;       /* the signer's SK_pi or SK_pr */
	uint16_t prf;
};

enum ike_report_type {
	IKE_REPORT_LOG = 1,      /* text only */
	IKE_REPORT_IKE_UP, IKE_REPORT_IKE_DOWN, IKE_REPORT_IKE_FAILED,
	IKE_REPORT_CHILD_UP, IKE_REPORT_CHILD_DOWN,
};

struct ike_action {
	enum ike_action_type type;
	uint32_t job;
	struct ike_ref ref;
	union {
		struct {
			struct endpoint local, peer;
			struct bytes data;
			bool natt;       /* the sender puts the non-ESP marker in front */
		} send;
		struct { struct ike_auth_input in; uint32_t peer_hashes; } sign;
		struct {
			struct ike_auth_input in;
			const struct bytes *certs;      /* leaf first */
			size_t n_certs;
			uint8_t method;
			struct bytes auth;
			struct addr peer;
		} verify;
		struct {
			struct addr local, peer;
			char label[LABEL_MAX];          /* what the peer asks for; empty: no label */
			bool overlock;                  /* the peer announced itself as one of ours */
		} authorize;
		struct { const struct sa_params *in, *out; } sa_add;
		struct { uint32_t pair, grant; uint32_t spi_in, spi_out; struct addr local, peer; } sa_del;
		struct {
			enum ike_report_type type;
			int level;                      /* enum log_level */
			bool peer_caused;               /* goes through the peer's log bucket */
			struct addr peer;
			const char *node;               /* "" if not known */
			char text[256];
		} report;
	} u;
};

/*
 * Take the next action out of the queue: 1, or 0 when there is none. What the action points to is
 * borrowed until the next call into the engine.
 */
int ike_next_action(struct ike *, struct ike_action *);
/* When to call ike_input() with a tick at the latest; INT64_MAX if never. */
int64_t ike_deadline(const struct ike *);

/* ------------------------------------------------------------------ for status */

struct ike_counters {
	uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
	uint64_t malformed, bad_icv, unknown_spi, replays, out_of_window, rejected;
	uint64_t cookies_sent, cookies_bad;
	uint64_t silenced;       /* answers withheld by the amplification rule or a limit */
	uint64_t retransmits, timeouts;
	uint64_t ike_up, ike_failed, child_up, auth_failed, not_authorized;
};
const struct ike_counters *ike_counters(const struct ike *);

struct ike_sa_info {
	struct ike_ref ref;
	char node[ID_MAX];
	char identity[300];
	struct endpoint local, peer;
	const char *state;               /* name, static */
	bool up, natt;
	char suite[80];                  /* "aes256gcm16-prfsha384-x25519" */
	int64_t since_ms;                /* when it came up (or was begun) */
	uint32_t grant;
	size_t n_children;
};
struct ike_child_info {
	struct ike_ref ref;
	char node[ID_MAX], channel[ID_MAX];
	uint32_t vni, pair, spi_in, spi_out, grant;
	char suite[48];
	uint8_t mode;
	bool encap;
	struct addr local, peer;
	int64_t since_ms;
};
/* Walk the SAs: cursor starts at 0; 0 at the end. The engine must not be called in between. */
int ike_sa_next(const struct ike *, size_t *cursor, struct ike_sa_info *);
int ike_child_next(const struct ike *, size_t *cursor, struct ike_child_info *);

/* Secrets of an IKE SA, for decoding captures in tests and under an explicit operator's option. */
struct ike_keys_view {
	struct bytes sk_ei, sk_er, sk_ai, sk_ar;         /* borrowed */
	uint16_t encr, key_bits, integ;
};
int ike_export_keys(const struct ike *, const struct ike_ref *, struct ike_keys_view *);

#endif
