/* SPDX-License-Identifier: ISC */
#include "backend/conn.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/seqpacket.h"

#define RESULTS_MAX 65535u
#define BATCH_OCTETS 8192u

struct conn_msg {
	struct conn_msg *next;
	uint16_t type;
	size_t n;
	uint8_t body[];
};

void
conn_init(struct conn *c, enum proc_id proc)
{
	memset(c, 0, sizeof *c);
	c->fd = -1;
	c->proc = proc;
}

void
conn_close(struct conn *c)
{
	struct conn_msg *m;
	uint32_t serial;

	while ((m = c->head) != NULL) {
		c->head = m->next;
		free(m);
	}
	free(c->results);
	free(c->batch.p);
	if (c->fd != -1)
		(void)close(c->fd);
	serial = c->serial + 1;
	conn_init(c, c->proc);
	c->serial = serial;
}

void
conn_open(struct conn *c, int fd)
{
	conn_close(c);
	c->fd = fd;
}

static int
enqueue(struct conn *c, uint16_t type, struct bytes body)
{
	struct conn_msg *m;

	if (c->queued + body.n > CONN_QUEUE_MAX)
		return ERR_SPACE;
	if ((m = malloc(sizeof *m + body.n)) == NULL)
		return ERR_NOMEM;
	m->next = NULL;
	m->type = type;
	m->n = body.n;
	if (body.n != 0)
		memcpy(m->body, body.p, body.n);
	if (c->head == NULL)
		c->head = m;
	else
		c->tail->next = m;
	c->tail = m;
	c->queued += body.n;
	return OK;
}

static int
send_now(struct conn *c, uint16_t type, struct bytes body)
{
	int r = ERR_AGAIN;

	if (c->head == NULL)
		r = seq_send(c->fd, type, body, -1);
	if (r == ERR_AGAIN)
		r = enqueue(c, type, body);
	if (r != OK)
		c->broken = true;
	return r;
}

int
conn_send(struct conn *c, uint16_t type, struct bytes body)
{
	conn_release(c);
	return c->fd == -1 || c->broken ? ERR_GONE : send_now(c, type, body);
}

int
conn_later(struct conn *c, uint16_t type, struct bytes body)
{
	uint8_t *p;

	if (c->fd == -1 || c->broken)
		return ERR_GONE;
	if (c->batch.p == NULL && (p = malloc(BATCH_OCTETS)) != NULL)
		c->batch = wr_fixed(p, BATCH_OCTETS);
	if (c->batch.cap - c->batch.n < SEQ_SEVERAL_HEAD + body.n)
		conn_release(c);
	if (c->batch.cap - c->batch.n < SEQ_SEVERAL_HEAD + body.n)
		return conn_send(c, type, body);
	seq_pack(&c->batch, type, body);
	c->n_batch++;
	return OK;
}

void
conn_release(struct conn *c)
{
	struct bytes body = wr_view(&c->batch);
	struct rd r = rd_open(body);
	uint16_t type = SEQ_SEVERAL;

	if (c->n_batch == 0)
		return;
	if (c->n_batch == 1)
		(void)seq_unpack(&r, &type, &body);
	c->n_batch = 0;
	if (c->fd != -1 && !c->broken)
		(void)send_now(c, type, body);
	c->batch.n = 0;
}

void
conn_flush(struct conn *c)
{
	struct conn_msg *m;
	int r;

	while ((m = c->head) != NULL) {
		if ((r = seq_send(c->fd, m->type, bytes_of(m->body, m->n), -1)) == ERR_AGAIN)
			return;
		if (r != OK) {
			c->broken = true;
			return;
		}
		c->head = m->next;
		c->queued -= m->n;
		free(m);
	}
}

void
conn_result(struct conn *c, int result)
{
	if (c->n_results == c->cap_results) {
		size_t cap = c->cap_results == 0 ? 64 : c->cap_results * 2;
		int16_t *more = NULL;

		if (c->n_results < RESULTS_MAX)
			more = realloc(c->results, cap * sizeof *more);
		if (more == NULL) {
			c->broken = true;
			return;
		}
		c->results = more;
		c->cap_results = cap;
	}
	c->results[c->n_results++] = (int16_t)result;
	if (c->n_results > RESULTS_MAX)
		c->broken = true;
}

void
conn_result_at(struct conn *c, size_t place, int result)
{
	if (place < c->n_results)
		c->results[place] = (int16_t)result;
}

void
conn_done(struct conn *c, uint32_t generation)
{
	struct wr w = wr_grow(6 + 2 * RESULTS_MAX);
	size_t i;

	wr_u32(&w, generation);
	wr_u16(&w, (uint16_t)c->n_results);
	for (i = 0; i < c->n_results; i++)
		wr_u16(&w, (uint16_t)c->results[i]);
	c->n_results = 0;
	if (w.bad)
		c->broken = true;
	else
		(void)conn_later(c, BK_DONE, wr_view(&w));
	wr_free(&w);
}
