/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "overlock/check_int.h"
#include "shell/backend_kind.h"
#include "shell/udp.h"

#define BUILT_S 1767225600       /* 2026-01-01: no clock that is right shows less */
#define ESP 50

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

static void
check_admin(struct check *c)
{
	if (sandbox_has(SANDBOX_NET_ADMIN))
		check_say(c, "ok", "CAP_NET_ADMIN", "had");
	else if (geteuid() != 0)
		check_say(c, "warn", "CAP_NET_ADMIN", "not had by this user: run overlock check as the user "
		    "that starts ikev2d");
	else
		check_say(c, "fail", "CAP_NET_ADMIN", "missing: give it to the container, and a network "
		    "namespace of its own");
}

void
check_system(struct check *c)
{
	check_clock(c);
	check_mtu(c);
	check_ports(c);
	if (backend_kind(c->config)->kernel)
		check_admin(c);
	else
		check_raw(c);
}
