/* SPDX-License-Identifier: ISC */
/* Requests and notifications, with policies of the running kernel in a namespace of our own. */
#include "xfrm_kernel.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "base_child.h"

#define MANY 1000

/* Policy number n, for a peer of its own. */
static struct xpol
numbered(uint32_t n)
{
	struct xpol p = test_xpol(ADDR_V4, XDIR_OUT);

	p.dst.a[1] = (uint8_t)(n >> 16);
	p.dst.a[2] = (uint8_t)(n >> 8);
	p.dst.a[3] = (uint8_t)n;
	p.sel.dst = p.dst;
	p.reqid = n;
	return p;
}

static void
collect_policies(struct nl *nl, uint32_t n)
{
	union xbuf buf;
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct xpol p = numbered(i);

		assert_int_equal(test_collect(nl, xmsg_pol_add(&buf, &p, false)), i);
	}
}

static int
fresh(void **state)
{
	(void)state;
	test_flush(0);
	return 0;
}

TEST(each_request_has_its_answer)
{
	static struct answers a;
	struct nl *nl = test_nl();
	size_t i;

	collect_policies(nl, MANY);
	assert_int_equal(nl_pending(nl), MANY);
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(nl_pending(nl), 0);
	assert_int_equal(a.n, MANY);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(a.items[i], i);
		assert_int_equal(a.times[i], 1);
		assert_int_equal(a.err[i], 0);
	}
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(a.n, 0);
	nl_close(nl);
}

TEST(answers_of_success_and_failure_find_their_requests)
{
	struct xpol p = numbered(1), q = numbered(2), read;
	struct nl *nl = test_nl();
	struct answers a;
	union xbuf buf;

	(void)test_collect(nl, xmsg_pol_add(&buf, &p, false));
	(void)test_collect(nl, xmsg_pol_add(&buf, &p, false));
	(void)test_collect(nl, xmsg_pol_get(&buf, XDIR_OUT, &q.sel));
	(void)test_collect(nl, xmsg_pol_get(&buf, XDIR_OUT, &p.sel));
	(void)test_collect(nl, xmsg_pol_del(&buf, XDIR_IN, &p.sel));
	p.priority++;
	(void)test_collect(nl, xmsg_pol_add(&buf, &p, true));
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(a.n, 6);
	assert_int_equal(a.err[0], 0);
	assert_int_equal(a.err[1], EEXIST);
	assert_int_equal(a.err[2], ENOENT);
	assert_int_equal(a.err[3], 0);
	assert_int_equal(a.err[4], ENOENT);
	assert_int_equal(a.err[5], 0);
	assert_int_equal(xmsg_pol_read(&a.reply.h, &read), OK);
	p.priority--;
	assert_true(xpol_equal(&read, &p));
	nl_close(nl);
}

TEST(policies_of_every_kind_are_read_back)
{
	static const uint8_t families[] = { ADDR_V4, ADDR_V6 };
	struct nl *nl = test_nl();
	struct answers a;
	union xbuf buf;
	size_t i;

	for (i = 0; i < 24; i++) {
		struct xpol want = (i & 8) != 0 ? test_block(families[i & 1], (uint8_t)(i / 2 % 3)) :
		    test_xpol(families[i & 1], (uint8_t)(i / 2 % 3)), read;

		want.mode = (i & 16) != 0 ? SA_TUNNEL : SA_TRANSPORT;
		assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &want, true), &a), 0);
		assert_int_equal(test_ask(nl, xmsg_pol_get(&buf, want.dir, &want.sel), &a), 0);
		assert_int_equal(xmsg_pol_read(&a.reply.h, &read), OK);
		assert_true(xpol_equal(&read, &want));
		assert_int_not_equal(read.index, 0);
		assert_int_equal(test_ask(nl, xmsg_pol_del(&buf, want.dir, &want.sel), &a), 0);
		assert_int_equal(test_ask(nl, xmsg_pol_get(&buf, want.dir, &want.sel), &a), ENOENT);
	}
	nl_close(nl);
}

TEST(text_of_the_kernel_is_handed_over)
{
	struct xpol p = numbered(1);
	struct nl *nl = test_nl();
	struct xfrm_userpolicy_info info;
	struct answers a;
	union xbuf buf;

	(void)xmsg_pol_add(&buf, &p, false);
	memcpy(&info, NLMSG_DATA(&buf.h), sizeof info);
	info.sel.prefixlen_d = 33;
	memcpy(NLMSG_DATA(&buf.h), &info, sizeof info);
	assert_int_equal(test_ask(nl, &buf.h, &a), EINVAL);
	assert_non_null(strstr(a.text, "prefix"));
	/* One without more to say than its number. */
	assert_int_equal(test_ask(nl, xmsg_pol_get(&buf, XDIR_IN, &p.sel), &a), ENOENT);
	assert_string_equal(a.text, "");
	nl_close(nl);
}

TEST(requests_without_acknowledgement_speak_when_they_fail)
{
	struct xpol p = numbered(1), q = numbered(2);
	struct nl *nl = test_nl();
	struct answers a;
	union xbuf buf;
	size_t i;

	for (i = 0; i < 3; i++) {
		struct nlmsghdr *h = xmsg_pol_add(&buf, i < 2 ? &p : &q, false);

		h->nlmsg_flags = NLM_F_REQUEST;
		(void)test_collect(nl, h);
	}
	assert_int_equal(test_run(nl, true, &a), OK);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.items[0], 1);
	assert_int_equal(a.err[1], EEXIST);
	nl_close(nl);
}

/* More than the send buffer takes at first, in one message. */
TEST(whole_collection_goes_in_one_message)
{
	int size = 1 << 20;
	struct xpol p = numbered(1);
	struct nl *nl = test_nl();
	bool may_force = setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) == 0;
	struct nlmsghdr *h;
	struct answers a;
	union xbuf buf;
	size_t n = 40000, i, last;

	h = xmsg_pol_add(&buf, &p, true);
	h->nlmsg_flags = NLM_F_REQUEST;
	assert_true(n * h->nlmsg_len > 8u << 20);
	for (i = 0; i < n; i++)
		(void)test_collect(nl, h);
	memset(&a, 0, sizeof a);
	if (!may_force) {
		assert_int_equal(test_run(nl, true, &a), ERR_IO);
		assert_int_equal(a.n, 0);
		nl_close(nl);
		return;
	}
	assert_int_equal(test_run(nl, true, &a), OK);
	assert_int_equal(a.n, 0);
	last = test_collect(nl, xmsg_pol_get(&buf, XDIR_OUT, &p.sel));
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(a.err[last], 0);
	nl_close(nl);
}

TEST(answers_that_are_lost_are_told)
{
	static struct answers a;
	struct nl *nl = test_nl();
	size_t i, lost = 0;
	int small = 1;

	assert_int_equal(setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	collect_policies(nl, MANY);
	assert_int_equal(test_run(nl, true, &a), OK);
	assert_int_equal(a.n, MANY);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(a.times[i], 1);
		assert_true(a.err[i] == 0 || a.err[i] == ENOBUFS);
		lost += a.err[i] == ENOBUFS ? 1 : 0;
	}
	assert_true(lost > 0 && lost < MANY);
	/* The socket is none the worse for it. */
	collect_policies(nl, 1);
	assert_int_equal(test_run(nl, true, &a), OK);
	assert_int_equal(a.err[0], EEXIST);
	nl_close(nl);
}

static void
add_one_more(void *arg, size_t item, int err, const struct nlmsghdr *reply, const char *text)
{
	struct xpol p = numbered((uint32_t)(100 + item));
	union xbuf buf;

	assert_int_equal(err, 0);
	assert_null(reply);
	assert_string_equal(text, "");
	assert_int_equal(test_collect(arg, xmsg_pol_add(&buf, &p, false)), item);
}

TEST(requests_added_by_an_answer_are_for_the_next_run)
{
	struct nl *nl = test_nl();
	struct answers a;

	collect_policies(nl, 5);
	assert_int_equal(nl_run(nl, false, add_one_more, nl), OK);
	assert_int_equal(nl_pending(nl), 5);
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(a.n, 5);
	assert_int_equal(a.err[4], 0);
	nl_close(nl);
}

TEST(message_shorter_than_its_header_is_refused)
{
	struct nlmsghdr h = { .nlmsg_len = sizeof h - 1 };
	struct nl *nl = test_nl();
	size_t item;

	assert_int_equal(nl_add(nl, &h, &item), ERR_SPACE);
	assert_int_equal(nl_pending(nl), 0);
	nl_close(nl);
}

/* ---- dumps ---- */

struct seen {
	size_t n, stop;
	uint8_t times[MANY];
};

static int
on_policy(void *arg, const struct nlmsghdr *h)
{
	struct seen *s = arg;
	struct xpol p, want;

	assert_int_equal(xmsg_pol_read(h, &p), OK);
	assert_true(p.reqid < MANY);
	want = numbered(p.reqid);
	assert_true(xpol_equal(&p, &want));
	s->times[p.reqid]++;
	return ++s->n == s->stop;
}

TEST(dump_tells_every_object_until_it_is_told_to_stop)
{
	static struct answers a;
	struct nl *nl = test_nl();
	struct seen s = { 0 };
	union xbuf buf;
	int err;
	size_t i;

	assert_int_equal(nl_dump(nl, xmsg_pol_dump(&buf), on_policy, &s, &err), OK);
	assert_int_equal(s.n, 0);
	collect_policies(nl, MANY);
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(nl_dump(nl, xmsg_pol_dump(&buf), on_policy, &s, &err), OK);
	assert_int_equal(s.n, MANY);
	for (i = 0; i < MANY; i++)
		assert_int_equal(s.times[i], 1);
	s = (struct seen){ .stop = 3 };
	assert_int_equal(nl_dump(nl, xmsg_pol_dump(&buf), on_policy, &s, &err), OK);
	assert_int_equal(s.n, 3);
	s = (struct seen){ 0 };
	assert_int_equal(nl_dump(nl, xmsg_pol_dump(&buf), on_policy, &s, &err), OK);
	assert_int_equal(s.n, MANY);
	nl_close(nl);
}

/* The dump of somebody who gave up in the middle of it: half of it is still to come. */
TEST(dump_begins_anew_after_one_that_was_left)
{
	static struct answers a;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nl *nl = test_nl();
	struct seen s = { 0 };
	union xbuf buf;
	struct nlmsghdr *h;
	int err;

	collect_policies(nl, MANY);
	assert_int_equal(test_run(nl, false, &a), OK);
	h = xmsg_pol_dump(&buf);
	assert_int_equal(sendto(nl_fd(nl), h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel),
	    h->nlmsg_len);
	assert_int_equal(nl_dump(nl, xmsg_pol_dump(&buf), on_policy, &s, &err), OK);
	assert_int_equal(s.n, MANY);
	nl_close(nl);
}

static int
on_nothing(void *arg, const struct nlmsghdr *h)
{
	(void)arg;
	(void)h;
	fail_msg("there is something");
	return 0;
}

TEST(dump_that_the_kernel_refuses_has_its_errno)
{
	struct xfrm_address_filter filter = { .family = AF_INET, .splen = 129 };
	struct wr w;
	struct nl *nl = test_nl();
	union xbuf buf;
	int err = 0;

	w = xmsg_begin(&buf, XFRM_MSG_GETSA, NLM_F_REQUEST | NLM_F_DUMP);
	xattr_put(&w, XFRMA_ADDRESS_FILTER, &filter, sizeof filter);
	assert_int_equal(nl_dump(nl, xmsg_end(&w), on_nothing, NULL, &err), ERR_IO);
	assert_int_equal(err, EINVAL);
	assert_int_equal(nl_dump(nl, xmsg_sa_dump(&buf), on_nothing, NULL, &err), OK);
	nl_close(nl);
}

/* ---- notifications ---- */

TEST(notifications_say_who_did_what)
{
	struct xpol p = numbered(1);
	struct nl *nl = test_nl(), *listener = test_listener();
	struct events e = { 0 };
	struct answers a;
	union xbuf buf;

	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	assert_int_equal(e.n, 0);
	assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &p, false), &a), 0);
	assert_int_equal(test_ask(nl, xmsg_pol_del(&buf, p.dir, &p.sel), &a), 0);
	assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &p, true), &a), 0);
	test_flush(99);
	test_wait(listener);
	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	assert_int_equal(e.n, 4);
	assert_int_equal(e.all[0].kind, XEVENT_POLICY_ADDED);
	assert_true(xpol_equal(&e.all[0].pol, &p));
	assert_int_equal(e.all[0].port_id, nl_port(nl));
	assert_int_equal(e.all[1].kind, XEVENT_POLICY_DELETED);
	assert_true(xsel_equal(&e.all[1].pol.sel, &p.sel));
	assert_int_equal(e.all[1].port_id, nl_port(nl));
	assert_int_equal(e.all[2].kind, XEVENT_POLICY_ADDED);
	assert_int_equal(e.all[3].kind, XEVENT_POLICY_FLUSHED);
	assert_int_equal(e.all[3].port_id, 99);
	nl_close(listener);
	nl_close(nl);
}

TEST(policy_deleted_by_its_index_is_told_with_its_selector)
{
	struct xpol p = numbered(1), read;
	struct nl *nl = test_nl(), *listener = test_listener();
	struct xfrm_userpolicy_id id;
	struct events e = { 0 };
	struct answers a;
	union xbuf buf;
	struct wr w;

	assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &p, false), &a), 0);
	assert_int_equal(test_ask(nl, xmsg_pol_get(&buf, p.dir, &p.sel), &a), 0);
	assert_int_equal(xmsg_pol_read(&a.reply.h, &read), OK);
	memset(&id, 0, sizeof id);
	id.dir = p.dir;
	id.index = read.index;
	w = xmsg_begin(&buf, XFRM_MSG_DELPOLICY, NLM_F_REQUEST | NLM_F_ACK);
	wr_put(&w, bytes_of(&id, sizeof id));
	assert_int_equal(test_ask(nl, xmsg_end(&w), &a), 0);
	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.all[1].kind, XEVENT_POLICY_DELETED);
	assert_true(xpol_equal(&e.all[1].pol, &p));
	nl_close(listener);
	nl_close(nl);
}

TEST(no_more_notifications_than_asked_for_are_taken)
{
	struct nl *nl = test_nl(), *listener = test_listener();
	struct events e = { 0 };
	struct answers a;

	collect_policies(nl, 50);
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(nl_events(listener, 1, test_on_event, &e), ERR_AGAIN);
	assert_int_equal(e.n, 1);
	assert_int_equal(nl_events(listener, 40, test_on_event, &e), ERR_AGAIN);
	assert_int_equal(e.n, 41);
	assert_int_equal(nl_events(listener, 10, test_on_event, &e), OK);
	assert_int_equal(e.n, 50);
	nl_close(listener);
	nl_close(nl);
}

TEST(notifications_that_are_lost_are_told)
{
	static struct answers a;
	struct nl *nl = test_nl(), *listener = test_listener();
	struct events e = { 0 };
	struct xpol p = numbered(0);
	int small = 1, r, lost = 0;
	union xbuf buf;

	assert_int_equal(setsockopt(nl_fd(listener), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	collect_policies(nl, MANY);
	assert_int_equal(test_run(nl, false, &a), OK);
	while ((r = nl_events(listener, MANY, test_on_event, &e)) != OK) {
		assert_int_equal(r, ERR_SPACE);
		lost++;
	}
	assert_true(lost > 0 && e.n < TEST_EVENTS);
	e.n = 0;
	assert_int_equal(test_ask(nl, xmsg_pol_del(&buf, p.dir, &p.sel), &a), 0);
	assert_int_equal(nl_events(listener, MANY, test_on_event, &e), OK);
	assert_int_equal(e.n, 1);
	nl_close(listener);
	nl_close(nl);
}

/* Whoever has CAP_NET_ADMIN may send to our ports, and could tell us lies. */
TEST(what_the_kernel_did_not_send_is_not_heard)
{
	struct { struct nlmsghdr h; int32_t err; struct nlmsghdr request; } answer = {
		{ sizeof answer, NLMSG_ERROR, 0, 0, 0 }, -EBUSY, { sizeof answer.request, 0, 0, 0, 0 } };
	struct nlmsghdr flushed = { sizeof flushed, XFRM_MSG_FLUSHPOLICY, 0, 0, 0 };
	struct nl *nl = test_nl(), *listener = test_listener();
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	struct events e = { 0 };
	struct answers a;

	to.nl_pid = nl_port(listener);
	assert_int_equal(sendto(s, &flushed, sizeof flushed, 0, (struct sockaddr *)&to, sizeof to),
	    sizeof flushed);
	test_wait(listener);
	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	assert_int_equal(e.n, 0);
	to.nl_pid = nl_port(nl);
	for (answer.h.nlmsg_seq = 0; answer.h.nlmsg_seq < 10; answer.h.nlmsg_seq++)
		assert_int_equal(sendto(s, &answer, sizeof answer, 0, (struct sockaddr *)&to, sizeof to),
		    sizeof answer);
	collect_policies(nl, 5);
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(a.n, 5);
	assert_int_equal(a.err[0] | a.err[1] | a.err[2] | a.err[3] | a.err[4], 0);
	assert_int_equal(close(s), 0);
	nl_close(listener);
	nl_close(nl);
}

/* ---- packets ---- */

/* Does a datagram from 127.0.0.1 to 127.0.0.2, port 4789, arrive? */
static bool
vxlan_arrives(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4789) };
	struct sockaddr_in from = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = socket(AF_INET, SOCK_DGRAM, 0);
	bool sent, there;
	char c;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	assert_true(s >= 0 && r >= 0);
	assert_int_equal(bind(r, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(bind(s, (struct sockaddr *)&from, sizeof from), 0);
	sent = connect(s, (struct sockaddr *)&to, sizeof to) == 0 && send(s, "x", 1, 0) == 1;
	/* Over loopback what was sent is there, or never will be. */
	there = recv(r, &c, 1, MSG_DONTWAIT) == 1;
	assert_true(sent || !there);
	assert_int_equal(close(s), 0);
	assert_int_equal(close(r), 0);
	return there;
}

static int
on_sa(void *arg, const struct nlmsghdr *h)
{
	struct xsa_figures f;
	struct xsa *sa = arg;

	assert_int_equal(sa->spi, UINT32_MAX);
	assert_int_equal(xmsg_sa_read(h, sa, &f), OK);
	return 0;
}

TEST(packet_without_an_sa_brings_an_acquire_and_a_larval_sa)
{
	struct addr me = test_addr("127.0.0.1"), peer = test_addr("127.0.0.2");
	struct xpol p = test_xpol(ADDR_V4, XDIR_OUT);
	struct nl *nl = test_nl(), *listener = test_listener();
	struct xsa sa = { .spi = UINT32_MAX };
	struct events e = { 0 };
	struct answers a;
	union xbuf buf;
	int err;

	p.src = me;
	p.dst = peer;
	p.sel = xsel_hosts(&me, &peer, 17, 0, 4789);
	p.reqid = 1325400065;
	assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &p, false), &a), 0);
	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	e.n = 0;
	assert_false(vxlan_arrives());
	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	assert_true(e.n >= 1);
	assert_int_equal(e.all[0].kind, XEVENT_ACQUIRE);
	assert_int_equal(e.all[0].reqid, 1325400065);
	assert_true(addr_equal(&e.all[0].src, &me) && addr_equal(&e.all[0].dst, &peer));
	assert_int_equal(e.all[0].port_id, 0);
	/* The source port is the packet's, but the policy has none: this is what leads to the channel. */
	assert_true(xpol_equal(&e.all[0].pol, &p));
	assert_int_equal(nl_dump(nl, xmsg_sa_dump(&buf), on_sa, &sa, &err), OK);
	assert_int_equal(sa.spi, 0);
	assert_int_equal(sa.reqid, 1325400065);
	assert_true(sa.foreign_shape);
	nl_close(listener);
	nl_close(nl);
}

TEST(block_policy_stops_the_packet)
{
	struct xpol p = test_block(ADDR_V4, XDIR_OUT);
	struct nl *nl = test_nl();
	struct answers a;
	union xbuf buf;

	assert_true(vxlan_arrives());
	assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &p, false), &a), 0);
	assert_false(vxlan_arrives());
	assert_int_equal(test_ask(nl, xmsg_pol_del(&buf, p.dir, &p.sel), &a), 0);
	assert_true(vxlan_arrives());
	nl_close(nl);
}

/* ---- refusals ---- */

TEST(bus_that_the_kernel_does_not_have_is_an_error_with_a_way_out)
{
	char why[NL_WHY];

	assert_null(nl_open(31, why));
	assert_string_equal(why,
	    "netlink socket: open: Protocol not supported: load the kernel module nfnetlink");
}

static int
unprivileged_child(const void *arg)
{
	static const unsigned groups[] = { XFRMNLGRP_POLICY, 0 };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 } };
	struct xpol p = numbered(1);
	char why[NL_WHY];
	struct answers a;
	struct nl *nl;
	union xbuf buf;
	int err = 0;

	(void)arg;
	if (syscall(SYS_capset, &head, none) != 0)
		return 1;
	if ((nl = nl_open(NETLINK_XFRM, why)) == NULL)
		return 2;
	if (test_ask(nl, xmsg_pol_add(&buf, &p, false), &a) != EPERM)
		return 3;
	if (nl_dump(nl, xmsg_pol_dump(&buf), on_nothing, NULL, &err) != ERR_IO || err != EPERM)
		return 4;
	if (nl_listen(NETLINK_XFRM, groups, why) != NULL)
		return 5;
	nl_close(nl);
	return strcmp(why, "XFRM socket: listen: Operation not permitted: "
	    "give this process CAP_NET_ADMIN") == 0 ? 0 : 6;
}

TEST(lack_of_the_capability_is_told)
{
	assert_int_equal(test_child(unprivileged_child, NULL), 0);
}

static int
prepare(void **state)
{
	(void)state;
	test_loopback_up();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_request_has_its_answer, fresh),
		cmocka_unit_test_setup(answers_of_success_and_failure_find_their_requests, fresh),
		cmocka_unit_test_setup(policies_of_every_kind_are_read_back, fresh),
		cmocka_unit_test_setup(text_of_the_kernel_is_handed_over, fresh),
		cmocka_unit_test_setup(requests_without_acknowledgement_speak_when_they_fail, fresh),
		cmocka_unit_test_setup(whole_collection_goes_in_one_message, fresh),
		cmocka_unit_test_setup(answers_that_are_lost_are_told, fresh),
		cmocka_unit_test_setup(requests_added_by_an_answer_are_for_the_next_run, fresh),
		cmocka_unit_test_setup(message_shorter_than_its_header_is_refused, fresh),
		cmocka_unit_test_setup(dump_tells_every_object_until_it_is_told_to_stop, fresh),
		cmocka_unit_test_setup(dump_begins_anew_after_one_that_was_left, fresh),
		cmocka_unit_test_setup(dump_that_the_kernel_refuses_has_its_errno, fresh),
		cmocka_unit_test_setup(notifications_say_who_did_what, fresh),
		cmocka_unit_test_setup(policy_deleted_by_its_index_is_told_with_its_selector, fresh),
		cmocka_unit_test_setup(no_more_notifications_than_asked_for_are_taken, fresh),
		cmocka_unit_test_setup(notifications_that_are_lost_are_told, fresh),
		cmocka_unit_test_setup(what_the_kernel_did_not_send_is_not_heard, fresh),
		cmocka_unit_test_setup(packet_without_an_sa_brings_an_acquire_and_a_larval_sa, fresh),
		cmocka_unit_test_setup(block_policy_stops_the_packet, fresh),
		cmocka_unit_test(bus_that_the_kernel_does_not_have_is_an_error_with_a_way_out),
		cmocka_unit_test(lack_of_the_capability_is_told),
	};
	const struct CMUnitTest without[] = {
		cmocka_unit_test(bus_that_the_kernel_does_not_have_is_an_error_with_a_way_out),
		cmocka_unit_test(lack_of_the_capability_is_told),
	};

	if (!test_own_namespace())
		return cmocka_run_group_tests(without, NULL, NULL);
	return cmocka_run_group_tests(tests, prepare, NULL);
}
