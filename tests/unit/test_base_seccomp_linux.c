/* SPDX-License-Identifier: ISC */
/*
 * The system-call filters: what each profile must be able to do, and what kills it. Each forbidden
 * call has its twin without a filter, which must survive it.
 */
#include "base_child.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/seqpacket.h"

/* Calls whose result does not matter: they return, or the filter ends the process. */
static void
do_socket(void)
{
	(void)syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);
}

static void
do_packet_socket(void)
{
	(void)syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0);
}

static void
do_odd_socket(void)
{
	(void)syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0);
}

static void
do_connect(void)
{
	(void)syscall(SYS_connect, -1, NULL, 0);
}

static void
do_setsockopt(void)
{
	(void)syscall(SYS_setsockopt, -1, SOL_SOCKET, SO_RCVBUF, NULL, 0);
}

/* One of its two arguments is right. */
static void
do_cork(void)
{
	(void)syscall(SYS_setsockopt, -1, IPPROTO_UDP, UDP_CORK, NULL, 0);
}

static void
do_encap_elsewhere(void)
{
	(void)syscall(SYS_setsockopt, -1, IPPROTO_IP, UDP_ENCAP, NULL, 0);
}

static void
do_encap(void)
{
	(void)syscall(SYS_setsockopt, -1, IPPROTO_UDP, UDP_ENCAP, NULL, 0);
}

static void
do_accept(void)
{
	(void)syscall(SYS_accept4, -1, NULL, NULL, 0);
}

static void
do_exec(void)
{
	(void)syscall(SYS_execve, "/no/such/program", NULL, NULL);
}

static void
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	(void)syscall(SYS_wait4, pid, NULL, 0, NULL);
}

static void
do_setuid(void)
{
	(void)syscall(SYS_setuid, getuid());
}

static void
do_unlink(void)
{
	(void)syscall(SYS_unlinkat, -1, "", 0);
}

static void
do_open(void)
{
	(void)syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_DIRECTORY);
}

static void
do_open_to_write(void)
{
	(void)syscall(SYS_openat, AT_FDCWD, "/no/such/file", O_WRONLY);
}

static void
do_create(void)
{
	(void)syscall(SYS_openat, AT_FDCWD, "/no/such/file", O_RDONLY | O_CREAT, 0600);
}

static void
do_map_code(void)
{
	(void)syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
}

static void
do_raise_limit(void)
{
	struct rlimit r = { 0, 0 };

	(void)syscall(SYS_prlimit64, 0, RLIMIT_CORE, &r, NULL);
}

static void
do_ioctl(void)
{
	(void)syscall(SYS_ioctl, 2, SIOCGIFINDEX, NULL);
}

static void
do_ptrace(void)
{
	(void)syscall(SYS_ptrace, PTRACE_PEEKDATA, 0, NULL, NULL);
}

static void
do_mount(void)
{
	(void)syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
}

static void
do_unshare(void)
{
	(void)syscall(SYS_unshare, 0);
}

static void
do_bpf(void)
{
	(void)syscall(SYS_bpf, -1, NULL, 0);
}

#define P(p) (1u << SANDBOX_##p)
#define QUIET (P(ENGINE) | P(KEYS))

static const struct {
	const char *name;
	void (*call)(void);
	unsigned profiles;          /* that must not do it */
	bool sanitizer;             /* sanitizer builds may */
} forbidden[] = {
	{ "socket", do_socket, QUIET | P(TRUST) | P(CONTROL), false },
	{ "packet socket", do_packet_socket, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ), false },
	{ "odd socket", do_odd_socket, P(AUTHZ) | P(BACKEND), false },
	{ "connect", do_connect, QUIET | P(TRUST) | P(CONTROL), false },
	{ "setsockopt", do_setsockopt, QUIET | P(TRUST) | P(CONTROL), false },
	{ "UDP_CORK", do_cork, QUIET | P(TRUST) | P(CONTROL), false },
	{ "encapsulation of another level", do_encap_elsewhere, QUIET | P(TRUST) | P(CONTROL), false },
	{ "UDP_ENCAP", do_encap, P(KEYS) | P(TRUST) | P(CONTROL), false },
	{ "accept", do_accept, QUIET | P(TRUST) | P(BACKEND), false },
	{ "exec", do_exec, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND), true },
	{ "fork", do_fork, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND), true },
	{ "setuid", do_setuid, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND), false },
	{ "unlink", do_unlink, QUIET | P(TRUST) | P(CONTROL) | P(BACKEND), false },
	{ "open", do_open, QUIET | P(CONTROL), true },
	{ "open to write", do_open_to_write, QUIET | P(TRUST) | P(CONTROL) | P(BACKEND), true },
	{ "create", do_create, QUIET | P(TRUST) | P(CONTROL) | P(BACKEND), true },
	{ "map code", do_map_code, QUIET | P(TRUST) | P(CONTROL) | P(BACKEND), true },
	{ "raise limit", do_raise_limit, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND),
	    true },
	{ "ioctl", do_ioctl, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ), true },
	{ "ptrace", do_ptrace, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND) | P(PARENT),
	    true },
	{ "mount", do_mount, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND) | P(PARENT),
	    false },
	{ "unshare", do_unshare, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND) | P(PARENT),
	    false },
	{ "bpf", do_bpf, QUIET | P(TRUST) | P(CONTROL) | P(AUTHZ) | P(BACKEND) | P(PARENT), false },
};

struct attempt {
	enum sandbox_profile profile;
	void (*call)(void);
};

static int
attempt_child(const void *arg)
{
	const struct attempt *a = arg;
	struct rlimit none = { 0, 0 };

	/* SIGSYS would dump core. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
	if (sandbox_filter(a->profile) != OK)
		return 1;
	a->call();
	return 0;
}

TEST(forbidden_calls_kill_and_do_nothing_without_a_filter)
{
	enum sandbox_profile p;
	size_t i;
	int want;

	for (i = 0; i < COUNT(forbidden); i++) {
		struct attempt a = { SANDBOX_NO_FILTER, forbidden[i].call };

		assert_int_equal(test_child(attempt_child, &a), 0);
		want = forbidden[i].sanitizer && SANITIZER ? 0 : KILLED + SIGSYS;
		for (p = SANDBOX_ENGINE; p <= SANDBOX_PARENT; p++) {
			if ((forbidden[i].profiles & 1u << p) == 0)
				continue;
			a.profile = p;
			if (test_child(attempt_child, &a) != want)
				fail_msg("%s under profile %d", forbidden[i].name, (int)p);
		}
	}
}

#define NOBODY 65534

/* What children find here, made before they are confined. */
static struct {
	int pair[2], unix_listener, inet_listener, readable;
	struct sockaddr_un unix_name;
	struct sockaddr_in inet_name;
	char dir[64];
} made;

#define MUST(x) do { if (!(x)) return __LINE__ % 200 + 50; } while (0)

static int
base_memory(void)
{
	struct secret s = { 0 };
	uint8_t random[16];
	struct timespec ts;
	char *p = malloc(1 << 20), *q;

	MUST(p != NULL);
	q = realloc(p, 8 << 20);
	MUST(q != NULL);
	free(q);
	MUST(secret_new(&s, 5000) == OK);
	secret_free(&s);
	MUST(getrandom(random, sizeof random, 0) == sizeof random);
	MUST(syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts) == 0);
	MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == 0);
	return 0;
}

static int
base_messages(void)
{
	static uint8_t buf[SEQ_MAX];
	struct bytes body;
	uint16_t type;
	struct stat st;
	int fd;

	MUST(seq_send(made.pair[0], 1, bytes_str("x"), STDERR_FILENO) == OK);
	MUST(seq_recv(made.pair[1], buf, &type, &body, &fd) == OK);
	MUST(fstat(fd, &st) == 0 && fcntl(fd, F_GETFL) >= 0);
	(void)close(fd);
	log_error("a confined process may log");
	return 0;
}

static int
base_events(void)
{
	struct itimerspec soon = { .it_value = { .tv_nsec = 1 } };
	struct epoll_event ev = { .events = EPOLLIN };
	struct sigaction sa = { .sa_handler = SIG_IGN };
	struct pollfd pfd;
	sigset_t set;
	int ep = epoll_create1(EPOLL_CLOEXEC), e = eventfd(1, EFD_CLOEXEC), p[2];
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	MUST(ep >= 0 && e >= 0 && t >= 0);
	MUST(pipe2(p, O_CLOEXEC) == 0);
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev) == 0);
	MUST(epoll_wait(ep, &ev, 1, 1000) == 1);
	MUST(timerfd_settime(t, 0, &soon, NULL) == 0);
	pfd = (struct pollfd){ .fd = t, .events = POLLIN };
	MUST(poll(&pfd, 1, 1000) == 1);
	MUST(sigaction(SIGPIPE, &sa, NULL) == 0);
	MUST(sigemptyset(&set) == 0 && sigprocmask(SIG_SETMASK, &set, NULL) == 0);
	return 0;
}

static int
base_works(void)
{
	int r;

	if ((r = base_memory()) != 0 || (r = base_messages()) != 0)
		return r;
	return base_events();
}

static int
engine_works(void)
{
	do_encap();
	return 0;
}

static int
trust_works(void)
{
	int fd = open(made.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	DIR *d;

	MUST(fd >= 0);
	MUST(stat(made.dir, &st) == 0);
	d = fdopendir(fd);
	MUST(d != NULL && readdir(d) != NULL);
	(void)closedir(d);
	return 0;
}

static void *
resolve(void *arg)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int *r = arg;

	*r = getaddrinfo("localhost", "443", &hints, &found);
	if (found != NULL)
		freeaddrinfo(found);
	return NULL;
}

static int
authz_talks(void)
{
	pthread_t thread;
	int r = -1, s;

	MUST(pthread_create(&thread, NULL, resolve, &r) == 0);
	MUST(pthread_join(thread, NULL) == 0);
	MUST(r == 0);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(s >= 0);
	MUST(setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int)) == 0);
	MUST(connect(s, (struct sockaddr *)&made.inet_name, sizeof made.inet_name) == 0);
	(void)close(s);
	return 0;
}

static int
authz_works(void)
{
	char from[128], to[128];
	int fd, watch = inotify_init1(IN_CLOEXEC);

	(void)snprintf(from, sizeof from, "%s/new", made.dir);
	(void)snprintf(to, sizeof to, "%s/serial", made.dir);
	MUST(watch >= 0 && inotify_add_watch(watch, made.dir, IN_MOVED_TO) >= 0);
	fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(fd >= 0);
	MUST(write(fd, "1", 1) == 1 && fsync(fd) == 0 && close(fd) == 0);
	MUST(rename(from, to) == 0);
	MUST(unlink(to) == 0);
	MUST(mkdir(to, 0700) == 0 && unlinkat(AT_FDCWD, to, AT_REMOVEDIR) == 0);
	return authz_talks();
}

static int
control_works(void)
{
	struct ucred who;
	socklen_t n = sizeof who;
	struct pollfd pfd = { .fd = made.unix_listener, .events = POLLIN };
	int c;

	/* Somebody connected before. */
	MUST(poll(&pfd, 1, 1000) == 1);
	c = accept4(made.unix_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	MUST(c >= 0);
	MUST(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0);
	MUST(who.uid == getuid());
	(void)close(c);
	return 0;
}

static int
backend_works(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	/* Without CAP_NET_RAW these fail, but they may be tried. */
	do_packet_socket();
	(void)syscall(SYS_socket, AF_INET6, SOCK_RAW, 50);
	MUST(s >= 0);
	MUST(bind(s, (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET },
	    sizeof(struct sockaddr_in)) == 0);
	MUST(ioctl(s, SIOCGIFINDEX, &ifr) == 0 || errno == ENODEV);
	MUST(close(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)) == 0);
	return trust_works();
}

static int
parent_works(void)
{
	char name[] = "true", *argv[] = { name, NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(getgid()) != 0 || setuid(getuid()) != 0 || setsid() < 0)
			_exit(1);
		(void)execv("/bin/true", argv);
		_exit(2);
	}
	MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pid = fork();
	if (pid == 0) {
		(void)poll(NULL, 0, -1);
		_exit(0);
	}
	MUST(kill(pid, SIGKILL) == 0);
	MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	return 0;
}

static int
nothing_more(void)
{
	return 0;
}

static const struct {
	enum sandbox_profile profile;
	int (*works)(void);
} able[] = {
	{ SANDBOX_NO_FILTER, nothing_more }, { SANDBOX_ENGINE, engine_works },
	{ SANDBOX_KEYS, nothing_more }, { SANDBOX_TRUST, trust_works },
	{ SANDBOX_AUTHZ, authz_works }, { SANDBOX_CONTROL, control_works },
	{ SANDBOX_BACKEND, backend_works }, { SANDBOX_PARENT, parent_works },
};

struct work {
	size_t row;
	bool below_parent;          /* first the filter that the parent has */
};

static int
able_child(const void *arg)
{
	const struct work *w = arg;
	int r, null = open("/dev/null", O_WRONLY);

	MUST(null >= 0 && dup2(null, STDERR_FILENO) >= 0);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) == 0);
	MUST(!w->below_parent || sandbox_filter(SANDBOX_PARENT) == OK);
	MUST(sandbox_filter(able[w->row].profile) == OK);
	if ((r = base_works()) != 0)
		return r;
	return able[w->row].works();
}

static void
leave_a_connection(void)
{
	int c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(c >= 0);
	assert_int_equal(connect(c, (struct sockaddr *)&made.unix_name, sizeof made.unix_name), 0);
	(void)close(c);
}

TEST(each_profile_can_do_its_work)
{
	struct work w = { 0, false };
	int r;

	for (w.row = 0; w.row < COUNT(able); w.row++) {
		leave_a_connection();
		if ((r = test_child(able_child, &w)) != 0)
			fail_msg("profile %d: %d", (int)able[w.row].profile, r);
	}
}

TEST(each_profile_can_do_its_work_below_the_parents)
{
	struct work w = { 0, true };
	int r;

	for (w.row = 0; w.row < COUNT(able); w.row++) {
		leave_a_connection();
		if ((r = test_child(able_child, &w)) != 0)
			fail_msg("profile %d: %d", (int)able[w.row].profile, r);
	}
}

static int
below_child(const void *arg)
{
	struct attempt a = { SANDBOX_ENGINE, do_socket };

	(void)arg;
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
	if (sandbox_filter(SANDBOX_PARENT) != OK)
		return 1;
	do_socket();               /* the parent may */
	return attempt_child(&a);
}

TEST(childs_filter_is_not_widened_by_its_parents)
{
	assert_int_equal(test_child(below_child, NULL), KILLED + SIGSYS);
}

static void
do_abort(void)
{
	abort();
}

TEST(confined_process_can_abort)
{
	struct attempt a = { SANDBOX_ENGINE, do_abort };

	assert_int_equal(test_child(attempt_child, &a), KILLED + SIGABRT);
}

/* All at once, and an end through exit(), where LeakSanitizer does its work. */
static int
whole_child(const void *arg)
{
	struct sandbox s = {
		.uid = NOBODY, .gid = NOBODY, .chroot_dir = arg, .profile = SANDBOX_ENGINE,
	};
	char missed[SANDBOX_MISSED];
	const char *what;

	if (sandbox_enter(&s, &what, missed) != OK)
		return 1;
	free(malloc(100000));
	exit(0);
}

TEST(confined_process_ends_in_order)
{
	char dir[] = "/tmp/test-base-sandbox.XXXXXX";

	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(test_child(whole_child, dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

static int
forbidden_child(const void *arg)
{
	struct sandbox s = { .uid = NOBODY, .gid = NOBODY, .profile = SANDBOX_ENGINE };
	char missed[SANDBOX_MISSED];
	const char *what;

	(void)arg;
	if (sandbox_enter(&s, &what, missed) != OK)
		return 1;
	(void)syscall(SYS_mkdirat, -1, "", 0);
	return 2;
}

TEST(filter_is_part_of_the_sandbox)
{
	assert_int_equal(test_child(forbidden_child, NULL), KILLED + SIGSYS);
}

/* A kernel built without filters, or valgrind, which does not know the call. */
static bool
filters_exist(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static int
unsupported_child(const void *arg)
{
	struct sandbox s = { .profile = SANDBOX_ENGINE };
	char missed[SANDBOX_MISSED];
	const char *what = "";

	(void)arg;
	if (sandbox_filter(SANDBOX_ENGINE) != ERR_UNSUPPORTED)
		return 1;
	if (sandbox_enter(&s, &what, missed) != ERR_UNSUPPORTED)
		return 2;
	return strcmp(what, "system-call filter") == 0 ? 0 : 3;
}

TEST(lack_of_filters_in_the_kernel_is_an_error)
{
	assert_int_equal(test_child(unsupported_child, NULL), 0);
}

static int
prepare(void **state)
{
	socklen_t n = sizeof made.inet_name;

	(void)state;
	(void)snprintf(made.dir, sizeof made.dir, "/tmp/test-base-seccomp.XXXXXX");
	if (mkdtemp(made.dir) == NULL || seq_pair(made.pair) != OK)
		return -1;
	made.unix_name.sun_family = AF_UNIX;
	(void)snprintf(made.unix_name.sun_path, sizeof made.unix_name.sun_path, "%s/s", made.dir);
	made.unix_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	made.inet_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	made.inet_name.sin_family = AF_INET;
	made.inet_name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(made.unix_listener, (struct sockaddr *)&made.unix_name,
	    sizeof made.unix_name) != 0 || listen(made.unix_listener, 32) != 0 ||
	    bind(made.inet_listener, (struct sockaddr *)&made.inet_name, n) != 0 ||
	    listen(made.inet_listener, 32) != 0 ||
	    getsockname(made.inet_listener, (struct sockaddr *)&made.inet_name, &n) != 0)
		return -1;
	return 0;
}

static int
clean_up(void **state)
{
	(void)state;
	(void)unlink(made.unix_name.sun_path);
	return rmdir(made.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forbidden_calls_kill_and_do_nothing_without_a_filter),
		cmocka_unit_test(each_profile_can_do_its_work),
		cmocka_unit_test(each_profile_can_do_its_work_below_the_parents),
		cmocka_unit_test(childs_filter_is_not_widened_by_its_parents),
		cmocka_unit_test(confined_process_can_abort),
		cmocka_unit_test(confined_process_ends_in_order),
		cmocka_unit_test(filter_is_part_of_the_sandbox),
	};
	const struct CMUnitTest without[] = {
		cmocka_unit_test(lack_of_filters_in_the_kernel_is_an_error),
	};

	if (!filters_exist())
		return cmocka_run_group_tests(without, NULL, NULL);
	return cmocka_run_group_tests(tests, prepare, clean_up);
}
