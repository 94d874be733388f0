/* SPDX-License-Identifier: ISC */
/*
 * The other side of proc.h: what every process of a daemon does, table-driven. It reads its
 * configuration from the parent, gets ready with privileges (prepare), gives them up for good,
 * says IPC_READY and serves its connections. A connection that sends something illegal is
 * reported to the parent, which restarts the process at its other end.
 */
#ifndef SHELL_CHILD_H
#define SHELL_CHILD_H

#include "base/sandbox.h"
#include "shell/chan.h"
#include "shell/config.h"
#include "shell/msg.h"

#define CHILD_WHY_MAX 400

/* Phases of connections between processes; rules of struct child_peer name them. */
enum {
	PHASE_RUN = 1,
	PHASE_STOP = 2,          /* we were told to end */
	PHASE_ANY = PHASE_RUN | PHASE_STOP,
};

struct child;

struct child_peer {
	enum proc_id id;
	const char *name;
	const struct chan_rule *rules;   /* handlers get the arg of child_main() */
	size_t n_rules;
	/*
	 * A connection is there: the first, or a new one because that process was restarted.
	 * NULL: fine.
	 */
	void (*connected)(void *arg, bool again);
};

struct child_setup {
	const char *name;                /* "engine" */
	enum sandbox_profile profile;
	bool chroot;
	const struct child_peer *peers;
	size_t n_peers;
	const struct chan_rule *parent_rules;    /* beside the lifecycle's */
	size_t n_parent_rules;
	/*
	 * Still privileged: load keys and certificates. An error ends the process: ERR_VALUE for
	 * what the operator can mend (exit status 2), why: "FILE:LINE: what: what to do".
	 */
	int (*prepare)(void *arg, struct child *, char why[static CHILD_WHY_MAX]);
	/* Sandboxed, before the first message: 0 or an error. NULL: nothing to do. */
	int (*begin)(void *arg);
	/* A socket of ours; the descriptor is the handler's. */
	void (*socket)(void *arg, int fd, const struct endpoint *, bool natt);
	void (*reload)(void *arg);       /* NULL: nothing to do */
	/* Wind up and call child_end() when done. NULL: ends at once. */
	void (*stop)(void *arg);
	/* Free everything. */
	void (*finish)(void *arg);
};

/* The whole life of the process. Returns its exit status. */
int child_main(const struct child_setup *, void *arg);

struct loop *child_loop(struct child *);
const struct config *child_config(const struct child *);
/* The connection to a process; NULL while there is none (chan_send() then says ERR_GONE). */
struct chan *child_chan(struct child *, enum proc_id);
void child_end(struct child *);
/* True once IPC_STOP has come. */
bool child_stopping(const struct child *);
/*
 * "CONFIG:LINE: FILE: what" into why, for a file that a key of the configuration names;
 * ERR_VALUE.
 */
int child_blame(const struct child *, char why[static CHILD_WHY_MAX], const char *section,
    const char *key, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
