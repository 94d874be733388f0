/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

struct heard {
	size_t lines;
	enum log_level level;
	char last[2048];
};

static void
hear(void *arg, enum log_level level, const char *line)
{
	struct heard *h = arg;

	h->lines++;
	h->level = level;
	(void)snprintf(h->last, sizeof h->last, "%s", line);
}

static struct heard heard;

static int
listen_in(void **state)
{
	(void)state;
	memset(&heard, 0, sizeof heard);
	log_setup("test", LOG_DEBUG_);
	log_set_sink(hear, &heard);
	return 0;
}

TEST(levels_above_the_set_one_are_not_heard)
{
	log_setup("test", LOG_WARN_);
	assert_int_equal(log_max(), LOG_WARN_);
	log_info("no");
	log_debug("no");
	assert_int_equal(heard.lines, 0);
	log_warn("warn %d", 1);
	assert_int_equal(heard.lines, 1);
	assert_int_equal(heard.level, LOG_WARN_);
	assert_string_equal(heard.last, "warn 1");
	log_error("error");
	assert_int_equal(heard.level, LOG_ERROR_);
	log_setup("test", LOG_DEBUG_);
	log_debug("debug");
	assert_int_equal(heard.lines, 3);
}

TEST(line_stays_one_line)
{
	log_info("a\nb\r\tc\x1b[0m\x7f");
	assert_string_equal(heard.last, "a?b??c?[0m?");
}

TEST(long_line_is_cut_and_says_so)
{
	char text[3000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(strlen(heard.last), 1023);
	assert_string_equal(heard.last + 1020, "...");
}

TEST(logging_leaves_errno_alone)
{
	errno = ENOENT;
	log_info("x");
	assert_int_equal(errno, ENOENT);
}

TEST(peer_gets_a_burst_and_then_a_line_a_second)
{
	struct log_bucket b = { 0 };
	int i;

	for (i = 0; i < 100; i++)
		log_peer(&b, 5, "peer %d", i);
	assert_int_equal(heard.lines, 10);
	assert_string_equal(heard.last, "peer 9");
	assert_int_equal(heard.level, LOG_WARN_);
	log_peer(&b, 1004, "early");
	assert_int_equal(heard.lines, 10);
	log_peer(&b, 1005, "second");
	assert_int_equal(heard.lines, 11);
	assert_string_equal(heard.last, "second (91 like it suppressed)");
	log_peer(&b, 2004, "early again");
	assert_int_equal(heard.lines, 11);
	log_peer(&b, 2005, "third");
	assert_string_equal(heard.last, "third (1 like it suppressed)");
	assert_int_equal(heard.lines, 12);
}

TEST(quiet_peer_earns_its_burst_back_and_no_more)
{
	struct log_bucket b = { 0 };
	int i;

	for (i = 0; i < 20; i++)
		log_peer(&b, 0, "x");
	assert_int_equal(heard.lines, 10);
	for (i = 0; i < 20; i++)
		log_peer(&b, 1000000, "x");
	assert_int_equal(heard.lines, 20);
	/* A clock that goes back earns nothing. */
	for (i = 0; i < 20; i++)
		log_peer(&b, 500, "x");
	assert_int_equal(heard.lines, 20);
}

TEST(slow_peer_is_always_heard)
{
	struct log_bucket b = { 0 };
	int i;

	for (i = 0; i < 1000; i++)
		log_peer(&b, i * 1000, "x");
	assert_int_equal(heard.lines, 1000);
	assert_true(b.suppressed == 0);
}

TEST(peers_do_not_share_a_bucket)
{
	struct log_bucket a = { 0 }, b = { 0 };
	int i;

	for (i = 0; i < 50; i++)
		log_peer(&a, 1, "a");
	log_peer(&b, 1, "b");
	assert_string_equal(heard.last, "b");
}

TEST(what_a_peer_chose_is_made_printable)
{
	char buf[8];

	assert_string_equal(log_safe(buf, sizeof buf, bytes_of("a\0b\x80\n~", 6)), "a?b??~");
	assert_string_equal(log_safe(buf, sizeof buf, bytes_str("0123456789")), "0123456");
	assert_string_equal(log_safe(buf, 1, bytes_str("abc")), "");
	assert_string_equal(log_safe(buf, 0, bytes_str("abc")), "");
	assert_string_equal(log_safe(buf, sizeof buf, bytes_of(NULL, 0)), "");
}

TEST(time_text_is_that_of_the_calendar)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 951868800000, "2000-03-01T00:00:00.000Z" },
		{ 1795341600123, "2026-11-22T10:00:00.123Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "?" },
		{ -1, "?" },
	};
	char buf[LOG_TIME_STRLEN], want[128];
	uint64_t rng = 13;
	struct tm tm;
	time_t s;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		assert_string_equal(log_time(buf, rows[i].ms), rows[i].text);
	for (i = 0; i < 20000; i++) {
		s = (time_t)(test_random(&rng) % 253402300800);
		assert_non_null(gmtime_r(&s, &tm));
		(void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02d.007Z",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		assert_string_equal(log_time(buf, (int64_t)s * 1000 + 7), want);
	}
}

TEST(default_sink_writes_time_process_and_level_to_stderr)
{
	char buf[512];
	int p[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_true(saved >= 0);
	assert_int_equal(pipe(p), 0);
	assert_true(dup2(p[1], STDERR_FILENO) >= 0);
	log_setup("ikev2d[engine]", LOG_INFO_);
	log_set_sink(NULL, NULL);
	log_warn("hello");
	log_debug("not this");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(p[1]);
	n = read(p[0], buf, sizeof buf - 1);
	assert_true(n > 24);
	buf[n] = '\0';
	assert_string_equal(buf + 24, " ikev2d[engine] warning: hello\n");
	assert_memory_equal(buf, "20", 2);
	assert_int_equal(buf[23], 'Z');
	assert_int_equal(read(p[0], buf, sizeof buf), 0);
	(void)close(p[0]);
}

static char *
read_some(int fd, char buf[static 8192])
{
	ssize_t n = read(fd, buf, 8191);

	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

TEST(held_lines_wait_for_the_flush_for_a_warning_or_for_room)
{
	static char buf[8192];
	int p[2], saved = dup(STDERR_FILENO), i;

	assert_true(saved >= 0);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
	assert_true(dup2(p[1], STDERR_FILENO) >= 0);
	log_setup("x", LOG_DEBUG_);
	log_set_sink(NULL, NULL);
	log_hold();
	log_info("one");
	log_debug("two");
	assert_string_equal(read_some(p[0], buf), "");
	log_flush();
	assert_non_null(strstr(read_some(p[0], buf), " x info: one\n"));
	assert_non_null(strstr(buf, " x debug: two\n"));
	log_info("three");
	log_warn("four");
	assert_non_null(strstr(read_some(p[0], buf), " x info: three\n"));
	assert_non_null(strstr(buf, " x warning: four\n"));
	for (i = 0; i < 100; i++)
		log_info("%060d", i);
	assert_non_null(strstr(read_some(p[0], buf), "0001\n"));
	assert_null(strstr(buf, "0099\n"));
	log_flush();
	assert_non_null(strstr(read_some(p[0], buf), "0099\n"));
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(p[0]);
	(void)close(p[1]);
}

#define HEARD(t) cmocka_unit_test_setup(t, listen_in)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HEARD(levels_above_the_set_one_are_not_heard),
		HEARD(line_stays_one_line),
		HEARD(long_line_is_cut_and_says_so),
		HEARD(logging_leaves_errno_alone),
		HEARD(peer_gets_a_burst_and_then_a_line_a_second),
		HEARD(quiet_peer_earns_its_burst_back_and_no_more),
		HEARD(slow_peer_is_always_heard),
		HEARD(peers_do_not_share_a_bucket),
		HEARD(what_a_peer_chose_is_made_printable),
		HEARD(time_text_is_that_of_the_calendar),
		HEARD(default_sink_writes_time_process_and_level_to_stderr),
		HEARD(held_lines_wait_for_the_flush_for_a_warning_or_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
