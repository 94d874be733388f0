/* SPDX-License-Identifier: ISC */
/* What the messages of the set-up must hold, clause by clause: RFC 7296, docs/RFC.md. */
#include "sim_craft.h"
#include "sim_test.h"

static struct tape tape;

static struct pair
taped_pair(uint64_t seed)
{
	struct pair p = pair_new(seed);

	tape_free(&tape);
	p.sim->on_send = tape_record;
	p.sim->on_send_arg = &tape;
	return p;
}

static struct bytes
sent(size_t i)
{
	assert_true(i < tape.n);
	return blob_view(&tape.sent[i].data);
}

static struct ike_msg
read_sent(size_t i)
{
	struct ike_msg m;

	assert_int_equal(msg_read(&m, sent(i)), OK);
	return m;
}

/* Types of the payloads of message i, in their order. */
static size_t
order_of(size_t i, uint8_t types[static 32])
{
	struct bytes b = sent(i);
	size_t at = IKE_HEADER_LEN, n = 0;
	uint8_t type = b.p[16];

	while (type != PL_NONE && n < 32) {
		types[n++] = type;
		assert_true(at + 4 <= b.n);
		assert_int_equal(b.p[at + 1], 0);        /* neither critical nor reserved bits */
		type = b.p[at];
		at += (size_t)b.p[at + 2] << 8 | b.p[at + 3];
	}
	assert_int_equal(at, b.n);
	return n;
}

/* Sections 1.2, 2.23, 3.1, 3.2: what both first messages look like. */
static void
first_messages_have_the_form_of_the_rfc(void **state)
{
	struct pair p = taped_pair(1);
	size_t i, k, n, nonce, notify, certreq;
	uint8_t types[32], anchor[20] = { 1 };
	struct ike_msg m;

	(void)state;
	p.b->cfg.certreq = bytes_of(anchor, sizeof anchor);
	pair_start(&p);
	assert_true(pair_up(&p));
	for (i = 0; i < 2; i++) {
		m = read_sent(i);
		assert_int_equal(m.hdr.message_id, 0);
		assert_int_equal(m.hdr.flags, i == 0 ? HF_INITIATOR : HF_RESPONSE);
		assert_true(m.hdr.spi_i != 0 && (m.hdr.spi_r != 0) == (i == 1));
		assert_true(m.nonce.n >= 32);            /* section 2.10: half the key of any PRF of ours */
		assert_non_null(msg_notify(&m, N_NAT_DETECTION_SOURCE_IP));
		assert_non_null(msg_notify(&m, N_NAT_DETECTION_DESTINATION_IP));
		assert_non_null(msg_notify(&m, N_SIGNATURE_HASH_ALGORITHMS));
		n = order_of(i, types);
		nonce = notify = certreq = SIZE_MAX;
		for (k = 0; k < n; k++) {
			if (types[k] == PL_NONCE)
				nonce = k;
			else if (types[k] == PL_N && notify == SIZE_MAX)
				notify = k;
			else if (types[k] == PL_CERTREQ)
				certreq = k;
		}
		assert_int_equal(notify, nonce + 1);
		assert_int_equal(certreq == SIZE_MAX, i == 0);
		assert_true(i == 0 || certreq > notify + 1);
	}
	for (i = 2; i < 4; i++) {
		m = read_sent(i);
		assert_int_equal(m.present, PL_BIT(PL_SK));
		assert_int_equal(m.hdr.message_id, 1);
	}
	pair_free(&p);
}

/* Section 2.6: the cookie comes first, all the rest stays as it was. */
static void
cookie_comes_first_and_nothing_else_changes(void **state)
{
	struct pair p = taped_pair(2);
	struct bytes first, second;
	struct ike_msg m;
	uint8_t types[32];
	size_t added;

	(void)state;
	p.b->cfg.cookie_threshold = 0;
	pair_start(&p);
	assert_true(pair_up(&p));
	m = read_sent(1);
	assert_int_equal(m.present, PL_BIT(PL_N));
	assert_int_equal(m.n_notifies, 1);
	assert_int_equal(m.notifies[0].type, N_COOKIE);
	assert_true(m.notifies[0].data.n >= 1 && m.notifies[0].data.n <= 64);
	assert_true(m.hdr.spi_r == 0 && m.hdr.message_id == 0);
	m = read_sent(2);
	assert_true(order_of(2, types) > 4 && types[0] == PL_N);
	assert_int_equal(m.notifies[0].type, N_COOKIE);
	assert_true(m.hdr.spi_r == 0 && m.hdr.message_id == 0);
	first = sent(0);
	second = sent(2);
	added = second.n - first.n;
	assert_int_equal(added, 8 + m.notifies[0].data.n);
	assert_true(bytes_equal(bytes_of(first.p, 16), bytes_of(second.p, 16)));
	assert_true(bytes_equal(bytes_of(first.p + IKE_HEADER_LEN, first.n - IKE_HEADER_LEN),
	    bytes_of(second.p + IKE_HEADER_LEN + added, first.n - IKE_HEADER_LEN)));
	pair_free(&p);
}

/* Sections 1.2 and 2.7: the whole offer again, and only the KE payload is another one. */
static void
other_group_comes_with_the_whole_offer(void **state)
{
	struct pair p = taped_pair(3);
	struct ike_msg one, two, m;

	(void)state;
	p.b->cfg.suites[0] = (struct ike_suite){ .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 }, .ke = { KE_ECP256 } };
	p.b->cfg.n_suites = 1;
	pair_start(&p);
	assert_true(pair_up(&p));
	m = read_sent(1);
	assert_int_equal(m.present, PL_BIT(PL_N));
	assert_int_equal(m.notifies[0].type, N_INVALID_KE_PAYLOAD);
	assert_true(bytes_equal(m.notifies[0].data, bytes_of("\0\x13", 2)));
	assert_true(m.hdr.spi_r == 0);
	one = read_sent(0);
	two = read_sent(2);
	assert_true(one.hdr.spi_i == two.hdr.spi_i && two.hdr.message_id == 0);
	assert_true(bytes_equal(one.sa.body, two.sa.body));
	assert_true(bytes_equal(one.nonce, two.nonce));
	assert_int_equal(one.ke.group, KE_CURVE25519);
	assert_int_equal(two.ke.group, KE_ECP256);
	pair_free(&p);
}

static void
init_from(struct pair *p, const struct craft_init *c)
{
	struct endpoint from = { .port = 500 };
	struct blob message = { 0 };

	assert_int_equal(addr_parse(&from.addr, "192.0.2.77"), OK);
	craft_init(c, &message);
	sim_inject(p->b, &from, 500, blob_view(&message));
	blob_free(&message);
}

/* Section 2.6: a cookie that is not right counts as none. */
static void
wrong_cookie_is_as_good_as_none(void **state)
{
	static const uint8_t nonsense[33] = { 1, 2, 3 };
	struct craft_init c = { .spi_i = 3, .group = KE_CURVE25519, .padding = 64,
		.cookie = { nonsense, sizeof nonsense } };
	struct pair p = taped_pair(4);
	struct ike_msg m;

	(void)state;
	sim_start(p.b);
	init_from(&p, &c);
	m = read_sent(0);
	assert_true(msg_has(&m, PL_SA));
	assert_int_equal(ike_counters(p.b->e)->cookies_bad, 1);
	pair_free(&p);

	p = taped_pair(4);
	p.b->cfg.cookie_threshold = 0;
	sim_start(p.b);
	init_from(&p, &c);
	m = read_sent(0);
	assert_non_null(msg_notify(&m, N_COOKIE));
	assert_int_equal(sim_ike_all(p.b), 0);
	pair_free(&p);
}

/* Section 2.23.1: a transport-mode offer names one address each, those of the IKE SA; the answer the
 * addresses that the responder sees. */
static void
transport_selectors_name_what_each_side_sees(void **state)
{
	struct pair p = taped_pair(5);
	struct ike_msg m;

	(void)state;
	assert_int_equal(addr_parse(&p.a->nat, "198.51.100.1"), OK);
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(tape.n, 4);
	tape.n = 3;
	/* a's own message shows its outside address, so it is found by that. */
	p.a->addr = p.a->nat;
	assert_true(tape_open_last(&tape, p.a, p.b, &m));
	assert_int_equal(addr_parse(&p.a->addr, "192.0.2.1"), OK);
	assert_non_null(msg_notify(&m, N_USE_TRANSPORT_MODE));
	assert_true(m.tsi.n_sel == 1 && m.tsr.n_sel == 1);
	assert_true(addr_equal(&m.tsi.sel[0].lo, &p.a->addr) &&
	    addr_equal(&m.tsi.sel[0].hi, &p.a->addr));
	assert_true(addr_equal(&m.tsr.sel[0].lo, &p.b->addr) &&
	    addr_equal(&m.tsr.sel[0].hi, &p.b->addr));
	tape.n = 4;
	assert_true(tape_open_last(&tape, p.b, p.a, &m));
	assert_non_null(msg_notify(&m, N_USE_TRANSPORT_MODE));
	assert_true(addr_equal(&m.tsi.sel[0].lo, &p.a->nat) && m.tsi.n_sel == 1);
	assert_true(addr_equal(&m.tsr.sel[0].lo, &p.b->addr) && m.tsr.n_sel == 1);
	pair_free(&p);
}

/* Section 2.23: the first messages on port 500, with a NAT all others on 4500, and ESP in UDP. */
static void
port_4500_from_ike_auth_on_behind_a_nat(void **state)
{
	bool nat;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pair p = taped_pair(6);
		size_t k;

		nat = i == 1;
		if (nat)
			assert_int_equal(addr_parse(&p.a->nat, "198.51.100.1"), OK);
		pair_start(&p);
		assert_true(pair_up(&p));
		for (k = 0; k < tape.n; k++) {
			bool from_b = addr_equal(&tape.sent[k].from.addr, &p.b->addr);
			uint16_t port = from_b ? tape.sent[k].from.port : tape.sent[k].to.port;

			assert_int_equal(port, nat && k >= 2 ? 4500 : 500);
		}
		assert_int_equal(sim_child(p.a).encap, nat);
		assert_int_equal(sim_child(p.b).encap, nat);
		pair_free(&p);
	}
}

/* Section 2.21.1: without a proposal in common, one notify and no SPI; the initiator waits for better. */
static void
no_proposal_is_said_without_state(void **state)
{
	static const struct ike_suite other[1] = { { .encr = { { ENCR_AES_CBC, 192 } },
		.prf = { PRF_HMAC_SHA1 }, .integ = { INTEG_HMAC_SHA2_256_128 }, .ke = { KE_CURVE25519 } } };
	struct craft_init c = { .spi_i = 5, .group = KE_CURVE25519, .suites = other, .n_suites = 1 };
	struct pair p = taped_pair(7);
	struct ike_msg m;

	(void)state;
	sim_start(p.b);
	init_from(&p, &c);
	m = read_sent(0);
	assert_int_equal(m.present, PL_BIT(PL_N));
	assert_non_null(msg_notify(&m, N_NO_PROPOSAL_CHOSEN));
	assert_true(m.hdr.spi_r == 0 && sim_ike_all(p.b) == 0);
	pair_free(&p);
}

/* RFC 6989 section 2.5: a value that fails its test is dropped, and nothing is made of it. */
static void
bad_key_exchange_value_leaves_no_state(void **state)
{
	static const uint16_t groups[] = { KE_CURVE25519, KE_ECP256, KE_ECP384, KE_MODP2048 };
	struct pair p = taped_pair(10);
	struct endpoint from = { .port = 500 };
	size_t i;

	(void)state;
	assert_int_equal(addr_parse(&from.addr, "192.0.2.77"), OK);
	sim_start(p.b);
	for (i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		struct craft_init c = { .spi_i = 20 + i, .group = groups[i], .padding = 64 };
		struct blob message = { 0 };
		struct ike_msg m;

		craft_init(&c, &message);
		assert_int_equal(msg_read(&m, blob_view(&message)), OK);
		memset(message.p + (m.ke.data.p - message.p), 0, m.ke.data.n);
		sim_inject(p.b, &from, 500, blob_view(&message));
		blob_free(&message);
		assert_int_equal(sim_ike_all(p.b), 0);
		assert_int_equal(ike_counters(p.b->e)->rejected, i + 1);
	}
	assert_int_equal(tape.n, 0);
	pair_free(&p);
}

static bool
spoil_first_response(struct sim *s, struct sim_datagram *d, void *arg)
{
	static uint8_t spoiled[4096];
	unsigned *left = arg;
	struct ike_msg m;

	(void)s;
	if (*left == 0 || msg_read(&m, d->data) != OK || !header_is_response(&m.hdr))
		return true;
	--*left;
	assert_true(d->data.n <= sizeof spoiled);
	memcpy(spoiled, d->data.p, d->data.n);
	memset(spoiled + (m.ke.data.p - d->data.p), 0, m.ke.data.n);
	d->data = bytes_of(spoiled, d->data.n);
	return true;
}

static void
bad_value_in_a_response_is_outlived(void **state)
{
	struct pair p = pair_new(11);
	unsigned spoil = 2;

	(void)state;
	p.sim->on_send = spoil_first_response;
	p.sim->on_send_arg = &spoil;
	pair_start(&p);
	assert_true(pair_up(&p));
	assert_int_equal(spoil, 0);
	assert_int_equal(p.a->reports[IKE_REPORT_IKE_FAILED], 0);
	pair_free(&p);
}

/* Section 2.4: it stands in the first IKE_AUTH request, and not in that of an SA beside another. */
static void
initial_contact_is_said_once(void **state)
{
	struct pair p = taped_pair(8);
	struct ike_event soft = { .type = IKE_EV_SA_EXPIRED };
	struct ike_msg m;
	size_t i, up;

	(void)state;
	pair_start(&p);
	assert_true(pair_up(&p));
	up = tape.n;
	tape.n = 3;
	assert_true(tape_open_last(&tape, p.a, p.b, &m));
	assert_non_null(msg_notify(&m, N_INITIAL_CONTACT));
	tape.n = up;
	soft.u.expired.spi = sim_child(p.a).spi_in;
	soft.u.expired.dst = p.a->addr;
	sim_event(p.a, &soft);
	sim_run(p.sim, 1000);
	assert_true(pair_up(&p));
	for (i = up; i < tape.n; i++) {
		struct ike_header h;
		size_t all = tape.n;

		assert_int_equal(header_read(&h, sent(i)), OK);
		if (h.exchange != EX_IKE_AUTH || header_is_response(&h))
			continue;
		tape.n = i + 1;
		assert_true(tape_open_last(&tape, p.a, p.b, &m));
		assert_null(msg_notify(&m, N_INITIAL_CONTACT));
		tape.n = all;
		up = 0;
	}
	assert_int_equal(up, 0);
	pair_free(&p);
}

/* What a's entropy yields in place of SPIs until it runs out. */
struct poor {
	struct ike_callbacks good;
	unsigned spis, esp_spis;
};

static int
poor_random(void *arg, uint8_t *to, size_t n)
{
	struct poor *p = arg;

	if ((n == 8 && p->spis > 0 && p->spis--) || (n == 4 && p->esp_spis > 0 && p->esp_spis--)) {
		memset(to, 0, n);
		if (n == 4)
			memcpy(to, &(uint32_t){ 255 }, 4);
		return OK;
	}
	return p->good.random(p->good.arg, to, n);
}

static int
good_ke(void *arg, uint16_t group, struct ke **ke)
{
	struct poor *p = arg;

	return p->good.ke_new(p->good.arg, group, ke);
}

/* RFC 7296 section 3.1 and RFC 4303 section 2.1: neither 0 nor what is reserved. */
static void
reserved_spis_are_not_used(void **state)
{
	struct pair p = taped_pair(9);
	struct poor poor = { .spis = 2 };
	static const uint8_t der[300] = { 0x30 };
	struct bytes cert = bytes_of(der, sizeof der);

	(void)state;
	p.a->hold[IKE_JOB_SIGN] = true;
	sim_start(p.b);
	sim_peer(p.b, p.a, false);
	p.a->cfg.certs = &cert;
	p.a->cfg.n_certs = 1;
	sim_start(p.a);
	ike_free(p.a->e);
	poor.good = p.a->cfg.cb;
	p.a->cfg.cb = (struct ike_callbacks){ &poor, poor_random, good_ke };
	p.a->e = ike_new(&p.a->cfg, p.sim->now);
	assert_non_null(p.a->e);
	sim_peer(p.a, p.b, true);
	sim_run(p.sim, 100);
	assert_int_equal(poor.spis, 0);
	assert_true(read_sent(0).hdr.spi_i != 0);
	poor.esp_spis = 3;
	p.a->hold[IKE_JOB_SIGN] = false;
	sim_event(p.a, &(struct ike_event){ .type = IKE_EV_REISSUE, .u.reissue = IKE_JOB_SIGN });
	assert_true(pair_up(&p));
	assert_int_equal(poor.esp_spis, 0);
	assert_true(sim_child(p.a).spi_in > 255);
	pair_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_messages_have_the_form_of_the_rfc),
		cmocka_unit_test(cookie_comes_first_and_nothing_else_changes),
		cmocka_unit_test(other_group_comes_with_the_whole_offer),
		cmocka_unit_test(wrong_cookie_is_as_good_as_none),
		cmocka_unit_test(transport_selectors_name_what_each_side_sees),
		cmocka_unit_test(port_4500_from_ike_auth_on_behind_a_nat),
		cmocka_unit_test(no_proposal_is_said_without_state),
		cmocka_unit_test(bad_key_exchange_value_leaves_no_state),
		cmocka_unit_test(bad_value_in_a_response_is_outlived),
		cmocka_unit_test(initial_contact_is_said_once),
		cmocka_unit_test(reserved_spis_are_not_used),
	};
	int failed = sim_test_main(tests, sizeof tests / sizeof tests[0]);

	tape_free(&tape);
	return failed;
}
