/* SPDX-License-Identifier: ISC */
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
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
	int one = 1, never;

	if (family == ADDR_V4) {
		/*
		 * Never DF: an IKE message larger than the path's MTU must get through in
		 * fragments.
		 */
		never = IP_PMTUDISC_DONT;
		if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one) != 0 ||
		    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof never) != 0)
			return ERR_IO;
		return OK;
	}
	never = IPV6_PMTUDISC_DONT;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one) != 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &never, sizeof never) != 0)
		return ERR_IO;
	return OK;
}

int
udp_filter_natt(int fd)
{
	/* Offset 0 is the UDP header. A load beyond the packet's end drops it, too. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffffu),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = sizeof code / sizeof code[0], .filter = code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
		return ERR_IO;
	return OK;
}

int
udp_encap_socket(int fd)
{
	int type = UDP_ENCAP_ESPINUDP;

	return setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) == 0 ? OK : ERR_IO;
}

static void
take_local(struct msghdr *msg, struct addr *local)
{
	struct cmsghdr *c;
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	memset(local, 0, sizeof *local);
	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof v4);
			(void)addr_from_bytes(local, bytes_of(&v4.ipi_addr, 4));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof v6);
			(void)addr_from_bytes(local, bytes_of(&v6.ipi6_addr, 16));
		}
	}
}

size_t
udp_receive(int fd, struct udp_slot *slots, size_t n)
{
	struct mmsghdr msgs[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	union control control[UDP_BATCH];
	int i, got;

	memset(msgs, 0, sizeof msgs);
	for (i = 0; i < (int)n; i++) {
		iov[i] = (struct iovec){ .iov_base = slots[i].data, .iov_len = UDP_DATAGRAM_MAX };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &slots[i].peer, .msg_namelen = sizeof slots[i].peer,
			.msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = &control[i], .msg_controllen = sizeof control[i].space,
		};
	}
	got = recvmmsg(fd, msgs, (unsigned)n, MSG_DONTWAIT, NULL);
	for (i = 0; i < got; i++) {
		slots[i].n = msgs[i].msg_len;
		slots[i].peer_len = msgs[i].msg_hdr.msg_namelen;
		slots[i].truncated = (msgs[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
		take_local(&msgs[i].msg_hdr, &slots[i].local);
	}
	return got > 0 ? (size_t)got : 0;
}

static void
put_local(struct msghdr *msg, union control *control, const struct addr *local)
{
	struct in_pktinfo v4 = { .ipi_ifindex = 0 };
	struct in6_pktinfo v6 = { .ipi6_ifindex = 0 };
	struct cmsghdr *c = &control->align;
	size_t n = local->family == ADDR_V4 ? sizeof v4 : sizeof v6;

	memset(control, 0, sizeof *control);
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(n);
	c->cmsg_len = CMSG_LEN(n);
	if (local->family == ADDR_V4) {
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		memcpy(&v4.ipi_spec_dst, local->a, 4);
		memcpy(CMSG_DATA(c), &v4, sizeof v4);
	} else {
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		memcpy(&v6.ipi6_addr, local->a, 16);
		memcpy(CMSG_DATA(c), &v6, sizeof v6);
	}
}

size_t
udp_transmit(int fd, struct udp_slot *slots, size_t n)
{
	struct mmsghdr msgs[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	union control control[UDP_BATCH];
	int i, sent;

	memset(msgs, 0, sizeof msgs);
	for (i = 0; i < (int)n; i++) {
		iov[i] = (struct iovec){ .iov_base = slots[i].data, .iov_len = slots[i].n };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &slots[i].peer, .msg_namelen = slots[i].peer_len,
			.msg_iov = &iov[i], .msg_iovlen = 1,
		};
		if (slots[i].local.family != AF_NONE_ && !addr_is_unspecified(&slots[i].local))
			put_local(&msgs[i].msg_hdr, &control[i], &slots[i].local);
	}
	sent = sendmmsg(fd, msgs, (unsigned)n, MSG_DONTWAIT);
	return sent > 0 ? (size_t)sent : 0;
}
