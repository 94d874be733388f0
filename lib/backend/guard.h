/* SPDX-License-Identifier: ISC */
/*
 * What stands between the engine and a backend: the grants that the authorization process gave, and
 * every SA judged against its grant before it is installed, when the grant changes and when it
 * ends. Also which keys were used before, and which SAs belong to an engine that is gone. Pure: no
 * socket and no clock; times are handed in.
 */
#ifndef BACKEND_GUARD_H
#define BACKEND_GUARD_H

#include "base/err.h"
#include "base/sa.h"

struct guard;

#define GUARD_SAS_MAX    (1u << 18)
#define GUARD_GRANTS_MAX (1u << 16)

/* An installed SA as the guard remembers it. */
struct held_sa {
	struct sa_params sa;        /* key wiped; `pair` is ours, unique among all SAs held */
	uint32_t engine_pair;       /* the number that its engine gave to the pair */
	uint64_t number;            /* no other SA ever had it */
	bool orphan;                /* its engine is gone */
	bool pending;               /* kept, but not known to be installed yet */
};

/* Seed: 16 random octets. NULL when out of memory. */
struct guard *guard_new(const uint8_t seed[static 16]);
void guard_free(struct guard *);

/* ---- grants ---- */
/*
 * New or changed; the contents of the grant are taken (and emptied) on success. 0, ERR_NOMEM,
 * ERR_SPACE, or ERR_VALUE: number 0, or a number that belongs to another node.
 */
int guard_grant_set(struct guard *, struct grant *take);
/* 0 or ERR_NOTFOUND. SAs that stood on it are from then on uncovered. */
int guard_grant_drop(struct guard *, uint32_t number);
/* Borrowed; NULL if there is none. */
const struct grant *guard_grant(const struct guard *, uint32_t number);
/* Walk: start with *pos = 0; NULL at the end. */
const struct grant *guard_grant_next(const struct guard *, size_t *pos);
/* A grant that has expired at unix time now_s; NULL if none. */
const struct grant *guard_grant_expired(const struct guard *, int64_t now_s);
/* Unix time at which the first grant expires; INT64_MAX if there is none. */
int64_t guard_next_expiry(struct guard *);

/* ---- SAs ---- */
/*
 * May this SA be installed at unix time now_s? 0; ERR_DENIED: not within its grant, *why (static)
 * then says what is not; ERR_VALUE: not an SA that can exist; ERR_REPLAY: its key was installed
 * before; ERR_EXISTS; ERR_SPACE.
 */
int guard_sa_judge(const struct guard *, const struct sa_params *, int64_t now_s, const char **why);
/*
 * Two steps around the installation: reserve gives memory, and the pair number by which the backend
 * shall know the SA; then either keep or forget it. reserve: 0, ERR_NOMEM, or ERR_EXISTS: the pair
 * has an SA of this direction.
 */
int guard_sa_reserve(struct guard *, const struct sa_params *, uint32_t *pair);
void guard_sa_keep(struct guard *, const struct sa_params *);
/*
 * For a backend that tells later whether it could: guard_sa_pending() after keep gives the number of
 * the SA; guard_sa_installed() with it says that it is there. The SA, or NULL when it is not held any
 * more, whatever else has its SPI by now. Its key counts as used in either case.
 */
uint64_t guard_sa_pending(struct guard *, const struct sa_params *);
const struct held_sa *guard_sa_installed(struct guard *, uint64_t number, uint8_t dir, uint32_t spi,
    const struct addr *dst);
void guard_sa_forget(struct guard *, uint8_t dir, uint32_t spi, const struct addr *dst);
/* Borrowed; NULL if there is none. */
const struct held_sa *guard_sa(const struct guard *, uint8_t dir, uint32_t spi,
    const struct addr *dst);
/* An SA on this grant that the grant does not cover (any more), or whose grant is gone. NULL if none. */
const struct held_sa *guard_uncovered(const struct guard *, uint32_t grant);
/*
 * May the pair of this number (the present engine's) move to these endpoints? Ports: UDP
 * encapsulation, both 0 for none. 0 and *pair, the backend's number; ERR_NOTFOUND, ERR_DENIED.
 */
int guard_move_judge(const struct guard *, uint32_t engine_pair, const struct endpoint *local,
    const struct endpoint *peer, uint32_t *pair);
/* It has moved. 0; on ERR_NOMEM or ERR_EXISTS an SA is no longer held and must go from the backend. */
int guard_moved(struct guard *, uint32_t engine_pair, const struct endpoint *local,
    const struct endpoint *peer);

/* ---- an engine that is gone ---- */
void guard_orphan_all(struct guard *);
bool guard_has_orphans(const struct guard *);
/*
 * An orphan that `sa`, just installed, makes superfluous: same node, channel and VN, and both
 * directions of the new pair are there. `sa` has the engine's pair number. NULL: any orphan. NULL when
 * there is none (any more).
 */
const struct held_sa *guard_orphan(const struct guard *, const struct sa_params *sa);

#endif
