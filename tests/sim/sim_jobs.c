/* SPDX-License-Identifier: ISC */
/* Stand-ins for keys, trust, authz and the backend. */
#include <stdio.h>
#include <stdlib.h>

#include "ike/authdata.h"
#include "sim.h"
#include "sim_pki.h"

#define FAKE_METHOD 14

/* Who knows the name knows the key: enough to tell a good signature from a bad one. */
static int
fake_sign(const struct ike_auth_input *in, uint8_t out[static 32])
{
	struct blob octets = { 0 };
	struct bytes part;
	int r;

	if ((r = authdata_octets(in, &octets)) != OK)
		return r;
	part = blob_view(&octets);
	r = prf_compute(PRF_HMAC_SHA2_256, in->id_data, &part, 1, out);
	blob_free(&octets);
	return r;
}

static void
do_sign(struct sim_node *n, const struct ike_action *a, struct ike_event *ev, struct blob *own)
{
	uint8_t mac[32];

	if (n->signer != NULL) {
		ev->rc = sim_pki_sign(n->signer, &a->u.sign.in, a->u.sign.peer_hashes,
		    &ev->u.sign.method, own);
	} else {
		ev->rc = fake_sign(&a->u.sign.in, mac);
		ev->u.sign.method = FAKE_METHOD;
		if (ev->rc == OK && blob_copy(own, bytes_of(mac, sizeof mac)) != OK)
			abort();
	}
	if (n->forge && own->n != 0)
		own->p[own->n - 1] ^= 1;
	ev->u.sign.auth = blob_view(own);
}

static void
remember_identity(struct sim_node *n, const struct ike_ref *ref, const char *identity)
{
	n->verified = realloc(n->verified, (n->n_verified + 1) * sizeof *n->verified);
	if (n->verified == NULL)
		abort();
	n->verified[n->n_verified].ref = *ref;
	(void)snprintf(n->verified[n->n_verified].identity, sizeof n->verified[0].identity, "%s",
	    identity);
	n->n_verified++;
}

static void
do_verify(struct sim_node *n, const struct ike_action *a, struct ike_event *ev,
    char identity[static 300])
{
	const struct ike_auth_input *in = &a->u.verify.in;
	uint8_t mac[32];

	if (n->signer != NULL) {
		ev->rc = sim_pki_verify(n->signer, a, identity);
	} else {
		ev->rc = fake_sign(in, mac);
		if (ev->rc == OK && !n->blind &&
		    (a->u.verify.method != FAKE_METHOD || a->u.verify.n_certs != 1 ||
			!ct_equal(a->u.verify.auth, bytes_of(mac, sizeof mac))))
			ev->rc = ERR_AUTH;
		(void)snprintf(identity, 300, "dns:%.*s", (int)in->id_data.n,
		    (const char *)in->id_data.p);
	}
	ev->u.verified.identity = identity;
	ev->u.verified.not_after = INT64_MAX;
	if (ev->rc == OK)
		remember_identity(n, &a->ref, identity);
}

static bool
same_ref(const struct ike_ref *a, const struct ike_ref *b)
{
	return a->spi_i == b->spi_i && a->spi_r == b->spi_r && a->initiator == b->initiator;
}

static void
do_authorize(struct sim_node *n, const struct ike_action *a, struct ike_event *ev)
{
	const char *identity = NULL;
	size_t i;

	for (i = 0; i < n->n_verified; i++)
		if (same_ref(&n->verified[i].ref, &a->ref))
			identity = n->verified[i].identity;
	if (identity == NULL || strncmp(identity, "dns:", 4) != 0) {
		sim_violation(n->sim, "%s: AUTHORIZE for an SA that was not verified", n->name);
		ev->rc = ERR_DENIED;
		return;
	}
	ev->u.authorized.grant = ++n->last_grant;
	ev->u.authorized.node = n->authorized_as != NULL ? n->authorized_as : identity + 4;
	ev->u.authorized.channels = n->channels;
	ev->u.authorized.n_channels = n->n_channels;
	ev->u.authorized.expires = INT64_MAX;
}

static bool
same_key(const struct sa_params *a, const struct sa_params *b)
{
	return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* A key is installed once as somebody's outbound and once as somebody's inbound key, and never
 * again. */
static void
check_key(struct sim *s, const struct sa_params *p)
{
	size_t i, k;

	for (i = 0; i < s->n_nodes; i++)
		for (k = 0; k < s->nodes[i]->n_esp; k++) {
			const struct sa_params *o = &s->nodes[i]->esp[k].params;

			if (same_key(o, p) && (o->dir == p->dir || o->spi != p->spi))
				sim_violation(s, "key of SPI %08x installed again", p->spi);
		}
}

static void
install(struct sim_node *n, const struct sa_params *p)
{
	check_key(n->sim, p);
	n->esp = realloc(n->esp, (n->n_esp + 1) * sizeof *n->esp);
	if (n->esp == NULL)
		abort();
	n->esp[n->n_esp].params = *p;
	n->esp[n->n_esp++].live = true;
}

static void
do_add(struct sim_node *n, const struct ike_action *a)
{
	const struct sa_params *in = a->u.sa_add.in, *out = a->u.sa_add.out;

	if (in->dir != SA_IN || out->dir != SA_OUT || in->pair != out->pair || in->grant == 0 ||
	    in->spi < 256 || out->spi == 0 || in->key_len == 0 || in->n_src_sel == 0 ||
	    in->n_src_sel != in->n_dst_sel || out->n_src_sel != out->n_dst_sel ||
	    in->replay_window < 64)
		sim_violation(n->sim, "%s: SA_ADD with odd parameters", n->name);
	install(n, in);
	install(n, out);
}

void
sim_backend_del(struct sim_node *n, uint32_t pair)
{
	size_t i;

	for (i = 0; i < n->n_esp; i++)
		if (n->esp[i].params.pair == pair)
			n->esp[i].live = false;
}

void
sim_job(struct sim_node *n, const struct ike_action *a)
{
	static const struct { enum ike_job_kind kind; enum ike_event_type answer; } table[] = {
		[IKE_ACT_SIGN] = { IKE_JOB_SIGN, IKE_EV_SIGNED },
		[IKE_ACT_VERIFY] = { IKE_JOB_VERIFY, IKE_EV_VERIFIED },
		[IKE_ACT_AUTHORIZE] = { IKE_JOB_AUTHORIZE, IKE_EV_AUTHORIZED },
		[IKE_ACT_SA_ADD] = { IKE_JOB_SA_ADD, IKE_EV_SA_ADDED },
	};
	enum ike_job_kind kind = table[a->type].kind;
	struct ike_event ev = { .type = table[a->type].answer, .job = a->job };
	char identity[300];
	struct blob own = { 0 };

	n->jobs[kind]++;
	if (n->hold[kind])
		return;
	if (n->refuse[kind] != OK)
		ev.rc = n->refuse[kind];
	else if (kind == IKE_JOB_SIGN)
		do_sign(n, a, &ev, &own);
	else if (kind == IKE_JOB_VERIFY)
		do_verify(n, a, &ev, identity);
	else if (kind == IKE_JOB_AUTHORIZE)
		do_authorize(n, a, &ev);
	else
		do_add(n, a);
	sim_schedule_answer(n, n->sim->now + sim_below(n->sim, n->sim->job_ms + 1), &ev);
	blob_free(&own);
}
