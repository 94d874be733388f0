/* SPDX-License-Identifier: ISC */
/* What the unit tests of lib/base share. */
#ifndef TESTS_UNIT_BASE_SUPPORT_H
#define TESTS_UNIT_BASE_SUPPORT_H

/* cmocka needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"

#define TEST(name) static void name(void **state __attribute__((unused)))
#define COUNT(a)   (sizeof (a) / sizeof (a)[0])

/* xorshift64*: the same numbers in every run. The state must not be 0. */
static inline uint64_t
test_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline struct addr
test_addr(const char *text)
{
	struct addr a = { 0 };

	assert_int_equal(addr_parse(&a, text), OK);
	return a;
}

#endif
