/* SPDX-License-Identifier: ISC */
/* What the operator sees of the document, and its alarms. */
#include <stdio.h>

#include "base/log.h"
#include "ikev2d/authz.h"

void
authz_describe(struct authz *a, const char *source)
{
	const struct nvo3_table *t = a->doc.table;
	struct msg_document *m = &a->about;

	m->loaded = t != NULL;
	(void)snprintf(m->source, sizeof m->source, "%s", source);
	(void)snprintf(m->url, sizeof m->url, "%s", a->config->url);
	if (t == NULL)
		return;
	(void)log_safe(m->nva, sizeof m->nva, bytes_str(t->nva));
	if (a->doc.n_signers > 0)
		(void)log_safe(m->signer, sizeof m->signer, bytes_str(a->doc.signers[0].identity));
	m->epoch = t->epoch;
	m->serial = t->serial;
	m->nodes = (uint32_t)t->n_nodes;
	m->issued = t->issued;
	m->expires = t->expires;
	m->enforcement = (uint8_t)t->enforcement;
}

void
authz_watch(struct authz *a)
{
	char text[256] = "", until[LOG_TIME_STRLEN];
	int64_t now = authz_now_s();

	if (a->doc.table == NULL)
		return;
	if (now >= a->about.expires)
		(void)snprintf(text, sizeof text, "the document has expired on %s: nobody new is "
		    "admitted, peers that are stay for %u s; ask the NVA's operator for a new one",
		    log_time(until, a->about.expires * 1000), a->config->grace);
	authz_alarm(a, ALARM_TIME, text);
}

void
authz_status(struct authz *a, struct chan *c)
{
	struct wr w = wr_grow(SEQ_MAX);
	size_t i;

	(void)snprintf(a->about.url, sizeof a->about.url, "%s", a->config->url);
	wr_document(&w, &a->about);
	(void)chan_send_wr(c, MSG_DOCUMENT, &w);
	for (i = 0; i < ALARMS_MAX; i++) {
		if (a->alarms[i].text[0] == '\0')
			continue;
		w = wr_grow(SEQ_MAX);
		wr_alarm(&w, &a->alarms[i]);
		(void)chan_send_wr(c, MSG_ALARM, &w);
	}
}
