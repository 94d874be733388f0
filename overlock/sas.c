/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "overlock/ctl.h"

static const char help[] =
    "usage: overlock sas [--json] [-s SOCKET | -c FILE]\n"
    "\n"
    "The Child SAs of this host, a line for each direction, as the backend has them: SPI, suite,\n"
    "mode, packets and octets, the grant that each stands on, and its age.\n"
    "\n"
    "  -j, --json         everything, with drop counters and the IKE SAs\n"
    "  -s, --socket PATH  control socket of ikev2d\n"
    "  -c, --config FILE  take the socket from this configuration\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit status: 0 told, 1 ikev2d can't be asked, 2 wrong usage.\n";

static void
print_sas(const json_t *root)
{
	static const char *const head[] = {
		"PEER", "DIR", "SPI", "FROM", "TO", "CHANNEL", "SUITE", "MODE", "PACKETS", "OCTETS",
		"GRANT", "AGE",
	};
	const json_t *sa;
	char age[CTL_AGE_STRLEN], mode[32], channel[96];
	struct ctl_table t;
	size_t i;

	ctl_table_begin(&t, sizeof head / sizeof head[0], head);
	json_array_foreach(json_object_get(root, "sas"), i, sa) {
		(void)snprintf(mode, sizeof mode, "%s%s", ctl_word(sa, "mode"),
		    ctl_true(sa, "encap") ? " in UDP" : "");
		(void)snprintf(channel, sizeof channel, "%s", ctl_word(sa, "channel"));
		if (ctl_number(sa, "vni") != 0)
			(void)snprintf(channel, sizeof channel, "%.64s vni %lld",
			    ctl_word(sa, "channel"), (long long)ctl_number(sa, "vni"));
		ctl_table_cell(&t, ctl_word(sa, "node"));
		ctl_table_cell(&t, ctl_word(sa, "direction"));
		ctl_table_cell(&t, ctl_word(sa, "spi"));
		ctl_table_cell(&t, ctl_word(sa, "src"));
		ctl_table_cell(&t, ctl_word(sa, "dst"));
		ctl_table_cell(&t, channel);
		ctl_table_cell(&t, ctl_word(sa, "suite"));
		ctl_table_cell(&t, mode);
		ctl_table_number(&t, ctl_number(sa, "packets"));
		ctl_table_number(&t, ctl_number(sa, "bytes"));
		ctl_table_number(&t, ctl_number(sa, "grant"));
		ctl_table_cell(&t, ctl_age(age, ctl_number(sa, "age_s")));
	}
	ctl_table_end(&t);
}

int
cmd_sas(int argc, char **argv)
{
	return ctl_show(argc, argv, "sas", help, print_sas);
}
