/* SPDX-License-Identifier: ISC */
/*
 * The control socket: request lines (first octet even), and answers made of messages that processes
 * sent (first octet odd, then one message each: type, length, body).
 */
/* reads: ikev2d/control_request.c ikev2d/control_json.c */
/* fuzz: -max_len=4096 */
#include <stdint.h>
#include <stdlib.h>

#include "ikev2d/control_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(int is)
{
	if (!is)
		abort();
}

static void
try_request(struct bytes line)
{
	struct control_request req;
	const char *why = NULL;
	json_t *error = NULL;

	if (control_request_read(line, &req, &why) == OK) {
		check(control_verb_name(req.verb)[0] != '?');
		check(memchr(req.node, '\0', sizeof req.node) != NULL);
		check(req.verb != CONTROL_INITIATE || req.node[0] != '\0');
		return;
	}
	check(why != NULL && (error = control_error(why)) != NULL);
	json_decref(error);
}

struct answer {
	json_t *root, *processes, *alarms, *peers, *ike_sas, *child_sas, *sas;
};

#define ADD(type, member) \
	do { \
		static struct msg_##type m_; \
		json_t *made_; \
		if (rd_##type(body, &m_) == OK) { \
			made_ = control_##type(&m_); \
			check(made_ != NULL); \
			(void)json_array_append_new(a->member, made_); \
		} \
	} while (0)

static void
add_document(struct answer *a, struct bytes body)
{
	static struct msg_document m;
	json_t *made;

	if (rd_document(body, &m) != OK)
		return;
	made = control_document(&m);
	check(made != NULL);
	(void)json_object_set_new(a->root, "document", made);
}

static void
add_sa(struct answer *a, struct bytes body)
{
	struct bk_event e;
	json_t *made;

	if (bk_read(BK_SA_INFO, body, &e) != OK)
		return;
	made = control_esp_sa(&e.u.info.stats, &e.u.info.sa);
	check(made != NULL);
	(void)json_array_append_new(a->sas, made);
}

static void
add(struct answer *a, uint8_t type, struct bytes body)
{
	switch (type % 7) {
	case 0:
		ADD(process, processes);
		break;
	case 1:
		add_document(a, body);
		break;
	case 2:
		ADD(alarm, alarms);
		break;
	case 3:
		ADD(peer, peers);
		break;
	case 4:
		ADD(ike_sa, ike_sas);
		break;
	case 5:
		ADD(child_sa, child_sas);
		break;
	default:
		add_sa(a, body);
		break;
	}
}

static json_t *
array(json_t *root, const char *key)
{
	json_t *made = json_array();

	check(made != NULL && json_object_set_new(root, key, made) == 0);
	return made;
}

/* Whatever processes say, the answer can be written, and findings made of it. */
static void
try_answer(struct rd r)
{
	struct answer a = { .root = json_object() };
	json_t *findings;
	struct bytes body;
	uint8_t type;
	char *text;

	a.processes = array(a.root, "processes");
	a.alarms = array(a.root, "alarms");
	a.peers = array(a.root, "peers");
	a.ike_sas = array(a.root, "ike_sas");
	a.child_sas = array(a.root, "child_sas");
	a.sas = array(a.root, "sas");
	while (rd_left(&r) > 0) {
		type = rd_u8(&r);
		body = rd_take(&r, rd_u16(&r));
		if (rd_ok(&r))
			add(&a, type, body);
	}
	control_join_peers(a.peers, a.ike_sas, a.child_sas);
	control_join_sas(a.sas, a.child_sas);
	findings = control_findings(a.root);
	check(json_array_size(findings) >= 3);
	(void)json_object_set_new(a.root, "findings", findings);
	text = json_dumps(a.root, JSON_COMPACT | JSON_ENSURE_ASCII);
	check(text != NULL);
	free(text);
	json_decref(a.root);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(bytes_of(data, len));
	uint8_t kind = rd_u8(&r);

	if (!rd_ok(&r))
		return 0;
	if (kind % 2 == 0)
		try_request(rd_rest(&r));
	else
		try_answer(r);
	return 0;
}
