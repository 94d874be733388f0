/* SPDX-License-Identifier: ISC */
/* SAs as octets: requests, and what the kernel makes of them. No kernel takes part. */
#include "xfrm_support.h"

#include <arpa/inet.h>
#include <linux/udp.h>
#include <sys/socket.h>

struct sa_message {
	struct xfrm_usersa_info info;
	struct xattrs attrs;
};

static struct sa_message
open_sa(const struct nlmsghdr *h)
{
	struct sa_message m;

	assert_non_null(h);
	assert_int_equal(h->nlmsg_type, XFRM_MSG_NEWSA);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(h->nlmsg_len % 4, 0);
	assert_int_equal(xmsg_read(h, &m.info, sizeof m.info, &m.attrs), OK);
	return m;
}

TEST(sa_request_says_all_of_the_sa)
{
	struct xsa sa = test_xsa(0x01020304, ADDR_V4, SA_IN);
	struct sa_message m;
	union xbuf buf;

	sa.life = (struct sa_lifetime){ 10, 20, 30, 40, 50, 60 };
	m = open_sa(test_sa_add(&buf, &old_kernel, &sa));
	assert_int_equal(ntohl(m.info.id.spi), 0x01020304);
	assert_int_equal(m.info.id.proto, 50);
	assert_int_equal(ntohl(m.info.id.daddr.a4), 0xc0000202);
	assert_int_equal(ntohl(m.info.saddr.a4), 0xc0000201);
	assert_int_equal(m.info.family, AF_INET);
	assert_int_equal(m.info.mode, XFRM_MODE_TRANSPORT);
	assert_int_equal(m.info.reqid, 7);
	assert_int_equal(m.info.flags, 0);
	assert_int_equal(m.info.replay_window, 0);
	assert_int_equal(m.info.sel.family, AF_INET);
	assert_int_equal(m.info.sel.prefixlen_s, 32);
	assert_int_equal(m.info.sel.proto, 17);
	assert_int_equal(ntohs(m.info.sel.dport), 4789);
	assert_int_equal(m.info.sel.dport_mask, 0xffff);
	assert_int_equal(m.info.sel.sport_mask, 0);
	assert_int_equal(m.info.lft.soft_add_expires_seconds, 10);
	assert_int_equal(m.info.lft.hard_add_expires_seconds, 20);
	assert_int_equal(m.info.lft.soft_byte_limit, 30);
	assert_int_equal(m.info.lft.hard_byte_limit, 40);
	assert_int_equal(m.info.lft.soft_packet_limit, 50);
	assert_int_equal(m.info.lft.hard_packet_limit, 60);
	assert_null(m.attrs.a[XFRMA_ENCAP].p);
	assert_null(m.attrs.a[XATTR_SA_DIR].p);
}

TEST(limits_of_none_are_infinite_but_for_seconds)
{
	struct xsa sa = test_xsa(1, ADDR_V4, SA_OUT);
	union xbuf buf;
	struct sa_message m = open_sa(test_sa_add(&buf, &old_kernel, &sa));

	assert_true(m.info.lft.soft_byte_limit == XFRM_INF && m.info.lft.hard_byte_limit == XFRM_INF);
	assert_true(m.info.lft.soft_packet_limit == XFRM_INF &&
	    m.info.lft.hard_packet_limit == XFRM_INF);
	assert_int_equal(m.info.lft.soft_add_expires_seconds, 0);
	assert_int_equal(m.info.lft.hard_add_expires_seconds, 0);
}

TEST(aead_key_has_its_salt_in_one_attribute)
{
	struct xsa sa = test_xsa(9, ADDR_V4, SA_IN);
	struct xfrm_algo_aead alg;
	uint8_t key[SA_KEY_MAX];
	struct bytes want = test_xkey(&sa, key);
	union xbuf buf;
	struct sa_message m = open_sa(test_sa_add(&buf, &old_kernel, &sa));

	assert_int_equal(m.attrs.a[XFRMA_ALG_AEAD].n, sizeof alg + 20);
	memcpy(&alg, m.attrs.a[XFRMA_ALG_AEAD].p, sizeof alg);
	assert_string_equal(alg.alg_name, "rfc4106(gcm(aes))");
	assert_int_equal(alg.alg_key_len, 160);
	assert_int_equal(alg.alg_icv_len, 128);
	assert_memory_equal(m.attrs.a[XFRMA_ALG_AEAD].p + sizeof alg, want.p, want.n);
	assert_null(m.attrs.a[XFRMA_ALG_CRYPT].p);
}

TEST(cipher_and_integrity_have_their_own_parts_of_the_key)
{
	struct xsa sa = test_xsa(9, ADDR_V6, SA_IN);
	struct xfrm_algo cipher;
	struct xfrm_algo_auth auth;
	uint8_t key[SA_KEY_MAX];
	union xbuf buf;
	struct sa_message m;

	assert_int_equal(esp_transform_parse(&sa.transform, "aes256-sha384"), OK);
	(void)test_xkey(&sa, key);
	m = open_sa(test_sa_add(&buf, &old_kernel, &sa));
	assert_int_equal(m.attrs.a[XFRMA_ALG_CRYPT].n, sizeof cipher + 32);
	memcpy(&cipher, m.attrs.a[XFRMA_ALG_CRYPT].p, sizeof cipher);
	assert_string_equal(cipher.alg_name, "cbc(aes)");
	assert_int_equal(cipher.alg_key_len, 256);
	assert_memory_equal(m.attrs.a[XFRMA_ALG_CRYPT].p + sizeof cipher, key, 32);
	assert_int_equal(m.attrs.a[XFRMA_ALG_AUTH_TRUNC].n, sizeof auth + 48);
	memcpy(&auth, m.attrs.a[XFRMA_ALG_AUTH_TRUNC].p, sizeof auth);
	assert_string_equal(auth.alg_name, "hmac(sha384)");
	assert_int_equal(auth.alg_key_len, 384);
	assert_int_equal(auth.alg_trunc_len, 192);
	assert_memory_equal(m.attrs.a[XFRMA_ALG_AUTH_TRUNC].p + sizeof auth, key + 32, 48);
	assert_null(m.attrs.a[XFRMA_ALG_AEAD].p);
}

TEST(every_transform_of_ours_has_a_name_in_the_kernel)
{
	struct esp_transform t, none = { 0 }, bare = { .encr = ESP_AES_CBC, .key_bits = 128 };
	struct xalg alg;
	size_t i;

	for (i = 0; i < COUNT(test_transforms); i++) {
		assert_int_equal(esp_transform_parse(&t, test_transforms[i]), OK);
		assert_int_equal(xalg_of(&t, &alg), OK);
		assert_true((alg.aead != NULL) != (alg.encr != NULL && alg.auth != NULL));
		assert_true(alg.icv >= 128);
	}
	assert_int_equal(xalg_of(&none, &alg), ERR_UNSUPPORTED);
	/* Encryption without integrity, RFC 8221 section 4. */
	assert_int_equal(xalg_of(&bare, &alg), ERR_UNSUPPORTED);
}

/* Replay state by direction, ESN and kernel: window in the bitmap form, -1 for no such attribute. */
TEST(replay_state_is_what_the_kernel_wants_for_the_direction)
{
	static const struct {
		uint8_t dir;
		bool esn, dir_known;
		int window, words;
	} rows[] = {
		{ SA_IN, false, false, 1024, 32 },
		{ SA_IN, false, true, 1024, 32 },
		{ SA_IN, true, false, 1024, 32 },
		{ SA_IN, true, true, 1024, 32 },
		{ SA_OUT, false, false, -1, 0 },
		{ SA_OUT, false, true, -1, 0 },
		{ SA_OUT, true, false, 32, 1 },
		{ SA_OUT, true, true, 0, 0 },
	};
	struct xfrm_replay_state_esn e;
	struct sa_message m;
	union xbuf buf;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct xsa sa = test_xsa(1, ADDR_V4, rows[i].dir);

		sa.transform.esn = rows[i].esn;
		m = open_sa(test_sa_add(&buf, rows[i].dir_known ? &new_kernel : &old_kernel, &sa));
		assert_int_equal(m.info.flags, rows[i].esn ? XFRM_STATE_ESN : 0);
		assert_null(m.attrs.a[XFRMA_REPLAY_VAL].p);
		assert_int_equal(m.attrs.a[XATTR_SA_DIR].n, rows[i].dir_known ? 1 : 0);
		if (rows[i].dir_known)
			assert_int_equal(m.attrs.a[XATTR_SA_DIR].p[0], rows[i].dir);
		assert_int_equal(m.attrs.a[XFRMA_REPLAY_ESN_VAL].p == NULL, rows[i].window < 0);
		if (rows[i].window < 0)
			continue;
		assert_int_equal(m.attrs.a[XFRMA_REPLAY_ESN_VAL].n, sizeof e);
		memcpy(&e, m.attrs.a[XFRMA_REPLAY_ESN_VAL].p, sizeof e);
		assert_int_equal(e.replay_window, rows[i].window);
		assert_int_equal(e.bmp_len, rows[i].words);
		assert_true(e.oseq == 0 && e.oseq_hi == 0 && e.seq == 0 && e.seq_hi == 0);
	}
}

TEST(odd_windows_have_a_bitmap_that_holds_them)
{
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN);
	struct xfrm_replay_state_esn e;
	union xbuf buf;
	struct sa_message m;

	for (sa.replay_window = 0; sa.replay_window <= 4200; sa.replay_window += 33) {
		m = open_sa(test_sa_add(&buf, &old_kernel, &sa));
		memcpy(&e, m.attrs.a[XFRMA_REPLAY_ESN_VAL].p, sizeof e);
		assert_int_equal(e.replay_window, xsa_window(&sa));
		assert_true(e.bmp_len * 32 >= e.replay_window && e.bmp_len <= 128);
	}
}

TEST(udp_encapsulation_has_ports_in_network_order)
{
	struct xsa sa = test_xsa(1, ADDR_V6, SA_OUT);
	struct xfrm_encap_tmpl e;
	union xbuf buf;
	struct sa_message m;

	sa.encap_sport = 50001;
	sa.encap_dport = 4500;
	m = open_sa(test_sa_add(&buf, &old_kernel, &sa));
	assert_int_equal(m.attrs.a[XFRMA_ENCAP].n, sizeof e);
	memcpy(&e, m.attrs.a[XFRMA_ENCAP].p, sizeof e);
	assert_int_equal(e.encap_type, UDP_ENCAP_ESPINUDP);
	assert_int_equal(ntohs(e.encap_sport), 50001);
	assert_int_equal(ntohs(e.encap_dport), 4500);
	assert_null(m.attrs.a[XFRMA_MTIMER_THRESH].p);
}

TEST(new_mappings_are_not_told_with_every_packet)
{
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN);
	uint32_t pause = 0;
	union xbuf buf;
	struct sa_message m = open_sa(test_sa_add(&buf, &old_kernel, &sa));

	/* Without encapsulation the kernel refuses it. */
	assert_null(m.attrs.a[XFRMA_MTIMER_THRESH].p);
	sa.encap_sport = sa.encap_dport = 4500;
	m = open_sa(test_sa_add(&buf, &old_kernel, &sa));
	assert_int_equal(m.attrs.a[XFRMA_MTIMER_THRESH].n, sizeof pause);
	memcpy(&pause, m.attrs.a[XFRMA_MTIMER_THRESH].p, sizeof pause);
	assert_int_equal(pause, 1);
}

TEST(sa_that_makes_no_sense_is_not_written)
{
	struct xsa good = test_xsa(1, ADDR_V4, SA_IN), sa[9];
	uint8_t key[SA_KEY_MAX];
	struct bytes k = test_xkey(&good, key);
	union xbuf buf;
	size_t i;

	assert_non_null(xmsg_sa_add(&buf, &old_kernel, &good, k));
	assert_null(xmsg_sa_add(&buf, &old_kernel, &good, bytes_of(k.p, k.n - 1)));
	assert_null(xmsg_sa_add(&buf, &old_kernel, &good, bytes_of(NULL, 0)));
	for (i = 0; i < COUNT(sa); i++)
		sa[i] = good;
	sa[0].dir = 0;
	sa[1].mode = 0;
	sa[2].src = test_addr("2001:db8::1");
	sa[3].dst.family = AF_NONE_;
	sa[4].sel.family = AF_NONE_;
	sa[5].sel.src_len = 33;
	sa[6].transform.key_bits = 64;
	sa[7].transform.encr = ESP_ENCR_NONE;
	sa[8].sel = xsel_any(ADDR_V6, 17, 0, 4789);     /* in transport mode one family is all there is */
	for (i = 0; i < COUNT(sa); i++)
		assert_null(xmsg_sa_add(&buf, &old_kernel, &sa[i], k));
	sa[8].mode = SA_TUNNEL;
	assert_non_null(xmsg_sa_add(&buf, &old_kernel, &sa[8], k));
}

TEST(requests_by_spi_name_the_sa)
{
	struct addr dst = test_addr("2001:db8::2");
	struct xfrm_usersa_id id;
	struct xattrs attrs;
	union xbuf buf;
	struct nlmsghdr *h = xmsg_sa_del(&buf, 0xfffefdfc, &dst);

	assert_int_equal(h->nlmsg_type, XFRM_MSG_DELSA);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(xmsg_read(h, &id, sizeof id, &attrs), OK);
	assert_int_equal(ntohl(id.spi), 0xfffefdfc);
	assert_int_equal(id.family, AF_INET6);
	assert_int_equal(id.proto, 50);
	assert_memory_equal(&id.daddr, dst.a, 16);
	assert_int_equal(xmsg_sa_get(&buf, 1, &dst)->nlmsg_type, XFRM_MSG_GETSA);
	h = xmsg_sa_dump(&buf);
	assert_int_equal(h->nlmsg_type, XFRM_MSG_GETSA);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	assert_int_equal(h->nlmsg_len, NLMSG_HDRLEN + 8);       /* nothing before the attribute */
	assert_int_equal(xmsg_read(h, &id, 0, &attrs), OK);
	assert_int_equal(attrs.a[XFRMA_PROTO].n, 1);
	assert_int_equal(attrs.a[XFRMA_PROTO].p[0], 50);
}

/* ---- what the kernel tells of SAs ---- */

/*
 * The request as the kernel dumps it: a bitmap behind its header, a plain replay state where there is
 * none, the integrity algorithm in its old form too.
 */
static struct nlmsghdr *
as_dumped(union xbuf *to, const struct nlmsghdr *request)
{
	static const uint8_t zeros[512];
	struct sa_message m = open_sa(request);
	struct wr w = xmsg_begin(to, XFRM_MSG_NEWSA, NLM_F_MULTI);
	struct xfrm_replay_state_esn e;
	struct xfrm_replay_state plain = { 0 };
	unsigned type;

	wr_put(&w, bytes_of(&m.info, sizeof m.info));
	for (type = 1; type < XATTRS; type++) {
		if (type == XFRMA_REPLAY_ESN_VAL || m.attrs.a[type].p == NULL)
			continue;
		if (type == XFRMA_ALG_AUTH_TRUNC)
			xattr_put(&w, XFRMA_ALG_AUTH, zeros, sizeof(struct xfrm_algo));
		xattr_put(&w, (uint16_t)type, m.attrs.a[type].p, m.attrs.a[type].n);
	}
	if (m.attrs.a[XFRMA_REPLAY_ESN_VAL].p != NULL) {
		memcpy(&e, m.attrs.a[XFRMA_REPLAY_ESN_VAL].p, sizeof e);
		xattr_head(&w, XFRMA_REPLAY_ESN_VAL, sizeof e + e.bmp_len * 4);
		wr_put(&w, bytes_of(&e, sizeof e));
		wr_put(&w, bytes_of(zeros, e.bmp_len * 4));
	} else {
		xattr_put(&w, XFRMA_REPLAY_VAL, &plain, sizeof plain);
	}
	return xmsg_end(&w);
}

static void
round_trip(const struct xsa *want, const struct xmsg_kernel *k)
{
	union xbuf request, dumped;
	struct nlmsghdr *h = as_dumped(&dumped, test_sa_add(&request, k, want));
	struct xsa have;
	struct xsa_figures f;

	assert_non_null(h);
	assert_int_equal(xmsg_sa_read(h, &have, &f), OK);
	assert_int_equal(have.dir, k->sa_dir ? want->dir : 0);
	assert_true(xsa_equal(&have, want));
	assert_int_equal(f.seq, 0);
}

TEST(what_was_asked_for_is_read_back)
{
	static const uint8_t families[] = { ADDR_V4, ADDR_V6 };
	size_t i, bits;

	for (i = 0; i < COUNT(test_transforms); i++)
		for (bits = 0; bits < 64; bits++) {
			struct xsa sa = test_xsa((uint32_t)(0x1000 + i), families[bits & 1],
			    (bits & 2) != 0 ? SA_IN : SA_OUT);

			assert_int_equal(esp_transform_parse(&sa.transform, test_transforms[i]), OK);
			sa.transform.esn = (bits & 4) != 0;
			sa.mode = (bits & 8) != 0 ? SA_TUNNEL : SA_TRANSPORT;
			sa.encap_sport = sa.encap_dport = (bits & 16) != 0 ? 4500 : 0;
			sa.replay_window = (bits & 32) != 0 ? 0 : 4096;
			sa.life = (struct sa_lifetime){ 1, 2, 3, 4, 5, 6 };
			if ((bits & 16) != 0)
				sa.life = (struct sa_lifetime){ 0 };
			round_trip(&sa, &old_kernel);
			round_trip(&sa, &new_kernel);
		}
}

/* A dump of an SA with one more attribute. */
static struct nlmsghdr *
dumped_with(union xbuf *to, const struct xmsg_kernel *k, const struct xsa *sa, uint16_t type,
    const void *p, size_t n)
{
	union xbuf request;
	struct nlmsghdr *h = as_dumped(to, test_sa_add(&request, k, sa));
	struct wr w = wr_fixed(to, sizeof *to);

	(void)wr_room(&w, h->nlmsg_len);
	xattr_put(&w, type, p, n);
	return xmsg_end(&w);
}

static struct xsa
read_sa(const struct nlmsghdr *h, struct xsa_figures *f)
{
	struct xsa sa;

	assert_int_equal(xmsg_sa_read(h, &sa, f), OK);
	return sa;
}

TEST(attribute_that_ours_never_have_makes_an_sa_foreign)
{
	static const struct {
		uint16_t type;
		uint8_t n;
	} rows[] = {
		{ XFRMA_MARK, 8 }, { XFRMA_IF_ID, 4 }, { XFRMA_SET_MARK, 4 }, { XFRMA_SET_MARK_MASK, 4 },
		{ XFRMA_SEC_CTX, 8 }, { XFRMA_COADDR, 16 }, { XFRMA_TFCPAD, 4 }, { XFRMA_ALG_COMP, 68 },
		{ XFRMA_SA_EXTRA_FLAGS, 4 }, { XFRMA_OFFLOAD_DEV, 8 }, { XATTR_NAT_KEEPALIVE, 4 },
	};
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN);
	struct xsa_figures f;
	uint8_t zeros[68] = { 0 }, one[68] = { 1 };
	union xbuf buf;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_false(read_sa(dumped_with(&buf, &old_kernel, &sa, rows[i].type, zeros, rows[i].n),
		    &f).foreign_shape);
		assert_true(read_sa(dumped_with(&buf, &old_kernel, &sa, rows[i].type, one, rows[i].n),
		    &f).foreign_shape);
	}
	/* Of one processor only, the first one. */
	assert_true(read_sa(dumped_with(&buf, &old_kernel, &sa, XATTR_SA_PCPU, zeros, 4),
	    &f).foreign_shape);
	/* What no version of ours knows is no reason to take an SA down. */
	assert_false(read_sa(dumped_with(&buf, &old_kernel, &sa, XATTRS - 1, one, 4), &f).foreign_shape);
	assert_false(read_sa(dumped_with(&buf, &old_kernel, &sa, 1000, one, 4), &f).foreign_shape);
	assert_false(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_LASTUSED, one, 8),
	    &f).foreign_shape);
	assert_false(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_MTIMER_THRESH, one, 4),
	    &f).foreign_shape);
}

/* Reads an SA that one change was made to behind its header. */
static int
changed(void (*change)(struct xfrm_usersa_info *), struct xsa *sa, struct xsa_figures *f)
{
	struct xsa want = test_xsa(1, ADDR_V4, SA_IN);
	struct xfrm_usersa_info info;
	union xbuf request, buf;
	struct nlmsghdr *h = as_dumped(&buf, test_sa_add(&request, &old_kernel, &want));

	memcpy(&info, NLMSG_DATA(h), sizeof info);
	change(&info);
	memcpy(NLMSG_DATA(h), &info, sizeof info);
	return xmsg_sa_read(h, sa, f);
}

static void make_larval(struct xfrm_usersa_info *i) { i->id.spi = 0; }
static void make_beet(struct xfrm_usersa_info *i) { i->mode = XFRM_MODE_BEET; }
static void make_wild(struct xfrm_usersa_info *i) { i->flags = XFRM_STATE_WILDRECV; }
static void make_bound(struct xfrm_usersa_info *i) { i->sel.ifindex = 2; }
static void make_unselective(struct xfrm_usersa_info *i) { i->sel.family = 0; }
static void make_use_expire(struct xfrm_usersa_info *i) { i->lft.hard_use_expires_seconds = 9; }
static void make_ah(struct xfrm_usersa_info *i) { i->id.proto = IPPROTO_AH; }
static void make_no_family(struct xfrm_usersa_info *i) { i->family = AF_UNIX; }
static void make_bad_sel(struct xfrm_usersa_info *i) { i->sel.family = AF_UNIX; }
static void make_bad_prefix(struct xfrm_usersa_info *i) { i->sel.prefixlen_d = 33; }
static void make_long_life(struct xfrm_usersa_info *i) { i->lft.hard_add_expires_seconds = UINT64_MAX; }

static void
make_used(struct xfrm_usersa_info *i)
{
	i->curlft.packets = 1;
	i->curlft.bytes = UINT64_C(1) << 40;
	i->curlft.add_time = 1700000000;
	i->curlft.use_time = 1700000009;
	i->stats.replay_window = 2;
	i->stats.replay = 3;
	i->stats.integrity_failed = 4;
}

TEST(shapes_that_ours_never_have_are_told)
{
	static void (*const changes[])(struct xfrm_usersa_info *) = {
		make_larval, make_beet, make_wild, make_bound, make_unselective, make_use_expire,
	};
	struct xsa_figures f;
	struct xsa sa;
	size_t i;

	for (i = 0; i < COUNT(changes); i++) {
		assert_int_equal(changed(changes[i], &sa, &f), OK);
		assert_true(sa.foreign_shape);
		assert_true(xsel_sound(&sa.sel));
	}
	assert_int_equal(changed(make_ah, &sa, &f), ERR_UNSUPPORTED);
	assert_int_equal(changed(make_no_family, &sa, &f), ERR_SYNTAX);
	assert_int_equal(changed(make_bad_sel, &sa, &f), ERR_SYNTAX);
	assert_int_equal(changed(make_bad_prefix, &sa, &f), ERR_SYNTAX);
	assert_int_equal(changed(make_long_life, &sa, &f), OK);
	assert_int_equal(sa.life.hard_s, UINT32_MAX);
}

TEST(figures_are_read)
{
	struct xsa_figures f;
	struct xsa sa;

	assert_int_equal(changed(make_used, &sa, &f), OK);
	assert_int_equal(f.packets, 1);
	assert_true(f.bytes == UINT64_C(1) << 40);
	assert_int_equal(f.add_time, 1700000000);
	assert_int_equal(f.use_time, 1700000009);
	assert_int_equal(f.replay_window, 2);
	assert_int_equal(f.replay, 3);
	assert_int_equal(f.integrity_failed, 4);
}

/* The last of several attributes with one number counts, so these stand for what the kernel wrote. */
TEST(sequence_numbers_have_64_bits_and_a_direction)
{
	union { struct xfrm_replay_state_esn e; uint32_t words[6 + 32]; } in = {
		.e = { .bmp_len = 32, .seq = 5, .seq_hi = 1, .replay_window = 1024 } }, both = in;
	struct xfrm_replay_state plain = { .oseq = 77 };
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN), out = test_xsa(2, ADDR_V4, SA_OUT);
	struct xsa_figures f;
	union xbuf buf;

	(void)read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_REPLAY_ESN_VAL, &in, sizeof in), &f);
	assert_true(f.seq == (UINT64_C(1) << 32 | 5));
	both.e.oseq_hi = 9;
	(void)read_sa(dumped_with(&buf, &new_kernel, &sa, XFRMA_REPLAY_ESN_VAL, &both, sizeof both), &f);
	assert_true(f.seq == (UINT64_C(1) << 32 | 5));
	(void)read_sa(dumped_with(&buf, &new_kernel, &out, XFRMA_REPLAY_ESN_VAL, &both, sizeof both), &f);
	assert_true(f.seq == UINT64_C(9) << 32);
	(void)read_sa(dumped_with(&buf, &old_kernel, &out, XFRMA_REPLAY_VAL, &plain, sizeof plain), &f);
	assert_int_equal(f.seq, 77);
}

TEST(algorithms_that_we_do_not_know_are_none)
{
	struct xfrm_algo_aead gcm = { .alg_name = "rfc4106(gcm(aes))", .alg_icv_len = 64 };
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN);
	union { struct xfrm_algo_aead h; uint8_t octets[72 + 20]; } alg = { .h = gcm };
	struct xsa_figures f;
	union xbuf buf;

	alg.h.alg_key_len = 160;
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AEAD, &alg, sizeof alg),
	    &f).transform.encr, ESP_ENCR_NONE);
	alg.h.alg_icv_len = 128;
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AEAD, &alg, sizeof alg),
	    &f).transform.encr, ESP_AES_GCM_16);
	alg.h.alg_name[0] = 'x';
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AEAD, &alg, sizeof alg),
	    &f).transform.encr, ESP_ENCR_NONE);
	memcpy(alg.h.alg_name, "rfc7539esp(chacha20,poly1305)", 30);
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AEAD, &alg, sizeof alg),
	    &f).transform.encr, ESP_ENCR_NONE);
	assert_int_equal(esp_transform_parse(&sa.transform, "aes128-sha256"), OK);
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_CRYPT,
	    &(struct xfrm_algo){ .alg_name = "ecb(cipher_null)" }, sizeof(struct xfrm_algo)),
	    &f).transform.encr, ESP_ENCR_NONE);
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AUTH_TRUNC,
	    &(struct xfrm_algo_auth){ .alg_name = "hmac(sha256)", .alg_trunc_len = 96 },
	    sizeof(struct xfrm_algo_auth)), &f).transform.encr, ESP_ENCR_NONE);
	/* The right names with a key that is too short for the integrity algorithm. */
	assert_int_equal(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AUTH_TRUNC,
	    &(struct xfrm_algo_auth){ .alg_name = "hmac(sha256)", .alg_trunc_len = 128 },
	    sizeof(struct xfrm_algo_auth)), &f).transform.encr, ESP_ENCR_NONE);
}

TEST(foreign_kinds_of_encapsulation_are_told)
{
	struct xfrm_encap_tmpl e = { .encap_type = UDP_ENCAP_ESPINUDP, .encap_sport = htons(4500),
	    .encap_dport = htons(4500) };
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN);
	struct xsa_figures f;
	union xbuf buf;

	assert_false(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ENCAP, &e, sizeof e),
	    &f).foreign_shape);
	e.encap_oa.a4 = 1;
	assert_true(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ENCAP, &e, sizeof e),
	    &f).foreign_shape);
	e.encap_oa.a4 = 0;
	e.encap_type = 7;                               /* ESP in TCP */
	assert_true(read_sa(dumped_with(&buf, &old_kernel, &sa, XFRMA_ENCAP, &e, sizeof e),
	    &f).foreign_shape);
}

TEST(attributes_of_the_wrong_length_are_refused)
{
	static const struct {
		uint16_t type;
		uint8_t n;
	} rows[] = {
		{ XFRMA_ALG_AEAD, 71 }, { XFRMA_ALG_AEAD, 72 + 19 }, { XFRMA_ALG_AEAD, 72 + 21 },
		{ XFRMA_REPLAY_VAL, 11 }, { XFRMA_REPLAY_ESN_VAL, 23 }, { XFRMA_REPLAY_ESN_VAL, 24 },
		{ XFRMA_REPLAY_ESN_VAL, 27 }, { XFRMA_ENCAP, 23 }, { XATTR_SA_DIR, 0 },
	};
	union { struct xfrm_algo_aead h; uint8_t octets[72 + 28]; } alg = {
		.h = { .alg_name = "rfc4106(gcm(aes))", .alg_key_len = 160, .alg_icv_len = 128 } };
	struct xfrm_replay_state_esn esn[2] = { { .bmp_len = 1 } };
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN), got;
	struct xsa_figures f;
	uint8_t dir = 3;
	union xbuf buf;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const void *p = rows[i].type == XFRMA_REPLAY_ESN_VAL ? (const void *)esn : &alg;

		assert_int_equal(xmsg_sa_read(dumped_with(&buf, &old_kernel, &sa, rows[i].type, p,
		    rows[i].n), &got, &f), ERR_SYNTAX);
	}
	assert_int_equal(xmsg_sa_read(dumped_with(&buf, &old_kernel, &sa, XATTR_SA_DIR, &dir, 1), &got,
	    &f), ERR_SYNTAX);
	memset(alg.h.alg_name, 'a', sizeof alg.h.alg_name);
	assert_int_equal(xmsg_sa_read(dumped_with(&buf, &old_kernel, &sa, XFRMA_ALG_AEAD, &alg, 92),
	    &got, &f), ERR_SYNTAX);
}

TEST(messages_cut_off_anywhere_are_read_no_further)
{
	struct xsa sa = test_xsa(1, ADDR_V6, SA_IN), got;
	struct xsa_figures f;
	union xbuf request, buf;
	struct nlmsghdr *h;
	uint32_t n, whole;

	assert_int_equal(esp_transform_parse(&sa.transform, "aes256-sha512-esn"), OK);
	sa.encap_sport = sa.encap_dport = 4500;
	h = as_dumped(&buf, test_sa_add(&request, &new_kernel, &sa));
	whole = h->nlmsg_len;
	for (n = 0; n <= whole; n++)
		test_cut(h, n, test_read_any);
	for (n = 0; n < NLMSG_LENGTH(sizeof(struct xfrm_usersa_info)); n++) {
		h->nlmsg_len = n;
		assert_int_equal(xmsg_sa_read(h, &got, &f), ERR_SYNTAX);
	}
}

TEST(only_messages_of_the_kind_are_read)
{
	struct xsa sa = test_xsa(1, ADDR_V4, SA_IN), got;
	struct xpol pol = test_xpol(ADDR_V4, XDIR_OUT), got_pol;
	struct xsa_figures f;
	union xbuf request, buf;
	struct nlmsghdr *h = as_dumped(&buf, test_sa_add(&request, &old_kernel, &sa));

	h->nlmsg_type = XFRM_MSG_UPDSA;
	assert_int_equal(xmsg_sa_read(h, &got, &f), OK);
	assert_int_equal(xmsg_pol_read(h, &got_pol), ERR_UNSUPPORTED);
	h->nlmsg_type = XFRM_MSG_DELSA;
	assert_int_equal(xmsg_sa_read(h, &got, &f), ERR_UNSUPPORTED);
	h = xmsg_pol_add(&buf, &pol, true);
	assert_int_equal(xmsg_sa_read(h, &got, &f), ERR_UNSUPPORTED);
	assert_int_equal(xmsg_pol_read(h, &got_pol), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sa_request_says_all_of_the_sa),
		cmocka_unit_test(limits_of_none_are_infinite_but_for_seconds),
		cmocka_unit_test(aead_key_has_its_salt_in_one_attribute),
		cmocka_unit_test(cipher_and_integrity_have_their_own_parts_of_the_key),
		cmocka_unit_test(every_transform_of_ours_has_a_name_in_the_kernel),
		cmocka_unit_test(replay_state_is_what_the_kernel_wants_for_the_direction),
		cmocka_unit_test(odd_windows_have_a_bitmap_that_holds_them),
		cmocka_unit_test(udp_encapsulation_has_ports_in_network_order),
		cmocka_unit_test(new_mappings_are_not_told_with_every_packet),
		cmocka_unit_test(sa_that_makes_no_sense_is_not_written),
		cmocka_unit_test(requests_by_spi_name_the_sa),
		cmocka_unit_test(what_was_asked_for_is_read_back),
		cmocka_unit_test(attribute_that_ours_never_have_makes_an_sa_foreign),
		cmocka_unit_test(shapes_that_ours_never_have_are_told),
		cmocka_unit_test(figures_are_read),
		cmocka_unit_test(sequence_numbers_have_64_bits_and_a_direction),
		cmocka_unit_test(algorithms_that_we_do_not_know_are_none),
		cmocka_unit_test(foreign_kinds_of_encapsulation_are_told),
		cmocka_unit_test(attributes_of_the_wrong_length_are_refused),
		cmocka_unit_test(messages_cut_off_anywhere_are_read_no_further),
		cmocka_unit_test(only_messages_of_the_kind_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
