/* SPDX-License-Identifier: ISC */
/* Policies, written and read. */
#include "base/err.h"
#include "xfrm-backend/xfrm_msg_wire.h"

#define ALL_ALGS UINT32_MAX

/* ---- writing ---- */

static void
write_template(struct wr *w, const struct xpol *p)
{
	struct xfrm_user_tmpl t;

	memset(&t, 0, sizeof t);
	xaddr_write(&t.id.daddr, &p->dst);
	xaddr_write(&t.saddr, &p->src);
	t.id.proto = IPPROTO_ESP_;
	t.family = xfamily(p->dst.family);
	t.reqid = p->reqid;
	t.mode = xmode_write(p->mode);
	t.aalgos = t.ealgos = t.calgos = ALL_ALGS;
	xattr_put(w, XFRMA_TMPL, &t, sizeof t);
}

static bool
pol_sound(const struct xpol *p)
{
	if (p->dir > XDIR_FWD || !xsel_sound(&p->sel))
		return false;
	return !p->tmpl || (addr_len(&p->src) != 0 && p->src.family == p->dst.family &&
	    (p->mode == SA_TUNNEL || (p->mode == SA_TRANSPORT && p->dst.family == p->sel.family)));
}

struct nlmsghdr *
xmsg_pol_add(void *buf, const struct xpol *p, bool replace)
{
	struct wr w = xmsg_begin(buf, replace ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY,
	    NLM_F_REQUEST | NLM_F_ACK);
	struct xfrm_userpolicy_info info;

	if (!pol_sound(p))
		return NULL;
	memset(&info, 0, sizeof info);
	xsel_write(&info.sel, &p->sel);
	info.lft.soft_byte_limit = info.lft.hard_byte_limit = XFRM_INF;
	info.lft.soft_packet_limit = info.lft.hard_packet_limit = XFRM_INF;
	info.priority = p->priority;
	info.dir = p->dir;
	info.action = p->block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
	wr_put(&w, bytes_of(&info, sizeof info));
	xmsg_pad(&w);
	if (p->tmpl)
		write_template(&w, p);
	return xmsg_end(&w);
}

static struct nlmsghdr *
by_selector(void *buf, uint16_t type, uint8_t dir, const struct xsel *sel)
{
	struct wr w = xmsg_begin(buf, type, NLM_F_REQUEST | NLM_F_ACK);
	struct xfrm_userpolicy_id id;

	memset(&id, 0, sizeof id);
	xsel_write(&id.sel, sel);
	id.dir = dir;
	wr_put(&w, bytes_of(&id, sizeof id));
	xmsg_pad(&w);
	return xmsg_end(&w);
}

struct nlmsghdr *
xmsg_pol_del(void *buf, uint8_t dir, const struct xsel *sel)
{
	return by_selector(buf, XFRM_MSG_DELPOLICY, dir, sel);
}

struct nlmsghdr *
xmsg_pol_get(void *buf, uint8_t dir, const struct xsel *sel)
{
	return by_selector(buf, XFRM_MSG_GETPOLICY, dir, sel);
}

struct nlmsghdr *
xmsg_pol_dump(void *buf)
{
	struct wr w = xmsg_begin(buf, XFRM_MSG_GETPOLICY, NLM_F_REQUEST | NLM_F_DUMP);

	return xmsg_end(&w);
}

/* ---- reading ---- */

static int
read_templates(const struct xattrs *attrs, struct xpol *p)
{
	struct rd r = rd_open(attrs->a[XFRMA_TMPL]);
	struct xfrm_user_tmpl t;
	uint8_t family;

	if (rd_left(&r) == 0)
		return OK;
	rd_copy(&r, &t, sizeof t);
	if (rd_left(&r) % sizeof t != 0)
		rd_fail(&r);
	if (!rd_ok(&r) || (family = xfamily_read(t.family)) == AF_NONE_)
		return ERR_SYNTAX;
	p->tmpl = true;
	p->reqid = t.reqid;
	p->mode = xmode_read(t.mode);
	p->src = xaddr_read(family, &t.saddr);
	p->dst = xaddr_read(family, &t.id.daddr);
	if (rd_left(&r) != 0 || p->mode == 0 || t.id.proto != IPPROTO_ESP_ || t.id.spi != 0 ||
	    t.share != 0 || t.optional != 0 || t.aalgos != ALL_ALGS || t.ealgos != ALL_ALGS ||
	    t.calgos != ALL_ALGS)
		p->foreign_shape = true;
	return OK;
}

int
xpol_read(const struct xfrm_userpolicy_info *info, const struct xattrs *attrs, struct xpol *p)
{
	static const uint8_t strange[] = {
		XFRMA_MARK, XFRMA_IF_ID, XFRMA_SEC_CTX, XFRMA_OFFLOAD_DEV,
	};
	struct xfrm_userpolicy_type type;
	size_t i;
	int r;

	memset(p, 0, sizeof *p);
	if (xattr_copy(attrs, XFRMA_POLICY_TYPE, &type, sizeof type) != OK)
		return ERR_SYNTAX;
	/* Above the last direction are the policies of single sockets, which a dump has too. */
	if (type.type != XFRM_POLICY_TYPE_MAIN || info->dir > XDIR_FWD)
		return ERR_UNSUPPORTED;
	p->dir = info->dir;
	p->block = info->action == XFRM_POLICY_BLOCK;
	p->priority = info->priority;
	p->index = info->index;
	p->foreign_shape = info->action > XFRM_POLICY_BLOCK || info->flags != 0 ||
	    info->share != XFRM_SHARE_ANY || info->lft.soft_add_expires_seconds != 0 ||
	    info->lft.hard_add_expires_seconds != 0 || info->lft.soft_use_expires_seconds != 0 ||
	    info->lft.hard_use_expires_seconds != 0;
	for (i = 0; i < sizeof strange; i++)
		p->foreign_shape = p->foreign_shape || xattr_set(attrs, strange[i]);
	if ((r = xsel_read(&info->sel, &p->sel, &p->foreign_shape)) != OK)
		return r;
	return read_templates(attrs, p);
}

int
xmsg_pol_read(const struct nlmsghdr *h, struct xpol *p)
{
	struct xfrm_userpolicy_info info;
	struct xattrs attrs;
	int r;

	memset(p, 0, sizeof *p);
	if (h->nlmsg_type != XFRM_MSG_NEWPOLICY && h->nlmsg_type != XFRM_MSG_UPDPOLICY)
		return ERR_UNSUPPORTED;
	if ((r = xmsg_read(h, &info, sizeof info, &attrs)) != OK)
		return r;
	return xpol_read(&info, &attrs, p);
}
