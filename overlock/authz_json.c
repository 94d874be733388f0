/* SPDX-License-Identifier: ISC */
/*
 * An authorization document as JSON. jansson's "o" takes a value over and fails on NULL, so that
 * running out of memory anywhere gives NULL at the end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "nvo3/value.h"
#include "overlock/authz_int.h"

/* Appends; a NULL item empties the array's owner of it, too. */
static json_t *
append(json_t *array, json_t *item)
{
	if (array != NULL && json_array_append_new(array, item) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *
time_json(int64_t t)
{
	char buf[CMD_TIME_STRLEN];

	return t == 0 ? json_null() : json_string(cmd_time(buf, t));
}

static json_t *
esp_json(const struct esp_transform *esp)
{
	char buf[48];
	const char *name = esp_transform_name(esp, buf);

	return name != NULL ? json_string(name) : json_null();
}

static json_t *
signers_json(const struct nvo3_document *d)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < d->n_signers; i++)
		all = append(all, json_pack("{s:s, s:o, s:o}", "identity", d->signers[i].identity,
		    "signed_at", time_json(d->signers[i].signed_at),
		    "not_after", time_json(d->signers[i].not_after)));
	return all;
}

static json_t *
suites_json(const struct nvo3_table *t)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < t->n_suites; i++)
		all = append(all, json_pack("{s:s, s:o, s:s?, s:i}", "id", t->suites[i].id,
		    "esp", esp_json(&t->suites[i].esp), "ke", value_name(words_ke, t->suites[i].ke),
		    "lifetime_s", (int)t->suites[i].lifetime_s));
	return all;
}

static json_t *
channels_json(const struct nvo3_table *t)
{
	const struct nvo3_channel *c;
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < t->n_channels; i++) {
		c = &t->channels[i];
		all = append(all, json_pack("{s:s, s:[s,s], s:s, s:s, s:i, s:s, s:o, s:i}",
		    "id", c->ch.id, "between", role_name(c->between[0]), role_name(c->between[1]),
		    "level", value_name(words_level, c->ch.level),
		    "protocol", value_name(words_protocol, c->ch.proto), "port", (int)c->ch.port,
		    "mode", value_name(words_mode, c->ch.mode), "esp", esp_json(&c->ch.esp),
		    "lifetime_s", (int)c->ch.lifetime_s));
	}
	return all;
}

static json_t *
vns_json(const struct nvo3_table *t)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < t->n_vns; i++)
		all = append(all, json_pack("{s:i, s:s, s:s, s:s, s:s}", "vni", (int)t->vns[i].vni,
		    "name", t->vns[i].name, "keys", value_name(words_keys, t->vns[i].keys),
		    "suite", t->vns[i].suite, "bum", value_name(words_bum, t->vns[i].bum)));
	return all;
}

static json_t *
addr_json(const struct addr *a)
{
	char buf[ADDR_STRLEN];

	return addr_len(a) == 0 ? json_null() : json_string(addr_str(a, buf));
}

static json_t *
node_json(const struct nvo3_node *n)
{
	json_t *ids = json_array(), *at = json_array(), *vnis = json_array(), *nves = json_array();
	size_t i;

	for (i = 0; i < n->n_identities; i++)
		ids = append(ids, json_string(n->identities[i]));
	for (i = 0; i < n->n_underlay; i++)
		at = append(at, json_pack("{s:o, s:o}", "address", addr_json(&n->underlay[i]),
		    "outside", addr_json(&n->outside[i])));
	for (i = 0; i < n->n_vnis; i++)
		vnis = append(vnis, json_integer(n->vnis[i]));
	for (i = 0; i < n->n_attached; i++)
		nves = append(nves, json_string(n->attached[i]));
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id", n->id, "role", role_name(n->role),
	    "identities", ids, "underlay", at, "vnis", vnis, "attached", nves);
}

static json_t *
nodes_json(const struct nvo3_table *t)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < t->n_nodes; i++)
		all = append(all, node_json(&t->nodes[i]));
	return all;
}

json_t *
authz_to_json(const struct nvo3_document *d, int64_t now)
{
	const struct nvo3_table *t = d->table;

	return json_pack("{s:i, s:b, s:o, s:s, s:I, s:I, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o}",
	    "schema_version", CMD_JSON_VERSION, "verified", d->n_signers > 0, "signers",
	    signers_json(d), "nva", t->nva, "epoch", (json_int_t)t->epoch, "serial",
	    (json_int_t)t->serial, "issued", time_json(t->issued), "expires", time_json(t->expires),
	    "state", authz_state(t, now), "enforcement",
	    value_name(words_enforcement, t->enforcement), "suites", suites_json(t), "channels",
	    channels_json(t), "virtual_networks", vns_json(t), "nodes", nodes_json(t));
}

int
authz_print_json(const char *name, json_t *j)
{
	char *text = j != NULL ? json_dumps(j, JSON_INDENT(2)) : NULL;

	json_decref(j);
	if (text == NULL)
		return cmd_fail(name, CMD_FAILED, "out of memory");
	puts(text);
	free(text);
	return cmd_flush(name);
}
