/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/options.h"

#include <stdio.h>

static int
number(const char *text, size_t n, uint64_t lo, uint64_t hi, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || i > 18)
			return ERR_VALUE;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	if (n == 0 || v < lo || v > hi)
		return ERR_VALUE;
	*out = v;
	return OK;
}

static int
number32(uint32_t *to, const char *value, uint64_t lo, uint64_t hi)
{
	uint64_t v;

	if (number(value, strlen(value), lo, hi, &v) != OK)
		return ERR_VALUE;
	*to = (uint32_t)v;
	return OK;
}

static int
set_vxlan_port(struct options *o, const char *value)
{
	o->n_vxlan_ports = 0;
	while (*(value += strspn(value, " ,")) != '\0') {
		size_t n = strcspn(value, " ,");
		uint64_t port;

		if (o->n_vxlan_ports == OPTIONS_PORTS_MAX || number(value, n, 1, 65535, &port) != OK)
			return ERR_VALUE;
		o->vxlan_ports[o->n_vxlan_ports++] = (uint16_t)port;
		value += n;
	}
	return o->n_vxlan_ports == 0 ? ERR_VALUE : OK;
}

static int
set_port(uint16_t *to, const char *value)
{
	uint32_t port;

	if (number32(&port, value, 1, 65535) != OK)
		return ERR_VALUE;
	*to = (uint16_t)port;
	return OK;
}

static int
set_ike_port(struct options *o, const char *value)
{
	return set_port(&o->ike_port, value);
}

static int
set_natt_port(struct options *o, const char *value)
{
	return set_port(&o->natt_port, value);
}

static int
set_reqid_base(struct options *o, const char *value)
{
	return number32(&o->reqid_base, value, 1, UINT32_MAX - REQIDS);
}

static int
set_priority(struct options *o, const char *value)
{
	return number32(&o->priority, value, 1, UINT32_MAX - PRIORITIES - 1);
}

static int
set_block_priority(struct options *o, const char *value)
{
	return number32(&o->block_priority, value, PRIORITIES + 2, UINT32_MAX);
}

static int
set_reconcile(struct options *o, const char *value)
{
	return number32(&o->reconcile_s, value, 1, 3600);
}

static int
set_table(struct options *o, const char *value)
{
	size_t i, n = strlen(value);

	if (n == 0 || n >= sizeof o->table)
		return ERR_VALUE;
	for (i = 0; i < n; i++) {
		char c = value[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
			return ERR_VALUE;
	}
	memcpy(o->table, value, n + 1);
	return OK;
}

static const struct row {
	const char *key;
	int (*set)(struct options *, const char *);
	const char *want;
} rows[] = {
	{ "vxlan-port", set_vxlan_port, "give up to 16 UDP ports, as in 4789,8472" },
	{ "ike-port", set_ike_port, "give the port of [ike] port, 1 to 65535" },
	{ "natt-port", set_natt_port, "give the port of [ike] natt-port, 1 to 65535" },
	{ "reqid-base", set_reqid_base, "give a number of 1 to 4293918719: the first of 1048576 reqids" },
	{ "priority", set_priority, "give a number of 1 to 4294967291" },
	{ "block-priority", set_block_priority, "give a number of 5 to 4294967295" },
	{ "reconcile", set_reconcile, "give seconds, 1 to 3600" },
	{ "table", set_table, "give a name of at most 31 letters, digits, _ and -" },
};

static int
set(struct options *o, const char *text, char why[static OPTIONS_WHY])
{
	const char *eq = strchr(text, '=');
	size_t i, n = eq == NULL ? strlen(text) : (size_t)(eq - text);

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strlen(rows[i].key) != n || strncmp(rows[i].key, text, n) != 0)
			continue;
		if (eq != NULL && rows[i].set(o, eq + 1) == OK)
			return OK;
		(void)snprintf(why, OPTIONS_WHY, "%s: '%.60s' can't be: %s", rows[i].key,
		    eq == NULL ? "" : eq + 1, rows[i].want);
		return ERR_VALUE;
	}
	(void)snprintf(why, OPTIONS_WHY, "%.*s: xfrm-backend has no such option: remove it; "
	    "xfrm-backend(8) lists them", (int)(n > 60 ? 60 : n), text);
	return ERR_VALUE;
}

bool
options_have_port(const struct options *o, uint16_t port)
{
	size_t i;

	for (i = 0; i < o->n_vxlan_ports; i++)
		if (o->vxlan_ports[i] == port)
			return true;
	return false;
}

int
options_read(struct options *o, const char *const *list, char why[static OPTIONS_WHY])
{
	int r;

	*o = (struct options){ .vxlan_ports = { 4789 }, .n_vxlan_ports = 1, .ike_port = 500,
	    .natt_port = 4500, .reqid_base = 0x4f560000, .priority = 1000, .block_priority = 50000,
	    .reconcile_s = 30, .table = "overlock" };
	for (; *list != NULL; list++)
		if ((r = set(o, *list, why)) != OK)
			return r;
	if (o->block_priority <= o->priority + PRIORITIES) {
		(void)snprintf(why, OPTIONS_WHY, "block-priority: %u must be a larger number than "
		    "priority, %u, and the %u after it: the kernel looks at the smallest first",
		    o->block_priority, o->priority, PRIORITIES);
		return ERR_VALUE;
	}
	if (options_have_port(o, o->ike_port) || options_have_port(o, o->natt_port)) {
		(void)snprintf(why, OPTIONS_WHY, "vxlan-port: IKE's ports can't be protected: give "
		    "VXLAN another one than %u and %u", o->ike_port, o->natt_port);
		return ERR_VALUE;
	}
	return OK;
}
