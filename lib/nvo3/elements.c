/* SPDX-License-Identifier: ISC */
/* The elements of the format, and <authorization> itself. */
#include "nvo3/elements.h"

static int
start_authorization(struct doc *d)
{
	struct nvo3_table *t = d->t;
	unsigned enforcement = ENFORCE_REQUIRE;
	const char *nva;
	uint64_t epoch;
	int r;

	if ((nva = doc_attr(d, "nva")) == NULL || *nva == '\0' || strlen(nva) >= sizeof t->nva)
		return doc_fail(d, ERR_VALUE,
		    "<authorization> needs nva=\"...\", the NVA's name, of at "
		    "most %zu octets",
		    sizeof t->nva - 1);
	memcpy(t->nva, nva, strlen(nva) + 1);
	if ((r = doc_number(d, "epoch", 0, UINT32_MAX, &epoch)) != 0 ||
	    (r = doc_number(d, "serial", 1, INT64_MAX, &t->serial)) != 0 ||
	    (r = doc_time(d, "issued", &t->issued)) != 0 ||
	    (r = doc_time(d, "expires", &t->expires)) != 0)
		return r;
	if (doc_attr(d, "enforcement") != NULL &&
	    (r = doc_word(d, "enforcement", words_enforcement, &enforcement)) != 0)
		return r;
	if (t->expires <= t->issued)
		return doc_fail(d, ERR_VALUE, "expires is not later than issued");
	t->epoch = (uint32_t)epoch;
	t->enforcement = (enum enforcement)enforcement;
	return 0;
}

enum { E_AUTHORIZATION, E_SUITES, E_CHANNELS, E_VNS, E_GROUPS, E_NODES, E_VN, E_NODE };

const struct doc_element doc_elements[] = {
	[E_AUTHORIZATION] = { "authorization", -1, "nva epoch serial issued expires enforcement",
	    false, start_authorization, NULL },
	[E_SUITES] = { "suites", E_AUTHORIZATION, "", false, NULL, NULL },
	[E_CHANNELS] = { "channels", E_AUTHORIZATION, "", false, NULL, NULL },
	[E_VNS] = { "virtual-networks", E_AUTHORIZATION, "", false, NULL, NULL },
	[E_GROUPS] = { "groups", E_AUTHORIZATION, "", false, NULL, NULL },
	[E_NODES] = { "nodes", E_AUTHORIZATION, "", false, NULL, NULL },
	[E_VN] = { "vn", E_VNS, "id name keys suite bum", false, element_start_vn, element_end_vn },
	[E_NODE] = { "node", E_NODES, "id role", false, element_start_node, element_end_node },
	{ "suite", E_SUITES, "id esp ke lifetime", false, element_start_suite, NULL },
	{ "channel", E_CHANNELS, "id between level suite protocol port mode", false,
	    element_start_channel, NULL },
	{ "group", E_VN, "address key-server senders suite", false, element_start_vn_group, NULL },
	{ "group", E_GROUPS, "id level address protocol port key-server suite senders members",
	    false, element_start_group, NULL },
	{ "identity", E_NODE, "", true, NULL, element_end_identity },
	{ "underlay", E_NODE, "outside", true, element_start_underlay, element_end_underlay },
	{ "vn", E_NODE, "ref group", false, element_start_vn_ref, NULL },
	{ "attached", E_NODE, "nve", false, element_start_attached, NULL },
};

int
doc_element_find(int parent, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof doc_elements / sizeof doc_elements[0]; i++)
		if (doc_elements[i].parent == parent && strcmp(doc_elements[i].name, name) == 0)
			return (int)i;
	return -1;
}
