/* SPDX-License-Identifier: ISC */
/*
 * backend_main() with a backend that queues its calls and tells at settle() what became of them, as
 * one that speaks to a kernel does.
 */
#include "backend_queuing.h"

#include "backend/host.h"

/* ---- batches ---- */

/* Calls are collected into one packet, so that they come in one turn. */
static struct wr packet;

static void
put(uint16_t type, struct wr *w)
{
	assert_false(w->bad);
	if (packet.cap == 0)
		packet = wr_grow(SEQ_MAX - 2);
	seq_pack(&packet, type, wr_view(w));
	wr_free(w);
}

static void
put_add(const struct sa_params *sa)
{
	struct wr w = wr_grow(8192);
	uint16_t type = bk_send_sa_add(&w, sa);

	put(type, &w);
}

static void
put_del(const struct sa_params *sa)
{
	struct wr w = wr_grow(64);
	uint16_t type = bk_send_sa_del(&w, sa->dir, sa->spi, &sa->dst);

	put(type, &w);
}

static void
put_grant(const struct grant *g)
{
	struct wr w = wr_grow(65536);
	uint16_t type = bk_send_grant_set(&w, g);

	put(type, &w);
}

static void
put_policy(const struct grant *g)
{
	struct policy p = test_policy(g);
	struct wr w = wr_grow(65536);
	uint16_t type = bk_send_policy_add(&w, &p);

	put(type, &w);
	policy_free(&p);
}

static void
flush_packet(int fd)
{
	assert_false(packet.bad);
	assert_int_equal(seq_send(fd, SEQ_SEVERAL, wr_view(&packet), -1), OK);
	wr_free(&packet);
	memset(&packet, 0, sizeof packet);
}

/* Ends the batch; the results must be these. */
#define RESULTS(fd, ...) \
	do { \
		const int want_[] = { __VA_ARGS__ }; \
		end_batch((fd), want_, COUNT(want_)); \
	} while (0)

static void
end_batch(int fd, const int *want, size_t n)
{
	static uint32_t generation = 1000;
	struct wr w = wr_grow(64);
	uint16_t type = bk_send_commit(&w, ++generation);
	struct bk_event e;
	size_t i;

	put(type, &w);
	flush_packet(fd);
	expect_event(fd, BK_DONE, &e);
	assert_int_equal(e.u.done.generation, generation);
	assert_int_equal(e.u.done.n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(bk_done_result(&e, i), want[i]);
}

/* ---- stories ---- */

static struct grant grant;

static void
start_granted(const char *option, uint32_t number)
{
	start(option);
	grant = test_grant(number, "192.0.2.1", "192.0.2.2");
	put_grant(&grant);
	RESULTS(it.authz, OK);
}

static void
stop_granted(void)
{
	stop();
	grant_free(&grant);
}

static struct sa_params
sa_of(uint8_t dir, uint32_t spi, uint8_t key, uint32_t pair)
{
	struct sa_params sa = test_sa(&grant, dir, spi, key);

	sa.pair = pair;
	return sa;
}

static struct sa_params
bad_of(uint8_t dir, uint32_t spi, uint8_t key, uint32_t pair)
{
	struct sa_params sa = sa_of(dir, spi, key, pair);

	sa.key[0] = KEY_FAILS;
	return sa;
}

TEST(results_come_with_the_commit_in_order)
{
	struct sa_params a, bad, c, again;

	start_granted(NULL, 7);
	a = sa_of(SA_IN, 0x1000, 1, 1);
	bad = bad_of(SA_OUT, 0xbad, 2, 1);
	c = sa_of(SA_IN, 0x1001, 3, 2);
	put_add(&a);
	put_add(&bad);
	put_add(&a);             /* refused before the backend hears of it */
	put_add(&c);
	RESULTS(it.engine, OK, ERR_UNSUPPORTED, ERR_REPLAY, OK);
	assert_int_equal(counter("sas"), 2);
	assert_int_equal(counter("settles"), 2);
	/* The failed one is not held any more, but its key counts as used. */
	put_add(&bad);
	again = bad_of(SA_OUT, 0xbad, 4, 1);
	put_add(&again);
	again = sa_of(SA_OUT, 0x2000, 5, 1);
	put_add(&again);         /* the pair has one of this direction, for all that is known */
	RESULTS(it.engine, ERR_REPLAY, ERR_UNSUPPORTED, ERR_EXISTS);
	again = sa_of(SA_OUT, 0x2000, 6, 1);
	put_add(&again);
	RESULTS(it.engine, OK);
	assert_int_equal(counter("sas"), 3);
	stop_granted();
}

TEST(all_kinds_of_calls_may_be_queued)
{
	struct wr w = wr_grow(64);
	struct grant narrow = test_grant(7, "192.0.2.1", "192.0.2.2");
	struct sa_params sa;
	struct bk_event e;
	uint16_t type;

	start_granted(NULL, 7);
	sa = sa_of(SA_IN, 0x1000, 1, 1);
	put_add(&sa);
	put_del(&sa);
	put_del(&sa);
	RESULTS(it.engine, OK, OK, ERR_NOTFOUND);
	put_policy(&grant);
	RESULTS(it.authz, OK);
	expect_event(it.engine, BK_ACQUIRE, &e);
	assert_int_equal(counter("policies"), 1);
	sa = sa_of(SA_IN, 0x1001, 2, 1);
	put_add(&sa);
	RESULTS(it.engine, OK);
	/* What a narrower grant does not cover goes, and the engine hears of it. */
	(void)strcpy(narrow.channels[0].id, "other");
	put_grant(&narrow);
	RESULTS(it.authz, OK);
	expect_event(it.engine, BK_EXPIRE, &e);
	assert_int_equal(e.u.expire.spi, 0x1001);
	assert_int_equal(counter("sas"), 0);
	assert_int_equal(counter("grants"), 2);
	type = bk_send_grant_drop(&w, 7);
	put(type, &w);
	w = wr_grow(64);
	type = bk_send_grant_drop(&w, 7);
	put(type, &w);
	w = wr_grow(64);
	type = bk_send_flush_own(&w);
	put(type, &w);
	RESULTS(it.authz, OK, ERR_NOTFOUND, OK);
	assert_int_equal(counter("grants"), 1);
	assert_int_equal(counter("flushes"), 1);
	grant_free(&narrow);
	stop_granted();
}

TEST(an_spi_may_come_and_go_in_one_batch)
{
	struct sa_params bad, good, other;

	start_granted(NULL, 7);
	bad = bad_of(SA_IN, 0xbad, 1, 1);
	good = sa_of(SA_IN, 0x1000, 2, 1);
	other = bad_of(SA_IN, 0xbad, 3, 2);
	put_add(&bad);
	put_del(&bad);
	put_add(&other);
	RESULTS(it.engine, ERR_UNSUPPORTED, ERR_NOTFOUND, ERR_UNSUPPORTED);
	/* The failure of the first must not take the second along, which has its place. */
	bad = bad_of(SA_IN, 0x1000, 5, 1);
	put_add(&bad);
	put_del(&bad);
	put_add(&good);
	RESULTS(it.engine, ERR_UNSUPPORTED, ERR_NOTFOUND, OK);
	put_del(&good);
	RESULTS(it.engine, OK);
	good = sa_of(SA_IN, 0x1000, 6, 1);
	put_add(&good);
	put_del(&good);
	good = sa_of(SA_IN, 0x1000, 4, 1);
	put_add(&good);
	RESULTS(it.engine, OK, OK, OK);
	assert_int_equal(counter("sas"), 1);
	put_del(&good);
	RESULTS(it.engine, OK);
	assert_int_equal(counter("sas"), 0);
	stop_granted();
}

TEST(orphans_go_when_both_halves_are_there)
{
	struct sa_params in, out;

	start_granted("orphan-deadline=3600", 7);
	assert_int_equal(counter("orphan-ms"), 3600000);
	in = sa_of(SA_IN, 0x1000, 1, 1);
	out = sa_of(SA_OUT, 0x2000, 2, 1);
	put_add(&in);
	put_add(&out);
	RESULTS(it.engine, OK, OK);
	connect_peer(PROC_ENGINE, &it.engine);
	in = sa_of(SA_IN, 0x1001, 3, 1);
	out = bad_of(SA_OUT, 0xbad, 4, 1);
	put_add(&in);
	put_add(&out);
	RESULTS(it.engine, OK, ERR_UNSUPPORTED);
	assert_int_equal(counter("sas"), 3);
	put_del(&in);
	in = bad_of(SA_IN, 0xbad, 5, 2);
	out = sa_of(SA_OUT, 0x2001, 6, 2);
	put_add(&in);
	put_add(&out);
	RESULTS(it.engine, OK, ERR_UNSUPPORTED, OK);
	assert_int_equal(counter("sas"), 3);
	in = sa_of(SA_IN, 0x1002, 7, 2);
	put_add(&in);
	RESULTS(it.engine, OK);
	assert_int_equal(counter("sas"), 2);
	stop_granted();
}

TEST(calls_of_an_engine_that_is_gone_are_carried_out)
{
	struct sa_params in, bad, next;
	struct wr w = wr_grow(64);
	struct bk_event e;

	start_granted("orphan-deadline=3600", 7);
	in = sa_of(SA_IN, 0x1000, 1, 1);
	bad = bad_of(SA_OUT, 0xbad, 2, 1);
	put_add(&in);
	put_add(&bad);
	flush_packet(it.engine);
	assert_int_equal(counter("sas"), 1);
	/* No commit; and what the new engine asks has its own results. */
	connect_peer(PROC_ENGINE, &it.engine);
	next = bad_of(SA_OUT, 0xbad, 3, 1);
	put_add(&next);
	next = sa_of(SA_OUT, 0x2001, 4, 1);
	put_add(&next);
	RESULTS(it.engine, ERR_UNSUPPORTED, ERR_EXISTS);
	next = sa_of(SA_OUT, 0x2001, 5, 1);
	put_add(&next);
	RESULTS(it.engine, OK);
	assert_int_equal(counter("sas"), 2);
	call(it.control, bk_send_sa_list(&w), &w);
	expect_event(it.control, BK_SA_INFO, &e);
	assert_int_equal(e.u.info.sa.spi, 0x1000);
	assert_int_equal(e.u.info.sa.pair, 0);
	expect_event(it.control, BK_SA_INFO, &e);
	assert_int_equal(e.u.info.sa.spi, 0x2001);
	assert_int_equal(e.u.info.sa.pair, 1);
	expect_event(it.control, BK_END, &e);
	stop_granted();
}

TEST(broken_packet_leaves_no_call_behind)
{
	struct sa_params in, out;
	struct bytes body;

	start_granted("orphan-deadline=3600", 7);
	in = sa_of(SA_IN, 0x1000, 1, 1);
	out = sa_of(SA_OUT, 0x2000, 2, 1);
	put_add(&in);
	put_add(&out);
	wr_u8(&packet, 1);
	flush_packet(it.engine);
	assert_int_equal(receive(it.engine, &body), 0);
	connect_peer(PROC_ENGINE, &it.engine);
	assert_int_equal(counter("sas"), 2);
	in = sa_of(SA_IN, 0x1001, 3, 1);
	out = sa_of(SA_OUT, 0x2001, 4, 1);
	put_add(&out);
	put_add(&in);
	RESULTS(it.engine, OK, OK);
	assert_int_equal(counter("sas"), 2);
	stop_granted();
}

/* Without a loop around it, since that settles at the end of every turn. */
static void
make_call(struct backend_host *h, enum proc_id proc, uint16_t type, struct wr *w)
{
	host_call(h, &h->conns[proc], type, wr_view(w));
	wr_free(w);
}

TEST(results_never_go_to_the_next_connection)
{
	static const uint8_t seed[16] = { 1 };
	struct backend b = { .n = 0 };
	struct backend_host h = { .ops = &fake_ops, .b = &b, .guard = guard_new(seed),
	    .now_s = 1000, .orphan_ms = 60000, .orphans_until = INT64_MAX };
	struct conn *engine = &h.conns[PROC_ENGINE];
	struct sa_params sa[3];
	struct wr w = wr_grow(65536);
	uint16_t type;
	size_t i;

	b.host = &h;
	for (i = 0; i < PROC_N; i++)
		conn_init(&h.conns[i], (enum proc_id)i);
	grant = test_grant(7, "192.0.2.1", "192.0.2.2");
	type = bk_send_grant_set(&w, &grant);
	make_call(&h, PROC_AUTHZ, type, &w);
	sa[0] = sa_of(SA_IN, 0x1000, 1, 1);
	sa[1] = bad_of(SA_OUT, 0x2000, 2, 1);
	sa[2] = sa_of(SA_OUT, 0x2001, 3, 1);
	for (i = 0; i < 2; i++) {
		w = wr_grow(8192);
		type = bk_send_sa_add(&w, &sa[i]);
		make_call(&h, PROC_ENGINE, type, &w);
	}
	conn_close(engine);
	host_engine_lost(&h);
	w = wr_grow(8192);
	type = bk_send_sa_add(&w, &sa[2]);
	make_call(&h, PROC_ENGINE, type, &w);
	host_settle(&h);
	assert_int_equal(engine->n_results, 1);
	assert_int_equal(engine->results[0], OK);
	/* The one that failed is not held; the other is an orphan, and the new pair only half there. */
	assert_int_equal(b.n, 2);
	assert_null(guard_sa(h.guard, SA_OUT, 0x2000, &sa[1].dst));
	assert_true(guard_sa(h.guard, SA_IN, 0x1000, &sa[0].dst)->orphan);
	assert_false(guard_sa(h.guard, SA_OUT, 0x2001, &sa[2].dst)->orphan);
	assert_int_equal(b.n_queue, 0);
	for (i = 0; i < PROC_N; i++)
		conn_close(&h.conns[i]);
	host_queue_free(&h);
	guard_free(h.guard);
	grant_free(&grant);
}

TEST(grant_that_the_backend_refuses_is_dropped)
{
	struct grant narrow;
	struct sa_params sa;
	struct bk_event e;

	start_granted(NULL, GRANT_FAILS);
	sa = sa_of(SA_IN, 0x1000, 1, 1);
	put_add(&sa);
	RESULTS(it.engine, OK);
	narrow = test_grant(GRANT_FAILS, "192.0.2.1", "192.0.2.2");
	narrow.n_vnis = VNIS_FAIL;
	put_grant(&narrow);
	RESULTS(it.authz, ERR_IO);
	expect_event(it.engine, BK_EXPIRE, &e);
	assert_int_equal(e.u.expire.spi, 0x1000);
	assert_int_equal(counter("sas"), 0);
	assert_int_equal(counter("grants"), 0);
	sa = sa_of(SA_IN, 0x1001, 2, 1);
	put_add(&sa);
	RESULTS(it.engine, ERR_DENIED);
	/* Set twice in one batch, the second time counts. */
	put_grant(&narrow);
	put_grant(&grant);
	RESULTS(it.authz, ERR_IO, OK);
	put_add(&sa);
	RESULTS(it.engine, OK);
	put_grant(&grant);
	put_grant(&narrow);
	RESULTS(it.authz, OK, ERR_IO);
	expect_event(it.engine, BK_EXPIRE, &e);
	sa = sa_of(SA_IN, 0x1002, 3, 1);
	put_add(&sa);
	RESULTS(it.engine, ERR_DENIED);
	grant_free(&narrow);
	stop_granted();
}

TEST(questions_see_what_was_queued)
{
	struct sa_params sa;
	struct wr w = wr_grow(64);
	struct bk_event e;
	uint16_t type;

	start_granted(NULL, 7);
	sa = sa_of(SA_IN, 0x1000, 1, 1);
	put_add(&sa);
	type = bk_send_sa_list(&w);
	put(type, &w);
	sa = bad_of(SA_IN, 0xbad, 2, 2);
	put_add(&sa);
	w = wr_grow(64);
	type = bk_send_counters(&w);
	put(type, &w);
	flush_packet(it.engine);
	expect_event(it.engine, BK_SA_INFO, &e);
	assert_int_equal(e.u.info.sa.spi, 0x1000);
	expect_event(it.engine, BK_END, &e);
	do {
		expect_event(it.engine, BK_COUNTER, &e);
		if (strcmp(e.u.counter.name, "queued") == 0)
			assert_int_equal(e.u.counter.value, 0);
	} while (strcmp(e.u.counter.name, "orphan-ms") != 0);
	expect_event(it.engine, BK_END, &e);
	/* Answered by then, the results still wait for the commit. */
	RESULTS(it.engine, OK, ERR_UNSUPPORTED);
	stop_granted();
}

TEST(calls_wait_for_no_commit_to_be_carried_out)
{
	struct bk_event e;

	start_granted(NULL, 7);
	put_policy(&grant);
	flush_packet(it.authz);
	expect_event(it.engine, BK_ACQUIRE, &e);
	RESULTS(it.authz, OK);
	stop_granted();
}

TEST(calls_that_the_backend_forgets_have_failed)
{
	struct sa_params a, b;

	start("mute=yes");
	grant = test_grant(7, "192.0.2.1", "192.0.2.2");
	/* The grant's failure makes it go, which is a call too. */
	put_grant(&grant);
	put_policy(&grant);
	RESULTS(it.authz, OK, ERR_IO);
	a = sa_of(SA_IN, 0x1000, 1, 1);
	b = sa_of(SA_OUT, 0x2000, 2, 1);
	put_add(&a);
	put_add(&b);
	RESULTS(it.engine, OK, ERR_IO);
	assert_int_equal(counter("sas"), 1);
	b = sa_of(SA_OUT, 0x2000, 3, 1);
	put_add(&b);
	put_del(&a);
	RESULTS(it.engine, OK, ERR_IO);
	stop_granted();
}

TEST(move_is_settled_at_once)
{
	struct endpoint local = { test_addr("192.0.2.7"), 4500 }, peer = { test_addr("192.0.2.2"), 4500 };
	struct endpoint bad = { test_addr("192.0.2.7"), PORT_FAILS };
	struct sa_params in;
	struct wr w = wr_grow(64);
	uint16_t type;

	start(NULL);
	grant = test_grant(7, "192.0.2.1", "192.0.2.2");
	grant.local[grant.n_local++] = local.addr;
	put_grant(&grant);
	RESULTS(it.authz, OK);
	in = sa_of(SA_IN, 0x1000, 1, 5);
	put_add(&in);
	type = bk_send_sa_move(&w, 5, &bad, &peer);
	put(type, &w);
	w = wr_grow(64);
	type = bk_send_sa_move(&w, 5, &local, &peer);
	put(type, &w);
	put_del(&in);
	in.dst = local.addr;
	put_del(&in);
	RESULTS(it.engine, OK, ERR_IO, OK, ERR_NOTFOUND, OK);
	assert_int_equal(counter("sas"), 0);
	stop_granted();
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_come_with_the_commit_in_order),
		cmocka_unit_test(all_kinds_of_calls_may_be_queued),
		cmocka_unit_test(an_spi_may_come_and_go_in_one_batch),
		cmocka_unit_test(orphans_go_when_both_halves_are_there),
		cmocka_unit_test(calls_of_an_engine_that_is_gone_are_carried_out),
		cmocka_unit_test(broken_packet_leaves_no_call_behind),
		cmocka_unit_test(results_never_go_to_the_next_connection),
		cmocka_unit_test(grant_that_the_backend_refuses_is_dropped),
		cmocka_unit_test(questions_see_what_was_queued),
		cmocka_unit_test(calls_wait_for_no_commit_to_be_carried_out),
		cmocka_unit_test(calls_that_the_backend_forgets_have_failed),
		cmocka_unit_test(move_is_settled_at_once),
	};

	if (argc > 1 && strcmp(argv[1], BACKEND_ARG) == 0)
		return backend_main(&fake_ops, argc - 1, argv + 1);
	self = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
