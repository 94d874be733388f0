/* SPDX-License-Identifier: ISC */
/*
 * What may be sent to whom: grants, and the policies that name the peers of each VN, with the
 * outbound SAs that serve them. A peer here is a node and a channel. RFC 4301 section 4.4.1.
 */
#ifndef PCAP_SPD_H
#define PCAP_SPD_H

#include "base/hash.h"
#include "base/sa.h"
#include "base/err.h"
#include "pcap-backend/sad.h"

struct peer {
	char node[ID_MAX];
	char channel[ID_MAX];
	bool has_policy;              /* else it is only here for its SAs */
	struct policy policy;
	struct esp_sa *out;           /* outbound SAs, newest first */
	size_t n_sas;                 /* SAs of both directions bound to it */
	int64_t next_acquire_ms;      /* not before this time is an SA asked for again */
	uint64_t no_sa;               /* frames dropped for want of an SA */
};

struct spd {
	struct hash *grants;          /* number -> struct grant */
	struct hash *peers;           /* node, channel -> struct peer */
	uint64_t version;             /* from 1 on; changes whenever a policy or a grant does */
};

/* 0 or ERR_NOMEM. Seed: 16 random octets. */
int spd_init(struct spd *, const uint8_t seed[static 16]);
/* SAs are gone before. */
void spd_free(struct spd *);

/* ---- grants ---- */
/* New or changed in place, so that SAs may keep pointing to it; copied. 0 or ERR_NOMEM. */
int spd_grant_set(struct spd *, const struct grant *);
/* Its SAs are gone before. 0 or ERR_NOTFOUND. */
int spd_grant_drop(struct spd *, uint32_t number);
/* Borrowed; NULL if there is none. */
const struct grant *spd_grant(const struct spd *, uint32_t number);

/* ---- policies ---- */
/* Same node and channel: replaces. 0, ERR_NOMEM, or ERR_UNSUPPORTED: VXLAN in the clear (BYPASS). */
int spd_policy_add(struct spd *, const struct policy *);
/* By node and channel. *gone: a peer that the caller must forget, then give to spd_peer_free(); or
 * NULL, where SAs still hold it. 0 or ERR_NOTFOUND. */
int spd_policy_del(struct spd *, const struct policy *, struct peer **gone);
/* Walk all peers: start with *pos = 0. */
struct peer *spd_peer_next(const struct spd *, size_t *pos);
/* May frames of this VN be sent to this peer, if there is an SA? */
bool spd_peer_has_vni(const struct peer *, uint32_t vni);

/* ---- SAs ---- */
/* Bind an SA to its grant and its peer. 0, ERR_DENIED (no such grant), ERR_NOMEM. */
int spd_bind(struct spd *, struct esp_sa *);
/* The reverse. *gone as with spd_policy_del(). */
void spd_unbind(struct spd *, struct esp_sa *, struct peer **gone);
void spd_peer_free(struct spd *, struct peer *);
/* The outbound SA for frames of this VN: one of that VN alone before one of all; the newest. */
struct esp_sa *spd_out(const struct peer *, uint32_t vni);

/* Does the SA's grant hold this VN? Does its peer's policy share it? The last answer is remembered. */
bool spd_sa_granted(const struct spd *, struct esp_sa *, uint32_t vni);
bool spd_sa_shares(const struct spd *, struct esp_sa *, uint32_t vni);

#endif
