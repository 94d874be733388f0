/* SPDX-License-Identifier: ISC */
/* What can be said only when all of the document is there. */
#include <stdlib.h>

#include "nvo3/doc.h"

static int
check_refs(struct doc *d)
{
	const struct nvo3_node *node;
	size_t i;

	for (i = 0; i < d->n_refs; i++) {
		const struct doc_ref *ref = &d->refs[i];

		if ((node = nvo3_node_by_id(d->t, ref->node)) == NULL)
			return doc_fail_at(d, ref->line, ERR_VALUE,
			    "\"%s\" is named here, and <nodes> does "
			    "not have it",
			    ref->node);
		if (node->role != ref->role)
			return doc_fail_at(d, ref->line, ERR_VALUE,
			    "\"%s\" must have the role %s, and has "
			    "the role %s",
			    ref->node, role_name(ref->role), role_name(node->role));
	}
	return 0;
}

static bool
same_roles(const struct nvo3_channel *a, const struct nvo3_channel *b)
{
	return (a->between[0] == b->between[0] && a->between[1] == b->between[1]) ||
	    (a->between[0] == b->between[1] && a->between[1] == b->between[0]);
}

/* Peers without labels can tell channels apart by selectors and mode only. */
static int
check_channels(struct doc *d)
{
	const struct nvo3_channel *a, *b;
	size_t i, k, same;

	for (i = 0; i < d->t->n_channels; i++) {
		a = &d->t->channels[i];
		for (same = 1, k = 0; k < i; k++) {
			b = &d->t->channels[k];
			if (!same_roles(a, b))
				continue;
			same++;
			if (a->ch.proto == b->ch.proto && a->ch.port == b->ch.port &&
			    a->ch.mode == b->ch.mode)
				return doc_fail_at(d, a->line, ERR_VALUE,
				    "channel \"%s\" is for the same "
				    "traffic as \"%s\" in line %d",
				    a->ch.id, b->ch.id, b->line);
		}
		if (same > CHANNELS_MAX)
			return doc_fail_at(d, a->line, ERR_SPACE,
			    "more than %d channels between %s and %s", CHANNELS_MAX,
			    role_name(a->between[0]), role_name(a->between[1]));
	}
	return 0;
}

static int
cmp_vn(const void *a, const void *b)
{
	const struct nvo3_vn *x = a, *y = b;

	return x->vni < y->vni ? -1 : x->vni > y->vni;
}

int
doc_check(struct doc *d)
{
	int r;

	if ((r = check_refs(d)) != 0 || (r = check_channels(d)) != 0)
		return r;
	if (d->t->n_vns > 0)
		qsort(d->t->vns, d->t->n_vns, sizeof *d->t->vns, cmp_vn);
	return 0;
}
