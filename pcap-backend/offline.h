/* SPDX-License-Identifier: ISC */
/*
 * The data plane on pcap files: tenant frames to ESP packets and back, without any privilege. One
 * packet at a time, so that files may be of any size.
 */
#ifndef PCAP_OFFLINE_H
#define PCAP_OFFLINE_H

#include <stdio.h>

#include "pcap-backend/dp.h"
#include "pcap-backend/keysfile.h"

#define OFFLINE_WHY 256

enum offline_what { OFFLINE_GUESS = 0, OFFLINE_ENCAPSULATE, OFFLINE_DECAPSULATE };

struct offline {
	enum offline_what what;      /* guess: by the first packet; what it was is written back */
	uint32_t vni;                /* encapsulate: VN of the frames; else: deliver this one only. 0: not said */
	struct addr peer;            /* encapsulate: destination; unset: the only SA */
	uint8_t src_mac[MAC_LEN], dst_mac[MAC_LEN];   /* of the packets written */
	struct dp_config dp;
	/* results */
	uint64_t packets_read, packets_written;
};

/*
 * Run `in` through the SAs of `keys` into `out`; both files are closed. *dp holds the counters
 * afterwards, and is the caller's to free in any case. 0; ERR_SYNTAX: `in` is no good capture;
 * ERR_VALUE: peer or VNI can't be; ERR_IO. *why then says more.
 */
int offline_run(struct offline *, struct dp *, const struct keysfile *keys, FILE *in, FILE *out,
    char why[static OFFLINE_WHY]);

/* The command: pcap-backend --offline ... Exit status 0; 1 nothing came out; 2 bad usage or file. */
int offline_main(int argc, char **argv);

#endif
