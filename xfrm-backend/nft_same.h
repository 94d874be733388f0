/* SPDX-License-Identifier: ISC */
/* Do messages of the kernel say what ours said? Pure. */
#ifndef XFRM_NFT_SAME_H
#define XFRM_NFT_SAME_H

#include "base/bytes.h"

/*
 * Two lists of expressions (NFTA_RULE_EXPRESSIONS): ours as nmsg_rule_add() wrote it, theirs as a dump
 * tells it. The order of expressions counts, that of an expression's attributes does not; an
 * attribute that is missing equals one of zeros, since the kernel tells defaults that nobody set.
 * Whatever else the kernel tells is a difference, and so is what is malformed.
 */
bool nft_same_expressions(struct bytes ours, struct bytes theirs);

#endif
