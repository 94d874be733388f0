/* SPDX-License-Identifier: ISC */
#include "ike/ts.h"

#include "base/rd.h"
#include "ike/out.h"
#include "ike/params.h"

#define V4_LENGTH    16u
#define V6_LENGTH    40u
#define LABEL_HEADER 4u

static struct addr
read_addr(struct rd *r, size_t n)
{
	struct addr a = { .family = AF_NONE_ };

	if (addr_from_bytes(&a, rd_take(r, n)) != 0)
		rd_fail(r);
	return a;
}

/* A range of addresses: what follows type and protocol is in r. */
static int
read_range(struct ike_ts *ts, struct rd *r, uint8_t proto, size_t addr_n)
{
	struct selector s = { .proto = proto };

	s.port_lo = rd_u16(r);
	s.port_hi = rd_u16(r);
	s.lo = read_addr(r, addr_n);
	s.hi = read_addr(r, addr_n);
	if (!rd_end(r) || addr_cmp(&s.lo, &s.hi) > 0 ||
	    (s.port_lo > s.port_hi && !ts_is_opaque(&s)))
		return ERR_SYNTAX;
	if (ts->n_sel == IKE_TS_MAX)
		return ERR_SPACE;
	ts->sel[ts->n_sel++] = s;
	return OK;
}

static int
read_label(struct ike_ts *ts, struct rd *r)
{
	if (ts->n_labels == IKE_TS_LABELS_MAX)
		return ERR_SPACE;
	ts->labels[ts->n_labels++] = rd_rest(r);
	return OK;
}

static int
read_selector(struct ike_ts *ts, struct rd *list)
{
	uint8_t type = rd_u8(list), proto = rd_u8(list);
	uint16_t length = rd_u16(list);
	struct rd r;

	if (length < LABEL_HEADER)
		return ERR_SYNTAX;
	r = rd_sub(list, length - LABEL_HEADER);
	if (!rd_ok(list))
		return ERR_SYNTAX;
	switch (type) {
	case TST_IPV4_ADDR_RANGE:
		return read_range(ts, &r, proto, 4);
	case TST_IPV6_ADDR_RANGE:
		return read_range(ts, &r, proto, 16);
	case TST_SECLABEL:
		return read_label(ts, &r);
	default:
		return OK;
	}
}

int
ts_read(struct ike_ts *ts, struct bytes body)
{
	struct rd r = rd_open(body);
	uint8_t n = rd_u8(&r);
	int rc;

	memset(ts, 0, sizeof *ts);
	rd_skip(&r, 3);
	if (n == 0)
		return ERR_SYNTAX;
	while (n-- > 0)
		if ((rc = read_selector(ts, &r)) != 0)
			return rc;
	return rd_end(&r) ? OK : ERR_SYNTAX;
}

static void
write_range(struct wr *w, const struct selector *s)
{
	bool v6 = s->lo.family == ADDR_V6;

	wr_u8(w, v6 ? TST_IPV6_ADDR_RANGE : TST_IPV4_ADDR_RANGE);
	wr_u8(w, s->proto);
	wr_u16(w, v6 ? V6_LENGTH : V4_LENGTH);
	wr_u16(w, s->port_lo);
	wr_u16(w, s->port_hi);
	wr_put(w, addr_bytes(&s->lo));
	wr_put(w, addr_bytes(&s->hi));
}

static void
write_label(struct wr *w, const char *label)
{
	size_t mark;

	wr_u8(w, TST_SECLABEL);
	wr_u8(w, 0);
	mark = wr_open16(w);
	wr_put(w, bytes_str(label));
	wr_close16(w, mark, 2);
}

void
ts_write(struct ike_out *o, uint8_t payload, const struct selector *sel, size_t n,
    const char *label)
{
	bool labelled = label != NULL && label[0] != '\0';
	size_t i;

	payload_open(o, payload);
	wr_u8(&o->wr, (uint8_t)(n + (labelled ? 1 : 0)));
	wr_zero(&o->wr, 3);
	for (i = 0; i < n; i++)
		write_range(&o->wr, &sel[i]);
	if (labelled)
		write_label(&o->wr, label);
	payload_close(o);
}

static bool
covered(const struct selector *s, const struct selector *by, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (selector_contains(&by[i], s))
			return true;
	return false;
}

/* Takes out those before the last one that the last one covers. */
static size_t
drop_covered(struct selector *s, size_t n)
{
	struct selector last = s[n - 1];
	size_t i, kept = 0;

	for (i = 0; i < n - 1; i++)
		if (!selector_contains(&last, &s[i]))
			s[kept++] = s[i];
	s[kept++] = last;
	return kept;
}

int
ts_narrow(const struct ike_ts *asked, const struct selector *policy, size_t n_policy,
    struct selector out[static SELECTORS_MAX], uint8_t *n)
{
	struct selector s;
	size_t i, k, count = 0;

	for (i = 0; i < asked->n_sel; i++) {
		if (ts_is_opaque(&asked->sel[i]))
			continue;
		for (k = 0; k < n_policy && count < SELECTORS_MAX; k++) {
			if (!selector_narrow(&s, &asked->sel[i], &policy[k]) ||
			    ts_is_opaque(&s) || covered(&s, out, count))
				continue;
			out[count++] = s;
			count = drop_covered(out, count);
		}
	}
	*n = (uint8_t)count;
	return count != 0 ? OK : ERR_NOTFOUND;
}

int
ts_check_subset(const struct ike_ts *response, const struct selector *offered, size_t n)
{
	size_t i;

	if (response->n_sel == 0)
		return ERR_PROTO;
	for (i = 0; i < response->n_sel; i++)
		if (ts_is_opaque(&response->sel[i]) || !covered(&response->sel[i], offered, n))
			return ERR_PROTO;
	return OK;
}
