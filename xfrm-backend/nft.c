/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/nft.h"

/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "xfrm-backend/nft_int.h"
#include "xfrm-backend/nft_read.h"

#define NAME_MAX_LEN 31

struct nft *
nft_open(const char *table, char why[static NL_WHY])
{
	struct nft *nft;

	if (*table == '\0' || strlen(table) > NAME_MAX_LEN) {
		(void)snprintf(why, NL_WHY, "the name of a table has 1 to %u octets", NAME_MAX_LEN);
		return NULL;
	}
	/* libmnl leaves the padding of attributes as it was: nothing of the heap's shall go to the kernel. */
	if ((nft = calloc(1, sizeof *nft)) == NULL || (nft->buf = calloc(1, NFT_ELEMS_ROOM)) == NULL ||
	    getrandom(nft->seed, sizeof nft->seed, 0) != (ssize_t)sizeof nft->seed) {
		(void)snprintf(why, NL_WHY, "table inet %s: %s", table, err_str(ERR_NOMEM));
		nft_close(nft);
		return NULL;
	}
	nft->table = table;
	if ((nft->nl = nl_open(NETLINK_NETFILTER, why)) != NULL)
		return nft;
	nft_close(nft);
	return NULL;
}

void
nft_close(struct nft *nft)
{
	if (nft == NULL)
		return;
	nl_close(nft->nl);
	free(nft->buf);
	free(nft);
}

uint32_t
nft_port(const struct nft *nft)
{
	return nl_port(nft->nl);
}

bool
nft_event_ours(const struct nft *nft, const struct nlmsghdr *h, bool *gone)
{
	return nft_read_event(h, nft->table, nft_port(nft), gone);
}

/* ---- the whole table ---- */

static int
impossible(const struct nft *nft, const struct nft_elem *e, char why[static NL_WHY])
{
	char text[NFT_ELEM_STRLEN];

	(void)snprintf(why, NL_WHY, "table inet %s: there can be no %s", nft->table, nft_elem_str(e, text));
	return ERR_VALUE;
}

/* The elements of one set, in as few messages as can hold them. */
static int
add_elems(struct nft_batch *b, unsigned set, nft_next_fn next, void *arg, char why[static NL_WHY])
{
	struct nft *nft = b->nft;
	uint8_t key[NFT_KEY_MAX];
	struct nft_elems m;
	struct nft_elem e;
	size_t n;
	bool first;

	nft_elems_start(&m, nft->buf, NFT_MSG_NEWSETELEM, nft->table, set);
	for (first = true; b->r == OK && next(arg, first, &e); first = false) {
		if (e.set != set && e.set < NFT_SETS)
			continue;
		if ((n = nft_key(&e, key)) == 0)
			return impossible(nft, &e, why);
		if (nft_elems_put(&m, bytes_of(key, n)))
			continue;
		nft_batch_add(b, m.h, NFT_ABOUT_ELEMS, set);
		nft_elems_start(&m, nft->buf, NFT_MSG_NEWSETELEM, nft->table, set);
		(void)nft_elems_put(&m, bytes_of(key, n));
	}
	if (m.n != 0)
		nft_batch_add(b, m.h, NFT_ABOUT_ELEMS, set);
	return OK;
}

int
nft_build(struct nft *nft, nft_next_fn next, void *arg, char why[static NL_WHY])
{
	struct nft_batch b;
	uint32_t i;
	int r = OK;

	nft_batch_start(&b, nft);
	/* Only what is there can be deleted; adding what is there is no error. */
	nft_batch_add(&b, nmsg_table_add(nft->buf, nft->table), NFT_ABOUT_TABLE, 0);
	nft_batch_add(&b, nmsg_table_del(nft->buf, nft->table), NFT_ABOUT_TABLE, 0);
	nft_batch_add(&b, nmsg_table_add(nft->buf, nft->table), NFT_ABOUT_TABLE, 0);
	for (i = 0; i < NT_COUNTERS; i++)
		nft_batch_add(&b, nmsg_counter_add(nft->buf, nft->table, i), NFT_ABOUT_COUNTER, i);
	for (i = 0; i < NT_SETS; i++)
		nft_batch_add(&b, nmsg_set_add(nft->buf, nft->table, i), NFT_ABOUT_SET, i);
	for (i = 0; i < NT_CHAINS; i++)
		nft_batch_add(&b, nmsg_chain_add(nft->buf, nft->table, i), NFT_ABOUT_CHAIN, i);
	for (i = 0; i < NT_RULES; i++)
		nft_batch_add(&b, nmsg_rule_add(nft->buf, nft->table, i), NFT_ABOUT_RULE, i);
	for (i = 0; i < NFT_SETS && r == OK; i++)
		r = add_elems(&b, i, next, arg, why);
	if (r != OK)
		nft_batch_drop(&b);
	else
		r = nft_batch_run(&b, why);
	nft_batch_free(&b);
	return r;
}

int
nft_remove(struct nft *nft, char why[static NL_WHY])
{
	struct nft_batch b;
	int r;

	nft_batch_start(&b, nft);
	nft_batch_add(&b, nmsg_table_add(nft->buf, nft->table), NFT_ABOUT_TABLE, 0);
	nft_batch_add(&b, nmsg_table_del(nft->buf, nft->table), NFT_ABOUT_TABLE, 0);
	r = nft_batch_run(&b, why);
	nft_batch_free(&b);
	return r;
}

/* ---- reading ---- */

int
nft_dump(struct nft *nft, struct nlmsghdr *request, enum nft_about about, uint32_t no,
    int (*each)(void *arg, const struct nlmsghdr *), void *arg, char why[static NL_WHY])
{
	int err = 0, r;

	if (request == NULL)
		return nft_explain(nft, about, no, ENOMEM, "", why);
	if ((r = nl_dump(nft->nl, request, each, arg, &err)) == ERR_IO)
		r = err == ENOENT ? ERR_NOTFOUND : nft_explain(nft, about, no, err, "", why);
	if (r == ERR_NOTFOUND)
		(void)snprintf(why, NL_WHY, "table inet %s is gone, or a set of it", nft->table);
	if (r == ERR_AGAIN)
		(void)snprintf(why, NL_WHY, "table inet %s: others change nf_tables all the time", nft->table);
	return r;
}

struct walk {
	struct nft *nft;
	unsigned set;
	void (*elem)(void *arg, const struct nft_elem *);
	void (*denied)(void *arg, uint32_t reqid, uint32_t vni, uint64_t packets);
	void *arg;
	struct nft_figures *figures;
	unsigned counters;           /* found */
	int r;
};

static void
walk_elem(void *arg, const struct nft_read_elem *read)
{
	struct walk *w = arg;
	struct nft_elem e;

	if (!read->plain || nft_key_read(w->set, read->key, &e) != OK)
		return;
	if (w->set == NT_DENIED)
		w->denied(w->arg, e.reqid, e.vni, read->packets);
	else
		w->elem(w->arg, &e);
}

static int
walk_elems(void *arg, const struct nlmsghdr *h)
{
	struct walk *w = arg;
	struct bytes attrs;

	if ((w->r = nft_open_ours(h, NFT_MSG_NEWSETELEM, w->nft->table, &attrs)) == OK)
		w->r = nft_read_elems(attrs, walk_elem, w);
	return w->r;
}

static int
walk_counter(void *arg, const struct nlmsghdr *h)
{
	struct walk *w = arg;
	uint64_t *const to[NT_COUNTERS] = { [NT_IN_PLAINTEXT] = &w->figures->in_plaintext,
	    [NT_IN_GRANTED] = &w->figures->in_granted, [NT_IN_DENIED] = &w->figures->in_denied,
	    [NT_OUT_PLAINTEXT] = &w->figures->out_plaintext, [NT_OUT_NO_SA] = &w->figures->out_no_sa };
	struct nft_read_counter c;
	struct bytes attrs;
	unsigned i;

	if ((w->r = nft_open_ours(h, NFT_MSG_NEWOBJ, w->nft->table, &attrs)) != OK ||
	    (w->r = nft_read_counter(attrs, &c)) != OK)
		return w->r;
	for (i = 0; i < NT_COUNTERS; i++)
		if (nft_is(c.name, nt_counters[i])) {
			*to[i] = c.packets;
			w->counters++;
		}
	return OK;
}

static int
walk_set(struct walk *w, unsigned set, char why[static NL_WHY])
{
	int r;

	w->set = set;
	r = nft_dump(w->nft, nft_elems_dump(w->nft->buf, w->nft->table, set), NFT_ABOUT_ELEMS, set, walk_elems, w,
	    why);
	if (r == OK && w->r != OK) {
		(void)snprintf(why, NL_WHY, "set inet %s %s: the kernel's words are malformed", w->nft->table,
		    nt_sets[set].name);
		return ERR_SYNTAX;
	}
	return r;
}

int
nft_elements(struct nft *nft, void (*each)(void *arg, const struct nft_elem *), void *arg, char why[static NL_WHY])
{
	struct walk w = { .nft = nft, .elem = each, .arg = arg };
	unsigned i;
	int r;

	for (i = 0; i < NFT_SETS; i++)
		if ((r = walk_set(&w, i, why)) != OK && r != ERR_NOTFOUND)
			return r;
	return OK;
}

int
nft_figures(struct nft *nft, struct nft_figures *figures,
    void (*denied)(void *arg, uint32_t reqid, uint32_t vni, uint64_t packets), void *arg)
{
	struct walk w = { .nft = nft, .denied = denied, .arg = arg, .figures = figures };
	char why[NL_WHY];
	int r;

	memset(figures, 0, sizeof *figures);
	r = nft_dump(nft, nmsg_dump(nft->buf, NFT_MSG_GETOBJ, nft->table), NFT_ABOUT_TABLE, 0, walk_counter, &w, why);
	if (r == OK)
		r = w.r != OK ? w.r : w.counters != NT_COUNTERS ? ERR_NOTFOUND : OK;
	if (r == OK && denied != NULL)
		r = walk_set(&w, NT_DENIED, why);
	return r;
}
