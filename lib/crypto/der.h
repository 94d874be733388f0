/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto only: strict DER elements on the cursor reader. X.690. */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "base/rd.h"
#include "base/wr.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT_0_BITS = 0x80,   /* implicit, primitive */
	DER_CONTEXT_1_BITS = 0x81,
	DER_CONTEXT_2_BITS = 0x82,
	DER_CONTEXT_0 = 0xa0,        /* and constructed: + 1, + 2 ... for the next */
};

/* Initializer of a struct bytes: the content of an OBJECT IDENTIFIER. */
#define OID(...) { (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) }

/* Is the next element one with this identifier octet? Nothing is consumed. */
bool der_next_is(const struct rd *, uint8_t tag);
/* Content of the next element, borrowed. Another tag, an indefinite, overlong or too large length
 * makes the reader bad. */
struct bytes der_take(struct rd *, uint8_t tag);
/* The next element, whatever it is. */
void der_skip(struct rd *);
/* As der_take(), with its header. */
struct bytes der_take_whole(struct rd *, uint8_t tag);
/* Content of an INTEGER or of an OBJECT IDENTIFIER in its shortest form. */
struct bytes der_integer(struct rd *);
struct bytes der_oid(struct rd *);
/* A reader over the content of the next element. */
struct rd der_open(struct rd *, uint8_t tag);
/* A non-negative INTEGER without leading zero octet (empty for 0). */
struct bytes der_unsigned(struct rd *);
/* A small one; larger values make the reader bad. */
uint32_t der_u16(struct rd *);
/* Content of a BIT STRING of whole octets. */
struct bytes der_bits(struct rd *);
/* A UTCTime or GeneralizedTime as seconds since 1970. RFC 5280 section 4.1.2.5: always with
 * seconds and in UTC. */
int64_t der_time(struct rd *);
/* Append an INTEGER of these unsigned octets. At most 126 of them. */
void der_put_unsigned(struct wr *, struct bytes);

#endif
