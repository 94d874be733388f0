/* SPDX-License-Identifier: ISC */
#include "shell/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "shell/udp_int.h"

#define SOCKETS_MAX 34
#define ROUNDS 4                 /* batches taken from one socket per wake-up */

struct udp_socket {
	struct udp *udp;
	struct loop_io *io;
	struct endpoint bound;
	int fd;
	bool natt;
};

struct udp {
	struct loop *loop;
	udp_fn fn;
	void *arg;
	struct udp_counters counters;
	struct udp_socket sockets[SOCKETS_MAX];
	size_t n_sockets;
	struct udp_slot in[UDP_BATCH], out[UDP_BATCH];
	size_t n_out;
	struct udp_socket *out_socket;   /* of the batch that waits */
	uint8_t *memory;
};

socklen_t
udp_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (e->addr.family == ADDR_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		memcpy(&v4->sin_addr, e->addr.a, 4);
		return sizeof *v4;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(e->port);
	memcpy(&v6->sin6_addr, e->addr.a, 16);
	return sizeof *v6;
}

int
udp_endpoint(const struct sockaddr_storage *ss, struct endpoint *e)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;

	memset(e, 0, sizeof *e);
	switch (ss->ss_family) {
	case AF_INET:
		e->port = ntohs(v4->sin_port);
		return addr_from_bytes(&e->addr, bytes_of(&v4->sin_addr, 4));
	case AF_INET6:
		e->port = ntohs(v6->sin6_port);
		return addr_from_bytes(&e->addr, bytes_of(&v6->sin6_addr, 16));
	default:
		return ERR_VALUE;
	}
}

bool
udp_family_works(uint8_t family)
{
	int fd = socket(family == ADDR_V4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);

	if (fd == -1)
		return false;
	(void)close(fd);
	return true;
}

int
udp_bind(const struct endpoint *e, bool natt, int *out)
{
	struct sockaddr_storage ss;
	socklen_t len = udp_sockaddr(e, &ss);
	int fd, one = 1, saved, buffer = 1024 * 1024;

	*out = -1;
	if ((fd = socket(ss.ss_family, SOCK_DGRAM, 0)) == -1)
		return ERR_IO;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		goto fail;
	if (ss.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0)
		goto fail;
	/* A burst of handshakes must not drown in a small buffer; the system may give less. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	if (udp_options(fd, e->addr.family) != OK || (natt && udp_filter_natt(fd) != OK))
		goto fail;
	if (bind(fd, (const struct sockaddr *)&ss, len) != 0)
		goto fail;
	*out = fd;
	return OK;
fail:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return ERR_IO;
}

int
udp_connect(int fd, const struct endpoint *peer)
{
	struct sockaddr_storage ss;
	socklen_t len = udp_sockaddr(peer, &ss);

	return connect(fd, (const struct sockaddr *)&ss, len) == 0 ? OK : ERR_IO;
}

struct udp *
udp_new(struct loop *l, udp_fn fn, void *arg)
{
	struct udp *u = calloc(1, sizeof *u);
	size_t i;

	if (u == NULL || (u->memory = malloc(2 * UDP_BATCH * (size_t)UDP_DATAGRAM_MAX)) == NULL) {
		free(u);
		return NULL;
	}
	u->loop = l;
	u->fn = fn;
	u->arg = arg;
	for (i = 0; i < UDP_BATCH; i++) {
		u->in[i].data = u->memory + 2 * i * UDP_DATAGRAM_MAX;
		u->out[i].data = u->in[i].data + UDP_DATAGRAM_MAX;
	}
	return u;
}

void
udp_free(struct udp *u)
{
	size_t i;

	if (u == NULL)
		return;
	for (i = 0; i < u->n_sockets; i++) {
		loop_io_free(u->sockets[i].io);
		(void)close(u->sockets[i].fd);
	}
	free(u->memory);
	free(u);
}

const struct udp_counters *
udp_counters(const struct udp *u)
{
	return &u->counters;
}

/* ------------------------------------------------------------------ in */

static void
udp_deliver(struct udp_socket *s, const struct udp_slot *slot)
{
	struct udp *u = s->udp;
	struct udp_datagram d = { .natt = s->natt };
	struct rd r = rd_open(bytes_of(slot->data, slot->n));

	if (slot->truncated) {
		u->counters.truncated++;
		return;
	}
	if (s->natt && (rd_u32(&r) != 0 || !rd_ok(&r))) {
		u->counters.not_ike++;
		return;
	}
	if (udp_endpoint(&slot->peer, &d.peer) != OK)
		return;
	d.local.addr = slot->local.family != AF_NONE_ ? slot->local : s->bound.addr;
	d.local.port = s->bound.port;
	d.data = rd_rest(&r);
	u->counters.in++;
	u->fn(u->arg, &d);
}

static void
udp_readable(void *arg, int fd, int what)
{
	struct udp_socket *s = arg;
	size_t i, n;
	int round;

	(void)what;
	for (round = 0; round < ROUNDS; round++) {
		n = udp_receive(fd, s->udp->in, UDP_BATCH);
		for (i = 0; i < n; i++)
			udp_deliver(s, &s->udp->in[i]);
		if (n < UDP_BATCH)
			return;
	}
}

int
udp_add(struct udp *u, int fd, const struct endpoint *bound, bool natt)
{
	struct udp_socket *s;

	if (u->n_sockets == SOCKETS_MAX)
		return ERR_SPACE;
	s = &u->sockets[u->n_sockets];
	*s = (struct udp_socket){ .udp = u, .bound = *bound, .fd = fd, .natt = natt };
	if ((s->io = loop_io_new(u->loop, fd, LOOP_READ, udp_readable, s)) == NULL)
		return ERR_NOMEM;
	u->n_sockets++;
	return OK;
}

int
udp_kernel_encap(struct udp *u, struct endpoint *at)
{
	int r = OK, one, saved = 0;
	size_t i;

	for (i = 0; i < u->n_sockets; i++) {
		if (!u->sockets[i].natt || (one = udp_encap_socket(u->sockets[i].fd)) == OK)
			continue;
		saved = errno;
		*at = u->sockets[i].bound;
		r = one;
	}
	errno = saved;
	return r;
}

/* ------------------------------------------------------------------ out */

void
udp_flush(struct udp *u)
{
	size_t done = 0, sent;

	while (done < u->n_out) {
		sent = udp_transmit(u->out_socket->fd, &u->out[done], u->n_out - done);
		u->counters.out += sent;
		done += sent;
		if (done < u->n_out) {
			u->counters.send_failed++;
			done++;
		}
	}
	u->n_out = 0;
}

/* The socket bound to exactly this address, else a wildcard one of its family. */
static struct udp_socket *
udp_socket_for(struct udp *u, const struct endpoint *local, bool natt)
{
	struct udp_socket *s, *wildcard = NULL;
	size_t i;

	for (i = 0; i < u->n_sockets; i++) {
		s = &u->sockets[i];
		if (s->natt != natt || s->bound.addr.family != local->addr.family)
			continue;
		if (addr_equal(&s->bound.addr, &local->addr))
			return s;
		if (addr_is_unspecified(&s->bound.addr))
			wildcard = s;
	}
	return wildcard;
}

void
udp_send(struct udp *u, const struct udp_datagram *d)
{
	struct udp_socket *s = udp_socket_for(u, &d->local, d->natt);
	size_t marker = d->natt ? UDP_MARKER : 0;
	struct udp_slot *slot;

	if (s == NULL || d->data.n + marker > UDP_DATAGRAM_MAX) {
		u->counters.no_socket++;
		return;
	}
	if (u->n_out == UDP_BATCH || (u->n_out > 0 && u->out_socket != s))
		udp_flush(u);
	u->out_socket = s;
	slot = &u->out[u->n_out++];
	slot->peer_len = udp_sockaddr(&d->peer, &slot->peer);
	slot->local = d->local.addr;
	memset(slot->data, 0, marker);
	memcpy(slot->data + marker, d->data.p, d->data.n);
	slot->n = d->data.n + marker;
}
