/* SPDX-License-Identifier: ISC */
#include "backend/seen.h"

#include <stdlib.h>

#include "base/hash.h"

#define FIRST_CAP 256u

void
seen_init(struct seen *s, const uint8_t seed[static 16])
{
	memset(s, 0, sizeof *s);
	memcpy(s->seed, seed, sizeof s->seed);
}

void
seen_free(struct seen *s)
{
	free(s->slots);
	memset(s, 0, sizeof *s);
}

/* 0 marks an empty slot; two hashes falling together only makes us refuse one key in 2^64. */
static uint64_t
digest(const struct seen *s, struct bytes key)
{
	uint64_t h = siphash(s->seed, key);

	return h == 0 ? 1 : h;
}

static uint64_t *
slot_of(uint64_t *slots, size_t cap, uint64_t h)
{
	size_t i = h & (cap - 1);

	while (slots[i] != 0 && slots[i] != h)
		i = (i + 1) & (cap - 1);
	return &slots[i];
}

bool
seen_has(const struct seen *s, struct bytes key)
{
	return s->cap != 0 && *slot_of(s->slots, s->cap, digest(s, key)) != 0;
}

int
seen_reserve(struct seen *s)
{
	size_t cap = s->cap == 0 ? FIRST_CAP : s->cap * 2, i;
	uint64_t *slots;

	if (s->cap != 0 && (s->n + 1) * 4 <= s->cap * 3)
		return OK;
	if ((slots = calloc(cap, sizeof *slots)) == NULL)
		return ERR_NOMEM;
	for (i = 0; i < s->cap; i++)
		if (s->slots[i] != 0)
			*slot_of(slots, cap, s->slots[i]) = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->cap = cap;
	return OK;
}

void
seen_add(struct seen *s, struct bytes key)
{
	uint64_t h = digest(s, key), *slot = slot_of(s->slots, s->cap, h);

	if (*slot == 0) {
		*slot = h;
		s->n++;
	}
}
