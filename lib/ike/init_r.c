/* SPDX-License-Identifier: ISC */
/* IKE_SA_INIT, the responder's side: no state and little work for a source that may be forged. */
#include "ike/init.h"
#include "ike/natd.h"

/* What the response consists of, real or as a stand-in of the same length. */
struct answer {
	uint64_t spi_r;
	struct ike_chosen chosen;
	struct bytes ke, nonce;
};

static int
write_answer(struct ike *e, const struct arrival *a, const struct answer *ans, struct blob *message)
{
	struct ike_header h = {
		.spi_i = a->msg->hdr.spi_i, .spi_r = ans->spi_r, .major = 2,
		.exchange = EX_IKE_SA_INIT, .flags = HF_RESPONSE,
	};
	struct ike_out o;
	int r;

	msg_begin(&o, &h);
	proposal_write_chosen_ike(&o, &ans->chosen, 0);
	ke_payload_write(&o, ans->chosen.ke, ans->ke);
	nonce_payload_write(&o, ans->nonce);
	if ((r = init_write_notifies(e, &o, &h, &a->local, &a->peer)) != OK) {
		msg_abort(&o);
		return r;
	}
	certreq_payload_write(&o, e->cfg.certreq);
	return msg_end(&o, message);
}

/* How long the response is going to be, before anything is spent on keys. */
static size_t
answer_len(struct ike *e, const struct arrival *a, const struct ike_chosen *chosen)
{
	static const uint8_t zeros[512];
	struct answer ans = {
		.spi_r = 1, .chosen = *chosen, .ke = bytes_of(zeros, ke_public_len(chosen->ke)),
		.nonce = bytes_of(zeros, NONCE_LEN),
	};
	struct blob message = { 0 };
	size_t n;

	if (write_answer(e, a, &ans, &message) != OK)
		return SIZE_MAX;
	n = message.n;
	blob_free(&message);
	return n;
}

static void
demand_cookie(struct ike *e, const struct arrival *a)
{
	struct ike_header h = {
		.spi_i = a->msg->hdr.spi_i, .major = 2,
		.exchange = EX_IKE_SA_INIT, .flags = HF_RESPONSE,
	};
	uint8_t cookie[COOKIE_LEN];
	struct blob message = { 0 };
	struct ike_out o;

	if (cookie_make(e, &a->peer, h.spi_i, a->msg->nonce, cookie) != OK)
		return;
	msg_begin(&o, &h);
	notify_payload_write(&o, N_COOKIE, bytes_of(cookie, sizeof cookie));
	if (msg_end(&o, &message) != OK)
		return;
	if (message.n > a->data.n) {
		e->counters.silenced++;
	} else {
		e->counters.cookies_sent++;
		act_send(e, NULL, &a->local, &a->peer, a->natt, blob_view(&message));
	}
	blob_free(&message);
}

/* A valid cookie proves that the source is where it says; one that is not valid counts as none. */
static bool
source_proven(struct ike *e, const struct arrival *a)
{
	const struct ike_notify *n = msg_notify(a->msg, N_COOKIE);

	if (n == NULL)
		return false;
	if (cookie_valid(e, &a->peer, a->msg->hdr.spi_i, a->msg->nonce, n->data))
		return true;
	e->counters.cookies_bad++;
	return false;
}

static void
init_key(const struct ike *e, const struct arrival *a, uint8_t out[static 16])
{
	uint8_t buf[8 + 1 + 16 + 2 + NONCE_MAX];
	struct wr w = wr_fixed(buf, sizeof buf), key = wr_fixed(out, 16);

	wr_endpoint(&w, &a->peer);
	wr_put(&w, a->msg->nonce);
	wr_u64(&key, a->msg->hdr.spi_i);
	wr_u64(&key, siphash(e->seed, wr_view(&w)));
}

/* RFC 7296 section 2.1: the same request again gets the same response, until IKE_AUTH has come. */
static bool
repeated(struct ike *e, const struct arrival *a, const uint8_t key[static 16])
{
	struct ike_sa *sa = hash_get(e->by_init, bytes_of(key, 16));

	if (sa == NULL)
		return false;
	e->counters.replays++;
	if (sa->state != IKE_INIT_DONE)
		return true;
	if (sa->source_verified || sa->neg->init_ours.n <= a->data.n)
		act_send(e, sa, &sa->local, &sa->peer, sa->natt, blob_view(&sa->neg->init_ours));
	else
		e->counters.silenced++;
	return true;
}

static int
accept_request(struct ike *e, struct ike_sa *sa, const struct arrival *a,
    const struct ike_chosen *chosen)
{
	struct answer ans = { .spi_r = sa->spi_r, .chosen = *chosen };
	struct secret shared = { 0 };
	int r;

	sa->spi_i = a->msg->hdr.spi_i;
	sa->suite = *chosen;
	sa->natt = a->natt;
	if ((r = ike_random(e, sa->neg->nonce_ours, NONCE_LEN)) != OK ||
	    (r = e->cfg.cb.ke_new(e->cfg.cb.arg, chosen->ke, &sa->neg->ke)) != OK ||
	    (r = ke_derive(sa->neg->ke, a->msg->ke.data, &shared)) != OK ||
	    (r = init_learn(e, sa, a)) != OK ||
	    (r = ike_sa_derive(sa, secret_view(&shared))) != OK)
		goto out;
	ans.ke = ke_public(sa->neg->ke);
	ans.nonce = bytes_of(sa->neg->nonce_ours, NONCE_LEN);
	if ((r = write_answer(e, a, &ans, &sa->neg->init_ours)) != OK ||
	    (r = ike_sa_index_init(e, sa)) != OK ||
	    (r = ike_timer_set(e, &sa->watch, e->now + e->cfg.half_open_ms)) != OK)
		goto out;
	ke_free(sa->neg->ke);
	sa->neg->ke = NULL;
	sa->win.next_in = 1;
out:
	secret_free(&shared);
	return r;
}

/* 0: go on with *chosen; else it was answered, or is to be left alone. */
static int
judge(struct ike *e, const struct arrival *a, bool proven, struct ike_chosen *chosen)
{
	uint8_t group[2];
	struct wr w = wr_fixed(group, sizeof group);
	struct ike_offer ours = { .suites = e->cfg.suites, .n_suites = e->cfg.n_suites };

	if (e->half_open >= e->cfg.half_open_max) {
		e->counters.silenced++;
		return ERR_SPACE;
	}
	if (!proven && e->half_open >= e->cfg.cookie_threshold) {
		demand_cookie(e, a);
		return ERR_AGAIN;
	}
	if (proposal_choose_ike(chosen, &a->msg->sa, &ours, a->msg->ke.group) != OK) {
		report_peer(e, NULL, &a->peer.addr, "IKE_SA_INIT: no proposal acceptable");
		init_error(e, a, N_NO_PROPOSAL_CHOSEN, bytes_of(NULL, 0));
		return ERR_NOTFOUND;
	}
	if (chosen->ke != a->msg->ke.group) {
		wr_u16(&w, chosen->ke);
		init_error(e, a, N_INVALID_KE_PAYLOAD, wr_view(&w));
		return ERR_AGAIN;
	}
	if (!proven && answer_len(e, a, chosen) > a->data.n) {
		demand_cookie(e, a);
		return ERR_AGAIN;
	}
	return OK;
}

void
init_request(struct ike *e, struct ike_sa *none, const struct arrival *a)
{
	struct ike_chosen chosen = { 0 };
	uint8_t key[16];
	struct ike_sa *sa;
	bool proven;
	int r;

	(void)none;
	init_key(e, a, key);
	if (repeated(e, a, key))
		return;
	proven = source_proven(e, a);
	if (judge(e, a, proven, &chosen) != OK)
		return;
	if ((sa = ike_sa_new(e, false, &a->local, &a->peer)) == NULL)
		return;
	memcpy(sa->init_key, key, sizeof sa->init_key);
	sa->source_verified = proven;
	if ((r = accept_request(e, sa, a, &chosen)) != OK) {
		e->counters.rejected++;
		report_peer(e, NULL, &a->peer.addr, "IKE_SA_INIT request not acceptable: %s",
		    err_str(r));
		(void)ike_sa_become(e, sa, IKE_DEAD);
		return;
	}
	(void)ike_sa_become(e, sa, IKE_INIT_DONE);
	act_send(e, sa, &sa->local, &sa->peer, sa->natt, blob_view(&sa->neg->init_ours));
}
