/* SPDX-License-Identifier: ISC */
/* Two data planes joined by arrays: what goes out of one is caught, and may be put into the other. */
#ifndef TESTS_UNIT_PCAP_BOX_H
#define TESTS_UNIT_PCAP_BOX_H

#include "backend_support.h"

#include <stdio.h>

#include "crypto/crypto.h"
#include "pcap-backend/dp.h"
#include "pcap-backend/vxlan.h"

#define CAUGHT_MAX 64
#define OCTETS_MAX 10000

struct caught {
	uint8_t octets[OCTETS_MAX];
	size_t n;
	uint32_t vni;
};

struct box {
	struct dp dp;
	struct caught wire[CAUGHT_MAX], tenant[CAUGHT_MAX];
	size_t n_wire, n_tenant;
	int acquires, soft, hard, mappings;
	char node[ID_MAX];
	struct endpoint mapped;
};

static struct box a, b;

/* ---- catching what comes out ---- */

static inline void
catch_wire(void *arg, const struct dp_out *out, size_t n)
{
	struct box *box = arg;
	size_t i;

	for (i = 0; i < n && box->n_wire < CAUGHT_MAX; i++) {
		struct caught *c = &box->wire[box->n_wire++];

		assert_true(out[i].packet.n <= OCTETS_MAX);
		memcpy(c->octets, out[i].packet.p, c->n = out[i].packet.n);
	}
}

static inline void
catch_tenant(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	struct box *box = arg;
	size_t i;

	for (i = 0; i < n && box->n_tenant < CAUGHT_MAX; i++) {
		struct caught *c = &box->tenant[box->n_tenant++];

		memcpy(c->octets, frames[i].p, c->n = frames[i].n);
		c->vni = vni;
	}
}

static inline void
catch_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	struct box *box = arg;

	box->acquires++;
	(void)snprintf(box->node, sizeof box->node, "%s", node);
	assert_string_equal(channel, "vxlan");
	assert_true(addr_len(peer) != 0);
}

static inline void
catch_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	struct box *box = arg;

	(void)dir;
	(void)spi;
	(void)dst;
	if (hard)
		box->hard++;
	else
		box->soft++;
}

static inline void
catch_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	struct box *box = arg;

	(void)spi;
	box->mappings++;
	box->mapped = *peer;
}

static inline void
open_box(struct box *box, const struct dp_config *cfg)
{
	static const uint8_t seed[16] = { 9 };
	struct dp_io io = { box, catch_wire, catch_tenant, catch_acquire, catch_expire,
	    catch_mapping };
	struct dp_config defaults;

	memset(box, 0, sizeof *box);
	dp_config_defaults(&defaults);
	assert_int_equal(dp_init(&box->dp, cfg == NULL ? &defaults : cfg, &io, seed), OK);
	assert_int_equal(dp_vn_add(&box->dp, 5001), OK);
	assert_int_equal(dp_vn_add(&box->dp, 5002), OK);
	assert_int_equal(dp_vn_add(&box->dp, 5001), ERR_EXISTS);
}

/* ---- a pair of SAs from a to b ---- */

struct setup {
	const char *a, *b;             /* addresses */
	uint8_t mode;
	uint16_t encap;                /* both ports; 0: none */
	const char *transform;
	struct dp_config *b_cfg;
	uint32_t b_vnis;               /* how many of 5001, 5002 b grants to a */
};

static const struct setup plain = { "192.0.2.1", "192.0.2.2", SA_TRANSPORT, 0, "aes128gcm16-esn",
	NULL, 2 };

static inline void
grant_policy(struct box *box, const char *local, const char *peer, const char *node, uint32_t vnis,
    const struct setup *s, struct grant *g)
{
	struct policy p;

	*g = test_grant(1, local, peer);
	(void)strcpy(g->node, node);
	g->channels[0].mode = s->mode;
	assert_int_equal(esp_transform_parse(&g->channels[0].esp, s->transform), OK);
	g->n_vnis = vnis;
	assert_int_equal(dp_grant_set(&box->dp, g), OK);
	g->n_vnis = 2;
	p = test_policy(g);
	assert_int_equal(dp_policy_add(&box->dp, &p), OK);
	policy_free(&p);
}

static inline struct sa_params
sa_of(const struct grant *g, uint8_t dir, const struct setup *s)
{
	struct sa_params sa = test_sa(g, dir, 0x1000, 0x5c);

	sa.encap_sport = sa.encap_dport = s->encap;
	return sa;
}

static inline void
join(const struct setup *s)
{
	struct grant ga, gb;
	struct sa_params out, in;

	open_box(&a, NULL);
	open_box(&b, s->b_cfg);
	grant_policy(&a, s->a, s->b, "nve-b", 2, s, &ga);
	grant_policy(&b, s->b, s->a, "nve-a", s->b_vnis, s, &gb);
	out = sa_of(&ga, SA_OUT, s);
	in = sa_of(&gb, SA_IN, s);
	assert_int_equal(dp_sa_add(&a.dp, &out), OK);
	assert_int_equal(dp_sa_add(&b.dp, &in), OK);
	grant_free(&ga);
	grant_free(&gb);
}

static inline void
part(void)
{
	dp_free(&a.dp);
	dp_free(&b.dp);
	assert_int_equal(secret_live(), 0);
}

#define BROADCAST UINT64_C(0xffffffffffff)
#define MAC_A     UINT64_C(0x02000000000a)
#define MAC_B     UINT64_C(0x02000000000b)

static inline size_t
frame(uint8_t *to, uint64_t dst, uint64_t src, size_t n)
{
	struct wr w = wr_fixed(to, n);
	size_t i;

	wr_u16(&w, (uint16_t)(dst >> 32));
	wr_u32(&w, (uint32_t)dst);
	wr_u16(&w, (uint16_t)(src >> 32));
	wr_u32(&w, (uint32_t)src);
	wr_u16(&w, 0x88b5);
	for (i = ETH_LEN; i < n; i++)
		wr_u8(&w, (uint8_t)i);
	assert_false(w.bad);
	return n;
}

static inline void
send_frame(struct box *box, uint32_t vni, uint64_t dst, uint64_t src, size_t n)
{
	uint8_t octets[OCTETS_MAX];

	dp_tenant_frame(&box->dp, dp_vn(&box->dp, vni), bytes_of(octets, frame(octets, dst, src, n)));
	dp_flush(&box->dp);
}

static inline void
deliver(struct box *to, const struct caught *c)
{
	dp_wire_packet(&to->dp, bytes_of(c->octets, c->n));
	dp_flush(&to->dp);
}

static inline void
refit_v4(struct caught *c)
{
	uint16_t sum;

	c->octets[10] = c->octets[11] = 0;
	sum = (uint16_t)~csum_octets(bytes_of(c->octets, IPV4_LEN));
	c->octets[10] = (uint8_t)(sum >> 8);
	c->octets[11] = (uint8_t)sum;
}

static inline int
group_setup(void **state)
{
	(void)state;
	return crypto_init();
}

static inline int
group_teardown(void **state)
{
	(void)state;
	crypto_cleanup();
	return 0;
}

#endif
