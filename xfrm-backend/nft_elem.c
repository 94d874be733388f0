/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/nft_elem.h"

/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

#define VNI_MAX  0xffffffu
/* An attribute's length has 16 bits. */
#define LIST_MAX 65000u

/* ---- keys ---- */

static uint8_t
family_of(unsigned set)
{
	return set == NFT_SET_VNI4 || set == NFT_SET_CONTROL4 ? ADDR_V4 : ADDR_V6;
}

static bool
possible(const struct nft_elem *e)
{
	switch (e->set) {
	case NFT_SET_VXLAN:
		return e->port != 0;
	case NFT_SET_VNI4:
	case NFT_SET_VNI6:
		return e->addr.family == family_of(e->set) && e->reqid != 0 && e->vni <= VNI_MAX;
	case NFT_SET_CONTROL4:
	case NFT_SET_CONTROL6:
		return e->addr.family == family_of(e->set) && e->proto != 0 && e->port != 0;
	}
	return false;
}

size_t
nft_key(const struct nft_elem *e, uint8_t key[static NFT_KEY_MAX])
{
	struct wr w = wr_fixed(key, NFT_KEY_MAX);

	if (!possible(e))
		return 0;
	switch (e->set) {
	case NFT_SET_VXLAN:
		wr_u16(&w, e->port);
		break;
	case NFT_SET_VNI4:
	case NFT_SET_VNI6:
		wr_put(&w, bytes_of(&e->reqid, sizeof e->reqid));
		wr_put(&w, addr_bytes(&e->addr));
		wr_u24(&w, e->vni);
		wr_zero(&w, 1);
		break;
	default:
		wr_put(&w, addr_bytes(&e->addr));
		wr_u8(&w, e->proto);
		wr_zero(&w, 3);
		wr_u16(&w, e->port);
		wr_zero(&w, 2);
	}
	return w.bad ? 0 : w.n;
}

static void
rd_addr_of(struct rd *r, unsigned set, struct addr *a)
{
	a->family = family_of(set);
	rd_copy(r, a->a, addr_len(a));
}

static void
rd_zeros(struct rd *r, size_t n)
{
	while (n-- > 0)
		if (rd_u8(r) != 0)
			rd_fail(r);
}

int
nft_key_read(unsigned set, struct bytes key, struct nft_elem *e)
{
	struct rd r = rd_open(key);

	memset(e, 0, sizeof *e);
	e->set = (uint8_t)set;
	switch (set) {
	case NFT_SET_VXLAN:
		e->port = rd_u16(&r);
		break;
	case NFT_SET_VNI4:
	case NFT_SET_VNI6:
	case NT_DENIED:
		rd_copy(&r, &e->reqid, sizeof e->reqid);
		if (set != NT_DENIED)
			rd_addr_of(&r, set, &e->addr);
		e->vni = rd_u24(&r);
		rd_zeros(&r, 1);
		break;
	case NFT_SET_CONTROL4:
	case NFT_SET_CONTROL6:
		rd_addr_of(&r, set, &e->addr);
		e->proto = rd_u8(&r);
		rd_zeros(&r, 3);
		e->port = rd_u16(&r);
		rd_zeros(&r, 2);
		break;
	default:
		return ERR_SYNTAX;
	}
	return rd_end(&r) && (set == NT_DENIED || possible(e)) ? OK : ERR_SYNTAX;
}

const char *
nft_elem_str(const struct nft_elem *e, char buf[static NFT_ELEM_STRLEN])
{
	const char *set = e->set < NT_SETS ? nt_sets[e->set].name : "?";
	char a[ADDR_STRLEN] = "no address";

	if (addr_len(&e->addr) != 0)
		(void)addr_str(&e->addr, a);
	switch (e->set) {
	case NFT_SET_VXLAN:
		(void)snprintf(buf, NFT_ELEM_STRLEN, "%s element port %u", set, e->port);
		break;
	case NFT_SET_CONTROL4:
	case NFT_SET_CONTROL6:
		(void)snprintf(buf, NFT_ELEM_STRLEN, "%s element %s, protocol %u, port %u", set, a, e->proto,
		    e->port);
		break;
	default:
		(void)snprintf(buf, NFT_ELEM_STRLEN, "%s element reqid %u, %s, VNI %u", set, e->reqid, a, e->vni);
	}
	return buf;
}

/* ---- messages ---- */

static struct nlmsghdr *
elems_header(void *buf, uint16_t type, uint16_t flags, const char *table, unsigned set)
{
	struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buf, type, NFPROTO_INET, flags, 0);

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, nt_sets[set].name);
	return h;
}

/*
 * Not by libnftnl: an object of it per element, each of several hundred octets, for what is a key in
 * three nests.
 */
void
nft_elems_start(struct nft_elems *m, void *buf, uint16_t type, const char *table, unsigned set)
{
	m->h = elems_header(buf, type, NLM_F_ACK | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), table, set);
	m->list = m->h->nlmsg_len;
	m->n = 0;
	mnl_attr_nest_end(m->h, mnl_attr_nest_start(m->h, NFTA_SET_ELEM_LIST_ELEMENTS));
}

bool
nft_elems_put(struct nft_elems *m, struct bytes key)
{
	struct nlattr *list = (struct nlattr *)(void *)((char *)m->h + m->list), *elem, *data;

	if (m->h->nlmsg_len - m->list + 3 * sizeof *list + ((key.n + 3) & ~(size_t)3) > LIST_MAX)
		return false;
	elem = mnl_attr_nest_start(m->h, NFTA_LIST_ELEM);
	data = mnl_attr_nest_start(m->h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(m->h, NFTA_DATA_VALUE, key.n, key.p);
	mnl_attr_nest_end(m->h, data);
	mnl_attr_nest_end(m->h, elem);
	mnl_attr_nest_end(m->h, list);
	m->n++;
	return true;
}

struct nlmsghdr *
nft_elems_dump(void *buf, const char *table, unsigned set)
{
	return elems_header(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP, table, set);
}
