/* SPDX-License-Identifier: ISC */
/*
 * IANA's IKEv2 numbers as enumerators, and their names for people. Both come from params.def, the
 * only place where a number is written down.
 *
 * Prefixes: EX_ exchange types, HF_ header flags, PL_ payload types, N_ notify types, SP_ security
 * protocols, TT_ transform types, TR_<type>_ transform ids, IDT_ identification types,
 * CE_ certificate encodings, AM_ AUTH methods, TST_ traffic selector types, HA_ hash algorithms.
 */
#ifndef IKE_PARAMS_H
#define IKE_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXCHANGE(number, name) EX_##name = number,
enum ike_exchange_type {
#include "ike/params.def"
};
#define HEADER_FLAG(bits, name) HF_##name = bits,
enum ike_header_flag {
#include "ike/params.def"
};
#define PAYLOAD(number, name, text) PL_##name = number,
enum ike_payload_type {
#include "ike/params.def"
};
#define NOTIFY(number, name) N_##name = number,
enum ike_notify_type {
#include "ike/params.def"
};
#define PROTOCOL(number, name) SP_##name = number,
enum ike_protocol {
#include "ike/params.def"
};
#define TRANSFORM_TYPE(number, name) TT_##name = number,
enum ike_transform_type {
#include "ike/params.def"
};
#define TRANSFORM(type, number, name) TR_##type##_##name = number,
enum ike_transform_id {
#include "ike/params.def"
};
#define ID_TYPE(number, name) IDT_##name = number,
enum ike_id_type {
#include "ike/params.def"
};
#define CERT_ENCODING(number, name) CE_##name = number,
enum ike_cert_encoding {
#include "ike/params.def"
};
#define AUTH_METHOD(number, name) AM_##name = number,
enum ike_auth_method {
#include "ike/params.def"
};
#define TS_TYPE(number, name) TST_##name = number,
enum ike_ts_type {
#include "ike/params.def"
};
#define HASH_ALGORITHM(number, name) HA_##name = number,
enum ike_hash_algorithm {
#include "ike/params.def"
};

/* Transform attribute: Key Length, RFC 7296 section 3.3.5. */
#define ATTR_KEY_LENGTH 14

/* Payload types 33..95 as bits of a set. */
#define PL_BIT(type) (UINT64_C(1) << ((type) - 32))

/* Notify types below this are errors, RFC 7296 section 3.10.1. */
#define N_STATUS_MIN 16384

/*
 * Names as IANA writes them, without the registry's prefix; static text, "unassigned" (notifies:
 * "unknown error", "unknown status") for a number that params.def does not hold. Never NULL.
 */
const char *ike_name_exchange(uint8_t);
const char *ike_name_payload(uint8_t);              /* "IDi" */
const char *ike_name_payload_long(uint8_t);         /* "Identification - Initiator" */
const char *ike_name_notify(uint16_t);
const char *ike_name_protocol(uint8_t);
const char *ike_name_transform_type(uint8_t);
const char *ike_name_transform(uint8_t type, uint16_t id);
const char *ike_name_id_type(uint8_t);
const char *ike_name_cert_encoding(uint8_t);
const char *ike_name_auth_method(uint8_t);
const char *ike_name_ts_type(uint8_t);
const char *ike_name_hash(uint16_t);

/* The number of a notify by its name, 0 if there is none: for tests and the decoder's filters. */
uint16_t ike_notify_by_name(const char *name);

#endif
