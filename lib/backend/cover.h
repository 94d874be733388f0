/* SPDX-License-Identifier: ISC */
/* The pure judgement: does a grant cover an SA? */
#ifndef BACKEND_COVER_H
#define BACKEND_COVER_H

#include "base/err.h"
#include "base/sa.h"

/* Is this an SA that can exist at all? 0 or ERR_VALUE and *why (static). Its key is not looked at. */
int cover_sane(const struct sa_params *, const char **why);
/*
 * Addresses, channel, suite, mode, selectors and VN of the SA within the grant: 0, or ERR_DENIED and
 * *why (static). Not the grant's expiry. The i-th source selector goes with the i-th destination
 * selector; where one side has fewer, its last one goes with the rest.
 */
int cover_check(const struct grant *, const struct sa_params *, const char **why);

#endif
