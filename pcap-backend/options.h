/* SPDX-License-Identifier: ISC */
/* The [backend] options of the daemon's configuration, as "key=value"; see pcap-backend(8). */
#ifndef PCAP_OPTIONS_H
#define PCAP_OPTIONS_H

#include <net/if.h>

#include "pcap-backend/dp.h"

#define OPTIONS_TENANTS_MAX 250
#define OPTIONS_WHY         256

struct tenant_option {
	uint32_t vni;
	char ifname[IF_NAMESIZE];
};

struct options {
	char wire[IF_NAMESIZE];
	struct addr local[ADDRS_MAX];   /* none given: those of the wire interface */
	size_t n_local;
	struct tenant_option tenants[OPTIONS_TENANTS_MAX];
	size_t n_tenants;
	struct dp_config dp;
};

/* NULL-terminated list. 0 or ERR_VALUE; *why then names the option, what is wrong and what to do. */
int options_read(struct options *, const char *const *list, char why[static OPTIONS_WHY]);

/* A decimal number of lo to hi and nothing else. 0 or ERR_VALUE. */
int option_number(const char *text, uint64_t lo, uint64_t hi, uint64_t *);
/* yes or no. 0 or ERR_VALUE. */
int option_bool(const char *text, bool *);

#endif
