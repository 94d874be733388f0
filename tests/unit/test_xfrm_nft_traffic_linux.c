/* SPDX-License-Identifier: ISC */
/*
 * What the nf_tables layer does to packets that no SA protects, in and out, on a TUN device in a
 * network namespace of its own. Each row has its twin: the table removed, and the packet gets through.
 */
#include "xfrm_netns.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/if_tun.h>

#include "xfrm-backend/nft.h"

#define UDP_LEN 8
#define TURNS   1000                 /* of 10 ms at most, waiting for what must come */
#define V6_FRAG 44
#define V6_OPTS 60
#define V6_ROUTING 43

static const char *const us[] = { "192.0.2.2", "2001:db8::2" };
static const char *const peers[] = { "192.0.2.1", "2001:db8::1" };

struct box {
	int tun;
	struct nft *nft;
	char why[NL_WHY];
};

static bool
next(void *arg, bool first, struct nft_elem *e)
{
	size_t *at = arg;

	*at = first ? 0 : *at + 1;
	*e = (struct nft_elem){ 0 };
	switch (*at) {
	case 0:
	case 1:
		e->set = NFT_SET_VXLAN;
		e->port = *at == 0 ? 4789 : 8472;
		return true;
	case 2:
	case 3:
		/* What is granted is granted to a sender that an SA has proved. */
		e->set = *at == 2 ? NFT_SET_VNI4 : NFT_SET_VNI6;
		e->reqid = 7;
		e->vni = 42;
		e->addr = test_addr(peers[*at - 2]);
		return true;
	case 4:
	case 5:
		e->set = *at == 4 ? NFT_SET_CONTROL4 : NFT_SET_CONTROL6;
		e->proto = IPPROTO_TCP;
		e->port = 179;
		e->addr = test_addr(peers[*at - 4]);
		return true;
	}
	return false;
}

static void
build(struct box *b)
{
	size_t at = 0;

	if (nft_build(b->nft, next, &at, b->why) != OK)
		fail_msg("%s", b->why);
}

static void
box_close(struct box *b)
{
	nft_close(b->nft);
	(void)close(b->tun);
}

static struct nft_figures
figures(struct box *b)
{
	struct nft_figures f;

	assert_int_equal(nft_figures(b->nft, &f, NULL, NULL), OK);
	return f;
}

static int
sock(unsigned v6, int type, int proto, const char *addr, uint16_t port, bool local)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	socklen_t len = v6 != 0 ? sizeof *in6 : sizeof *in4;
	int s, r;

	ss.ss_family = v6 != 0 ? AF_INET6 : AF_INET;
	if (v6 != 0) {
		in6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, addr, &in6->sin6_addr), 1);
	} else {
		in4->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, addr, &in4->sin_addr), 1);
	}
	assert_true((s = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto)) >= 0);
	r = local ? bind(s, (struct sockaddr *)&ss, len) : connect(s, (struct sockaddr *)&ss, len);
	assert_int_equal(r, 0);
	return s;
}

/* ---- what comes in ---- */

/* RFC 1071. */
static uint16_t
checksum(uint32_t sum, struct bytes b)
{
	struct rd r = rd_open(b);

	while (rd_left(&r) > 1)
		sum += rd_u16(&r);
	if (rd_left(&r) == 1)
		sum += (uint32_t)rd_u8(&r) << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Fills in the checksum of a UDP datagram or TCP segment, whose place is at. */
static void
seal(uint8_t *p, size_t n, size_t at, uint8_t proto, const char *from, const char *to)
{
	struct addr s = test_addr(from), d = test_addr(to);
	uint8_t pseudo[36];
	struct wr w = wr_fixed(pseudo, sizeof pseudo);
	uint16_t sum;

	wr_put(&w, addr_bytes(&s));
	wr_put(&w, addr_bytes(&d));
	wr_u16(&w, proto);
	wr_u16(&w, (uint16_t)n);
	p[at] = p[at + 1] = 0;
	sum = checksum((uint16_t)~checksum(0, wr_view(&w)), bytes_of(p, n));
	if (sum == 0)
		sum = 0xffff;
	p[at] = (uint8_t)(sum >> 8);
	p[at + 1] = (uint8_t)sum;
}

static size_t
put_udp(uint8_t *to, const char *from, const char *dst, uint16_t port, size_t payload)
{
	struct wr w = wr_fixed(to, UDP_LEN);
	size_t len = UDP_LEN + payload;

	wr_u16(&w, 50000);
	wr_u16(&w, port);
	wr_u32(&w, (uint32_t)len << 16);
	memset(to + UDP_LEN, 0x2a, payload);
	if (payload >= 8) {
		memset(to + UDP_LEN, 0, 8);
		to[UDP_LEN] = 0x08;          /* VXLAN's I flag, VNI 42 */
		to[UDP_LEN + 6] = 42;
	}
	seal(to, len, 6, IPPROTO_UDP, from, dst);
	return len;
}

static void
inject(struct box *b, const char *from, const char *to, uint8_t proto, const uint8_t *payload, size_t n)
{
	struct addr s = test_addr(from), d = test_addr(to);
	uint8_t packet[2048];
	struct wr w = wr_fixed(packet, sizeof packet);

	if (s.family == ADDR_V4) {
		wr_u16(&w, 0x4500);
		wr_u16(&w, (uint16_t)(20 + n));
		wr_u32(&w, 0);
		wr_u16(&w, (uint16_t)(64 << 8 | proto));
		wr_u16(&w, 0);
	} else {
		wr_u32(&w, 0x60000000);
		wr_u16(&w, (uint16_t)n);
		wr_u16(&w, (uint16_t)(proto << 8 | 64));
	}
	wr_put(&w, addr_bytes(&s));
	wr_put(&w, addr_bytes(&d));
	if (s.family == ADDR_V4) {
		uint16_t sum = checksum(0, wr_view(&w));

		packet[10] = (uint8_t)(sum >> 8);
		packet[11] = (uint8_t)sum;
	}
	wr_put(&w, bytes_of(payload, n));
	assert_false(w.bad);
	assert_int_equal(write(b->tun, packet, w.n), w.n);
}

/* Octets that came; -1: counted in the clear instead. */
static ssize_t
came(struct box *b, int s, uint64_t before)
{
	uint8_t got[2048];
	struct pollfd p = { .fd = s, .events = POLLIN };
	int turn;

	for (turn = 0; turn < TURNS; turn++) {
		if (poll(&p, 1, before == UINT64_MAX ? 10 : 0) == 1)
			return recv(s, got, sizeof got, 0);
		if (before != UINT64_MAX && figures(b).in_plaintext > before)
			return -1;
	}
	fail_msg("neither came nor counted");
	return -2;
}

/* An injected packet may wait for the processor's next turn. */
static void
wait_counted(struct box *b, uint64_t n)
{
	int turn;

	for (turn = 0; turn < TURNS && figures(b).in_plaintext < n; turn++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(figures(b).in_plaintext, n);
}

/*
 * Plain, behind an IPv6 extension header, in two fragments; behind two headers in two fragments, with the ports
 * in the second: RFC 7112 forbids these, Linux takes them.
 */
enum shape { PLAIN, OPTIONS, FRAGMENTS, HIDDEN_BY_OPTIONS, HIDDEN_BY_ROUTING };

static void
inject_fragments(struct box *b, uint8_t proto, const uint8_t *whole, size_t n, size_t first)
{
	static uint32_t id;
	uint8_t buf[1024];
	struct wr w = wr_fixed(buf, sizeof buf);

	wr_u16(&w, (uint16_t)(proto << 8));
	wr_u16(&w, 1);               /* offset 0, more to come */
	wr_u32(&w, ++id);
	wr_put(&w, bytes_of(whole, first));
	inject(b, peers[1], us[1], V6_FRAG, buf, w.n);
	w = wr_fixed(buf, sizeof buf);
	wr_u16(&w, (uint16_t)(proto << 8));
	wr_u16(&w, (uint16_t)first);
	wr_u32(&w, id);
	wr_put(&w, bytes_of(whole + first, n - first));
	inject(b, peers[1], us[1], V6_FRAG, buf, w.n);
}

static void
inject_udp(struct box *b, unsigned v6, enum shape shape, uint16_t port, size_t payload)
{
	uint8_t buf[1024] = { 0 }, udp[512];
	size_t n = put_udp(udp, peers[v6], us[v6], port, payload);

	/* PadN of 4 octets fills a header's 8; a routing header is at its end. */
	if (shape >= OPTIONS && shape != HIDDEN_BY_ROUTING)
		memcpy(buf, (uint8_t[]){ shape == OPTIONS ? IPPROTO_UDP : V6_OPTS, 0, 1, 4 }, 4);
	else if (shape == HIDDEN_BY_ROUTING)
		buf[0] = V6_OPTS;
	memcpy(buf + 8, (uint8_t[]){ IPPROTO_UDP, 0, 1, 4, 0, 0, 0, 0 }, 8);
	if (shape == PLAIN) {
		inject(b, peers[v6], us[v6], IPPROTO_UDP, udp, n);
	} else if (shape == OPTIONS) {
		memcpy(buf + 8, udp, n);
		inject(b, peers[v6], us[v6], V6_OPTS, buf, 8 + n);
	} else if (shape == FRAGMENTS) {
		inject_fragments(b, IPPROTO_UDP, udp, n, 16);
	} else {
		memcpy(buf + 16, udp, n);
		inject_fragments(b, shape == HIDDEN_BY_ROUTING ? V6_ROUTING : V6_OPTS, buf, 16 + n, 8);
	}
}

/* Addresses work some time after they were given: when a datagram to a free port comes in. */
static void
wait_ready(struct box *b)
{
	unsigned v6;

	for (v6 = 0; v6 < 2; v6++) {
		int s = sock(v6, SOCK_DGRAM, IPPROTO_UDP, v6 != 0 ? "::" : "0.0.0.0", 4791, true), turn;
		struct pollfd p = { .fd = s, .events = POLLIN };

		for (turn = 0; turn < TURNS; turn++) {
			inject_udp(b, v6, PLAIN, 4791, 8);
			if (poll(&p, 1, 10) == 1)
				break;
		}
		assert_true(turn < TURNS);
		(void)close(s);
	}
}

static struct box
box_open(void)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct box b = { .tun = -1 };

	test_netns();
	/* The device is made in the namespace in which this is opened. */
	b.tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	memcpy(r.ifr_name, "wire", sizeof "wire");
	assert_int_equal(ioctl(b.tun, TUNSETIFF, &r), 0);
	assert_true(test_shell("ip addr add 192.0.2.2/24 dev wire && ip addr add 2001:db8::2/64 dev wire nodad && "
	    "ip link set wire up"));
	wait_ready(&b);
	if ((b.nft = nft_open("overlock", b.why)) == NULL)
		fail_msg("%s", b.why);
	build(&b);
	return b;
}

static const struct {
	unsigned v6;
	enum shape shape;
	uint16_t port;
	size_t payload;
} arrivals[] = {
	{ 0, PLAIN, 4789, 64 }, { 1, PLAIN, 4789, 64 }, { 0, PLAIN, 8472, 64 }, { 1, PLAIN, 8472, 64 },
	/* Too short for a VNI, or for anything. */
	{ 0, PLAIN, 4789, 6 }, { 1, PLAIN, 4789, 6 }, { 0, PLAIN, 4789, 4 }, { 1, PLAIN, 4789, 4 },
	{ 0, PLAIN, 4789, 0 }, { 1, PLAIN, 4789, 0 },
	{ 1, OPTIONS, 4789, 64 }, { 1, OPTIONS, 4789, 0 },
	/* Netfilter sees IPv6 fragments before they are put together. */
	{ 1, FRAGMENTS, 4789, 64 }, { 1, FRAGMENTS, 8472, 9 },
	{ 1, HIDDEN_BY_OPTIONS, 4789, 64 }, { 1, HIDDEN_BY_ROUTING, 4789, 64 },
};

TEST(vxlan_in_the_clear_is_dropped_and_counted)
{
	struct box b = box_open();
	size_t i;

	for (i = 0; i < COUNT(arrivals); i++) {
		unsigned v6 = arrivals[i].v6;
		int s = sock(v6, SOCK_DGRAM, IPPROTO_UDP, us[v6], arrivals[i].port, true);
		uint64_t before = figures(&b).in_plaintext;

		inject_udp(&b, v6, arrivals[i].shape, arrivals[i].port, arrivals[i].payload);
		assert_int_equal(came(&b, s, before), -1);
		/* Of those with hidden ports both fragments are dropped, of others the first. */
		wait_counted(&b, before + (arrivals[i].shape >= HIDDEN_BY_OPTIONS ? 2 : 1));
		assert_true(figures(&b).in_granted == 0 && figures(&b).in_denied == 0);
		/* The broken twin. */
		assert_int_equal(nft_remove(b.nft, b.why), OK);
		inject_udp(&b, v6, arrivals[i].shape, arrivals[i].port, arrivals[i].payload);
		assert_int_equal(came(&b, s, UINT64_MAX), arrivals[i].payload);
		build(&b);
		(void)close(s);
	}
	box_close(&b);
}

TEST(what_is_not_protected_comes_in)
{
	struct box b = box_open();
	unsigned v6;

	for (v6 = 0; v6 < 2; v6++) {
		int s = sock(v6, SOCK_DGRAM, IPPROTO_UDP, us[v6], 4790, true);

		inject_udp(&b, v6, PLAIN, 4790, 64);
		assert_int_equal(came(&b, s, UINT64_MAX), 64);
		(void)close(s);
	}
	assert_int_equal(figures(&b).in_plaintext, 0);
	box_close(&b);
}

/* ---- what goes out ---- */

/* Did a packet of this protocol leave, or a part of one? Neighbour and multicast messages are the kernel's own. */
static bool
left(struct box *b, uint8_t proto)
{
	uint8_t packet[2048], is;
	bool found = false;

	while (read(b->tun, packet, sizeof packet) > 0) {
		is = packet[0] >> 4 == 4 ? packet[9] : packet[6] == V6_FRAG ? packet[40] : packet[6];
		found = found || is == proto;
	}
	return found;
}

static void
wait_left(struct box *b, uint8_t proto)
{
	struct pollfd p = { .fd = b->tun, .events = POLLIN };
	int turn;

	for (turn = 0; turn < TURNS; turn++)
		if (poll(&p, 1, 10) == 1 && left(b, proto))
			return;
	fail_msg("nothing of protocol %u left", proto);
}

TEST(vxlan_does_not_leave_in_the_clear)
{
	static const size_t sizes[] = { 64, 4, 0, 4000 };      /* the last one in fragments */
	static const uint16_t ports[] = { 4789, 8472 };
	static const uint8_t octets[4000];
	struct box b = box_open();
	size_t i;

	for (i = 0; i < 2 * COUNT(sizes) * COUNT(ports); i++) {
		unsigned v6 = i % 2;
		size_t size = sizes[i / 2 % COUNT(sizes)];
		int s = sock(v6, SOCK_DGRAM, IPPROTO_UDP, peers[v6], ports[i / 2 / COUNT(sizes)], false);
		uint64_t before = figures(&b).out_plaintext;

		assert_int_equal(send(s, octets, size, 0), -1);
		assert_int_equal(figures(&b).out_plaintext, before + 1);
		assert_false(left(&b, IPPROTO_UDP));
		assert_int_equal(nft_remove(b.nft, b.why), OK);
		assert_int_equal(send(s, octets, size, 0), size);
		wait_left(&b, IPPROTO_UDP);
		build(&b);
		(void)close(s);
	}
	box_close(&b);
}

/* ---- control channels ---- */

static void
inject_syn(struct box *b, unsigned v6, const char *from, uint16_t sport, uint16_t dport)
{
	uint8_t tcp[20];
	struct wr w = wr_fixed(tcp, sizeof tcp);

	wr_u16(&w, sport);
	wr_u16(&w, dport);
	wr_u32(&w, 1);
	wr_u32(&w, 0);
	wr_u16(&w, 0x5002);
	wr_u16(&w, 1000);
	wr_u32(&w, 0);
	seal(tcp, sizeof tcp, 16, IPPROTO_TCP, from, us[v6]);
	inject(b, from, us[v6], IPPROTO_TCP, tcp, sizeof tcp);
}

static const struct { uint16_t sport, dport; } syns[] = { { 40000, 179 }, { 179, 40000 } };

TEST(control_channels_in_the_clear_are_dropped_and_counted)
{
	static const char *const strangers[] = { "192.0.2.3", "2001:db8::3" };
	struct box b = box_open();
	size_t i;

	for (i = 0; i < 2 * COUNT(syns); i++) {
		unsigned v6 = i % 2;
		uint16_t sport = syns[i / 2].sport, dport = syns[i / 2].dport;
		uint64_t before = figures(&b).in_plaintext;

		inject_syn(&b, v6, peers[v6], sport, dport);
		wait_counted(&b, before + 1);
		assert_false(left(&b, IPPROTO_TCP));
		/* Another host, or another port: let through, and answered with a reset. */
		inject_syn(&b, v6, strangers[v6], sport, dport);
		wait_left(&b, IPPROTO_TCP);
		inject_syn(&b, v6, peers[v6], 40000, 40001);
		wait_left(&b, IPPROTO_TCP);
		assert_int_equal(figures(&b).in_plaintext, before + 1);
		assert_int_equal(nft_remove(b.nft, b.why), OK);
		inject_syn(&b, v6, peers[v6], sport, dport);
		wait_left(&b, IPPROTO_TCP);
		build(&b);
	}
	box_close(&b);
}

TEST(control_channels_do_not_leave_in_the_clear)
{
	struct box b = box_open();
	size_t i;

	for (i = 0; i < 2 * COUNT(syns); i++) {
		unsigned v6 = i % 2;
		uint8_t tcp[20] = { 0 };
		struct wr w = wr_fixed(tcp, sizeof tcp);
		int s = sock(v6, SOCK_RAW, IPPROTO_TCP, peers[v6], 0, false);

		wr_u16(&w, syns[i / 2].sport);
		wr_u16(&w, syns[i / 2].dport);
		assert_int_equal(send(s, tcp, sizeof tcp, 0), -1);
		assert_int_equal(figures(&b).out_plaintext, 1);
		assert_false(left(&b, IPPROTO_TCP));
		assert_int_equal(nft_remove(b.nft, b.why), OK);
		assert_int_equal(send(s, tcp, sizeof tcp, 0), sizeof tcp);
		wait_left(&b, IPPROTO_TCP);
		build(&b);
		(void)close(s);
	}
	box_close(&b);
}

/* ---- policies without SAs ---- */

static void
policy(const char *what, unsigned v6)
{
	char line[256];

	(void)snprintf(line, sizeof line, "ip xfrm policy %s dir out src %s dst %s%s", what, us[v6], peers[v6],
	    strcmp(what, "add") == 0 ? " tmpl proto esp reqid 7 mode transport" : "");
	assert_true(test_shell(line));
}

/* VXLAN, and either end of a control channel. */
static int
sock_out(unsigned v6, unsigned kind)
{
	return kind == 0 ? sock(v6, SOCK_DGRAM, IPPROTO_UDP, peers[v6], 4789, false) :
	    sock(v6, SOCK_RAW, IPPROTO_TCP, peers[v6], 0, false);
}

/* The twin has no policy, or no table: plaintext then, or discarded by the kernel. */
TEST(what_has_a_policy_but_no_sa_is_no_plaintext)
{
	struct box b = box_open();
	size_t i;

	for (i = 0; i < 2 * (1 + COUNT(syns)); i++) {
		unsigned v6 = i % 2, kind = (unsigned)i / 2;
		uint8_t octets[20] = { 0 };
		struct wr w = wr_fixed(octets, sizeof octets);
		int s;

		wr_u16(&w, kind == 0 ? 0 : syns[kind - 1].sport);
		wr_u16(&w, kind == 0 ? 0 : syns[kind - 1].dport);
		policy("add", v6);
		s = sock_out(v6, kind);
		assert_int_equal(send(s, octets, sizeof octets, 0), -1);
		assert_int_equal(figures(&b).out_no_sa, 1);
		assert_int_equal(figures(&b).out_plaintext, 0);
		assert_int_equal(nft_remove(b.nft, b.why), OK);
		(void)send(s, octets, sizeof octets, 0);
		assert_false(left(&b, kind == 0 ? IPPROTO_UDP : IPPROTO_TCP));
		build(&b);
		policy("delete", v6);
		assert_int_equal(send(s, octets, sizeof octets, 0), -1);
		assert_int_equal(figures(&b).out_no_sa, 0);
		assert_int_equal(figures(&b).out_plaintext, 1);
		assert_false(left(&b, kind == 0 ? IPPROTO_UDP : IPPROTO_TCP));
		build(&b);
		(void)close(s);
	}
	box_close(&b);
}

/* It never leaves; nor does it come in. */
TEST(vxlan_to_the_host_itself_is_no_plaintext_either)
{
	struct box b = box_open();
	static const uint8_t octets[16];
	unsigned v6;

	assert_true(test_shell("ip link set lo up"));
	for (v6 = 0; v6 < 2; v6++) {
		int s = sock(v6, SOCK_DGRAM, IPPROTO_UDP, us[v6], 4789, false);

		assert_int_equal(send(s, octets, sizeof octets, 0), -1);
		assert_int_equal(figures(&b).out_no_sa, v6 + 1);
		assert_true(figures(&b).out_plaintext == 0 && figures(&b).in_plaintext == 0);
		(void)close(s);
	}
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vxlan_in_the_clear_is_dropped_and_counted),
		cmocka_unit_test(what_is_not_protected_comes_in),
		cmocka_unit_test(vxlan_does_not_leave_in_the_clear),
		cmocka_unit_test(control_channels_in_the_clear_are_dropped_and_counted),
		cmocka_unit_test(control_channels_do_not_leave_in_the_clear),
		cmocka_unit_test(what_has_a_policy_but_no_sa_is_no_plaintext),
		cmocka_unit_test(vxlan_to_the_host_itself_is_no_plaintext_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
