/* SPDX-License-Identifier: ISC */
#include "ike/window.h"

#include "base/hash.h"

uint64_t
window_mark(const uint8_t seed[static 16], struct bytes datagram)
{
	return siphash(seed, datagram);
}

enum window_verdict
window_judge(const struct window *w, const struct ike_header *h, uint64_t mark)
{
	if (header_is_response(h))
		return window_busy(w) && h->message_id == w->next_out - 1 ? WINDOW_NEW
									  : WINDOW_OUTSIDE;
	if (h->message_id == w->next_in)
		return w->answering || w->next_in == UINT32_MAX ? WINDOW_OUTSIDE : WINDOW_NEW;
	if (w->next_in != 0 && h->message_id == w->next_in - 1 && mark == w->in_mark)
		return WINDOW_REPEAT;
	return WINDOW_OUTSIDE;
}

void
window_accept_request(struct window *w, const struct ike_header *h, uint64_t mark)
{
	w->next_in++;
	w->in_mark = mark;
	w->in_exchange = h->exchange;
	w->answering = true;
	blob_free(&w->response);
}

void
window_accept_response(struct window *w)
{
	blob_free(&w->request);
	w->tries = 0;
}

void
window_sent_request(struct window *w, struct blob *message)
{
	blob_move(&w->request, message);
	w->next_out++;
	w->tries = 0;
}

void
window_sent_response(struct window *w, struct blob *message)
{
	blob_move(&w->response, message);
	w->answering = false;
}

void
window_free(struct window *w)
{
	blob_free(&w->request);
	blob_free(&w->response);
}
