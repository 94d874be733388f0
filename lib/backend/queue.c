/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "backend/host.h"

void
host_queue(struct backend_host *h, const struct pending *what)
{
	struct pending *p = malloc(sizeof *p);

	if (p == NULL) {
		/* From here on results would go to the wrong calls; a new process begins in order. */
		log_error("out of memory: ending, since a call of the backend can't be followed");
		h->queue.lost = h->stop = true;
		h->status = EXIT_FAILURE;
		return;
	}
	*p = *what;
	p->next = NULL;
	if (h->queue.head == NULL)
		h->queue.head = p;
	else
		h->queue.tail->next = p;
	h->queue.tail = p;
	h->queue.n++;
}

static void
answered(void *arg, int result)
{
	struct backend_host *h = arg;
	struct pending *p = h->queue.head;

	if (h->queue.due == 0) {
		log_error("%s answers a call that nobody made", h->ops->name);
		return;
	}
	h->queue.due--;
	h->queue.n--;
	h->queue.head = p->next;
	host_settled(h, p, result > 0 ? ERR_IO : result);
	free(p);
}

void
host_settle(struct backend_host *h)
{
	/* Results make further calls: once, since those are our own. */
	while (h->queue.head != NULL && !h->queue.lost) {
		h->queue.due = h->queue.n;
		if (h->ops->settle != NULL)
			h->ops->settle(h->b, answered, h);
		if (h->queue.due != 0)
			log_error("%s left %zu calls without an answer", h->ops->name, h->queue.due);
		while (h->queue.due != 0)
			answered(h, ERR_IO);
	}
}

bool
host_set_again(const struct backend_host *h, uint32_t grant)
{
	const struct pending *p;

	for (p = h->queue.head; p != NULL; p = p->next)
		if (p->kind == PENDING_GRANT_SET && p->number == grant)
			return true;
	return false;
}

void
host_queue_free(struct backend_host *h)
{
	struct pending *p;

	while ((p = h->queue.head) != NULL) {
		h->queue.head = p->next;
		free(p);
	}
	h->queue.n = h->queue.due = 0;
}
