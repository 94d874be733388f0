/* SPDX-License-Identifier: ISC */
/*
 * What can be said about a configuration before anything is started: files, keys, certificates,
 * interfaces, users. Shared by `ikev2d -n`, the start of ikev2d, and `overlock check`. Loads
 * private keys, so ikev2d runs it in a process that ends afterwards.
 */
#ifndef SHELL_PREFLIGHT_H
#define SHELL_PREFLIGHT_H

#include "shell/config.h"

enum finding { FINDING_OK = 0, FINDING_WARN, FINDING_FAIL };

#define FINDING_MAX 512

/*
 * Called per check. topic: static, "certificate". text: for OK what was found; else
 * "FILE:LINE: what: what to do". True: go on.
 */
typedef bool (*preflight_fn)(void *arg, enum finding, const char *topic, const char *text);

/* crypto_init() must have been called. self_dir: folder of this program, where a backend program
 * without a path is looked for. Gives the worst finding. */
enum finding preflight_run(const struct config *, const char *self_dir, preflight_fn, void *arg);

/* Path of the backend program. 0 or ERR_SPACE. */
int preflight_program(const struct config *, const char *self_dir, char *to, size_t cap);

/*
 * Can this user open the file for reading? Asks in a process of its own when we are root. 0 or
 * ERR_IO (errno).
 */
int preflight_readable(const struct config *, const char *path);

/*
 * Absolute path of the running program; argv0 helps where the system can't tell. 0 or
 * ERR_NOTFOUND.
 */
int preflight_self(const char *argv0, char *path, size_t cap);

#endif
