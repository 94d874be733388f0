/* SPDX-License-Identifier: ISC */
/* What the authz process grants, to whom it tells what, and in which order. */
#include "role_support.h"

#include "backend/client.h"
#include "base/log.h"
#include "crypto/cms.h"
#include "ikev2d/roles.h"

static struct role authz;
static unsigned serial;
static struct msg_authorized answer;
static struct grant granted;     /* the last GRANT_SET */
static uint32_t dropped;         /* the last GRANT_DROP */
static int policies;             /* POLICY_ADD less POLICY_DEL */

/* ------------------------------------------------------------------ the NVA */

/* Nodes nve-1 and, if asked for, nve-2 with these VNs. */
static void
publish(bool with_peer, const char *vns)
{
	char xml[4096], issued[LOG_TIME_STRLEN], expires[LOG_TIME_STRLEN], node[512] = "";
	struct blob cms = { NULL, 0 };
	int64_t now = (int64_t)time(NULL);
	const char *why = "";
	FILE *f;

	(void)log_time(issued, (now - 60) * 1000);
	memcpy(issued + 19, "Z", 2);
	(void)log_time(expires, (now + 3600) * 1000);
	memcpy(expires + 19, "Z", 2);
	if (with_peer)
		(void)snprintf(node, sizeof node, "<node id=\"nve-2\" role=\"nve\"><identity>"
		    "dns:nve-2.example</identity><underlay>192.0.2.2</underlay>%s</node>", vns);
	(void)snprintf(xml, sizeof xml,
	    "<authorization xmlns=\"urn:overlock:authorization:1\" nva=\"nva.example\" epoch=\"1\" "
	    "serial=\"%u\" issued=\"%s\" expires=\"%s\" enforcement=\"require\">"
	    "<suites><suite id=\"bulk\" esp=\"aes128gcm16\" lifetime=\"3600\"/></suites>"
	    "<channels><channel id=\"vxlan\" between=\"nve nve\" level=\"data\" suite=\"bulk\" "
	    "protocol=\"udp\" port=\"4789\"/></channels>"
	    "<virtual-networks><vn id=\"5001\" keys=\"pair\"/><vn id=\"5002\" keys=\"pair\"/>"
	    "</virtual-networks><nodes><node id=\"nve-1\" role=\"nve\"><identity>dns:nve-1.example"
	    "</identity><underlay>192.0.2.1</underlay><vn ref=\"5001\"/><vn ref=\"5002\"/></node>%s"
	    "</nodes></authorization>", ++serial, issued, expires, node);
	if (cms_sign(bytes_str(xml), file("nva-signer.crt"), file("nva-signer.key"), &cms, &why) != OK)
		fail_msg("%s", why);
	assert_non_null(f = fopen(file("new"), "w"));
	assert_int_equal(fwrite(cms.p, 1, cms.n, f), cms.n);
	(void)fclose(f);
	assert_int_equal(rename(file("new"), file("authorization.cms")), 0);
	blob_free(&cms);
}

/* ------------------------------------------------------------------ the backend */

/* Answers like one: until `type` comes, which is left to the caller. Every call of a batch succeeds. */
static void
backend_until(uint16_t type)
{
	struct heard h;
	static uint16_t calls;
	int sock = authz.peer[PROC_BACKEND];
	struct rd r;
	uint16_t i;

	do {
		struct wr w = wr_grow(1024);

		assert_true(hear(sock, &h));
		r = rd_open(h.body);
		if (h.type == BK_COMMIT) {
			wr_u32(&w, rd_u32(&r));
			wr_u16(&w, calls);
			for (i = 0; i < calls; i++)
				wr_u16(&w, 0);
			calls = 0;
			say_fd(sock, BK_DONE, wr_view(&w), -1);
		} else if (h.type == BK_GRANT_LIST) {
			say_fd(sock, BK_END, bytes_of(NULL, 0), -1);
		} else {
			calls++;
		}
		wr_free(&w);
		if (h.type == BK_POLICY_ADD)
			policies++;
		if (h.type == BK_POLICY_DEL)
			policies--;
		if (h.type == BK_GRANT_DROP)
			dropped = rd_u32(&r);
		if (h.type == BK_GRANT_SET) {
			grant_free(&granted);
			assert_int_equal(rd_grant(&r, &granted), OK);
		}
	} while (h.type != type);
}

/* ------------------------------------------------------------------ engine and trust */

/* Skips what the engine is told of peers. */
static struct heard
engine_hears(uint16_t type)
{
	struct heard h;

	do
		assert_true(hear(authz.peer[PROC_ENGINE], &h));
	while (h.type != type);
	return h;
}

static void
engine_asks(uint32_t job, const struct ike_ref *ref, const char *peer)
{
	struct msg_authorize m = { .job = job, .ref = *ref, .local = test_addr("192.0.2.1"),
		.peer = test_addr(peer), .label = "ch:vxlan", .overlock = true };
	struct wr w = wr_grow(1024);

	wr_authorize(&w, &m);
	say(authz.peer[PROC_ENGINE], MSG_AUTHORIZE, &w);
}

static void
trust_tells(const struct ike_ref *ref, const char *identity, const char *peer)
{
	static struct msg_identity m;
	struct wr w = wr_grow(SEQ_MAX);

	memset(&m, 0, sizeof m);
	m.ref = *ref;
	m.peer = test_addr(peer);
	m.not_after = (int64_t)time(NULL) + 1000;
	m.n_identities = 1;
	(void)snprintf(m.identities[0], sizeof m.identities[0], "%s", identity);
	wr_identity(&w, &m);
	say(authz.peer[PROC_TRUST], MSG_IDENTITY, &w);
}

static int
engine_gets(uint32_t job)
{
	struct heard h = engine_hears(MSG_AUTHORIZED);

	assert_int_equal(rd_authorized(h.body, &answer), OK);
	if (answer.job != job)
		fail_msg("job %u was answered: %s", answer.job, answer.reason);
	grant_free(&answer.grant);
	return answer.rc;
}

static int
start(void **state)
{
	(void)state;
	policies = 0;
	dropped = 0;
	memset(&granted, 0, sizeof granted);
	/* Not the last document of the test before. */
	(void)nftw(file("state"), remove_one, 4, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(file("state"), 0777), 0);
	assert_int_equal(chmod(file("state"), 0777), 0);
	publish(true, "<vn ref=\"5001\"/>");
	role_start(&authz, authz_main);
	role_ready(&authz);
	role_connect(&authz, PROC_TRUST);
	role_connect(&authz, PROC_BACKEND);
	role_connect(&authz, PROC_ENGINE);
	/* The document may come before the engine or after: it has the peers in any case. */
	(void)engine_hears(MSG_PEERS_END);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	role_stop(&authz);
	grant_free(&granted);
	return 0;
}

static const struct ike_ref sa = { 0x1111, 0x2222, true };

static uint32_t
admit(uint32_t job, const struct ike_ref *ref)
{
	trust_tells(ref, "dns:nve-2.example", "192.0.2.2");
	engine_asks(job, ref, "192.0.2.2");
	backend_until(BK_GRANT_SET);
	backend_until(BK_COMMIT);
	assert_int_equal(engine_gets(job), OK);
	assert_int_equal(answer.grant.number, granted.number);
	return granted.number;
}

/* ------------------------------------------------------------------ tests */

TEST(engine_is_told_whom_to_speak_with)
{
	struct ike_peer p;
	struct heard h;

	role_connect(&authz, PROC_ENGINE);
	h = engine_hears(MSG_PEER_SET);
	assert_int_equal(rd_peer_set(h.body, &p), OK);
	assert_string_equal(p.node, "nve-2");
	assert_true(addr_equal(&p.addrs[0], &(struct addr){ ADDR_V4, { 192, 0, 2, 2 } }));
	assert_string_equal(p.channels[0].id, "vxlan");
	/* 192.0.2.1 is lower than 192.0.2.2. */
	assert_true(p.initiate);
	(void)engine_hears(MSG_PEERS_END);
}

TEST(grant_says_what_the_document_says)
{
	assert_true(admit(1, &sa) > 0);
	assert_string_equal(granted.node, "nve-2");
	assert_int_equal(granted.n_vnis, 1);
	assert_int_equal(granted.vnis[0], 5001);
	assert_int_equal(granted.n_channels, 1);
	assert_int_equal(granted.n_peer, 1);
	/* The certificate ends before the document. */
	assert_true(granted.expires <= (int64_t)time(NULL) + 1000);
	assert_int_equal(policies, 1);
}

TEST(nobody_is_granted_anything_before_trust_has_spoken)
{
	static const struct ike_ref other = { 0x3333, 0x4444, true };

	engine_asks(1, &sa, "192.0.2.2");
	/* A later request that trust vouched for is answered meanwhile. */
	(void)admit(2, &other);
	trust_tells(&sa, "dns:nve-2.example", "192.0.2.2");
	backend_until(BK_GRANT_SET);
	backend_until(BK_COMMIT);
	assert_int_equal(engine_gets(1), OK);
}

TEST(identity_of_one_ike_sa_is_no_good_for_another)
{
	struct ike_ref turned = sa;

	turned.initiator = false;
	trust_tells(&turned, "dns:nve-2.example", "192.0.2.2");
	engine_asks(1, &sa, "192.0.2.2");
	(void)admit(2, &(struct ike_ref){ 5, 6, true });
}

TEST(engine_hears_of_a_grant_when_the_backend_has_it)
{
	trust_tells(&sa, "dns:nve-2.example", "192.0.2.2");
	engine_asks(1, &sa, "192.0.2.2");
	backend_until(BK_GRANT_SET);
	/* BK_DONE was not sent yet; a question to authz that is answered at once shows it is not busy. */
	engine_asks(2, &(struct ike_ref){ 7, 8, true }, "192.0.2.9");
	trust_tells(&(struct ike_ref){ 7, 8, true }, "dns:nve-2.example", "192.0.2.9");
	assert_int_equal(engine_gets(2), ERR_DENIED);
	backend_until(BK_COMMIT);
	assert_int_equal(engine_gets(1), OK);
}

static void
refused(const char *identity, const char *trust_peer, const char *engine_peer, const char *says)
{
	backend_until(BK_COMMIT);        /* the policies */
	trust_tells(&sa, identity, trust_peer);
	engine_asks(1, &sa, engine_peer);
	assert_int_equal(engine_gets(1), ERR_DENIED);
	if (strstr(answer.reason, says) == NULL)
		fail_msg("%s", answer.reason);
	assert_true(silent(authz.peer[PROC_BACKEND]));
}

TEST(unknown_identity_is_refused)
{
	refused("dns:nve-9.example", "192.0.2.2", "192.0.2.2", "no node of the document");
}

TEST(right_identity_from_a_wrong_address_is_refused)
{
	refused("dns:nve-2.example", "192.0.2.7", "192.0.2.7", "address");
}

TEST(engine_that_tells_authz_another_address_than_trust_is_refused)
{
	refused("dns:nve-2.example", "192.0.2.7", "192.0.2.2", "address changed");
}

TEST(node_that_leaves_the_document_loses_everything)
{
	uint32_t number = admit(1, &sa), n;
	struct heard h;
	char node[ID_MAX];

	publish(false, "");
	say_fd(authz.parent, IPC_RELOAD, bytes_of(NULL, 0), -1);
	h = engine_hears(MSG_PEER_DEL);
	assert_int_equal(rd_node(h.body, node), OK);
	assert_string_equal(node, "nve-2");
	h = engine_hears(MSG_GRANT_GONE);
	assert_int_equal(rd_number(h.body, &n), OK);
	assert_int_equal(n, number);
	backend_until(BK_GRANT_DROP);
	assert_int_equal(dropped, number);
	assert_int_equal(policies, 0);
	/* And is not admitted again. */
	engine_asks(2, &sa, "192.0.2.2");
	assert_int_equal(engine_gets(2), ERR_DENIED);
}

TEST(changed_vns_change_the_grant_under_its_number)
{
	uint32_t number = admit(1, &sa);

	publish(true, "<vn ref=\"5001\"/><vn ref=\"5002\"/>");
	say_fd(authz.parent, IPC_RELOAD, bytes_of(NULL, 0), -1);
	backend_until(BK_GRANT_SET);
	assert_int_equal(granted.number, number);
	assert_int_equal(granted.n_vnis, 2);
}

TEST(document_of_a_lower_serial_changes_nothing)
{
	(void)admit(1, &sa);
	serial -= 2;
	publish(false, "");
	serial += 1;
	say_fd(authz.parent, IPC_RELOAD, bytes_of(NULL, 0), -1);
	/* Still admitted, and the second fetch sees that the first one is over. */
	(void)admit(2, &(struct ike_ref){ 9, 10, true });
	serial += 1;
	publish(false, "");
	say_fd(authz.parent, IPC_RELOAD, bytes_of(NULL, 0), -1);
	(void)engine_hears(MSG_GRANT_GONE);
}

TEST(new_backend_gets_policies_and_grants_again)
{
	uint32_t number = admit(1, &sa);

	role_connect(&authz, PROC_BACKEND);
	policies = 0;
	granted.number = 0;
	backend_until(BK_GRANT_SET);
	assert_int_equal(policies, 1);
	assert_int_equal(granted.number, number);
}

TEST(grant_is_one_per_node_however_many_ike_sas)
{
	uint32_t number = admit(1, &sa);

	assert_int_equal(admit(2, &(struct ike_ref){ 11, 12, false }), number);
}

TEST(grants_of_a_former_authz_are_taken_over_and_judged)
{
	struct grant old = { .number = 41, .node = "nve-2", .peer = { test_addr("192.0.2.2") },
		.n_peer = 1, .local = { test_addr("192.0.2.1") }, .n_local = 1,
		.expires = (int64_t)time(NULL) + 500 };
	struct role r;
	struct heard h;
	struct wr w = wr_grow(4096);

	/* A process of its own, whose backend has a grant already, and one for nobody. */
	role_start(&r, authz_main);
	role_ready(&r);
	role_connect(&r, PROC_BACKEND);
	do
		assert_true(hear(r.peer[PROC_BACKEND], &h));
	while (h.type != BK_GRANT_LIST);
	wr_grant(&w, &old);
	say(r.peer[PROC_BACKEND], BK_GRANT_INFO, &w);
	old.number = 42;
	strcpy(old.node, "nve-9");
	w = wr_grow(4096);
	wr_grant(&w, &old);
	say(r.peer[PROC_BACKEND], BK_GRANT_INFO, &w);
	say_fd(r.peer[PROC_BACKEND], BK_END, bytes_of(NULL, 0), -1);
	/* nve-2's has no channel: it is set anew; nve-9 is not in the document. */
	dropped = granted.number = 0;
	while (dropped == 0 || granted.number == 0) {
		struct rd rd;

		assert_true(hear(r.peer[PROC_BACKEND], &h));
		rd = rd_open(h.body);
		if (h.type == BK_GRANT_DROP)
			dropped = rd_u32(&rd);
		if (h.type == BK_GRANT_SET) {
			grant_free(&granted);
			assert_int_equal(rd_grant(&rd, &granted), OK);
		}
	}
	assert_int_equal(dropped, 42);
	assert_int_equal(granted.number, 41);
	assert_int_equal(granted.n_channels, 1);
	role_stop(&r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(engine_is_told_whom_to_speak_with),
		T(grant_says_what_the_document_says),
		T(nobody_is_granted_anything_before_trust_has_spoken),
		T(identity_of_one_ike_sa_is_no_good_for_another),
		T(engine_hears_of_a_grant_when_the_backend_has_it),
		T(unknown_identity_is_refused),
		T(right_identity_from_a_wrong_address_is_refused),
		T(engine_that_tells_authz_another_address_than_trust_is_refused),
		T(node_that_leaves_the_document_loses_everything),
		T(changed_vns_change_the_grant_under_its_number),
		T(document_of_a_lower_serial_changes_nothing),
		T(new_backend_gets_policies_and_grants_again),
		T(grant_is_one_per_node_however_many_ike_sas),
		T(grants_of_a_former_authz_are_taken_over_and_judged),
	};

	return cmocka_run_group_tests(tests, lab_make, lab_remove);
}
