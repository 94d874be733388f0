/* SPDX-License-Identifier: ISC */
/* <suite> and <channel>. */
#include "nvo3/elements.h"

#define SUITES_MAX    256
#define CHANNELS_ALL  64                 /* of a document; CHANNELS_MAX is for one pair of roles */
/* "ch:ID;vni:16777215" must fit a label. */
#define CHANNEL_ID_MAX (LABEL_MAX - sizeof "ch:;vni:16777215")

#define LIFETIME_MIN     10u             /* seconds */
#define LIFETIME_MAX     604800u
#define LIFETIME_DEFAULT 3600u

int
element_start_suite(struct doc *d)
{
	struct nvo3_suite *s = NULL;
	uint64_t lifetime = LIFETIME_DEFAULT;
	unsigned ke = 0;
	const char *esp;
	size_t i, n = d->t->n_suites;
	int r;

	if (n == SUITES_MAX)
		return doc_fail(d, ERR_SPACE, "more than %d suites", SUITES_MAX);
	if ((s = doc_grow(d->t->suites, n, sizeof *s)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	d->t->suites = s;
	s += n;
	s->line = d->line;
	if ((r = doc_id(d, "id", s->id)) != 0)
		return r;
	for (i = 0; i < n; i++)
		if (strcmp(d->t->suites[i].id, s->id) == 0)
			return doc_fail(d, ERR_VALUE, "suite \"%s\" is there already, in line %d",
			    s->id, d->t->suites[i].line);
	if ((esp = doc_attr(d, "esp")) == NULL || esp_transform_parse(&s->esp, esp) != 0)
		return doc_fail(d, ERR_VALUE,
		    "suite \"%s\": esp=\"%.40s\" is no algorithm we have; "
		    "aes128gcm16 and aes256gcm16 are good ones",
		    s->id, esp != NULL ? esp : "");
	if (doc_attr(d, "ke") != NULL && (r = doc_word(d, "ke", words_ke, &ke)) != 0)
		return r;
	if (doc_attr(d, "lifetime") != NULL &&
	    (r = doc_number(d, "lifetime", LIFETIME_MIN, LIFETIME_MAX, &lifetime)) != 0)
		return r;
	s->ke = (uint16_t)ke;
	s->lifetime_s = (uint32_t)lifetime;
	d->t->n_suites++;
	return 0;
}

static int
channel_traffic(struct doc *d, struct channel *ch)
{
	unsigned protocol, mode = SA_TRANSPORT;
	uint64_t port = 0;
	int r;

	if ((r = doc_word(d, "protocol", words_protocol, &protocol)) != 0)
		return r;
	if (doc_attr(d, "mode") != NULL && (r = doc_word(d, "mode", words_mode, &mode)) != 0)
		return r;
	if (protocol == 0 && doc_attr(d, "port") != NULL)
		return doc_fail(d, ERR_VALUE,
		    "channel \"%s\": protocol=\"any\" has no ports; leave port "
		    "out, or name the protocol",
		    ch->id);
	if (protocol != 0 && (r = doc_number(d, "port", 1, UINT16_MAX, &port)) != 0)
		return r;
	ch->proto = (uint8_t)protocol;
	ch->port = (uint16_t)port;
	ch->mode = (uint8_t)mode;
	return 0;
}

int
element_start_channel(struct doc *d)
{
	struct nvo3_channel *c;
	const struct nvo3_suite *suite;
	char suite_id[ID_MAX];
	const char *between;
	unsigned level;
	size_t i, n = d->t->n_channels;
	int r;

	if (n == CHANNELS_ALL)
		return doc_fail(d, ERR_SPACE, "more than %d channels", CHANNELS_ALL);
	if ((c = doc_grow(d->t->channels, n, sizeof *c)) == NULL)
		return doc_fail(d, ERR_NOMEM, "out of memory");
	d->t->channels = c;
	c += n;
	c->line = d->line;
	if ((r = doc_id(d, "id", c->ch.id)) != 0)
		return r;
	if (strlen(c->ch.id) > CHANNEL_ID_MAX)
		return doc_fail(
		    d, ERR_VALUE, "channel ids have at most %zu octets", CHANNEL_ID_MAX);
	for (i = 0; i < n; i++)
		if (strcmp(d->t->channels[i].ch.id, c->ch.id) == 0)
			return doc_fail(d, ERR_VALUE, "channel \"%s\" is there already, in line %d",
			    c->ch.id, d->t->channels[i].line);
	if ((between = doc_attr(d, "between")) == NULL || !value_between(between, c->between))
		return doc_fail(d, ERR_VALUE,
		    "channel \"%s\": between names two of nve, nva, hypervisor, "
		    "key-server, as in between=\"nve nva\"",
		    c->ch.id);
	if ((r = doc_word(d, "level", words_level, &level)) != 0 ||
	    (r = doc_id(d, "suite", suite_id)) != 0 || (r = channel_traffic(d, &c->ch)) != 0)
		return r;
	if ((suite = doc_suite(d, suite_id)) == NULL)
		return ERR_VALUE;
	c->ch.level = (uint8_t)level;
	c->ch.esp = suite->esp;
	c->ch.ke = suite->ke;
	c->ch.lifetime_s = suite->lifetime_s;
	d->t->n_channels++;
	return 0;
}
