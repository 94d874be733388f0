/* SPDX-License-Identifier: ISC */
/*
 * One end of a connection between two of our processes (base/seqpacket.h) on the loop: outgoing
 * messages are queued while the socket is full, incoming ones are checked against a table that says
 * in which phase a message is legal and how long it may be, before its handler sees it.
 */
#ifndef SHELL_CHAN_H
#define SHELL_CHAN_H

#include "base/bytes.h"
#include "base/seqpacket.h"
#include "shell/loop.h"

struct chan;

/*
 * Handles one message. body is borrowed. fd: a descriptor that came with it, or -1; it is closed
 * after the handler unless the handler takes it with chan_take_fd(). Return 0, or an error when the
 * body is not what the type says (or the request is not legal now): then the connection is broken
 * off and `broken` is called with that error.
 */
typedef int (*chan_fn)(void *arg, struct chan *, struct bytes body, int fd);

struct chan_rule {
	uint16_t type;
	uint32_t phases;         /* bit set of phases in which it is legal */
	uint32_t min, max;       /* octets of the body */
	bool fd;                 /* a descriptor must come with it; otherwise none may */
	chan_fn fn;
};

/*
 * The connection ended: ERR_GONE the other side closed it, ERR_PROTO or what a handler returned:
 * the other side sent something illegal (*why: static text), ERR_SPACE: our queue overflowed.
 * Nothing more is received or sent; chan_free() may be called from here.
 */
typedef void (*chan_broken_fn)(void *arg, struct chan *, int err, const char *why);

struct chan_setup {
	const char *name;                /* of the other side, for messages; copied */
	const struct chan_rule *rules;   /* borrowed for the life of the channel */
	size_t n_rules;
	uint32_t phase;                  /* the first phase: one bit */
	void *arg;                       /* for the handlers */
	size_t n_own;                    /* the handlers of the first rules get own_arg instead */
	void *own_arg;
	chan_broken_fn broken;
	void *broken_arg;
	size_t queue_octets;             /* bound of what waits to be sent; 0: 4 MiB */
	bool batch;                      /* see chan_send() */
};

/* Takes fd over in any case. NULL: out of memory (fd is then closed). */
struct chan *chan_new(struct loop *, int fd, const struct chan_setup *);
/* Closes. NULL is fine. Safe inside handlers of the same channel. */
void chan_free(struct chan *);

uint32_t chan_phase(const struct chan *);
void chan_set_phase(struct chan *, uint32_t phase);

/*
 * Send or queue. With setup.batch what is sent within a wake-up of the loop leaves at its end, in
 * one packet, so that the other side is woken once for all of it. The body is copied when queued;
 * fd (-1: none) is duplicated then and stays the caller's. 0; ERR_GONE on a broken channel or NULL;
 * ERR_SPACE when too long or the queue is full.
 */
int chan_send(struct chan *, uint16_t type, struct bytes body, int fd);
/* The octets of a writer, which is freed (and wiped); ERR_SPACE when it is bad. */
int chan_send_wr(struct chan *, uint16_t type, struct wr *);
/* Octets waiting to be sent. */
size_t chan_queued(const struct chan *);
/* Handle what has come already, as the loop would: the last words of a process that has ended. */
void chan_read_rest(struct chan *);
/* Inside a handler: the descriptor is now the handler's. */
void chan_take_fd(struct chan *);
/*
 * Sends what is queued, waiting for the socket up to ms milliseconds; for last words. 0,
 * ERR_TIMEOUT or ERR_GONE.
 */
int chan_drain(struct chan *, int ms);

#endif
