/* SPDX-License-Identifier: ISC */
#include "pcap-backend/esp_rx.h"

#include "pcap-backend/vtep.h"
#include "pcap-backend/vxlan.h"

#define MAPPING_PAUSE_MS 1000

/* ---- first pass: whose packet is it? ---- */

static bool
fresh(struct dp *dp, struct esp_sa *sa, uint64_t seq)
{
	if (replay_ok(&sa->replay, seq))
		return true;
	if (dp->cfg.unsafe_no_replay_check) {
		count(&dp->ctr, CTR_UNSAFE_REPLAY);
		return true;
	}
	sa->replays++;
	count(&dp->ctr, CTR_DROP_REPLAY);
	return false;
}

static void
queue_esp(struct dp *dp, const struct ip_view *ip, struct bytes esp, uint16_t sport)
{
	struct dp_slot *slot = &dp->rx.slots[dp->rx.n];
	struct esp_item *item = &dp->rx.items[dp->rx.n];
	struct rd r = rd_open(esp);
	uint32_t spi = rd_u32(&r), seq = rd_u32(&r);
	struct esp_sa *sa;

	if (!rd_ok(&r)) {
		count(&dp->ctr, CTR_DROP_MALFORMED);
		return;
	}
	if ((sa = sad_find(&dp->sad, SA_IN, spi, &ip->dst)) == NULL) {
		count(&dp->ctr, CTR_DROP_SPI);
		return;
	}
	if (esp.n > DP_BUF) {
		count(&dp->ctr, CTR_DROP_TOO_BIG);
		return;
	}
	item->seq = replay_infer(&sa->replay, seq);
	if (!fresh(dp, sa, item->seq))
		return;
	slot->sa = sa;
	slot->from.addr = ip->src;
	slot->from.port = sport;
	item->esp = slot->buf;
	item->n = esp.n;
	memcpy(item->esp, esp.p, esp.n);
	if (++dp->rx.n == DP_BATCH)
		esp_rx_flush(dp);
}

/* RFC 3948 section 2.2 and 2.3: IKE has four zero octets here, a keepalive is one octet. */
static bool
is_esp_in_udp(struct bytes payload)
{
	struct rd r = rd_open(payload);

	return rd_u32(&r) != 0 && rd_ok(&r);
}

void
dp_wire_packet(struct dp *dp, struct bytes packet)
{
	struct ip_view ip;
	struct udp_view udp;
	int r;

	if ((r = ip_read(packet, &ip)) != OK) {
		count(&dp->ctr, r == ERR_UNSUPPORTED ? CTR_DROP_FRAGMENT : CTR_DROP_MALFORMED);
		return;
	}
	if (ip.proto == IP_PROTO_ESP) {
		queue_esp(dp, &ip, ip.payload, 0);
		return;
	}
	if (ip.proto != IP_PROTO_UDP || udp_read(ip.payload, &udp) != OK) {
		count(&dp->ctr, CTR_DROP_MALFORMED);
		return;
	}
	if (udp.dport == dp->cfg.natt_port) {
		if (is_esp_in_udp(udp.payload))
			queue_esp(dp, &ip, udp.payload, udp.sport);
	} else if (udp.dport == dp->cfg.vxlan_port) {
		count(&dp->ctr, CTR_DROP_PLAINTEXT);
	} else {
		count(&dp->ctr, CTR_DROP_MALFORMED);
	}
}

/* ---- second pass: is it what the SA is for? ---- */

struct inner {                         /* the packet that was protected */
	const struct addr *src, *dst;  /* NULL: nothing of them is left to check */
	struct ip_view ip;             /* of a tunnel */
	uint8_t proto;
	struct bytes payload;
};

static bool
selects(const struct selector *s, uint8_t proto, const struct addr *a, uint16_t port)
{
	return (s->proto == 0 || s->proto == proto) && port >= s->port_lo && port <= s->port_hi &&
	    (a == NULL ||
	    (s->lo.family == a->family && addr_cmp(&s->lo, a) <= 0 && addr_cmp(a, &s->hi) <= 0));
}

static bool
selected(const struct esp_sa *sa, const struct inner *in, const struct udp_view *udp)
{
	const struct sa_params *p = &sa->p;
	unsigned i, pairs = p->n_src_sel > p->n_dst_sel ? p->n_src_sel : p->n_dst_sel;

	for (i = 0; i < pairs; i++) {
		const struct selector *s, *d;

		s = &p->src_sel[i < p->n_src_sel ? i : p->n_src_sel - 1u];
		d = &p->dst_sel[i < p->n_dst_sel ? i : p->n_dst_sel - 1u];
		if (selects(s, in->proto, in->src, udp->sport) &&
		    selects(d, in->proto, in->dst, udp->dport))
			return true;
	}
	return false;
}

/* What was inside of ESP; false if it can't be what the mode says. */
static bool
unwrap(const struct esp_sa *sa, const struct esp_item *item, const struct endpoint *from,
    struct inner *in)
{
	if (sa->p.mode == SA_TRANSPORT) {
		/* Behind a NAT the outer addresses are not those of the selectors. */
		bool check = !sa->own_addrs && sa->p.encap_dport == 0;

		in->src = check ? &from->addr : NULL;
		in->dst = check ? &sa->p.dst : NULL;
		in->proto = item->next_header;
		in->payload = item->payload;
		/* Who has the key of one address must not speak for another one. */
		return addr_same(&from->addr, &sa->p.src);
	}
	if ((item->next_header != IP_PROTO_IPV4 && item->next_header != IP_PROTO_IPV6) ||
	    ip_read(item->payload, &in->ip) != OK ||
	    (in->ip.src.family == ADDR_V4) != (item->next_header == IP_PROTO_IPV4))
		return false;
	in->src = &in->ip.src;
	in->dst = &in->ip.dst;
	in->proto = in->ip.proto;
	in->payload = in->ip.payload;
	return true;
}

/* A NAT gave our peer another address or port: the engine decides what comes of it. */
static void
tell_mapping(struct dp *dp, struct esp_sa *sa, const struct endpoint *from)
{
	if (from->port == 0 || sa->p.encap_sport == 0 || dp->now_ms < sa->next_mapping_ms)
		return;
	if (from->port == sa->p.encap_sport && addr_same(&from->addr, &sa->p.src))
		return;
	sa->next_mapping_ms = dp->now_ms + MAPPING_PAUSE_MS;
	dp->io.mapping(dp->io.arg, sa->p.spi, from);
}

static bool
vni_allowed(struct dp *dp, struct esp_sa *sa, uint32_t vni)
{
	if ((sa->p.vni == 0 || sa->p.vni == vni) && spd_sa_granted(&dp->spd, sa, vni))
		return true;
	if (dp->cfg.unsafe_no_vni_check) {
		count(&dp->ctr, CTR_UNSAFE_VNI);
		return true;
	}
	sa->bad_vni++;
	count_vni(&dp->ctr, sa->grant->node, vni);
	log_peer(&dp->peer_log, dp->now_ms, "node %s sent a frame of VNI %u, which it was not granted: "
	    "dropped", sa->grant->node, vni);
	return false;
}

static void
deny(struct dp *dp, struct esp_sa *sa, enum counter_id why)
{
	if (why == CTR_DROP_SELECTOR)
		sa->bad_selector++;
	count(&dp->ctr, why);
}

/* From decrypted octets to a frame that may be delivered. */
static bool
judge(struct dp *dp, struct dp_slot *slot, const struct esp_item *item, struct vn **vn,
    struct bytes *frame)
{
	struct esp_sa *sa = slot->sa;
	struct udp_view udp = { 0 };
	struct inner in;
	uint32_t vni;

	if (!unwrap(sa, item, &slot->from, &in) ||
	    (in.proto == IP_PROTO_UDP && udp_read(in.payload, &udp) != OK) ||
	    !selected(sa, &in, &udp)) {
		deny(dp, sa, CTR_DROP_SELECTOR);
		return false;
	}
	if (in.proto != IP_PROTO_UDP || udp.dport != sa->port ||
	    vxlan_read(udp.payload, &vni, frame) != OK) {
		deny(dp, sa, CTR_DROP_NOT_VXLAN);
		return false;
	}
	if (!vni_allowed(dp, sa, vni))
		return false;
	if ((*vn = dp_vn(dp, vni)) == NULL) {
		deny(dp, sa, CTR_DROP_NO_TENANT);
		return false;
	}
	return vtep_learn(dp, *vn, sa, *frame);
}

/* ---- third pass: the batch ---- */

/* The ICV's verdict, and what of the SA changes with it. */
static bool
authentic(struct dp *dp, struct dp_slot *slot, const struct esp_item *item)
{
	struct esp_sa *sa = slot->sa;

	if (item->rc != OK) {
		sa->bad_icv++;
		count(&dp->ctr, CTR_DROP_ICV);
		return false;
	}
	/* Again: its twin may have been in the same batch. */
	if (!fresh(dp, sa, item->seq))
		return false;
	replay_mark(&sa->replay, item->seq);
	tell_mapping(dp, sa, &slot->from);
	if (sad_account(&dp->sad, sa, item->payload.n) == SA_EVENT_SOFT)
		dp->io.expire(dp->io.arg, SA_IN, sa->p.spi, &sa->p.dst, false);
	if (item->next_header == IP_PROTO_NONE) {
		count(&dp->ctr, CTR_IN_DUMMY);
		return false;
	}
	return true;
}

static void
open_runs(struct dp_batch *b)
{
	size_t from, to;

	for (from = 0; from < b->n; from = to) {
		struct esp_sa *sa = b->slots[from].sa;

		for (to = from; to < b->n && b->slots[to].sa == sa; to++)
			;
		esp_open_batch(sa->key, &b->items[from], to - from);
	}
}

void
esp_rx_flush(struct dp *dp)
{
	struct dp_batch *b = &dp->rx;
	struct bytes frames[DP_BATCH], frame;
	struct vn *vn, *run = NULL;
	size_t i, n = 0;

	open_runs(b);
	for (i = 0; i < b->n; i++) {
		struct dp_slot *slot = &b->slots[i];

		if (!authentic(dp, slot, &b->items[i]) ||
		    !judge(dp, slot, &b->items[i], &vn, &frame))
			continue;
		if (vn != run && n != 0) {
			dp->io.tenant(dp->io.arg, run->vni, frames, n);
			n = 0;
		}
		run = vn;
		frames[n++] = frame;
		count(&dp->ctr, CTR_IN_PACKETS);
		dp->ctr.v[CTR_IN_BYTES] += frame.n;
	}
	if (n != 0)
		dp->io.tenant(dp->io.arg, run->vni, frames, n);
	b->n = 0;
}
