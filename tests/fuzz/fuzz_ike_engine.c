/* SPDX-License-Identifier: ISC */
/*
 * Two engines, one of which has begun an IKE SA with the other; whoever writes the input is the
 * network, and knows the keys. The input is an octet of options, then a sequence of records: an
 * octet that says what happens, 16 bits of length, that many octets.
 */
/* reads: lib/ike/arrive.c lib/ike/exchange.c lib/ike/window.c lib/ike/init_r.c lib/ike/init_i.c */
/* reads: lib/ike/auth_child.c lib/ike/auth_init.c lib/ike/auth_resp.c lib/ike/info.c */
/* fuzz: -max_len=2048 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "ike/exchange.h"
#include "ike/ike.h"
#include "ike/msg.h"
#include "ike/send.h"
#include "ike/sk.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What a record does; `to` is the engine at the other end, bit 3 chooses it. */
enum op {
	OP_DELIVER, /* what one engine sent last comes to the other */
	OP_RAW,	    /* the octets come as a datagram */
	OP_SEALED,  /* exchange, flags, Message ID, first type, chain: sealed by the peer's key */
	OP_TIME,    /* 16 bits of 10 ms go by */
	OP_COMMAND, /* an event of the daemon */
	OP_REFUSE,  /* from now on jobs of this kind fail (bit 0: or work) */
	OP_OVER,    /* what was sent last, with these octets put over it: 16 bits of offset */
	OP_NATT,    /* as RAW, at the NAT-T port */
	OPS
};
/* Options: how the two are configured. */
#define OPT_COOKIES     1u       /* the responder always demands one */
#define OPT_OTHER_GROUP 2u       /* it wants a group that is not the initiator's first */
#define OPT_CHANNEL_KE  4u       /* the channel insists on a group */
#define OPT_ENCAP       8u
#define OPT_CBC         16u
#define OPT_TUNNEL      32u

#define OP_MASK   7u
#define OP_ENGINE 8u

#define ENTROPY_SEED UINT64_C(0x6f7665726c6f636b)

struct side {
	struct ike *e;
	struct endpoint at;
	const char *name;
	uint64_t entropy;
	struct blob sent;        /* last datagram */
	bool sent_natt;
	bool refuse[5];
};

static struct side sides[2];
static int64_t now;
static uint8_t options;

int
LLVMFuzzerInitialize(int *argc __attribute__((unused)), char ***argv __attribute__((unused)))
{
	return crypto_init() == 0 ? 0 : 1;
}

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static int
draw(void *arg, uint8_t *p, size_t n)
{
	struct side *s = arg;

	while (n-- > 0) {
		s->entropy = s->entropy * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
		*p++ = (uint8_t)(s->entropy >> 56);
	}
	return 0;
}

static int
draw_ke(void *arg, uint16_t group, struct ke **ke)
{
	uint8_t seed[32];

	(void)draw(arg, seed, sizeof seed);
	return ke_from_seed(ke, group, bytes_of(seed, sizeof seed));
}

static struct channel
vxlan(void)
{
	struct channel c = {
		.id = "vxlan", .level = LEVEL_DATA, .proto = 17, .port = 4789, .mode = SA_TRANSPORT,
		.lifetime_s = 3600,
	};

	require(esp_transform_parse(&c.esp, "aes128gcm16") == 0);
	if ((options & OPT_CHANNEL_KE) != 0)
		c.ke = KE_CURVE25519;
	if ((options & OPT_TUNNEL) != 0)
		c.mode = SA_TUNNEL;
	return c;
}

static void
input(struct side *s, const struct ike_event *ev);

/* Other processes say yes to everything, unless told to refuse. */
static void
answer(struct side *s, const struct ike_action *a, enum ike_event_type type, enum ike_job_kind kind)
{
	struct ike_event ev = { .type = type, .job = a->job };
	struct channel c = vxlan();

	if (s->refuse[kind]) {
		ev.rc = ERR_DENIED;
	} else if (kind == IKE_JOB_SIGN) {
		ev.u.sign.method = 14;
		ev.u.sign.auth = bytes_str("signature");
	} else if (kind == IKE_JOB_VERIFY) {
		ev.u.verified.identity = s == &sides[0] ? "dns:b" : "dns:a";
	} else if (kind == IKE_JOB_AUTHORIZE) {
		ev.u.authorized.grant = 1;
		ev.u.authorized.node = s == &sides[0] ? "b" : "a";
		ev.u.authorized.channels = &c;
		ev.u.authorized.n_channels = 1;
	}
	input(s, &ev);
}

static void
check_add(const struct sa_params *in, const struct sa_params *out)
{
	require(in->dir == SA_IN && out->dir == SA_OUT && in->pair == out->pair);
	require(in->n_src_sel > 0 && in->n_src_sel == in->n_dst_sel && out->n_src_sel > 0);
	require(in->spi >= 256 && out->spi != 0 && in->key_len != 0 && in->key_len == out->key_len);
	require(in->src_sel[0].proto == 17 && in->dst_sel[0].port_lo == 4789);
}

static void
carry_out(struct side *s, const struct ike_action *a)
{
	switch (a->type) {
	case IKE_ACT_SEND:
		require(blob_copy(&s->sent, a->u.send.data) == 0);
		s->sent_natt = a->u.send.natt;
		break;
	case IKE_ACT_SIGN:
		answer(s, a, IKE_EV_SIGNED, IKE_JOB_SIGN);
		break;
	case IKE_ACT_VERIFY:
		answer(s, a, IKE_EV_VERIFIED, IKE_JOB_VERIFY);
		break;
	case IKE_ACT_AUTHORIZE:
		answer(s, a, IKE_EV_AUTHORIZED, IKE_JOB_AUTHORIZE);
		break;
	case IKE_ACT_SA_ADD:
		check_add(a->u.sa_add.in, a->u.sa_add.out);
		answer(s, a, IKE_EV_SA_ADDED, IKE_JOB_SA_ADD);
		break;
	case IKE_ACT_SA_DEL:
		break;
	case IKE_ACT_REPORT:
		require(memchr(a->u.report.text, '\0', sizeof a->u.report.text) != NULL);
		require(strstr(a->u.report.text, "bug:") == NULL);
		break;
	}
}

static void
input(struct side *s, const struct ike_event *ev)
{
	struct ike_action a;

	ike_input(s->e, now, ev);
	while (ike_next_action(s->e, &a))
		carry_out(s, &a);
}

/* A layer above brings an exchange of its own. */
static void
answer_empty(struct ike *e, struct ike_sa *sa, const struct arrival *a)
{
	(void)a;
	require(respond_empty(e, sa) == 0);
}

static const struct ike_row more_rows[] = {
	{ EX_GSA_REGISTRATION, false, ROW_BOTH, IKE_STATE_BIT(IKE_UP), PL_BIT(PL_NONCE),
	    PL_BIT(PL_N), answer_empty },
};

static void
choose_suites(struct ike_config *c, bool responder)
{
	static const struct ike_suite cbc = {
		.encr = { { ENCR_AES_CBC, 128 } }, .prf = { PRF_HMAC_SHA2_256 },
		.integ = { INTEG_HMAC_SHA2_256_128 }, .ke = { KE_CURVE25519 },
	};
	static const struct ike_suite other = {
		.encr = { { ENCR_AES_GCM_16, 256 } },
		.prf = { PRF_HMAC_SHA2_256 },
		.ke = { KE_ECP256 },
	};

	if ((options & OPT_CBC) != 0)
		c->suites[c->n_suites++] = cbc;
	else if ((options & OPT_OTHER_GROUP) != 0 && responder)
		c->suites[c->n_suites++] = other;
}

static void
begin(struct side *s, uint8_t host, const char *name)
{
	struct ike_config c;
	struct bytes cert = bytes_str("certificate");

	memset(s, 0, sizeof *s);
	s->at.addr = (struct addr){ .family = ADDR_V4, .a = { 192, 0, 2, host } };
	s->at.port = 500;
	s->name = name;
	s->entropy = ENTROPY_SEED + host;
	ike_config_defaults(&c);
	c.cb = (struct ike_callbacks){ .arg = s, .random = draw, .ke_new = draw_ke };
	c.id_type = 2;
	c.id_data = bytes_str(name);
	c.certs = &cert;
	c.n_certs = 1;
	c.certreq = bytes_str("twenty octets of hash");
	c.certreq.n = 20;
	c.force_encap = (options & OPT_ENCAP) != 0;
	if ((options & OPT_COOKIES) != 0)
		c.cookie_threshold = 0;
	choose_suites(&c, host == 2);
	require((s->e = ike_new(&c, now)) != NULL);
	ike_add_rows(s->e, more_rows, sizeof more_rows / sizeof more_rows[0]);
}

static void
introduce(struct side *s, const struct side *other, bool initiate)
{
	struct ike_event ev = { .type = IKE_EV_PEER_SET };
	struct ike_peer *p = &ev.u.peer;

	strcpy(p->node, other->name);
	p->local = s->at.addr;
	p->addrs[0] = other->at.addr;
	p->n_addrs = 1;
	p->channels[0] = vxlan();
	p->n_channels = 1;
	p->initiate = initiate;
	input(s, &ev);
}

static void
datagram(struct side *to, struct bytes data, bool natt)
{
	const struct side *from = to == &sides[0] ? &sides[1] : &sides[0];
	struct ike_event ev = { .type = IKE_EV_DATAGRAM };

	ev.u.datagram.local = to->at;
	ev.u.datagram.peer = from->at;
	if (natt)
		ev.u.datagram.local.port = ev.u.datagram.peer.port = 4500;
	ev.u.datagram.natt = natt;
	ev.u.datagram.data = data;
	input(to, &ev);
}

/* Seal a chain with the key that the peer of this engine would use, for the first IKE SA that has
 * keys. */
static void
sealed(struct side *to, struct rd *r)
{
	struct ike_header h = { .major = 2 };
	struct ike_sk_key key = { 0 };
	struct ike_callbacks cb = { .arg = to, .random = draw };
	struct ike_sa_info info;
	struct ike_keys_view v;
	struct blob message = { 0 };
	struct ike_out o;
	uint8_t flags, first;
	size_t at = 0;

	h.exchange = rd_u8(r);
	flags = rd_u8(r);
	h.message_id = rd_u8(r);
	first = rd_u8(r);
	do {
		if (!ike_sa_next(to->e, &at, &info))
			return;
	} while (ike_export_keys(to->e, &info.ref, &v) != 0);
	h.spi_i = info.ref.spi_i;
	h.spi_r = info.ref.spi_r;
	h.flags = (uint8_t)((flags & HF_RESPONSE) | (info.ref.initiator ? 0 : HF_INITIATOR));
	require(
	    sk_key_init(&key, v.encr, v.key_bits, v.integ, info.ref.initiator ? v.sk_er : v.sk_ei,
		info.ref.initiator ? v.sk_ar : v.sk_ai) == 0);
	key.next_iv = UINT64_C(1) << 40;
	msg_begin(&o, &h);
	sk_begin(&o, &key);
	if (rd_left(r) != 0)
		payload_put_chain(&o, first, rd_rest(r));
	if (sk_end(&o, &key, &cb) == 0 && msg_end(&o, &message) == 0)
		datagram(to, blob_view(&message), info.natt);
	msg_abort(&o);
	blob_free(&message);
	sk_key_free(&key);
}

static void
command(struct side *s, const struct side *other, struct rd *r)
{
	static const enum ike_event_type events[] = {
		IKE_EV_TICK, IKE_EV_PEER_DEL, IKE_EV_INITIATE, IKE_EV_CLOSE, IKE_EV_GRANT_GONE,
		IKE_EV_SA_EXPIRED, IKE_EV_BACKEND_LOST, IKE_EV_REISSUE,
	};
	struct ike_event ev = { .type = events[rd_u8(r) % 8] };
	struct ike_child_info child;
	size_t at = 0;
	uint8_t arg = rd_u8(r);

	switch (ev.type) {
	case IKE_EV_GRANT_GONE:
		ev.u.grant = arg;
		break;
	case IKE_EV_SA_EXPIRED:
		if (!ike_child_next(s->e, &at, &child))
			return;
		ev.u.expired.spi = arg & 2 ? child.spi_in : child.spi_out;
		ev.u.expired.dst = arg & 2 ? child.local : child.peer;
		ev.u.expired.hard = arg & 1;
		break;
	case IKE_EV_REISSUE:
		ev.u.reissue = (enum ike_job_kind)(1 + arg % 4);
		break;
	default:
		strcpy(ev.u.node, arg == 0 ? "" : other->name);
		break;
	}
	input(s, &ev);
}

static void
over(struct side *to, const struct side *from, struct rd *r)
{
	uint8_t copy[4096];
	size_t at = rd_u16(r), n = rd_left(r);

	if (from->sent.n == 0 || from->sent.n > sizeof copy || at > from->sent.n ||
	    n > from->sent.n - at)
		return;
	memcpy(copy, from->sent.p, from->sent.n);
	rd_copy(r, copy + at, n);
	datagram(to, bytes_of(copy, from->sent.n), from->sent_natt);
}

static void
record(uint8_t what, struct rd *r)
{
	static const struct ike_event tick = { .type = IKE_EV_TICK };
	struct side *to = &sides[(what & OP_ENGINE) != 0], *from = &sides[(what & OP_ENGINE) == 0];
	struct blob data = { 0 };
	uint8_t kind;

	switch ((enum op)(what & OP_MASK)) {
	case OP_DELIVER:
		require(blob_copy(&data, blob_view(&from->sent)) == 0);
		datagram(to, blob_view(&data), from->sent_natt);
		blob_free(&data);
		break;
	case OP_RAW:
	case OP_NATT:
		datagram(to, rd_rest(r), (what & OP_MASK) == OP_NATT);
		break;
	case OP_SEALED:
		sealed(to, r);
		break;
	case OP_TIME:
		now += 10 * (int64_t)rd_u16(r);
		input(to, &tick);
		input(from, &tick);
		break;
	case OP_COMMAND:
		command(to, from, r);
		break;
	case OP_REFUSE:
		kind = rd_u8(r);
		to->refuse[1 + kind / 2 % 4] = kind & 1;
		break;
	case OP_OVER:
		over(to, from, r);
		break;
	case OPS:
		break;
	}
}

/* Whatever happened, what can be asked for is in order. */
static void
check(struct side *s)
{
	struct ike_sa_info sa;
	struct ike_child_info child;
	size_t at = 0;

	while (ike_sa_next(s->e, &at, &sa)) {
		require(sa.ref.spi_i != 0 && strlen(sa.state) < 32 &&
		    memchr(sa.suite, '\0', sizeof sa.suite) != NULL);
		require(!sa.up ||
		    (strcmp(sa.node, s == &sides[0] ? "b" : "a") == 0 && sa.identity[0] != '\0'));
	}
	at = 0;
	while (ike_child_next(s->e, &at, &child))
		require(child.spi_in >= 256 && strcmp(child.channel, "vxlan") == 0);
	ike_free(s->e);
	blob_free(&s->sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(bytes_of(data, len)), sub;
	uint8_t what;

	now = 1000;
	options = rd_u8(&r);
	begin(&sides[0], 1, "a");
	begin(&sides[1], 2, "b");
	introduce(&sides[1], &sides[0], false);
	introduce(&sides[0], &sides[1], true);
	while (rd_left(&r) >= 3) {
		what = rd_u8(&r);
		sub = rd_sub(&r, rd_u16(&r));
		if (!rd_ok(&r))
			break;
		record(what, &sub);
	}
	check(&sides[0]);
	check(&sides[1]);
	return 0;
}
