/* SPDX-License-Identifier: ISC */
#include "xfrm-backend/probe.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "xfrm-backend/interface_sysctl.h"
#include "xfrm-backend/nft.h"
#include "xfrm-backend/spd.h"
#include "xfrm-backend/vxlan_devices.h"

/* ---- one SA or policy, tried ---- */

struct outcome {
	int add, get;                    /* errno */
	bool same;
	bool dir;                        /* the kernel said the SA's direction */
	const struct xsa *sa;
	const struct xpol *pol;
};

static void
on_answer(void *arg, size_t item, int e, const struct nlmsghdr *reply, const char *text)
{
	struct outcome *o = arg;
	struct xsa_figures f;
	struct xpol p;
	struct xsa x;

	(void)text;
	if (item == 0)
		o->add = e;
	if (item != 1)
		return;
	o->get = e;
	if (e != 0 || reply == NULL)
		return;
	if (o->pol != NULL) {
		o->same = xmsg_pol_read(reply, &p) == OK && xpol_equal(&p, o->pol);
	} else if (xmsg_sa_read(reply, &x, &f) == OK) {
		o->same = xsa_equal(&x, o->sa);
		o->dir = x.dir != 0;
	}
}

static int
queue(struct nl *n, struct nlmsghdr *m)
{
	int r = m == NULL ? ERR_UNSUPPORTED : nl_add(n, m, &(size_t){ 0 });

	if (m != NULL)
		wipe(m, m->nlmsg_len);
	return r;
}

/* 0, else an errno. */
static int
try_sa(struct nl *n, const struct xmsg_kernel *k, const struct xsa *x, struct outcome *o)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8))), key[SA_KEY_MAX];
	size_t encr, integ;

	*o = (struct outcome){ .sa = x, .add = EIO, .get = EIO };
	if (esp_transform_lengths(&x->transform, &encr, &integ) != OK ||
	    getentropy(key, encr + integ) != 0)
		return EINVAL;
	if (queue(n, xmsg_sa_add(buf, k, x, bytes_of(key, encr + integ))) != OK ||
	    queue(n, xmsg_sa_get(buf, x->spi, &x->dst)) != OK ||
	    queue(n, xmsg_sa_del(buf, x->spi, &x->dst)) != OK)
		return ENOMEM;
	wipe(key, sizeof key);
	(void)nl_run(n, false, on_answer, o);
	if (o->add != 0)
		return o->add;
	return o->get != 0 ? o->get : o->same ? 0 : EBADMSG;
}

static int
sample(struct xsa *x, const char *suite, const char *host, uint32_t reqid)
{
	uint16_t one = 4789;

	memset(x, 0, sizeof *x);
	if (esp_transform_parse(&x->transform, suite) != OK || addr_parse(&x->src, host) != OK ||
	    getentropy(&x->spi, sizeof x->spi) != 0)
		return ERR_UNSUPPORTED;
	x->spi |= 0x80000000u;           /* none of the reserved ones */
	x->dst = x->src;
	x->reqid = reqid;
	x->mode = SA_TRANSPORT;
	x->dir = SA_IN;
	x->replay_window = 64;
	x->life.hard_s = 60;
	x->sel = xsel_hosts(&x->src, &x->dst, 17, 0, one);
	return OK;
}

int
probe_esp(struct nl *n, uint32_t reqid, struct xmsg_kernel *k, char why[static NL_WHY])
{
	struct outcome o;
	struct xsa x;
	int e;

	*k = (struct xmsg_kernel){ .sa_dir = true };
	e = sample(&x, "aes128gcm16-esn", "127.0.0.1", reqid) == OK ? try_sa(n, k, &x, &o) : EINVAL;
	if (e != 0) {
		(void)snprintf(why, NL_WHY, "the kernel does not take an ESP SA (%s): modprobe -a "
		    "esp4 esp6 gcm, or take a kernel with CONFIG_INET_ESP; pcap-backend works without. "
		    "VXLAN stays blocked until xfrm-backend --remove",
		    strerror(e));
		return e == EPERM ? ERR_DENIED : ERR_UNSUPPORTED;
	}
	k->sa_dir = o.dir;
	return OK;
}

/* ---- --check ---- */

static void
say(const char *level, const char *what, const char *text)
{
	(void)printf("%s\t%s\t%s\n", level, what, text);
}

static const struct suite {
	const char *name, *modules;
	bool must;                       /* else only some fleets need it */
} suites[] = {
	{ "aes128gcm16", "esp4 esp6 gcm", true },
	{ "aes256gcm16", "esp4 esp6 gcm", true },
	{ "aes128gcm16-esn", "esp4 esp6 gcm", true },
	{ "aes128gmac", "gcm", false },
	{ "aes256gmac", "gcm", false },
	{ "chacha20poly1305", "chacha20poly1305", false },
	{ "aes128-sha256", "authenc cbc sha256_generic", false },
	{ "aes256-sha256", "authenc cbc sha256_generic", false },
	{ "aes256-sha384", "authenc cbc sha512_generic", false },
	{ "aes256-sha512", "authenc cbc sha512_generic", false },
};

/* 0, else an errno. */
static int
try_suite(struct nl *n, const struct options *o, const struct suite *s, const char *host)
{
	const struct xmsg_kernel k = { .sa_dir = false };
	struct outcome out;
	struct xsa x;

	return sample(&x, s->name, host, o->reqid_base) == OK ? try_sa(n, &k, &x, &out) : EINVAL;
}

static void
say_suite(const struct suite *s, const char *before, const char *after, int e)
{
	char text[NL_WHY], what[64];

	(void)snprintf(what, sizeof what, "%s%s%s", before, s->name, after);
	if (e == 0) {
		say("ok", what, "the kernel takes it");
		return;
	}
	(void)snprintf(text, sizeof text, "the kernel lacks it (%s): modprobe -a %s%s", strerror(e),
	    s->modules, s->must ? "" : ", or leave this suite out of the document");
	say(s->must ? "fail" : "warn", what, text);
}

static void
check_suite(struct nl *n, const struct options *o, const struct suite *s)
{
	int v4 = try_suite(n, o, s, "127.0.0.1"), v6 = try_suite(n, o, s, "::1");

	if (v4 == v6) {
		say_suite(s, "ESP ", "", v4);
		return;
	}
	say_suite(s, "", " IPv4", v4);
	say_suite(s, "", " IPv6", v6);
}

static void
check_form(struct nl *n, const struct options *o, bool encap)
{
	const struct xmsg_kernel k = { .sa_dir = false };
	char text[NL_WHY];
	struct outcome out;
	struct xsa x;
	int e;

	if (sample(&x, "aes128gcm16", "127.0.0.1", o->reqid_base) != OK)
		return;
	if (encap)
		x.encap_sport = x.encap_dport = o->natt_port;
	else
		x.mode = SA_TUNNEL;
	if ((e = try_sa(n, &k, &x, &out)) == 0) {
		say("ok", encap ? "ESP in UDP" : "tunnel mode", "the kernel takes it");
		return;
	}
	(void)snprintf(text, sizeof text, "the kernel lacks it (%s): %s", strerror(e), encap ?
	    "peers behind NAT can't be reached" : "channels in tunnel mode do not come up");
	say("warn", encap ? "ESP in UDP" : "tunnel mode", text);
}

static void
check_block(struct nl *n, const struct options *o)
{
	uint8_t buf[XMSG_MAX] __attribute__((aligned(8)));
	struct xpol p = { .dir = XDIR_OUT, .block = true, .priority = o->block_priority,
	    .sel = xsel_any(ADDR_V4, 17, 0, o->vxlan_ports[0]) };
	struct outcome out = { .pol = &p, .add = EIO, .get = EIO };
	char text[NL_WHY];

	if (queue(n, xmsg_pol_add(buf, &p, false)) == OK &&
	    queue(n, xmsg_pol_get(buf, p.dir, &p.sel)) == OK)
		(void)nl_run(n, false, on_answer, &out);
	if (out.add == 0 && out.same) {
		say("ok", "policies", "the kernel takes blocks by port");
		return;
	}
	(void)snprintf(text, sizeof text, "a policy by UDP port is not taken (%s): modprobe xfrm_user, or "
	    "take a kernel with CONFIG_XFRM_USER", strerror(out.add != 0 ? out.add : EBADMSG));
	say("fail", "policies", text);
}

static bool
one_elem(void *arg, bool first, struct nft_elem *e)
{
	const struct options *o = arg;

	*e = (struct nft_elem){ .set = NFT_SET_VXLAN, .port = o->vxlan_ports[0] };
	return first;
}

static void
check_table(const struct options *o)
{
	struct nft_elem vni = { .set = NFT_SET_VNI4, .reqid = o->reqid_base, .vni = 1,
	    .addr = { .family = ADDR_V4, .a = { 127, 0, 0, 1 } } };
	struct options copy = *o;
	char why[NL_WHY] = "";
	struct nft *t = nft_open(o->table, why);

	if (t != NULL && nft_build(t, one_elem, &copy, why) == OK &&
	    nft_verify(t, one_elem, &copy, why) == OK &&
	    nft_change(t, &vni, 1, NULL, 0, why) == OK)
		say("ok", "nf_tables", "table, sets and IPsec expressions as needed for the VNI check");
	else
		say("fail", "nf_tables", why);
	nft_close(t);
}

/* ---- what is here ---- */

#define DEVICES_TOLD 8

struct devices {
	const struct options *options;
	size_t n, odd;
};

static void
see_device(void *arg, const struct vxlan_device *v)
{
	struct devices *d = arg;
	char text[NL_WHY];

	d->n++;
	if (options_have_port(d->options, v->port) || ++d->odd > DEVICES_TOLD)
		return;
	(void)snprintf(text, sizeof text, "'%s' uses UDP port %u, which is not in vxlan-port: it sends in the "
	    "clear unless a data channel of the document has that port; add such a channel, or make "
	    "the device anew with dstport %u", v->name, v->port, d->options->vxlan_ports[0]);
	say("warn", "VXLAN devices", text);
}

static void
check_devices(const struct options *o)
{
	struct devices d = { .options = o };
	char text[NL_WHY] = "";

	if (vxlan_devices(see_device, &d, text) != OK) {
		say("warn", "VXLAN devices", text);
	} else if (d.odd > DEVICES_TOLD) {
		(void)snprintf(text, sizeof text, "%zu more like these: ip -d link show type vxlan lists them",
		    d.odd - DEVICES_TOLD);
		say("warn", "VXLAN devices", text);
	} else if (d.odd == 0) {
		(void)snprintf(text, sizeof text, "%zu here%s", d.n,
		    d.n == 0 ? "" : ", on protected ports");
		say("ok", "VXLAN devices", text);
	}
}

static void
see_switched_off(void *arg, const char *path)
{
	char text[NL_WHY];

	(void)arg;
	(void)snprintf(text, sizeof text, "%s is set: the kernel passes over policies there, and control "
	    "channels are open; write 0 to it", path);
	say("fail", "interfaces", text);
}

int
probe_all(const struct options *o)
{
	char why[NL_WHY] = "";
	struct nl *n;
	size_t i;

	check_devices(o);
	if (interface_sysctl(see_switched_off, NULL) == 0)
		say("ok", "interfaces", "IPsec policies hold on all of them");
	if (unshare(CLONE_NEWNET) != 0) {
		say("warn", "kernel", "not tried: only root may make a network namespace to try it in; run "
		    "overlock check as root");
		return ERR_DENIED;
	}
	if ((n = nl_open(NETLINK_XFRM, why)) == NULL) {
		say("fail", "IPsec", why);
	} else {
		check_block(n, o);
		for (i = 0; i < sizeof suites / sizeof suites[0]; i++)
			check_suite(n, o, &suites[i]);
		check_form(n, o, false);
		check_form(n, o, true);
	}
	check_table(o);
	if (access("/proc/net/xfrm_stat", R_OK) != 0)
		say("warn", "counters", "the kernel has no /proc/net/xfrm_stat (CONFIG_XFRM_STATISTICS): "
		    "overlock counters shows no IPsec errors");
	nl_close(n);
	return OK;
}
