/* SPDX-License-Identifier: ISC */
/* Requests and answers of the control socket. */
#include "base_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikev2d/control_json.h"

static const char *
word(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s == NULL ? "" : s;
}

static int
read_request(const char *line, struct control_request *req)
{
	const char *why = NULL;
	int r = control_request_read(bytes_str(line), req, &why);

	if (r != OK)
		assert_non_null(why);
	return r;
}

TEST(requests_are_understood)
{
	static const char *const names[] = { "status", "sas", "counters", "check", "close" };
	struct control_request req;
	char line[64];
	size_t i;

	for (i = 0; i < COUNT(names); i++) {
		(void)snprintf(line, sizeof line, "{\"command\": \"%s\"}", names[i]);
		assert_int_equal(read_request(line, &req), OK);
		assert_string_equal(control_verb_name(req.verb), names[i]);
		assert_string_equal(req.node, "");
	}
	assert_int_equal(read_request("{\"command\":\"initiate\",\"node\":\"nve-2\"}", &req), OK);
	assert_int_equal(req.verb, CONTROL_INITIATE);
	assert_string_equal(req.node, "nve-2");
}

TEST(what_is_no_request_is_refused)
{
	static const struct { const char *line; int r; } bad[] = {
		{ "", ERR_SYNTAX }, { "[]", ERR_SYNTAX }, { "{", ERR_SYNTAX }, { "status", ERR_SYNTAX },
		{ "{}", ERR_VALUE }, { "{\"command\": 5}", ERR_VALUE },
		{ "{\"command\": \"shutdown\"}", ERR_VALUE },
		{ "{\"command\": \"initiate\"}", ERR_VALUE },
		{ "{\"command\": \"close\", \"node\": 5}", ERR_VALUE },
		{ "{\"command\": \"close\", \"node\": \"a\\u0000b\"}", ERR_SYNTAX },
		{ "{\"command\": \"sas\", \"command\": \"status\"}", ERR_SYNTAX },
		{ "{\"command\": \"close\", \"node\": \"0123456789012345678901234567890123456789"
		    "0123456789012345678901234567890123456789\"}", ERR_VALUE },
	};
	struct control_request req;
	size_t i;

	for (i = 0; i < COUNT(bad); i++)
		if (read_request(bad[i].line, &req) != bad[i].r)
			fail_msg("%s", bad[i].line);
}

static json_t *
peers_of(struct msg_peer *m)
{
	json_t *peers = json_array();

	(void)json_array_append_new(peers, control_peer(m));
	return peers;
}

TEST(peer_is_shown_with_the_ike_sa_that_is_up)
{
	static struct msg_peer peer = { .node = "nve-2", .configured = true };
	static struct msg_ike_sa old = { .node = "nve-2", .state = "INIT_SENT" };
	static struct msg_ike_sa up = { .node = "nve-2", .state = "UP", .up = true, .age_s = 5 };
	static struct msg_ike_sa other = { .node = "nve-3", .state = "UP", .up = true };
	static struct msg_child_sa child = { .node = "nve-2", .channel = "vxlan", .mode = 1 };
	json_t *peers = peers_of(&peer), *ike_sas = json_array(), *child_sas = json_array(), *p;

	(void)json_array_append_new(ike_sas, control_ike_sa(&up));
	(void)json_array_append_new(ike_sas, control_ike_sa(&old));
	(void)json_array_append_new(ike_sas, control_ike_sa(&other));
	(void)json_array_append_new(child_sas, control_child_sa(&child));
	control_join_peers(peers, ike_sas, child_sas);
	p = json_array_get(peers, 0);
	assert_true(json_is_true(json_object_get(p, "up")));
	assert_string_equal(word(json_object_get(p, "ike_sa"), "state"), "UP");
	assert_int_equal(json_array_size(json_object_get(p, "child_sas")), 1);
	json_decref(peers);
	json_decref(ike_sas);
	json_decref(child_sas);
}

TEST(peer_without_ike_sa_is_down)
{
	static struct msg_peer peer = { .node = "nve-2", .failure = "no answer", .failed_at = 1800000000 };
	json_t *peers = peers_of(&peer), *none = json_array(), *p;

	control_join_peers(peers, none, none);
	p = json_array_get(peers, 0);
	assert_true(json_is_false(json_object_get(p, "up")));
	assert_true(json_is_null(json_object_get(p, "ike_sa")));
	assert_string_equal(word(p, "failure"), "no answer");
	assert_string_equal(word(p, "failed_at"), "2027-01-15T08:00:00Z");
	json_decref(peers);
	json_decref(none);
}

TEST(esp_sas_get_the_node_of_their_spi_and_direction)
{
	static struct msg_child_sa child = { .node = "nve-2", .spi_in = 0x10, .spi_out = 0x20, .mode = 1 };
	struct sa_stats st = { .spi = 0x10, .dir = SA_IN };
	struct sa_params sa = { .mode = SA_TRANSPORT, .channel = "vxlan" };
	json_t *sas = json_array(), *child_sas = json_array();

	(void)json_array_append_new(sas, control_esp_sa(&st, &sa));
	st.spi = 0x10;
	st.dir = SA_OUT;         /* the same number the other way is another SA */
	(void)json_array_append_new(sas, control_esp_sa(&st, &sa));
	(void)json_array_append_new(child_sas, control_child_sa(&child));
	control_join_sas(sas, child_sas);
	assert_string_equal(word(json_array_get(sas, 0), "node"), "nve-2");
	assert_string_equal(word(json_array_get(sas, 0), "spi"), "0x00000010");
	assert_true(json_is_null(json_object_get(json_array_get(sas, 1), "node")));
	json_decref(sas);
	json_decref(child_sas);
}

TEST(what_a_peer_chose_cannot_break_out_of_its_string)
{
	static struct msg_peer peer = { .node = "a\"}\n\x1b[31m", .failure = "\xff\xfe" };
	json_t *p = control_peer(&peer);
	char *text = json_dumps(p, JSON_COMPACT | JSON_ENSURE_ASCII);

	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	assert_null(strchr(text, '\x1b'));
	assert_string_equal(word(p, "node"), "a\"}??[31m");
	assert_string_equal(word(p, "failure"), "??");
	free(text);
	json_decref(p);
}

TEST(times_that_are_none_are_null)
{
	static const int64_t none[] = { 0, -1, INT64_MIN, INT64_MAX };
	static struct msg_alarm alarm = { .text = "x" };
	size_t i;

	for (i = 0; i < COUNT(none); i++) {
		json_t *a;

		alarm.since = none[i];
		a = control_alarm(&alarm);
		assert_true(json_is_null(json_object_get(a, "since")));
		json_decref(a);
	}
}

/* The worst level of a topic. */
static const char *
level_of(const json_t *findings, const char *topic)
{
	const char *worst = "none";
	const json_t *f;
	size_t i;

	json_array_foreach(findings, i, f)
		if (strcmp(word(f, "topic"), topic) == 0 && strcmp(worst, "fail") != 0)
			worst = word(f, "level");
	return worst;
}

TEST(findings_name_what_is_wrong)
{
	static struct msg_process process = { .name = "engine", .ready = false, .missed = "chroot" };
	static struct msg_peer peer = { .node = "nve-2" };
	static struct msg_document document;
	static struct msg_alarm alarm = { .text = "server down", .since = 5 };
	json_t *status = json_object(), *list, *none = json_array(), *findings;

	list = json_array();
	(void)json_array_append_new(list, control_process(&process));
	(void)json_object_set_new(status, "processes", list);
	list = json_array();
	(void)json_array_append_new(list, control_alarm(&alarm));
	(void)json_object_set_new(status, "alarms", list);
	list = peers_of(&peer);
	control_join_peers(list, none, none);
	(void)json_object_set_new(status, "peers", list);
	(void)json_object_set_new(status, "document", control_document(&document));
	findings = control_findings(status);
	assert_string_equal(level_of(findings, "document"), "fail");
	assert_string_equal(level_of(findings, "alarm"), "warn");
	assert_string_equal(level_of(findings, "privileges"), "warn");
	assert_string_equal(word(json_array_get(findings, 0), "level"), "fail");
	json_decref(findings);
	json_decref(status);
	json_decref(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_understood),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(peer_is_shown_with_the_ike_sa_that_is_up),
		cmocka_unit_test(peer_without_ike_sa_is_down),
		cmocka_unit_test(esp_sas_get_the_node_of_their_spi_and_direction),
		cmocka_unit_test(what_a_peer_chose_cannot_break_out_of_its_string),
		cmocka_unit_test(times_that_are_none_are_null),
		cmocka_unit_test(findings_name_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
