/* SPDX-License-Identifier: ISC */
/*
 * What an AUTH payload signs, RFC 7296 section 2.15. Used by the keys and trust processes, which
 * build the octets themselves so that nobody can have them sign anything else.
 */
#ifndef IKE_AUTHDATA_H
#define IKE_AUTHDATA_H

#include "ike/ike.h"

/*
 * SignedOctets = message | other side's nonce | prf(SK_p, ID type | three zero octets | ID).
 * ERR_VALUE when the input cannot be what it says: not an IKE_SA_INIT message, a nonce of a length
 * that is not allowed, SK_p that is not of the PRF's length; ERR_UNSUPPORTED, ERR_NOMEM,
 * ERR_CRYPTO.
 */
int authdata_octets(const struct ike_auth_input *, struct blob *octets);

#endif
