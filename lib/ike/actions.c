/* SPDX-License-Identifier: ISC */
#include "ike/actions.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ike/child.h"
#include "ike/peer.h"

struct queued {
	struct queued *next;
	struct ike_action act;
	struct blob data;        /* of a SEND */
	struct child_sas *sas;   /* of an SA_ADD */
};

void
actions_init(struct actions *q)
{
	q->head = q->current = NULL;
	q->tail = &q->head;
}

static void
queued_free(struct queued *n)
{
	if (n == NULL)
		return;
	blob_free(&n->data);
	child_sas_free(n->sas);
	free(n);
}

void
actions_free(struct actions *q)
{
	struct queued *n;

	queued_free(q->current);
	while ((n = q->head) != NULL) {
		q->head = n->next;
		queued_free(n);
	}
	actions_init(q);
}

static struct queued *
enqueue(struct ike *e, const struct ike_sa *sa, enum ike_action_type type)
{
	struct queued *n = calloc(1, sizeof *n);

	if (n == NULL)
		return NULL;
	n->act.type = type;
	if (sa != NULL)
		n->act.ref = ike_sa_ref(sa);
	*e->queue.tail = n;
	e->queue.tail = &n->next;
	return n;
}

void
act_send(struct ike *e, const struct ike_sa *sa, const struct endpoint *local,
    const struct endpoint *peer, bool natt, struct bytes data)
{
	struct blob copy = { 0 };
	struct queued *n;

	if (data.n == 0 || blob_copy(&copy, data) != OK)
		return;
	if ((n = enqueue(e, sa, IKE_ACT_SEND)) == NULL) {
		blob_free(&copy);
		return;
	}
	blob_move(&n->data, &copy);
	n->act.u.send.local = *local;
	n->act.u.send.peer = *peer;
	n->act.u.send.natt = natt;
	n->act.u.send.data = blob_view(&n->data);
	e->counters.datagrams_out++;
	e->counters.bytes_out += data.n;
}

int
act_job(struct ike *e, uint32_t job)
{
	struct queued *n = enqueue(e, NULL, IKE_ACT_SIGN);

	if (n == NULL)
		return ERR_NOMEM;
	n->act.job = job;
	return OK;
}

void
act_sa_del(struct ike *e, const struct ike_sa *sa, const struct child *c)
{
	struct queued *n = enqueue(e, sa, IKE_ACT_SA_DEL);

	if (n == NULL)
		return;
	n->act.u.sa_del.pair = c->pair;
	n->act.u.sa_del.grant = c->grant;
	n->act.u.sa_del.spi_in = c->spi_in;
	n->act.u.sa_del.spi_out = c->spi_out;
	n->act.u.sa_del.local = c->local;
	n->act.u.sa_del.peer = c->peer;
}

static void
report_va(struct ike *e, const struct ike_sa *sa, const struct addr *peer,
    enum ike_report_type type, int level, bool peer_caused, const char *fmt, va_list ap)
{
	struct queued *n = enqueue(e, sa, IKE_ACT_REPORT);
	char who[ADDR_STRLEN];
	char *text;
	size_t cap, at = 0;

	if (n == NULL)
		return;
	n->act.u.report.type = type;
	n->act.u.report.level = level;
	n->act.u.report.peer_caused = peer_caused;
	n->act.u.report.node = "";
	if (peer == NULL && sa != NULL)
		peer = &sa->peer.addr;
	if (peer != NULL)
		n->act.u.report.peer = *peer;
	/* The node's name has to outlive the peer: kept with the action. */
	if (sa != NULL && sa->node != NULL &&
	    blob_copy(&n->data, bytes_of(sa->node->node, ID_MAX)) == OK)
		n->act.u.report.node = (const char *)n->data.p;

	text = n->act.u.report.text;
	cap = sizeof n->act.u.report.text;
	if (sa != NULL)
		at = (size_t)snprintf(text, cap,
		    "ike %016" PRIx64 ":%016" PRIx64 " with %s: ", sa->spi_i, sa->spi_r,
		    addr_str(peer, who));
	else if (peer != NULL)
		at = (size_t)snprintf(text, cap, "ike with %s: ", addr_str(peer, who));
	(void)vsnprintf(text + at, cap - at, fmt, ap);
}

void
report(struct ike *e, const struct ike_sa *sa, const struct addr *peer, enum ike_report_type type,
    int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(e, sa, peer, type, level, false, fmt, ap);
	va_end(ap);
}

void
report_peer(struct ike *e, const struct ike_sa *sa, const struct addr *peer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(e, sa, peer, IKE_REPORT_LOG, LOG_INFO_, true, fmt, ap);
	va_end(ap);
}

int
ike_next_action(struct ike *e, struct ike_action *act)
{
	struct actions *q = &e->queue;
	struct queued *n;

	queued_free(q->current);
	q->current = NULL;
	while ((n = q->head) != NULL) {
		if ((q->head = n->next) == NULL)
			q->tail = &q->head;
		if (n->act.job == 0 || job_action(e, n->act.job, &n->act, &n->sas)) {
			q->current = n;
			*act = n->act;
			return 1;
		}
		queued_free(n);
	}
	return 0;
}
