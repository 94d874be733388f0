/* SPDX-License-Identifier: ISC */
/*
 * The control socket: a UNIX stream socket on which a client sends one request a line and gets
 * one line as answer, one after the other. Who connects is checked by its credentials; lines,
 * clients and time are bounded. What the lines mean is the caller's business.
 */
#ifndef SHELL_CTL_H
#define SHELL_CTL_H

#include <sys/types.h>

#include "base/bytes.h"
#include "shell/loop.h"

#define CTL_CLIENTS_MAX 16
#define CTL_REQUEST_MAX 4096
#define CTL_REPLY_MAX (16u * 1024 * 1024)
#define CTL_IDLE_MS 10000                /* for a request, and for an answer to be taken */

struct ctl;

/* Who may ask: root, the owner, and whom the mode of the socket lets in. */
struct ctl_access {
	uid_t owner;
	gid_t group;
	mode_t mode;
};
bool ctl_may(const struct ctl_access *, uid_t, gid_t);

/*
 * A request line without its end. Answer with ctl_reply() to the same client number, now or
 * later.
 */
typedef void (*ctl_fn)(void *arg, uint32_t client, struct bytes line);

/* Takes the listening socket over. NULL: out of memory (it is then closed). */
struct ctl *ctl_new(struct loop *, int listen_fd, const struct ctl_access *, ctl_fn, void *arg);
void ctl_free(struct ctl *);
/* The line, without end, is copied. ERR_GONE: that client has left; ERR_SPACE, ERR_NOMEM: it was
 * disconnected. */
int ctl_reply(struct ctl *, uint32_t client, struct bytes line);

/*
 * Make the socket: replaces a dead one of that name, never a live one or another kind of file.
 * 0; ERR_EXISTS: somebody listens there; ERR_IO (errno).
 */
int ctl_listen(const char *path, mode_t, int *fd);
/* Connect as a client. Blocking socket. 0 or ERR_IO (errno). */
int ctl_connect(const char *path, int *fd);

/* Credentials of the other end: 0; ERR_UNSUPPORTED where the system can never tell; ERR_IO. */
int ctl_peer(int fd, uid_t *, gid_t *);

#endif
