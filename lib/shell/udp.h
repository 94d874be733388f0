/* SPDX-License-Identifier: ISC */
/*
 * UDP for IKE: sockets bound once by the parent and served by the engine, in batches. The address
 * a datagram came to is known, and the one it leaves from is chosen, per datagram. On NAT-T
 * sockets the non-ESP marker (RFC 7296 section 3.1, RFC 3948 section 2.2) is taken off and put in
 * front here; what has none (ESP in UDP, keepalives) is not ours.
 */
#ifndef SHELL_UDP_H
#define SHELL_UDP_H

#include "base/addr.h"
#include "shell/loop.h"

/*
 * A bound, non-blocking socket. An unspecified address binds the wildcard of its family. On Linux a
 * filter in the kernel drops what reaches a NAT-T socket without a non-ESP marker. 0 or ERR_IO
 * (errno says why).
 */
int udp_bind(const struct endpoint *, bool natt, int *fd);
/* Fix the other end of a bound socket: it has a route then. 0 or ERR_IO (errno says why). */
int udp_connect(int fd, const struct endpoint *peer);
/* Does this system have the family at all? A wildcard of one that it lacks need not be bound. */
bool udp_family_works(uint8_t family);

struct udp_datagram {
	struct endpoint local, peer;
	struct bytes data;       /* without marker; borrowed for the call */
	bool natt;
};
typedef void (*udp_fn)(void *arg, const struct udp_datagram *);

struct udp_counters {
	uint64_t in, out, not_ike, truncated, send_failed, no_socket;
};

struct udp;
struct udp *udp_new(struct loop *, udp_fn, void *arg);   /* NULL: out of memory */
void udp_free(struct udp *);                             /* closes its sockets */
/* Serve a bound socket; takes fd over if 0 is returned. ERR_SPACE: too many. */
int udp_add(struct udp *, int fd, const struct endpoint *bound, bool natt);
/*
 * Have the kernel take ESP in UDP (RFC 3948) off the NAT-T sockets served so far, for SAs that it has
 * itself; IKE still arrives, keepalives don't. Tries all of them. 0; else for the last that failed, *at,
 * ERR_IO (errno says why) or ERR_UNSUPPORTED: no such thing on this system.
 */
int udp_kernel_encap(struct udp *, struct endpoint *at);
/*
 * Send from local to peer: copied into the batch, which leaves when full or with udp_flush(). What
 * cannot be sent is lost and counted, as the network might have done.
 */
void udp_send(struct udp *, const struct udp_datagram *);
void udp_flush(struct udp *);
const struct udp_counters *udp_counters(const struct udp *);

#endif
