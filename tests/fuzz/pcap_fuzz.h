/* SPDX-License-Identifier: ISC */
/* What the fuzzers of the pcap backend share: data planes with fixed keys. */
#ifndef TESTS_FUZZ_PCAP_FUZZ_H
#define TESTS_FUZZ_PCAP_FUZZ_H

#include <stdlib.h>

#include "crypto/crypto.h"
#include "pcap-backend/dp.h"

static inline void
must(bool ok)
{
	if (!ok)
		abort();
}

static inline void
fuzz_no_log(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

static inline void
fuzz_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	(void)arg;
	must(*node != '\0' && *channel != '\0' && addr_len(peer) != 0);
}

static inline void
fuzz_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	(void)arg;
	(void)dir;
	(void)spi;
	(void)dst;
	(void)hard;
}

static inline void
fuzz_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	(void)arg;
	(void)spi;
	must(addr_len(&peer->addr) != 0);
}

#define FUZZ_SAS 4

/* SA i: 0x1000 + i; transport v4, tunnel v4, transport v6, UDP-encapsulated transport v4 with ESN. */
static inline struct sa_params
fuzz_sa(unsigned i, uint8_t dir)
{
	static const char *const ends[2][2] = {
		{ "192.0.2.1", "192.0.2.2" }, { "2001:db8::1", "2001:db8::2" },
	};
	struct sa_params sa = { .spi = 0x1000 + i, .dir = dir, .mode = i == 1 ? SA_TUNNEL : SA_TRANSPORT,
	    .key_len = 20, .replay_window = 64, .n_src_sel = 1, .n_dst_sel = 1, .grant = 1,
	    .channel = "vxlan" };

	must(addr_parse(&sa.src, ends[i == 2][0]) == OK && addr_parse(&sa.dst, ends[i == 2][1]) == OK);
	must(esp_transform_parse(&sa.transform, i == 3 ? "aes128gcm16-esn" : "aes128gcm16") == OK);
	if (i == 3)
		sa.encap_sport = sa.encap_dport = 4500;
	memset(sa.key, (int)i + 1, sa.key_len);
	sa.src_sel[0] = selector_host(&sa.src, 17, 0, 65535);
	sa.dst_sel[0] = selector_host(&sa.dst, 17, 4789, 4789);
	return sa;
}

/* A data plane with VNs 5001 and 5002, of which the peer is granted the first; SAs of one direction. */
static inline void
fuzz_open(struct dp *dp, const struct dp_io *io, uint8_t dir)
{
	static const uint8_t seed[16] = { 3 };
	static uint32_t vnis[] = { 5001 };
	struct grant g = { .number = 1, .node = "nve-1", .vnis = vnis, .n_vnis = 1,
	    .expires = INT64_MAX };
	struct dp_config cfg;
	unsigned i;

	dp_config_defaults(&cfg);
	cfg.mac_limit = 16;
	must(dp_init(dp, &cfg, io, seed) == OK);
	must(dp_vn_add(dp, 5001) == OK && dp_vn_add(dp, 5002) == OK);
	must(dp_grant_set(dp, &g) == OK);
	for (i = 0; i < FUZZ_SAS; i++) {
		struct sa_params sa = fuzz_sa(i, dir);

		must(dp_sa_add(dp, &sa) == OK);
	}
}

#endif
