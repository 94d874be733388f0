/* SPDX-License-Identifier: ISC */
#include "shell/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/wr.h"

struct client {
	struct ctl *ctl;
	uint32_t number;         /* 0: slot is free */
	int fd;
	struct loop_io *io;
	struct loop_timer *idle;
	char line[CTL_REQUEST_MAX];
	size_t n;
	bool waiting;            /* for ctl_reply() */
	struct blob out;
	size_t out_done;
};

struct ctl {
	struct loop *loop;
	struct loop_io *io;
	int fd;
	struct ctl_access access;
	ctl_fn fn;
	void *arg;
	struct client clients[CTL_CLIENTS_MAX];
	uint32_t next;
	struct log_bucket bucket;
};

bool
ctl_may(const struct ctl_access *a, uid_t uid, gid_t gid)
{
	if (uid == 0 || uid == a->owner)
		return true;
	if ((a->mode & 0060) == 0060 && gid == a->group)
		return true;
	return (a->mode & 0006) == 0006;
}

static void
client_close(struct client *c)
{
	loop_io_free(c->io);
	loop_timer_free(c->idle);
	(void)close(c->fd);
	blob_free(&c->out);
	memset(c, 0, sizeof *c);
}

static void
client_late(void *arg)
{
	client_close(arg);
}

/* Hands the first whole line on, if there is one. What follows waits for the answer. */
static void
client_line(struct client *c)
{
	struct ctl *ctl = c->ctl;
	uint32_t number = c->number;
	char line[CTL_REQUEST_MAX];
	char *nl = memchr(c->line, '\n', c->n);
	size_t n;

	if (c->waiting)
		return;
	if (nl == NULL) {
		if (c->n == sizeof c->line)
			client_close(c);
		return;
	}
	n = (size_t)(nl - c->line);
	memcpy(line, c->line, n);
	c->n -= n + 1;
	memmove(c->line, nl + 1, c->n);
	c->waiting = true;
	loop_timer_clear(c->idle);
	loop_io_want(c->io, 0);
	ctl->fn(ctl->arg, number, bytes_of(line, n));
}

static void
client_read(struct client *c)
{
	ssize_t r = recv(c->fd, c->line + c->n, sizeof c->line - c->n, MSG_DONTWAIT);

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r <= 0) {
		client_close(c);
		return;
	}
	c->n += (size_t)r;
	client_line(c);
}

static void
client_write(struct client *c)
{
	ssize_t r;

	r = send(c->fd, c->out.p + c->out_done, c->out.n - c->out_done,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (r < 0) {
		client_close(c);
		return;
	}
	c->out_done += (size_t)r;
	loop_timer_in(c->idle, CTL_IDLE_MS);
	if (c->out_done < c->out.n)
		return;
	blob_free(&c->out);
	c->out_done = 0;
	c->waiting = false;
	loop_io_want(c->io, LOOP_READ);
	client_line(c);
}

static void
client_event(void *arg, int fd, int what)
{
	struct client *c = arg;

	(void)fd;
	if (what & LOOP_WRITE)
		client_write(c);
	else
		client_read(c);
}

static void
client_begin(struct ctl *ctl, int fd)
{
	struct client *c = NULL;
	size_t i;

	for (i = 0; i < CTL_CLIENTS_MAX && c == NULL; i++)
		if (ctl->clients[i].number == 0)
			c = &ctl->clients[i];
	if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		(void)close(fd);
		return;
	}
	c->ctl = ctl;
	c->fd = fd;
	if (++ctl->next == 0)
		ctl->next = 1;
	c->number = ctl->next;
	c->io = loop_io_new(ctl->loop, fd, LOOP_READ, client_event, c);
	c->idle = loop_timer_new(ctl->loop, client_late, c);
	if (c->io == NULL || c->idle == NULL) {
		client_close(c);
		return;
	}
	loop_timer_in(c->idle, CTL_IDLE_MS);
}

static void
ctl_accept(void *arg, int fd, int what)
{
	struct ctl *ctl = arg;
	uid_t uid = 0;
	gid_t gid = 0;
	int client = accept(fd, NULL, NULL), r;

	(void)what;
	if (client == -1)
		return;
	/* Where the system can't tell who it is, the mode of the socket has to do. */
	r = ctl_peer(client, &uid, &gid);
	if (r == OK ? !ctl_may(&ctl->access, uid, gid) : r != ERR_UNSUPPORTED) {
		log_peer(&ctl->bucket, loop_now(ctl->loop),
		    "control socket: user %u may not use it", (unsigned)uid);
		(void)close(client);
		return;
	}
	client_begin(ctl, client);
}

struct ctl *
ctl_new(struct loop *l, int listen_fd, const struct ctl_access *access, ctl_fn fn, void *arg)
{
	struct ctl *ctl = calloc(1, sizeof *ctl);

	if (ctl == NULL ||
	    (ctl->io = loop_io_new(l, listen_fd, LOOP_READ, ctl_accept, ctl)) == NULL) {
		free(ctl);
		(void)close(listen_fd);
		return NULL;
	}
	ctl->loop = l;
	ctl->fd = listen_fd;
	ctl->access = *access;
	ctl->fn = fn;
	ctl->arg = arg;
	return ctl;
}

void
ctl_free(struct ctl *ctl)
{
	size_t i;

	if (ctl == NULL)
		return;
	for (i = 0; i < CTL_CLIENTS_MAX; i++)
		if (ctl->clients[i].number != 0)
			client_close(&ctl->clients[i]);
	loop_io_free(ctl->io);
	(void)close(ctl->fd);
	free(ctl);
}

int
ctl_reply(struct ctl *ctl, uint32_t number, struct bytes line)
{
	struct client *c = NULL;
	struct wr w;
	size_t i;

	for (i = 0; i < CTL_CLIENTS_MAX; i++)
		if (ctl->clients[i].number == number && number != 0)
			c = &ctl->clients[i];
	if (c == NULL || !c->waiting)
		return ERR_GONE;
	w = wr_grow(CTL_REPLY_MAX);
	wr_put(&w, line);
	wr_u8(&w, '\n');
	if (w.bad || wr_take(&w, &c->out) != OK) {
		wr_free(&w);
		client_close(c);
		return ERR_SPACE;
	}
	c->out_done = 0;
	loop_timer_in(c->idle, CTL_IDLE_MS);
	loop_io_want(c->io, LOOP_WRITE);
	return OK;
}
