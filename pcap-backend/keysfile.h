/* SPDX-License-Identifier: ISC */
/*
 * The keys file of the offline mode: one section [sa] per SA, "name = value" lines, # comments.
 * pcap-backend(8) describes it.
 */
#ifndef PCAP_KEYSFILE_H
#define PCAP_KEYSFILE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/sa.h"

#define KEYSFILE_SAS_MAX 4096
#define KEYSFILE_VNS_MAX 256        /* VNs of one SA */
#define KEYSFILE_WHY     160

struct keyed_sa {
	struct sa_params sa;            /* direction not set; grant and pair: 1, 2, 3 ... */
	char node[ID_MAX];              /* "sa-1" where the file names none */
	uint32_t vnis[KEYSFILE_VNS_MAX];   /* ascending */
	uint32_t n_vnis;
	uint16_t port;                  /* of VXLAN */
	uint64_t seq;                   /* first number to send, or expected; 1 where not given */
};

struct keysfile {
	struct keyed_sa *sas;
	size_t n;
};

/*
 * Read the text of a keys file. 0; ERR_SYNTAX, ERR_VALUE, ERR_SPACE or ERR_NOMEM, with the line and
 * what is wrong there. Nothing is kept then.
 */
int keysfile_read(struct keysfile *, struct bytes text, unsigned *line, char why[static KEYSFILE_WHY]);
/* Wipes the keys. */
void keysfile_free(struct keysfile *);

#endif
