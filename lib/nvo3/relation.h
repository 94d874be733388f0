/* SPDX-License-Identifier: ISC */
/* What two nodes of a table have in common: roles, attachment, VNs. For the decision and the
 * policies. */
#ifndef NVO3_RELATION_H
#define NVO3_RELATION_H

#include "nvo3/authz.h"

/* The channel is one between these two roles, whichever comes first. */
bool relation_roles(const struct nvo3_channel *, enum role, enum role);
/* An NVE and a hypervisor need an <attached>; every other pair is fine as it is. */
bool relation_attached(const struct nvo3_node *, const struct nvo3_node *);
bool relation_in_vn(const struct nvo3_node *, uint32_t vni);
/* NULL if the document has no such VN. */
const struct nvo3_vn *relation_vn(const struct nvo3_table *, uint32_t vni);
/* Of the node's VNs those with keys="pair": sorted, into out[n_vnis]; returns how many. */
size_t relation_pair_vnis(const struct nvo3_table *, const struct nvo3_node *, uint32_t *out);
/* Of the sorted VNs those that the node is in: sorted, into out[n]; returns how many. */
size_t relation_shared(const uint32_t *vnis, size_t n, const struct nvo3_node *, uint32_t *out);

#endif
