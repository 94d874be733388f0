/* SPDX-License-Identifier: ISC */
#include "pcap-backend/esp_tx.h"

/* What stands between the ESP header and the frame. */
static size_t
prefix_len(const struct esp_sa *sa)
{
	size_t ip = sa->p.mode == SA_TUNNEL ? sa->inner.len : 0;

	return ip + UDP_LEN + VXLAN_LEN;
}

/* Returns where the payload of ESP begins. */
static uint8_t *
put_prefix(const struct esp_sa *sa, uint8_t *frame, size_t frame_n, uint32_t vni, uint16_t entropy,
    uint16_t id)
{
	uint8_t *vxlan = frame - VXLAN_LEN, *udp = vxlan - UDP_LEN, *start = udp;
	size_t udp_n = UDP_LEN + VXLAN_LEN + frame_n;
	/* The packet that carries the UDP datagram: the inner one of a tunnel, else the outer one. */
	const struct ip_tmpl *ip = sa->p.mode == SA_TUNNEL ? &sa->inner : &sa->outer;

	vxlan_put(vxlan, vni);
	udp_put(udp, entropy, sa->port, udp_n, 0);
	if (ip->v6) {
		/* Zero is not for everybody over IPv6 (RFC 6935), and RFC 7348 asks for zero over v4. */
		uint16_t sum = udp_checksum(ip, udp, udp_n);

		udp_put(udp, entropy, sa->port, udp_n, sum);
	}
	if (sa->p.mode == SA_TUNNEL) {
		start = udp - sa->inner.len;
		ip_put(&sa->inner, start, udp_n, id);
	}
	return start;
}

static uint8_t
next_header(const struct esp_sa *sa)
{
	if (sa->p.mode != SA_TUNNEL)
		return IP_PROTO_UDP;
	return sa->inner.v6 ? IP_PROTO_IPV6 : IP_PROTO_IPV4;
}

void
esp_tx_frame(struct dp *dp, struct esp_sa *sa, uint32_t vni, const struct frame *f)
{
	size_t n = frame_len(f), i = dp->tx.n;
	struct dp_slot *slot = &dp->tx.slots[i];
	struct esp_item *item = &dp->tx.items[i];
	uint8_t *start;
	uint64_t seq;

	if (n > DP_FRAME_MAX) {
		count(&dp->ctr, CTR_DROP_TOO_BIG);
		return;
	}
	if ((seq = sad_next_seq(sa)) == 0) {
		count(&dp->ctr, CTR_DROP_SEQ);
		return;
	}
	frame_copy(f, slot->buf + DP_HEAD);
	start = put_prefix(sa, slot->buf + DP_HEAD, n, vni, f->entropy, (uint16_t)seq);
	slot->sa = sa;
	item->esp = start - sa->head_len;
	item->n = n + prefix_len(sa);
	item->seq = seq;
	item->next_header = next_header(sa);
	dp->ctr.v[CTR_OUT_BYTES] += n;
	dp->tx.n++;
	if (sad_account(&dp->sad, sa, item->n) == SA_EVENT_SOFT)
		dp->io.expire(dp->io.arg, SA_OUT, sa->p.spi, &sa->p.dst, false);
	if (dp->tx.n == DP_BATCH)
		esp_tx_flush(dp);
}

/* Outer headers in front of the n octets of ESP. */
static struct bytes
put_outer(const struct esp_sa *sa, uint8_t *esp, size_t n, uint16_t id)
{
	uint8_t *start = esp;

	if (sa->p.encap_dport != 0) {
		start -= UDP_LEN;
		n += UDP_LEN;
		udp_put(start, sa->p.encap_sport, sa->p.encap_dport, n, 0);
		if (sa->outer.v6)
			udp_put(start, sa->p.encap_sport, sa->p.encap_dport, n,
			    udp_checksum(&sa->outer, start, n));
	}
	start -= sa->outer.len;
	ip_put(&sa->outer, start, n, id);
	return bytes_of(start, n + sa->outer.len);
}

void
esp_tx_flush(struct dp *dp)
{
	struct dp_batch *b = &dp->tx;
	struct dp_out out[DP_BATCH];
	size_t i, from, n = 0;

	for (from = 0; from < b->n; from = i) {
		struct esp_sa *sa = b->slots[from].sa;

		for (i = from; i < b->n && b->slots[i].sa == sa; i++)
			;
		esp_seal_batch(sa->key, sa->p.spi, &b->items[from], i - from);
	}
	for (i = 0; i < b->n; i++) {
		const struct esp_item *item = &b->items[i];

		if (item->rc != OK) {
			count(&dp->ctr, CTR_DROP_CRYPTO);
			continue;
		}
		out[n].sa = b->slots[i].sa;
		out[n].packet = put_outer(out[n].sa, item->esp, item->n, (uint16_t)item->seq);
		n++;
	}
	b->n = 0;
	dp->ctr.v[CTR_OUT_PACKETS] += n;
	if (n != 0)
		dp->io.wire(dp->io.arg, out, n);
}

size_t
esp_tx_inner_mtu(const struct esp_sa *sa, size_t underlay_mtu)
{
	size_t outer = sa->outer.len + (sa->p.encap_dport != 0 ? UDP_LEN : 0u) + sa->head_len;
	size_t inner = prefix_len(sa) + ETH_LEN, n;

	/* The padding makes this a staircase: look for the last step that fits. */
	for (n = underlay_mtu; n > 0; n--)
		if (outer + inner + n + esp_tail_len(sa->key, inner + n) <= underlay_mtu)
			return n;
	return 0;
}
