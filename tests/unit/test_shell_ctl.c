/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "shell/ctl.h"

static struct loop *loop;
static struct ctl *ctl;
static char dir[64], path[96];
static uint32_t asked[8];
static char lines[8][64];
static size_t n_asked;
static bool answer_at_once;

static void
on_request(void *arg, uint32_t client, struct bytes line)
{
	(void)arg;
	assert_true(n_asked < 8 && line.n < 64);
	asked[n_asked] = client;
	memset(lines[n_asked], 0, 64);
	if (line.n > 0)
		memcpy(lines[n_asked], line.p, line.n);
	n_asked++;
	if (answer_at_once)
		assert_int_equal(ctl_reply(ctl, client, line), OK);
}

static int
setup(void **state)
{
	struct ctl_access access = { .owner = geteuid(), .group = getegid(), .mode = 0600 };
	int fd;

	(void)state;
	n_asked = 0;
	answer_at_once = true;
	strcpy(dir, "/tmp/overlock-ctl-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/sock", dir);
	loop = loop_new();
	if (ctl_listen(path, 0600, &fd) != OK)
		return -1;
	return (ctl = ctl_new(loop, fd, &access, on_request, NULL)) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ctl_free(ctl);
	loop_free(loop);
	(void)unlink(path);
	(void)rmdir(dir);
	return 0;
}

static int
client(void)
{
	int fd;

	assert_int_equal(ctl_connect(path, &fd), OK);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What the server sends within the patience; "" when it hangs up. */
static const char *
hear(int fd)
{
	static char buf[256];
	ssize_t n = -1;

	WAIT_FOR(loop, (n = recv(fd, buf, sizeof buf - 1, MSG_DONTWAIT)) >= 0);
	buf[n] = '\0';
	return buf;
}

TEST(line_gets_a_line)
{
	int fd = client();

	say(fd, "{\"a\":1}\n");
	assert_string_equal(hear(fd), "{\"a\":1}\n");
	(void)close(fd);
}

TEST(line_in_pieces_is_one_line)
{
	int fd = client();

	say(fd, "ab");
	assert_int_equal(loop_step(loop, 20), OK);
	assert_int_equal(n_asked, 0);
	say(fd, "cd\n");
	assert_string_equal(hear(fd), "abcd\n");
	(void)close(fd);
}

TEST(second_request_waits_for_the_first_answer)
{
	int fd = client();

	answer_at_once = false;
	say(fd, "one\ntwo\n");
	WAIT_FOR(loop, n_asked == 1);
	assert_int_equal(loop_step(loop, 20), OK);
	assert_int_equal(n_asked, 1);
	assert_int_equal(ctl_reply(ctl, asked[0], bytes_str("first")), OK);
	WAIT_FOR(loop, n_asked == 2);
	assert_string_equal(lines[1], "two");
	assert_string_equal(hear(fd), "first\n");
	(void)close(fd);
}

TEST(answer_to_a_client_that_left_goes_nowhere)
{
	int fd = client();

	answer_at_once = false;
	say(fd, "x\n");
	WAIT_FOR(loop, n_asked == 1);
	assert_int_equal(ctl_reply(ctl, asked[0] + 1, bytes_str("y")), ERR_GONE);
	assert_int_equal(ctl_reply(ctl, asked[0], bytes_str("y")), OK);
	(void)close(fd);
	WAIT_FOR(loop, ctl_reply(ctl, asked[0], bytes_str("y")) == ERR_GONE);
}

TEST(endless_line_ends_the_connection)
{
	static char much[CTL_REQUEST_MAX + 100];
	int fd = client();

	memset(much, 'x', sizeof much);
	(void)!send(fd, much, sizeof much, MSG_NOSIGNAL | MSG_DONTWAIT);
	{
		char c;
		ssize_t n = 1;

		WAIT_FOR(loop, (n = recv(fd, &c, 1, MSG_DONTWAIT)) == 0 ||
		    (n < 0 && errno == ECONNRESET));
	}
	assert_int_equal(n_asked, 0);
	(void)close(fd);
}

TEST(more_clients_than_allowed_are_turned_away)
{
	int fd[CTL_CLIENTS_MAX + 1], i;
	char c;

	for (i = 0; i <= CTL_CLIENTS_MAX; i++)
		fd[i] = client();
	WAIT_FOR(loop, recv(fd[CTL_CLIENTS_MAX], &c, 1, MSG_DONTWAIT) == 0);
	say(fd[0], "still\n");
	assert_string_equal(hear(fd[0]), "still\n");
	for (i = 0; i <= CTL_CLIENTS_MAX; i++)
		(void)close(fd[i]);
}

TEST(only_those_whom_the_mode_lets_in_may_ask)
{
	struct ctl_access a = { .owner = 100, .group = 200, .mode = 0600 };

	assert_true(ctl_may(&a, 0, 0));
	assert_true(ctl_may(&a, 100, 5));
	assert_false(ctl_may(&a, 101, 200));
	a.mode = 0660;
	assert_true(ctl_may(&a, 101, 200));
	assert_false(ctl_may(&a, 101, 201));
	a.mode = 0666;
	assert_true(ctl_may(&a, 101, 201));
}

TEST(socket_has_its_mode_and_a_live_one_is_not_replaced)
{
	struct stat st;
	int fd;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ctl_listen(path, 0600, &fd), ERR_EXISTS);
}

TEST(dead_socket_is_replaced_but_no_other_file)
{
	char other[128];
	int fd;
	FILE *f;

	ctl_free(ctl);
	ctl = NULL;
	assert_int_equal(ctl_listen(path, 0660, &fd), OK);
	(void)close(fd);
	(void)snprintf(other, sizeof other, "%s/file", dir);
	assert_non_null(f = fopen(other, "w"));
	(void)fclose(f);
	assert_int_equal(ctl_listen(other, 0660, &fd), ERR_IO);
	assert_int_equal(access(other, F_OK), 0);
	(void)unlink(other);
}

TEST(peer_credentials_are_those_of_the_client)
{
	int fd[2];
	uid_t uid = 12345;
	gid_t gid = 12345;
	int r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	r = ctl_peer(fd[0], &uid, &gid);
	if (r == OK) {
		assert_int_equal(uid, geteuid());
		assert_int_equal(gid, getegid());
	} else {
		assert_int_equal(r, ERR_UNSUPPORTED);
	}
	(void)close(fd[0]);
	(void)close(fd[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(line_gets_a_line),
		T(line_in_pieces_is_one_line),
		T(second_request_waits_for_the_first_answer),
		T(answer_to_a_client_that_left_goes_nowhere),
		T(endless_line_ends_the_connection),
		T(more_clients_than_allowed_are_turned_away),
		T(only_those_whom_the_mode_lets_in_may_ask),
		T(socket_has_its_mode_and_a_live_one_is_not_replaced),
		T(dead_socket_is_replaced_but_no_other_file),
		T(peer_credentials_are_those_of_the_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
