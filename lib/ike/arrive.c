/* SPDX-License-Identifier: ISC */
#include "ike/arrive.h"

#include "ike/exchange.h"
#include "ike/init.h"
#include "ike/send.h"

static void
malformed(struct ike *e, const struct arrival *a, const char *why)
{
	e->counters.malformed++;
	report_peer(e, NULL, &a->peer.addr, "malformed datagram: %s", why != NULL ? why : "header");
}

/* ---- IKE_SA_INIT: nothing is protected ---- */

static void
arrive_init_request(struct ike *e, struct arrival *a, int r)
{
	const struct ike_row *row = row_find(e, NULL, &a->outer->hdr);
	uint8_t bad = a->outer->critical;

	/* Only what could be the first message of an exchange deserves an answer. */
	if (!header_from_initiator(&a->outer->hdr) || a->outer->hdr.spi_r != 0 ||
	    a->outer->hdr.message_id != 0) {
		malformed(e, a, "no first message");
	} else if (r != OK) {
		malformed(e, a, a->outer->why);
		init_error(e, a, N_INVALID_SYNTAX, bytes_of(NULL, 0));
	} else if (bad != 0) {
		e->counters.rejected++;
		init_error(e, a, N_UNSUPPORTED_CRITICAL_PAYLOAD, bytes_of(&bad, 1));
	} else if (row == NULL || !row_fits(row, a->outer, &bad)) {
		malformed(e, a, row == NULL ? "no such exchange" : ike_name_payload(bad));
		init_error(e, a, N_INVALID_SYNTAX, bytes_of(NULL, 0));
	} else {
		row->handle(e, NULL, a);
	}
}

static void
arrive_init_response(struct ike *e, struct ike_sa *sa, struct arrival *a, int r)
{
	const struct ike_row *row = row_find(e, sa, &a->outer->hdr);
	uint8_t bad;

	if (row == NULL || a->outer->hdr.message_id != 0) {
		e->counters.out_of_window++;
		return;
	}
	if (r != OK || a->outer->critical != 0 || !row_fits(row, a->outer, &bad)) {
		malformed(e, a, r != OK ? a->outer->why : "payloads of an IKE_SA_INIT response");
		return;
	}
	row->handle(e, sa, a);
}

/* ---- everything else is within an IKE SA, inside SK ---- */

/* The whole message is bad, but authentic: RFC 7296 section 2.21.3, fatal at both ends. */
static void
bad_syntax(struct ike *e, struct ike_sa *sa, const struct arrival *a, const char *why)
{
	e->counters.malformed++;
	report_peer(e, sa, NULL, "%s: %s", ike_name_exchange(a->outer->hdr.exchange), why);
	if (!header_is_response(&a->outer->hdr))
		(void)respond_notify(e, sa, N_INVALID_SYNTAX, bytes_of(NULL, 0));
	if (ike_sa_negotiating(sa))
		ike_sa_fail(e, sa, true, why);
	else
		ike_sa_down(e, sa, true, why);
}

static void
bad_critical(struct ike *e, struct ike_sa *sa, const struct arrival *a, uint8_t payload)
{
	e->counters.rejected++;
	if (header_is_response(&a->outer->hdr)) {
		bad_syntax(e, sa, a, "critical payload in a response");
		return;
	}
	if (respond_notify(e, sa, N_UNSUPPORTED_CRITICAL_PAYLOAD, bytes_of(&payload, 1)) != OK ||
	    ike_sa_negotiating(sa))
		ike_sa_fail(e, sa, true, "unsupported critical payload");
}

/* An exchange that we do not know, or not in this state: said in words that harm nothing. */
static void
no_row(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	e->counters.rejected++;
	report_peer(e, sa, NULL, "%s not possible in %s", ike_name_exchange(a->outer->hdr.exchange),
	    ike_state_name(sa->state));
	if (!header_is_response(&a->outer->hdr))
		(void)respond_notify(e, sa, N_NO_ADDITIONAL_SAS, bytes_of(NULL, 0));
	else if (ike_sa_negotiating(sa))
		ike_sa_fail(e, sa, false, "response of another exchange");
	else
		ike_sa_down(e, sa, false, "response of another exchange");
}

/* The ICV is verified and the message is new: from here on the SA may change. */
static void
act(struct ike *e, struct ike_sa *sa, struct arrival *a, uint64_t mark, int read)
{
	const struct ike_row *row = row_find(e, sa, &a->outer->hdr);
	uint8_t bad, critical = a->outer->critical;

	ike_sa_heard(e, sa, &a->local, &a->peer, a->natt);
	if (header_is_response(&a->outer->hdr)) {
		window_accept_response(&sa->win);
		ike_timer_clear(e, &sa->retransmit);
	} else {
		window_accept_request(&sa->win, &a->outer->hdr, mark);
		sa->asked_at = a->local;
		sa->asked_from = a->peer;
		sa->asked_natt = a->natt;
	}
	if (read != OK)
		bad_syntax(e, sa, a, a->msg->why != NULL ? a->msg->why : err_str(read));
	else if (critical != 0 || (critical = a->msg->critical) != 0)
		bad_critical(e, sa, a, critical);
	else if (row == NULL)
		no_row(e, sa, a);
	else if (!row_fits(row, a->msg, &bad))
		bad_syntax(e, sa, a, "payloads of another exchange");
	else
		row->handle(e, sa, a);
}

/* May this SA take this message at all? Its keys are there, and no job of ours is waited for. */
static bool
receptive(const struct ike_sa *sa, const struct ike_header *h)
{
	switch (sa->state) {
	case IKE_INIT_DONE:
		return h->exchange == EX_IKE_AUTH && !header_is_response(h);
	case IKE_AUTH_SENT:
		return h->exchange == EX_IKE_AUTH && header_is_response(h);
	case IKE_UP:
	case IKE_CLOSING:
		return true;
	default:
		return false;
	}
}

static void
arrive_protected(struct ike *e, struct ike_sa *sa, struct arrival *a)
{
	const struct ike_header *h = &a->outer->hdr;
	uint64_t mark = window_mark(e->seed, a->data);
	enum window_verdict verdict = window_judge(&sa->win, h, mark);
	struct ike_msg inner;
	struct bytes plain;
	int r;

	if (verdict == WINDOW_REPEAT) {
		e->counters.replays++;
		respond_again(e, sa, &a->local, &a->peer, a->natt, a->data);
		return;
	}
	if (verdict != WINDOW_NEW || !receptive(sa, h)) {
		e->counters.out_of_window++;
		return;
	}
	memset(&inner, 0, sizeof inner);
	inner.hdr = *h;
	r = sk_open(&sa->in, a->outer, e->scratch, e->scratch_cap, &plain);
	if (r == ERR_AUTH) {
		e->counters.bad_icv++;
		report_peer(e, NULL, &a->peer.addr, "ICV of a message does not verify");
		return;
	}
	if (r != OK && r != ERR_PROTO) {
		malformed(e, a, "Encrypted payload");
		return;
	}
	a->msg = &inner;
	if (r == OK)
		r = msg_read_inner(&inner, h, a->outer->sk.first, plain);
	act(e, sa, a, mark, r);
}

/* A version that we do not speak, RFC 7296 section 2.5; the header is all that is understood. */
static void
other_version(struct ike *e, const struct arrival *a)
{
	e->counters.malformed++;
	if (a->outer->hdr.major > 2 && !header_is_response(&a->outer->hdr))
		init_error(e, a, N_INVALID_MAJOR_VERSION, bytes_of(NULL, 0));
}

void
arrive(struct ike *e, const struct endpoint *local, const struct endpoint *peer, bool natt,
    struct bytes data)
{
	struct ike_msg outer;
	struct arrival a = {
		.local = *local, .peer = *peer, .natt = natt, .data = data,
		.outer = &outer, .msg = &outer,
	};
	const struct ike_header *h = &outer.hdr;
	struct ike_sa *sa;
	int r;

	e->counters.datagrams_in++;
	e->counters.bytes_in += data.n;
	if ((r = header_read(&outer.hdr, data)) == ERR_UNSUPPORTED) {
		other_version(e, &a);
		return;
	}
	if (r != OK) {
		malformed(e, &a, NULL);
		return;
	}
	if (h->exchange == EX_IKE_SA_INIT && !header_is_response(h)) {
		r = msg_read(&outer, data);
		arrive_init_request(e, &a, r);
		return;
	}
	sa = ike_sa_find(e, header_from_initiator(h) ? h->spi_r : h->spi_i);
	if (sa == NULL || sa->initiator == header_from_initiator(h) || sa->spi_i != h->spi_i ||
	    (sa->spi_r != h->spi_r && sa->state != IKE_INIT_SENT)) {
		e->counters.unknown_spi++;
		return;
	}
	r = msg_read(&outer, data);
	if (h->exchange == EX_IKE_SA_INIT)
		arrive_init_response(e, sa, &a, r);
	else if (r != OK || outer.present != PL_BIT(PL_SK))
		malformed(e, &a, r != OK ? outer.why : "not protected");
	else
		arrive_protected(e, sa, &a);
}
