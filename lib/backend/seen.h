/* SPDX-License-Identifier: ISC */
/*
 * Keys that were ever installed in this process' life, as hashes under a seed of this process: a key
 * that comes a second time would start its counter anew (RFC 4106 section 3: a nonce may never
 * repeat under one key), or its replay window. Grows by 8 to 16 octets a key and never forgets.
 */
#ifndef BACKEND_SEEN_H
#define BACKEND_SEEN_H

#include "base/bytes.h"
#include "base/err.h"

struct seen {
	uint8_t seed[16];
	uint64_t *slots;      /* 0 = empty */
	size_t cap, n;
};

/* Seed: random octets. Nothing is allocated yet. */
void seen_init(struct seen *, const uint8_t seed[static 16]);
void seen_free(struct seen *);
bool seen_has(const struct seen *, struct bytes key);
/* Makes sure that the next seen_add() can't fail. 0 or ERR_NOMEM. */
int seen_reserve(struct seen *);
/* After seen_reserve(). Adding what is there changes nothing. */
void seen_add(struct seen *, struct bytes key);

#endif
