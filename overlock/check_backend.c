/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "overlock/check_int.h"
#include "shell/backend_kind.h"

/* With an address that is not ours no ESP gets through, though IKE says that all is well. */
static void
check_local(struct check *c)
{
	const char *p = config_option(c->config, "local");
	char one[ADDR_STRLEN];
	struct addr a;
	size_t n;

	for (; p != NULL && *(p += strspn(p, " ,")) != '\0'; p += n) {
		n = strcspn(p, " ,");
		(void)snprintf(one, sizeof one, "%.*s", (int)n, p);
		if (addr_parse(&a, one) == OK && !check_is_local(&a))
			check_say(c, "fail", "local", "%s:%d: 'local' %s is no address of this host: "
			    "add it to an interface, or correct it", c->config->path,
			    config_blame(c->config, "local"), one);
	}
}

static bool
serves(const struct nvo3_node *node, uint32_t vni)
{
	size_t i;

	for (i = 0; i < node->n_vnis; i++)
		if (node->vnis[i] == vni)
			return true;
	return false;
}

/* Tenants of VNs that the document does not give us: their frames go nowhere. */
static void
check_tenants(struct check *c, const struct nvo3_node *self)
{
	const struct config *cf = c->config;
	size_t i, n = 0, wrong = 0;

	for (i = 0; i < cf->n_options; i++) {
		const char *text = cf->options[i].text;
		unsigned long vni;

		if (strncmp(text, "tenant.", 7) != 0)
			continue;
		n++;
		vni = strtoul(text + 7, NULL, 10);
		if (vni > UINT32_MAX || serves(self, (uint32_t)vni))
			continue;
		wrong++;
		check_say(c, "warn", "tenants", "%s:%d: the document does not have node %s in VN %lu: "
		    "nothing is carried; correct the VNI, or have the document changed", cf->path,
		    cf->options[i].line, self->id, vni);
	}
	if (wrong == 0)
		check_say(c, "ok", "tenants", "%zu here, %zu VNs in the document", n, self->n_vnis);
}

void
check_backend(struct check *c, const char *dir)
{
	const struct nvo3_node *self = c->document.table == NULL ? NULL :
	    nvo3_node_by_id(c->document.table, c->config->node);

	check_program(c, dir);
	check_local(c);
	if (self != NULL && !backend_kind(c->config)->kernel)
		check_tenants(c, self);
}
