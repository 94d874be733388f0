/* SPDX-License-Identifier: ISC */
/* The policies per peer and channel: layer 2. */
#include "xfrm_model.h"

#include <stdio.h>

#define HERE   "192.0.2.1"
#define HERE_2 "192.0.2.101"
#define THERE  "192.0.2.2"
#define OTHER  "192.0.2.3"

static struct spd spd;
static struct kernel kernel;

static int
setup(void **state)
{
	struct options o = model_options();

	(void)state;
	kernel.n = 0;
	return spd_init(&spd, &o, model_seed);
}

static int
teardown(void **state)
{
	(void)state;
	spd_free(&spd);
	return 0;
}

static int
try(const char *node, const char *local, const char *peer, struct channel c)
{
	struct policy p = model_policy(node, local, peer, c);

	return spd_policy_add(&spd, &p);
}

static struct target *
protect(const char *node, const char *local, const char *peer, struct channel c)
{
	assert_int_equal(try(node, local, peer, c), OK);
	return spd_target(&spd, node, c.id);
}

static struct sa_params
sa_of(const char *local, const char *peer, struct channel c, uint32_t spi)
{
	struct policy p = model_policy("", local, peer, c);

	return model_sa(&p, SA_OUT, spi);
}

static struct target *
bind(const char *node, const struct sa_params *sa, struct channel c)
{
	struct target *t = NULL;

	assert_int_equal(spd_bind(&spd, node, &c, sa, &t), OK);
	assert_ptr_equal(spd_target(&spd, node, c.id), t);
	return t;
}

static const struct xpol *
vxlan_policy(uint8_t dir, const char *src, const char *dst)
{
	struct packet p = packet(dir, src, dst, UDP, 50000, 4789);

	return kernel_policy(&kernel, &p);
}

static size_t
targets(void)
{
	return hash_count(spd.targets);
}

/* ---- policies of the document ---- */

TEST(a_peer_is_protected_and_the_rest_stays_blocked)
{
	struct target *t;

	assert_int_equal(spd_block(&spd, 4789), OK);
	t = protect("nve-2", HERE, THERE, vxlan());
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(verdict_of(vxlan_policy(XDIR_OUT, HERE, THERE)), PROTECT);
	assert_int_equal(vxlan_policy(XDIR_OUT, HERE, THERE)->reqid, t->reqid);
	assert_int_equal(verdict_of(vxlan_policy(XDIR_IN, THERE, HERE)), PROTECT);
	assert_int_equal(vxlan_policy(XDIR_IN, THERE, HERE)->reqid, t->reqid);
	assert_int_equal(verdict_of(vxlan_policy(XDIR_OUT, HERE, OTHER)), BLOCK);
	assert_int_equal(verdict_of(vxlan_policy(XDIR_IN, OTHER, HERE)), BLOCK);
	assert_int_equal(verdict_of(vxlan_policy(XDIR_IN, THERE, HERE_2)), BLOCK);
	/* Nobody gets our ESP by forging our address. */
	assert_int_equal(verdict_of(vxlan_policy(XDIR_FWD, HERE, THERE)), BLOCK);
	assert_null(vxlan_policy(XDIR_FWD, OTHER, THERE));
}

TEST(withdrawn_policy_leaves_the_block)
{
	bool twin;

	for (twin = false;; twin = true) {
		if (!twin)
			assert_int_equal(spd_block(&spd, 4789), OK);
		(void)protect("nve-2", HERE, THERE, vxlan());
		(void)kernel_apply(&kernel, &spd);
		assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
		assert_int_equal(kernel_apply(&kernel, &spd), 3);
		assert_int_equal(verdict_of(vxlan_policy(XDIR_OUT, HERE, THERE)), twin ? PASS : BLOCK);
		assert_int_equal(verdict_of(vxlan_policy(XDIR_IN, THERE, HERE)), twin ? PASS : BLOCK);
		assert_int_equal(targets(), 0);
		if (twin)
			break;
		(void)teardown(NULL);
		(void)setup(NULL);
	}
}

TEST(each_node_and_channel_has_a_reqid_of_its_own)
{
	struct target *t[] = { protect("nve-2", HERE, THERE, vxlan()), protect("nve-2", HERE, THERE, evpn()),
	    protect("nve-3", HERE, OTHER, vxlan()) };
	size_t i, k;

	for (i = 0; i < COUNT(t); i++) {
		assert_true(spd_is_own_reqid(&spd, t[i]->reqid));
		assert_ptr_equal(spd_by_reqid(&spd, t[i]->reqid), t[i]);
		for (k = 0; k < i; k++)
			assert_int_not_equal(t[i]->reqid, t[k]->reqid);
	}
	assert_null(spd_by_reqid(&spd, 0));
}

/* "ab" has channel "c", "a" has "bc". */
TEST(names_that_run_together_are_two)
{
	struct target *a = protect("ab", HERE, THERE, model_channel("c", LEVEL_DATA, UDP, 4789));
	struct target *b = protect("a", HERE, OTHER, model_channel("bc", LEVEL_DATA, UDP, 4789));

	assert_ptr_not_equal(a, b);
	assert_int_equal(spd_policy_del(&spd, "ab", "bc"), ERR_NOTFOUND);
	assert_int_equal(spd_policy_del(&spd, "ab", "c"), OK);
	assert_ptr_equal(spd_target(&spd, "a", "bc"), b);
}

TEST(tcp_is_protected_whoever_opens_the_connection)
{
	uint8_t dir;

	(void)protect("nve-2", HERE, THERE, evpn());
	(void)kernel_apply(&kernel, &spd);
	for (dir = XDIR_IN; dir <= XDIR_OUT; dir++) {
		const char *src = dir == XDIR_OUT ? HERE : THERE, *dst = dir == XDIR_OUT ? THERE : HERE;

		assert_int_equal(judge(&kernel, dir, src, dst, TCP, 40000, 179), PROTECT);
		assert_int_equal(judge(&kernel, dir, src, dst, TCP, 179, 40000), PROTECT);
		assert_int_equal(judge(&kernel, dir, src, dst, TCP, 40000, 22), PASS);
		assert_int_equal(judge(&kernel, dir, src, dst, UDP, 40000, 179), PASS);
	}
	assert_int_equal(kernel.n, 6);
}

TEST(vxlan_goes_by_its_own_policy_where_all_traffic_has_one)
{
	struct target *all = protect("nve-2", HERE, THERE, model_channel("all", LEVEL_CONTROL, 0, 0));
	struct target *t = protect("nve-2", HERE, THERE, vxlan());
	struct packet ssh = packet(XDIR_OUT, HERE, THERE, TCP, 40000, 22);

	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(vxlan_policy(XDIR_OUT, HERE, THERE)->reqid, t->reqid);
	assert_int_equal(kernel_policy(&kernel, &ssh)->reqid, all->reqid);
}

TEST(blocked_channel_is_blocked_and_gets_no_sas)
{
	struct policy p = model_policy("nve-2", HERE, THERE, evpn());
	struct sa_params sa = model_sa(&p, SA_OUT, 0x1001);
	struct target *t = NULL;

	p.action = POLICY_BLOCK;
	assert_int_equal(spd_policy_add(&spd, &p), OK);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, TCP, 40000, 179), BLOCK);
	assert_int_equal(spd_bind(&spd, "nve-2", &p.channel, &sa, &t), ERR_DENIED);
	assert_null(t);
	p.action = POLICY_PROTECT;
	assert_int_equal(spd_policy_add(&spd, &p), OK);
	assert_int_equal(kernel_apply(&kernel, &spd), 4);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, TCP, 40000, 179), PROTECT);
	(void)bind("nve-2", &sa, p.channel);
	/* Blocked while SAs are there; withdrawn, the SAs' own policies are left. */
	p.action = POLICY_BLOCK;
	assert_int_equal(spd_policy_add(&spd, &p), OK);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, TCP, 179, 40000), BLOCK);
	assert_int_equal(spd_policy_del(&spd, "nve-2", "evpn"), OK);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, TCP, 179, 40000), PROTECT);
	(void)bind("nve-2", &sa, p.channel);
}

TEST(what_cant_be_a_policy_is_refused_and_leaves_nothing)
{
	struct policy p = model_policy("nve-2", HERE, THERE, vxlan()), q;

#define REFUSED(change) (q = p, (void)(change), assert_int_equal(spd_policy_add(&spd, &q), ERR_UNSUPPORTED))
	REFUSED(q.action = POLICY_BYPASS);
	REFUSED(q.action = 0);
	REFUSED(q.local.family = AF_NONE_);
	REFUSED(q.peer.family = AF_NONE_);
	REFUSED(q.peer = test_addr("2001:db8::2"));
	REFUSED(q.channel.mode = 0);
	REFUSED(q.channel.port = 500);
#undef REFUSED
	assert_int_equal(targets(), 0);
	assert_int_equal(hash_count(spd.pols), 0);
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), ERR_NOTFOUND);
}

/* ---- policies that change ---- */

TEST(changed_policy_keeps_its_reqid)
{
	uint32_t reqid = protect("nve-2", HERE, THERE, vxlan())->reqid;
	struct channel c = vxlan();

	(void)kernel_apply(&kernel, &spd);
	c.port = 8472;
	assert_int_equal(protect("nve-2", HERE, THERE, c)->reqid, reqid);
	(void)kernel_apply(&kernel, &spd);
	assert_null(vxlan_policy(XDIR_OUT, HERE, THERE));
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 1, 8472), PROTECT);
	assert_int_equal(kernel.n, 3);
	c.proto = TCP;
	assert_int_equal(protect("nve-2", HERE, OTHER, c)->reqid, reqid);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, UDP, 1, 8472), PASS);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, OTHER, TCP, 1, 8472), PROTECT);
	assert_int_equal(kernel.n, 6);
	c.mode = SA_TUNNEL;
	assert_int_equal(protect("nve-2", HERE, OTHER, c)->reqid, reqid);
	assert_int_equal(kernel_apply(&kernel, &spd), 6);
	assert_int_equal(kernel.p[0].mode, SA_TUNNEL);
	assert_int_equal(spd.n_own, 6);
}

TEST(former_addresses_stay_while_an_sa_uses_them)
{
	struct sa_params sa = sa_of(HERE, THERE, vxlan(), 0x1001);
	struct target *t = protect("nve-2", HERE, THERE, vxlan());

	assert_ptr_equal(bind("nve-2", &sa, vxlan()), t);
	(void)protect("nve-2", HERE, OTHER, vxlan());
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(t->n_pairs, 2);
	assert_int_equal(vxlan_policy(XDIR_OUT, HERE, THERE)->reqid, t->reqid);
	assert_int_equal(vxlan_policy(XDIR_OUT, HERE, OTHER)->reqid, t->reqid);
	spd_unbind(&spd, t, &sa);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_int_equal(t->n_pairs, 1);
	assert_null(vxlan_policy(XDIR_OUT, HERE, THERE));
	assert_non_null(vxlan_policy(XDIR_OUT, HERE, OTHER));
}

/* ---- policies that two want ---- */

TEST(of_two_targets_with_one_selector_the_first_has_it)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan());
	struct sa_params sa = sa_of(HERE, THERE, vxlan(), 0x1001);
	struct channel c = vxlan();
	struct target *u = NULL;

	assert_int_equal(try("nve-3", HERE, THERE, vxlan()), ERR_EXISTS);
	assert_null(spd_target(&spd, "nve-3", "vxlan"));
	assert_int_equal(spd_bind(&spd, "nve-3", &c, &sa, &u), ERR_EXISTS);
	assert_null(u);
	assert_int_equal(targets(), 1);
	assert_int_equal(spd.n_own, 3);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(vxlan_policy(XDIR_IN, THERE, HERE)->reqid, t->reqid);
	assert_int_equal(kernel.n, 3);
	/* Once the first has gone it is free. */
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
	t = protect("nve-3", HERE, THERE, vxlan());
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_int_equal(vxlan_policy(XDIR_IN, THERE, HERE)->reqid, t->reqid);
}

/* Else a new document could take the protection off what the former one protected. */
TEST(a_change_that_fails_leaves_the_former_policy)
{
	struct target *t = protect("nve-2", HERE, THERE, evpn()), before;
	struct policy p = model_policy("nve-2", HERE, OTHER, evpn());
	struct sa_params sa = sa_of(HERE, OTHER, evpn(), 0x1001);
	struct channel c = evpn();
	struct target *u = NULL;

	(void)protect("nve-3", HERE, OTHER, evpn());
	(void)kernel_apply(&kernel, &spd);
	before = *t;
	assert_int_equal(try("nve-2", HERE, OTHER, evpn()), ERR_EXISTS);
	assert_int_equal(spd_bind(&spd, "nve-2", &c, &sa, &u), ERR_EXISTS);
	p.action = POLICY_BLOCK;
	assert_int_equal(spd_policy_add(&spd, &p), ERR_EXISTS);
	p.action = POLICY_BYPASS;
	assert_int_equal(spd_policy_add(&spd, &p), ERR_UNSUPPORTED);
	assert_int_equal(kernel.n, 12);
	before.round = t->round;
	assert_memory_equal(t, &before, sizeof before);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_int_equal(judge(&kernel, XDIR_OUT, HERE, THERE, TCP, 40000, 179), PROTECT);
	assert_int_equal(judge(&kernel, XDIR_IN, THERE, HERE, TCP, 179, 40000), PROTECT);
}

/* What several pairs of addresses of one target may share only tunnels can. */
static struct sa_params
tunnel(const char *local, const char *peer, uint32_t spi)
{
	struct sa_params sa = sa_of(local, peer, vxlan(), spi);
	struct addr a = test_addr(HERE), b = test_addr(THERE);

	sa.mode = SA_TUNNEL;
	sa.src_sel[0] = selector_host(&a, UDP, 0, 65535);
	sa.dst_sel[0] = selector_host(&b, UDP, 4789, 4789);
	return sa;
}

static struct addr
outer(void)
{
	return vxlan_policy(XDIR_OUT, HERE, THERE)->dst;
}

TEST(of_tunnels_for_the_same_traffic_the_last_one_with_sas_has_the_policies)
{
	struct sa_params first = tunnel(HERE, "198.51.100.1", 0x1001);
	struct sa_params second = tunnel(HERE, "198.51.100.2", 0x1002);
	struct channel c = vxlan();
	struct addr a1 = test_addr("198.51.100.1"), a2 = test_addr("198.51.100.2"), a0 = test_addr(THERE), a;
	struct target *t;

	c.mode = SA_TUNNEL;
	t = protect("nve-2", HERE, THERE, c);
	assert_ptr_equal(bind("nve-2", &first, c), t);
	(void)kernel_apply(&kernel, &spd);
	assert_true((a = outer(), addr_equal(&a, &a1)));
	(void)bind("nve-2", &second, c);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_true((a = outer(), addr_equal(&a, &a2)));
	/* An SA more for the first: it is the last one again. */
	(void)bind("nve-2", &first, c);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_true((a = outer(), addr_equal(&a, &a1)));
	assert_int_equal(t->n_pairs, 3);
	spd_unbind(&spd, t, &first);
	spd_unbind(&spd, t, &first);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_true((a = outer(), addr_equal(&a, &a2)));
	spd_unbind(&spd, t, &second);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_true((a = outer(), addr_equal(&a, &a0)));
	assert_int_equal(kernel.n, 3);
}

TEST(pairs_of_addresses_are_bounded)
{
	struct target *t = protect("nve-2", HERE, THERE, vxlan()), *u = NULL;
	struct channel c = vxlan();
	struct sa_params sa;
	char peer[20];
	int i;

	for (i = 1; i <= TARGET_PAIRS_MAX; i++) {
		(void)snprintf(peer, sizeof peer, "198.51.100.%d", i);
		sa = sa_of(HERE, peer, vxlan(), 0x1000 + (uint32_t)i);
		assert_int_equal(spd_bind(&spd, "nve-2", &c, &sa, &u),
		    i < TARGET_PAIRS_MAX ? OK : ERR_SPACE);
	}
	assert_int_equal(t->n_pairs, TARGET_PAIRS_MAX);
	assert_int_equal(t->n_sas, TARGET_PAIRS_MAX - 1);
	/* The document's pair may move all the same. */
	assert_int_equal(try("nve-2", HERE, peer, vxlan()), OK);
	assert_int_equal(t->n_pairs, TARGET_PAIRS_MAX);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(kernel.n, 3 * TARGET_PAIRS_MAX);
}

/* ---- SAs ---- */

TEST(two_sas_of_a_rekey_share_policies_and_reqid)
{
	struct sa_params old = sa_of(HERE, THERE, vxlan(), 0x1001), new = sa_of(HERE, THERE, vxlan(), 0x1002);
	struct target *t = protect("nve-2", HERE, THERE, vxlan());
	uint32_t reqid = t->reqid;

	assert_ptr_equal(bind("nve-2", &old, vxlan()), t);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_ptr_equal(bind("nve-2", &new, vxlan()), t);
	spd_unbind(&spd, t, &old);
	assert_int_equal(t->reqid, reqid);
	assert_int_equal(t->n_pairs, 1);
	assert_int_equal(t->n_sas, 1);
	spd_unbind(&spd, t, &new);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_int_equal(vxlan_policy(XDIR_OUT, HERE, THERE)->reqid, reqid);
}

TEST(both_directions_are_one_pair)
{
	struct policy p = model_policy("nve-2", HERE, THERE, vxlan());
	struct sa_params in = model_sa(&p, SA_IN, 0x1001), out = model_sa(&p, SA_OUT, 0x2001);
	struct target *t = bind("nve-2", &in, vxlan());

	assert_ptr_equal(bind("nve-2", &out, vxlan()), t);
	assert_int_equal(t->n_pairs, 1);
	assert_int_equal(t->pairs[0].n_sas, 2);
}

/* A peer that the document gives no policy for: as long as it has SAs. */
TEST(sas_without_a_policy_have_policies_of_their_own)
{
	struct sa_params a = sa_of(HERE, THERE, vxlan(), 0x1001), b = sa_of(HERE_2, THERE, vxlan(), 0x1002);
	struct target *t = bind("nve-2", &a, vxlan());

	assert_ptr_equal(bind("nve-2", &b, vxlan()), t);
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(kernel.n, 6);
	spd_unbind(&spd, t, &a);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	spd_unbind(&spd, t, &b);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_int_equal(kernel.n, 0);
	assert_int_equal(targets(), 0);
	assert_int_equal(hash_count(spd.reqids), 0);
	assert_int_equal(hash_count(spd.pols), 0);
}

TEST(target_outlives_its_policy_while_it_has_sas)
{
	struct sa_params sa = sa_of(HERE, THERE, vxlan(), 0x1001);
	struct target *t = protect("nve-2", HERE, THERE, vxlan());
	uint32_t reqid = t->reqid;

	(void)bind("nve-2", &sa, vxlan());
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), ERR_NOTFOUND);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	assert_int_equal(protect("nve-2", HERE, THERE, vxlan())->reqid, reqid);
	assert_int_equal(spd_policy_del(&spd, "nve-2", "vxlan"), OK);
	spd_unbind(&spd, t, &sa);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_int_equal(targets(), 0);
}

TEST(sas_that_no_policy_could_select_are_refused)
{
	struct sa_params sa = sa_of(HERE, THERE, vxlan(), 0x1001), q;
	struct channel c = vxlan();
	struct target *t = NULL;
	struct addr other = test_addr(OTHER), v6 = test_addr("2001:db8::9");

#define REFUSED(change) \
	(q = sa, (void)(change), assert_int_equal(spd_bind(&spd, "nve-2", &c, &q, &t), ERR_UNSUPPORTED))
	/* In transport mode the selector's addresses are the packet's. */
	REFUSED(q.dst_sel[0] = selector_host(&other, UDP, 4789, 4789));
	REFUSED(q.src_sel[0] = selector_host(&v6, UDP, 0, 65535));
	REFUSED(q.dst_sel[0].lo.family = AF_NONE_);
	REFUSED(q.dst = v6);
	REFUSED((q.src.family = AF_NONE_, q.dst.family = AF_NONE_));
	REFUSED(q.mode = 0);
	REFUSED((q.mode = SA_TUNNEL, q.src_sel[0] = selector_host(&v6, UDP, 0, 65535)));
#undef REFUSED
	assert_null(t);
	assert_int_equal(targets(), 0);
	assert_int_equal(hash_count(spd.pols), 0);
}

/* ---- reqids ---- */

/* All that a former process left, as a new one finds it. */
static void
restart(void)
{
	struct options o = model_options();
	size_t i;

	spd_free(&spd);
	assert_int_equal(spd_init(&spd, &o, model_seed), OK);
	for (i = 0; i < kernel.n; i++)
		assert_int_equal(spd_inherit(&spd, &kernel.p[i]), OK);
}

TEST(a_restart_changes_no_reqid)
{
	uint32_t r2, r3, r4;
	struct target *t;

	(void)protect("nve-1", HERE, "192.0.2.9", vxlan());
	r2 = protect("nve-2", HERE, THERE, vxlan())->reqid;
	r3 = protect("nve-3", HERE, OTHER, evpn())->reqid;
	assert_int_equal(spd_policy_del(&spd, "nve-1", "vxlan"), OK);
	r4 = protect("nve-4", HERE, "192.0.2.4", model_channel("all", LEVEL_CONTROL, 0, 0))->reqid;
	(void)kernel_apply(&kernel, &spd);
	restart();
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
	/* In another order. */
	assert_int_equal(protect("nve-4", HERE, "192.0.2.4", model_channel("all", LEVEL_CONTROL, 0, 0))->reqid,
	    r4);
	t = protect("nve-5", HERE, "192.0.2.5", vxlan());
	assert_true(t->reqid != r2 && t->reqid != r3 && t->reqid != r4);
	assert_int_equal(protect("nve-3", HERE, OTHER, evpn())->reqid, r3);
	assert_int_equal(protect("nve-2", HERE, THERE, vxlan())->reqid, r2);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	spd_disinherit(&spd);
	assert_int_equal(kernel_apply(&kernel, &spd), 0);
}

TEST(reqids_of_former_sas_and_elements_are_not_given_to_others)
{
	uint32_t i;

	assert_int_equal(spd_reserve(&spd, 7), OK);
	for (i = 0; i < 5; i++) {
		char node[8], peer[16];
		uint32_t own, k;

		(void)snprintf(node, sizeof node, "nve-%u", i);
		(void)snprintf(peer, sizeof peer, "192.0.2.%u", 10 + i);
		own = spd_reqid_of(&spd, node, "vxlan");
		for (k = 0; k < 2 * i; k++)
			assert_int_equal(spd_reserve(&spd, own + k / 2), OK);
		assert_int_equal(protect(node, HERE, peer, vxlan())->reqid, own + i);
	}
}

/* The node that had these addresses before has SAs yet: their reqid is not for what another is granted. */
TEST(an_inherited_reqid_stays_with_its_node)
{
	uint32_t reqid = protect("nve-2", HERE, THERE, vxlan())->reqid;
	struct sa_params sa = sa_of(HERE, OTHER, vxlan(), 0x1001);
	struct target *t;

	(void)bind("nve-2", &sa, vxlan());
	(void)kernel_apply(&kernel, &spd);
	assert_int_equal(kernel.n, 6);
	restart();
	t = protect("nve-3", HERE, OTHER, vxlan());
	assert_int_not_equal(t->reqid, reqid);
	t = protect("nve-2", HERE, THERE, vxlan());
	assert_int_equal(t->reqid, reqid);
	assert_int_equal(kernel_apply(&kernel, &spd), 3);
	assert_int_equal(vxlan_policy(XDIR_IN, OTHER, HERE)->reqid, spd_target(&spd, "nve-3", "vxlan")->reqid);
}

/* A node whose reqid is one of the range's last ones. */
static uint32_t
late_node(const struct options *o, char node[static 16])
{
	uint32_t i = 0, own;

	do {
		(void)snprintf(node, 16, "nve-%u", i++);
		own = spd_reqid_of(&spd, node, "vxlan");
		assert_true(spd_is_own_reqid(&spd, own));
	} while (own - o->reqid_base < REQIDS - 8);
	return own;
}

static void
wraps(const struct options *o)
{
	char node[16];
	uint32_t own = late_node(o, node), last = o->reqid_base + (REQIDS - 1), i;

	for (i = own; i < last; i++)
		assert_int_equal(spd_reserve(&spd, i), OK);
	assert_true(protect(node, HERE, THERE, vxlan())->reqid == last);
	assert_int_equal(spd_policy_del(&spd, node, "vxlan"), OK);
	assert_int_equal(spd_reserve(&spd, last), OK);
	assert_int_equal(protect(node, HERE, THERE, vxlan())->reqid, o->reqid_base);
}

TEST(reqids_begin_anew_after_the_last_and_skip_those_in_use)
{
	struct options o = model_options();

	wraps(&o);
}

TEST(the_last_range_of_reqids_does_not_wrap)
{
	static const char *const list[] = { "reqid-base=4293918719", NULL };
	char why[OPTIONS_WHY];
	struct options o;

	spd_free(&spd);
	assert_int_equal(options_read(&o, list, why), OK);
	assert_int_equal(spd_init(&spd, &o, model_seed), OK);
	wraps(&o);
	assert_true(spd_is_own_reqid(&spd, UINT32_MAX - 1));
	assert_false(spd_is_own_reqid(&spd, UINT32_MAX));
	assert_false(spd_is_own_reqid(&spd, 0));
}

#define WITH_SPD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_SPD(a_peer_is_protected_and_the_rest_stays_blocked),
		WITH_SPD(withdrawn_policy_leaves_the_block),
		WITH_SPD(each_node_and_channel_has_a_reqid_of_its_own),
		WITH_SPD(names_that_run_together_are_two),
		WITH_SPD(tcp_is_protected_whoever_opens_the_connection),
		WITH_SPD(vxlan_goes_by_its_own_policy_where_all_traffic_has_one),
		WITH_SPD(blocked_channel_is_blocked_and_gets_no_sas),
		WITH_SPD(what_cant_be_a_policy_is_refused_and_leaves_nothing),
		WITH_SPD(changed_policy_keeps_its_reqid),
		WITH_SPD(former_addresses_stay_while_an_sa_uses_them),
		WITH_SPD(of_two_targets_with_one_selector_the_first_has_it),
		WITH_SPD(a_change_that_fails_leaves_the_former_policy),
		WITH_SPD(of_tunnels_for_the_same_traffic_the_last_one_with_sas_has_the_policies),
		WITH_SPD(pairs_of_addresses_are_bounded),
		WITH_SPD(two_sas_of_a_rekey_share_policies_and_reqid),
		WITH_SPD(both_directions_are_one_pair),
		WITH_SPD(sas_without_a_policy_have_policies_of_their_own),
		WITH_SPD(target_outlives_its_policy_while_it_has_sas),
		WITH_SPD(sas_that_no_policy_could_select_are_refused),
		WITH_SPD(a_restart_changes_no_reqid),
		WITH_SPD(reqids_of_former_sas_and_elements_are_not_given_to_others),
		WITH_SPD(an_inherited_reqid_stays_with_its_node),
		WITH_SPD(reqids_begin_anew_after_the_last_and_skip_those_in_use),
		WITH_SPD(the_last_range_of_reqids_does_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
