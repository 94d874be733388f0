/* SPDX-License-Identifier: ISC */
#include "ike/jobs.h"

#include "ike/auth.h"
#include "ike/child.h"
#include "ike/ike_sa.h"

static struct bytes
key(const uint32_t *number)
{
	return bytes_of(number, sizeof *number);
}

int
job_start(struct ike *e, struct ike_sa *sa, enum ike_job_kind kind)
{
	struct ike_job *j = &sa->job;
	int r;

	do {
		j->number = ++e->next_job;
	} while (j->number == 0 || hash_get(e->by_job, key(&j->number)) != NULL);
	if ((r = hash_add(e->by_job, key(&j->number), sa)) != OK) {
		j->number = 0;
		return r;
	}
	j->kind = (uint8_t)kind;
	j->issued = false;
	if ((r = ike_timer_set(e, &j->deadline, e->now + e->cfg.job_ms)) != OK ||
	    (r = act_job(e, j->number)) != OK)
		job_cancel(e, sa);
	return r;
}

void
job_cancel(struct ike *e, struct ike_sa *sa)
{
	struct ike_job *j = &sa->job;

	if (j->number == 0)
		return;
	(void)hash_del(e->by_job, key(&j->number));
	ike_timer_clear(e, &j->deadline);
	j->number = 0;
}

struct ike_sa *
job_done(struct ike *e, uint32_t number, enum ike_job_kind kind)
{
	struct ike_sa *sa = hash_get(e->by_job, key(&number));

	/* An answer to what was never handed out is none. */
	if (sa == NULL || sa->job.kind != kind || !sa->job.issued)
		return NULL;
	job_cancel(e, sa);
	return sa;
}

static void
fill_sign(struct ike *e, const struct ike_sa *sa, struct ike_action *a)
{
	struct ike_auth_input *in = &a->u.sign.in;

	in->message = blob_view(&sa->neg->init_ours);
	in->nonce = blob_view(&sa->neg->nonce_theirs);
	in->id_type = e->cfg.id_type;
	in->id_data = e->cfg.id_data;
	in->sk_p = secret_view(sa->initiator ? &sa->keys.pi : &sa->keys.pr);
	in->prf = sa->suite.prf;
	a->u.sign.peer_hashes = sa->neg->peer_hashes;
}

static void
fill_verify(struct ike *e, const struct ike_sa *sa, struct ike_action *a)
{
	struct ike_auth_input *in = &a->u.verify.in;
	const struct ike_id *id;
	struct ike_msg m;
	size_t i, n = 0;

	(void)negotiation_reread(sa->neg, &m);
	id = sa->initiator ? &m.idr : &m.idi;
	in->message = blob_view(&sa->neg->init_theirs);
	in->nonce = bytes_of(sa->neg->nonce_ours, NONCE_LEN);
	in->id_type = id->type;
	in->id_data = id->data;
	in->sk_p = secret_view(sa->initiator ? &sa->keys.pr : &sa->keys.pi);
	in->prf = sa->suite.prf;
	for (i = 0; i < m.n_certs && n < sizeof e->job_certs / sizeof e->job_certs[0]; i++)
		if (m.certs[i].encoding == CE_X509_SIGNATURE)
			e->job_certs[n++] = m.certs[i].data;
	a->u.verify.certs = e->job_certs;
	a->u.verify.n_certs = n;
	a->u.verify.method = m.auth.method;
	a->u.verify.auth = m.auth.data;
	a->u.verify.peer = sa->peer.addr;
}

static void
fill_authorize(const struct ike_sa *sa, struct ike_action *a)
{
	a->u.authorize.local = sa->local.addr;
	a->u.authorize.peer = sa->peer.addr;
	memcpy(a->u.authorize.label, sa->neg->label, sizeof a->u.authorize.label);
	a->u.authorize.overlock = sa->overlock;
}

/* The keys leave the engine here; it can never install them a second time. */
static void
fill_sa_add(const struct ike_sa *sa, struct ike_action *a, struct child_sas **own)
{
	struct child *c = sa->neg->child;

	*own = c->pending;
	c->pending = NULL;
	c->in_backend = true;
	a->u.sa_add.in = &(*own)->in;
	a->u.sa_add.out = &(*own)->out;
}

bool
job_action(struct ike *e, uint32_t number, struct ike_action *a, struct child_sas **own)
{
	struct ike_sa *sa = hash_get(e->by_job, key(&number));

	if (sa == NULL || sa->job.issued)
		return false;
	sa->job.issued = true;
	a->ref = ike_sa_ref(sa);
	switch (sa->job.kind) {
	case IKE_JOB_SIGN:
		a->type = IKE_ACT_SIGN;
		fill_sign(e, sa, a);
		break;
	case IKE_JOB_VERIFY:
		a->type = IKE_ACT_VERIFY;
		fill_verify(e, sa, a);
		break;
	case IKE_JOB_AUTHORIZE:
		a->type = IKE_ACT_AUTHORIZE;
		fill_authorize(sa, a);
		break;
	case IKE_JOB_SA_ADD:
		a->type = IKE_ACT_SA_ADD;
		fill_sa_add(sa, a, own);
		break;
	}
	return true;
}

/* What an answer with an error would have done. */
static void
fail_install(struct ike *e, struct ike_sa *sa, int rc, const char *why)
{
	struct ike_event lost = {
		.type = IKE_EV_SA_ADDED, .job = sa->job.number, .rc = rc, .reason = why,
	};

	job_cancel(e, sa);
	if (sa->initiator)
		auth_i_installed(e, sa, &lost);
	else
		auth_r_installed(e, sa, &lost);
}

void
jobs_reissue(struct ike *e, enum ike_job_kind kind)
{
	struct ike_sa *sa, *next;

	for (sa = e->sas; sa != NULL; sa = next) {
		next = sa->next;
		if (sa->job.number == 0 || sa->job.kind != kind || !sa->job.issued)
			continue;
		if (kind == IKE_JOB_SA_ADD) {
			fail_install(e, sa, ERR_GONE, "the backend was restarted");
			continue;
		}
		sa->job.issued = false;
		if (act_job(e, sa->job.number) != OK)
			sa->job.issued = true;   /* its deadline ends it */
	}
}

void
job_timed_out(struct ike *e, struct ike_sa *sa)
{
	if (sa->job.number == 0)
		return;
	if (sa->job.kind == IKE_JOB_SA_ADD) {
		fail_install(e, sa, ERR_TIMEOUT, "the backend did not answer");
		return;
	}
	job_cancel(e, sa);
	ike_sa_fail(e, sa, false, "a process of ours did not answer");
}
