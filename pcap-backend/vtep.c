/* SPDX-License-Identifier: ISC */
#include "pcap-backend/vtep.h"

#include <stdlib.h>

#include "pcap-backend/esp_tx.h"
#include "pcap-backend/vxlan.h"

#define ACQUIRE_PAUSE_MS 1000

static void
learn(struct dp *dp, struct vn *vn, uint64_t mac, struct peer *where)
{
	switch (mactab_learn(&vn->macs, mac, where, dp->now_ms)) {
	case MAC_MOVED:
		count(&dp->ctr, CTR_MAC_MOVED);
		break;
	case MAC_NO_ROOM:
		count(&dp->ctr, CTR_MAC_FULL);
		break;
	case MAC_KNOWN:
	case MAC_NEW:
		break;
	}
}

static bool
same_node_listed(const struct vn *vn, const struct peer *p)
{
	size_t i;

	for (i = 0; i < vn->n_flood; i++)
		if (strcmp(vn->flood[i]->node, p->node) == 0)
			return true;
	return false;
}

/* Who shares this VN, made anew after policies changed. Without memory: nobody. */
static void
refresh(struct dp *dp, struct vn *vn)
{
	struct peer *p, **list;
	size_t pos, n = 0;

	if (vn->flood_version == dp->spd.version)
		return;
	vn->flood_version = dp->spd.version;
	vn->n_flood = 0;
	mactab_filter(&vn->macs, spd_peer_has_vni, vn->vni);
	for (pos = 0; (p = spd_peer_next(&dp->spd, &pos)) != NULL;)
		n += spd_peer_has_vni(p, vn->vni);
	if ((list = realloc(vn->flood, (n + 1) * sizeof(struct peer *))) == NULL)
		return;
	vn->flood = list;
	for (pos = 0; (p = spd_peer_next(&dp->spd, &pos)) != NULL;)
		if (spd_peer_has_vni(p, vn->vni) && !same_node_listed(vn, p))
			vn->flood[vn->n_flood++] = p;
}

static void
no_sa(struct dp *dp, struct peer *p)
{
	p->no_sa++;
	if (dp->now_ms < p->next_acquire_ms)
		return;
	p->next_acquire_ms = dp->now_ms + ACQUIRE_PAUSE_MS;
	count(&dp->ctr, CTR_ACQUIRES);
	dp->io.acquire(dp->io.arg, p->node, p->channel, &p->policy.peer);
}

static void
send_to(struct dp *dp, struct peer *p, uint32_t vni, const struct frame *f)
{
	struct esp_sa *sa;

	if (p->policy.action != POLICY_PROTECT) {
		count(&dp->ctr, CTR_DROP_BLOCKED);
		return;
	}
	if ((sa = spd_out(p, vni)) == NULL) {
		no_sa(dp, p);
		return;
	}
	if (!spd_sa_granted(&dp->spd, sa, vni)) {
		count(&dp->ctr, CTR_DROP_VNI_OUT);
		return;
	}
	esp_tx_frame(dp, sa, vni, f);
}

static void
flood(struct dp *dp, struct vn *vn, const struct frame *f)
{
	size_t i;

	if (vn->n_flood == 0) {
		count(&dp->ctr, CTR_DROP_NO_PEER);
		return;
	}
	count(&dp->ctr, CTR_FLOODED);
	for (i = 0; i < vn->n_flood; i++)
		send_to(dp, vn->flood[i], vn->vni, f);
}

void
dp_tenant_frame(struct dp *dp, struct vn *vn, struct bytes octets)
{
	struct frame f;
	struct peer *p;

	count(&dp->ctr, CTR_OUT_FRAMES);
	if (frame_read(octets, !dp->cfg.keep_vlan, &f) != OK || f.src == 0 || mac_is_group(f.src)) {
		count(&dp->ctr, CTR_DROP_FRAME);
		return;
	}
	refresh(dp, vn);
	learn(dp, vn, f.src, MAC_LOCAL);
	p = mac_is_group(f.dst) ? NULL : mactab_find(&vn->macs, f.dst, dp->now_ms);
	if (p == MAC_LOCAL)
		count(&dp->ctr, CTR_OUT_LOCAL);
	else if (p != NULL)
		send_to(dp, p, vn->vni, &f);
	else
		flood(dp, vn, &f);
}

bool
vtep_learn(struct dp *dp, struct vn *vn, struct esp_sa *sa, struct bytes frame)
{
	uint64_t src;
	bool tagged;

	frame_peek(frame, &src, &tagged);
	if (src == 0 || mac_is_group(src)) {
		count(&dp->ctr, CTR_DROP_FRAME);
		return false;
	}
	if (tagged && !dp->cfg.keep_vlan) {
		count(&dp->ctr, CTR_DROP_VLAN);
		return false;
	}
	/* Only where an answer could go. */
	if (spd_sa_shares(&dp->spd, sa, vn->vni))
		learn(dp, vn, src, sa->peer);
	return true;
}

void
vtep_forget(struct dp *dp, const struct peer *p)
{
	size_t i;

	for (i = 0; i < dp->n_vns; i++)
		mactab_forget(&dp->vns[i].macs, p);
}
