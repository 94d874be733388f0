/* SPDX-License-Identifier: ISC */
#include "pcap-backend/mactab.h"

#include <stdlib.h>

int
mactab_init(struct mactab *t, size_t limit, int64_t age_ms, uint64_t key)
{
	memset(t, 0, sizeof *t);
	t->n_sets = 2;
	t->shift = 63;
	/* Half full on average, so that a set is rarely full before the table is. */
	while (t->n_sets * MACTAB_WAYS < limit * 2) {
		t->n_sets *= 2;
		t->shift--;
	}
	t->key = key | 1;
	t->age_ms = age_ms;
	t->entries = calloc(t->n_sets * MACTAB_WAYS, sizeof *t->entries);
	return t->entries == NULL ? ERR_NOMEM : OK;
}

void
mactab_free(struct mactab *t)
{
	free(t->entries);
	memset(t, 0, sizeof *t);
}

uint64_t
mac_number(const uint8_t mac[static MAC_LEN])
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < MAC_LEN; i++)
		n = n << 8 | mac[i];
	return n;
}

/* The high bits of a product with a secret odd number: cheap, and every bit of the address counts. */
static struct mac_entry *
set_of(const struct mactab *t, uint64_t mac)
{
	return &t->entries[(mac * t->key >> t->shift) * MACTAB_WAYS];
}

static bool
alive(const struct mactab *t, const struct mac_entry *e, int64_t now_ms)
{
	return e->mac != 0 && now_ms - e->seen_ms < t->age_ms;
}

enum mac_learned
mactab_learn(struct mactab *t, uint64_t mac, struct peer *where, int64_t now_ms)
{
	struct mac_entry *set = set_of(t, mac), *room = NULL;
	enum mac_learned how;
	size_t i;

	for (i = 0; i < MACTAB_WAYS; i++) {
		if (set[i].mac == mac) {
			how = set[i].where == where ? MAC_KNOWN :
			    alive(t, &set[i], now_ms) ? MAC_MOVED : MAC_NEW;
			set[i].where = where;
			set[i].seen_ms = now_ms;
			return how;
		}
		if (room == NULL && !alive(t, &set[i], now_ms))
			room = &set[i];
	}
	if (room == NULL)
		return MAC_NO_ROOM;
	room->mac = mac;
	room->where = where;
	room->seen_ms = now_ms;
	return MAC_NEW;
}

struct peer *
mactab_find(const struct mactab *t, uint64_t mac, int64_t now_ms)
{
	const struct mac_entry *set = set_of(t, mac);
	size_t i;

	for (i = 0; i < MACTAB_WAYS; i++)
		if (set[i].mac == mac)
			return alive(t, &set[i], now_ms) ? set[i].where : NULL;
	return NULL;
}

void
mactab_forget(struct mactab *t, const struct peer *p)
{
	size_t i;

	for (i = 0; i < t->n_sets * MACTAB_WAYS; i++)
		if (t->entries[i].mac != 0 && t->entries[i].where == p)
			memset(&t->entries[i], 0, sizeof t->entries[i]);
}

void
mactab_filter(struct mactab *t, bool (*keep)(const struct peer *, uint32_t), uint32_t arg)
{
	struct mac_entry *e = t->entries, *end = e + t->n_sets * MACTAB_WAYS;

	for (; e < end; e++)
		if (e->mac != 0 && e->where != MAC_LOCAL && !keep(e->where, arg))
			memset(e, 0, sizeof *e);
}
