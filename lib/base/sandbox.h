/* SPDX-License-Identifier: ISC */
/*
 * Giving privileges up, for daemons and backends alike. Linux: capabilities (libcap-ng), seccomp
 * (libseccomp), no_new_privs, rlimits, dumpable off. Elsewhere: set*id, chroot, rlimits.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <sys/types.h>
#include "base/bytes.h"

enum sandbox_cap {                   /* bit set */
	SANDBOX_NET_RAW = 1,
	SANDBOX_NET_ADMIN = 2,
	SANDBOX_NET_BIND = 4,
	/* The parent's: SETUID, SETGID, SYS_CHROOT; KILL for children that have another user by now;
	 * DAC_READ_SEARCH, so that a restarted child finds its key file again, whoever owns it. */
	SANDBOX_SETUID = 8,
};

/* System-call profiles; each adds to a common base (read, write, poll, memory, time, exit ...). */
enum sandbox_profile {
	SANDBOX_NO_FILTER = 0,
	SANDBOX_ENGINE,                  /* base (recvmsg, sendmsg on open sockets) + setsockopt UDP_ENCAP */
	SANDBOX_KEYS,
	SANDBOX_TRUST,                   /* + reading files */
	SANDBOX_AUTHZ,                   /* + sockets, connect, files below its state directory */
	SANDBOX_CONTROL,                 /* + accept */
	SANDBOX_BACKEND,                 /* + AF_PACKET/raw/netlink sockets */
	SANDBOX_PARENT,
};

struct sandbox {
	uid_t uid;                       /* 0: keep the ids (not started as root) */
	gid_t gid;
	const char *chroot_dir;          /* NULL: none */
	unsigned caps;                   /* enum sandbox_cap kept, effective and permitted */
	bool ambient;                    /* also ambient, for a program about to be exec'ed */
	enum sandbox_profile profile;
};

/*
 * Apply, in the order chroot, ids, capabilities, no_new_privs, no core dumps, seccomp. 0, ERR_IO or
 * ERR_UNSUPPORTED; *what then names the step that failed. What could not be dropped for want of
 * privilege (started without CAP_SETUID in a container, say) is no error: it is told in *missed, a
 * text of at most 200 octets, empty if all was done.
 */
int sandbox_enter(const struct sandbox *, const char **what, char missed[static 200]);
/*
 * Only the system-call filter (a backend that has opened what it needs); does nothing where there
 * is none (portable builds). What is not allowed kills the process with SIGSYS. A filter stays over
 * exec and adds to those before it: SANDBOX_PARENT allows all that the others do, and more.
 * Libraries must have loaded and read what they need before: OpenSSL's configuration and providers.
 * Builds with AddressSanitizer allow more calls to all and do not chroot: leak detection needs both.
 * 0, ERR_IO, ERR_NOMEM, or ERR_UNSUPPORTED when the kernel has no filters.
 */
int sandbox_filter(enum sandbox_profile);
/* Has this process all of these (enum sandbox_cap) in effect? Without capabilities: is it root's? */
bool sandbox_has(unsigned caps);
/*
 * No core dumps, also not by way of a program that the kernel hands them to, and no look into our
 * memory for others of the same user. sandbox_enter() does it too, but exec undoes it: a program
 * that was started from inside a sandbox calls this first. 0 or ERR_IO.
 */
int sandbox_no_dump(void);

#endif
