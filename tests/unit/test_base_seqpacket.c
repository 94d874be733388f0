/* SPDX-License-Identifier: ISC */
#include "base_support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/seqpacket.h"

static uint8_t buf[SEQ_MAX];
static int pair[2];

static int
pair_open(void **state)
{
	(void)state;
	return seq_pair(pair);
}

static int
pair_close(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++)
		if (pair[i] != -1)
			(void)close(pair[i]);
	return 0;
}

static void
hang_up(int i)
{
	(void)close(pair[i]);
	pair[i] = -1;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* The lowest descriptor that is free: unchanged when nothing was left open. */
static int
lowest_free(void)
{
	int fd = dup(pair[0] != -1 ? pair[0] : pair[1]);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

TEST(message_arrives_with_type_and_body)
{
	struct bytes body;
	uint16_t type;
	int fd;

	assert_int_equal(seq_send(pair[0], 0xabcd, bytes_str("hello"), -1), OK);
	assert_int_equal(seq_send(pair[0], 0, bytes_of(NULL, 0), -1), OK);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, &fd), OK);
	assert_int_equal(type, 0xabcd);
	assert_true(bytes_equal(body, bytes_str("hello")));
	assert_int_equal(fd, -1);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), OK);
	assert_int_equal(type, 0);
	assert_int_equal(body.n, 0);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), ERR_AGAIN);
}

TEST(both_ends_are_non_blocking_and_close_on_exec)
{
	int i;

	for (i = 0; i < 2; i++) {
		assert_true((fcntl(pair[i], F_GETFL) & O_NONBLOCK) != 0);
		assert_true((fcntl(pair[i], F_GETFD) & FD_CLOEXEC) != 0);
	}
}

TEST(largest_message_fits_and_one_octet_more_does_not)
{
	static uint8_t out[SEQ_MAX];
	struct bytes body;
	uint16_t type;
	size_t i;

	for (i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i * 7);
	assert_int_equal(seq_send(pair[0], 1, bytes_of(out, SEQ_MAX - 1), -1), ERR_SPACE);
	assert_int_equal(seq_send(pair[0], 1, bytes_of(out, SEQ_MAX - 2), -1), OK);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), OK);
	assert_true(bytes_equal(body, bytes_of(out, SEQ_MAX - 2)));
}

TEST(full_socket_says_again_and_loses_nothing)
{
	uint8_t out[1000] = { 0 };
	struct bytes body;
	uint16_t type;
	size_t sent = 0, got = 0;
	int r;

	while ((r = seq_send(pair[0], (uint16_t)sent, bytes_of(out, sizeof out), -1)) == OK)
		sent++;
	assert_int_equal(r, ERR_AGAIN);
	assert_true(sent > 3);
	while ((r = seq_recv(pair[1], buf, &type, &body, NULL)) == OK)
		assert_int_equal(type, got++);
	assert_int_equal(r, ERR_AGAIN);
	assert_int_equal(got, sent);
	assert_int_equal(seq_send(pair[0], 1, bytes_of(out, sizeof out), -1), OK);
}

TEST(peer_that_closed_is_gone)
{
	struct bytes body;
	uint16_t type;

	hang_up(0);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), ERR_GONE);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), ERR_GONE);
	assert_int_equal(seq_send(pair[1], 1, bytes_str("x"), -1), ERR_GONE);
}

TEST(what_was_sent_before_the_close_still_arrives)
{
	struct bytes body;
	uint16_t type;

	assert_int_equal(seq_send(pair[0], 1, bytes_str("last words"), -1), OK);
	hang_up(0);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), OK);
	assert_true(bytes_equal(body, bytes_str("last words")));
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), ERR_GONE);
}

TEST(peer_that_closed_without_reading_is_heard_to_the_end)
{
	struct bytes body;
	uint16_t type;

	assert_int_equal(seq_send(pair[1], 9, bytes_str("never read"), -1), OK);
	assert_int_equal(seq_send(pair[0], 1, bytes_str("last words"), -1), OK);
	hang_up(0);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), OK);
	assert_true(bytes_equal(body, bytes_str("last words")));
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), ERR_GONE);
}

TEST(descriptor_travels_and_is_usable)
{
	struct bytes body;
	uint16_t type;
	int p[2], fd;
	char c;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(seq_send(pair[0], 5, bytes_str("fd"), p[1]), OK);
	assert_true(is_open(p[1]));
	(void)close(p[1]);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, &fd), OK);
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true(bytes_equal(body, bytes_str("fd")));
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	(void)close(fd);
	assert_int_equal(read(p[0], &c, 1), 0);
	(void)close(p[0]);
}

TEST(descriptor_nobody_asked_for_is_closed)
{
	struct bytes body;
	uint16_t type;
	int p[2];
	char c;

	assert_int_equal(pipe(p), 0);
	assert_int_equal(seq_send(pair[0], 5, bytes_str("fd"), p[1]), OK);
	(void)close(p[1]);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), OK);
	/* The last writing end is closed: the reader sees the end. */
	assert_int_equal(read(p[0], &c, 1), 0);
	(void)close(p[0]);
}

TEST(descriptor_that_is_none_is_an_error)
{
	assert_int_equal(seq_send(pair[0], 5, bytes_str("fd"), 9999), ERR_IO);
	assert_int_equal(errno, EBADF);
}

static void
send_raw(int sock, const void *p, size_t n, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (n_fds != 0) {
		memset(&control, 0, sizeof control);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &msg, MSG_NOSIGNAL), (ssize_t)n);
}

TEST(message_shorter_than_its_header_is_malformed)
{
	struct bytes body;
	uint16_t type;
	int fd = 77, free_before = lowest_free();

	send_raw(pair[0], "x", 1, NULL, 0);
	send_raw(pair[0], "x", 1, pair, 1);
	send_raw(pair[0], "\0\1ok", 4, NULL, 0);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, &fd), ERR_SYNTAX);
	assert_int_equal(fd, -1);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, &fd), ERR_SYNTAX);
	assert_int_equal(fd, -1);
	assert_int_equal(lowest_free(), free_before);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, &fd), OK);
	assert_true(bytes_equal(body, bytes_str("ok")));
}

TEST(several_descriptors_are_malformed_and_all_closed)
{
	int fds[4] = { pair[0], pair[0], pair[1], pair[1] };
	struct bytes body;
	uint16_t type;
	int fd, free_before = lowest_free();
	size_t n;

	for (n = 2; n <= 4; n++) {
		send_raw(pair[0], "\0\1x", 3, fds, n);
		assert_int_equal(seq_recv(pair[1], buf, &type, &body, &fd), ERR_SYNTAX);
		assert_int_equal(fd, -1);
		assert_int_equal(body.n, 0);
		assert_int_equal(lowest_free(), free_before);
	}
}

TEST(message_longer_than_the_limit_is_malformed)
{
	static uint8_t out[SEQ_MAX + 1];
	struct bytes body;
	uint16_t type;
	int size = 2 * (int)SEQ_MAX;

	/* Where the system lets a socket hold more than one of our messages. */
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	send_raw(pair[0], out, sizeof out, NULL, 0);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), ERR_SYNTAX);
	assert_int_equal(body.n, 0);
}

TEST(what_is_no_socket_is_an_error)
{
	struct bytes body;
	uint16_t type;
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(seq_send(p[1], 1, bytes_str("x"), -1), ERR_IO);
	assert_int_equal(seq_recv(p[0], buf, &type, &body, NULL), ERR_IO);
	(void)close(p[0]);
	(void)close(p[1]);
}

TEST(several_messages_in_one_packet_come_out_in_order)
{
	uint8_t octets[64];
	struct wr w = wr_fixed(octets, sizeof octets);
	struct bytes body;
	struct rd r;
	uint16_t type;

	seq_pack(&w, 7, bytes_str("first"));
	seq_pack(&w, 0x1ff, bytes_of(NULL, 0));
	assert_int_equal(seq_send(pair[0], SEQ_SEVERAL, wr_view(&w), -1), OK);
	assert_int_equal(seq_recv(pair[1], buf, &type, &body, NULL), OK);
	assert_int_equal(type, SEQ_SEVERAL);
	r = rd_open(body);
	assert_int_equal(seq_unpack(&r, &type, &body), 1);
	assert_int_equal(type, 7);
	assert_true(bytes_equal(body, bytes_str("first")));
	assert_int_equal(seq_unpack(&r, &type, &body), 1);
	assert_int_equal(type, 0x1ff);
	assert_int_equal(body.n, 0);
	assert_int_equal(seq_unpack(&r, &type, &body), 0);
}

TEST(message_that_does_not_fit_the_packet_marks_it_bad)
{
	uint8_t octets[SEQ_SEVERAL_HEAD + 3];
	struct wr w = wr_fixed(octets, sizeof octets);

	seq_pack(&w, 7, bytes_str("abcd"));
	assert_true(w.bad);
}

TEST(packet_that_is_cut_or_holds_a_packet_is_malformed)
{
	static const uint8_t whole[] = { 0, 7, 0, 0, 0, 2, 'a', 'b' };
	static const uint8_t nested[] = { 0, SEQ_SEVERAL, 0, 0, 0, 0 };
	struct rd r = rd_open(bytes_of(nested, sizeof nested));
	struct bytes body;
	uint16_t type;
	size_t n;

	assert_int_equal(seq_unpack(&r, &type, &body), ERR_SYNTAX);
	for (n = 1; n < sizeof whole; n++) {
		r = rd_open(bytes_of(whole, n));
		assert_int_equal(seq_unpack(&r, &type, &body), ERR_SYNTAX);
		assert_int_equal(seq_unpack(&r, &type, &body), ERR_SYNTAX);
	}
}

#define PAIR(t) cmocka_unit_test_setup_teardown(t, pair_open, pair_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR(message_arrives_with_type_and_body),
		PAIR(both_ends_are_non_blocking_and_close_on_exec),
		PAIR(largest_message_fits_and_one_octet_more_does_not),
		PAIR(full_socket_says_again_and_loses_nothing),
		PAIR(peer_that_closed_is_gone),
		PAIR(what_was_sent_before_the_close_still_arrives),
		PAIR(peer_that_closed_without_reading_is_heard_to_the_end),
		PAIR(descriptor_travels_and_is_usable),
		PAIR(descriptor_nobody_asked_for_is_closed),
		PAIR(descriptor_that_is_none_is_an_error),
		PAIR(message_shorter_than_its_header_is_malformed),
		PAIR(several_descriptors_are_malformed_and_all_closed),
		PAIR(message_longer_than_the_limit_is_malformed),
		PAIR(what_is_no_socket_is_an_error),
		PAIR(several_messages_in_one_packet_come_out_in_order),
		PAIR(message_that_does_not_fit_the_packet_marks_it_bad),
		PAIR(packet_that_is_cut_or_holds_a_packet_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
