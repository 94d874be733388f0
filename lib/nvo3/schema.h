/* SPDX-License-Identifier: ISC */
/* What the reader of documents needs to know of a compiled schema. */
#ifndef NVO3_SCHEMA_H
#define NVO3_SCHEMA_H

#include <libxml/relaxng.h>

#include "nvo3/authz.h"

struct nvo3_schema {
	xmlRelaxNGPtr rng;               /* only read after it was compiled */
};

#endif
