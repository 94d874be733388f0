/* SPDX-License-Identifier: ISC */
/*
 * Hash table from octet strings to pointers; keyed with SipHash-2-4 under a seed that the owner
 * gives, so that a peer who chooses keys cannot choose collisions. Grows by itself.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/bytes.h"

struct hash;

/* Seed: 16 random octets (fixed ones in simulations). NULL when out of memory. */
struct hash *hash_new(const uint8_t seed[static 16]);
/* Frees the table, not what it points to. NULL is fine. */
void hash_free(struct hash *);
/* The value or NULL. */
void *hash_get(const struct hash *, struct bytes key);
/* The key is copied; the value is not NULL. 0, ERR_EXISTS, ERR_NOMEM, or ERR_VALUE for a NULL. */
int hash_add(struct hash *, struct bytes key, void *value);
/* Removes and returns the value, or NULL. */
void *hash_del(struct hash *, struct bytes key);
size_t hash_count(const struct hash *);
/* Walk: start with *pos = 0; NULL at the end. Deleting the entry just returned is allowed, other
 * changes are not. */
void *hash_next(const struct hash *, size_t *pos);
uint64_t siphash(const uint8_t key[static 16], struct bytes);

#endif
