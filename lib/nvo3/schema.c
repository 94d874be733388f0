/* SPDX-License-Identifier: ISC */
#include "nvo3/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "nvo3/file.h"

#define SCHEMA_MAX (1u << 20)            /* octets */

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
	first->line = e->line > 0 ? e->line : 1;
	log_safe(first->text, sizeof first->text, bytes_of(e->message, strcspn(e->message, "\n")));
}

/* As a document of its own, because libxml2 would print what is wrong with a text. */
static xmlDocPtr
read_text(struct bytes text, struct first_error *first)
{
	xmlParserCtxtPtr ctx = xmlNewParserCtxt();
	xmlDocPtr doc = NULL;

	if (ctx == NULL)
		return NULL;
	doc = xmlCtxtReadMemory(ctx, (const char *)text.p, (int)text.n, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc == NULL && xmlCtxtGetLastError(ctx) != NULL)
		keep_first(first, xmlCtxtGetLastError(ctx));
	xmlFreeParserCtxt(ctx);
	return doc;
}

static int
compile(struct bytes text, xmlRelaxNGPtr *rng, struct first_error *first)
{
	xmlRelaxNGParserCtxtPtr ctx = NULL;
	xmlDocPtr doc;
	int r = ERR_NOMEM;

	if ((doc = read_text(text, first)) == NULL) {
		r = ERR_SYNTAX;
		goto out;
	}
	if ((ctx = xmlRelaxNGNewDocParserCtxt(doc)) == NULL)
		goto out;
	xmlRelaxNGSetParserStructuredErrors(ctx, keep_first, first);
	r = (*rng = xmlRelaxNGParse(ctx)) != NULL ? 0 : ERR_SYNTAX;
out:
	xmlRelaxNGFreeParserCtxt(ctx);
	xmlFreeDoc(doc);
	return r;
}

int
nvo3_schema_load(struct nvo3_schema **out, const char *path, char why[static 256])
{
	struct first_error first = { 0, "" };
	struct bytes text = bytes_of(builtin, sizeof builtin);
	struct nvo3_schema *s = NULL;
	struct blob file = { NULL, 0 };
	int r = 0;

	why[0] = '\0';
	*out = NULL;
	xmlInitParser();
	if (path != NULL && (r = file_read(AT_FDCWD, path, SCHEMA_MAX, &file, NULL)) != 0) {
		snprintf(why, 256, "schema %.160s: %s", path,
		    r == ERR_IO ? strerror(errno) : err_str(r));
		goto out;
	}
	if (path != NULL)
		text = blob_view(&file);
	r = ERR_NOMEM;
	if ((s = calloc(1, sizeof *s)) == NULL)
		goto out;
	if ((r = compile(text, &s->rng, &first)) == ERR_SYNTAX)
		snprintf(why, 256,
		    "schema %.60s, line %d: %.120s; name the authorization.rng of this "
		    "program",
		    path != NULL ? path : "(built in)", first.line, first.text);
	if (r == 0) {
		*out = s;
		s = NULL;
	}
out:
	if (r == ERR_NOMEM)
		snprintf(why, 256, "out of memory");
	nvo3_schema_free(s);
	blob_free(&file);
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
