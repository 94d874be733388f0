/* SPDX-License-Identifier: ISC */
/* Who the processes run as. */
#ifndef SHELL_USER_H
#define SHELL_USER_H

#include <sys/types.h>

#include "shell/config.h"

/*
 * The user of the configuration; without one "_overlock", and where that is missing "nobody"
 * (user_is_fallback() then tells). uid 0 when we were not started as root: then there is nobody to
 * change to. 0 or ERR_VALUE with "FILE:LINE: what: what to do" in why.
 */
int user_resolve(const struct config *, uid_t *, gid_t *, char *why, size_t cap);
bool user_is_fallback(const struct config *);

#endif
