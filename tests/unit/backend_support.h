/* SPDX-License-Identifier: ISC */
/* What the unit tests of lib/backend and pcap-backend share: grants, policies and SAs that fit. */
#ifndef TESTS_UNIT_BACKEND_SUPPORT_H
#define TESTS_UNIT_BACKEND_SUPPORT_H

#include "base_support.h"

#include <stdlib.h>

#include "base/sa.h"

static inline struct channel
test_channel(const char *id, uint16_t port, uint8_t mode)
{
	struct channel c = { .level = LEVEL_DATA, .proto = port == 0 ? 0 : 17, .port = port,
	    .mode = mode, .lifetime_s = 3600 };

	(void)strcpy(c.id, id);
	assert_int_equal(esp_transform_parse(&c.esp, "aes128gcm16"), OK);
	return c;
}

/* Node "nve-2" at `peer`, we at `local`, channel "vxlan", VNs 5001 and 5002. */
static inline struct grant
test_grant(uint32_t number, const char *local, const char *peer)
{
	struct grant g = { .number = number, .node = "nve-2", .n_peer = 1, .n_local = 1,
	    .n_channels = 1, .n_vnis = 2, .expires = INT64_MAX };

	g.local[0] = test_addr(local);
	g.peer[0] = test_addr(peer);
	g.channels[0] = test_channel("vxlan", 4789, SA_TRANSPORT);
	g.vnis = calloc(2, sizeof *g.vnis);
	assert_non_null(g.vnis);
	g.vnis[0] = 5001;
	g.vnis[1] = 5002;
	return g;
}

static inline struct policy
test_policy(const struct grant *g)
{
	struct policy p = { .action = POLICY_PROTECT, .local = g->local[0], .peer = g->peer[0],
	    .channel = g->channels[0], .n_vnis = g->n_vnis };

	memcpy(p.node, g->node, sizeof p.node);
	p.vnis = calloc(p.n_vnis, sizeof *p.vnis);
	assert_non_null(p.vnis);
	memcpy(p.vnis, g->vnis, p.n_vnis * sizeof *p.vnis);
	return p;
}

/* An SA on channel 0 of the grant, key octets all `key`. */
static inline struct sa_params
test_sa(const struct grant *g, uint8_t dir, uint32_t spi, uint8_t key)
{
	const struct channel *c = &g->channels[0];
	struct sa_params sa = { .spi = spi, .dir = dir, .mode = c->mode, .transform = c->esp,
	    .replay_window = 1024, .n_src_sel = 1, .n_dst_sel = 1, .grant = g->number, .pair = 1 };
	size_t encr = 0, integ = 0;

	sa.src = dir == SA_IN ? g->peer[0] : g->local[0];
	sa.dst = dir == SA_IN ? g->local[0] : g->peer[0];
	sa.src_sel[0] = selector_host(&sa.src, c->proto, 0, 65535);
	sa.dst_sel[0] = selector_host(&sa.dst, c->proto, c->port, c->port == 0 ? 65535 : c->port);
	memcpy(sa.channel, c->id, sizeof sa.channel);
	assert_int_equal(esp_transform_lengths(&sa.transform, &encr, &integ), OK);
	sa.key_len = (uint16_t)(encr + integ);
	memset(sa.key, key, sa.key_len);
	return sa;
}

#endif
