/* SPDX-License-Identifier: ISC */
/* What a lab is made of: options, then files (lab_files.c), then texts (lab_text.c). */
#ifndef OVERLOCK_LAB_INT_H
#define OVERLOCK_LAB_INT_H

#include "base/sa.h"
#include "crypto/sign.h"
#include "overlock/cmd.h"

#define LAB_NODES_MAX 20000
#define LAB_VNS_MAX   256

struct lab {
	const char *name;                /* "overlock lab init" */
	char dir[1024];                  /* absolute */
	unsigned nodes;
	uint32_t vnis[LAB_VNS_MAX];
	size_t n_vnis;
	struct addr underlay;            /* network address */
	unsigned prefix;
	const char *domain;
	char url[1200];
	const char *url_host; /* of https: as an identity, "dns:..." or "ip:..."; else NULL */
	enum key_type key;               /* of the devices */
	bool kernel;                     /* xfrm-backend instead of pcap-backend */
	bool force;
	int64_t now;
};

/* Underlay address of node k, from 1. False when the network is too small. */
bool lab_address(const struct lab *, unsigned k, struct addr *);

/* Texts, appended to the writer. */
void lab_document(const struct lab *, struct wr *);
void lab_configuration(const struct lab *, unsigned k, struct wr *);

/* Make all files. The exit status; complaints are told. */
int lab_make(const struct lab *);

#endif
