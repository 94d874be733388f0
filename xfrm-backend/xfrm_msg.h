/* SPDX-License-Identifier: ISC */
/*
 * XFRM netlink messages, pure: written into a buffer, read from one. Octets from the kernel are
 * checked all the same (length of every attribute before it is used): a reader returns an error
 * rather than guess. Requests carry NLM_F_REQUEST | NLM_F_ACK; sequence number and port are the
 * sender's (netlink.h).
 */
#ifndef XFRM_MSG_H
#define XFRM_MSG_H

#include <linux/netlink.h>

#include "xfrm-backend/xfrm_obj.h"

#define XMSG_MAX 2048                /* octets of any request below */

/* What differs between kernels; see probe.h. */
struct xmsg_kernel {
	bool sa_dir;                     /* XFRMA_SA_DIR is known (Linux 6.10): no replay window outbound then */
};

/*
 * Write a request into buf (XMSG_MAX octets, aligned for nlmsghdr) and return it. A message with a
 * key is wiped by whoever sent it.
 *
 * sa_add: XFRM_MSG_NEWSA. The key is cipher key | salt | integrity key, as in struct sa_params. The
 * direction decides about replay state: inbound a window (bitmap form; at least 64 packets, also
 * with ESN), outbound none where the kernel allows that. XFRM_STATE_NOECN and friends are not set;
 * XFRM_STATE_ESN with ESN; ICV lengths full (128 bit for AEAD, those of RFC 4868 for HMAC); UDP
 * encapsulation as ESPINUDP, and inbound a pause between notifications of new mappings. NULL for a
 * transform that the kernel has no name for, or a key of the wrong length.
 * sa_del, sa_get: by SPI and destination. sa_dump: all SAs (NLM_F_DUMP) of ESP.
 */
struct nlmsghdr *xmsg_sa_add(void *buf, const struct xmsg_kernel *, const struct xsa *, struct bytes key);
struct nlmsghdr *xmsg_sa_del(void *buf, uint32_t spi, const struct addr *dst);
struct nlmsghdr *xmsg_sa_get(void *buf, uint32_t spi, const struct addr *dst);
struct nlmsghdr *xmsg_sa_dump(void *buf);
/*
 * pol_add: XFRM_MSG_NEWPOLICY, which fails with EEXIST where direction and selector are taken;
 * replace: XFRM_MSG_UPDPOLICY instead, which takes the place of what is there. No expiry. Template:
 * ESP, required, SPI 0, all algorithms allowed (aalgos, ealgos, calgos ~0).
 * pol_del, pol_get: by direction and selector. pol_dump: all policies of the main type.
 */
struct nlmsghdr *xmsg_pol_add(void *buf, const struct xpol *, bool replace);
struct nlmsghdr *xmsg_pol_del(void *buf, uint8_t dir, const struct xsel *);
struct nlmsghdr *xmsg_pol_get(void *buf, uint8_t dir, const struct xsel *);
struct nlmsghdr *xmsg_pol_dump(void *buf);

/*
 * Readers: 0; ERR_SYNTAX: malformed; ERR_UNSUPPORTED: well formed, but not of the kind (an SA of AH,
 * a policy of the sub type). Keys in the message are neither copied nor looked at.
 */
int xmsg_sa_read(const struct nlmsghdr *, struct xsa *, struct xsa_figures *);   /* NEWSA, UPDSA */
int xmsg_pol_read(const struct nlmsghdr *, struct xpol *);                       /* NEWPOLICY, UPDPOLICY */

/* A notification of any kind that we subscribe to. */
enum xevent_kind {
	XEVENT_OTHER = 0,                /* nothing that concerns us */
	XEVENT_ACQUIRE,                  /* reqid, src, dst: of the SA that is missing; pol: the policy that wants it */
	XEVENT_EXPIRE,                   /* spi, reqid, src, dst, hard; soft: it lives on, hard: it is gone */
	XEVENT_MAPPING,                  /* spi, reqid, dst; src, port: the peer's new endpoint */
	XEVENT_SA_DELETED,               /* spi, reqid, src, dst; not when it expired */
	XEVENT_SA_FLUSHED,
	XEVENT_POLICY_DELETED,           /* pol: direction and selector */
	XEVENT_POLICY_ADDED,             /* new or changed; pol */
	XEVENT_POLICY_FLUSHED,
};
struct xevent {
	enum xevent_kind kind;
	/*
	 * Who caused it: the port that the request's header claimed (netlink.h puts ours in). 0: the kernel
	 * itself, or a program that claims none, as ip(8) does.
	 */
	uint32_t port_id;
	uint32_t spi, reqid;
	struct addr src, dst;
	uint16_t port;
	bool hard;
	struct xpol pol;
};
/* 0 or ERR_SYNTAX. Larval SAs, protocols other than ESP and policies of sockets do not concern us. */
int xmsg_event_read(const struct nlmsghdr *, struct xevent *);

/* The kernel's names of a transform: AEAD, or cipher and integrity; NULL where there is none. icv: bits. */
struct xalg {
	const char *aead, *encr, *auth;
	unsigned icv;
};
int xalg_of(const struct esp_transform *, struct xalg *);   /* 0 or ERR_UNSUPPORTED */

#endif
