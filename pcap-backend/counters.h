/* SPDX-License-Identifier: ISC */
/* The figures of the data plane: one row each in counters.def, and those that name a node and a VN. */
#ifndef PCAP_COUNTERS_H
#define PCAP_COUNTERS_H

#include "base/sa.h"

enum counter_id {
#define COUNTER(id, name, what) CTR_##id,
#include "pcap-backend/counters.def"
#undef COUNTER
	CTR_N
};

/* drop.vni-not-granted: what each node sent that its grant does not hold. */
#define COUNTER_VNI_NAME "drop.vni-not-granted"
#define COUNTER_VNIS_MAX 1024    /* pairs told apart; the rest is counted together */

struct counter_vni {
	char node[ID_MAX];
	uint32_t vni;
	uint64_t value;
};

struct counters {
	uint64_t v[CTR_N];
	struct counter_vni *vnis;
	size_t n_vnis;
	uint64_t vni_rest;       /* pairs beyond COUNTER_VNIS_MAX, or out of memory */
};

/* "drop.replay", and what it counts. */
const char *counter_name(enum counter_id);
const char *counter_what(enum counter_id);

static inline void
count(struct counters *c, enum counter_id id)
{
	c->v[id]++;
}

/* A frame of `vni` came from `node`, whose grant does not hold it. */
void count_vni(struct counters *, const char *node, uint32_t vni);
/* All of them together. */
uint64_t counters_vni_total(const struct counters *);
void counters_free(struct counters *);

#endif
