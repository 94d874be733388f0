/* SPDX-License-Identifier: ISC */
/* reads: pcap-backend/vxlan.c */
/* fuzz: -max_len=10000 */
/*
 * Tenant frames: the first octet chooses the SA and whether VLAN tags stay, then come frames, each
 * with its length in two octets. What one data plane sends the other must deliver, unchanged but for
 * a tag stripped or a checksum completed.
 */
#include "pcap_fuzz.h"

#include "pcap-backend/esp_tx.h"
#include "pcap-backend/vxlan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct both {
	struct dp a, b;
	uint8_t want[DP_FRAME_MAX];
	size_t want_n;
	bool delivered;
};

static void
to_b(void *arg, const struct dp_out *out, size_t n)
{
	struct both *t = arg;
	size_t i;

	for (i = 0; i < n; i++)
		dp_wire_packet(&t->b, out[i].packet);
	dp_flush(&t->b);
}

static void
no_frames(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	(void)arg;
	(void)vni;
	(void)frames;
	(void)n;
	abort();
}

static void
no_wire(void *arg, const struct dp_out *out, size_t n)
{
	(void)arg;
	(void)out;
	(void)n;
	abort();
}

static void
out_of_b(void *arg, uint32_t vni, const struct bytes *frames, size_t n)
{
	struct both *t = arg;

	must(n == 1 && vni == 5001 && frames[0].n == t->want_n);
	must(memcmp(frames[0].p, t->want, t->want_n) == 0);
	t->delivered = true;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_sink(fuzz_no_log, NULL);
	return crypto_init();
}

static void
one_frame(struct both *t, struct esp_sa *sa, struct bytes octets)
{
	bool keep = t->a.cfg.keep_vlan;
	struct frame f;
	uint64_t src;
	bool tagged;
	uint32_t vni;
	struct bytes inner;

	(void)vxlan_read(octets, &vni, &inner);
	dp_tenant_frame(&t->a, dp_vn(&t->a, 5002), octets);
	dp_flush(&t->a);
	if (frame_read(octets, !keep, &f) != OK || frame_len(&f) > DP_FRAME_MAX)
		return;
	must(f.entropy >= ENTROPY_FIRST && frame_len(&f) >= ETH_LEN);
	frame_copy(&f, t->want);
	t->want_n = frame_len(&f);
	t->delivered = false;
	esp_tx_frame(&t->a, sa, 5001, &f);
	dp_flush(&t->a);
	frame_peek(bytes_of(t->want, t->want_n), &src, &tagged);
	must(src == f.src);
	/* Two tags are one too many where none are wanted. */
	must(t->delivered == (f.src != 0 && !mac_is_group(f.src) && (keep || !tagged)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct both t;
	struct dp_io a = { &t, to_b, no_frames, fuzz_acquire, fuzz_expire, fuzz_mapping };
	struct dp_io b = { &t, no_wire, out_of_b, fuzz_acquire, fuzz_expire, fuzz_mapping };
	struct rd r = rd_open(bytes_of(data, len));
	uint8_t what = rd_u8(&r);
	struct sa_params p = fuzz_sa(what % FUZZ_SAS, SA_OUT);
	struct esp_sa *sa;

	memset(&t, 0, sizeof t);
	fuzz_open(&t.a, &a, SA_OUT);
	fuzz_open(&t.b, &b, SA_IN);
	t.a.cfg.keep_vlan = t.b.cfg.keep_vlan = (what & 0x80) != 0;
	must((sa = sad_find(&t.a.sad, SA_OUT, p.spi, &p.dst)) != NULL);
	while (rd_left(&r) > 2)
		one_frame(&t, sa, rd_take(&r, rd_u16(&r)));
	dp_free(&t.a);
	dp_free(&t.b);
	return 0;
}
