/* SPDX-License-Identifier: ISC */
#include "pcap-backend/dp.h"

#include <stdlib.h>

#include "pcap-backend/esp_rx.h"
#include "pcap-backend/esp_tx.h"
#include "pcap-backend/vtep.h"
#include "pcap-backend/vxlan.h"

void
dp_config_defaults(struct dp_config *c)
{
	memset(c, 0, sizeof *c);
	c->vxlan_port = VXLAN_PORT;
	c->natt_port = 4500;
	c->mac_limit = 4096;
	c->mac_age_ms = 300 * 1000;
}

static int
batch_init(struct dp_batch *b)
{
	size_t i;

	if ((b->bufs = calloc(DP_BATCH, DP_BUF)) == NULL)
		return ERR_NOMEM;
	for (i = 0; i < DP_BATCH; i++)
		b->slots[i].buf = b->bufs + i * DP_BUF;
	return OK;
}

int
dp_init(struct dp *dp, const struct dp_config *cfg, const struct dp_io *io,
    const uint8_t seed[static 16])
{
	memset(dp, 0, sizeof *dp);
	dp->cfg = *cfg;
	dp->io = *io;
	dp->mac_key = siphash(seed, bytes_str("mac"));
	sad_init(&dp->sad);
	if (spd_init(&dp->spd, seed) != OK || batch_init(&dp->tx) != OK ||
	    batch_init(&dp->rx) != OK) {
		dp_free(dp);
		return ERR_NOMEM;
	}
	return OK;
}

void
dp_free(struct dp *dp)
{
	size_t i;

	for (i = 0; i < dp->n_vns; i++) {
		mactab_free(&dp->vns[i].macs);
		free(dp->vns[i].flood);
	}
	free(dp->vns);
	sad_free(&dp->sad);
	if (dp->spd.grants != NULL)
		spd_free(&dp->spd);
	if (dp->rx.bufs != NULL)
		wipe(dp->rx.bufs, DP_BATCH * (size_t)DP_BUF);
	free(dp->rx.bufs);
	free(dp->tx.bufs);
	counters_free(&dp->ctr);
	memset(dp, 0, sizeof *dp);
}

/* ---- VNs ---- */

static int
vn_cmp(const void *a, const void *b)
{
	uint32_t x = ((const struct vn *)a)->vni, y = ((const struct vn *)b)->vni;

	return x < y ? -1 : x > y;
}

struct vn *
dp_vn(struct dp *dp, uint32_t vni)
{
	struct vn key = { .vni = vni }, *vn = dp->last_vn;

	if (vn != NULL && vn->vni == vni)
		return vn;
	vn = dp->n_vns == 0 ? NULL : bsearch(&key, dp->vns, dp->n_vns, sizeof key, vn_cmp);
	if (vn != NULL)
		dp->last_vn = vn;
	return vn;
}

int
dp_vn_add(struct dp *dp, uint32_t vni)
{
	struct vn *more, *vn;

	if (dp_vn(dp, vni) != NULL)
		return ERR_EXISTS;
	if ((more = realloc(dp->vns, (dp->n_vns + 1) * sizeof *more)) == NULL)
		return ERR_NOMEM;
	dp->vns = more;
	dp->last_vn = NULL;
	vn = &dp->vns[dp->n_vns];
	memset(vn, 0, sizeof *vn);
	vn->vni = vni;
	vn->flood_version = UINT64_MAX;
	if (mactab_init(&vn->macs, dp->cfg.mac_limit, dp->cfg.mac_age_ms, dp->mac_key) != OK)
		return ERR_NOMEM;
	dp->n_vns++;
	qsort(dp->vns, dp->n_vns, sizeof *dp->vns, vn_cmp);
	return OK;
}

/* ---- control ---- */

static void
forget_peer(struct dp *dp, struct peer *gone)
{
	if (gone == NULL)
		return;
	dp->ctr.v[CTR_DROP_NO_SA] += gone->no_sa;
	vtep_forget(dp, gone);
	spd_peer_free(&dp->spd, gone);
}

static void
remove_sa(struct dp *dp, struct esp_sa *sa)
{
	struct peer *gone;

	spd_unbind(&dp->spd, sa, &gone);
	forget_peer(dp, gone);
	sad_del(&dp->sad, sa);
}

int
dp_grant_set(struct dp *dp, const struct grant *g)
{
	return spd_grant_set(&dp->spd, g);
}

static void
remove_sas_of(struct dp *dp, const struct grant *g)
{
	struct esp_sa *sa;
	size_t pos;

	do {
		for (pos = 0, sa = NULL; (sa = sad_next(&dp->sad, &pos, sa)) != NULL;)
			if (g == NULL || sa->grant == g)
				break;
		if (sa != NULL)
			remove_sa(dp, sa);
	} while (sa != NULL);
}

int
dp_grant_drop(struct dp *dp, uint32_t number)
{
	const struct grant *g = spd_grant(&dp->spd, number);

	if (g == NULL)
		return ERR_NOTFOUND;
	remove_sas_of(dp, g);
	return spd_grant_drop(&dp->spd, number);
}

int
dp_sa_add(struct dp *dp, const struct sa_params *p)
{
	struct esp_sa *sa;
	int r;

	if ((r = sad_add(&dp->sad, p, dp->cfg.vxlan_port, dp->now_ms, &sa)) != OK)
		return r;
	if ((r = spd_bind(&dp->spd, sa)) != OK)
		sad_del(&dp->sad, sa);
	return r;
}

int
dp_sa_move(struct dp *dp, uint32_t pair, const struct endpoint *local, const struct endpoint *peer)
{
	struct esp_sa *sa = NULL;
	int r = ERR_NOTFOUND;
	size_t pos = 0;

	while ((sa = sad_next(&dp->sad, &pos, sa)) != NULL) {
		bool in = sa->p.dir == SA_IN;

		if (sa->p.pair == pair && (r = sad_move(&dp->sad, sa, in ? peer : local,
		    in ? local : peer)) != OK)
			return r;
	}
	return r;
}

int
dp_sa_del(struct dp *dp, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	struct esp_sa *sa = sad_find(&dp->sad, dir, spi, dst);

	if (sa == NULL)
		return ERR_NOTFOUND;
	remove_sa(dp, sa);
	return OK;
}

int
dp_policy_add(struct dp *dp, const struct policy *p)
{
	return spd_policy_add(&dp->spd, p);
}

int
dp_policy_del(struct dp *dp, const struct policy *p)
{
	struct peer *gone;
	int r = spd_policy_del(&dp->spd, p, &gone);

	forget_peer(dp, gone);
	return r;
}

void
dp_flush_own(struct dp *dp)
{
	struct peer *p, *gone;
	const struct grant *g;
	size_t pos;

	remove_sas_of(dp, NULL);
	while (pos = 0, (p = spd_peer_next(&dp->spd, &pos)) != NULL) {
		if (spd_policy_del(&dp->spd, &p->policy, &gone) != OK)
			break;
		forget_peer(dp, gone);
	}
	while (pos = 0, (g = hash_next(dp->spd.grants, &pos)) != NULL)
		(void)spd_grant_drop(&dp->spd, g->number);
}

void
dp_counters(const struct dp *dp, void (*emit)(void *, const char *, const char *, uint32_t, uint64_t),
    void *arg)
{
	const struct peer *p;
	size_t i, pos = 0;

	for (i = 0; i < CTR_N; i++)
		emit(arg, counter_name((enum counter_id)i), "", 0, dp->ctr.v[i]);
	emit(arg, COUNTER_VNI_NAME, "", 0, dp->ctr.vni_rest);
	for (i = 0; i < dp->ctr.n_vnis; i++)
		emit(arg, COUNTER_VNI_NAME, dp->ctr.vnis[i].node, dp->ctr.vnis[i].vni,
		    dp->ctr.vnis[i].value);
	while ((p = spd_peer_next(&dp->spd, &pos)) != NULL)
		if (p->no_sa != 0)
			emit(arg, counter_name(CTR_DROP_NO_SA), p->node, 0, p->no_sa);
}

/* ---- time ---- */

static void
bury(struct dp *dp)
{
	struct esp_sa *sa;

	while ((sa = sad_reap(&dp->sad)) != NULL) {
		dp->io.expire(dp->io.arg, sa->p.dir, sa->p.spi, &sa->p.dst, true);
		remove_sa(dp, sa);
	}
}

void
dp_flush(struct dp *dp)
{
	esp_tx_flush(dp);
	esp_rx_flush(dp);
	bury(dp);
}

void
dp_tick(struct dp *dp)
{
	enum sa_event event;
	struct esp_sa *sa;

	while ((sa = sad_expired(&dp->sad, dp->now_ms, &event)) != NULL)
		if (event == SA_EVENT_SOFT)
			dp->io.expire(dp->io.arg, sa->p.dir, sa->p.spi, &sa->p.dst, false);
	bury(dp);
}

int64_t
dp_deadline(const struct dp *dp)
{
	return sad_deadline(&dp->sad);
}
