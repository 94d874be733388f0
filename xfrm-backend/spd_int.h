/* SPDX-License-Identifier: ISC */
/* What spd.c (policies) and spd_target.c (whom they are for) share. Nobody else includes it. */
#ifndef XFRM_SPD_INT_H
#define XFRM_SPD_INT_H

#include "xfrm-backend/spd.h"

#define SPD_UDP 17

/* Priorities, counted from that of the options, but for the last one; see spd.h. */
enum spd_place { PLACE_TARGET = 0, PLACE_FENCE, PLACE_BYPASS, PLACE_WIDE, PLACE_BLOCK };

/* Wanted for this target (NULL: nobody's) from now on. 0, ERR_NOMEM, ERR_EXISTS: another has it. */
int spd_want(struct spd *, const struct xpol *, struct target *);
void spd_unwant(struct spd *, struct pol_entry *);

#endif
