/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "shell/ctl.h"

static int
path_to(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof sun->sun_path) {
		errno = ENAMETOOLONG;
		return ERR_IO;
	}
	memcpy(sun->sun_path, path, strlen(path) + 1);
	return OK;
}

int
ctl_connect(const char *path, int *fd)
{
	struct sockaddr_un sun;
	int saved;

	*fd = -1;
	if (path_to(&sun, path) != OK || (*fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return ERR_IO;
	if (fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    connect(*fd, (const struct sockaddr *)&sun, sizeof sun) == 0)
		return OK;
	saved = errno;
	(void)close(*fd);
	*fd = -1;
	errno = saved;
	return ERR_IO;
}

/* A socket file that nobody listens on any more goes away; anything else stays. */
static int
make_way(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? OK : ERR_IO;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return ERR_IO;
	}
	if (ctl_connect(path, &fd) == OK) {
		(void)close(fd);
		return ERR_EXISTS;
	}
	if (errno != ECONNREFUSED)
		return ERR_IO;
	return unlink(path) == 0 ? OK : ERR_IO;
}

int
ctl_listen(const char *path, mode_t mode, int *fd)
{
	struct sockaddr_un sun;
	mode_t mask;
	int r, saved;

	*fd = -1;
	if ((r = path_to(&sun, path)) != OK || (r = make_way(path)) != OK)
		return r;
	if ((*fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return ERR_IO;
	mask = umask(0177);
	r = bind(*fd, (const struct sockaddr *)&sun, sizeof sun);
	(void)umask(mask);
	if (r == 0 && fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(*fd, F_SETFL, O_NONBLOCK) == 0 && chmod(path, mode) == 0 && listen(*fd, 16) == 0)
		return OK;
	saved = errno;
	(void)close(*fd);
	*fd = -1;
	errno = saved;
	return ERR_IO;
}
