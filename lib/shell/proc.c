/* SPDX-License-Identifier: ISC */
#include "shell/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

#define CHILD_FD 3
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
#define BACKOFF_RESET_MS 60000
#define STOP_FIRST_MS 2500
#define STOP_REST_MS 1000
/* Who started less long ago than that can't be blamed for a lost connection. */
#define LOST_GRACE_MS 2000

#define EXIT_CONFIG 2
#define PROC_LINE 768             /* one line for the operator */

enum stop_state { RUNNING = 0, STOPPING_FIRST, STOPPING_REST, KILLING, ENDED };

struct proc {
	struct procs *all;
	const struct proc_def *def;
	struct procs_from from;
	pid_t pid;               /* 0: not running */
	struct chan *chan;
	struct loop_timer *restart;
	int64_t started, backoff;
	uint32_t restarts;
	bool ready, was_ready;
	char missed[MSG_REASON_MAX];
	char fatal[PROC_LINE];   /* what it said before it ended */
};

struct procs {
	struct loop *loop;
	struct procs_setup setup;
	struct chan_rule *rules; /* ours, then those of the setup */
	size_t n_rules;
	struct proc procs[PROC_N];
	size_t n;
	enum stop_state stop;
	struct proc *stop_first;
	struct loop_timer *stop_timer;
	bool told_ready, told_ended;
	int status;
	char text[PROC_LINE];
};

/* Handlers know a process by the struct procs_from in it, which those of the setup get too. */
static struct proc *
proc_of(struct procs_from *from)
{
	return (struct proc *)((char *)from - offsetof(struct proc, from));
}

static int on_ready(void *, struct chan *, struct bytes, int);
static int on_fatal(void *, struct chan *, struct bytes, int);
static int on_complaint(void *, struct chan *, struct bytes, int);
static int on_lost(void *, struct chan *, struct bytes, int);

static const struct chan_rule own_rules[] = {
	{ IPC_READY, PROC_PHASE_STARTING, 2, 512, false, on_ready },
	{ IPC_FATAL, PROC_PHASE_STARTING | PROC_PHASE_READY, 3, 1024, false, on_fatal },
	{ MSG_COMPLAINT, PROC_PHASE_READY, 3, 256, false, on_complaint },
	{ MSG_LOST, PROC_PHASE_READY, 1, 1, false, on_lost },
};
#define N_OWN (sizeof own_rules / sizeof own_rules[0])

static void proc_start(struct proc *);
static void stop_step(void *);

static struct proc *
proc_by_id(struct procs *ps, enum proc_id id)
{
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (ps->procs[i].def->id == id)
			return &ps->procs[i];
	return NULL;
}

static void
proc_kill(struct proc *p, int signo)
{
	if (p->pid > 0 && kill(p->pid, signo) != 0)
		log_error("can't end process %s (pid %d): %s", p->def->name, (int)p->pid,
		    strerror(errno));
}

/* ------------------------------------------------------------------ connections */

static void
send_peer(struct proc *to, enum proc_id id, int fd)
{
	uint8_t body = (uint8_t)id;
	int r = chan_send(to->chan, IPC_PEER, bytes_of(&body, 1), fd);

	/* One that has just died is connected when it is restarted. */
	if (r != OK && r != ERR_GONE)
		log_error("can't connect process %s: %s", to->def->name, err_str(r));
}

static void
link_pair(struct proc *a, struct proc *b)
{
	int fd[2];

	if (seq_pair(fd) != OK) {
		log_error("can't connect %s with %s: %s", a->def->name, b->def->name,
		    strerror(errno));
		return;
	}
	send_peer(a, b->def->id, fd[0]);
	send_peer(b, a->def->id, fd[1]);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void
link_all(struct proc *p)
{
	struct procs *ps = p->all;
	struct proc *q;
	size_t i;

	for (i = 0; i < ps->n; i++) {
		q = &ps->procs[i];
		if (q == p || q->chan == NULL)
			continue;
		if ((p->def->links & (1u << q->def->id)) || (q->def->links & (1u << p->def->id)))
			link_pair(p, q);
	}
}

/* ------------------------------------------------------------------ what they say */

static int
on_ready(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct procs_from *from = arg;
	struct proc *p = proc_of(from);
	struct procs *ps = p->all;
	struct rd r = rd_open(body);
	size_t i;

	(void)fd;
	rd_str(&r, p->missed, sizeof p->missed);
	if (!rd_end(&r))
		return ERR_SYNTAX;
	chan_set_phase(c, PROC_PHASE_READY);
	p->ready = p->was_ready = true;
	if (p->restarts != 0)
		log_info("process %s is up again (pid %d)", p->def->name, (int)p->pid);
	else
		log_debug("process %s (pid %d) is ready", p->def->name, (int)p->pid);
	for (i = 0; i < ps->n; i++)
		if (!ps->procs[i].was_ready)
			return OK;
	if (!ps->told_ready && ps->setup.ready != NULL) {
		ps->told_ready = true;
		ps->setup.ready(ps->setup.arg);
	}
	return OK;
}

static int
on_fatal(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct procs_from *from = arg;
	struct proc *p = proc_of(from);
	struct rd r = rd_open(body);
	char text[PROC_LINE];

	(void)c;
	(void)fd;
	(void)rd_u8(&r);
	rd_str(&r, text, sizeof text);
	if (!rd_end(&r))
		return ERR_SYNTAX;
	(void)log_safe(p->fatal, sizeof p->fatal, bytes_str(text));
	return OK;
}

static int
on_complaint(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct procs_from *from = arg;
	struct proc *p = proc_of(from);
	struct rd r = rd_open(body);
	struct proc *q = proc_by_id(p->all, (enum proc_id)rd_u8(&r));
	char why[MSG_REASON_MAX], safe[MSG_REASON_MAX];

	(void)c;
	(void)fd;
	rd_str(&r, why, sizeof why);
	if (!rd_end(&r) || q == NULL)
		return ERR_SYNTAX;
	log_error("process %s broke the protocol towards %s (%s): it is restarted", q->def->name,
	    p->def->name, log_safe(safe, sizeof safe, bytes_str(why)));
	proc_kill(q, SIGKILL);
	return OK;
}

/*
 * A process whose connection the other side closed, though that one lives: it must have sent
 * something that the other side did not stand.
 */
static int
on_lost(void *arg, struct chan *c, struct bytes body, int fd)
{
	struct procs_from *from = arg;
	struct proc *p = proc_of(from);
	struct rd r = rd_open(body);
	struct proc *q = proc_by_id(p->all, (enum proc_id)rd_u8(&r));

	(void)c;
	(void)fd;
	if (!rd_end(&r) || q == NULL)
		return ERR_SYNTAX;
	if (p->all->stop != RUNNING || q->pid == 0 ||
	    loop_now(p->all->loop) - q->started < LOST_GRACE_MS)
		return OK;
	log_error("process %s was cut off by %s: it is restarted", p->def->name, q->def->name);
	proc_kill(p, SIGKILL);
	return OK;
}

static void
on_broken(void *arg, struct chan *c, int err, const char *why)
{
	struct procs_from *from = arg;
	struct proc *p = proc_of(from);

	p->chan = NULL;
	chan_free(c);
	if (err != ERR_GONE)
		log_error("process %s broke the protocol towards the parent (%s): it is restarted",
		    p->def->name, why);
	/* Whoever has lost its parent's connection ends; this makes sure of it. */
	if (p->all->stop == RUNNING && err != ERR_GONE)
		proc_kill(p, SIGKILL);
}

/* ------------------------------------------------------------------ start and restart */

static void
child_begin(struct proc *p, int fd)
{
	sigset_t none;

	if (fd == CHILD_FD) {
		if (fcntl(fd, F_SETFD, 0) != 0)
			_exit(1);
	} else if (dup2(fd, CHILD_FD) != CHILD_FD) {
		_exit(1);
	}
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	p->all->setup.run(p->all->setup.arg, p->def->id);
	_exit(1);
}

static int
proc_fork(struct proc *p)
{
	struct chan_setup cs = {
		.name = p->def->name, .rules = p->all->rules, .n_rules = p->all->n_rules,
		.phase = PROC_PHASE_STARTING, .arg = &p->from,
		.broken = on_broken, .broken_arg = &p->from,
	};
	int fd[2];
	pid_t pid;

	if (seq_pair(fd) != OK)
		return ERR_IO;
	if ((pid = fork()) == -1) {
		(void)close(fd[0]);
		(void)close(fd[1]);
		return ERR_IO;
	}
	if (pid == 0)
		child_begin(p, fd[1]);
	(void)close(fd[1]);
	p->pid = pid;
	p->chan = chan_new(p->all->loop, fd[0], &cs);
	if (p->chan == NULL)
		proc_kill(p, SIGKILL);
	return p->chan == NULL ? ERR_NOMEM : OK;
}

static void
restart_later(struct proc *p)
{
	int64_t lived = loop_now(p->all->loop) - p->started;

	if (p->backoff == 0 || lived >= BACKOFF_RESET_MS)
		p->backoff = BACKOFF_MIN_MS;
	else
		p->backoff = p->backoff * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : p->backoff * 2;
	loop_timer_in(p->restart, p->backoff);
}

static void
proc_restart(void *arg)
{
	struct proc *p = arg;

	if (p->all->stop != RUNNING)
		return;
	p->restarts++;
	proc_start(p);
}

static void
proc_start(struct proc *p)
{
	struct procs *ps = p->all;
	bool first = p->restarts == 0;

	p->started = loop_now(ps->loop);
	p->ready = false;
	p->missed[0] = p->fatal[0] = '\0';
	if (proc_fork(p) != OK) {
		log_error("can't start process %s: %s", p->def->name, strerror(errno));
		if (p->pid == 0)
			restart_later(p);
		return;
	}
	ps->setup.started(ps->setup.arg, p->def->id, p->chan, first);
	link_all(p);
	(void)chan_send(p->chan, IPC_START, bytes_of(NULL, 0), -1);
}

static void
describe_end(const struct proc *p, int wstatus, char *to, size_t cap)
{
	if (WIFSIGNALED(wstatus))
		(void)snprintf(to, cap, "killed by signal %d (%s)", WTERMSIG(wstatus),
		    strsignal(WTERMSIG(wstatus)));
	else if (p->fatal[0] != '\0')
		(void)snprintf(to, cap, "%s", p->fatal);
	else
		(void)snprintf(to, cap, "exit status %d", WEXITSTATUS(wstatus));
}

/* The first start of this process failed: nothing is left running. */
static void
first_failed(struct proc *p, int wstatus, const char *why)
{
	struct procs *ps = p->all;

	ps->status = WIFEXITED(wstatus) && WEXITSTATUS(wstatus) == EXIT_CONFIG ? EXIT_CONFIG : 1;
	if (p->fatal[0] != '\0')
		(void)snprintf(ps->text, sizeof ps->text, "%s", p->fatal);
	else
		(void)snprintf(ps->text, sizeof ps->text, "process %s did not start: %.600s",
		    p->def->name, why);
	ps->stop = STOPPING_REST;
	procs_tell(ps, IPC_STOP);
	loop_timer_in(ps->stop_timer, STOP_REST_MS);
}

static void
proc_ended(struct proc *p, int wstatus)
{
	struct procs *ps = p->all;
	char why[PROC_LINE];
	pid_t pid = p->pid;

	/* What it said last may still wait in its connection. */
	if (p->chan != NULL && p->fatal[0] == '\0')
		chan_read_rest(p->chan);
	p->pid = 0;
	p->ready = false;
	chan_free(p->chan);
	p->chan = NULL;
	describe_end(p, wstatus, why, sizeof why);
	if (ps->stop != RUNNING)
		return;
	if (!p->was_ready && p->restarts == 0) {
		first_failed(p, wstatus, why);
		return;
	}
	restart_later(p);
	log_error("process %s (pid %d) ended: %s; restarting in %lld ms", p->def->name, (int)pid,
	    why, (long long)p->backoff);
}

static void
on_sigchld(void *arg, int signo)
{
	struct procs *ps = arg;
	int wstatus;
	pid_t pid;
	size_t i;

	(void)signo;
	while ((pid = waitpid(-1, &wstatus, WNOHANG)) > 0)
		for (i = 0; i < ps->n; i++)
			if (ps->procs[i].pid == pid)
				proc_ended(&ps->procs[i], wstatus);
	if (ps->stop != RUNNING)
		stop_step(ps);
}

/* ------------------------------------------------------------------ the table */

struct procs *
procs_new(struct loop *l, const struct procs_setup *setup)
{
	struct procs *ps = calloc(1, sizeof *ps);
	struct proc *p;
	size_t i;

	if (ps == NULL)
		return NULL;
	ps->loop = l;
	ps->setup = *setup;
	ps->n_rules = N_OWN + setup->n_rules;
	if ((ps->rules = calloc(ps->n_rules, sizeof *ps->rules)) == NULL ||
	    (ps->stop_timer = loop_timer_new(l, stop_step, ps)) == NULL)
		goto fail;
	memcpy(ps->rules, own_rules, sizeof own_rules);
	if (setup->n_rules > 0)
		memcpy(ps->rules + N_OWN, setup->rules, setup->n_rules * sizeof *setup->rules);
	for (i = 0; i < setup->n_defs && i < PROC_N; i++) {
		p = &ps->procs[i];
		p->all = ps;
		p->def = &setup->defs[i];
		p->from = (struct procs_from){ .arg = setup->arg, .id = p->def->id };
		if ((p->restart = loop_timer_new(l, proc_restart, p)) == NULL)
			goto fail;
		ps->n++;
	}
	if (loop_signal(l, SIGCHLD, on_sigchld, ps) != OK)
		goto fail;
	return ps;
fail:
	procs_free(ps);
	return NULL;
}

void
procs_free(struct procs *ps)
{
	size_t i;

	if (ps == NULL)
		return;
	for (i = 0; i < ps->n; i++) {
		chan_free(ps->procs[i].chan);
		loop_timer_free(ps->procs[i].restart);
	}
	loop_timer_free(ps->stop_timer);
	free(ps->rules);
	free(ps);
}

int
procs_start(struct procs *ps)
{
	size_t i;

	for (i = 0; i < ps->n; i++) {
		proc_start(&ps->procs[i]);
		if (ps->procs[i].chan == NULL)
			return ERR_IO;
	}
	return OK;
}

void
procs_tell(struct procs *ps, uint16_t type)
{
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (ps->procs[i].chan != NULL)
			(void)chan_send(ps->procs[i].chan, type, bytes_of(NULL, 0), -1);
}

int
procs_info(const struct procs *ps, enum proc_id id, struct msg_process *m)
{
	const struct proc *p;
	size_t i;

	for (i = 0; i < ps->n && ps->procs[i].def->id != id; i++)
		;
	if (i == ps->n)
		return ERR_NOTFOUND;
	p = &ps->procs[i];
	memset(m, 0, sizeof *m);
	(void)snprintf(m->name, sizeof m->name, "%s", p->def->name);
	m->pid = (uint32_t)p->pid;
	m->restarts = p->restarts;
	m->up_s = p->pid == 0 ? 0 : (loop_now(ps->loop) - p->started) / 1000;
	m->ready = p->ready;
	memcpy(m->missed, p->missed, sizeof m->missed);
	return OK;
}

/* ------------------------------------------------------------------ the end */

static bool
any_left(const struct procs *ps)
{
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (ps->procs[i].pid != 0)
			return true;
	return false;
}

static void
stop_rest(struct procs *ps)
{
	ps->stop = STOPPING_REST;
	procs_tell(ps, IPC_STOP);
	loop_timer_in(ps->stop_timer, STOP_REST_MS);
}

/* Called when a process has ended, and when the time for a step is up. */
static void
stop_step(void *arg)
{
	struct procs *ps = arg;
	bool late = !loop_timer_pending(ps->stop_timer);
	size_t i;

	if (ps->stop == STOPPING_FIRST && (late || ps->stop_first->pid == 0)) {
		proc_kill(ps->stop_first, SIGKILL);
		stop_rest(ps);
		late = false;
	}
	if (ps->stop == STOPPING_REST && late) {
		ps->stop = KILLING;
		for (i = 0; i < ps->n; i++)
			proc_kill(&ps->procs[i], SIGKILL);
	}
	if (!any_left(ps) && !ps->told_ended) {
		ps->stop = ENDED;
		ps->told_ended = true;
		loop_timer_clear(ps->stop_timer);
		ps->setup.ended(ps->setup.arg, ps->status, ps->text);
	}
}

bool
procs_stop(struct procs *ps, enum proc_id first)
{
	struct proc *p = proc_by_id(ps, first);
	size_t i;

	if (ps->stop != RUNNING)
		return false;
	for (i = 0; i < ps->n; i++)
		loop_timer_clear(ps->procs[i].restart);
	if (p == NULL || p->chan == NULL) {
		stop_rest(ps);
	} else {
		ps->stop = STOPPING_FIRST;
		ps->stop_first = p;
		(void)chan_send(p->chan, IPC_STOP, bytes_of(NULL, 0), -1);
		loop_timer_in(ps->stop_timer, STOP_FIRST_MS);
	}
	if (!any_left(ps))
		stop_step(ps);
	return true;
}
