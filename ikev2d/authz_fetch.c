/* SPDX-License-Identifier: ISC */
/*
 * The document: a worker thread fetches and verifies, since both block; this thread swaps the
 * table. A bad or missing document changes nothing but the alarms.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "ikev2d/authz.h"
#include "nvo3/value.h"

/*
 * One octet to the worker asks for work, one back says that `result` is ready: the two threads
 * never look at the fields below at the same time.
 */
struct fetcher {
	struct authz *authz;
	pthread_t thread;
	bool running;            /* the thread was made */
	bool busy;               /* asked, and not answered yet */
	bool again;              /* asked once more meanwhile */
	int ask[2], answer[2];   /* pipes: read end, write end */
	struct loop_io *io;
	struct loop_timer *timer;

	/* The worker's, while busy; else ours. */
	struct nvo3_source source;
	struct nvo3_trust trust;
	char etag[128];
	bool recall;             /* from disk, not from the server */
	int rc;
	bool not_modified;
	struct nvo3_document doc;
	char why[256];
};

/* ------------------------------------------------------------------ the worker's side */

static void
work(struct fetcher *f)
{
	struct nvo3_fetched got;

	memset(&got, 0, sizeof got);
	memset(&f->doc, 0, sizeof f->doc);
	f->why[0] = '\0';
	f->not_modified = false;
	if (f->recall) {
		f->rc = nvo3_recall(&f->trust, (int64_t)time(NULL), &f->doc, f->why);
		return;
	}
	f->rc = nvo3_fetch(&f->source, f->etag, &got, f->why);
	if (f->rc == OK && got.not_modified) {
		f->not_modified = true;
	} else if (f->rc == OK) {
		f->rc = nvo3_accept(&f->trust, blob_view(&got.octets), (int64_t)time(NULL), &f->doc,
		    f->why);
		/* A document that was refused is looked at again next time, changed or not. */
		memcpy(f->etag, f->rc == OK ? got.etag : "", f->rc == OK ? sizeof f->etag : 1);
	}
	blob_free(&got.octets);
}

static void *
worker(void *arg)
{
	struct fetcher *f = arg;
	uint8_t one;
	ssize_t r;

	for (;;) {
		while ((r = read(f->ask[0], &one, 1)) < 0 && errno == EINTR)
			;
		if (r != 1)
			return NULL;
		work(f);
		if (write(f->answer[1], &one, 1) != 1)
			return NULL;
	}
}

/* ------------------------------------------------------------------ this side */

void
authz_alarm(struct authz *a, int which, const char *text)
{
	struct msg_alarm *alarm = &a->alarms[which];

	if (strncmp(alarm->text, text, sizeof alarm->text - 1) == 0)
		return;
	if (*text != '\0')
		log_warn("alarm: %s", text);
	else
		log_info("alarm over: %s", alarm->text);
	if (*text == '\0' || alarm->text[0] == '\0')
		alarm->since = *text == '\0' ? 0 : authz_now_s();
	(void)snprintf(alarm->text, sizeof alarm->text, "%s", text);
}

static void
ask(struct fetcher *f, bool recall)
{
	uint8_t one = 1;

	if (f->busy) {
		f->again = true;
		return;
	}
	f->recall = recall;
	f->busy = write(f->ask[1], &one, 1) == 1;
}

/* Ten per cent early or late, so that a fleet that was started together spreads out. */
static void
next_time(struct fetcher *f)
{
	int64_t ms = (int64_t)f->authz->config->refresh * 1000;
	uint8_t random[2] = { 0, 0 };
	int64_t spread;

	(void)crypto_random(random, sizeof random);
	spread = (random[0] << 8 | random[1]) * (ms / 5) / 65536;
	loop_timer_in(f->timer, ms - ms / 10 + spread);
}

static void
swap(struct authz *a, struct nvo3_document *doc, const char *source)
{
	bool changed = a->doc.table == NULL || a->doc.table->serial != doc->table->serial ||
	    a->doc.table->epoch != doc->table->epoch;

	nvo3_document_free(&a->doc);
	a->doc = *doc;
	memset(doc, 0, sizeof *doc);
	authz_describe(a, source);
	if (changed)
		log_info("document of %s: serial %llu, %u nodes, from %s", a->about.nva,
		    (unsigned long long)a->about.serial, a->about.nodes, source);
	if (changed && a->doc.table->enforcement != ENFORCE_REQUIRE)
		log_warn("enforcement=\"%s\" of the document is not there yet and is taken as \"require\": "
		    "what has no SA is dropped", value_name(words_enforcement, a->doc.table->enforcement));
	a->tried = true;
	authz_recover_begin(a);
	authz_peers_again(a);
	authz_grants_again(a);
}

static void
answered_recall(struct fetcher *f)
{
	struct authz *a = f->authz;

	if (f->rc == OK)
		swap(a, &f->doc, "disk");
	else if (f->rc != ERR_NOTFOUND)
		log_warn("the document kept on disk is of no use: %s", f->why);
	ask(f, false);
}

static void
answered_fetch(struct fetcher *f)
{
	struct authz *a = f->authz;
	char text[900];

	if (f->rc == OK) {
		a->about.fetched = authz_now_s();
		authz_alarm(a, ALARM_FETCH, "");
		if (!f->not_modified)
			swap(a, &f->doc, "url");
	} else {
		(void)snprintf(text, sizeof text, "%s: %s%s", a->config->url,
		    *f->why != '\0' ? f->why : err_str(f->rc),
		    a->doc.table != NULL ? " (the last good document stays)" : "");
		authz_alarm(a, ALARM_FETCH, text);
	}
	a->tried = true;
	authz_recover_begin(a);
	authz_grants_tick(a);
	next_time(f);
}

static void
answered(void *arg, int fd, int what)
{
	struct fetcher *f = arg;
	uint8_t one;

	(void)what;
	if (read(fd, &one, 1) != 1)
		return;
	f->busy = false;
	if (f->recall)
		answered_recall(f);
	else
		answered_fetch(f);
	if (f->again && !f->busy) {
		f->again = false;
		ask(f, false);
	}
}

static void
timer_due(void *arg)
{
	ask(arg, false);
}

void
authz_fetch_now(struct authz *a)
{
	ask(a->fetcher, false);
}

static int
make_pipe(int fd[2])
{
	if (pipe(fd) != 0)
		return ERR_IO;
	if (fcntl(fd[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd[1], F_SETFD, FD_CLOEXEC) != 0)
		return ERR_IO;
	return OK;
}

static const char *
given(const char *s)
{
	return *s == '\0' ? NULL : s;
}

static void
describe_work(struct fetcher *f, const struct config *c)
{
	f->source = (struct nvo3_source){
		.url = c->url, .tls_ca = given(c->tls_ca), .tls_cert = given(c->tls_certificate),
		.tls_key = given(c->tls_key), .max_octets = c->max_size, .timeout_s = c->timeout,
	};
	f->trust = (struct nvo3_trust){
		.anchors = c->nva_ca, .signer = given(c->signer), .schema = f->authz->schema,
		.state_dir = c->state_dir,
	};
	nvo3_limits_default(&f->trust.limits);
	f->trust.limits.max_octets = c->max_size;
}

int
authz_fetch_prepare(struct authz *a)
{
	struct fetcher *f = calloc(1, sizeof *f);
	struct loop *l = child_loop(a->child);

	if (f == NULL)
		return ERR_NOMEM;
	a->fetcher = f;
	f->authz = a;
	f->ask[0] = f->ask[1] = f->answer[0] = f->answer[1] = -1;
	describe_work(f, a->config);
	if (make_pipe(f->ask) != OK || make_pipe(f->answer) != OK)
		return ERR_IO;
	if ((f->io = loop_io_new(l, f->answer[0], LOOP_READ, answered, f)) == NULL ||
	    (f->timer = loop_timer_new(l, timer_due, f)) == NULL)
		return ERR_NOMEM;
	return OK;
}

int
authz_fetch_begin(struct authz *a)
{
	struct fetcher *f = a->fetcher;

	/* Not earlier: capabilities and filter are those of the thread that makes it. */
	if (pthread_create(&f->thread, NULL, worker, f) != 0)
		return ERR_NOMEM;
	f->running = true;
	ask(f, true);
	return OK;
}

void
authz_fetch_free(struct authz *a)
{
	struct fetcher *f = a->fetcher;
	int i;

	if (f == NULL)
		return;
	/*
	 * A transfer may take its whole timeout. It is not waited for, so nothing that the worker
	 * uses may be freed.
	 */
	if (f->running && f->busy)
		_exit(0);
	(void)close(f->ask[1]);
	f->ask[1] = -1;
	if (f->running)
		(void)pthread_join(f->thread, NULL);
	for (i = 0; i < 2; i++) {
		if (f->ask[i] != -1)
			(void)close(f->ask[i]);
		if (f->answer[i] != -1)
			(void)close(f->answer[i]);
	}
	nvo3_document_free(&f->doc);
	loop_io_free(f->io);
	loop_timer_free(f->timer);
	free(f);
	a->fetcher = NULL;
}
