/* SPDX-License-Identifier: ISC */
/* Between the messages of shell/msg.h and the JSON of the control socket. Pure. */
#ifndef IKEV2D_CONTROL_JSON_H
#define IKEV2D_CONTROL_JSON_H

#include <jansson.h>

#include "backend/client.h"
#include "shell/msg.h"

#define CONTROL_SCHEMA_VERSION 1

enum control_verb {
	CONTROL_STATUS = 1, CONTROL_SAS, CONTROL_COUNTERS, CONTROL_CHECK, CONTROL_CLOSE,
	CONTROL_INITIATE,
};

struct control_request {
	enum control_verb verb;
	char node[ID_MAX];       /* close: "" is all; initiate: needed */
};

/*
 * A request line: {"command": "status"}, {"command": "close", "node": "nve-2"} ... 0, or
 * ERR_SYNTAX, ERR_VALUE with what is wrong with it (static).
 */
int control_request_read(struct bytes line, struct control_request *, const char **why);
const char *control_verb_name(enum control_verb);

/* Each makes one object. The caller owns it; NULL when out of memory. */
json_t *control_process(const struct msg_process *);
json_t *control_document(const struct msg_document *);
json_t *control_alarm(const struct msg_alarm *);
json_t *control_peer(const struct msg_peer *);
json_t *control_ike_sa(const struct msg_ike_sa *);
json_t *control_child_sa(const struct msg_child_sa *);
/* One direction of a Child SA, as the backend has it. */
json_t *control_esp_sa(const struct sa_stats *, const struct sa_params *);

/*
 * Put what several processes said together: into each of `peers` its IKE SA and Child SAs; into
 * each of `sas` its node and IKE SPIs. Borrowed arrays are changed in place.
 */
void control_join_peers(json_t *peers, const json_t *ike_sas, const json_t *child_sas);
void control_join_sas(json_t *sas, const json_t *child_sas);

/* Findings out of a whole status: array of {"level": "ok" | "warn" | "fail", "topic", "text"}. */
json_t *control_findings(const json_t *status);

/* {"ok": false, "error": ...} */
json_t *control_error(const char *why);

#endif
