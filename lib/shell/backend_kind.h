/* SPDX-License-Identifier: ISC */
/* What the daemon and its command know of a backend before it runs, by the name of its program. */
#ifndef SHELL_BACKEND_KIND_H
#define SHELL_BACKEND_KIND_H

#include "shell/config.h"

struct backend_kind {
	const char *program;     /* its file name, without folders */
	unsigned caps;           /* enum sandbox_cap: what it keeps, and the parent for it; nothing else */
	bool kernel;             /* keys go into the kernel, for its own VXLAN devices: no wire, no tenants */
};

/* Never NULL: a program of another name is taken for one that moves packets itself. Static. */
const struct backend_kind *backend_kind(const struct config *);

#endif
