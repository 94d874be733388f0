/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <string.h>

#include "base/seqpacket.h"
#include "shell/msg.h"

/* ------------------------------------------------------------------ every prefix is refused */

typedef int (*reader)(struct bytes);

static void
only_whole(struct wr *w, reader read_one)
{
	struct bytes all = wr_view(w);
	uint8_t *copy = malloc(all.n + 1);
	size_t i;

	assert_false(w->bad);
	assert_non_null(copy);
	memcpy(copy, all.p, all.n);
	copy[all.n] = 0;
	assert_int_equal(read_one(bytes_of(copy, all.n)), OK);
	for (i = 0; i < all.n; i++)
		assert_int_not_equal(read_one(bytes_of(copy, i)), OK);
	assert_int_not_equal(read_one(bytes_of(copy, all.n + 1)), OK);
	free(copy);
}

#define READER(type) \
	static int \
	try_##type(struct bytes b) \
	{ \
		static struct msg_##type m; \
		return rd_##type(b, &m); \
	}
READER(sign)
READER(signed)
READER(verify)
READER(verified)
READER(identity)
READER(authorize)
READER(process)
READER(document)
READER(alarm)
READER(peer)
READER(ike_sa)
READER(child_sa)
READER(counter)
READER(command)
READER(result)

static int
try_authorized(struct bytes b)
{
	struct msg_authorized m;
	int r = rd_authorized(b, &m);

	if (r == OK)
		grant_free(&m.grant);
	return r;
}

static int
try_peer_set(struct bytes b)
{
	struct ike_peer p;

	return rd_peer_set(b, &p);
}

/* What was read is written as it was read; structs have padding that says nothing. */
#define same_again(was, write_one, value) \
	do { \
		struct wr again_ = wr_grow(SEQ_MAX); \
		write_one(&again_, &(value)); \
		assert_true(bytes_equal(wr_view(was), wr_view(&again_))); \
		wr_free(&again_); \
		wr_free(was); \
	} while (0)

static const struct ike_ref ref = { 0x1122334455667788, 0x99aabbccddeeff00, true };

static struct ike_auth_input
auth_input(void)
{
	struct ike_auth_input in = {
		.message = bytes_str("message"), .nonce = bytes_str("nonce"), .id_type = 2,
		.id_data = bytes_str("nve-1"), .sk_p = bytes_str("secret"), .prf = 5,
	};

	return in;
}

static struct channel
vxlan(void)
{
	struct channel c = {
		.id = "vxlan", .level = LEVEL_DATA, .proto = 17, .port = 4789, .mode = SA_TRANSPORT,
		.lifetime_s = 3600,
	};

	assert_int_equal(esp_transform_parse(&c.esp, "aes128gcm16"), OK);
	return c;
}

TEST(sign_and_its_answer_survive_the_way)
{
	struct msg_sign m = { .job = 7, .ref = ref, .in = auth_input(), .peer_hashes = 0x1c }, n;
	struct msg_signed a = { .job = 7, .rc = ERR_DENIED, .reason = "no", .method = 14,
		.auth = bytes_str("signature") }, b;
	struct wr w = wr_grow(SEQ_MAX);

	wr_sign(&w, &m);
	only_whole(&w, try_sign);
	assert_int_equal(rd_sign(wr_view(&w), &n), OK);
	assert_int_equal(n.job, 7);
	assert_true(n.ref.spi_i == ref.spi_i && n.ref.spi_r == ref.spi_r && n.ref.initiator);
	assert_true(bytes_equal(n.in.sk_p, m.in.sk_p));
	assert_true(bytes_equal(n.in.id_data, m.in.id_data));
	assert_int_equal(n.peer_hashes, 0x1c);
	wr_free(&w);

	w = wr_grow(SEQ_MAX);
	wr_signed(&w, &a);
	only_whole(&w, try_signed);
	assert_int_equal(rd_signed(wr_view(&w), &b), OK);
	assert_int_equal(b.rc, ERR_DENIED);
	assert_string_equal(b.reason, "no");
	assert_true(bytes_equal(b.auth, a.auth));
	wr_free(&w);
}

TEST(verify_and_its_answer_survive_the_way)
{
	struct msg_verify m = { .job = 8, .ref = ref, .in = auth_input(), .n_certs = 2,
		.certs = { bytes_str("leaf"), bytes_str("ca") }, .method = 9,
		.auth = bytes_str("sig"), .peer = test_addr("192.0.2.2") }, n;
	struct msg_verified a = { .job = 8, .identity = "dns:a", .not_after = 1900000000 }, b;
	struct wr w = wr_grow(SEQ_MAX);

	wr_verify(&w, &m);
	only_whole(&w, try_verify);
	assert_int_equal(rd_verify(wr_view(&w), &n), OK);
	assert_int_equal(n.n_certs, 2);
	assert_true(bytes_equal(n.certs[1], m.certs[1]));
	assert_true(addr_equal(&n.peer, &m.peer));
	wr_free(&w);

	w = wr_grow(SEQ_MAX);
	wr_verified(&w, &a);
	only_whole(&w, try_verified);
	assert_int_equal(rd_verified(wr_view(&w), &b), OK);
	assert_string_equal(b.identity, "dns:a");
	assert_true(b.not_after == a.not_after);
	wr_free(&w);
}

TEST(more_certificates_than_allowed_are_refused)
{
	struct msg_verify m = { .n_certs = MSG_CERTS_MAX + 1 };
	struct wr w = wr_grow(SEQ_MAX);

	wr_verify(&w, &m);
	assert_true(w.bad);
	wr_free(&w);
}

TEST(identity_survives_the_way)
{
	static struct msg_identity m, n;
	struct wr w = wr_grow(SEQ_MAX);

	m.ref = ref;
	m.peer = test_addr("2001:db8::2");
	m.not_after = 1900000000;
	m.n_identities = 2;
	strcpy(m.identities[0], "dns:a");
	strcpy(m.identities[1], "uri:spiffe://x/y");
	wr_identity(&w, &m);
	only_whole(&w, try_identity);
	assert_int_equal(rd_identity(wr_view(&w), &n), OK);
	assert_string_equal(n.identities[1], "uri:spiffe://x/y");
	same_again(&w, wr_identity, n);
}

TEST(authorize_and_its_answer_survive_the_way)
{
	struct msg_authorize m = { .job = 9, .ref = ref, .local = test_addr("192.0.2.1"),
		.peer = test_addr("192.0.2.2"), .label = "ch:vxlan;vni:5001", .overlock = true }, n;
	uint32_t vnis[] = { 1, 2 };
	struct msg_authorized a = { .job = 9, .grant = { .number = 3, .node = "nve-2",
		.peer = { test_addr("192.0.2.2") }, .n_peer = 1, .channels = { vxlan() },
		.n_channels = 1, .vnis = vnis, .n_vnis = 2, .expires = 1900000000 } }, b;
	struct wr w = wr_grow(SEQ_MAX);

	wr_authorize(&w, &m);
	only_whole(&w, try_authorize);
	assert_int_equal(rd_authorize(wr_view(&w), &n), OK);
	assert_string_equal(n.label, m.label);
	assert_true(n.overlock);
	wr_free(&w);

	w = wr_grow(SEQ_MAX);
	wr_authorized(&w, &a);
	only_whole(&w, try_authorized);
	assert_int_equal(rd_authorized(wr_view(&w), &b), OK);
	assert_int_equal(b.grant.number, 3);
	assert_string_equal(b.grant.channels[0].id, "vxlan");
	/* The engine has no use for the VNs. */
	assert_int_equal(b.grant.n_vnis, 0);
	grant_free(&b.grant);
	wr_free(&w);
}

TEST(peer_survives_the_way)
{
	struct ike_peer p, q;
	struct wr w = wr_grow(SEQ_MAX);

	memset(&p, 0, sizeof p);
	strcpy(p.node, "nve-2");
	p.local = test_addr("192.0.2.1");
	p.addrs[0] = test_addr("192.0.2.2");
	p.addrs[1] = test_addr("2001:db8::2");
	p.n_addrs = 2;
	p.channels[0] = vxlan();
	p.n_channels = 1;
	p.initiate = true;
	wr_peer_set(&w, &p);
	only_whole(&w, try_peer_set);
	assert_int_equal(rd_peer_set(wr_view(&w), &q), OK);
	assert_int_equal(q.n_addrs, 2);
	assert_true(q.initiate);
	same_again(&w, wr_peer_set, q);
}

TEST(peer_without_address_is_refused)
{
	struct ike_peer p;
	struct wr w = wr_grow(SEQ_MAX);

	memset(&p, 0, sizeof p);
	strcpy(p.node, "nve-2");
	p.local = test_addr("192.0.2.1");
	wr_peer_set(&w, &p);
	assert_int_equal(try_peer_set(wr_view(&w)), ERR_VALUE);
	wr_free(&w);
}

/* Write, read every prefix, read the whole, compare. */
#define ROUND(type, value) \
	do { \
		static struct msg_##type m_, n_; \
		struct wr w_ = wr_grow(SEQ_MAX); \
		m_ = value; \
		wr_##type(&w_, &m_); \
		only_whole(&w_, try_##type); \
		assert_int_equal(rd_##type(wr_view(&w_), &n_), OK); \
		same_again(&w_, wr_##type, n_); \
	} while (0)

TEST(status_messages_survive_the_way)
{
	static struct msg_process process;
	static struct msg_document document;
	static struct msg_alarm alarm;
	static struct msg_peer peer;
	static struct msg_ike_sa ike_sa;
	static struct msg_child_sa child_sa;
	static struct msg_counter counter;
	static struct msg_command command;
	static struct msg_result result;

	strcpy(process.name, "engine");
	process.pid = 77;
	process.restarts = 2;
	process.up_s = 9;
	process.ready = true;
	strcpy(process.missed, "chroot");
	ROUND(process, process);

	document.loaded = true;
	strcpy(document.nva, "nva.example");
	strcpy(document.url, "https://x/y");
	document.serial = UINT64_MAX;
	document.expires = 1900000000;
	document.enforcement = ENFORCE_REQUIRE;
	ROUND(document, document);

	strcpy(alarm.text, "server down");
	alarm.since = 5;
	ROUND(alarm, alarm);

	strcpy(peer.node, "nve-2");
	peer.local = test_addr("192.0.2.1");
	peer.configured = true;
	strcpy(peer.failure, "timeout");
	ROUND(peer, peer);

	ike_sa.ref = ref;
	strcpy(ike_sa.suite, "aes");
	ike_sa.peer.addr = test_addr("192.0.2.9");
	ike_sa.peer.port = 4500;
	ike_sa.up = true;
	ROUND(ike_sa, ike_sa);

	child_sa.ref = ref;
	child_sa.mode = SA_TUNNEL;
	child_sa.spi_in = 1;
	child_sa.encap = true;
	ROUND(child_sa, child_sa);

	strcpy(counter.name, "ike.up");
	counter.value = UINT64_MAX;
	ROUND(counter, counter);

	command.verb = COMMAND_CLOSE;
	ROUND(command, command);

	result.rc = ERR_NOTFOUND;
	strcpy(result.text, "no such peer");
	ROUND(result, result);
}

TEST(flags_and_codes_out_of_range_are_refused)
{
	static struct msg_command command;
	static struct msg_child_sa child_sa;
	struct msg_result result;
	struct wr w = wr_grow(SEQ_MAX);
	uint8_t positive[] = { 0, 0, 0, 1, 0, 1, 0, 0 };

	command.verb = 9;
	wr_command(&w, &command);
	assert_int_equal(try_command(wr_view(&w)), ERR_VALUE);
	wr_free(&w);

	command.verb = COMMAND_INITIATE;         /* whom? */
	w = wr_grow(SEQ_MAX);
	wr_command(&w, &command);
	assert_int_equal(try_command(wr_view(&w)), ERR_VALUE);
	wr_free(&w);

	w = wr_grow(SEQ_MAX);
	wr_child_sa(&w, &child_sa);              /* mode 0 */
	assert_int_equal(try_child_sa(wr_view(&w)), ERR_VALUE);
	wr_free(&w);

	assert_int_equal(rd_result(bytes_of(positive, sizeof positive), &result), ERR_VALUE);
}

TEST(configuration_survives_the_way)
{
	struct msg_config m = { .path = "/etc/x", .debug = true, .text = bytes_str("[node]") }, n;
	struct wr w = wr_grow(SEQ_MAX);

	wr_config(&w, &m);
	assert_int_equal(rd_config(wr_view(&w), &n), OK);
	assert_string_equal(n.path, "/etc/x");
	assert_true(n.debug);
	assert_false(n.first);
	assert_true(bytes_equal(n.text, m.text));
	wr_free(&w);
}

TEST(node_names_hold_no_nul_and_fit)
{
	uint8_t nul[] = { 0, 2, 'a', 0 };
	char node[ID_MAX];
	struct wr w = wr_grow(256);
	uint32_t n;

	assert_int_equal(rd_node(bytes_of(nul, sizeof nul), node), ERR_SYNTAX);
	wr_str(&w, "0123456789012345678901234567890123456789012345678901234567890123");
	assert_int_equal(rd_node(wr_view(&w), node), ERR_SYNTAX);
	wr_free(&w);
	assert_int_equal(rd_number(bytes_of(nul, sizeof nul), &n), OK);
	assert_int_equal(rd_number(bytes_of(nul, 3), &n), ERR_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sign_and_its_answer_survive_the_way),
		cmocka_unit_test(verify_and_its_answer_survive_the_way),
		cmocka_unit_test(more_certificates_than_allowed_are_refused),
		cmocka_unit_test(identity_survives_the_way),
		cmocka_unit_test(authorize_and_its_answer_survive_the_way),
		cmocka_unit_test(peer_survives_the_way),
		cmocka_unit_test(peer_without_address_is_refused),
		cmocka_unit_test(status_messages_survive_the_way),
		cmocka_unit_test(flags_and_codes_out_of_range_are_refused),
		cmocka_unit_test(configuration_survives_the_way),
		cmocka_unit_test(node_names_hold_no_nul_and_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
