/* SPDX-License-Identifier: ISC */
/* A tenant port: the interface on which frames of one VN come and go. */
#ifndef PCAP_TENANT_H
#define PCAP_TENANT_H

#include "pcap-backend/port.h"

struct tenant {
	uint32_t vni;
	char ifname[IF_NAMESIZE];
	struct port *port;            /* NULL: the interface is gone */
	int64_t retry_ms;             /* when to look for it again, or whether it is still there */
	struct dp *dp;
};

/* Open the interface, and the VN in the data plane. 0 or an error, *why then says more. */
int tenant_open(struct tenant *, const struct tenant_option *, struct dp *, char why[static OPTIONS_WHY]);
void tenant_close(struct tenant *);
/* Hand what waits to the data plane; a port whose interface is gone is closed. */
void tenant_read(struct tenant *);
/* Frames for this VN. Lost ones are counted. */
void tenant_send(struct tenant *, const struct bytes *frames, size_t n);
/* Look for a lost interface, when it is time. */
void tenant_tick(struct tenant *);
/* When to call tenant_tick(); TIMER_NEVER when the port is there and well. */
int64_t tenant_deadline(const struct tenant *);

#endif
