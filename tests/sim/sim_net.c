/* SPDX-License-Identifier: ISC */
/* The network between nodes, and the check that nobody unverified is sent more than it sent. */
#include "ike/msg.h"
#include "sim.h"

/* What a NAT adds to an inside port. */
#define NAT_PORTS 20000

static uint16_t
nat_ports(const struct sim_node *n)
{
	return n->nat_static ? 0 : NAT_PORTS;
}

static struct sim_node *
by_addr(const struct sim *s, const struct addr *a, bool *translated)
{
	size_t i;

	*translated = false;
	for (i = 0; i < s->n_nodes; i++) {
		if (addr_equal(&s->nodes[i]->addr, a) && s->nodes[i]->nat.family == 0)
			return s->nodes[i];
		if (s->nodes[i]->nat.family != 0 && addr_equal(&s->nodes[i]->nat, a)) {
			*translated = true;
			return s->nodes[i];
		}
	}
	return NULL;
}

static void
on_the_way(struct sim *s, const struct sim_datagram *d)
{
	int64_t at = s->now + s->delay_min + sim_below(s, s->delay_max - s->delay_min + 1);

	if (sim_below(s, 100) < s->loss)
		return;
	sim_schedule_datagram(s, at, d);
	if (sim_below(s, 100) < s->twice)
		sim_schedule_datagram(s, at + sim_below(s, 3 * s->delay_max + 1), d);
}

/*
 * Whoever gets an answer outside an IKE SA may be somebody whose address was forged: it is not
 * longer than what came, unless that proved by a cookie, its first payload, where it is.
 */
static void
check_amplification(const struct sim_node *n, const struct sim_datagram *d)
{
	const struct sim_datagram *request = n->sim->answering;
	struct ike_header answer, asked;

	if (request == NULL || header_read(&answer, d->data) != OK ||
	    !header_is_response(&answer) || answer.next == PL_SK || d->data.n <= request->data.n)
		return;
	if (header_read(&asked, request->data) != OK || asked.next != PL_N)
		sim_violation(n->sim, "%s answers %zu octets with %zu", n->name, request->data.n,
		    d->data.n);
}

void
sim_transmit(struct sim_node *n, const struct ike_action *a)
{
	struct sim *s = n->sim;
	struct sim_datagram d = {
		.from = a->u.send.local,
		.to = a->u.send.peer,
		.natt = a->u.send.natt,
		.data = a->u.send.data,
	};

	if (!addr_equal(&d.from.addr, &n->addr))
		sim_violation(s, "%s sends from an address that is not its own", n->name);
	if (d.natt != (d.from.port == n->cfg.natt_port))
		sim_violation(s, "%s sends from port %u with marker %d", n->name, d.from.port,
		    d.natt);
	if (n->nat.family != 0) {
		d.from.addr = n->nat;
		d.from.port = (uint16_t)(d.from.port + nat_ports(n));
	}
	check_amplification(n, &d);
	s->sent++;
	if (s->on_send != NULL && !s->on_send(s, &d, s->on_send_arg))
		return;
	on_the_way(s, &d);
}

void
sim_net_deliver(struct sim *s, const struct sim_datagram *d)
{
	struct ike_event ev = { .type = IKE_EV_DATAGRAM };
	bool translated;
	struct sim_node *n = by_addr(s, &d->to.addr, &translated);

	if (n == NULL || n->e == NULL)
		return;
	ev.u.datagram.peer = d->from;
	ev.u.datagram.local = d->to;
	if (translated) {
		if (d->to.port < nat_ports(n))
			return;
		ev.u.datagram.local.addr = n->addr;
		ev.u.datagram.local.port = (uint16_t)(d->to.port - nat_ports(n));
	}
	ev.u.datagram.natt = ev.u.datagram.local.port == n->cfg.natt_port;
	ev.u.datagram.data = d->data;
	s->delivered++;
	s->answering = d;
	sim_event(n, &ev);
	s->answering = NULL;
}

void
sim_inject(struct sim_node *to, const struct endpoint *from, uint16_t to_port, struct bytes data)
{
	struct sim_datagram d = { .from = *from, .to = { to->addr, to_port }, .data = data };

	sim_net_deliver(to->sim, &d);
}
