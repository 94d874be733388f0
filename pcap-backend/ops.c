/* SPDX-License-Identifier: ISC */
#include "pcap-backend/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "pcap-backend/tenant.h"
#include "pcap-backend/wire.h"

struct backend {
	struct backend_host *host;
	struct options options;
	struct dp dp;
	struct wire wire;
	struct tenant tenants[OPTIONS_TENANTS_MAX];
	size_t n_tenants;
};

/* ---- what the data plane calls ---- */

static void
out_wire(void *arg, const struct dp_out *out, size_t n)
{
	struct backend *b = arg;

	wire_send(&b->wire, out, n);
}

static void
out_tenant(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	struct backend *b = arg;
	size_t i;

	for (i = 0; i < b->n_tenants; i++)
		if (b->tenants[i].vni == vni) {
			tenant_send(&b->tenants[i], frames, n);
			return;
		}
}

static void
up_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	struct backend *b = arg;

	backend_acquire(b->host, node, channel, peer);
}

static void
up_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	struct backend *b = arg;

	backend_expire(b->host, dir, spi, dst, hard);
}

static void
up_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	struct backend *b = arg;

	backend_mapping(b->host, spi, peer);
}

/* ---- open and close ---- */

static void
warn_unsafe(const struct dp_config *c)
{
	if (c->unsafe_no_vni_check)
		log_error("UNSAFE: unsafe-no-vni-check=yes: frames of VNs that the sender was not "
		    "granted are delivered. For tests only.");
	if (c->unsafe_no_replay_check)
		log_error("UNSAFE: unsafe-no-replay-check=yes: replayed packets are delivered. For "
		    "tests only.");
}

static int
open_ports(struct backend *b, char why[static OPTIONS_WHY])
{
	size_t i;
	int r;

	if ((r = wire_open(&b->wire, &b->options, &b->dp, why)) != OK)
		return r;
	for (i = 0; i < b->options.n_tenants; i++) {
		if ((r = tenant_open(&b->tenants[i], &b->options.tenants[i], &b->dp, why)) != OK)
			return r;
		b->n_tenants++;
	}
	return OK;
}

static int64_t
monotonic_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
op_close(struct backend *b)
{
	size_t i;

	for (i = 0; i < b->n_tenants; i++)
		tenant_close(&b->tenants[i]);
	wire_close(&b->wire);
	dp_free(&b->dp);
	free(b);
	crypto_cleanup();
}

static struct backend *
op_open(const char *const *options, struct backend_host *host, char why[static 256])
{
	struct dp_io io = { .wire = out_wire, .tenant = out_tenant, .acquire = up_acquire,
	    .expire = up_expire, .mapping = up_mapping };
	struct backend *b = calloc(1, sizeof *b);
	uint8_t seed[16];

	if (b == NULL || crypto_init() != OK || crypto_random(seed, sizeof seed) != OK) {
		(void)snprintf(why, 256, "no memory, or the cryptographic library does not start");
		free(b);
		return NULL;
	}
	b->host = host;
	b->wire.sink.v4 = b->wire.sink.v6 = -1;
	io.arg = b;
	if (options_read(&b->options, options, why) != OK ||
	    dp_init(&b->dp, &b->options.dp, &io, seed) != OK) {
		if (why[0] == '\0')
			(void)snprintf(why, 256, "out of memory");
		op_close(b);
		return NULL;
	}
	b->dp.now_ms = monotonic_ms();
	warn_unsafe(&b->options.dp);
	if (open_ports(b, why) != OK) {
		op_close(b);
		return NULL;
	}
	log_info("wire %s, MTU %zu, %zu tenant ports; %s", b->wire.ifname, b->wire.mtu, b->n_tenants,
	    crypto_version());
	return b;
}

/* ---- calls ---- */

static int
op_grant_set(struct backend *b, const struct grant *g)
{
	return dp_grant_set(&b->dp, g);
}

static int
op_grant_drop(struct backend *b, uint32_t number)
{
	return dp_grant_drop(&b->dp, number);
}

static int
op_sa_add(struct backend *b, const struct sa_params *sa)
{
	return dp_sa_add(&b->dp, sa);
}

static int
op_sa_move(struct backend *b, uint32_t pair, const struct endpoint *local,
    const struct endpoint *peer)
{
	return dp_sa_move(&b->dp, pair, local, peer);
}

static int
op_sa_del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	return dp_sa_del(&b->dp, dir, spi, dst);
}

static int
op_sa_list(struct backend *b, void (*emit)(void *, const struct sa_stats *, const struct sa_params *),
    void *arg)
{
	struct esp_sa *sa = NULL;
	struct sa_stats stats;
	size_t pos = 0;

	while ((sa = sad_next(&b->dp.sad, &pos, sa)) != NULL) {
		sad_stats(sa, b->dp.now_ms, &stats);
		emit(arg, &stats, &sa->p);
	}
	return OK;
}

static int
op_policy_add(struct backend *b, const struct policy *p)
{
	return dp_policy_add(&b->dp, p);
}

static int
op_policy_del(struct backend *b, const struct policy *p)
{
	return dp_policy_del(&b->dp, p);
}

static int
op_flush_own(struct backend *b)
{
	dp_flush_own(&b->dp);
	return OK;
}

struct emitter {
	void (*emit)(void *, const struct backend_counter *);
	void *arg;
};

static void
emit_counter(void *arg, const char *name, const char *node, uint32_t vni, uint64_t value)
{
	const struct emitter *e = arg;
	struct backend_counter c = { name, node, vni, value };

	e->emit(e->arg, &c);
}

static void
collect_lost(struct backend *b, struct port *port)
{
	if (port != NULL)
		b->dp.ctr.v[CTR_DROP_CAPTURE] += port_lost(port);
}

static int
op_counters(struct backend *b, void (*emit)(void *, const struct backend_counter *), void *arg)
{
	struct emitter e = { emit, arg };
	size_t i;

	collect_lost(b, b->wire.port);
	for (i = 0; i < b->n_tenants; i++)
		collect_lost(b, b->tenants[i].port);
	dp_counters(&b->dp, emit_counter, &e);
	return OK;
}

/* ---- the loop's ---- */

static size_t
op_poll_fds(struct backend *b, struct pollfd *fds, size_t max, int64_t *deadline_ms)
{
	int64_t at = dp_deadline(&b->dp), t;
	size_t i, n = 0;

	if ((t = wire_deadline(&b->wire)) < at)
		at = t;
	if (b->wire.port != NULL && n < max)
		fds[n++] = (struct pollfd){ .fd = port_fd(b->wire.port), .events = POLLIN };
	for (i = 0; i < b->n_tenants; i++) {
		if ((t = tenant_deadline(&b->tenants[i])) < at)
			at = t;
		if (b->tenants[i].port != NULL && n < max)
			fds[n++] = (struct pollfd){ .fd = port_fd(b->tenants[i].port),
			    .events = POLLIN };
	}
	*deadline_ms = at;
	return n;
}

/* Ports come in the order in which op_poll_fds() named them. */
static bool
is_ready(const struct port *port, const struct pollfd *fds, size_t n, size_t *at)
{
	if (port == NULL || *at >= n || fds[*at].fd != port_fd(port))
		return false;
	return fds[(*at)++].revents != 0;
}

static void
op_run(struct backend *b, int64_t now_ms, const struct pollfd *fds, size_t n)
{
	size_t i, at = 0;

	b->dp.now_ms = now_ms;
	if (is_ready(b->wire.port, fds, n, &at))
		wire_read(&b->wire);
	for (i = 0; i < b->n_tenants; i++)
		if (is_ready(b->tenants[i].port, fds, n, &at))
			tenant_read(&b->tenants[i]);
	dp_tick(&b->dp);
	wire_tick(&b->wire);
	for (i = 0; i < b->n_tenants; i++)
		tenant_tick(&b->tenants[i]);
}

const struct backend_ops pcap_ops = {
	.name = "pcap-backend",
	.features = BACKEND_ESN | BACKEND_TUNNEL | BACKEND_UDP_ENCAP | BACKEND_VN_SA |
	    BACKEND_INTEGRITY_ONLY | BACKEND_VNI_CHECK | BACKEND_CBC,
	.open = op_open,
	.close = op_close,
	.grant_set = op_grant_set,
	.grant_drop = op_grant_drop,
	.sa_add = op_sa_add,
	.sa_move = op_sa_move,
	.sa_del = op_sa_del,
	.sa_list = op_sa_list,
	.policy_add = op_policy_add,
	.policy_del = op_policy_del,
	.flush_own = op_flush_own,
	.counters = op_counters,
	.poll_fds = op_poll_fds,
	.run = op_run,
};
