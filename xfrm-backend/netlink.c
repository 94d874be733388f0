/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/rd.h"
#include "base/wr.h"

#define SLOTS        32u                /* datagrams taken in one system call */
#define SLOT         (16u * 1024)       /* octets of the largest answer or notification, and more */
#define PENDING_MAX  (256u << 20)       /* octets collected at most, and of one dump */
#define PIECE        256u               /* requests sent together where that is not asked for ... */
#define PIECE_OCTETS (64u * 1024)       /* ... and octets, unless one is larger */
#define REQUEST_BUF  (4 << 20)
#define LISTEN_BUF   (8 << 20)
#define SEND_SPARE   4096u              /* the kernel wants a send buffer a little larger than the message */
#define DUMP_TRIES   4
#define ENOBUFS_MAX  16                 /* times in a row, before a socket is given up */

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
	uint8_t *in;                 /* SLOTS * SLOT octets; may hold keys, so wiped when handed over */
	struct slot slots[SLOTS];
	struct mmsghdr msgs[SLOTS];
};

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

	if ((nl->in = malloc(SLOTS * SLOT)) == NULL)
		return false;
	for (i = 0; i < SLOTS; i++) {
		nl->slots[i].iov.iov_base = nl->in + i * SLOT;
		nl->slots[i].iov.iov_len = SLOT;
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
	nl->next.out = wr_grow(PENDING_MAX);
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

static void
run_free(struct run *run)
{
	wr_free(&run->out);
	free(run->items);
	run->items = NULL;
	run->n = run->cap = 0;
}

void
nl_close(struct nl *nl)
{
	if (nl == NULL)
		return;
	if (nl->sock != NULL)
		(void)mnl_socket_close(nl->sock);
	run_free(&nl->next);
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

/* How many datagrams are in the slots now; 0: there is none; else a negative errno. */
static int
receive(struct nl *nl, size_t max)
{
	size_t i;
	int n;

	if (max > SLOTS)
		max = SLOTS;
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

static void
forget(struct nl *nl, int n)
{
	int i;

	for (i = 0; i < n; i++)
		wipe(nl->slots[i].iov.iov_base, nl->msgs[i].msg_len);
}

/* Another process with CAP_NET_ADMIN may send to our port too. */
static bool
from_kernel(const struct nl *nl, int i)
{
	return nl->msgs[i].msg_hdr.msg_namelen >= sizeof(struct sockaddr_nl) &&
	    nl->slots[i].from.nl_pid == 0;
}

static bool
cut_off(const struct nl *nl, int i)
{
	return (nl->msgs[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
}

struct said {
	int err;                 /* positive errno or 0 */
	char text[NL_WHY];
};

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

/* An answer of type NLMSG_ERROR (an acknowledgement, too) or NLMSG_DONE, which has no request in it. */
static struct said
read_said(const struct nlmsghdr *h)
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

/* ---- requests ---- */

static bool
more_items(struct run *run)
{
	size_t cap = run->cap == 0 ? 64 : run->cap * 2;
	struct item *items;

	if (run->n < run->cap)
		return true;
	if ((items = realloc(run->items, cap * sizeof *items)) == NULL)
		return false;
	run->items = items;
	run->cap = cap;
	return true;
}

int
nl_add(struct nl *nl, const struct nlmsghdr *h, size_t *item)
{
	struct run *run = &nl->next;
	struct rd r = rd_open(bytes_of(h, h->nlmsg_len));
	struct nlmsghdr own;
	size_t mark = run->out.n;

	rd_copy(&r, &own, sizeof own);
	if (!rd_ok(&r) || ALIGN4((size_t)own.nlmsg_len) > PENDING_MAX - mark)
		return ERR_SPACE;
	if (!more_items(run))
		return ERR_NOMEM;
	if (run->n == 0)
		run->first = nl->seq;
	own.nlmsg_seq = nl->seq;
	/* Notifications of what this request does tell this number on. */
	own.nlmsg_pid = nl_port(nl);
	wr_put(&run->out, bytes_of(&own, sizeof own));
	wr_put(&run->out, rd_rest(&r));
	wr_zero(&run->out, ALIGN4(run->out.n) - run->out.n);
	if (run->out.bad) {
		/* What was collected before is still whole. */
		run->out.bad = false;
		run->out.n = mark;
		return ERR_NOMEM;
	}
	nl->seq++;
	*item = run->n;
	run->items[run->n].ack = (own.nlmsg_flags & NLM_F_ACK) != 0;
	run->items[run->n++].told = false;
	return OK;
}

size_t
nl_pending(const struct nl *nl)
{
	return nl->next.n;
}

/* 0 or a positive errno. */
static int
send_octets(struct nl *nl, const uint8_t *p, size_t n)
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

struct tell {
	nl_answer_fn fn;
	void *arg;
};

static void
tell_once(struct run *run, const struct tell *tell, size_t i, int err, const struct nlmsghdr *reply,
    const char *text)
{
	if (run->items[i].told)
		return;
	run->items[i].told = true;
	tell->fn(tell->arg, i, err, reply, text);
}

static void
one_answer(struct run *run, const struct tell *tell, const struct nlmsghdr *h)
{
	size_t i = h->nlmsg_seq - run->first;
	struct said said;

	if (i >= run->n || run->items[i].told)
		return;
	if (h->nlmsg_type == NLMSG_ERROR) {
		said = read_said(h);
		tell_once(run, tell, i, said.err, NULL, said.text);
	} else if (h->nlmsg_type >= NLMSG_MIN_TYPE) {
		tell_once(run, tell, i, 0, h, "");
	}
}

static void
one_datagram(struct run *run, const struct tell *tell, const void *p, size_t n)
{
	const struct nlmsghdr *h = p;
	int left = (int)n;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		one_answer(run, tell, h);
}

/*
 * Requests are done when sendmsg() returns, so all answers that there will ever be are there by now. 0
 * or a positive errno.
 */
static int
take_answers(struct nl *nl, struct run *run, const struct tell *tell)
{
	int n, i, overruns = 0;

	while ((n = receive(nl, SLOTS)) != 0) {
		if (n == -ENOBUFS && overruns++ < ENOBUFS_MAX)
			continue;   /* some are lost, others are there */
		if (n < 0)
			return -n;
		for (i = 0; i < n; i++)
			if (from_kernel(nl, i) && !cut_off(nl, i))
				one_datagram(run, tell, nl->slots[i].iov.iov_base, nl->msgs[i].msg_len);
		forget(nl, n);
	}
	return 0;
}

static void
tell_missing(struct run *run, const struct tell *tell, size_t from, size_t to, int err, const char *text)
{
	for (; from < to; from++)
		if (run->items[from].ack)
			tell_once(run, tell, from, err, NULL, text);
}

/* The octets of the next piece, and how many requests are in it. */
static size_t
next_piece(const struct run *run, size_t at, size_t item, bool whole, size_t *n_items)
{
	struct rd r = rd_open(bytes_of(run->out.p + at, run->out.n - at));
	struct nlmsghdr h;
	size_t octets = 0, len;

	*n_items = 0;
	while (item + *n_items < run->n && (whole || *n_items < PIECE)) {
		rd_copy(&r, &h, sizeof h);
		len = ALIGN4(h.nlmsg_len);
		if (!whole && *n_items > 0 && octets + len > PIECE_OCTETS)
			break;
		rd_skip(&r, len - sizeof h);
		octets += len;
		++*n_items;
	}
	return octets;
}

int
nl_run(struct nl *nl, bool whole, nl_answer_fn fn, void *arg)
{
	struct run run = nl->next;
	struct tell tell = { fn, arg };
	size_t at = 0, item = 0, octets, n;
	int e = 0;

	/* What the answers make the caller add is for the next run. */
	nl->next = (struct run){ .out = wr_grow(PENDING_MAX) };
	while (item < run.n && e == 0) {
		octets = next_piece(&run, at, item, whole, &n);
		if ((e = send_octets(nl, run.out.p + at, octets)) == 0)
			e = take_answers(nl, &run, &tell);
		if (e == 0)
			tell_missing(&run, &tell, item, item + n, ENOBUFS, "the kernel's answer is lost");
		at += octets;
		item += n;
	}
	if (e != 0)
		tell_missing(&run, &tell, 0, run.n, EIO, strerror(e));
	run_free(&run);
	return e == 0 ? OK : ERR_IO;
}

/* ---- dumps ---- */

enum { DUMP_GOES_ON, DUMP_DONE, DUMP_FAILED };

struct dump {
	struct wr all;           /* messages, behind one another; may hold keys */
	uint32_t seq;
	bool interrupted;
	int err;
};

static int
dump_message(struct dump *d, const struct nlmsghdr *h)
{
	if (h->nlmsg_seq != d->seq)
		return DUMP_GOES_ON;
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		d->interrupted = true;
	if (h->nlmsg_type == NLMSG_DONE && h->nlmsg_len < NLMSG_LENGTH(sizeof(int32_t)))
		return DUMP_DONE;
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		d->err = read_said(h).err;
		return d->err == 0 ? DUMP_DONE : DUMP_FAILED;
	}
	if (h->nlmsg_type < NLMSG_MIN_TYPE)
		return DUMP_GOES_ON;
	wr_put(&d->all, bytes_of(h, h->nlmsg_len));
	wr_zero(&d->all, ALIGN4(h->nlmsg_len) - h->nlmsg_len);
	return DUMP_GOES_ON;
}

static int
dump_datagram(struct dump *d, const void *p, size_t n)
{
	const struct nlmsghdr *h = p;
	int left = (int)n, r = DUMP_GOES_ON;

	for (; r == DUMP_GOES_ON && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		r = dump_message(d, h);
	return r;
}

/* A dump that was given up goes on in the kernel until it is read to its end, and no other can start. */
static void
drain(struct nl *nl)
{
	int n, errors = 0;

	while ((n = receive(nl, SLOTS)) != 0 && errors < ENOBUFS_MAX)
		if (n < 0)
			errors++;
		else
			forget(nl, n);
}

/* Each call of receive() makes the kernel write the next part, so there is always one until the end. */
static int
dump_all(struct nl *nl, struct dump *d)
{
	int n, i, r = DUMP_GOES_ON, overruns = 0;

	while (r == DUMP_GOES_ON) {
		n = receive(nl, SLOTS);
		if (n == -ENOBUFS && overruns++ < ENOBUFS_MAX)
			continue;
		if (n <= 0) {
			d->err = n == 0 ? EIO : -n;
			return DUMP_FAILED;
		}
		for (i = 0; i < n && r == DUMP_GOES_ON; i++) {
			if (!from_kernel(nl, i))
				continue;
			d->err = cut_off(nl, i) ? EMSGSIZE : 0;
			r = d->err != 0 ? DUMP_FAILED :
			    dump_datagram(d, nl->slots[i].iov.iov_base, nl->msgs[i].msg_len);
		}
		forget(nl, n);
	}
	return r;
}

static int
dump_once(struct nl *nl, struct nlmsghdr *request, struct dump *d)
{
	*d = (struct dump){ .all = wr_grow(PENDING_MAX), .seq = nl->seq++ };
	request->nlmsg_seq = d->seq;
	request->nlmsg_pid = nl_port(nl);
	drain(nl);
	d->err = send_octets(nl, (const uint8_t *)request, request->nlmsg_len);
	if (d->err == 0 && dump_all(nl, d) == DUMP_DONE && d->all.bad)
		d->err = ENOMEM;
	return d->err;
}

static void
dump_tell(const struct dump *d, int (*each)(void *arg, const struct nlmsghdr *), void *arg)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)d->all.p;
	size_t left = d->all.n;

	while (left > 0 && each(arg, h) == 0) {
		size_t n = ALIGN4(h->nlmsg_len);

		left -= n;
		h = (const struct nlmsghdr *)(const void *)((const uint8_t *)h + n);
	}
}

int
nl_dump(struct nl *nl, struct nlmsghdr *request, int (*each)(void *arg, const struct nlmsghdr *),
    void *arg, int *err)
{
	struct dump d;
	int tries = 0;

	while ((*err = dump_once(nl, request, &d)) == 0 && d.interrupted && ++tries < DUMP_TRIES)
		wr_free(&d.all);
	if (*err == 0)
		dump_tell(&d, each, arg);
	wr_free(&d.all);
	return *err != 0 ? ERR_IO : d.interrupted ? ERR_AGAIN : OK;
}

/* ---- notifications ---- */

static size_t
events_of(const void *p, size_t n, void (*each)(void *arg, const struct nlmsghdr *), void *arg)
{
	const struct nlmsghdr *h = p;
	int left = (int)n;
	size_t told = 0;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		if (h->nlmsg_type >= NLMSG_MIN_TYPE) {
			each(arg, h);
			told++;
		}
	return told;
}

int
nl_events(struct nl *nl, size_t max, void (*each)(void *arg, const struct nlmsghdr *), void *arg)
{
	size_t told = 0;
	bool lost = false;
	int n, i;

	while (told < max && !lost) {
		if ((n = receive(nl, max - told)) == 0)
			return OK;
		if (n < 0)
			return n == -ENOBUFS ? ERR_SPACE : ERR_IO;
		for (i = 0; i < n; i++) {
			if (!from_kernel(nl, i))
				continue;
			if (cut_off(nl, i))
				lost = true;
			else
				told += events_of(nl->slots[i].iov.iov_base, nl->msgs[i].msg_len, each, arg);
		}
		forget(nl, n);
	}
	return lost ? ERR_SPACE : ERR_AGAIN;
}
