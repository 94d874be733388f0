/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/vxlan_devices.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

struct seeing {
	void (*each)(void *, const struct vxlan_device *);
	void *arg;
};

/* Where to put the attributes of one level, by type. */
struct attrs {
	const struct nlattr *at[IFLA_LINKINFO + 1];
};

static int
keep(const struct nlattr *at, void *arg)
{
	struct attrs *a = arg;
	unsigned type = mnl_attr_get_type(at);

	if (type < sizeof a->at / sizeof a->at[0])
		a->at[type] = at;
	return MNL_CB_OK;
}

static bool
is_vxlan(const struct nlattr *kind)
{
	return kind != NULL && mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) == 0 &&
	    strcmp(mnl_attr_get_str(kind), "vxlan") == 0;
}

static int
see(void *arg, const struct nlmsghdr *m)
{
	const struct seeing *s = arg;
	struct attrs link = { { NULL } }, info = { { NULL } }, data = { { NULL } };
	const struct nlattr *name, *port;

	if (m->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(m) < sizeof(struct ifinfomsg) ||
	    mnl_attr_parse(m, sizeof(struct ifinfomsg), keep, &link) < 0 ||
	    link.at[IFLA_LINKINFO] == NULL || (name = link.at[IFLA_IFNAME]) == NULL ||
	    mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 ||
	    mnl_attr_parse_nested(link.at[IFLA_LINKINFO], keep, &info) < 0 ||
	    !is_vxlan(info.at[IFLA_INFO_KIND]) || info.at[IFLA_INFO_DATA] == NULL ||
	    mnl_attr_parse_nested(info.at[IFLA_INFO_DATA], keep, &data) < 0 ||
	    (port = data.at[IFLA_VXLAN_PORT]) == NULL || mnl_attr_validate(port, MNL_TYPE_U16) < 0)
		return 0;
	s->each(s->arg, &(struct vxlan_device){ mnl_attr_get_str(name), ntohs(mnl_attr_get_u16(port)) });
	return 0;
}

int
vxlan_devices(void (*each)(void *arg, const struct vxlan_device *), void *arg, char why[static NL_WHY])
{
	struct { struct nlmsghdr h; struct ifinfomsg i; } ask = {
		.h = { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETLINK,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	struct nl *n = nl_open(NETLINK_ROUTE, why);
	int r, e = 0;

	if (n == NULL)
		return ERR_IO;
	if ((r = nl_dump(n, &ask.h, see, &(struct seeing){ each, arg }, &e)) == ERR_IO)
		(void)snprintf(why, NL_WHY, "the interfaces can't be listed (%s): look at the ports of VXLAN "
		    "devices with ip -d link show type vxlan", strerror(e));
	nl_close(n);
	return r == ERR_IO ? ERR_IO : OK;
}
