/* SPDX-License-Identifier: ISC */
#include "base/seqpacket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"

#define HEADER 2u

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

/* Aligned as a control message must be. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

static int
buffer_size(int fd, int which)
{
	int size = SEQ_MAX + 1024, got = 0;
	socklen_t len = sizeof got;

	/* The system may cap what is asked for; what counts is that one message fits. */
	(void)setsockopt(fd, SOL_SOCKET, which, &size, sizeof size);
	if (getsockopt(fd, SOL_SOCKET, which, &got, &len) != 0)
		return ERR_IO;
	if ((unsigned)got < SEQ_MAX) {
		errno = ENOBUFS;
		return ERR_IO;
	}
	return OK;
}

int
seq_pair(int fd[2])
{
	int i, saved;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) != 0)
		return ERR_IO;
	for (i = 0; i < 2; i++)
		if (buffer_size(fd[i], SO_SNDBUF) != OK || buffer_size(fd[i], SO_RCVBUF) != OK)
			goto fail;
	return OK;
fail:
	saved = errno;
	(void)close(fd[0]);
	(void)close(fd[1]);
	fd[0] = fd[1] = -1;
	errno = saved;
	return ERR_IO;
}

static int
send_error(void)
{
	switch (errno) {
	case EAGAIN:
#if EWOULDBLOCK != EAGAIN
	case EWOULDBLOCK:
#endif
	case ENOBUFS:
		return ERR_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN:
		return ERR_GONE;
	case EMSGSIZE:
		return ERR_SPACE;
	default:
		return ERR_IO;
	}
}

int
seq_send(int sock, uint16_t type, struct bytes body, int fd)
{
	uint8_t head[HEADER] = { (uint8_t)(type >> 8), (uint8_t)type };
	struct iovec iov[2] = {
		{ .iov_base = head, .iov_len = sizeof head },
		{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = body.n == 0 ? 1 : 2 };
	union control control;
	ssize_t r;

	if (body.n > SEQ_MAX - HEADER)
		return ERR_SPACE;
	if (fd != -1) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof control);
		msg.msg_control = &control;
		msg.msg_controllen = sizeof control.space;
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	do {
		r = sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? send_error() : OK;
}

/* Takes the descriptors out of a message; more than one is against the rules and all are closed. */
static int
take_fd(struct msghdr *msg, int *fd)
{
	struct cmsghdr *c;
	size_t i, n, count = 0;
	int one;

	*fd = -1;
	for (c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof one;
		for (i = 0; i < n; i++) {
			memcpy(&one, CMSG_DATA(c) + i * sizeof one, sizeof one);
			if (count++ == 0)
				*fd = one;
			else
				(void)close(one);
		}
	}
	if (count <= 1 && (msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0)
		return OK;
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
	return ERR_SYNTAX;
}

static int
recv_retry(int sock, struct msghdr *msg, size_t *n)
{
	bool reset = false;
	ssize_t r;

	for (;;) {
		r = recvmsg(sock, msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (r > 0) {
			*n = (size_t)r;
			return OK;
		}
		if (r == 0)
			return ERR_GONE;
		/* A peer that closed without reading all: told once, before what it still sent. */
		if (errno == ECONNRESET && !reset)
			reset = true;
		else if (errno != EINTR)
			break;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return ERR_AGAIN;
	return errno == ECONNRESET || errno == ENOTCONN ? ERR_GONE : ERR_IO;
}

int
seq_recv(int sock, uint8_t *buf, uint16_t *type, struct bytes *body, int *fd)
{
	struct iovec iov = { .iov_base = buf, .iov_len = SEQ_MAX };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof control.space,
	};
	struct rd r;
	size_t n = 0;
	int got = -1, err;

	if (fd != NULL)
		*fd = -1;
	*type = 0;
	*body = bytes_of(NULL, 0);
	if ((err = recv_retry(sock, &msg, &n)) != OK)
		return err;
	if ((err = take_fd(&msg, &got)) != OK)
		return err;
	r = rd_open(bytes_of(buf, n));
	*type = rd_u16(&r);
	*body = rd_rest(&r);
	if (rd_ok(&r) && fd != NULL)
		*fd = got;
	else if (got != -1)
		(void)close(got);
	return rd_ok(&r) ? OK : ERR_SYNTAX;
}

void
seq_pack(struct wr *w, uint16_t type, struct bytes body)
{
	wr_u16(w, type);
	wr_u32(w, (uint32_t)body.n);
	wr_put(w, body);
}

int
seq_unpack(struct rd *r, uint16_t *type, struct bytes *body)
{
	if (rd_ok(r) && rd_left(r) == 0)
		return 0;
	*type = rd_u16(r);
	*body = rd_take(r, rd_u32(r));
	return rd_ok(r) && *type != SEQ_SEVERAL ? 1 : ERR_SYNTAX;
}
