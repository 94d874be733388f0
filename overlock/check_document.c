/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "crypto/x509.h"
#include "nvo3/value.h"
#include "overlock/check_int.h"
#include "shell/udp.h"

#define IDENTITIES_MAX 32

static const char *
given(const char *s)
{
	return *s == '\0' ? NULL : s;
}

/* No state directory: looking at a document must not make it the last one accepted. */
static void
get_document(struct check *c, const struct nvo3_trust *trust)
{
	const struct config *cf = c->config;
	const struct nvo3_source source = {
		.url = cf->url, .tls_ca = given(cf->tls_ca), .tls_cert = given(cf->tls_certificate),
		.tls_key = given(cf->tls_key), .max_octets = cf->max_size, .timeout_s = cf->timeout,
	};
	struct nvo3_trust kept = *trust;
	struct nvo3_fetched got;
	char why[256];
	int r;

	memset(&got, 0, sizeof got);
	r = nvo3_fetch(&source, "", &got, why);
	if (r == OK && (r = nvo3_accept(trust, blob_view(&got.octets), (int64_t)time(NULL),
	    &c->document, why)) == OK) {
		check_say(c, "ok", "document", "%s: fetched and verified", cf->url);
	} else {
		kept.state_dir = cf->state_dir;
		check_say(c, "fail", "document", "%s: %s", cf->url, *why != '\0' ? why : err_str(r));
		if (nvo3_recall(&kept, (int64_t)time(NULL), &c->document, why) == OK)
			check_say(c, "warn", "document", "the last good one is used, from %s",
			    cf->state_dir);
	}
	blob_free(&got.octets);
}

static void
say_dates(struct check *c)
{
	const struct nvo3_table *t = c->document.table;
	char issued[CMD_TIME_STRLEN], expires[CMD_TIME_STRLEN], left[CTL_AGE_STRLEN];
	int64_t now = (int64_t)time(NULL);

	(void)cmd_time(issued, t->issued);
	(void)cmd_time(expires, t->expires);
	if (t->expires <= now)
		check_say(c, "fail", "document", "serial %llu has expired on %s: ask the NVA's "
		    "operator for a new one, or correct the clock",
		    (unsigned long long)t->serial, expires);
	else
		check_say(c, t->expires - now < 3600 ? "warn" : "ok", "document",
		    "serial %llu, epoch %u, issued %s, expires %s (in %s)",
		    (unsigned long long)t->serial, t->epoch, issued, expires,
		    ctl_age(left, (json_int_t)(t->expires - now)));
	if (t->enforcement != ENFORCE_REQUIRE)
		check_say(c, "warn", "document", "enforcement=\"%s\" is not there yet and is taken as "
		    "\"require\": what has no SA is dropped",
		    value_name(words_enforcement, t->enforcement));
}

/* The certificate must make us the node that we say we are, and nobody else. */
static void
check_identity(struct check *c, const struct nvo3_node *self)
{
	char ids[IDENTITIES_MAX][X509_IDENTITY_MAX];
	struct x509 *chain[CHAIN_MAX];
	const struct nvo3_node *node;
	size_t n = 0, n_ids = 0, i, count = 0;

	if (x509_load_chain(c->config->certificate, chain, &n) != OK)
		return;          /* told already */
	if (x509_identities(chain[0], ids, IDENTITIES_MAX, &n_ids) != OK)
		n_ids = 0;
	node = nvo3_node_by_identity(c->document.table, (const char (*)[X509_IDENTITY_MAX])ids,
	    n_ids, &count);
	if (node != NULL && node == self)
		check_say(c, "ok", "identity", "%s is node %s of the document",
		    n_ids > 0 ? ids[0] : "", self->id);
	else if (node != NULL)
		check_say(c, "fail", "identity", "our certificate is node %s's in the document: "
		    "correct 'id' in [node], or use the right certificate", node->id);
	else if (count == 0)
		check_say(c, "fail", "identity", "no node of the document has an identity of our "
		    "certificate (%s): peers will refuse us", n_ids > 0 ? ids[0] : "it has none");
	else
		check_say(c, "fail", "identity", "the identities of our certificate belong to %zu "
		    "nodes: use a certificate with one of them only", count);
	for (i = 0; i < n; i++)
		x509_free(chain[i]);
}

bool
check_is_local(const struct addr *a)
{
	struct endpoint e = { .addr = *a, .port = 0 };
	int fd;

	if (udp_bind(&e, false, &fd) != OK)
		return false;
	(void)close(fd);
	return true;
}

static void
check_addresses(struct check *c, const struct nvo3_node *self)
{
	char text[ADDR_STRLEN];
	uint8_t i, k;

	for (i = 0; i < self->n_underlay; i++) {
		const struct addr *a = &self->underlay[i];
		bool listens = c->config->listen.n == 0;

		(void)addr_str(a, text);
		for (k = 0; k < c->config->listen.n; k++)
			listens = listens || addr_equal(&c->config->listen.a[k], a);
		if (!check_is_local(a))
			check_say(c, "fail", "underlay", "%s, ours in the document, is no address of "
			    "this host: add it to an interface, or have the document corrected", text);
		else if (!listens)
			check_say(c, "warn", "underlay", "%s, ours in the document, is not in "
			    "'listen': peers that speak to it get no answer", text);
		else
			check_say(c, "ok", "underlay", "%s is an address of this host", text);
	}
}

static int
count_peer(void *arg, const struct nvo3_node *node, const struct policy *p)
{
	size_t *n = arg;

	(void)node;
	(void)p;
	++*n;
	return OK;
}

static void
check_self(struct check *c)
{
	const struct nvo3_node *self = nvo3_node_by_id(c->document.table, c->config->node);
	size_t n = 0;

	if (self == NULL) {
		check_say(c, "fail", "node", "'%s' is not in the document: ask the NVA's operator to "
		    "add it, or correct 'id' in [node]", c->config->node);
		return;
	}
	(void)nvo3_peers(c->document.table, self->id, count_peer, &n);
	check_say(c, n > 0 ? "ok" : "warn", "node", "%s, role %s, %zu VNs, %zu channels with peers",
	    self->id, role_name(self->role), self->n_vnis, n);
	check_identity(c, self);
	check_addresses(c, self);
}

void
check_document(struct check *c)
{
	struct nvo3_trust trust = {
		.anchors = c->config->nva_ca, .signer = given(c->config->signer),
	};
	struct nvo3_schema *schema = NULL;
	char why[256];

	nvo3_limits_default(&trust.limits);
	trust.limits.max_octets = c->config->max_size;
	if (nvo3_schema_load(&schema, NULL, why) != OK) {
		check_say(c, "fail", "document", "%s", why);
		return;
	}
	trust.schema = schema;
	get_document(c, &trust);
	nvo3_schema_free(schema);
	if (c->document.table == NULL)
		return;
	say_dates(c);
	check_self(c);
}
