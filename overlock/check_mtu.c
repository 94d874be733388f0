/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "overlock/check_int.h"
#include "shell/backend_kind.h"
#include "shell/udp.h"

#define PATHS_MAX     32
#define PATH_NAME_MAX (IF_NAMESIZE + ID_MAX)
#define NET_DIR       "/sys/class/net"

/* ESP in front and behind: SPI and sequence number, IV; ICV. Padded to 4 with the two octets of the trailer. */
#define ESP_OCTETS   (8 + 8 + 16)
#define INNER_OCTETS (8 + 8 + 14 + 2)    /* UDP, VXLAN, Ethernet, ESP's trailer */

int
check_fits(int mtu, bool v6, bool encap)
{
	int sealed = mtu - (v6 ? 40 : 20) - (encap ? 8 : 0) - ESP_OCTETS;

	return sealed / 4 * 4 - INNER_OCTETS;
}

/* A way into the underlay: an interface or a route, and what fits through it. */
struct path {
	char name[PATH_NAME_MAX];
	bool v6, encap;
	int mtu, fits;
};

struct paths {
	struct path p[PATHS_MAX];
	size_t n;
};

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

static void
add_path(struct paths *s, const char *name, int mtu, bool v6, bool encap)
{
	struct path *p = &s->p[s->n];
	size_t i;

	if (mtu < 0 || s->n == PATHS_MAX)
		return;
	for (i = 0; i < s->n; i++)
		if (strcmp(s->p[i].name, name) == 0 && s->p[i].v6 == v6 && s->p[i].encap == encap)
			return;
	(void)snprintf(p->name, sizeof p->name, "%s", name);
	p->v6 = v6;
	p->encap = encap;
	p->mtu = mtu;
	p->fits = check_fits(mtu, v6, encap);
	s->n++;
}

/* What the system knows of the route between two addresses; -1: nothing. */
static int
route_mtu(const struct addr *from, const struct addr *to, uint32_t port)
{
	struct endpoint local = { .addr = *from }, peer = { .addr = *to, .port = (uint16_t)port };
	int fd, mtu = -1;
#ifdef IP_MTU
	bool v6 = from->family == ADDR_V6;
	socklen_t n = sizeof mtu;

	if (udp_bind(&local, false, &fd) != OK)
		return -1;
	if (udp_connect(fd, &peer) != OK || getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
	    v6 ? IPV6_MTU : IP_MTU, &mtu, &n) != 0)
		mtu = -1;
	(void)close(fd);
#else
	(void)local, (void)peer, (void)fd;
#endif
	return mtu;
}

/* An address on a loopback interface, as routed fabrics have it: by the routes to the other nodes. */
static bool
add_routes(const struct check *c, struct paths *s, const struct addr *a, bool encap)
{
	const struct nvo3_table *t = c->document.table;
	char name[PATH_NAME_MAX];
	size_t i, k, had = s->n;

	for (i = 0; t != NULL && i < t->n_nodes && s->n == had; i++)
		for (k = 0; k < t->nodes[i].n_underlay; k++) {
			const struct addr *to = &t->nodes[i].underlay[k];

			if (to->family != a->family || strcmp(t->nodes[i].id, c->config->node) == 0)
				continue;
			(void)snprintf(name, sizeof name, "the route to %s", t->nodes[i].id);
			add_path(s, name, route_mtu(a, to, c->config->port), a->family == ADDR_V6, encap);
		}
	return s->n > had;
}

static bool
is_address(const struct sockaddr *sa, const struct addr *a)
{
	union { const struct sockaddr *sa; const struct sockaddr_in *v4; const struct sockaddr_in6 *v6; } u;

	u.sa = sa;
	if (sa == NULL || sa->sa_family != (a->family == ADDR_V4 ? AF_INET : AF_INET6))
		return false;
	return a->family == ADDR_V4 ? memcmp(&u.v4->sin_addr, a->a, 4) == 0 :
	    memcmp(&u.v6->sin6_addr, a->a, 16) == 0;
}

static void
add_address(struct check *c, struct paths *s, const struct addr *a, bool encap)
{
	struct ifaddrs *all = NULL, *i;
	bool v6 = a->family == ADDR_V6;
	char text[ADDR_STRLEN];

	if (getifaddrs(&all) != 0)
		return;
	for (i = all; i != NULL && !is_address(i->ifa_addr, a); i = i->ifa_next)
		;
	if (i != NULL && (i->ifa_flags & IFF_LOOPBACK) == 0)
		add_path(s, i->ifa_name, interface_mtu(i->ifa_name), v6, encap);
	else if (i != NULL && !add_routes(c, s, a, encap))
		check_say(c, "warn", "MTU", "%s is on %s, and no route to another node tells an MTU: what "
		    "tenants send must be smaller by %d than the MTU of the underlay",
		    addr_str(a, text), i->ifa_name, 1500 - check_fits(1500, v6, encap));
	freeifaddrs(all);
}

/* Our addresses as the document has them; without one, as the configuration has them. */
static void
add_underlay(struct check *c, struct paths *s)
{
	const struct config *cf = c->config;
	const struct nvo3_node *self = c->document.table == NULL ? NULL :
	    nvo3_node_by_id(c->document.table, cf->node);
	size_t i;

	for (i = 0; self != NULL && i < self->n_underlay; i++)
		add_address(c, s, &self->underlay[i],
		    cf->force_encap || addr_len(&self->outside[i]) != 0);
	for (i = 0; self == NULL && i < cf->listen.n; i++)
		add_address(c, s, &cf->listen.a[i], cf->force_encap);
}

static bool
wire_is_v6(const struct check *c)
{
	const char *local = config_option(c->config, "local");

	if (local != NULL)
		return strchr(local, ':') != NULL;
	return c->config->listen.n > 0 && c->config->listen.a[0].family == ADDR_V6;
}

static const struct path *
narrowest(const struct paths *s)
{
	const struct path *p = &s->p[0];
	size_t i;

	for (i = 1; i < s->n; i++)
		if (s->p[i].fits < p->fits)
			p = &s->p[i];
	return p;
}

static const char *
how(const struct path *p, char buf[static 128])
{
	(void)snprintf(buf, 128, "%s has %d, IPv%d%s", p->name, p->mtu, p->v6 ? 6 : 4,
	    p->encap ? ", UDP encapsulation" : "");
	return buf;
}

/* ------------------------------------------------------------------ tenants of our own VTEP */

static void
check_tenant(struct check *c, const char *key, const char *name, const struct path *p)
{
	int mtu = interface_mtu(name);
	char buf[128];

	if (mtu < 0)
		return;          /* missing ones were told */
	if (mtu > p->fits)
		check_say(c, "warn", "MTU", "%s '%s' has MTU %d, but %d is what fits (%s): larger "
		    "packets are dropped; set %d there and in the guests", key, name, mtu, p->fits,
		    how(p, buf), p->fits);
	else
		check_say(c, "ok", "MTU", "%s '%s' has MTU %d, %d fits (%s)", key, name, mtu, p->fits,
		    how(p, buf));
}

static void
check_tenants(struct check *c, const struct path *p)
{
	const struct config *cf = c->config;
	char key[64];
	size_t i;

	for (i = 0; i < cf->n_options; i++) {
		const char *text = cf->options[i].text, *value = strchr(text, '=') + 1;

		if (strncmp(text, "tenant.", 7) != 0)
			continue;
		(void)snprintf(key, sizeof key, "%.*s", (int)(value - text - 1), text);
		check_tenant(c, key, value, p);
	}
}

/* ------------------------------------------------------------------ the kernel's VXLAN devices */

static bool
is_vxlan(const char *name)
{
	char path[sizeof NET_DIR + 300], line[128];
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof path, NET_DIR "/%s/uevent", name);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	while (!found && fgets(line, sizeof line, f) != NULL)
		found = strcmp(line, "DEVTYPE=vxlan\n") == 0;
	(void)fclose(f);
	return found;
}

static void
check_device(struct check *c, const char *name, const struct path *p)
{
	int mtu = interface_mtu(name);
	char buf[128];

	if (mtu > p->fits)
		check_say(c, "warn", "MTU", "VXLAN device '%s' has MTU %d, but %d is what fits (%s): larger "
		    "packets are lost or cut to pieces; ip link set %s mtu %d, and the same in the "
		    "guests", name, mtu, p->fits, how(p, buf), name, p->fits);
	else if (mtu >= 0)
		check_say(c, "ok", "MTU", "VXLAN device '%s' has MTU %d, %d fits (%s)", name, mtu, p->fits,
		    how(p, buf));
}

static void
check_devices(struct check *c, const struct paths *s)
{
	const struct dirent *e;
	DIR *d = opendir(NET_DIR);
	char buf[128];
	size_t i;

	for (i = 0; i < s->n; i++)
		check_say(c, "ok", "MTU", "VXLAN devices over %s and their guests: at most %d (%s)",
		    s->p[i].name, s->p[i].fits, how(&s->p[i], buf));
	while (d != NULL && (e = readdir(d)) != NULL)
		if (is_vxlan(e->d_name))
			check_device(c, e->d_name, narrowest(s));
	if (d != NULL)
		(void)closedir(d);
}

void
check_mtu(struct check *c)
{
	const char *wire = config_option(c->config, "wire");
	struct paths s = { .n = 0 };
	char name[PATH_NAME_MAX];

	if (wire != NULL) {
		(void)snprintf(name, sizeof name, "wire %.40s", wire);
		add_path(&s, name, interface_mtu(wire), wire_is_v6(c), c->config->force_encap);
	} else {
		add_underlay(c, &s);
	}
	if (s.n == 0)
		return;
	if (backend_kind(c->config)->kernel)
		check_devices(c, &s);
	else
		check_tenants(c, narrowest(&s));
}
