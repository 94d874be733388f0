/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "overlock/ctl.h"

static const char help[] =
    "usage: overlock status [--json] [-s SOCKET | -c FILE]\n"
    "\n"
    "How the ikev2d of this host is: its processes, the NVA's document, alarms, and each peer\n"
    "with the reason why its last attempt failed.\n"
    "\n"
    "  -j, --json         everything, for programs\n"
    "  -s, --socket PATH  control socket of ikev2d\n"
    "  -c, --config FILE  take the socket from this configuration\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit status: 0 told, 1 ikev2d can't be asked, 2 wrong usage.\n";

static void
print_processes(const json_t *root)
{
	const json_t *p;
	size_t i;

	(void)printf("processes ");
	json_array_foreach(json_object_get(root, "processes"), i, p) {
		(void)printf("%s%s %lld", i == 0 ? " " : ", ", ctl_word(p, "name"),
		    (long long)ctl_number(p, "pid"));
		if (!ctl_true(p, "ready"))
			(void)printf(" (not running)");
		else if (ctl_number(p, "restarts") > 0)
			(void)printf(" (restarted %lld times)", (long long)ctl_number(p, "restarts"));
	}
	(void)putchar('\n');
	json_array_foreach(json_object_get(root, "processes"), i, p)
		if (*ctl_word(p, "not_dropped") != '\0')
			(void)printf("           %s could not drop: %s\n", ctl_word(p, "name"),
			    ctl_word(p, "not_dropped"));
	json_array_foreach(json_object_get(root, "not_answering"), i, p)
		(void)printf("           %s does not answer\n", json_string_value(p));
}

static void
print_document(const json_t *root)
{
	const json_t *d = json_object_get(root, "document"), *a;
	size_t i;

	if (ctl_true(d, "loaded")) {
		(void)printf("document   serial %lld, epoch %lld of %s, signed by %s, %lld nodes, "
		    "enforcement %s\n", (long long)ctl_number(d, "serial"),
		    (long long)ctl_number(d, "epoch"), ctl_word(d, "nva"), ctl_word(d, "signer"),
		    (long long)ctl_number(d, "nodes"), ctl_word(d, "enforcement"));
		(void)printf("           issued %s, expires %s\n", ctl_word(d, "issued"),
		    ctl_word(d, "expires"));
	} else {
		(void)printf("document   none yet: nobody is admitted\n");
	}
	if (*ctl_word(d, "fetched") != '\0')
		(void)printf("           fetched %s from %s\n", ctl_word(d, "fetched"),
		    ctl_word(d, "url"));
	else
		(void)printf("           not fetched since the start from %s\n", ctl_word(d, "url"));
	json_array_foreach(json_object_get(root, "alarms"), i, a)
		(void)printf("ALARM      since %s: %s\n", ctl_word(a, "since"), ctl_word(a, "text"));
}

static void
child_words(const json_t *peer, char *to, size_t cap)
{
	const json_t *child;
	size_t i, n = 0;

	to[0] = '\0';
	json_array_foreach(json_object_get(peer, "child_sas"), i, child) {
		n += (size_t)snprintf(to + n, cap - n, "%s%s %s", i == 0 ? "" : ", ",
		    ctl_word(child, "channel"), ctl_word(child, "suite"));
		if (n >= cap)
			return;
	}
}

static void
print_peers(const json_t *root)
{
	static const char *const head[] = {
		"NODE", "ADDRESS", "STATE", "SINCE", "IDENTITY", "IKE SUITE", "CHILD SAs",
	};
	const json_t *peers = json_object_get(root, "peers"), *p, *sa;
	char age[CTL_AGE_STRLEN], children[256];
	struct ctl_table t;
	size_t i, up = 0;

	ctl_table_begin(&t, sizeof head / sizeof head[0], head);
	json_array_foreach(peers, i, p) {
		sa = json_object_get(p, "ike_sa");
		up += ctl_true(p, "up");
		child_words(p, children, sizeof children);
		ctl_table_cell(&t, ctl_word(p, "node"));
		ctl_table_cell(&t, ctl_word(p, "address"));
		ctl_table_cell(&t, ctl_true(p, "up") ? "up" : json_is_object(sa) ?
		    ctl_word(sa, "state") : ctl_true(p, "initiate") ? "down" : "waiting for it");
		ctl_table_cell(&t, json_is_object(sa) ? ctl_age(age, ctl_number(sa, "age_s")) : "");
		ctl_table_cell(&t, ctl_word(sa, "identity"));
		ctl_table_cell(&t, ctl_word(sa, "suite"));
		ctl_table_cell(&t, children);
	}
	(void)printf("peers      %zu of %zu up\n\n", up, json_array_size(peers));
	ctl_table_end(&t);
	json_array_foreach(peers, i, p)
		if (*ctl_word(p, "failure") != '\0')
			(void)printf("%s: last failure %s: %s\n", ctl_word(p, "node"),
			    ctl_word(p, "failed_at"), ctl_word(p, "failure"));
}

static void
print_status(const json_t *root)
{
	char age[CTL_AGE_STRLEN];

	(void)printf("node       %s, ikev2d %s, up %s\n", ctl_word(root, "node"),
	    ctl_word(root, "version"), ctl_age(age, ctl_number(root, "uptime_s")));
	print_processes(root);
	print_document(root);
	print_peers(root);
}

int
cmd_status(int argc, char **argv)
{
	return ctl_show(argc, argv, "status", help, print_status);
}
