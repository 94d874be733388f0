/* SPDX-License-Identifier: ISC */
#include "base/sandbox.h"

#include <unistd.h>

#include "base/err.h"
#include "base/sandbox_steps.h"

int
sandbox_enter(const struct sandbox *s, const char **what, char missed[static 200])
{
	int r;

	missed[0] = '\0';
	*what = "chroot";
	if ((r = sandbox_chroot(s->chroot_dir, missed)) != OK)
		return r;
	/* Without capabilities, whoever must keep a privilege keeps its user. */
	*what = "user and group ids";
	if (s->caps == 0 && (r = sandbox_ids(s->uid, s->gid, missed)) != OK)
		return r;
	if (s->caps == 0 && (r = sandbox_no_way_back(s->uid)) != OK)
		return r;
	if (s->caps != 0)
		sandbox_miss(missed, "user id (no capabilities here)");
	*what = "core dumps";
	if ((r = sandbox_no_core()) != OK)
		return r;
	if (s->profile != SANDBOX_NO_FILTER)
		sandbox_miss(missed, "system-call filter (none here)");
	*what = "";
	return OK;
}

bool
sandbox_has(unsigned caps)
{
	return caps == 0 || geteuid() == 0;
}

int
sandbox_no_dump(void)
{
	return sandbox_no_core();
}

int
sandbox_filter(enum sandbox_profile profile)
{
	return profile >= SANDBOX_NO_FILTER && profile <= SANDBOX_PARENT ? OK : ERR_VALUE;
}
