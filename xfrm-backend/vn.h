/* SPDX-License-Identifier: ISC */
/*
 * The elements that the nf_tables table shall hold, and those it has as far as we know: protected
 * ports, (reqid, source, VNI) of the grants, and the ends of control channels. Pure, like spd.h.
 */
#ifndef XFRM_VN_H
#define XFRM_VN_H

#include "xfrm-backend/nft.h"
#include "xfrm-backend/spd.h"

struct vn_node;

struct vn_entry {
	struct nft_elem e;
	struct vn_node *node;            /* whose list it is in; NULL: a port, an inherited end of a control channel */
	uint32_t round;                  /* of the node's last count in which it was wanted */
	bool want, have;
	bool inherited;                  /* a former process's; stays for a while unless wanted */
	bool listed;
	struct vn_entry *next;           /* in the list of the dirty ones */
	struct vn_entry *next_of_node, **at_of_node;
};

struct vn {
	struct hash *elems;              /* struct nft_elem -> struct vn_entry */
	struct hash *grants;             /* number -> struct grant */
	struct hash *nodes;              /* name -> struct vn_node */
	struct hash *former;             /* reqid -> struct vn_node: what is inherited with it */
	struct vn_entry *dirty, **dirty_last;
	struct vn_entry *later, **later_last;   /* those of the dirty ones that vn_dirty() passed over */
	bool later_add;                  /* while it was asked for these */
};

/* 0 or ERR_NOMEM. */
int vn_init(struct vn *, const uint8_t seed[static 16]);
void vn_free(struct vn *);

/* This UDP port is protected from now on. 0 or ERR_NOMEM. */
int vn_port(struct vn *, uint16_t port);
/*
 * As in the backend contract. The node's elements are counted anew; from the first grant of a node on
 * nothing is inherited with the reqids of its targets any more: its word is what was granted now. 0,
 * ERR_NOMEM, ERR_NOTFOUND, ERR_VALUE: the number is another node's.
 */
int vn_grant_set(struct vn *, const struct spd *, const struct grant *);
int vn_grant_drop(struct vn *, const struct spd *, uint32_t number);
/* Borrowed, or NULL. */
const struct grant *vn_grant(const struct vn *, uint32_t number);
/* The node's targets have changed: count its elements anew. 0 or ERR_NOMEM. */
int vn_node_again(struct vn *, const struct spd *, const char *node);

/* An element was found in the kernel that nobody here knew. 0 or ERR_NOMEM. */
int vn_inherit(struct vn *, const struct nft_elem *);
/* Inherited ones that nobody wanted since are from now on to be deleted; ports stay. */
void vn_disinherit(struct vn *);
/* What nodes may send is from now on to be deleted, whatever they were granted; the rest stays. */
void vn_revoke(struct vn *);
/* Take the next one that is not as wanted from the list; NULL: none. add: those to be added only,
 * else those to be deleted only. All of them, one after the other, cost one walk over the list. */
struct vn_entry *vn_dirty(struct vn *, bool add);
void vn_touch(struct vn *, struct vn_entry *);
/* Freed if it is neither wanted nor there. */
void vn_release(struct vn *, struct vn_entry *);
struct vn_entry *vn_next(const struct vn *, size_t *pos);
/* Shall it be in the kernel now? */
bool vn_stays(const struct vn_entry *);

#endif
