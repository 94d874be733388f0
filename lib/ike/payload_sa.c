/* SPDX-License-Identifier: ISC */
/* Proposals, transforms and attributes of the SA payload, RFC 7296 section 3.3. */
#include "ike/payload.h"

#define MORE_PROPOSALS  2
#define MORE_TRANSFORMS 3
#define ATTR_FORMAT     0x8000u  /* value in place of a length */

/*
 * Whatever is odd about an attribute makes its transform unacceptable, but not the message: the
 * other transforms are still there to choose from (section 3.3.6).
 */
static void
read_attribute(struct rd *r, struct ike_transform *t)
{
	uint16_t type = rd_u16(r), value = rd_u16(r);

	if ((type & ATTR_FORMAT) == 0)
		rd_skip(r, value);
	if (type == (ATTR_FORMAT | ATTR_KEY_LENGTH) && !t->has_key_bits) {
		t->has_key_bits = true;
		t->key_bits = value;
	} else {
		t->unknown_attribute = true;
	}
}

static bool
read_transform(struct rd *list, struct ike_transform *t)
{
	uint8_t last = rd_u8(list);
	uint16_t length;
	struct rd r;

	memset(t, 0, sizeof *t);
	rd_skip(list, 1);
	length = rd_u16(list);
	if (length < 8) {
		rd_fail(list);
		return false;
	}
	r = rd_sub(list, length - 4u);
	t->type = rd_u8(&r);
	rd_skip(&r, 1);
	t->id = rd_u16(&r);
	while (rd_left(&r) != 0)
		read_attribute(&r, t);
	if (!rd_end(&r) || last != (rd_left(list) == 0 ? 0 : MORE_TRANSFORMS))
		rd_fail(list);
	return rd_ok(list);
}

static bool
spi_size_ok(uint8_t protocol, size_t n)
{
	switch (protocol) {
	case SP_IKE:
		return n == 0 || n == 8;
	case SP_AH:
	case SP_ESP:
		return n == 4;
	default:
		return true;
	}
}

static bool
read_proposal(struct rd *list, struct ike_proposal *p)
{
	uint8_t last = rd_u8(list), spi_size;
	uint16_t length;
	struct rd r;

	memset(p, 0, sizeof *p);
	rd_skip(list, 1);
	length = rd_u16(list);
	if (length < 8) {
		rd_fail(list);
		return false;
	}
	r = rd_sub(list, length - 4u);
	p->number = rd_u8(&r);
	p->protocol = rd_u8(&r);
	spi_size = rd_u8(&r);
	p->n_transforms = rd_u8(&r);
	p->spi = rd_take(&r, spi_size);
	p->transforms = rd_rest(&r);
	if (!rd_end(&r) || last != (rd_left(list) == 0 ? 0 : MORE_PROPOSALS))
		rd_fail(list);
	return rd_ok(list);
}

bool
transform_next(struct rd *r, struct ike_transform *t)
{
	return rd_left(r) != 0 && read_transform(r, t);
}

bool
proposal_next(struct rd *r, struct ike_proposal *p)
{
	return rd_left(r) != 0 && read_proposal(r, p);
}

static bool
check_proposal(const struct ike_proposal *p)
{
	struct rd r = rd_open(p->transforms);
	struct ike_transform t;
	size_t n = 0;

	while (transform_next(&r, &t))
		n++;
	return rd_end(&r) && n != 0 && n == p->n_transforms && spi_size_ok(p->protocol, p->spi.n);
}

int
sa_payload_read(struct ike_sa_payload *sa, struct bytes body)
{
	struct rd r = rd_open(body);
	struct ike_proposal p;
	uint8_t first = 0;
	size_t n = 0;

	memset(sa, 0, sizeof *sa);
	while (proposal_next(&r, &p)) {
		if (n++ == 0)
			first = p.number;
		else if (first != 1 || p.number != n)
			return ERR_SYNTAX;
		if (!check_proposal(&p))
			return ERR_SYNTAX;
	}
	if (!rd_end(&r) || n == 0 || first == 0)
		return ERR_SYNTAX;
	sa->body = body;
	sa->n_proposals = (uint8_t)n;
	return OK;
}
