/* SPDX-License-Identifier: ISC */
#include "pcap-backend/tenant.h"

#include <stdio.h>

#define RETRY_MS     1000
#define FRAMES_A_TURN 256

int
tenant_open(struct tenant *t, const struct tenant_option *o, struct dp *dp,
    char why[static OPTIONS_WHY])
{
	int r;

	memset(t, 0, sizeof *t);
	t->vni = o->vni;
	memcpy(t->ifname, o->ifname, sizeof t->ifname);
	t->dp = dp;
	if ((r = dp_vn_add(dp, o->vni)) != OK) {
		(void)snprintf(why, OPTIONS_WHY, "tenant.%u: %s", o->vni, err_str(r));
		return r;
	}
	if ((r = port_open(&t->port, t->ifname, NULL, true, why)) != OK)
		return r;
	if (port_link_len(t->port) == 0) {
		(void)snprintf(why, OPTIONS_WHY, "interface %s is not Ethernet: a tenant port must be",
		    t->ifname);
		tenant_close(t);
		return ERR_UNSUPPORTED;
	}
	return OK;
}

void
tenant_close(struct tenant *t)
{
	port_close(t->port);
	t->port = NULL;
}

static void
frame_read_cb(void *arg, struct bytes frame, size_t wire_len)
{
	struct tenant *t = arg;

	if (frame.n < wire_len)
		count(&t->dp->ctr, CTR_DROP_TOO_BIG);
	else
		dp_tenant_frame(t->dp, dp_vn(t->dp, t->vni), frame);
}

static void
lost(struct tenant *t)
{
	log_warn("tenant port %s of VNI %u is gone: looking for it every second", t->ifname, t->vni);
	tenant_close(t);
}

void
tenant_read(struct tenant *t)
{
	int r;

	if (t->port == NULL)
		return;
	r = port_read(t->port, FRAMES_A_TURN, frame_read_cb, t);
	dp_flush(t->dp);
	t->retry_ms = t->dp->now_ms + RETRY_MS;
	if (r < 0)
		lost(t);
}

void
tenant_send(struct tenant *t, const struct bytes *frames, size_t n)
{
	size_t sent = t->port == NULL ? 0 : port_send(t->port, frames, n);

	t->dp->ctr.v[CTR_DROP_TENANT] += n - sent;
}

void
tenant_tick(struct tenant *t)
{
	char why[OPTIONS_WHY];

	if (t->dp->now_ms < t->retry_ms)
		return;
	if (t->port != NULL) {
		if (port_suspect(t->port))
			tenant_read(t);
		return;
	}
	t->retry_ms = t->dp->now_ms + RETRY_MS;
	if (port_open(&t->port, t->ifname, NULL, true, why) == OK)
		log_info("tenant port %s of VNI %u is there again", t->ifname, t->vni);
}

int64_t
tenant_deadline(const struct tenant *t)
{
	return t->port != NULL && !port_suspect(t->port) ? TIMER_NEVER : t->retry_ms;
}
