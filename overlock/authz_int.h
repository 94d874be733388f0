/* SPDX-License-Identifier: ISC */
/* What the `overlock authz` commands share. */
#ifndef OVERLOCK_AUTHZ_INT_H
#define OVERLOCK_AUTHZ_INT_H

#include <jansson.h>

#include "nvo3/fetch.h"
#include "overlock/cmd.h"

#define OCTETS_MAX (17u << 20)           /* the largest document, in its envelope */

struct authz_options {
	const char *name;                /* "overlock authz show" */
	const char *file;                /* path, "-", or URL */
	const char *anchors, *signer, *schema, *tls_ca;
	const char *cert, *key, *out;    /* sign */
	bool json;
};

/* A document that was read: verified when there are signers. */
struct authz_input {
	struct blob octets;              /* as it came */
	struct nvo3_schema *schema;
	struct nvo3_document document;
};
void authz_input_free(struct authz_input *);

/* Complains about a file that can't be read, or a wrong schema, and returns the exit status. */
int authz_read(const struct authz_options *, struct authz_input *);
/* It begins like XML, not like CMS. */
bool authz_is_xml(struct bytes);

/* How a document stands at a time: "valid", "expired", "not valid yet". */
const char *authz_state(const struct nvo3_table *, int64_t now);

void authz_print(const struct nvo3_document *, int64_t now);
/* NULL when out of memory. */
json_t *authz_to_json(const struct nvo3_document *, int64_t now);
/* Prints it, drops the reference, and returns the exit status. */
int authz_print_json(const char *name, json_t *);

#endif
