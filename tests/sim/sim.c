/* SPDX-License-Identifier: ISC */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum item_kind { ITEM_DATAGRAM, ITEM_ANSWER };

/* Something that is going to happen; it owns what it points to. */
struct sim_item {
	int64_t at;
	uint64_t age;
	enum item_kind kind;
	struct sim_node *node;           /* answers */
	struct ike *engine;              /* ... of this life of the node */
	struct sim_datagram datagram;
	struct ike_event *event;
	void *own[3];
};

void *
sim_alloc(size_t n)
{
	void *p = calloc(1, n == 0 ? 1 : n);

	if (p == NULL)
		abort();
	return p;
}

/* splitmix64, by Sebastiano Vigna's public-domain description. */
uint64_t
sim_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t
sim_below(struct sim *s, uint32_t n)
{
	return n == 0 ? 0 : (uint32_t)(sim_random(&s->rng) % n);
}

void
sim_violation(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->violation[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(s->violation, sizeof s->violation, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "violation at %lld ms: %s\n", (long long)s->now, s->violation);
}

struct sim *
sim_new(uint64_t seed)
{
	struct sim *s = sim_alloc(sizeof *s);

	s->rng = seed;
	s->delay_min = 1;
	s->delay_max = 3;
	s->now = 1000;
	s->verbose = getenv("SIM_VERBOSE") != NULL;
	return s;
}

static void
item_free(struct sim_item *i)
{
	size_t k;

	free(i->event);
	for (k = 0; k < sizeof i->own / sizeof i->own[0]; k++)
		free(i->own[k]);
}

void
sim_free(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->n_items; i++)
		item_free(&s->items[i]);
	free(s->items);
	for (i = 0; i < s->n_nodes; i++) {
		ike_free(s->nodes[i]->e);
		free(s->nodes[i]->esp);
		free(s->nodes[i]->verified);
		free(s->nodes[i]);
	}
	free(s);
}

/* ---- what is going to happen ---- */

static bool
sooner(const struct sim_item *a, const struct sim_item *b)
{
	return a->at != b->at ? a->at < b->at : a->age < b->age;
}

static void
swap(struct sim_item *a, struct sim_item *b)
{
	struct sim_item t = *a;

	*a = *b;
	*b = t;
}

static void
push(struct sim *s, struct sim_item item)
{
	size_t i;

	if (s->n_items == s->cap_items) {
		s->cap_items = s->cap_items == 0 ? 64 : 2 * s->cap_items;
		if ((s->items = realloc(s->items, s->cap_items * sizeof *s->items)) == NULL)
			abort();
	}
	item.age = s->next_age++;
	s->items[i = s->n_items++] = item;
	for (; i > 0 && sooner(&s->items[i], &s->items[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&s->items[i], &s->items[(i - 1) / 2]);
}

static struct sim_item
pop(struct sim *s)
{
	struct sim_item first = s->items[0];
	size_t i = 0, child;

	s->items[0] = s->items[--s->n_items];
	while ((child = 2 * i + 1) < s->n_items) {
		if (child + 1 < s->n_items && sooner(&s->items[child + 1], &s->items[child]))
			child++;
		if (!sooner(&s->items[child], &s->items[i]))
			break;
		swap(&s->items[child], &s->items[i]);
		i = child;
	}
	return first;
}

static void *
keep(const void *p, size_t n)
{
	void *copy = sim_alloc(n);

	if (n != 0)
		memcpy(copy, p, n);
	return copy;
}

void
sim_schedule_datagram(struct sim *s, int64_t at, const struct sim_datagram *d)
{
	struct sim_item i = { .at = at, .kind = ITEM_DATAGRAM, .datagram = *d };

	i.own[0] = keep(d->data.p, d->data.n);
	i.datagram.data.p = i.own[0];
	push(s, i);
}

void
sim_schedule_answer(struct sim_node *n, int64_t at, const struct ike_event *ev)
{
	struct sim_item i = { .at = at, .kind = ITEM_ANSWER, .node = n, .engine = n->e };

	i.event = keep(ev, sizeof *ev);
	if (ev->type == IKE_EV_SIGNED && ev->rc == OK)
		i.event->u.sign.auth.p = i.own[0] = keep(ev->u.sign.auth.p, ev->u.sign.auth.n);
	if (ev->type == IKE_EV_VERIFIED && ev->rc == OK)
		i.event->u.verified.identity = i.own[0] = keep(ev->u.verified.identity,
		    strlen(ev->u.verified.identity) + 1);
	if (ev->type == IKE_EV_AUTHORIZED && ev->rc == OK) {
		i.event->u.authorized.node = i.own[0] = keep(ev->u.authorized.node,
		    strlen(ev->u.authorized.node) + 1);
		i.event->u.authorized.channels = i.own[1] = keep(ev->u.authorized.channels,
		    ev->u.authorized.n_channels * sizeof *ev->u.authorized.channels);
	}
	push(n->sim, i);
}

/* ---- letting it happen ---- */

static void
note_report(struct sim_node *n, const struct ike_action *a)
{
	const char *text = a->u.report.text;

	n->reports[a->u.report.type]++;
	if (a->u.report.level <= LOG_WARN_)
		(void)snprintf(n->last_log, sizeof n->last_log, "%s", text);
	if (strstr(text, "bug:") != NULL)
		sim_violation(n->sim, "%s: %s", n->name, text);
	if (n->sim->verbose)
		(void)fprintf(stderr, "%8lld %-6s %s\n", (long long)n->sim->now, n->name, text);
}

static void
drain(struct sim_node *n)
{
	struct ike_action a;

	while (ike_next_action(n->e, &a)) {
		switch (a.type) {
		case IKE_ACT_SEND:
			sim_transmit(n, &a);
			break;
		case IKE_ACT_SIGN:
		case IKE_ACT_VERIFY:
		case IKE_ACT_AUTHORIZE:
		case IKE_ACT_SA_ADD:
			sim_job(n, &a);
			break;
		case IKE_ACT_SA_DEL:
			sim_backend_del(n, a.u.sa_del.pair);
			break;
		case IKE_ACT_REPORT:
			note_report(n, &a);
			break;
		}
	}
}

void
sim_event(struct sim_node *n, const struct ike_event *ev)
{
	ike_input(n->e, n->sim->now, ev);
	drain(n);
}

void
sim_command(struct sim_node *n, enum ike_event_type type, const char *node)
{
	struct ike_event ev = { .type = type };

	(void)snprintf(ev.u.node, sizeof ev.u.node, "%s", node);
	sim_event(n, &ev);
}

static void
happen(struct sim *s, struct sim_item *i)
{
	if (i->kind == ITEM_DATAGRAM)
		sim_net_deliver(s, &i->datagram);
	else if (i->node->e == i->engine)
		sim_event(i->node, i->event);
	item_free(i);
}

static int64_t
next_time(const struct sim *s)
{
	int64_t at = s->n_items == 0 ? INT64_MAX : s->items[0].at, deadline;
	size_t i;

	for (i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->e != NULL && (deadline = ike_deadline(s->nodes[i]->e)) < at)
			at = deadline;
	return at;
}

bool
sim_step(struct sim *s)
{
	static const struct ike_event tick = { .type = IKE_EV_TICK };
	int64_t at = next_time(s);
	struct sim_item item;
	size_t i;

	if (at == INT64_MAX)
		return false;
	if (at > s->now)
		s->now = at;
	if (s->n_items != 0 && s->items[0].at <= s->now) {
		item = pop(s);
		happen(s, &item);
		return true;
	}
	for (i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->e != NULL && ike_deadline(s->nodes[i]->e) <= s->now)
			sim_event(s->nodes[i], &tick);
	return true;
}

void
sim_run(struct sim *s, int64_t ms)
{
	int64_t end = s->now + ms;

	while (next_time(s) <= end && sim_step(s))
		;
	s->now = end;
}

bool
sim_until(struct sim *s, bool (*done)(struct sim *), int64_t ms)
{
	int64_t end = s->now + ms;

	while (!done(s))
		if (next_time(s) > end || !sim_step(s))
			return false;
	return true;
}

void
sim_quiet(struct sim *s)
{
	while (s->n_items != 0 && sim_step(s))
		;
}
