/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xfrm-backend/probe.h"
#include "xfrm-backend/state.h"

#define EXIT_USAGE 2

static const char help[] =
    "Usage: xfrm-backend KEY=VALUE...             started by a daemon\n"
    "       xfrm-backend --check KEY=VALUE...     what the running kernel lacks\n"
    "       xfrm-backend --block [KEY=VALUE]...   blocks plaintext VXLAN, then ends\n"
    "       xfrm-backend --remove [KEY=VALUE]...  removes all that is Overlock's\n"
    "\n"
    "The kernel data plane of Overlock: ESP by Linux xfrm, and an nf_tables table that\n"
    "checks the VNI of every packet against the sender's grant. VXLAN devices stay as\n"
    "they are.\n"
    "\n"
    "--block is for the boot, before the network is up: policies and table that let no\n"
    "plaintext in or out, also while no daemon runs. Both stay until --remove.\n"
    "\n"
    "  vxlan-port=PORT[,PORT]...  UDP ports of VXLAN (4789)\n"
    "  reqid-base=N               first of the 1048576 reqids that are ours\n"
    "  priority=N                 of the policies per peer (1000)\n"
    "  block-priority=N           of the policies that block (50000)\n"
    "  table=NAME                 nf_tables table, family inet (overlock)\n"
    "  reconcile=SECONDS          between full comparisons with the kernel (30)\n"
    "  ike-port=PORT              IKE's port (500)\n"
    "  natt-port=PORT             IKE's NAT traversal port (4500)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done; 1 the kernel refused; 2 bad usage or bad configuration.\n"
    "All of it: xfrm-backend(8).\n";

/* What backend_main() takes out is left out here, too. */
static int
read_list(struct options *o, int argc, char **argv)
{
	char why[OPTIONS_WHY] = "";
	const char **list = calloc((size_t)argc, sizeof *list);
	size_t n = 0;
	int i, r;

	if (list == NULL)
		return ERR_NOMEM;
	for (i = 2; i < argc; i++)
		if (strncmp(argv[i], "orphan-deadline=", 16) != 0 &&
		    strncmp(argv[i], "log-level=", 10) != 0)
			list[n++] = argv[i];
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
	if (read_list(&o, argc, argv) != OK)
		return EXIT_USAGE;
	log_setup("xfrm-backend", LOG_INFO_);
	if (strcmp(argv[1], "--check") == 0)
		return check(&o);
	if (strcmp(argv[1], "--block") == 0)
		return act(backend_block, &o);
	if (strcmp(argv[1], "--remove") == 0)
		return act(backend_remove, &o);
	(void)fprintf(stderr, "xfrm-backend: %s: no such option; see --help\n", argv[1]);
	return EXIT_USAGE;
}
