/* SPDX-License-Identifier: ISC */
/*
 * A netlink socket for requests, and one for notifications, on libmnl. Requests are collected and go
 * to the kernel in few system calls; answers come back per request. The kernel works a request off
 * while it is being sent, so nothing here waits for anything but the kernel itself.
 */
#ifndef XFRM_NETLINK_H
#define XFRM_NETLINK_H

#include <linux/netlink.h>

#include "base/bytes.h"
#include "base/err.h"

struct nl;

#define NL_WHY 256

/*
 * Open for requests: bus NETLINK_XFRM or NETLINK_NETFILTER. Extended error texts on, acknowledgements
 * capped, large buffers (forced: needs CAP_NET_ADMIN). NULL: *why says what failed and what to do.
 */
struct nl *nl_open(int bus, char why[static NL_WHY]);
void nl_close(struct nl *);              /* NULL is fine */
int nl_fd(const struct nl *);
/* Our netlink port: notifications with it were caused by us. */
uint32_t nl_port(const struct nl *);

/*
 * Collect one request: its octets are copied and, when sent, wiped. Its sequence number and port are set here.
 * Messages with NLM_F_ACK are answered; those without (nf_tables' begin and end of a batch) only if
 * they fail. *item: number of the request within this run, from 0. 0, ERR_NOMEM, ERR_SPACE.
 */
int nl_add(struct nl *, const struct nlmsghdr *, size_t *item);
/* How many are collected. */
size_t nl_pending(const struct nl *);

/*
 * One answer. err: 0 or the positive errno of the kernel; text: its extended error text or "". reply:
 * the object, for a get request (its acknowledgement is not told separately); NULL otherwise.
 * Borrowed.
 */
typedef void (*nl_answer_fn)(void *arg, size_t item, int err, const struct nlmsghdr *reply,
    const char *text);
/*
 * Send what was collected and hand over the answers, in order of arrival; each request with
 * NLM_F_ACK has exactly one, also when the kernel did not answer it (err ENOBUFS or EIO then). whole:
 * all in one sendmsg(), as nf_tables' batches want it (else in pieces of a few hundred). 0, or
 * ERR_IO: the socket failed; the answers were given all the same. The collection is empty afterwards.
 */
int nl_run(struct nl *, bool whole, nl_answer_fn, void *arg);

/*
 * A dump: each(arg, message) for every object; stops when it returns anything but 0. 0; ERR_AGAIN: the
 * dump was inconsistent (NLM_F_DUMP_INTR; it was repeated a few times): what was told may be
 * incomplete; ERR_IO and *err the errno. Nothing may be pending.
 */
int nl_dump(struct nl *, struct nlmsghdr *request, int (*each)(void *arg, const struct nlmsghdr *),
    void *arg, int *err);

/* ---- notifications ---- */
/* groups: numbers of multicast groups, 0-terminated. Not blocking. */
struct nl *nl_listen(int bus, const unsigned *groups, char why[static NL_WHY]);
/*
 * Hand over what has come, at most max datagrams (nf_tables puts several messages in one); only what the
 * kernel sent (port 0 as the sender). 0: nothing is left; ERR_AGAIN: there may be more; ERR_SPACE:
 * notifications were lost (ENOBUFS), all must be read anew; ERR_IO.
 */
int nl_events(struct nl *, size_t max, void (*each)(void *arg, const struct nlmsghdr *), void *arg);

#endif
