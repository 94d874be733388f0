/* SPDX-License-Identifier: ISC */
/*
 * The backend contract: what a data plane must offer so that keys can be installed into it. A
 * backend fills in struct backend_ops and calls backend_main(); the same calls travel over IPC
 * (ipc.h), so a backend is a program of its own. Plain data in, no pointer kept after return.
 *
 * Calls are queued by the caller in batches: after each commit(generation) the backend answers with
 * one backend_done() that carries a result per call of the batch, in order. What a batch leaves is
 * what its calls do in order; a backend that queues them may take another way there, as long as
 * nothing passes meanwhile that passes neither before nor afterwards. Who may call what: the
 * engine's connection sa_* and commit, the authorization process's connection grant_*, policy_*,
 * flush_own and commit; backend_main() sees to that, and to the grants: an SA outside its grant
 * (addresses, channel, selectors, VN) never reaches ops.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include <poll.h>

#include "base/sa.h"
#include "base/err.h"

enum backend_feature {               /* the `features` word */
	BACKEND_ESN = 1 << 0,
	BACKEND_TUNNEL = 1 << 1,
	BACKEND_UDP_ENCAP = 1 << 2,
	BACKEND_VN_SA = 1 << 3,          /* an SA per VN */
	BACKEND_GROUP_SA = 1 << 4,
	BACKEND_SENDER_ID = 1 << 5,
	BACKEND_INTEGRITY_ONLY = 1 << 6,
	BACKEND_VNI_CHECK = 1 << 7,      /* egress VNI check against the sender's grant */
	BACKEND_CBC = 1 << 8,
	BACKEND_KERNEL_ENCAP = 1 << 9,   /* ESP in UDP is taken off the NAT traversal socket by the kernel */
};

/*
 * A call may return this instead of a result: it was checked and queued, and settle() tells what
 * became of it. A backend that talks to a kernel does so once per batch.
 */
#define BACKEND_QUEUED 1

struct backend;                      /* the backend's own state */
struct backend_host;                 /* backend_main()'s state: target of upcalls */

struct backend_counter {
	const char *name;                /* "drop.vni-not-granted" */
	const char *node;                /* "" if not about one peer */
	uint32_t vni;                    /* 0 if not about one VN */
	uint64_t value;
};

struct backend_ops {
	const char *name;
	uint32_t features;
	/*
	 * Open with the [backend] options of the configuration, "key=value" each, NULL-terminated.
	 * Everything privileged happens here; the system-call filter follows. NULL on error: then
	 * *why (static or in the caller's buffer) says what and what to do.
	 */
	struct backend *(*open)(const char *const *options, struct backend_host *, char why[static 256]);
	void (*close)(struct backend *);

	int (*grant_set)(struct backend *, const struct grant *);       /* new or changed */
	int (*grant_drop)(struct backend *, uint32_t grant);            /* with its SAs */
	int (*sa_add)(struct backend *, const struct sa_params *);      /* ERR_EXISTS: SPI in use */
	int (*sa_move)(struct backend *, uint32_t pair, const struct endpoint *local, const struct endpoint *peer);
	int (*sa_del)(struct backend *, uint8_t dir, uint32_t spi, const struct addr *dst);
	/* Calls emit for each SA installed. */
	int (*sa_list)(struct backend *,
	    void (*emit)(void *, const struct sa_stats *, const struct sa_params *), void *);
	int (*policy_add)(struct backend *, const struct policy *);     /* same node and channel: replaces */
	int (*policy_del)(struct backend *, const struct policy *);
	int (*flush_own)(struct backend *);                             /* all SAs, policies and grants of ours */
	int (*counters)(struct backend *, void (*emit)(void *, const struct backend_counter *), void *);

	/*
	 * Only where calls return BACKEND_QUEUED: do what is queued and call result once per such call,
	 * in their order, with 0 or an error. Called at each commit, before sa_list and counters, before
	 * each wait, and at once when sa_move was queued (what follows names the SAs by their new
	 * addresses). result may make further calls; those wait for the next settle(). A call without a
	 * result has failed with ERR_IO.
	 */
	void (*settle)(struct backend *, void (*result)(void *, int), void *);

	/*
	 * Event loop: descriptors to poll (at most max; returns how many), called before each wait,
	 * and what to do when some are ready. deadline_ms: monotonic time at which run() wants to be
	 * called anyway, INT64_MAX if none.
	 */
	size_t (*poll_fds)(struct backend *, struct pollfd *, size_t max, int64_t *deadline_ms);
	void (*run)(struct backend *, int64_t now_ms, const struct pollfd *, size_t n);
};

/* Upcalls; queued, sent in order. */
void backend_acquire(struct backend_host *, const char *node, const char *channel, const struct addr *peer);
void backend_expire(struct backend_host *, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard);
void backend_mapping(struct backend_host *, uint32_t spi, const struct endpoint *peer);
/* Milliseconds for which SAs of an engine that is gone may stay: option orphan-deadline. */
int64_t backend_orphan_ms(const struct backend_host *);

/*
 * The whole main() of a backend that was started by a daemon: descriptor 3 is the parent's
 * connection, over which the engine's and the authorization process's connections arrive (and arrive
 * anew when those processes are restarted). Options are argv[1..]. Returns the exit status: 0 after
 * an orderly end, 2 for a configuration that can't work (told in one line), 1 otherwise.
 *
 * `PROGRAM --check KEY=VALUE...` is not for backend_main(): it judges the options and the host and ends
 * with 2 and one line on standard error when the options are wrong; else with 0 and, per finding, a
 * line LEVEL, WHAT, TEXT with tabs in between on standard output; LEVEL is ok, warn or fail, TEXT
 * says what to do. `overlock check` shows them: 200 at most, 20 s at most.
 *
 * When the engine's connection is lost the SAs stay for `orphan-deadline` seconds (60; an option),
 * or until they are replaced by a new pair for the same node and channel.
 */
int backend_main(const struct backend_ops *, int argc, char **argv);

#define BACKEND_OPTIONS_MAX 512

/*
 * What backend_main() does with argv[1] and on, for a program that has other forms, too: log-level and
 * orphan-deadline are judged and taken out, the first has its effect, the second goes to *orphan_ms if it is there.
 * rest: the others, borrowed, and NULL; up to BACKEND_OPTIONS_MAX of them, never more than argc. 0, or an
 * error and *why.
 */
int backend_options(const char *name, int argc, char **argv, const char **rest, int64_t *orphan_ms,
    char why[static 256]);

#endif
