/* SPDX-License-Identifier: ISC */
/*
 * One proposal of ours as the list of its transforms: the form in which it is written, chosen from
 * and checked against, for IKE SAs and Child SAs alike. Inside lib/ike only.
 */
#ifndef IKE_PROPOSAL_LIST_H
#define IKE_PROPOSAL_LIST_H

#include "ike/proposal.h"

#define LIST_MAX 64              /* a bit set of a list fits 64 bits */

struct transform_list {
	uint8_t protocol;
	size_t n;
	struct {
		uint8_t type;
		uint16_t id;
		uint16_t key_bits;       /* 0 = without the attribute */
	} t[LIST_MAX];               /* by type, each in order of preference */
};

/* Without room the transform is left out. */
void list_add(struct transform_list *, uint8_t type, uint16_t id, uint16_t key_bits);
void list_of_suite(struct transform_list *, const struct ike_suite *);
/*
 * The proposal that starts with transform *i of the offer; *i is moved to the start of the next one.
 * False when there is no more.
 */
bool list_of_esp(struct transform_list *, const struct esp_offer *, size_t *i);
/* The list has a transform of this type. */
bool list_has_type(const struct transform_list *, uint8_t type);

#endif
