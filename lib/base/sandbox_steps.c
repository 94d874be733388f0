/* SPDX-License-Identifier: ISC */
#include "base/sandbox_steps.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"

void
sandbox_miss(char missed[static SANDBOX_MISSED], const char *words)
{
	static const char comma[] = ", ";
	size_t have = strlen(missed), n = strlen(words);
	size_t gap = have == 0 ? 0 : sizeof comma - 1;

	if (have + gap + n >= SANDBOX_MISSED)
		return;
	memcpy(missed + have, comma, gap);
	memcpy(missed + have + gap, words, n + 1);
}

int
sandbox_chroot(const char *dir, char missed[static SANDBOX_MISSED])
{
	if (dir == NULL)
		return OK;
#ifdef SANDBOX_SANITIZER
	/* At the end LeakSanitizer reads /proc; without it every exit would be a failure. */
	sandbox_miss(missed, SANDBOX_NO_CHROOT);
	return access(dir, X_OK) == 0 ? OK : ERR_IO;
#endif
	if (chroot(dir) != 0) {
		if (errno != EPERM)
			return ERR_IO;
		sandbox_miss(missed, "chroot");
		return OK;
	}
	return chdir("/") == 0 ? OK : ERR_IO;
}

/* Groups first: once the user is another one they cannot be changed any more. */
int
sandbox_ids(uid_t uid, gid_t gid, char missed[static SANDBOX_MISSED])
{
	if (uid == 0 || (getuid() == uid && geteuid() == uid && getgid() == gid &&
	    getegid() == gid))
		return OK;
	if (setgroups(1, &gid) != 0) {
		if (errno != EPERM)
			return ERR_IO;
		sandbox_miss(missed, "supplementary groups");
	}
	if (setgid(gid) != 0) {
		if (errno != EPERM)
			return ERR_IO;
		sandbox_miss(missed, "group id");
	}
	if (setuid(uid) != 0) {
		if (errno != EPERM)
			return ERR_IO;
		sandbox_miss(missed, "user id");
	}
	return OK;
}

int
sandbox_no_core(void)
{
	struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0 ? OK : ERR_IO;
}

int
sandbox_no_way_back(uid_t uid)
{
	if (uid == 0 || getuid() != uid)
		return OK;
	return setuid(0) != 0 ? OK : ERR_STATE;
}
