/* SPDX-License-Identifier: ISC */
/*
 * The NVA document: XML octets -> table (nvo3_parse), table -> verdict (nvo3_decide). Pure
 * functions of their input; fetching is fetch.h. The format is described in docs/DESIGN.md section
 * 5 and conf/authorization.rng.
 */
#ifndef NVO3_AUTHZ_H
#define NVO3_AUTHZ_H

#include "base/sa.h"
#include "base/err.h"
#include "base/hash.h"

enum role { ROLE_NVE = 1, ROLE_NVA, ROLE_HYPERVISOR, ROLE_KEY_SERVER };
const char *role_name(enum role);

struct nvo3_suite {
	char id[ID_MAX];
	struct esp_transform esp;
	uint16_t ke;                     /* 0 = any */
	uint32_t lifetime_s;
	int line;                        /* in the document, for messages */
};

struct nvo3_channel {
	struct channel ch;               /* id, level, protocol, port, mode, suite's transform */
	enum role between[2];
	int line;
};

enum vn_keys { VN_KEYS_PAIR = 1, VN_KEYS_VN };
enum vn_bum { VN_BUM_PAIRWISE = 1, VN_BUM_GROUP };

struct nvo3_vn {
	uint32_t vni;
	char name[ID_MAX];
	enum vn_keys keys;
	enum vn_bum bum;
	char suite[ID_MAX];
	int line;
};

struct nvo3_node {
	char id[ID_MAX];
	enum role role;
	char (*identities)[300];         /* canonical: "dns:..", "uri:..", "ip:.." ... */
	size_t n_identities;
	struct addr underlay[ADDRS_MAX];
	uint8_t n_underlay;
	struct addr outside[ADDRS_MAX];  /* after NAT; unset where not given */
	uint32_t *vnis;                  /* sorted */
	size_t n_vnis;
	char (*attached)[ID_MAX];
	size_t n_attached;
	int line;
};

struct nvo3_table {
	char nva[256];
	uint32_t epoch;
	uint64_t serial;                 /* below 2^63 */
	int64_t issued, expires;         /* seconds since 1970 */
	enum enforcement enforcement;
	struct nvo3_suite *suites;       size_t n_suites;
	struct nvo3_channel *channels;   size_t n_channels;
	struct nvo3_vn *vns;             size_t n_vns;     /* sorted by VNI */
	struct nvo3_node *nodes;         size_t n_nodes;
	/* id and canonical identity -> position in nodes, plus one */
	struct hash *by_id, *by_identity;
};
void nvo3_table_free(struct nvo3_table *);       /* contents and the struct itself; NULL is fine */

struct nvo3_limits {
	size_t max_octets;               /* of the document, 16 MiB by default */
	size_t max_nodes, max_vns;       /* 20000, 100000 */
	unsigned max_depth;              /* 8 */
};
void nvo3_limits_default(struct nvo3_limits *);

struct nvo3_schema;                  /* compiled RelaxNG */
/*
 * Load once (before a sandbox); *why in the buffer. path NULL: the schema that was built into the
 * library, so that no process needs the file. 0, ERR_NOTFOUND, ERR_IO, ERR_SYNTAX ...
 */
int nvo3_schema_load(struct nvo3_schema **, const char *path, char why[static 256]);
void nvo3_schema_free(struct nvo3_schema *);

/*
 * Parse and check a document: no DTD, no entities, no XInclude, schema, references (unknown suite,
 * channel, VN or node ids), duplicates (node ids, identities, underlay addresses, VNIs), ranges.
 * 0 and *out, else ERR_SYNTAX / ERR_VALUE / ERR_SPACE and why = "line 12: ...".
 */
int nvo3_parse(struct bytes xml, const struct nvo3_schema *, const struct nvo3_limits *,
    struct nvo3_table **out, char why[static 256]);

/* ------------------------------------------------------------------ decision */

struct nvo3_question {
	const char (*identities)[300];   /* verified ones, of the peer's certificate; any case */
	size_t n_identities;
	struct addr peer;                /* address it speaks from */
	const char *self;                /* our own node id */
	const char *label;               /* "ch:ID", "ch:ID;vni:N"; "": the peer has no labels */
	int64_t now;
	int64_t grace_s;                 /* after expiry: existing SAs stay, nobody new */
	int64_t cert_not_after;
};

enum nvo3_reason {
	NVO3_ADMITTED = 0,
	NVO3_NO_TABLE,
	NVO3_TABLE_EXPIRED,
	NVO3_UNKNOWN_IDENTITY,
	NVO3_AMBIGUOUS_IDENTITY,
	NVO3_WRONG_ADDRESS,
	NVO3_SELF_UNKNOWN,
	NVO3_IS_SELF,
	NVO3_NO_CHANNEL,
	NVO3_ROLE_MAY_NOT,
	NVO3_UNKNOWN_CHANNEL,
	NVO3_UNKNOWN_VN,
	NVO3_NOT_IN_VN,
	NVO3_NO_COMMON_VN,
	NVO3_CERT_EXPIRED,
	NVO3_NOT_ATTACHED,
	NVO3_NO_MEMORY,
};
/* For the log and `overlock`: "no node of the document has this identity" */
const char *nvo3_reason_text(enum nvo3_reason);

/*
 * The decision. Pure. NVO3_ADMITTED fills *grant (grant->number is the caller's business): node,
 * peer's and our underlay addresses, channels that both roles may have (with data channels only
 * when a VN is shared), the shared VN set, expiry = earliest of document's expires + grace and the
 * certificate's. grant_free() it. *line is the document line that decided, 0 if none. t may be
 * NULL.
 *
 * The VN set holds the VNs with keys="pair". A VN with keys="vn" is granted only to who asks for it
 * by the label "ch:ID;vni:N": then that channel, with the VN's suite, and that VN are all of the
 * grant. A hypervisor has channels only with NVEs that it is attached to.
 */
enum nvo3_reason nvo3_decide(
    const struct nvo3_table *t, const struct nvo3_question *, struct grant *, int *line);

/*
 * Nodes that `self` shares a channel with (and, for data channels, a VN): one policy each per
 * channel. Calls emit for every one, with borrowed arguments; a result other than 0 ends the walk
 * and is returned. The addresses are the peer's first one (the outside one where given) of a family
 * that we have too, and ours; a node without such an address is passed over. VNs with keys="vn" are
 * not among the policies' VNs. ERR_NOTFOUND when self is no node of the table; ERR_NOMEM.
 */
int nvo3_peers(const struct nvo3_table *, const char *self,
    int (*emit)(void *, const struct nvo3_node *, const struct policy *), void *);

const struct nvo3_node *nvo3_node_by_id(const struct nvo3_table *, const char *id);
/* The node with one of these identities; NULL if none or more than one (*n says how many). */
const struct nvo3_node *nvo3_node_by_identity(
    const struct nvo3_table *, const char (*identities)[300], size_t n_identities, size_t *n);

#endif
