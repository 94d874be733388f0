/* SPDX-License-Identifier: ISC */
/*
 * SAs in the running kernel. A kernel without ESP must say so; with --esp on the command line, as
 * tests/kernel runs this, it is a failure.
 */
#include "xfrm_kernel.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

static struct xmsg_kernel kernel;    /* what the running one knows */

static int
fresh(void **state)
{
	(void)state;
	test_flush(0);
	return 0;
}

static int
add(struct nl *nl, const struct xsa *sa, struct answers *a)
{
	union xbuf buf;

	return test_ask(nl, test_sa_add(&buf, &kernel, sa), a);
}

/* ---- every SA that we may ask for ---- */

#define BITS 32                      /* family, direction, ESN, mode, UDP encapsulation */

static struct xsa
variant(size_t transform, unsigned bits)
{
	uint32_t spi = (uint32_t)(0x10000000 + transform * BITS + bits);
	struct xsa sa = test_xsa(spi, (bits & 1) != 0 ? ADDR_V6 : ADDR_V4, (bits & 2) != 0 ? SA_IN : SA_OUT);

	assert_int_equal(esp_transform_parse(&sa.transform, test_transforms[transform]), OK);
	sa.transform.esn = (bits & 4) != 0;
	sa.mode = (bits & 8) != 0 ? SA_TUNNEL : SA_TRANSPORT;
	if ((bits & 16) != 0) {
		sa.encap_sport = (uint16_t)(50000 + transform);
		sa.encap_dport = 4500;
	}
	sa.reqid = 1325400065 + bits;
	sa.replay_window = (uint32_t)(64 << transform % 7);     /* 64 .. 4096 */
	if (bits % 3 != 0)
		sa.life = (struct sa_lifetime){ 3000, 3600, UINT64_C(1) << 40, UINT64_C(1) << 41, 1u << 30,
		    UINT64_C(1) << 33 };
	return sa;
}

static void
each_variant(void (*what)(const struct xsa *, void *arg), void *arg)
{
	size_t transform;
	unsigned bits;

	for (transform = 0; transform < COUNT(test_transforms); transform++)
		for (bits = 0; bits < BITS; bits++) {
			struct xsa sa = variant(transform, bits);

			what(&sa, arg);
		}
}

static void
collect_add(const struct xsa *sa, void *arg)
{
	union xbuf buf;

	(void)test_collect(arg, test_sa_add(&buf, &kernel, sa));
}

static void
collect_del(const struct xsa *sa, void *arg)
{
	union xbuf buf;

	(void)test_collect(arg, xmsg_sa_del(&buf, sa->spi, &sa->dst));
}

static void
assert_as_wanted(const struct nlmsghdr *h, const struct xsa *want)
{
	char text[XSA_STRLEN], transform[48];
	struct xsa_figures f;
	struct xsa have;

	assert_int_equal(xmsg_sa_read(h, &have, &f), OK);
	if (!xsa_equal(&have, want))
		fail_msg("%s %s was read back otherwise", xsa_str(want, text),
		    esp_transform_name(&want->transform, transform));
	assert_int_equal(have.dir, kernel.sa_dir ? want->dir : 0);
	assert_int_equal(f.seq, 0);
	assert_int_equal(f.packets, 0);
	assert_int_equal(f.use_time, 0);
	assert_true(llabs((long long)f.add_time - (long long)time(NULL)) < 600);
}

static void
get_and_compare(const struct xsa *want, void *arg)
{
	static struct answers a;
	union xbuf buf;

	assert_int_equal(test_ask(arg, xmsg_sa_get(&buf, want->spi, &want->dst), &a), 0);
	assert_as_wanted(&a.reply.h, want);
}

static int
compare_dumped(void *arg, const struct nlmsghdr *h)
{
	struct xsa_figures f;
	struct xsa have, want;
	size_t *n = arg;

	assert_int_equal(xmsg_sa_read(h, &have, &f), OK);
	assert_in_range(have.spi, 0x10000000, 0x10000000 + COUNT(test_transforms) * BITS - 1);
	want = variant((have.spi & 0xfffffff) / BITS, have.spi % BITS);
	assert_as_wanted(h, &want);
	++*n;
	return 0;
}

static void
no_failure(const struct answers *a)
{
	char name[48];
	size_t i;

	assert_int_equal(a->n, COUNT(test_transforms) * BITS);
	for (i = 0; i < a->n; i++) {
		struct xsa sa = variant(i / BITS, (unsigned)(i % BITS));

		if (a->err[i] != 0)
			fail_msg("variant %zu of %s: errno %d (%s)", i % BITS,
			    esp_transform_name(&sa.transform, name), a->err[i], a->text);
	}
}

TEST(every_sa_is_in_the_kernel_as_it_was_asked_for)
{
	static struct answers a;
	struct nl *nl = test_nl();
	size_t n = 0;
	union xbuf buf;
	int err;

	each_variant(collect_add, nl);
	assert_int_equal(test_run(nl, false, &a), OK);
	no_failure(&a);
	each_variant(get_and_compare, nl);
	assert_int_equal(nl_dump(nl, xmsg_sa_dump(&buf), compare_dumped, &n, &err), OK);
	assert_int_equal(n, COUNT(test_transforms) * BITS);
	each_variant(collect_del, nl);
	assert_int_equal(test_run(nl, false, &a), OK);
	no_failure(&a);
	n = 0;
	assert_int_equal(nl_dump(nl, xmsg_sa_dump(&buf), compare_dumped, &n, &err), OK);
	assert_int_equal(n, 0);
	nl_close(nl);
}

TEST(odd_windows_are_kept)
{
	struct xsa sa = test_xsa(5, ADDR_V4, SA_IN);
	struct nl *nl = test_nl();
	struct answers a;
	union xbuf buf;

	for (sa.replay_window = 0; sa.replay_window < 4300; sa.replay_window += 61) {
		assert_int_equal(add(nl, &sa, &a), 0);
		assert_int_equal(test_ask(nl, xmsg_sa_get(&buf, sa.spi, &sa.dst), &a), 0);
		assert_as_wanted(&a.reply.h, &sa);
		assert_int_equal(test_ask(nl, xmsg_sa_del(&buf, sa.spi, &sa.dst), &a), 0);
	}
	nl_close(nl);
}

TEST(sa_that_is_there_or_is_not_is_an_error)
{
	struct xsa sa = test_xsa(6, ADDR_V4, SA_IN);
	struct nl *nl = test_nl();
	struct answers a;
	union xbuf buf;

	assert_int_equal(test_ask(nl, xmsg_sa_get(&buf, sa.spi, &sa.dst), &a), ESRCH);
	assert_int_equal(test_ask(nl, xmsg_sa_del(&buf, sa.spi, &sa.dst), &a), ESRCH);
	assert_int_equal(add(nl, &sa, &a), 0);
	sa.reqid++;
	assert_int_equal(add(nl, &sa, &a), EEXIST);
	nl_close(nl);
}

/* ---- packets ---- */

static void
send_vxlan(size_t n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4789) }, from = to;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&from, sizeof from), 0);
	for (; n > 0; n--)
		assert_int_equal(sendto(s, "frame", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
	assert_int_equal(close(s), 0);
}

TEST(packets_are_counted_and_numbered)
{
	struct addr me = test_addr("127.0.0.1"), peer = test_addr("127.0.0.2");
	struct xpol p = test_xpol(ADDR_V4, XDIR_OUT);
	struct xsa sa = test_xsa(11, ADDR_V4, SA_OUT), have;
	struct nl *nl = test_nl();
	struct xsa_figures f;
	struct answers a;
	union xbuf buf;
	int esn;

	p.src = sa.src = me;
	p.dst = sa.dst = peer;
	p.sel = sa.sel = xsel_hosts(&me, &peer, 17, 0, 4789);
	assert_int_equal(test_ask(nl, xmsg_pol_add(&buf, &p, false), &a), 0);
	for (esn = 0; esn < 2; esn++) {
		sa.transform.esn = esn == 1;
		sa.spi++;
		assert_int_equal(add(nl, &sa, &a), 0);
		send_vxlan(5);
		assert_int_equal(test_ask(nl, xmsg_sa_get(&buf, sa.spi, &sa.dst), &a), 0);
		assert_int_equal(xmsg_sa_read(&a.reply.h, &have, &f), OK);
		assert_true(xsa_equal(&have, &sa));
		assert_int_equal(f.seq, 5);
		/* A kernel without directions may take what comes over loopback with the same SA, too. */
		assert_in_range(f.packets, 5, kernel.sa_dir ? 5 : 10);
		assert_true(f.bytes >= 5 * (8 + 5));
		assert_true(f.use_time >= f.add_time);
		assert_int_equal(test_ask(nl, xmsg_sa_del(&buf, sa.spi, &sa.dst), &a), 0);
	}
	nl_close(nl);
}

/* ---- notifications ---- */

TEST(sa_that_somebody_removes_is_told)
{
	struct xsa sa = test_xsa(7, ADDR_V6, SA_IN);
	struct nl *nl = test_nl(), *listener = test_listener();
	struct events e = { 0 };
	struct answers a;
	union xbuf buf;

	assert_int_equal(add(nl, &sa, &a), 0);
	assert_int_equal(test_ask(nl, xmsg_sa_del(&buf, sa.spi, &sa.dst), &a), 0);
	assert_int_equal(add(nl, &sa, &a), 0);
	test_flush(0);
	assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.all[0].kind, XEVENT_SA_DELETED);
	assert_int_equal(e.all[0].port_id, nl_port(nl));
	assert_int_equal(e.all[0].spi, 7);
	assert_int_equal(e.all[0].reqid, sa.reqid);
	assert_true(addr_equal(&e.all[0].src, &sa.src) && addr_equal(&e.all[0].dst, &sa.dst));
	assert_int_equal(e.all[1].kind, XEVENT_SA_FLUSHED);
	assert_int_equal(e.all[1].port_id, 0);
	nl_close(listener);
	nl_close(nl);
}

TEST(sa_expires_softly_and_then_for_good)
{
	struct xsa sa = test_xsa(8, ADDR_V4, SA_IN);
	struct nl *nl = test_nl(), *listener = test_listener();
	struct events e = { 0 };
	struct answers a;
	union xbuf buf;
	size_t i;

	sa.life.soft_s = 1;
	sa.life.hard_s = 4;
	assert_int_equal(add(nl, &sa, &a), 0);
	while (e.n < 2) {
		test_wait(listener);
		assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
	}
	assert_int_equal(e.n, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(e.all[i].kind, XEVENT_EXPIRE);
		assert_int_equal(e.all[i].spi, 8);
		assert_int_equal(e.all[i].reqid, sa.reqid);
		assert_int_equal(e.all[i].hard, i == 1);
		assert_true(addr_equal(&e.all[i].src, &sa.src) && addr_equal(&e.all[i].dst, &sa.dst));
	}
	assert_int_equal(test_ask(nl, xmsg_sa_get(&buf, sa.spi, &sa.dst), &a), ESRCH);
	nl_close(listener);
	nl_close(nl);
}

/* ---- keys ---- */

#define KEY_LEN 20
#define CHUNK   (256u * 1024)

static uint8_t key_number;       /* keys that were met before are others */

static uint8_t
key_octet(size_t i)
{
	return (uint8_t)(key_number ^ i * 0x35);
}

static size_t
keys_in_octets(const uint8_t *p, size_t n, uint64_t at, uint64_t own)
{
	size_t found = 0, i, k;

	for (i = 0; i + KEY_LEN <= n; i++) {
		for (k = 0; k < KEY_LEN && p[i + k] == key_octet(k); k++)
			;
		if (k == KEY_LEN && at + i != own)
			found++;
	}
	return found;
}

/*
 * How often the key stands in the memory that a line of /proc/self/maps is about; `own` does not count.
 * The chunk is shared memory, which is not looked at.
 */
static size_t
keys_in(int mem, uint8_t *chunk, const char *line, uint64_t own)
{
	uint64_t from, to;
	size_t found = 0;
	char perms[5];
	ssize_t n;

	/* What is larger than this is the shadow memory of a sanitizer. */
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, perms) != 3 ||
	    strncmp(perms, "rw", 2) != 0 || perms[3] != 'p' || to - from > UINT64_C(1) << 30)
		return 0;
	while (from < to) {
		n = pread(mem, chunk, to - from < CHUNK ? to - from : CHUNK, (off_t)from);
		if (n < KEY_LEN)
			break;
		found += keys_in_octets(chunk, (size_t)n, from, own);
		from += (uint64_t)n - (from + (uint64_t)n < to ? KEY_LEN - 1 : 0);
	}
	return found;
}

static size_t
keys_in_memory(const uint8_t *own)
{
	uint8_t *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	size_t found = 0;

	assert_true(chunk != MAP_FAILED && maps != NULL && mem >= 0);
	while (fgets(line, sizeof line, maps) != NULL)
		found += keys_in(mem, chunk, line, (uint64_t)(uintptr_t)own);
	(void)fclose(maps);
	(void)close(mem);
	(void)munmap(chunk, CHUNK);
	return found;
}

static int
on_any(void *arg, const struct nlmsghdr *h)
{
	(void)h;
	++*(size_t *)arg;
	return 0;
}

/* Answers, a dump and notifications have keys in them, too. How often the first left it. */
static size_t
meet_key(struct nl *nl, const struct xsa *sa, const uint8_t *key)
{
	static struct answers a;
	union xbuf buf;
	size_t n = 0, left;
	int err;

	assert_int_equal(test_ask(nl, xmsg_sa_get(&buf, sa->spi, &sa->dst), &a), 0);
	wipe(&a, sizeof a);
	left = keys_in_memory(key);
	assert_int_equal(nl_dump(nl, xmsg_sa_dump(&buf), on_any, &n, &err), OK);
	assert_int_equal(n, 1);
	assert_int_equal(test_ask(nl, xmsg_sa_del(&buf, sa->spi, &sa->dst), &a), 0);
	return left;
}

/* How often a key is in memory when it came by everywhere, with the sockets still open. */
static size_t
keys_left(uint8_t number, bool esp)
{
	static uint8_t key[KEY_LEN];
	static struct answers a;
	struct xsa sa = test_xsa(9, ADDR_V4, SA_IN);
	struct nl *nl = test_nl(), *listener = test_listener();
	struct events e = { 0 };
	union xbuf buf;
	size_t i, left = 0;

	key_number = number;
	for (i = 0; i < KEY_LEN; i++)
		key[i] = key_octet(i);
	(void)test_collect(nl, xmsg_sa_add(&buf, &kernel, &sa, bytes_of(key, KEY_LEN)));
	assert_true(keys_in_memory(key) >= 2);          /* in buf and in the collection */
	wipe(&buf, sizeof buf);
	assert_int_equal(test_run(nl, false, &a), OK);
	assert_int_equal(a.err[0] == 0, esp);
	if (esp) {
		left = meet_key(nl, &sa, key);
		assert_int_equal(nl_events(listener, 100, test_on_event, &e), OK);
		assert_int_equal(e.n, 1);
	}
	left += keys_in_memory(key);
	nl_close(listener);
	nl_close(nl);
	return left;
}

static void
keys_are_wiped(bool esp)
{
	/* The dynamic linker saves registers, and what is in them, when a function is called for the first time. */
	(void)keys_left(0x9d, esp);
	assert_int_equal(keys_left(0x6b, esp), 0);
}

TEST(keys_are_wiped_wherever_they_came_by)
{
	keys_are_wiped(true);
}

/* ---- without ESP ---- */

/* Which of the two it lacks is told: the algorithm is asked for first. */
TEST(kernel_without_esp_says_so)
{
	struct nl *nl = test_nl();
	struct answers a;
	size_t i;

	for (i = 0; i < COUNT(test_transforms); i++) {
		struct xsa sa = variant(i, 0);
		int err = add(nl, &sa, &a);

		assert_true(err == EPROTONOSUPPORT || err == ENOSYS);
		assert_non_null(strstr(a.text, err == ENOSYS ? "algorithm not found" : "type not found"));
	}
	nl_close(nl);
}

TEST(key_of_an_sa_that_was_refused_is_wiped)
{
	keys_are_wiped(false);
}

/* ---- no namespace ---- */

TEST(lack_of_the_capability_is_told_per_sa)
{
	struct xsa sa = variant(0, 0);
	struct nl *nl = test_nl();
	struct answers a;

	assert_int_equal(add(nl, &sa, &a), EPERM);
	nl_close(nl);
}

static bool
esp_is_there(void)
{
	struct xsa sa = test_xsa(1, ADDR_V4, SA_OUT), have;
	struct nl *nl = test_nl();
	struct xsa_figures f;
	struct answers a;
	union xbuf buf;
	bool there = test_ask(nl, test_sa_add(&buf, &new_kernel, &sa), &a) == 0;

	if (there) {
		assert_int_equal(test_ask(nl, xmsg_sa_get(&buf, sa.spi, &sa.dst), &a), 0);
		assert_int_equal(xmsg_sa_read(&a.reply.h, &have, &f), OK);
		kernel.sa_dir = have.dir == SA_OUT;
	}
	nl_close(nl);
	return there;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest with[] = {
		cmocka_unit_test_setup(every_sa_is_in_the_kernel_as_it_was_asked_for, fresh),
		cmocka_unit_test_setup(odd_windows_are_kept, fresh),
		cmocka_unit_test_setup(sa_that_is_there_or_is_not_is_an_error, fresh),
		cmocka_unit_test_setup(packets_are_counted_and_numbered, fresh),
		cmocka_unit_test_setup(sa_that_somebody_removes_is_told, fresh),
		cmocka_unit_test_setup(sa_expires_softly_and_then_for_good, fresh),
		cmocka_unit_test_setup(keys_are_wiped_wherever_they_came_by, fresh),
	};
	const struct CMUnitTest without[] = {
		cmocka_unit_test(kernel_without_esp_says_so),
		cmocka_unit_test(key_of_an_sa_that_was_refused_is_wiped),
	};
	const struct CMUnitTest unprivileged[] = {
		cmocka_unit_test(lack_of_the_capability_is_told_per_sa),
	};
	bool wanted = argc > 1 && strcmp(argv[1], "--esp") == 0;

	if (!test_own_namespace() && !wanted)
		return cmocka_run_group_tests(unprivileged, NULL, NULL);
	test_loopback_up();
	if (!esp_is_there() && !wanted)
		return cmocka_run_group_tests(without, NULL, NULL);
	print_message("SAs have a direction: %s\n", kernel.sa_dir ? "yes" : "no");
	return cmocka_run_group_tests(with, NULL, NULL);
}
