/* SPDX-License-Identifier: ISC */
#include "pcap-backend/sad.h"

#include <stdlib.h>

#define FIRST_SLOTS 64u
#define SOFT_SEQ    UINT32_C(0xe0000000)

void
sad_init(struct sad *d)
{
	memset(d, 0, sizeof *d);
}

static void
sa_free(struct esp_sa *sa)
{
	esp_key_free(sa->key);
	replay_free(&sa->replay);
	wipe(sa, sizeof *sa);
	free(sa);
}

void
sad_free(struct sad *d)
{
	struct esp_sa *sa, *next;
	size_t i;

	/* First: it writes into the timers of the SAs. */
	timers_free(&d->timers);
	for (i = 0; i < d->n_slots; i++)
		for (sa = d->slots[i]; sa != NULL; sa = next) {
			next = sa->next_in_slot;
			sa_free(sa);
		}
	for (sa = d->dead; sa != NULL; sa = next) {
		next = sa->next_dead;
		sa_free(sa);
	}
	free(d->slots);
	memset(d, 0, sizeof *d);
}

/* SPIs are drawn at random, ours by our engine: nobody can choose collisions for others. */
static size_t
slot_of(const struct sad *d, uint32_t spi)
{
	return (size_t)((spi * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (d->n_slots - 1);
}

static int
grow(struct sad *d)
{
	struct sad bigger = { .n_slots = d->n_slots == 0 ? FIRST_SLOTS : d->n_slots * 2 };
	struct esp_sa *sa, *next;
	size_t i;

	if (d->n < d->n_slots)
		return OK;
	if ((bigger.slots = calloc(bigger.n_slots, sizeof *bigger.slots)) == NULL)
		return ERR_NOMEM;
	for (i = 0; i < d->n_slots; i++)
		for (sa = d->slots[i]; sa != NULL; sa = next) {
			struct esp_sa **slot = &bigger.slots[slot_of(&bigger, sa->p.spi)];

			next = sa->next_in_slot;
			sa->next_in_slot = *slot;
			*slot = sa;
		}
	free(d->slots);
	d->slots = bigger.slots;
	d->n_slots = bigger.n_slots;
	return OK;
}

static void
unlink_slot(struct sad *d, struct esp_sa *sa)
{
	struct esp_sa **at = &d->slots[slot_of(d, sa->p.spi)];

	while (*at != sa)
		at = &(*at)->next_in_slot;
	*at = sa->next_in_slot;
	sa->next_in_slot = NULL;
	d->n--;
}

struct esp_sa *
sad_find(const struct sad *d, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	struct esp_sa *sa;

	if (d->n_slots == 0)
		return NULL;
	for (sa = d->slots[slot_of(d, spi)]; sa != NULL; sa = sa->next_in_slot)
		if (sa->p.spi == spi && sa->p.dir == dir && addr_same(&sa->p.dst, dst))
			return sa;
	return NULL;
}

struct esp_sa *
sad_next(const struct sad *d, size_t *pos, const struct esp_sa *prev)
{
	struct esp_sa *sa = prev == NULL ? NULL : prev->next_in_slot;

	while (sa == NULL && *pos < d->n_slots)
		sa = d->slots[(*pos)++];
	return sa;
}

static uint16_t
vxlan_port_of(const struct sa_params *p, uint16_t otherwise)
{
	const struct selector *s = &p->dst_sel[0];

	return s->port_lo == s->port_hi && s->port_lo != 0 ? s->port_lo : otherwise;
}

static int
set_timers(struct sad *d, struct esp_sa *sa, int64_t now_ms)
{
	const struct sa_lifetime *l = &sa->p.life;
	int r;

	sa->soft.sa = sa->hard.sa = sa;
	sa->hard.hard = true;
	if (l->soft_s != 0 &&
	    (r = timer_set(&d->timers, &sa->soft.timer, now_ms + (int64_t)l->soft_s * 1000)) != OK)
		return r;
	if (l->hard_s != 0)
		return timer_set(&d->timers, &sa->hard.timer, now_ms + (int64_t)l->hard_s * 1000);
	return OK;
}

static bool
names_just(const struct selector *s, uint8_t n, const struct addr *a)
{
	uint8_t i;

	for (i = 0; i < n; i++)
		if (!addr_same(&s[i].lo, a) || !addr_same(&s[i].hi, a))
			return false;
	return true;
}

static void
set_addrs(struct esp_sa *sa)
{
	const struct sa_params *p = &sa->p;

	sa->own_addrs = names_just(p->src_sel, p->n_src_sel, &p->src) &&
	    names_just(p->dst_sel, p->n_dst_sel, &p->dst);

	ip_tmpl_init(&sa->outer, &p->src, &p->dst, p->encap_dport != 0 ? IP_PROTO_UDP : IP_PROTO_ESP);
	/* In a tunnel: the addresses that the selectors name, which need not be the outer ones (NAT). */
	ip_tmpl_init(&sa->inner, &p->src_sel[0].lo, &p->dst_sel[0].lo, IP_PROTO_UDP);
}

int
sad_add(struct sad *d, const struct sa_params *p, uint16_t vxlan_port, int64_t now_ms,
    struct esp_sa **out)
{
	struct esp_sa *sa, **slot;
	int r;

	if (sad_find(d, p->dir, p->spi, &p->dst) != NULL)
		return ERR_EXISTS;
	if (p->n_src_sel == 0 || p->n_dst_sel == 0)
		return ERR_VALUE;
	if ((r = grow(d)) != OK)
		return r;
	if ((sa = calloc(1, sizeof *sa)) == NULL)
		return ERR_NOMEM;
	sa->p = *p;
	sa_wipe(&sa->p);
	sa->born_ms = now_ms;
	sa->port = vxlan_port_of(p, vxlan_port);
	set_addrs(sa);
	if ((r = esp_key_new(&sa->key, &p->transform, bytes_of(p->key, p->key_len))) != OK ||
	    (p->dir == SA_IN &&
	    (r = replay_init(&sa->replay, p->replay_window, p->transform.esn)) != OK) ||
	    (r = set_timers(d, sa, now_ms)) != OK) {
		timer_clear(&d->timers, &sa->soft.timer);
		timer_clear(&d->timers, &sa->hard.timer);
		sa_free(sa);
		return r;
	}
	sa->head_len = esp_head_len(sa->key);
	slot = &d->slots[slot_of(d, p->spi)];
	sa->next_in_slot = *slot;
	*slot = sa;
	d->n++;
	*out = sa;
	return OK;
}

void
sad_del(struct sad *d, struct esp_sa *sa)
{
	if (!sa->dead)
		unlink_slot(d, sa);
	timer_clear(&d->timers, &sa->soft.timer);
	timer_clear(&d->timers, &sa->hard.timer);
	sa_free(sa);
}

int
sad_move(struct sad *d, struct esp_sa *sa, const struct endpoint *src, const struct endpoint *dst)
{
	const struct esp_sa *other = sad_find(d, sa->p.dir, sa->p.spi, &dst->addr);

	if (other != NULL && other != sa)
		return ERR_EXISTS;
	/* Chains are by SPI alone, so that the SA keeps its place. */
	sa->p.src = src->addr;
	sa->p.dst = dst->addr;
	sa->p.encap_sport = src->port;
	sa->p.encap_dport = dst->port;
	set_addrs(sa);
	return OK;
}

/* ---- lifetimes ---- */

void
sad_kill(struct sad *d, struct esp_sa *sa)
{
	if (sa->dead)
		return;
	unlink_slot(d, sa);
	timer_clear(&d->timers, &sa->soft.timer);
	timer_clear(&d->timers, &sa->hard.timer);
	sa->dead = true;
	sa->next_dead = d->dead;
	d->dead = sa;
}

struct esp_sa *
sad_reap(struct sad *d)
{
	struct esp_sa *sa = d->dead;

	if (sa != NULL)
		d->dead = sa->next_dead;
	return sa;
}

static bool
reached(uint64_t limit, uint64_t value)
{
	return limit != 0 && value >= limit;
}

enum sa_event
sad_account(struct sad *d, struct esp_sa *sa, size_t n)
{
	const struct sa_lifetime *l = &sa->p.life;
	bool out = sa->p.dir == SA_OUT;

	sa->packets++;
	sa->bytes += n;
	if (sa->dead)
		return SA_EVENT_NONE;
	if (reached(l->hard_bytes, sa->bytes) || reached(l->hard_packets, sa->packets) ||
	    (out && sa->seq == (sa->p.transform.esn ? UINT64_MAX : UINT32_MAX))) {
		sad_kill(d, sa);
		return SA_EVENT_HARD;
	}
	if (sa->soft_told)
		return SA_EVENT_NONE;
	if (reached(l->soft_bytes, sa->bytes) || reached(l->soft_packets, sa->packets) ||
	    (out && sa->seq >= sad_soft_seq(sa))) {
		sa->soft_told = true;
		return SA_EVENT_SOFT;
	}
	return SA_EVENT_NONE;
}

struct esp_sa *
sad_expired(struct sad *d, int64_t now_ms, enum sa_event *event)
{
	struct timer *t;

	while ((t = timers_pop(&d->timers, now_ms)) != NULL) {
		struct sa_timer *which = (struct sa_timer *)t;
		struct esp_sa *sa = which->sa;

		if (which->hard) {
			sad_kill(d, sa);
			*event = SA_EVENT_HARD;
			return sa;
		}
		if (sa->soft_told)
			continue;
		sa->soft_told = true;
		*event = SA_EVENT_SOFT;
		return sa;
	}
	*event = SA_EVENT_NONE;
	return NULL;
}

int64_t
sad_deadline(const struct sad *d)
{
	return timers_next(&d->timers);
}

uint64_t
sad_soft_seq(const struct esp_sa *sa)
{
	return sa->p.transform.esn ? (uint64_t)SOFT_SEQ << 32 : SOFT_SEQ;
}

uint64_t
sad_next_seq(struct esp_sa *sa)
{
	uint64_t last = sa->p.transform.esn ? UINT64_MAX : UINT32_MAX;

	return sa->seq == last ? 0 : ++sa->seq;
}

void
sad_stats(const struct esp_sa *sa, int64_t now_ms, struct sa_stats *s)
{
	memset(s, 0, sizeof *s);
	s->spi = sa->p.spi;
	s->dir = sa->p.dir;
	s->src = sa->p.src;
	s->dst = sa->p.dst;
	s->packets = sa->packets;
	s->bytes = sa->bytes;
	s->replays = sa->replays;
	s->bad_icv = sa->bad_icv;
	s->bad_selector = sa->bad_selector;
	s->bad_vni = sa->bad_vni;
	s->seq = sa->p.dir == SA_OUT ? sa->seq + 1 : sa->replay.top;
	s->age_s = (now_ms - sa->born_ms) / 1000;
}
