/* SPDX-License-Identifier: ISC */
/*
 * Log lines: level, then who and what, in one line. The sink is set once per process. What a peer
 * can cause goes through log_peer(), a token bucket, so that it cannot fill the disk; suppressed
 * lines are counted and named in the next one let through. Keys are never printable types.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/bytes.h"

enum log_level { LOG_ERROR_ = 1, LOG_WARN_, LOG_INFO_, LOG_DEBUG_ };

/* Zero-initialised = full. */
struct log_bucket {
	int64_t refilled_ms;
	uint32_t spent;       /* tokens taken and not yet earned back */
	uint64_t suppressed;
};

typedef void (*log_sink)(void *arg, enum log_level, const char *line);

/* Name of this process ("ikev2d[engine]"), least level shown. Default sink: stderr, with UTC. */
void log_setup(const char *name, enum log_level max);
void log_set_sink(log_sink, void *arg);
/*
 * For a process with a loop: from now on lines less urgent than a warning wait, in up to 4 KiB, for
 * log_flush() or for a more urgent one. Default sink only.
 */
void log_hold(void);
void log_flush(void);
enum log_level log_max(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* At most 1 line a second with bursts of 10 per bucket, as warnings. now_ms: monotonic. */
void log_peer(struct log_bucket *, int64_t now_ms, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Replaces control and non-ASCII octets by '?', for what a peer chose. The buffer is returned. */
const char *log_safe(char *buf, size_t cap, struct bytes);
/* "2026-11-22T10:00:00.123Z" from ms since 1970; "?" outside the years 1970 to 9999. */
#define LOG_TIME_STRLEN 40
const char *log_time(char buf[static LOG_TIME_STRLEN], int64_t unix_ms);

#endif
