/* SPDX-License-Identifier: ISC */
#include "ikev2d/control_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

/* ------------------------------------------------------------------ helpers */

/* Strings of peers and other processes: what is no clean ASCII is shown as '?'. */
static json_t *
text(const char *s)
{
	char safe[1024];

	return json_string(log_safe(safe, sizeof safe, bytes_str(s)));
}

static json_t *
when(int64_t seconds)
{
	char buf[LOG_TIME_STRLEN];

	if (seconds <= 0 || seconds > INT64_MAX / 1000)
		return json_null();
	(void)log_time(buf, seconds * 1000);
	/* Seconds are all that is known. */
	(void)strncpy(buf + 19, "Z", sizeof buf - 19);
	return json_string(buf);
}

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static json_t *
address(const struct addr *a)
{
	char buf[ADDR_STRLEN];

	return addr_len(a) == 0 ? json_null() : json_string(addr_str(a, buf));
}

static json_t *
endpoint(const struct endpoint *e)
{
	char buf[ENDPOINT_STRLEN];

	return json_string(endpoint_str(e, buf));
}

static json_t *
spi32(uint32_t spi)
{
	char buf[16];

	(void)snprintf(buf, sizeof buf, "0x%08" PRIx32, spi);
	return json_string(buf);
}

static json_t *
spi64(uint64_t spi)
{
	char buf[32];

	(void)snprintf(buf, sizeof buf, "%016" PRIx64, spi);
	return json_string(buf);
}

static const char *
mode_name(uint8_t mode)
{
	return mode == SA_TUNNEL ? "tunnel" : "transport";
}

/* ------------------------------------------------------------------ objects */

json_t *
control_process(const struct msg_process *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o}",
	    "name", text(m->name), "pid", number(m->pid), "restarts", number(m->restarts),
	    "up_s", number((uint64_t)m->up_s), "ready", m->ready, "not_dropped", text(m->missed));
}

json_t *
control_document(const struct msg_document *m)
{
	static const char *const words[] = { "", "observe", "prefer", "require" };

	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}",
	    "loaded", m->loaded, "nva", text(m->nva), "signer", text(m->signer),
	    "url", text(m->url), "source", text(m->source), "epoch", number(m->epoch),
	    "serial", number(m->serial), "nodes", number(m->nodes), "issued", when(m->issued),
	    "expires", when(m->expires), "fetched", when(m->fetched),
	    "enforcement", words[m->enforcement & 3]);
}

json_t *
control_alarm(const struct msg_alarm *m)
{
	return json_pack("{s:o, s:o}", "text", text(m->text), "since", when(m->since));
}

json_t *
control_peer(const struct msg_peer *m)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o}",
	    "node", text(m->node), "local", address(&m->local), "address", address(&m->peer),
	    "configured", m->configured, "initiate", m->initiate, "channels", number(m->channels),
	    "failure", text(m->failure), "failed_at", when(m->failed_at));
}

json_t *
control_ike_sa(const struct msg_ike_sa *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o}",
	    "node", text(m->node), "identity", text(m->identity), "state", text(m->state),
	    "suite", text(m->suite), "initiator", m->ref.initiator,
	    "spi_i", spi64(m->ref.spi_i), "spi_r", spi64(m->ref.spi_r),
	    "local", endpoint(&m->local), "peer", endpoint(&m->peer), "up", m->up, "nat", m->natt,
	    "age_s", number((uint64_t)m->age_s), "grant", number(m->grant),
	    "children", number(m->children));
}

json_t *
control_child_sa(const struct msg_child_sa *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "node", text(m->node), "channel", text(m->channel), "suite", text(m->suite),
	    "vni", number(m->vni), "spi_in", spi32(m->spi_in), "spi_out", spi32(m->spi_out),
	    "mode", mode_name(m->mode), "encap", m->encap, "local", address(&m->local),
	    "peer", address(&m->peer), "grant", number(m->grant),
	    "age_s", number((uint64_t)m->age_s),
	    "ike_spi_i", spi64(m->ref.spi_i), "ike_spi_r", spi64(m->ref.spi_r));
}

json_t *
control_esp_sa(const struct sa_stats *st, const struct sa_params *sa)
{
	char suite[48];
	const char *name = esp_transform_name(&sa->transform, suite);

	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:b, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:o, s:o, s:o, s:o, s:o}",
	    "direction", st->dir == SA_IN ? "in" : "out", "spi", spi32(st->spi),
	    "src", address(&st->src), "dst", address(&st->dst),
	    "suite", name == NULL ? "?" : name, "esn", sa->transform.esn,
	    "mode", mode_name(sa->mode), "encap", sa->encap_sport != 0,
	    "channel", text(sa->channel), "vni", number(sa->vni), "grant", number(sa->grant),
	    "packets", number(st->packets), "bytes", number(st->bytes),
	    "replays", number(st->replays), "bad_icv", number(st->bad_icv),
	    "bad_selector", number(st->bad_selector), "bad_vni", number(st->bad_vni),
	    "seq", number(st->seq), "age_s", number((uint64_t)st->age_s));
}

/* ------------------------------------------------------------------ joining */

static const char *
word(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s == NULL ? "" : s;
}

/* The IKE SA that counts for a peer: one that is up, else any. */
static json_t *
ike_sa_of(const json_t *ike_sas, const char *node)
{
	json_t *sa, *found = NULL;
	size_t i;

	json_array_foreach(ike_sas, i, sa) {
		if (strcmp(word(sa, "node"), node) != 0)
			continue;
		if (found == NULL || json_is_true(json_object_get(sa, "up")))
			found = sa;
	}
	return found;
}

void
control_join_peers(json_t *peers, const json_t *ike_sas, const json_t *child_sas)
{
	json_t *peer, *sa, *child, *children;
	size_t i, k;

	json_array_foreach(peers, i, peer) {
		const char *node = word(peer, "node");

		sa = ike_sa_of(ike_sas, node);
		(void)json_object_set_new(peer, "up",
		    json_boolean(sa != NULL && json_is_true(json_object_get(sa, "up"))));
		(void)json_object_set_new(peer, "ike_sa", sa == NULL ? json_null() : json_deep_copy(sa));
		children = json_array();
		json_array_foreach(child_sas, k, child)
			if (strcmp(word(child, "node"), node) == 0)
				(void)json_array_append_new(children, json_deep_copy(child));
		(void)json_object_set_new(peer, "child_sas", children);
	}
}

void
control_join_sas(json_t *sas, const json_t *child_sas)
{
	json_t *sa, *child;
	size_t i, k;

	json_array_foreach(sas, i, sa) {
		const char *key = strcmp(word(sa, "direction"), "in") == 0 ? "spi_in" : "spi_out";

		(void)json_object_set_new(sa, "node", json_null());
		json_array_foreach(child_sas, k, child) {
			if (strcmp(word(child, key), word(sa, "spi")) != 0)
				continue;
			(void)json_object_set(sa, "node", json_object_get(child, "node"));
			(void)json_object_set(sa, "ike_spi_i", json_object_get(child, "ike_spi_i"));
			(void)json_object_set(sa, "ike_spi_r", json_object_get(child, "ike_spi_r"));
		}
	}
}

/* ------------------------------------------------------------------ findings */

static void
finding(json_t *to, const char *level, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void
finding(json_t *to, const char *level, const char *topic, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	(void)json_array_append_new(to, json_pack("{s:s, s:s, s:s}", "level", level, "topic", topic,
	    "text", line));
}

static void
find_processes(json_t *to, const json_t *status)
{
	const json_t *process;
	size_t i, n = 0;

	json_array_foreach(json_object_get(status, "processes"), i, process) {
		json_int_t restarts = json_integer_value(json_object_get(process, "restarts"));

		if (!json_is_true(json_object_get(process, "ready")))
			finding(to, "fail", "processes", "%s is not running: see the log for why it ends",
			    word(process, "name"));
		else if (restarts > 0)
			finding(to, "warn", "processes", "%s was restarted %lld times: see the log",
			    word(process, "name"), (long long)restarts);
		else
			n++;
		if (*word(process, "not_dropped") != '\0')
			finding(to, "warn", "privileges", "%s could not drop: %s",
			    word(process, "name"), word(process, "not_dropped"));
	}
	finding(to, "ok", "processes", "%zu run since the start", n);
}

static void
find_peers(json_t *to, const json_t *status)
{
	const json_t *peer;
	size_t i, up = 0;

	json_array_foreach(json_object_get(status, "peers"), i, peer) {
		if (json_is_true(json_object_get(peer, "up")))
			up++;
		else if (*word(peer, "failure") != '\0')
			finding(to, "warn", "peers", "%s is not up: %s", word(peer, "node"),
			    word(peer, "failure"));
		else
			finding(to, "warn", "peers", "%s is not up: nothing was heard of it yet",
			    word(peer, "node"));
	}
	finding(to, "ok", "peers", "%zu of %zu are up", up, i);
}

json_t *
control_findings(const json_t *status)
{
	const json_t *document = json_object_get(status, "document"), *alarm;
	json_t *to = json_array();
	size_t i;

	find_processes(to, status);
	if (json_is_true(json_object_get(document, "loaded")))
		finding(to, "ok", "document", "serial %lld of %s, until %s",
		    (long long)json_integer_value(json_object_get(document, "serial")),
		    word(document, "nva"), word(document, "expires"));
	else
		finding(to, "fail", "document", "there is none: nobody is admitted");
	json_array_foreach(json_object_get(status, "alarms"), i, alarm)
		finding(to, "warn", "alarm", "%s", word(alarm, "text"));
	find_peers(to, status);
	return to;
}

json_t *
control_error(const char *why)
{
	return json_pack("{s:i, s:b, s:o}", "schema_version", CONTROL_SCHEMA_VERSION, "ok", 0,
	    "error", text(why));
}
