/* SPDX-License-Identifier: ISC */
/*
 * Subcommands of `overlock`. Each is a function with its own getopt_long() and its own --help; the
 * table in main.c lists them. Exit status: CMD_OK; CMD_FAILED when the operation failed or was
 * refused; CMD_USAGE for wrong usage or a wrong configuration. State goes to stdout, complaints to
 * stderr.
 */
#ifndef OVERLOCK_CMD_H
#define OVERLOCK_CMD_H

#include "base/bytes.h"
#include "base/log.h"

enum { CMD_OK = 0, CMD_FAILED = 1, CMD_USAGE = 2 };

/* "schema_version" of everything that --json prints; raised when a member changes its meaning. */
#define CMD_JSON_VERSION 1

struct cmd {
	const char *name;
	const char *summary;             /* one line, for the list of commands */
	int (*run)(int argc, char **argv);      /* argv[0]: all words up to the command */
};

/*
 * Run the command that argv[1] names, of a table that ends with a NULL name. `prog` is what
 * stands before it ("overlock", "overlock authz"). "--help" and "help" list the table.
 */
int cmd_run(const struct cmd *table, const char *prog, int argc, char **argv);

/* "see overlock ... --help" on stderr, after what getopt_long() said. Returns CMD_USAGE. */
int cmd_bad_usage(const char *name);
/* One line on stderr: "NAME: ...". Returns the status given. */
int cmd_fail(const char *name, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints the text and returns CMD_OK; CMD_FAILED if stdout can't be written. */
int cmd_help(const char *text);
/* Everything printed has reached stdout: CMD_OK, else a complaint and CMD_FAILED. */
int cmd_flush(const char *name);

/* Seconds since 1970 as "2026-11-22T10:00:00Z"; "?" if that is no time. */
#define CMD_TIME_STRLEN LOG_TIME_STRLEN
const char *cmd_time(char buf[static CMD_TIME_STRLEN], int64_t t);

/*
 * Make or replace a file: written beside it, synced, renamed. path "-": stdout. 0 or ERR_IO, errno
 * says why.
 */
int cmd_write_file(const char *path, struct bytes, unsigned mode);

int cmd_authz(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_sas(int argc, char **argv);
int cmd_counters(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_peer(int argc, char **argv);

#endif
