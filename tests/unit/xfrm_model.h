/* SPDX-License-Identifier: ISC */
/*
 * What the unit tests of xfrm-backend's model share: policies, SAs, grants, and a kernel that takes every
 * policy and says what becomes of a packet.
 */
#ifndef TESTS_UNIT_XFRM_MODEL_H
#define TESTS_UNIT_XFRM_MODEL_H

#include "backend_support.h"

#include "xfrm-backend/spd.h"

#define UDP 17
#define TCP 6

static const uint8_t model_seed[16] = "kernel and model";

static inline struct options
model_options(void)
{
	static const char *const none[] = { NULL };
	char why[OPTIONS_WHY] = "";
	struct options o;

	assert_int_equal(options_read(&o, none, why), OK);
	return o;
}

static inline struct channel
model_channel(const char *id, uint8_t level, uint8_t proto, uint16_t port)
{
	struct channel c = test_channel(id, port, SA_TRANSPORT);

	c.level = level;
	c.proto = proto;
	return c;
}

static inline struct channel
vxlan(void)
{
	return model_channel("vxlan", LEVEL_DATA, UDP, 4789);
}

static inline struct channel
evpn(void)
{
	return model_channel("evpn", LEVEL_CONTROL, TCP, 179);
}

static inline struct policy
model_policy(const char *node, const char *local, const char *peer, struct channel c)
{
	struct policy p = { .action = POLICY_PROTECT, .local = test_addr(local),
	    .peer = test_addr(peer), .channel = c };

	(void)strncpy(p.node, node, sizeof p.node - 1);
	return p;
}

/* The SA that this policy asks for. */
static inline struct sa_params
model_sa(const struct policy *p, uint8_t dir, uint32_t spi)
{
	struct grant g = { .number = 1, .peer = { p->peer }, .local = { p->local }, .n_peer = 1,
	    .n_local = 1, .channels = { p->channel }, .n_channels = 1 };

	return test_sa(&g, dir, spi, 0xa5);
}

/* ---- the kernel ---- */

#define KERNEL_MAX 2048

struct kernel {
	struct xpol p[KERNEL_MAX];
	size_t n;
};

static inline struct xpol *
kernel_find(struct kernel *k, uint8_t dir, const struct xsel *sel)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->p[i].dir == dir && xsel_equal(&k->p[i].sel, sel))
			return &k->p[i];
	return NULL;
}

static inline void
kernel_del(struct kernel *k, struct xpol *p)
{
	*p = k->p[--k->n];
}

/* All that is to be done is done. How many changes that took. */
static inline size_t
kernel_apply(struct kernel *k, struct spd *s)
{
	struct pol_entry *e;
	struct xpol *p;
	size_t n = 0;

	for (; (e = spd_dirty(s)) != NULL; n++) {
		p = kernel_find(k, e->pol.dir, &e->pol.sel);
		/* What is to be replaced or deleted is there, what is to be added is not. */
		assert_int_equal(p != NULL, e->have);
		assert_true(e->want ? !e->have || e->differs : e->have);
		if (e->want) {
			if (p == NULL) {
				assert_true(k->n < KERNEL_MAX);
				p = &k->p[k->n++];
			}
			*p = e->pol;
			e->have = true;
			e->differs = false;
		} else {
			kernel_del(k, p);
			e->have = false;
			spd_release(s, e);
		}
	}
	return n;
}

enum verdict { PASS = 0, BLOCK, PROTECT };

struct packet {
	uint8_t dir, proto;
	struct addr src, dst;
	uint16_t sport, dport;
};

static inline bool
in_prefix(const struct addr *a, const struct addr *net, unsigned len)
{
	unsigned i;

	for (i = 0; i < len; i++)
		if (((a->a[i / 8] ^ net->a[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static inline bool
selects(const struct xsel *s, const struct packet *p)
{
	return s->family == p->src.family && in_prefix(&p->src, &s->src, s->src_len) &&
	    in_prefix(&p->dst, &s->dst, s->dst_len) && (s->proto == 0 || s->proto == p->proto) &&
	    ((s->sport ^ p->sport) & s->sport_mask) == 0 &&
	    ((s->dport ^ p->dport) & s->dport_mask) == 0;
}

/* The policy with the smallest number that fits; NULL: none. */
static inline const struct xpol *
kernel_policy(const struct kernel *k, const struct packet *p)
{
	const struct xpol *best = NULL;
	size_t i;

	for (i = 0; i < k->n; i++)
		if (k->p[i].dir == p->dir && selects(&k->p[i].sel, p) &&
		    (best == NULL || k->p[i].priority < best->priority))
			best = &k->p[i];
	return best;
}

static inline enum verdict
verdict_of(const struct xpol *p)
{
	return p == NULL || (!p->block && !p->tmpl) ? PASS : p->block ? BLOCK : PROTECT;
}

static inline struct packet
packet(uint8_t dir, const char *src, const char *dst, uint8_t proto, uint16_t sport, uint16_t dport)
{
	return (struct packet){ dir, proto, test_addr(src), test_addr(dst), sport, dport };
}

/* Without SAs: what becomes of a packet of this description. */
static inline enum verdict
judge(const struct kernel *k, uint8_t dir, const char *src, const char *dst, uint8_t proto,
    uint16_t sport, uint16_t dport)
{
	struct packet p = packet(dir, src, dst, proto, sport, dport);

	return verdict_of(kernel_policy(k, &p));
}

#endif
