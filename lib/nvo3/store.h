/* SPDX-License-Identifier: ISC */
/*
 * What the state directory keeps: the last good document as it came (authorization.cms) and the
 * highest epoch and serial that was ever accepted (authorization.serial), so that a replayed older
 * one is known as such even when the document itself is lost.
 */
#ifndef NVO3_STORE_H
#define NVO3_STORE_H

#include "base/bytes.h"
#include "crypto/crypto.h"

struct store_mark {
	uint32_t epoch;
	uint64_t serial;
	uint8_t content[SHA256_LEN];     /* hash of the XML */
};

/* Below zero, zero, above zero: older than, same numbers as, newer than. */
int store_mark_cmp(const struct store_mark *, const struct store_mark *);

/* 0; ERR_NOTFOUND when nothing was ever accepted; ERR_SYNTAX when the file is damaged; ERR_IO. */
int store_mark_read(const char *dir, struct store_mark *, char why[static 256]);
/* The document; ERR_NOTFOUND, ERR_SPACE, ERR_IO ... */
int store_document_read(const char *dir, size_t max, struct blob *, char why[static 256]);
/*
 * Keep document and mark, each by write, fsync, rename and fsync of the directory; the document
 * first, so that the mark is never that of a document which was not kept. What is there already
 * is not written again.
 */
int store_write(const char *dir, const struct store_mark *, struct bytes document,
    char why[static 256]);

#endif
