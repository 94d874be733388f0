/* SPDX-License-Identifier: ISC */
/* Some elements more, some less: in one transaction, then read back. */
#include <errno.h>
/* Before linux/netfilter.h, which brings the kernel's version of it else. */
#include <netinet/in.h>

#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>

#include "xfrm-backend/nft_int.h"
#include "xfrm-backend/nft_read.h"

#define ROUNDS_MAX 4

struct change {
	struct nft *nft;
	const struct nft_elem *add, *del;
	size_t n_add, n_del;
	bool *missing;               /* per del: it was not there */
	bool touched[NFT_SETS];
};

static int
check(struct change *c, char why[static NL_WHY])
{
	uint8_t key[NFT_KEY_MAX];
	const struct nft_elem *e;
	char text[NFT_ELEM_STRLEN];
	size_t i;

	for (i = 0; i < c->n_add + c->n_del; i++) {
		e = i < c->n_add ? &c->add[i] : &c->del[i - c->n_add];
		if (nft_key(e, key) == 0) {
			(void)snprintf(why, NL_WHY, "table inet %s: there can be no %s", c->nft->table,
			    nft_elem_str(e, text));
			return ERR_VALUE;
		}
		c->touched[e->set] = true;
	}
	return OK;
}

/* ---- the transaction ---- */

/* One element a message: else the kernel says that one of them is missing, but not which. */
static void
one_elem(struct nft_batch *b, uint16_t type, const struct nft_elem *e, enum nft_about about, uint32_t no)
{
	struct nft *nft = b->nft;
	uint8_t key[NFT_KEY_MAX];
	struct nft_elems m;

	nft_elems_start(&m, nft->buf, type, nft->table, e->set);
	(void)nft_elems_put(&m, bytes_of(key, nft_key(e, key)));
	nft_batch_add(b, m.h, about, no);
}

static void
add_set(struct change *c, struct nft_batch *b, unsigned set)
{
	struct nft *nft = c->nft;
	uint8_t key[NFT_KEY_MAX];
	struct nft_elems m;
	struct bytes k;
	size_t i;

	nft_elems_start(&m, nft->buf, NFT_MSG_NEWSETELEM, nft->table, set);
	for (i = 0; i < c->n_add; i++) {
		if (c->add[i].set != set)
			continue;
		k = bytes_of(key, nft_key(&c->add[i], key));
		if (nft_elems_put(&m, k))
			continue;
		nft_batch_add(b, m.h, NFT_ABOUT_ELEMS, set);
		nft_elems_start(&m, nft->buf, NFT_MSG_NEWSETELEM, nft->table, set);
		(void)nft_elems_put(&m, k);
	}
	if (m.n != 0)
		nft_batch_add(b, m.h, NFT_ABOUT_ELEMS, set);
}

/* ERR_AGAIN: more elements are marked as missing. */
static int
transact(struct change *c, char why[static NL_WHY])
{
	struct nft_batch b;
	unsigned set;
	size_t i;
	int r;

	nft_batch_start(&b, c->nft);
	for (i = 0; i < c->n_del; i++)
		if (!c->missing[i])
			one_elem(&b, NFT_MSG_DELSETELEM, &c->del[i], NFT_ABOUT_DEL, (uint32_t)i);
	for (set = 0; set < NFT_SETS; set++)
		if (c->touched[set])
			add_set(c, &b, set);
	r = nft_batch_run(&b, why);
	for (i = 0; i < b.n; i++)
		if (b.notes[i].missing)
			c->missing[b.notes[i].no] = true;
	nft_batch_free(&b);
	return r;
}

/* ---- reading back ---- */

enum asked { ASKED_SET, ASKED_ADDED, ASKED_DELETED };

struct question {
	uint8_t asked;               /* enum asked */
	uint8_t set;
	const struct nft_elem *elem;
};

struct readback {
	struct change *c;
	struct question *questions;
	size_t n;
	int r;
	char *why;
};

static void
count_key(void *arg, const struct nft_read_elem *e)
{
	struct bytes *key = arg;

	/* No longer the one that was asked for when there is another, or more to it than its key. */
	if (!e->plain || !bytes_equal(e->key, *key))
		key->n = 0;
}

static bool
is_reply(const struct readback *b, const struct nft_elem *e, const struct nlmsghdr *reply)
{
	uint8_t octets[NFT_KEY_MAX];
	struct bytes attrs, key = bytes_of(octets, nft_key(e, octets));

	return reply != NULL && nft_open_ours(reply, NFT_MSG_NEWSETELEM, b->c->nft->table, &attrs) == OK &&
	    nft_read_elems(attrs, count_key, &key) == OK && key.n != 0;
}

static bool
is_added(const struct change *c, const struct nft_elem *e)
{
	uint8_t k1[NFT_KEY_MAX], k2[NFT_KEY_MAX];
	struct bytes key = bytes_of(k1, nft_key(e, k1));
	size_t i;

	for (i = 0; i < c->n_add; i++)
		if (c->add[i].set == e->set && bytes_equal(key, bytes_of(k2, nft_key(&c->add[i], k2))))
			return true;
	return false;
}

static void
on_reply(void *arg, size_t item, int err, const struct nlmsghdr *reply, const char *text)
{
	struct readback *b = arg;
	const struct question *q = &b->questions[item];
	const char *wrong = NULL;
	char elem[NFT_ELEM_STRLEN];

	if (b->r != OK || item >= b->n)
		return;
	if (err != 0 && (err != ENOENT || q->asked == ASKED_SET)) {
		b->r = nft_explain(b->c->nft, NFT_ABOUT_SET, q->set, err, text, b->why);
		return;
	}
	if (q->asked == ASKED_ADDED && err != 0)
		wrong = "was added, but is not there";
	else if (q->asked == ASKED_ADDED && !is_reply(b, q->elem, reply))
		wrong = "was added, but the kernel tells something else";
	else if (q->asked == ASKED_DELETED && err == 0 && !is_added(b->c, q->elem))
		wrong = "was deleted, but is there";
	if (wrong == NULL)
		return;
	b->r = ERR_NOTFOUND;
	(void)snprintf(b->why, NL_WHY, "table inet %s: %s %s", b->c->nft->table, nft_elem_str(q->elem, elem), wrong);
}

static int
ask(struct readback *b, const struct nlmsghdr *h, enum asked asked, uint8_t set, const struct nft_elem *e)
{
	size_t item;
	int r;

	if ((r = nl_add(b->c->nft->nl, h, &item)) == OK)
		b->questions[b->n++] = (struct question){ (uint8_t)asked, set, e };
	return r;
}

static int
ask_elem(struct readback *b, enum asked asked, const struct nft_elem *e)
{
	struct nft *nft = b->c->nft;
	uint8_t key[NFT_KEY_MAX];
	struct nft_elems m;

	nft_elems_start(&m, nft->buf, NFT_MSG_GETSETELEM, nft->table, e->set);
	(void)nft_elems_put(&m, bytes_of(key, nft_key(e, key)));
	return ask(b, m.h, asked, e->set, e);
}

/* The sets too: a missing set and a missing element are the same errno. */
static int
read_back(struct change *c, char why[static NL_WHY])
{
	struct readback b = { .c = c, .why = why };
	uint8_t set;
	size_t i;
	int r = OK, run;

	if ((b.questions = calloc(NFT_SETS + c->n_add + c->n_del, sizeof *b.questions)) == NULL)
		return nft_explain(c->nft, NFT_ABOUT_TABLE, 0, ENOMEM, "", why);
	for (set = 0; set < NFT_SETS && r == OK; set++)
		if (c->touched[set])
			r = ask(&b, nmsg_set_get(c->nft->buf, c->nft->table, set), ASKED_SET, set, NULL);
	for (i = 0; i < c->n_add && r == OK; i++)
		r = ask_elem(&b, ASKED_ADDED, &c->add[i]);
	for (i = 0; i < c->n_del && r == OK; i++)
		r = ask_elem(&b, ASKED_DELETED, &c->del[i]);
	run = nl_run(c->nft->nl, false, on_reply, &b);
	if (r == OK)
		r = b.r;
	else
		(void)nft_explain(c->nft, NFT_ABOUT_TABLE, 0, ENOMEM, "", why);
	if (r == OK && (r = run) != OK)
		(void)nft_explain(c->nft, NFT_ABOUT_TABLE, 0, EIO, "", why);
	free(b.questions);
	return r;
}

int
nft_change(struct nft *nft, const struct nft_elem *add, size_t n_add, const struct nft_elem *del, size_t n_del,
    char why[static NL_WHY])
{
	struct change c = { .nft = nft, .add = add, .del = del, .n_add = n_add, .n_del = n_del };
	int r, rounds = 0;

	if (n_add + n_del == 0)
		return OK;
	if ((r = check(&c, why)) != OK)
		return r;
	if ((c.missing = calloc(n_del + 1, sizeof *c.missing)) == NULL)
		return nft_explain(nft, NFT_ABOUT_TABLE, 0, ENOMEM, "", why);
	while ((r = transact(&c, why)) == ERR_AGAIN && ++rounds < ROUNDS_MAX)
		;
	/* Somebody deletes what we are about to delete, over and over. */
	if (r == ERR_AGAIN)
		r = ERR_NOTFOUND;
	if (r == OK)
		r = read_back(&c, why);
	free(c.missing);
	return r;
}
