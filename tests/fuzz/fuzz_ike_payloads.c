/* SPDX-License-Identifier: ISC */
/*
 * What an authenticated peer sends: octet 0 is the type of the first payload, the rest a decrypted
 * chain. What is read is then chosen from, answered, narrowed and checked, as the engine does.
 */
/* reads: lib/ike/msg.c lib/ike/payload.c lib/ike/payload_sa.c */
/* reads: lib/ike/proposal_choose.c lib/ike/ts.c lib/ike/ts_label.c */
/* fuzz: -max_len=4096 */
#include <stdlib.h>

#include "crypto/crypto.h"
#include "ike/msg.h"
#include "ike/out.h"
#include "ike/proposal.h"
#include "ike/ts.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct ike_suite suites[IKE_PROPOSALS_MAX];
static size_t n_suites;

/* 192.0.2.0/24, UDP to the VXLAN port; 2001:db8::/32; anything of 198.51.100.1. */
static struct selector policy[3];

static const struct esp_transform transforms[] = {
	{ ESP_AES_GCM_16, 256, ESP_INTEG_NONE, true },
	{ ESP_AES_GCM_16, 256, ESP_INTEG_NONE, false },
	{ ESP_CHACHA20_POLY1305, 0, ESP_INTEG_NONE, false },
	{ ESP_AES_CBC, 128, ESP_HMAC_SHA2_256_128, false },
};
static const uint16_t groups[] = { KE_CURVE25519, KE_ECP256 };

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static struct selector
range(const char *lo, const char *hi, uint8_t proto, uint16_t port_lo, uint16_t port_hi)
{
	struct selector s = { .proto = proto, .port_lo = port_lo, .port_hi = port_hi };

	require(addr_parse(&s.lo, lo) == 0 && addr_parse(&s.hi, hi) == 0);
	return s;
}

int
LLVMFuzzerInitialize(int *argc __attribute__((unused)), char ***argv __attribute__((unused)))
{
	n_suites = ike_default_suites(suites);
	policy[0] = range("192.0.2.0", "192.0.2.255", 17, 4789, 4789);
	policy[1] = range("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 6, 0, 65535);
	policy[2] = range("198.51.100.1", "198.51.100.1", 0, 0, 65535);
	return crypto_init() == 0 ? 0 : 1;
}

/* Writes the answer to a choice and reads it as the initiator does. */
static void
answer(const struct ike_chosen *c, bool ike, struct ike_msg *m, struct blob *b)
{
	struct ike_header h = { .spi_i = 1, .exchange = EX_CREATE_CHILD_SA };
	struct ike_out o;

	msg_begin(&o, &h);
	if (ike)
		proposal_write_chosen_ike(&o, c, c->spi);
	else
		proposal_write_chosen_esp(&o, c, 0xc0c1c2c3);
	require(msg_end(&o, b) == 0);
	require(msg_read(m, blob_view(b)) == 0);
}

static void
try_ike(const struct ike_sa_payload *sa, size_t spi_len)
{
	struct ike_offer offer = { .suites = suites, .n_suites = n_suites, .spi_len = spi_len };
	struct ike_cipher_info info;
	struct ike_chosen c;
	char name[IKE_SUITE_STRLEN];
	struct ike_msg m;
	struct blob b = { 0 };

	if (proposal_choose_ike(&c, sa, &offer, KE_ECP384) == 0) {
		require(ike_cipher_info(c.encr, c.key_bits, c.integ, &info) == 0);
		require(prf_len(c.prf) != 0 && ike_offer_has_ke(&offer, c.ke));
		answer(&c, true, &m, &b);
		ike_chosen_name(&c, name);
	}
	(void)proposal_check_ike(&c, sa, &offer);
	blob_free(&b);
}

static void
try_esp(const struct ike_sa_payload *sa, size_t n_ke)
{
	struct esp_offer offer = {
		.transforms = transforms, .n_transforms = sizeof transforms / sizeof transforms[0],
		.ke = groups, .n_ke = n_ke,
	};
	struct esp_transform t;
	struct ike_chosen c;
	size_t encr, integ;
	struct ike_msg m;
	struct blob b = { 0 };

	if (proposal_choose_esp(&c, sa, &offer, KE_ECP256) == 0) {
		t = chosen_esp(&c);
		require(esp_transform_lengths(&t, &encr, &integ) == 0);
		require((c.ke != 0) == (n_ke != 0));
		answer(&c, false, &m, &b);
	}
	(void)proposal_check_esp(&c, sa, &offer);
	blob_free(&b);
}

static bool
covered(const struct selector *s, const struct selector *by, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (selector_contains(&by[i], s))
			return true;
	return false;
}

/* What goes back to the peer reads as it was meant. */
static void
write_back(const struct selector *sel, uint8_t n, const char *label)
{
	struct ike_header h = { .spi_i = 1, .exchange = EX_IKE_AUTH };
	struct blob b = { 0 };
	struct ike_out o;
	struct ike_msg m;
	uint8_t i;

	msg_begin(&o, &h);
	ts_write(&o, PL_TSi, sel, n, label);
	require(msg_end(&o, &b) == 0 && msg_read(&m, blob_view(&b)) == 0);
	require(m.tsi.n_sel == n && ts_check_label(&m.tsi, &m.tsi, label) == 0);
	for (i = 0; i < n; i++)
		require(selector_equal(&m.tsi.sel[i], &sel[i]));
	blob_free(&b);
}

static void
try_narrow(const struct ike_ts *ts, const char *label)
{
	struct selector out[SELECTORS_MAX];
	struct ike_ts response = { .n_sel = 0 };
	uint8_t i, n;

	if (ts_narrow(ts, policy, 3, out, &n) != 0)
		return;
	require(n >= 1 && n <= SELECTORS_MAX);
	for (i = 0; i < n; i++) {
		require(selector_valid(&out[i]));
		require(covered(&out[i], policy, 3) && covered(&out[i], ts->sel, ts->n_sel));
		response.sel[response.n_sel++] = out[i];
	}
	require(ts_check_subset(&response, policy, 3) == 0);
	(void)ts_check_subset(ts, policy, 3);
	write_back(out, n, label);
}

static void
try_labels(const struct ike_msg *m, char label[static LABEL_MAX])
{
	struct ike_label l;

	if (ts_choose_label(&m->tsi, &m->tsr, label) == 0 && label[0] != '\0') {
		require(ts_label_parse(&l, bytes_str(label)) == 0);
		require(l.channel[0] != '\0' && l.vni <= VNI_MAX);
	}
	(void)ts_check_label(&m->tsi, &m->tsr, "ch:vxlan");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ike_header h = { .spi_i = 1, .exchange = EX_IKE_AUTH };
	char label[LABEL_MAX];
	struct ike_msg m;

	if (len == 0 || msg_read_inner(&m, &h, data[0], bytes_of(data + 1, len - 1)) != 0)
		return 0;
	if (msg_has(&m, PL_SA)) {
		try_ike(&m.sa, 0);
		try_ike(&m.sa, 8);
		try_esp(&m.sa, 0);
		try_esp(&m.sa, 2);
	}
	try_labels(&m, label);
	try_narrow(&m.tsi, label);
	try_narrow(&m.tsr, label);
	return 0;
}
