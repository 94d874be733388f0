/* SPDX-License-Identifier: ISC */
/* backend_main() as the daemon sees it: a child process, spoken to over its connections. */
#include "backend_side.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#if HAVE_LINUX
#include <sys/prctl.h>
#endif

#include "base/sandbox_steps.h"

/* ---- a backend that only remembers ---- */

#define FAKE_SAS 16

struct backend {
	struct backend_host *host;
	struct sa_params sas[FAKE_SAS];
	size_t n;
	uint64_t grants, grant_drops, policies, flushes;
};

static bool
dumpable(void)
{
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return true;
#if HAVE_LINUX && !defined(SANDBOX_SANITIZER)
	return prctl(PR_GET_DUMPABLE) != 0;
#else
	return false;
#endif
}

static struct backend *
fake_open(const char *const *options, struct backend_host *host, char why[static 256])
{
	struct backend *b;

	if (options[0] != NULL && strcmp(options[0], "fail=yes") == 0) {
		(void)snprintf(why, 256, "told to fail: do not");
		return NULL;
	}
	if (options[0] != NULL && strcmp(options[0], "dumpable=no") == 0) {
		(void)snprintf(why, 256, "dumpable: %s", dumpable() ? "yes" : "no");
		return NULL;
	}
	if ((b = calloc(1, sizeof *b)) != NULL)
		b->host = host;
	return b;
}

static void
fake_close(struct backend *b)
{
	free(b);
}

static int
fake_grant_set(struct backend *b, const struct grant *g)
{
	(void)g;
	b->grants++;
	return OK;
}

static int
fake_grant_drop(struct backend *b, uint32_t grant)
{
	(void)grant;
	b->grant_drops++;
	return OK;
}

static int
fake_sa_add(struct backend *b, const struct sa_params *sa)
{
	if (b->n == FAKE_SAS)
		return ERR_SPACE;
	b->sas[b->n++] = *sa;
	return OK;
}

static int
fake_sa_del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (b->sas[i].dir == dir && b->sas[i].spi == spi &&
		    addr_equal(&b->sas[i].dst, dst)) {
			b->sas[i] = b->sas[--b->n];
			return OK;
		}
	return ERR_NOTFOUND;
}

static int
fake_sa_list(struct backend *b, void (*emit)(void *, const struct sa_stats *, const struct sa_params *),
    void *arg)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		struct sa_stats s = { .spi = b->sas[i].spi, .dir = b->sas[i].dir,
		    .src = b->sas[i].src, .dst = b->sas[i].dst };

		emit(arg, &s, &b->sas[i]);
	}
	return OK;
}

/* A policy makes all three upcalls. */
static int
fake_policy_add(struct backend *b, const struct policy *p)
{
	struct endpoint e = { p->peer, 4500 };

	b->policies++;
	backend_acquire(b->host, p->node, p->channel.id, &p->peer);
	backend_expire(b->host, SA_IN, 0x1000, &p->local, false);
	backend_mapping(b->host, 0x1000, &e);
	return OK;
}

static int
fake_policy_del(struct backend *b, const struct policy *p)
{
	(void)p;
	b->policies--;
	return OK;
}

static int
fake_flush_own(struct backend *b)
{
	b->flushes++;
	return OK;
}

static int
fake_counters(struct backend *b, void (*emit)(void *, const struct backend_counter *), void *arg)
{
	struct backend_counter c[] = {
		{ "grants", "", 0, b->grants }, { "grant-drops", "", 0, b->grant_drops },
		{ "policies", "", 0, b->policies }, { "flushes", "", 0, b->flushes },
		{ "sas", "", 0, b->n },
	};
	size_t i;

	for (i = 0; i < COUNT(c); i++)
		emit(arg, &c[i]);
	return OK;
}

static size_t
fake_poll_fds(struct backend *b, struct pollfd *fds, size_t max, int64_t *deadline)
{
	(void)b;
	(void)fds;
	(void)max;
	(void)deadline;
	return 0;
}

static void
fake_run(struct backend *b, int64_t now, const struct pollfd *fds, size_t n)
{
	(void)b;
	(void)now;
	(void)fds;
	(void)n;
}

static const struct backend_ops fake_ops = {
	.name = SIDE_NAME, .features = SIDE_FEATURES,
	.open = fake_open, .close = fake_close,
	.grant_set = fake_grant_set, .grant_drop = fake_grant_drop,
	.sa_add = fake_sa_add, .sa_del = fake_sa_del, .sa_list = fake_sa_list,
	.policy_add = fake_policy_add, .policy_del = fake_policy_del,
	.flush_own = fake_flush_own, .counters = fake_counters,
	.poll_fds = fake_poll_fds, .run = fake_run,
};

/* ---- stories ---- */

TEST(sa_goes_in_only_with_its_grant)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa = test_sa(&g, SA_IN, 0x1000, 1);
	struct bk_event e;

	start(NULL);
	assert_int_equal(add_sa(it.engine, &sa), ERR_DENIED);
	assert_int_equal(counter("sas"), 0);
	assert_int_equal(set_grant(it.authz, &g), OK);
	assert_int_equal(add_sa(it.engine, &sa), OK);
	assert_int_equal(counter("sas"), 1);
	send_type(it.control, BK_SA_LIST);
	expect_event(it.control, BK_SA_INFO, &e);
	assert_int_equal(e.u.info.sa.spi, 0x1000);
	assert_int_equal(e.u.info.sa.pair, sa.pair);
	assert_int_equal(e.u.info.sa.key_len, 0);
	assert_int_equal(e.u.info.sa.life.hard_s, 3600);
	expect_event(it.control, BK_END, &e);
	grant_free(&g);
	stop();
}

TEST(several_calls_come_in_one_packet)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct wr packet = wr_grow(65536), w = wr_grow(65536);
	struct bytes body;
	struct bk_event e;
	uint16_t type;

	start(NULL);
	type = bk_send_grant_set(&w, &g);
	seq_pack(&packet, type, wr_view(&w));
	wr_free(&w);
	w = wr_grow(64);
	type = bk_send_commit(&w, 0x77);
	seq_pack(&packet, type, wr_view(&w));
	wr_free(&w);
	call(it.authz, SEQ_SEVERAL, &packet);
	expect_event(it.authz, BK_DONE, &e);
	assert_int_equal(e.u.done.generation, 0x77);
	assert_int_equal(e.u.done.n, 1);
	assert_int_equal(bk_done_result(&e, 0), OK);
	assert_int_equal(counter("grants"), 1);
	/* A packet that is cut ends the connection. */
	assert_int_equal(seq_send(it.authz, SEQ_SEVERAL, bytes_str("abc"), -1), OK);
	assert_int_equal(receive(it.authz, &body), 0);
	grant_free(&g);
	stop();
}

TEST(each_process_asks_only_for_what_is_its_own)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa = test_sa(&g, SA_IN, 0x1000, 1);
	struct bytes body;

	start(NULL);
	assert_int_equal(set_grant(it.engine, &g), ERR_DENIED);
	assert_int_equal(add_sa(it.authz, &sa), ERR_DENIED);
	assert_int_equal(drop_grant(it.engine, 7), ERR_DENIED);
	assert_int_equal(counter("grants"), 0);
	/* The control process has no batches at all. */
	{
		struct wr w = wr_grow(64);

		call(it.control, bk_send_commit(&w, 1), &w);
		assert_int_equal(receive(it.control, &body), 0);
	}
	/* Grants are no business of the engine's. */
	send_type(it.engine, BK_GRANT_LIST);
	assert_int_equal(receive(it.engine, &body), 0);
	grant_free(&g);
	stop();
}

TEST(dropped_grant_takes_its_sas_along_and_tells_the_engine)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa = test_sa(&g, SA_IN, 0x1000, 1);
	struct bk_event e;

	start(NULL);
	assert_int_equal(set_grant(it.authz, &g), OK);
	assert_int_equal(add_sa(it.engine, &sa), OK);
	assert_int_equal(drop_grant(it.authz, 7), OK);
	expect_event(it.engine, BK_EXPIRE, &e);
	assert_int_equal(e.u.expire.spi, 0x1000);
	assert_true(e.u.expire.hard);
	assert_int_equal(counter("sas"), 0);
	assert_int_equal(counter("grant-drops"), 1);
	assert_int_equal(drop_grant(it.authz, 7), ERR_NOTFOUND);
	/* The grant back again does not bring the key back. */
	assert_int_equal(set_grant(it.authz, &g), OK);
	assert_int_equal(add_sa(it.engine, &sa), ERR_REPLAY);
	grant_free(&g);
	stop();
}

TEST(grant_that_expires_takes_its_sas_along)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa = test_sa(&g, SA_IN, 0x1000, 1);
	struct bk_event e;

	start(NULL);
	g.expires = (int64_t)time(NULL) + 2;
	assert_int_equal(set_grant(it.authz, &g), OK);
	assert_int_equal(add_sa(it.engine, &sa), OK);
	expect_event(it.engine, BK_EXPIRE, &e);
	assert_int_equal(counter("sas"), 0);
	g.expires = 1;
	assert_int_equal(set_grant(it.authz, &g), ERR_EXPIRED);
	grant_free(&g);
	stop();
}

TEST(batch_is_answered_call_by_call)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params in = test_sa(&g, SA_IN, 0x1000, 1), out = test_sa(&g, SA_OUT, 0x2000, 2);
	struct wr w;
	struct bk_event e;
	uint8_t junk[3] = { 0 };

	start(NULL);
	assert_int_equal(set_grant(it.authz, &g), OK);
	w = wr_grow(8192);
	call(it.engine, bk_send_sa_add(&w, &in), &w);
	w = wr_grow(8192);
	call(it.engine, bk_send_sa_add(&w, &out), &w);
	w = wr_grow(8192);
	call(it.engine, bk_send_sa_add(&w, &out), &w);
	assert_int_equal(seq_send(it.engine, BK_SA_ADD, bytes_of(junk, 3), -1), OK);
	w = wr_grow(8192);
	call(it.engine, bk_send_sa_del(&w, SA_OUT, 0x2000, &out.dst), &w);
	w = wr_grow(64);
	call(it.engine, bk_send_commit(&w, 77), &w);
	expect_event(it.engine, BK_DONE, &e);
	assert_int_equal(e.u.done.generation, 77);
	assert_int_equal(e.u.done.n, 5);
	assert_int_equal(bk_done_result(&e, 0), OK);
	assert_int_equal(bk_done_result(&e, 1), OK);
	assert_int_equal(bk_done_result(&e, 2), ERR_REPLAY);
	assert_int_equal(bk_done_result(&e, 3), ERR_SYNTAX);
	assert_int_equal(bk_done_result(&e, 4), OK);
	assert_int_equal(counter("sas"), 1);
	grant_free(&g);
	stop();
}

TEST(upcalls_reach_the_engine)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct policy p = test_policy(&g);
	struct wr w = wr_grow(65536);
	struct bk_event e;

	start(NULL);
	call(it.authz, bk_send_policy_add(&w, &p), &w);
	assert_int_equal(result(it.authz), OK);
	expect_event(it.engine, BK_ACQUIRE, &e);
	assert_string_equal(e.u.acquire.node, "nve-2");
	assert_string_equal(e.u.acquire.channel, "vxlan");
	assert_true(addr_equal(&e.u.acquire.peer, &p.peer));
	expect_event(it.engine, BK_EXPIRE, &e);
	assert_false(e.u.expire.hard);
	expect_event(it.engine, BK_MAPPING, &e);
	assert_int_equal(e.u.mapping.peer.port, 4500);
	w = wr_grow(65536);
	call(it.authz, bk_send_policy_del(&w, &p), &w);
	assert_int_equal(result(it.authz), OK);
	assert_int_equal(counter("policies"), 0);
	policy_free(&p);
	grant_free(&g);
	stop();
}

TEST(sas_of_a_lost_engine_stay_until_replaced)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params in = test_sa(&g, SA_IN, 0x1000, 1), out = test_sa(&g, SA_OUT, 0x2000, 2);

	start("orphan-deadline=3600");
	assert_int_equal(set_grant(it.authz, &g), OK);
	assert_int_equal(add_sa(it.engine, &in), OK);
	assert_int_equal(add_sa(it.engine, &out), OK);
	connect_peer(PROC_ENGINE, &it.engine);
	assert_int_equal(counter("sas"), 2);
	/* Never again with the same key. */
	assert_int_equal(add_sa(it.engine, &out), ERR_REPLAY);
	in = test_sa(&g, SA_IN, 0x1001, 3);
	out = test_sa(&g, SA_OUT, 0x2001, 4);
	assert_int_equal(add_sa(it.engine, &in), OK);
	assert_int_equal(counter("sas"), 3);
	assert_int_equal(add_sa(it.engine, &out), OK);
	assert_int_equal(counter("sas"), 2);
	grant_free(&g);
	stop();
}

TEST(sas_of_a_lost_engine_go_after_the_deadline)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params in = test_sa(&g, SA_IN, 0x1000, 1);

	start("orphan-deadline=0");
	assert_int_equal(set_grant(it.authz, &g), OK);
	assert_int_equal(add_sa(it.engine, &in), OK);
	assert_int_equal(counter("sas"), 1);
	connect_peer(PROC_ENGINE, &it.engine);
	/* The new engine's hello was sent in the same turn of the loop, before the clock was looked at. */
	(void)counter("sas");
	assert_int_equal(counter("sas"), 0);
	grant_free(&g);
	stop();
}

TEST(authz_that_comes_anew_is_told_the_grants)
{
	struct grant g = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct bk_event e;

	start(NULL);
	assert_int_equal(set_grant(it.authz, &g), OK);
	connect_peer(PROC_AUTHZ, &it.authz);
	send_type(it.authz, BK_GRANT_LIST);
	expect_event(it.authz, BK_GRANT_INFO, &e);
	assert_int_equal(e.u.grant.number, 7);
	assert_int_equal(e.u.grant.n_vnis, 2);
	grant_free(&e.u.grant);
	expect_event(it.authz, BK_END, &e);
	{
		struct wr w = wr_grow(64);

		call(it.authz, bk_send_flush_own(&w), &w);
		assert_int_equal(result(it.authz), OK);
	}
	send_type(it.authz, BK_GRANT_LIST);
	expect_event(it.authz, BK_END, &e);
	assert_int_equal(counter("flushes"), 1);
	grant_free(&g);
	stop();
}

TEST(trouble_at_the_start_is_told_in_one_line)
{
	static const struct { const char *option, *text; } rows[] = {
		{ "fail=yes", "told to fail: do not" },
		/* Keys are in its memory, and exec made it dumpable again. */
		{ "dumpable=no", "dumpable: no" },
		{ "orphan-deadline=soon", "orphan-deadline=soon: give seconds, 0 to 86400" },
		{ "log-level=loud", "log-level=loud: give error, warn, info or debug" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct bytes body;
		char text[256];
		struct rd r;

		start_with(rows[i].option);
		assert_int_equal(receive(it.parent, &body), IPC_FATAL);
		r = rd_open(body);
		assert_int_equal(rd_u8(&r), 2);
		rd_str(&r, text, sizeof text);
		assert_true(rd_end(&r));
		assert_string_equal(text, rows[i].text);
		assert_int_equal(exit_status(), 2);
	}
}

TEST(backend_ends_with_its_daemon)
{
	start(NULL);
	(void)close(it.parent);
	it.parent = -1;
	assert_int_equal(exit_status(), 1);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sa_goes_in_only_with_its_grant),
		cmocka_unit_test(each_process_asks_only_for_what_is_its_own),
		cmocka_unit_test(several_calls_come_in_one_packet),
		cmocka_unit_test(dropped_grant_takes_its_sas_along_and_tells_the_engine),
		cmocka_unit_test(grant_that_expires_takes_its_sas_along),
		cmocka_unit_test(batch_is_answered_call_by_call),
		cmocka_unit_test(upcalls_reach_the_engine),
		cmocka_unit_test(sas_of_a_lost_engine_stay_until_replaced),
		cmocka_unit_test(sas_of_a_lost_engine_go_after_the_deadline),
		cmocka_unit_test(authz_that_comes_anew_is_told_the_grants),
		cmocka_unit_test(trouble_at_the_start_is_told_in_one_line),
		cmocka_unit_test(backend_ends_with_its_daemon),
	};

	if (argc > 1 && strcmp(argv[1], BACKEND_ARG) == 0)
		return backend_main(&fake_ops, argc - 1, argv + 1);
	self = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
