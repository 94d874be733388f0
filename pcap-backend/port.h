/* SPDX-License-Identifier: ISC */
/*
 * What the data plane needs from the system: Ethernet ports (libpcap), and sockets that send whole
 * IP packets by the kernel's routing. port.c is common; ports_linux.c and ports_portable.c hold
 * what differs.
 */
#ifndef PCAP_PORT_H
#define PCAP_PORT_H

#include <poll.h>

#include "base/addr.h"
#include "base/err.h"
#include "pcap-backend/options.h"

/* ---- ports ---- */
struct port;

/*
 * Open an interface for what comes in on it. filter: as pcap-filter(7), NULL for all; promiscuous:
 * whatever the destination MAC. *why says what and what to do. 0, ERR_NOTFOUND (no such interface),
 * ERR_IO.
 */
int port_open(struct port **, const char *ifname, const char *filter, bool promiscuous,
    char why[static OPTIONS_WHY]);
void port_close(struct port *);
/* To poll for reading. */
int port_fd(const struct port *);
/*
 * Hand up to max waiting frames to each(). wire_len is the frame's length; octets.n less when it did
 * not fit. Number of frames, or ERR_GONE: the interface is gone.
 */
int port_read(struct port *, int max, void (*each)(void *arg, struct bytes octets, size_t wire_len),
    void *arg);
/*
 * The last port_read() found nothing, though it was told there was something: the interface may be
 * down, or about to go, which is told once only. Worth another port_read() after a while.
 */
bool port_suspect(const struct port *);
/* Send Ethernet frames; how many the system took (the rest is lost). */
size_t port_send(struct port *, const struct bytes *frames, size_t n);
/* Frames lost for want of buffer since the last call. */
uint64_t port_lost(struct port *);
/* Octets of link header in front of the IP packet: 14, or 0 without one. */
size_t port_link_len(const struct port *);
/* The handle of libpcap, for ports_*.c. */
struct pcap;
struct pcap *port_pcap(const struct port *);

/* ---- sending IP packets, headers included ---- */
struct rawip;

int rawip_open(struct rawip **, char why[static OPTIONS_WHY]);
void rawip_close(struct rawip *);
struct rawip_packet {
	struct bytes octets;
	const struct addr *dst;
	int rc;                  /* result: 0, ERR_SPACE (larger than the MTU of the way out), ERR_IO */
};
/* Send at most DP_BATCH packets by the kernel's routing. */
void rawip_send(struct rawip *, struct rawip_packet *, size_t n);

/* ---- the system ---- */
/*
 * Sockets of protocol ESP that deliver nothing: with them there, the kernel does not answer ESP that
 * it knows no SA for with "protocol unreachable". Families as the addresses say.
 */
struct sink { int v4, v6; };
int sink_open(struct sink *, const struct addr *local, size_t n, char why[static OPTIONS_WHY]);
void sink_close(struct sink *);
/* Throw away what has come, where the system lacks a filter; to be called while ESP comes. */
void sink_drain(const struct sink *);
/* Addresses of an interface, link-local ones left out; how many. */
size_t interface_addrs(const char *ifname, struct addr *, size_t max);
/* Its MTU; 0 if it can't be told. */
size_t interface_mtu(const char *ifname);

#endif
