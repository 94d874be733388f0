/* SPDX-License-Identifier: ISC */
/* IKE_AUTH, the initiator's side: SIGN, request, response, VERIFY, AUTHORIZE, SA_ADD. */
#include <stdlib.h>

#include "ike/auth.h"
#include "ike/child.h"
#include "ike/info.h"
#include "ike/peer.h"
#include "ike/send.h"

static void
next_job(struct ike *e, struct ike_sa *sa, enum ike_state state, enum ike_job_kind kind)
{
	if (ike_sa_become(e, sa, state) && job_start(e, sa, kind) != OK)
		ike_sa_fail(e, sa, false, err_str(ERR_NOMEM));
}

void
auth_begin(struct ike *e, struct ike_sa *sa)
{
	next_job(e, sa, IKE_AWAIT_SIGNATURE, IKE_JOB_SIGN);
}

static int
prepare_offer(struct ike *e, struct ike_sa *sa)
{
	struct negotiation *n = sa->neg;
	struct ike_label label = { .vni = 0 };
	int r;

	if (sa->overlock) {
		memcpy(label.channel, n->channel.id, sizeof label.channel);
		if ((r = ts_label_format(&label, n->label)) != OK)
			return r;
	}
	n->tsi[0] = child_selector(&n->channel, &sa->local.addr);
	n->tsr[0] = child_selector(&n->channel, &sa->peer.addr);
	n->n_tsi = n->n_tsr = 1;
	if ((r = child_new(e, sa, &n->child)) != OK)
		return r;
	n->child->mode = n->channel.mode;
	return OK;
}

static int
send_request(struct ike *e, struct ike_sa *sa)
{
	struct negotiation *n = sa->neg;
	struct child_offer offer;
	struct ike_out o;

	child_offer_init(&offer, &n->channel);
	request_begin(&o, sa, EX_IKE_AUTH);
	auth_write_identity(e, sa, &o);
	if (peer_is_first(sa))
		notify_payload_write(&o, N_INITIAL_CONTACT, bytes_of(NULL, 0));
	certreq_payload_write(&o, e->cfg.certreq);
	auth_payload_write(&o, n->auth_method, blob_view(&n->auth));
	if (n->channel.mode == SA_TRANSPORT)
		notify_payload_write(&o, N_USE_TRANSPORT_MODE, bytes_of(NULL, 0));
	proposal_write_esp(&o, &offer.offer, n->child->spi_in);
	ts_write(&o, PL_TSi, n->tsi, n->n_tsi, n->label);
	ts_write(&o, PL_TSr, n->tsr, n->n_tsr, n->label);
	return request_end(e, sa, &o);
}

void
auth_i_signed(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	int r;

	if ((r = auth_keep_signature(sa, ev)) != OK) {
		ike_sa_fail(e, sa, false, job_why(ev, err_str(r)));
		return;
	}
	if ((r = prepare_offer(e, sa)) != OK) {
		ike_sa_fail(e, sa, false, err_str(r));
		return;
	}
	if (ike_sa_become(e, sa, IKE_AUTH_SENT) && (r = send_request(e, sa)) != OK)
		ike_sa_fail(e, sa, false, err_str(r));
}

void
auth_response(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	const struct ike_notify *error = msg_error(a->msg);
	int r;

	if (!msg_has(a->msg, PL_AUTH) || !msg_has(a->msg, PL_IDr)) {
		ike_sa_fail(e, sa, false, error != NULL ? ike_name_notify(error->type) :
		    "the IKE_AUTH response has no AUTH");
		return;
	}
	if ((r = negotiation_keep(sa->neg, a->outer->sk.first, a->msg)) != OK) {
		ike_sa_fail(e, sa, false, err_str(r));
		return;
	}
	next_job(e, sa, IKE_AWAIT_VERIFY, IKE_JOB_VERIFY);
}

/* The responder has an SA already, with somebody that it believes us to trust: tell it
 * (section 2.21.2). */
static void
refuse(struct ike *e, struct ike_sa *sa, const char *why)
{
	struct peer *p = sa->node;

	e->counters.ike_failed++;
	report(e, sa, NULL, IKE_REPORT_IKE_FAILED, LOG_WARN_, "refused by us: %s", why);
	child_free(e, sa->neg->child);
	sa->neg->child = NULL;
	sa->refused = true;
	sa->wants = WANT_AUTH_FAILED;
	peer_unlink(e, sa);
	peer_retry(e, p, true);
	if (!ike_sa_become(e, sa, IKE_CLOSING))
		return;
	ike_sa_settle(sa);
	info_pump(e, sa);
}

void
auth_i_verified(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	if (ev->rc != OK || ev->u.verified.identity == NULL ||
	    (sa->identity = strdup(ev->u.verified.identity)) == NULL) {
		e->counters.auth_failed++;
		refuse(e, sa, job_why(ev, "no identity"));
		return;
	}
	next_job(e, sa, IKE_AWAIT_AUTHORIZE, IKE_JOB_AUTHORIZE);
}

static bool
granted(const struct ike_sa *sa, const struct ike_event *ev)
{
	size_t i;

	for (i = 0; i < ev->u.authorized.n_channels; i++)
		if (strcmp(ev->u.authorized.channels[i].id, sa->neg->channel.id) == 0)
			return true;
	return false;
}

/* No Child SA: the IKE SA comes up all the same. One that the responder made is deleted. */
static void
without_child(struct ike *e, struct ike_sa *sa, bool made, const char *why)
{
	struct child *c = sa->neg->child;

	report(e, sa, NULL, IKE_REPORT_LOG, LOG_WARN_, "no Child SA for channel %s: %s",
	    sa->neg->channel.id, why);
	sa->neg->child = NULL;
	if (made) {
		c->next = sa->children;
		sa->children = c;
		child_doom(e, c, why);
	} else {
		child_free(e, c);
	}
	auth_done(e, sa);
}

void
auth_i_authorized(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	const char *why = NULL;
	struct ike_msg m;
	bool made;
	int r;

	if (ev->rc != OK || ev->u.authorized.node == NULL ||
	    strcmp(ev->u.authorized.node, sa->node->node) != 0) {
		e->counters.not_authorized++;
		refuse(e, sa, job_why(ev, "it is another node than we wanted"));
		return;
	}
	sa->grant = ev->u.authorized.grant;
	(void)negotiation_reread(sa->neg, &m);
	if (auth_check_child(e, sa, &m, &why, &made) != 0) {
		without_child(e, sa, made, why);
		return;
	}
	if (!granted(sa, ev)) {
		without_child(e, sa, true, "the channel is not granted");
		return;
	}
	if ((r = child_prepare(sa, sa->neg->child)) != OK) {
		without_child(e, sa, true, err_str(r));
		return;
	}
	next_job(e, sa, IKE_AWAIT_INSTALL, IKE_JOB_SA_ADD);
}

void
auth_i_installed(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	if (ev->rc != OK)
		without_child(e, sa, true, job_why(ev, "not installed"));
	else
		auth_done(e, sa);
}
