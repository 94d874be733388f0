/* SPDX-License-Identifier: ISC */
#include "pcap-backend/counters.h"

#include <stdlib.h>

static const struct {
	const char *name, *what;
} rows[CTR_N] = {
#define COUNTER(id, name, what) { name, what },
#include "pcap-backend/counters.def"
#undef COUNTER
};

const char *
counter_name(enum counter_id id)
{
	return rows[id].name;
}

const char *
counter_what(enum counter_id id)
{
	return rows[id].what;
}

static struct counter_vni *
vni_row(struct counters *c, const char *node, uint32_t vni)
{
	struct counter_vni *row;
	size_t i;

	for (i = 0; i < c->n_vnis; i++)
		if (c->vnis[i].vni == vni && strcmp(c->vnis[i].node, node) == 0)
			return &c->vnis[i];
	if (c->n_vnis == COUNTER_VNIS_MAX)
		return NULL;
	/* Room for twice as many whenever their number is a power of two. */
	if ((c->n_vnis & (c->n_vnis - 1)) == 0) {
		size_t cap = c->n_vnis == 0 ? 1 : c->n_vnis * 2;

		if ((row = realloc(c->vnis, cap * sizeof *row)) == NULL)
			return NULL;
		c->vnis = row;
	}
	row = &c->vnis[c->n_vnis++];
	memset(row, 0, sizeof *row);
	(void)strncpy(row->node, node, sizeof row->node - 1);
	row->vni = vni;
	return row;
}

void
count_vni(struct counters *c, const char *node, uint32_t vni)
{
	struct counter_vni *row = vni_row(c, node, vni);

	if (row != NULL)
		row->value++;
	else
		c->vni_rest++;
}

uint64_t
counters_vni_total(const struct counters *c)
{
	uint64_t total = c->vni_rest;
	size_t i;

	for (i = 0; i < c->n_vnis; i++)
		total += c->vnis[i].value;
	return total;
}

void
counters_free(struct counters *c)
{
	free(c->vnis);
	memset(c, 0, sizeof *c);
}
