/* SPDX-License-Identifier: ISC */
#include "backend/cover.h"

#define SPI_RESERVED 255u   /* RFC 4303 section 2.1 */

static int
refuse(int err, const char **why, const char *text)
{
	*why = text;
	return err;
}

int
cover_sane(const struct sa_params *sa, const char **why)
{
	size_t encr, integ;

	if (sa->spi <= SPI_RESERVED)
		return refuse(ERR_VALUE, why, "SPI is reserved");
	if (sa->dir != SA_IN && sa->dir != SA_OUT)
		return refuse(ERR_VALUE, why, "no direction");
	if (sa->mode != SA_TRANSPORT && sa->mode != SA_TUNNEL)
		return refuse(ERR_VALUE, why, "no mode");
	if (addr_len(&sa->src) == 0 || sa->src.family != sa->dst.family)
		return refuse(ERR_VALUE, why, "addresses missing or of two families");
	if (esp_transform_lengths(&sa->transform, &encr, &integ) != OK)
		return refuse(ERR_VALUE, why, "unknown transform");
	if ((sa->encap_sport == 0) != (sa->encap_dport == 0))
		return refuse(ERR_VALUE, why, "one encapsulation port only");
	if (sa->n_src_sel == 0 || sa->n_src_sel > SELECTORS_MAX || sa->n_dst_sel == 0 ||
	    sa->n_dst_sel > SELECTORS_MAX)
		return refuse(ERR_VALUE, why, "no selectors");
	if (sa->vni > VNI_MAX)
		return refuse(ERR_VALUE, why, "VNI out of range");
	return OK;
}

static const struct channel *
find_channel(const struct grant *g, const char *id)
{
	uint8_t i;

	for (i = 0; i < g->n_channels; i++)
		if (strncmp(g->channels[i].id, id, ID_MAX) == 0)
			return &g->channels[i];
	return NULL;
}

static bool
addr_in(const struct addr *list, uint8_t n, const struct addr *a)
{
	uint8_t i;

	for (i = 0; i < n; i++)
		if (addr_equal(&list[i], a))
			return true;
	return false;
}

/* ESN is negotiated between the peers and no matter of the suite. */
static bool
same_suite(const struct esp_transform *a, const struct esp_transform *b)
{
	return a->encr == b->encr && a->key_bits == b->key_bits && a->integ == b->integ;
}

static bool
one_host_of(const struct addr *list, uint8_t n, const struct selector *s)
{
	return addr_equal(&s->lo, &s->hi) && addr_in(list, n, &s->lo);
}

static bool
is_port(const struct selector *s, uint16_t port)
{
	return s->port_lo == port && s->port_hi == port;
}

static int
check_selectors(const struct sa_params *sa, const struct channel *ch, const struct addr *src,
    uint8_t n_src, const struct addr *dst, uint8_t n_dst, const char **why)
{
	uint8_t i, pairs = sa->n_src_sel > sa->n_dst_sel ? sa->n_src_sel : sa->n_dst_sel;

	for (i = 0; i < pairs; i++) {
		const struct selector *s, *d;

		s = &sa->src_sel[i < sa->n_src_sel ? i : sa->n_src_sel - 1];
		d = &sa->dst_sel[i < sa->n_dst_sel ? i : sa->n_dst_sel - 1];
		if (!one_host_of(src, n_src, s) || !one_host_of(dst, n_dst, d))
			return refuse(ERR_DENIED, why, "selector address is not in the grant");
		if (ch->proto != 0 && (s->proto != ch->proto || d->proto != ch->proto))
			return refuse(ERR_DENIED, why, "selector protocol is not the channel's");
		if (ch->port != 0 && !is_port(s, ch->port) && !is_port(d, ch->port))
			return refuse(ERR_DENIED, why, "selector port is not the channel's");
	}
	return OK;
}

int
cover_check(const struct grant *g, const struct sa_params *sa, const char **why)
{
	bool in = sa->dir == SA_IN;
	const struct addr *src = in ? g->peer : g->local, *dst = in ? g->local : g->peer;
	uint8_t n_src = in ? g->n_peer : g->n_local, n_dst = in ? g->n_local : g->n_peer;
	const struct channel *ch = find_channel(g, sa->channel);

	if (!addr_in(src, n_src, &sa->src) || !addr_in(dst, n_dst, &sa->dst))
		return refuse(ERR_DENIED, why, "outer address is not in the grant");
	if (ch == NULL)
		return refuse(ERR_DENIED, why, "channel is not in the grant");
	if (!same_suite(&sa->transform, &ch->esp))
		return refuse(ERR_DENIED, why, "transform is not the channel's suite");
	if (sa->mode != ch->mode)
		return refuse(ERR_DENIED, why, "mode is not the channel's");
	if (sa->vni != 0 && !grant_has_vni(g, sa->vni))
		return refuse(ERR_DENIED, why, "VNI is not in the grant");
	return check_selectors(sa, ch, src, n_src, dst, n_dst, why);
}
