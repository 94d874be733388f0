/* SPDX-License-Identifier: ISC */
#include "ike/proposal.h"

#include "ike/out.h"
#include "ike/proposal_list.h"

#define MORE_PROPOSALS  2
#define MORE_TRANSFORMS 3
#define ATTR_FORMAT     0x8000u

void
list_add(struct transform_list *l, uint8_t type, uint16_t id, uint16_t key_bits)
{
	if (l->n == LIST_MAX)
		return;
	l->t[l->n].type = type;
	l->t[l->n].id = id;
	l->t[l->n].key_bits = key_bits;
	l->n++;
}

static void
list_add_all(struct transform_list *l, uint8_t type, const uint16_t *ids, size_t n)
{
	size_t i;

	for (i = 0; i < n && ids[i] != 0; i++)
		list_add(l, type, ids[i], 0);
}

void
list_of_suite(struct transform_list *l, const struct ike_suite *s)
{
	size_t i;

	l->protocol = SP_IKE;
	l->n = 0;
	for (i = 0; i < IKE_TRANSFORMS_MAX && s->encr[i].id != 0; i++)
		list_add(l, TT_ENCR, s->encr[i].id, s->encr[i].key_bits);
	list_add_all(l, TT_PRF, s->prf, IKE_TRANSFORMS_MAX);
	list_add_all(l, TT_INTEG, s->integ, IKE_TRANSFORMS_MAX);
	list_add_all(l, TT_KE, s->ke, IKE_TRANSFORMS_MAX);
}

static bool
same_but_esn(const struct esp_transform *a, const struct esp_transform *b)
{
	return a->encr == b->encr && a->key_bits == b->key_bits && a->integ == b->integ;
}

bool
list_of_esp(struct transform_list *l, const struct esp_offer *offer, size_t *i)
{
	const struct esp_transform *first;

	if (*i >= offer->n_transforms)
		return false;
	first = &offer->transforms[*i];
	l->protocol = SP_ESP;
	l->n = 0;
	list_add(l, TT_ENCR, first->encr, first->key_bits);
	if (first->integ != ESP_INTEG_NONE)
		list_add(l, TT_INTEG, first->integ, 0);
	list_add_all(l, TT_KE, offer->ke, offer->n_ke);
	for (; *i < offer->n_transforms && same_but_esn(first, &offer->transforms[*i]); ++*i)
		list_add(l, TT_SN, offer->transforms[*i].esn ? TR_SN_ESN : TR_SN_SEQUENTIAL_32, 0);
	return true;
}

bool
list_has_type(const struct transform_list *l, uint8_t type)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->t[i].type == type)
			return true;
	return false;
}

static void
write_transform(struct wr *w, const struct transform_list *l, size_t i)
{
	size_t mark;

	wr_u8(w, i + 1 < l->n ? MORE_TRANSFORMS : 0);
	wr_u8(w, 0);
	mark = wr_open16(w);
	wr_u8(w, l->t[i].type);
	wr_u8(w, 0);
	wr_u16(w, l->t[i].id);
	if (l->t[i].key_bits != 0) {
		wr_u16(w, ATTR_FORMAT | ATTR_KEY_LENGTH);
		wr_u16(w, l->t[i].key_bits);
	}
	wr_close16(w, mark, 2);
}

struct numbered {
	uint8_t number;
	bool more;
	uint64_t spi;
	uint8_t spi_len;         /* 0, 4 or 8 */
};

static void
write_proposal(struct wr *w, const struct transform_list *l, const struct numbered *p)
{
	size_t mark, i;

	wr_u8(w, p->more ? MORE_PROPOSALS : 0);
	wr_u8(w, 0);
	mark = wr_open16(w);
	wr_u8(w, p->number);
	wr_u8(w, l->protocol);
	wr_u8(w, p->spi_len);
	wr_u8(w, (uint8_t)l->n);
	if (p->spi_len == 8)
		wr_u64(w, p->spi);
	else if (p->spi_len == 4)
		wr_u32(w, (uint32_t)p->spi);
	for (i = 0; i < l->n; i++)
		write_transform(w, l, i);
	wr_close16(w, mark, 2);
}

void
proposal_write_ike(struct ike_out *o, const struct ike_offer *offer, uint64_t spi)
{
	struct transform_list l;
	struct numbered p = { .spi = spi, .spi_len = (uint8_t)offer->spi_len };
	size_t i;

	payload_open(o, PL_SA);
	for (i = 0; i < offer->n_suites; i++) {
		list_of_suite(&l, &offer->suites[i]);
		p.number++;
		p.more = i + 1 < offer->n_suites;
		write_proposal(&o->wr, &l, &p);
	}
	payload_close(o);
}

void
proposal_write_esp(struct ike_out *o, const struct esp_offer *offer, uint32_t spi)
{
	struct transform_list l;
	struct numbered p = { .spi = spi, .spi_len = 4 };
	size_t i = 0;

	payload_open(o, PL_SA);
	while (list_of_esp(&l, offer, &i)) {
		p.number++;
		p.more = i < offer->n_transforms;
		write_proposal(&o->wr, &l, &p);
	}
	payload_close(o);
}

static void
write_chosen(struct ike_out *o, const struct transform_list *l, const struct numbered *p)
{
	payload_open(o, PL_SA);
	write_proposal(&o->wr, l, p);
	payload_close(o);
}

/* One transform of each type that the offer had, NONE included: section 3.3.6. */
static void
list_add_integ_ke(struct transform_list *l, const struct ike_chosen *c)
{
	if (c->integ != 0 || c->integ_none)
		list_add(l, TT_INTEG, c->integ, 0);
	if (c->ke != 0 || c->ke_none)
		list_add(l, TT_KE, c->ke, 0);
}

void
proposal_write_chosen_ike(struct ike_out *o, const struct ike_chosen *c, uint64_t spi)
{
	struct transform_list l = { .protocol = SP_IKE };
	struct numbered p = { .number = c->number, .spi = spi, .spi_len = spi == 0 ? 0 : 8 };

	list_add(&l, TT_ENCR, c->encr, c->key_bits);
	list_add(&l, TT_PRF, c->prf, 0);
	list_add_integ_ke(&l, c);
	write_chosen(o, &l, &p);
}

void
proposal_write_chosen_esp(struct ike_out *o, const struct ike_chosen *c, uint32_t spi)
{
	struct transform_list l = { .protocol = SP_ESP };
	struct numbered p = { .number = c->number, .spi = spi, .spi_len = 4 };

	list_add(&l, TT_ENCR, c->encr, c->key_bits);
	list_add_integ_ke(&l, c);
	list_add(&l, TT_SN, c->esn ? TR_SN_ESN : TR_SN_SEQUENTIAL_32, 0);
	write_chosen(o, &l, &p);
}
