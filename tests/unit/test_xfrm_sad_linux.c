/* SPDX-License-Identifier: ISC */
#include "xfrm_model.h"

#include "xfrm-backend/sad.h"

static struct sad sad;
static struct target target = { .reqid = 77 };

static int
setup(void **state)
{
	(void)state;
	return sad_init(&sad, model_seed);
}

static int
teardown(void **state)
{
	(void)state;
	sad_free(&sad);
	return 0;
}

static struct sa_params
params(uint8_t dir, uint32_t spi)
{
	struct policy p = model_policy("nve-2", "192.0.2.1", "192.0.2.2", vxlan());

	return model_sa(&p, dir, spi);
}

static struct sad_entry *
add(uint8_t dir, uint32_t spi)
{
	struct sa_params sa = params(dir, spi);
	struct sad_entry *e = NULL;

	assert_int_equal(sad_add(&sad, &sa, &target, &e), OK);
	assert_non_null(e);
	return e;
}

TEST(key_is_not_kept)
{
	static const uint8_t none[SA_KEY_MAX];
	struct sa_params sa = params(SA_OUT, 0x1001);
	struct sad_entry *e;

	assert_int_equal(sad_add(&sad, &sa, &target, &e), OK);
	assert_memory_equal(e->p.key, none, sizeof none);
	assert_int_equal(e->p.key_len, 0);
	/* The caller's is its own matter. */
	assert_int_equal(sa.key[0], 0xa5);
}

TEST(kernels_form_has_all_that_was_given)
{
	struct sa_params sa = params(SA_IN, 0x1001);
	struct sad_entry *e;

	sa.encap_sport = 4500;
	sa.encap_dport = 61000;
	sa.transform.esn = true;
	sa.life = (struct sa_lifetime){ 90, 100, 1, 2, 3, 4 };
	assert_int_equal(sad_add(&sad, &sa, &target, &e), OK);
	assert_int_equal(e->x.spi, 0x1001);
	assert_int_equal(e->x.reqid, 77);
	assert_int_equal(e->x.dir, SA_IN);
	assert_int_equal(e->x.mode, SA_TRANSPORT);
	assert_true(addr_equal(&e->x.src, &sa.src));
	assert_true(addr_equal(&e->x.dst, &sa.dst));
	assert_int_equal(e->x.encap_sport, 4500);
	assert_int_equal(e->x.encap_dport, 61000);
	assert_true(e->x.transform.esn);
	assert_int_equal(e->x.replay_window, 1024);
	assert_true(e->x.life.hard_packets == 4);
	assert_int_equal(e->x.sel.dport, 4789);
	assert_int_equal(e->x.sel.dport_mask, 0xffff);
	assert_int_equal(e->x.sel.src_len, 32);
	assert_false(e->have || e->seen || e->unfit || e->dead);
	assert_ptr_equal(e->target, &target);
}

TEST(an_spi_is_taken_once_per_destination)
{
	struct sad_entry *in = add(SA_IN, 0x1001), *out = add(SA_OUT, 0x1001), *e = NULL;
	struct sa_params sa = params(SA_IN, 0x1001);

	assert_ptr_not_equal(in, out);
	assert_int_equal(sad_add(&sad, &sa, &target, &e), ERR_EXISTS);
	assert_null(e);
	assert_ptr_equal(sad_find(&sad, 0x1001, &in->p.dst), in);
	assert_ptr_equal(sad_find(&sad, 0x1001, &out->p.dst), out);
	assert_null(sad_find(&sad, 0x1002, &in->p.dst));
}

TEST(selectors_that_no_kernel_sa_can_have_leave_nothing_behind)
{
	struct sa_params sa = params(SA_IN, 0x1001);
	struct sad_entry *e = NULL;
	size_t pos = 0;

	sa.src_sel[0].hi = test_addr("192.0.2.9");
	assert_int_equal(sad_add(&sad, &sa, &target, &e), ERR_UNSUPPORTED);
	assert_null(e);
	assert_null(sad_next(&sad, &pos));
}

TEST(deleted_one_is_found_no_more_but_lives_until_the_sweep)
{
	struct sad_entry *e = add(SA_IN, 0x1001), *again;
	struct addr dst = e->p.dst;

	sad_del(&sad, e);
	assert_true(e->dead);
	assert_null(sad_find(&sad, 0x1001, &dst));
	again = add(SA_IN, 0x1001);
	/* A second word on the same one does not touch its successor. */
	sad_del(&sad, e);
	assert_ptr_equal(sad_find(&sad, 0x1001, &dst), again);
	assert_int_equal(e->p.spi, 0x1001);
	sad_sweep(&sad);
	assert_null(sad.dead);
	assert_ptr_equal(sad_find(&sad, 0x1001, &dst), again);
}

TEST(all_can_be_deleted_on_a_walk)
{
	struct sad_entry *e;
	uint32_t spi;
	size_t pos = 0, n = 0;

	for (spi = 0x1001; spi <= 0x1100; spi++)
		(void)add(spi % 2 == 0 ? SA_IN : SA_OUT, spi);
	for (; (e = sad_next(&sad, &pos)) != NULL; n++)
		sad_del(&sad, e);
	assert_int_equal(n, 0x100);
	pos = 0;
	assert_null(sad_next(&sad, &pos));
	sad_sweep(&sad);
}

/* ---- what a former process left ---- */

TEST(former_ones_are_kept_apart)
{
	struct sad_entry *e = add(SA_IN, 0x1001);
	struct xsa x = e->x;
	size_t pos = 0;

	x.spi = 0x2001;
	assert_int_equal(sad_inherit(&sad, &x), OK);
	x.reqid = 78;
	assert_int_equal(sad_inherit(&sad, &x), OK);
	assert_null(sad_find(&sad, 0x2001, &x.dst));
	assert_null(sad_former(&sad, 0x1001, &x.dst));
	assert_int_equal(sad_former(&sad, 0x2001, &x.dst)->reqid, 77);
	assert_int_equal(sad_former_next(&sad, &pos)->spi, 0x2001);
	assert_null(sad_former_next(&sad, &pos));
}

TEST(former_ones_can_be_deleted_on_a_walk)
{
	struct xsa x = add(SA_IN, 0x1001)->x, *f;
	size_t pos = 0, n = 0;

	for (x.spi = 0x2001; x.spi <= 0x2100; x.spi++)
		assert_int_equal(sad_inherit(&sad, &x), OK);
	for (; (f = sad_former_next(&sad, &pos)) != NULL; n++)
		sad_former_del(&sad, f);
	assert_int_equal(n, 0x100);
	pos = 0;
	assert_null(sad_former_next(&sad, &pos));
	/* Left over ones are freed at the end. */
	assert_int_equal(sad_inherit(&sad, &x), OK);
}

/* Else the end of the former one would be that of ours. */
TEST(an_sa_of_ours_makes_the_former_one_in_its_place_forgotten)
{
	struct sa_params sa = params(SA_OUT, 0x1001);
	struct xsa x = add(SA_OUT, 0x3001)->x;
	struct sad_entry *e;

	x.spi = 0x1001;
	assert_int_equal(sad_inherit(&sad, &x), OK);
	sa.n_src_sel = 0;
	assert_int_equal(sad_add(&sad, &sa, &target, &e), ERR_UNSUPPORTED);
	assert_non_null(sad_former(&sad, 0x1001, &x.dst));
	(void)add(SA_OUT, 0x1001);
	assert_null(sad_former(&sad, 0x1001, &x.dst));
}

/* Random operations, and a plain list beside. */
TEST(database_agrees_with_a_list)
{
	uint64_t random = 20260717;
	bool there[64] = { false };
	struct sad_entry *entry[64];
	size_t i, k, n, pos;

	print_message("seed %llu\n", (unsigned long long)random);
	for (i = 0; i < 20000; i++) {
		struct sa_params sa = params(SA_OUT, 0x1000);
		struct sad_entry *e = NULL;

		k = test_random(&random) % 64;
		sa.spi += (uint32_t)k;
		switch (test_random(&random) % 3) {
		case 0:
			assert_int_equal(sad_add(&sad, &sa, &target, &e), there[k] ? ERR_EXISTS : OK);
			if (!there[k])
				entry[k] = e;
			there[k] = true;
			break;
		case 1:
			if (there[k])
				sad_del(&sad, entry[k]);
			there[k] = false;
			break;
		default:
			sad_sweep(&sad);
			break;
		}
		assert_ptr_equal(sad_find(&sad, sa.spi, &sa.dst), there[k] ? entry[k] : NULL);
		if (i % 100 != 0)
			continue;
		for (pos = n = 0; sad_next(&sad, &pos) != NULL;)
			n++;
		for (k = 0; k < 64; k++)
			n -= there[k];
		assert_int_equal(n, 0);
	}
}

#define WITH_SAD(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_SAD(key_is_not_kept),
		WITH_SAD(kernels_form_has_all_that_was_given),
		WITH_SAD(an_spi_is_taken_once_per_destination),
		WITH_SAD(selectors_that_no_kernel_sa_can_have_leave_nothing_behind),
		WITH_SAD(deleted_one_is_found_no_more_but_lives_until_the_sweep),
		WITH_SAD(all_can_be_deleted_on_a_walk),
		WITH_SAD(former_ones_are_kept_apart),
		WITH_SAD(former_ones_can_be_deleted_on_a_walk),
		WITH_SAD(an_sa_of_ours_makes_the_former_one_in_its_place_forgotten),
		WITH_SAD(database_agrees_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
