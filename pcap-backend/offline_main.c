/* SPDX-License-Identifier: ISC */
/* pcap-backend --offline: the command line around offline.c. */
#include "pcap-backend/offline.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto/crypto.h"
#include "pcap-backend/options.h"

#define KEYS_FILE_MAX (16u * 1024 * 1024)
#define EXIT_USAGE    2

struct command {
	const char *keys, *read, *write;
	struct offline o;
};

static int
complain(const char *file, const char *why)
{
	(void)fprintf(stderr, "pcap-backend: %s: %s\n", file, why);
	return EXIT_USAGE;
}

/* The whole file; a secret, since it holds keys. */
static int
slurp(const char *path, struct secret *to)
{
	uint8_t buf[4096];
	FILE *f = fopen(path, "rb");
	size_t n, at = 0;
	long size;
	int r = EXIT_USAGE;

	if (f == NULL)
		return complain(path, strerror(errno));
	if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || (unsigned long)size > KEYS_FILE_MAX) {
		(void)complain(path, "not a file, or larger than 16 MiB");
		goto out;
	}
	rewind(f);
	if (secret_new(to, (size_t)size) != OK) {
		(void)complain(path, "out of memory");
		goto out;
	}
	while (at < to->n && (n = fread(buf, 1, sizeof buf, f)) > 0) {
		if (n > to->n - at)
			n = to->n - at;
		memcpy(to->p + at, buf, n);
		at += n;
	}
	r = at == to->n ? 0 : complain(path, "could not be read to its end");
out:
	wipe(buf, sizeof buf);
	(void)fclose(f);
	return r;
}

static int
read_keys(const char *path, struct keysfile *keys)
{
	char why[KEYSFILE_WHY];
	struct secret text = { 0 };
	unsigned line;
	int r;

	if ((r = slurp(path, &text)) == 0 &&
	    keysfile_read(keys, secret_view(&text), &line, why) != OK) {
		(void)fprintf(stderr, "pcap-backend: %s:%u: %s\n", path, line, why);
		r = EXIT_USAGE;
	}
	secret_free(&text);
	return r;
}

static void
report(const struct command *c, const struct dp *dp)
{
	size_t i;

	(void)printf("%s %s -> %s\n", c->o.what == OFFLINE_DECAPSULATE ? "decapsulate" :
	    "encapsulate", c->read, c->write);
	(void)printf("  %-32s %10" PRIu64 "\n", "packets read", c->o.packets_read);
	(void)printf("  %-32s %10" PRIu64 "\n", "packets written", c->o.packets_written);
	for (i = 0; i < CTR_N; i++)
		if (dp->ctr.v[i] != 0)
			(void)printf("  %-32s %10" PRIu64 "   %s\n", counter_name((enum counter_id)i),
			    dp->ctr.v[i], counter_what((enum counter_id)i));
	for (i = 0; i < dp->ctr.n_vnis; i++)
		(void)printf("  %-32s %10" PRIu64 "   VNI %u from %s\n", COUNTER_VNI_NAME,
		    dp->ctr.vnis[i].value, dp->ctr.vnis[i].vni, dp->ctr.vnis[i].node);
}

static bool
same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int
run(struct command *c)
{
	char why[OFFLINE_WHY];
	struct keysfile keys = { 0 };
	struct dp dp;
	FILE *in = NULL, *out;
	int r;

	if ((r = read_keys(c->keys, &keys)) != 0)
		return r;
	if (same_file(c->write, c->read) || same_file(c->write, c->keys)) {
		keysfile_free(&keys);
		return complain(c->write, "is read, too: name another file to write");
	}
	if ((in = fopen(c->read, "rb")) == NULL) {
		r = complain(c->read, strerror(errno));
	} else if ((out = fopen(c->write, "wb")) == NULL) {
		r = complain(c->write, strerror(errno));
		(void)fclose(in);
	} else {
		if (offline_run(&c->o, &dp, &keys, in, out, why) != OK) {
			r = complain(c->read, why);
		} else {
			report(c, &dp);
			r = c->o.packets_written != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		}
		dp_free(&dp);
	}
	keysfile_free(&keys);
	return r;
}

/* ---- options ---- */

static int
read_mac(const char *text, uint8_t mac[static MAC_LEN])
{
	unsigned m[MAC_LEN], i;
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
	    &end) != MAC_LEN || text[end] != '\0')
		return ERR_VALUE;
	for (i = 0; i < MAC_LEN; i++)
		mac[i] = (uint8_t)m[i];
	return OK;
}

enum { O_KEYS = 256, O_READ, O_WRITE, O_ENCAP, O_DECAP, O_VNI, O_PEER, O_SRC, O_DST, O_NATT, O_VXLAN,
	O_VLAN, O_OFFLINE, O_NO_VNI, O_NO_REPLAY };

static const struct option longs[] = {
	{ "offline", no_argument, NULL, O_OFFLINE },
	{ "keys", required_argument, NULL, O_KEYS },
	{ "read", required_argument, NULL, O_READ },
	{ "write", required_argument, NULL, O_WRITE },
	{ "encapsulate", no_argument, NULL, O_ENCAP },
	{ "decapsulate", no_argument, NULL, O_DECAP },
	{ "vni", required_argument, NULL, O_VNI },
	{ "peer", required_argument, NULL, O_PEER },
	{ "src-mac", required_argument, NULL, O_SRC },
	{ "dst-mac", required_argument, NULL, O_DST },
	{ "natt-port", required_argument, NULL, O_NATT },
	{ "vxlan-port", required_argument, NULL, O_VXLAN },
	{ "keep-vlan", no_argument, NULL, O_VLAN },
	{ "unsafe-no-vni-check", no_argument, NULL, O_NO_VNI },
	{ "unsafe-no-replay-check", no_argument, NULL, O_NO_REPLAY },
	{ NULL, 0, NULL, 0 },
};

static int
read_port(const char *text, uint16_t *port)
{
	uint64_t n;

	if (option_number(text, 1, 65535, &n) != OK)
		return ERR_VALUE;
	*port = (uint16_t)n;
	return OK;
}

static int
read_vni(const char *text, uint32_t *vni)
{
	uint64_t n;

	if (option_number(text, 1, VNI_MAX, &n) != OK)
		return ERR_VALUE;
	*vni = (uint32_t)n;
	return OK;
}

/* 0; ERR_VALUE: what was given with it is no good; ERR_SYNTAX: there is no such option. */
static int
take(struct command *c, int option, const char *arg)
{
	switch (option) {
	case O_OFFLINE:
		return OK;
	case O_KEYS:
		c->keys = arg;
		return OK;
	case O_READ:
		c->read = arg;
		return OK;
	case O_WRITE:
		c->write = arg;
		return OK;
	case O_ENCAP:
		c->o.what = OFFLINE_ENCAPSULATE;
		return OK;
	case O_DECAP:
		c->o.what = OFFLINE_DECAPSULATE;
		return OK;
	case O_VNI:
		return read_vni(arg, &c->o.vni);
	case O_PEER:
		return addr_parse(&c->o.peer, arg);
	case O_SRC:
		return read_mac(arg, c->o.src_mac);
	case O_DST:
		return read_mac(arg, c->o.dst_mac);
	case O_NATT:
		return read_port(arg, &c->o.dp.natt_port);
	case O_VXLAN:
		return read_port(arg, &c->o.dp.vxlan_port);
	case O_VLAN:
		c->o.dp.keep_vlan = true;
		return OK;
	case O_NO_VNI:
		c->o.dp.unsafe_no_vni_check = true;
		return OK;
	case O_NO_REPLAY:
		c->o.dp.unsafe_no_replay_check = true;
		return OK;
	default:
		return ERR_SYNTAX;
	}
}

int
offline_main(int argc, char **argv)
{
	struct command c = { 0 };
	int option, index = 0, r;

	dp_config_defaults(&c.o.dp);
	while ((option = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if ((r = take(&c, option, optarg)) == OK)
			continue;
		if (r == ERR_VALUE)
			(void)fprintf(stderr, "pcap-backend: --%s %s: no good value\n",
			    longs[index].name, optarg);
		return EXIT_USAGE;
	}
	if (optind != argc) {
		(void)fprintf(stderr, "pcap-backend: '%s' belongs to no option; see pcap-backend --help\n",
		    argv[optind]);
		return EXIT_USAGE;
	}
	if (c.keys == NULL || c.read == NULL || c.write == NULL) {
		(void)fprintf(stderr, "pcap-backend: --offline needs --keys FILE, --read FILE and "
		    "--write FILE; see pcap-backend --help\n");
		return EXIT_USAGE;
	}
	if (crypto_init() != OK) {
		(void)fprintf(stderr, "pcap-backend: the cryptographic library does not start\n");
		return EXIT_FAILURE;
	}
	log_setup("pcap-backend", LOG_ERROR_);
	r = run(&c);
	crypto_cleanup();
	return r;
}
