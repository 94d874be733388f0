/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "overlock/check_int.h"
#include "shell/udp.h"

#define BUILT_S 1767225600       /* 2026-01-01: no clock that is right shows less */
#define ESP 50

/*
 * What VXLAN in ESP (AES-GCM, transport mode) adds to an inner IP packet: outer IP, ESP header and
 * IV 16, UDP 8, VXLAN 8, inner Ethernet 14, trailer 2, ICV 16. Padding at worst is in there, since
 * the MTU is a multiple of four.
 */
#define OVERHEAD_V4 84
#define OVERHEAD_V6 104
#define OVERHEAD_UDP 8

static void
check_clock(struct check *c)
{
	const struct nvo3_table *t = c->document.table;
	int64_t now = (int64_t)time(NULL);
	char text[CMD_TIME_STRLEN];

	(void)cmd_time(text, now);
	if (now < BUILT_S)
		check_say(c, "fail", "clock", "it shows %s: set it, or run NTP", text);
	else if (t != NULL && t->issued > now)
		check_say(c, "warn", "clock", "it shows %s, before the document was issued: one of the "
		    "two clocks is wrong, run NTP", text);
	else
		check_say(c, "ok", "clock", "%s", text);
}

/* ------------------------------------------------------------------ MTU */

/* -1 when the interface can't be asked. */
static int
interface_mtu(const char *name)
{
	struct ifreq ifr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), mtu = -1;

	memset(&ifr, 0, sizeof ifr);
	(void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%.15s", name);
	if (fd != -1 && ioctl(fd, SIOCGIFMTU, &ifr) == 0)
		mtu = ifr.ifr_mtu;
	if (fd != -1)
		(void)close(fd);
	return mtu;
}

static bool
underlay_is_v6(const struct check *c)
{
	const char *local = config_option(c->config, "local");

	if (local != NULL)
		return strchr(local, ':') != NULL;
	return c->config->listen.n > 0 && c->config->listen.a[0].family == ADDR_V6;
}

static void
check_tenant(struct check *c, const char *key, const char *name, int fits, const char *how)
{
	int mtu = interface_mtu(name);

	if (mtu < 0)
		return;          /* missing ones were told */
	if (mtu > fits)
		check_say(c, "warn", "MTU", "%s '%s' has MTU %d, but %d is what fits (%s): larger "
		    "packets are dropped; set %d there and in the guests", key, name, mtu, fits, how,
		    fits);
	else
		check_say(c, "ok", "MTU", "%s '%s' has MTU %d, %d fits (%s)", key, name, mtu, fits, how);
}

static void
check_mtu(struct check *c)
{
	const struct config *cf = c->config;
	const char *wire = config_option(cf, "wire");
	bool v6 = underlay_is_v6(c);
	int mtu = wire == NULL ? -1 : interface_mtu(wire), fits;
	char how[128], key[64];
	size_t i;

	if (mtu < 0)
		return;
	fits = mtu - (v6 ? OVERHEAD_V6 : OVERHEAD_V4) - (cf->force_encap ? OVERHEAD_UDP : 0);
	(void)snprintf(how, sizeof how, "wire %.40s has %d, IPv%d%s", wire, mtu, v6 ? 6 : 4,
	    cf->force_encap ? ", UDP encapsulation" : "");
	for (i = 0; i < cf->n_options; i++) {
		const char *text = cf->options[i].text, *value = strchr(text, '=') + 1;

		if (strncmp(text, "tenant.", 7) != 0)
			continue;
		(void)snprintf(key, sizeof key, "%.*s", (int)(value - text - 1), text);
		check_tenant(c, key, value, fits, how);
	}
}

/* ------------------------------------------------------------------ sockets */

static void
check_port(struct check *c, const struct addr *a, uint32_t port, bool natt)
{
	struct endpoint e = { .addr = *a, .port = (uint16_t)port };
	char text[ENDPOINT_STRLEN];
	int fd;

	(void)endpoint_str(&e, text);
	if (udp_bind(&e, natt, &fd) == OK) {
		(void)close(fd);
		check_say(c, "ok", "port", "UDP %s is free", text);
	} else if (errno == EADDRINUSE && c->running) {
		check_say(c, "ok", "port", "UDP %s is the running ikev2d's", text);
	} else if (errno == EADDRINUSE) {
		check_say(c, "fail", "port", "UDP %s is in use by another program: end it (another IKE "
		    "daemon?), or choose another port in [ike]", text);
	} else if (errno == EACCES) {
		check_say(c, "warn", "port", "UDP %s: only root may use it: run overlock check as root",
		    text);
	} else {
		check_say(c, "fail", "port", "UDP %s can't be used (%s): correct 'listen' in [ike]",
		    text, strerror(errno));
	}
}

static void
check_ports(struct check *c)
{
	const struct addr any[2] = { { .family = ADDR_V4 }, { .family = ADDR_V6 } };
	const struct config *cf = c->config;
	const struct addr *a = cf->listen.n > 0 ? cf->listen.a : any;
	size_t i, n = cf->listen.n > 0 ? cf->listen.n : 2;

	for (i = 0; i < n; i++) {
		if (a == any && !udp_family_works(a[i].family))
			continue;
		check_port(c, &a[i], cf->port, false);
		check_port(c, &a[i], cf->natt_port, true);
	}
}

static void
check_raw(struct check *c)
{
	int fd = socket(AF_INET, SOCK_RAW, ESP);

	if (fd != -1) {
		(void)close(fd);
		check_say(c, "ok", "raw sockets", "allowed");
	} else if (geteuid() != 0) {
		check_say(c, "warn", "raw sockets", "not allowed to this user: run overlock check as "
		    "the user that starts ikev2d");
	} else {
		check_say(c, "fail", "raw sockets", "not allowed (%s): give the container CAP_NET_RAW",
		    strerror(errno));
	}
}

void
check_system(struct check *c)
{
	check_clock(c);
	check_mtu(c);
	check_ports(c);
	check_raw(c);
}
