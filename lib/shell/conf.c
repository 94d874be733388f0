/* SPDX-License-Identifier: ISC */
#include "shell/conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

#define NAME_MAX_INI 48          /* libinih cuts longer names off silently */

struct reading {
	const char *path;
	struct rd in;
	const struct conf_table *table;
	void *to;
	int *lines;
	char *error;
	int line;                /* being read */
	char section[64];
	bool failed;
};

static void fail(struct reading *, const char *, ...) __attribute__((format(printf, 2, 3)));

static void
fail(struct reading *rg, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (rg->failed)
		return;
	rg->failed = true;
	n = snprintf(rg->error, CONF_ERROR_MAX, "%s:%d: ", rg->path, rg->line);
	if (n < 0 || n >= CONF_ERROR_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(rg->error + n, CONF_ERROR_MAX - (size_t)n, fmt, ap);
	va_end(ap);
}

/* ------------------------------------------------------------------ values */

static void
read_text(struct reading *rg, const struct conf_row *row, const char *value, char *to)
{
	if (strlen(value) >= row->size)
		fail(rg, "value of '%s' is too long: at most %zu characters", row->key,
		    row->size - 1);
	else
		memcpy(to, value, strlen(value) + 1);
}

static bool
is_uri(const char *value)
{
	size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789+-.");

	return n > 1 && value[n] == ':';
}

static void
read_file(struct reading *rg, const struct conf_row *row, const char *value, char *to)
{
	const char *slash = strrchr(rg->path, '/');
	char full[CONF_PATH_MAX];
	int n;

	if (value[0] == '/' || slash == NULL || (row->type == CONF_KEY && is_uri(value))) {
		read_text(rg, row, value, to);
		return;
	}
	n = snprintf(full, sizeof full, "%.*s/%s", (int)(slash - rg->path), rg->path, value);
	if (n < 0 || (size_t)n >= sizeof full)
		fail(rg, "path of '%s' is too long: use a shorter one", row->key);
	else
		read_text(rg, row, full, to);
}

static void
read_uint(struct reading *rg, const struct conf_row *row, const char *value, uint32_t *to)
{
	unsigned long long v = 0;
	char *end = NULL;

	if (isdigit((unsigned char)value[0])) {
		errno = 0;
		v = strtoull(value, &end, 10);
	}
	if (end == NULL || *end != '\0' || errno != 0 || v < row->min || v > row->max)
		fail(rg, "'%s' is no good value of '%s': give a number from %u to %u", value,
		    row->key, row->min, row->max);
	else
		*to = (uint32_t)v;
}

static void
read_mode(struct reading *rg, const struct conf_row *row, const char *value, uint32_t *to)
{
	if (strspn(value, "01234567") != strlen(value) || strlen(value) < 3 || strlen(value) > 4)
		fail(rg, "'%s' is no good value of '%s': give three or four octal digits, "
		    "as in 0660", value, row->key);
	else
		*to = (uint32_t)strtoul(value, NULL, 8);
}

static void
read_bool(struct reading *rg, const struct conf_row *row, const char *value, bool *to)
{
	if (strcmp(value, "yes") == 0)
		*to = true;
	else if (strcmp(value, "no") == 0)
		*to = false;
	else
		fail(rg, "'%s' is no good value of '%s': say yes or no", value, row->key);
}

static void
read_word(struct reading *rg, const struct conf_row *row, const char *value, int *to)
{
	char list[128] = "";
	size_t n = 0;
	int i;

	for (i = 0; row->words[i] != NULL; i++) {
		if (strcmp(value, row->words[i]) == 0) {
			*to = i;
			return;
		}
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i == 0 ? "" : ", ",
		    row->words[i]);
		if (n >= sizeof list)
			break;
	}
	fail(rg, "'%s' is no good value of '%s': choose one of %s", value, row->key, list);
}

static void
read_addrs(struct reading *rg, const struct conf_row *row, const char *value,
    struct conf_addrs *to)
{
	char one[ADDR_STRLEN];
	size_t n;

	to->n = 0;
	for (;;) {
		value += strspn(value, " \t");
		n = strcspn(value, ", \t");
		(void)snprintf(one, sizeof one, "%.*s",
		    (int)(n < sizeof one ? n : sizeof one - 1), value);
		if (to->n == CONF_ADDRS_MAX) {
			fail(rg, "too many addresses in '%s': at most %d", row->key,
			    CONF_ADDRS_MAX);
			return;
		}
		if (n >= sizeof one || addr_parse(&to->a[to->n], one) != OK) {
			fail(rg, "'%s' in '%s' is no address: give IPv4 or IPv6 addresses with commas "
			    "between them", one, row->key);
			return;
		}
		to->n++;
		value += n;
		value += strspn(value, " \t");
		if (*value == '\0')
			return;
		if (*value == ',')
			value++;
	}
}

static void
read_value(struct reading *rg, const struct conf_row *row, const char *value)
{
	void *to = (char *)rg->to + row->offset;
	const char *why;

	if (value[0] == '\0') {
		fail(rg, "'%s' has no value: give one, or leave the line out", row->key);
		return;
	}
	switch (row->type) {
	case CONF_TEXT:
		read_text(rg, row, value, to);
		break;
	case CONF_FILE:
	case CONF_KEY:
		read_file(rg, row, value, to);
		break;
	case CONF_BOOL:
		read_bool(rg, row, value, to);
		break;
	case CONF_UINT:
		read_uint(rg, row, value, to);
		break;
	case CONF_WORD:
		read_word(rg, row, value, to);
		break;
	case CONF_MODE:
		read_mode(rg, row, value, to);
		break;
	case CONF_ADDRS:
		read_addrs(rg, row, value, to);
		break;
	}
	if (!rg->failed && row->check != NULL && (why = row->check(value)) != NULL)
		fail(rg, "'%s' is no good value of '%s': %s", value, row->key, why);
}

/* ------------------------------------------------------------------ lines */

static bool
section_known(const struct conf_table *t, const char *section)
{
	size_t i;

	if (t->other_section != NULL && strcmp(section, t->other_section) == 0)
		return true;
	for (i = 0; i < t->n_rows; i++)
		if (strcmp(t->rows[i].section, section) == 0)
			return true;
	return false;
}

static const struct conf_row *
row_find(const struct conf_table *t, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < t->n_rows; i++)
		if (strcmp(t->rows[i].section, section) == 0 && strcmp(t->rows[i].key, key) == 0)
			return &t->rows[i];
	return NULL;
}

static void
read_pair(struct reading *rg, const char *key, const char *value)
{
	const struct conf_table *t = rg->table;
	const struct conf_row *row = row_find(t, rg->section, key);
	const char *why;

	if (row != NULL) {
		int *line = &rg->lines[row - t->rows];

		if (*line != 0) {
			fail(rg, "'%s' was given in line %d already: remove one of them", key,
			    *line);
			return;
		}
		*line = rg->line;
		read_value(rg, row, value);
	} else if (t->other_section != NULL && strcmp(rg->section, t->other_section) == 0) {
		if ((why = t->other(rg->to, key, value, rg->line)) != NULL)
			fail(rg, "'%s': %s", key, why);
	} else {
		fail(rg, "unknown key '%s' in section [%s]: ikev2d.conf(5) lists the keys", key,
		    rg->section);
	}
}

static int
handle(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *rg = arg;

	(void)section;           /* cut off by libinih when long; ours is whole */
	if (rg->failed)
		return 0;
	if (rg->section[0] == '\0')
		fail(rg, "'%s' stands before the first section: put [node] or the like above it",
		    key);
	else if (strlen(key) >= NAME_MAX_INI)
		fail(rg, "the key that starts with '%s' is too long: at most %d characters", key,
		    NAME_MAX_INI - 1);
	else if (value[0] == '"' || value[0] == '\'')
		fail(rg, "value of '%s' is in quotes: write it without them", key);
	else
		read_pair(rg, key, value);
	return !rg->failed;
}

static void
section_begin(struct reading *rg, const char *line)
{
	const char *end = strchr(line, ']');
	size_t n = end == NULL ? 0 : (size_t)(end - line - 1);

	if (end == NULL || n == 0 || n >= NAME_MAX_INI) {
		fail(rg, "a section must look like [node]: close the bracket, use a known name");
		return;
	}
	memcpy(rg->section, line + 1, n);
	rg->section[n] = '\0';
	if (!section_known(rg->table, rg->section))
		fail(rg, "unknown section [%s]: ikev2d.conf(5) lists the sections", rg->section);
}

/*
 * Hands out a line, as fgets() would; leading space is dropped, else libinih would take the line
 * for a continuation of the one before.
 */
static char *
next_line(char *to, int cap, void *arg)
{
	struct reading *rg = arg;
	struct bytes rest = rg->in.bad ? bytes_of(NULL, 0) : bytes_of(rg->in.p, rd_left(&rg->in));
	const uint8_t *nl;
	size_t n, i;

	if (rg->failed || rest.n == 0)
		return NULL;
	nl = memchr(rest.p, '\n', rest.n);
	n = nl == NULL ? rest.n : (size_t)(nl - rest.p);
	rd_skip(&rg->in, n + (nl != NULL));
	rg->line++;
	if (n > 0 && rest.p[n - 1] == '\r')
		n--;
	for (i = 0; i < n; i++)
		if ((rest.p[i] < ' ' && rest.p[i] != '\t') || rest.p[i] == 0x7f) {
			fail(rg, "control character in the line: remove it");
			return NULL;
		}
	for (; n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'); n--)
		rest.p++;
	if (cap < 2 || n > (size_t)cap - 2) {
		fail(rg, "line too long: at most %d characters", cap - 2);
		return NULL;
	}
	memcpy(to, rest.p, n);
	to[n] = '\n';
	to[n + 1] = '\0';
	if (to[0] == '[')
		section_begin(rg, to);
	return rg->failed ? NULL : to;
}

static void
check_required(struct reading *rg)
{
	const struct conf_table *t = rg->table;
	size_t i;

	for (i = 0; i < t->n_rows && !rg->failed; i++)
		if (t->rows[i].required && rg->lines[i] == 0)
			fail(rg, "key '%s' of section [%s] is missing: add '%s = ...' there",
			    t->rows[i].key, t->rows[i].section, t->rows[i].key);
}

int
conf_read(const char *path, struct bytes text, const struct conf_table *table, void *to, int *lines,
    char error[static CONF_ERROR_MAX])
{
	struct reading rg = {
		.path = path, .in = rd_open(text), .table = table, .to = to, .lines = lines,
		.error = error,
	};
	int bad;

	error[0] = '\0';
	memset(lines, 0, table->n_rows * sizeof *lines);
	bad = ini_parse_stream(next_line, &rg, handle, &rg);
	if (bad > 0 && !rg.failed) {
		rg.line = bad;
		fail(&rg, "this is neither 'key = value' nor a section nor a comment: correct it");
	} else if (bad < 0) {
		fail(&rg, "out of memory: try again");
	}
	check_required(&rg);
	return rg.failed ? ERR_VALUE : OK;
}

int
conf_load(const char *path, struct blob *text, char error[static CONF_ERROR_MAX])
{
	uint8_t *buf = malloc(CONF_FILE_MAX + 1);
	size_t n = 0;
	ssize_t r = 0;
	int fd = -1, err = ERR_IO;

	error[0] = '\0';
	if (buf == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		goto out;
	while (n <= CONF_FILE_MAX && (r = read(fd, buf + n, CONF_FILE_MAX + 1 - n)) > 0)
		n += (size_t)r;
	if (r < 0)
		goto out;
	err = n > CONF_FILE_MAX ? ERR_SPACE : blob_copy(text, bytes_of(buf, n));
out:
	if (err == ERR_IO)
		(void)snprintf(error, CONF_ERROR_MAX,
		    "%s: can't be read (%s): name a configuration file that is there with "
		    "-c FILE", path, strerror(errno));
	else if (err != OK)
		(void)snprintf(error, CONF_ERROR_MAX,
		    "%s: larger than %u octets: this is no configuration file", path,
		    CONF_FILE_MAX);
	if (fd != -1)
		(void)close(fd);
	free(buf);
	return err;
}
