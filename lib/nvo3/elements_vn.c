/* SPDX-License-Identifier: ISC */
/* <vn> and <group>. */
#include "nvo3/elements.h"

/* The VN's suite. With keys="pair" its traffic goes over the SA of a data channel, so that no other
 * suite than such a channel's can be kept. */
static int
vn_suite(struct doc *d, struct nvo3_vn *vn)
{
	const struct nvo3_suite *suite;
	char buf[48];
	size_t i;
	int r;

	if (doc_attr(d, "suite") == NULL) {
		if (vn->keys == VN_KEYS_PAIR)
			return 0;
		return doc_fail(d, ERR_VALUE, "VN %u: keys=\"vn\" needs suite=\"...\"", vn->vni);
	}
	if ((r = doc_id(d, "suite", vn->suite)) != 0)
		return r;
	if ((suite = doc_suite(d, vn->suite)) == NULL)
		return ERR_VALUE;
	if (vn->keys == VN_KEYS_VN)
		return 0;
	for (i = 0; i < d->t->n_channels; i++) {
		const struct channel *ch = &d->t->channels[i].ch;

		if (ch->level == LEVEL_DATA && ch->esp.encr == suite->esp.encr &&
		    ch->esp.key_bits == suite->esp.key_bits && ch->esp.integ == suite->esp.integ &&
		    ch->esp.esn == suite->esp.esn)
			return 0;
	}
	return doc_fail(d, ERR_VALUE,
	    "VN %u: keys=\"pair\" uses the SA of a data channel, and none has "
	    "%s (suite \"%s\"); write keys=\"vn\" or a channel's suite",
	    vn->vni, esp_transform_name(&suite->esp, buf), vn->suite);
}

int
element_start_vn(struct doc *d)
{
	struct nvo3_vn *vn;
	uint8_t key[4];
	struct wr w = wr_fixed(key, sizeof key);
	unsigned keys, bum = VN_BUM_PAIRWISE;
	uint64_t vni;
	size_t n = d->t->n_vns;
	int r;

	d->has_group = false;
	if (n >= d->limits->max_vns)
		return doc_fail(d, ERR_SPACE, "more than %zu VNs", d->limits->max_vns);
	if ((r = doc_number(d, "id", 1, VNI_MAX, &vni)) != 0 ||
	    (r = doc_word(d, "keys", words_keys, &keys)) != 0)
		return r;
	if (doc_attr(d, "bum") != NULL && (r = doc_word(d, "bum", words_bum, &bum)) != 0)
		return r;
	if ((vn = doc_grow(d->t->vns, n, sizeof *vn)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	d->t->vns = vn;
	vn += n;
	vn->line = d->line;
	vn->vni = (uint32_t)vni;
	vn->keys = (enum vn_keys)keys;
	vn->bum = (enum vn_bum)bum;
	wr_u32(&w, vn->vni);
	if ((r = hash_add(d->vnis, wr_view(&w), (void *)(uintptr_t)(n + 1))) == ERR_EXISTS)
		return doc_fail(d, ERR_VALUE, "VN %u is there already, in line %d", vn->vni,
		    d->t->vns[(uintptr_t)hash_get(d->vnis, wr_view(&w)) - 1].line);
	if (r != 0)
		return doc_fail(d, r, "out of memory");
	if (doc_attr(d, "name") != NULL && (r = doc_id(d, "name", vn->name)) != 0)
		return r;
	if ((r = vn_suite(d, vn)) != 0)
		return r;
	d->t->n_vns++;
	return 0;
}

int
element_end_vn(struct doc *d)
{
	const struct nvo3_vn *vn = &d->t->vns[d->t->n_vns - 1];

	if ((vn->bum == VN_BUM_GROUP) != d->has_group)
		return doc_fail_at(d, vn->line, ERR_VALUE,
		    "VN %u: bum=\"group\" and a <group> go together", vn->vni);
	return 0;
}

/* What both kinds of <group> have. Groups are not kept: there is no key server that reads them. */
static int
group_common(struct doc *d)
{
	char id[ID_MAX];
	struct addr a;
	int r;

	if ((r = doc_addr(d, "address", &a)) != 0)
		return r;
	if (!addr_is_multicast(&a))
		return doc_fail(d, ERR_VALUE, "<group> needs a multicast address");
	if ((r = doc_id(d, "suite", id)) != 0)
		return r;
	if (doc_suite(d, id) == NULL)
		return ERR_VALUE;
	if ((r = doc_id(d, "key-server", id)) != 0)
		return r;
	return doc_ref(d, id, ROLE_KEY_SERVER);
}

int
element_start_vn_group(struct doc *d)
{
	d->has_group = true;
	return group_common(d);
}

int
element_start_group(struct doc *d)
{
	char id[ID_MAX];
	uint64_t port;
	int r;

	if ((r = doc_id(d, "id", id)) != 0 ||
	    (r = doc_number(d, "port", 1, UINT16_MAX, &port)) != 0)
		return r;
	if ((r = hash_add(d->groups, bytes_str(id), d)) == ERR_EXISTS)
		return doc_fail(d, ERR_VALUE, "group \"%s\" is there already", id);
	if (r != 0)
		return doc_fail(d, r, "out of memory");
	return group_common(d);
}
