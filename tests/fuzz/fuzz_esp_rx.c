/* SPDX-License-Identifier: ISC */
/* reads: pcap-backend/esp_rx.c pcap-backend/iphdr.c pcap-backend/vxlan.c */
/* fuzz: -max_len=2048 */
/*
 * First octet 0 to 3: the rest is sealed under the key of that SA (next header its first octet), as
 * an authentic but hostile peer could; else the rest is a packet of the wire. Frames come out
 * only for what the peer was granted, and only from authentic packets.
 */
#include "pcap_fuzz.h"

#include "pcap-backend/vxlan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define PACKET_MAX 4096

static bool authentic;

static void
no_wire(void *arg, const struct dp_out *out, size_t n)
{
	(void)arg;
	(void)out;
	(void)n;
	abort();
}

static void
got_frames(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	size_t i;

	(void)arg;
	must(authentic && vni == 5001);
	for (i = 0; i < n; i++)
		must(frames[i].n >= ETH_LEN);
}

static const struct dp_io io = { NULL, no_wire, got_frames, fuzz_acquire, fuzz_expire, fuzz_mapping };

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_sink(fuzz_no_log, NULL);
	return crypto_init();
}

/* A packet of the wire around the payload; twice, so that its replay is seen too. */
static void
hostile_peer(struct dp *dp, unsigned i, struct bytes payload)
{
	struct sa_params sa = fuzz_sa(i, SA_OUT);
	struct rd r = rd_open(payload);
	uint8_t next = rd_u8(&r), packet[PACKET_MAX], *esp;
	struct esp_key *key;
	struct ip_tmpl ip;
	size_t head, n;

	payload = rd_rest(&r);
	must(esp_key_new(&key, &sa.transform, bytes_of(sa.key, sa.key_len)) == OK);
	ip_tmpl_init(&ip, &sa.src, &sa.dst, i == 3 ? IP_PROTO_UDP : IP_PROTO_ESP);
	head = ip.len + (i == 3 ? UDP_LEN : 0u);
	esp = packet + head;
	if (payload.n != 0)
		memcpy(esp + esp_head_len(key), payload.p, payload.n);
	must(esp_seal(key, sa.spi, 1, next, esp, payload.n, &n) == OK);
	esp_key_free(key);
	if (i == 3)
		udp_put(packet + ip.len, 4500, 4500, n + UDP_LEN, 0);
	ip_put(&ip, packet, n + head - ip.len, 1);
	authentic = true;
	dp_wire_packet(dp, bytes_of(packet, n + head));
	dp_wire_packet(dp, bytes_of(packet, n + head));
	dp_flush(dp);
	must(dp->ctr.v[CTR_DROP_REPLAY] == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(bytes_of(data, len));
	uint8_t what = rd_u8(&r);
	struct dp dp;

	if (!rd_ok(&r) || rd_left(&r) > 2048)
		return 0;
	fuzz_open(&dp, &io, SA_IN);
	authentic = false;
	if (what < FUZZ_SAS) {
		hostile_peer(&dp, what, rd_rest(&r));
	} else {
		dp_wire_packet(&dp, rd_rest(&r));
		dp_flush(&dp);
	}
	dp_free(&dp);
	return 0;
}
