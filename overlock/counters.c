/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "overlock/ctl.h"

static const char help[] =
    "usage: overlock counters [--json] [-s SOCKET | -c FILE]\n"
    "\n"
    "What the engine and the backend have counted since they were started: datagrams, handshakes,\n"
    "packets, and drops by reason, some by peer and VNI. Those that are zero are left out, but\n"
    "for --json.\n"
    "\n"
    "  -j, --json         all of them, for programs\n"
    "  -s, --socket PATH  control socket of ikev2d\n"
    "  -c, --config FILE  take the socket from this configuration\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit status: 0 told, 1 ikev2d can't be asked, 2 wrong usage.\n";

static void
print_counters(const json_t *root)
{
	static const char *const head[] = { "COUNTER", "PEER", "VNI", "VALUE" };
	const json_t *c;
	struct ctl_table t;
	const char *name;
	json_t *value;
	size_t i;

	ctl_table_begin(&t, sizeof head / sizeof head[0], head);
	json_object_foreach(json_object_get(root, "engine"), name, value) {
		if (json_integer_value(value) == 0)
			continue;
		ctl_table_cell(&t, name);
		ctl_table_cell(&t, "");
		ctl_table_cell(&t, "");
		ctl_table_number(&t, json_integer_value(value));
	}
	json_array_foreach(json_object_get(root, "backend"), i, c) {
		if (ctl_number(c, "value") == 0)
			continue;
		ctl_table_cell(&t, ctl_word(c, "name"));
		ctl_table_cell(&t, ctl_word(c, "node"));
		if (ctl_number(c, "vni") != 0)
			ctl_table_number(&t, ctl_number(c, "vni"));
		else
			ctl_table_cell(&t, "");
		ctl_table_number(&t, ctl_number(c, "value"));
	}
	ctl_table_end(&t);
}

int
cmd_counters(int argc, char **argv)
{
	return ctl_show(argc, argv, "counters", help, print_counters);
}
