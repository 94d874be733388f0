/* SPDX-License-Identifier: ISC */
/* What the tests of the wire half of lib/ike share. */
#ifndef TESTS_UNIT_IKE_SUPPORT_H
#define TESTS_UNIT_IKE_SUPPORT_H

#include "base_support.h"

#include <stdlib.h>

#include "crypto/crypto.h"
#include "ike/msg.h"
#include "ike/out.h"

#define OCTETS_MAX 4096

struct octets {
	uint8_t p[OCTETS_MAX];
	size_t n;
};

static inline struct bytes
view(const struct octets *o)
{
	return bytes_of(o->p, o->n);
}

static inline unsigned
hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* From lower-case hexadecimal digits; blanks are for the reader. */
static inline struct octets
hex(const char *text)
{
	struct octets o = { .n = 0 };

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		assert_true(o.n < OCTETS_MAX && text[1] != '\0');
		o.p[o.n++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text++;
	}
	return o;
}

/* first, first + 1, ... */
static inline struct octets
counted(uint8_t first, size_t n)
{
	struct octets o = { .n = n };
	size_t i;

	assert_true(n <= OCTETS_MAX);
	for (i = 0; i < n; i++)
		o.p[i] = (uint8_t)(first + i);
	return o;
}

static inline void
assert_octets(struct bytes got, struct bytes want)
{
	assert_int_equal(got.n, want.n);
	if (want.n != 0)
		assert_memory_equal(got.p, want.p, want.n);
}

static inline void
assert_hex(struct bytes got, const char *want)
{
	struct octets o = hex(want);

	assert_octets(got, view(&o));
}

static inline struct ike_header
test_header(uint8_t exchange, uint8_t flags, uint32_t message_id)
{
	struct ike_header h = {
		.spi_i = UINT64_C(0x0102030405060708), .spi_r = UINT64_C(0x1112131415161718),
		.exchange = exchange, .flags = flags, .message_id = message_id,
	};

	return h;
}

/* A message to write payloads into. */
static inline struct ike_out
test_out(void)
{
	struct ike_header h = test_header(EX_INFORMATIONAL, HF_INITIATOR, 7);
	struct ike_out o;

	msg_begin(&o, &h);
	return o;
}

/* Ends the message, keeps its octets and reads them. */
static inline void
finish(struct ike_out *o, struct octets *octets, struct ike_msg *m)
{
	struct blob b = { 0 };

	assert_int_equal(msg_end(o, &b), OK);
	assert_true(b.n <= OCTETS_MAX);
	memcpy(octets->p, b.p, b.n);
	octets->n = b.n;
	blob_free(&b);
	assert_int_equal(msg_read(m, view(octets)), OK);
	assert_null(m->why);
}

/* A message with this one payload, whose body is given. */
static inline void
message_of(struct octets *o, uint8_t type, struct bytes body)
{
	struct ike_out out = test_out();
	struct blob b = { 0 };

	payload_put(&out, type, body);
	assert_int_equal(msg_end(&out, &b), OK);
	assert_true(b.n <= OCTETS_MAX);
	memcpy(o->p, b.p, b.n);
	o->n = b.n;
	blob_free(&b);
}

/*
 * The code that the reader gives for a payload with this body. The copy has no octet to spare behind
 * it, so that the sanitizers see a read past its end.
 */
static inline int
read_body(uint8_t type, struct bytes body)
{
	static struct ike_msg m;
	struct octets o;
	uint8_t *exact;
	int rc;

	message_of(&o, type, body);
	assert_non_null(exact = malloc(o.n));
	memcpy(exact, o.p, o.n);
	rc = msg_read(&m, bytes_of(exact, o.n));
	free(exact);
	if (rc == OK) {
		assert_true(msg_has(&m, type));
	} else {
		assert_int_equal(m.bad, type);
		assert_non_null(m.why);
	}
	return rc;
}

static inline int
read_hex(uint8_t type, const char *text)
{
	struct octets o = hex(text);

	return read_body(type, view(&o));
}

/* Of a body that tells its own length, no proper beginning is good. */
static inline void
assert_prefixes_refused(uint8_t type, const char *text)
{
	struct octets o = hex(text);
	size_t n;

	assert_int_equal(read_body(type, view(&o)), OK);
	for (n = 0; n < o.n; n++)
		assert_int_equal(read_body(type, bytes_of(o.p, n)), ERR_SYNTAX);
}

/* A body that goes on one octet after its end. */
static inline void
assert_trailing_refused(uint8_t type, const char *text)
{
	struct octets o = hex(text);

	o.p[o.n++] = 0;
	assert_int_equal(read_body(type, view(&o)), ERR_SYNTAX);
}

static inline int
crypto_setup(void **state __attribute__((unused)))
{
	return crypto_init();
}

#endif
