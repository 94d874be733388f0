/* SPDX-License-Identifier: ISC */
/* Capabilities and no_new_privs. The program runs itself anew to see what an exec leaves over. */
#include "base_child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/sandbox.h"

#define NOBODY    65534
#define SHOW_CAPS "--show-caps"

struct caps {
	uint64_t effective, permitted, inheritable;
};

static struct caps
caps_now(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0, 0, 0 } };
	struct caps c = { 0 };

	if (syscall(SYS_capget, &head, d) == 0) {
		c.effective = (uint64_t)d[1].effective << 32 | d[0].effective;
		c.permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
		c.inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable;
	}
	return c;
}

static bool
privileged(void)
{
	return geteuid() == 0 && (caps_now().permitted >> CAP_NET_RAW & 1) != 0 &&
	    (caps_now().permitted >> CAP_SETPCAP & 1) != 0;
}

static int
enter(const struct sandbox *s, char missed[static SANDBOX_MISSED])
{
	const char *what;

	return sandbox_enter(s, &what, missed);
}

static const uint64_t net_raw = UINT64_C(1) << CAP_NET_RAW;

static int
kept_child(const void *arg)
{
	struct sandbox s = { .uid = NOBODY, .gid = NOBODY, .caps = SANDBOX_NET_RAW };
	bool root = privileged();
	char missed[SANDBOX_MISSED];
	struct caps c;
	unsigned long cap;

	(void)arg;
	if (sandbox_has(SANDBOX_NET_RAW | SANDBOX_NET_ADMIN) != root || !sandbox_has(0))
		return 7;
	if (enter(&s, missed) != OK)
		return 1;
	if (sandbox_has(SANDBOX_NET_RAW) != root || sandbox_has(SANDBOX_NET_RAW | SANDBOX_NET_ADMIN))
		return 8;
	c = caps_now();
	if (!root)
		return strstr(missed, "CAP_NET_RAW") != NULL && c.effective == 0 ? 0 : 2;
	if (missed[0] != '\0')
		return 3;
	if (c.effective != net_raw || c.permitted != net_raw || c.inheritable != 0)
		return 4;
	for (cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != (cap == CAP_NET_RAW))
			return 5;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 0)
			return 6;
	}
	return 0;
}

TEST(only_the_named_capability_is_kept)
{
	assert_int_equal(test_child(kept_child, NULL), 0);
}

#define BIT(cap) (UINT64_C(1) << (cap))

static int
parent_caps_child(const void *arg)
{
	struct sandbox s = { .caps = SANDBOX_SETUID | SANDBOX_NET_BIND };
	uint64_t want = BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) |
	    BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_NET_BIND_SERVICE);
	uint64_t had = caps_now().permitted;
	char missed[SANDBOX_MISSED];

	(void)arg;
	if (enter(&s, missed) != OK)
		return 1;
	if (caps_now().effective != (want & had) || caps_now().permitted != (want & had))
		return 2;
	return (missed[0] == '\0') == ((want & had) == want) ? 0 : 3;
}

TEST(user_may_stay_while_capabilities_go)
{
	assert_int_equal(test_child(parent_caps_child, NULL), 0);
}

/* What the parent does for a child: from few capabilities, in a second step, to one or none. */
static int
second_step_child(const void *arg)
{
	struct sandbox parent = { .caps = SANDBOX_SETUID | SANDBOX_NET_RAW };
	struct sandbox child = { .uid = NOBODY, .gid = NOBODY, .chroot_dir = "/" };
	bool root = privileged();
	char missed[SANDBOX_MISSED];

	(void)arg;
	if (enter(&parent, missed) != OK || enter(&child, missed) != OK)
		return 1;
	if (!root)
		return strstr(missed, "chroot") != NULL ? 0 : 2;
	if (strcmp(missed, CHROOT_MISSED) != 0 || getuid() != NOBODY)
		return 3;
	return caps_now().permitted == 0 && setuid(0) != 0 ? 0 : 4;
}

TEST(child_drops_what_its_parent_kept)
{
	assert_int_equal(test_child(second_step_child, NULL), 0);
}

/* Becomes this program again, which says what it has: 100 for nothing, 101 for CAP_NET_RAW. */
static int
exec_child(const void *arg)
{
	const bool *ambient = arg;
	struct sandbox s = {
		.uid = NOBODY, .gid = NOBODY, .caps = SANDBOX_NET_RAW, .ambient = *ambient,
	};
	char name[] = "self", option[] = SHOW_CAPS, *argv[] = { name, option, NULL };
	char *envp[] = { NULL }, missed[SANDBOX_MISSED];
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (self < 0 || enter(&s, missed) != OK)
		return 1;
	(void)fexecve(self, argv, envp);
	return 2;
}

static int
show_caps(void)
{
	uint64_t c = caps_now().effective;

	return c == 0 ? 100 : c == net_raw ? 101 : 102;
}

TEST(ambient_capabilities_survive_exec_and_others_do_not)
{
	bool ambient = true;

	assert_int_equal(test_child(exec_child, &ambient), privileged() ? 101 : 100);
	ambient = false;
	assert_int_equal(test_child(exec_child, &ambient), 100);
}

static int
flags_child(const void *arg)
{
	struct sandbox s = { .uid = NOBODY, .gid = NOBODY };
	char missed[SANDBOX_MISSED];

	(void)arg;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
		return 1;      /* then this shows nothing */
	if (enter(&s, missed) != OK)
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
	/* Leak detection needs a process that can be traced. */
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == SANITIZER ? 0 : 4;
}

TEST(no_new_privileges_and_no_dump)
{
	assert_int_equal(test_child(flags_child, NULL), 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_named_capability_is_kept),
		cmocka_unit_test(user_may_stay_while_capabilities_go),
		cmocka_unit_test(child_drops_what_its_parent_kept),
		cmocka_unit_test(ambient_capabilities_survive_exec_and_others_do_not),
		cmocka_unit_test(no_new_privileges_and_no_dump),
	};

	if (argc == 2 && strcmp(argv[1], SHOW_CAPS) == 0)
		_exit(show_caps());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
