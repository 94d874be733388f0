/* SPDX-License-Identifier: ISC */
#include "ike/out.h"

#include "base/err.h"
#include "ike/msg.h"

#define NEXT_AT   16u    /* offsets in the IKE header */
#define LENGTH_AT 24u

void
msg_begin(struct ike_out *o, const struct ike_header *hdr)
{
	memset(o, 0, sizeof *o);
	o->wr = wr_grow(IKE_MESSAGE_MAX);
	header_write(&o->wr, hdr);
	o->next_at = NEXT_AT;
}

void
payload_open(struct ike_out *o, uint8_t type)
{
	/* A payload in a payload, or behind the end, is our own mistake: nothing is sent then. */
	if (o->open || o->ended)
		o->misused = true;
	wr_patch8(&o->wr, o->next_at, type);
	o->next_at = o->wr.n;
	wr_u8(&o->wr, PL_NONE);
	wr_u8(&o->wr, 0);
	o->payload_mark = wr_open16(&o->wr);
	o->open = true;
}

void
payload_close(struct ike_out *o)
{
	if (!o->open)
		o->misused = true;
	else
		wr_close16(&o->wr, o->payload_mark, 2);
	o->open = false;
}

void
payload_put(struct ike_out *o, uint8_t type, struct bytes body)
{
	payload_open(o, type);
	wr_put(&o->wr, body);
	payload_close(o);
}

void
payload_put_chain(struct ike_out *o, uint8_t first, struct bytes chain)
{
	if (o->open || o->ended)
		o->misused = true;
	wr_patch8(&o->wr, o->next_at, first);
	wr_put(&o->wr, chain);
	o->ended = true;
}

void
msg_close_length(struct ike_out *o)
{
	wr_patch32(&o->wr, LENGTH_AT, (uint32_t)o->wr.n);
}

int
msg_end(struct ike_out *o, struct blob *to)
{
	int rc = ERR_STATE;

	if (o->open || o->misused || o->sk_at != 0)
		goto out;
	msg_close_length(o);
	rc = wr_take(&o->wr, to);
out:
	msg_abort(o);
	return rc;
}

void
msg_abort(struct ike_out *o)
{
	wr_free(&o->wr);
	memset(o, 0, sizeof *o);
}
