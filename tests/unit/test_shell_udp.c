/* SPDX-License-Identifier: ISC */
#include "shell_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "shell/udp.h"

#define GOT_MAX 64

static struct loop *loop;
static struct udp *udp;
static struct { struct udp_datagram d; uint8_t octets[9000]; } got[GOT_MAX];
static size_t n_got;
static int served;                 /* the last socket */

static void
on_datagram(void *arg, const struct udp_datagram *d)
{
	(void)arg;
	assert_true(n_got < GOT_MAX && d->data.n <= sizeof got[0].octets);
	got[n_got].d = *d;
	if (d->data.n > 0)
		memcpy(got[n_got].octets, d->data.p, d->data.n);
	got[n_got].d.data.p = got[n_got].octets;
	n_got++;
}

static int
setup(void **state)
{
	(void)state;
	n_got = 0;
	loop = loop_new();
	return (udp = udp_new(loop, on_datagram, NULL)) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	udp_free(udp);
	loop_free(loop);
	return 0;
}

/* Bind to a port that the system chooses, and serve it. */
static struct endpoint
serve(const char *address, bool natt)
{
	struct endpoint e = { .addr = test_addr(address) };
	struct sockaddr_storage ss;
	socklen_t n = sizeof ss;
	int fd;

	assert_int_equal(udp_bind(&e, natt, &fd), OK);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	e.port = ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port :
	    ((struct sockaddr_in6 *)&ss)->sin6_port);
	assert_int_equal(udp_add(udp, fd, &e, natt), OK);
	served = fd;
	return e;
}

static int
plain_socket(uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t n = sizeof sin;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static void
throw(int fd, const struct endpoint *to, const void *octets, size_t n)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_port = htons(to->port);
	memcpy(&sin.sin_addr, to->addr.a, 4);
	assert_int_equal(sendto(fd, octets, n, 0, (struct sockaddr *)&sin, sizeof sin), n);
}

TEST(datagram_comes_with_both_addresses)
{
	struct endpoint at = serve("0.0.0.0", false);
	uint16_t port;
	int fd = plain_socket(&port);

	at.addr = test_addr("127.0.0.1");
	throw(fd, &at, "hello", 5);
	WAIT_FOR(loop, n_got == 1);
	assert_true(endpoint_equal(&got[0].d.local, &at));
	assert_int_equal(got[0].d.peer.port, port);
	assert_true(addr_equal(&got[0].d.peer.addr, &at.addr));
	assert_int_equal(got[0].d.data.n, 5);
	assert_false(got[0].d.natt);
	(void)close(fd);
}

TEST(answer_leaves_from_the_address_that_was_spoken_to)
{
	struct endpoint at = serve("0.0.0.0", false);
	struct udp_datagram d = { .data = bytes_str("answer") };
	struct sockaddr_in from;
	socklen_t n = sizeof from;
	uint16_t port;
	char buf[16];
	int fd = plain_socket(&port);

	at.addr = test_addr("127.0.0.77");
	d.local = at;
	d.peer = (struct endpoint){ test_addr("127.0.0.1"), port };
	udp_send(udp, &d);
	udp_flush(udp);
	assert_int_equal(recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &n), 6);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f00004d);
	assert_int_equal(ntohs(from.sin_port), at.port);
	(void)close(fd);
}

TEST(natt_socket_takes_the_marker_off_and_puts_it_in_front)
{
	struct endpoint a = serve("127.0.0.1", true), b = serve("127.0.0.2", true);
	struct udp_datagram d = { .local = a, .peer = b, .data = bytes_str("ike"), .natt = true };
	char buf[16];
	uint16_t port;
	int fd = plain_socket(&port);

	udp_send(udp, &d);
	udp_flush(udp);
	WAIT_FOR(loop, n_got == 1);
	assert_true(got[0].d.natt);
	assert_int_equal(got[0].d.data.n, 3);
	assert_memory_equal(got[0].octets, "ike", 3);
	d.peer = (struct endpoint){ test_addr("127.0.0.1"), port };
	udp_send(udp, &d);
	udp_flush(udp);
	assert_int_equal(recv(fd, buf, sizeof buf, 0), 7);
	assert_memory_equal(buf, "\0\0\0\0ike", 7);
	(void)close(fd);
}

TEST(esp_and_keepalives_never_reach_the_engine)
{
	struct endpoint at = serve("127.0.0.1", true);
	uint16_t port;
	int fd = plain_socket(&port);

	throw(fd, &at, "\x12\x34\x56\x78" "esp packet", 14);
	throw(fd, &at, "\xff", 1);
	throw(fd, &at, "", 0);
	throw(fd, &at, "\0\0\0", 3);
	throw(fd, &at, "\0\0\0\0mark", 8);
	WAIT_FOR(loop, n_got == 1);
	assert_memory_equal(got[0].octets, "mark", 4);
	assert_int_equal(udp_counters(udp)->in, 1);
	(void)close(fd);
}

TEST(batches_keep_order_across_their_limit)
{
	struct endpoint a = serve("127.0.0.1", false), b = serve("127.0.0.2", false);
	struct udp_datagram d = { .local = a, .peer = b };
	uint8_t i;

	for (i = 0; i < 40; i++) {
		d.data = bytes_of(&i, 1);
		udp_send(udp, &d);
	}
	udp_flush(udp);
	WAIT_FOR(loop, n_got == 40);
	for (i = 0; i < 40; i++)
		assert_int_equal(got[i].octets[0], i);
	assert_int_equal(udp_counters(udp)->out, 40);
}

TEST(message_larger_than_an_mtu_arrives)
{
	static uint8_t big[8500];
	struct endpoint a = serve("127.0.0.1", false), b = serve("127.0.0.2", false);
	struct udp_datagram d = { .local = a, .peer = b, .data = bytes_of(big, sizeof big) };

	big[8499] = 9;
	udp_send(udp, &d);
	udp_flush(udp);
	WAIT_FOR(loop, n_got == 1);
	assert_int_equal(got[0].d.data.n, sizeof big);
	assert_int_equal(got[0].octets[8499], 9);
}

TEST(what_cannot_be_sent_is_counted_and_the_rest_goes)
{
	struct endpoint a = serve("127.0.0.1", false), b = serve("127.0.0.2", false);
	struct udp_datagram d = { .local = a, .peer = b, .data = bytes_str("1") };
	struct endpoint bad = { test_addr("127.0.0.1"), 0 };

	udp_send(udp, &d);
	d.peer = bad;                    /* port 0 */
	udp_send(udp, &d);
	d.peer = b;
	udp_send(udp, &d);
	d.local.addr = test_addr("2001:db8::1");
	udp_send(udp, &d);
	udp_flush(udp);
	WAIT_FOR(loop, n_got == 2);
	assert_int_equal(udp_counters(udp)->send_failed, 1);
	assert_int_equal(udp_counters(udp)->no_socket, 1);
}

TEST(ipv6_tells_and_chooses_addresses_too)
{
	struct endpoint any, at;
	struct udp_datagram d = { .data = bytes_str("six") };

	if (!udp_family_works(ADDR_V6))
		return;
	any = serve("::", false);
	at = serve("::1", false);
	d.local = at;
	d.peer = (struct endpoint){ test_addr("::1"), any.port };
	udp_send(udp, &d);
	udp_flush(udp);
	WAIT_FOR(loop, n_got == 1);
	assert_true(addr_equal(&got[0].d.local.addr, &d.peer.addr));
	assert_true(endpoint_equal(&got[0].d.peer, &at));
}

#if HAVE_LINUX
static int
encap_of(int fd)
{
	int type = -1;
	socklen_t n = sizeof type;

	assert_int_equal(getsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, &n), 0);
	return type;
}
#endif

TEST(kernel_takes_esp_off_natt_sockets_alone)
{
	struct endpoint natt, at = { .port = 0 };
	int fd, plain, four, six = -1;
	uint16_t port;

	(void)serve("127.0.0.1", false);
	plain = served;
	natt = serve("127.0.0.2", true);
	four = served;
	if (udp_family_works(ADDR_V6)) {
		(void)serve("::1", true);
		six = served;
	}
#if HAVE_LINUX
	assert_int_equal(udp_kernel_encap(udp, &at), OK);
	assert_int_equal(encap_of(plain), 0);
	assert_int_equal(encap_of(four), UDP_ENCAP_ESPINUDP);
	if (six != -1)
		assert_int_equal(encap_of(six), UDP_ENCAP_ESPINUDP);
#else
	(void)plain, (void)four, (void)six;
	assert_int_equal(udp_kernel_encap(udp, &at), ERR_UNSUPPORTED);
	assert_int_not_equal(at.port, 0);
#endif
	/* IKE passes, with its marker. */
	fd = plain_socket(&port);
	throw(fd, &natt, "\x12\x34\x56\x78" "esp packet", 14);
	throw(fd, &natt, "\xff", 1);
	throw(fd, &natt, "\0\0\0\0mark", 8);
	WAIT_FOR(loop, n_got == 1);
	assert_int_equal(got[0].d.data.n, 4);
	assert_memory_equal(got[0].octets, "mark", 4);
	(void)close(fd);
}

#if HAVE_LINUX
/* A socket that knows no such option stands for a kernel that doesn't. */
TEST(socket_that_refuses_is_named)
{
	struct endpoint tcp = { .addr = test_addr("127.0.0.1"), .port = 4500 }, at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)serve("127.0.0.2", true);
	assert_int_equal(udp_add(udp, fd, &tcp, true), OK);
	assert_int_equal(udp_kernel_encap(udp, &at), ERR_IO);
	assert_int_equal(errno, ENOPROTOOPT);
	assert_true(endpoint_equal(&at, &tcp));
	assert_int_equal(encap_of(served), UDP_ENCAP_ESPINUDP);
}
#endif

TEST(port_in_use_is_told)
{
	struct endpoint at = serve("127.0.0.1", false);
	int fd;

	assert_int_equal(udp_bind(&at, false, &fd), ERR_IO);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(fd, -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(datagram_comes_with_both_addresses),
		T(answer_leaves_from_the_address_that_was_spoken_to),
		T(natt_socket_takes_the_marker_off_and_puts_it_in_front),
		T(esp_and_keepalives_never_reach_the_engine),
		T(batches_keep_order_across_their_limit),
		T(message_larger_than_an_mtu_arrives),
		T(what_cannot_be_sent_is_counted_and_the_rest_goes),
		T(ipv6_tells_and_chooses_addresses_too),
		T(kernel_takes_esp_off_natt_sockets_alone),
#if HAVE_LINUX
		T(socket_that_refuses_is_named),
#endif
		T(port_in_use_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
