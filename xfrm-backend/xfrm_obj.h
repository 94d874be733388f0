/* SPDX-License-Identifier: ISC */
/*
 * What the kernel's IPsec databases hold, as plain data: selectors, policies (SPD) and security
 * associations (SAD), RFC 4301 section 4.4. No netlink here; xfrm_msg.h turns these into messages
 * and back.
 */
#ifndef XFRM_OBJ_H
#define XFRM_OBJ_H

#include "base/sa.h"

/* A kernel selector. Zeroed addresses with prefix length 0 select every address of the family. */
struct xsel {
	uint8_t family;                  /* ADDR_V4 or ADDR_V6 */
	struct addr src, dst;            /* of that family, also when the prefix length is 0 */
	uint8_t src_len, dst_len;        /* prefix lengths */
	uint8_t proto;                   /* IP protocol; 0 = any */
	uint16_t sport, sport_mask;      /* host order; mask 0 = any, 0xffff = this one */
	uint16_t dport, dport_mask;
};

bool xsel_equal(const struct xsel *, const struct xsel *);
/* Is there a packet that both select? */
bool xsel_overlap(const struct xsel *, const struct xsel *);
/* One host each side. Ports: 0 = any. */
struct xsel xsel_hosts(const struct addr *src, const struct addr *dst, uint8_t proto, uint16_t sport,
    uint16_t dport);
/* Every address of a family. */
struct xsel xsel_any(uint8_t family, uint8_t proto, uint16_t sport, uint16_t dport);
/*
 * The one selector that covers all pairs src_sel[i], dst_sel[i] of an SA: a kernel SA has one only.
 * Where the pairs differ in a port (TCP: to or from it), that port is any; policies are narrower.
 * 0; ERR_UNSUPPORTED when addresses are not single hosts, differ among the pairs or are of two
 * families, when protocols differ, or when a port range is neither one port nor all.
 */
int xsel_of_sa(struct xsel *, const struct sa_params *);
/* "192.0.2.1/32 -> 192.0.2.2/32 udp dport 4789"; the buffer is returned. */
#define XSEL_STRLEN 160
const char *xsel_str(const struct xsel *, char buf[static XSEL_STRLEN]);

enum xdir { XDIR_IN = 0, XDIR_OUT = 1, XDIR_FWD = 2 };   /* numbers of linux/xfrm.h */

/* One policy. The kernel tells policies apart by direction and selector (mark and if_id are 0 in ours). */
struct xpol {
	uint8_t dir;                     /* enum xdir */
	bool block;                      /* drop; else let through, by the template if there is one */
	struct xsel sel;
	uint32_t priority;               /* the lowest number is looked at first */
	bool tmpl;                       /* one ESP template, required */
	uint32_t reqid;                  /* of the template; the rest of it holds with tmpl only */
	uint8_t mode;                    /* enum sa_mode */
	struct addr src, dst;            /* outer addresses */
	/* Read from the kernel only: */
	uint32_t index;
	bool foreign_shape;              /* has what ours never have: several templates, mark, if_id, ifindex ... */
};

/* Equal in all that we set (index left out). */
bool xpol_equal(const struct xpol *, const struct xpol *);
/* "out 192.0.2.1/32 -> ... udp dport 4789 priority 1000 esp transport reqid 1325400065" */
#define XPOL_STRLEN 320
const char *xpol_str(const struct xpol *, char buf[static XPOL_STRLEN]);

/* One ESP SA without its key. */
struct xsa {
	uint32_t spi;                    /* host order */
	struct addr src, dst;
	uint32_t reqid;
	uint8_t mode;                    /* enum sa_mode */
	uint8_t dir;                     /* enum sa_dir; 0: the kernel doesn't say (before Linux 6.10) */
	struct xsel sel;
	uint16_t encap_sport, encap_dport; /* 0: none */
	struct esp_transform transform;  /* encr ESP_ENCR_NONE when read and unknown to us */
	uint32_t replay_window;          /* packets */
	struct sa_lifetime life;
	bool foreign_shape;              /* has what ours never have: mark, if_id, offload, larval (SPI 0) ... */
};

/*
 * The replay window that the kernel gets for this SA: inbound at least 64 packets and at most what it
 * takes (4096), outbound 0.
 */
uint32_t xsa_window(const struct xsa *);
/*
 * Is what was read what was wanted? All that we set counts; the direction only where the kernel says
 * it, the replay window only inbound (there it is xsa_window() of what was wanted).
 */
bool xsa_equal(const struct xsa *have, const struct xsa *want);
/* "0x01020304 192.0.2.1 -> 192.0.2.2 transport reqid 7"; the buffer is returned. */
#define XSA_STRLEN 192
const char *xsa_str(const struct xsa *, char buf[static XSA_STRLEN]);

/* What the kernel says of an installed SA besides. */
struct xsa_figures {
	uint64_t packets, bytes;
	uint64_t seq;                    /* last sent (out) or highest received (in), 64 bits with ESN */
	uint32_t replay_window, replay, integrity_failed;  /* drops: too old, seen before, bad ICV */
	uint64_t add_time, use_time;     /* seconds since 1970; use_time 0: never used */
};

#endif
