/* SPDX-License-Identifier: ISC */
/* reads: pcap-backend/offline.c pcap-backend/keysfile.c */
/* fuzz: -max_len=8192 */
/*
 * The offline mode: first octet what to do, two octets of length and a keys file (none: a good one
 * is taken), then a capture file.
 */
#include "pcap_fuzz.h"

#include <stdio.h>

#include "pcap-backend/offline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char good_keys[] =
    "[sa]\nspi=0x1001\nsrc=192.0.2.1\ndst=192.0.2.2\ntransform=aes128gcm16\n"
    "key=000102030405060708090a0b0c0d0e0f10111213\nvnis=5001\n";

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_sink(fuzz_no_log, NULL);
	return crypto_init();
}

static void
run(uint8_t what, const struct keysfile *keys, struct bytes capture)
{
	struct offline o = { .what = (enum offline_what)((what & 0x0f) % 3) };
	char why[OFFLINE_WHY], *written = NULL;
	size_t n = 0;
	FILE *in, *out;
	struct dp dp;

	dp_config_defaults(&o.dp);
	o.dp.mac_limit = 16;
	o.dp.keep_vlan = (what & 0x80) != 0;
	if ((what & 0x40) != 0)
		must(addr_parse(&o.peer, "192.0.2.2") == OK);
	if ((what & 0x20) != 0)
		o.vni = 5001;
	in = fmemopen((void *)(uintptr_t)capture.p, capture.n, "rb");
	out = open_memstream(&written, &n);
	must(in != NULL && out != NULL);
	if (offline_run(&o, &dp, keys, in, out, why) != OK)
		must(why[0] != '\0');
	must(o.packets_written <= o.packets_read);
	dp_free(&dp);
	free(written);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_open(bytes_of(data, len));
	uint8_t what = rd_u8(&r);      /* high bits: see run() */
	struct bytes text = rd_take(&r, rd_u16(&r)), capture;
	struct keysfile keys;
	char why[KEYSFILE_WHY];
	unsigned line;

	capture = rd_rest(&r);
	if (!rd_ok(&r))
		return 0;
	if (text.n == 0)
		text = bytes_str(good_keys);
	if (keysfile_read(&keys, text, &line, why) != OK) {
		must(why[0] != '\0' && line != 0 && keys.sas == NULL);
		return 0;
	}
	if (capture.n != 0)
		run(what, &keys, capture);
	keysfile_free(&keys);
	return 0;
}
