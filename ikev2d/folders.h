/* SPDX-License-Identifier: ISC */
/* The folders that the daemon needs, made at its start where they are missing. */
#ifndef IKEV2D_FOLDERS_H
#define IKEV2D_FOLDERS_H

#include "shell/config.h"

/*
 * State folder (owned by the unprivileged user, 0700), the empty folder that processes are locked
 * into (owned by us, 0755), the folder of the control socket. 0 or ERR_IO after a line on stderr.
 */
int folders_make(const struct config *);

#endif
