/* SPDX-License-Identifier: ISC */
/* An authorization document in words. */
#include <stdio.h>

#include "nvo3/value.h"
#include "overlock/authz_int.h"

const char *
authz_state(const struct nvo3_table *t, int64_t now)
{
	return now >= t->expires ? "expired" : now < t->issued ? "not valid yet" : "valid";
}

static void
print_head(const struct nvo3_document *d, int64_t now)
{
	static const char *const enforcement[] = {
		[ENFORCE_OBSERVE] = "observe (not there yet: taken as require)",
		[ENFORCE_PREFER] = "prefer (not there yet: taken as require)",
		[ENFORCE_REQUIRE] = "require (what has no SA is dropped)",
	};
	const struct nvo3_table *t = d->table;
	char a[CMD_TIME_STRLEN], b[CMD_TIME_STRLEN];
	size_t i;

	printf("authorization by %s, epoch %u serial %llu\n", t->nva, t->epoch,
	    (unsigned long long)t->serial);
	printf("  %s: issued %s, expires %s\n", authz_state(t, now), cmd_time(a, t->issued),
	    cmd_time(b, t->expires));
	printf("  enforcement %s\n", enforcement[t->enforcement]);
	if (d->n_signers == 0)
		printf("  NOT SIGNED, or not verified\n");
	for (i = 0; i < d->n_signers; i++)
		printf("  signed by %s at %s, certificate until %s\n", d->signers[i].identity,
		    d->signers[i].signed_at != 0 ? cmd_time(a, d->signers[i].signed_at) : "?",
		    cmd_time(b, d->signers[i].not_after));
}

static void
print_channels(const struct nvo3_table *t)
{
	const struct nvo3_channel *c;
	char esp[48], port[16];
	const char *name;
	size_t i;

	printf("\n%zu channel%s\n", t->n_channels, t->n_channels == 1 ? "" : "s");
	for (i = 0; i < t->n_channels; i++) {
		c = &t->channels[i];
		port[0] = '\0';
		if (c->ch.proto != 0)
			snprintf(port, sizeof port, "/%u", c->ch.port);
		name = esp_transform_name(&c->ch.esp, esp);
		printf("  %-12s %s - %s: %s, %s%s, %s mode, %s, %u s\n", c->ch.id,
		    role_name(c->between[0]), role_name(c->between[1]),
		    value_name(words_level, c->ch.level), value_name(words_protocol, c->ch.proto),
		    port, value_name(words_mode, c->ch.mode), name != NULL ? name : "?",
		    c->ch.lifetime_s);
	}
}

static void
print_vns(const struct nvo3_table *t)
{
	const struct nvo3_vn *vn;
	size_t i;

	printf("\n%zu virtual network%s\n", t->n_vns, t->n_vns == 1 ? "" : "s");
	for (i = 0; i < t->n_vns; i++) {
		vn = &t->vns[i];
		printf("  %-8u %-16s keys per %s%s%s, BUM %s\n", vn->vni, vn->name,
		    vn->keys == VN_KEYS_VN ? "VN" : "pair of nodes",
		    vn->suite[0] != '\0' ? ", suite " : "", vn->suite,
		    vn->bum == VN_BUM_GROUP ? "by multicast group" : "replicated to each peer");
	}
}

static void
print_node(const struct nvo3_node *n)
{
	char a[ADDR_STRLEN];
	size_t i;

	printf("  %-12s %s\n", n->id, role_name(n->role));
	for (i = 0; i < n->n_identities; i++)
		printf("    %s\n", n->identities[i]);
	for (i = 0; i < n->n_underlay; i++) {
		printf("    at %s", addr_str(&n->underlay[i], a));
		if (addr_len(&n->outside[i]) != 0)
			printf(", seen from outside as %s", addr_str(&n->outside[i], a));
		printf("\n");
	}
	if (n->n_vnis > 0)
		printf("    in VN");
	for (i = 0; i < n->n_vnis; i++)
		printf(" %u", n->vnis[i]);
	if (n->n_vnis > 0)
		printf("\n");
	for (i = 0; i < n->n_attached; i++)
		printf("    attached to %s\n", n->attached[i]);
}

void
authz_print(const struct nvo3_document *d, int64_t now)
{
	const struct nvo3_table *t = d->table;
	size_t i;

	print_head(d, now);
	print_channels(t);
	print_vns(t);
	printf("\n%zu node%s\n", t->n_nodes, t->n_nodes == 1 ? "" : "s");
	for (i = 0; i < t->n_nodes; i++)
		print_node(&t->nodes[i]);
}
