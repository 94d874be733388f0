/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_ 1024
#define BURST     10u
#define REFILL_MS 1000
#define HELD_MAX  4096u          /* what a pipe takes as a whole, PIPE_BUF */

static void sink_stderr(void *, enum log_level, const char *);

static struct {
	char name[64];
	enum log_level max;
	log_sink sink;
	void *arg;
	bool hold;
	char held[HELD_MAX];
	size_t n_held;
} sink = { .max = LOG_INFO_, .sink = sink_stderr };

static const char *
level_name(enum log_level level)
{
	switch (level) {
	case LOG_ERROR_:
		return "error";
	case LOG_WARN_:
		return "warning";
	case LOG_INFO_:
		return "info";
	case LOG_DEBUG_:
		return "debug";
	}
	return "?";
}

static void
put(const char *p, size_t n)
{
	ssize_t r;

	do {
		r = write(STDERR_FILENO, p, n);
	} while (r < 0 && errno == EINTR);
}

void
log_hold(void)
{
	sink.hold = true;
}

void
log_flush(void)
{
	int saved = errno;

	if (sink.n_held != 0)
		put(sink.held, sink.n_held);
	sink.n_held = 0;
	errno = saved;
}

static void
sink_stderr(void *arg, enum log_level level, const char *line)
{
	char out[LINE_MAX_ + 128], when[LOG_TIME_STRLEN];
	struct timespec ts = { 0 };
	int n, saved = errno;

	(void)arg;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	n = snprintf(out, sizeof out, "%s %s%s%s: %s\n",
	    log_time(when, (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000),
	    sink.name, sink.name[0] == '\0' ? "" : " ", level_name(level), line);
	/* Whole lines in one write, so that those of several processes do not mix. */
	if (sink.n_held + (size_t)n > HELD_MAX || level <= LOG_WARN_)
		log_flush();
	if (sink.hold && level > LOG_WARN_) {
		memcpy(sink.held + sink.n_held, out, (size_t)n);
		sink.n_held += (size_t)n;
	} else {
		put(out, (size_t)n);
	}
	errno = saved;
}

void
log_setup(const char *name, enum log_level max)
{
	(void)snprintf(sink.name, sizeof sink.name, "%s", name);
	sink.max = max;
}

void
log_set_sink(log_sink to, void *arg)
{
	sink.sink = to == NULL ? sink_stderr : to;
	sink.arg = arg;
}

enum log_level
log_max(void)
{
	return sink.max;
}

/* Whatever got into it, a line stays one line. */
static void
scrub(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static void
emit(enum log_level level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_];
	int n, saved = errno;

	if (level > sink.max)
		return;
	n = vsnprintf(line, sizeof line, fmt, ap);
	if (n < 0)
		(void)snprintf(line, sizeof line, "(unprintable)");
	else if ((size_t)n >= sizeof line)
		memcpy(line + sizeof line - 4, "...", 4);
	scrub(line);
	sink.sink(sink.arg, level, line);
	errno = saved;
}

#define EMIT(level) do { \
	va_list ap; \
	va_start(ap, fmt); \
	emit((level), fmt, ap); \
	va_end(ap); \
} while (0)

void
log_error(const char *fmt, ...)
{
	EMIT(LOG_ERROR_);
}

void
log_warn(const char *fmt, ...)
{
	EMIT(LOG_WARN_);
}

void
log_info(const char *fmt, ...)
{
	EMIT(LOG_INFO_);
}

void
log_debug(const char *fmt, ...)
{
	EMIT(LOG_DEBUG_);
}

static bool
bucket_take(struct log_bucket *b, int64_t now_ms)
{
	int64_t earned = now_ms > b->refilled_ms ? (now_ms - b->refilled_ms) / REFILL_MS : 0;

	if (earned >= (int64_t)b->spent) {
		b->spent = 0;
		b->refilled_ms = now_ms;
	} else {
		b->spent -= (uint32_t)earned;
		b->refilled_ms += earned * REFILL_MS;
	}
	if (b->spent >= BURST) {
		b->suppressed++;
		return false;
	}
	b->spent++;
	return true;
}

void
log_peer(struct log_bucket *b, int64_t now_ms, const char *fmt, ...)
{
	char line[LINE_MAX_];
	va_list ap;

	if (LOG_WARN_ > sink.max || !bucket_take(b, now_ms))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (b->suppressed != 0)
		log_warn("%s (%" PRIu64 " like it suppressed)", line, b->suppressed);
	else
		log_warn("%s", line);
	b->suppressed = 0;
}
