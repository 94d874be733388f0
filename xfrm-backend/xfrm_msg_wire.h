/* SPDX-License-Identifier: ISC */
/*
 * What the parts of xfrm_msg.h share: messages and attributes, the kernel's structs from and to ours,
 * and the numbers that are newer than the oldest linux/xfrm.h we build with. Numbers are in host
 * order on this wire unless the kernel's struct says __be.
 */
#ifndef XFRM_MSG_WIRE_H
#define XFRM_MSG_WIRE_H

#include <linux/xfrm.h>

#include "xfrm-backend/xfrm_msg.h"

/* Attributes that Debian 12's linux/xfrm.h does not have yet. */
enum {
	XATTR_SA_DIR = 33,               /* Linux 6.10; uint8_t: 1 in, 2 out, as enum sa_dir */
	XATTR_NAT_KEEPALIVE = 34,        /* Linux 6.11 */
	XATTR_SA_PCPU = 35,              /* Linux 6.13 */
	XATTRS = 64                      /* numbers from here on are not looked at */
};

#define IPPROTO_ESP_ 50

/* ---- writing ---- */

/* Begin a message in buf; what follows is written with wr_put() and the functions below. */
struct wr xmsg_begin(void *buf, uint16_t type, uint16_t flags);
/* Fill up to the next multiple of four octets. */
void xmsg_pad(struct wr *);
/* The header of an attribute with n octets, which the caller writes, and xmsg_pad() after them. */
void xattr_head(struct wr *, uint16_t type, size_t n);
void xattr_put(struct wr *, uint16_t type, const void *, size_t n);
/* Sets the message's length. NULL if it did not fit. */
struct nlmsghdr *xmsg_end(struct wr *);

/* AF_INET, AF_INET6; 0 if unset. */
uint16_t xfamily(uint8_t family);
void xaddr_write(xfrm_address_t *, const struct addr *);
void xsel_write(struct xfrm_selector *, const struct xsel *);
/* Families of both addresses, prefix lengths. */
bool xsel_sound(const struct xsel *);

/* The algorithms with their parts of the key. 0, or ERR_VALUE: no such transform, or the key's length. */
int xalg_write(struct wr *, const struct esp_transform *, struct bytes key);

/* ---- reading ---- */

/* By number; those that are not there have p NULL. Of several with one number the last. */
struct xattrs {
	struct bytes a[XATTRS];
};

/* The n octets behind the message's header, copied out, and the attributes after them. 0 or ERR_SYNTAX. */
int xmsg_read(const struct nlmsghdr *, void *fixed, size_t n, struct xattrs *);
/* Copies out an attribute of at least n octets. 0 (zeros if it is not there) or ERR_SYNTAX. */
int xattr_copy(const struct xattrs *, unsigned type, void *to, size_t n);
/* Is it there, with anything but zeros in it? */
bool xattr_set(const struct xattrs *, unsigned type);

/* enum addr_family of AF_INET and AF_INET6; AF_NONE_ for others. */
uint8_t xfamily_read(uint16_t af);
struct addr xaddr_read(uint8_t family, const xfrm_address_t *);
/* 0; ERR_SYNTAX: family or prefix length. *foreign is set if it has what ours never have. */
int xsel_read(const struct xfrm_selector *, struct xsel *, bool *foreign);
/* enum sa_mode; 0 for those that we do not have. */
uint8_t xmode_read(uint8_t mode);
uint8_t xmode_write(uint8_t mode);

/* The transform without ESN; encr stays ESP_ENCR_NONE for what we do not know. 0 or ERR_SYNTAX. */
int xalg_read(const struct xattrs *, struct esp_transform *);

/* A policy with its attributes, as dumps and notifications have it. As xmsg_pol_read(). */
int xpol_read(const struct xfrm_userpolicy_info *, const struct xattrs *, struct xpol *);

#endif
