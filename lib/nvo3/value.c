/* SPDX-License-Identifier: ISC */
#include "nvo3/value.h"

#include <stdio.h>

#include "crypto/crypto.h"

const struct word words_role[] = {
	{ "nve", ROLE_NVE }, { "nva", ROLE_NVA }, { "hypervisor", ROLE_HYPERVISOR },
	{ "key-server", ROLE_KEY_SERVER }, { NULL, 0 },
};
const struct word words_level[] = {
	{ "data", LEVEL_DATA }, { "control", LEVEL_CONTROL }, { NULL, 0 },
};
const struct word words_mode[] = {
	{ "transport", SA_TRANSPORT }, { "tunnel", SA_TUNNEL }, { NULL, 0 },
};
const struct word words_protocol[] = {
	{ "udp", 17 }, { "tcp", 6 }, { "any", 0 }, { NULL, 0 },
};
const struct word words_keys[] = {
	{ "pair", VN_KEYS_PAIR }, { "vn", VN_KEYS_VN }, { NULL, 0 },
};
const struct word words_bum[] = {
	{ "pairwise", VN_BUM_PAIRWISE }, { "group", VN_BUM_GROUP }, { NULL, 0 },
};
const struct word words_enforcement[] = {
	{ "observe", ENFORCE_OBSERVE }, { "prefer", ENFORCE_PREFER },
	{ "require", ENFORCE_REQUIRE }, { NULL, 0 },
};
const struct word words_ke[] = {
	{ "curve25519", KE_CURVE25519 }, { "ecp256", KE_ECP256 }, { "ecp384", KE_ECP384 },
	{ "modp2048", KE_MODP2048 }, { NULL, 0 },
};

bool
value_word(const struct word *w, const char *s, unsigned *out)
{
	for (; w->name != NULL; w++) {
		if (strcmp(w->name, s) == 0) {
			*out = w->value;
			return true;
		}
	}
	return false;
}

const char *
value_name(const struct word *w, unsigned value)
{
	for (; w->name != NULL; w++)
		if (w->value == value)
			return w->name;
	return NULL;
}

const char *
value_words(const struct word *w, char *buf, size_t cap)
{
	size_t n = 0;
	int k;

	buf[0] = '\0';
	for (; w->name != NULL; w++) {
		k = snprintf(buf + n, cap - n, "%s%s", n > 0 ? ", " : "", w->name);
		if (k < 0 || (size_t)k >= cap - n)
			break;
		n += (size_t)k;
	}
	return buf;
}

const char *
role_name(enum role role)
{
	const char *name = value_name(words_role, role);

	return name != NULL ? name : "?";
}

bool
value_number(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	unsigned digit;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		digit = (unsigned)(*s - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar; years are counted from March. */
static int64_t
days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t era = y / 400, of_era = y % 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t
days_in(int64_t year, int64_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool
value_time(const char *s, int64_t *out)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	int64_t part[6] = { 0 };         /* year, month, day, hour, minute, second */
	size_t i, k = 0;

	for (i = 0; form[i] != '\0'; i++) {
		if (form[i] != 'd') {
			if (s[i] != form[i])
				return false;
			k++;
			continue;
		}
		if (s[i] < '0' || s[i] > '9')
			return false;
		part[k] = part[k] * 10 + (s[i] - '0');
	}
	if (s[i] != '\0' || part[0] < 1970 || part[1] < 1 || part[1] > 12 || part[2] < 1 ||
	    part[2] > days_in(part[0], part[1]) || part[3] > 23 || part[4] > 59 || part[5] > 59)
		return false;
	*out = days_since_1970(part[0], part[1], part[2]) * 86400 + part[3] * 3600 + part[4] * 60 +
	    part[5];
	return true;
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool
value_id(const char *s, size_t max)
{
	size_t i;

	if (!is_alnum(s[0]))
		return false;
	for (i = 0; s[i] != '\0'; i++)
		if (i == max || (!is_alnum(s[i]) && strchr("._-", s[i]) == NULL))
			return false;
	return true;
}

bool
value_between(const char *s, enum role out[2])
{
	const char *space = strchr(s, ' ');
	unsigned a, b;
	char first[16];

	if (space == NULL || (size_t)(space - s) >= sizeof first)
		return false;
	memcpy(first, s, (size_t)(space - s));
	first[space - s] = '\0';
	if (!value_word(words_role, first, &a) || !value_word(words_role, space + 1, &b))
		return false;
	out[0] = (enum role)a;
	out[1] = (enum role)b;
	return true;
}

/* A host name without a wildcard: exact names only may be given rights. */
static bool
dns_lower(const char *name, char *out)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++) {
		if (!is_alnum(name[i]) && strchr("._-", name[i]) == NULL)
			return false;
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	}
	out[i] = '\0';
	return i > 0 && out[i - 1] != '.' && out[0] != '.';
}

bool
value_identity(const char *s, char out[static 300])
{
	size_t n = strnlen(s, 300), i;
	struct addr a;

	if (n == 300)
		return false;
	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	if (strncmp(s, "dns:", 4) == 0) {
		memcpy(out, "dns:", 4);
		return dns_lower(s + 4, out + 4);
	}
	if (strncmp(s, "ip:", 3) == 0) {
		if (addr_parse(&a, s + 3) != 0)
			return false;
		memcpy(out, "ip:", 3);
		addr_str(&a, out + 3);
		return true;
	}
	if ((strncmp(s, "uri:", 4) != 0 || n == 4) && (strncmp(s, "email:", 6) != 0 || n == 6) &&
	    (strncmp(s, "dn:", 3) != 0 || n == 3))
		return false;
	memcpy(out, s, n + 1);
	return true;
}
