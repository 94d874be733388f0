/* SPDX-License-Identifier: ISC */
#include "ikev2d/folders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "shell/user.h"

/* As mkdir -p. */
static int
make_path(const char *path, mode_t mode)
{
	char part[CONF_PATH_MAX];
	struct stat st;
	size_t i, n = strlen(path);

	if (n >= sizeof part) {
		errno = ENAMETOOLONG;
		return ERR_IO;
	}
	for (i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == n ? mode : 0755) != 0 && errno != EEXIST)
			return ERR_IO;
	}
	if (stat(path, &st) != 0)
		return ERR_IO;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode) ? OK : ERR_IO;
}

static int
blame(const struct config *c, const char *section, const char *key, const char *path)
{
	(void)fprintf(stderr, "%s:%d: folder '%s' can't be made or used (%s): name another one with "
	    "'%s = ...' in [%s]\n", c->path, config_line(c, section, key), path, strerror(errno), key,
	    section);
	return ERR_IO;
}

/*
 * To the daemon's user, once: a folder of root's that nobody else could use, as one is that we made.
 * Never somebody else's, never one that others use (/var/lib, by mistake), never what a link points
 * to.
 */
static int
give(const char *path, uid_t uid, gid_t gid)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = ERR_IO, saved;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) != 0)
		goto out;
	errno = EPERM;
	if (st.st_uid == 0 && (st.st_mode & 077) == 0 && fchown(fd, uid, gid) == 0)
		r = OK;
out:
	saved = errno;
	if (fd != -1)
		(void)close(fd);
	errno = saved;
	return r;
}

static int
make_state(const struct config *c)
{
	char why[CONF_ERROR_MAX];
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (make_path(c->state_dir, 0700) != OK || stat(c->state_dir, &st) != 0)
		return blame(c, "authorization", "state-dir", c->state_dir);
	if (user_resolve(c, &uid, &gid, why, sizeof why) != OK || uid == 0 || st.st_uid == uid ||
	    give(c->state_dir, uid, gid) == OK)
		return OK;
	return blame(c, "authorization", "state-dir", c->state_dir);
}

int
folders_make(const struct config *c)
{
	char run[CONF_PATH_MAX];
	char *slash;

	if (make_state(c) != OK)
		return ERR_IO;
	if (make_path(c->chroot, 0755) != OK)
		return blame(c, "daemon", "chroot", c->chroot);
	(void)snprintf(run, sizeof run, "%s", c->socket);
	slash = strrchr(run, '/');
	if (slash == NULL || slash == run)
		return OK;
	*slash = '\0';
	return make_path(run, 0755) == OK ? OK : blame(c, "control", "socket", run);
}
