/* SPDX-License-Identifier: ISC */
/* What the unit tests of xfrm-backend's messages share: SAs and policies, messages as the kernel writes them. */
#ifndef TESTS_UNIT_XFRM_SUPPORT_H
#define TESTS_UNIT_XFRM_SUPPORT_H

#include "base_support.h"

#include <stdlib.h>

#include "xfrm-backend/xfrm_msg_wire.h"

union xbuf {
	struct nlmsghdr h;
	uint8_t octets[XMSG_MAX];
};

static const char *const test_transforms[] = {
	"aes128gcm16", "aes192gcm16", "aes256gcm16", "chacha20poly1305", "aes128gmac", "aes192gmac",
	"aes256gmac", "aes128-sha256", "aes128-sha384", "aes128-sha512", "aes192-sha256",
	"aes192-sha384", "aes192-sha512", "aes256-sha256", "aes256-sha384", "aes256-sha512",
};

/* VXLAN from 192.0.2.1 or 2001:db8::1 to ...2, AES-128-GCM. */
static inline struct xsa
test_xsa(uint32_t spi, uint8_t family, uint8_t dir)
{
	struct xsa sa = { .spi = spi, .reqid = 7, .mode = SA_TRANSPORT, .dir = dir, .replay_window = 1024 };

	sa.src = test_addr(family == ADDR_V4 ? "192.0.2.1" : "2001:db8::1");
	sa.dst = test_addr(family == ADDR_V4 ? "192.0.2.2" : "2001:db8::2");
	sa.sel = xsel_hosts(&sa.src, &sa.dst, 17, 0, 4789);
	assert_int_equal(esp_transform_parse(&sa.transform, "aes128gcm16"), OK);
	return sa;
}

/* A key of the right length, the same for the same SPI. */
static inline struct bytes
test_xkey(const struct xsa *sa, uint8_t buf[static SA_KEY_MAX])
{
	size_t encr = 0, integ = 0, i;

	assert_int_equal(esp_transform_lengths(&sa->transform, &encr, &integ), OK);
	for (i = 0; i < encr + integ; i++)
		buf[i] = (uint8_t)(sa->spi + i);
	return bytes_of(buf, encr + integ);
}

/* Traffic of the SA above, protected. */
static inline struct xpol
test_xpol(uint8_t family, uint8_t dir)
{
	struct xpol p = { .dir = dir, .priority = 1000, .tmpl = true, .reqid = 7, .mode = SA_TRANSPORT };

	p.src = test_addr(family == ADDR_V4 ? "192.0.2.1" : "2001:db8::1");
	p.dst = test_addr(family == ADDR_V4 ? "192.0.2.2" : "2001:db8::2");
	p.sel = xsel_hosts(&p.src, &p.dst, 17, 0, 4789);
	return p;
}

static inline struct xpol
test_block(uint8_t family, uint8_t dir)
{
	struct xpol p = { .dir = dir, .priority = 50000, .block = true };

	p.sel = xsel_any(family, 17, 0, 4789);
	return p;
}

/* Kernels that do not know the direction of an SA, and those that do. */
static const struct xmsg_kernel old_kernel = { .sa_dir = false }, new_kernel = { .sa_dir = true };

/* The request that adds it, with a key. */
static inline const struct nlmsghdr *
test_sa_add(union xbuf *buf, const struct xmsg_kernel *k, const struct xsa *sa)
{
	uint8_t key[SA_KEY_MAX];

	memset(buf, 0xa5, sizeof *buf);
	return xmsg_sa_add(buf, k, sa, test_xkey(sa, key));
}

/* In memory of just that size, so that a checker sees one octet too many. */
static inline void
test_cut(const struct nlmsghdr *whole, uint32_t n, void (*read)(const struct nlmsghdr *))
{
	struct nlmsghdr *h = malloc(n < sizeof *h ? sizeof *h : n);

	assert_non_null(h);
	memcpy(h, whole, n < sizeof *h ? sizeof *h : n);
	h->nlmsg_len = n;
	read(h);
	free(h);
}

static inline void
test_read_any(const struct nlmsghdr *h)
{
	struct xsa_figures f;
	struct xevent ev;
	struct xpol pol;
	struct xsa sa;
	int r;

	r = xmsg_sa_read(h, &sa, &f);
	assert_true(r == OK || r == ERR_SYNTAX || r == ERR_UNSUPPORTED);
	r = xmsg_pol_read(h, &pol);
	assert_true(r == OK || r == ERR_SYNTAX || r == ERR_UNSUPPORTED);
	r = xmsg_event_read(h, &ev);
	assert_true(r == OK || r == ERR_SYNTAX);
}

#endif
