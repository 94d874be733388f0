/* SPDX-License-Identifier: ISC */
/*
 * The parent process: binds the sockets, makes the folders, starts the processes of roles.h and the
 * backend, and keeps nothing else: it parses nothing that comes from the network.
 */
#ifndef IKEV2D_PARENT_H
#define IKEV2D_PARENT_H

#include "base/bytes.h"
#include "shell/config.h"

struct parent_setup {
	struct config *config;
	struct bytes text;               /* of the configuration file, as it was read */
	const char *self;                /* absolute path of this program */
	bool debug;
};

/* Runs until a signal or a failed start ends it. The exit status. */
int parent_main(const struct parent_setup *);

#endif
