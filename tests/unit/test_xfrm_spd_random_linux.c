/* SPDX-License-Identifier: ISC */
/*
 * Random policies and SAs, and beside them a model that has no state but a list of targets: from it the
 * policies that must be in the kernel are computed anew each time.
 */
#include "xfrm_model.h"

#include <stdio.h>

#define NODES    4
#define CHANNELS 4
#define SAS      40
#define STEPS    4000

struct held {
	struct target *t;
	struct sa_params sa;
	size_t node, channel;
};

static struct spd spd;
static struct kernel kernel, expected;
static uint64_t state_of_random;

static const char *const nodes[NODES] = { "nve-1", "nve-2", "nve-3", "nva-1" };
static const char *const locals[] = { "192.0.2.1", "192.0.2.2", "2001:db8::1" };
static const char *const peers[] = { "192.0.2.11", "192.0.2.12", "192.0.2.13", "2001:db8::11",
    "2001:db8::12" };

/* The naive side: what each target is. Empty ones are not there. */
static struct target model[NODES][CHANNELS];
static struct held sas[SAS];
static size_t n_sas;

static size_t
any(size_t n)
{
	return (size_t)(test_random(&state_of_random) % n);
}

static struct channel
channel(size_t i)
{
	static const char *const ids[] = { "vxlan", "evpn", "all", "tunnel" };
	struct channel c = model_channel(ids[i], i == 0 ? LEVEL_DATA : LEVEL_CONTROL,
	    i == 0 ? UDP : i == 1 ? TCP : 0, i == 0 ? 4789 : i == 1 ? 179 : 0);

	if (i == 3) {
		c.proto = UDP;
		c.port = any(2) == 0 ? 7000 : 7001;
		c.mode = SA_TUNNEL;
	}
	return c;
}

static struct policy
some_policy(size_t node, size_t ch)
{
	const char *peer = peers[any(COUNT(peers))];
	bool v6 = strchr(peer, ':') != NULL;

	return model_policy(nodes[node], locals[v6 ? 2 : any(2)], peer, channel(ch));
}

/* ---- the model ---- */

static bool
same_ends(const struct pair *a, const struct pair *b)
{
	return addr_equal(&a->sel_local, &b->sel_local) && addr_equal(&a->sel_peer, &b->sel_peer);
}

static bool
same_pair(const struct pair *a, const struct pair *b)
{
	return same_ends(a, b) && addr_equal(&a->local, &b->local) && addr_equal(&a->peer, &b->peer) &&
	    a->mode == b->mode;
}

static void
expect(const struct target *t, const struct pair *p, uint8_t dir, uint16_t sport, uint16_t dport)
{
	bool out = dir != XDIR_IN;
	struct xpol x = { .dir = dir, .block = t->blocked || dir == XDIR_FWD, .tmpl = true,
	    .priority = t->channel.port != 0 ? 1000 : 1003, .reqid = t->reqid, .mode = p->mode,
	    .src = out ? p->local : p->peer, .dst = out ? p->peer : p->local,
	    .sel = xsel_hosts(out ? &p->sel_local : &p->sel_peer, out ? &p->sel_peer : &p->sel_local,
	    t->channel.proto, sport, dport) };
	struct xpol *there = kernel_find(&expected, x.dir, &x.sel);

	if (there == NULL)
		there = &expected.p[expected.n++];
	*there = x;
}

static void
expect_pair(const struct target *t, const struct pair *p)
{
	uint16_t port = t->channel.port;
	uint8_t dir;

	for (dir = XDIR_IN; dir <= XDIR_FWD; dir++) {
		expect(t, p, dir, 0, port);
		if (t->channel.proto == TCP)
			expect(t, p, dir, port, 0);
	}
}

/* Pairs with SAs are written over those without, later ones over earlier ones. */
static void
expect_target(const struct target *t)
{
	uint8_t i;
	int with_sas;

	for (with_sas = 0; with_sas < 2; with_sas++)
		for (i = 0; i < t->n_pairs; i++)
			if ((t->pairs[i].n_sas != 0) == with_sas)
				expect_pair(t, &t->pairs[i]);
}

static void
expect_all(void)
{
	size_t n, c;

	expected.n = 0;
	for (n = 0; n < NODES; n++)
		for (c = 0; c < CHANNELS; c++)
			expect_target(&model[n][c]);
}

/* Would a target like this want what another has? */
static bool
conflicts(const struct target *like, size_t node, size_t ch)
{
	struct xpol mine[TARGET_PAIRS_MAX * TARGET_FORMS_MAX];
	size_t n, c, i, n_mine;

	expected.n = 0;
	expect_target(like);
	n_mine = expected.n;
	memcpy(mine, expected.p, n_mine * sizeof mine[0]);
	expected.n = 0;
	for (n = 0; n < NODES; n++)
		for (c = 0; c < CHANNELS; c++)
			if (n != node || c != ch)
				expect_target(&model[n][c]);
	for (i = 0; i < n_mine; i++)
		if (kernel_find(&expected, mine[i].dir, &mine[i].sel) != NULL)
			return true;
	return false;
}

/* Without the pairs that nothing needs. */
static void
tidy(struct target *t)
{
	struct target old = *t;
	uint8_t i;

	t->n_pairs = 0;
	for (i = 0; i < old.n_pairs; i++)
		if (old.pairs[i].by_policy || old.pairs[i].n_sas != 0)
			t->pairs[t->n_pairs++] = old.pairs[i];
	if (t->n_pairs == 0 && !t->has_policy)
		memset(t, 0, sizeof *t);
}

static bool
is_there(const struct target *t)
{
	return t->has_policy || t->n_pairs != 0;
}

static size_t
find_pair(const struct target *t, const struct pair *like)
{
	size_t i;

	for (i = 0; i < t->n_pairs && !same_pair(&t->pairs[i], like); i++)
		;
	return i;
}

static void
without_policy(struct target *t)
{
	uint8_t i;

	for (i = 0; i < t->n_pairs; i++)
		t->pairs[i].by_policy = false;
	t->has_policy = t->blocked = false;
}

/* ---- steps ---- */

static void
step_policy_add(void)
{
	size_t n = any(NODES), c = any(CHANNELS), at;
	struct policy p = some_policy(n, c);
	struct target next = model[n][c], *t;
	struct pair like = { .local = p.local, .peer = p.peer, .sel_local = p.local, .sel_peer = p.peer,
	    .mode = p.channel.mode };
	int r, want = OK;

	p.action = any(4) == 0 ? POLICY_BLOCK : POLICY_PROTECT;
	next.channel = p.channel;
	without_policy(&next);
	tidy(&next);
	next.channel = p.channel;
	next.has_policy = true;
	next.blocked = p.action == POLICY_BLOCK;
	if ((at = find_pair(&next, &like)) == TARGET_PAIRS_MAX) {
		want = ERR_SPACE;
	} else {
		if (at == next.n_pairs)
			next.pairs[next.n_pairs++] = like;
		next.pairs[at].by_policy = true;
	}
	if (want == OK && conflicts(&next, n, c))
		want = ERR_EXISTS;
	r = spd_policy_add(&spd, &p);
	assert_int_equal(r, want);
	if (r != OK)
		return;
	t = spd_target(&spd, nodes[n], p.channel.id);
	assert_non_null(t);
	/* Stable while there was one. */
	if (is_there(&model[n][c]))
		assert_int_equal(t->reqid, model[n][c].reqid);
	next.reqid = t->reqid;
	model[n][c] = next;
}

static void
step_policy_del(void)
{
	size_t n = any(NODES), c = any(CHANNELS);
	struct target *t = &model[n][c];
	struct channel ch = channel(c);

	assert_int_equal(spd_policy_del(&spd, nodes[n], ch.id), t->has_policy ? OK : ERR_NOTFOUND);
	if (!t->has_policy)
		return;
	without_policy(t);
	tidy(t);
}

static struct sa_params
some_sa(const struct policy *p)
{
	struct sa_params sa = model_sa(p, any(2) == 0 ? SA_IN : SA_OUT, 0x1001);
	struct addr local = p->local;

	/* A tunnel for the traffic of another local address. */
	if (p->channel.mode == SA_TUNNEL && local.family == ADDR_V4) {
		local = test_addr(locals[any(2)]);
		if (sa.dir == SA_OUT)
			sa.src_sel[0] = selector_host(&local, UDP, 0, 65535);
		else
			sa.dst_sel[0] = selector_host(&local, UDP, p->channel.port, p->channel.port);
	}
	return sa;
}

static void
step_bind(void)
{
	size_t n = any(NODES), c = any(CHANNELS), at;
	struct policy p = some_policy(n, c);
	struct sa_params sa = some_sa(&p);
	bool out = sa.dir == SA_OUT;
	struct pair like = { .local = p.local, .peer = p.peer, .mode = p.channel.mode, .sel_peer = p.peer,
	    .sel_local = out ? sa.src_sel[0].lo : sa.dst_sel[0].lo };
	struct target next = model[n][c], *t = NULL;
	int want = OK;

	if (n_sas == SAS)
		return;
	if (!is_there(&next))
		next.channel = p.channel;
	if (next.blocked) {
		want = ERR_DENIED;
	} else if ((at = find_pair(&next, &like)) == TARGET_PAIRS_MAX) {
		want = ERR_SPACE;
	} else {
		if (at == next.n_pairs)
			next.pairs[next.n_pairs++] = like;
		like = next.pairs[at];
		like.n_sas++;
		for (; at + 1 < next.n_pairs; at++)
			next.pairs[at] = next.pairs[at + 1];
		next.pairs[at] = like;
		if (conflicts(&next, n, c))
			want = ERR_EXISTS;
	}
	assert_int_equal(spd_bind(&spd, nodes[n], &p.channel, &sa, &t), want);
	if (want != OK)
		return;
	if (is_there(&model[n][c]))
		assert_int_equal(t->reqid, model[n][c].reqid);
	next.reqid = t->reqid;
	model[n][c] = next;
	sas[n_sas++] = (struct held){ t, sa, n, c };
}

static void
step_unbind(void)
{
	struct pair like;
	struct target *t;
	struct held h;
	bool out;
	size_t i;

	if (n_sas == 0)
		return;
	i = any(n_sas);
	h = sas[i];
	sas[i] = sas[--n_sas];
	out = h.sa.dir == SA_OUT;
	like = (struct pair){ .local = out ? h.sa.src : h.sa.dst, .peer = out ? h.sa.dst : h.sa.src,
	    .sel_local = out ? h.sa.src_sel[0].lo : h.sa.dst_sel[0].lo,
	    .sel_peer = out ? h.sa.dst_sel[0].lo : h.sa.src_sel[0].lo, .mode = h.sa.mode };
	t = &model[h.node][h.channel];
	i = find_pair(t, &like);
	assert_true(i < t->n_pairs);
	t->pairs[i].n_sas--;
	spd_unbind(&spd, h.t, &h.sa);
	tidy(t);
}

/* Somebody takes some of the kernel's policies away. */
static void
step_loss(void)
{
	struct pol_entry *e;
	size_t pos = 0;

	(void)kernel_apply(&kernel, &spd);
	while ((e = spd_entry_next(&spd, &pos)) != NULL)
		if (e->have && any(3) == 0) {
			kernel_del(&kernel, kernel_find(&kernel, e->pol.dir, &e->pol.sel));
			e->have = e->differs = e->inherited = false;
			spd_touch(&spd, e);
		}
}

/* The process dies: policies stay, SAs and documents come again, perhaps. */
static void
step_restart(void)
{
	struct options o = model_options();
	size_t i;

	spd_free(&spd);
	assert_int_equal(spd_init(&spd, &o, model_seed), OK);
	memset(model, 0, sizeof model);
	n_sas = 0;
	for (i = 0; i < kernel.n; i++)
		assert_int_equal(spd_inherit(&spd, &kernel.p[i]), OK);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

/* ---- what always holds ---- */

static void
check_targets(void)
{
	size_t n, c, there = 0;
	struct target *t;

	for (n = 0; n < NODES; n++)
		for (c = 0; c < CHANNELS; c++) {
			t = spd_target(&spd, nodes[n], channel(c).id);
			assert_int_equal(t != NULL, is_there(&model[n][c]));
			if (t == NULL)
				continue;
			there++;
			assert_true(spd_is_own_reqid(&spd, t->reqid));
			assert_ptr_equal(spd_by_reqid(&spd, t->reqid), t);
		}
	assert_int_equal(hash_count(spd.targets), there);
	assert_int_equal(hash_count(spd.reqids), there);
}

static void
check(void)
{
	size_t i, inherited = 0, pos = 0;
	struct pol_entry *e;

	(void)kernel_apply(&kernel, &spd);
	expect_all();
	for (i = 0; i < expected.n; i++) {
		const struct xpol *p = kernel_find(&kernel, expected.p[i].dir, &expected.p[i].sel);

		assert_non_null(p);
		assert_true(xpol_equal(p, &expected.p[i]));
	}
	while ((e = spd_entry_next(&spd, &pos)) != NULL) {
		assert_true(e->have && (e->want != e->inherited) && !e->listed && !e->differs);
		assert_true(spd_is_own(&spd, &e->pol));
		assert_ptr_equal(kernel_find(&expected, e->pol.dir, &e->pol.sel) != NULL ? e : NULL,
		    e->want ? e : NULL);
		inherited += e->inherited;
	}
	assert_int_equal(spd.n_own, expected.n);
	assert_int_equal(hash_count(spd.pols), kernel.n);
	assert_int_equal(kernel.n, expected.n + inherited);
	check_targets();
}

static void
one_run(uint64_t seed)
{
	struct options o = model_options();
	size_t i, what;

	state_of_random = seed;
	kernel.n = n_sas = 0;
	memset(model, 0, sizeof model);
	assert_int_equal(spd_init(&spd, &o, model_seed), OK);
	for (i = 0; i < STEPS; i++) {
		what = any(1000);
		if (what < 300)
			step_policy_add();
		else if (what < 450)
			step_policy_del();
		else if (what < 720)
			step_bind();
		else if (what < 970)
			step_unbind();
		else if (what < 980)
			step_loss();
		else if (what < 983)
			step_restart();
		else if (what < 990)
			spd_disinherit(&spd);
		else
			check();
	}
	while (n_sas != 0)
		step_unbind();
	check();
	spd_free(&spd);
}

TEST(kernel_has_what_the_model_says)
{
	uint64_t seed;

	for (seed = 1; seed <= 12; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		one_run(seed * UINT64_C(0x9e3779b97f4a7c15));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_has_what_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
