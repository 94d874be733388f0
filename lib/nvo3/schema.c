/* SPDX-License-Identifier: ISC */
#include "nvo3/schema.h"

#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/* conf/authorization.rng, octet by octet; made by files.mk. */
static const unsigned char builtin[] = {
#include "authorization.rng.inc"
};

struct first_error {
	int line;
	char text[160];
};

static void
keep_first(void *arg, xmlErrorPtr e)
{
	struct first_error *first = arg;

	if (first->text[0] != '\0' || e->message == NULL)
		return;
	first->line = e->line;
	log_safe(first->text, sizeof first->text, bytes_of(e->message, strcspn(e->message, "\n")));
}

int
nvo3_schema_load(struct nvo3_schema **out, const char *path, char why[static 256])
{
	struct first_error first = { 0, "" };
	xmlRelaxNGParserCtxtPtr ctx = NULL;
	struct nvo3_schema *s = NULL;
	int r = ERR_NOMEM;

	why[0] = '\0';
	*out = NULL;
	xmlInitParser();
	if ((s = calloc(1, sizeof *s)) == NULL)
		goto out;
	if (path != NULL)
		ctx = xmlRelaxNGNewParserCtxt(path);
	else
		ctx = xmlRelaxNGNewMemParserCtxt((const char *)builtin, (int)sizeof builtin);
	if (ctx == NULL)
		goto out;
	xmlRelaxNGSetParserStructuredErrors(ctx, keep_first, &first);
	if ((s->rng = xmlRelaxNGParse(ctx)) == NULL) {
		snprintf(why, 256, "schema %.80s, line %d: %s; name the authorization.rng that came "
		    "with this program", path != NULL ? path : "(built in)", first.line, first.text);
		r = ERR_SYNTAX;
		goto out;
	}
	*out = s;
	s = NULL;
	r = 0;
out:
	if (r == ERR_NOMEM)
		snprintf(why, 256, "out of memory");
	xmlRelaxNGFreeParserCtxt(ctx);
	nvo3_schema_free(s);
	return r;
}

void
nvo3_schema_free(struct nvo3_schema *s)
{
	if (s == NULL)
		return;
	xmlRelaxNGFree(s->rng);
	free(s);
}
