/* SPDX-License-Identifier: ISC */
/* Carries out what the engine wants done. */
#include <stdio.h>
#include <stdlib.h>

#include "ikev2d/engine_int.h"

static void
send_job(struct engine *e, enum proc_id to, uint16_t type, struct wr *w)
{
	int r = chan_send_wr(child_chan(e->child, to), type, w);

	/*
	 * Who is away gets it again when it is back; the engine gives up on the job after its
	 * time.
	 */
	if (r != OK && r != ERR_GONE)
		log_warn("a request 0x%x was not sent: %s", (unsigned)type, err_str(r));
}

static void
act_send(struct engine *e, const struct ike_action *a)
{
	struct udp_datagram d = {
		.local = a->u.send.local, .peer = a->u.send.peer,
		.data = a->u.send.data, .natt = a->u.send.natt,
	};

	udp_send(e->udp, &d);
}

static void
act_sign(struct engine *e, const struct ike_action *a)
{
	struct msg_sign m = {
		.job = a->job, .ref = a->ref, .in = a->u.sign.in,
		.peer_hashes = a->u.sign.peer_hashes,
	};
	struct wr w = wr_grow(SEQ_MAX);

	wr_sign(&w, &m);
	send_job(e, PROC_KEYS, MSG_SIGN, &w);
}

static void
act_verify(struct engine *e, const struct ike_action *a)
{
	struct msg_verify m = {
		.job = a->job, .ref = a->ref, .in = a->u.verify.in, .method = a->u.verify.method,
		.auth = a->u.verify.auth, .peer = a->u.verify.peer,
	};
	struct wr w = wr_grow(SEQ_MAX);

	for (; m.n_certs < a->u.verify.n_certs && m.n_certs < MSG_CERTS_MAX; m.n_certs++)
		m.certs[m.n_certs] = a->u.verify.certs[m.n_certs];
	wr_verify(&w, &m);
	send_job(e, PROC_TRUST, MSG_VERIFY, &w);
}

static void
act_authorize(struct engine *e, const struct ike_action *a)
{
	struct msg_authorize m = {
		.job = a->job, .ref = a->ref, .local = a->u.authorize.local,
		.peer = a->u.authorize.peer, .overlock = a->u.authorize.overlock,
	};
	struct wr w = wr_grow(SEQ_MAX);

	memcpy(m.label, a->u.authorize.label, sizeof m.label);
	wr_authorize(&w, &m);
	send_job(e, PROC_AUTHZ, MSG_AUTHORIZE, &w);
}

/* ------------------------------------------------------------------ the backend */

static int
commit(struct engine *e, uint32_t generation)
{
	uint8_t buf[16];
	struct wr w = wr_fixed(buf, sizeof buf);
	uint16_t type = bk_send_commit(&w, generation);

	return chan_send_wr(child_chan(e->child, PROC_BACKEND), type, &w);
}

static int
send_sa(struct engine *e, const struct sa_params *sa)
{
	uint8_t buf[4096];
	struct wr w = wr_fixed(buf, sizeof buf);
	uint16_t type = bk_send_sa_add(&w, sa);
	int r = chan_send_wr(child_chan(e->child, PROC_BACKEND), type, &w);

	wipe(buf, sizeof buf);
	return r;
}

static void
act_sa_add(struct engine *e, const struct ike_action *a)
{
	struct batch *b = calloc(1, sizeof *b), **at;

	engine_keylog_esp(e, a->u.sa_add.in);
	engine_keylog_esp(e, a->u.sa_add.out);
	if (b == NULL)
		return;
	if (++e->next_generation == 0)
		e->next_generation = 1;
	b->generation = e->next_generation;
	b->job = a->job;
	if (send_sa(e, a->u.sa_add.in) != OK || send_sa(e, a->u.sa_add.out) != OK ||
	    commit(e, b->generation) != OK) {
		free(b);         /* the backend is away: told by IKE_EV_BACKEND_LOST, or by the deadline */
		return;
	}
	for (at = &e->batches; *at != NULL; at = &(*at)->next)
		;
	*at = b;
}

void
engine_batch_done(struct engine *e, const struct bk_event *done)
{
	struct ike_event ev = { .type = IKE_EV_SA_ADDED };
	struct batch **at, *b;
	size_t i;

	for (at = &e->batches; (b = *at) != NULL; at = &b->next) {
		if (b->generation != done->u.done.generation)
			continue;
		ev.job = b->job;
		*at = b->next;
		free(b);
		for (i = 0; i < done->u.done.n && ev.rc == OK; i++)
			ev.rc = bk_done_result(done, i);
		ev.reason = ev.rc == OK ? NULL : err_str(ev.rc);
		engine_input(e, &ev);
		return;
	}
}

void
engine_batches_forget(struct engine *e)
{
	struct batch *b;

	while ((b = e->batches) != NULL) {
		e->batches = b->next;
		free(b);
	}
}

static void
send_del(struct engine *e, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	uint8_t buf[64];
	struct wr w = wr_fixed(buf, sizeof buf);
	uint16_t type = bk_send_sa_del(&w, dir, spi, dst);

	(void)chan_send_wr(child_chan(e->child, PROC_BACKEND), type, &w);
}

static void
act_sa_del(struct engine *e, const struct ike_action *a)
{
	if (a->u.sa_del.spi_out != 0)
		send_del(e, SA_OUT, a->u.sa_del.spi_out, &a->u.sa_del.peer);
	if (a->u.sa_del.spi_in != 0)
		send_del(e, SA_IN, a->u.sa_del.spi_in, &a->u.sa_del.local);
	(void)commit(e, 0);
}

/* ------------------------------------------------------------------ reports */

static void
write_line(enum log_level level, const char *line)
{
	switch (level) {
	case LOG_ERROR_:
		log_error("%s", line);
		break;
	case LOG_WARN_:
		log_warn("%s", line);
		break;
	case LOG_INFO_:
		log_info("%s", line);
		break;
	default:
		log_debug("%s", line);
		break;
	}
}

static void
act_report(struct engine *e, const struct ike_action *a)
{
	char line[512], addr[ADDR_STRLEN];
	enum ike_report_type type = a->u.report.type;
	const char *node = a->u.report.node;

	(void)addr_str(&a->u.report.peer, addr);
	if (node != NULL && *node != '\0')
		(void)snprintf(line, sizeof line, "peer %s (%s): %s", node, addr, a->u.report.text);
	else if (a->u.report.peer.family != AF_NONE_)
		(void)snprintf(line, sizeof line, "peer %s: %s", addr, a->u.report.text);
	else
		(void)snprintf(line, sizeof line, "%s", a->u.report.text);
	if (a->u.report.peer_caused && a->u.report.level < LOG_DEBUG_)
		log_peer(&e->buckets[addr_hash(&a->u.report.peer, 0) % LOG_BUCKETS], engine_now(e),
		    "%s", line);
	else
		write_line((enum log_level)a->u.report.level, line);
	if (type == IKE_REPORT_IKE_FAILED)
		engine_peer_failed(e, node, &a->u.report.peer, a->u.report.text);
	if (type == IKE_REPORT_IKE_UP)
		engine_keylog_ike(e, &a->ref);
}

void
engine_drain(struct engine *e)
{
	struct ike_action a;

	while (ike_next_action(e->ike, &a) != 0)
		switch (a.type) {
		case IKE_ACT_SEND:
			act_send(e, &a);
			break;
		case IKE_ACT_SIGN:
			act_sign(e, &a);
			break;
		case IKE_ACT_VERIFY:
			act_verify(e, &a);
			break;
		case IKE_ACT_AUTHORIZE:
			act_authorize(e, &a);
			break;
		case IKE_ACT_SA_ADD:
			act_sa_add(e, &a);
			break;
		case IKE_ACT_SA_DEL:
			act_sa_del(e, &a);
			break;
		case IKE_ACT_REPORT:
			act_report(e, &a);
			break;
		}
}
