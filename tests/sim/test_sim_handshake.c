/* SPDX-License-Identifier: ISC */
/* Setting up an IKE SA and its Child SA: groups, suites, channels, retries of IKE_SA_INIT. */
#include "sim_test.h"

static void
initiator_and_responder_pair_up(void **state)
{
	struct pair p = pair_new(1);

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_sa(p.a).node, "b");
	assert_string_equal(sim_sa(p.a).identity, "dns:b");
	assert_string_equal(sim_sa(p.b).node, "a");
	assert_string_equal(sim_child(p.a).channel, "vxlan");
	assert_true(sim_sa(p.a).ref.initiator);
	assert_false(sim_sa(p.b).ref.initiator);
	assert_int_equal(sim_sa(p.a).peer.port, 500);
	assert_int_equal(p.sim->sent, 4);
	pair_free(&p);
}

static void
same_seed_plays_the_same_octets_again(void **state)
{
	struct ike_sa_info sa[2];
	struct ike_child_info child[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pair p = pair_new(7);

		pair_start(&p);
		assert_true(pair_up(&p));
		sa[i] = sim_sa(p.a);
		child[i] = sim_child(p.a);
		pair_free(&p);
	}
	assert_true(sa[0].ref.spi_i == sa[1].ref.spi_i && sa[0].ref.spi_r == sa[1].ref.spi_r);
	assert_true(child[0].spi_in == child[1].spi_in && child[0].spi_out == child[1].spi_out);
}

/* One suite on both sides. */
static void
pair_up_with(struct ike_suite suite, const char *name)
{
	struct pair p = pair_new(2);

	p.a->cfg.suites[0] = p.b->cfg.suites[0] = suite;
	p.a->cfg.n_suites = p.b->cfg.n_suites = 1;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_sa(p.a).suite, name);
	assert_string_equal(sim_sa(p.b).suite, name);
	pair_free(&p);
}

static void
every_group_works(void **state)
{
	(void)state;
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 256 } },
			 .prf = { PRF_HMAC_SHA2_384 },
			 .ke = { KE_CURVE25519 } },
	    "aes256gcm16-prfsha384-x25519");
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
			 .prf = { PRF_HMAC_SHA2_256 },
			 .ke = { KE_ECP256 } },
	    "aes128gcm16-prfsha256-ecp256");
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
			 .prf = { PRF_HMAC_SHA2_512 },
			 .ke = { KE_ECP384 } },
	    "aes128gcm16-prfsha512-ecp384");
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 256 } },
			 .prf = { PRF_HMAC_SHA2_256 },
			 .ke = { KE_MODP2048 } },
	    "aes256gcm16-prfsha256-modp2048");
}

static void
every_cipher_works(void **state)
{
	(void)state;
	pair_up_with((struct ike_suite){ .encr = { { ENCR_CHACHA20_POLY1305, 0 } },
			 .prf = { PRF_HMAC_SHA2_256 },
			 .ke = { KE_CURVE25519 } },
	    "chacha20poly1305-prfsha256-x25519");
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_CBC, 128 } },
			 .prf = { PRF_HMAC_SHA2_256 },
			 .integ = { INTEG_HMAC_SHA2_256_128 },
			 .ke = { KE_CURVE25519 } },
	    "aes128-sha256-prfsha256-x25519");
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_CBC, 256 } },
			 .prf = { PRF_HMAC_SHA2_512 },
			 .integ = { INTEG_HMAC_SHA2_512_256 },
			 .ke = { KE_CURVE25519 } },
	    "aes256-sha512-prfsha512-x25519");
	pair_up_with((struct ike_suite){ .encr = { { ENCR_AES_CBC, 256 } },
			 .prf = { PRF_HMAC_SHA2_384 },
			 .integ = { INTEG_HMAC_SHA2_384_192 },
			 .ke = { KE_ECP384 } },
	    "aes256-sha384-prfsha384-ecp384");
}

static void
ipv6_peers_pair_up(void **state)
{
	struct sim *s = sim_new(3);
	struct pair p = { s, sim_node(s, "a", "2001:db8::1"), sim_node(s, "b", "2001:db8::2") };

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	pair_free(&p);
}

static const struct sa_params *
esp(const struct sim_node *n, uint8_t dir)
{
	size_t i;

	for (i = 0; i < n->n_esp; i++)
		if (n->esp[i].live && n->esp[i].params.dir == dir)
			return &n->esp[i].params;
	return NULL;
}

static void
vxlan_is_installed_by_destination_port_both_ways(void **state)
{
	struct pair p = pair_new(4);
	uint8_t dir;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	for (dir = SA_IN; dir <= SA_OUT; dir++) {
		const struct sa_params *sa = esp(p.a, dir);

		assert_int_equal(sa->n_src_sel, 1);
		assert_int_equal(sa->src_sel[0].proto, 17);
		assert_int_equal(sa->src_sel[0].port_lo, 0);
		assert_int_equal(sa->src_sel[0].port_hi, 65535);
		assert_int_equal(sa->dst_sel[0].port_lo, 4789);
		assert_int_equal(sa->dst_sel[0].port_hi, 4789);
		assert_int_equal(sa->mode, SA_TRANSPORT);
		assert_true(sa->transform.esn);
		assert_int_equal(sa->life.hard_s, 3600);
		assert_int_equal(sa->life.soft_s, 3240);
		assert_int_equal(sa->life.hard_packets, 0);
		assert_int_equal(sa->encap_dport, 0);
	}
	assert_true(addr_equal(&esp(p.a, SA_OUT)->src, &p.a->addr));
	assert_true(addr_equal(&esp(p.a, SA_IN)->src, &p.b->addr));
	pair_free(&p);
}

static void
tcp_channel_has_two_selector_pairs(void **state)
{
	struct pair p = pair_new(5);
	const struct sa_params *sa;

	(void)state;
	p.a->channels[0] = p.b->channels[0] = sim_channel_bgp();
	pair_start(&p);
	assert_true(pair_up(&p));
	sa = esp(p.a, SA_OUT);
	assert_int_equal(sa->n_src_sel, 2);
	assert_int_equal(sa->n_dst_sel, 2);
	assert_int_equal(sa->dst_sel[0].port_lo, 179);
	assert_int_equal(sa->src_sel[0].port_hi, 65535);
	assert_int_equal(sa->src_sel[1].port_lo, 179);
	assert_int_equal(sa->dst_sel[1].port_hi, 65535);
	pair_free(&p);
}

static void
tunnel_channel_of_any_protocol(void **state)
{
	struct pair p = pair_new(6);
	const struct sa_params *sa;

	(void)state;
	p.a->channels[0] = p.b->channels[0] = sim_channel_any();
	pair_start(&p);
	assert_true(pair_up(&p));
	sa = esp(p.b, SA_IN);
	assert_int_equal(sa->mode, SA_TUNNEL);
	assert_int_equal(sa->src_sel[0].proto, 0);
	assert_int_equal(sa->key_len, 16 + 32);
	pair_free(&p);
}

/* ---- retries ---- */

static void
invalid_ke_is_followed_to_the_group_asked_for(void **state)
{
	struct pair p = pair_new(8);

	(void)state;
	p.b->cfg.n_suites = ike_default_suites(p.b->cfg.suites);
	memset(p.b->cfg.suites[0].ke, 0, sizeof p.b->cfg.suites[0].ke);
	memset(p.b->cfg.suites[1].ke, 0, sizeof p.b->cfg.suites[1].ke);
	p.b->cfg.suites[0].ke[0] = p.b->cfg.suites[1].ke[0] = KE_ECP384;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_sa(p.a).suite, "aes256gcm16-prfsha256-ecp384");
	assert_int_equal(p.sim->sent, 6);
	pair_free(&p);
}

static void
cookie_is_returned(void **state)
{
	struct pair p = pair_new(9);

	(void)state;
	p.b->cfg.cookie_threshold = 0;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(ike_counters(p.b->e)->cookies_sent, 1);
	assert_int_equal(ike_counters(p.b->e)->cookies_bad, 0);
	assert_int_equal(p.sim->sent, 6);
	pair_free(&p);
}

static void
cookie_and_invalid_ke_take_one_round_trip_each(void **state)
{
	struct pair p = pair_new(10);

	(void)state;
	p.b->cfg.cookie_threshold = 0;
	p.b->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_ECP256 } };
	p.b->cfg.n_suites = 1;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(ike_counters(p.b->e)->cookies_sent, 1);
	assert_int_equal(p.sim->sent, 8);
	pair_free(&p);
}

static void
honest_peers_need_no_cookie_however_many_anchors(void **state)
{
	uint8_t anchors[20 * 20];
	size_t n;

	(void)state;
	memset(anchors, 0x77, sizeof anchors);
	for (n = 1; n <= 20; n++) {
		struct pair p = pair_new(11 + n);

		p.a->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
			.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
		p.b->cfg.suites[0] = p.a->cfg.suites[0];
		p.a->cfg.n_suites = p.b->cfg.n_suites = 1;
		p.a->cfg.certreq = p.b->cfg.certreq = bytes_of(anchors, 20 * n);
		pair_start(&p);
		assert_true(pair_up(&p));
		assert_int_equal(ike_counters(p.b->e)->cookies_sent, 0);
		pair_free(&p);
	}
}

static void
longer_response_than_request_demands_a_cookie(void **state)
{
	uint8_t anchors[20 * 20];
	struct pair p = pair_new(40);

	(void)state;
	memset(anchors, 0x77, sizeof anchors);
	p.b->cfg.certreq = bytes_of(anchors, sizeof anchors);
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(ike_counters(p.b->e)->cookies_sent, 1);
	pair_free(&p);
}

static void
no_common_suite_fails_and_is_tried_again_later(void **state)
{
	struct pair p = pair_new(41);
	uint64_t failed;

	(void)state;
	p.a->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	p.a->cfg.n_suites = 1;
	p.b->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_CHACHA20_POLY1305, 0 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_CURVE25519 } };
	p.b->cfg.n_suites = 1;
	pair_start(&p);
	sim_run(p.sim, 5000);
	failed = ike_counters(p.a->e)->ike_failed;
	assert_true(failed >= 1);
	assert_non_null(strstr(p.a->last_log, "NO_PROPOSAL_CHOSEN"));
	sim_run(p.sim, 60000);
	assert_true(ike_counters(p.a->e)->ike_failed > failed);
	/* The pause grows: a minute holds few tries. */
	assert_true(ike_counters(p.a->e)->ike_failed < 12);
	assert_int_equal(sim_ike_up(p.a) + sim_ike_up(p.b), 0);
	pair_free(&p);
}

static void
document_insists_on_a_group(void **state)
{
	struct pair p = pair_new(42);

	(void)state;
	p.a->channels[0].ke = p.b->channels[0].ke = KE_ECP384;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_string_equal(sim_sa(p.a).suite, "aes256gcm16-prfsha256-ecp384");
	pair_free(&p);
}

static void
weaker_group_than_the_document_wants_gets_no_child(void **state)
{
	struct pair p = pair_new(43);

	(void)state;
	p.b->channels[0].ke = KE_ECP384;
	pair_start(&p);
	sim_run(p.sim, 1000);
	assert_int_equal(sim_ike_up(p.b), 1);
	assert_int_equal(sim_children(p.a) + sim_children(p.b), 0);
	assert_int_equal(sim_esp_live(p.a) + sim_esp_live(p.b), 0);
	pair_free(&p);
}

static void
shard_bits_are_in_every_spi(void **state)
{
	struct pair p = pair_new(44);

	(void)state;
	p.a->cfg.shard_bits = p.b->cfg.shard_bits = 4;
	p.a->cfg.shard = 9;
	p.b->cfg.shard = 3;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(sim_sa(p.a).ref.spi_i >> 60, 9);
	assert_int_equal(sim_sa(p.a).ref.spi_r >> 60, 3);
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(initiator_and_responder_pair_up),
		cmocka_unit_test(same_seed_plays_the_same_octets_again),
		cmocka_unit_test(every_group_works),
		cmocka_unit_test(every_cipher_works),
		cmocka_unit_test(ipv6_peers_pair_up),
		cmocka_unit_test(vxlan_is_installed_by_destination_port_both_ways),
		cmocka_unit_test(tcp_channel_has_two_selector_pairs),
		cmocka_unit_test(tunnel_channel_of_any_protocol),
		cmocka_unit_test(invalid_ke_is_followed_to_the_group_asked_for),
		cmocka_unit_test(cookie_is_returned),
		cmocka_unit_test(cookie_and_invalid_ke_take_one_round_trip_each),
		cmocka_unit_test(honest_peers_need_no_cookie_however_many_anchors),
		cmocka_unit_test(longer_response_than_request_demands_a_cookie),
		cmocka_unit_test(no_common_suite_fails_and_is_tried_again_later),
		cmocka_unit_test(document_insists_on_a_group),
		cmocka_unit_test(weaker_group_than_the_document_wants_gets_no_child),
		cmocka_unit_test(shard_bits_are_in_every_spi),
	};

	return sim_test_main(tests, sizeof tests / sizeof tests[0]);
}
