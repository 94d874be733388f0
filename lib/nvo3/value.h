/* SPDX-License-Identifier: ISC */
/* The forms that values have in the NVA document, checked and turned into plain data. Pure. */
#ifndef NVO3_VALUE_H
#define NVO3_VALUE_H

#include "nvo3/authz.h"

struct word {
	const char *name;                /* NULL ends a list */
	unsigned value;
};

extern const struct word words_role[], words_level[], words_mode[], words_protocol[];
extern const struct word words_keys[], words_bum[], words_enforcement[], words_ke[];

/* The value of a word of the list; false, and *out untouched, if it is none of them. */
bool value_word(const struct word *, const char *, unsigned *out);
/* The first name of the value; NULL if none. */
const char *value_name(const struct word *, unsigned value);
/* "nve, nva, hypervisor": for messages. The buffer is returned. */
const char *value_words(const struct word *, char *buf, size_t cap);

/* Decimal digits only, within min..max. */
bool value_number(const char *, uint64_t min, uint64_t max, uint64_t *out);
/* "2026-11-22T10:00:00Z" -> seconds since 1970; a day that does not exist is refused. */
bool value_time(const char *, int64_t *out);
/* Letters, digits, '.', '_', '-', the first one a letter or digit; at most max octets. */
bool value_id(const char *, size_t max);
/* "nve nva": two roles. */
bool value_between(const char *, enum role out[2]);
/*
 * An identity in its canonical form: DNS names in lower case, addresses as addr_str() writes them,
 * the rest as it is. False for what is no identity ("dns:", wildcard, unknown kind, too long,
 * control octets).
 */
bool value_identity(const char *, char out[static 300]);

#endif
