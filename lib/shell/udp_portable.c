/* SPDX-License-Identifier: ISC */
/*
 * One datagram per call, with what POSIX and RFC 3542 give; IPv4's local address in the two
 * dialects that there are.
 */
#include <netinet/in.h>
#include <sys/uio.h>

#include "base/err.h"
#include "shell/udp_int.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

int
udp_options(int fd, uint8_t family)
{
	int one = 1;

	if (family == ADDR_V6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one) == 0 ?
		    OK : ERR_IO;
#if defined(IP_PKTINFO)
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one) == 0 ? OK : ERR_IO;
#elif defined(IP_RECVDSTADDR)
	return setsockopt(fd, IPPROTO_IP, IP_RECVDSTADDR, &one, sizeof one) == 0 ? OK : ERR_IO;
#else
	return OK;
#endif
}

int
udp_filter_natt(int fd)
{
	(void)fd;
	return OK;
}

int
udp_encap_socket(int fd)
{
	(void)fd;
	return ERR_UNSUPPORTED;
}

static void
take_local(struct msghdr *msg, struct addr *local)
{
	struct cmsghdr *c;
	struct in6_pktinfo v6;

	memset(local, 0, sizeof *local);
	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof v6);
			(void)addr_from_bytes(local, bytes_of(&v6.ipi6_addr, 16));
		}
#if defined(IP_PKTINFO)
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo v4;

			memcpy(&v4, CMSG_DATA(c), sizeof v4);
			(void)addr_from_bytes(local, bytes_of(&v4.ipi_addr, 4));
		}
#elif defined(IP_RECVDSTADDR)
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVDSTADDR)
			(void)addr_from_bytes(local, bytes_of(CMSG_DATA(c), 4));
#endif
	}
}

size_t
udp_receive(int fd, struct udp_slot *slots, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct iovec iov = { .iov_base = slots[i].data, .iov_len = UDP_DATAGRAM_MAX };
		union control control;
		struct msghdr msg = {
			.msg_name = &slots[i].peer, .msg_namelen = sizeof slots[i].peer,
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = &control, .msg_controllen = sizeof control.space,
		};
		ssize_t got = recvmsg(fd, &msg, MSG_DONTWAIT);

		if (got < 0)
			break;
		slots[i].n = (size_t)got;
		slots[i].peer_len = msg.msg_namelen;
		slots[i].truncated = (msg.msg_flags & MSG_TRUNC) != 0;
		take_local(&msg, &slots[i].local);
	}
	return i;
}

/* False where the source of an IPv4 datagram can't be chosen: the socket's address has to do. */
static bool
put_local(struct msghdr *msg, union control *control, const struct addr *local)
{
	struct in6_pktinfo v6 = { .ipi6_ifindex = 0 };
	struct cmsghdr *c = &control->align;

	memset(control, 0, sizeof *control);
	msg->msg_control = control;
	if (local->family == ADDR_V6) {
		msg->msg_controllen = CMSG_SPACE(sizeof v6);
		c->cmsg_len = CMSG_LEN(sizeof v6);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		memcpy(&v6.ipi6_addr, local->a, 16);
		memcpy(CMSG_DATA(c), &v6, sizeof v6);
		return true;
	}
#if defined(IP_PKTINFO)
	{
		struct in_pktinfo v4;

		memset(&v4, 0, sizeof v4);
		msg->msg_controllen = CMSG_SPACE(sizeof v4);
		c->cmsg_len = CMSG_LEN(sizeof v4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		memcpy(&v4.ipi_spec_dst, local->a, 4);
		memcpy(CMSG_DATA(c), &v4, sizeof v4);
		return true;
	}
#elif defined(IP_SENDSRCADDR)
	msg->msg_controllen = CMSG_SPACE(4);
	c->cmsg_len = CMSG_LEN(4);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_SENDSRCADDR;
	memcpy(CMSG_DATA(c), local->a, 4);
	return true;
#else
	return false;
#endif
}

size_t
udp_transmit(int fd, struct udp_slot *slots, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct iovec iov = { .iov_base = slots[i].data, .iov_len = slots[i].n };
		union control control;
		struct msghdr msg = {
			.msg_name = &slots[i].peer, .msg_namelen = slots[i].peer_len,
			.msg_iov = &iov, .msg_iovlen = 1,
		};

		if (slots[i].local.family == AF_NONE_ || addr_is_unspecified(&slots[i].local) ||
		    !put_local(&msg, &control, &slots[i].local)) {
			msg.msg_control = NULL;
			msg.msg_controllen = 0;
		}
		if (sendmsg(fd, &msg, MSG_DONTWAIT) < 0)
			break;
	}
	return i;
}
