/* SPDX-License-Identifier: ISC */
#ifndef IKEV2D_BACKEND_EXEC_H
#define IKEV2D_BACKEND_EXEC_H

#include "shell/config.h"

/*
 * Become the backend program, in a process that the parent has forked: unprivileged user, the one
 * capability that packet sockets need, the keys of [backend] as options. Does not return.
 */
_Noreturn void backend_exec(const struct config *, const char *self, bool debug);

#endif
