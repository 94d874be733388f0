/* SPDX-License-Identifier: ISC */
/*
 * The security association database, RFC 4301 section 4.4.2: ESP SAs ready for use, found by
 * direction, SPI and destination; their lifetimes and figures.
 */
#ifndef PCAP_SAD_H
#define PCAP_SAD_H

#include "base/hash.h"
#include "base/timer.h"
#include "crypto/esp.h"
#include "pcap-backend/iphdr.h"
#include "pcap-backend/replay.h"

struct peer;
struct esp_sa;

/* Which of an SA's two times has come. */
struct sa_timer {
	struct timer timer;           /* first: the queue knows nothing else */
	struct esp_sa *sa;
	bool hard;
};

struct esp_sa {
	struct sa_params p;           /* key wiped */
	struct esp_key *key;
	const struct grant *grant;    /* borrowed from the SPD, which outlives its SAs */
	struct peer *peer;            /* node and channel that it serves; borrowed from the SPD */
	struct { uint64_t version; uint32_t vni; } granted, shared;   /* last answers: spd_sa_...() */
	struct esp_sa *next_of_peer;  /* outbound: the peer's, newest first */
	struct esp_sa *next_in_slot;
	struct esp_sa *next_dead;
	/* sending */
	uint64_t seq;                 /* number of the last packet */
	struct ip_tmpl outer, inner;  /* inner: tunnel mode only */
	uint16_t port;                /* the channel's UDP port, for VXLAN */
	size_t head_len;              /* ESP octets before the payload */
	/* receiving */
	struct replay replay;
	bool own_addrs;               /* every selector names just the outer addresses */
	int64_t next_mapping_ms;      /* when another change of address may be told */
	/* figures */
	uint64_t packets, bytes;
	uint64_t replays, bad_icv, bad_selector, bad_vni;
	int64_t born_ms;
	struct sa_timer soft, hard;
	bool soft_told;
	bool dead;                    /* hard lifetime over: not used any more, freed by sad_reap() */
};

struct sad {
	struct esp_sa **slots;        /* chains */
	size_t n_slots, n;
	struct timers timers;
	struct esp_sa *dead;
};

void sad_init(struct sad *);
/* Free all SAs, wiping their keys. */
void sad_free(struct sad *);

/*
 * Make an SA of the parameters and enter it. The caller binds grant and peer. vxlan_port: UDP port
 * for a channel that names none. 0 and *out; ERR_EXISTS; ERR_VALUE, ERR_UNSUPPORTED (transform,
 * key); ERR_NOMEM.
 */
int sad_add(struct sad *, const struct sa_params *, uint16_t vxlan_port, int64_t now_ms,
    struct esp_sa **out);
/* The SA or NULL. Dead ones are not found. */
struct esp_sa *sad_find(const struct sad *, uint8_t dir, uint32_t spi, const struct addr *dst);
/* Take out and free. The caller has unbound it. */
void sad_del(struct sad *, struct esp_sa *);
/* Walk: start with *pos = 0 and prev NULL. No changes meanwhile. */
struct esp_sa *sad_next(const struct sad *, size_t *pos, const struct esp_sa *prev);
/* Give an SA other outer addresses and ports (in packet direction). ERR_EXISTS: nothing changed. */
int sad_move(struct sad *, struct esp_sa *, const struct endpoint *src, const struct endpoint *dst);

/* ---- lifetimes ---- */
enum sa_event { SA_EVENT_NONE = 0, SA_EVENT_SOFT, SA_EVENT_HARD };
/*
 * Account for one packet of n payload octets. SOFT once, HARD when the packet was the last one: then
 * the SA is dead, and waits to be reaped.
 */
enum sa_event sad_account(struct sad *, struct esp_sa *, size_t n);
/* An SA whose soft or hard time has come, and which; NULL when none is left. HARD: it is dead now. */
struct esp_sa *sad_expired(struct sad *, int64_t now_ms, enum sa_event *);
/* When to ask sad_expired() again; TIMER_NEVER if never. */
int64_t sad_deadline(const struct sad *);
/* Kill: not found any more, waits to be reaped. */
void sad_kill(struct sad *, struct esp_sa *);
/* The next dead SA, to be unbound and then given to sad_del(); NULL when none is left. */
struct esp_sa *sad_reap(struct sad *);

/*
 * The number for the next packet to send, or 0 when there is none left: without extended numbers
 * 2^32 - 1 is the last one, since a counter that starts anew repeats nonces (RFC 4303 section 3.3.3).
 */
uint64_t sad_next_seq(struct esp_sa *);
/* From this number on an SA should be replaced. */
uint64_t sad_soft_seq(const struct esp_sa *);

void sad_stats(const struct esp_sa *, int64_t now_ms, struct sa_stats *);

#endif
