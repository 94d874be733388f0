/* SPDX-License-Identifier: ISC */
#include "shell/backend_kind.h"

#include "base/sandbox.h"

static const struct backend_kind kinds[] = {
	{ "xfrm-backend", SANDBOX_NET_ADMIN, true },
	{ "pcap-backend", SANDBOX_NET_RAW, false },
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const struct backend_kind *
backend_kind(const struct config *c)
{
	const char *slash = strrchr(c->program, '/');
	const char *name = slash == NULL ? c->program : slash + 1;
	size_t i;

	for (i = 0; i < KINDS - 1; i++)
		if (strcmp(kinds[i].program, name) == 0)
			break;
	return &kinds[i];
}
