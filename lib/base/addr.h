/* SPDX-License-Identifier: ISC */
/* Internet addresses as plain data: no struct sockaddr outside lib/shell and the backends. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/rd.h"
#include "base/wr.h"

enum addr_family { AF_NONE_ = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
	uint8_t family;       /* enum addr_family; AF_NONE_ = unset */
	uint8_t a[16];        /* network order; 4 octets used for v4, the rest zero */
};

struct endpoint {
	struct addr addr;
	uint16_t port;        /* host order */
};

#define ADDR_STRLEN     46
#define ENDPOINT_STRLEN 56

size_t addr_len(const struct addr *);             /* 4, 16, or 0 if unset */
struct bytes addr_bytes(const struct addr *);     /* borrowed */
bool addr_equal(const struct addr *, const struct addr *);
bool endpoint_equal(const struct endpoint *, const struct endpoint *);
int addr_cmp(const struct addr *, const struct addr *);   /* total order: family, then octets */
bool addr_is_multicast(const struct addr *);
bool addr_is_unspecified(const struct addr *);
/* From 4 or 16 octets; any other length gives ERR_VALUE. */
int addr_from_bytes(struct addr *, struct bytes);
/* Textual form, RFC 5952 for v6; no port, no brackets, no zone. 0 or ERR_VALUE. */
int addr_parse(struct addr *, const char *);
/* Text into the caller's buffer (borrowed, returned for use in a log call). */
const char *addr_str(const struct addr *, char buf[static ADDR_STRLEN]);
/* "192.0.2.1:500" / "[2001:db8::1]:500". */
const char *endpoint_str(const struct endpoint *, char buf[static ENDPOINT_STRLEN]);
uint32_t addr_hash(const struct addr *, uint32_t seed);

/* Wire form used between our own processes: family, octets. */
void wr_addr(struct wr *, const struct addr *);
struct addr rd_addr(struct rd *);
void wr_endpoint(struct wr *, const struct endpoint *);
struct endpoint rd_endpoint(struct rd *);

#endif
