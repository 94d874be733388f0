/* SPDX-License-Identifier: ISC */
/* IKE_SA_INIT, the initiator's side. */
#include "ike/auth.h"
#include "ike/init.h"
#include "ike/peer.h"
#include "ike/send.h"

/* Cookies followed between two timeouts: forged ones cost a round trip each. RFC 7296 section 2.6. */
#define COOKIES_MAX 4
/* An SA payload with what was chosen: generic header, proposal, four transforms, key length. */
#define CHOSEN_SA_LEN (4 + 8 + 12 + 3 * 8)
/* Header and encoding octet of a CERTREQ. */
#define CERTREQ_HEAD_LEN 5

/* What we offer for a channel. */
struct channel_offer {
	struct ike_suite suites[IKE_PROPOSALS_MAX];
	struct ike_offer offer;
};

/* Our suites; but the document may insist on a group. */
static void
offer_for(const struct ike *e, const struct channel *ch, struct channel_offer *co)
{
	struct ike_suite *out = co->suites;
	size_t i, k, n = 0;

	for (i = 0; i < e->cfg.n_suites; i++) {
		out[n] = e->cfg.suites[i];
		if (ch->ke == 0) {
			n++;
			continue;
		}
		for (k = 0; k < IKE_TRANSFORMS_MAX && out[n].ke[k] != ch->ke; k++)
			;
		if (k == IKE_TRANSFORMS_MAX)
			continue;
		memset(out[n].ke, 0, sizeof out[n].ke);
		out[n++].ke[0] = ch->ke;
	}
	co->offer = (struct ike_offer){ .suites = out, .n_suites = n };
}

/*
 * The responder may not answer with more octets than we send until it has seen a cookie of its own.
 * What its answer has more than our request is a CERTREQ; what ours has more is alternatives in the
 * SA payload. Make up for the rest, so that honest peers need no cookie.
 */
static void
write_padding(const struct ike *e, struct ike_out *o, size_t sa_len)
{
	static const uint8_t zeros[1024];
	size_t answer = CHOSEN_SA_LEN + CERTREQ_HEAD_LEN + e->cfg.certreq.n, n;

	if (answer <= sa_len)
		return;
	n = answer - sa_len;
	vendor_payload_write(o, bytes_of(zeros, n < sizeof zeros ? n : sizeof zeros));
}

/* Everything but the cookie and the KE payload is the same in every try: SPI and nonce stay. */
static int
build(struct ike *e, struct ike_sa *sa)
{
	struct negotiation *n = sa->neg;
	struct channel_offer co;
	size_t before, sa_len;
	struct ike_header h = {
		.spi_i = sa->spi_i, .major = 2, .exchange = EX_IKE_SA_INIT, .flags = HF_INITIATOR,
	};
	struct ike_out o;
	int r;

	offer_for(e, &n->channel, &co);
	msg_begin(&o, &h);
	if (n->cookie.n != 0)
		notify_payload_write(&o, N_COOKIE, blob_view(&n->cookie));
	before = o.wr.n;
	proposal_write_ike(&o, &co.offer, 0);
	sa_len = o.wr.n - before;
	ke_payload_write(&o, ke_group(n->ke), ke_public(n->ke));
	nonce_payload_write(&o, bytes_of(n->nonce_ours, NONCE_LEN));
	if ((r = init_write_notifies(e, &o, &h, &sa->local, &sa->peer)) != OK) {
		msg_abort(&o);
		return r;
	}
	write_padding(e, &o, sa_len);
	return msg_end(&o, &n->init_ours);
}

static int
fresh_ke(struct ike *e, struct negotiation *n, uint16_t group)
{
	ke_free(n->ke);
	n->ke = NULL;
	n->ke_tried[n->n_ke_tried++] = group;
	return e->cfg.cb.ke_new(e->cfg.cb.arg, group, &n->ke);
}

int
init_start(struct ike *e, struct peer *p, bool replaces)
{
	struct endpoint local = { p->local, e->cfg.port }, peer = { p->addrs[0], e->cfg.port };
	struct channel_offer co;
	struct ike_sa *sa;
	int r;

	if (p->n_addrs == 0 || p->n_channels == 0)
		return ERR_NOTFOUND;
	offer_for(e, &p->channels[0], &co);
	if (co.offer.n_suites == 0)
		return ERR_UNSUPPORTED;
	if ((sa = ike_sa_new(e, true, &local, &peer)) == NULL)
		return ERR_NOMEM;
	sa->replaces = replaces;
	sa->neg->channel = p->channels[0];
	sa->win.next_out = 1;
	peer_link(p, sa);
	if ((r = ike_random(e, sa->neg->nonce_ours, NONCE_LEN)) != OK ||
	    (r = fresh_ke(e, sa->neg, co.suites[0].ke[0])) != OK || (r = build(e, sa)) != OK) {
		(void)ike_sa_become(e, sa, IKE_DEAD);
		return r;
	}
	(void)ike_sa_become(e, sa, IKE_INIT_SENT);
	send_outstanding(e, sa);
	return OK;
}

/* A new try is a new request as far as time-outs go, but keeps the count of tries: answers that
 * cannot be authenticated must not keep us going for ever. */
static void
send_anew(struct ike *e, struct ike_sa *sa)
{
	int r = build(e, sa);

	sa->neg->init_error = 0;
	if (r != OK)
		ike_sa_fail(e, sa, false, err_str(r));
	else
		send_outstanding(e, sa);
}

static void
cookie_received(struct ike *e, struct ike_sa *sa, struct bytes cookie)
{
	struct negotiation *n = sa->neg;

	if (cookie.n == 0 || cookie.n > 64 || n->n_cookies >= COOKIES_MAX ||
	    bytes_equal(cookie, blob_view(&n->cookie))) {
		e->counters.rejected++;
		return;
	}
	n->n_cookies++;
	if (blob_copy(&n->cookie, cookie) == OK)
		send_anew(e, sa);
}

/* Only to a group that we offered and have not tried: a forger gains one round trip at most. */
static void
group_received(struct ike *e, struct ike_sa *sa, struct bytes data)
{
	struct negotiation *n = sa->neg;
	struct channel_offer co;
	size_t i;
	struct rd rd = rd_open(data);
	uint16_t group = rd_u16(&rd);
	int r;

	offer_for(e, &n->channel, &co);
	for (i = 0; i < n->n_ke_tried && n->ke_tried[i] != group; i++)
		;
	if (!rd_end(&rd) || i < n->n_ke_tried || n->n_ke_tried == KE_TRIED_MAX ||
	    !ike_offer_has_ke(&co.offer, group)) {
		e->counters.rejected++;
		return;
	}
	if ((r = fresh_ke(e, n, group)) != OK)
		ike_sa_fail(e, sa, false, err_str(r));
	else
		send_anew(e, sa);
}

static bool
only_notifies(struct ike *e, struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_notify *n;

	if (msg_has(m, PL_SA))
		return false;
	if ((n = msg_notify(m, N_COOKIE)) != NULL)
		cookie_received(e, sa, n->data);
	else if ((n = msg_notify(m, N_INVALID_KE_PAYLOAD)) != NULL)
		group_received(e, sa, n->data);
	else if ((n = msg_error(m)) != NULL)
		sa->neg->init_error = n->type;   /* acted upon when nothing better comes */
	else
		e->counters.rejected++;
	return true;
}

/* Touches nothing of the SA: a forged answer must not end what a true one may still continue. */
static int
judge(const struct ike *e, const struct ike_sa *sa, const struct ike_msg *m,
    struct ike_chosen *chosen, struct secret *shared)
{
	const struct negotiation *n = sa->neg;
	struct channel_offer co;
	int r;

	if (!msg_has(m, PL_KE) || !msg_has(m, PL_NONCE) || m->hdr.spi_r == 0)
		return ERR_PROTO;
	offer_for(e, &n->channel, &co);
	if ((r = proposal_check_ike(chosen, &m->sa, &co.offer)) != OK)
		return r;
	if (chosen->ke != ke_group(n->ke) || m->ke.group != chosen->ke)
		return ERR_PROTO;
	return ke_derive(n->ke, m->ke.data, shared);
}

void
init_response(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	struct ike_chosen chosen = { 0 };
	struct secret shared = { 0 };
	int r;

	if (!addr_equal(&a->peer.addr, &sa->peer.addr)) {
		e->counters.rejected++;
		return;
	}
	if (only_notifies(e, sa, a->msg))
		return;
	if ((r = judge(e, sa, a->msg, &chosen, &shared)) != OK) {
		e->counters.rejected++;
		report_peer(e, sa, NULL, "IKE_SA_INIT response not acceptable: %s", err_str(r));
		goto out;
	}
	sa->suite = chosen;
	sa->spi_r = a->msg->hdr.spi_r;
	ike_timer_clear(e, &sa->retransmit);
	sa->win.tries = 0;
	if ((r = init_learn(e, sa, a)) != OK ||
	    (r = ike_sa_derive(sa, secret_view(&shared))) != OK) {
		ike_sa_fail(e, sa, false, err_str(r));
		goto out;
	}
	ke_free(sa->neg->ke);
	sa->neg->ke = NULL;
	if ((sa->nat_here || sa->nat_there) && !sa->natt) {
		sa->natt = true;
		sa->local.port = sa->peer.port = e->cfg.natt_port;
	}
	auth_begin(e, sa);
out:
	secret_free(&shared);
}
