/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/netlink_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUEST_BUF (4 << 20)
#define LISTEN_BUF  (8 << 20)
#define SEND_SPARE  4096u               /* the kernel wants a send buffer a little larger than the message */

/* ---- opening ---- */

static void
set_buffer(struct nl *nl, int forced, int plain, int size)
{
	int s = mnl_socket_get_fd(nl->sock);

	/* Forcing wants CAP_NET_ADMIN of the first user namespace; without, up to the system's limit. */
	if (setsockopt(s, SOL_SOCKET, forced, &size, sizeof size) != 0)
		(void)setsockopt(s, SOL_SOCKET, plain, &size, sizeof size);
}

static const char *
bus_name(int bus)
{
	return bus == NETLINK_XFRM ? "XFRM" : bus == NETLINK_NETFILTER ? "nf_tables" : "netlink";
}

static void
explain(char why[static NL_WHY], int bus, const char *step, int e)
{
	const char *way = "";

	if (e == EPERM || e == EACCES)
		way = ": give this process CAP_NET_ADMIN";
	else if (e == EPROTONOSUPPORT || e == EAFNOSUPPORT)
		way = bus == NETLINK_XFRM ? ": load the kernel module xfrm_user" :
		    ": load the kernel module nfnetlink";
	(void)snprintf(why, NL_WHY, "%s socket: %s: %s%s", bus_name(bus), step, strerror(e), way);
}

static bool
make_slots(struct nl *nl)
{
	size_t i;

	if ((nl->in = malloc(NL_SLOTS * NL_SLOT)) == NULL)
		return false;
	for (i = 0; i < NL_SLOTS; i++) {
		nl->slots[i].iov.iov_base = nl->in + i * NL_SLOT;
		nl->slots[i].iov.iov_len = NL_SLOT;
		nl->msgs[i].msg_hdr.msg_iov = &nl->slots[i].iov;
		nl->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	return true;
}

static struct nl *
open_bound(int bus, char why[static NL_WHY])
{
	struct nl *nl = calloc(1, sizeof *nl);
	const char *step = "memory";
	int e = ENOMEM;

	if (nl == NULL || !make_slots(nl))
		goto bad;
	nl->seq = 1;
	nl->next.out = wr_grow(NL_PENDING_MAX);
	step = "open";
	if ((nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK)) == NULL ||
	    mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) != 0) {
		e = errno;
		goto bad;
	}
	return nl;
bad:
	explain(why, bus, step, e);
	nl_close(nl);
	return NULL;
}

struct nl *
nl_open(int bus, char why[static NL_WHY])
{
	struct nl *nl = open_bound(bus, why);
	int on = 1;

	if (nl == NULL)
		return NULL;
	set_buffer(nl, SO_SNDBUFFORCE, SO_SNDBUF, REQUEST_BUF);
	set_buffer(nl, SO_RCVBUFFORCE, SO_RCVBUF, REQUEST_BUF);
	/* Kernels without these answer all the same, longer or with less to say. */
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof on);
	(void)mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof on);
	return nl;
}

struct nl *
nl_listen(int bus, const unsigned *groups, char why[static NL_WHY])
{
	struct nl *nl = open_bound(bus, why);

	if (nl == NULL)
		return NULL;
	set_buffer(nl, SO_RCVBUFFORCE, SO_RCVBUF, LISTEN_BUF);
	for (; *groups != 0; groups++) {
		unsigned group = *groups;

		if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
			explain(why, bus, "listen", errno);
			nl_close(nl);
			return NULL;
		}
	}
	return nl;
}

void
nl_close(struct nl *nl)
{
	if (nl == NULL)
		return;
	if (nl->sock != NULL)
		(void)mnl_socket_close(nl->sock);
	nl_run_free(&nl->next);
	free(nl->in);
	free(nl);
}

int
nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

uint32_t
nl_port(const struct nl *nl)
{
	return mnl_socket_get_portid(nl->sock);
}

/* ---- taking in ---- */

int
nl_receive(struct nl *nl, size_t max)
{
	size_t i;
	int n;

	if (max > NL_SLOTS)
		max = NL_SLOTS;
	for (i = 0; i < max; i++) {
		nl->msgs[i].msg_hdr.msg_name = &nl->slots[i].from;
		nl->msgs[i].msg_hdr.msg_namelen = sizeof nl->slots[i].from;
		nl->msgs[i].msg_hdr.msg_flags = 0;
		nl->msgs[i].msg_len = 0;
	}
	do
		n = recvmmsg(nl_fd(nl), nl->msgs, (unsigned)max, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

void
nl_forget(struct nl *nl, int n)
{
	int i;

	for (i = 0; i < n; i++)
		wipe(nl->slots[i].iov.iov_base, nl->msgs[i].msg_len);
}

bool
nl_from_kernel(const struct nl *nl, int i)
{
	return nl->msgs[i].msg_hdr.msg_namelen >= sizeof(struct sockaddr_nl) &&
	    nl->slots[i].from.nl_pid == 0;
}

bool
nl_cut_off(const struct nl *nl, int i)
{
	return (nl->msgs[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
}

static void
read_text(struct rd *r, char text[static NL_WHY])
{
	struct nlattr a;
	struct bytes b;
	size_t i;

	while (rd_left(r) >= sizeof a) {
		rd_copy(r, &a, sizeof a);
		if (a.nla_len < sizeof a)
			return;
		b = rd_take(r, a.nla_len - sizeof a);
		rd_skip(r, ALIGN4(b.n) - b.n < rd_left(r) ? ALIGN4(b.n) - b.n : rd_left(r));
		if ((a.nla_type & (unsigned)NLA_TYPE_MASK) != NLMSGERR_ATTR_MSG)
			continue;
		for (i = 0; i < b.n && i < NL_WHY - 1 && b.p[i] != '\0'; i++)
			text[i] = b.p[i] >= ' ' && b.p[i] <= '~' ? (char)b.p[i] : '?';
		text[i] = '\0';
	}
}

struct said
nl_read_said(const struct nlmsghdr *h)
{
	struct said s = { .err = EIO };
	struct rd r = rd_open(bytes_of(h, h->nlmsg_len));
	struct nlmsghdr request;
	int32_t err;

	rd_skip(&r, sizeof *h);
	rd_copy(&r, &err, sizeof err);
	if (h->nlmsg_type == NLMSG_ERROR) {
		rd_copy(&r, &request, sizeof request);
		if (request.nlmsg_len < sizeof request)
			rd_fail(&r);
		else if ((h->nlmsg_flags & NLM_F_CAPPED) == 0)
			rd_skip(&r, ALIGN4(request.nlmsg_len - sizeof request));
	}
	if (!rd_ok(&r))
		return s;
	/* The most negative number has no positive one. */
	s.err = err == INT32_MIN ? EIO : err < 0 ? -err : err;
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) != 0)
		read_text(&r, s.text);
	return s;
}

/* ---- sending ---- */

int
nl_send(struct nl *nl, const void *p, size_t n)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	struct msghdr m = { .msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = &iov,
	    .msg_iovlen = 1 };
	ssize_t r;

	if (n + SEND_SPARE > REQUEST_BUF && n < INT32_MAX / 2)
		set_buffer(nl, SO_SNDBUFFORCE, SO_SNDBUF, (int)(n + SEND_SPARE));
	do
		r = sendmsg(nl_fd(nl), &m, 0);
	while (r < 0 && errno == EINTR);
	return r < 0 ? errno : 0;
}

/* ---- notifications ---- */

static void
events_of(const void *p, size_t n, void (*each)(void *arg, const struct nlmsghdr *), void *arg)
{
	const struct nlmsghdr *h = p;
	int left = (int)n;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		if (h->nlmsg_type >= NLMSG_MIN_TYPE)
			each(arg, h);
}

int
nl_events(struct nl *nl, size_t max, void (*each)(void *arg, const struct nlmsghdr *), void *arg)
{
	bool lost = false;
	int n, i;

	for (; max > 0 && !lost; max -= (size_t)n) {
		if ((n = nl_receive(nl, max)) == 0)
			return OK;
		if (n < 0)
			return n == -ENOBUFS ? ERR_SPACE : ERR_IO;
		for (i = 0; i < n; i++) {
			if (!nl_from_kernel(nl, i))
				continue;
			if (nl_cut_off(nl, i))
				lost = true;
			else
				events_of(nl->slots[i].iov.iov_base, nl->msgs[i].msg_len, each, arg);
		}
		nl_forget(nl, n);
	}
	return lost ? ERR_SPACE : ERR_AGAIN;
}
