/* SPDX-License-Identifier: ISC */
#include "base/err.h"

#include <stddef.h>

static const char *const texts[] = {
	[-OK] = "ok",
	[-ERR_NOMEM] = "out of memory",
	[-ERR_SYNTAX] = "malformed",
	[-ERR_VALUE] = "value not allowed",
	[-ERR_UNSUPPORTED] = "not supported",
	[-ERR_CRYPTO] = "cryptographic library failed",
	[-ERR_AUTH] = "authentication failed",
	[-ERR_EXPIRED] = "expired or not yet valid",
	[-ERR_REVOKED] = "revoked",
	[-ERR_DENIED] = "not authorized",
	[-ERR_STALE] = "older than what was seen",
	[-ERR_SPACE] = "too large or limit reached",
	[-ERR_NOTFOUND] = "not found",
	[-ERR_EXISTS] = "exists already",
	[-ERR_STATE] = "not allowed in this state",
	[-ERR_IO] = "system error",
	[-ERR_TIMEOUT] = "timed out",
	[-ERR_GONE] = "the other end is gone",
	[-ERR_REPLAY] = "replayed",
	[-ERR_AGAIN] = "try again later",
	[-ERR_PROTO] = "protocol violation by the peer",
};

const char *
err_str(int err)
{
	if (err > 0 || err < ERR_PROTO || texts[-err] == NULL)
		return "unknown error";
	return texts[-err];
}
