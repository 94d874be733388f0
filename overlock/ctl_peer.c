/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "overlock/ctl.h"

static const char help_initiate[] =
    "usage: overlock peer initiate [-s SOCKET | -c FILE] NODE\n"
    "\n"
    "Begin a handshake with this node of the document now, whoever's turn it is.\n"
    "\n"
    "Exit status: 0 begun, 1 no such peer, or ikev2d can't be asked, 2 wrong usage.\n";

static const char help_close[] =
    "usage: overlock peer close [-s SOCKET | -c FILE] NODE\n"
    "\n"
    "Delete the SAs with this node. They come back when a side begins a new handshake: a node\n"
    "that shall stay away has to leave the document.\n"
    "\n"
    "Exit status: 0 begun, 1 no such peer, or ikev2d can't be asked, 2 wrong usage.\n";

static int
run(int argc, char **argv, const char *command, const char *help)
{
	struct ctl_options o = { .name = argv[0], .help = help };
	json_t *root;
	int status, first;

	if ((status = ctl_read_options(&o, argc, argv, &first)) != CMD_OK)
		return status < 0 ? CMD_OK : status;
	if (first + 1 != argc || *argv[first] == '\0') {
		cmd_fail(o.name, CMD_USAGE, "%s", first + 1 < argc ? "one node at a time" : "which node?");
		return cmd_bad_usage(o.name);
	}
	if ((status = ctl_request(&o, command, argv[first], &root)) != CMD_OK)
		return status;
	if (o.json)
		status = ctl_print_json(o.name, root);
	json_decref(root);
	return status;
}

static int
cmd_initiate(int argc, char **argv)
{
	return run(argc, argv, "initiate", help_initiate);
}

static int
cmd_close(int argc, char **argv)
{
	return run(argc, argv, "close", help_close);
}

int
cmd_peer(int argc, char **argv)
{
	static const struct cmd commands[] = {
		{ "initiate", "begin a handshake now", cmd_initiate },
		{ "close", "delete the SAs with a node", cmd_close },
		{ NULL, NULL, NULL },
	};

	return cmd_run(commands, "overlock peer", argc, argv);
}
