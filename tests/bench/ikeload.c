/* SPDX-License-Identifier: ISC */
/*
 * Many IKE nodes in one process, for measuring the daemon at the other end: nve-FIRST to
 * nve-(FIRST + COUNT - 1) of a lab, each with its own certificate and underlay address, behind one
 * pair of sockets.
 *
 *     ikeload --lab DIR --role initiator|responder --count N --first K --peer NODE [--window W]
 *
 * Says "ready N". A responder then answers. An initiator reads "start N" from standard input and
 * goes on until N Child SAs came up, W at a time. Both say "up N" with every hundredth Child SA, and
 * when N is what was asked for, and go on answering until standard input ends.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "node_support.h"
#include "shell/udp.h"

#define PORT 500
#define NATT_PORT 4500
#define COMPLAINTS_MAX 20

struct load {
	struct bench_lab lab;
	struct bench_calls calls;
	struct bench_node *nodes;
	uint32_t count, first, window;
	const char *peer;
	bool initiator;
	struct hash *by_addr;
	struct timers timers;
	struct loop *loop;
	struct loop_timer *wake;
	struct loop_io *input;
	struct udp *udp;
	uint32_t target, started, up, lost;
	char line[64];
	size_t n_line;
};

/* ------------------------------------------------------------------ nodes */

static void
node_event(struct load *l, struct bench_node *n, const struct ike_event *ev)
{
	bench_node_event(n, loop_now(l->loop), ev);
	(void)timer_set(&l->timers, &n->timer, ike_deadline(n->e));
}

static void
start_more(struct load *l)
{
	struct bench_node *n;

	while (l->initiator && l->started < l->target && l->started - l->up < l->window) {
		n = &l->nodes[l->started++];
		(void)bench_node_peer(n, loop_now(l->loop), l->peer, true);
		(void)timer_set(&l->timers, &n->timer, ike_deadline(n->e));
	}
}

static void
on_child(void *arg, struct bench_node *n, bool up, const char *text)
{
	struct load *l = arg;

	if (!up && l->lost++ < COMPLAINTS_MAX)
		(void)fprintf(stderr, "ikeload: %s: %s\n", n->id, text);
	if (!up)
		return;
	l->up++;
	if (l->up % 100 == 0 || l->up == l->target)
		(void)printf("up %u\n", l->up);
}

static void
on_send(void *arg, struct bench_node *n, const struct ike_action *a)
{
	struct load *l = arg;
	struct udp_datagram d = {
		.local = a->u.send.local, .peer = a->u.send.peer, .data = a->u.send.data,
		.natt = a->u.send.natt,
	};

	(void)n;
	udp_send(l->udp, &d);
}

static void
on_datagram(void *arg, const struct udp_datagram *d)
{
	struct load *l = arg;
	struct bench_node *n = hash_get(l->by_addr, addr_bytes(&d->local.addr));
	struct ike_event ev = { .type = IKE_EV_DATAGRAM };

	if (n == NULL)
		return;
	ev.u.datagram.local = d->local;
	ev.u.datagram.peer = d->peer;
	ev.u.datagram.data = d->data;
	ev.u.datagram.natt = d->natt;
	node_event(l, n, &ev);
}

/* ------------------------------------------------------------------ the loop */

static void
on_wake(void *arg)
{
	static const struct ike_event tick = { .type = IKE_EV_TICK };
	struct load *l = arg;
	struct timer *t;

	while ((t = timers_pop(&l->timers, loop_now(l->loop))) != NULL)
		node_event(l, (struct bench_node *)(void *)t, &tick);
}

static void
after(void *arg)
{
	struct load *l = arg;

	start_more(l);
	udp_flush(l->udp);
	loop_timer_at(l->wake, timers_next(&l->timers));
	(void)fflush(stdout);
}

static void
on_line(struct load *l)
{
	unsigned n;

	if (sscanf(l->line, "start %u", &n) == 1)
		l->target = n < l->count ? n : l->count;
	else
		(void)fprintf(stderr, "ikeload: not understood: %s\n", l->line);
}

static void
on_input(void *arg, int fd, int what)
{
	struct load *l = arg;
	char c;

	(void)what;
	if (read(fd, &c, 1) != 1) {
		loop_stop(l->loop);
	} else if (c != '\n') {
		if (l->n_line < sizeof l->line - 1)
			l->line[l->n_line++] = c;
	} else {
		l->line[l->n_line] = '\0';
		l->n_line = 0;
		on_line(l);
	}
}

static int
serve_port(struct load *l, uint16_t port, bool natt)
{
	struct endpoint at = { .addr = { .family = ADDR_V4 }, .port = port };
	int fd;

	if (udp_bind(&at, natt, &fd) != OK) {
		perror("ikeload: socket");
		return ERR_IO;
	}
	return udp_add(l->udp, fd, &at, natt);
}

static int
open_loop(struct load *l)
{
	if ((l->loop = loop_new()) == NULL ||
	    (l->wake = loop_timer_new(l->loop, on_wake, l)) == NULL ||
	    (l->input = loop_io_new(l->loop, STDIN_FILENO, LOOP_READ, on_input, l)) == NULL ||
	    (l->udp = udp_new(l->loop, on_datagram, l)) == NULL)
		return ERR_NOMEM;
	loop_after(l->loop, after, l);
	return serve_port(l, PORT, false) == OK ? serve_port(l, NATT_PORT, true) : ERR_IO;
}

static int
open_nodes(struct load *l)
{
	static const uint8_t seed[16] = { 0 };
	char id[ID_MAX];
	uint32_t i;
	int r;

	if ((l->nodes = calloc(l->count, sizeof *l->nodes)) == NULL ||
	    (l->by_addr = hash_new(seed)) == NULL)
		return ERR_NOMEM;
	for (i = 0; i < l->count; i++) {
		struct bench_node *n = &l->nodes[i];

		(void)snprintf(id, sizeof id, "nve-%u", l->first + i);
		if ((r = bench_node_open(n, &l->lab, id, loop_now(l->loop), &l->calls)) != OK ||
		    (r = hash_add(l->by_addr, addr_bytes(&n->addr), n)) != OK ||
		    (!l->initiator &&
		    (r = bench_node_peer(n, loop_now(l->loop), l->peer, false)) != OK))
			return r;
	}
	return OK;
}

static int
run(struct load *l, const char *dir)
{
	int r;

	if ((r = bench_lab_open(&l->lab, dir)) != OK || (r = open_loop(l)) != OK ||
	    (r = open_nodes(l)) != OK)
		return r;
	(void)printf("ready %u\n", l->count);
	(void)fflush(stdout);
	return loop_run(l->loop);
}

static void
finish(struct load *l)
{
	uint32_t i;

	for (i = 0; l->nodes != NULL && i < l->count; i++)
		bench_node_close(&l->nodes[i]);
	free(l->nodes);
	hash_free(l->by_addr);
	timers_free(&l->timers);
	udp_free(l->udp);
	loop_timer_free(l->wake);
	loop_io_free(l->input);
	loop_free(l->loop);
	bench_lab_close(&l->lab);
}

static uint32_t
number(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "lab", required_argument, NULL, 'l' }, { "role", required_argument, NULL, 'r' },
		{ "count", required_argument, NULL, 'n' }, { "first", required_argument, NULL, 'f' },
		{ "peer", required_argument, NULL, 'p' }, { "window", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct load l = { .window = 48, .first = 2, .peer = "nve-1" };
	const char *dir = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'l')
			dir = optarg;
		else if (c == 'r')
			l.initiator = strcmp(optarg, "initiator") == 0;
		else if (c == 'n')
			l.count = number(optarg);
		else if (c == 'f')
			l.first = number(optarg);
		else if (c == 'p')
			l.peer = optarg;
		else if (c == 'w')
			l.window = number(optarg);
		else
			return 2;
	}
	if (dir == NULL || l.count == 0 || l.window == 0) {
		(void)fprintf(stderr, "ikeload: --lab DIR --role ROLE --count N are needed\n");
		return 2;
	}
	l.calls = (struct bench_calls){ .arg = &l, .send = on_send, .child = on_child };
	r = run(&l, dir);
	finish(&l);
	return r == OK ? 0 : 1;
}
