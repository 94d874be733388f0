/* SPDX-License-Identifier: ISC */
/*
 * Stateless cookies of the responder, RFC 7296 section 2.6: version | HMAC-SHA2-256(secret, Ni |
 * IPi | port | SPIi). The secret changes every cookie_rotate_ms; the one before stays valid for as
 * long again.
 */
#ifndef IKE_COOKIE_H
#define IKE_COOKIE_H

#include "base/addr.h"
#include "base/bytes.h"

struct ike;

#define COOKIE_LEN 33
#define COOKIE_SECRET_LEN 32

struct cookies {
	struct secret current, previous; /* empty until needed, or expired */
	uint8_t version;                 /* of the current one */
	int64_t since_ms;                /* when the current one was drawn */
};

void cookies_free(struct cookies *);
/* 0 or what the random callback or the PRF returned. */
int cookie_make(struct ike *, const struct endpoint *from, uint64_t spi_i, struct bytes ni,
    uint8_t out[static COOKIE_LEN]);
/* Made by us, for this source, SPI and nonce, within the last two periods. */
bool cookie_valid(struct ike *, const struct endpoint *from, uint64_t spi_i, struct bytes ni,
    struct bytes cookie);

#endif
