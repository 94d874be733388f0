/* SPDX-License-Identifier: ISC */
#include "ike/send.h"

static void
begin(struct ike_out *o, const struct ike_sa *sa, uint8_t exchange, uint32_t id, uint8_t flags)
{
	struct ike_header h = {
		.spi_i = sa->spi_i, .spi_r = sa->spi_r, .major = 2,
		.exchange = exchange, .message_id = id,
		.flags = (uint8_t)(flags | (sa->initiator ? HF_INITIATOR : 0)),
	};

	msg_begin(o, &h);
	sk_begin(o, &sa->out);
}

void
request_begin(struct ike_out *o, const struct ike_sa *sa, uint8_t exchange)
{
	begin(o, sa, exchange, sa->win.next_out, 0);
}

void
response_begin(struct ike_out *o, const struct ike_sa *sa)
{
	begin(o, sa, sa->win.in_exchange, sa->win.next_in - 1, HF_RESPONSE);
}

static int
seal(struct ike *e, struct ike_sa *sa, struct ike_out *o, struct blob *message)
{
	int r;

	if ((r = sk_end(o, &sa->out, &e->cfg.cb)) != OK) {
		msg_abort(o);
		return r;
	}
	return msg_end(o, message);
}

int
request_end(struct ike *e, struct ike_sa *sa, struct ike_out *o)
{
	struct blob message = { 0 };
	int r;

	if (window_busy(&sa->win) || sa->win.next_out == UINT32_MAX) {
		msg_abort(o);
		return ERR_STATE;
	}
	if ((r = seal(e, sa, o, &message)) != OK)
		return r;
	window_sent_request(&sa->win, &message);
	send_outstanding(e, sa);
	return OK;
}

int
response_end(struct ike *e, struct ike_sa *sa, struct ike_out *o)
{
	struct blob message = { 0 };
	int r;

	if ((r = seal(e, sa, o, &message)) != OK)
		return r;
	window_sent_response(&sa->win, &message);
	act_send(e, sa, &sa->asked_at, &sa->asked_from, sa->asked_natt,
	    blob_view(&sa->win.response));
	return OK;
}

int
respond_notify(struct ike *e, struct ike_sa *sa, uint16_t type, struct bytes data)
{
	struct ike_out o;

	response_begin(&o, sa);
	notify_payload_write(&o, type, data);
	return response_end(e, sa, &o);
}

int
respond_empty(struct ike *e, struct ike_sa *sa)
{
	struct ike_out o;

	response_begin(&o, sa);
	return response_end(e, sa, &o);
}

struct bytes
outstanding(const struct ike_sa *sa)
{
	return sa->state == IKE_INIT_SENT ? blob_view(&sa->neg->init_ours)
					  : blob_view(&sa->win.request);
}

/* How long to wait after the request was sent again `tries` times. */
static int64_t
interval(const struct ike_config *cfg, unsigned tries)
{
	int64_t ms = cfg->retransmit_ms;

	while (tries-- > 0 && ms < cfg->retransmit_max_ms)
		ms *= 2;
	return ms < cfg->retransmit_max_ms ? ms : cfg->retransmit_max_ms;
}

void
send_outstanding(struct ike *e, struct ike_sa *sa)
{
	act_send(e, sa, &sa->local, &sa->peer, sa->natt, outstanding(sa));
	(void)ike_timer_set(e, &sa->retransmit, e->now + interval(&e->cfg, sa->win.tries));
}

void
retransmit(struct ike *e, struct ike_sa *sa)
{
	const char *why = "no answer";

	if (outstanding(sa).n == 0)
		return;
	if (sa->state == IKE_INIT_SENT && sa->neg->init_error != 0) {
		/* It was not authenticated; but nothing better came for a whole interval. */
		ike_sa_fail(e, sa, false, ike_name_notify(sa->neg->init_error));
		return;
	}
	if (sa->win.tries >= e->cfg.retransmit_tries) {
		e->counters.timeouts++;
		if (ike_sa_negotiating(sa))
			ike_sa_fail(e, sa, false, why);
		else
			ike_sa_down(e, sa, false, why);
		return;
	}
	sa->win.tries++;
	if (sa->neg != NULL)
		sa->neg->n_cookies = 0;
	e->counters.retransmits++;
	send_outstanding(e, sa);
}

void
respond_again(struct ike *e, struct ike_sa *sa, const struct endpoint *local,
    const struct endpoint *from, bool natt, struct bytes repeat)
{
	struct bytes response = blob_view(&sa->win.response);

	if (response.n == 0)
		return;
	if (response.n <= repeat.n || (endpoint_equal(from, &sa->asked_from) &&
	    endpoint_equal(local, &sa->asked_at)))
		act_send(e, sa, local, from, natt, response);
	else
		act_send(e, sa, &sa->local, &sa->peer, sa->natt, response);
}
