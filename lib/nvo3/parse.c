/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/rd.h"
#include "nvo3/doc.h"
#include "nvo3/schema.h"

#define NAMESPACE "urn:overlock:authorization:1"

/* What libxml2 has to say: the first complaint of the parser, the first of the schema. */
struct complaints {
	int xml_line, schema_line;
	char xml[120], schema[120];
};

static void
complain(void *arg, xmlErrorPtr e)
{
	struct complaints *c = arg;
	bool schema = e->domain == XML_FROM_RELAXNGV;
	char *text = schema ? c->schema : c->xml;

	if (text[0] != '\0' || e->level < XML_ERR_ERROR || e->message == NULL)
		return;
	*(schema ? &c->schema_line : &c->xml_line) = e->line;
	if (e->domain == XML_FROM_PARSER && e->code == XML_ERR_DOCUMENT_END)
		snprintf(
		    text, sizeof c->xml, "it is cut off, or something follows the root element");
	else
		log_safe(text, sizeof c->xml, bytes_of(e->message, strcspn(e->message, "\n")));
}

/* Reads past the next occurrence of the mark (at most 3 octets); counts lines. */
static void
skip_past(struct rd *r, const char *mark, int *line)
{
	size_t n = strlen(mark);
	char last[4] = "";
	char c;

	while (rd_left(r) > 0) {
		c = (char)rd_u8(r);
		*line += c == '\n';
		last[0] = last[1];
		last[1] = last[2];
		last[2] = c;
		if (memcmp(last + 3 - n, mark, n) == 0)
			return;
	}
	rd_fail(r);
}

/*
 * What stands before the root element. A document type is refused here, before any XML parser has
 * seen it; so is every encoding in which "<!DOCTYPE" would look different.
 */
static int
check_prolog(struct doc *d, struct bytes xml)
{
	static const uint8_t bom[] = { 0xef, 0xbb, 0xbf };
	struct rd r = rd_open(xml), ahead;
	uint8_t c;

	d->line = 1;
	if (xml.n >= sizeof bom && memcmp(xml.p, bom, sizeof bom) == 0)
		rd_skip(&r, sizeof bom);
	while (rd_left(&r) > 0) {
		c = rd_u8(&r);
		d->line += c == '\n';
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c != '<')
			break;
		c = rd_u8(&r);
		if (c == '?') {
			skip_past(&r, "?>", &d->line);
			continue;
		}
		if (c != '!')
			return c != 0 && rd_ok(&r) ? 0 :
						     doc_fail(d, ERR_SYNTAX, "not XML in UTF-8");
		ahead = r;
		if (rd_u16(&ahead) != 0x2d2d)
			return doc_fail(d, ERR_SYNTAX,
			    "a document type (<!DOCTYPE) is not allowed; "
			    "take it out");
		r = ahead;
		skip_past(&r, "-->", &d->line);
	}
	return doc_fail(d, ERR_SYNTAX, "not an XML document in UTF-8");
}

static int
node_line(struct doc *d)
{
	long line = xmlGetLineNo(xmlTextReaderCurrentNode(d->xml));

	/* libxml2 keeps 16 bits of it; later lines are told about right. */
	if (line <= 0 || line >= USHRT_MAX)
		line = xmlTextReaderGetParserLineNumber(d->xml);
	return (int)line;
}

static bool
listed(const char *list, const char *name)
{
	size_t n = strlen(name), k;

	while (*list != '\0') {
		k = strcspn(list, " ");
		if (k == n && memcmp(list, name, n) == 0)
			return true;
		list += k + (list[k] == ' ');
	}
	return false;
}

static int
check_attributes(struct doc *d)
{
	const char *name;
	int r = 0;

	while (r == 0 && xmlTextReaderMoveToNextAttribute(d->xml) == 1) {
		if (xmlTextReaderIsNamespaceDecl(d->xml) == 1)
			continue;
		name = (const char *)xmlTextReaderConstName(d->xml);
		if (!listed(d->element->attrs, name))
			r = doc_fail(d, ERR_SYNTAX,
			    "<%s> has no attribute \"%.40s\"; it may have: %s", d->element->name,
			    name, d->element->attrs[0] != '\0' ? d->element->attrs : "none");
	}
	xmlTextReaderMoveToElement(d->xml);
	return r;
}

static int
end_element(struct doc *d, const struct doc_element *e)
{
	int r = 0;

	d->element = e;
	if (e->end != NULL)
		r = e->end(d);
	d->element = e->parent < 0 ? NULL : &doc_elements[e->parent];
	return r;
}

static int
start_element(struct doc *d)
{
	const char *name = (const char *)xmlTextReaderConstLocalName(d->xml);
	const char *ns = (const char *)xmlTextReaderConstNamespaceUri(d->xml);
	int parent = d->element == NULL ? -1 : (int)(d->element - doc_elements), row, r;

	d->line = node_line(d);
	if (xmlTextReaderDepth(d->xml) >= (int)d->limits->max_depth)
		return doc_fail(d, ERR_SPACE, "elements are nested more than %u deep",
		    d->limits->max_depth);
	if (ns == NULL || strcmp(ns, NAMESPACE) != 0)
		return doc_fail(d, ERR_SYNTAX,
		    "<%.40s> is not of the namespace " NAMESPACE "; the root "
		    "element needs xmlns=\"" NAMESPACE "\"",
		    name);
	if ((row = doc_element_find(parent, name)) < 0)
		return doc_fail(d, ERR_SYNTAX, "<%.40s> does not belong %s%s", name,
		    parent < 0 ? "at the top: the root element is <authorization>" : "into ",
		    parent < 0 ? "" : d->element->name);
	d->element = &doc_elements[row];
	d->text_n = 0;
	d->text[0] = '\0';
	if ((r = check_attributes(d)) != 0)
		return r;
	if (d->element->start != NULL && (r = d->element->start(d)) != 0)
		return r;
	return xmlTextReaderIsEmptyElement(d->xml) == 1 ? end_element(d, d->element) : 0;
}

static int
add_text(struct doc *d)
{
	const char *s = (const char *)xmlTextReaderConstValue(d->xml);
	size_t n = s != NULL ? strlen(s) : 0;

	if (d->element == NULL || !d->element->text) {
		if (n == strspn(s != NULL ? s : "", " \t\r\n"))
			return 0;
		return doc_fail_at(d, node_line(d), ERR_SYNTAX, "text outside of <identity> and "
		    "<underlay>");
	}
	if (n >= sizeof d->text - d->text_n)
		return doc_fail(d, ERR_VALUE, "the text of <%s> is longer than %zu octets",
		    d->element->name, sizeof d->text - 1);
	memcpy(d->text + d->text_n, s != NULL ? s : "", n);
	d->text_n += n;
	d->text[d->text_n] = '\0';
	return 0;
}

static int
take_node(struct doc *d)
{
	switch (xmlTextReaderNodeType(d->xml)) {
	case XML_READER_TYPE_ELEMENT:
		return start_element(d);
	case XML_READER_TYPE_END_ELEMENT:
		return d->element != NULL ? end_element(d, d->element) : 0;
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
	case XML_READER_TYPE_WHITESPACE:
	case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
		return add_text(d);
	case XML_READER_TYPE_COMMENT:
	case XML_READER_TYPE_PROCESSING_INSTRUCTION:
		return 0;
	default:
		return doc_fail_at(d, node_line(d), ERR_SYNTAX,
		    "entities and document types are not "
		    "allowed; write the text itself");
	}
}

/*
 * The parser's complaint goes first, for it may read ahead and then hand out less than there is.
 * Our own is preferred to the schema's where both have one about the same place: it says what to
 * do.
 */
static int
walk(struct doc *d, const struct complaints *c)
{
	int more, r;

	while ((more = xmlTextReaderRead(d->xml)) == 1 && c->xml[0] == '\0') {
		if ((r = take_node(d)) != 0)
			return r;
		/* The schema judges text before it has been handed out. */
		if (c->schema[0] == '\0' || (d->element != NULL && d->element->text))
			continue;
		return doc_fail_at(d, c->schema_line, ERR_SYNTAX, "not as the schema wants it: %s",
		    c->schema);
	}
	if (more != 0 || c->xml[0] != '\0')
		return doc_fail_at(d, c->xml_line, ERR_SYNTAX, "not well-formed XML: %s",
		    c->xml[0] != '\0' ? c->xml : "it is cut off");
	if (xmlTextReaderIsValid(d->xml) != 1 || d->t->expires == 0)
		return doc_fail(d, ERR_SYNTAX, "not as the schema wants it: elements are missing");
	return doc_check(d);
}

static int
doc_open(struct doc *d, struct bytes xml, const struct nvo3_schema *schema, struct complaints *c)
{
	const int options = XML_PARSE_NONET | XML_PARSE_IGNORE_ENC;

	if (xml.n > d->limits->max_octets || xml.n > INT_MAX)
		return doc_fail(d, ERR_SPACE,
		    "the document has %zu octets, more than the limit of %zu; "
		    "raise max-size if that is right",
		    xml.n, d->limits->max_octets);
	if (check_prolog(d, xml) != 0)
		return d->rc;
	if ((d->t = calloc(1, sizeof *d->t)) == NULL ||
	    (d->t->by_id = doc_hash()) == NULL || (d->t->by_identity = doc_hash()) == NULL ||
	    (d->vnis = doc_hash()) == NULL || (d->addrs = doc_hash()) == NULL ||
	    (d->groups = doc_hash()) == NULL ||
	    (d->xml = xmlReaderForMemory((const char *)xml.p, (int)xml.n, NULL, "UTF-8",
	    options)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	xmlTextReaderSetStructuredErrorHandler(d->xml, complain, c);
	if (xmlTextReaderRelaxNGSetSchema(d->xml, schema->rng) != 0)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	return 0;
}

int
nvo3_parse(struct bytes xml, const struct nvo3_schema *schema, const struct nvo3_limits *limits,
    struct nvo3_table **out, char why[static 256])
{
	struct complaints c = { 0, 0, "", "" };
	struct doc d = { .limits = limits };

	*out = NULL;
	if (doc_open(&d, xml, schema, &c) == 0 && walk(&d, &c) == 0) {
		*out = d.t;
		d.t = NULL;
	}
	xmlFreeTextReader(d.xml);
	hash_free(d.vnis);
	hash_free(d.addrs);
	hash_free(d.groups);
	free(d.refs);
	nvo3_table_free(d.t);
	memcpy(why, d.why, sizeof d.why);
	return d.rc;
}
