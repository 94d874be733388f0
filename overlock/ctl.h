/* SPDX-License-Identifier: ISC */
/* What the commands that ask a running ikev2d have in common. */
#ifndef OVERLOCK_CTL_H
#define OVERLOCK_CTL_H

#include <jansson.h>

#include "overlock/cmd.h"

struct ctl_options {
	const char *name;                /* of the command, for messages */
	const char *help;
	const char *socket, *config;     /* NULL: not given */
	bool json;
};

/*
 * Read -s, -c, --json and --help. CMD_OK to go on, with `first` the index of the first argument;
 * -1 when the help was printed (exit CMD_OK), else the exit status.
 */
int ctl_read_options(struct ctl_options *, int argc, char **argv, int *first);

/* The socket that the options name: given, or of the configuration, or the default one. */
int ctl_socket(const struct ctl_options *, char *path, size_t cap);

/*
 * Ask: {"command": command, "node": node}. CMD_OK and *root (the caller's), or the exit status after
 * a line on stderr.
 */
int ctl_request(const struct ctl_options *, const char *command, const char *node, json_t **root);

/*
 * A command that asks and shows the answer: options, request, then --json or `print`. The exit
 * status.
 */
int ctl_show(int argc, char **argv, const char *command, const char *help,
    void (*print)(const json_t *root));

/* A member as text; "" if it is not there. Borrowed. */
const char *ctl_word(const json_t *object, const char *key);
json_int_t ctl_number(const json_t *object, const char *key);
bool ctl_true(const json_t *object, const char *key);

/* The whole answer, indented. */
int ctl_print_json(const char *name, const json_t *root);

/* "3 s", "12 min", "5 h", "9 d". Buffer is returned. */
#define CTL_AGE_STRLEN 32
const char *ctl_age(char buf[static CTL_AGE_STRLEN], json_int_t seconds);

/* ---- tables: columns as wide as their widest cell ---- */

#define CTL_COLUMNS_MAX 12
struct ctl_table {
	size_t columns;
	char **cells;                    /* row by row */
	size_t n, cap;
	bool bad;                        /* out of memory */
};
/* The head's words; `columns` of them. */
void ctl_table_begin(struct ctl_table *, size_t columns, const char *const *head);
/* One cell, copied; rows fill up by themselves. */
void ctl_table_cell(struct ctl_table *, const char *text);
void ctl_table_number(struct ctl_table *, json_int_t);
/* Print and free. */
void ctl_table_end(struct ctl_table *);

#endif
