/* SPDX-License-Identifier: ISC */
#include "ike/exchange.h"

#include "ike/auth.h"
#include "ike/info.h"
#include "ike/init.h"

#define P(name) PL_BIT(PL_##name)
#define S(name) IKE_STATE_BIT(IKE_##name)

/*
 * Appendix C of RFC 7296. "may" is generous where other implementations are known to send more:
 * what we do not use (CP, say) is passed over, as the RFC wants it.
 */
static const struct ike_row rows[] = {
	{ EX_IKE_SA_INIT, false, ROW_RESPONDER, S(NEW),
	    P(SA) | P(KE) | P(NONCE),
	    P(N) | P(V) | P(CERTREQ),
	    init_request },
	/* All payloads are optional: it may be nothing but an error notify or a COOKIE. */
	{ EX_IKE_SA_INIT, true, ROW_INITIATOR, S(INIT_SENT),
	    0,
	    P(SA) | P(KE) | P(NONCE) | P(N) | P(V) | P(CERTREQ),
	    init_response },
	/* AUTH is missing where the initiator wants EAP: refused by the handler, as what it is. */
	{ EX_IKE_AUTH, false, ROW_RESPONDER, S(INIT_DONE),
	    P(IDi) | P(SA) | P(TSi) | P(TSr),
	    P(AUTH) | P(CERT) | P(CERTREQ) | P(IDr) | P(N) | P(V) | P(CP),
	    auth_request },
	{ EX_IKE_AUTH, true, ROW_INITIATOR, S(AUTH_SENT),
	    0,
	    P(IDr) | P(AUTH) | P(CERT) | P(CERTREQ) | P(SA) | P(TSi) | P(TSr) | P(N) | P(V) |
	    P(CP) | P(EAP),
	    auth_response },
	{ EX_INFORMATIONAL, false, ROW_BOTH, S(UP) | S(CLOSING),
	    0,
	    P(N) | P(D) | P(CP) | P(V),
	    info_request },
	{ EX_INFORMATIONAL, true, ROW_BOTH, S(UP) | S(CLOSING),
	    0,
	    P(N) | P(D) | P(CP) | P(V),
	    info_response },
};

static bool
row_is_for(const struct ike_row *row, const struct ike_sa *sa, const struct ike_header *h)
{
	unsigned state = sa == NULL ? IKE_NEW : sa->state;
	unsigned role = sa != NULL && sa->initiator ? ROW_INITIATOR : ROW_RESPONDER;

	return row->exchange == h->exchange && row->response == header_is_response(h) &&
	    (row->roles & role) != 0 && (row->states & IKE_STATE_BIT(state)) != 0;
}

const struct ike_row *
row_find(const struct ike *e, const struct ike_sa *sa, const struct ike_header *h)
{
	size_t i;

	for (i = 0; i < e->n_rows; i++)
		if (row_is_for(&e->rows[i], sa, h))
			return &e->rows[i];
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (row_is_for(&rows[i], sa, h))
			return &rows[i];
	return NULL;
}

bool
row_fits(const struct ike_row *row, const struct ike_msg *m, uint8_t *bad)
{
	uint64_t missing = row->must & ~m->present;
	uint64_t extra = m->present & ~(row->must | row->may);
	uint64_t wrong = missing != 0 ? missing : extra;

	*bad = wrong == 0 ? 0 : (uint8_t)(32 + __builtin_ctzll(wrong));
	return wrong == 0;
}

void
ike_add_rows(struct ike *e, const struct ike_row *more, size_t n)
{
	e->rows = more;
	e->n_rows = n;
}
