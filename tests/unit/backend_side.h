/* SPDX-License-Identifier: ISC */
/*
 * backend_main() as the daemon sees it: a child process, which is another run of the test program,
 * spoken to over its connections.
 */
#ifndef TESTS_UNIT_BACKEND_SIDE_H
#define TESTS_UNIT_BACKEND_SIDE_H

#include "backend_support.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/client.h"
#include "base/seqpacket.h"

#define WAIT_MS       20000
#define BACKEND_ARG   "--backend"
#define SIDE_NAME     "fake-backend"      /* of its struct backend_ops */
#define SIDE_FEATURES (BACKEND_ESN | BACKEND_VNI_CHECK)

struct side {
	pid_t pid;
	int parent, engine, authz, control;
	uint8_t rx[SEQ_MAX];
};

static struct side it;
static const char *self;           /* this program: the child is another run of it */

/* What is left of a packet of several messages, by its descriptor. */
static struct {
	uint8_t octets[SEQ_MAX];
	struct rd r;
} rest[64];

static inline uint16_t
receive(int fd, struct bytes *body)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint16_t type;
	int r;

	assert_true(fd >= 0 && (size_t)fd < COUNT(rest));
	if (rd_left(&rest[fd].r) == 0) {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		r = seq_recv(fd, it.rx, &type, body, NULL);
		if (r == ERR_GONE)
			return 0;
		assert_int_equal(r, OK);
		if (type != SEQ_SEVERAL)
			return type;
		memcpy(rest[fd].octets, body->p, body->n);
		rest[fd].r = rd_open(bytes_of(rest[fd].octets, body->n));
	}
	assert_int_equal(seq_unpack(&rest[fd].r, &type, body), 1);
	return type;
}

static inline void
expect_event(int fd, uint16_t type, struct bk_event *e)
{
	struct bytes body;

	assert_int_equal(receive(fd, &body), type);
	assert_int_equal(bk_read(type, body, e), OK);
}

static inline void
send_type(int fd, uint16_t type)
{
	assert_int_equal(seq_send(fd, type, bytes_of(NULL, 0), -1), OK);
}

static inline void
connect_peer(enum proc_id proc, int *fd)
{
	uint8_t number = (uint8_t)proc;
	struct bk_event e;
	int pair[2];

	if (*fd != -1)
		(void)close(*fd);
	assert_int_equal(seq_pair(pair), OK);
	assert_int_equal(seq_send(it.parent, IPC_PEER, bytes_of(&number, 1), pair[1]), OK);
	(void)close(pair[1]);
	*fd = pair[0];
	memset(&rest[*fd].r, 0, sizeof rest[*fd].r);
	expect_event(*fd, BK_HELLO, &e);
	assert_string_equal(e.u.hello.name, SIDE_NAME);
	assert_int_equal(e.u.hello.features, SIDE_FEATURES);
}

static inline void
start_with(const char *option)
{
	int pair[2];

	it.engine = it.authz = it.control = -1;
	assert_int_equal(seq_pair(pair), OK);
	assert_int_not_equal(it.pid = fork(), -1);
	if (it.pid == 0) {
		int fd;

		(void)dup2(pair[1], 200);
		for (fd = 3; fd < 200; fd++)
			(void)close(fd);
		(void)dup2(200, 3);
		(void)close(200);
		(void)execl(self, SIDE_NAME, BACKEND_ARG, option, (char *)NULL);
		_exit(127);
	}
	(void)close(pair[1]);
	it.parent = pair[0];
}

static inline void
start(const char *option)
{
	struct bytes body;

	start_with(option);
	assert_int_equal(receive(it.parent, &body), IPC_READY);
	send_type(it.parent, IPC_START);
	connect_peer(PROC_ENGINE, &it.engine);
	connect_peer(PROC_AUTHZ, &it.authz);
	connect_peer(PROC_CONTROL, &it.control);
}

static inline int
exit_status(void)
{
	int status;

	assert_int_equal(waitpid(it.pid, &status, 0), it.pid);
	assert_true(WIFEXITED(status));
	if (it.parent != -1)
		(void)close(it.parent);
	if (it.engine != -1)
		(void)close(it.engine);
	if (it.authz != -1)
		(void)close(it.authz);
	if (it.control != -1)
		(void)close(it.control);
	return WEXITSTATUS(status);
}

static inline void
stop(void)
{
	send_type(it.parent, IPC_STOP);
	assert_int_equal(exit_status(), 0);
}

static inline void
call(int fd, uint16_t type, struct wr *w)
{
	assert_false(w->bad);
	assert_int_equal(seq_send(fd, type, wr_view(w), -1), OK);
	wr_free(w);
}

/* Ends the batch and returns the result of its only call. */
static inline int
result(int fd)
{
	static uint32_t generation;
	struct wr w = wr_grow(100);
	struct bk_event e;

	call(fd, bk_send_commit(&w, ++generation), &w);
	expect_event(fd, BK_DONE, &e);
	assert_int_equal(e.u.done.generation, generation);
	assert_int_equal(e.u.done.n, 1);
	assert_int_equal(bk_done_result(&e, 1), ERR_VALUE);
	return bk_done_result(&e, 0);
}

static inline int
add_sa(int fd, const struct sa_params *sa)
{
	struct wr w = wr_grow(8192);

	call(fd, bk_send_sa_add(&w, sa), &w);
	return result(fd);
}

static inline int
set_grant(int fd, const struct grant *g)
{
	struct wr w = wr_grow(65536);

	call(fd, bk_send_grant_set(&w, g), &w);
	return result(fd);
}

static inline int
drop_grant(int fd, uint32_t number)
{
	struct wr w = wr_grow(64);

	call(fd, bk_send_grant_drop(&w, number), &w);
	return result(fd);
}

static inline uint64_t
counter(const char *name)
{
	uint64_t value = UINT64_MAX;
	struct bk_event e;

	send_type(it.control, BK_COUNTERS);
	for (;;) {
		struct bytes body;
		uint16_t type = receive(it.control, &body);

		assert_int_equal(bk_read(type, body, &e), OK);
		if (type == BK_END)
			return value;
		assert_int_equal(type, BK_COUNTER);
		if (strcmp(e.u.counter.name, name) == 0)
			value = e.u.counter.value;
	}
}

#endif
