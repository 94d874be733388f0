/* SPDX-License-Identifier: ISC */
/* Policies and notifications as octets. No kernel takes part. */
#include "xfrm_support.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* ---- policies ---- */

TEST(policy_request_is_read_back)
{
	static const uint8_t families[] = { ADDR_V4, ADDR_V6 };
	union xbuf buf;
	size_t i;

	for (i = 0; i < 24; i++) {
		struct xpol want = (i & 8) != 0 ? test_block(families[i & 1], (uint8_t)(i / 2 % 3)) :
		    test_xpol(families[i & 1], (uint8_t)(i / 2 % 3)), have;
		struct nlmsghdr *h;

		want.mode = (i & 16) != 0 ? SA_TUNNEL : SA_TRANSPORT;
		h = xmsg_pol_add(&buf, &want, (i & 4) != 0);
		assert_int_equal(h->nlmsg_type, (i & 4) != 0 ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY);
		assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
		assert_int_equal(xmsg_pol_read(h, &have), OK);
		assert_true(xpol_equal(&have, &want));
		assert_false(have.foreign_shape);
	}
}

TEST(policy_request_has_one_required_template_for_any_algorithm)
{
	struct xpol p = test_xpol(ADDR_V4, XDIR_OUT);
	struct xfrm_userpolicy_info info;
	struct xfrm_user_tmpl t;
	struct xattrs attrs;
	union xbuf buf;

	assert_int_equal(xmsg_read(xmsg_pol_add(&buf, &p, false), &info, sizeof info, &attrs), OK);
	assert_int_equal(info.dir, XFRM_POLICY_OUT);
	assert_int_equal(info.action, XFRM_POLICY_ALLOW);
	assert_int_equal(info.priority, 1000);
	assert_true(info.lft.hard_byte_limit == XFRM_INF && info.lft.hard_packet_limit == XFRM_INF);
	assert_int_equal(info.lft.hard_add_expires_seconds, 0);
	assert_int_equal(attrs.a[XFRMA_TMPL].n, sizeof t);
	memcpy(&t, attrs.a[XFRMA_TMPL].p, sizeof t);
	assert_int_equal(t.id.proto, 50);
	assert_int_equal(t.id.spi, 0);
	assert_int_equal(t.family, AF_INET);
	assert_int_equal(t.reqid, 7);
	assert_int_equal(t.optional, 0);
	assert_true(t.aalgos == UINT32_MAX && t.ealgos == UINT32_MAX && t.calgos == UINT32_MAX);
	p = test_block(ADDR_V4, XDIR_IN);
	assert_int_equal(xmsg_read(xmsg_pol_add(&buf, &p, false), &info, sizeof info, &attrs), OK);
	assert_int_equal(info.action, XFRM_POLICY_BLOCK);
	assert_null(attrs.a[XFRMA_TMPL].p);
}

TEST(requests_by_selector_name_the_policy)
{
	struct xsel sel = xsel_any(ADDR_V6, 17, 0, 4789), got;
	struct xfrm_userpolicy_id id;
	struct xattrs attrs;
	bool foreign = false;
	union xbuf buf;
	struct nlmsghdr *h = xmsg_pol_del(&buf, XDIR_IN, &sel);

	assert_int_equal(h->nlmsg_type, XFRM_MSG_DELPOLICY);
	assert_int_equal(xmsg_read(h, &id, sizeof id, &attrs), OK);
	assert_int_equal(id.dir, XFRM_POLICY_IN);
	assert_int_equal(id.index, 0);
	assert_int_equal(xsel_read(&id.sel, &got, &foreign), OK);
	assert_true(xsel_equal(&sel, &got));
	assert_false(foreign);
	assert_int_equal(xmsg_pol_get(&buf, XDIR_OUT, &sel)->nlmsg_type, XFRM_MSG_GETPOLICY);
	h = xmsg_pol_dump(&buf);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(h->nlmsg_len, NLMSG_HDRLEN);
}

TEST(policy_that_makes_no_sense_is_not_written)
{
	struct xpol good = test_xpol(ADDR_V4, XDIR_OUT), p[7];
	union xbuf buf;
	size_t i;

	for (i = 0; i < COUNT(p); i++)
		p[i] = good;
	p[0].dir = 3;
	p[1].sel.family = AF_NONE_;
	p[2].sel.dst_len = 33;
	p[3].mode = 0;
	p[4].src.family = AF_NONE_;
	p[5].dst = test_addr("2001:db8::2");
	p[6].src = p[6].dst = test_addr("2001:db8::2");
	for (i = 0; i < COUNT(p); i++)
		assert_null(xmsg_pol_add(&buf, &p[i], false));
	p[6].mode = SA_TUNNEL;
	assert_non_null(xmsg_pol_add(&buf, &p[6], false));
}

/* ---- what the kernel tells of policies ---- */

struct pol_message {
	struct xfrm_userpolicy_info info;
	struct xfrm_user_tmpl tmpl[2];
	size_t n_tmpl;
	struct xfrm_userpolicy_type type;
	struct xfrm_mark mark;
	uint32_t if_id;
};

static struct pol_message
a_policy(void)
{
	struct xpol p = test_xpol(ADDR_V4, XDIR_OUT);
	struct pol_message m;
	struct xattrs attrs;
	union xbuf buf;

	memset(&m, 0, sizeof m);
	assert_int_equal(xmsg_read(xmsg_pol_add(&buf, &p, false), &m.info, sizeof m.info, &attrs), OK);
	memcpy(&m.tmpl[0], attrs.a[XFRMA_TMPL].p, sizeof m.tmpl[0]);
	m.tmpl[1] = m.tmpl[0];
	m.n_tmpl = 1;
	m.info.index = 9;
	return m;
}

static void
put_policy_attrs(struct wr *w, const struct pol_message *m)
{
	if (m->n_tmpl != 0)
		xattr_put(w, XFRMA_TMPL, m->tmpl, m->n_tmpl * sizeof m->tmpl[0]);
	xattr_put(w, XFRMA_POLICY_TYPE, &m->type, sizeof m->type);
	xattr_put(w, XFRMA_MARK, &m->mark, sizeof m->mark);
	xattr_put(w, XFRMA_IF_ID, &m->if_id, sizeof m->if_id);
}

static struct nlmsghdr *
put_policy(union xbuf *buf, uint16_t type, const struct pol_message *m)
{
	struct wr w = xmsg_begin(buf, type, 0);

	wr_put(&w, bytes_of(&m->info, sizeof m->info));
	put_policy_attrs(&w, m);
	return xmsg_end(&w);
}

TEST(policies_that_ours_are_never_like_are_told)
{
	struct pol_message m[18];
	struct xpol p;
	union xbuf buf;
	size_t i;

	for (i = 0; i < COUNT(m); i++)
		m[i] = a_policy();
	assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m[0]), &p), OK);
	assert_false(p.foreign_shape);
	assert_int_equal(p.index, 9);
	m[0].n_tmpl = 2;
	m[1].tmpl[0].optional = 1;
	m[2].tmpl[0].id.proto = IPPROTO_AH;
	m[3].tmpl[0].id.spi = 1;
	m[4].tmpl[0].share = 1;
	m[5].tmpl[0].aalgos = 1;
	m[6].tmpl[0].ealgos = 1;
	m[7].tmpl[0].calgos = 1;
	m[8].tmpl[0].mode = XFRM_MODE_BEET;
	m[9].mark.m = 1;
	m[10].if_id = 1;
	m[11].info.sel.ifindex = 1;
	m[12].info.flags = XFRM_POLICY_ICMP;
	m[13].info.lft.hard_add_expires_seconds = 1;
	m[14].info.lft.soft_use_expires_seconds = 1;
	m[15].info.action = 2;
	m[16].info.sel.user = 1;
	m[17].info.share = XFRM_SHARE_UNIQUE;
	for (i = 0; i < COUNT(m); i++) {
		assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m[i]), &p), OK);
		assert_true(p.foreign_shape);
	}
}

TEST(policies_of_sockets_and_of_the_sub_type_are_not_ours)
{
	struct pol_message m = a_policy();
	struct xpol p;
	union xbuf buf;

	m.info.dir = XFRM_POLICY_MAX + XFRM_POLICY_OUT;
	assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m), &p), ERR_UNSUPPORTED);
	m = a_policy();
	m.type.type = XFRM_POLICY_TYPE_SUB;
	assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m), &p), ERR_UNSUPPORTED);
}

TEST(malformed_policies_are_refused)
{
	struct pol_message m = a_policy();
	struct xpol p;
	union xbuf buf;
	struct nlmsghdr *h;
	uint32_t n, whole;

	m.info.sel.family = 0;
	assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m), &p), ERR_SYNTAX);
	m = a_policy();
	m.info.sel.prefixlen_s = 33;
	assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m), &p), ERR_SYNTAX);
	m = a_policy();
	m.tmpl[0].family = 0;
	assert_int_equal(xmsg_pol_read(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m), &p), ERR_SYNTAX);
	m = a_policy();
	h = put_policy(&buf, XFRM_MSG_NEWPOLICY, &m);
	((struct nlattr *)(void *)(buf.octets + NLMSG_LENGTH(sizeof m.info)))->nla_len -= 4;
	assert_int_equal(xmsg_pol_read(h, &p), ERR_SYNTAX);
	h = put_policy(&buf, XFRM_MSG_NEWPOLICY, &m);
	((struct nlattr *)(void *)(buf.octets + NLMSG_LENGTH(sizeof m.info)))->nla_len = 3;
	assert_int_equal(xmsg_pol_read(h, &p), ERR_SYNTAX);
	h = put_policy(&buf, XFRM_MSG_NEWPOLICY, &m);
	for (n = 0, whole = h->nlmsg_len; n <= whole; n++)
		test_cut(h, n, test_read_any);
}

/* ---- notifications ---- */

static struct xfrm_usersa_info
sa_info(const struct xsa *sa)
{
	struct xfrm_usersa_info info;
	struct xattrs attrs;
	union xbuf buf;

	assert_int_equal(xmsg_read(test_sa_add(&buf, &old_kernel, sa), &info, sizeof info, &attrs), OK);
	return info;
}

static struct nlmsghdr *
message(union xbuf *buf, uint16_t type, const void *p, size_t n)
{
	struct wr w = xmsg_begin(buf, type, 0);

	wr_put(&w, bytes_of(p, n));
	xmsg_pad(&w);
	return xmsg_end(&w);
}

static struct xevent
event(struct nlmsghdr *h)
{
	struct xevent ev;

	assert_non_null(h);
	h->nlmsg_pid = 4321;
	assert_int_equal(xmsg_event_read(h, &ev), OK);
	assert_int_equal(ev.port_id, 4321);
	return ev;
}

TEST(acquire_says_reqid_and_policy)
{
	struct pol_message m = a_policy();
	struct xfrm_user_acquire q;
	struct addr me = test_addr("192.0.2.1"), peer = test_addr("192.0.2.2");
	struct xevent ev;
	struct wr w;
	union xbuf buf;

	memset(&q, 0, sizeof q);
	q.id = m.tmpl[0].id;
	q.saddr = m.tmpl[0].saddr;
	q.policy = m.info;
	w = xmsg_begin(&buf, XFRM_MSG_ACQUIRE, 0);
	wr_put(&w, bytes_of(&q, sizeof q));
	put_policy_attrs(&w, &m);
	ev = event(xmsg_end(&w));
	assert_int_equal(ev.kind, XEVENT_ACQUIRE);
	assert_int_equal(ev.reqid, 7);
	assert_true(addr_equal(&ev.src, &me) && addr_equal(&ev.dst, &peer));
	assert_int_equal(ev.pol.dir, XDIR_OUT);
	assert_int_equal(ev.pol.sel.dport, 4789);
	/* Without a template nobody can say whom it is for; an AH SA is not ours to bring. */
	assert_int_equal(event(message(&buf, XFRM_MSG_ACQUIRE, &q, sizeof q)).kind, XEVENT_OTHER);
	q.id.proto = IPPROTO_AH;
	w = xmsg_begin(&buf, XFRM_MSG_ACQUIRE, 0);
	wr_put(&w, bytes_of(&q, sizeof q));
	put_policy_attrs(&w, &m);
	assert_int_equal(event(xmsg_end(&w)).kind, XEVENT_OTHER);
}

TEST(expiry_is_soft_or_hard)
{
	struct xsa sa = test_xsa(0x01020304, ADDR_V6, SA_IN);
	struct xfrm_user_expire e;
	union xbuf buf;
	struct xevent ev;

	memset(&e, 0, sizeof e);
	e.state = sa_info(&sa);
	ev = event(message(&buf, XFRM_MSG_EXPIRE, &e, sizeof e));
	assert_int_equal(ev.kind, XEVENT_EXPIRE);
	assert_int_equal(ev.spi, 0x01020304);
	assert_int_equal(ev.reqid, 7);
	assert_true(addr_equal(&ev.src, &sa.src) && addr_equal(&ev.dst, &sa.dst));
	assert_false(ev.hard);
	e.hard = 1;
	assert_true(event(message(&buf, XFRM_MSG_EXPIRE, &e, sizeof e)).hard);
	e.state.id.spi = 0;
	assert_int_equal(event(message(&buf, XFRM_MSG_EXPIRE, &e, sizeof e)).kind, XEVENT_OTHER);
}

TEST(mapping_says_where_the_peer_is_now)
{
	struct xfrm_user_mapping m = { .id = { .spi = htonl(5), .family = AF_INET, .proto = 50 },
	    .reqid = 7, .old_sport = htons(4500), .new_sport = htons(50001) };
	struct addr own = test_addr("192.0.2.2"), now = test_addr("203.0.113.9");
	struct xevent ev;
	union xbuf buf;

	xaddr_write(&m.id.daddr, &own);
	xaddr_write(&m.new_saddr, &now);
	ev = event(message(&buf, XFRM_MSG_MAPPING, &m, sizeof m));
	assert_int_equal(ev.kind, XEVENT_MAPPING);
	assert_int_equal(ev.spi, 5);
	assert_int_equal(ev.reqid, 7);
	assert_int_equal(ev.port, 50001);
	assert_true(addr_equal(&ev.src, &now) && addr_equal(&ev.dst, &own));
}

TEST(deleted_sa_is_named)
{
	struct xsa sa = test_xsa(5, ADDR_V4, SA_IN);
	struct xfrm_usersa_id id = { .spi = htonl(5), .family = AF_INET, .proto = 50 };
	struct xfrm_usersa_info info;
	struct xevent ev;
	struct wr w;
	union xbuf buf;

	info = sa_info(&sa);
	xaddr_write(&id.daddr, &sa.dst);
	w = xmsg_begin(&buf, XFRM_MSG_DELSA, 0);
	wr_put(&w, bytes_of(&id, sizeof id));
	xattr_put(&w, XFRMA_SA, &info, sizeof info);
	ev = event(xmsg_end(&w));
	assert_int_equal(ev.kind, XEVENT_SA_DELETED);
	assert_int_equal(ev.spi, 5);
	assert_int_equal(ev.reqid, 7);
	assert_true(addr_equal(&ev.src, &sa.src) && addr_equal(&ev.dst, &sa.dst));
	ev = event(message(&buf, XFRM_MSG_DELSA, &id, sizeof id));
	assert_int_equal(ev.kind, XEVENT_SA_DELETED);
	assert_int_equal(ev.src.family, AF_NONE_);
	id.proto = IPPROTO_AH;
	assert_int_equal(event(message(&buf, XFRM_MSG_DELSA, &id, sizeof id)).kind, XEVENT_OTHER);
	id.proto = 50;
	id.spi = 0;
	assert_int_equal(event(message(&buf, XFRM_MSG_DELSA, &id, sizeof id)).kind, XEVENT_OTHER);
}

TEST(flushes_concern_us_unless_of_others_only)
{
	static const struct {
		uint8_t proto;
		enum xevent_kind kind;
	} rows[] = {
		{ 0, XEVENT_SA_FLUSHED }, { 50, XEVENT_SA_FLUSHED }, { 255, XEVENT_SA_FLUSHED },
		{ IPPROTO_AH, XEVENT_OTHER }, { IPPROTO_COMP, XEVENT_OTHER },
	};
	struct xfrm_userpolicy_type type = { .type = XFRM_POLICY_TYPE_MAIN };
	union xbuf buf;
	struct wr w;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct xfrm_usersa_flush f = { .proto = rows[i].proto };

		assert_int_equal(event(message(&buf, XFRM_MSG_FLUSHSA, &f, sizeof f)).kind, rows[i].kind);
	}
	assert_int_equal(event(message(&buf, XFRM_MSG_FLUSHPOLICY, &type, 0)).kind,
	    XEVENT_POLICY_FLUSHED);
	for (i = 0; i < 2; i++) {
		type.type = (uint8_t)i;
		w = xmsg_begin(&buf, XFRM_MSG_FLUSHPOLICY, 0);
		xattr_put(&w, XFRMA_POLICY_TYPE, &type, sizeof type);
		assert_int_equal(event(xmsg_end(&w)).kind,
		    type.type == XFRM_POLICY_TYPE_MAIN ? XEVENT_POLICY_FLUSHED : XEVENT_OTHER);
	}
}

static struct nlmsghdr *
policy_deleted(union xbuf *buf, const struct xfrm_userpolicy_id *id, const struct pol_message *m)
{
	struct wr w = xmsg_begin(buf, XFRM_MSG_DELPOLICY, 0);

	wr_put(&w, bytes_of(id, sizeof *id));
	xattr_put(&w, XFRMA_POLICY, &m->info, sizeof m->info);
	put_policy_attrs(&w, m);
	return xmsg_end(&w);
}

TEST(policy_notifications_say_which)
{
	struct xpol want = test_xpol(ADDR_V4, XDIR_OUT);
	struct pol_message m = a_policy();
	struct xfrm_userpolicy_id by_index = { .dir = XFRM_POLICY_OUT, .index = 9 };
	struct xfrm_userpolicy_id by_sel = { .dir = XFRM_POLICY_OUT, .sel = m.info.sel };
	struct xevent ev;
	union xbuf buf;

	ev = event(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m));
	assert_int_equal(ev.kind, XEVENT_POLICY_ADDED);
	assert_true(xpol_equal(&ev.pol, &want));
	assert_int_equal(event(put_policy(&buf, XFRM_MSG_UPDPOLICY, &m)).kind, XEVENT_POLICY_ADDED);
	ev = event(policy_deleted(&buf, &by_index, &m));
	assert_int_equal(ev.kind, XEVENT_POLICY_DELETED);
	assert_true(xpol_equal(&ev.pol, &want));
	ev = event(policy_deleted(&buf, &by_sel, &m));
	assert_int_equal(ev.kind, XEVENT_POLICY_DELETED);
	ev = event(message(&buf, XFRM_MSG_DELPOLICY, &by_sel, sizeof by_sel));
	assert_int_equal(ev.kind, XEVENT_POLICY_DELETED);
	assert_true(xsel_equal(&ev.pol.sel, &want.sel));
	assert_int_equal(ev.pol.dir, XDIR_OUT);
	m.info.dir = XFRM_POLICY_MAX + XFRM_POLICY_OUT;
	assert_int_equal(event(put_policy(&buf, XFRM_MSG_NEWPOLICY, &m)).kind, XEVENT_OTHER);
	assert_int_equal(event(policy_deleted(&buf, &by_sel, &m)).kind, XEVENT_OTHER);
}

TEST(policy_that_is_said_to_have_expired_is_gone)
{
	struct pol_message m = a_policy();
	struct xfrm_user_polexpire e;
	union xbuf buf;

	memset(&e, 0, sizeof e);
	e.pol = m.info;
	assert_int_equal(event(message(&buf, XFRM_MSG_POLEXPIRE, &e, sizeof e)).kind, XEVENT_OTHER);
	e.hard = 1;
	assert_int_equal(event(message(&buf, XFRM_MSG_POLEXPIRE, &e, sizeof e)).kind,
	    XEVENT_POLICY_DELETED);
}

TEST(other_notifications_concern_nobody)
{
	uint8_t octets[600] = { 0 };
	union xbuf buf;
	uint16_t type;
	size_t n;

	for (type = XFRM_MSG_BASE; type < XFRM_MSG_BASE + 64; type++)
		for (n = 0; n < sizeof octets; n += 4)
			test_read_any(message(&buf, type, octets, n));
	assert_int_equal(event(message(&buf, XFRM_MSG_NEWAE, octets, 40)).kind, XEVENT_OTHER);
	assert_int_equal(event(message(&buf, XFRM_MSG_NEWSA, octets, 300)).kind, XEVENT_OTHER);
	assert_int_equal(event(message(&buf, XFRM_MSG_GETDEFAULT, octets, 4)).kind, XEVENT_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_request_is_read_back),
		cmocka_unit_test(policy_request_has_one_required_template_for_any_algorithm),
		cmocka_unit_test(requests_by_selector_name_the_policy),
		cmocka_unit_test(policy_that_makes_no_sense_is_not_written),
		cmocka_unit_test(policies_that_ours_are_never_like_are_told),
		cmocka_unit_test(policies_of_sockets_and_of_the_sub_type_are_not_ours),
		cmocka_unit_test(malformed_policies_are_refused),
		cmocka_unit_test(acquire_says_reqid_and_policy),
		cmocka_unit_test(expiry_is_soft_or_hard),
		cmocka_unit_test(mapping_says_where_the_peer_is_now),
		cmocka_unit_test(deleted_sa_is_named),
		cmocka_unit_test(flushes_concern_us_unless_of_others_only),
		cmocka_unit_test(policy_notifications_say_which),
		cmocka_unit_test(policy_that_is_said_to_have_expired_is_gone),
		cmocka_unit_test(other_notifications_concern_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
