/* SPDX-License-Identifier: ISC */
#include "ike/params.h"

#include <string.h>

#include "crypto/crypto.h"
#include "crypto/sign.h"

/* lib/crypto names the algorithms that it has by the same numbers. */
_Static_assert((int)TR_ENCR_AES_CBC == (int)ENCR_AES_CBC, "encryption ids differ");
_Static_assert((int)TR_ENCR_AES_GCM_16 == (int)ENCR_AES_GCM_16, "encryption ids differ");
_Static_assert((int)TR_ENCR_CHACHA20_POLY1305 == (int)ENCR_CHACHA20_POLY1305, "encryption ids");
_Static_assert((int)TR_PRF_HMAC_SHA2_256 == (int)PRF_HMAC_SHA2_256, "PRF ids differ");
_Static_assert((int)TR_PRF_HMAC_SHA2_512 == (int)PRF_HMAC_SHA2_512, "PRF ids differ");
_Static_assert((int)TR_INTEG_HMAC_SHA2_256_128 == (int)INTEG_HMAC_SHA2_256_128, "integrity ids");
_Static_assert((int)TR_INTEG_HMAC_SHA2_512_256 == (int)INTEG_HMAC_SHA2_512_256, "integrity ids");
_Static_assert((int)TR_KE_MODP2048 == (int)KE_MODP2048, "group ids differ");
_Static_assert((int)TR_KE_ECP256 == (int)KE_ECP256, "group ids differ");
_Static_assert((int)TR_KE_ECP384 == (int)KE_ECP384, "group ids differ");
_Static_assert((int)TR_KE_CURVE25519 == (int)KE_CURVE25519, "group ids differ");
_Static_assert((int)AM_DIGITAL_SIGNATURE == (int)AUTH_DIGITAL_SIGNATURE, "AUTH methods differ");
_Static_assert((int)HA_IDENTITY == (int)HASH_IDENTITY, "hash ids differ");

struct name {
	uint16_t number;
	const char *name;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *
lookup(const struct name *names, size_t n, uint16_t number, const char *none)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].name;
	return none;
}

#define LOOKUP(names, number) lookup(names, COUNT(names), number, "unassigned")

const char *
ike_name_exchange(uint8_t number)
{
#define EXCHANGE(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_payload(uint8_t number)
{
#define PAYLOAD(number, name, text) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_payload_long(uint8_t number)
{
#define PAYLOAD(number, name, text) { number, text },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

#define NOTIFY(number, name) { number, #name },
static const struct name notifies[] = {
#include "ike/params.def"
};

const char *
ike_name_notify(uint16_t number)
{
	return lookup(notifies, COUNT(notifies), number,
	    number < N_STATUS_MIN ? "unknown error" : "unknown status");
}

uint16_t
ike_notify_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(notifies); i++)
		if (strcmp(notifies[i].name, name) == 0)
			return notifies[i].number;
	return 0;
}

const char *
ike_name_protocol(uint8_t number)
{
#define PROTOCOL(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_transform_type(uint8_t number)
{
#define TRANSFORM_TYPE(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_transform(uint8_t type, uint16_t id)
{
#define TRANSFORM(type, number, name) { TT_##type, number, #name },
	static const struct {
		uint8_t type;
		uint16_t id;
		const char *name;
	} names[] = {
#include "ike/params.def"
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (names[i].type == type && names[i].id == id)
			return names[i].name;
	return "unassigned";
}

const char *
ike_name_id_type(uint8_t number)
{
#define ID_TYPE(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_cert_encoding(uint8_t number)
{
#define CERT_ENCODING(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_auth_method(uint8_t number)
{
#define AUTH_METHOD(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_ts_type(uint8_t number)
{
#define TS_TYPE(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}

const char *
ike_name_hash(uint16_t number)
{
#define HASH_ALGORITHM(number, name) { number, #name },
	static const struct name names[] = {
#include "ike/params.def"
	};
	return LOOKUP(names, number);
}
