/* SPDX-License-Identifier: ISC */
/*
 * The same with POSIX sockets and libpcap alone. Raw IPv6 sockets take no header of ours here (RFC
 * 3542 section 3), so the header is taken off and the kernel, bound to our address, writes its own.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pcap-backend/iphdr.h"
#include "pcap-backend/port.h"

#define V6_SOCKETS  16
#define SINK_BUFFER (1024 * 1024)

size_t
port_send(struct port *port, const struct bytes *frames, size_t n)
{
	size_t i, sent = 0;

	for (i = 0; i < n; i++)
		sent += pcap_inject(port_pcap(port), frames[i].p, frames[i].n) >= 0;
	return sent;
}

/* ---- IP packets ---- */

struct v6_socket {
	struct addr src;
	uint8_t proto;
	int s;
};

struct rawip {
	int v4;
	struct v6_socket v6[V6_SOCKETS];     /* made when first needed; the oldest makes room */
	size_t n_v6, next;
};

int
rawip_open(struct rawip **out, char why[static OPTIONS_WHY])
{
	struct rawip *raw = calloc(1, sizeof *raw);
	int on = 1;

	*out = NULL;
	if (raw == NULL)
		return ERR_NOMEM;
	raw->v4 = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (raw->v4 < 0 || setsockopt(raw->v4, IPPROTO_IP, IP_HDRINCL, &on, sizeof on) != 0) {
		(void)snprintf(why, OPTIONS_WHY, "raw socket: errno %d: run this as a user that may "
		    "open one", errno);
		rawip_close(raw);
		return ERR_IO;
	}
	*out = raw;
	return OK;
}

void
rawip_close(struct rawip *raw)
{
	size_t i;

	if (raw == NULL)
		return;
	if (raw->v4 >= 0)
		(void)close(raw->v4);
	for (i = 0; i < raw->n_v6; i++)
		(void)close(raw->v6[i].s);
	free(raw);
}

static struct sockaddr_in6
v6_name(const struct addr *a)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memcpy(&v6.sin6_addr, a->a, 16);
	return v6;
}

static int
v6_socket(struct rawip *raw, const struct addr *src, uint8_t proto)
{
	struct sockaddr_in6 name = v6_name(src);
	struct v6_socket *slot;
	size_t i;
	int s;

	for (i = 0; i < raw->n_v6; i++)
		if (raw->v6[i].proto == proto && addr_equal(&raw->v6[i].src, src))
			return raw->v6[i].s;
	if ((s = socket(AF_INET6, SOCK_RAW, proto)) < 0)
		return -1;
	/* Nothing is ever read from it. */
	(void)shutdown(s, SHUT_RD);
	if (bind(s, (const struct sockaddr *)&name, sizeof name) != 0) {
		(void)close(s);
		return -1;
	}
	if (raw->n_v6 < V6_SOCKETS) {
		slot = &raw->v6[raw->n_v6++];
	} else {
		slot = &raw->v6[raw->next++ % V6_SOCKETS];
		(void)close(slot->s);
	}
	slot->src = *src;
	slot->proto = proto;
	slot->s = s;
	return s;
}

static ssize_t
send_v4(struct rawip *raw, struct bytes packet, const struct addr *dst)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	memcpy(&to.sin_addr, dst->a, 4);
	return sendto(raw->v4, packet.p, packet.n, 0, (const struct sockaddr *)&to, sizeof to);
}

static ssize_t
send_v6(struct rawip *raw, struct bytes packet, const struct addr *dst)
{
	struct sockaddr_in6 to = v6_name(dst);
	struct ip_view ip;
	int s;

	if (ip_read(packet, &ip) != OK || (s = v6_socket(raw, &ip.src, ip.proto)) < 0)
		return -1;
	return sendto(s, ip.payload.p, ip.payload.n, 0, (const struct sockaddr *)&to, sizeof to);
}

void
rawip_send(struct rawip *raw, struct rawip_packet *packets, size_t n)
{
	struct rawip_packet *p;

	for (p = packets; p < packets + n; p++) {
		ssize_t r = p->dst->family == ADDR_V4 ? send_v4(raw, p->octets, p->dst) :
		    send_v6(raw, p->octets, p->dst);

		p->rc = r >= 0 ? OK : errno == EMSGSIZE ? ERR_SPACE : ERR_IO;
	}
}

/* ---- sinks ---- */

/* Some kernels hold a socket whose buffer is full for none at all, and answer; hence sink_drain(). */
static int
sink_socket(int family)
{
	int s = socket(family, SOCK_RAW, IPPROTO_ESP), size = SINK_BUFFER;

	if (s >= 0)
		(void)setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	return s;
}

static void
drain(int s)
{
	uint8_t octet;

	while (s >= 0 && recv(s, &octet, sizeof octet, MSG_DONTWAIT) >= 0)
		;
}

void
sink_drain(const struct sink *sink)
{
	drain(sink->v4);
	drain(sink->v6);
}

int
sink_open(struct sink *sink, const struct addr *local, size_t n, char why[static OPTIONS_WHY])
{
	size_t i;

	sink->v4 = sink->v6 = -1;
	for (i = 0; i < n; i++) {
		bool v4 = local[i].family == ADDR_V4;
		int *s = v4 ? &sink->v4 : &sink->v6;

		if (*s >= 0)
			continue;
		if ((*s = sink_socket(v4 ? AF_INET : AF_INET6)) < 0) {
			(void)snprintf(why, OPTIONS_WHY, "raw ESP socket: errno %d: run this as a "
			    "user that may open one", errno);
			sink_close(sink);
			return ERR_IO;
		}
	}
	return OK;
}

void
sink_close(struct sink *sink)
{
	if (sink->v4 >= 0)
		(void)close(sink->v4);
	if (sink->v6 >= 0)
		(void)close(sink->v6);
	sink->v4 = sink->v6 = -1;
}
