/* SPDX-License-Identifier: ISC */
#include "nvo3/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static void
fail(struct doc *d, int line, int rc, const char *fmt, va_list ap)
{
	char raw[sizeof d->why];
	int n;

	if (d->rc != 0)
		return;
	d->rc = rc;
	n = snprintf(raw, sizeof raw, "line %d: ", line);
	vsnprintf(raw + n, sizeof raw - (size_t)n, fmt, ap);
	log_safe(d->why, sizeof d->why, bytes_str(raw));
}

int
doc_fail(struct doc *d, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(d, d->line, rc, fmt, ap);
	va_end(ap);
	return rc;
}

int
doc_fail_at(struct doc *d, int line, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(d, line, rc, fmt, ap);
	va_end(ap);
	return rc;
}

const char *
doc_attr(struct doc *d, const char *name)
{
	const char *value = NULL;

	if (xmlTextReaderMoveToAttribute(d->xml, (const xmlChar *)name) == 1) {
		value = (const char *)xmlTextReaderConstValue(d->xml);
		xmlTextReaderMoveToElement(d->xml);
	}
	return value;
}

static const char *
required(struct doc *d, const char *name)
{
	const char *value = doc_attr(d, name);

	if (value == NULL)
		doc_fail(d, ERR_SYNTAX, "<%s> needs the attribute %s", d->element->name, name);
	return value;
}

int
doc_id(struct doc *d, const char *name, char out[static ID_MAX])
{
	const char *s = required(d, name);

	if (s == NULL)
		return ERR_SYNTAX;
	if (!value_id(s, ID_MAX - 1))
		return doc_fail(d, ERR_VALUE,
		    "<%s> %s=\"%.40s\" is no id: use up to %d letters, digits, "
		    "'.', '_', '-', first a letter or digit",
		    d->element->name, name, s, ID_MAX - 1);
	memcpy(out, s, strlen(s) + 1);
	return 0;
}

int
doc_number(struct doc *d, const char *name, uint64_t min, uint64_t max, uint64_t *out)
{
	const char *s = required(d, name);

	if (s == NULL)
		return ERR_SYNTAX;
	if (!value_number(s, min, max, out))
		return doc_fail(d, ERR_VALUE, "<%s> %s=\"%.40s\" is no number from %llu to %llu",
		    d->element->name, name, s, (unsigned long long)min, (unsigned long long)max);
	return 0;
}

int
doc_word(struct doc *d, const char *name, const struct word *words, unsigned *out)
{
	const char *s = required(d, name);
	char buf[80];

	if (s == NULL)
		return ERR_SYNTAX;
	if (!value_word(words, s, out))
		return doc_fail(d, ERR_VALUE, "<%s> %s=\"%.40s\" is none of: %s", d->element->name,
		    name, s, value_words(words, buf, sizeof buf));
	return 0;
}

int
doc_addr(struct doc *d, const char *name, struct addr *out)
{
	const char *s = required(d, name);

	if (s == NULL)
		return ERR_SYNTAX;
	if (addr_parse(out, s) != 0)
		return doc_fail(
		    d, ERR_VALUE, "<%s> %s=\"%.46s\" is no IP address", d->element->name, name, s);
	return 0;
}

int
doc_time(struct doc *d, const char *name, int64_t *out)
{
	const char *s = required(d, name);

	if (s == NULL)
		return ERR_SYNTAX;
	if (!value_time(s, out))
		return doc_fail(d, ERR_VALUE, "<%s> %s=\"%.40s\" is no time: write it in UTC as "
		    "2026-11-22T10:00:00Z", d->element->name, name, s);
	return 0;
}

/* Doubles whenever n is a power of two, so no capacity has to be kept. */
void *
doc_grow(void *array, size_t n, size_t size)
{
	size_t cap = n == 0 ? 1 : n * 2;

	if ((n & (n - 1)) == 0) {
		if (cap > SIZE_MAX / size || (array = realloc(array, cap * size)) == NULL)
			return NULL;
	}
	memset((char *)array + n * size, 0, size);
	return array;
}

int
doc_ref(struct doc *d, const char *node, enum role role)
{
	struct doc_ref *refs = doc_grow(d->refs, d->n_refs, sizeof *refs);

	if (refs == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	d->refs = refs;
	snprintf(refs[d->n_refs].node, ID_MAX, "%s", node);
	refs[d->n_refs].role = role;
	refs[d->n_refs++].line = d->line;
	return 0;
}

struct hash *
doc_hash(void)
{
	static const uint8_t seed[16] = "authorization";

	return hash_new(seed);
}

const struct nvo3_suite *
doc_suite(struct doc *d, const char *id)
{
	size_t i;

	for (i = 0; i < d->t->n_suites; i++)
		if (strcmp(d->t->suites[i].id, id) == 0)
			return &d->t->suites[i];
	doc_fail(d, ERR_VALUE, "<%s> names the suite \"%s\", which <suites> does not have",
	    d->element->name, id);
	return NULL;
}
