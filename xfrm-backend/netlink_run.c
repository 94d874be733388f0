/* SPDX-License-Identifier: ISC */
/* Requests are collected, sent in pieces, and their answers handed over. */
#include <errno.h>
#include <stdlib.h>

#include "xfrm-backend/netlink_int.h"

#define PIECE        256u               /* requests sent together where that is not asked for ... */
#define PIECE_OCTETS (64u * 1024)       /* ... and octets, unless one is larger */

void
nl_run_free(struct run *run)
{
	wr_free(&run->out);
	free(run->items);
	run->items = NULL;
	run->n = run->cap = 0;
}

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
	if (!rd_ok(&r) || ALIGN4((size_t)own.nlmsg_len) > NL_PENDING_MAX - mark)
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
		said = nl_read_said(h);
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

	while ((n = nl_receive(nl, NL_SLOTS)) != 0) {
		if (n == -ENOBUFS && overruns++ < NL_ENOBUFS_MAX)
			continue;   /* some are lost, others are there */
		if (n < 0)
			return -n;
		for (i = 0; i < n; i++)
			if (nl_from_kernel(nl, i) && !nl_cut_off(nl, i))
				one_datagram(run, tell, nl->slots[i].iov.iov_base, nl->msgs[i].msg_len);
		nl_forget(nl, n);
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
	nl->next = (struct run){ .out = wr_grow(NL_PENDING_MAX) };
	while (item < run.n && e == 0) {
		octets = next_piece(&run, at, item, whole, &n);
		if ((e = nl_send(nl, run.out.p + at, octets)) == 0)
			e = take_answers(nl, &run, &tell);
		if (e == 0)
			tell_missing(&run, &tell, item, item + n, ENOBUFS, "the kernel's answer is lost");
		at += octets;
		item += n;
	}
	if (e != 0)
		tell_missing(&run, &tell, 0, run.n, EIO, strerror(e));
	nl_run_free(&run);
	return e == 0 ? OK : ERR_IO;
}

