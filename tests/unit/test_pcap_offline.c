/* SPDX-License-Identifier: ISC */
/* The offline mode over files in memory. */
#include "base_support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/wr.h"
#include "crypto/crypto.h"
#include "pcap-backend/offline.h"
#include "pcap-backend/vxlan.h"

#define LINKTYPE_ETHERNET 1
#define LINKTYPE_RAW      101
#define FRAME_N           200

static const char keys_text[] =
    "[sa]\nspi=0x1001\nsrc=192.0.2.1\ndst=192.0.2.2\ntransform=aes128gcm16\n"
    "key=000102030405060708090a0b0c0d0e0f10111213\nvnis=5001,5002\nnode=nve-1\n"
    "[sa]\nspi=0x2001\nsrc=2001:db8::1\ndst=2001:db8::2\ntransform=aes256gcm16-esn\nmode=tunnel\n"
    "encap=4500:4500\n"
    "key=ff0102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f10111213\nvnis=7\n";

static struct keysfile keys;

/* A capture file in memory. */
struct file {
	char *p;
	size_t n;
};

static void
u32(struct wr *w, uint32_t v)
{
	wr_u32(w, v);
}

static struct file
capture(uint32_t link, const struct bytes *packets, size_t n)
{
	struct wr w = wr_grow(1u << 20);
	struct blob b = { 0 };
	size_t i;

	u32(&w, 0xa1b2c3d4);
	wr_u16(&w, 2);
	wr_u16(&w, 4);
	wr_zero(&w, 8);
	u32(&w, 65535);
	u32(&w, link);
	for (i = 0; i < n; i++) {
		u32(&w, 1000 + (uint32_t)i);
		u32(&w, 5);
		u32(&w, (uint32_t)packets[i].n);
		u32(&w, (uint32_t)packets[i].n);
		wr_put(&w, packets[i]);
	}
	assert_int_equal(wr_take(&w, &b), OK);
	return (struct file){ (char *)b.p, b.n };
}

static struct file
frames(size_t n)
{
	struct bytes packets[50];
	uint8_t octets[50][FRAME_N];
	size_t i;

	for (i = 0; i < n; i++) {
		memset(octets[i], (int)(i + 1), FRAME_N);
		memcpy(octets[i], "\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5", 14);
		packets[i] = bytes_of(octets[i], FRAME_N);
	}
	return capture(LINKTYPE_ETHERNET, packets, n);
}

/* Runs and gives the file written; the counters stay in *dp. */
static int
run(struct offline *o, struct dp *dp, struct file in, struct file *out, char why[static OFFLINE_WHY])
{
	FILE *fin = in.n == 0 ? fopen("/dev/null", "rb") : fmemopen(in.p, in.n, "rb"), *fout;

	if (o->dp.natt_port == 0)
		dp_config_defaults(&o->dp);
	out->p = NULL;
	fout = open_memstream(&out->p, &out->n);
	assert_non_null(fin);
	assert_non_null(fout);
	return offline_run(o, dp, &keys, fin, fout, why);
}

static struct offline
encapsulate(const char *peer)
{
	struct offline o = { .what = OFFLINE_ENCAPSULATE, .vni = 5001 };

	o.peer = test_addr(peer);
	return o;
}

TEST(files_make_the_round_trip)
{
	static const char *const peers[] = { "192.0.2.2", "2001:db8::2" };
	size_t i;

	for (i = 0; i < COUNT(peers); i++) {
		struct offline there = encapsulate(peers[i]), back = { .what = OFFLINE_GUESS };
		struct file in = frames(40), esp, out;
		char why[OFFLINE_WHY];
		struct dp dp;

		if (i == 1)
			there.vni = 0;
		memcpy(there.src_mac, "\x02\x01\x01\x01\x01\x01", 6);
		assert_int_equal(run(&there, &dp, in, &esp, why), OK);
		dp_free(&dp);
		assert_int_equal(there.packets_read, 40);
		assert_int_equal(there.packets_written, 40);
		assert_null(memmem(esp.p, esp.n, "\x05\x05\x05\x05\x05\x05\x05\x05", 8));
		assert_memory_equal(esp.p + 24 + 16, "\0\0\0\0\0\0\x02\x01\x01\x01\x01\x01", 12);
		assert_int_equal(run(&back, &dp, esp, &out, why), OK);
		assert_int_equal(back.what, OFFLINE_DECAPSULATE);
		assert_int_equal(back.packets_written, 40);
		assert_int_equal(dp.ctr.v[CTR_IN_PACKETS], 40);
		dp_free(&dp);
		/* The same frames; only the file's byte order is the machine's. */
		assert_int_equal(in.n, out.n);
		assert_memory_equal(in.p + 24 + 16, out.p + 24 + 16, FRAME_N);
		assert_memory_equal(in.p + in.n - FRAME_N, out.p + out.n - FRAME_N, FRAME_N);
		free(in.p);
		free(esp.p);
		free(out.p);
	}
}

TEST(replays_and_foreign_vnis_are_dropped)
{
	struct offline there = encapsulate("192.0.2.2"), back = { .what = OFFLINE_DECAPSULATE };
	struct file in = frames(10), esp, twice, out;
	char why[OFFLINE_WHY];
	struct dp dp;

	assert_int_equal(run(&there, &dp, in, &esp, why), OK);
	dp_free(&dp);
	twice.n = esp.n * 2 - 24;
	twice.p = malloc(twice.n);
	assert_non_null(twice.p);
	memcpy(twice.p, esp.p, esp.n);
	memcpy(twice.p + esp.n, esp.p + 24, esp.n - 24);
	assert_int_equal(run(&back, &dp, twice, &out, why), OK);
	assert_int_equal(back.packets_written, 10);
	assert_int_equal(dp.ctr.v[CTR_DROP_REPLAY], 10);
	dp_free(&dp);
	free(out.p);
	/* The receiver's keys file grants 5002 alone. */
	keys.sas[0].n_vnis = 1;
	keys.sas[0].vnis[0] = 5002;
	back = (struct offline){ .what = OFFLINE_DECAPSULATE };
	assert_int_equal(run(&back, &dp, esp, &out, why), OK);
	assert_int_equal(back.packets_written, 0);
	assert_int_equal(counters_vni_total(&dp.ctr), 10);
	assert_string_equal(dp.ctr.vnis[0].node, "nve-1");
	dp_free(&dp);
	keys.sas[0].n_vnis = 2;
	keys.sas[0].vnis[0] = 5001;
	free(in.p);
	free(esp.p);
	free(twice.p);
	free(out.p);
}

TEST(choice_of_sa_and_vn_must_be_clear)
{
	static const struct { const char *peer; uint32_t vni; const char *word; } rows[] = {
		{ NULL, 5001, "several SAs" },
		{ "192.0.2.3", 5001, "no SA" },
		{ "192.0.2.2", 0, "several vnis" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct offline o = { .what = OFFLINE_ENCAPSULATE, .vni = rows[i].vni };
		struct file in = frames(1), out;
		char why[OFFLINE_WHY];
		struct dp dp;

		if (rows[i].peer != NULL)
			o.peer = test_addr(rows[i].peer);
		assert_int_equal(run(&o, &dp, in, &out, why), ERR_VALUE);
		if (strstr(why, rows[i].word) == NULL)
			fail_msg("\"%s\" lacks \"%s\"", why, rows[i].word);
		dp_free(&dp);
		free(in.p);
		free(out.p);
	}
}

TEST(vn_outside_the_keys_file_is_not_sent)
{
	struct offline o = encapsulate("192.0.2.2");
	struct file in = frames(3), out;
	char why[OFFLINE_WHY];
	struct dp dp;

	o.vni = 9;
	assert_int_equal(run(&o, &dp, in, &out, why), OK);
	assert_int_equal(o.packets_written, 0);
	assert_int_equal(dp.ctr.v[CTR_DROP_VNI_OUT], 3);
	dp_free(&dp);
	free(in.p);
	free(out.p);
}

TEST(damaged_files_are_told)
{
	struct file in = frames(5), out, empty = { NULL, 0 };
	struct bytes ip = bytes_of("E", 1);
	char why[OFFLINE_WHY];
	struct offline o;
	struct dp dp;
	size_t n;

	for (n = 0; n < in.n; n++) {
		struct file cut = { in.p, n };
		size_t packets = n < 24 ? 0 : (n - 24) / (16 + FRAME_N);
		bool whole = n >= 24 && (n - 24) % (16 + FRAME_N) == 0;

		o = encapsulate("192.0.2.2");
		assert_int_equal(run(&o, &dp, cut, &out, why), whole ? OK : ERR_SYNTAX);
		assert_int_equal(o.packets_read, packets);
		dp_free(&dp);
		free(out.p);
	}
	o = encapsulate("192.0.2.2");
	assert_int_equal(run(&o, &dp, empty, &out, why), ERR_SYNTAX);
	dp_free(&dp);
	free(out.p);
	free(in.p);
	/* Frames are asked for, and the capture has none. */
	in = capture(LINKTYPE_RAW, &ip, 1);
	o = encapsulate("192.0.2.2");
	assert_int_equal(run(&o, &dp, in, &out, why), ERR_SYNTAX);
	assert_non_null(strstr(why, "Ethernet"));
	dp_free(&dp);
	free(in.p);
	free(out.p);
	in = capture(147, &ip, 1);
	o = encapsulate("192.0.2.2");
	assert_int_equal(run(&o, &dp, in, &out, why), ERR_SYNTAX);
	dp_free(&dp);
	free(in.p);
	free(out.p);
}

TEST(raw_ip_captures_are_decapsulated)
{
	struct offline there = encapsulate("192.0.2.2"), back = { .what = OFFLINE_GUESS };
	struct file in = frames(1), esp, out;
	struct bytes packet;
	char why[OFFLINE_WHY];
	struct dp dp;

	assert_int_equal(run(&there, &dp, in, &esp, why), OK);
	dp_free(&dp);
	packet = bytes_of(esp.p + 24 + 16 + ETH_LEN, esp.n - 24 - 16 - ETH_LEN);
	free(in.p);
	in = capture(LINKTYPE_RAW, &packet, 1);
	assert_int_equal(run(&back, &dp, in, &out, why), OK);
	assert_int_equal(back.packets_written, 1);
	dp_free(&dp);
	free(in.p);
	free(esp.p);
	free(out.p);
}

static int
group_setup(void **state)
{
	char why[KEYSFILE_WHY];
	unsigned line;

	(void)state;
	return crypto_init() != OK || keysfile_read(&keys, bytes_str(keys_text), &line, why) != OK;
}

static int
group_teardown(void **state)
{
	(void)state;
	keysfile_free(&keys);
	crypto_cleanup();
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_make_the_round_trip),
		cmocka_unit_test(replays_and_foreign_vnis_are_dropped),
		cmocka_unit_test(choice_of_sa_and_vn_must_be_clear),
		cmocka_unit_test(vn_outside_the_keys_file_is_not_sent),
		cmocka_unit_test(damaged_files_are_told),
		cmocka_unit_test(raw_ip_captures_are_decapsulated),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
