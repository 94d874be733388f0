/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "nvo3/fetch.h"
#include "nvo3/store.h"
#include "nvo3/value.h"

#define AHEAD_S 300                      /* how far the NVA's clock may be ahead of ours */

void
nvo3_document_free(struct nvo3_document *d)
{
	nvo3_table_free(d->table);
	memset(d, 0, sizeof *d);
}

static bool
same_identity(const char *a, const char *b)
{
	char x[300], y[300];

	return value_identity(a, x) && value_identity(b, y) && strcmp(x, y) == 0;
}

static int
check_signer(const struct nvo3_trust *trust, const struct nvo3_document *d, char why[static 256])
{
	char safe[100];
	size_t i;

	if (trust->signer == NULL)
		return 0;
	for (i = 0; i < d->n_signers; i++)
		if (same_identity(d->signers[i].identity, trust->signer))
			return 0;
	log_safe(safe, sizeof safe,
	    bytes_str(d->n_signers > 0 ? d->signers[0].identity : "nobody"));
	snprintf(why, 256, "signed by %s, not by %.80s: see signer in [authorization]", safe,
	    trust->signer);
	return ERR_AUTH;
}

/* The reason alone does not tell which file is to be looked at. */
static void
say_signature(const struct nvo3_trust *trust, int r, const char *reason, char why[static 256])
{
	if (r == ERR_SYNTAX)
		snprintf(why, 256, "signature: %.150s; was it signed (overlock authz sign)?", reason);
	else if (r == ERR_AUTH)
		snprintf(why, 256, "signature: %.130s (trust anchors: %.90s)", reason, trust->anchors);
	else
		snprintf(why, 256, "signature: %.200s", reason);
}

/* Envelope first, content second: nothing of the XML is looked at before its signer is known. */
static int
open_document(const struct nvo3_trust *trust, struct bytes cms, int64_t now,
    struct nvo3_document *d, struct store_mark *mark, char why[static 256])
{
	struct blob xml = { NULL, 0 };
	struct bytes part;
	const char *reason = NULL;
	char text[256];
	int r;

	if ((r = cms_verify(cms, trust->anchors, now, &xml, d->signers, &d->n_signers, &reason)) !=
	    0) {
		say_signature(trust, r, reason != NULL && *reason != '\0' ? reason : err_str(r), why);
		goto out;
	}
	if ((r = check_signer(trust, d, why)) != 0)
		goto out;
	r = nvo3_parse(blob_view(&xml), trust->schema, &trust->limits, &d->table, text);
	if (r != 0) {
		snprintf(why, 256, "%s", text);
		goto out;
	}
	mark->epoch = d->table->epoch;
	mark->serial = d->table->serial;
	part = blob_view(&xml);
	if ((r = crypto_sha256(&part, 1, mark->content)) != 0)
		snprintf(why, 256, "%s", err_str(r));
out:
	blob_free(&xml);
	return r;
}

static int
check_window(const struct nvo3_table *t, int64_t now, char why[static 256])
{
	char when[LOG_TIME_STRLEN];

	if (t->issued > now + AHEAD_S) {
		snprintf(why, 256, "issued in the future, at %s: are both clocks right?",
		    log_time(when, t->issued * 1000));
		return ERR_EXPIRED;
	}
	if (now >= t->expires) {
		snprintf(why, 256, "expired at %s: the NVA has to issue a new one",
		    log_time(when, t->expires * 1000));
		return ERR_EXPIRED;
	}
	return 0;
}

/* Against rollback. The same numbers may come again, but only with the same content. */
static int
check_mark(const struct nvo3_trust *trust, const struct store_mark *new, char why[static 256])
{
	struct store_mark old;
	int r, order;

	if ((r = store_mark_read(trust->state_dir, &old, why)) != 0)
		return r == ERR_NOTFOUND ? 0 : r;
	order = store_mark_cmp(new, &old);
	if (order < 0)
		snprintf(why, 256,
		    "epoch %u serial %llu is older than %u / %llu, which was accepted "
		    "before: a replay, or the NVA lost its count (then raise its epoch)",
		    new->epoch, (unsigned long long)new->serial, old.epoch,
		    (unsigned long long)old.serial);
	else if (order == 0 && memcmp(new->content, old.content, sizeof old.content) != 0)
		snprintf(why, 256,
		    "epoch %u serial %llu was accepted before with other content: raise the "
		    "serial with every change",
		    new->epoch, (unsigned long long)new->serial);
	else
		return 0;
	return ERR_STALE;
}

int
nvo3_open(const struct nvo3_trust *trust, struct bytes cms, int64_t now, struct nvo3_document *d,
    char why[static 256])
{
	struct store_mark mark;
	int r;

	memset(d, 0, sizeof *d);
	why[0] = '\0';
	if ((r = open_document(trust, cms, now, d, &mark, why)) != 0)
		nvo3_document_free(d);
	return r;
}

int
nvo3_accept(const struct nvo3_trust *trust, struct bytes cms, int64_t now, struct nvo3_document *d,
    char why[static 256])
{
	struct store_mark mark;
	int r;

	memset(d, 0, sizeof *d);
	why[0] = '\0';
	if ((r = open_document(trust, cms, now, d, &mark, why)) != 0 ||
	    (r = check_window(d->table, now, why)) != 0)
		goto out;
	if (trust->state_dir == NULL)
		goto out;
	if ((r = check_mark(trust, &mark, why)) == 0)
		r = store_write(trust->state_dir, &mark, cms, why);
out:
	if (r != 0)
		nvo3_document_free(d);
	return r;
}

int
nvo3_recall(
    const struct nvo3_trust *trust, int64_t now, struct nvo3_document *d, char why[static 256])
{
	/* Room for the envelope: certificates and signatures. */
	const size_t max = trust->limits.max_octets + (64u << 10);
	struct blob cms = { NULL, 0 };
	struct store_mark mark;
	int r;

	memset(d, 0, sizeof *d);
	why[0] = '\0';
	if (trust->state_dir == NULL)
		return ERR_NOTFOUND;
	if ((r = store_document_read(trust->state_dir, max, &cms, why)) == 0 &&
	    (r = open_document(trust, blob_view(&cms), now, d, &mark, why)) == 0)
		r = check_mark(trust, &mark, why);
	blob_free(&cms);
	if (r != 0)
		nvo3_document_free(d);
	return r;
}
