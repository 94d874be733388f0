/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <fcntl.h>

#include "shell/chan.h"

enum { PING = 0x300, WITH_FD, REFUSED, OWN };
enum { EARLY = 1, LATE = 2 };

static struct loop *loop;
static int raw;                  /* the other end, driven by hand */
static struct chan *chan;
static int handled, broken_err, took, own_arg;
static uint8_t last[64];
static size_t last_n;
static const char *broken_why;

static int
on_ping(void *arg, struct chan *c, struct bytes body, int fd)
{
	assert_ptr_equal(arg, &handled);
	assert_ptr_equal(c, chan);
	assert_int_equal(fd, -1);
	last_n = body.n < sizeof last ? body.n : sizeof last;
	if (last_n > 0)
		memcpy(last, body.p, last_n);
	handled++;
	return OK;
}

static int
on_fd(void *arg, struct chan *c, struct bytes body, int fd)
{
	(void)arg;
	handled++;
	if (body.n == 1) {
		chan_take_fd(c);
		took = fd;
	}
	return OK;
}

static int
on_refused(void *arg, struct chan *c, struct bytes body, int fd)
{
	(void)arg;
	(void)c;
	(void)body;
	(void)fd;
	return ERR_VALUE;
}

static int
on_own(void *arg, struct chan *c, struct bytes body, int fd)
{
	(void)c;
	(void)body;
	(void)fd;
	assert_ptr_equal(arg, &own_arg);
	own_arg++;
	return OK;
}

static const struct chan_rule rules[] = {
	{ OWN, EARLY, 0, 0, false, on_own },
	{ PING, EARLY | LATE, 1, 32, false, on_ping },
	{ WITH_FD, LATE, 0, 8, true, on_fd },
	{ REFUSED, EARLY, 0, 8, false, on_refused },
};

static void
on_broken(void *arg, struct chan *c, int err, const char *why)
{
	assert_ptr_equal(arg, &broken_err);
	assert_ptr_equal(c, chan);
	broken_err = err;
	broken_why = why;
	chan = NULL;
	chan_free(c);
}

static int
setup(void **state)
{
	struct chan_setup s = {
		.name = "peer", .rules = rules, .n_rules = COUNT(rules), .phase = EARLY,
		.arg = &handled, .n_own = 1, .own_arg = &own_arg,
		.broken = on_broken, .broken_arg = &broken_err, .queue_octets = 1024 * 1024,
	};
	int fd[2];

	(void)state;
	handled = broken_err = own_arg = 0;
	took = -1;
	if ((loop = loop_new()) == NULL || seq_pair(fd) != OK)
		return -1;
	raw = fd[1];
	return (chan = chan_new(loop, fd[0], &s)) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	chan_free(chan);
	chan = NULL;
	loop_free(loop);
	if (raw != -1)
		(void)close(raw);
	return 0;
}

static void
say(uint16_t type, size_t n, int fd)
{
	static const uint8_t octets[64] = { 1, 2, 3 };

	assert_int_equal(seq_send(raw, type, bytes_of(octets, n), fd), OK);
}

TEST(legal_message_reaches_its_handler)
{
	say(PING, 3, -1);
	say(OWN, 0, -1);
	WAIT_FOR(loop, own_arg == 1);
	assert_int_equal(handled, 1);
	assert_int_equal(last_n, 3);
	assert_int_equal(last[2], 3);
	assert_int_equal(broken_err, 0);
}

/* Each of them breaks the connection, and no handler sees it. */
static void
refused(uint16_t type, size_t n, int fd)
{
	say(type, n, fd);
	say(PING, 3, -1);
	WAIT_FOR(loop, broken_err != 0);
	assert_int_equal(broken_err, ERR_PROTO);
	assert_non_null(broken_why);
	assert_int_equal(handled, 0);
	assert_null(chan);
}

TEST(unknown_type_breaks_the_connection)
{
	refused(0x999, 3, -1);
}

TEST(message_of_another_phase_breaks_the_connection)
{
	refused(WITH_FD, 0, raw);
}

TEST(too_short_message_breaks_the_connection)
{
	refused(PING, 0, -1);
}

TEST(too_long_message_breaks_the_connection)
{
	refused(PING, 33, -1);
}

TEST(unexpected_descriptor_breaks_the_connection)
{
	refused(PING, 3, raw);
}

TEST(missing_descriptor_breaks_the_connection)
{
	chan_set_phase(chan, LATE);
	refused(WITH_FD, 3, -1);
}

TEST(handler_that_refuses_breaks_the_connection_with_its_error)
{
	say(REFUSED, 0, -1);
	WAIT_FOR(loop, broken_err != 0);
	assert_int_equal(broken_err, ERR_VALUE);
}

TEST(other_end_that_closes_is_gone)
{
	(void)close(raw);
	raw = -1;
	WAIT_FOR(loop, broken_err != 0);
	assert_int_equal(broken_err, ERR_GONE);
}

TEST(phase_decides_what_is_legal)
{
	chan_set_phase(chan, LATE);
	assert_int_equal(chan_phase(chan), LATE);
	say(PING, 1, -1);
	say(WITH_FD, 1, raw);
	WAIT_FOR(loop, handled == 2);
	assert_true(took > 2);
	(void)close(took);
	handled = 0;
	refused(OWN, 0, -1);
}

TEST(descriptor_that_is_not_taken_is_closed)
{
	int free_before = dup(raw);

	(void)close(free_before);
	chan_set_phase(chan, LATE);
	say(WITH_FD, 0, raw);
	WAIT_FOR(loop, handled == 1);
	assert_int_equal(fcntl(free_before, F_GETFD), -1);
}

TEST(messages_queue_while_the_socket_is_full_and_keep_their_order)
{
	static uint8_t body[60000], buf[SEQ_MAX];
	struct bytes got;
	uint16_t type;
	int sent = 0, r, received = 0;

	while (chan_queued(chan) == 0) {
		body[0] = (uint8_t)sent++;
		assert_int_equal(chan_send(chan, PING, bytes_of(body, sizeof body), -1), OK);
	}
	body[0] = (uint8_t)sent++;
	assert_int_equal(chan_send(chan, PING, bytes_of(body, sizeof body), raw), OK);
	while (received < sent) {
		r = seq_recv(raw, buf, &type, &got, NULL);
		if (r == ERR_AGAIN) {
			assert_int_equal(loop_step(loop, 100), OK);
			continue;
		}
		assert_int_equal(r, OK);
		assert_int_equal(got.p[0], (uint8_t)received++);
	}
	assert_int_equal(chan_queued(chan), 0);
}

TEST(full_queue_refuses_and_keeps_the_connection)
{
	static uint8_t body[100000];
	int r;

	while ((r = chan_send(chan, PING, bytes_of(body, sizeof body), -1)) == OK)
		;
	assert_int_equal(r, ERR_SPACE);
	assert_true(chan_queued(chan) <= 1024 * 1024);
	assert_int_equal(chan_send(chan, PING, bytes_of(body, 1), -1), OK);
	assert_int_equal(broken_err, 0);
	assert_int_equal(chan_drain(chan, 0), ERR_TIMEOUT);
}

TEST(sending_to_nobody_says_gone)
{
	struct wr w = wr_grow(16);

	assert_int_equal(chan_send(NULL, PING, bytes_of("x", 1), -1), ERR_GONE);
	wr_u32(&w, 1);
	assert_int_equal(chan_send_wr(NULL, PING, &w), ERR_GONE);
}

TEST(bad_writer_is_not_sent)
{
	struct wr w = wr_grow(2);

	wr_u32(&w, 1);
	assert_int_equal(chan_send_wr(chan, PING, &w), ERR_SPACE);
}

TEST(last_words_of_a_dead_process_are_read)
{
	say(PING, 2, -1);
	(void)close(raw);
	raw = -1;
	chan_read_rest(chan);
	assert_int_equal(handled, 1);
	assert_int_equal(broken_err, ERR_GONE);
}

/* Sends what a test wants from within a wake-up. */
static void (*in_wakeup)(void);

static void
on_wakeup(void *arg)
{
	(void)arg;
	in_wakeup();
}

static void
wake_up(void (*fn)(void))
{
	struct loop_timer *t = loop_timer_new(loop, on_wakeup, NULL);

	assert_non_null(t);
	in_wakeup = fn;
	loop_timer_in(t, 0);
	assert_int_equal(loop_step(loop, 1000), OK);
	loop_timer_free(t);
}

static void
set_up_batching(void)
{
	struct chan_setup s = {
		.name = "peer", .rules = rules, .n_rules = COUNT(rules), .phase = EARLY,
		.arg = &handled, .n_own = 1, .own_arg = &own_arg, .batch = true,
		.broken = on_broken, .broken_arg = &broken_err, .queue_octets = 1024 * 1024,
	};
	int fd[2];

	chan_free(chan);
	(void)close(raw);
	assert_int_equal(seq_pair(fd), OK);
	raw = fd[1];
	assert_non_null(chan = chan_new(loop, fd[0], &s));
}

static uint16_t
raw_receive(struct bytes *body)
{
	static uint8_t buf[SEQ_MAX];
	uint16_t type = 0xffff;

	assert_int_equal(seq_recv(raw, buf, &type, body, NULL), OK);
	return type;
}

static void
send_three(void)
{
	static uint8_t buf[SEQ_MAX];
	struct bytes body;
	uint16_t type;

	assert_int_equal(chan_send(chan, PING, bytes_str("a"), -1), OK);
	assert_int_equal(chan_send(chan, OWN, bytes_of(NULL, 0), -1), OK);
	assert_true(chan_queued(chan) > 0);
	assert_int_equal(seq_recv(raw, buf, &type, &body, NULL), ERR_AGAIN);
}

TEST(what_a_wakeup_says_leaves_in_one_packet)
{
	struct bytes packet, body;
	uint16_t type;
	struct rd r;

	set_up_batching();
	wake_up(send_three);
	assert_int_equal(chan_queued(chan), 0);
	assert_int_equal(raw_receive(&packet), SEQ_SEVERAL);
	r = rd_open(packet);
	assert_int_equal(seq_unpack(&r, &type, &body), 1);
	assert_int_equal(type, PING);
	assert_true(bytes_equal(body, bytes_str("a")));
	assert_int_equal(seq_unpack(&r, &type, &body), 1);
	assert_int_equal(type, OWN);
	assert_int_equal(seq_unpack(&r, &type, &body), 0);
}

static void
send_around_a_descriptor(void)
{
	static const uint8_t large[20000] = { 3 };

	assert_int_equal(chan_send(chan, PING, bytes_str("1"), -1), OK);
	assert_int_equal(chan_send(chan, WITH_FD, bytes_str("2"), raw), OK);
	assert_int_equal(chan_send(chan, PING, bytes_of(large, sizeof large), -1), OK);
	assert_int_equal(chan_send(chan, PING, bytes_str("4"), -1), OK);
}

TEST(what_cannot_wait_keeps_its_place)
{
	struct bytes body;

	set_up_batching();
	wake_up(send_around_a_descriptor);
	assert_int_equal(raw_receive(&body), PING);
	assert_int_equal(body.p[0], '1');
	assert_int_equal(raw_receive(&body), WITH_FD);
	assert_int_equal(raw_receive(&body), PING);
	assert_int_equal(body.n, 20000);
	assert_int_equal(raw_receive(&body), PING);
	assert_int_equal(body.p[0], '4');
}

static void
say_several(uint16_t second)
{
	uint8_t octets[64];
	struct wr w = wr_fixed(octets, sizeof octets);

	seq_pack(&w, OWN, bytes_of(NULL, 0));
	seq_pack(&w, second, bytes_str("abc"));
	assert_int_equal(seq_send(raw, SEQ_SEVERAL, wr_view(&w), -1), OK);
}

TEST(each_message_of_a_packet_reaches_its_handler)
{
	say_several(PING);
	WAIT_FOR(loop, own_arg == 1);
	assert_int_equal(handled, 1);
	assert_int_equal(last_n, 3);
	assert_int_equal(broken_err, 0);
}

TEST(each_message_of_a_packet_is_judged)
{
	say_several(WITH_FD);
	WAIT_FOR(loop, broken_err != 0);
	assert_int_equal(broken_err, ERR_PROTO);
	assert_int_equal(own_arg, 1);
	assert_int_equal(handled, 0);
}

TEST(malformed_packet_breaks_the_connection)
{
	say(SEQ_SEVERAL, 5, -1);
	WAIT_FOR(loop, broken_err != 0);
	assert_int_equal(broken_err, ERR_PROTO);
	assert_int_equal(handled, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(legal_message_reaches_its_handler),
		T(unknown_type_breaks_the_connection),
		T(message_of_another_phase_breaks_the_connection),
		T(too_short_message_breaks_the_connection),
		T(too_long_message_breaks_the_connection),
		T(unexpected_descriptor_breaks_the_connection),
		T(missing_descriptor_breaks_the_connection),
		T(handler_that_refuses_breaks_the_connection_with_its_error),
		T(other_end_that_closes_is_gone),
		T(phase_decides_what_is_legal),
		T(descriptor_that_is_not_taken_is_closed),
		T(messages_queue_while_the_socket_is_full_and_keep_their_order),
		T(full_queue_refuses_and_keeps_the_connection),
		T(sending_to_nobody_says_gone),
		T(bad_writer_is_not_sent),
		T(last_words_of_a_dead_process_are_read),
		T(what_a_wakeup_says_leaves_in_one_packet),
		T(what_cannot_wait_keeps_its_place),
		T(each_message_of_a_packet_reaches_its_handler),
		T(each_message_of_a_packet_is_judged),
		T(malformed_packet_breaks_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
