/* SPDX-License-Identifier: ISC */
#include "crypto/der.h"

bool
der_next_is(const struct rd *r, uint8_t tag)
{
	struct rd peek = *r;

	return rd_u8(&peek) == tag && rd_ok(&peek);
}

static size_t
take_length(struct rd *r)
{
	uint8_t first = rd_u8(r), i;
	size_t n = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x83) {
		rd_fail(r);
		return 0;
	}
	for (i = 0; i < (first & 0x7f); i++) {
		n = n << 8 | rd_u8(r);
		if (i == 0 && n == 0)
			rd_fail(r);
	}
	if (n < 0x80)
		rd_fail(r);
	return n;
}

struct bytes
der_take(struct rd *r, uint8_t tag)
{
	size_t n;

	if (rd_u8(r) != tag)
		rd_fail(r);
	n = take_length(r);
	return rd_take(r, n);
}

void
der_skip(struct rd *r)
{
	struct rd peek = *r;
	uint8_t tag = rd_u8(&peek);

	if (tag == 0 || (tag & 0x1f) == 0x1f)           /* no element, or a tag of several octets */
		rd_fail(r);
	der_take(r, tag);
}

struct bytes
der_take_whole(struct rd *r, uint8_t tag)
{
	struct rd start = *r;

	der_take(r, tag);
	if (!rd_ok(r))
		return bytes_of(NULL, 0);
	return rd_take(&start, rd_left(&start) - rd_left(r));
}

struct rd
der_open(struct rd *r, uint8_t tag)
{
	struct rd inner = rd_open(der_take(r, tag));

	if (!rd_ok(r))
		rd_fail(&inner);
	return inner;
}

struct bytes
der_integer(struct rd *r)
{
	struct bytes b = der_take(r, DER_INTEGER);

	if (b.n == 0 || (b.n > 1 && ((b.p[0] == 0 && b.p[1] < 0x80) ||
	    (b.p[0] == 0xff && b.p[1] >= 0x80))))
		rd_fail(r);
	return b;
}

struct bytes
der_oid(struct rd *r)
{
	struct bytes b = der_take(r, DER_OID);
	size_t i;

	if (b.n == 0 || (b.p[b.n - 1] & 0x80) != 0)
		rd_fail(r);
	for (i = 0; i < b.n; i++)
		if (b.p[i] == 0x80 && (i == 0 || b.p[i - 1] < 0x80))
			rd_fail(r);
	return b;
}

struct bytes
der_unsigned(struct rd *r)
{
	struct rd c = rd_open(der_integer(r)), body = c;
	uint8_t first = rd_u8(&c);

	if (!rd_ok(&c) || (first & 0x80) != 0) {
		rd_fail(r);
		return bytes_of(NULL, 0);
	}
	return first != 0 ? rd_rest(&body) : rd_rest(&c);
}

uint32_t
der_u16(struct rd *r)
{
	struct bytes b = der_unsigned(r);
	struct rd c = rd_open(b);

	if (b.n > 2)
		rd_fail(r);
	return b.n == 2 ? rd_u16(&c) : b.n == 1 ? rd_u8(&c) : 0;
}

struct bytes
der_bits(struct rd *r)
{
	struct rd c = der_open(r, DER_BIT_STRING);

	if (rd_u8(&c) != 0 || !rd_ok(&c))
		rd_fail(r);
	return rd_rest(&c);
}

static int
two_digits(struct rd *r)
{
	uint8_t a = rd_u8(r), b = rd_u8(r);

	if (a < '0' || a > '9' || b < '0' || b > '9')
		rd_fail(r);
	return (a - '0') * 10 + b - '0';
}

static int
days_of(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

int64_t
der_time(struct rd *r)
{
	bool utc = der_next_is(r, DER_UTC_TIME);
	struct rd t = der_open(r, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME);
	int century = utc ? 0 : two_digits(&t), year = two_digits(&t), month = two_digits(&t);
	int day = two_digits(&t), hour = two_digits(&t), min = two_digits(&t), sec = two_digits(&t);
	int64_t y, m, days;

	if (utc)
		century = year < 50 ? 20 : 19;
	year += century * 100;
	if (rd_u8(&t) != 'Z' || !rd_end(&t) || month < 1 || month > 12 || day < 1 ||
	    day > days_of(year, month) || hour > 23 || min > 59 || sec > 59) {
		rd_fail(r);
		return 0;
	}
	m = (month + 9) % 12;                           /* March is 0 */
	y = year - (month <= 2);
	days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
	return ((days * 24 + hour) * 60 + min) * 60 + sec;
}

void
der_put_unsigned(struct wr *w, struct bytes b)
{
	struct rd r = rd_open(b), rest = r;
	bool pad;

	while (rd_left(&r) > 1 && rd_u8(&r) == 0)
		rest = r;
	r = rest;
	pad = rd_left(&r) == 0 || (rd_u8(&r) & 0x80) != 0;
	b = rd_rest(&rest);
	wr_u8(w, DER_INTEGER);
	wr_u8(w, (uint8_t)(b.n + (pad ? 1 : 0)));
	if (pad)
		wr_u8(w, 0);
	wr_put(w, b);
}
