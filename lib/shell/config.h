/* SPDX-License-Identifier: ISC */
/*
 * ikev2d.conf(5) as a struct. Read by the parent, by each of its processes, and by `overlock
 * check`.
 */
#ifndef SHELL_CONFIG_H
#define SHELL_CONFIG_H

#include "base/sa.h"
#include "shell/conf.h"

#define CONFIG_DEFAULT_PATH OVERLOCK_SYSCONFDIR "/ikev2d.conf"
#define CONFIG_OPTIONS_MAX 264           /* of [backend]: 250 tenants and the rest */
#define CONFIG_OPTION_MAX 200

enum config_initiate { INITIATE_AUTO = 0, INITIATE_ALL, INITIATE_NONE };

struct config_option {
	char text[CONFIG_OPTION_MAX];    /* "key=value" */
	int line;
};

/* Strings that were not given are empty. Times are in seconds. */
struct config {
	char path[CONF_PATH_MAX];
	int *lines;                      /* by row of the table; see config_line() */

	char node[ID_MAX];
	char certificate[CONF_PATH_MAX], private_key[CONF_PATH_MAX], device_ca[CONF_PATH_MAX];

	char url[512], nva_ca[CONF_PATH_MAX], signer[300];
	char tls_ca[CONF_PATH_MAX], tls_certificate[CONF_PATH_MAX], tls_key[CONF_PATH_MAX];
	char state_dir[CONF_PATH_MAX];
	uint32_t refresh, timeout, max_size, grace;

	struct conf_addrs listen;        /* none: wildcard */
	uint32_t port, natt_port, cookie_threshold, dpd;
	bool force_encap;
	int initiate;                    /* enum config_initiate */

	char program[CONF_PATH_MAX];     /* of the backend */
	struct config_option options[CONFIG_OPTIONS_MAX];
	size_t n_options;

	char socket[CONF_PATH_MAX];
	uint32_t socket_mode;

	char user[64], chroot[CONF_PATH_MAX], pid_file[CONF_PATH_MAX];
	int log_level;                   /* enum log_level - 1 */

	char key_log[CONF_PATH_MAX];
	bool allow_key_log;
};

/*
 * Read and check what can be checked without looking at other files. NULL on error: then error is
 * one line "FILE:LINE: what: what to do". path: as it is to be shown; relative files are looked for
 * in its folder.
 */
struct config *config_read(const char *path, struct bytes text, char error[static CONF_ERROR_MAX]);
void config_free(struct config *);

/* Where a key was given, 1 if it was not; for later messages about it. */
int config_line(const struct config *, const char *section, const char *key);

/* The line of the [backend] option that a backend's words begin with ("wire: ..."), else of its
 * program. */
int config_blame(const struct config *, const char *text);

/* Value of a [backend] option, or NULL. */
const char *config_option(const struct config *, const char *key);

#endif
