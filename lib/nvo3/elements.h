/* SPDX-License-Identifier: ISC */
/*
 * Taking in single elements: start handlers read the attributes, end handlers the text and what the
 * children left. Each returns 0 or an error that it has noted with doc_fail().
 */
#ifndef NVO3_ELEMENTS_H
#define NVO3_ELEMENTS_H

#include "nvo3/doc.h"

int element_start_suite(struct doc *);
int element_start_channel(struct doc *);
int element_start_vn(struct doc *);
int element_end_vn(struct doc *);
int element_start_vn_group(struct doc *);
int element_start_group(struct doc *);
int element_start_node(struct doc *);
int element_end_node(struct doc *);
int element_end_identity(struct doc *);
int element_start_underlay(struct doc *);
int element_end_underlay(struct doc *);
int element_start_vn_ref(struct doc *);
int element_start_attached(struct doc *);

#endif
