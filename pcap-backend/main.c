/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcap-backend/offline.h"
#include "pcap-backend/ops.h"
#include "pcap-backend/options.h"

#define EXIT_USAGE 2

static const char help[] =
    "Usage: pcap-backend KEY=VALUE...                 started by a daemon\n"
    "       pcap-backend --check KEY=VALUE...         judges these options only\n"
    "       pcap-backend --offline --keys FILE --read FILE --write FILE [OPTION]...\n"
    "\n"
    "The userspace data plane of Overlock: VXLAN tunnel endpoint with ESP, on libpcap.\n"
    "With --offline it works on pcap files and needs no privilege.\n"
    "\n"
    "  --keys FILE            SAs and their keys\n"
    "  --read FILE            capture to read\n"
    "  --write FILE           capture to write\n"
    "  --encapsulate          tenant frames to ESP packets\n"
    "  --decapsulate          ESP packets to tenant frames\n"
    "                         (neither: decapsulate if the first packet is ESP for an SA)\n"
    "  --vni N                VN of the frames; with --decapsulate: only this one\n"
    "  --peer ADDRESS         SA to use, by its dst, where the keys file has several\n"
    "  --src-mac, --dst-mac   Ethernet addresses of the packets written\n"
    "  --natt-port PORT       UDP port of ESP in UDP (4500)\n"
    "  --vxlan-port PORT      UDP port of VXLAN in the clear, which is not accepted (4789)\n"
    "  --keep-vlan            inner VLAN tags stay\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done; 1 no packet came out; 2 bad usage, bad file or bad configuration.\n"
    "Options of the daemon's [backend] section and the keys file: pcap-backend(8).\n";

/* For `overlock check`. */
static int
check_options(int argc, char **argv)
{
	static struct options o;
	char why[OPTIONS_WHY] = "";
	const char **list = calloc((size_t)argc, sizeof *list);
	int64_t orphan_ms;
	int r;

	if (list == NULL)
		return EXIT_FAILURE;
	log_setup(pcap_ops.name, LOG_INFO_);
	if ((r = backend_options(pcap_ops.name, argc - 1, argv + 1, list, &orphan_ms, why)) == OK)
		r = options_read(&o, list, why);
	free(list);
	if (r != OK)
		(void)fprintf(stderr, "%s\n", why);
	return r == OK ? EXIT_SUCCESS : EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return fputs(help, stdout) < 0;
		if (strcmp(argv[i], "--version") == 0)
			return printf("pcap-backend %s\n", OVERLOCK_VERSION) < 0;
	}
	if (argc > 1 && strcmp(argv[1], "--check") == 0)
		return check_options(argc, argv);
	if (argc > 1 && argv[1][0] == '-')
		return offline_main(argc, argv);
	return backend_main(&pcap_ops, argc, argv);
}
