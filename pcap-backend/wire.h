/* SPDX-License-Identifier: ISC */
/*
 * The wire port: ESP comes in by libpcap from the underlay interface and leaves by raw sockets, so
 * that routes, next hops and ARP or ND are the kernel's.
 */
#ifndef PCAP_WIRE_H
#define PCAP_WIRE_H

#include "pcap-backend/port.h"

struct wire {
	char ifname[IF_NAMESIZE];
	char filter[1024];
	struct port *port;            /* NULL: the interface is gone */
	struct rawip *raw;
	struct sink sink;
	struct dp *dp;
	size_t mtu;                   /* of the interface; 0: not known */
	int64_t retry_ms;
	bool told_too_big;            /* the words about the MTU are said once */
};

/* Open everything. The addresses are ours on the underlay. 0 or an error, *why then says more. */
int wire_open(struct wire *, const struct options *, struct dp *, char why[static OPTIONS_WHY]);
void wire_close(struct wire *);
void wire_read(struct wire *);
void wire_send(struct wire *, const struct dp_out *, size_t n);
void wire_tick(struct wire *);
int64_t wire_deadline(const struct wire *);
/* The capture filter: ESP, ESP in UDP, and plaintext VXLAN, to our addresses. 0 or ERR_SPACE. */
int wire_filter(const struct options *, const struct addr *local, size_t n, char *to, size_t cap);

#endif
