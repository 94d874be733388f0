/* SPDX-License-Identifier: ISC */
/* The SAs that we installed, and those that a former process left. Pure, like spd.h. */
#ifndef XFRM_SAD_H
#define XFRM_SAD_H

#include "xfrm-backend/spd.h"

struct sad_entry {
	struct sa_params p;              /* key wiped */
	struct xsa x;                    /* as the kernel shall show it */
	struct target *target;
	bool have;                       /* the kernel took it */
	bool seen;                       /* in the dump that is being read, as it was given */
	bool changed;                    /* in it, but changed by somebody */
	bool unfit;                      /* there, but not as given: to be deleted */
	bool dead;                       /* deleted by us, freed at the end of the batch */
	int64_t next_mapping_ms;         /* until then the peer's new endpoint is no news; monotonic */
	struct sad_entry *next_dead;
};

struct sad {
	struct hash *sas;                /* SPI and destination -> struct sad_entry */
	struct hash *former;             /* the same -> struct xsa */
	struct sad_entry *dead;
};

/* 0 or ERR_NOMEM. */
int sad_init(struct sad *, const uint8_t seed[static 16]);
void sad_free(struct sad *);

/*
 * The key is not kept. An SA of a former process with this SPI and destination is forgotten: one of them
 * only can be in the kernel. 0, ERR_EXISTS (SPI and destination are taken by one of ours), ERR_NOMEM,
 * ERR_UNSUPPORTED: selectors that one kernel SA can't have.
 */
int sad_add(struct sad *, const struct sa_params *, struct target *, struct sad_entry **);
struct sad_entry *sad_find(const struct sad *, uint32_t spi, const struct addr *dst);
struct sad_entry *sad_next(const struct sad *, size_t *pos);
/* Out of the table at once; its memory goes with sad_sweep(). */
void sad_del(struct sad *, struct sad_entry *);
void sad_sweep(struct sad *);

/* An SA with a reqid of ours that nobody here installed. 0 or ERR_NOMEM; known already: 0. */
int sad_inherit(struct sad *, const struct xsa *);
struct xsa *sad_former(const struct sad *, uint32_t spi, const struct addr *dst);
struct xsa *sad_former_next(const struct sad *, size_t *pos);
void sad_former_del(struct sad *, struct xsa *);

#endif
