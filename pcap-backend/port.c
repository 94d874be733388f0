/* SPDX-License-Identifier: ISC */
#include "pcap-backend/port.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pcap-backend/vxlan.h"

#define SNAPLEN     (DP_FRAME_MAX + 256)   /* room for outer headers on the wire side */
#define BUFFER_SIZE (8 * 1024 * 1024)

struct port {
	pcap_t *pcap;
	size_t link_len;
	u_int dropped;              /* as told at the last port_lost() */
	bool suspect;
	void (*each)(void *, struct bytes, size_t);
	void *arg;
};

static int
link_len_of(pcap_t *p, size_t *len)
{
	switch (pcap_datalink(p)) {
	case DLT_EN10MB:
		*len = ETH_LEN;
		return OK;
	case DLT_RAW:
		*len = 0;
		return OK;
	default:
		return ERR_UNSUPPORTED;
	}
}

static int
set_filter(pcap_t *p, const char *filter, char *why)
{
	struct bpf_program prog;
	int r;

	if (filter == NULL)
		return OK;
	if (pcap_compile(p, &prog, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		(void)snprintf(why, OPTIONS_WHY, "capture filter: %.150s", pcap_geterr(p));
		return ERR_IO;
	}
	r = pcap_setfilter(p, &prog);
	pcap_freecode(&prog);
	if (r != 0)
		(void)snprintf(why, OPTIONS_WHY, "capture filter: %.150s", pcap_geterr(p));
	return r == 0 ? OK : ERR_IO;
}

static int
activate(pcap_t *p, const char *ifname, char *why)
{
	int r = pcap_activate(p);

	if (r >= 0)
		return OK;
	if (r == PCAP_ERROR_NO_SUCH_DEVICE) {
		(void)snprintf(why, OPTIONS_WHY, "interface %s is not there: create it, or name "
		    "another one", ifname);
		return ERR_NOTFOUND;
	}
	if (r == PCAP_ERROR_PERM_DENIED)
		(void)snprintf(why, OPTIONS_WHY, "interface %s: no permission to capture: give this "
		    "process CAP_NET_RAW", ifname);
	else if (r == PCAP_ERROR_IFACE_NOT_UP)
		(void)snprintf(why, OPTIONS_WHY, "interface %s is down: set it up", ifname);
	else
		(void)snprintf(why, OPTIONS_WHY, "interface %s: %.100s (%.100s)", ifname,
		    pcap_statustostr(r), pcap_geterr(p));
	return ERR_IO;
}

int
port_open(struct port **out, const char *ifname, const char *filter, bool promiscuous,
    char why[static OPTIONS_WHY])
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";
	struct port *port = calloc(1, sizeof *port);
	int r = ERR_IO;

	if (port == NULL)
		return ERR_NOMEM;
	if ((port->pcap = pcap_create(ifname, errbuf)) == NULL) {
		(void)snprintf(why, OPTIONS_WHY, "interface %s: %.150s", ifname, errbuf);
		goto out;
	}
	(void)pcap_set_snaplen(port->pcap, SNAPLEN);
	(void)pcap_set_promisc(port->pcap, promiscuous);
	(void)pcap_set_immediate_mode(port->pcap, 1);
	(void)pcap_set_buffer_size(port->pcap, BUFFER_SIZE);
	if ((r = activate(port->pcap, ifname, why)) != OK)
		goto out;
	r = ERR_IO;
	if (link_len_of(port->pcap, &port->link_len) != OK) {
		(void)snprintf(why, OPTIONS_WHY, "interface %s is not Ethernet: use one that is",
		    ifname);
		goto out;
	}
	if (pcap_setdirection(port->pcap, PCAP_D_IN) != 0 ||
	    pcap_setnonblock(port->pcap, 1, errbuf) != 0 || port_fd(port) < 0) {
		(void)snprintf(why, OPTIONS_WHY, "interface %s: %.150s", ifname,
		    pcap_geterr(port->pcap));
		goto out;
	}
	r = set_filter(port->pcap, filter, why);
out:
	if (r != OK) {
		port_close(port);
		port = NULL;
	}
	*out = port;
	return r;
}

void
port_close(struct port *port)
{
	if (port == NULL)
		return;
	if (port->pcap != NULL)
		pcap_close(port->pcap);
	free(port);
}

int
port_fd(const struct port *port)
{
	return pcap_get_selectable_fd(port->pcap);
}

static void
deliver(u_char *arg, const struct pcap_pkthdr *h, const u_char *octets)
{
	struct port *port = (struct port *)(void *)arg;

	port->each(port->arg, bytes_of(octets, h->caplen), h->len);
}

int
port_read(struct port *port, int max, void (*each)(void *, struct bytes, size_t), void *arg)
{
	int n;

	port->each = each;
	port->arg = arg;
	n = pcap_dispatch(port->pcap, max, deliver, (u_char *)port);
	port->suspect = n == 0;
	return n < 0 ? ERR_GONE : n;
}

bool
port_suspect(const struct port *port)
{
	return port->suspect;
}

uint64_t
port_lost(struct port *port)
{
	struct pcap_stat s = { 0 };
	u_int lost;

	if (pcap_stats(port->pcap, &s) != 0)
		return 0;
	/* A counter of 32 bits that goes round. */
	lost = s.ps_drop - port->dropped;
	port->dropped = s.ps_drop;
	return lost;
}

size_t
port_link_len(const struct port *port)
{
	return port->link_len;
}

struct pcap *
port_pcap(const struct port *port)
{
	return port->pcap;
}

/* ---- the system ---- */

static bool
read_sockaddr(const struct sockaddr *sa, struct addr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sa == NULL)
		return false;
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof v4);
		return addr_from_bytes(a, bytes_of(&v4.sin_addr, 4)) == OK;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof v6);
		return !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) &&
		    addr_from_bytes(a, bytes_of(&v6.sin6_addr, 16)) == OK;
	}
	return false;
}

size_t
interface_addrs(const char *ifname, struct addr *to, size_t max)
{
	struct ifaddrs *list, *i;
	size_t n = 0;

	if (getifaddrs(&list) != 0)
		return 0;
	for (i = list; i != NULL && n < max; i = i->ifa_next)
		if (strcmp(i->ifa_name, ifname) == 0 && read_sockaddr(i->ifa_addr, &to[n]))
			n++;
	freeifaddrs(list);
	return n;
}

size_t
interface_mtu(const char *ifname)
{
	struct ifreq ifr;
	size_t mtu = 0;
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	memset(&ifr, 0, sizeof ifr);
	if (s < 0)
		return 0;
	(void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", ifname);
	if (ioctl(s, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu > 0)
		mtu = (size_t)ifr.ifr_mtu;
	(void)close(s);
	return mtu;
}
