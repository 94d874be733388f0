/* SPDX-License-Identifier: ISC */
/* Inside lib/crypto and its tests only. */
#ifndef CRYPTO_KE_INT_H
#define CRYPTO_KE_INT_H

#include "crypto/algs.h"

/* With this private value, big-endian (X25519: its 32 octets), as the RFCs' examples have one. */
int ke_from_private(struct ke **, uint16_t group, struct bytes);

#endif
