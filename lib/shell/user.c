/* SPDX-License-Identifier: ISC */
#include "shell/user.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"

#define USER_DEFAULT "_overlock"
#define USER_FALLBACK "nobody"

bool
user_is_fallback(const struct config *c)
{
	return geteuid() == 0 && c->user[0] == '\0' && getpwnam(USER_DEFAULT) == NULL;
}

int
user_resolve(const struct config *c, uid_t *uid, gid_t *gid, char *why, size_t cap)
{
	const char *name = c->user[0] != '\0' ? c->user : USER_DEFAULT;
	const struct passwd *pw;

	*uid = 0;
	*gid = 0;
	if (geteuid() != 0)
		return OK;
	pw = getpwnam(name);
	if (pw == NULL && c->user[0] == '\0')
		pw = getpwnam(USER_FALLBACK);
	if (pw == NULL || pw->pw_uid == 0) {
		(void)snprintf(why, cap, "%s:%d: user '%s' %s: name an unprivileged user that "
		    "exists", c->path, config_line(c, "daemon", "user"), name,
		    pw == NULL ? "does not exist" : "is root");
		return ERR_VALUE;
	}
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return OK;
}
