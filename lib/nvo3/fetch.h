/* SPDX-License-Identifier: ISC */
/*
 * Getting the NVA document: file or HTTPS (libcurl), verification, rollback protection on disk, the
 * last good copy. Blocking functions for use in the authz process and the CLI.
 */
#ifndef NVO3_FETCH_H
#define NVO3_FETCH_H

#include "nvo3/authz.h"
#include "crypto/cms.h"

struct nvo3_source {
	const char *url;                 /* https://..., or file:///... */
	const char *tls_ca;              /* PEM; NULL: system trust */
	const char *tls_cert, *tls_key;  /* optional client certificate */
	size_t max_octets;
	unsigned timeout_s;              /* whole transfer */
};

struct nvo3_fetched {
	struct blob octets;              /* the CMS; empty when not modified */
	char etag[128];                  /* for the next call; "" if there is none */
	bool not_modified;
};

/* Process-wide libcurl and libxml2 set-up; before any sandbox. */
int nvo3_init(void);
/*
 * Fetch. etag: of the last good one, or "". 0; ERR_IO (server down, TLS failure, truncated),
 * ERR_SPACE (over max_octets), ERR_TIMEOUT, ERR_VALUE (URL scheme); why says more, without
 * the URL. Only https:// and file://; TLS 1.2 and later; no redirects to other schemes.
 */
int nvo3_fetch(
    const struct nvo3_source *, const char *etag, struct nvo3_fetched *, char why[static 256]);

struct nvo3_trust {
	const char *anchors;             /* PEM: the NVA's trust anchor */
	const char *signer;              /* identity that a signer must have; NULL: any */
	const struct nvo3_schema *schema;
	struct nvo3_limits limits;
	const char *state_dir;           /* highest serial, last good document; NULL: no memory */
};

struct nvo3_document {
	struct nvo3_table *table;
	struct cms_signer signers[CMS_SIGNERS_MAX];
	size_t n_signers;
};
void nvo3_document_free(struct nvo3_document *);

/*
 * Verify and parse, whatever the dates in the document say; nothing is read from or kept in the
 * state directory. For showing a document, never for acting on it.
 */
int nvo3_open(const struct nvo3_trust *, struct bytes cms, int64_t now, struct nvo3_document *,
    char why[static 256]);
/*
 * Verify, parse, check validity window and rollback, and only then store serial and document
 * (write, fsync, rename). Anything wrong: error, nothing stored. ERR_AUTH, ERR_EXPIRED, ERR_STALE,
 * ERR_SYNTAX, ERR_VALUE ...; why says what and what to do.
 */
int nvo3_accept(const struct nvo3_trust *, struct bytes cms, int64_t now, struct nvo3_document *,
    char why[static 256]);
/* The last good document from state_dir, verified again (an expired one is allowed: the decision
 * looks at the time). ERR_NOTFOUND if there is none. */
int nvo3_recall(
    const struct nvo3_trust *, int64_t now, struct nvo3_document *, char why[static 256]);

#endif
