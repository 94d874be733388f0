/* SPDX-License-Identifier: ISC */
/* A small NVA document for the tests of lib/nvo3, and ways to edit it. */
#ifndef UNIT_NVO3_DOC_H
#define UNIT_NVO3_DOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvo3/authz.h"

#define DOC_ISSUED  1795341600           /* 2026-11-22T10:00:00Z */
#define DOC_EXPIRES (DOC_ISSUED + 86400)

/* Line numbers matter to some tests: the string starts with line 1. */
static const char doc_base[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<authorization xmlns=\"urn:overlock:authorization:1\" nva=\"nva.dc1.example\" epoch=\"1\" "
    "serial=\"1042\" issued=\"2026-11-22T10:00:00Z\" expires=\"2026-11-23T10:00:00Z\" "
    "enforcement=\"require\">\n"
    "<suites>\n"
    "<suite id=\"bulk\" esp=\"aes128gcm16\" lifetime=\"3600\"/>\n"
    "<suite id=\"strong\" esp=\"aes256gcm16\" ke=\"curve25519\" lifetime=\"1800\"/>\n"
    "<suite id=\"tagged\" esp=\"aes128gmac\"/>\n"
    "</suites>\n"
    "<channels>\n"
    "<channel id=\"vxlan\" between=\"nve nve\" level=\"data\" suite=\"bulk\" protocol=\"udp\" "
    "port=\"4789\"/>\n"
    "<channel id=\"evpn\" between=\"nve nve\" level=\"control\" suite=\"strong\" protocol=\"tcp\" "
    "port=\"179\"/>\n"
    "<channel id=\"ovsdb\" between=\"nve nva\" level=\"control\" suite=\"strong\" protocol=\"tcp\" "
    "port=\"6640\"/>\n"
    "<channel id=\"split\" between=\"nve hypervisor\" level=\"data\" suite=\"bulk\" "
    "protocol=\"udp\" port=\"4789\"/>\n"
    "<channel id=\"sync\" between=\"nva nva\" level=\"control\" suite=\"strong\" protocol=\"tcp\" "
    "port=\"7000\"/>\n"
    "<channel id=\"reg\" between=\"key-server nve\" level=\"control\" suite=\"strong\" "
    "protocol=\"any\" mode=\"tunnel\"/>\n"
    "</channels>\n"
    "<virtual-networks>\n"
    "<vn id=\"5002\" name=\"tenant-b\" keys=\"vn\" suite=\"tagged\" bum=\"pairwise\"/>\n"
    "<vn id=\"5001\" name=\"tenant-a\" keys=\"pair\" suite=\"bulk\" bum=\"group\">"
    "<group address=\"239.1.1.1\" key-server=\"ks-1\" senders=\"each\" suite=\"bulk\"/></vn>\n"
    "<vn id=\"5003\" keys=\"pair\"/>\n"
    "</virtual-networks>\n"
    "<groups>\n"
    "<group id=\"nva-sync\" level=\"control\" address=\"239.1.0.1\" protocol=\"udp\" port=\"7000\" "
    "key-server=\"ks-1\" suite=\"strong\" members=\"role:nva\"/>\n"
    "</groups>\n"
    "<nodes>\n"
    "<node id=\"nve-1\" role=\"nve\"><identity>dns:nve-1.dc1.example</identity>"
    "<underlay>192.0.2.1</underlay><underlay>2001:db8::1</underlay>"
    "<vn ref=\"5003\"/><vn ref=\"5002\"/><vn ref=\"5001\"/></node>\n"
    "<node id=\"nve-2\" "
    "role=\"nve\"><identity>dns:NVE-2.dc1.example</identity><identity>ip:192.0.2.2</identity>"
    "<underlay>192.0.2.2</underlay><underlay outside=\"198.51.100.9\">10.0.0.1</underlay>"
    "<vn ref=\"5001\" group=\"receiver\"/><vn ref=\"5002\"/></node>\n"
    "<node id=\"nve-3\" role=\"nve\"><identity>dns:nve-3.dc1.example</identity>"
    "<underlay outside=\"198.51.100.10\">10.0.0.1</underlay></node>\n"
    "<node id=\"hv-3\" role=\"hypervisor\"><identity>uri:spiffe://dc1.example/hv/3</identity>"
    "<underlay>192.0.2.33</underlay><vn ref=\"5001\"/><attached nve=\"nve-1\"/></node>\n"
    "<node id=\"nva-1\" role=\"nva\"><identity>dns:nva-1.dc1.example</identity>"
    "<underlay>192.0.2.250</underlay></node>\n"
    "<node id=\"nva-2\" role=\"nva\"><identity>dns:nva-2.dc1.example</identity>"
    "<underlay>192.0.2.252</underlay></node>\n"
    "<node id=\"ks-1\" role=\"key-server\"><identity>dns:ks-1.dc1.example</identity>"
    "<underlay>192.0.2.251</underlay></node>\n"
    "</nodes>\n"
    "</authorization>\n";

/* The base document with the first occurrence of `from` replaced; the caller frees. */
static inline char *
doc_edit(const char *doc, const char *from, const char *to)
{
	const char *at = strstr(doc, from);
	size_t n = strlen(doc) + strlen(to) + 1;
	char *out = malloc(n);

	assert_non_null(at);
	assert_non_null(out);
	snprintf(out, n, "%.*s%s%s", (int)(at - doc), doc, to, at + strlen(from));
	return out;
}

static inline struct nvo3_table *
doc_table(const char *doc)
{
	struct nvo3_schema *schema;
	struct nvo3_limits limits;
	struct nvo3_table *t;
	char why[256];

	nvo3_limits_default(&limits);
	assert_int_equal(nvo3_schema_load(&schema, NULL, why), 0);
	if (nvo3_parse(bytes_str(doc), schema, &limits, &t, why) != 0)
		fail_msg("%s", why);
	nvo3_schema_free(schema);
	return t;
}

#endif
