/* SPDX-License-Identifier: ISC */
/* What the unit tests share that speak to the running kernel, each in a network namespace of its own. */
#ifndef TESTS_UNIT_XFRM_KERNEL_H
#define TESTS_UNIT_XFRM_KERNEL_H

#include "xfrm_support.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xfrm-backend/netlink.h"

/* False where neither root nor user namespaces let us have one. */
static inline bool
test_own_namespace(void)
{
	return unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

static inline struct nl *
test_nl(void)
{
	char why[NL_WHY];
	struct nl *nl = nl_open(NETLINK_XFRM, why);

	if (nl == NULL)
		fail_msg("%s", why);
	return nl;
}

static inline struct nl *
test_listener(void)
{
	static const unsigned groups[] = {
		XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_SA, XFRMNLGRP_POLICY, XFRMNLGRP_MAPPING, 0
	};
	char why[NL_WHY];
	struct nl *nl = nl_listen(NETLINK_XFRM, groups, why);

	if (nl == NULL)
		fail_msg("%s", why);
	return nl;
}

/* Answers of one run, by item. */
#define TEST_ANSWERS 2048
struct answers {
	size_t n, items[TEST_ANSWERS];   /* in order of arrival */
	unsigned times[TEST_ANSWERS];
	int err[TEST_ANSWERS];
	char text[NL_WHY];               /* of the last one that failed */
	union xbuf reply;                /* the last one */
};

static inline void
test_on_answer(void *arg, size_t item, int err, const struct nlmsghdr *reply, const char *text)
{
	struct answers *a = arg;

	assert_true(item < TEST_ANSWERS);
	assert_non_null(text);
	a->items[a->n++ % TEST_ANSWERS] = item;
	a->times[item]++;
	a->err[item] = err;
	if (err != 0)
		memcpy(a->text, text, strlen(text) + 1);
	if (reply != NULL) {
		assert_int_equal(err, 0);
		assert_true(reply->nlmsg_len <= sizeof a->reply);
		memcpy(&a->reply, reply, reply->nlmsg_len);
	}
}

/* Sends what was collected; the result of nl_run(). */
static inline int
test_run(struct nl *nl, bool whole, struct answers *a)
{
	memset(a, 0, sizeof *a);
	return nl_run(nl, whole, test_on_answer, a);
}

static inline size_t
test_collect(struct nl *nl, const struct nlmsghdr *h)
{
	size_t item = SIZE_MAX;

	assert_non_null(h);
	assert_int_equal(nl_add(nl, h, &item), OK);
	return item;
}

/* One request alone: the kernel's errno. */
static inline int
test_ask(struct nl *nl, const struct nlmsghdr *h, struct answers *a)
{
	assert_int_equal(nl_pending(nl), 0);
	assert_int_equal(test_collect(nl, h), 0);
	assert_int_equal(test_run(nl, false, a), OK);
	assert_int_equal(a->n, 1);
	assert_int_equal(a->times[0], 1);
	return a->err[0];
}

/* Throws away all policies and SAs of the namespace, in the name of port `claimed`. */
static inline void
test_flush(uint32_t claimed)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct { struct nlmsghdr h; uint8_t proto, pad[3]; } sas = {
		{ sizeof sas, XFRM_MSG_FLUSHSA, NLM_F_REQUEST, 0, claimed }, 255, { 0 } };
	struct nlmsghdr policies = { sizeof policies, XFRM_MSG_FLUSHPOLICY, NLM_F_REQUEST, 0, claimed };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);

	assert_true(s >= 0);
	assert_int_equal(sendto(s, &sas, sizeof sas, 0, (struct sockaddr *)&kernel, sizeof kernel),
	    sizeof sas);
	assert_int_equal(sendto(s, &policies, sizeof policies, 0, (struct sockaddr *)&kernel,
	    sizeof kernel), sizeof policies);
	assert_int_equal(close(s), 0);
}

/* The loopback device of the namespace is up, and IPsec is not left out on it as it is by default. */
static inline void
test_loopback_up(void)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int f = open("/proc/sys/net/ipv4/conf/lo/disable_xfrm", O_WRONLY | O_CLOEXEC);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	assert_true(s >= 0 && f >= 0);
	assert_int_equal(write(f, "0", 1), 1);
	assert_int_equal(ioctl(s, SIOCSIFFLAGS, &ifr), 0);
	assert_int_equal(close(f), 0);
	assert_int_equal(close(s), 0);
}

/* Notifications, read; those that concern nobody are left out. */
#define TEST_EVENTS 64
struct events {
	size_t n;
	struct xevent all[TEST_EVENTS];
};

static inline void
test_on_event(void *arg, const struct nlmsghdr *h)
{
	struct events *e = arg;
	struct xevent ev;

	assert_int_equal(xmsg_event_read(h, &ev), OK);
	if (ev.kind != XEVENT_OTHER && e->n < TEST_EVENTS)
		e->all[e->n++] = ev;
}

static inline void
test_wait(struct nl *listener)
{
	struct pollfd p = { .fd = nl_fd(listener), .events = POLLIN };
	int r;

	while ((r = poll(&p, 1, 60 * 1000)) < 0)
		assert_int_equal(errno, EINTR);
	assert_int_equal(r, 1);
}

#endif
