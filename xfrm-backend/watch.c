/* SPDX-License-Identifier: ISC */
/* Notifications: what the kernel asks for, and what others do to our objects. */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>

#include "xfrm-backend/state.h"

#define EVENTS_A_TURN 512
#define OVERRUN_MS 1000         /* between comparisons for lost notifications: what causes them may be remote */
#define MAPPING_PAUSE_MS 1000

int
watch_open(struct backend *b, char why[static 256])
{
	static const unsigned groups[] = { XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_SA,
	    XFRMNLGRP_POLICY, XFRMNLGRP_MAPPING, 0 };

	return (b->ev_xfrm = nl_listen(NETLINK_XFRM, groups, why)) == NULL ? ERR_IO : OK;
}

int
watch_open_others(struct backend *b, char why[static 256])
{
	static const unsigned nft[] = { NFNLGRP_NFTABLES, 0 };
	static const unsigned route[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0 };

	if ((b->ev_nft = nl_listen(NETLINK_NETFILTER, nft, why)) == NULL ||
	    (b->ev_route = nl_listen(NETLINK_ROUTE, route, why)) == NULL)
		return ERR_IO;
	return OK;
}

void
watch_close(struct backend *b)
{
	nl_close(b->ev_xfrm);
	nl_close(b->ev_nft);
	nl_close(b->ev_route);
	b->ev_xfrm = b->ev_nft = b->ev_route = NULL;
}

/* ---- SAs ---- */

static void
on_acquire(struct backend *b, const struct xevent *ev)
{
	const struct target *t = spd_by_reqid(&b->spd, ev->reqid);

	if (t == NULL)
		return;
	b->acquires++;
	backend_acquire(b->host, t->node, t->channel.id, &ev->dst);
}

static void
on_expire(struct backend *b, const struct xevent *ev)
{
	struct sad_entry *e = sad_find(&b->sad, ev->spi, &ev->dst);
	uint8_t dir;

	if (e == NULL)
		return;
	dir = e->p.dir;
	if (ev->hard)
		sa_gone(b, e);
	backend_expire(b->host, dir, ev->spi, &ev->dst, ev->hard);
}

static void
on_mapping(struct backend *b, const struct xevent *ev)
{
	const struct endpoint peer = { .addr = ev->src, .port = ev->port };
	struct sad_entry *e = sad_find(&b->sad, ev->spi, &ev->dst);

	/* The kernel says so again with every packet. */
	if (e == NULL || b->now_ms < e->next_mapping_ms)
		return;
	e->next_mapping_ms = b->now_ms + MAPPING_PAUSE_MS;
	backend_mapping(b->host, ev->spi, &peer);
}

static void
on_sa_deleted(struct backend *b, const struct xevent *ev)
{
	struct sad_entry *e = sad_find(&b->sad, ev->spi, &ev->dst);
	char name[XSA_STRLEN];
	uint8_t dir;

	if (e == NULL || !e->have)
		return;
	dir = e->p.dir;
	b->repairs[REPAIR_SA_GONE]++;
	log_peer(&b->bucket, b->now_ms, "SA %s was deleted by another program (netlink port %u): a new "
	    "one is negotiated", xsa_str(&e->x, name), ev->port_id);
	sa_gone(b, e);
	backend_expire(b->host, dir, ev->spi, &ev->dst, true);
}

/* ---- policies ---- */

static void
policy_lost(struct backend *b, struct pol_entry *e)
{
	e->have = e->differs = e->inherited = false;
	spd_touch(&b->spd, e);
	if (e->want)
		b->repairs[REPAIR_POLICY]++;
}

static void
on_policy_deleted(struct backend *b, const struct xevent *ev)
{
	struct pol_entry *e = spd_find(&b->spd, ev->pol.dir, &ev->pol.sel);
	char name[XPOL_STRLEN];

	if (e == NULL || (!e->have && !e->conflict))
		return;
	if (e->have && e->want)
		log_peer(&b->bucket, b->now_ms, "policy %s was deleted by another program (netlink port "
		    "%u): installed again", xpol_str(&e->pol, name), ev->port_id);
	policy_lost(b, e);
}

/* The blocks first: they alone keep all plaintext back. */
static void
on_policies_flushed(struct backend *b, const struct xevent *ev)
{
	struct pol_entry *e;
	size_t pos;
	int pass;

	log_warn("all IPsec policies were flushed by another program (netlink port %u): ours are "
	    "installed again", ev->port_id);
	for (pass = 0; pass < 2; pass++)
		for (pos = 0; (e = spd_entry_next(&b->spd, &pos)) != NULL;)
			if ((e->target == NULL && e->pol.block) == (pass == 0))
				policy_lost(b, e);
}

/* UPDPOLICY may have taken the place of one of ours. */
static void
on_policy_added(struct backend *b, const struct xevent *ev)
{
	struct pol_entry *e = spd_find(&b->spd, ev->pol.dir, &ev->pol.sel);
	char ours[XPOL_STRLEN], theirs[XPOL_STRLEN];

	if (e == NULL || !e->want) {
		shadow_check(b, &ev->pol);
		return;
	}
	if (xpol_equal(&e->pol, &ev->pol))
		return;
	if (e->have) {
		b->repairs[REPAIR_POLICY]++;
		log_peer(&b->bucket, b->now_ms, "policy %s was changed by another program (netlink port "
		    "%u) to %s: changed back", xpol_str(&e->pol, ours), ev->port_id,
		    xpol_str(&ev->pol, theirs));
	}
	/* What stood there before ours is somebody else's; what came instead of ours is ours to change. */
	e->have = e->differs = e->have || spd_is_own(&b->spd, &ev->pol);
	spd_touch(&b->spd, e);
}

static void
on_xfrm(void *arg, const struct nlmsghdr *m)
{
	struct backend *b = arg;
	struct xevent ev;
	bool ours;

	if (xmsg_event_read(m, &ev) != OK)
		return;
	ours = ev.port_id == nl_port(b->req);
	switch (ev.kind) {
	case XEVENT_ACQUIRE:
		on_acquire(b, &ev);
		break;
	case XEVENT_EXPIRE:
		on_expire(b, &ev);
		break;
	case XEVENT_MAPPING:
		on_mapping(b, &ev);
		break;
	case XEVENT_SA_DELETED:
		if (!ours)
			on_sa_deleted(b, &ev);
		break;
	case XEVENT_SA_FLUSHED:
		b->sas_due |= !ours;
		break;
	case XEVENT_POLICY_DELETED:
		if (!ours)
			on_policy_deleted(b, &ev);
		break;
	case XEVENT_POLICY_ADDED:
		if (!ours)
			on_policy_added(b, &ev);
		break;
	case XEVENT_POLICY_FLUSHED:
		if (!ours)
			on_policies_flushed(b, &ev);
		break;
	case XEVENT_OTHER:
		break;
	}
}

/* ---- the table ---- */

static void
on_nft(void *arg, const struct nlmsghdr *m)
{
	struct backend *b = arg;
	bool gone = false;

	if (!nft_event_ours(b->nft, m, &gone))
		return;
	if (gone && !b->nft_gone) {
		log_warn("nf_tables table %s was deleted by another program: it is made anew",
		    b->options.table);
		b->repairs[REPAIR_TABLE]++;
		b->nft_gone = true;
		b->nft_retry_at = 0;
	}
	b->nft_due = true;
}

/* ---- addresses ---- */

static int
find_address(const struct nlattr *at, void *arg)
{
	const struct nlattr **found = arg;
	int type = mnl_attr_get_type(at);

	/* On point-to-point links the local one is IFA_LOCAL. */
	if (type == IFA_LOCAL || (type == IFA_ADDRESS && *found == NULL))
		*found = at;
	return MNL_CB_OK;
}

static void
on_route(void *arg, const struct nlmsghdr *m)
{
	struct backend *b = arg;
	const struct nlattr *at = NULL;
	const struct target *t;
	char text[ADDR_STRLEN];
	struct addr a;
	size_t pos = 0, n = 0;
	uint8_t i;

	if ((m->nlmsg_type != RTM_DELADDR && m->nlmsg_type != RTM_NEWADDR) ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(struct ifaddrmsg) ||
	    mnl_attr_parse(m, sizeof(struct ifaddrmsg), find_address, &at) < 0 || at == NULL ||
	    addr_from_bytes(&a, bytes_of(mnl_attr_get_payload(at), mnl_attr_get_payload_len(at))) != OK)
		return;
	while ((t = spd_next(&b->spd, &pos)) != NULL)
		for (i = 0; i < t->n_pairs; i++)
			n += addr_equal(&t->pairs[i].local, &a);
	if (n == 0)
		return;
	if (m->nlmsg_type == RTM_DELADDR)
		log_error("underlay address %s was taken off its interface: traffic of %zu channels from "
		    "it stays blocked until it is back", addr_str(&a, text), n);
	else
		log_info("underlay address %s is there", addr_str(&a, text));
}

/* ---- the loop's ---- */

static bool
read_events(struct backend *b, struct nl *n, void (*each)(void *, const struct nlmsghdr *),
    const char *what)
{
	int r = nl_events(n, EVENTS_A_TURN, each, b);

	if (r != ERR_SPACE)
		return false;
	log_peer(&b->bucket, b->now_ms, "notifications of %s were lost, the kernel had too many: all is "
	    "compared anew", what);
	b->repairs[REPAIR_OVERRUN]++;
	return true;
}

void
watch_run(struct backend *b)
{
	bool lost = read_events(b, b->ev_xfrm, on_xfrm, "IPsec");

	if (read_events(b, b->ev_nft, on_nft, "nf_tables"))
		b->nft_due = true;
	(void)read_events(b, b->ev_route, on_route, "addresses");
	if (b->nft_gone || b->spd.dirty != NULL || b->vn.dirty != NULL || nl_pending(b->req) != 0)
		apply(b);
	if (b->nft_due || b->sas_due)
		b->reconcile_at = b->now_ms;
	else if (lost && b->reconciled_ms + OVERRUN_MS < b->reconcile_at)
		b->reconcile_at = b->reconciled_ms + OVERRUN_MS;
}
