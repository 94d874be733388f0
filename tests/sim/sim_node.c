/* SPDX-License-Identifier: ISC */
/* Nodes: their engines, entropy, what they know of each other, what stands between them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "sim.h"

static int
node_random(void *arg, uint8_t *p, size_t n)
{
	struct sim_node *node = arg;

	while (n-- > 0)
		*p++ = (uint8_t)sim_random(&node->rng);
	return OK;
}

static int
node_ke_new(void *arg, uint16_t group, struct ke **ke)
{
	uint8_t seed[32];

	(void)node_random(arg, seed, sizeof seed);
	return ke_from_seed(ke, group, bytes_of(seed, sizeof seed));
}

static struct channel
channel(const char *id, uint8_t proto, uint16_t port, uint8_t mode, const char *esp)
{
	struct channel c = { .level = LEVEL_DATA,
		.proto = proto,
		.port = port,
		.mode = mode,
		.lifetime_s = 3600 };

	(void)snprintf(c.id, sizeof c.id, "%s", id);
	if (esp_transform_parse(&c.esp, esp) != OK)
		abort();
	return c;
}

struct channel
sim_channel_vxlan(void)
{
	return channel("vxlan", 17, 4789, SA_TRANSPORT, "aes128gcm16");
}

struct channel
sim_channel_bgp(void)
{
	return channel("evpn", 6, 179, SA_TRANSPORT, "aes256gcm16");
}

struct channel
sim_channel_any(void)
{
	return channel("any", 0, 0, SA_TUNNEL, "aes128-sha256");
}

struct sim_node *
sim_node(struct sim *s, const char *name, const char *addr)
{
	struct sim_node *n = sim_alloc(sizeof *n);

	if (s->n_nodes == SIM_NODES_MAX || addr_parse(&n->addr, addr) != OK)
		abort();
	n->sim = s;
	n->rng = sim_random(&s->rng);
	(void)snprintf(n->name, sizeof n->name, "%s", name);
	ike_config_defaults(&n->cfg);
	n->channels[0] = sim_channel_vxlan();
	n->n_channels = 1;
	s->nodes[s->n_nodes++] = n;
	return n;
}

void
sim_start(struct sim_node *n)
{
	static const uint8_t anchors[20] = { 0xa5 };
	uint8_t der[300];
	struct bytes cert = bytes_of(der, sizeof der);

	/* Stands for a certificate; as long as one with an ECDSA key. */
	memset(der, 0x30, sizeof der);
	n->cfg.cb.arg = n;
	n->cfg.cb.random = node_random;
	n->cfg.cb.ke_new = node_ke_new;
	n->cfg.id_type = 2;
	n->cfg.id_data = bytes_str(n->name);
	if (n->cfg.certs == NULL) {
		n->cfg.certs = &cert;
		n->cfg.n_certs = 1;
	}
	if (n->cfg.certreq.n == 0)
		n->cfg.certreq = bytes_of(anchors, sizeof anchors);
	if ((n->e = ike_new(&n->cfg, n->sim->now)) == NULL)
		abort();
	if (n->cfg.certs == &cert) {
		n->cfg.certs = NULL;
		n->cfg.n_certs = 0;
	}
}

void
sim_crash(struct sim_node *n)
{
	size_t i;

	ike_free(n->e);
	for (i = 0; i < n->n_esp; i++)
		n->esp[i].live = false;
	sim_start(n);
}

void
sim_peer(struct sim_node *a, const struct sim_node *b, bool initiate)
{
	struct ike_event ev = { .type = IKE_EV_PEER_SET };
	struct ike_peer *p = &ev.u.peer;

	(void)snprintf(p->node, sizeof p->node, "%s", b->name);
	p->local = a->addr;
	p->addrs[0] = b->nat.family != 0 ? b->nat : b->addr;
	p->n_addrs = 1;
	memcpy(p->channels, a->channels, sizeof p->channels);
	p->n_channels = a->n_channels;
	p->initiate = initiate;
	sim_event(a, &ev);
}

/* ---- what stands ---- */

size_t
sim_ike_all(const struct sim_node *n)
{
	struct ike_sa_info info;
	size_t at = 0, count = 0;

	while (ike_sa_next(n->e, &at, &info))
		count++;
	return count;
}

size_t
sim_ike_up(const struct sim_node *n)
{
	struct ike_sa_info info;
	size_t at = 0, count = 0;

	while (ike_sa_next(n->e, &at, &info))
		count += info.up;
	return count;
}

size_t
sim_children(const struct sim_node *n)
{
	struct ike_child_info info;
	size_t at = 0, count = 0;

	while (ike_child_next(n->e, &at, &info))
		count++;
	return count;
}

size_t
sim_esp_live(const struct sim_node *n)
{
	size_t i, count = 0;

	for (i = 0; i < n->n_esp; i++)
		count += n->esp[i].live;
	return count;
}

struct ike_sa_info
sim_sa(const struct sim_node *n)
{
	struct ike_sa_info info;
	size_t at = 0;

	while (ike_sa_next(n->e, &at, &info))
		if (info.up)
			return info;
	memset(&info, 0, sizeof info);
	return info;
}

struct ike_child_info
sim_child(const struct sim_node *n)
{
	struct ike_child_info info;
	size_t at = 0;

	if (!ike_child_next(n->e, &at, &info))
		memset(&info, 0, sizeof info);
	return info;
}

static const struct sa_params *
live(const struct sim_node *n, uint8_t dir)
{
	size_t i;

	for (i = 0; i < n->n_esp; i++)
		if (n->esp[i].live && n->esp[i].params.dir == dir)
			return &n->esp[i].params;
	return NULL;
}

/* What goes out at one end comes in at the other. A NAT between them changes addresses and ports.
 */
static bool
match(const struct sim_node *from, const struct sim_node *to)
{
	const struct sa_params *out = live(from, SA_OUT), *in = live(to, SA_IN);
	bool nat = from->nat.family != 0 || to->nat.family != 0;

	return out != NULL && in != NULL && out->spi == in->spi && out->key_len == in->key_len &&
	    memcmp(out->key, in->key, in->key_len) == 0 && out->mode == in->mode &&
	    out->transform.encr == in->transform.encr &&
	    out->transform.key_bits == in->transform.key_bits &&
	    out->transform.integ == in->transform.integ &&
	    out->transform.esn == in->transform.esn &&
	    (out->encap_dport != 0) == (in->encap_dport != 0) && out->n_src_sel == in->n_src_sel &&
	    out->n_dst_sel == in->n_dst_sel && strcmp(out->channel, in->channel) == 0 &&
	    (nat ||
		(addr_equal(&out->src, &in->src) && addr_equal(&out->dst, &in->dst) &&
		    out->encap_dport == in->encap_dport &&
		    selector_equal(&out->src_sel[0], &in->src_sel[0]) &&
		    selector_equal(&out->dst_sel[0], &in->dst_sel[0])));
}

bool
sim_paired(const struct sim_node *a, const struct sim_node *b)
{
	return sim_ike_all(a) == 1 && sim_ike_all(b) == 1 && sim_ike_up(a) == 1 &&
	    sim_ike_up(b) == 1 && sim_children(a) == 1 && sim_children(b) == 1 &&
	    sim_esp_live(a) == 2 && sim_esp_live(b) == 2 && match(a, b) && match(b, a);
}

uint64_t
sim_fingerprint(const struct sim_node *n)
{
	static const uint8_t seed[16] = { 0 };
	struct ike_sa_info sa;
	struct ike_child_info child;
	uint64_t sum = 0;
	size_t at = 0;

	while (ike_sa_next(n->e, &at, &sa)) {
		sum += siphash(seed, bytes_of(sa.identity, sizeof sa.identity));
		sum += siphash(seed, bytes_str(sa.state)) * 3;
		sum += siphash(seed, bytes_of(&sa.ref.spi_i, 8)) * 5 +
		    siphash(seed, bytes_of(&sa.ref.spi_r, 8)) * 7;
		sum += siphash(seed, bytes_of(&sa.peer.addr, sizeof sa.peer.addr)) * 11 +
		    sa.peer.port;
		sum += siphash(seed, bytes_of(&sa.local.addr, sizeof sa.local.addr)) * 13 +
		    sa.local.port;
		sum += (uint64_t)sa.since_ms * 17 + sa.grant * 19 + sa.n_children * 23 + sa.natt;
		sum += siphash(seed, bytes_of(sa.suite, sizeof sa.suite)) * 29;
	}
	at = 0;
	while (ike_child_next(n->e, &at, &child))
		sum += (uint64_t)child.spi_in * 31 + child.spi_out * UINT64_C(37) +
		    child.pair * UINT64_C(41) + child.grant;
	return sum + (uint64_t)ike_deadline(n->e) * 43;
}
