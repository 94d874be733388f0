/* SPDX-License-Identifier: ISC */
/*
 * Policies that can't be had yet, since another target has their selector: that one may go, or move to
 * another address, later in the batch or in another one (a document gave the address of one node to
 * another). They are refused, and tried again all the same whenever a batch ends.
 */
#include <stdlib.h>

#include "xfrm-backend/state.h"

int
again_add(struct backend *b, const struct policy *p)
{
	struct again *a = calloc(1, sizeof *a);

	if (a == NULL)
		return ERR_NOMEM;
	if (policy_copy(&a->policy, p) != OK || (a->call = call_add(b, CALL_POLICY, NULL)) == SIZE_MAX) {
		policy_free(&a->policy);
		free(a);
		return ERR_NOMEM;
	}
	*b->again_last = a;
	b->again_last = &a->next;
	return BACKEND_QUEUED;
}

static void
again_free(struct again *a)
{
	policy_free(&a->policy);
	free(a);
}

/* What follows stands at *at from now on. */
static void
again_unlink(struct backend *b, struct again **at)
{
	struct again *a = *at;

	if ((*at = a->next) == NULL)
		b->again_last = at;
	again_free(a);
}

void
again_forget(struct backend *b, const struct policy *like)
{
	struct again **at = &b->again;

	while (*at != NULL)
		if (strcmp((*at)->policy.node, like->node) == 0 &&
		    strcmp((*at)->policy.channel.id, like->channel.id) == 0)
			again_unlink(b, at);
		else
			at = &(*at)->next;
}

void
again_run(struct backend *b)
{
	struct again **at = &b->again, *a;
	int r;

	while ((a = *at) != NULL) {
		r = policy_install(b, &a->policy);
		if (a->call < b->n_calls) {
			b->calls[a->call].result = r;
			b->calls[a->call].about = spd_target(&b->spd, a->policy.node,
			    a->policy.channel.id);
		}
		a->call = SIZE_MAX;
		if (r == ERR_EXISTS)
			at = &a->next;
		else
			again_unlink(b, at);
	}
}

void
again_drop(struct backend *b)
{
	while (b->again != NULL)
		again_unlink(b, &b->again);
}
