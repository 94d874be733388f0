/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "ikev2d/control_json.h"

static const struct {
	const char *name;
	enum control_verb verb;
} verbs[] = {
	{ "status", CONTROL_STATUS }, { "sas", CONTROL_SAS }, { "counters", CONTROL_COUNTERS },
	{ "check", CONTROL_CHECK }, { "close", CONTROL_CLOSE }, { "initiate", CONTROL_INITIATE },
};
#define N_VERBS (sizeof verbs / sizeof verbs[0])

const char *
control_verb_name(enum control_verb verb)
{
	size_t i;

	for (i = 0; i < N_VERBS; i++)
		if (verbs[i].verb == verb)
			return verbs[i].name;
	return "?";
}

int
control_request_read(struct bytes line, struct control_request *req, const char **why)
{
	json_t *root, *command, *node;
	int r = ERR_VALUE;
	size_t i;

	memset(req, 0, sizeof *req);
	*why = "not a JSON object";
	root = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return ERR_SYNTAX;
	}
	command = json_object_get(root, "command");
	node = json_object_get(root, "node");
	*why = "unknown command";
	for (i = 0; i < N_VERBS && json_is_string(command); i++)
		if (strcmp(json_string_value(command), verbs[i].name) == 0)
			req->verb = verbs[i].verb;
	if (req->verb == 0)
		goto out;
	*why = "node is missing, or no node id";
	if (node != NULL && (!json_is_string(node) || json_string_length(node) >= ID_MAX ||
	    strlen(json_string_value(node)) != json_string_length(node)))
		goto out;
	if (node != NULL)
		(void)snprintf(req->node, sizeof req->node, "%s", json_string_value(node));
	if (req->verb == CONTROL_INITIATE && req->node[0] == '\0')
		goto out;
	r = OK;
out:
	json_decref(root);
	return r;
}
