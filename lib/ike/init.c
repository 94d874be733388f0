/* SPDX-License-Identifier: ISC */
#include "ike/init.h"

#include "crypto/sign.h"
#include "ike/natd.h"

const uint8_t vendor_id[VENDOR_ID_LEN] = {
	0xea, 0xd7, 0x33, 0xca, 0xb6, 0xe8, 0xcf, 0xdf,
	0xec, 0x64, 0xa9, 0x70, 0x24, 0x05, 0x09, 0xb4,
};

/* Answers to strangers: this many a second, and as many at once. */
#define ERRORS_PER_SECOND 100u

static void
write_hashes(struct ike_out *o)
{
	static const uint16_t ours[] = { HA_SHA2_256, HA_SHA2_384, HA_SHA2_512, HA_IDENTITY };
	uint8_t data[sizeof ours];
	struct wr w = wr_fixed(data, sizeof data);
	size_t i;

	for (i = 0; i < sizeof ours / sizeof ours[0]; i++)
		wr_u16(&w, ours[i]);
	notify_payload_write(o, N_SIGNATURE_HASH_ALGORITHMS, wr_view(&w));
}

int
init_write_notifies(struct ike *e, struct ike_out *o, const struct ike_header *h,
    const struct endpoint *local, const struct endpoint *peer)
{
	int r = natd_write(o, h->spi_i, h->spi_r, local, peer, e->cfg.force_encap);

	if (r != OK)
		return r;
	write_hashes(o);
	vendor_payload_write(o, bytes_of(vendor_id, sizeof vendor_id));
	return OK;
}

/* RFC 7427 section 4: a list of 16-bit numbers; those that we do not know are passed over. */
static uint32_t
read_hashes(const struct ike_msg *m)
{
	const struct ike_notify *n = msg_notify(m, N_SIGNATURE_HASH_ALGORITHMS);
	struct rd r;
	uint32_t set = 0;
	uint16_t hash;

	if (n == NULL)
		return 0;
	r = rd_open(n->data);
	while (rd_left(&r) >= 2)
		if ((hash = rd_u16(&r)) >= HA_SHA1 && hash <= HA_IDENTITY)
			set |= HASH_BIT(hash);
	return set;
}

static bool
wants_x509(const struct ike_msg *m)
{
	size_t i;

	for (i = 0; i < m->n_certreqs; i++)
		if (m->certreqs[i].encoding == CE_X509_SIGNATURE)
			return true;
	return false;
}

int
init_learn(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	struct natd found;
	int r;

	if ((r = blob_copy(&sa->neg->init_theirs, a->data)) != OK ||
	    (r = blob_copy(&sa->neg->nonce_theirs, a->msg->nonce)) != OK ||
	    (r = natd_read(a->msg, &a->local, &a->peer, &found)) != OK)
		return r;
	sa->neg->peer_hashes = read_hashes(a->msg);
	sa->neg->certs_wanted = wants_x509(a->msg);
	sa->overlock = msg_vendor(a->msg, bytes_of(vendor_id, sizeof vendor_id));
	sa->nat_there = found.there;
	sa->nat_here = found.here || (found.supported && e->cfg.force_encap);
	return OK;
}

static bool
take_token(struct ike *e)
{
	struct ike_tokens *t = &e->error_tokens;

	if (e->now - t->refilled_ms >= 1000) {
		t->refilled_ms = e->now;
		t->left = ERRORS_PER_SECOND;
	}
	if (t->left == 0)
		return false;
	t->left--;
	return true;
}

void
init_error(struct ike *e, const struct arrival *a, uint16_t type, struct bytes data)
{
	struct ike_header h = {
		.spi_i = a->outer->hdr.spi_i, .spi_r = a->outer->hdr.spi_r, .major = 2,
		.exchange = a->outer->hdr.exchange, .message_id = a->outer->hdr.message_id,
		.flags = HF_RESPONSE,
	};
	struct blob message = { 0 };
	struct ike_out o;

	msg_begin(&o, &h);
	notify_payload_write(&o, type, data);
	if (msg_end(&o, &message) != OK)
		return;
	/* INVALID_KE_PAYLOAD is part of an honest exchange and must not be starved by strangers. */
	if (message.n > a->data.n || (type != N_INVALID_KE_PAYLOAD && !take_token(e)))
		e->counters.silenced++;
	else
		act_send(e, NULL, &a->local, &a->peer, a->natt, blob_view(&message));
	blob_free(&message);
}
