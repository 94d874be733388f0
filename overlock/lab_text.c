/* SPDX-License-Identifier: ISC */
/* The document and the configurations of a lab. All that goes in was checked before. */
#include <stdarg.h>
#include <stdio.h>

#include "overlock/lab_int.h"

#define DOCUMENT_S (30 * 86400)          /* a lab's document is good for a month */

static void put(struct wr *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct wr *w, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof line)
		w->bad = true;
	else
		wr_put(w, bytes_of(line, (size_t)n));
}

bool
lab_address(const struct lab *lab, unsigned k, struct addr *out)
{
	unsigned host_bits = (unsigned)addr_len(&lab->underlay) * 8 - lab->prefix, carry = k;
	size_t i = addr_len(&lab->underlay);

	/* The last address of a network is for broadcasts. */
	if (host_bits < 32 && k >= (1ull << host_bits) - 1)
		return false;
	*out = lab->underlay;
	while (carry > 0 && i-- > 0) {
		carry += out->a[i];
		out->a[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

static void
put_node(const struct lab *lab, unsigned k, struct wr *w)
{
	char text[ADDR_STRLEN];
	struct addr a;
	size_t i;

	if (!lab_address(lab, k, &a))
		w->bad = true;
	put(w, "    <node id=\"nve-%u\" role=\"nve\">\n", k);
	put(w, "      <identity>dns:nve-%u.%s</identity>\n", k, lab->domain);
	put(w, "      <underlay>%s</underlay>\n", addr_str(&a, text));
	for (i = 0; i < lab->n_vnis; i++)
		put(w, "      <vn ref=\"%u\"/>\n", lab->vnis[i]);
	put(w, "    </node>\n");
}

void
lab_document(const struct lab *lab, struct wr *w)
{
	char issued[CMD_TIME_STRLEN], expires[CMD_TIME_STRLEN];
	unsigned k;
	size_t i;

	put(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!-- Raise serial with every change, then: overlock authz sign. -->\n"
	    "<authorization xmlns=\"urn:overlock:authorization:1\" nva=\"nva.%s\" epoch=\"1\" "
	    "serial=\"1\"\n", lab->domain);
	put(w, "               issued=\"%s\" expires=\"%s\" enforcement=\"require\">\n",
	    cmd_time(issued, lab->now), cmd_time(expires, lab->now + DOCUMENT_S));
	put(w, "  <suites>\n"
	    "    <suite id=\"bulk\" esp=\"aes128gcm16\" lifetime=\"3600\"/>\n"
	    "  </suites>\n"
	    "  <channels>\n"
	    "    <channel id=\"vxlan\" between=\"nve nve\" level=\"data\" suite=\"bulk\" "
	    "protocol=\"udp\" port=\"4789\"/>\n"
	    "  </channels>\n"
	    "  <virtual-networks>\n");
	for (i = 0; i < lab->n_vnis; i++)
		put(w, "    <vn id=\"%u\" keys=\"pair\" suite=\"bulk\" bum=\"pairwise\"/>\n",
		    lab->vnis[i]);
	put(w, "  </virtual-networks>\n"
	    "  <nodes>\n");
	for (k = 1; k <= lab->nodes; k++)
		put_node(lab, k, w);
	put(w, "  </nodes>\n"
	    "</authorization>\n");
}

static void
put_vtep(const struct lab *lab, const char *address, struct wr *w)
{
	size_t i;

	put(w, "program = pcap-backend\n"
	    "wire = eth0\n"
	    "local = %s\n", address);
	for (i = 0; i < lab->n_vnis; i++)
		put(w, "tenant.%u = ten%u\n", lab->vnis[i], lab->vnis[i]);
}

static void
put_kernel(const struct lab *lab, const char *address, struct wr *w)
{
	size_t i;

	put(w, "; VXLAN devices are the kernel's and are not named here. Those that this host lacks:\n");
	for (i = 0; i < lab->n_vnis; i++)
		put(w, ";   ip link add vx%u type vxlan id %u dstport 4789 local %s\n", lab->vnis[i],
		    lab->vnis[i], address);
	put(w, "; overlock check tells the MTU that fits them.\n"
	    "program = xfrm-backend\n");
}

void
lab_configuration(const struct lab *lab, unsigned k, struct wr *w)
{
	char text[ADDR_STRLEN];
	struct addr a;

	if (!lab_address(lab, k, &a))
		w->bad = true;
	put(w, "; ikev2d.conf(5) of nve-%u. Files are looked for in this folder.\n"
	    "[node]\n"
	    "id = nve-%u\n"
	    "certificate = nve-%u.crt\n"
	    "private-key = nve-%u.key\n"
	    "device-ca = device-ca.crt\n", k, k, k, k);
	put(w, "\n[authorization]\n"
	    "url = %s\n"
	    "nva-ca = nva-ca.crt\n"
	    "signer = dns:nva-1.%s\n"
	    "tls-ca = tls-ca.crt\n"
	    "state-dir = state\n", lab->url, lab->domain);
	put(w, "\n[ike]\n"
	    "listen = %s\n"
	    "\n[backend]\n", addr_str(&a, text));
	if (lab->kernel)
		put_kernel(lab, text, w);
	else
		put_vtep(lab, text, w);
	put(w, "\n[control]\n"
	    "socket = ikev2d.sock\n"
	    "\n[daemon]\n"
	    "chroot = empty\n");
}
