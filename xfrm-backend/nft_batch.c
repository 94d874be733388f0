/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "xfrm-backend/nft_int.h"

/* ---- words ---- */

static void
name_object(const struct nft *nft, enum nft_about about, uint32_t no, char *to, size_t cap)
{
	switch (about) {
	case NFT_ABOUT_BATCH:
		(void)snprintf(to, cap, "table inet %s", nft->table);
		break;
	case NFT_ABOUT_TABLE:
		(void)snprintf(to, cap, "table inet %s", nft->table);
		break;
	case NFT_ABOUT_COUNTER:
		(void)snprintf(to, cap, "counter inet %s %s", nft->table, nt_counters[no]);
		break;
	case NFT_ABOUT_SET:
		(void)snprintf(to, cap, "set inet %s %s", nft->table, nt_sets[no].name);
		break;
	case NFT_ABOUT_CHAIN:
		(void)snprintf(to, cap, "chain inet %s %s", nft->table, nt_chains[no].name);
		break;
	case NFT_ABOUT_RULE:
		(void)snprintf(to, cap, "rule \"%s\" of chain inet %s %s", nt_rules[no].comment, nft->table,
		    nt_chains[nt_rules[no].chain].name);
		break;
	case NFT_ABOUT_ELEMS:
		(void)snprintf(to, cap, "elements of set inet %s %s", nft->table, nt_sets[no].name);
		break;
	case NFT_ABOUT_DEL:
		(void)snprintf(to, cap, "an element of table inet %s", nft->table);
		break;
	}
}

/* The kernel says ENOENT when it has no module for a kind of expression. */
static const char *
missing_module(enum nft_about about)
{
	switch (about) {
	case NFT_ABOUT_BATCH:
	case NFT_ABOUT_TABLE:
		return ": no nf_tables in this kernel, modprobe nf_tables";
	case NFT_ABOUT_COUNTER:
		return ": no named counters, modprobe nft_counter";
	case NFT_ABOUT_CHAIN:
		return ": no such chains for inet, modprobe nf_tables_inet";
	case NFT_ABOUT_RULE:
		return ": lacks an expression, modprobe -a nft_xfrm nft_objref";
	default:
		return ": no sets of that kind in this kernel";
	}
}

int
nft_explain(const struct nft *nft, enum nft_about about, uint32_t no, int err, const char *text,
    char why[static NL_WHY])
{
	const char *way = "";
	char object[128];
	int r = ERR_IO;

	switch (err) {
	case EPERM:
	case EACCES:
		way = ": needs CAP_NET_ADMIN";
		r = ERR_DENIED;
		break;
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
		way = missing_module(about);
		r = ERR_UNSUPPORTED;
		break;
	case ENOENT:
		r = about == NFT_ABOUT_RULE || about == NFT_ABOUT_CHAIN || about == NFT_ABOUT_COUNTER ?
		    ERR_UNSUPPORTED : ERR_NOTFOUND;
		if (r == ERR_UNSUPPORTED)
			way = missing_module(about);
		break;
	case ENOMEM:
		r = ERR_NOMEM;
		break;
	}
	name_object(nft, about, no, object, sizeof object);
	if (*text != '\0')
		(void)snprintf(why, NL_WHY, "%s: %.30s (%.36s)%.56s", object, strerror(err), text, way);
	else
		(void)snprintf(why, NL_WHY, "%s: %.48s%.80s", object, strerror(err), way);
	return r;
}

/* ---- batches ---- */

void
nft_batch_start(struct nft_batch *b, struct nft *nft)
{
	memset(b, 0, sizeof *b);
	b->nft = nft;
	nft_batch_add(b, nmsg_batch_begin(nft->buf), NFT_ABOUT_BATCH, 0);
}

static bool
more_notes(struct nft_batch *b)
{
	size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
	struct nft_note *notes;

	if (b->n < b->cap)
		return true;
	if ((notes = realloc(b->notes, cap * sizeof *notes)) == NULL)
		return false;
	b->notes = notes;
	b->cap = cap;
	return true;
}

void
nft_batch_add(struct nft_batch *b, const struct nlmsghdr *h, enum nft_about about, uint32_t no)
{
	size_t item;

	if (b->r != OK)
		return;
	if (h == NULL || !more_notes(b)) {
		b->r = ERR_NOMEM;
		return;
	}
	if ((b->r = nl_add(b->nft->nl, h, &item)) == OK)
		b->notes[b->n++] = (struct nft_note){ .about = (uint8_t)about, .no = no };
}

static void
on_answer(void *arg, size_t item, int err, const struct nlmsghdr *reply, const char *text)
{
	struct nft_batch *b = arg;

	(void)reply;
	if (err == 0 || item >= b->n)
		return;
	if (b->notes[item].about == NFT_ABOUT_DEL && err == ENOENT) {
		b->notes[item].missing = true;
		return;
	}
	/* What is wrong with the batch as a whole outweighs what its parts say; else the first is the cause. */
	if (b->err != 0 && item != 0)
		return;
	b->err = err;
	b->culprit = item;
	(void)snprintf(b->text, sizeof b->text, "%s", text);
}

static void
ignore(void *arg, size_t item, int err, const struct nlmsghdr *reply, const char *text)
{
	(void)arg;
	(void)item;
	(void)err;
	(void)reply;
	(void)text;
}

void
nft_batch_drop(struct nft_batch *b)
{
	/* A batch without its end is one that the kernel does nothing of. */
	(void)nl_run(b->nft->nl, true, ignore, NULL);
}

int
nft_batch_run(struct nft_batch *b, char why[static NL_WHY])
{
	struct nft *nft = b->nft;
	size_t i;
	int r;

	nft_batch_add(b, nmsg_batch_end(nft->buf), NFT_ABOUT_BATCH, 0);
	if (b->r != OK) {
		(void)snprintf(why, NL_WHY, "table inet %s: %s", nft->table, err_str(b->r));
		nft_batch_drop(b);
		return b->r;
	}
	r = nl_run(nft->nl, true, on_answer, b);
	if (b->err != 0)
		return nft_explain(nft, (enum nft_about)b->notes[b->culprit].about, b->notes[b->culprit].no, b->err,
		    b->text, why);
	if (r != OK) {
		(void)snprintf(why, NL_WHY, "table inet %s: %s", nft->table, err_str(r));
		return r;
	}
	for (i = 0; i < b->n; i++)
		if (b->notes[i].missing) {
			(void)snprintf(why, NL_WHY, "table inet %s: elements went away meanwhile", nft->table);
			return ERR_AGAIN;
		}
	return OK;
}

void
nft_batch_free(struct nft_batch *b)
{
	free(b->notes);
	b->notes = NULL;
	b->n = b->cap = 0;
}
