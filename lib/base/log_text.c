/* SPDX-License-Identifier: ISC */
/* What of the log needs no system, so that the engine may use it. */
#include "base/log.h"

#include <stdio.h>

/*
 * Days since 1970 to year, month, day, for the proleptic Gregorian calendar. Not gmtime_r(): that
 * may open the time zone file, which the system-call filter forbids.
 */
static void
civil(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;                         /* from 0000-03-01: leap days end a year */
	era = days / 146097;
	doe = days % 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

const char *
log_time(char buf[static LOG_TIME_STRLEN], int64_t unix_ms)
{
	int64_t s = unix_ms / 1000, y;
	int m, d, sod;

	if (unix_ms < 0 || unix_ms > INT64_C(253402300799999)) {
		(void)snprintf(buf, LOG_TIME_STRLEN, "?");
		return buf;
	}
	civil(s / 86400, &y, &m, &d);
	sod = (int)(s % 86400);
	(void)snprintf(buf, LOG_TIME_STRLEN, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, m, d,
	    sod / 3600, sod / 60 % 60, sod % 60, (int)(unix_ms % 1000));
	return buf;
}

const char *
log_safe(char *buf, size_t cap, struct bytes b)
{
	size_t i, n = b.n;

	if (cap == 0)
		return "";
	if (n > cap - 1)
		n = cap - 1;
	for (i = 0; i < n; i++)
		buf[i] = b.p[i] >= 0x20 && b.p[i] < 0x7f ? (char)b.p[i] : '?';
	buf[n] = '\0';
	return buf;
}
