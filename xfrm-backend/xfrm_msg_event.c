/* SPDX-License-Identifier: ISC */
/* Notifications, read. */
#include <arpa/inet.h>

#include "base/err.h"
#include "xfrm-backend/xfrm_msg_wire.h"

#define PROTO_ANY 255          /* of a flush: ESP, AH and IPCOMP */

static int
read_acquire(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_user_acquire q;
	struct xattrs attrs;
	int r;

	if ((r = xmsg_read(h, &q, sizeof q, &attrs)) != OK)
		return r;
	if (q.id.proto != IPPROTO_ESP_)
		return OK;
	if ((r = xpol_read(&q.policy, &attrs, &ev->pol)) != OK || !ev->pol.tmpl)
		return r;
	ev->kind = XEVENT_ACQUIRE;
	ev->reqid = ev->pol.reqid;
	/* Of a template without addresses: those of the packet that waits. */
	ev->src = xaddr_read(ev->pol.src.family, &q.saddr);
	ev->dst = xaddr_read(ev->pol.dst.family, &q.id.daddr);
	return OK;
}

static int
read_expire(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_user_expire e;
	struct xattrs attrs;
	uint8_t family;
	int r;

	if ((r = xmsg_read(h, &e, sizeof e, &attrs)) != OK)
		return r;
	if ((family = xfamily_read(e.state.family)) == AF_NONE_)
		return ERR_SYNTAX;
	/* SPI 0: the kernel gave up waiting for an SA. */
	if (e.state.id.proto != IPPROTO_ESP_ || e.state.id.spi == 0)
		return OK;
	ev->kind = XEVENT_EXPIRE;
	ev->spi = ntohl(e.state.id.spi);
	ev->reqid = e.state.reqid;
	ev->src = xaddr_read(family, &e.state.saddr);
	ev->dst = xaddr_read(family, &e.state.id.daddr);
	ev->hard = e.hard != 0;
	return OK;
}

static int
read_mapping(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_user_mapping m;
	struct xattrs attrs;
	uint8_t family;
	int r;

	if ((r = xmsg_read(h, &m, sizeof m, &attrs)) != OK)
		return r;
	if ((family = xfamily_read(m.id.family)) == AF_NONE_)
		return ERR_SYNTAX;
	if (m.id.proto != IPPROTO_ESP_ || m.id.spi == 0)
		return OK;
	ev->kind = XEVENT_MAPPING;
	ev->spi = ntohl(m.id.spi);
	ev->reqid = m.reqid;
	ev->src = xaddr_read(family, &m.new_saddr);
	ev->dst = xaddr_read(family, &m.id.daddr);
	ev->port = ntohs(m.new_sport);
	return OK;
}

static int
read_sa_deleted(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_usersa_id id;
	struct xfrm_usersa_info sa;
	struct xattrs attrs;
	uint8_t family;
	int r;

	if ((r = xmsg_read(h, &id, sizeof id, &attrs)) != OK ||
	    (r = xattr_copy(&attrs, XFRMA_SA, &sa, sizeof sa)) != OK)
		return r;
	if ((family = xfamily_read(id.family)) == AF_NONE_)
		return ERR_SYNTAX;
	if (id.proto != IPPROTO_ESP_ || id.spi == 0)
		return OK;
	ev->kind = XEVENT_SA_DELETED;
	ev->spi = ntohl(id.spi);
	ev->dst = xaddr_read(family, &id.daddr);
	if (attrs.a[XFRMA_SA].p != NULL) {
		ev->reqid = sa.reqid;
		ev->src = xaddr_read(family, &sa.saddr);
	}
	return OK;
}

static int
read_sa_flushed(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_usersa_flush f;
	struct xattrs attrs;
	int r;

	if ((r = xmsg_read(h, &f, sizeof f, &attrs)) != OK)
		return r;
	if (f.proto == 0 || f.proto == IPPROTO_ESP_ || f.proto == PROTO_ANY)
		ev->kind = XEVENT_SA_FLUSHED;
	return OK;
}

static int
read_policy_added(const struct nlmsghdr *h, struct xevent *ev)
{
	int r = xmsg_pol_read(h, &ev->pol);

	if (r == OK)
		ev->kind = XEVENT_POLICY_ADDED;
	return r;
}

/* The identifier has no selector when somebody deleted the policy by its index; the attribute always has. */
static int
read_policy_deleted(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_userpolicy_id id;
	struct xfrm_userpolicy_info info;
	struct xattrs attrs;
	int r;

	if ((r = xmsg_read(h, &id, sizeof id, &attrs)) != OK ||
	    (r = xattr_copy(&attrs, XFRMA_POLICY, &info, sizeof info)) != OK)
		return r;
	if (attrs.a[XFRMA_POLICY].p == NULL) {
		info.sel = id.sel;
		info.dir = id.dir;
		info.index = id.index;
	}
	if ((r = xpol_read(&info, &attrs, &ev->pol)) == OK)
		ev->kind = XEVENT_POLICY_DELETED;
	return r;
}

/* Ours never expire by themselves, but anybody may tell the kernel that one has. */
static int
read_policy_expired(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_user_polexpire e;
	struct xattrs attrs;
	int r;

	if ((r = xmsg_read(h, &e, sizeof e, &attrs)) != OK ||
	    (r = xpol_read(&e.pol, &attrs, &ev->pol)) != OK)
		return r;
	if (e.hard != 0)
		ev->kind = XEVENT_POLICY_DELETED;
	return OK;
}

static int
read_policy_flushed(const struct nlmsghdr *h, struct xevent *ev)
{
	struct xfrm_userpolicy_type type;
	struct xattrs attrs;
	uint8_t none[1];
	int r;

	if ((r = xmsg_read(h, none, 0, &attrs)) != OK ||
	    (r = xattr_copy(&attrs, XFRMA_POLICY_TYPE, &type, sizeof type)) != OK)
		return r;
	if (type.type == XFRM_POLICY_TYPE_MAIN)
		ev->kind = XEVENT_POLICY_FLUSHED;
	return OK;
}

int
xmsg_event_read(const struct nlmsghdr *h, struct xevent *ev)
{
	static const struct {
		uint16_t type;
		int (*read)(const struct nlmsghdr *, struct xevent *);
	} rows[] = {
		{ XFRM_MSG_ACQUIRE, read_acquire },
		{ XFRM_MSG_EXPIRE, read_expire },
		{ XFRM_MSG_MAPPING, read_mapping },
		{ XFRM_MSG_DELSA, read_sa_deleted },
		{ XFRM_MSG_FLUSHSA, read_sa_flushed },
		{ XFRM_MSG_NEWPOLICY, read_policy_added },
		{ XFRM_MSG_UPDPOLICY, read_policy_added },
		{ XFRM_MSG_DELPOLICY, read_policy_deleted },
		{ XFRM_MSG_POLEXPIRE, read_policy_expired },
		{ XFRM_MSG_FLUSHPOLICY, read_policy_flushed },
	};
	size_t i;
	int r = OK;

	memset(ev, 0, sizeof *ev);
	ev->port_id = h->nlmsg_pid;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (h->nlmsg_type == rows[i].type)
			r = rows[i].read(h, ev);
	/* An object of a kind that we have nothing to do with. */
	return r == ERR_UNSUPPORTED ? OK : r;
}
