/* SPDX-License-Identifier: ISC */
#include "pcap-backend/options.h"

#include <stdio.h>

int
option_number(const char *text, uint64_t lo, uint64_t hi, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] < '0' || text[i] > '9' || i > 18)
			return ERR_VALUE;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	if (i == 0 || v < lo || v > hi)
		return ERR_VALUE;
	*out = v;
	return OK;
}

int
option_bool(const char *text, bool *out)
{
	*out = strcmp(text, "yes") == 0;
	return *out || strcmp(text, "no") == 0 ? OK : ERR_VALUE;
}

static int
set_ifname(char to[static IF_NAMESIZE], const char *value)
{
	size_t n = strlen(value);

	if (n == 0 || n >= IF_NAMESIZE)
		return ERR_VALUE;
	memcpy(to, value, n + 1);
	return OK;
}

static int
set_wire(struct options *o, const char *value)
{
	return set_ifname(o->wire, value);
}

static int
set_local(struct options *o, const char *value)
{
	char one[ADDR_STRLEN];

	while (*value != '\0') {
		const char *p = value + strspn(value, " ,");
		size_t n = strcspn(p, " ,");

		if (n == 0)
			break;
		if (n >= sizeof one || o->n_local == ADDRS_MAX)
			return ERR_VALUE;
		memcpy(one, p, n);
		one[n] = '\0';
		if (addr_parse(&o->local[o->n_local], one) != OK ||
		    addr_is_unspecified(&o->local[o->n_local]) ||
		    addr_is_multicast(&o->local[o->n_local]))
			return ERR_VALUE;
		o->n_local++;
		value = p + n;
	}
	return o->n_local != 0 ? OK : ERR_VALUE;
}

static int
set_port(uint16_t *port, const char *value)
{
	uint64_t n;

	if (option_number(value, 1, 65535, &n) != OK)
		return ERR_VALUE;
	*port = (uint16_t)n;
	return OK;
}

static int
set_vxlan_port(struct options *o, const char *value)
{
	return set_port(&o->dp.vxlan_port, value);
}

static int
set_natt_port(struct options *o, const char *value)
{
	return set_port(&o->dp.natt_port, value);
}

static int
set_mac_limit(struct options *o, const char *value)
{
	uint64_t n;

	if (option_number(value, 1, 1u << 20, &n) != OK)
		return ERR_VALUE;
	o->dp.mac_limit = (uint32_t)n;
	return OK;
}

static int
set_mac_age(struct options *o, const char *value)
{
	uint64_t n;

	if (option_number(value, 1, 86400, &n) != OK)
		return ERR_VALUE;
	o->dp.mac_age_ms = (int64_t)n * 1000;
	return OK;
}

static int
set_inner_vlan(struct options *o, const char *value)
{
	o->dp.keep_vlan = strcmp(value, "keep") == 0;
	return o->dp.keep_vlan || strcmp(value, "strip") == 0 ? OK : ERR_VALUE;
}

static int
set_no_vni_check(struct options *o, const char *value)
{
	return option_bool(value, &o->dp.unsafe_no_vni_check);
}

static int
set_no_replay_check(struct options *o, const char *value)
{
	return option_bool(value, &o->dp.unsafe_no_replay_check);
}

static const struct option_row {
	const char *name;
	int (*set)(struct options *, const char *);
	const char *want;
} rows[] = {
	{ "wire", set_wire, "give the name of the underlay interface" },
	{ "local", set_local, "give up to 8 unicast addresses, separated by commas" },
	{ "vxlan-port", set_vxlan_port, "give a UDP port" },
	{ "natt-port", set_natt_port, "give a UDP port" },
	{ "mac-limit", set_mac_limit, "give a number of 1 to 1048576" },
	{ "mac-age", set_mac_age, "give seconds, 1 to 86400" },
	{ "inner-vlan", set_inner_vlan, "say strip or keep" },
	{ "unsafe-no-vni-check", set_no_vni_check, "say yes or no" },
	{ "unsafe-no-replay-check", set_no_replay_check, "say yes or no" },
};

/* tenant.VNI=INTERFACE */
static int
set_tenant(struct options *o, const char *vni, const char *value)
{
	struct tenant_option *t = &o->tenants[o->n_tenants];
	uint64_t n;
	size_t i;

	if (o->n_tenants == OPTIONS_TENANTS_MAX || option_number(vni, 1, VNI_MAX, &n) != OK ||
	    set_ifname(t->ifname, value) != OK)
		return ERR_VALUE;
	t->vni = (uint32_t)n;
	for (i = 0; i < o->n_tenants; i++)
		if (o->tenants[i].vni == t->vni || strcmp(o->tenants[i].ifname, t->ifname) == 0)
			return ERR_EXISTS;
	o->n_tenants++;
	return OK;
}

static int
read_one(struct options *o, const char *name, const char *value, char why[static OPTIONS_WHY])
{
	static const char tenant[] = "tenant.";
	size_t i;
	int r;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (rows[i].set(o, value) == OK)
			return OK;
		(void)snprintf(why, OPTIONS_WHY, "%s = %s: %s", name, value, rows[i].want);
		return ERR_VALUE;
	}
	if (strncmp(name, tenant, sizeof tenant - 1) != 0) {
		(void)snprintf(why, OPTIONS_WHY, "%s: pcap-backend has no such option; see "
		    "pcap-backend(8)", name);
		return ERR_VALUE;
	}
	if ((r = set_tenant(o, name + sizeof tenant - 1, value)) == OK)
		return OK;
	(void)snprintf(why, OPTIONS_WHY, "%s = %s: %s", name, value, r == ERR_EXISTS ?
	    "VNI or interface is named twice" :
	    "give tenant.VNI = INTERFACE, VNI 1 to 16777215, at most 250 of them");
	return ERR_VALUE;
}

int
options_read(struct options *o, const char *const *list, char why[static OPTIONS_WHY])
{
	char name[64];

	memset(o, 0, sizeof *o);
	dp_config_defaults(&o->dp);
	for (; *list != NULL; list++) {
		const char *eq = strchr(*list, '=');
		size_t n = eq == NULL ? 0 : (size_t)(eq - *list);

		if (n == 0 || n >= sizeof name) {
			(void)snprintf(why, OPTIONS_WHY, "%.100s: give options as key=value", *list);
			return ERR_VALUE;
		}
		memcpy(name, *list, n);
		name[n] = '\0';
		if (read_one(o, name, eq + 1, why) != OK)
			return ERR_VALUE;
	}
	if (o->wire[0] == '\0') {
		(void)snprintf(why, OPTIONS_WHY, "wire is missing: name the underlay interface, "
		    "as in wire = eth0");
		return ERR_VALUE;
	}
	return OK;
}
