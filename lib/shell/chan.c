/* SPDX-License-Identifier: ISC */
#include "shell/chan.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

#define QUEUE_DEFAULT (4u * 1024 * 1024)
#define PER_WAKEUP 64      /* messages taken from one channel before others get their turn */
#define BATCH_OCTETS (32u * 1024)

struct queued {
	struct queued *next;
	struct blob body;
	uint16_t type;
	int fd;
};

struct chan {
	struct loop *loop;
	struct loop_io *io;
	struct chan_setup setup;
	char name[32];
	uint32_t phase;
	int fd;
	bool broken;
	int depth;               /* handlers running: freeing waits for them */
	bool freed;
	bool fd_taken;
	struct queued *first, **last;
	size_t octets;
	struct wr batch;         /* of this wake-up: a packet of several messages */
	unsigned n_batch;
	struct loop_later later; /* sends it */
	uint8_t *buf;            /* SEQ_MAX, secrets pass through: wiped after use */
};

static void chan_readable(struct chan *);
static void chan_writable(struct chan *);
static void batch_late(void *arg);

static void
chan_event(void *arg, int fd, int what)
{
	struct chan *c = arg;

	(void)fd;
	c->depth++;
	if ((what & LOOP_WRITE) && !c->freed && !c->broken)
		chan_writable(c);
	if ((what & LOOP_READ) && !c->freed && !c->broken)
		chan_readable(c);
	c->depth--;
	if (c->freed && c->depth == 0)
		chan_free(c);
}

struct chan *
chan_new(struct loop *l, int fd, const struct chan_setup *setup)
{
	struct chan *c = calloc(1, sizeof *c);

	if (c == NULL)
		goto fail;
	c->loop = l;
	c->fd = fd;
	c->setup = *setup;
	c->phase = setup->phase;
	c->last = &c->first;
	if (c->setup.queue_octets == 0)
		c->setup.queue_octets = QUEUE_DEFAULT;
	(void)strncpy(c->name, setup->name, sizeof c->name - 1);
	c->later = (struct loop_later){ .fn = batch_late, .arg = c };
	if ((c->buf = malloc(SEQ_MAX)) == NULL)
		goto fail;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		goto fail;
	if ((c->io = loop_io_new(l, fd, LOOP_READ, chan_event, c)) == NULL)
		goto fail;
	return c;
fail:
	if (c != NULL)
		free(c->buf);
	free(c);
	(void)close(fd);
	return NULL;
}

static void
drop_first(struct chan *c)
{
	struct queued *q = c->first;

	c->first = q->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->octets -= q->body.n;
	if (q->fd != -1)
		(void)close(q->fd);
	wipe(q->body.p, q->body.n);
	blob_free(&q->body);
	free(q);
}

/* Descriptor and queue go at once, so that the other side sees the end of it. */
static void
chan_shut(struct chan *c)
{
	loop_io_free(c->io);
	c->io = NULL;
	loop_later_cancel(c->loop, &c->later);
	wipe(c->batch.p, c->batch.n);
	free(c->batch.p);
	c->batch = wr_fixed(NULL, 0);
	while (c->first != NULL)
		drop_first(c);
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	c->broken = true;
}

void
chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	if (!c->broken)
		chan_shut(c);
	c->freed = true;
	if (c->depth > 0)
		return;
	wipe(c->buf, SEQ_MAX);
	free(c->buf);
	free(c);
}

static void
chan_break(struct chan *c, int err, const char *why)
{
	if (c->broken)
		return;
	chan_shut(c);
	c->depth++;
	if (c->setup.broken != NULL)
		c->setup.broken(c->setup.broken_arg, c, err, why);
	c->depth--;
	if (c->freed && c->depth == 0)
		chan_free(c);
}

uint32_t
chan_phase(const struct chan *c)
{
	return c->phase;
}

void
chan_set_phase(struct chan *c, uint32_t phase)
{
	c->phase = phase;
}

size_t
chan_queued(const struct chan *c)
{
	return c->octets + c->batch.n;
}

void
chan_take_fd(struct chan *c)
{
	c->fd_taken = true;
}

/* ------------------------------------------------------------------ receiving */

static const struct chan_rule *
rule_find(const struct chan *c, uint16_t type)
{
	size_t i;

	for (i = 0; i < c->setup.n_rules; i++)
		if (c->setup.rules[i].type == type)
			return &c->setup.rules[i];
	return NULL;
}

/* NULL when the message may be handled, else what is wrong with it. */
static const char *
rule_judge(const struct chan *c, const struct chan_rule *rule, struct bytes body, int fd)
{
	if (rule == NULL)
		return "unknown message type";
	if ((rule->phases & c->phase) == 0)
		return "message not legal in this phase";
	if (body.n < rule->min || body.n > rule->max)
		return "message of a wrong length";
	if (rule->fd != (fd != -1))
		return rule->fd ? "message without its descriptor" : "unexpected descriptor";
	return NULL;
}

static void
chan_message(struct chan *c, uint16_t type, struct bytes body, int fd)
{
	const struct chan_rule *rule = rule_find(c, type);
	const char *why = rule_judge(c, rule, body, fd);
	void *arg = c->setup.arg;
	int r;

	if (rule != NULL && rule < c->setup.rules + c->setup.n_own)
		arg = c->setup.own_arg;
	c->fd_taken = false;
	if (why != NULL) {
		chan_break(c, ERR_PROTO, why);
	} else if ((r = rule->fn(arg, c, body, fd)) != OK) {
		chan_break(c, r, err_str(r));
	}
	if (fd != -1 && !c->fd_taken)
		(void)close(fd);
}

static void
chan_several(struct chan *c, struct bytes packet)
{
	struct rd r = rd_open(packet);
	struct bytes body;
	uint16_t type;
	int rc = 1;

	while (!c->broken && (rc = seq_unpack(&r, &type, &body)) == 1)
		chan_message(c, type, body, -1);
	if (rc < 0)
		chan_break(c, ERR_PROTO, err_str(rc));
}

static void
chan_readable(struct chan *c)
{
	struct bytes body;
	uint16_t type;
	int i, r, fd;

	for (i = 0; i < PER_WAKEUP && !c->broken; i++) {
		r = seq_recv(c->fd, c->buf, &type, &body, &fd);
		if (r == ERR_AGAIN)
			return;
		if (r != OK) {
			chan_break(c, r == ERR_SYNTAX ? ERR_PROTO : ERR_GONE, err_str(r));
			return;
		}
		if (type == SEQ_SEVERAL && fd == -1)
			chan_several(c, body);
		else
			chan_message(c, type, body, fd);
		/*
		 * A handler may have broken, or asked to free, the channel; the buffer is there
		 * still.
		 */
		wipe(c->buf, body.n + 2);
	}
}

void
chan_read_rest(struct chan *c)
{
	c->depth++;
	if (!c->broken)
		chan_readable(c);
	c->depth--;
	if (c->freed && c->depth == 0)
		chan_free(c);
}

/* ------------------------------------------------------------------ sending */

static int
chan_queue(struct chan *c, uint16_t type, struct bytes body, int fd)
{
	struct queued *q;

	if (c->octets + body.n > c->setup.queue_octets)
		return ERR_SPACE;
	if ((q = calloc(1, sizeof *q)) == NULL)
		return ERR_NOMEM;
	q->type = type;
	q->fd = -1;
	if (blob_copy(&q->body, body) != OK ||
	    (fd != -1 && (q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)) {
		blob_free(&q->body);
		free(q);
		return ERR_NOMEM;
	}
	*c->last = q;
	c->last = &q->next;
	c->octets += body.n;
	loop_io_want(c->io, LOOP_READ | LOOP_WRITE);
	return OK;
}

/* What can't be sent now is queued. */
static int
send_or_queue(struct chan *c, uint16_t type, struct bytes body, int fd)
{
	int r;

	if (c->first == NULL) {
		r = seq_send(c->fd, type, body, fd);
		/* The end of the other side is told by the loop, never from within a send. */
		if (r != ERR_AGAIN)
			return r;
	}
	return chan_queue(c, type, body, fd);
}

/* Room was looked for when the messages came, so that nothing but memory can be missing. */
static int
batch_flush(struct chan *c)
{
	struct rd r = rd_open(wr_view(&c->batch));
	struct bytes body = wr_view(&c->batch);
	uint16_t type = SEQ_SEVERAL;
	int rc;

	if (c->n_batch == 0)
		return OK;
	loop_later_cancel(c->loop, &c->later);
	if (c->n_batch == 1)
		(void)seq_unpack(&r, &type, &body);
	rc = send_or_queue(c, type, body, -1);
	wipe(c->batch.p, c->batch.n);
	c->batch.n = 0;
	c->n_batch = 0;
	return rc;
}

static void
batch_late(void *arg)
{
	struct chan *c = arg;
	int r;

	c->depth++;
	if ((r = batch_flush(c)) != OK && r != ERR_GONE)
		chan_break(c, r, err_str(r));
	c->depth--;
	if (c->freed && c->depth == 0)
		chan_free(c);
}

static bool
batch_add(struct chan *c, uint16_t type, struct bytes body)
{
	uint8_t *p;

	if (!c->setup.batch || body.n > BATCH_OCTETS / 4 || !loop_later(c->loop, &c->later))
		return false;
	if (c->batch.p == NULL && (p = malloc(BATCH_OCTETS)) != NULL)
		c->batch = wr_fixed(p, BATCH_OCTETS);
	if (c->batch.cap - c->batch.n < SEQ_SEVERAL_HEAD + body.n)
		return false;
	seq_pack(&c->batch, type, body);
	c->n_batch++;
	return true;
}

static int
flush(struct chan *c)
{
	int r = OK;

	while (c->first != NULL) {
		r = seq_send(c->fd, c->first->type, blob_view(&c->first->body), c->first->fd);
		if (r == ERR_AGAIN || r == ERR_GONE || r == ERR_IO)
			return r;
		drop_first(c);
	}
	return OK;
}

static void
chan_writable(struct chan *c)
{
	int r = flush(c);

	if (r == OK)
		loop_io_want(c->io, LOOP_READ);
	else if (r != ERR_AGAIN)
		chan_break(c, ERR_GONE, err_str(r));
}

int
chan_send(struct chan *c, uint16_t type, struct bytes body, int fd)
{
	int r;

	if (c == NULL || c->broken)
		return ERR_GONE;
	if (body.n > SEQ_MAX - 2 || chan_queued(c) + body.n > c->setup.queue_octets)
		return ERR_SPACE;
	if (fd == -1 && batch_add(c, type, body))
		return OK;
	if ((r = batch_flush(c)) != OK)
		return r;
	return send_or_queue(c, type, body, fd);
}

int
chan_send_wr(struct chan *c, uint16_t type, struct wr *w)
{
	int r = w->bad ? ERR_SPACE : chan_send(c, type, wr_view(w), -1);

	if (w->grows)
		wr_free(w);
	return r;
}

int
chan_drain(struct chan *c, int ms)
{
	struct pollfd p;
	int r;

	if (c == NULL || c->broken)
		return ERR_GONE;
	if ((r = batch_flush(c)) != OK)
		return r;
	while ((r = flush(c)) == ERR_AGAIN) {
		p = (struct pollfd){ .fd = c->fd, .events = POLLOUT };
		if (poll(&p, 1, ms) <= 0)
			return ERR_TIMEOUT;
	}
	return r;
}
