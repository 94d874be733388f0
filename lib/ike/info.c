/* SPDX-License-Identifier: ISC */
#include "ike/info.h"

#include "ike/child.h"
#include "ike/peer.h"
#include "ike/send.h"

#define SPIS_MAX 16      /* named in one Delete */

static void
send_notify(struct ike_out *o)
{
	notify_payload_write(o, N_AUTHENTICATION_FAILED, bytes_of(NULL, 0));
}

static void
send_child_deletes(const struct ike_sa *sa, struct ike_out *o)
{
	uint32_t spis[SPIS_MAX];
	struct child *c;
	size_t n = 0;

	for (c = sa->children; c != NULL && n < SPIS_MAX; c = c->next) {
		if (!c->doomed || c->delete_sent)
			continue;
		c->delete_sent = true;
		spis[n++] = c->spi_in;
	}
	if (n != 0)
		delete_payload_write_esp(o, spis, n);
}

void
info_pump(struct ike *e, struct ike_sa *sa)
{
	struct ike_out o;
	int r;

	if ((sa->state != IKE_UP && sa->state != IKE_CLOSING) || window_busy(&sa->win) ||
	    sa->wants == 0)
		return;
	if ((sa->wants & WANT_DELETE) != 0 && !ike_sa_become(e, sa, IKE_CLOSING))
		return;
	request_begin(&o, sa, EX_INFORMATIONAL);
	if ((sa->wants & WANT_AUTH_FAILED) != 0) {
		send_notify(&o);
		sa->wants = 0;
	} else if ((sa->wants & WANT_DELETE) != 0) {
		delete_payload_write_ike(&o);
		sa->wants = 0;
	} else if ((sa->wants & WANT_CHILD_DELETE) != 0) {
		send_child_deletes(sa, &o);
		sa->wants &= (uint8_t)~WANT_CHILD_DELETE;
	} else {
		sa->wants = 0;           /* an empty message asks whether the peer is alive */
	}
	if ((r = request_end(e, sa, &o)) != OK)
		ike_sa_down(e, sa, false, err_str(r));
}

static bool
is_fatal(const struct ike_msg *m)
{
	return msg_notify(m, N_AUTHENTICATION_FAILED) != NULL ||
	    msg_notify(m, N_INVALID_SYNTAX) != NULL;
}

/* Section 2.21.2: the initiator could make nothing of our IKE_AUTH response, and says so in the
 * very next exchange. */
static bool
refuses_auth(const struct ike_sa *sa, const struct arrival *a)
{
	return !sa->initiator && a->outer->hdr.message_id == 2 &&
	    msg_notify(a->msg, N_UNSUPPORTED_CRITICAL_PAYLOAD) != NULL;
}

static bool
deletes_ike(const struct ike_msg *m)
{
	uint8_t i;

	for (i = 0; i < m->n_deletes; i++)
		if (m->deletes[i].protocol == SP_IKE)
			return true;
	return false;
}

static struct child *
by_spi_out(const struct ike_sa *sa, uint32_t spi)
{
	struct child *c;

	for (c = sa->children; c != NULL && c->spi_out != spi; c = c->next)
		;
	return c;
}

/* Close what the peer's Delete names; our halves of it go into spis, but for those that we are
 * deleting ourselves: section 1.4.1. */
static size_t
close_children(struct ike *e, struct ike_sa *sa, const struct ike_msg *m,
    uint32_t spis[static SPIS_MAX])
{
	size_t n = 0, k;
	uint8_t i;

	for (i = 0; i < m->n_deletes; i++) {
		if (m->deletes[i].protocol != SP_ESP)
			continue;
		for (k = 0; k < m->deletes[i].n_spis; k++) {
			struct child *c = by_spi_out(sa, delete_spi(&m->deletes[i], k));

			if (c == NULL || n == SPIS_MAX)
				continue;
			if (!c->delete_sent)
				spis[n++] = c->spi_in;
			child_down(e, c, "deleted by the peer");
		}
	}
	return n;
}

void
info_request(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	bool fatal = is_fatal(a->msg) || refuses_auth(sa, a), closing = deletes_ike(a->msg);
	uint32_t spis[SPIS_MAX];
	struct ike_out o;
	size_t n = 0;
	int r;

	if (!fatal && !closing)
		n = close_children(e, sa, a->msg, spis);
	response_begin(&o, sa);
	if (n != 0)
		delete_payload_write_esp(&o, spis, n);
	if ((r = response_end(e, sa, &o)) != OK)
		ike_sa_down(e, sa, false, err_str(r));
	else if (fatal)
		ike_sa_down(e, sa, true, "refused by the peer");
	else if (closing)
		ike_sa_down(e, sa, true, "deleted by the peer");
	else if (n != 0 && sa->children == NULL && sa->node != NULL)
		peer_retry(e, sa->node, false);
}

void
info_response(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	struct child *c, *next;

	if (is_fatal(a->msg)) {
		ike_sa_down(e, sa, false, "refused by the peer");
		return;
	}
	if (sa->state == IKE_CLOSING) {
		ike_sa_down(e, sa, false, "closed");
		return;
	}
	for (c = sa->children; c != NULL; c = next) {
		next = c->next;
		if (c->delete_sent)
			child_down(e, c, "deleted");
	}
	info_pump(e, sa);
}
