/* SPDX-License-Identifier: ISC */
#include "pcap-backend/keysfile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "pcap-backend/options.h"

#define VALUE_MAX 2048

/* What of a section was given; a bit per row of the table below. */
struct section {
	struct keyed_sa *k;
	unsigned given;
	int esn;                       /* -1: as the transform's name says */
	unsigned line;                 /* where it begins */
};

/* ---- values ---- */

static int
set_spi(struct section *s, const char *value)
{
	char *end;
	unsigned long v = strtoul(value, &end, 0);

	if (!isdigit((unsigned char)value[0]) || *end != '\0' || v < 256 || v > UINT32_MAX)
		return ERR_VALUE;
	s->k->sa.spi = (uint32_t)v;
	return OK;
}

static int
set_src(struct section *s, const char *value)
{
	return addr_parse(&s->k->sa.src, value);
}

static int
set_dst(struct section *s, const char *value)
{
	return addr_parse(&s->k->sa.dst, value);
}

static int
set_mode(struct section *s, const char *value)
{
	s->k->sa.mode = strcmp(value, "transport") == 0 ? SA_TRANSPORT : SA_TUNNEL;
	return s->k->sa.mode == SA_TRANSPORT || strcmp(value, "tunnel") == 0 ? OK : ERR_VALUE;
}

/* SOURCE:DESTINATION ports */
static int
set_encap(struct section *s, const char *value)
{
	char first[8];
	const char *colon = strchr(value, ':');
	uint64_t sport, dport;

	if (colon == NULL || (size_t)(colon - value) >= sizeof first)
		return ERR_VALUE;
	memcpy(first, value, (size_t)(colon - value));
	first[colon - value] = '\0';
	if (option_number(first, 1, 65535, &sport) != OK ||
	    option_number(colon + 1, 1, 65535, &dport) != OK)
		return ERR_VALUE;
	s->k->sa.encap_sport = (uint16_t)sport;
	s->k->sa.encap_dport = (uint16_t)dport;
	return OK;
}

static int
set_transform(struct section *s, const char *value)
{
	return esp_transform_parse(&s->k->sa.transform, value);
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
set_key(struct section *s, const char *value)
{
	struct sa_params *sa = &s->k->sa;
	size_t n = 0;

	if (value[0] == '0' && (value[1] == 'x' || value[1] == 'X'))
		value += 2;
	for (; value[0] != '\0'; value += 2, n++) {
		int hi = hex_digit(value[0]), lo = hi < 0 ? -1 : hex_digit(value[1]);

		if (lo < 0 || n == SA_KEY_MAX)
			return ERR_VALUE;
		sa->key[n] = (uint8_t)(hi << 4 | lo);
	}
	sa->key_len = (uint16_t)n;
	return n != 0 ? OK : ERR_VALUE;
}

static int
vni_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
set_vnis(struct section *s, const char *value)
{
	struct keyed_sa *k = s->k;
	char one[16];
	uint64_t vni;
	uint32_t i;

	k->n_vnis = 0;
	for (;;) {
		size_t n;

		value += strspn(value, " \t,");
		if (*value == '\0')
			break;
		n = strcspn(value, " \t,");
		if (n >= sizeof one || k->n_vnis == KEYSFILE_VNS_MAX)
			return ERR_VALUE;
		memcpy(one, value, n);
		one[n] = '\0';
		if (option_number(one, 1, VNI_MAX, &vni) != OK)
			return ERR_VALUE;
		k->vnis[k->n_vnis++] = (uint32_t)vni;
		value += n;
	}
	qsort(k->vnis, k->n_vnis, sizeof k->vnis[0], vni_order);
	for (i = 1; i < k->n_vnis; i++)
		if (k->vnis[i] == k->vnis[i - 1])
			return ERR_VALUE;
	return k->n_vnis != 0 ? OK : ERR_VALUE;
}

static int
set_port(struct section *s, const char *value)
{
	uint64_t n;

	if (option_number(value, 1, 65535, &n) != OK)
		return ERR_VALUE;
	s->k->port = (uint16_t)n;
	return OK;
}

static int
set_esn(struct section *s, const char *value)
{
	bool yes;

	if (option_bool(value, &yes) != OK)
		return ERR_VALUE;
	s->esn = yes;
	return OK;
}

static int
set_window(struct section *s, const char *value)
{
	uint64_t n;

	if (option_number(value, 0, 65535, &n) != OK || (n != 0 && n < 64))
		return ERR_VALUE;
	s->k->sa.replay_window = (uint16_t)n;
	return OK;
}

static int
set_seq(struct section *s, const char *value)
{
	return option_number(value, 1, INT64_MAX, &s->k->seq);
}

static int
set_node(struct section *s, const char *value)
{
	size_t n = strlen(value);

	if (n == 0 || n >= ID_MAX)
		return ERR_VALUE;
	memcpy(s->k->node, value, n + 1);
	return OK;
}

static const struct row {
	const char *name;
	bool must;
	int (*set)(struct section *, const char *);
	const char *want;
} rows[] = {
	{ "spi", true, set_spi, "256 to 0xffffffff" },
	{ "src", true, set_src, "an IP address" },
	{ "dst", true, set_dst, "an IP address" },
	{ "transform", true, set_transform, "a transform such as aes128gcm16" },
	{ "key", true, set_key, "hexadecimal digits: cipher key, salt, integrity key" },
	{ "vnis", true, set_vnis, "VNIs, 1 to 16777215, each once, separated by commas" },
	{ "mode", false, set_mode, "transport or tunnel" },
	{ "encap", false, set_encap, "UDP ports as SOURCE:DESTINATION" },
	{ "port", false, set_port, "a UDP port" },
	{ "esn", false, set_esn, "yes or no" },
	{ "window", false, set_window, "0, or 64 to 65535" },
	{ "seq", false, set_seq, "a sequence number from 1 on" },
	{ "node", false, set_node, "a name of at most 63 characters" },
};

#define ROWS (sizeof rows / sizeof rows[0])

/* ---- sections ---- */

static int
section_open(struct keysfile *f, struct section *s)
{
	struct keyed_sa *more, *k;

	if (f->n == KEYSFILE_SAS_MAX)
		return ERR_SPACE;
	/* Not realloc(): a copy with keys in it would stay behind. */
	if ((more = calloc(f->n + 1, sizeof *more)) == NULL)
		return ERR_NOMEM;
	if (f->n != 0) {
		memcpy(more, f->sas, f->n * sizeof *more);
		wipe(f->sas, f->n * sizeof *more);
	}
	free(f->sas);
	f->sas = more;
	k = &f->sas[f->n++];
	k->sa.mode = SA_TRANSPORT;
	k->sa.replay_window = 1024;
	k->sa.grant = k->sa.pair = (uint32_t)f->n;
	k->port = 4789;
	k->seq = 1;
	(void)snprintf(k->node, sizeof k->node, "sa-%zu", f->n);
	(void)strcpy(k->sa.channel, "vxlan");
	s->k = k;
	s->given = 0;
	s->esn = -1;
	return OK;
}

/* A section is complete: do its values fit each other? */
static int
section_judge(const struct section *s, char why[static KEYSFILE_WHY])
{
	struct sa_params *sa;
	size_t encr = 0, integ = 0, i;

	sa = &s->k->sa;
	for (i = 0; i < ROWS; i++)
		if (rows[i].must && (s->given & 1u << i) == 0) {
			(void)snprintf(why, KEYSFILE_WHY, "the section has no %s", rows[i].name);
			return ERR_SYNTAX;
		}
	if (sa->src.family != sa->dst.family) {
		(void)snprintf(why, KEYSFILE_WHY, "src and dst are of two families");
		return ERR_VALUE;
	}
	if (s->esn >= 0)
		sa->transform.esn = s->esn != 0;
	if (esp_transform_lengths(&sa->transform, &encr, &integ) != OK ||
	    sa->key_len != encr + integ) {
		(void)snprintf(why, KEYSFILE_WHY, "the key has %u octets, the transform takes %zu",
		    sa->key_len, encr + integ);
		return ERR_VALUE;
	}
	if (!sa->transform.esn && s->k->seq > UINT32_MAX) {
		(void)snprintf(why, KEYSFILE_WHY, "seq is too large without esn");
		return ERR_VALUE;
	}
	sa->n_src_sel = sa->n_dst_sel = 1;
	sa->src_sel[0] = selector_host(&sa->src, 17, 0, 65535);
	sa->dst_sel[0] = selector_host(&sa->dst, 17, s->k->port, s->k->port);
	return OK;
}

static int
section_close(const struct section *s, unsigned *line, char why[static KEYSFILE_WHY])
{
	int r = s->k == NULL ? OK : section_judge(s, why);

	if (r != OK)
		*line = s->line;
	return r;
}

static int
set_value(struct section *s, const char *name, const char *value, char why[static KEYSFILE_WHY])
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if ((s->given & 1u << i) != 0) {
			(void)snprintf(why, KEYSFILE_WHY, "%s is given twice", name);
			return ERR_SYNTAX;
		}
		s->given |= 1u << i;
		if (rows[i].set(s, value) == OK)
			return OK;
		(void)snprintf(why, KEYSFILE_WHY, "%s: give %s", name, rows[i].want);
		return ERR_VALUE;
	}
	(void)snprintf(why, KEYSFILE_WHY, "there is no %.40s in a section [sa]", name);
	return ERR_SYNTAX;
}

/* Cuts white space off both ends, in place. */
static char *
trim(char *s)
{
	size_t n;

	s += strspn(s, " \t\r");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
		s[--n] = '\0';
	return s;
}

/* *line: the number of this one; set to that of the section when what is wrong is the whole of it. */
static int
read_line(struct keysfile *f, struct section *s, char *octets, unsigned *line,
    char why[static KEYSFILE_WHY])
{
	char *text = trim(octets), *eq;
	unsigned here = *line;
	int r;

	if (*text == '\0' || *text == '#' || *text == ';')
		return OK;
	if (strcmp(text, "[sa]") == 0) {
		if ((r = section_close(s, line, why)) == OK && (r = section_open(f, s)) == OK)
			s->line = here;
		return r;
	}
	if (*text == '[') {
		(void)snprintf(why, KEYSFILE_WHY, "only sections [sa] are known");
		return ERR_SYNTAX;
	}
	if ((eq = strchr(text, '=')) == NULL || s->k == NULL) {
		(void)snprintf(why, KEYSFILE_WHY, s->k == NULL ? "a section [sa] has to come first" :
		    "write name = value");
		return ERR_SYNTAX;
	}
	*eq = '\0';
	return set_value(s, trim(text), trim(eq + 1), why);
}

int
keysfile_read(struct keysfile *f, struct bytes text, unsigned *line, char why[static KEYSFILE_WHY])
{
	struct section s = { 0 };
	struct rd r = rd_open(text);
	char buf[VALUE_MAX];
	int rc = OK;

	memset(f, 0, sizeof *f);
	why[0] = '\0';
	for (*line = 1; rd_left(&r) != 0; ++*line) {
		const uint8_t *nl = memchr(r.p, '\n', rd_left(&r));
		struct bytes one = rd_take(&r, nl == NULL ? rd_left(&r) : (size_t)(nl - r.p));

		rd_skip(&r, nl != NULL);
		if (one.n >= sizeof buf || (one.n != 0 && memchr(one.p, '\0', one.n) != NULL)) {
			(void)snprintf(why, KEYSFILE_WHY, "the line is too long, or no text");
			rc = ERR_SYNTAX;
			goto out;
		}
		memcpy(buf, one.p, one.n);
		buf[one.n] = '\0';
		if ((rc = read_line(f, &s, buf, line, why)) != OK)
			goto out;
	}
	rc = section_close(&s, line, why);
	if (rc == OK && f->n == 0) {
		(void)snprintf(why, KEYSFILE_WHY, "there is no section [sa] in it");
		rc = ERR_SYNTAX;
	}
out:
	wipe(buf, sizeof buf);
	if (rc != OK) {
		if (why[0] == '\0')
			(void)snprintf(why, KEYSFILE_WHY, "%s", err_str(rc));
		keysfile_free(f);
	}
	return rc;
}

void
keysfile_free(struct keysfile *f)
{
	if (f->n != 0)
		wipe(f->sas, f->n * sizeof *f->sas);
	free(f->sas);
	memset(f, 0, sizeof *f);
}
