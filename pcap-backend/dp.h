/* SPDX-License-Identifier: ISC */
/*
 * The data plane: tenant frames in, ESP packets out, and back. It opens nothing and reads no clock;
 * whoever drives it (ops.c with interfaces, offline.c with files, tests) hands packets in, sets
 * now_ms, and is called back with what goes out.
 *
 *     dp_tenant_frame() ... dp_flush()      frame -> VXLAN -> ESP -> io.wire()
 *     dp_wire_packet()  ... dp_flush()      ESP -> VXLAN -> frame -> io.tenant()
 *
 * Packets wait in batches until dp_flush(), or until a batch is full.
 */
#ifndef PCAP_DP_H
#define PCAP_DP_H

#include "base/log.h"
#include "pcap-backend/counters.h"
#include "pcap-backend/mactab.h"
#include "pcap-backend/sad.h"
#include "pcap-backend/spd.h"

#define DP_BATCH     32
#define DP_FRAME_MAX 9238      /* 9216 octets of payload, Ethernet header, two VLAN tags */
/* Outer IP, UDP, ESP; inner IP, UDP, VXLAN; rounded up. */
#define DP_HEAD      (40 + 8 + ESP_HEAD_MAX + 40 + 8 + 8 + 32)
#define DP_BUF       (DP_HEAD + DP_FRAME_MAX + ESP_TAIL_MAX + 10)

struct dp_config {
	uint16_t vxlan_port;           /* for channels that name none, and to see plaintext */
	uint16_t natt_port;            /* UDP-encapsulated ESP comes to this port, RFC 3948 */
	uint32_t mac_limit;            /* per VN */
	int64_t mac_age_ms;
	bool keep_vlan;                /* inner VLAN tags pass, both ways */
	bool unsafe_no_vni_check;      /* tests only: shows what the check is for */
	bool unsafe_no_replay_check;   /* likewise */
};
/* 4789, 4500, 4096 addresses, 300 s, all else off. */
void dp_config_defaults(struct dp_config *);

struct dp_out {                        /* one IP packet for the wire */
	struct bytes packet;
	const struct esp_sa *sa;
};

struct dp_io {
	void *arg;
	void (*wire)(void *arg, const struct dp_out *, size_t n);
	void (*tenant)(void *arg, uint32_t vni, const struct bytes *frames, size_t n);
	/* Upcalls as in backend/backend.h. */
	void (*acquire)(void *arg, const char *node, const char *channel, const struct addr *peer);
	void (*expire)(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard);
	void (*mapping)(void *arg, uint32_t spi, const struct endpoint *peer);
};

/* A VN with a tenant port here. */
struct vn {
	uint32_t vni;
	struct mactab macs;
	struct peer **flood;           /* peers that share it; whom BUM frames go to */
	size_t n_flood;
	uint64_t flood_version;        /* of the SPD, when `flood` was made */
};

struct dp_slot {
	struct esp_sa *sa;
	uint8_t *buf;                  /* DP_BUF octets */
	struct endpoint from;          /* receiving: outer source; port 0 without UDP */
};

struct dp_batch {
	size_t n;
	struct esp_item items[DP_BATCH];
	struct dp_slot slots[DP_BATCH];
	uint8_t *bufs;
};

struct dp {
	struct dp_config cfg;
	struct dp_io io;
	struct counters ctr;
	struct sad sad;
	struct spd spd;
	struct vn *vns;                /* by ascending VNI */
	size_t n_vns;
	struct vn *last_vn;            /* what dp_vn() answered last */
	struct dp_batch tx, rx;
	int64_t now_ms;
	uint64_t mac_key;
	struct log_bucket peer_log;    /* what a peer can cause */
};

/* seed: 16 random octets. 0 or ERR_NOMEM. */
int dp_init(struct dp *, const struct dp_config *, const struct dp_io *, const uint8_t seed[static 16]);
/* Free everything, wiping keys. Fine on zeros. */
void dp_free(struct dp *);
/* Open a VN for tenant frames. 0, ERR_EXISTS, ERR_NOMEM. Not while packets wait. */
int dp_vn_add(struct dp *, uint32_t vni);
/* NULL if there is none. */
struct vn *dp_vn(struct dp *, uint32_t vni);

/* ---- control: as in backend/backend.h, never while packets wait ---- */
int dp_grant_set(struct dp *, const struct grant *);
int dp_grant_drop(struct dp *, uint32_t number);
int dp_sa_add(struct dp *, const struct sa_params *);
int dp_sa_move(struct dp *, uint32_t pair, const struct endpoint *local, const struct endpoint *peer);
int dp_sa_del(struct dp *, uint8_t dir, uint32_t spi, const struct addr *dst);
int dp_policy_add(struct dp *, const struct policy *);
int dp_policy_del(struct dp *, const struct policy *);
void dp_flush_own(struct dp *);
void dp_counters(const struct dp *, void (*emit)(void *, const char *name, const char *node,
    uint32_t vni, uint64_t value), void *);

/* ---- data ---- */
/* vtep.c: one frame that came from our tenant port of this VN. */
void dp_tenant_frame(struct dp *, struct vn *, struct bytes frame);
/* esp_rx.c: one IP packet, addressed to us, that came from the wire. */
void dp_wire_packet(struct dp *, struct bytes ip);
/* Do what waits: seal and send, open and deliver; then bury SAs whose lifetime ended. */
void dp_flush(struct dp *);
/* Soft and hard times. */
void dp_tick(struct dp *);
/* Monotonic time at which dp_tick() has something to do; TIMER_NEVER if nothing. */
int64_t dp_deadline(const struct dp *);

#endif
