/* SPDX-License-Identifier: ISC */
/*
 * Elements of the sets: their keys as octets, and the messages that carry them. The parts of a key
 * each begin at a multiple of 4 octets, zeros behind; in the order of the registers: the reqid in
 * host order, all others in network order.
 */
#ifndef XFRM_NFT_ELEM_H
#define XFRM_NFT_ELEM_H

#include <linux/netlink.h>

#include "xfrm-backend/nft_table.h"

#define NFT_KEY_MAX 24

/* The key's length; 0 for an element that can't be: VNI above 24 bits, address of the other family ... */
size_t nft_key(const struct nft_elem *, uint8_t key[static NFT_KEY_MAX]);
/*
 * The element of a key; of NT_DENIED reqid and vni are set. ERR_SYNTAX: a length that is not this set's, or
 * octets that no nft_key() writes.
 */
int nft_key_read(unsigned set, struct bytes key, struct nft_elem *);
/* "vni4 element reqid 7, 192.0.2.1, VNI 42"; the buffer is returned. */
#define NFT_ELEM_STRLEN 128
const char *nft_elem_str(const struct nft_elem *, char buf[static NFT_ELEM_STRLEN]);

/*
 * Messages with elements of one set: start one, put keys until there is no more room. type:
 * NFT_MSG_NEWSETELEM and NFT_MSG_DELSETELEM (in a batch), NFT_MSG_GETSETELEM (for one element; not in
 * a batch).
 */
#define NFT_ELEMS_ROOM (64u * 1024)      /* octets; aligned for nlmsghdr */
struct nft_elems {
	struct nlmsghdr *h;
	size_t list;                     /* where in the message the list of elements is, from its start */
	size_t n;
};
void nft_elems_start(struct nft_elems *, void *buf, uint16_t type, const char *table, unsigned set);
/* False: no room, nothing was done. */
bool nft_elems_put(struct nft_elems *, struct bytes key);

/* All elements of a set (NLM_F_DUMP), into a buffer of NMSG_MAX octets. */
struct nlmsghdr *nft_elems_dump(void *buf, const char *table, unsigned set);

#endif
