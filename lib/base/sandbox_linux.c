/* SPDX-License-Identifier: ISC */
#include "base/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

#include "base/err.h"
#include "base/sandbox_steps.h"

static const struct {
	unsigned bit;              /* enum sandbox_cap */
	unsigned cap;
	const char *missing;
} cap_table[] = {
	{ SANDBOX_NET_RAW, CAP_NET_RAW, "no CAP_NET_RAW to keep" },
	{ SANDBOX_NET_ADMIN, CAP_NET_ADMIN, "no CAP_NET_ADMIN to keep" },
	{ SANDBOX_NET_BIND, CAP_NET_BIND_SERVICE, "no CAP_NET_BIND_SERVICE to keep" },
	{ SANDBOX_SETUID, CAP_SETUID, "no CAP_SETUID to keep" },
	{ SANDBOX_SETUID, CAP_SETGID, "no CAP_SETGID to keep" },
	{ SANDBOX_SETUID, CAP_SYS_CHROOT, "no CAP_SYS_CHROOT to keep" },
	{ SANDBOX_SETUID, CAP_KILL, "no CAP_KILL to keep" },
	{ SANDBOX_SETUID, CAP_DAC_READ_SEARCH, "no CAP_DAC_READ_SEARCH to keep" },
};

#define CAPS (sizeof cap_table / sizeof cap_table[0])

/* Which rows of the table to keep: those asked for that this process has. */
static void
caps_choose(unsigned wanted, bool keep[static CAPS], char missed[static SANDBOX_MISSED])
{
	size_t i;

	for (i = 0; i < CAPS; i++) {
		keep[i] = (wanted & cap_table[i].bit) != 0;
		if (keep[i] && !capng_have_capability(CAPNG_PERMITTED, cap_table[i].cap)) {
			sandbox_miss(missed, cap_table[i].missing);
			keep[i] = false;
		}
	}
}

static int
caps_fill(const bool keep[static CAPS], capng_type_t type)
{
	size_t i;

	for (i = 0; i < CAPS; i++)
		if (keep[i] && capng_update(CAPNG_ADD, type, cap_table[i].cap) != 0)
			return ERR_IO;
	return OK;
}

/*
 * Needs CAP_SETPCAP, so it comes before all else. Without it the set stays: no_new_privs, which is
 * never left out, makes it of no use to anybody.
 */
static int
caps_bound(const bool keep[static CAPS])
{
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		return OK;
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (caps_fill(keep, CAPNG_BOUNDING_SET) != OK)
		return ERR_IO;
	return capng_apply(CAPNG_SELECT_BOUNDS) == 0 ? OK : ERR_IO;
}

static int
caps_apply(const bool keep[static CAPS], bool ambient)
{
	capng_type_t type = CAPNG_EFFECTIVE | CAPNG_PERMITTED;

	capng_clear(CAPNG_SELECT_CAPS);
	if (ambient)
		type |= CAPNG_INHERITABLE;
	if (caps_fill(keep, type) != OK || capng_apply(CAPNG_SELECT_CAPS) != 0)
		return ERR_IO;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) != 0)
		return errno == EINVAL && !ambient ? OK : ERR_IO;   /* a kernel without them */
	if (!ambient)
		return OK;
	if (caps_fill(keep, CAPNG_AMBIENT) != OK)
		return ERR_IO;
	return capng_apply(CAPNG_SELECT_AMBIENT) == 0 ? OK : ERR_IO;
}

/* A change of ids made the process undumpable already; LeakSanitizer needs it the other way. */
int
sandbox_no_dump(void)
{
	unsigned long dumpable = 0;

#ifdef SANDBOX_SANITIZER
	dumpable = 1;
#endif
	if (prctl(PR_SET_DUMPABLE, dumpable, 0UL, 0UL, 0UL) != 0)
		return ERR_IO;
	return sandbox_no_core();
}

bool
sandbox_has(unsigned caps)
{
	bool has = capng_get_caps_process() == 0;
	size_t i;

	for (i = 0; i < CAPS && has; i++)
		if ((caps & cap_table[i].bit) != 0)
			has = capng_have_capability(CAPNG_EFFECTIVE, cap_table[i].cap) != 0;
	return has;
}

int
sandbox_enter(const struct sandbox *s, const char **what, char missed[static 200])
{
	bool keep[CAPS];
	int r;

	missed[0] = '\0';
	*what = "capabilities";
	/* Before the chroot: it reads /proc. */
	if (capng_get_caps_process() != 0)
		return ERR_IO;
	caps_choose(s->caps, keep, missed);
	if ((r = caps_bound(keep)) != OK)
		return r;
	*what = "chroot";
	if ((r = sandbox_chroot(s->chroot_dir, missed)) != OK)
		return r;
	*what = "user and group ids";
	if (prctl(PR_SET_KEEPCAPS, 1UL, 0UL, 0UL, 0UL) != 0)
		return ERR_IO;
	if ((r = sandbox_ids(s->uid, s->gid, missed)) != OK)
		return r;
	*what = "capabilities";
	if ((r = caps_apply(keep, s->ambient)) != OK ||
	    prctl(PR_SET_KEEPCAPS, 0UL, 0UL, 0UL, 0UL) != 0)
		return ERR_IO;
	*what = "user id";
	if ((s->caps & SANDBOX_SETUID) == 0 && (r = sandbox_no_way_back(s->uid)) != OK)
		return r;
	*what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0)
		return ERR_IO;
	*what = "core dumps";
	if ((r = sandbox_no_dump()) != OK)
		return r;
	*what = "system-call filter";
	if ((r = sandbox_filter(s->profile)) != OK)
		return r;
	*what = "";
	return OK;
}
