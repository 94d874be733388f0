/* SPDX-License-Identifier: ISC */
/*
 * Configuration files (INI, libinih), read into a struct through a table with a row per key. The
 * first thing that is wrong ends the reading, with one line for the operator:
 * "FILE:LINE: what: what to do".
 */
#ifndef SHELL_CONF_H
#define SHELL_CONF_H

#include "base/addr.h"

#define CONF_ERROR_MAX 512
#define CONF_FILE_MAX (64u * 1024)       /* octets of a file */
#define CONF_PATH_MAX 512
#define CONF_ADDRS_MAX 16

enum conf_type {
	CONF_TEXT,       /* char[size] */
	CONF_FILE,       /* char[size]; relative to the folder of the configuration file */
	CONF_KEY,        /* as CONF_FILE, but a store URI ("pkcs11:...") is taken as it is */
	CONF_BOOL,       /* bool: yes, no */
	CONF_UINT,       /* uint32_t within min..max */
	CONF_WORD,       /* int: index in words[] */
	CONF_MODE,       /* uint32_t, octal */
	CONF_ADDRS,      /* struct conf_addrs: addresses with commas between them */
};

struct conf_addrs {
	struct addr a[CONF_ADDRS_MAX];
	uint8_t n;
};

struct conf_row {
	const char *section, *key;
	enum conf_type type;
	bool required;
	size_t offset, size;
	uint32_t min, max;
	const char *const *words;        /* NULL-terminated */
	/* More than the type: NULL if fine, else "what: what to do" (static). */
	const char *(*check)(const char *value);
};

/* A key of a section with rows or not: `other` of the table takes what no row names. 0 or an error
 * text ("what: what to do"). */
typedef const char *(*conf_other_fn)(void *to, const char *key, const char *value, int line);

struct conf_table {
	const struct conf_row *rows;
	size_t n_rows;
	const char *other_section;       /* NULL: unknown keys are errors everywhere */
	conf_other_fn other;
};

/*
 * Read `text` (named `path` in messages) into `to`. lines[i]: where row i was given, 0 if it was
 * not. 0, or ERR_VALUE with error filled in.
 */
int conf_read(const char *path, struct bytes text, const struct conf_table *, void *to, int *lines,
    char error[static CONF_ERROR_MAX]);

/*
 * The text of a file, at most CONF_FILE_MAX octets. 0 or ERR_IO, ERR_SPACE, with error filled in.
 */
int conf_load(const char *path, struct blob *text, char error[static CONF_ERROR_MAX]);

#endif
