/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "base/err.h"
#include "shell/ctl.h"

int
ctl_peer(int fd, uid_t *uid, gid_t *gid)
{
#if defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) || defined(__APPLE__)
	return getpeereid(fd, uid, gid) == 0 ? OK : ERR_UNSUPPORTED;
#else
	/* POSIX has no call for it. */
	(void)fd;
	(void)uid;
	(void)gid;
	return ERR_UNSUPPORTED;
#endif
}
