/* SPDX-License-Identifier: ISC */
/* SAs, written and read. */
#include <arpa/inet.h>
#include <linux/udp.h>

#include "base/err.h"
#include "xfrm-backend/xfrm_msg_wire.h"

#define WORD_BITS       32u
/* What an outbound SA with ESN must have before Linux 6.10, though nothing ever looks at it. */
#define IDLE_WINDOW     32u
#define MAPPING_PAUSE_S 1u

/* ---- writing ---- */

static uint64_t
or_infinite(uint64_t limit)
{
	return limit == 0 ? XFRM_INF : limit;
}

static void
write_life(struct xfrm_lifetime_cfg *to, const struct sa_lifetime *l)
{
	to->soft_add_expires_seconds = l->soft_s;
	to->hard_add_expires_seconds = l->hard_s;
	to->soft_byte_limit = or_infinite(l->soft_bytes);
	to->hard_byte_limit = or_infinite(l->hard_bytes);
	to->soft_packet_limit = or_infinite(l->soft_packets);
	to->hard_packet_limit = or_infinite(l->hard_packets);
}

/*
 * The bitmap form takes windows above 32 and is the only one with ESN. The kernel makes the bitmap
 * itself when only the struct before it is sent.
 */
static void
write_replay(struct wr *w, const struct xmsg_kernel *k, const struct xsa *sa)
{
	struct xfrm_replay_state_esn e = { .replay_window = xsa_window(sa) };

	if (sa->dir == SA_OUT) {
		if (!sa->transform.esn)
			return;
		/* Before directions were known, ESN without a window was refused; since, one with it is. */
		e.replay_window = k->sa_dir ? 0 : IDLE_WINDOW;
	}
	e.bmp_len = (e.replay_window + WORD_BITS - 1) / WORD_BITS;
	xattr_put(w, XFRMA_REPLAY_ESN_VAL, &e, sizeof e);
}

static void
write_encap(struct wr *w, const struct xsa *sa)
{
	struct xfrm_encap_tmpl e = { .encap_type = UDP_ENCAP_ESPINUDP,
	    .encap_sport = htons(sa->encap_sport), .encap_dport = htons(sa->encap_dport) };

	if (sa->encap_sport == 0 && sa->encap_dport == 0)
		return;
	xattr_put(w, XFRMA_ENCAP, &e, sizeof e);
	/* Else there is a notification per packet from a new mapping of a NAT. Linux 5.17 and later. */
	if (sa->dir == SA_IN)
		xattr_put(w, XFRMA_MTIMER_THRESH, &(uint32_t){ MAPPING_PAUSE_S }, sizeof(uint32_t));
}

static bool
sa_sound(const struct xsa *sa)
{
	return addr_len(&sa->src) != 0 && sa->src.family == sa->dst.family && xsel_sound(&sa->sel) &&
	    (sa->mode == SA_TUNNEL || (sa->mode == SA_TRANSPORT && sa->sel.family == sa->dst.family)) &&
	    (sa->dir == SA_IN || sa->dir == SA_OUT);
}

struct nlmsghdr *
xmsg_sa_add(void *buf, const struct xmsg_kernel *k, const struct xsa *sa, struct bytes key)
{
	struct wr w = xmsg_begin(buf, XFRM_MSG_NEWSA, NLM_F_REQUEST | NLM_F_ACK);
	struct xfrm_usersa_info info;

	if (!sa_sound(sa))
		return NULL;
	memset(&info, 0, sizeof info);
	xsel_write(&info.sel, &sa->sel);
	xaddr_write(&info.id.daddr, &sa->dst);
	xaddr_write(&info.saddr, &sa->src);
	info.id.spi = htonl(sa->spi);
	info.id.proto = IPPROTO_ESP_;
	info.family = xfamily(sa->dst.family);
	info.mode = xmode_write(sa->mode);
	info.reqid = sa->reqid;
	info.flags = sa->transform.esn ? XFRM_STATE_ESN : 0;
	write_life(&info.lft, &sa->life);
	wr_put(&w, bytes_of(&info, sizeof info));
	xmsg_pad(&w);
	if (xalg_write(&w, &sa->transform, key) != OK)
		return NULL;
	write_replay(&w, k, sa);
	write_encap(&w, sa);
	if (k->sa_dir)
		xattr_put(&w, XATTR_SA_DIR, &sa->dir, sizeof sa->dir);
	return xmsg_end(&w);
}

static struct nlmsghdr *
by_spi(void *buf, uint16_t type, uint32_t spi, const struct addr *dst)
{
	struct wr w = xmsg_begin(buf, type, NLM_F_REQUEST | NLM_F_ACK);
	struct xfrm_usersa_id id;

	memset(&id, 0, sizeof id);
	xaddr_write(&id.daddr, dst);
	id.spi = htonl(spi);
	id.family = xfamily(dst->family);
	id.proto = IPPROTO_ESP_;
	wr_put(&w, bytes_of(&id, sizeof id));
	xmsg_pad(&w);
	return xmsg_end(&w);
}

struct nlmsghdr *
xmsg_sa_del(void *buf, uint32_t spi, const struct addr *dst)
{
	return by_spi(buf, XFRM_MSG_DELSA, spi, dst);
}

struct nlmsghdr *
xmsg_sa_get(void *buf, uint32_t spi, const struct addr *dst)
{
	return by_spi(buf, XFRM_MSG_GETSA, spi, dst);
}

struct nlmsghdr *
xmsg_sa_dump(void *buf)
{
	struct wr w = xmsg_begin(buf, XFRM_MSG_GETSA, NLM_F_REQUEST | NLM_F_DUMP);
	uint8_t proto = IPPROTO_ESP_;

	xattr_put(&w, XFRMA_PROTO, &proto, sizeof proto);
	return xmsg_end(&w);
}

/* ---- reading ---- */

static uint64_t
or_none(uint64_t limit)
{
	return limit == XFRM_INF ? 0 : limit;
}

static uint32_t
seconds(uint64_t s)
{
	return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static void
read_life(const struct xfrm_lifetime_cfg *from, struct xsa *sa)
{
	sa->life.soft_s = seconds(from->soft_add_expires_seconds);
	sa->life.hard_s = seconds(from->hard_add_expires_seconds);
	sa->life.soft_bytes = or_none(from->soft_byte_limit);
	sa->life.hard_bytes = or_none(from->hard_byte_limit);
	sa->life.soft_packets = or_none(from->soft_packet_limit);
	sa->life.hard_packets = or_none(from->hard_packet_limit);
	if (from->soft_use_expires_seconds != 0 || from->hard_use_expires_seconds != 0)
		sa->foreign_shape = true;
}

static uint64_t
seq_of(uint8_t dir, uint64_t sent, uint64_t received)
{
	if (dir == SA_OUT)
		return sent;
	if (dir == SA_IN)
		return received;
	/* An SA counts one way only. */
	return sent > received ? sent : received;
}

static int
read_replay(const struct xfrm_usersa_info *info, const struct xattrs *attrs, struct xsa *sa,
    struct xsa_figures *f)
{
	struct xfrm_replay_state_esn e;
	struct xfrm_replay_state plain;

	if (xattr_copy(attrs, XFRMA_REPLAY_ESN_VAL, &e, sizeof e) != OK ||
	    xattr_copy(attrs, XFRMA_REPLAY_VAL, &plain, sizeof plain) != OK)
		return ERR_SYNTAX;
	if (attrs->a[XFRMA_REPLAY_ESN_VAL].p == NULL) {
		sa->replay_window = info->replay_window;
		f->seq = seq_of(sa->dir, plain.oseq, plain.seq);
		return OK;
	}
	if (attrs->a[XFRMA_REPLAY_ESN_VAL].n - sizeof e != (uint64_t)e.bmp_len * sizeof e.bmp[0])
		return ERR_SYNTAX;
	sa->replay_window = e.replay_window;
	f->seq = seq_of(sa->dir, (uint64_t)e.oseq_hi << 32 | e.oseq, (uint64_t)e.seq_hi << 32 | e.seq);
	return OK;
}

static int
read_encap(const struct xattrs *attrs, struct xsa *sa)
{
	static const xfrm_address_t none;
	struct xfrm_encap_tmpl e;

	if (xattr_copy(attrs, XFRMA_ENCAP, &e, sizeof e) != OK)
		return ERR_SYNTAX;
	if (attrs->a[XFRMA_ENCAP].p == NULL)
		return OK;
	sa->encap_sport = ntohs(e.encap_sport);
	sa->encap_dport = ntohs(e.encap_dport);
	if (e.encap_type != UDP_ENCAP_ESPINUDP || memcmp(&e.encap_oa, &none, sizeof none) != 0)
		sa->foreign_shape = true;
	return OK;
}

/* Attributes that change what an SA does, and that ours never have. */
static bool
strange(const struct xattrs *attrs)
{
	static const uint8_t types[] = {
		XFRMA_MARK, XFRMA_IF_ID, XFRMA_SET_MARK, XFRMA_SET_MARK_MASK, XFRMA_SEC_CTX, XFRMA_COADDR,
		XFRMA_TFCPAD, XFRMA_ALG_COMP, XFRMA_SA_EXTRA_FLAGS, XFRMA_OFFLOAD_DEV, XATTR_NAT_KEEPALIVE,
	};
	size_t i;

	for (i = 0; i < sizeof types; i++)
		if (xattr_set(attrs, types[i]))
			return true;
	return attrs->a[XATTR_SA_PCPU].p != NULL;   /* the first processor is number 0 */
}

static int
read_selector(const struct xfrm_usersa_info *info, struct xsa *sa)
{
	if (info->sel.family != 0)
		return xsel_read(&info->sel, &sa->sel, &sa->foreign_shape);
	/* Selects both families: for our purposes all of the outer one, and not ours. */
	sa->sel = xsel_any(sa->dst.family, 0, 0, 0);
	sa->foreign_shape = true;
	return OK;
}

static void
read_figures(const struct xfrm_usersa_info *info, struct xsa_figures *f)
{
	f->packets = info->curlft.packets;
	f->bytes = info->curlft.bytes;
	f->replay_window = info->stats.replay_window;
	f->replay = info->stats.replay;
	f->integrity_failed = info->stats.integrity_failed;
	f->add_time = info->curlft.add_time;
	f->use_time = info->curlft.use_time;
}

int
xmsg_sa_read(const struct nlmsghdr *h, struct xsa *sa, struct xsa_figures *f)
{
	struct xfrm_usersa_info info;
	struct xattrs attrs;
	uint8_t family;
	int r;

	memset(sa, 0, sizeof *sa);
	memset(f, 0, sizeof *f);
	if (h->nlmsg_type != XFRM_MSG_NEWSA && h->nlmsg_type != XFRM_MSG_UPDSA)
		return ERR_UNSUPPORTED;
	if ((r = xmsg_read(h, &info, sizeof info, &attrs)) != OK)
		return r;
	if (info.id.proto != IPPROTO_ESP_)
		return ERR_UNSUPPORTED;
	if ((family = xfamily_read(info.family)) == AF_NONE_ ||
	    xattr_copy(&attrs, XATTR_SA_DIR, &sa->dir, sizeof sa->dir) != OK || sa->dir > SA_OUT)
		return ERR_SYNTAX;
	sa->spi = ntohl(info.id.spi);
	sa->src = xaddr_read(family, &info.saddr);
	sa->dst = xaddr_read(family, &info.id.daddr);
	sa->reqid = info.reqid;
	sa->mode = xmode_read(info.mode);
	sa->foreign_shape = sa->spi == 0 || sa->mode == 0 ||
	    (info.flags & ~XFRM_STATE_ESN) != 0 || strange(&attrs);
	if ((r = read_selector(&info, sa)) != OK || (r = xalg_read(&attrs, &sa->transform)) != OK ||
	    (r = read_replay(&info, &attrs, sa, f)) != OK || (r = read_encap(&attrs, sa)) != OK)
		return r;
	sa->transform.esn = (info.flags & XFRM_STATE_ESN) != 0;
	read_life(&info.lft, sa);
	read_figures(&info, f);
	return OK;
}
