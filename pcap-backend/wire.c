/* SPDX-License-Identifier: ISC */
#include "pcap-backend/wire.h"

#include <stdio.h>

#include "pcap-backend/esp_tx.h"
#include "pcap-backend/vxlan.h"

#define RETRY_MS       1000
#define PACKETS_A_TURN 256

int
wire_filter(const struct options *o, const struct addr *local, size_t n, char *to, size_t cap)
{
	char a[ADDR_STRLEN];
	size_t len, i;

	len = (size_t)snprintf(to, cap, "(ip proto 50 or ip6 proto 50 or udp dst port %u or udp dst "
	    "port %u) and (", o->dp.natt_port, o->dp.vxlan_port);
	for (i = 0; i < n && len < cap; i++)
		len += (size_t)snprintf(to + len, cap - len, "%sdst host %s", i == 0 ? "" : " or ",
		    addr_str(&local[i], a));
	if (len < cap)
		len += (size_t)snprintf(to + len, cap - len, ")");
	return len < cap ? OK : ERR_SPACE;
}

static int
choose_local(const struct options *o, struct addr local[static ADDRS_MAX], size_t *n,
    char why[static OPTIONS_WHY])
{
	*n = o->n_local;
	memcpy(local, o->local, sizeof o->local);
	if (*n == 0)
		*n = interface_addrs(o->wire, local, ADDRS_MAX);
	if (*n != 0)
		return OK;
	(void)snprintf(why, OPTIONS_WHY, "interface %s has no address: give it one, or say local = "
	    "ADDRESS", o->wire);
	return ERR_NOTFOUND;
}

int
wire_open(struct wire *w, const struct options *o, struct dp *dp, char why[static OPTIONS_WHY])
{
	struct addr local[ADDRS_MAX];
	size_t n;
	int r;

	memset(w, 0, sizeof *w);
	w->sink.v4 = w->sink.v6 = -1;
	w->dp = dp;
	memcpy(w->ifname, o->wire, sizeof w->ifname);
	if ((r = choose_local(o, local, &n, why)) != OK)
		return r;
	if (wire_filter(o, local, n, w->filter, sizeof w->filter) != OK) {
		(void)snprintf(why, OPTIONS_WHY, "too many addresses");
		return ERR_SPACE;
	}
	w->mtu = interface_mtu(w->ifname);
	/* The sinks first: from then on the kernel answers no ESP. */
	if ((r = sink_open(&w->sink, local, n, why)) != OK ||
	    (r = rawip_open(&w->raw, why)) != OK ||
	    (r = port_open(&w->port, w->ifname, w->filter, false, why)) != OK) {
		wire_close(w);
		return r;
	}
	return OK;
}

void
wire_close(struct wire *w)
{
	port_close(w->port);
	rawip_close(w->raw);
	sink_close(&w->sink);
	w->port = NULL;
	w->raw = NULL;
}

static void
packet_read_cb(void *arg, struct bytes octets, size_t wire_len)
{
	struct wire *w = arg;
	struct rd r = rd_open(octets);
	uint16_t type;

	if (octets.n < wire_len) {
		count(&w->dp->ctr, CTR_DROP_TOO_BIG);
		return;
	}
	if (port_link_len(w->port) != 0) {
		rd_skip(&r, port_link_len(w->port) - sizeof type);
		type = rd_u16(&r);
		if (!rd_ok(&r) || (type != ETHERTYPE_V4 && type != ETHERTYPE_V6)) {
			count(&w->dp->ctr, CTR_DROP_MALFORMED);
			return;
		}
	}
	dp_wire_packet(w->dp, rd_rest(&r));
}

void
wire_read(struct wire *w)
{
	int r;

	if (w->port == NULL)
		return;
	r = port_read(w->port, PACKETS_A_TURN, packet_read_cb, w);
	dp_flush(w->dp);
	sink_drain(&w->sink);
	w->retry_ms = w->dp->now_ms + RETRY_MS;
	if (r >= 0)
		return;
	log_warn("underlay interface %s is gone: looking for it every second", w->ifname);
	port_close(w->port);
	w->port = NULL;
}

/* Said once: it is the same for every packet that follows. */
static void
tell_too_big(struct wire *w, const struct dp_out *out)
{
	size_t inner;

	if (w->told_too_big || w->mtu == 0)
		return;
	w->told_too_big = true;
	inner = esp_tx_inner_mtu(out->sa, w->mtu);
	log_warn("a packet of %zu octets does not fit the MTU %zu of %s: tenant frames are dropped "
	    "unless the tenants' MTU is at most %zu (%zu - outer IP %u%s - ESP %zu and at least 18 - "
	    "UDP 8 - VXLAN 8 - Ethernet 14)", out->packet.n, w->mtu, w->ifname, inner, w->mtu,
	    (unsigned)out->sa->outer.len, out->sa->p.encap_dport != 0 ? " - UDP 8" : "",
	    out->sa->head_len);
}

void
wire_send(struct wire *w, const struct dp_out *out, size_t n)
{
	struct rawip_packet packets[DP_BATCH];
	size_t i;

	for (i = 0; i < n; i++) {
		packets[i].octets = out[i].packet;
		packets[i].dst = &out[i].sa->p.dst;
	}
	rawip_send(w->raw, packets, n);
	for (i = 0; i < n; i++) {
		if (packets[i].rc == OK)
			continue;
		count(&w->dp->ctr, packets[i].rc == ERR_SPACE ? CTR_DROP_TOO_BIG : CTR_DROP_WIRE);
		if (packets[i].rc == ERR_SPACE)
			tell_too_big(w, &out[i]);
	}
}

void
wire_tick(struct wire *w)
{
	char why[OPTIONS_WHY];

	if (w->dp->now_ms < w->retry_ms)
		return;
	if (w->port != NULL) {
		if (port_suspect(w->port))
			wire_read(w);
		return;
	}
	w->retry_ms = w->dp->now_ms + RETRY_MS;
	if (port_open(&w->port, w->ifname, w->filter, false, why) == OK)
		log_info("underlay interface %s is there again", w->ifname);
}

int64_t
wire_deadline(const struct wire *w)
{
	return w->port != NULL && !port_suspect(w->port) ? TIMER_NEVER : w->retry_ms;
}
