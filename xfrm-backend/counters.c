/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "xfrm-backend/state.h"

#define STAT_MAX 4096

struct emitter {
	struct backend *b;
	void (*emit)(void *, const struct backend_counter *);
	void *arg;
};

static void
say(const struct emitter *e, const char *name, const char *node, uint32_t vni, uint64_t value)
{
	e->emit(e->arg, &(struct backend_counter){ name, node, vni, value });
}

static void
figures_add(struct nft_figures *to, const struct nft_figures *f)
{
	to->in_plaintext += f->in_plaintext;
	to->in_granted += f->in_granted;
	to->in_denied += f->in_denied;
	to->out_plaintext += f->out_plaintext;
	to->out_no_sa += f->out_no_sa;
}

void
figures_keep(struct backend *b)
{
	struct nft_figures f;

	if (nft_figures(b->nft, &f, NULL, NULL) == OK)
		figures_add(&b->figures_base, &f);
}

static void
say_denied(void *arg, uint32_t reqid, uint32_t vni, uint64_t packets)
{
	const struct emitter *e = arg;
	const struct target *t = spd_by_reqid(&e->b->spd, reqid);

	say(e, "drop.vni-not-granted", t == NULL ? "" : t->node, vni, packets);
}

/* "XfrmInNoStates          3" per line: the kernel's own names are the ones people look for. */
static void
say_xfrm_stat(const struct emitter *e)
{
	char text[STAT_MAX], *line, *rest = text, name[64], *end;
	ssize_t n = e->b->xfrm_stat == -1 ? 0 : pread(e->b->xfrm_stat, text, sizeof text - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t len = strcspn(line, " \t");
		unsigned long long value = strtoull(line + len, &end, 10);

		if (len == 0 || end == line + len || len > 40)
			continue;
		(void)snprintf(name, sizeof name, "kernel.%.*s", (int)len, line);
		say(e, name, "", 0, value);
	}
}

static size_t
conflicts(const struct backend *b)
{
	const struct pol_entry *e;
	size_t pos = 0, n = 0;

	while ((e = spd_entry_next(&b->spd, &pos)) != NULL)
		n += e->want && !e->have;
	return n;
}

int
op_counters(struct backend *b, void (*emit)(void *, const struct backend_counter *), void *arg)
{
	static const char *const repairs[REPAIRS] = { "repair.policy", "repair.sa-gone",
	    "repair.table", "repair.overrun" };
	struct emitter e = { b, emit, arg };
	struct nft_figures f = { 0 };
	size_t i;

	apply(b);
	(void)nft_figures(b->nft, &f, say_denied, &e);
	figures_add(&f, &b->figures_base);
	say(&e, "in.packets", "", 0, f.in_granted);
	say(&e, "drop.plaintext", "", 0, f.in_plaintext);
	say(&e, "drop.plaintext-out", "", 0, f.out_plaintext);
	say(&e, "drop.no-sa", "", 0, f.out_no_sa);
	say(&e, "drop.not-granted", "", 0, f.in_denied);
	say(&e, "acquire", "", 0, b->acquires);
	say(&e, "policies", "", 0, b->spd.n_own);
	say(&e, "policies.missing", "", 0, conflicts(b));
	say(&e, "policies.shadowed", "", 0, b->n_shadows);
	for (i = 0; i < REPAIRS; i++)
		say(&e, repairs[i], "", 0, b->repairs[i]);
	say_xfrm_stat(&e);
	return OK;
}
