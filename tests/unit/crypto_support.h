/* SPDX-License-Identifier: ISC */
/* What the unit tests of lib/crypto share. */
#ifndef TESTS_UNIT_CRYPTO_SUPPORT_H
#define TESTS_UNIT_CRYPTO_SUPPORT_H

#include "base_support.h"

#include <stdlib.h>

#include "crypto/crypto.h"

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

static inline uint8_t
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	c = (char)(c | 0x20);
	assert_true(c >= 'a' && c <= 'f');
	return (uint8_t)(c - 'a' + 10);
}

/* From hexadecimal digits; blanks are for the reader. */
static inline struct octets
hex(const char *text)
{
	struct octets o = { .n = 0 };

	while (*text != '\0') {
		if (*text == ' ') {
			text++;
			continue;
		}
		assert_true(o.n < OCTETS_MAX);
		o.p[o.n++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		text += 2;
	}
	return o;
}

/* n octets, all the same. */
static inline struct octets
repeated(uint8_t value, size_t n)
{
	struct octets o = { .n = n };

	assert_true(n <= OCTETS_MAX);
	memset(o.p, value, n);
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

static inline struct octets
text(const char *s)
{
	struct octets o = { .n = strlen(s) };

	assert_true(o.n <= OCTETS_MAX);
	memcpy(o.p, s, o.n);
	return o;
}

static inline void
assert_octets(struct bytes got, const char *wanted)
{
	struct octets w = hex(wanted);

	assert_int_equal(got.n, w.n);
	assert_memory_equal(got.p, w.p, w.n);
}

static int
crypto_setup(void **state)
{
	(void)state;
	return crypto_init();
}

static int
crypto_teardown(void **state)
{
	(void)state;
	crypto_cleanup();
	return 0;
}

#endif
