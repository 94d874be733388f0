/* SPDX-License-Identifier: ISC */
/* What the unit tests of lib/shell share. */
#ifndef TESTS_UNIT_SHELL_SUPPORT_H
#define TESTS_UNIT_SHELL_SUPPORT_H

#include "base_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shell/loop.h"

/* Nothing that these tests wait for takes longer, even on a machine that is busy with others. */
#define PATIENCE_MS 20000

/* Turns the loop until the condition holds. */
#define WAIT_FOR(loop, condition) \
	do { \
		int64_t until_ = loop_now(loop) + PATIENCE_MS; \
		while (!(condition)) { \
			assert_true(loop_now(loop) < until_); \
			assert_int_equal(loop_step((loop), 100), OK); \
		} \
	} while (0)

#endif
