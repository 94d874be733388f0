/* SPDX-License-Identifier: ISC */
/*
 * The reader of NVA documents. What it takes in must answer questions and list peers without
 * harm, and the two must agree.
 */
/* reads: lib/nvo3/parse.c lib/nvo3/doc.c lib/nvo3/value.c lib/nvo3/check.c lib/nvo3/elements.c */
/* reads: lib/nvo3/elements_channel.c lib/nvo3/elements_node.c lib/nvo3/elements_vn.c */
/* fuzz: -max_len=6000 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "nvo3/authz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct nvo3_schema *schema;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char why[256];

	(void)argc;
	(void)argv;
	if (nvo3_schema_load(&schema, NULL, why) == 0)
		return 0;
	fprintf(stderr, "%s\n", why);
	return 1;
}

struct walk {
	const struct nvo3_table *t;
	const struct nvo3_node *self;
};

static int
peer_is_admitted(void *arg, const struct nvo3_node *node, const struct policy *p)
{
	const struct walk *w = arg;
	struct nvo3_question q = {
		.identities = (const char (*)[300])node->identities,
		.n_identities = node->n_identities,
		.peer = p->peer,
		.self = w->self->id,
		.label = "",
		.now = w->t->expires - 1,
		.cert_not_after = INT64_MAX,
	};
	struct grant g;
	int line;

	if (nvo3_decide(w->t, &q, &g, &line) != NVO3_ADMITTED || g.n_channels == 0 ||
	    line != node->line)
		abort();
	grant_free(&g);
	return 0;
}

static void
ask_all(const struct nvo3_table *t)
{
	struct walk w = { .t = t };
	size_t i;

	for (i = 0; i < t->n_nodes && i < 8; i++) {
		w.self = &t->nodes[i];
		if (nvo3_node_by_id(t, w.self->id) != w.self ||
		    nvo3_peers(t, w.self->id, peer_is_admitted, &w) != 0)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nvo3_limits limits;
	struct nvo3_table *t;
	char why[256];
	int r;

	nvo3_limits_default(&limits);
	limits.max_nodes = 64;
	r = nvo3_parse(bytes_of(data, len), schema, &limits, &t, why);
	if ((r == 0) != (t != NULL) || (r == 0) != (why[0] == '\0'))
		abort();
	if (t != NULL)
		ask_all(t);
	nvo3_table_free(t);
	return 0;
}
