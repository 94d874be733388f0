/* SPDX-License-Identifier: ISC */
/*
 * Security associations, selectors, policies and grants as plain data: what the engine, the
 * authorization process and the backends speak about. RFC 4301 section 4.4, RFC 7296 section 3.13.
 */
#ifndef BASE_SA_H
#define BASE_SA_H

#include "base/addr.h"

#define LABEL_MAX     64     /* TS_SECLABEL of ours: "ch:ID" or "ch:ID;vni:N", NUL terminated */
#define ID_MAX        64     /* node, channel and suite ids of the NVA document, with NUL */
#define SELECTORS_MAX 8
#define SA_VNIS_MAX   4096   /* VNs one grant may hold */
#define VNI_MAX       0xffffffu

/* One traffic selector, RFC 7296 section 3.13.1. Ports in host order. */
struct selector {
	uint8_t proto;              /* IP protocol; 0 = any */
	uint16_t port_lo, port_hi;  /* 0..65535 = any */
	struct addr lo, hi;         /* same family */
};

/* Addresses set, of one family and in order; ports in order, or OPAQUE (65535 to 0). */
bool selector_valid(const struct selector *);
bool selector_equal(const struct selector *, const struct selector *);
/* Every packet that `inner` selects is selected by `outer`. False if either is not valid. */
bool selector_contains(const struct selector *outer, const struct selector *inner);
/* The intersection; false (and *out untouched) when it is empty. `out` may be one of the two. */
bool selector_narrow(struct selector *out, const struct selector *, const struct selector *);
/* One host: addr/32 or /128, protocol and port range. */
struct selector selector_host(const struct addr *, uint8_t proto, uint16_t lo, uint16_t hi);
/* "192.0.2.1/32[udp/4789]", "10.0.0.5-10.0.0.9"; the buffer is returned. */
#define SELECTOR_STRLEN 128
const char *selector_str(const struct selector *, char buf[static SELECTOR_STRLEN]);

/* ESP transforms, named after their IANA numbers (transform type 1 / 3). */
enum esp_encr {
	ESP_ENCR_NONE = 0,
	ESP_AES_CBC = 12,
	ESP_AES_GCM_16 = 20,
	ESP_NULL_AES_GMAC = 21,
	ESP_CHACHA20_POLY1305 = 28,
};
enum esp_integ {
	ESP_INTEG_NONE = 0,
	ESP_HMAC_SHA2_256_128 = 12,
	ESP_HMAC_SHA2_384_192 = 13,
	ESP_HMAC_SHA2_512_256 = 14,
};

struct esp_transform {
	uint16_t encr;       /* enum esp_encr */
	uint16_t key_bits;   /* encryption key, without salt; 0 where fixed */
	uint16_t integ;      /* enum esp_integ; NONE with AEAD */
	bool esn;            /* RFC 4304 extended sequence numbers */
};

/* Octets of keying material that a transform takes from KEYMAT: cipher key + salt, then integrity
 * key. RFC 7296 section 2.17, RFC 4106 section 8.1, RFC 7634. 0 and ERR_UNSUPPORTED if unknown. */
int esp_transform_lengths(const struct esp_transform *, size_t *encr_key, size_t *integ_key);
/* "aes128gcm16" and the like, "-esn" after it with ESN; NULL if unknown. The names are those
 * of the NVA document's suites. */
const char *esp_transform_name(const struct esp_transform *, char buf[static 48]);
/* The same name, or one with "-esn" after it. 0 or ERR_UNSUPPORTED. */
int esp_transform_parse(struct esp_transform *, const char *name);

enum sa_dir { SA_IN = 1, SA_OUT = 2 };
enum sa_mode { SA_TRANSPORT = 1, SA_TUNNEL = 2 };

/* 0 = none. Seconds from installation, payload octets, packets. RFC 4301 section 4.4.2.1 */
struct sa_lifetime {
	uint32_t soft_s, hard_s;
	uint64_t soft_bytes, hard_bytes;
	uint64_t soft_packets, hard_packets;
};

#define SA_KEY_MAX 100   /* AES-256 + salt + HMAC-SHA2-512, rounded up */

/* One ESP SA, one direction. Plain data; the key is wiped by whoever copied it (sa_wipe). */
struct sa_params {
	uint32_t spi;                    /* host order */
	uint8_t dir;                     /* enum sa_dir */
	uint8_t mode;                    /* enum sa_mode */
	struct addr src, dst;            /* outer addresses, in packet direction */
	uint16_t encap_sport, encap_dport; /* UDP encapsulation, RFC 3948; both 0 = none */
	struct esp_transform transform;
	uint8_t key[SA_KEY_MAX];         /* cipher key | salt | integrity key */
	uint16_t key_len;
	uint16_t replay_window;          /* packets, inbound; 0 = off, else >= 64 */
	struct selector src_sel[SELECTORS_MAX];   /* packet source side; [i] goes with dst_sel[i] */
	struct selector dst_sel[SELECTORS_MAX];
	uint8_t n_src_sel, n_dst_sel;
	char channel[ID_MAX];            /* channel of the NVA document */
	uint32_t vni;                    /* keys="vn": the one VN; else 0 = all VNs of the grant */
	uint32_t grant;                  /* number of the grant this SA stands on */
	uint32_t pair;                   /* number shared by the two SAs of one Child SA */
	struct sa_lifetime life;
	bool inactive;                   /* installed, but not yet used for sending */
};

/* Wipes the key and sets its length to 0; the rest stays. */
void sa_wipe(struct sa_params *);
/* More than what fits the struct marks the writer bad, here and below. */
void wr_sa(struct wr *, const struct sa_params *);
/* 0; ERR_SYNTAX or ERR_VALUE, and *sa is then wiped. The key has its transform's length or none. */
int rd_sa(struct rd *, struct sa_params *);

/* Figures of one installed SA. */
struct sa_stats {
	uint32_t spi;
	uint8_t dir;
	struct addr src, dst;
	uint64_t packets, bytes;
	uint64_t replays, bad_icv, bad_selector, bad_vni;   /* inbound drops */
	uint64_t seq;                    /* next to send / highest received */
	int64_t age_s;
};
void wr_sa_stats(struct wr *, const struct sa_stats *);
int rd_sa_stats(struct rd *, struct sa_stats *);

enum channel_level { LEVEL_DATA = 1, LEVEL_CONTROL = 2 };
enum enforcement { ENFORCE_OBSERVE = 1, ENFORCE_PREFER = 2, ENFORCE_REQUIRE = 3 };

/* One kind of traffic two roles may have, as granted to a pair: a <channel> of the NVA document. */
struct channel {
	char id[ID_MAX];
	uint8_t level;                   /* enum channel_level */
	uint8_t proto;                   /* 6, 17; 0 = any */
	uint16_t port;                   /* 0 = any */
	uint8_t mode;                    /* enum sa_mode */
	struct esp_transform esp;        /* the suite's */
	uint16_t ke;                     /* suite's key exchange group for the IKE SA, 0 = any */
	uint32_t lifetime_s;
};
#define CHANNELS_MAX 16
#define ADDRS_MAX    8

/*
 * What authz tells a backend about one peer: that this SA's verified peer is node X, reached at
 * these addresses, and what it may send. Backends act only on grants (design, section 3).
 */
struct grant {
	uint32_t number;                 /* never reused within a run */
	char node[ID_MAX];
	struct addr peer[ADDRS_MAX], local[ADDRS_MAX];
	uint8_t n_peer, n_local;
	struct channel channels[CHANNELS_MAX];
	uint8_t n_channels;
	uint32_t *vnis;                  /* sorted; owned by the struct (grant_free) */
	uint32_t n_vnis;
	int64_t expires;                 /* seconds since 1970: no traffic on it afterwards */
};
void grant_free(struct grant *);     /* contents only */
/* `to` is overwritten, not freed. 0, or ERR_NOMEM with no VNI in it. */
int grant_copy(struct grant *to, const struct grant *from);
bool grant_has_vni(const struct grant *, uint32_t vni);
void wr_grant(struct wr *, const struct grant *);
/* Overwrites, and allocates vnis. 0; ERR_SYNTAX, ERR_VALUE or ERR_NOMEM: it is then all zero. */
int rd_grant(struct rd *, struct grant *);

enum policy_action { POLICY_PROTECT = 1, POLICY_BLOCK = 2, POLICY_BYPASS = 3 };

/*
 * One policy. PROTECT: traffic of this channel with this peer needs an SA (one that is missing is
 * asked for by an acquire). The VNs are those that the peer shares with us: where BUM frames are
 * replicated to. Peer unset: every peer.
 */
struct policy {
	uint8_t action;                  /* enum policy_action */
	char node[ID_MAX];
	struct addr local, peer;
	struct channel channel;
	uint32_t *vnis;                  /* sorted; owned (policy_free) */
	uint32_t n_vnis;
};
/* These four as for grants. */
void policy_free(struct policy *);
int policy_copy(struct policy *to, const struct policy *from);
void wr_policy(struct wr *, const struct policy *);
int rd_policy(struct rd *, struct policy *);

#endif
