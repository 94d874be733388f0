/* SPDX-License-Identifier: ISC */
/*
 * What the processes of a daemon tell each other, beside the backend's messages (backend/ipc.h):
 * one writer and one reader per body. Writers append to a struct wr; readers demand the whole
 * body and give 0, ERR_SYNTAX or ERR_VALUE. Views in what was read point into the body; text is
 * copied.
 */
#ifndef SHELL_MSG_H
#define SHELL_MSG_H

#include "backend/ipc.h"
#include "crypto/x509.h"
#include "ike/ike.h"

/* Lifecycle, beside those of backend/ipc.h. */
enum {
	MSG_CONFIG = 0x20,       /* parent -> child: struct msg_config */
	MSG_KEYLOG = 0x21,       /* parent -> engine: descriptor attached: where keys are written */
	MSG_COMPLAINT = 0x60,    /* child -> parent: u8 process, str why: it broke the protocol */
	MSG_LOST = 0x61,         /* child -> parent: u8 process: its connection ended */
};

enum {
	/* engine <-> keys */
	MSG_SIGN = 0x200, MSG_SIGNED,
	/* engine <-> trust */
	MSG_VERIFY = 0x210, MSG_VERIFIED,
	/* trust -> authz */
	MSG_IDENTITY = 0x220,
	/* engine <-> authz */
	MSG_AUTHORIZE = 0x230, MSG_AUTHORIZED,
	MSG_PEER_SET,            /* authz -> engine */
	MSG_PEER_DEL,            /* str node */
	MSG_PEERS_END,           /* after a restart: peers that were not named are gone */
	MSG_GRANT_GONE,          /* u32 */
	/* control -> parent, engine, authz */
	MSG_QUERY = 0x240,       /* u32 sections: bit set of enum msg_section */
	MSG_COMMAND,             /* struct msg_command */
	/* ... and their answers; MSG_END is the last one of a query */
	MSG_PROCESS = 0x250, MSG_DOCUMENT, MSG_ALARM, MSG_PEER, MSG_IKE_SA, MSG_CHILD_SA,
	MSG_COUNTER, MSG_RESULT,
	MSG_END,
};

enum msg_section { SECTION_STATUS = 1, SECTION_SAS = 2, SECTION_COUNTERS = 4 };

#define MSG_REASON_MAX 200
#define MSG_CERTS_MAX CHAIN_MAX
#define MSG_CERT_OCTETS 16384     /* of one certificate at most */
#define MSG_IDENTITIES_MAX 32

/* An IKE SA, in all messages that are about one. */
void wr_ref(struct wr *, const struct ike_ref *);
struct ike_ref rd_ref(struct rd *);

/* ------------------------------------------------------------------ handshake */

struct msg_sign {
	uint32_t job;
	struct ike_ref ref;
	struct ike_auth_input in;
	uint32_t peer_hashes;
};
void wr_sign(struct wr *, const struct msg_sign *);
int rd_sign(struct bytes, struct msg_sign *);

struct msg_signed {
	uint32_t job;
	int rc;                  /* 0 or enum err */
	char reason[MSG_REASON_MAX];
	uint8_t method;
	struct bytes auth;
};
void wr_signed(struct wr *, const struct msg_signed *);
int rd_signed(struct bytes, struct msg_signed *);

struct msg_verify {
	uint32_t job;
	struct ike_ref ref;
	struct ike_auth_input in;
	struct bytes certs[MSG_CERTS_MAX];       /* leaf first */
	size_t n_certs;
	uint8_t method;
	struct bytes auth;
	struct addr peer;
};
void wr_verify(struct wr *, const struct msg_verify *);
int rd_verify(struct bytes, struct msg_verify *);

struct msg_verified {
	uint32_t job;
	int rc;
	char reason[MSG_REASON_MAX];
	char identity[X509_IDENTITY_MAX];
	int64_t not_after;       /* seconds since 1970 */
};
void wr_verified(struct wr *, const struct msg_verified *);
int rd_verified(struct bytes, struct msg_verified *);

/* trust has verified that this IKE SA's peer holds these identities. */
struct msg_identity {
	struct ike_ref ref;
	struct addr peer;
	int64_t not_after;
	size_t n_identities;
	char identities[MSG_IDENTITIES_MAX][X509_IDENTITY_MAX];
};
void wr_identity(struct wr *, const struct msg_identity *);
int rd_identity(struct bytes, struct msg_identity *);

struct msg_authorize {
	uint32_t job;
	struct ike_ref ref;
	struct addr local, peer;
	char label[LABEL_MAX];
	bool overlock;
};
void wr_authorize(struct wr *, const struct msg_authorize *);
int rd_authorize(struct bytes, struct msg_authorize *);

/* grant without its VNs; all zero when rc is not 0. grant_free() it. */
struct msg_authorized {
	uint32_t job;
	int rc;
	char reason[MSG_REASON_MAX];
	struct grant grant;
};
void wr_authorized(struct wr *, const struct msg_authorized *);
int rd_authorized(struct bytes, struct msg_authorized *);

void wr_peer_set(struct wr *, const struct ike_peer *);
int rd_peer_set(struct bytes, struct ike_peer *);

/* A body that is one string (node ids), or one number. */
int rd_node(struct bytes, char node[static ID_MAX]);
int rd_number(struct bytes, uint32_t *);

/* ------------------------------------------------------------------ status */

struct msg_process {
	char name[16];
	uint32_t pid;            /* 0: not running */
	uint32_t restarts;
	int64_t up_s;
	bool ready;
	char missed[MSG_REASON_MAX];     /* what could not be dropped */
};
void wr_process(struct wr *, const struct msg_process *);
int rd_process(struct bytes, struct msg_process *);

struct msg_document {
	bool loaded;
	char nva[256], signer[X509_IDENTITY_MAX], url[512];
	char source[16];         /* "url" or "disk" */
	uint32_t epoch;
	uint64_t serial;
	uint32_t nodes;
	int64_t issued, expires, fetched;        /* seconds since 1970; fetched: last success */
	uint8_t enforcement;
};
void wr_document(struct wr *, const struct msg_document *);
int rd_document(struct bytes, struct msg_document *);

struct msg_alarm {
	char text[900];
	int64_t since;           /* seconds since 1970 */
};
void wr_alarm(struct wr *, const struct msg_alarm *);
int rd_alarm(struct bytes, struct msg_alarm *);

/* A peer of the NVA document, as the engine sees it. */
struct msg_peer {
	char node[ID_MAX];
	struct addr local, peer;
	bool configured, initiate;
	uint32_t channels;
	char failure[256];       /* why the last attempt failed; "" */
	int64_t failed_at;       /* seconds since 1970; 0 */
};
void wr_peer(struct wr *, const struct msg_peer *);
int rd_peer(struct bytes, struct msg_peer *);

struct msg_ike_sa {
	struct ike_ref ref;
	char node[ID_MAX], identity[X509_IDENTITY_MAX], state[32], suite[80];
	struct endpoint local, peer;
	bool up, natt;
	int64_t age_s;
	uint32_t grant, children;
};
void wr_ike_sa(struct wr *, const struct msg_ike_sa *);
int rd_ike_sa(struct bytes, struct msg_ike_sa *);

struct msg_child_sa {
	struct ike_ref ref;
	char node[ID_MAX], channel[ID_MAX], suite[48];
	uint32_t vni, pair, spi_in, spi_out, grant;
	uint8_t mode;
	bool encap;
	struct addr local, peer;
	int64_t age_s;
};
void wr_child_sa(struct wr *, const struct msg_child_sa *);
int rd_child_sa(struct bytes, struct msg_child_sa *);

struct msg_counter {
	char name[48];
	uint64_t value;
};
void wr_counter(struct wr *, const struct msg_counter *);
int rd_counter(struct bytes, struct msg_counter *);

enum msg_verb { COMMAND_INITIATE = 1, COMMAND_CLOSE };
struct msg_command {
	uint32_t id;             /* comes back in the result */
	uint8_t verb;            /* enum msg_verb */
	char node[ID_MAX];       /* "" with COMMAND_CLOSE: all */
};
void wr_command(struct wr *, const struct msg_command *);
int rd_command(struct bytes, struct msg_command *);

struct msg_result {
	uint32_t id;
	int rc;
	char text[MSG_REASON_MAX];
};
void wr_result(struct wr *, const struct msg_result *);
int rd_result(struct bytes, struct msg_result *);

/* ------------------------------------------------------------------ lifecycle */

struct msg_config {
	char path[1024];
	bool debug, first;       /* first: of this process, not a restart */
	struct bytes text;
};
void wr_config(struct wr *, const struct msg_config *);
int rd_config(struct bytes, struct msg_config *);

#endif
