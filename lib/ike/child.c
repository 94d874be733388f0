/* SPDX-License-Identifier: ISC */
#include "ike/child.h"

#include <stdlib.h>

#define PROTO_UDP     17
#define SPI_MIN       256        /* RFC 4303 section 2.1: 1 to 255 are reserved */
#define REPLAY_WINDOW 256
/* A 32-bit sequence number must not wrap (RFC 4303 section 3.3.3): leave time for a new SA. */
#define SOFT_PACKETS_32 UINT64_C(0xc0000000)
#define HARD_PACKETS_32 UINT64_C(0xfffffff0)

static struct bytes
key(const uint32_t *spi)
{
	return bytes_of(spi, sizeof *spi);
}

int
child_new(struct ike *e, struct ike_sa *sa, struct child **out)
{
	struct child *c = calloc(1, sizeof *c);
	int r;

	if (c == NULL)
		return ERR_NOMEM;
	do {
		if ((r = ike_random(e, &c->spi_in, sizeof c->spi_in)) != OK)
			goto out;
	} while (c->spi_in < SPI_MIN || hash_get(e->by_child, key(&c->spi_in)) != NULL);
	if ((r = hash_add(e->by_child, key(&c->spi_in), c)) != OK)
		goto out;
	do {
		c->pair = ++e->next_pair;
	} while (c->pair == 0);
	c->sa = sa;
	*out = c;
	c = NULL;
out:
	free(c);
	return r;
}

void
child_sas_free(struct child_sas *sas)
{
	if (sas == NULL)
		return;
	wipe(sas, sizeof *sas);
	free(sas);
}

void
child_free(struct ike *e, struct child *c)
{
	if (c == NULL)
		return;
	(void)hash_del(e->by_child, key(&c->spi_in));
	child_sas_free(c->pending);
	free(c);
}

struct selector
child_selector(const struct channel *ch, const struct addr *host)
{
	return selector_host(host, ch->proto, 0, 65535);
}

void
child_offer_init(struct child_offer *o, const struct channel *ch)
{
	memset(o, 0, sizeof *o);
	o->transforms[0] = o->transforms[1] = ch->esp;
	o->transforms[0].esn = true;
	o->transforms[1].esn = false;
	o->offer.transforms = o->transforms;
	o->offer.n_transforms = 2;
}

bool
child_fits(const struct child *c, const struct channel *ch)
{
	struct esp_transform t = c->transform;

	t.esn = ch->esp.esn;
	return strcmp(c->channel, ch->id) == 0 && c->mode == ch->mode && t.encr == ch->esp.encr &&
	    t.key_bits == ch->esp.key_bits && t.integ == ch->esp.integ;
}

/* Ports of one direction of a channel's traffic: VXLAN's source port is entropy; a TCP connection
 * has the channel's port at either end. */
struct ports {
	uint16_t lo, hi;
};
struct port_pair {
	struct ports src, dst;
};

static size_t
channel_ports(const struct channel *ch, struct port_pair out[static 2])
{
	struct ports any = { 0, 65535 }, this = { ch->port, ch->port };

	if (ch->proto == 0 || ch->port == 0) {
		out[0] = (struct port_pair){ any, any };
		return 1;
	}
	out[0] = (struct port_pair){ any, this };
	out[1] = (struct port_pair){ this, any };
	return ch->proto == PROTO_UDP ? 1 : 2;
}

static bool
with_ports(struct selector *out, const struct selector *agreed, uint8_t proto,
    const struct ports *ports)
{
	struct selector wanted = *agreed;

	if (wanted.proto == 0)
		wanted.proto = proto;
	wanted.port_lo = ports->lo;
	wanted.port_hi = ports->hi;
	return selector_narrow(out, agreed, &wanted);
}

/* src_sel[i] and dst_sel[i] belong together. */
static int
add_pair(struct sa_params *p, const struct selector *src, const struct selector *dst)
{
	uint8_t i;

	for (i = 0; i < p->n_src_sel; i++)
		if (selector_equal(&p->src_sel[i], src) && selector_equal(&p->dst_sel[i], dst))
			return OK;
	if (p->n_src_sel == SELECTORS_MAX)
		return ERR_SPACE;
	p->src_sel[p->n_src_sel++] = *src;
	p->dst_sel[p->n_dst_sel++] = *dst;
	return OK;
}

static int
fill_selectors(struct sa_params *p, const struct channel *ch, const struct selector *src,
    size_t n_src, const struct selector *dst, size_t n_dst)
{
	struct port_pair ports[2];
	size_t n_ports = channel_ports(ch, ports), i, j, k;
	struct selector s, d;
	int r;

	for (k = 0; k < n_ports; k++)
		for (i = 0; i < n_src; i++)
			for (j = 0; j < n_dst; j++)
				if (with_ports(&s, &src[i], ch->proto, &ports[k].src) &&
				    with_ports(&d, &dst[j], ch->proto, &ports[k].dst) &&
				    (r = add_pair(p, &s, &d)) != OK)
					return r;
	return p->n_src_sel == 0 ? ERR_VALUE : OK;
}

static void
fill_lifetime(struct sa_lifetime *life, const struct channel *ch, const struct esp_transform *t)
{
	life->hard_s = ch->lifetime_s;
	life->soft_s = (uint32_t)((uint64_t)ch->lifetime_s * 9 / 10);
	if (!t->esn) {
		life->soft_packets = SOFT_PACKETS_32;
		life->hard_packets = HARD_PACKETS_32;
	}
}

static int
fill_one(struct sa_params *p, const struct ike_sa *sa, const struct child *c, uint8_t dir,
    const struct secret *k)
{
	const struct negotiation *n = sa->neg;
	const struct selector *ours = sa->initiator ? n->tsi : n->tsr;
	const struct selector *theirs = sa->initiator ? n->tsr : n->tsi;
	size_t n_ours = sa->initiator ? n->n_tsi : n->n_tsr;
	size_t n_theirs = sa->initiator ? n->n_tsr : n->n_tsi;
	bool out = dir == SA_OUT;

	if (k->n > sizeof p->key)
		return ERR_SPACE;
	memcpy(p->key, k->p, k->n);
	p->key_len = (uint16_t)k->n;
	p->dir = dir;
	p->spi = out ? c->spi_out : c->spi_in;
	p->mode = c->mode;
	p->src = out ? c->local : c->peer;
	p->dst = out ? c->peer : c->local;
	if (c->encap) {
		p->encap_sport = out ? sa->local.port : sa->peer.port;
		p->encap_dport = out ? sa->peer.port : sa->local.port;
	}
	p->transform = c->transform;
	p->replay_window = out ? 0 : REPLAY_WINDOW;
	memcpy(p->channel, c->channel, sizeof p->channel);
	p->vni = c->vni;
	p->grant = c->grant;
	p->pair = c->pair;
	fill_lifetime(&p->life, &n->channel, &c->transform);
	return out ? fill_selectors(p, &n->channel, ours, n_ours, theirs, n_theirs) :
	    fill_selectors(p, &n->channel, theirs, n_theirs, ours, n_ours);
}

int
child_prepare(struct ike_sa *sa, struct child *c)
{
	const struct negotiation *n = sa->neg;
	struct bytes ours = bytes_of(n->nonce_ours, NONCE_LEN);
	struct bytes theirs = blob_view(&n->nonce_theirs);
	struct child_keymat_input in = {
		.prf = sa->suite.prf, .sk_d = secret_view(&sa->keys.d),
		.ni = sa->initiator ? ours : theirs, .nr = sa->initiator ? theirs : ours,
	};
	struct secret i2r = { 0 }, r2i = { 0 };
	struct child_sas *sas = calloc(1, sizeof *sas);
	int r;

	if (sas == NULL)
		return ERR_NOMEM;
	c->transform = chosen_esp(&n->child_suite);
	c->spi_out = (uint32_t)n->child_suite.spi;
	c->local = sa->local.addr;
	c->peer = sa->peer.addr;
	c->encap = sa->natt && (sa->nat_here || sa->nat_there);
	c->grant = sa->grant;
	c->vni = n->vni;
	memcpy(c->channel, n->channel.id, sizeof c->channel);
	if ((r = keymat_child(&i2r, &r2i, &c->transform, &in)) != OK ||
	    (r = fill_one(&sas->in, sa, c, SA_IN, sa->initiator ? &r2i : &i2r)) != OK ||
	    (r = fill_one(&sas->out, sa, c, SA_OUT, sa->initiator ? &i2r : &r2i)) != OK)
		goto out;
	c->pending = sas;
	sas = NULL;
out:
	secret_free(&i2r);
	secret_free(&r2i);
	child_sas_free(sas);
	return r;
}

void
child_adopt(struct ike *e, struct ike_sa *sa)
{
	struct child *c = sa->neg->child;
	char name[48];

	sa->neg->child = NULL;
	c->up = true;
	c->since_ms = e->now;
	c->next = sa->children;
	sa->children = c;
	e->counters.child_up++;
	report(e, sa, NULL, IKE_REPORT_CHILD_UP, LOG_INFO_,
	    "Child SA %08x/%08x up: channel %s, %s, %s%s", c->spi_in, c->spi_out, c->channel,
	    esp_transform_name(&c->transform, name),
	    c->mode == SA_TRANSPORT ? "transport" : "tunnel", c->encap ? " in UDP" : "");
}

static void
withdraw(struct ike *e, struct child *c, const char *why)
{
	if (c->in_backend)
		act_sa_del(e, c->sa, c);
	c->in_backend = false;
	if (c->up)
		report(e, c->sa, NULL, IKE_REPORT_CHILD_DOWN, LOG_INFO_, "Child SA %08x/%08x down: %s",
		    c->spi_in, c->spi_out, why);
	c->up = false;
}

void
child_down(struct ike *e, struct child *c, const char *why)
{
	struct child **at = &c->sa->children;

	withdraw(e, c, why);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	child_free(e, c);
}

void
child_doom(struct ike *e, struct child *c, const char *why)
{
	withdraw(e, c, why);
	c->doomed = true;
	c->sa->wants |= WANT_CHILD_DELETE;
}

void
child_lost(struct child *c)
{
	c->in_backend = false;
}
