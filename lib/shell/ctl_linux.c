/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include "base/err.h"
#include "shell/ctl.h"

int
ctl_peer(int fd, uid_t *uid, gid_t *gid)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof cred)
		return ERR_IO;
	*uid = cred.uid;
	*gid = cred.gid;
	return OK;
}
