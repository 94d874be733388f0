/* SPDX-License-Identifier: ISC */
/*
 * The third layer: one nf_tables table of ours (family inet, default name "overlock"), built with
 * libnftnl and sent as one atomic batch. Its two base chains have priority -10 and policy accept; a
 * drop is final whatever the administrator's own tables accept.
 *
 *   in   (hook input)
 *     udp dport @vxlan, no ESP (meta ipsec missing)                              counter in-plaintext, drop
 *     udp dport @vxlan, (ipsec in reqid . ip saddr . VNI) in @vni4               counter in-granted, accept
 *     udp dport @vxlan, (ipsec in reqid . ip6 saddr . VNI) in @vni6              counter in-granted, accept
 *     udp dport @vxlan: update @denied { ipsec in reqid . VNI } counter          (who tried what; bounded)
 *     udp dport @vxlan                                                           counter in-denied, drop
 *     (ip saddr . l4proto . th dport) in @control4, no ESP                       counter in-plaintext, drop
 *     (ip saddr . l4proto . th sport) in @control4, no ESP                       the same; and for ip6, @control6
 *     IPv6 fragments that begin with an extension header (ports may hide behind it)  counter in-plaintext, drop
 *   out  (hook output)
 *     udp dport @vxlan, rt ipsec missing, meta oiftype loopback                  counter out-no-sa, drop
 *     udp dport @vxlan, rt ipsec missing                                         counter out-plaintext, drop
 *     (ip daddr . l4proto . th dport) in @control4, rt ipsec missing             the same two; th sport; ip6
 *
 * What has a policy but no SA yet comes by with the kernel's blackhole for a route, whose device is the
 * namespace's loopback device: it would be discarded anyway. What is for the host itself goes there, too.
 *
 * The VNI is @th,96,24: VXLAN's, after the UDP header. A datagram too short for one matches no accept
 * rule and falls to the drop. All sets but @vxlan are empty at first: nothing is accepted.
 */
#ifndef XFRM_NFT_H
#define XFRM_NFT_H

#include "base/addr.h"
#include "xfrm-backend/netlink.h"

enum nft_set {
	NFT_SET_VXLAN = 0,               /* key: port */
	NFT_SET_VNI4, NFT_SET_VNI6,      /* key: reqid, addr, vni */
	NFT_SET_CONTROL4, NFT_SET_CONTROL6, /* key: addr, proto, port */
	NFT_SETS
};

struct nft_elem {
	uint8_t set;                     /* enum nft_set */
	uint8_t proto;
	uint16_t port;                   /* host order */
	uint32_t reqid;
	uint32_t vni;
	struct addr addr;
};

struct nft;

/* Does nothing to the kernel yet. The name is borrowed and at most 31 octets. NULL: *why. */
struct nft *nft_open(const char *table, char why[static NL_WHY]);
void nft_close(struct nft *);            /* the table stays */
/* The netlink port whose notifications are ours. */
uint32_t nft_port(const struct nft *);

/*
 * The elements that the table shall hold: next(arg, e) writes the next one and returns true, false at
 * the end; called with first == true to begin anew.
 */
typedef bool (*nft_next_fn)(void *arg, bool first, struct nft_elem *);

/*
 * Make the whole table anew with these elements, in one transaction: there is no moment without it,
 * also when there was one before. Counters start at 0. 0; else ERR_IO, ERR_DENIED (no CAP_NET_ADMIN),
 * ERR_UNSUPPORTED (no nf_tables, or no such expression), ERR_NOMEM, ERR_VALUE (an element that can't be:
 * nothing was changed); *why names the object, the kernel's word and the way out.
 */
int nft_build(struct nft *, nft_next_fn, void *arg, char why[static NL_WHY]);
/* Remove our table; 0 also when there was none. */
int nft_remove(struct nft *, char why[static NL_WHY]);

/*
 * Elements added and deleted in one transaction, then read back by key. An element to be deleted that
 * is not there, or to be added that is, is no error; one in both lists is there in the end. 0 or as
 * nft_build(); ERR_NOTFOUND: the table or a set is gone, or
 * what was read back is not what was asked for: nft_build() is due.
 */
int nft_change(struct nft *, const struct nft_elem *add, size_t n_add, const struct nft_elem *del,
    size_t n_del, char why[static NL_WHY]);

/*
 * Is the table in the kernel what nft_build() makes, and does it hold these elements and no others?
 * Table flags (dormant!), chains (hook, priority, policy, type), rules in order with their expressions,
 * sets with their keys, elements. 0: it is; ERR_NOTFOUND: it is not, *why says the first difference;
 * others: it could not be read.
 */
int nft_verify(struct nft *, nft_next_fn, void *arg, char why[static NL_WHY]);

/* Calls each for every element in the kernel's table, if it is there: what a former process left. */
int nft_elements(struct nft *, void (*each)(void *arg, const struct nft_elem *), void *arg,
    char why[static NL_WHY]);

struct nft_figures {
	uint64_t in_plaintext, in_granted, in_denied, out_plaintext, out_no_sa;   /* packets, since nft_build() */
};
/*
 * 0 or an error as above; ERR_NOTFOUND: the table or a counter is gone. denied, if not NULL: for each
 * entry of @denied.
 */
int nft_figures(struct nft *, struct nft_figures *,
    void (*denied)(void *arg, uint32_t reqid, uint32_t vni, uint64_t packets), void *arg);

/*
 * A notification of group NFNLGRP_NFTABLES: does it tell that somebody (port_id: not us) deleted or
 * changed something of our table, or flushed all? True: nft_verify() is due; *gone: the table itself
 * was deleted, nft_build() is due.
 */
bool nft_event_ours(const struct nft *, const struct nlmsghdr *, bool *gone);

#endif
