/* SPDX-License-Identifier: ISC */
/* The Child SA of IKE_AUTH: the responder's choice, the initiator's check. RFC 7296 section 2.9. */
#include "ike/auth.h"
#include "ike/child.h"

static const struct channel *
channel_by_id(const struct channel *ch, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(ch[i].id, id) == 0)
			return &ch[i];
	return NULL;
}

/* Cut what was asked for down to the channel, on the addresses that this IKE SA speaks between. */
static int
narrow(struct ike_sa *sa, const struct channel *ch, const struct ike_msg *m)
{
	struct negotiation *n = sa->neg;
	struct selector theirs = child_selector(ch, &sa->peer.addr);
	struct selector ours = child_selector(ch, &sa->local.addr);
	struct ike_ts tsi = m->tsi, tsr = m->tsr;
	int r;

	if (ch->mode == SA_TRANSPORT)
		auth_fix_addresses(sa, &tsi, &tsr);
	if ((r = ts_narrow(&tsi, &theirs, 1, n->tsi, &n->n_tsi)) != OK)
		return r;
	return ts_narrow(&tsr, &ours, 1, n->tsr, &n->n_tsr);
}

/* 0 or the notify that says why this channel is not what was asked for. */
static uint16_t
try_channel(struct ike_sa *sa, const struct channel *ch, const struct ike_msg *m)
{
	bool transport = msg_notify(m, N_USE_TRANSPORT_MODE) != NULL;
	struct child_offer offer;

	if (narrow(sa, ch, m) != OK)
		return N_TS_UNACCEPTABLE;
	if (ch->mode == SA_TRANSPORT && !transport)
		return N_NO_PROPOSAL_CHOSEN;
	if (ch->ke != 0 && ch->ke != sa->suite.ke)
		return N_NO_PROPOSAL_CHOSEN;
	child_offer_init(&offer, ch);
	if (proposal_choose_esp(&sa->neg->child_suite, &m->sa, &offer.offer, 0) != OK)
		return N_NO_PROPOSAL_CHOSEN;
	sa->neg->channel = *ch;
	return 0;
}

/* One of ours says which channel it means. */
static uint16_t
choose_by_label(struct ike_sa *sa, const struct channel *channels, size_t n,
    const struct ike_msg *m)
{
	const struct channel *ch;
	struct ike_label label;

	if (ts_label_parse(&label, bytes_str(sa->neg->label)) != OK ||
	    (ch = channel_by_id(channels, n, label.channel)) == NULL)
		return N_TS_UNACCEPTABLE;
	sa->neg->vni = label.vni;
	return try_channel(sa, ch, m);
}

/* Others get the first channel that their selectors, mode and transforms fit. */
static uint16_t
choose_by_selectors(struct ike_sa *sa, const struct channel *channels, size_t n,
    const struct ike_msg *m)
{
	uint16_t why = N_TS_UNACCEPTABLE, r;
	size_t i;

	for (i = 0; i < n; i++) {
		if ((r = try_channel(sa, &channels[i], m)) == 0)
			return 0;
		if (r != N_TS_UNACCEPTABLE)
			why = r;
	}
	return why;
}

uint16_t
auth_choose_child(struct ike *e, struct ike_sa *sa, const struct channel *channels,
    size_t n_channels)
{
	struct ike_msg m;
	uint16_t r;

	if (negotiation_reread(sa->neg, &m) != OK)
		return N_NO_ADDITIONAL_SAS;
	r = sa->overlock ? choose_by_label(sa, channels, n_channels, &m) :
	    choose_by_selectors(sa, channels, n_channels, &m);
	if (r == 0 && child_new(e, sa, &sa->neg->child) != OK)
		r = N_NO_ADDITIONAL_SAS;
	if (r == 0)
		sa->neg->child->mode = sa->neg->channel.mode;
	return r;
}

static const char *
check_selectors(struct ike_sa *sa, const struct ike_msg *m)
{
	struct negotiation *n = sa->neg;
	struct ike_ts tsi = m->tsi, tsr = m->tsr;

	if (ts_check_label(&tsi, &tsr, n->label) != OK)
		return "the response does not carry our label";
	if (n->channel.mode == SA_TRANSPORT)
		auth_fix_addresses(sa, &tsi, &tsr);
	if (tsi.n_sel > SELECTORS_MAX || tsr.n_sel > SELECTORS_MAX ||
	    ts_check_subset(&tsi, n->tsi, n->n_tsi) != OK ||
	    ts_check_subset(&tsr, n->tsr, n->n_tsr) != OK)
		return "traffic selectors are not within what we offered";
	memcpy(n->tsi, tsi.sel, tsi.n_sel * sizeof n->tsi[0]);
	memcpy(n->tsr, tsr.sel, tsr.n_sel * sizeof n->tsr[0]);
	n->n_tsi = tsi.n_sel;
	n->n_tsr = tsr.n_sel;
	return NULL;
}

uint16_t
auth_check_child(struct ike *e, struct ike_sa *sa, const struct ike_msg *m, const char **why,
    bool *made)
{
	const struct ike_notify *error = msg_error(m);
	struct child_offer offer;

	(void)e;
	*made = false;
	if (error != NULL) {
		*why = ike_name_notify(error->type);
		return error->type;
	}
	if (!msg_has(m, PL_SA) || !msg_has(m, PL_TSi) || !msg_has(m, PL_TSr)) {
		*why = "the response has none";
		return N_NO_PROPOSAL_CHOSEN;
	}
	*made = true;
	child_offer_init(&offer, &sa->neg->channel);
	if (proposal_check_esp(&sa->neg->child_suite, &m->sa, &offer.offer) != OK) {
		*why = "the proposal chosen is none of ours";
		return N_NO_PROPOSAL_CHOSEN;
	}
	/* RFC 7296 section 1.3.1: what we need and do not get, we delete. */
	if ((sa->neg->channel.mode == SA_TRANSPORT) !=
	    (msg_notify(m, N_USE_TRANSPORT_MODE) != NULL)) {
		*why = "transport and tunnel mode do not agree";
		return N_NO_PROPOSAL_CHOSEN;
	}
	*why = check_selectors(sa, m);
	return *why == NULL ? 0 : N_TS_UNACCEPTABLE;
}
