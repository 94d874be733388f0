/* SPDX-License-Identifier: ISC */
/*
 * The policies that the kernel shall have, and which it has as far as we know. Pure: no netlink. Who
 * changes what is wanted finds the difference by spd_dirty() and says what came of it.
 *
 * The kernel takes the policy with the smallest priority number that fits. Ours, in this order:
 *   priority        layer 2: per peer and channel (a target) policies with the target's own reqid, for
 *                   each pair of addresses in use; those of channels with a port. What is forwarded with
 *                   our address as its source is somebody else's, and blocked
 *   priority + 1    from IKE's ports to a protected one: blocked, since the next one would let that out
 *   priority + 2    the bypass: IKE to and from our ports; IPv6 neighbour discovery, without which IKE finds nobody
 *   priority + 3    layer 2: channels without a port, which select IKE, too
 *   block-priority  layer 1: a block per protected port, for all addresses
 */
#ifndef XFRM_SPD_H
#define XFRM_SPD_H

#include "base/hash.h"
#include "xfrm-backend/options.h"
#include "xfrm-backend/xfrm_obj.h"

#define TARGET_PAIRS_MAX 16
#define TARGET_FORMS_MAX 6           /* policies of a pair of addresses: in, out, forward; dport and sport */

struct target;

/* One policy in the kernel, or on its way there or out. */
struct pol_entry {
	struct xpol pol;                 /* as wanted; as it is there when it isn't */
	struct target *target;           /* NULL: a block or the bypass */
	uint32_t round;                  /* of the target's last change in which it was wanted */
	bool want, have;
	bool differs;                    /* there, but not as wanted */
	bool inherited;                  /* a former process's; stays for a while unless wanted */
	bool conflict;                   /* somebody else's policy has this direction and selector; was told */
	bool seen;                       /* in the dump that is being read */
	bool listed;
	struct pol_entry *next;          /* in the list of the dirty ones */
};

/* Outer addresses, and those of the selectors (the same in transport mode). */
struct pair {
	struct addr local, peer, sel_local, sel_peer;
	uint8_t mode;                    /* enum sa_mode */
	bool by_policy;                  /* the document's own pair */
	unsigned n_sas;
};

/* What one channel with one node needs. */
struct target {
	char node[ID_MAX];
	struct channel channel;
	uint32_t reqid;                  /* stable as long as the policies are in the kernel, rekeys included */
	uint32_t round;
	bool has_policy;
	bool blocked;                    /* policy POLICY_BLOCK */
	/*
	 * The one an SA came for last is the last. Where several have the same selectors the kernel can
	 * have the policies of one only: of the last one with SAs, else of the last one.
	 */
	struct pair pairs[TARGET_PAIRS_MAX];
	uint8_t n_pairs;
	unsigned n_sas;
};

struct spd {
	struct hash *pols;               /* direction and selector -> struct pol_entry */
	struct hash *targets;            /* node, channel -> struct target */
	struct hash *reqids;             /* reqid -> struct target */
	struct hash *former;             /* reqids of a former process -> uint32_t, the same */
	struct pol_entry *dirty, **dirty_last;
	uint32_t reqid_base;
	uint32_t priority, block_priority;
	uint16_t ike_port, natt_port;
	size_t n_own;                    /* entries wanted */
};

/* 0 or ERR_NOMEM. */
int spd_init(struct spd *, const struct options *, const uint8_t seed[static 16]);
void spd_free(struct spd *);

bool spd_is_own_reqid(const struct spd *, uint32_t reqid);
/* One of IKE's ports? They can't be protected. */
bool spd_is_ike_port(const struct spd *, uint16_t port);
/* By its looks, a policy that we made, now or in a former life? */
bool spd_is_own(const struct spd *, const struct xpol *);
/* Is it one of the blocks of layer 1? *port then is its port, one that spd_block() takes. */
bool spd_is_block(const struct spd *, const struct xpol *, uint16_t *port);

/* ---- what is wanted ---- */
/* Datagrams to this UDP port, in and out, all addresses: blocked from now on. 0, ERR_NOMEM, ERR_VALUE: 0 or IKE's. */
int spd_block(struct spd *, uint16_t port);
/* IKE passes, whatever else there is, and what IPv6 needs for that. 0 or ERR_NOMEM. */
int spd_bypass_ike(struct spd *);
/*
 * As backend_ops.policy_add: 0, ERR_NOMEM, ERR_SPACE, ERR_UNSUPPORTED (a BYPASS, no addresses, a UDP
 * channel on a port of IKE's), ERR_EXISTS: another target has this direction and selector. After an
 * error all is as it was before, a former policy included.
 */
int spd_policy_add(struct spd *, const struct policy *);
/* 0 or ERR_NOTFOUND. */
int spd_policy_del(struct spd *, const char *node, const char *channel);
/*
 * An SA that is about to be installed: its target (made if there is none yet: then without policy of the
 * document) has policies for its addresses. 0; as spd_policy_add(), ERR_UNSUPPORTED also for transport
 * mode with selectors of other addresses than the outer ones; ERR_DENIED: the document blocks the channel.
 */
int spd_bind(struct spd *, const char *node, const struct channel *, const struct sa_params *,
    struct target **);
/* It is gone. The target may be freed with it. */
void spd_unbind(struct spd *, struct target *, const struct sa_params *);

struct target *spd_target(const struct spd *, const char *node, const char *channel);
struct target *spd_by_reqid(const struct spd *, uint32_t reqid);   /* or NULL */
/*
 * The reqid that a target gets if nobody has it, else the next free one. It is in the names alone, so that after
 * a restart the reqid of an SA tells whose it was: another node at its addresses does not get it.
 */
uint32_t spd_reqid_of(const struct spd *, const char *node, const char *channel);
struct target *spd_next(const struct spd *, size_t *pos);

/* ---- what there is ---- */
struct pol_entry *spd_find(const struct spd *, uint8_t dir, const struct xsel *);
struct pol_entry *spd_entry_next(const struct spd *, size_t *pos);
/* One of ours was found in the kernel that nobody here knew. 0 or ERR_NOMEM. */
int spd_inherit(struct spd *, const struct xpol *);
/*
 * An SA or an element of the table was found that has this reqid: no target gets it but one whose
 * policies have had it. spd_inherit() does so itself. 0 or ERR_NOMEM.
 */
int spd_reserve(struct spd *, uint32_t reqid);
/* Inherited ones that nobody wanted since are from now on to be deleted; blocks stay. */
void spd_disinherit(struct spd *);
/* It is not what we thought, look at it at the next spd_dirty(). */
void spd_touch(struct spd *, struct pol_entry *);
/* Take the next one that is not as wanted from the list; NULL: none. */
struct pol_entry *spd_dirty(struct spd *);
/* Freed if it is neither wanted nor there. */
void spd_release(struct spd *, struct pol_entry *);

#endif
