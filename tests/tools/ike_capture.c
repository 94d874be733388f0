/* SPDX-License-Identifier: ISC */
/*
 * Plays an IKE SA in memory, from the first message to the Delete, and leaves a capture of it:
 *
 *     ike_capture SUITE OUT.pcap [natt]
 *
 * SUITE is one of the names below. On standard output: the line for Wireshark's
 * ikev2_decryption_table, then the initiator's ESP SPIs, "esp IN OUT".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../sim/sim_pki.h"
#include "base/wr.h"
#include "ike/proposal.h"

#define LINKTYPE_RAW 101
#define IP_HEADER    20
#define UDP_HEADER   8

struct named_suite {
	const char *name;
	struct ike_suite suite;
	const char *encr, *integ;        /* as Wireshark calls them */
};

static const struct named_suite suites[] = {
	{ "gcm256",
	    { .encr = { { ENCR_AES_GCM_16, 256 } },
		.prf = { PRF_HMAC_SHA2_384 },
		.ke = { KE_ECP384 } },
	    "AES-GCM-256 with 16 octet ICV [RFC5282]", "NONE [RFC4306]" },
	{ "gcm128",
	    { .encr = { { ENCR_AES_GCM_16, 128 } },
		.prf = { PRF_HMAC_SHA2_256 },
		.ke = { KE_CURVE25519 } },
	    "AES-GCM-128 with 16 octet ICV [RFC5282]", "NONE [RFC4306]" },
	{ "cbc128",
	    { .encr = { { ENCR_AES_CBC, 128 } },
		.prf = { PRF_HMAC_SHA2_256 },
		.integ = { INTEG_HMAC_SHA2_256_128 },
		.ke = { KE_ECP256 } },
	    "AES-CBC-128 [RFC3602]", "HMAC_SHA2_256_128 [RFC4868]" },
	{ "cbc256",
	    { .encr = { { ENCR_AES_CBC, 256 } },
		.prf = { PRF_HMAC_SHA2_512 },
		.integ = { INTEG_HMAC_SHA2_512_256 },
		.ke = { KE_MODP2048 } },
	    "AES-CBC-256 [RFC3602]", "HMAC_SHA2_512_256 [RFC4868]" },
	{ "cbc256-sha384",
	    { .encr = { { ENCR_AES_CBC, 256 } },
		.prf = { PRF_HMAC_SHA2_384 },
		.integ = { INTEG_HMAC_SHA2_384_192 },
		.ke = { KE_CURVE25519 } },
	    "AES-CBC-256 [RFC3602]", "HMAC_SHA2_384_192 [RFC4868]" },
};

static uint16_t
ip_checksum(struct bytes header)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < header.n; i += 2)
		sum += (uint32_t)header.p[i] << 8 | header.p[i + 1];
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)~sum;
}

/* One IPv4 packet; without a UDP checksum, as IPv4 allows. */
static void
write_packet(FILE *f, const struct sim_datagram *d, int64_t ms)
{
	uint8_t head[16 + IP_HEADER + UDP_HEADER + 4];
	struct wr w = wr_fixed(head, sizeof head);
	size_t marker = d->natt ? 4 : 0, n = IP_HEADER + UDP_HEADER + marker + d->data.n;
	struct bytes ip = bytes_of(head + 16, IP_HEADER);
	uint16_t sum;

	wr_u32(&w, (uint32_t)(ms / 1000));
	wr_u32(&w, (uint32_t)(ms % 1000 * 1000));
	wr_u32(&w, (uint32_t)n);
	wr_u32(&w, (uint32_t)n);
	wr_u16(&w, 0x4500);
	wr_u16(&w, (uint16_t)n);
	wr_u32(&w, 0x00004000);
	wr_u16(&w, 0x4011);
	wr_u16(&w, 0);
	wr_put(&w, addr_bytes(&d->from.addr));
	wr_put(&w, addr_bytes(&d->to.addr));
	wr_u16(&w, d->from.port);
	wr_u16(&w, d->to.port);
	wr_u16(&w, (uint16_t)(n - IP_HEADER));
	wr_u16(&w, 0);
	wr_zero(&w, marker);
	sum = ip_checksum(ip);
	head[16 + 10] = (uint8_t)(sum >> 8);
	head[16 + 11] = (uint8_t)sum;
	(void)fwrite(head, 1, w.n, f);
	(void)fwrite(d->data.p, 1, d->data.n, f);
}

static bool
capture(struct sim *s, struct sim_datagram *d, void *arg)
{
	write_packet(arg, d, s->now);
	return true;
}

static void
hex(struct bytes b)
{
	size_t i;

	for (i = 0; i < b.n; i++)
		printf("%02x", b.p[i]);
}

static void
print_keys(const struct sim_node *n, const struct named_suite *suite)
{
	struct ike_sa_info sa = sim_sa(n);
	struct ike_keys_view v;

	if (ike_export_keys(n->e, &sa.ref, &v) != OK)
		abort();
	printf("%016" PRIx64 ",%016" PRIx64 ",", sa.ref.spi_i, sa.ref.spi_r);
	hex(v.sk_ei);
	printf(",");
	hex(v.sk_er);
	printf(",\"%s\",", suite->encr);
	hex(v.sk_ai);
	printf(",");
	hex(v.sk_ar);
	printf(",\"%s\"\n", suite->integ);
	printf("esp %08x %08x\n", sim_child(n).spi_in, sim_child(n).spi_out);
}

static bool
is_up(struct sim *s)
{
	return sim_paired(s->nodes[0], s->nodes[1]);
}

static int
play(const struct named_suite *suite, FILE *f, bool natt)
{
	struct sim_pki *pki = sim_pki_new();
	struct sim *s = sim_new(1);
	struct sim_node *a = sim_node(s, "nve-1.example", "192.0.2.1"),
			*b = sim_node(s, "nve-2.example", "192.0.2.2");
	int r = 1;

	sim_pki_use(a, sim_pki_device(pki, a->name, KEY_EC_P256));
	sim_pki_use(b, sim_pki_device(pki, b->name, KEY_ED25519));
	a->cfg.suites[0] = b->cfg.suites[0] = suite->suite;
	a->cfg.n_suites = b->cfg.n_suites = 1;
	a->cfg.force_encap = natt;
	s->on_send = capture;
	s->on_send_arg = f;
	sim_start(a);
	sim_start(b);
	sim_peer(b, a, false);
	sim_peer(a, b, true);
	if (!sim_until(s, is_up, 10000))
		goto out;
	print_keys(a, suite);
	sim_run(s, 35000);
	sim_command(a, IKE_EV_CLOSE, "");
	sim_run(s, 1000);
	r = s->violation[0] == '\0' ? 0 : 1;
out:
	sim_free(s);
	sim_pki_free(pki);
	return r;
}

int
main(int argc, char **argv)
{
	size_t i, n = sizeof suites / sizeof suites[0];
	uint8_t octets[24];
	struct wr w = wr_fixed(octets, sizeof octets);
	FILE *f;
	int r;

	if (argc < 3 || crypto_init() != OK)
		return 2;
	for (i = 0; i < n && strcmp(suites[i].name, argv[1]) != 0; i++)
		;
	if (i == n || (f = fopen(argv[2], "wb")) == NULL)
		return 2;
	wr_u32(&w, 0xa1b2c3d4);
	wr_u16(&w, 2);
	wr_u16(&w, 4);
	wr_u64(&w, 0);
	wr_u32(&w, 65535);
	wr_u32(&w, LINKTYPE_RAW);
	(void)fwrite(octets, 1, w.n, f);
	r = play(&suites[i], f, argc > 3 && strcmp(argv[3], "natt") == 0);
	if (fclose(f) != 0)
		r = 1;
	crypto_cleanup();
	return r;
}
