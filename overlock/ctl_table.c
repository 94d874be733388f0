/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "overlock/ctl.h"

void
ctl_table_begin(struct ctl_table *t, size_t columns, const char *const *head)
{
	size_t i;

	memset(t, 0, sizeof *t);
	t->columns = columns;
	for (i = 0; i < columns; i++)
		ctl_table_cell(t, head[i]);
}

void
ctl_table_cell(struct ctl_table *t, const char *text)
{
	char **cells;
	size_t cap;

	if (t->n == t->cap) {
		cap = t->cap == 0 ? 64 : t->cap * 2;
		if ((cells = realloc(t->cells, cap * sizeof *cells)) == NULL) {
			t->bad = true;
			return;
		}
		t->cells = cells;
		t->cap = cap;
	}
	if ((t->cells[t->n] = strdup(*text == '\0' ? "-" : text)) == NULL)
		t->bad = true;
	else
		t->n++;
}

void
ctl_table_number(struct ctl_table *t, json_int_t n)
{
	char buf[32];

	(void)snprintf(buf, sizeof buf, "%lld", (long long)n);
	ctl_table_cell(t, buf);
}

void
ctl_table_end(struct ctl_table *t)
{
	size_t width[CTL_COLUMNS_MAX] = { 0 }, i, k, n;

	for (i = 0; i < t->n; i++)
		if ((n = strlen(t->cells[i])) > width[i % t->columns])
			width[i % t->columns] = n;
	for (i = 0; i + t->columns <= t->n; i += t->columns)
		for (k = 0; k < t->columns; k++)
			if (k + 1 == t->columns)
				(void)printf("%s\n", t->cells[i + k]);
			else
				(void)printf("%-*s  ", (int)width[k], t->cells[i + k]);
	if (t->bad)
		(void)fputs("out of memory: the table is not whole\n", stderr);
	for (i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	memset(t, 0, sizeof *t);
}
