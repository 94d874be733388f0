/* SPDX-License-Identifier: ISC */
/*
 * The data plane in memory, next to the bare cipher: tenant frame -> VXLAN -> ESP -> back, as
 * pcap-backend does it, without interfaces. One processor, AES-128-GCM, IPv4, transport mode.
 *
 *     bench_esp [-o FILE]        figures on standard output; JSON objects, one a line, into FILE
 *
 * Sizes are octets of ESP payload, so that both sides of a ratio encrypt as much. Times are of the
 * best of several rounds, in processor time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

#include "crypto/crypto.h"
#include "pcap-backend/dp.h"
#include "pcap-backend/vxlan.h"

#define ROUNDS   15
#define PACKETS  256         /* made and opened in one go */
#define GOES     40          /* in a round */
#define SIZE_MAX_ 1500

struct figures {
	double seal, open;     /* ns a packet */
};

static double
now_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
best(double *figure, double ns)
{
	if (*figure == 0 || ns < *figure)
		*figure = ns;
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_esp: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- the bare cipher: one hot buffer ---- */

#if HAVE_IPSEC_MB
static const char cipher_name[] = "libipsec_mb";

static void
cipher(size_t n, struct figures *f)
{
	static const uint8_t key[16] = { 1 }, iv[12] = { 2 }, aad[8] = { 3 };
	static uint8_t buf[SIZE_MAX_ + 64];
	struct gcm_context_data ctx;
	struct gcm_key_data *gcm = NULL;
	uint8_t tag[16];
	IMB_MGR *m = alloc_mb_mgr(0);
	size_t i, j;
	double t;

	if (m == NULL || posix_memalign((void **)&gcm, 64, sizeof *gcm) != 0)
		die("out of memory");
	init_mb_mgr_auto(m, NULL);
	IMB_AES128_GCM_PRE(m, key, gcm);
	for (i = 0; i < ROUNDS; i++) {
		t = now_ns();
		for (j = 0; j < PACKETS * GOES; j++)
			IMB_AES128_GCM_ENC(m, gcm, &ctx, buf, buf, n, iv, aad, sizeof aad, tag, 16);
		best(&f->seal, (now_ns() - t) / (PACKETS * GOES));
		t = now_ns();
		for (j = 0; j < PACKETS * GOES; j++)
			IMB_AES128_GCM_DEC(m, gcm, &ctx, buf, buf, n, iv, aad, sizeof aad, tag, 16);
		best(&f->open, (now_ns() - t) / (PACKETS * GOES));
	}
	free(gcm);
	free_mb_mgr(m);
}
#else
static const char cipher_name[] = "lib/crypto (no libipsec_mb here)";

static void
cipher(size_t n, struct figures *f)
{
	(void)n;
	*f = (struct figures){ 0, 0 };
}
#endif

static void
transform(size_t n, struct figures *f)
{
	static uint8_t buf[ESP_HEAD_MAX + SIZE_MAX_ + ESP_TAIL_MAX], packet[sizeof buf];
	struct esp_transform t;
	struct esp_key *key;
	struct bytes payload;
	uint8_t octets[20] = { 1 }, next;
	size_t i, j, len;
	double at;

	if (esp_transform_parse(&t, "aes128gcm16") != OK ||
	    esp_key_new(&key, &t, bytes_of(octets, sizeof octets)) != OK)
		die("no cipher");
	for (i = 0; i < ROUNDS; i++) {
		at = now_ns();
		for (j = 0; j < PACKETS * GOES; j++)
			(void)esp_seal(key, 4096, j + 1, 17, packet, n, &len);
		best(&f->seal, (now_ns() - at) / (PACKETS * GOES));
		at = now_ns();
		for (j = 0; j < PACKETS * GOES; j++) {
			memcpy(buf, packet, len);
			if (esp_open(key, 0, buf, len, &payload, &next) != OK)
				die("a packet does not open");
		}
		best(&f->open, (now_ns() - at) / (PACKETS * GOES));
	}
	esp_key_free(key);
}

/* ---- the pipeline ---- */

struct bench {
	struct dp tx, rx;
	uint8_t packets[PACKETS][SIZE_MAX_ + 128];
	size_t lens[PACKETS], n;
	bool keep;
	uint64_t frames;
};

static void
out_wire(void *arg, const struct dp_out *out, size_t n)
{
	struct bench *b = arg;
	size_t i;

	for (i = 0; i < n && b->keep && b->n < PACKETS; i++) {
		b->lens[b->n] = out[i].packet.n;
		memcpy(b->packets[b->n++], out[i].packet.p, out[i].packet.n);
	}
}

static void
out_tenant(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	struct bench *b = arg;

	(void)vni;
	(void)frames;
	b->frames += n;
}

static void
no_acquire(void *arg, const char *node, const char *channel, const struct addr *peer)
{
	(void)arg;
	(void)node;
	(void)channel;
	(void)peer;
	die("no SA");
}

static void
no_expire(void *arg, uint8_t dir, uint32_t spi, const struct addr *dst, bool hard)
{
	(void)arg;
	(void)dir;
	(void)spi;
	(void)dst;
	(void)hard;
}

static void
no_mapping(void *arg, uint32_t spi, const struct endpoint *peer)
{
	(void)arg;
	(void)spi;
	(void)peer;
}

/* SA, grant and policy of one direction. */
static void
open_side(struct bench *b, struct dp *dp, uint8_t dir)
{
	static const uint8_t seed[16] = { 5 };
	static uint32_t vnis[] = { 5001 };
	struct dp_io io = { b, out_wire, out_tenant, no_acquire, no_expire, no_mapping };
	struct grant g = { .number = 1, .node = "nve-2", .vnis = vnis, .n_vnis = 1,
	    .expires = INT64_MAX };
	struct policy p = { .action = POLICY_PROTECT, .node = "nve-2", .vnis = vnis, .n_vnis = 1,
	    .channel = { .id = "vxlan", .level = LEVEL_DATA, .proto = 17, .port = 4789 } };
	struct sa_params sa = { .spi = 0x1000, .dir = dir, .mode = SA_TRANSPORT, .key_len = 20,
	    .replay_window = 1024, .n_src_sel = 1, .n_dst_sel = 1, .channel = "vxlan", .grant = 1 };
	struct dp_config cfg;

	dp_config_defaults(&cfg);
	if (addr_parse(&sa.src, "192.0.2.1") != OK || addr_parse(&sa.dst, "192.0.2.2") != OK ||
	    esp_transform_parse(&sa.transform, "aes128gcm16-esn") != OK)
		die("bad constants");
	sa.src_sel[0] = selector_host(&sa.src, 17, 0, 65535);
	sa.dst_sel[0] = selector_host(&sa.dst, 17, 4789, 4789);
	p.peer = sa.dst;
	if (dp_init(dp, &cfg, &io, seed) != OK || dp_vn_add(dp, 5001) != OK ||
	    dp_grant_set(dp, &g) != OK || dp_policy_add(dp, &p) != OK || dp_sa_add(dp, &sa) != OK)
		die("the data plane does not start");
}

/* UDP over IPv4 between two tenants, n octets in all. */
static void
make_frame(uint8_t *to, size_t n)
{
	struct addr src, dst;
	struct ip_tmpl ip;

	if (addr_parse(&src, "10.0.0.1") != OK || addr_parse(&dst, "10.0.0.2") != OK)
		die("bad constants");
	memset(to, 0, n);
	memcpy(to, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", ETH_LEN);
	ip_tmpl_init(&ip, &src, &dst, IP_PROTO_UDP);
	ip_put(&ip, to + ETH_LEN, n - ETH_LEN - IPV4_LEN, 1);
	if (n >= ETH_LEN + IPV4_LEN + UDP_LEN)
		udp_put(to + ETH_LEN + IPV4_LEN, 1234, 5678, n - ETH_LEN - IPV4_LEN, 0xbeef);
}

static double
send_all(struct bench *b, struct bytes frame)
{
	double t = now_ns();
	size_t i;

	b->n = 0;
	for (i = 0; i < PACKETS; i++)
		dp_tenant_frame(&b->tx, dp_vn(&b->tx, 5001), frame);
	dp_flush(&b->tx);
	return now_ns() - t;
}

static double
receive_all(struct bench *b)
{
	double t = now_ns();
	size_t i;

	for (i = 0; i < b->n; i++)
		dp_wire_packet(&b->rx, bytes_of(b->packets[i], b->lens[i]));
	dp_flush(&b->rx);
	return now_ns() - t;
}

static void
pipeline(size_t n, struct figures *f)
{
	struct bench *b = calloc(1, sizeof *b);
	uint8_t frame[SIZE_MAX_];
	uint64_t want = 0;
	size_t frame_n = n - VXLAN_LEN - UDP_LEN;
	int i, j;

	if (b == NULL)
		die("out of memory");
	open_side(b, &b->tx, SA_OUT);
	open_side(b, &b->rx, SA_IN);
	make_frame(frame, frame_n);
	for (i = 0; i < ROUNDS; i++) {
		double seal = 0, open = 0;

		for (j = 0; j < GOES; j++) {
			b->keep = false;
			seal += send_all(b, bytes_of(frame, frame_n));
			b->keep = true;
			(void)send_all(b, bytes_of(frame, frame_n));
			open += receive_all(b);
			want += PACKETS;
		}
		best(&f->seal, seal / (PACKETS * GOES));
		best(&f->open, open / (PACKETS * GOES));
	}
	if (b->frames != want)
		die("frames were lost");
	dp_free(&b->tx);
	dp_free(&b->rx);
	free(b);
}

/* ---- words ---- */

static void
row(const char *what, size_t n, const struct figures *f)
{
	(void)printf("  %-34s %4zu  %6.0f ns %8.2f Mpps %7.1f Gbit/s   %6.0f ns %8.2f Mpps %7.1f Gbit/s\n",
	    what, n, f->seal, 1e3 / f->seal, (double)n * 8 / f->seal, f->open, 1e3 / f->open,
	    (double)n * 8 / f->open);
}

static void
measure(size_t n, FILE *json)
{
	struct figures raw = { 0, 0 }, esp = { 0, 0 }, dp = { 0, 0 };
	double ratio;

	cipher(n, &raw);
	transform(n, &esp);
	pipeline(n, &dp);
	if (raw.seal > 0)
		row(cipher_name, n, &raw);
	else
		raw = esp;
	row("lib/crypto, esp_seal and esp_open", n, &esp);
	row("pcap-backend, frame to packet", n, &dp);
	ratio = (raw.seal + raw.open) / (dp.seal + dp.open);
	(void)printf("  %-34s %4zu  %6.2f of %s\n", "ratio, both directions", n, ratio, cipher_name);
	if (json != NULL)
		(void)fprintf(json, "{\"name\": \"esp_ratio_%zu\", \"value\": %.3f, \"unit\": \"ratio\", "
		    "\"target\": %s, \"better\": \"higher\"}\n", n, ratio, n >= 1000 ? "0.5" : "null");
}

int
main(int argc, char **argv)
{
	FILE *json = NULL;
	int c;

	while ((c = getopt(argc, argv, "o:")) != -1)
		if (c != 'o' || (json = fopen(optarg, "w")) == NULL)
			die("usage: bench_esp [-o FILE]");
	if (crypto_init() != OK)
		die("the cryptographic library does not start");
	log_setup("bench_esp", LOG_ERROR_);
	(void)printf("ESP, AES-128-GCM, IPv4 transport mode, one processor; out, then in (%s)\n",
	    crypto_version());
	measure(64, json);
	measure(1420, json);
	crypto_cleanup();
	return json != NULL && fclose(json) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
