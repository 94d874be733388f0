/* SPDX-License-Identifier: ISC */
/* Named error codes: 0 is success, everything else is negative. Libraries return, callers log. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
	OK = 0,
	ERR_NOMEM = -1,        /* out of memory */
	ERR_SYNTAX = -2,       /* malformed input: truncated, trailing octets, bad length */
	ERR_VALUE = -3,        /* well-formed, but a value is not allowed here */
	ERR_UNSUPPORTED = -4,  /* algorithm, version or feature that we do not have */
	ERR_CRYPTO = -5,       /* the cryptographic library failed */
	ERR_AUTH = -6,         /* ICV, signature or chain does not verify */
	ERR_EXPIRED = -7,      /* outside its validity window */
	ERR_REVOKED = -8,
	ERR_DENIED = -9,       /* not authorized by the NVA document or by a grant */
	ERR_STALE = -10,       /* rollback: serial or message ID older than seen */
	ERR_SPACE = -11,       /* buffer or table full, over a configured limit */
	ERR_NOTFOUND = -12,
	ERR_EXISTS = -13,
	ERR_STATE = -14,       /* not legal in this state or phase */
	ERR_IO = -15,          /* the system said no; errno holds why */
	ERR_TIMEOUT = -16,
	ERR_GONE = -17,        /* peer process or connection is gone */
	ERR_REPLAY = -18,      /* sequence number seen before or left of the window */
	ERR_AGAIN = -19,       /* nothing to do now; try later */
	ERR_PROTO = -20,       /* the peer broke the protocol */
};

/* Short English text for a code, for log lines. Never NULL. */
const char *err_str(int err);

#endif
