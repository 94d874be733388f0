/* SPDX-License-Identifier: ISC */
/* Batches in one system call, raw sockets for both families, a filter on the ESP sinks. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pcap-backend/port.h"

#define SEND_BUFFER (4 * 1024 * 1024)

size_t
port_send(struct port *port, const struct bytes *frames, size_t n)
{
	struct mmsghdr msgs[DP_BATCH];
	struct iovec iov[DP_BATCH];
	int fd = pcap_fileno(port_pcap(port)), r;
	size_t i, done = 0, sent = 0;

	if (n > DP_BATCH)
		n = DP_BATCH;
	memset(msgs, 0, n * sizeof msgs[0]);
	for (i = 0; i < n; i++) {
		iov[i].iov_base = (void *)(uintptr_t)frames[i].p;
		iov[i].iov_len = frames[i].n;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < n) {
		r = sendmmsg(fd, msgs + done, (unsigned)(n - done), MSG_DONTWAIT);
		if (r > 0) {
			done += (size_t)r;
			sent += (size_t)r;
		} else if (errno != EINTR) {
			done++;             /* this one is lost; the next may still go */
		}
	}
	return sent;
}

/* ---- IP packets ---- */

struct rawip {
	int v4, v6;
};

static int
raw_socket(int family)
{
	int on = 1, size = SEND_BUFFER, s;

	if ((s = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW)) < 0)
		return -1;
	/* IPPROTO_RAW says so already; that it is so is worth being told. */
	if (family == AF_INET && setsockopt(s, IPPROTO_IP, IP_HDRINCL, &on, sizeof on) != 0) {
		(void)close(s);
		return -1;
	}
	(void)setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return s;
}

int
rawip_open(struct rawip **out, char why[static OPTIONS_WHY])
{
	struct rawip *raw = calloc(1, sizeof *raw);

	*out = NULL;
	if (raw == NULL)
		return ERR_NOMEM;
	raw->v4 = raw_socket(AF_INET);
	raw->v6 = raw_socket(AF_INET6);     /* a kernel without IPv6 may have none */
	if (raw->v4 < 0) {
		(void)snprintf(why, OPTIONS_WHY, "raw socket: errno %d: give this process "
		    "CAP_NET_RAW", errno);
		rawip_close(raw);
		return ERR_IO;
	}
	*out = raw;
	return OK;
}

void
rawip_close(struct rawip *raw)
{
	if (raw == NULL)
		return;
	if (raw->v4 >= 0)
		(void)close(raw->v4);
	if (raw->v6 >= 0)
		(void)close(raw->v6);
	free(raw);
}

static socklen_t
to_sockaddr(const struct addr *a, struct sockaddr_storage *to)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (a->family == ADDR_V4) {
		memcpy(&v4.sin_addr, a->a, 4);
		memcpy(to, &v4, sizeof v4);
		return sizeof v4;
	}
	memcpy(&v6.sin6_addr, a->a, 16);
	memcpy(to, &v6, sizeof v6);
	return sizeof v6;
}

static int
error_of(int e)
{
	return e == EMSGSIZE ? ERR_SPACE : ERR_IO;
}

/* Packets of one family. */
static void
send_run(int s, struct mmsghdr *msgs, struct rawip_packet *packets, size_t n)
{
	size_t done = 0, i;
	int r;

	while (done < n) {
		r = sendmmsg(s, msgs + done, (unsigned)(n - done), MSG_DONTWAIT);
		if (r > 0) {
			for (i = 0; i < (size_t)r; i++)
				packets[done + i].rc = OK;
			done += (size_t)r;
		} else if (errno != EINTR) {
			packets[done++].rc = error_of(errno);
		}
	}
}

void
rawip_send(struct rawip *raw, struct rawip_packet *packets, size_t n)
{
	struct sockaddr_storage to[DP_BATCH];
	struct mmsghdr msgs[DP_BATCH];
	struct iovec iov[DP_BATCH];
	size_t i, from;

	if (n > DP_BATCH)
		n = DP_BATCH;
	memset(msgs, 0, n * sizeof msgs[0]);
	for (i = 0; i < n; i++) {
		iov[i].iov_base = (void *)(uintptr_t)packets[i].octets.p;
		iov[i].iov_len = packets[i].octets.n;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &to[i];
		msgs[i].msg_hdr.msg_namelen = to_sockaddr(packets[i].dst, &to[i]);
	}
	for (from = 0; from < n; from = i) {
		uint8_t family = packets[from].dst->family;

		for (i = from; i < n && packets[i].dst->family == family; i++)
			;
		send_run(family == ADDR_V4 ? raw->v4 : raw->v6, msgs + from, packets + from, i - from);
	}
}

/* ---- sinks ---- */

static int
sink_socket(int family)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &none };
	int s = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ESP);

	if (s >= 0 && setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) != 0) {
		(void)close(s);
		return -1;
	}
	return s;
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
			(void)snprintf(why, OPTIONS_WHY, "raw ESP socket: errno %d: give this "
			    "process CAP_NET_RAW", errno);
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

void
sink_drain(const struct sink *sink)
{
	(void)sink;
}
