/* SPDX-License-Identifier: ISC */
/* overlock lab init */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "crypto/crypto.h"
#include "nvo3/fetch.h"
#include "nvo3/value.h"
#include "overlock/lab_int.h"

static const char init_help[] =
    "usage: overlock lab init [OPTION]... DIR\n"
    "\n"
    "Makes a lab, or a first fleet: trust anchors, keys and certificates, a signed document,\n"
    "and for each NVE a folder with all that its host needs.\n"
    "\n"
    "  -n, --nodes N         how many NVEs (3)\n"
    "  -v, --vn VNI,...      virtual networks, all NVEs being in each (5001,5002)\n"
    "  -u, --underlay NET    NVE K has address K of this network (192.0.2.0/24)\n"
    "  -d, --domain NAME     names end in this (dc1.example)\n"
    "  -b, --backend KIND    pcap: tenant interfaces; xfrm: the kernel's VXLAN devices (pcap)\n"
    "      --url URL         where NVEs fetch the document (file:// DIR/authorization.cms)\n"
    "      --rsa             RSA keys of 3072 bits, not ECDSA P-256\n"
    "      --ed25519         Ed25519 keys for the devices\n"
    "      --force           use a DIR that is not empty; replaces what is made\n"
    "  -h, --help            this text\n"
    "\n"
    "  DIR/pki/device-ca, nva-ca, tls-ca      trust anchors: .crt and .key\n"
    "  DIR/pki/nva-signer, nva-tls            who signs documents, and the HTTPS server\n"
    "  DIR/authorization.xml, .cms            the document, and signed\n"
    "  DIR/nve-K/                             ikev2d.conf, key, certificate, trust anchors\n"
    "\n"
    "Exit status: 0 made, 1 refused or failed, 2 wrong usage.\n";

enum { OPT_URL = 256, OPT_RSA, OPT_ED25519, OPT_FORCE };

static const struct option init_options[] = {
	{ "nodes", required_argument, NULL, 'n' },
	{ "vn", required_argument, NULL, 'v' },
	{ "underlay", required_argument, NULL, 'u' },
	{ "domain", required_argument, NULL, 'd' },
	{ "backend", required_argument, NULL, 'b' },
	{ "url", required_argument, NULL, OPT_URL },
	{ "rsa", no_argument, NULL, OPT_RSA },
	{ "ed25519", no_argument, NULL, OPT_ED25519 },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct init_options {
	const char *nodes, *vns, *underlay, *domain, *backend, *url;
};

static int
wrong(const struct lab *lab, const char *option, const char *value, const char *want)
{
	return cmd_fail(lab->name, CMD_USAGE, "%s '%s': %s", option, value, want);
}

static int
read_vns(struct lab *lab, const char *list)
{
	char one[16];
	uint64_t vni;
	size_t n, i;

	while (*list != '\0') {
		n = strcspn(list, ",");
		snprintf(one, sizeof one, "%.*s", (int)(n < sizeof one ? n : sizeof one - 1), list);
		if (!value_number(one, 1, VNI_MAX, &vni))
			return wrong(lab, "--vn", list, "VNIs are numbers from 1 to 16777215");
		for (i = 0; i < lab->n_vnis; i++)
			if (lab->vnis[i] == vni)
				return wrong(lab, "--vn", list, "this VNI is there already");
		if (lab->n_vnis == LAB_VNS_MAX)
			return wrong(lab, "--vn", list, "at most 256 VNs");
		lab->vnis[lab->n_vnis++] = (uint32_t)vni;
		list += n + (list[n] == ',');
	}
	return lab->n_vnis > 0 ? CMD_OK : wrong(lab, "--vn", list, "at least one VNI");
}

static int
read_underlay(struct lab *lab, const char *net)
{
	const char *slash = strchr(net, '/');
	char text[ADDR_STRLEN];
	struct addr last;
	uint64_t prefix;
	unsigned bit, bits;

	if (slash == NULL || (size_t)(slash - net) >= sizeof text)
		return wrong(lab, "--underlay", net, "write it as 192.0.2.0/24");
	snprintf(text, sizeof text, "%.*s", (int)(slash - net), net);
	if (addr_parse(&lab->underlay, text) != 0 || addr_is_multicast(&lab->underlay))
		return wrong(lab, "--underlay", net, "write it as 192.0.2.0/24");
	bits = (unsigned)addr_len(&lab->underlay) * 8;
	if (!value_number(slash + 1, 1, bits - 1, &prefix))
		return wrong(lab, "--underlay", net, "the length of the prefix is wrong");
	lab->prefix = (unsigned)prefix;
	for (bit = lab->prefix; bit < bits; bit++)
		if ((lab->underlay.a[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return wrong(lab, "--underlay", net, "there are bits behind the prefix");
	if (!lab_address(lab, lab->nodes, &last))
		return wrong(lab, "--underlay", net, "too small for so many nodes");
	return CMD_OK;
}

static bool
plain_text(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '"' || *s == ';')
			return false;
	return true;
}

/* "https://[2001:db8::1]:8443/x" -> "ip:2001:db8::1" */
static bool
host_identity(const char *url, char out[static 300])
{
	const char *host = url + strlen("https://");
	bool bracket = host[0] == '[';
	size_t n = bracket ? strcspn(host, "]") : strcspn(host, ":/");
	struct addr a;
	char name[260];

	if (bracket) {
		if (host[n] != ']')
			return false;
		host++;
		n--;
	}
	if (n == 0 || n >= sizeof name)
		return false;
	memcpy(name, host, n);
	name[n] = '\0';
	snprintf(out, 300, "%s:%s", addr_parse(&a, name) == 0 ? "ip" : "dns", name);
	return true;
}

static int
read_url(struct lab *lab, const char *url, char host[static 300])
{
	char canonical[300];

	if (url == NULL) {
		snprintf(lab->url, sizeof lab->url, "file://%s/authorization.cms", lab->dir);
		url = lab->url;
	} else
		snprintf(lab->url, sizeof lab->url, "%s", url);
	if (strlen(url) > 500 || !plain_text(url))
		return wrong(lab, "--url", url, "too long, or characters that it may not have");
	if (strncmp(url, "file:///", 8) == 0)
		return CMD_OK;
	if (strncmp(url, "https://", 8) != 0 || !host_identity(url, host) ||
	    !value_identity(host, canonical))
		return wrong(lab, "--url", url, "write https://HOST/PATH or file:///PATH");
	lab->url_host = host;
	return CMD_OK;
}

static int
read_values(struct lab *lab, const struct init_options *o, char host[static 300])
{
	char identity[300], canonical[300];
	uint64_t nodes;
	int status;

	if (!value_number(o->nodes, 1, LAB_NODES_MAX, &nodes))
		return wrong(lab, "--nodes", o->nodes, "a number from 1 to 20000");
	lab->nodes = (unsigned)nodes;
	lab->domain = o->domain;
	if (strlen(o->domain) > 200 ||
	    snprintf(identity, sizeof identity, "dns:%.200s", o->domain) < 0 ||
	    !value_identity(identity, canonical))
		return wrong(lab, "--domain", o->domain, "no domain name");
	lab->kernel = strcmp(o->backend, "xfrm") == 0;
	if (!lab->kernel && strcmp(o->backend, "pcap") != 0)
		return wrong(lab, "--backend", o->backend, "pcap or xfrm");
	if ((status = read_vns(lab, o->vns)) != CMD_OK ||
	    (status = read_underlay(lab, o->underlay)) != CMD_OK)
		return status;
	return read_url(lab, o->url, host);
}

static int
check_empty(const struct lab *lab)
{
	struct dirent *e;
	bool empty = true;
	DIR *d = opendir(lab->dir);

	if (d == NULL)
		return cmd_fail(lab->name, CMD_FAILED, "%s: %s", lab->dir, strerror(errno));
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			empty = false;
	closedir(d);
	if (empty || lab->force)
		return CMD_OK;
	return cmd_fail(lab->name, CMD_FAILED,
	    "%s is not empty: name another folder, or say --force", lab->dir);
}

static int
make_top(struct lab *lab, const char *dir)
{
	char *absolute;

	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		return cmd_fail(lab->name, CMD_FAILED, "%s: %s", dir, strerror(errno));
	if ((absolute = realpath(dir, NULL)) == NULL)
		return cmd_fail(lab->name, CMD_FAILED, "%s: %s", dir, strerror(errno));
	if (strlen(absolute) >= sizeof lab->dir) {
		free(absolute);
		return cmd_fail(lab->name, CMD_FAILED, "%s: the path is too long", dir);
	}
	snprintf(lab->dir, sizeof lab->dir, "%s", absolute);
	free(absolute);
	return check_empty(lab);
}

static int
init(struct lab *lab, const struct init_options *o, const char *dir)
{
	char host[300];
	int status;

	if ((status = read_values(lab, o, host)) != CMD_OK)
		return status;
	if (crypto_init() != 0 || nvo3_init() != 0)
		return cmd_fail(lab->name, CMD_FAILED, "the libraries can't be set up");
	if ((status = make_top(lab, dir)) != CMD_OK ||
	    (status = read_url(lab, o->url, host)) != CMD_OK || (status = lab_make(lab)) != CMD_OK)
		return status;
	printf("%s: %u NVEs, %zu VNs; the document is fetched from %s\n", lab->dir, lab->nodes,
	    lab->n_vnis, lab->url);
	return cmd_flush(lab->name);
}

static int
cmd_init(int argc, char **argv)
{
	struct init_options o = {
		.nodes = "3",
		.vns = "5001,5002",
		.underlay = "192.0.2.0/24",
		.domain = "dc1.example",
		.backend = "pcap",
	};
	struct lab lab = { .name = argv[0], .key = KEY_EC_P256, .now = time(NULL) };
	int c;

	while ((c = getopt_long(argc, argv, "n:v:u:d:b:h", init_options, NULL)) != -1) {
		switch (c) {
		case 'n':
			o.nodes = optarg;
			break;
		case 'v':
			o.vns = optarg;
			break;
		case 'u':
			o.underlay = optarg;
			break;
		case 'd':
			o.domain = optarg;
			break;
		case 'b':
			o.backend = optarg;
			break;
		case OPT_URL:
			o.url = optarg;
			break;
		case OPT_RSA:
			lab.key = KEY_RSA;
			break;
		case OPT_ED25519:
			lab.key = KEY_ED25519;
			break;
		case OPT_FORCE:
			lab.force = true;
			break;
		case 'h':
			return cmd_help(init_help);
		default:
			return cmd_bad_usage(lab.name);
		}
	}
	if (optind != argc - 1) {
		cmd_fail(lab.name, CMD_USAGE, "%s", optind == argc ? "which folder?" :
		    "one folder at a time");
		return cmd_bad_usage(lab.name);
	}
	return init(&lab, &o, argv[optind]);
}

int
cmd_lab(int argc, char **argv)
{
	static const struct cmd commands[] = {
		{ "init", "make a lab in a folder", cmd_init },
		{ NULL, NULL, NULL },
	};

	return cmd_run(commands, argv[0], argc, argv);
}
