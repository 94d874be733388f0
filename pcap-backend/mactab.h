/* SPDX-License-Identifier: ISC */
/*
 * Where a MAC address of one VN was last seen: behind our tenant port, or behind a peer. RFC 7348
 * section 4.1. Of fixed size: sets of MACTAB_WAYS places, chosen by a keyed hash, so that a tenant
 * who invents addresses can neither make us grow nor push out what is in use.
 */
#ifndef PCAP_MACTAB_H
#define PCAP_MACTAB_H

#include "base/bytes.h"
#include "base/err.h"

#define MAC_LEN     6
#define MACTAB_WAYS 8

struct peer;

/* Not a peer: our own tenant port. */
#define MAC_LOCAL ((struct peer *)(uintptr_t)1)

struct mac_entry {
	uint64_t mac;             /* 48 bits; 0 = free */
	struct peer *where;
	int64_t seen_ms;
};

struct mactab {
	struct mac_entry *entries;
	size_t n_sets;            /* power of two */
	unsigned shift;           /* 64 - log2(n_sets) */
	uint64_t key;             /* odd */
	int64_t age_ms;
};

enum mac_learned { MAC_KNOWN = 0, MAC_NEW, MAC_MOVED, MAC_NO_ROOM };

/* Room for at least `limit` addresses, kept for age_ms since last seen. key: random. 0, ERR_NOMEM. */
int mactab_init(struct mactab *, size_t limit, int64_t age_ms, uint64_t key);
void mactab_free(struct mactab *);
/* The MAC address as a number. */
uint64_t mac_number(const uint8_t mac[static MAC_LEN]);
/* A frame from this (unicast) address came from there. */
enum mac_learned mactab_learn(struct mactab *, uint64_t mac, struct peer *where, int64_t now_ms);
/* A peer, MAC_LOCAL, or NULL: not known (any more). */
struct peer *mactab_find(const struct mactab *, uint64_t mac, int64_t now_ms);
/* Forget the addresses behind peers of which keep(peer, arg) is false. Not those of MAC_LOCAL. */
void mactab_filter(struct mactab *, bool (*keep)(const struct peer *, uint32_t arg), uint32_t arg);
/* Forget what was behind this peer. */
void mactab_forget(struct mactab *, const struct peer *);

#endif
