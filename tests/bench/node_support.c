/* SPDX-License-Identifier: ISC */
#include "node_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "ike/authdata.h"
#include "ikev2d/identity.h"
#include "shell/config.h"

#define FILE_MAX (32u * 1024 * 1024)
#define IDENTITIES_MAX 4

static int
blame(const char *what, const char *why)
{
	(void)fprintf(stderr, "bench: %s: %s\n", what, why);
	return ERR_VALUE;
}

static int
read_file(const char *path, struct blob *out)
{
	FILE *f = fopen(path, "rb");
	int r = ERR_IO;
	long n;

	if (f == NULL)
		return blame(path, "can't be read");
	if (fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) > 0 && (unsigned long)n <= FILE_MAX &&
	    fseek(f, 0, SEEK_SET) == 0 && (out->p = malloc((size_t)n)) != NULL &&
	    fread(out->p, 1, (size_t)n, f) == (size_t)n) {
		out->n = (size_t)n;
		r = OK;
	}
	(void)fclose(f);
	return r == OK ? OK : blame(path, "can't be read");
}

/* ------------------------------------------------------------------ the lab */

int
bench_lab_open(struct bench_lab *lab, const char *dir)
{
	struct nvo3_schema *schema = NULL;
	struct nvo3_limits limits;
	struct blob xml = { NULL, 0 };
	char path[600], why[256];
	int r;

	memset(lab, 0, sizeof *lab);
	lab->now = (int64_t)time(NULL);
	(void)snprintf(lab->dir, sizeof lab->dir, "%s", dir);
	(void)snprintf(path, sizeof path, "%s/authorization.xml", dir);
	nvo3_limits_default(&limits);
	if ((r = crypto_init()) != OK)
		return blame("OpenSSL", err_str(r));
	if ((r = nvo3_schema_load(&schema, NULL, why)) != OK) {
		(void)blame("schema", why);
		goto out;
	}
	if ((r = read_file(path, &xml)) != OK)
		goto out;
	if ((r = nvo3_parse(blob_view(&xml), schema, &limits, &lab->table, why)) != OK)
		(void)blame(path, why);
out:
	blob_free(&xml);
	nvo3_schema_free(schema);
	return r;
}

void
bench_lab_close(struct bench_lab *lab)
{
	nvo3_table_free(lab->table);
	crypto_cleanup();
}

/* ------------------------------------------------------------------ jobs */

static void
do_sign(struct bench_node *n, const struct ike_action *a, struct ike_event *ev, struct blob *auth)
{
	struct blob octets = { NULL, 0 };

	ev->type = IKE_EV_SIGNED;
	if ((ev->rc = authdata_octets(&a->u.sign.in, &octets)) == OK)
		ev->rc = sign_auth(n->key, a->u.sign.peer_hashes, blob_view(&octets),
		    &ev->u.sign.method, auth);
	ev->u.sign.auth = blob_view(auth);
	blob_free(&octets);
}

static void
do_verify(struct bench_node *n, const struct ike_action *a, struct ike_event *ev, char *identity)
{
	struct blob octets = { NULL, 0 };
	struct x509 *leaf = NULL;
	const char *why = NULL;
	char ids[IDENTITIES_MAX][X509_IDENTITY_MAX];
	size_t n_ids = 0;
	const struct ike_auth_input *in = &a->u.verify.in;

	ev->type = IKE_EV_VERIFIED;
	if ((ev->rc = x509_verify_chain(n->anchors, a->u.verify.certs, a->u.verify.n_certs,
	    n->lab->now, &leaf, &why)) != OK ||
	    (ev->rc = authdata_octets(in, &octets)) != OK ||
	    (ev->rc = verify_auth(leaf, a->u.verify.method, a->u.verify.auth,
	    blob_view(&octets))) != OK ||
	    (ev->rc = x509_identities(leaf, ids, IDENTITIES_MAX, &n_ids)) != OK ||
	    (ev->rc = identity_fits(leaf, ids, n_ids, in->id_type, in->id_data, identity)) != OK)
		goto out;
	ev->u.verified.identity = identity;
	ev->u.verified.not_after = x509_not_after(leaf);
out:
	ev->reason = why;
	blob_free(&octets);
	x509_free(leaf);
}

/* As authz would, but from the one identity that IDi or IDr named: a lab's certificates have no
 * other. */
static int
decide(const struct bench_node *n, const struct addr *peer, const char *identity,
    const char *label, struct grant *grant)
{
	char identities[1][X509_IDENTITY_MAX];
	struct nvo3_question q = {
		.identities = (const char (*)[300])identities, .n_identities = 1,
		.peer = *peer, .self = n->id, .label = label, .now = n->lab->now,
		.cert_not_after = INT64_MAX,
	};
	int line;

	(void)snprintf(identities[0], sizeof identities[0], "%s", identity);
	return nvo3_decide(n->lab->table, &q, grant, &line) == NVO3_ADMITTED ? OK : ERR_DENIED;
}

static void
do_authorize(struct bench_node *n, const struct ike_action *a, struct ike_event *ev,
    const struct nvo3_node **node, struct grant *grant)
{
	const struct nvo3_table *t = n->lab->table;
	size_t i;

	ev->type = IKE_EV_AUTHORIZED;
	ev->rc = ERR_DENIED;
	for (i = 0; i < t->n_nodes && *node == NULL; i++)
		if (addr_equal(&t->nodes[i].underlay[0], &a->u.authorize.peer))
			*node = &t->nodes[i];
	if (*node == NULL || (*node)->n_identities == 0 ||
	    (ev->rc = decide(n, &a->u.authorize.peer, (*node)->identities[0],
	    a->u.authorize.label, grant)) != OK)
		return;
	ev->u.authorized.grant = ++n->next_grant;
	ev->u.authorized.node = (*node)->id;
	ev->u.authorized.channels = grant->channels;
	ev->u.authorized.n_channels = grant->n_channels;
	ev->u.authorized.expires = grant->expires;
}

static void
do_job(struct bench_node *n, int64_t now_ms, const struct ike_action *a)
{
	struct ike_event ev = { .job = a->job };
	const struct nvo3_node *node = NULL;
	struct blob auth = { NULL, 0 };
	char identity[X509_IDENTITY_MAX];
	struct grant grant = { 0 };

	if (a->type == IKE_ACT_SIGN)
		do_sign(n, a, &ev, &auth);
	else if (a->type == IKE_ACT_VERIFY)
		do_verify(n, a, &ev, identity);
	else if (a->type == IKE_ACT_AUTHORIZE)
		do_authorize(n, a, &ev, &node, &grant);
	else
		ev.type = IKE_EV_SA_ADDED;
	ike_input(n->e, now_ms, &ev);
	blob_free(&auth);
	grant_free(&grant);
}

static void
do_report(struct bench_node *n, const struct ike_action *a)
{
	if (a->u.report.type == IKE_REPORT_CHILD_UP)
		n->calls->child(n->calls->arg, n, true, a->u.report.text);
	else if (a->u.report.type == IKE_REPORT_CHILD_DOWN ||
	    a->u.report.type == IKE_REPORT_IKE_FAILED)
		n->calls->child(n->calls->arg, n, false, a->u.report.text);
}

void
bench_node_event(struct bench_node *n, int64_t now_ms, const struct ike_event *ev)
{
	struct ike_action a;

	ike_input(n->e, now_ms, ev);
	while (ike_next_action(n->e, &a)) {
		if (a.type == IKE_ACT_SEND)
			n->calls->send(n->calls->arg, n, &a);
		else if (a.job != 0)
			do_job(n, now_ms, &a);
		else if (a.type == IKE_ACT_REPORT)
			do_report(n, &a);
	}
}

/* ------------------------------------------------------------------ nodes */

static int
draw(void *arg, uint8_t *p, size_t n)
{
	(void)arg;
	return crypto_random(p, n);
}

static int
fresh_ke(void *arg, uint16_t group, struct ke **ke)
{
	(void)arg;
	return ke_new(ke, group);
}

static int
make_engine(struct bench_node *n, const struct config *c, int64_t now_ms)
{
	struct blob id = { NULL, 0 }, certreq = { NULL, 0 };
	struct x509 *chain[CHAIN_MAX];
	struct bytes ders[CHAIN_MAX];
	struct ike_config ic;
	size_t n_chain = 0, i;
	int r;

	ike_config_defaults(&ic);
	if ((r = x509_load_chain(c->certificate, chain, &n_chain)) != OK)
		return r;
	for (i = 0; i < n_chain; i++)
		ders[i] = x509_der(chain[i]);
	if ((r = identity_of(chain[0], &ic.id_type, &id)) != OK ||
	    (r = x509_store_certreq(n->anchors, &certreq)) != OK)
		goto out;
	ic.cb.random = draw;
	ic.cb.ke_new = fresh_ke;
	ic.id_data = blob_view(&id);
	ic.certs = ders;
	ic.n_certs = n_chain;
	ic.certreq = blob_view(&certreq);
	ic.dpd_ms = 0;
	if ((n->e = ike_new(&ic, now_ms)) == NULL)
		r = ERR_NOMEM;
out:
	for (i = 0; i < n_chain; i++)
		x509_free(chain[i]);
	blob_free(&id);
	blob_free(&certreq);
	return r;
}

int
bench_node_open(struct bench_node *n, struct bench_lab *lab, const char *id, int64_t now_ms,
    const struct bench_calls *calls)
{
	const struct nvo3_node *node = nvo3_node_by_id(lab->table, id);
	char path[700], error[CONF_ERROR_MAX];
	struct blob text = { NULL, 0 };
	struct config *c = NULL;
	const char *why = "";
	int r;

	memset(n, 0, sizeof *n);
	if (node == NULL || node->n_underlay == 0)
		return blame(id, "no such node in the document");
	n->lab = lab;
	n->calls = calls;
	n->addr = node->underlay[0];
	(void)snprintf(n->id, sizeof n->id, "%s", id);
	(void)snprintf(path, sizeof path, "%s/%s/ikev2d.conf", lab->dir, id);
	if ((r = read_file(path, &text)) != OK)
		return r;
	if ((c = config_read(path, blob_view(&text), error)) == NULL) {
		r = blame("configuration", error);
		goto out;
	}
	if ((r = pkey_load(&n->key, c->private_key, &why)) != OK ||
	    (r = x509_store_load(&n->anchors, c->device_ca, &why)) != OK ||
	    (r = make_engine(n, c, now_ms)) != OK)
		(void)blame(path, *why != '\0' ? why : err_str(r));
out:
	blob_free(&text);
	config_free(c);
	return r;
}

void
bench_node_close(struct bench_node *n)
{
	ike_free(n->e);
	pkey_free(n->key);
	x509_store_free(n->anchors);
}

int
bench_node_peer(struct bench_node *n, int64_t now_ms, const char *id, bool initiate)
{
	const struct nvo3_node *node = nvo3_node_by_id(n->lab->table, id);
	struct ike_event ev = { .type = IKE_EV_PEER_SET };
	struct ike_peer *p = &ev.u.peer;
	struct grant grant = { 0 };
	int r;

	if (node == NULL || node->n_underlay == 0 || node->n_identities == 0)
		return blame(id, "no such node in the document");
	if ((r = decide(n, &node->underlay[0], node->identities[0], "", &grant)) != OK)
		return blame(id, "may not speak with us");
	(void)snprintf(p->node, sizeof p->node, "%s", id);
	p->local = n->addr;
	p->addrs[0] = node->underlay[0];
	p->n_addrs = 1;
	memcpy(p->channels, grant.channels, sizeof p->channels);
	p->n_channels = grant.n_channels;
	p->initiate = initiate;
	bench_node_event(n, now_ms, &ev);
	grant_free(&grant);
	return OK;
}
