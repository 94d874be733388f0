/* SPDX-License-Identifier: ISC */
/*
 * The processes of ikev2d, one function each: the whole life of the process after it was started,
 * with descriptor 3 connected to the parent. Each returns the exit status. See docs/DESIGN.md
 * section 3 for what each may and may not do.
 */
#ifndef IKEV2D_ROLES_H
#define IKEV2D_ROLES_H

#include "backend/ipc.h"

int engine_main(void);           /* every network byte, the IKE state machines */
int keys_main(void);             /* the private key: signs */
int trust_main(void);            /* certificates: verifies */
int authz_main(void);            /* the NVA document: decides, grants */
int control_main(void);          /* the control socket */

struct process_role {
	enum proc_id id;
	const char *name;
	uint32_t links;          /* 1 << enum proc_id */
	int (*main)(void);       /* NULL: another program */
};

extern const struct process_role roles[];
extern const size_t n_roles;

#endif
