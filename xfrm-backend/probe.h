/* SPDX-License-Identifier: ISC */
/* What the running kernel has of what xfrm-backend needs: found out by trying, not by version numbers. */
#ifndef XFRM_PROBE_H
#define XFRM_PROBE_H

#include "xfrm-backend/netlink.h"
#include "xfrm-backend/options.h"
#include "xfrm-backend/xfrm_msg.h"

/*
 * Install an ESP SA between loopback addresses with this reqid, read it back and delete it: says
 * whether there is ESP with AES-GCM at all, and whether SAs have a direction. 0, or an error and *why with the way out.
 */
int probe_esp(struct nl *, uint32_t reqid, struct xmsg_kernel *, char why[static NL_WHY]);

/*
 * `--check`: tries everything in a network namespace of its own, so that nothing here is touched, and
 * writes a line per finding, "LEVEL<TAB>WHAT<TAB>TEXT", to standard output. LEVEL is ok, warn or fail.
 * 0 if it could be tried, also when something is missing; ERR_DENIED without the privilege.
 */
int probe_all(const struct options *);

#endif
