/* SPDX-License-Identifier: ISC */
/* Interfaces on which the administrator has switched IPsec policies off. */
#ifndef XFRM_INTERFACE_SYSCTL_H
#define XFRM_INTERFACE_SYSCTL_H

#include <stddef.h>

/*
 * Calls each for every file below /proc/sys/net/ipv{4,6}/conf that is set and makes the kernel pass over
 * policies: disable_policy (of what arrives) and disable_xfrm (of what leaves). Loopback has both by
 * default and is left out. Returns how many there are.
 */
size_t interface_sysctl(void (*each)(void *arg, const char *path), void *arg);

#endif
