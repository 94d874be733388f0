/* SPDX-License-Identifier: ISC */
/*
 * Handshakes without processes and network: engine and cryptography of both sides in one process,
 * each datagram handed over at once. What the daemon needs above this goes to its processes and
 * system calls. Also what to put under a profiler.
 *
 *     handshake DIR INITIATOR RESPONDER [COUNT]
 *
 * prints nanoseconds of processor time per handshake and side: "initiator N", "responder N".
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "node_support.h"

struct duo {
	struct bench_lab lab;
	struct bench_calls calls;
	struct bench_node node[2];
	int64_t now, spent[2];
	int busy;                        /* who is charged */
	int64_t since;
	struct blob wire[8];             /* datagrams on their way, */
	struct ike_action meta[8];       /* from whom to whom */
	struct bench_node *from[8];
	size_t head, tail;
	uint32_t up;
};
#define WIRE 8

static int64_t
cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
on_send(void *arg, struct bench_node *n, const struct ike_action *a)
{
	struct duo *d = arg;
	size_t i = d->tail++ % WIRE;

	if (d->tail - d->head > WIRE || blob_copy(&d->wire[i], a->u.send.data) != OK)
		abort();
	d->meta[i] = *a;
	d->from[i] = n;
}

static void
on_child(void *arg, struct bench_node *n, bool up, const char *text)
{
	struct duo *d = arg;

	(void)n;
	(void)text;
	d->up += up;
}

static void
give(struct duo *d, struct bench_node *n, const struct ike_event *ev)
{
	int64_t begin = cpu_ns();

	bench_node_event(n, d->now, ev);
	d->spent[n == &d->node[1]] += cpu_ns() - begin;
}

static void
deliver(struct duo *d)
{
	struct ike_event ev = { .type = IKE_EV_DATAGRAM };
	size_t i;

	while (d->head < d->tail) {
		i = d->head++ % WIRE;
		ev.u.datagram.local = d->meta[i].u.send.peer;
		ev.u.datagram.peer = d->meta[i].u.send.local;
		ev.u.datagram.natt = d->meta[i].u.send.natt;
		ev.u.datagram.data = blob_view(&d->wire[i]);
		give(d, d->from[i] == &d->node[0] ? &d->node[1] : &d->node[0], &ev);
	}
}

/* A handshake, and the SAs' deletion, which is not charged. */
static bool
once(struct duo *d)
{
	struct ike_event ev = { .type = IKE_EV_INITIATE };
	uint32_t up = d->up;
	int64_t spent[2];

	(void)snprintf(ev.u.node, sizeof ev.u.node, "%s", d->node[1].id);
	give(d, &d->node[0], &ev);
	deliver(d);
	memcpy(spent, d->spent, sizeof spent);
	ev.type = IKE_EV_CLOSE;
	give(d, &d->node[0], &ev);
	deliver(d);
	ev.type = IKE_EV_TICK;
	d->now += 3600 * 1000;
	give(d, &d->node[0], &ev);
	give(d, &d->node[1], &ev);
	deliver(d);
	memcpy(d->spent, spent, sizeof spent);
	return d->up == up + 2;
}

int
main(int argc, char **argv)
{
	unsigned long i, n = argc > 4 ? strtoul(argv[4], NULL, 10) : 1000;
	struct duo d;
	int status = 1;

	if (argc < 4) {
		(void)fprintf(stderr, "usage: handshake DIR INITIATOR RESPONDER [COUNT]\n");
		return 2;
	}
	memset(&d, 0, sizeof d);
	d.calls = (struct bench_calls){ .arg = &d, .send = on_send, .child = on_child };
	d.now = 1000;
	if (bench_lab_open(&d.lab, argv[1]) != OK ||
	    bench_node_open(&d.node[0], &d.lab, argv[2], d.now, &d.calls) != OK ||
	    bench_node_open(&d.node[1], &d.lab, argv[3], d.now, &d.calls) != OK ||
	    bench_node_peer(&d.node[0], d.now, argv[3], false) != OK ||
	    bench_node_peer(&d.node[1], d.now, argv[2], false) != OK)
		goto out;
	for (i = 0; i < n + n / 10; i++) {
		if (i == n / 10)
			memset(d.spent, 0, sizeof d.spent);
		if (!once(&d)) {
			(void)fprintf(stderr, "handshake: number %lu failed\n", i);
			goto out;
		}
	}
	(void)printf("initiator %lld\nresponder %lld\n", (long long)(d.spent[0] / (int64_t)n),
	    (long long)(d.spent[1] / (int64_t)n));
	status = 0;
out:
	for (i = 0; i < 2; i++)
		bench_node_close(&d.node[i]);
	for (i = 0; i < WIRE; i++)
		blob_free(&d.wire[i]);
	bench_lab_close(&d.lab);
	return status;
}
