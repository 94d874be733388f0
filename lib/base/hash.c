/* SPDX-License-Identifier: ISC */
/* Open addressing, linear probing. A deleted entry stays as a tombstone until the next growth, so
 * that deletion moves nothing and a walk may go on. */
#include "base/hash.h"

#include <stdlib.h>

#include "base/err.h"

#define FIRST_CAP  16u
#define KEY_INLINE 16u

enum { SLOT_EMPTY = 0, SLOT_DEAD, SLOT_LIVE };

struct entry {
	uint64_t hash;
	void *value;
	size_t key_len;
	union {
		uint8_t here[KEY_INLINE];
		uint8_t *away;
	} key;
	uint8_t state;
};

struct hash {
	uint8_t seed[16];
	struct entry *slots;
	size_t cap;         /* 0 or a power of two */
	size_t live, dead;
};

struct hash *
hash_new(const uint8_t seed[static 16])
{
	struct hash *h = calloc(1, sizeof *h);

	if (h != NULL)
		memcpy(h->seed, seed, sizeof h->seed);
	return h;
}

static struct bytes
key_of(const struct entry *e)
{
	return bytes_of(e->key_len > KEY_INLINE ? e->key.away : e->key.here, e->key_len);
}

static void
entry_kill(struct entry *e)
{
	if (e->key_len > KEY_INLINE)
		free(e->key.away);
	memset(e, 0, sizeof *e);
	e->state = SLOT_DEAD;
}

void
hash_free(struct hash *h)
{
	size_t i;

	if (h == NULL)
		return;
	for (i = 0; i < h->cap; i++)
		if (h->slots[i].state == SLOT_LIVE)
			entry_kill(&h->slots[i]);
	free(h->slots);
	free(h);
}

static struct entry *
find(const struct hash *h, struct bytes key, uint64_t hash)
{
	size_t i;

	if (h->cap == 0)
		return NULL;
	for (i = hash & (h->cap - 1);; i = (i + 1) & (h->cap - 1)) {
		struct entry *e = &h->slots[i];

		if (e->state == SLOT_EMPTY)
			return NULL;
		if (e->state == SLOT_LIVE && e->hash == hash && bytes_equal(key_of(e), key))
			return e;
	}
}

/* The first slot of the probe sequence that holds nothing living. There always is one. */
static struct entry *
vacant(struct entry *slots, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (slots[i].state == SLOT_LIVE)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

/* Keeps at least a quarter of the slots empty, so that probing ends soon. */
static int
make_room(struct hash *h)
{
	struct entry *slots;
	size_t cap = FIRST_CAP, i;

	if (h->cap != 0 && h->live + h->dead + 1 <= h->cap / 4 * 3)
		return OK;
	while (cap / 2 < h->live + 1)
		cap *= 2;
	if ((slots = calloc(cap, sizeof *slots)) == NULL)
		return ERR_NOMEM;
	for (i = 0; i < h->cap; i++)
		if (h->slots[i].state == SLOT_LIVE)
			*vacant(slots, cap, h->slots[i].hash) = h->slots[i];
	free(h->slots);
	h->slots = slots;
	h->cap = cap;
	h->dead = 0;
	return OK;
}

void *
hash_get(const struct hash *h, struct bytes key)
{
	struct entry *e = find(h, key, siphash(h->seed, key));

	return e == NULL ? NULL : e->value;
}

int
hash_add(struct hash *h, struct bytes key, void *value)
{
	struct entry fresh = { .value = value, .key_len = key.n, .state = SLOT_LIVE };
	struct entry *e;
	int r;

	if (value == NULL)
		return ERR_VALUE;
	fresh.hash = siphash(h->seed, key);
	if (find(h, key, fresh.hash) != NULL)
		return ERR_EXISTS;
	if ((r = make_room(h)) != OK)
		return r;
	if (key.n > KEY_INLINE && (fresh.key.away = malloc(key.n)) == NULL)
		return ERR_NOMEM;
	if (key.n != 0)
		memcpy(key.n > KEY_INLINE ? fresh.key.away : fresh.key.here, key.p, key.n);
	e = vacant(h->slots, h->cap, fresh.hash);
	if (e->state == SLOT_DEAD)
		h->dead--;
	*e = fresh;
	h->live++;
	return OK;
}

void *
hash_del(struct hash *h, struct bytes key)
{
	struct entry *e = find(h, key, siphash(h->seed, key));
	void *value;

	if (e == NULL)
		return NULL;
	value = e->value;
	entry_kill(e);
	h->live--;
	h->dead++;
	return value;
}

size_t
hash_count(const struct hash *h)
{
	return h->live;
}

void *
hash_next(const struct hash *h, size_t *pos)
{
	while (*pos < h->cap) {
		const struct entry *e = &h->slots[(*pos)++];

		if (e->state == SLOT_LIVE)
			return e->value;
	}
	return NULL;
}
