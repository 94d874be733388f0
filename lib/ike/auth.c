/* SPDX-License-Identifier: ISC */
#include "ike/auth.h"

#include "ike/child.h"
#include "ike/info.h"
#include "ike/peer.h"

const char *
job_why(const struct ike_event *ev, const char *what)
{
	if (ev->reason != NULL && ev->reason[0] != '\0')
		return ev->reason;
	return ev->rc == OK ? what : err_str(ev->rc);
}

void
auth_write_identity(struct ike *e, const struct ike_sa *sa, struct ike_out *o)
{
	size_t i;

	id_payload_write(o, sa->initiator ? PL_IDi : PL_IDr, e->cfg.id_type, e->cfg.id_data);
	for (i = 0; i < e->cfg.n_certs; i++)
		cert_payload_write(o, e->cfg.certs[i]);
}

int
auth_keep_signature(struct ike_sa *sa, const struct ike_event *ev)
{
	if (ev->rc != OK)
		return ev->rc;
	if (ev->u.sign.auth.n == 0)
		return ERR_VALUE;
	sa->neg->auth_method = ev->u.sign.method;
	return blob_copy(&sa->neg->auth, ev->u.sign.auth);
}

static void
put_address(struct ike_ts *ts, const struct addr *a)
{
	uint8_t i;

	for (i = 0; i < ts->n_sel; i++)
		ts->sel[i].lo = ts->sel[i].hi = *a;
}

void
auth_fix_addresses(const struct ike_sa *sa, struct ike_ts *tsi, struct ike_ts *tsr)
{
	struct ike_ts *ours = sa->initiator ? tsi : tsr, *theirs = sa->initiator ? tsr : tsi;

	if (sa->nat_there)
		put_address(theirs, &sa->peer.addr);
	if (sa->nat_here)
		put_address(ours, &sa->local.addr);
}

void
auth_done(struct ike *e, struct ike_sa *sa)
{
	char suite[IKE_SUITE_STRLEN];

	if (sa->neg->child != NULL)
		child_adopt(e, sa);
	ike_sa_settle(sa);
	sa->since_ms = e->now;
	if (!ike_sa_become(e, sa, IKE_UP))
		return;
	e->counters.ike_up++;
	report(e, sa, NULL, IKE_REPORT_IKE_UP, LOG_INFO_, "up: %s is %s, %s%s", sa->identity,
	    sa->node->node, ike_chosen_name(&sa->suite, suite),
	    sa->natt ? ", over the NAT-T port" : "");
	ike_sa_watch_liveness(e, sa);
	peer_up(e, sa);
	info_pump(e, sa);
}
