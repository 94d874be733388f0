/* SPDX-License-Identifier: ISC */
/*
 * The authz process, between its files: authz_proc.c life and messages, authz_fetch.c the document,
 * authz_grants.c who may do what, authz_peers.c whom we should speak with, authz_status.c what the
 * operator sees. Nobody else includes it.
 */
#ifndef IKEV2D_AUTHZ_H
#define IKEV2D_AUTHZ_H

#include "base/hash.h"
#include "nvo3/authz.h"
#include "nvo3/fetch.h"
#include "shell/child.h"

/* ---- grants: one per node, and one per node and VN where a label asks for a single VN ---- */

struct held_grant {
	struct grant grant;
	char label[LABEL_MAX];           /* "" but for a single VN */
	struct addr peer;                /* it spoke from there when it was admitted */
	int64_t cert_not_after;
	char (*identities)[300];
	size_t n_identities;
};

/* What trust told about an IKE SA, for as long as its AUTHORIZE may come. */
struct known_identity {
	struct known_identity *next;     /* told after this one */
	int64_t at;                      /* monotonic ms */
	struct ike_ref ref;
	struct addr peer;
	int64_t not_after;
	size_t n_identities;
	char identities[][300];
};

/* An AUTHORIZE that waits: for an identity, for the first document, for the backend. */
struct waiting {
	struct waiting *next;
	struct msg_authorize ask;
	int64_t deadline;                /* monotonic ms */
	uint32_t generation;             /* of the backend's batch; 0: not decided yet */
	uint32_t grant;
	char node[ID_MAX];               /* of the grant */
};

/* ---- the document ---- */

#define ALARMS_MAX 3
#define ALARM_FETCH 0                    /* the server, the transfer, or what came */
#define ALARM_TABLE 1                    /* we are not in the table that we have */
#define ALARM_TIME 2                     /* it has expired */

struct fetcher;

struct authz {
	struct child *child;
	const struct config *config;

	struct nvo3_document doc;
	bool tried;                      /* a table is there, or one was looked for in vain */
	struct fetcher *fetcher;
	struct nvo3_schema *schema;
	struct msg_document about;
	struct msg_alarm alarms[ALARMS_MAX];     /* text "": none */

	struct hash *grants;             /* node '\0' VN-label -> struct held_grant */
	struct hash *identities;         /* IKE SA -> struct known_identity */
	struct known_identity *identities_first, **identities_last;      /* oldest first */
	struct waiting *waiting, **waiting_last;         /* in order of arrival */
	size_t n_waiting;
	int64_t first_expiry;            /* no grant expires before; seconds since 1970 */
	struct loop_timer *tick;         /* expiries and deadlines, */
	int64_t next_tick;               /* when it fires */
	uint32_t next_grant, next_generation;
	bool recovering;                 /* the backend is telling the grants that it has */
	bool recovered;

	struct hash *peers;              /* node -> struct told_peer, authz_peers.c */
	struct hash *policies;           /* node '\0' channel -> struct blob: wr_policy */
	uint8_t seed[16];
};

int64_t authz_now_ms(const struct authz *);      /* monotonic, of this wake-up */
int64_t authz_now_s(void);                       /* since 1970 */

/* ---- authz_fetch.c ---- */
int authz_fetch_prepare(struct authz *);         /* before the sandbox: descriptors */
/* After the sandbox: the worker, the first document from disk, then the server. 0 or an error. */
int authz_fetch_begin(struct authz *);
void authz_fetch_now(struct authz *);
void authz_fetch_free(struct authz *);
/* Set or clear ("") an alarm; logs each change once. */
void authz_alarm(struct authz *, int which, const char *text);

/* ---- authz_grants.c ---- */
void authz_ask(struct authz *, const struct msg_authorize *);
void authz_identity(struct authz *, const struct msg_identity *);
/* Look at what waits, and at what has expired; sets the timer. */
void authz_grants_tick(void *);
/* A new table: each grant is decided again. */
void authz_grants_again(struct authz *);
/* The backend is there (anew): give it what it must know. */
void authz_grants_backend(struct authz *);
void authz_grants_done(struct authz *, uint32_t generation, int result);
/* Once a document was looked for: ask the backend for grants that outlived us. */
void authz_recover_begin(struct authz *);
void authz_grants_recover(struct authz *, struct grant *);       /* takes the VNs over */
void authz_grants_recovered(struct authz *);
void authz_grants_engine_gone(struct authz *);
void authz_grants_free(struct authz *);

/* ---- authz_peers.c ---- */
/* Apply the difference between the table and what engine and backend were told. */
void authz_peers_again(struct authz *);
void authz_peers_engine(struct authz *);         /* the engine is there (anew) */
void authz_peers_backend(struct authz *);        /* the backend is there (anew) */
void authz_peers_free(struct authz *);
/* Policies that the backend may have from before our restart, for a grant that is dropped. */
void authz_policies_drop(struct authz *, const struct grant *);
/* Send to the backend; false if it is away. Frees the writer. */
bool authz_to_backend(struct authz *, uint16_t type, struct wr *);

/* ---- authz_status.c ---- */
void authz_status(struct authz *, struct chan *);
/* Alarms that come with time. */
void authz_watch(struct authz *);
/* Fill in `about` from the table. */
void authz_describe(struct authz *, const char *source);

#endif
