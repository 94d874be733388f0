/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "xfrm-backend/probe.h"
#include "xfrm-backend/state.h"

static int64_t
monotonic_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- open and close ---- */

static void
state_free(struct backend *b)
{
	watch_close(b);
	nl_close(b->req);
	nft_close(b->nft);
	shadows_forget(b);
	again_drop(b);
	sad_free(&b->sad);
	vn_free(&b->vn);
	spd_free(&b->spd);
	free(b->calls);
	free(b->items);
	if (b->xfrm_stat != -1)
		(void)close(b->xfrm_stat);
	free(b);
}

static struct backend *
state_new(const struct options *o, char why[static 256])
{
	struct backend *b = calloc(1, sizeof *b);
	uint8_t seed[16];

	if (b == NULL || getentropy(seed, sizeof seed) != 0) {
		(void)snprintf(why, 256, "no memory, or no random octets from the system");
		free(b);
		return NULL;
	}
	b->options = *o;
	b->xfrm_stat = -1;
	b->inherit_until = INT64_MAX;
	b->again_last = &b->again;
	b->now_ms = monotonic_ms();
	/* Nothing is known of the table yet, and nothing done about it. */
	b->nft_gone = true;
	b->nft_retry_at = INT64_MAX;
	if (spd_init(&b->spd, o, seed) != OK || vn_init(&b->vn, seed) != OK ||
	    sad_init(&b->sad, seed) != OK) {
		(void)snprintf(why, 256, "out of memory");
		state_free(b);
		return NULL;
	}
	return b;
}

static bool
blocks_are_there(struct backend *b)
{
	const struct pol_entry *e;
	size_t pos = 0;

	while ((e = spd_entry_next(&b->spd, &pos)) != NULL)
		if (e->want && !e->have && e->target == NULL && e->pol.block)
			return false;
	return true;
}

/* Layer 1, before anything else is looked at. */
static int
block_first(struct backend *b, char why[static 256])
{
	size_t i;

	for (i = 0; i < b->options.n_vxlan_ports; i++)
		if (spd_block(&b->spd, b->options.vxlan_ports[i]) != OK ||
		    vn_port(&b->vn, b->options.vxlan_ports[i]) != OK)
			goto nomem;
	if (spd_bypass_ike(&b->spd) != OK)
		goto nomem;
	apply(b);
	if (blocks_are_there(b))
		return OK;
	(void)snprintf(why, 256, "the policies that block plaintext VXLAN could not be installed: see "
	    "the lines above; xfrm-backend needs CAP_NET_ADMIN and a kernel with IPsec "
	    "(modprobe xfrm_user)");
	return ERR_IO;
nomem:
	(void)snprintf(why, 256, "out of memory");
	return ERR_NOMEM;
}

/* There are no IPsec policies to be had: layer 3 stops plaintext without them. */
static void
table_instead(struct backend *b)
{
	char why[NL_WHY];
	size_t i;

	for (i = 0; i < b->options.n_vxlan_ports; i++)
		(void)vn_port(&b->vn, b->options.vxlan_ports[i]);
	if ((b->nft = nft_open(b->options.table, why)) != NULL && table_adopt(b) == OK)
		log_warn("nf_tables table %s alone keeps plaintext VXLAN back now", b->options.table);
}

static int
open_kernel(struct backend *b, char why[static 256])
{
	int r;

	if ((b->req = nl_open(NETLINK_XFRM, why)) == NULL) {
		table_instead(b);
		return ERR_IO;
	}
	/* This is where a missing privilege shows first. */
	if ((r = watch_open(b, why)) != OK)
		return r;
	if ((r = block_first(b, why)) != OK) {
		table_instead(b);
		return r;
	}
	if ((r = watch_open_others(b, why)) != OK)
		return r;
	if ((b->nft = nft_open(b->options.table, why)) == NULL)
		return ERR_NOMEM;
	b->nft_retry_at = 0;
	return OK;
}

static void
op_close(struct backend *b)
{
	struct sad_entry *e;
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	size_t pos = 0;

	/* What can't be withdrawn any more goes; policies and table stay, and block. */
	if (b->req != NULL && b->nft != NULL && b->host != NULL) {
		apply(b);
		while ((e = sad_next(&b->sad, &pos)) != NULL) {
			(void)request_add(b, xmsg_sa_del(buf, e->p.spi, &e->p.dst),
			    &(struct item){ .kind = ITEM_SA_DEL, .call = SIZE_MAX });
			sad_del(&b->sad, e);
		}
		vn_revoke(&b->vn);
		former_drop(b);
		apply(b);
	}
	state_free(b);
}

static struct backend *
op_open(const char *const *options, struct backend_host *host, char why[static 256])
{
	struct options o;
	struct backend *b;

	if (options_read(&o, options, why) != OK || (b = state_new(&o, why)) == NULL)
		return NULL;
	b->xfrm_stat = open("/proc/net/xfrm_stat", O_RDONLY | O_CLOEXEC);
	/* First what keeps plaintext back, then what it takes to have any other. */
	if (open_kernel(b, why) != OK || reconcile(b, true) != OK ||
	    probe_esp(b->req, o.reqid_base, &b->kernel, why) != OK) {
		if (why[0] == '\0')
			(void)snprintf(why, 256, "the kernel's IPsec databases or nf_tables can't be "
			    "used: see the lines above; `overlock check` says what is missing");
		state_free(b);
		return NULL;
	}
	b->host = host;
	b->inherit_until = b->now_ms + backend_orphan_ms(host);
	log_info("kernel IPsec: %zu ports protected, table inet %s, reqids from %u%s",
	    b->options.n_vxlan_ports, b->options.table, b->options.reqid_base,
	    b->kernel.sa_dir ? ", SAs have a direction" : "");
	if (hash_count(b->sad.former) != 0)
		log_info("%zu SAs of a former process stay for %lld s, or until new ones are there",
		    hash_count(b->sad.former), (long long)backend_orphan_ms(host) / 1000);
	return b;
}

int
backend_block(const struct options *o, char why[static 256])
{
	struct backend *b = state_new(o, why);
	int r;

	if (b == NULL)
		return ERR_NOMEM;
	if ((r = open_kernel(b, why)) == OK && (r = reconcile(b, true)) != OK && why[0] == '\0')
		(void)snprintf(why, 256, "nf_tables can't be used: see the lines above; plaintext "
		    "VXLAN is blocked by IPsec policies alone");
	state_free(b);
	return r;
}

/* ---- removing all ---- */

static void
unwant_all(struct backend *b)
{
	struct pol_entry *e;
	size_t pos = 0;

	while ((e = spd_entry_next(&b->spd, &pos)) != NULL) {
		e->want = e->inherited = false;
		e->target = NULL;
		spd_touch(&b->spd, e);
	}
}

int
backend_remove(const struct options *o, char why[static 256])
{
	struct backend *b = state_new(o, why);
	int r = ERR_IO;

	if (b == NULL)
		return ERR_NOMEM;
	if ((b->req = nl_open(NETLINK_XFRM, why)) == NULL ||
	    (b->nft = nft_open(o->table, why)) == NULL)
		goto out;
	b->no_table = true;
	if ((r = reconcile(b, true)) == OK) {
		former_drop(b);
		unwant_all(b);
		apply(b);
		if ((r = nft_remove(b->nft, why)) == OK && b->failed_deletions != 0) {
			(void)snprintf(why, 256, "%llu policies or SAs could not be deleted: see "
			    "`ip xfrm policy` and `ip xfrm state`",
			    (unsigned long long)b->failed_deletions);
			r = ERR_IO;
		}
	} else {
		(void)snprintf(why, 256, "the kernel's IPsec databases can't be read: see the lines above");
	}
out:
	state_free(b);
	return r;
}

/* ---- calls ---- */

static int
queued(struct backend *b, enum call_kind kind, const void *about)
{
	return call_add(b, kind, about) == SIZE_MAX ? ERR_NOMEM : BACKEND_QUEUED;
}

static int
op_grant_set(struct backend *b, const struct grant *g)
{
	int r = vn_grant_set(&b->vn, &b->spd, g);

	return r != OK ? r : queued(b, CALL_GRANT, NULL);
}

static int
op_grant_drop(struct backend *b, uint32_t number)
{
	int r = vn_grant_drop(&b->vn, &b->spd, number);

	return r != OK ? r : queued(b, CALL_GRANT, NULL);
}

static const struct channel *
channel_of(const struct grant *g, const char *id)
{
	uint8_t i;

	for (i = 0; i < g->n_channels; i++)
		if (strcmp(g->channels[i].id, id) == 0)
			return &g->channels[i];
	return NULL;
}

/* A port that a document protects stays protected: no peer in the document means nobody may. */
static int
block_data(struct backend *b, const struct channel *c)
{
	if (c->level != LEVEL_DATA || c->proto != IPPROTO_UDP || c->port == 0)
		return OK;
	return spd_block(&b->spd, c->port);
}

static void
unbind_sa(struct backend *b, struct target *t, const struct sa_params *sa)
{
	char node[ID_MAX];

	memcpy(node, t->node, sizeof node);
	spd_unbind(&b->spd, t, sa);
	(void)vn_node_again(&b->vn, &b->spd, node);
}

/* The target of an SA; its policies and elements are wanted from now on. */
static int
bind_sa(struct backend *b, const struct sa_params *sa, struct target **t)
{
	const struct grant *g = vn_grant(&b->vn, sa->grant);
	const struct channel *c = g == NULL ? NULL : channel_of(g, sa->channel);
	size_t targets = hash_count(b->spd.targets);
	uint8_t pairs = 0;
	int r;

	if (c == NULL)
		return ERR_DENIED;
	if ((*t = spd_target(&b->spd, g->node, c->id)) != NULL)
		pairs = (*t)->n_pairs;
	if ((r = spd_bind(&b->spd, g->node, c, sa, t)) != OK)
		return r;
	if (hash_count(b->spd.targets) == targets && (*t)->n_pairs == pairs)
		return OK;
	if ((r = block_data(b, c)) == OK)
		r = vn_node_again(&b->vn, &b->spd, g->node);
	if (r != OK)
		unbind_sa(b, *t, sa);
	return r;
}

static int
sa_requests(struct backend *b, struct sad_entry *e, const struct sa_params *sa)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	size_t call = call_add(b, CALL_SA, e);
	int r;

	if (call == SIZE_MAX)
		return ERR_NOMEM;
	r = request_add(b, xmsg_sa_add(buf, &b->kernel, &e->x, bytes_of(sa->key, sa->key_len)),
	    &(struct item){ .kind = ITEM_SA_ADD, .sa = e, .call = call });
	wipe(buf, sizeof buf);
	if (r == OK) {
		r = request_add(b, xmsg_sa_get(buf, sa->spi, &sa->dst),
		    &(struct item){ .kind = ITEM_SA_GET, .sa = e, .call = call });
		b->sas_due |= r != OK;   /* on its way, but not read back: it is found as an SA of nobody */
	}
	b->calls[call].result = r;
	if (r != OK)
		sa_gone(b, e);
	return BACKEND_QUEUED;
}

static int
op_sa_add(struct backend *b, const struct sa_params *sa)
{
	struct sad_entry *e;
	struct target *t;
	int r;

	/* A VN of its own needs a mark on its packets, and activation a call: neither is there. */
	if (sa->vni != 0 || sa->inactive)
		return ERR_UNSUPPORTED;
	if ((r = bind_sa(b, sa, &t)) != OK)
		return r;
	if ((r = sad_add(&b->sad, sa, t, &e)) != OK) {
		unbind_sa(b, t, sa);
		return r;
	}
	r = sa_requests(b, e, sa);
	if (r != BACKEND_QUEUED)
		sa_gone(b, e);
	return r;
}

static int
op_sa_del(struct backend *b, uint8_t dir, uint32_t spi, const struct addr *dst)
{
	struct sad_entry *e = sad_find(&b->sad, spi, dst);
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	size_t call;
	int r;

	/* Whether the kernel took it must be known first: what has its SPI there may be another's. */
	if (e != NULL && !e->have) {
		apply(b);
		e = sad_find(&b->sad, spi, dst);
	}
	if (e == NULL || e->p.dir != dir)
		return ERR_NOTFOUND;
	if ((call = call_add(b, CALL_SA, e)) == SIZE_MAX)
		return ERR_NOMEM;
	if ((r = request_add(b, xmsg_sa_del(buf, spi, dst),
	    &(struct item){ .kind = ITEM_SA_DEL, .call = call })) != OK) {
		b->calls[call].result = r;
		b->sas_due = true;       /* it is found again as an SA of nobody, and deleted */
	}
	sa_gone(b, e);
	return BACKEND_QUEUED;
}

int
policy_install(struct backend *b, const struct policy *p)
{
	int r = spd_policy_add(&b->spd, p), one;

	if (r == OK)
		r = block_data(b, &p->channel);
	if ((one = vn_node_again(&b->vn, &b->spd, p->node)) != OK && r == OK)
		r = one;
	return r;
}

static int
op_policy_add(struct backend *b, const struct policy *p)
{
	int r;

	again_forget(b, p);
	if ((r = policy_install(b, p)) == ERR_EXISTS)
		return again_add(b, p);
	return r != OK ? r : queued(b, CALL_POLICY, spd_target(&b->spd, p->node, p->channel.id));
}

static int
op_policy_del(struct backend *b, const struct policy *p)
{
	int r;

	again_forget(b, p);
	r = spd_policy_del(&b->spd, p->node, p->channel.id);
	if (r == OK)
		r = vn_node_again(&b->vn, &b->spd, p->node);
	return r != OK ? r : queued(b, CALL_POLICY, NULL);
}

/* Grants and their SAs went one by one before; what is left are policies. */
static int
op_flush_own(struct backend *b)
{
	struct target *t;
	size_t pos = 0;

	again_drop(b);
	while ((t = spd_next(&b->spd, &pos)) != NULL) {
		char node[ID_MAX], channel[ID_MAX];

		memcpy(node, t->node, sizeof node);
		memcpy(channel, t->channel.id, sizeof channel);
		if (spd_policy_del(&b->spd, node, channel) == OK)
			(void)vn_node_again(&b->vn, &b->spd, node);
	}
	return queued(b, CALL_POLICY, NULL);
}

/* ---- lists ---- */

struct lister {
	struct backend *b;
	void (*emit)(void *, const struct sa_stats *, const struct sa_params *);
	void *arg;
	int64_t now_s;
};

static int
list_one(void *arg, const struct nlmsghdr *m)
{
	const struct lister *l = arg;
	const struct sad_entry *e;
	struct xsa_figures f;
	struct xsa x;

	if (xmsg_sa_read(m, &x, &f) != OK || (e = sad_find(&l->b->sad, x.spi, &x.dst)) == NULL ||
	    !e->have)
		return OK;
	l->emit(l->arg, &(struct sa_stats){
		.spi = x.spi, .dir = e->p.dir, .src = x.src, .dst = x.dst,
		.packets = f.packets, .bytes = f.bytes,
		.replays = (uint64_t)f.replay + f.replay_window, .bad_icv = f.integrity_failed,
		.seq = f.seq + (e->p.dir == SA_OUT), .age_s = l->now_s - (int64_t)f.add_time,
	}, &e->p);
	return OK;
}

static int
op_sa_list(struct backend *b, void (*emit)(void *, const struct sa_stats *, const struct sa_params *),
    void *arg)
{
	struct lister l = { b, emit, arg, (int64_t)time(NULL) };
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	int e = 0;

	apply(b);
	return nl_dump(b->req, xmsg_sa_dump(buf), list_one, &l, &e);
}

/* ---- the loop's ---- */

static size_t
op_poll_fds(struct backend *b, struct pollfd *fds, size_t max, int64_t *deadline_ms)
{
	const struct nl *listeners[] = { b->ev_xfrm, b->ev_nft, b->ev_route };
	size_t i, n = 0;

	for (i = 0; i < 3 && n < max; i++)
		fds[n++] = (struct pollfd){ .fd = nl_fd(listeners[i]), .events = POLLIN };
	*deadline_ms = b->reconcile_at < b->inherit_until ? b->reconcile_at : b->inherit_until;
	if (b->nft_gone && b->nft_retry_at < *deadline_ms)
		*deadline_ms = b->nft_retry_at;
	return n;
}

static void
op_run(struct backend *b, int64_t now_ms, const struct pollfd *fds, size_t n)
{
	size_t i;
	bool events = false;

	b->now_ms = now_ms;
	for (i = 0; i < n; i++)
		events |= fds[i].revents != 0;
	if (events || (b->nft_gone && now_ms >= b->nft_retry_at))
		watch_run(b);
	if (now_ms >= b->inherit_until) {
		b->inherit_until = INT64_MAX;
		former_drop(b);
		apply(b);
	}
	if (now_ms >= b->reconcile_at)
		(void)reconcile(b, false);
}

const struct backend_ops xfrm_ops = {
	.name = "xfrm-backend",
	.features = BACKEND_ESN | BACKEND_TUNNEL | BACKEND_UDP_ENCAP | BACKEND_INTEGRITY_ONLY |
	    BACKEND_VNI_CHECK | BACKEND_CBC | BACKEND_KERNEL_ENCAP,
	.open = op_open,
	.close = op_close,
	.grant_set = op_grant_set,
	.grant_drop = op_grant_drop,
	.sa_add = op_sa_add,
	.sa_del = op_sa_del,
	.sa_list = op_sa_list,
	.policy_add = op_policy_add,
	.policy_del = op_policy_del,
	.flush_own = op_flush_own,
	.counters = op_counters,
	.settle = op_settle,
	.poll_fds = op_poll_fds,
	.run = op_run,
};
