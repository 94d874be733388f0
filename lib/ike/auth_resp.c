/* SPDX-License-Identifier: ISC */
/* IKE_AUTH, the responder's side: request, VERIFY, AUTHORIZE, SIGN, SA_ADD, response. */
#include <stdlib.h>

#include "ike/auth.h"
#include "ike/child.h"
#include "ike/peer.h"
#include "ike/send.h"

static void
next_job(struct ike *e, struct ike_sa *sa, enum ike_state state, enum ike_job_kind kind)
{
	if (ike_sa_become(e, sa, state) && job_start(e, sa, kind) != OK)
		ike_sa_fail(e, sa, false, err_str(ERR_NOMEM));
}

/* The only payload of the response; the SA stays long enough to say it again. Section 2.21.2. */
static void
refuse(struct ike *e, struct ike_sa *sa, const char *why)
{
	(void)respond_notify(e, sa, N_AUTHENTICATION_FAILED, bytes_of(NULL, 0));
	ike_sa_fail(e, sa, true, why);
}

void
auth_request(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	int r;

	ike_timer_clear(e, &sa->watch);
	if (!msg_has(a->msg, PL_AUTH)) {
		e->counters.auth_failed++;
		refuse(e, sa, "no AUTH: EAP is not spoken here");
		return;
	}
	if ((r = negotiation_keep(sa->neg, a->outer->sk.first, a->msg)) != OK) {
		ike_sa_fail(e, sa, false, err_str(r));
		return;
	}
	next_job(e, sa, IKE_AWAIT_VERIFY, IKE_JOB_VERIFY);
}

void
auth_r_verified(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	struct ike_msg m;

	if (ev->rc != OK || ev->u.verified.identity == NULL ||
	    (sa->identity = strdup(ev->u.verified.identity)) == NULL) {
		e->counters.auth_failed++;
		refuse(e, sa, job_why(ev, "no identity"));
		return;
	}
	/* Labels that are none of ours leave the text empty: no channel, TS_UNACCEPTABLE later. */
	if (sa->overlock && negotiation_reread(sa->neg, &m) == OK &&
	    ts_choose_label(&m.tsi, &m.tsr, sa->neg->label) != OK)
		sa->neg->label[0] = '\0';
	next_job(e, sa, IKE_AWAIT_AUTHORIZE, IKE_JOB_AUTHORIZE);
}

void
auth_r_authorized(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	struct peer *p;

	if (ev->rc != OK || ev->u.authorized.node == NULL ||
	    (p = peer_get(e, ev->u.authorized.node)) == NULL) {
		e->counters.not_authorized++;
		refuse(e, sa, job_why(ev, "no node"));
		return;
	}
	peer_link(p, sa);
	sa->grant = ev->u.authorized.grant;
	sa->neg->child_error = auth_choose_child(e, sa, ev->u.authorized.channels,
	    ev->u.authorized.n_channels);
	next_job(e, sa, IKE_AWAIT_SIGNATURE, IKE_JOB_SIGN);
}

static void
drop_child(struct ike *e, struct ike_sa *sa, uint16_t error)
{
	struct child *c = sa->neg->child;

	if (c->in_backend)
		act_sa_del(e, sa, c);
	sa->neg->child = NULL;
	sa->neg->child_error = error;
	child_free(e, c);
}

static int
send_response(struct ike *e, struct ike_sa *sa)
{
	struct negotiation *n = sa->neg;
	struct ike_out o;

	response_begin(&o, sa);
	auth_write_identity(e, sa, &o);
	auth_payload_write(&o, n->auth_method, blob_view(&n->auth));
	if (n->child == NULL) {
		notify_payload_write(&o, n->child_error, bytes_of(NULL, 0));
		return response_end(e, sa, &o);
	}
	if (n->child->mode == SA_TRANSPORT)
		notify_payload_write(&o, N_USE_TRANSPORT_MODE, bytes_of(NULL, 0));
	proposal_write_chosen_esp(&o, &n->child_suite, n->child->spi_in);
	ts_write(&o, PL_TSi, n->tsi, n->n_tsi, n->label);
	ts_write(&o, PL_TSr, n->tsr, n->n_tsr, n->label);
	return response_end(e, sa, &o);
}

static void
finish(struct ike *e, struct ike_sa *sa)
{
	struct ike_msg m;
	int r;

	if (sa->neg->child == NULL)
		report(e, sa, NULL, IKE_REPORT_LOG, LOG_WARN_, "no Child SA: %s",
		    ike_name_notify(sa->neg->child_error));
	if ((r = send_response(e, sa)) != OK) {
		ike_sa_fail(e, sa, false, err_str(r));
		return;
	}
	if (negotiation_reread(sa->neg, &m) == OK && msg_notify(&m, N_INITIAL_CONTACT) != NULL)
		peer_initial_contact(e, sa);
	auth_done(e, sa);
}

void
auth_r_signed(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	int r;

	if ((r = auth_keep_signature(sa, ev)) != OK) {
		refuse(e, sa, job_why(ev, err_str(r)));
		return;
	}
	if (sa->neg->child != NULL && (r = child_prepare(sa, sa->neg->child)) != OK)
		drop_child(e, sa, r == ERR_VALUE ? N_TS_UNACCEPTABLE : N_NO_ADDITIONAL_SAS);
	if (sa->neg->child != NULL)
		next_job(e, sa, IKE_AWAIT_INSTALL, IKE_JOB_SA_ADD);
	else
		finish(e, sa);
}

void
auth_r_installed(struct ike *e, struct ike_sa *sa, const struct ike_event *ev)
{
	if (ev->rc != OK) {
		report(e, sa, NULL, IKE_REPORT_LOG, LOG_WARN_, "Child SA not installed: %s",
		    job_why(ev, ""));
		drop_child(e, sa, N_NO_ADDITIONAL_SAS);
	}
	finish(e, sa);
}
