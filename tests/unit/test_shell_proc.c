/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "shell/proc.h"

/*
 * Processes of these tests do what the first letter they are sent by a peer or the parent says;
 * mostly they wait. Process A is PROC_ENGINE, B is PROC_KEYS; the two are connected.
 */

enum { MSG_TEST = 0x400, MSG_ECHO };
#define PARENT_FD 3

static struct loop *loop;
static struct procs *procs;
static const char *scenario;     /* what children do at once */
static int starts[PROC_N], ended_status;
static bool is_ready, has_ended;
static char ended_text[256];
static int echoes;               /* messages that went A -> B -> parent */

static void
quiet(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)line;
}

/* ---- what the children do ---- */

static void
tell(int fd, uint16_t type, uint8_t first, const char *text)
{
	uint8_t buf[256];
	struct wr w = wr_fixed(buf, sizeof buf);

	if (type == IPC_FATAL || type == MSG_COMPLAINT || type == MSG_LOST || type == MSG_ECHO)
		wr_u8(&w, first);
	if (type != MSG_LOST && type != MSG_ECHO)
		wr_str(&w, text);
	(void)seq_send(fd, type, wr_view(&w), -1);
}

static void
on_parent(enum proc_id id, uint16_t type, struct bytes body, int got, int *peer)
{
	switch (type) {
	case IPC_PEER:
		if (*peer != -1)
			(void)close(*peer);
		*peer = got;
		/* The engine greets whom it is connected with. */
		if (id == PROC_ENGINE)
			tell(*peer, MSG_ECHO, 1, NULL);
		break;
	case IPC_STOP:
		if (strcmp(scenario, "deaf") != 0)
			_exit(0);
		break;
	case MSG_TEST:
		if (body.p[0] == 'x')
			_exit(5);
		if (body.p[0] == 'c')
			tell(PARENT_FD, MSG_COMPLAINT, PROC_KEYS, "bad words");
		if (body.p[0] == 'l')
			tell(PARENT_FD, MSG_LOST, PROC_KEYS, NULL);
		if (body.p[0] == 'i')
			tell(PARENT_FD, IPC_READY, 0, "once more");
		break;
	default:
		break;
	}
}

static void
child(void *arg, enum proc_id id)
{
	struct pollfd p[2] = { { .fd = PARENT_FD, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
	static uint8_t buf[SEQ_MAX];
	struct bytes body;
	uint16_t type;
	int fd, peer = -1;

	(void)arg;
	if (strcmp(scenario, "config error") == 0 && id == PROC_KEYS) {
		tell(PARENT_FD, IPC_FATAL, 2, "file:1: wrong: mend it");
		_exit(2);
	}
	if (strcmp(scenario, "crash at start") == 0 && id == PROC_KEYS)
		_exit(1);
	tell(PARENT_FD, IPC_READY, 0, "");
	for (;;) {
		p[1].fd = peer;
		if (poll(p, 2, -1) < 0)
			_exit(9);
		if (p[0].revents != 0) {
			if (seq_recv(PARENT_FD, buf, &type, &body, &fd) != OK)
				_exit(0);
			on_parent(id, type, body, fd, &peer);
		}
		if (p[1].fd == peer && p[1].revents != 0 && peer != -1) {
			if (seq_recv(peer, buf, &type, &body, &fd) == OK && type == MSG_ECHO)
				tell(PARENT_FD, MSG_ECHO, 2, NULL);
			else
				peer = -1;
		}
	}
}

/* ---- the parent's side ---- */

static struct chan *chans[PROC_N];

static void
started(void *arg, enum proc_id id, struct chan *c, bool first)
{
	(void)arg;
	assert_int_equal(first, starts[id] == 0);
	starts[id]++;
	chans[id] = c;
}

static void
ready(void *arg)
{
	(void)arg;
	is_ready = true;
}

static void
ended(void *arg, int status, const char *text)
{
	(void)arg;
	has_ended = true;
	ended_status = status;
	(void)snprintf(ended_text, sizeof ended_text, "%s", text);
}

static int
on_echo(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct procs_from *from = arg;

	(void)c;
	(void)body;
	(void)fd;
	assert_int_equal(from->id, PROC_KEYS);
	echoes++;
	return OK;
}

static const struct proc_def defs[] = {
	{ PROC_KEYS, "keys", 0 },
	{ PROC_ENGINE, "engine", 1u << PROC_KEYS },
};
static const struct chan_rule rules[] = {
	{ MSG_ECHO, PROC_PHASE_READY, 1, 1, false, on_echo },
};

static void
begin(const char *what)
{
	struct procs_setup s = {
		.defs = defs, .n_defs = 2, .run = child, .started = started, .ready = ready,
		.ended = ended, .rules = rules, .n_rules = 1,
	};

	scenario = what;
	memset(starts, 0, sizeof starts);
	is_ready = has_ended = false;
	echoes = 0;
	assert_non_null(loop = loop_new());
	assert_non_null(procs = procs_new(loop, &s));
	assert_int_equal(procs_start(procs), OK);
}

static void
finish(void)
{
	if (!has_ended)
		(void)procs_stop(procs, PROC_ENGINE);
	WAIT_FOR(loop, has_ended);
	procs_free(procs);
	loop_free(loop);
}

static uint32_t
pid_of(enum proc_id id)
{
	struct msg_process m;

	assert_int_equal(procs_info(procs, id, &m), OK);
	return m.pid;
}

static uint32_t
restarts_of(enum proc_id id)
{
	struct msg_process m;

	assert_int_equal(procs_info(procs, id, &m), OK);
	return m.ready ? m.restarts : 0;
}

static void
do_this(enum proc_id id, const char *what)
{
	assert_int_equal(chan_send(chans[id], MSG_TEST, bytes_str(what), -1), OK);
}

TEST(all_start_are_connected_and_end_in_order)
{
	begin("wait");
	WAIT_FOR(loop, is_ready && echoes == 1);
	assert_int_equal(starts[PROC_KEYS], 1);
	assert_true(procs_stop(procs, PROC_ENGINE));
	assert_false(procs_stop(procs, PROC_ENGINE));
	WAIT_FOR(loop, has_ended);
	assert_int_equal(ended_status, 0);
	finish();
}

TEST(process_that_dies_is_restarted_and_connected_again)
{
	begin("wait");
	WAIT_FOR(loop, is_ready && echoes == 1);
	do_this(PROC_KEYS, "x");
	WAIT_FOR(loop, restarts_of(PROC_KEYS) == 1 && echoes == 2);
	assert_int_equal(kill((pid_t)pid_of(PROC_ENGINE), SIGKILL), 0);
	WAIT_FOR(loop, restarts_of(PROC_ENGINE) == 1 && echoes == 3);
	assert_int_equal(starts[PROC_ENGINE], 2);
	finish();
}

TEST(pause_before_a_restart_doubles)
{
	int64_t at[3];
	int i;

	begin("wait");
	WAIT_FOR(loop, is_ready);
	for (i = 0; i < 3; i++) {
		assert_int_equal(kill((pid_t)pid_of(PROC_KEYS), SIGKILL), 0);
		at[i] = loop_now(loop);
		WAIT_FOR(loop, restarts_of(PROC_KEYS) == (uint32_t)i + 1);
		assert_true(loop_now(loop) - at[i] >= (100 << i) - 10);
	}
	finish();
}

TEST(configuration_error_at_the_first_start_ends_everything)
{
	begin("config error");
	WAIT_FOR(loop, has_ended);
	assert_int_equal(ended_status, 2);
	assert_string_equal(ended_text, "file:1: wrong: mend it");
	assert_int_equal(starts[PROC_KEYS], 1);
	assert_int_equal(pid_of(PROC_ENGINE), 0);
	finish();
}

TEST(crash_at_the_first_start_ends_everything_with_another_status)
{
	begin("crash at start");
	WAIT_FOR(loop, has_ended);
	assert_int_equal(ended_status, 1);
	assert_non_null(strstr(ended_text, "process keys did not start"));
	finish();
}

TEST(process_that_another_complains_of_is_restarted)
{
	uint32_t pid;

	begin("wait");
	WAIT_FOR(loop, is_ready);
	pid = pid_of(PROC_KEYS);
	do_this(PROC_ENGINE, "c");
	WAIT_FOR(loop, restarts_of(PROC_KEYS) == 1);
	assert_int_not_equal(pid_of(PROC_KEYS), pid);
	assert_int_equal(restarts_of(PROC_ENGINE), 0);
	finish();
}

TEST(process_that_breaks_the_protocol_towards_the_parent_is_restarted)
{
	begin("wait");
	WAIT_FOR(loop, is_ready);
	do_this(PROC_ENGINE, "i");       /* ready twice */
	WAIT_FOR(loop, restarts_of(PROC_ENGINE) == 1);
	assert_int_equal(restarts_of(PROC_KEYS), 0);
	finish();
}

TEST(lost_connection_to_one_just_started_is_no_fault)
{
	begin("wait");
	WAIT_FOR(loop, is_ready && echoes == 1);
	do_this(PROC_ENGINE, "l");
	do_this(PROC_ENGINE, "c");       /* comes after it, so the first was handled */
	WAIT_FOR(loop, restarts_of(PROC_KEYS) == 1);
	assert_int_equal(restarts_of(PROC_ENGINE), 0);
	finish();
}

TEST(process_that_does_not_stop_is_killed)
{
	begin("deaf");
	WAIT_FOR(loop, is_ready);
	finish();
	assert_int_equal(ended_status, 0);
}

TEST(unknown_process_is_not_found)
{
	struct msg_process m;

	begin("wait");
	WAIT_FOR(loop, is_ready);
	assert_int_equal(procs_info(procs, PROC_BACKEND, &m), ERR_NOTFOUND);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_start_are_connected_and_end_in_order),
		cmocka_unit_test(process_that_dies_is_restarted_and_connected_again),
		cmocka_unit_test(pause_before_a_restart_doubles),
		cmocka_unit_test(configuration_error_at_the_first_start_ends_everything),
		cmocka_unit_test(crash_at_the_first_start_ends_everything_with_another_status),
		cmocka_unit_test(process_that_another_complains_of_is_restarted),
		cmocka_unit_test(process_that_breaks_the_protocol_towards_the_parent_is_restarted),
		cmocka_unit_test(lost_connection_to_one_just_started_is_no_fault),
		cmocka_unit_test(process_that_does_not_stop_is_killed),
		cmocka_unit_test(unknown_process_is_not_found),
	};

	log_set_sink(quiet, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
