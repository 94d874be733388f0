/* SPDX-License-Identifier: ISC */
/*
 * The parent's side of the process table: starts the processes, connects them with each other,
 * restarts those that die (after 100 ms, doubling to 10 s, from the start again after 60 s of
 * life), hands the survivors new connections, and ends them all.
 */
#ifndef SHELL_PROC_H
#define SHELL_PROC_H

#include <sys/types.h>

#include "shell/chan.h"
#include "shell/msg.h"

struct procs;

/* Phases of the connection to a process, for the rules of struct procs_setup. */
enum { PROC_PHASE_STARTING = 1, PROC_PHASE_READY = 2 };

struct proc_def {
	enum proc_id id;
	const char *name;
	uint32_t links;          /* 1 << enum proc_id: whom it is connected with; one side says so */
};

struct procs_setup {
	const struct proc_def *defs;     /* in the order in which they are started */
	size_t n_defs;
	void *arg;
	/*
	 * In the forked process, with descriptor 3 connected to the parent: does not return. An
	 * exit status of 2 before IPC_READY at the first start means a configuration that can't
	 * work.
	 */
	void (*run)(void *arg, enum proc_id);
	/* In the parent, after each start: send the configuration, sockets and so on. */
	void (*started)(void *arg, enum proc_id, struct chan *, bool first);
	/* Messages that processes may send beside IPC_READY, IPC_FATAL, MSG_COMPLAINT, MSG_LOST.
	 * Handlers get struct procs_from as arg. */
	const struct chan_rule *rules;
	size_t n_rules;
	/* All processes have said IPC_READY for the first time. */
	void (*ready)(void *arg);
	/* Everything has ended: the exit status for the parent (0 after procs_stop(); 2 or 1 when a
	 * first start failed, with text for the operator). */
	void (*ended)(void *arg, int status, const char *text);
};

struct procs_from {
	void *arg;
	enum proc_id id;
};

/* NULL: out of memory. */
struct procs *procs_new(struct loop *, const struct procs_setup *);
/* All must have ended. */
void procs_free(struct procs *);
/* Start all. 0 or ERR_IO. */
int procs_start(struct procs *);
/*
 * End all, in an orderly way: `first` is told to stop and waited for (2.5 s), then the others
 * (1 s), then what is left is killed. `ended` is called at last. False when that is under way.
 */
bool procs_stop(struct procs *, enum proc_id first);
/* Send to all that are running. */
void procs_tell(struct procs *, uint16_t type);
/* How a process is; pid 0 if it is not running. ERR_NOTFOUND if there is none of this id. */
int procs_info(const struct procs *, enum proc_id, struct msg_process *);

#endif
