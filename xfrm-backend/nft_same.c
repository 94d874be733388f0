/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/nft_same.h"

/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>

#include "xfrm-backend/nft_read.h"

#define DEPTH_MAX 4                  /* expression data: data: verdict: code */

static bool
find(struct bytes list, uint16_t type, struct nft_attr *a)
{
	struct rd r = rd_open(list);

	while (nft_attr_next(&r, a))
		if (a->type == type)
			return true;
	return false;
}

static bool
zeros(struct bytes b)
{
	size_t i;

	for (i = 0; i < b.n; i++)
		if (b.p[i] != 0)
			return false;
	return true;
}

/* Names are written with their NUL or without. Numbers, in network order, begin with a zero. */
static bool
is_name(struct bytes b)
{
	size_t i;

	for (i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] > '~')
			return false;
	return b.n > 1;
}

static struct bytes
name_of(struct bytes b)
{
	struct bytes name = b;

	if (b.n > 0 && b.p[b.n - 1] == '\0')
		name.n--;
	return is_name(name) ? name : b;
}

static bool same_attrs(struct bytes ours, struct bytes theirs, unsigned depth);

static bool
same_value(const struct nft_attr *our, const struct nft_attr *their, unsigned depth)
{
	if (our->nested)
		return depth < DEPTH_MAX && same_attrs(our->value, their->value, depth + 1);
	return bytes_equal(name_of(our->value), name_of(their->value));
}

static bool
same_attrs(struct bytes ours, struct bytes theirs, unsigned depth)
{
	struct nft_attr a, b;
	struct rd r;

	for (r = rd_open(theirs); nft_attr_next(&r, &a);)
		if (find(ours, a.type, &b) ? !same_value(&b, &a, depth) : !zeros(a.value))
			return false;
	if (!rd_ok(&r))
		return false;
	for (r = rd_open(ours); nft_attr_next(&r, &a);)
		if (!find(theirs, a.type, &b) && (a.nested || !zeros(a.value)))
			return false;
	return rd_ok(&r);
}

bool
nft_same_expressions(struct bytes ours, struct bytes theirs)
{
	struct rd us = rd_open(ours), them = rd_open(theirs);
	struct nft_attr a, b;

	while (nft_attr_next(&us, &a))
		if (!nft_attr_next(&them, &b) || b.type != NFTA_LIST_ELEM || !same_attrs(a.value, b.value, 0))
			return false;
	return rd_end(&us) && rd_end(&them);
}
