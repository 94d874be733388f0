/* SPDX-License-Identifier: ISC */
/* Security labels in traffic selectors, RFC 9478, and what they mean between our own daemons. */
#include <inttypes.h>
#include <stdio.h>

#include "base/rd.h"
#include "ike/ts.h"

static const char channel_key[] = "ch:";
static const char vni_key[] = ";vni:";

static bool
id_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '.' || c == '_' || c == '-';
}

int
ts_label_format(const struct ike_label *l, char label[static LABEL_MAX])
{
	size_t i, n = strnlen(l->channel, sizeof l->channel);
	char vni[16] = "";
	int len;

	label[0] = '\0';
	if (n == 0 || n == sizeof l->channel || l->vni > VNI_MAX)
		return ERR_VALUE;
	for (i = 0; i < n; i++)
		if (!id_octet((uint8_t)l->channel[i]))
			return ERR_VALUE;
	if (l->vni != 0)
		(void)snprintf(vni, sizeof vni, "%s%" PRIu32, vni_key, l->vni);
	len = snprintf(label, LABEL_MAX, "%s%s%s", channel_key, l->channel, vni);
	if (len < 0 || len >= LABEL_MAX) {
		label[0] = '\0';
		return ERR_SPACE;
	}
	return OK;
}

/* Consumes the key if it comes next. */
static bool
take_key(struct rd *r, const char *key)
{
	struct rd ahead = *r;

	if (!bytes_equal(rd_take(&ahead, strlen(key)), bytes_str(key)))
		return false;
	*r = ahead;
	return true;
}

/* 1..VNI_MAX in decimal, without leading zeros, up to the end. */
static bool
take_vni(struct rd *r, uint32_t *vni)
{
	uint8_t c;

	*vni = 0;
	while (rd_left(r) != 0) {
		c = rd_u8(r);
		if (c < '0' || c > '9' || (c == '0' && *vni == 0))
			return false;
		*vni = *vni * 10 + (uint32_t)(c - '0');
		if (*vni > VNI_MAX)
			return false;
	}
	return *vni != 0;
}

int
ts_label_parse(struct ike_label *l, struct bytes octets)
{
	struct rd r = rd_open(octets);
	size_t n = 0;
	uint8_t c;

	memset(l, 0, sizeof *l);
	if (octets.n >= LABEL_MAX || !take_key(&r, channel_key))
		return ERR_VALUE;
	while (rd_left(&r) != 0 && !take_key(&r, vni_key)) {
		c = rd_u8(&r);
		if (!id_octet(c) || n == sizeof l->channel - 1)
			return ERR_VALUE;
		l->channel[n++] = (char)c;
		if (rd_left(&r) == 0)
			return OK;
	}
	return n != 0 && take_vni(&r, &l->vni) ? OK : ERR_VALUE;
}

static bool
has_label(const struct ike_ts *ts, struct bytes label)
{
	size_t i;

	for (i = 0; i < ts->n_labels; i++)
		if (bytes_equal(ts->labels[i], label))
			return true;
	return false;
}

int
ts_choose_label(const struct ike_ts *tsi, const struct ike_ts *tsr, char label[static LABEL_MAX])
{
	struct ike_label parsed;
	size_t i;

	label[0] = '\0';
	for (i = 0; i < tsi->n_labels; i++)
		if (has_label(tsr, tsi->labels[i]) &&
		    ts_label_parse(&parsed, tsi->labels[i]) == 0)
			return ts_label_format(&parsed, label);
	return tsi->n_labels == 0 && tsr->n_labels == 0 ? OK : ERR_NOTFOUND;
}

static bool
only_label(const struct ike_ts *ts, const char *label)
{
	return ts->n_labels == 1 && bytes_equal(ts->labels[0], bytes_str(label));
}

int
ts_check_label(const struct ike_ts *tsi, const struct ike_ts *tsr, const char *label)
{
	bool ok;

	if (label == NULL || label[0] == '\0')
		ok = tsi->n_labels == 0 && tsr->n_labels == 0;
	else
		ok = only_label(tsi, label) && only_label(tsr, label);
	return ok ? OK : ERR_PROTO;
}
