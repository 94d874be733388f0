/* SPDX-License-Identifier: ISC */
#include "sim_craft.h"

#include <stdlib.h>

/* Far from what an engine's own counter reaches. */
#define CRAFT_IV UINT64_C(0x7000000000000000)

static void
need(int r)
{
	if (r != OK)
		abort();
}

static int
no_random(void *arg, uint8_t *p, size_t n)
{
	(void)arg;
	memset(p, 0x5a, n);
	return OK;
}

/* The key of one direction of the SA that is up on this node. */
static void
key_of(const struct sim_node *n, bool of_initiator, struct ike_sk_key *key, struct ike_ref *ref)
{
	struct ike_sa_info info = sim_sa(n);
	struct ike_keys_view v;

	*ref = info.ref;
	need(ike_export_keys(n->e, ref, &v));
	need(sk_key_init(key, v.encr, v.key_bits, v.integ, of_initiator ? v.sk_ei : v.sk_er,
	    of_initiator ? v.sk_ai : v.sk_ar));
}

void
craft_message(struct sim_node *as, const struct craft *c, struct blob *out)
{
	static uint64_t iv = CRAFT_IV;
	struct ike_callbacks cb = { .random = no_random };
	struct ike_header h = { .major = 2, .exchange = c->exchange, .message_id = c->message_id };
	struct ike_sk_key key = { 0 };
	struct ike_sa_info info = sim_sa(as);
	struct ike_ref ref;
	struct ike_out o;

	key_of(as, info.ref.initiator, &key, &ref);
	key.next_iv = iv++;
	h.spi_i = ref.spi_i;
	h.spi_r = ref.spi_r;
	h.flags = (uint8_t)((ref.initiator ? HF_INITIATOR : 0) | (c->response ? HF_RESPONSE : 0));
	msg_begin(&o, &h);
	sk_begin(&o, &key);
	if (c->first != 0)
		payload_put_chain(&o, c->first, c->chain);
	need(sk_end(&o, &key, &cb));
	need(msg_end(&o, out));
	sk_key_free(&key);
}

void
craft_send(struct sim_node *as, struct sim_node *to, const struct craft *c)
{
	struct endpoint from = sim_sa(as).local;
	struct blob message = { 0 };

	craft_message(as, c, &message);
	sim_inject(to, &from, from.port, blob_view(&message));
	blob_free(&message);
}

void
craft_payload(struct wr *w, uint8_t next, bool critical, struct bytes body)
{
	size_t mark;

	wr_u8(w, next);
	wr_u8(w, critical ? 0x80 : 0);
	mark = wr_open16(w);
	wr_put(w, body);
	wr_close16(w, mark, 2);
}

bool
tape_record(struct sim *s, struct sim_datagram *d, void *arg)
{
	struct tape *t = arg;

	(void)s;
	if (t->n == TAPE_MAX)
		return true;
	t->sent[t->n].from = d->from;
	t->sent[t->n].to = d->to;
	need(blob_copy(&t->sent[t->n].data, d->data));
	t->n++;
	return true;
}

void
tape_free(struct tape *t)
{
	while (t->n > 0)
		blob_free(&t->sent[--t->n].data);
}

bool
tape_open_last(const struct tape *t, const struct sim_node *from, const struct sim_node *keys_of,
    struct ike_msg *inner)
{
	static uint8_t plain_room[65536];
	struct ike_sk_key key = { 0 };
	struct ike_msg outer;
	struct ike_ref ref;
	struct bytes plain;
	size_t i = t->n;
	int r;

	while (i > 0 && !addr_equal(&t->sent[i - 1].from.addr, &from->addr))
		i--;
	if (i == 0 || msg_read(&outer, blob_view(&t->sent[i - 1].data)) != OK ||
	    !msg_has(&outer, PL_SK))
		return false;
	key_of(keys_of, header_from_initiator(&outer.hdr), &key, &ref);
	if ((r = sk_open(&key, &outer, plain_room, sizeof plain_room, &plain)) == OK)
		r = msg_read_inner(inner, &outer.hdr, outer.sk.first, plain);
	sk_key_free(&key);
	return r == OK;
}

void
craft_init(const struct craft_init *c, struct blob *out)
{
	struct ike_header h = {
		.spi_i = c->spi_i, .major = 2, .exchange = EX_IKE_SA_INIT, .flags = HF_INITIATOR,
	};
	struct ike_suite defaults[IKE_PROPOSALS_MAX];
	struct ike_offer offer = { .suites = c->suites, .n_suites = c->n_suites };
	uint8_t nonce[256], padding[4096];
	struct ke *ke = NULL;
	struct ike_out o;

	memset(nonce, (int)(c->spi_i & 0xff), sizeof nonce);
	memset(padding, 0, sizeof padding);
	if (offer.suites == NULL) {
		offer.n_suites = ike_default_suites(defaults);
		offer.suites = defaults;
	}
	need(ke_from_seed(&ke, c->group, bytes_of(nonce, 32)));
	msg_begin(&o, &h);
	if (c->cookie.n != 0)
		notify_payload_write(&o, N_COOKIE, c->cookie);
	proposal_write_ike(&o, &offer, 0);
	ke_payload_write(&o, c->group, ke_public(ke));
	nonce_payload_write(&o, bytes_of(nonce, c->nonce_len == 0 ? 32 : c->nonce_len));
	if (c->padding != 0)
		vendor_payload_write(&o, bytes_of(padding, c->padding));
	if (c->critical) {
		payload_put(&o, 200, bytes_of("x", 1));
		/* The critical bit of the last payload's header. */
		wr_patch8(&o.wr, o.wr.n - 4, 0x80);
	}
	need(msg_end(&o, out));
	ke_free(ke);
}
