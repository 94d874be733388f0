/* SPDX-License-Identifier: ISC */
/*
 * nf_tables messages read, pure: answers, dumps and notifications. Not by libnftnl, which ends the
 * process over an attribute that it did not expect. All views are borrowed from the message. Readers
 * return 0 or ERR_SYNTAX: malformed, or of another type.
 */
#ifndef XFRM_NFT_READ_H
#define XFRM_NFT_READ_H

#include <linux/netlink.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/rd.h"

/* ---- attributes ---- */

struct nft_attr {
	uint16_t type;               /* without flags */
	bool nested;                 /* marked so; the kernel does not mark all */
	struct bytes value;
};
/* The next one; false at the end, and when what is left is malformed: the reader is bad then. */
bool nft_attr_next(struct rd *, struct nft_attr *);
/* at[type] = value for each type below n; empty with p NULL where it is missing, the first of several. */
int nft_attrs(struct bytes payload, struct bytes *at, size_t n);
/* Is it there, and of 4 or 8 octets? *v is 0 otherwise. */
bool nft_u32(struct bytes, uint32_t *v);
bool nft_u64(struct bytes, uint64_t *v);
/* A string, with or without its NUL. */
bool nft_is(struct bytes, const char *);

/* ---- messages ---- */

/* Type without the subsystem: NFT_MSG_... Attributes behind the nfgenmsg, in *attrs. */
int nft_open_msg(const struct nlmsghdr *, uint16_t *type, uint8_t *family, struct bytes *attrs);
/* The same for one type only, of our table. ERR_NOTFOUND: well formed, but another table's. */
int nft_open_ours(const struct nlmsghdr *, uint16_t type, const char *table, struct bytes *attrs);

/*
 * A notification: did another port than port_id delete or change something in our table? *gone: the
 * table itself was deleted. What can't be read is taken for a change.
 */
bool nft_read_event(const struct nlmsghdr *, const char *table, uint32_t port_id, bool *gone);

struct nft_read_table {
	uint32_t flags, use;         /* use: chains, sets, counters and flow tables in it */
};
int nft_read_table(struct bytes attrs, struct nft_read_table *);

struct nft_read_chain {
	struct bytes name, type;
	uint32_t hook, policy, flags;
	int32_t priority;
	bool base;                   /* has a hook */
	bool devices;                /* is for some devices only */
};
int nft_read_chain(struct bytes attrs, struct nft_read_chain *);

struct nft_read_rule {
	struct bytes chain;
	struct bytes expressions;    /* the list */
	bool compat;                 /* made by iptables-nft */
};
int nft_read_rule(struct bytes attrs, struct nft_read_rule *);

struct nft_read_set {
	struct bytes name;
	uint32_t key_len, flags, size;
	bool data, timeout;          /* a map; elements that expire by default */
	bool counter;                /* exactly one expression per element, a counter */
	bool expressions;            /* others, or several */
};
int nft_read_set(struct bytes attrs, struct nft_read_set *);

struct nft_read_counter {
	struct bytes name;
	uint32_t type;               /* NFT_OBJECT_COUNTER, or not one */
	uint64_t packets;
};
int nft_read_counter(struct bytes attrs, struct nft_read_counter *);

struct nft_read_elem {
	struct bytes key;            /* empty: a catch-all */
	bool plain;                  /* a key and nothing but counters besides: no range, no data, no timeout */
	uint64_t packets;
};
/* each() for the elements of one message. */
int nft_read_elems(struct bytes attrs, void (*each)(void *arg, const struct nft_read_elem *), void *arg);

#endif
