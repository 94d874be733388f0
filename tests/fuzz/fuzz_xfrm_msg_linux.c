/* SPDX-License-Identifier: ISC */
/* reads: xfrm-backend/xfrm_msg_sa.c xfrm-backend/xfrm_msg_pol.c xfrm-backend/xfrm_msg_event.c */
/* reads: xfrm-backend/xfrm_msg_wire.c xfrm-backend/xfrm_msg_alg.c */
/* fuzz: -max_len=2000 */
/*
 * Messages of the kernel: the first octet chooses the type, the rest is what comes after the header. What
 * could be one of our SAs or policies is asked for again, and the request must say the same.
 */
#include <stdlib.h>

#include "base/err.h"
#include "xfrm-backend/xfrm_msg_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

union xbuf {
	struct nlmsghdr h;
	uint8_t octets[XMSG_MAX];
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static bool
known(int r)
{
	return r == OK || r == ERR_SYNTAX || r == ERR_UNSUPPORTED;
}

static void
check_sel(const struct xsel *s)
{
	char text[XSEL_STRLEN];

	must(xsel_sound(s) && xsel_equal(s, s) && xsel_overlap(s, s));
	must(strlen(xsel_str(s, text)) < XSEL_STRLEN - 1);
}

/* ---- SAs ---- */

/* The bitmap that the kernel puts behind its header when it dumps what was asked for. */
static void
put_bitmap(struct wr *w, const struct xattrs *attrs)
{
	struct xfrm_replay_state_esn e;

	must(xattr_copy(attrs, XFRMA_REPLAY_ESN_VAL, &e, sizeof e) == OK);
	xattr_head(w, XFRMA_REPLAY_ESN_VAL, sizeof e + e.bmp_len * sizeof e.bmp[0]);
	wr_put(w, bytes_of(&e, sizeof e));
	wr_zero(w, e.bmp_len * sizeof e.bmp[0]);
}

static struct nlmsghdr *
as_dumped(union xbuf *to, const struct nlmsghdr *request)
{
	struct wr w = xmsg_begin(to, XFRM_MSG_NEWSA, NLM_F_MULTI);
	struct xfrm_usersa_info info;
	struct xattrs attrs;
	uint16_t type;

	must(xmsg_read(request, &info, sizeof info, &attrs) == OK);
	wr_put(&w, bytes_of(&info, sizeof info));
	for (type = 0; type < XATTRS; type++)
		if (attrs.a[type].p != NULL && type == XFRMA_REPLAY_ESN_VAL)
			put_bitmap(&w, &attrs);
		else if (attrs.a[type].p != NULL)
			xattr_put(&w, type, attrs.a[type].p, attrs.a[type].n);
	return xmsg_end(&w);
}

static void
ask_for_sa(const struct xsa *read)
{
	static const uint8_t key[SA_KEY_MAX];
	struct xmsg_kernel k = { .sa_dir = read->dir != 0 };
	struct xsa want = *read, have;
	struct xsa_figures f;
	size_t encr, integ;
	union xbuf request, dumped;
	struct nlmsghdr *h;

	if (want.dir == 0)
		want.dir = SA_IN;
	if (esp_transform_lengths(&want.transform, &encr, &integ) != OK)
		return;
	h = xmsg_sa_add(&request, &k, &want, bytes_of(key, encr + integ));
	if (h == NULL) {
		/* The one thing that can be read but not asked for. */
		must(want.mode == SA_TRANSPORT && want.sel.family != want.dst.family);
		return;
	}
	must(xmsg_sa_read(as_dumped(&dumped, h), &have, &f) == OK);
	must(xsa_equal(&have, &want) && have.dir == read->dir);
	must(xmsg_sa_get(&request, want.spi, &want.dst) != NULL);
	must(xmsg_sa_del(&request, want.spi, &want.dst) != NULL && xmsg_sa_dump(&request) != NULL);
}

static void
try_sa(const struct nlmsghdr *h)
{
	char text[XSA_STRLEN];
	struct xsa_figures f;
	struct xsa sa;
	int r = xmsg_sa_read(h, &sa, &f);

	must(known(r));
	if (r != OK)
		return;
	check_sel(&sa.sel);
	must(strlen(xsa_str(&sa, text)) < XSA_STRLEN - 1);
	must(addr_len(&sa.src) != 0 && sa.src.family == sa.dst.family && sa.dir <= SA_OUT);
	if (!sa.foreign_shape)
		ask_for_sa(&sa);
}

/* ---- policies ---- */

static void
check_policy(const struct xpol *p)
{
	char text[XPOL_STRLEN];
	struct xpol have;
	union xbuf request;
	struct nlmsghdr *h;

	check_sel(&p->sel);
	must(p->dir <= XDIR_FWD && xpol_equal(p, p));
	must(strlen(xpol_str(p, text)) < XPOL_STRLEN - 1);
	if (p->foreign_shape)
		return;
	if ((h = xmsg_pol_add(&request, p, p->index % 2 != 0)) == NULL) {
		must(p->tmpl && p->mode == SA_TRANSPORT && p->dst.family != p->sel.family);
		return;
	}
	must(xmsg_pol_read(h, &have) == OK);
	must(xpol_equal(&have, p));
	must(xmsg_pol_get(&request, p->dir, &p->sel) != NULL);
	must(xmsg_pol_del(&request, p->dir, &p->sel) != NULL && xmsg_pol_dump(&request) != NULL);
}

static void
try_policy(const struct nlmsghdr *h)
{
	struct xpol p;
	int r = xmsg_pol_read(h, &p);

	must(known(r));
	if (r == OK)
		check_policy(&p);
}

/* ---- notifications ---- */

static void
try_event(const struct nlmsghdr *h)
{
	struct xevent ev;
	int r = xmsg_event_read(h, &ev);

	must(r == OK || r == ERR_SYNTAX);
	must(ev.port_id == h->nlmsg_pid);
	if (r != OK)
		return;
	switch (ev.kind) {
	case XEVENT_ACQUIRE:
		must(addr_len(&ev.src) != 0 && addr_len(&ev.dst) != 0 && ev.reqid == ev.pol.reqid);
		check_policy(&ev.pol);
		break;
	case XEVENT_EXPIRE:
	case XEVENT_MAPPING:
		must(ev.spi != 0 && addr_len(&ev.src) != 0 && addr_len(&ev.dst) != 0);
		break;
	case XEVENT_SA_DELETED:
		must(ev.spi != 0 && addr_len(&ev.dst) != 0);
		break;
	case XEVENT_POLICY_ADDED:
	case XEVENT_POLICY_DELETED:
		check_policy(&ev.pol);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct nlmsghdr *h;

	/* Of that size exactly, so that one octet too many is seen. */
	if (len < 1 || (h = malloc(sizeof *h + len - 1)) == NULL)
		return 0;
	*h = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(sizeof *h + len - 1), .nlmsg_pid = 7,
	    .nlmsg_type = (uint16_t)(XFRM_MSG_BASE + data[0] % 32) };
	memcpy(h + 1, data + 1, len - 1);
	try_sa(h);
	try_policy(h);
	try_event(h);
	free(h);
	return 0;
}
