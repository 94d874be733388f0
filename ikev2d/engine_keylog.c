/* SPDX-License-Identifier: ISC */
/*
 * Keys in the form of Wireshark's tables "ikev2_decryption_table" and "esp_sa", one line each, with
 * the table's name in front. Only where the operator asked for it twice (ikev2d.conf(5), [debug]).
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "ikev2d/engine_int.h"

#define LINE_OCTETS 1024

static void
hex(char *to, struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < b.n; i++) {
		to[2 * i] = digits[b.p[i] >> 4];
		to[2 * i + 1] = digits[b.p[i] & 15];
	}
	to[2 * b.n] = '\0';
}

static void
put(const struct engine *e, char *line, int n)
{
	if (n > 0 && n < LINE_OCTETS && write(e->key_log, line, (size_t)n) != n)
		log_warn("the key log can't be written");
	wipe(line, LINE_OCTETS);
}

static const char *
ike_encr(const struct ike_keys_view *k)
{
	if (k->encr == ENCR_AES_GCM_16)
		return k->key_bits == 256 ? "AES-GCM-256 with 16 octet ICV [RFC5282]" :
		    "AES-GCM-128 with 16 octet ICV [RFC5282]";
	if (k->encr == ENCR_CHACHA20_POLY1305)
		return "ChaCha20-Poly1305";
	return k->key_bits == 256 ? "AES-CBC-256 [RFC3602]" : "AES-CBC-128 [RFC3602]";
}

static const char *
ike_integ(uint16_t integ)
{
	switch (integ) {
	case INTEG_HMAC_SHA2_256_128:
		return "HMAC_SHA2_256_128 [RFC4868]";
	case INTEG_HMAC_SHA2_384_192:
		return "HMAC_SHA2_384_192 [RFC4868]";
	case INTEG_HMAC_SHA2_512_256:
		return "HMAC_SHA2_512_256 [RFC4868]";
	default:
		return "NONE [RFC4306]";
	}
}

void
engine_keylog_ike(const struct engine *e, const struct ike_ref *ref)
{
	char line[LINE_OCTETS], ei[161], er[161], ai[161], ar[161];
	struct ike_keys_view k;
	int n;

	if (e->key_log == -1 || ike_export_keys(e->ike, ref, &k) != OK ||
	    k.sk_ei.n > 80 || k.sk_er.n > 80 || k.sk_ai.n > 80 || k.sk_ar.n > 80)
		return;
	hex(ei, k.sk_ei);
	hex(er, k.sk_er);
	hex(ai, k.sk_ai);
	hex(ar, k.sk_ar);
	n = snprintf(line, sizeof line, "ikev2_decryption_table:%016" PRIx64 ",%016" PRIx64
	    ",%s,%s,\"%s\",%s,%s,\"%s\"\n", ref->spi_i, ref->spi_r, ei, er, ike_encr(&k), ai, ar,
	    ike_integ(k.integ));
	put(e, line, n);
	wipe(ei, sizeof ei);
	wipe(er, sizeof er);
	wipe(ai, sizeof ai);
	wipe(ar, sizeof ar);
}

static const char *
esp_encr(uint16_t encr)
{
	switch (encr) {
	case ESP_AES_GCM_16:
		return "AES-GCM with 16 octet ICV [RFC4106]";
	case ESP_CHACHA20_POLY1305:
		return "ChaCha20 with Poly1305 [RFC7634]";
	case ESP_AES_CBC:
		return "AES-CBC [RFC3602]";
	default:
		return "NULL";
	}
}

static const char *
esp_integ(uint16_t integ)
{
	switch (integ) {
	case ESP_HMAC_SHA2_256_128:
		return "HMAC-SHA-256-128 [RFC4868]";
	case ESP_HMAC_SHA2_384_192:
		return "HMAC-SHA-384-192 [RFC4868]";
	case ESP_HMAC_SHA2_512_256:
		return "HMAC-SHA-512-256 [RFC4868]";
	default:
		return "NULL";
	}
}

void
engine_keylog_esp(const struct engine *e, const struct sa_params *sa)
{
	char line[LINE_OCTETS], src[ADDR_STRLEN], dst[ADDR_STRLEN];
	char encr[2 * SA_KEY_MAX + 1], integ[2 * SA_KEY_MAX + 1];
	size_t n_encr, n_integ;
	int n;

	if (e->key_log == -1 || esp_transform_lengths(&sa->transform, &n_encr, &n_integ) != OK ||
	    n_encr + n_integ != sa->key_len)
		return;
	hex(encr, bytes_of(sa->key, n_encr));
	hex(integ, bytes_of(sa->key + n_encr, n_integ));
	n = snprintf(line, sizeof line, "esp_sa:\"%s\",\"%s\",\"%s\",\"0x%08" PRIx32 "\",\"%s\","
	    "\"0x%s\",\"%s\",\"%s%s\"\n", sa->src.family == ADDR_V4 ? "IPv4" : "IPv6",
	    addr_str(&sa->src, src), addr_str(&sa->dst, dst), sa->spi, esp_encr(sa->transform.encr),
	    encr, esp_integ(sa->transform.integ), n_integ > 0 ? "0x" : "", integ);
	put(e, line, n);
	wipe(encr, sizeof encr);
	wipe(integ, sizeof integ);
}
