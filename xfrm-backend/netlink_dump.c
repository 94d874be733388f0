/* SPDX-License-Identifier: ISC */
/* Dumps are taken in whole before they are told, so that one that was inconsistent can be repeated. */
#include <errno.h>

#include "xfrm-backend/netlink_int.h"

#define TRIES 4

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
		d->err = nl_read_said(h).err;
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

	while ((n = nl_receive(nl, NL_SLOTS)) != 0 && errors < NL_ENOBUFS_MAX)
		if (n < 0)
			errors++;
		else
			nl_forget(nl, n);
}

/* Each call of nl_receive() makes the kernel write the next part, so there is always one until the end. */
static int
dump_all(struct nl *nl, struct dump *d)
{
	int n, i, r = DUMP_GOES_ON, overruns = 0;

	while (r == DUMP_GOES_ON) {
		n = nl_receive(nl, NL_SLOTS);
		if (n == -ENOBUFS && overruns++ < NL_ENOBUFS_MAX)
			continue;
		if (n <= 0) {
			d->err = n == 0 ? EIO : -n;
			return DUMP_FAILED;
		}
		for (i = 0; i < n && r == DUMP_GOES_ON; i++) {
			if (!nl_from_kernel(nl, i))
				continue;
			d->err = nl_cut_off(nl, i) ? EMSGSIZE : 0;
			r = d->err != 0 ? DUMP_FAILED :
			    dump_datagram(d, nl->slots[i].iov.iov_base, nl->msgs[i].msg_len);
		}
		nl_forget(nl, n);
	}
	return r;
}

static int
dump_once(struct nl *nl, struct nlmsghdr *request, struct dump *d)
{
	*d = (struct dump){ .all = wr_grow(NL_PENDING_MAX), .seq = nl->seq++ };
	request->nlmsg_seq = d->seq;
	request->nlmsg_pid = nl_port(nl);
	drain(nl);
	d->err = nl_send(nl, request, request->nlmsg_len);
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

	while ((*err = dump_once(nl, request, &d)) == 0 && d.interrupted && ++tries < TRIES)
		wr_free(&d.all);
	if (*err == 0)
		dump_tell(&d, each, arg);
	wr_free(&d.all);
	return *err != 0 ? ERR_IO : d.interrupted ? ERR_AGAIN : OK;
}

