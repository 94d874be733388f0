/* SPDX-License-Identifier: ISC */
/*
 * One reading of an NVA document: the XML reader, the table that grows, and what is kept only to
 * find duplicates and wrong references. parse.c walks the elements, elements*.c take them in,
 * check.c looks at the whole. The first error stays: "line N: what, what to do".
 */
#ifndef NVO3_DOC_H
#define NVO3_DOC_H

#include <libxml/xmlreader.h>

#include "nvo3/authz.h"
#include "nvo3/value.h"

#define DOC_TEXT_MAX 300                 /* of an identity, with NUL */

/* A node that is named before the nodes are known. */
struct doc_ref {
	char node[ID_MAX];
	enum role role;                  /* that it must have */
	int line;
};

struct doc;

/* An element of the format. */
struct doc_element {
	const char *name;
	int parent;                      /* row of doc_elements[]; -1: the root */
	const char *attrs;               /* "id esp ke": what it may carry */
	bool text;                       /* it holds text, and no element */
	int (*start)(struct doc *);      /* attributes; NULL: nothing to do */
	int (*end)(struct doc *);        /* text is complete, children are done */
};

struct doc {
	xmlTextReaderPtr xml;
	const struct nvo3_limits *limits;
	struct nvo3_table *t;

	const struct doc_element *element;      /* the current one */
	int line;                        /* where its start tag ends */
	char text[DOC_TEXT_MAX];
	size_t text_n;
	struct addr outside;             /* of the current <underlay> */
	bool has_group;                  /* the current <vn> has one */

	struct hash *vnis;               /* VNI -> position in t->vns, plus one */
	struct hash *addrs;              /* underlay address -> whether behind a NAT */
	struct hash *groups;             /* ids of <groups> */
	struct doc_ref *refs;
	size_t n_refs;

	int rc;                          /* of the first error */
	char why[256];
};

extern const struct doc_element doc_elements[];
/* The row of a child of row `parent`; -1 if there is no such. */
int doc_element_find(int parent, const char *name);

/* Notes the error at the current line (or the given one) and returns rc. What users wrote is made
 * printable. */
int doc_fail(struct doc *, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int doc_fail_at(struct doc *, int line, int rc, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The attribute's value, borrowed until the next call; NULL if it is not there. */
const char *doc_attr(struct doc *, const char *name);
/* Required attributes. 0, or an error that has been noted. */
int doc_id(struct doc *, const char *name, char out[static ID_MAX]);
int doc_number(struct doc *, const char *name, uint64_t min, uint64_t max, uint64_t *out);
int doc_word(struct doc *, const char *name, const struct word *, unsigned *out);
int doc_addr(struct doc *, const char *name, struct addr *out);
int doc_time(struct doc *, const char *name, int64_t *out);

/* Room for one more member of an array of n: NULL or the (moved) array, the new member zeroed. */
void *doc_grow(void *array, size_t n, size_t size);
/* Notes that a node of this role is expected. */
int doc_ref(struct doc *, const char *node, enum role);

/* A hash for text that only the document's signer chooses. */
struct hash *doc_hash(void);

const struct nvo3_suite *doc_suite(struct doc *, const char *id);

/* The whole: references, channels that can't be told apart, order. */
int doc_check(struct doc *);

#endif
