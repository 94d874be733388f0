/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>

#include "overlock/cmd.h"

/* One line for each command, in the order in which they are listed. */
static const struct cmd commands[] = {
	{ "status", "how this host's ikev2d and its peers are", cmd_status },
	{ "sas", "the Child SAs with their counters", cmd_sas },
	{ "counters", "what engine and backend have counted", cmd_counters },
	{ "check", "what would keep ikev2d from working", cmd_check },
	{ "peer", "begin or end the SAs with a node", cmd_peer },
	{ "authz", "sign, verify and show authorization documents", cmd_authz },
	{ "lab", "make a lab: PKI, document and configurations", cmd_lab },
	{ NULL, NULL, NULL },
};

int
main(int argc, char **argv)
{
	/* A closed pipe is an error of write() that is told, not a silent death. */
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		puts("overlock " OVERLOCK_VERSION);
		return cmd_flush("overlock");
	}
	return cmd_run(commands, "overlock", argc, argv);
}
