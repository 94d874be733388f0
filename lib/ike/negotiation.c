/* SPDX-License-Identifier: ISC */
#include "ike/negotiation.h"

#include <stdlib.h>

struct negotiation *
negotiation_new(void)
{
	return calloc(1, sizeof(struct negotiation));
}

void
negotiation_free(struct negotiation *n)
{
	if (n == NULL)
		return;
	ke_free(n->ke);
	blob_free(&n->cookie);
	blob_free(&n->init_ours);
	blob_free(&n->init_theirs);
	blob_free(&n->nonce_theirs);
	blob_free(&n->auth_plain);
	blob_free(&n->auth);
	wipe(n, sizeof *n);
	free(n);
}

int
negotiation_keep(struct negotiation *n, uint8_t first, const struct ike_msg *m)
{
	n->auth_hdr = m->hdr;
	n->auth_first = first;
	return blob_copy(&n->auth_plain, m->raw);
}

int
negotiation_reread(const struct negotiation *n, struct ike_msg *m)
{
	return msg_read_inner(m, &n->auth_hdr, n->auth_first, blob_view(&n->auth_plain));
}
