/* SPDX-License-Identifier: ISC */
#include "ikev2d/roles.h"

#define LINK(proc) (1u << (proc))

/* In the order in which they are started: who is asked before who asks. */
const struct process_role roles[] = {
	{ PROC_BACKEND, "backend", 0, NULL },
	{ PROC_KEYS, "keys", 0, keys_main },
	{ PROC_TRUST, "trust", LINK(PROC_AUTHZ), trust_main },
	{ PROC_AUTHZ, "authz", LINK(PROC_BACKEND), authz_main },
	{ PROC_ENGINE, "engine", LINK(PROC_BACKEND) | LINK(PROC_KEYS) | LINK(PROC_TRUST) |
	    LINK(PROC_AUTHZ), engine_main },
	{ PROC_CONTROL, "control", LINK(PROC_ENGINE) | LINK(PROC_AUTHZ) | LINK(PROC_BACKEND),
	    control_main },
};
const size_t n_roles = sizeof roles / sizeof roles[0];
