/* SPDX-License-Identifier: ISC */
/* What the files behind netlink.h share. */
#ifndef XFRM_NETLINK_INT_H
#define XFRM_NETLINK_INT_H

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "base/rd.h"
#include "base/wr.h"
#include "xfrm-backend/netlink.h"

#define NL_SLOTS       32u              /* datagrams taken in one system call */
#define NL_SLOT        (16u * 1024)     /* octets of the largest answer or notification, and more */
#define NL_PENDING_MAX (256u << 20)     /* octets collected at most, and of one dump */
#define NL_ENOBUFS_MAX 16               /* times in a row, before a socket is given up */

#define ALIGN4(n) (((n) + 3u) & ~(size_t)3)

struct item {
	bool ack;            /* an answer is owed */
	bool told;
};

/* What one nl_run() sends. */
struct run {
	struct wr out;
	struct item *items;
	size_t n, cap;
	uint32_t first;      /* sequence number of item 0 */
};

struct slot {
	struct sockaddr_nl from;
	struct iovec iov;
};

struct nl {
	struct mnl_socket *sock;
	uint32_t seq;                /* the next one */
	struct run next;
	uint8_t *in;                 /* NL_SLOTS * NL_SLOT octets; may hold keys, so wiped when handed over */
	struct slot slots[NL_SLOTS];
	struct mmsghdr msgs[NL_SLOTS];
};

/* Wipes what was collected. */
void nl_run_free(struct run *);

/* How many datagrams are in the slots now, at most max; 0: there is none; else a negative errno. */
int nl_receive(struct nl *, size_t max);
/* Wipes the first n slots: every nl_receive() is followed by one. */
void nl_forget(struct nl *, int n);
/* Slot i came from the kernel: another process with CAP_NET_ADMIN may send to our port too. */
bool nl_from_kernel(const struct nl *, int i);
/* Slot i was larger than the slot, and is not whole. */
bool nl_cut_off(const struct nl *, int i);
/* Sends one datagram to the kernel, which works it off meanwhile. 0 or a positive errno. */
int nl_send(struct nl *, const void *, size_t n);

/* What an answer says. */
struct said {
	int err;                 /* positive errno or 0 */
	char text[NL_WHY];
};

/* Of an answer of type NLMSG_ERROR (an acknowledgement, too) or NLMSG_DONE, which has no request in it. */
struct said nl_read_said(const struct nlmsghdr *);

#endif
