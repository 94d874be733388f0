/* SPDX-License-Identifier: ISC */
/* The [backend] options of the daemon's configuration, as "key=value"; see xfrm-backend(8). */
#ifndef XFRM_OPTIONS_H
#define XFRM_OPTIONS_H

#include "base/bytes.h"
#include "base/err.h"

#define OPTIONS_PORTS_MAX 16
#define OPTIONS_WHY       256
#define OPTIONS_TABLE_MAX 32
#define REQIDS            (1u << 20)     /* reqids that are ours, from reqid_base on */
#define PRIORITIES        3u

struct options {
	uint16_t vxlan_ports[OPTIONS_PORTS_MAX];
	size_t n_vxlan_ports;
	uint16_t ike_port, natt_port;
	uint32_t reqid_base;
	uint32_t priority;               /* of the policies per peer; the next PRIORITIES are ours too: spd.h */
	uint32_t block_priority;
	uint32_t reconcile_s;            /* between full comparisons */
	char table[OPTIONS_TABLE_MAX];   /* of nf_tables */
};

/* NULL-terminated list. 0 or ERR_VALUE; *why then names the option, what is wrong and what to do. */
int options_read(struct options *, const char *const *list, char why[static OPTIONS_WHY]);
/* Is it one of vxlan-port? */
bool options_have_port(const struct options *, uint16_t port);

#endif
