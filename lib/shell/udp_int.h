/* SPDX-License-Identifier: ISC */
/* Between udp.c and the system's own half of it (udp_linux.c or udp_portable.c). */
#ifndef SHELL_UDP_INT_H
#define SHELL_UDP_INT_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "shell/udp.h"

#define UDP_BATCH 16
#define UDP_DATAGRAM_MAX 65535
#define UDP_MARKER 4

/* One datagram on its way in or out; data is the whole payload, marker included. */
struct udp_slot {
	struct sockaddr_storage peer;
	socklen_t peer_len;
	struct addr local;       /* unset: not known, or the system may choose */
	uint8_t *data;
	size_t n;
	bool truncated;
};

/* Options that let udp_receive() tell the local address, and those against fragment trouble. */
int udp_options(int fd, uint8_t family);
/* Drop in the kernel what has no non-ESP marker; 0 also where the system can't. */
int udp_filter_natt(int fd);
/* ESP in UDP is the kernel's from here on. 0, ERR_IO or ERR_UNSUPPORTED. */
int udp_encap_socket(int fd);
/* Up to n datagrams, each into slot.data (UDP_DATAGRAM_MAX octets): how many came, 0 when none. */
size_t udp_receive(int fd, struct udp_slot *, size_t n);
/* Send n datagrams: how many the system took before the first it refused. */
size_t udp_transmit(int fd, struct udp_slot *, size_t n);

socklen_t udp_sockaddr(const struct endpoint *, struct sockaddr_storage *);
int udp_endpoint(const struct sockaddr_storage *, struct endpoint *);

#endif
