/* SPDX-License-Identifier: ISC */
/* What the engine shows of itself. */
#include <stdio.h>

#include "ike/child.h"
#include "ike/peer.h"

const struct ike_counters *
ike_counters(const struct ike *e)
{
	return &e->counters;
}

static size_t
count_children(const struct ike_sa *sa)
{
	const struct child *c;
	size_t n = 0;

	for (c = sa->children; c != NULL; c = c->next)
		n += c->up;
	return n;
}

int
ike_sa_next(const struct ike *e, size_t *cursor, struct ike_sa_info *info)
{
	const struct ike_sa *sa;

	do {
		if ((sa = hash_next(e->by_spi, cursor)) == NULL)
			return 0;
	} while (sa->state == IKE_LINGER);
	memset(info, 0, sizeof *info);
	info->ref = ike_sa_ref(sa);
	if (sa->node != NULL)
		memcpy(info->node, sa->node->node, sizeof info->node);
	if (sa->identity != NULL)
		(void)snprintf(info->identity, sizeof info->identity, "%s", sa->identity);
	info->local = sa->local;
	info->peer = sa->peer;
	info->state = ike_state_name(sa->state);
	info->up = sa->state == IKE_UP;
	info->natt = sa->natt;
	if (sa->suite.encr != 0)
		(void)ike_chosen_name(&sa->suite, info->suite);
	info->since_ms = sa->since_ms;
	info->grant = sa->grant;
	info->n_children = count_children(sa);
	return 1;
}

int
ike_child_next(const struct ike *e, size_t *cursor, struct ike_child_info *info)
{
	const struct child *c;

	do {
		if ((c = hash_next(e->by_child, cursor)) == NULL)
			return 0;
	} while (!c->up);
	memset(info, 0, sizeof *info);
	info->ref = ike_sa_ref(c->sa);
	if (c->sa->node != NULL)
		memcpy(info->node, c->sa->node->node, sizeof info->node);
	memcpy(info->channel, c->channel, sizeof info->channel);
	info->vni = c->vni;
	info->pair = c->pair;
	info->spi_in = c->spi_in;
	info->spi_out = c->spi_out;
	info->grant = c->grant;
	(void)esp_transform_name(&c->transform, info->suite);
	info->mode = c->mode;
	info->encap = c->encap;
	info->local = c->local;
	info->peer = c->peer;
	info->since_ms = c->since_ms;
	return 1;
}

int
ike_export_keys(const struct ike *e, const struct ike_ref *ref, struct ike_keys_view *view)
{
	const struct ike_sa *sa = ike_sa_find(e, ref->initiator ? ref->spi_i : ref->spi_r);

	if (sa == NULL || sa->initiator != ref->initiator || sa->keys.ei.n == 0)
		return ERR_NOTFOUND;
	view->sk_ei = secret_view(&sa->keys.ei);
	view->sk_er = secret_view(&sa->keys.er);
	view->sk_ai = secret_view(&sa->keys.ai);
	view->sk_ar = secret_view(&sa->keys.ar);
	view->encr = sa->suite.encr;
	view->key_bits = sa->suite.key_bits;
	view->integ = sa->suite.integ;
	return OK;
}
