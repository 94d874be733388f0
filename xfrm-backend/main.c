/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm-backend/probe.h"
#include "xfrm-backend/state.h"

#define EXIT_USAGE 2

static const char help[] =
    "Usage: xfrm-backend [KEY=VALUE]...           started by a daemon\n"
    "       xfrm-backend --check [KEY=VALUE]...   what the running kernel lacks\n"
    "       xfrm-backend --block [KEY=VALUE]...   blocks plaintext VXLAN, then ends\n"
    "       xfrm-backend --remove [KEY=VALUE]...  removes all that is Overlock's\n"
    "\n"
    "The kernel data plane of Overlock: ESP by Linux xfrm, and an nf_tables table that\n"
    "checks the VNI of every packet against the sender's grant. VXLAN devices stay as\n"
    "they are.\n"
    "\n"
    "--block is for the boot, before the network is up: policies and table that let no\n"
    "plaintext in or out, also while no daemon runs. Both stay until --remove, before\n"
    "which the daemon is to be ended: it restores what is taken away. Give both the keys\n"
    "that are in [backend] of ikev2d.conf.\n"
    "\n"
    "  vxlan-port=PORT[,PORT]...  UDP ports of VXLAN (4789)\n"
    "  reqid-base=N               first of the 1048576 reqids that are ours\n"
    "  priority=N                 of the policies per peer (1000)\n"
    "  block-priority=N           of the policies that block (50000)\n"
    "  table=NAME                 nf_tables table, family inet (overlock)\n"
    "  reconcile=SECONDS          between full comparisons with the kernel (30)\n"
    "  ike-port=PORT              IKE's port (500)\n"
    "  natt-port=PORT             IKE's NAT traversal port (4500)\n"
    "  orphan-deadline=SECONDS    how long SAs outlive the process that asked for them (60)\n"
    "  log-level=LEVEL            error, warn, info or debug (info)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done; 1 the kernel refused; 2 bad usage or bad configuration.\n"
    "All of it: xfrm-backend(8).\n";

static int
read_list(struct options *o, int argc, char **argv)
{
	char why[OPTIONS_WHY] = "";
	const char **list = calloc((size_t)argc, sizeof *list);
	int64_t orphan_ms;
	int r;

	if (list == NULL)
		return ERR_NOMEM;
	if ((r = backend_options(xfrm_ops.name, argc - 1, argv + 1, list, &orphan_ms, why)) == OK)
		r = options_read(o, list, why);
	free(list);
	if (r != OK)
		(void)fprintf(stderr, "%s\n", why);
	return r;
}

static int
check(const struct options *o)
{
	/* Options are right; what the kernel lacks is told in lines, not in the status. */
	(void)probe_all(o);
	return EXIT_SUCCESS;
}

static int
act(int (*action)(const struct options *, char *), const struct options *o)
{
	char why[OPTIONS_WHY] = "";

	if (action(o, why) == OK)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "xfrm-backend: %s\n", why);
	return EXIT_FAILURE;
}

static int
block(const struct options *o)
{
	return act(backend_block, o);
}

static int
unblock(const struct options *o)
{
	return act(backend_remove, o);
}

static const struct form {
	const char *name;
	int (*run)(const struct options *);
} forms[] = {
	{ "--check", check },
	{ "--block", block },
	{ "--remove", unblock },
};

int
main(int argc, char **argv)
{
	struct options o;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return fputs(help, stdout) < 0;
		if (strcmp(argv[i], "--version") == 0)
			return printf("xfrm-backend %s\n", OVERLOCK_VERSION) < 0;
	}
	if (argc < 2 || argv[1][0] != '-')
		return backend_main(&xfrm_ops, argc, argv);
	log_setup(xfrm_ops.name, LOG_INFO_);
	for (i = 0; i < (int)(sizeof forms / sizeof forms[0]); i++)
		if (strcmp(argv[1], forms[i].name) == 0)
			return read_list(&o, argc, argv) != OK ? EXIT_USAGE : forms[i].run(&o);
	(void)fprintf(stderr, "xfrm-backend: %s: no such option; see --help\n", argv[1]);
	return EXIT_USAGE;
}
