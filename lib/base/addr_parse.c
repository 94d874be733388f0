/* SPDX-License-Identifier: ISC */
#include "base/addr.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/err.h"

int
addr_parse(struct addr *a, const char *s)
{
	uint8_t octets[16];

	if (inet_pton(AF_INET, s, octets) == 1)
		return addr_from_bytes(a, bytes_of(octets, 4));
	if (inet_pton(AF_INET6, s, octets) == 1)
		return addr_from_bytes(a, bytes_of(octets, 16));
	return ERR_VALUE;
}
