/* SPDX-License-Identifier: ISC */
/*
 * System-call filters: what is not on the list kills the process. A filter stays over fork and exec
 * and adds up with those before it, so the parent's must allow whatever its children may, and what
 * they need to get there.
 *
 * Names that the machine does not have (poll on aarch64, say) are left out by libseccomp.
 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/sandbox_steps.h"

/* Memory, time, waiting, open descriptors, signals, the end. New descriptors only to wake us. */
static const char *const base_calls[] = {
	"read", "readv", "pread64", "write", "writev", "close", "fcntl", "lseek",
	"fstat", "newfstatat",
	"recvmsg", "recvmmsg", "recvfrom", "sendmsg", "sendmmsg", "sendto", "shutdown",
	"getsockopt", "getsockname",
	"poll", "ppoll", "select", "pselect6",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
	"eventfd2", "pipe2", "timerfd_create", "timerfd_settime", "timerfd_gettime",
	"munmap", "mremap", "madvise", "brk", "mlock", "mlock2", "munlock",
	"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	"getrandom", "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "sigaltstack",
	"restart_syscall", "tgkill",
	"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid",
	"getrusage", "sysinfo", "uname",
	"exit", "exit_group",
	NULL
};

static const char *const none[] = { NULL };

/* Reads certificates and revocation lists anew. */
static const char *const trust_calls[] = {
	"stat", "lstat", "statx", "access", "faccessat", "faccessat2", "getdents64", "readlink",
	"readlinkat", "getcwd", NULL
};

/* Resolves names (on a thread), talks HTTPS, keeps documents on disk and watches them. */
static const char *const authz_calls[] = {
	"connect", "bind", "getpeername", "setsockopt", "socketpair", "accept4", "listen",
	"openat", "open", "stat", "lstat", "statx", "access", "faccessat", "faccessat2",
	"getdents64", "readlink", "readlinkat", "getcwd", "pwrite64", "ftruncate", "fallocate",
	"fsync", "fdatasync", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir",
	"mkdirat", "fchmod", "flock", "umask",
	"inotify_init1", "inotify_add_watch", "inotify_rm_watch",
	"mmap", "mprotect", "set_tid_address", NULL
};

static const char *const control_calls[] = { "accept", "accept4", "getpeername", NULL };

static const char *const backend_calls[] = {
	"bind", "connect", "getpeername", "setsockopt", "ioctl",
	"stat", "lstat", "statx", "access", "faccessat", "faccessat2", "getdents64", "readlink",
	"readlinkat", NULL
};

/* Starts programs, drops privileges for them, binds sockets, and cleans up behind them. */
static const char *const parent_calls[] = {
	"fork", "vfork", "clone", "clone3", "execve", "execveat", "wait4", "waitid", "kill",
	"pidfd_open", "pidfd_send_signal", "setsid", "setpgid", "getpgid", "getpgrp",
	"chroot", "chdir", "fchdir", "setuid", "setgid", "setresuid", "setresgid", "setgroups",
	"getresuid", "getresgid", "getgroups", "capget", "capset", "prctl", "seccomp",
	"prlimit64", "setrlimit", "getrlimit", "arch_prctl", "getpriority", "setpriority",
	"socket", "dup", "dup2", "dup3", "pipe", "close_range", "eventfd", "epoll_create",
	"chmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "rmdir", "statfs",
	"fstatfs", "utimensat", "membarrier", "getcpu", NULL
};

#ifdef SANDBOX_SANITIZER
/*
 * Builds with AddressSanitizer: its allocator, its reports, for which it may start a symbolizer, and
 * LeakSanitizer, which at the end starts a thread that stops the others and reads /proc.
 */
static const char *const sanitizer_calls[] = {
	"mmap", "mprotect", "mincore", "open", "openat", "access", "faccessat", "stat", "lstat",
	"statx", "statfs", "readlink", "readlinkat", "getcwd", "getdents", "getdents64", "ioctl",
	"clone", "fork", "execve", "wait4", "ptrace", "kill", "prctl", "prlimit64", "getrlimit",
	"pipe", "dup", "dup2", "set_tid_address", "arch_prctl", "process_vm_readv", NULL
};
#else
#define sanitizer_calls none
#endif

/* A call allowed only when one argument, masked, has a value; or two have. */
struct rule {
	const char *name;
	unsigned arg;
	scmp_datum_t mask, value;
	struct {
		unsigned arg;
		scmp_datum_t mask, value;
	} also;                     /* mask 0: any */
};

#define ALL_BITS  UINT64_C(0xffffffff)
#define DOMAIN(d) { .name = "socket", .arg = 0, .mask = ALL_BITS, .value = (d) }
#define WHEN(call, a, m, v) { .name = (call), .arg = (a), .mask = (m), .value = (v) }
#define END { .name = NULL }

static const struct rule base_rules[] = {
	WHEN("mmap", 2, PROT_EXEC, 0),
	WHEN("mprotect", 2, PROT_EXEC, 0),
	WHEN("prlimit64", 2, UINT64_MAX, 0),          /* ask, not set */
	WHEN("ioctl", 1, ALL_BITS, TCGETS),           /* is stderr a terminal? */
	END
};

static const struct rule no_rules[] = { END };

/* ESP in UDP for the kernel, when the backend turns out to keep its SAs there. */
static const struct rule engine_rules[] = {
	{ .name = "setsockopt", .arg = 1, .mask = ALL_BITS, .value = IPPROTO_UDP,
	    .also = { .arg = 2, .mask = ALL_BITS, .value = UDP_ENCAP } },
	END
};

#define READ_ONLY WHEN("openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY), \
	WHEN("open", 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)

static const struct rule trust_rules[] = { READ_ONLY, END };

/* AF_UNIX and AF_NETLINK are the C library's, when it resolves names. */
static const struct rule authz_rules[] = {
	DOMAIN(AF_INET), DOMAIN(AF_INET6), DOMAIN(AF_UNIX), DOMAIN(AF_NETLINK),
	WHEN("clone", 0, CLONE_THREAD, CLONE_THREAD),
	END
};

static const struct rule backend_rules[] = {
	READ_ONLY,
	DOMAIN(AF_INET), DOMAIN(AF_INET6), DOMAIN(AF_PACKET), DOMAIN(AF_NETLINK), DOMAIN(AF_UNIX),
	END
};

static const struct profile {
	const char *const *calls;
	const struct rule *rules;
} profiles[] = {
	[SANDBOX_ENGINE] = { none, engine_rules },
	[SANDBOX_KEYS] = { none, no_rules },
	[SANDBOX_TRUST] = { trust_calls, trust_rules },
	[SANDBOX_AUTHZ] = { authz_calls, authz_rules },
	[SANDBOX_CONTROL] = { control_calls, no_rules },
	[SANDBOX_BACKEND] = { backend_calls, backend_rules },
	[SANDBOX_PARENT] = { parent_calls, no_rules },
};

#define PROFILES (sizeof profiles / sizeof profiles[0])

static int
allow(scmp_filter_ctx ctx, const char *name, unsigned n, const struct scmp_arg_cmp *arg)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r;

	if (nr == __NR_SCMP_ERROR)         /* newer than the library */
		return OK;
	r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, n, arg);
	return r == 0 || r == -EEXIST ? OK : ERR_IO;
}

static int
allow_calls(scmp_filter_ctx ctx, const char *const *name)
{
	for (; *name != NULL; name++)
		if (allow(ctx, *name, 0, NULL) != OK)
			return ERR_IO;
	return OK;
}

static int
allow_rules(scmp_filter_ctx ctx, const struct rule *r)
{
	for (; r->name != NULL; r++) {
		const struct scmp_arg_cmp args[2] = {
			{ .arg = r->arg, .op = SCMP_CMP_MASKED_EQ,
			    .datum_a = r->mask, .datum_b = r->value },
			{ .arg = r->also.arg, .op = SCMP_CMP_MASKED_EQ,
			    .datum_a = r->also.mask, .datum_b = r->also.value },
		};

		if (allow(ctx, r->name, r->also.mask == 0 ? 1 : 2, args) != OK)
			return ERR_IO;
	}
	return OK;
}

static int
allow_profile(scmp_filter_ctx ctx, const struct profile *p)
{
	if (p->calls == NULL)
		return OK;
	if (allow_calls(ctx, p->calls) != OK)
		return ERR_IO;
	return allow_rules(ctx, p->rules);
}

/* The flags of clone3() cannot be looked at, so the C library is made to use clone(). */
static int
refuse_clone3(scmp_filter_ctx ctx)
{
	int nr = seccomp_syscall_resolve_name("clone3");

	if (nr == __NR_SCMP_ERROR)
		return OK;
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), nr, 0) == 0 ? OK : ERR_IO;
}

static int
fill(scmp_filter_ctx ctx, enum sandbox_profile profile)
{
	size_t i;

	if (allow_calls(ctx, base_calls) != OK || allow_calls(ctx, sanitizer_calls) != OK ||
	    allow_rules(ctx, base_rules) != OK)
		return ERR_IO;
	if (profile != SANDBOX_PARENT) {
		if (allow_profile(ctx, &profiles[profile]) != OK)
			return ERR_IO;
		return refuse_clone3(ctx);
	}
	for (i = 0; i < PROFILES; i++)
		if (allow_profile(ctx, &profiles[i]) != OK)
			return ERR_IO;
	return OK;
}

int
sandbox_filter(enum sandbox_profile profile)
{
	scmp_filter_ctx ctx;
	int r = ERR_IO, e;

	if (profile == SANDBOX_NO_FILTER)
		return OK;
	if (profile < 0 || profile >= PROFILES)
		return ERR_VALUE;
	/* Level 3: the kernel can kill the whole process, and bind its threads (Linux 4.14). */
	if (seccomp_api_get() < 3)
		return ERR_UNSUPPORTED;
	if ((ctx = seccomp_init(SCMP_ACT_KILL_PROCESS)) == NULL)
		return ERR_NOMEM;
	/* Threads that a library started are bound too. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) != 0 || fill(ctx, profile) != OK)
		goto out;
	e = seccomp_load(ctx);
	errno = -e;
	r = e == 0 ? OK : ERR_IO;
out:
	seccomp_release(ctx);
	return r;
}
