/* SPDX-License-Identifier: ISC */
#include "ikev2d/folders.h"

#include <errno.h>
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

static int
make_state(const struct config *c)
{
	char why[CONF_ERROR_MAX];
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (make_path(c->state_dir, 0700) != OK || stat(c->state_dir, &st) != 0)
		return blame(c, "authorization", "state-dir", c->state_dir);
	if (user_resolve(c, &uid, &gid, why, sizeof why) != OK || uid == 0 || st.st_uid == uid)
		return OK;
	/* One that we made, or that an earlier run made for root; never somebody else's. */
	if (st.st_uid != 0) {
		errno = EPERM;
		return blame(c, "authorization", "state-dir", c->state_dir);
	}
	return chown(c->state_dir, uid, gid) == 0 ? OK :
	    blame(c, "authorization", "state-dir", c->state_dir);
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
