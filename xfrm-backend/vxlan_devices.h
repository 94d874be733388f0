/* SPDX-License-Identifier: ISC */
/* The VXLAN devices of this network namespace: nothing here changes them, --check looks at their ports. */
#ifndef XFRM_VXLAN_DEVICES_H
#define XFRM_VXLAN_DEVICES_H

#include "xfrm-backend/netlink.h"

struct vxlan_device {
	const char *name;                /* borrowed */
	uint16_t port;                   /* UDP port that it sends to and listens on */
};

/* Calls each for every one. Needs no privilege. 0, or ERR_IO and *why with the way out. */
int vxlan_devices(void (*each)(void *arg, const struct vxlan_device *), void *arg, char why[static NL_WHY]);

#endif
