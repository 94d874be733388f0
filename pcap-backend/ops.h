/* SPDX-License-Identifier: ISC */
/* The backend contract, filled in. */
#ifndef PCAP_OPS_H
#define PCAP_OPS_H

#include "backend/backend.h"

extern const struct backend_ops pcap_ops;

#endif
