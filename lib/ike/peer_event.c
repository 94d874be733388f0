/* SPDX-License-Identifier: ISC */
/* What the daemon says about peers: documents, grants, commands, the backend. */
#include <stdlib.h>

#include "ike/child.h"
#include "ike/peer.h"

static bool
channel_kept(const struct peer *p, const struct channel *ch)
{
	uint8_t i;

	for (i = 0; i < p->n_channels; i++) {
		const struct channel *c = &p->channels[i];

		if (strcmp(c->id, ch->id) == 0 && c->proto == ch->proto && c->port == ch->port &&
		    c->mode == ch->mode && c->esp.encr == ch->esp.encr &&
		    c->esp.key_bits == ch->esp.key_bits && c->esp.integ == ch->esp.integ &&
		    c->ke == ch->ke)
			return true;
	}
	return false;
}

static bool
addresses_kept(const struct peer *p, const struct ike_sa *sa)
{
	uint8_t i;

	if (!sa->nat_here && !addr_equal(&p->local, &sa->local.addr))
		return false;
	for (i = 0; i < p->n_addrs; i++)
		if (addr_equal(&p->addrs[i], &sa->peer.addr))
			return true;
	return sa->nat_there;
}

static bool
sa_kept(const struct peer *p, const struct ike_sa *sa)
{
	const struct child *c;
	uint8_t i;

	if (!addresses_kept(p, sa))
		return false;
	if (sa->neg != NULL)
		return !sa->initiator || channel_kept(p, &sa->neg->channel);
	for (c = sa->children; c != NULL; c = c->next) {
		for (i = 0; i < p->n_channels && !child_fits(c, &p->channels[i]); i++)
			;
		if (!c->doomed && i == p->n_channels)
			return false;
	}
	return true;
}

static void
close_all(struct ike *e, struct peer *p, const char *why)
{
	struct ike_sa *sa, *next;

	for (sa = p->sas; sa != NULL; sa = next) {
		next = sa->peer_next;
		ike_sa_close(e, sa, why);
	}
}

void
peer_set(struct ike *e, const struct ike_peer *from)
{
	size_t n = from->n_channels < CHANNELS_MAX ? from->n_channels : CHANNELS_MAX;
	struct channel *channels = calloc(n == 0 ? 1 : n, sizeof *channels);
	struct peer *p = peer_get(e, from->node);
	struct ike_sa *sa, *next;

	if (channels == NULL || p == NULL) {
		report(e, NULL, NULL, IKE_REPORT_LOG, LOG_ERROR_, "peer %s: %s", from->node,
		    err_str(ERR_NOMEM));
		free(channels);
		return;
	}
	memcpy(channels, from->channels, n * sizeof *channels);
	free(p->channels);
	p->channels = channels;
	p->n_channels = (uint8_t)n;
	p->local = from->local;
	p->n_addrs = from->n_addrs < ADDRS_MAX ? from->n_addrs : ADDRS_MAX;
	memcpy(p->addrs, from->addrs, sizeof p->addrs);
	p->configured = true;
	p->initiate = from->initiate;
	p->held = false;
	for (sa = p->sas; sa != NULL; sa = next) {
		next = sa->peer_next;
		if (!sa_kept(p, sa))
			ike_sa_close(e, sa, "the document has changed");
	}
	peer_soon(e, p);
}

void
peer_del(struct ike *e, const char *node)
{
	struct peer *p = peer_find(e, node);

	if (p == NULL)
		return;
	p->configured = p->initiate = p->wanted = false;
	ike_timer_clear(e, &p->timer);
	close_all(e, p, "the document does not have it any more");
	if (p->sas == NULL)
		e->orphans = true;
}

void
peer_initiate(struct ike *e, const char *node)
{
	struct peer *p = peer_find(e, node);

	if (p == NULL || !p->configured) {
		report(e, NULL, NULL, IKE_REPORT_LOG, LOG_WARN_, "no peer %s to initiate with",
		    node);
		return;
	}
	p->held = false;
	p->wanted = true;
	p->pause_ms = 0;
	peer_soon(e, p);
}

void
peer_close(struct ike *e, const char *node)
{
	struct ike_sa *sa, *next;
	struct peer *p;
	size_t pos = 0;

	if (node[0] != '\0') {
		if ((p = peer_find(e, node)) != NULL) {
			p->held = true;
			close_all(e, p, "closed by command");
		}
		return;
	}
	while ((p = hash_next(e->peers, &pos)) != NULL)
		p->held = true;
	for (sa = e->sas; sa != NULL; sa = next) {
		next = sa->next;
		ike_sa_close(e, sa, "closed by command");
	}
}

void
peer_grant_gone(struct ike *e, uint32_t grant)
{
	struct ike_sa *sa, *next;

	for (sa = e->sas; sa != NULL; sa = next) {
		next = sa->next;
		if (grant != 0 && sa->grant == grant)
			ike_sa_close(e, sa, "its authorization was withdrawn");
	}
}

static struct child *
find_child(const struct ike *e, uint32_t spi, const struct addr *dst)
{
	struct child *c = hash_get(e->by_child, bytes_of(&spi, sizeof spi));
	struct ike_sa *sa;

	if (c != NULL && c->up && addr_equal(&c->local, dst))
		return c;
	for (sa = e->sas; sa != NULL; sa = sa->next)
		for (c = sa->children; c != NULL; c = c->next)
			if (c->up && c->spi_out == spi && addr_equal(&c->peer, dst))
				return c;
	return NULL;
}

void
peer_child_expired(struct ike *e, uint32_t spi, const struct addr *dst, bool hard)
{
	struct child *c = find_child(e, spi, dst);
	struct peer *p;

	if (c == NULL || (p = c->sa->node) == NULL)
		return;
	if (hard) {
		ike_sa_close(e, c->sa, "its keys expired, or were deleted by another program");
		p->wanted |= p->configured;
		peer_soon(e, p);
	} else if (c->sa->initiator && p->configured && !p->held) {
		/* Without an exchange for it, a new IKE SA is how to get new keys: it comes up
		 * beside the old one, which peer_up() then closes. The other side does nothing: it
		 * would do it twice. */
		peer_replace(e, p);
	}
}

void
peer_backend_lost(struct ike *e)
{
	struct ike_sa *sa, *next;
	struct child *c;
	struct peer *p;

	for (sa = e->sas; sa != NULL; sa = next) {
		next = sa->next;
		if (sa->state != IKE_UP)
			continue;
		for (c = sa->children; c != NULL; c = c->next)
			child_lost(c);
		p = sa->node;
		ike_sa_close(e, sa, "the backend was lost with its keys");
		if (p != NULL && p->configured && !p->held) {
			p->wanted = true;
			peer_soon(e, p);
		}
	}
	jobs_reissue(e, IKE_JOB_SA_ADD);
}
