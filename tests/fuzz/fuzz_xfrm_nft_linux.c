/* SPDX-License-Identifier: ISC */
/* reads: xfrm-backend/nft_read.c xfrm-backend/nft_same.c xfrm-backend/nft_elem.c */
/* fuzz: -max_len=16384 */
/*
 * One nf_tables message, as the kernel answers, dumps or notifies. It goes to every reader, whatever it
 * says it is. A rule can be the same as one of ours at most; a key that is read is written the same.
 */
#include <stdlib.h>

#include "xfrm-backend/nft_elem.h"
#include "xfrm-backend/nft_msg.h"
#include "xfrm-backend/nft_read.h"
#include "xfrm-backend/nft_same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static union {
	struct nlmsghdr h;
	uint8_t octets[NMSG_MAX];
} rules[NT_RULES];

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	unsigned i;

	(void)argc;
	(void)argv;
	for (i = 0; i < NT_RULES; i++)
		must(nmsg_rule_add(&rules[i], "overlock", i) != NULL);
	return 0;
}

static void
expressions_of(const struct nlmsghdr *h, struct bytes *expressions)
{
	struct nft_read_rule r;
	struct bytes attrs;

	must(nft_open_ours(h, (uint16_t)(h->nlmsg_type & 0xff), "overlock", &attrs) == OK &&
	    nft_read_rule(attrs, &r) == OK);
	*expressions = r.expressions;
}

static void
one_rule(struct bytes attrs)
{
	struct nft_read_rule r;
	struct bytes ours;
	unsigned i, same = 0;

	if (nft_read_rule(attrs, &r) != OK)
		return;
	for (i = 0; i < NT_RULES; i++) {
		expressions_of(&rules[i].h, &ours);
		same += nft_same_expressions(ours, r.expressions);
	}
	must(same <= 1);
	(void)nft_same_expressions(r.expressions, r.expressions);
}

static void
same_key(void *arg, const struct nft_read_elem *e)
{
	const struct bytes *key = arg;

	must(e->plain && bytes_equal(e->key, *key));
}

static void
one_elem(void *arg, const struct nft_read_elem *read)
{
	static union {
		struct nlmsghdr h;
		uint8_t octets[NFT_ELEMS_ROOM];
	} m;
	char text[NFT_ELEM_STRLEN];
	uint8_t octets[NFT_KEY_MAX];
	struct nft_elems list;
	struct nft_elem e;
	struct bytes key, attrs;
	uint8_t set;

	(void)arg;
	must(!read->plain || read->key.n != 0);
	for (set = 0; set < NT_SETS; set++) {
		if (nft_key_read(set, read->key, &e) != OK)
			continue;
		must(strlen(nft_elem_str(&e, text)) < sizeof text);
		if (set == NT_DENIED)
			continue;
		key = bytes_of(octets, nft_key(&e, octets));
		must(bytes_equal(key, read->key));
		nft_elems_start(&list, &m, (uint16_t)(read->packets & 0xff), "overlock", set);
		must(nft_elems_put(&list, key) && list.n == 1);
		must(nft_open_ours(&m.h, (uint16_t)(read->packets & 0xff), "overlock", &attrs) == OK);
		must(nft_read_elems(attrs, same_key, &key) == OK);
		must((nft_elems_dump(&m, "overlock", set)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nft_read_counter counter;
	struct nft_read_chain chain;
	struct nft_read_table table;
	struct nft_read_set set;
	struct nlmsghdr *h;
	struct bytes attrs;
	uint16_t type;
	uint8_t family;
	bool gone;

	/* netlink.h hands over whole messages only: their length is what there is. */
	if (len < sizeof *h || (h = malloc(len)) == NULL)
		return 0;
	memcpy(h, data, len);
	h->nlmsg_len = (uint32_t)len;
	must(nft_read_event(h, "overlock", h->nlmsg_pid + 1, &gone) || !gone);
	must(!nft_read_event(h, "overlock", h->nlmsg_pid, &gone) && !gone);
	if (nft_open_msg(h, &type, &family, &attrs) == OK) {
		(void)nft_open_ours(h, type, "overlock", &attrs);
		(void)nft_read_table(attrs, &table);
		(void)nft_read_chain(attrs, &chain);
		(void)nft_read_set(attrs, &set);
		(void)nft_read_counter(attrs, &counter);
		(void)nft_read_elems(attrs, one_elem, NULL);
		one_rule(attrs);
	}
	free(h);
	return 0;
}
