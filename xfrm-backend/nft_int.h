/* SPDX-License-Identifier: ISC */
/* What the files behind nft.h share. */
#ifndef XFRM_NFT_INT_H
#define XFRM_NFT_INT_H

#include "xfrm-backend/nft_elem.h"
#include "xfrm-backend/nft_msg.h"

struct nft {
	const char *table;
	struct nl *nl;
	uint8_t seed[16];            /* of hash tables */
	uint8_t *buf;                /* NFT_ELEMS_ROOM octets: one message */
};

/* What a request is about; no: which counter, set, chain or rule, or which element of a caller's list. */
enum nft_about { NFT_ABOUT_BATCH = 0, NFT_ABOUT_TABLE, NFT_ABOUT_COUNTER, NFT_ABOUT_SET, NFT_ABOUT_CHAIN,
	NFT_ABOUT_RULE, NFT_ABOUT_ELEMS, NFT_ABOUT_DEL };

/*
 * Words for an error of the kernel's (positive errno; text: its own words or "") about an object of
 * our table, and the code that nft.h promises for it.
 */
int nft_explain(const struct nft *, enum nft_about, uint32_t no, int err, const char *text,
    char why[static NL_WHY]);

/*
 * A dump, errors in words: 0, ERR_AGAIN (others changed their tables all the while), ERR_NOTFOUND
 * (there is no such thing), or as nft_explain(). each() returns 0 to go on.
 */
int nft_dump(struct nft *, struct nlmsghdr *request, enum nft_about, uint32_t no,
    int (*each)(void *arg, const struct nlmsghdr *), void *arg, char why[static NL_WHY]);

/* A batch: requests that are done together or not at all. */
struct nft_note {
	uint8_t about;
	bool missing;                /* of NFT_ABOUT_DEL: the element to be deleted is not there */
	uint32_t no;
};
struct nft_batch {
	struct nft *nft;
	struct nft_note *notes;      /* by number of the request */
	size_t n, cap;
	int r;                       /* of the first request that could not be added */
	int err;                     /* the kernel's first error, positive, and whose it is */
	size_t culprit;
	char text[NL_WHY];
};
/* Begins a batch in *b; whoever began it calls nft_batch_free(). Errors come out of nft_batch_run(). */
void nft_batch_start(struct nft_batch *b, struct nft *);
/* h: NULL counts as out of memory. */
void nft_batch_add(struct nft_batch *, const struct nlmsghdr *h, enum nft_about, uint32_t no);
/*
 * Sends it. 0: all of it is done; else nothing is (unless the kernel's answers were lost), and *why
 * says the reason. An NFT_ABOUT_DEL of
 * something missing is marked so in its note; when nothing else is wrong, ERR_AGAIN: once more without
 * these.
 */
int nft_batch_run(struct nft_batch *, char why[static NL_WHY]);
/* Instead of that: nothing is done. */
void nft_batch_drop(struct nft_batch *);
void nft_batch_free(struct nft_batch *);

#endif
