/* SPDX-License-Identifier: ISC */
/* authz under many identities: stand-ins for its process, its clock and its channels. */
#include "base_support.h"

#include <string.h>

#include "ikev2d/authz.h"

#define MANY 20000u

static int64_t now_ms;
static char refusal[MSG_REASON_MAX];
static unsigned answers;

int64_t
authz_now_ms(const struct authz *a)
{
	(void)a;
	return now_ms;
}

int64_t
authz_now_s(void)
{
	return 1800000000 + now_ms / 1000;
}

bool
authz_to_backend(struct authz *a, uint16_t type, struct wr *w)
{
	(void)a;
	(void)type;
	wr_free(w);
	return true;
}

void
authz_watch(struct authz *a)
{
	(void)a;
}

void
authz_peers_backend(struct authz *a)
{
	(void)a;
}

void
authz_policies_drop(struct authz *a, const struct grant *g)
{
	(void)a;
	(void)g;
}

struct chan *
child_chan(struct child *c, enum proc_id id)
{
	static char something;

	(void)c;
	(void)id;
	return (struct chan *)(void *)&something;
}

int
chan_send_wr(struct chan *c, uint16_t type, struct wr *w)
{
	struct msg_authorized m;

	(void)c;
	if (type == MSG_AUTHORIZED) {
		assert_int_equal(rd_authorized(wr_view(w), &m), OK);
		memcpy(refusal, m.reason, sizeof refusal);
		answers++;
		grant_free(&m.grant);
	}
	wr_free(w);
	return OK;
}

static struct ike_ref
ref_of(uint64_t n)
{
	return (struct ike_ref){ .spi_i = n, .spi_r = n };
}

static void
tell(struct authz *a, uint64_t n)
{
	static struct msg_identity m;

	m.ref = ref_of(n);
	m.peer = test_addr("192.0.2.1");
	m.not_after = INT64_MAX;
	m.n_identities = 1;
	strcpy(m.identities[0], "dns:nve-1.example");
	authz_identity(a, &m);
}

/* Why the question about this IKE SA is refused, at once. */
static const char *
ask(struct authz *a, uint64_t n)
{
	struct msg_authorize m = { .job = 1, .ref = ref_of(n), .peer = test_addr("192.0.2.1") };

	refusal[0] = '\0';
	answers = 0;
	authz_ask(a, &m);
	return refusal;
}

static struct authz
authz_new(struct loop *l, struct config *c)
{
	static const uint8_t seed[16] = { 1 };
	struct authz a = { .config = c, .tried = true, .recovered = true, .next_grant = 1,
		.first_expiry = INT64_MAX };

	a.grants = hash_new(seed);
	a.identities = hash_new(seed);
	assert_non_null(a.grants);
	assert_non_null(a.identities);
	a.tick = loop_timer_new(l, authz_grants_tick, NULL);
	return a;
}

/* Who has one certificate of the device CA can have any number of IKE SAs verified; the word on
 * others' must find room all the same. */
TEST(many_identities_of_one_keep_nobody_out)
{
	static struct config c;
	struct loop *l = loop_new();
	struct authz a = authz_new(l, &c);
	uint64_t i;

	for (i = 1; i <= MANY; i++)
		tell(&a, i);
	assert_true(hash_count(a.identities) < MANY);
	tell(&a, MANY + 1);
	assert_string_equal(ask(&a, MANY + 1),
	    "not authorized: there is no authorization document yet");
	assert_int_equal(answers, 1);
	authz_grants_free(&a);
	loop_timer_free(a.tick);
	loop_free(l);
}

TEST(the_first_word_on_an_ike_sa_counts)
{
	static struct config c;
	struct loop *l = loop_new();
	struct authz a = authz_new(l, &c);

	tell(&a, 1);
	tell(&a, 1);
	assert_int_equal(hash_count(a.identities), 1);
	now_ms += 60000;
	tell(&a, 2);
	assert_int_equal(hash_count(a.identities), 1);
	/* Nothing is known of it any more: it waits. */
	(void)ask(&a, 1);
	assert_int_equal(answers, 0);
	authz_grants_free(&a);
	loop_timer_free(a.tick);
	loop_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_identities_of_one_keep_nobody_out),
		cmocka_unit_test(the_first_word_on_an_ike_sa_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
