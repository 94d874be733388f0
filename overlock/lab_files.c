/* SPDX-License-Identifier: ISC */
/* Folders, keys, certificates and the signed document of a lab. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "crypto/labpki.h"
#include "nvo3/fetch.h"
#include "nvo3/file.h"
#include "overlock/lab_int.h"

#define CA_DAYS   3650
#define LEAF_DAYS 365
#define TEXT_MAX  (16u << 20)
#define PEM_MAX   (64u << 10)

struct path {
	char p[1400];
};

static struct path path_of(const struct lab *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A file of the lab. Names are short, and so is dir: it fits. */
static struct path
path_of(const struct lab *lab, const char *fmt, ...)
{
	struct path path;
	size_t n;
	va_list ap;

	n = (size_t)snprintf(path.p, sizeof path.p, "%s/", lab->dir);
	va_start(ap, fmt);
	vsnprintf(path.p + n, sizeof path.p - n, fmt, ap);
	va_end(ap);
	return path;
}

static int
io_failed(const struct lab *lab, const char *path)
{
	return cmd_fail(lab->name, CMD_FAILED, "%s: %s", path, strerror(errno));
}

static int
make_dir(const struct lab *lab, const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return CMD_OK;
	return io_failed(lab, path);
}

static int
make_file(const struct lab *lab, const char *path, struct bytes b, unsigned mode)
{
	return cmd_write_file(path, b, mode) == 0 ? CMD_OK : io_failed(lab, path);
}

/* One key and certificate: pki/NAME or NODE/NAME, with the endings .key and .crt. */
struct issue {
	enum pki_kind kind;
	enum key_type type;
	const char *base, *issuer;       /* paths without ending; issuer NULL: self-signed */
	const char *cn;
	const char *sans[4];
};

static int
issue(const struct lab *lab, const struct issue *is)
{
	struct path key = path_of(lab, "%s.key", is->base), cert = path_of(lab, "%s.crt", is->base);
	struct path ca_key = path_of(lab, "%s.key", is->issuer != NULL ? is->issuer : "");
	struct path ca_cert = path_of(lab, "%s.crt", is->issuer != NULL ? is->issuer : "");
	struct pki_request req = {
		.kind = is->kind, .type = is->type, .cn = is->cn, .sans = is->sans,
		/* Clocks of a lab are not always right. */
		.not_before = lab->now - 3600,
		.not_after = lab->now + 86400 * (is->kind == PKI_ROOT ? CA_DAYS : LEAF_DAYS),
		.issuer_cert = is->issuer != NULL ? ca_cert.p : NULL,
		.issuer_key = is->issuer != NULL ? ca_key.p : NULL,
	};
	const char *why = "";
	int r;

	if (lab->force) {
		unlink(key.p);
		unlink(cert.p);
	}
	if ((r = pki_issue(&req, key.p, cert.p, &why)) == 0)
		return CMD_OK;
	return cmd_fail(lab->name, CMD_FAILED, "%s: %s", cert.p, why[0] != '\0' ? why : err_str(r));
}

static int
make_authorities(const struct lab *lab)
{
	/* What signs CMS is ECDSA or RSA; TLS servers are not always ready for Ed25519. */
	enum key_type nva = lab->key == KEY_RSA ? KEY_RSA : KEY_EC_P256;
	char signer[300], server[300];
	const struct issue all[] = {
		{ PKI_ROOT, lab->key, "pki/device-ca", NULL, "Overlock lab: devices", { NULL } },
		{ PKI_ROOT, nva, "pki/nva-ca", NULL, "Overlock lab: NVA", { NULL } },
		{ PKI_ROOT, nva, "pki/tls-ca", NULL, "Overlock lab: TLS servers", { NULL } },
		{ PKI_NVA_SIGNER, nva, "pki/nva-signer", "pki/nva-ca", "nva-1", { signer, NULL } },
		{ PKI_TLS_SERVER, nva, "pki/nva-tls", "pki/tls-ca", "nva",
		    { server, lab->url_host, NULL } },
	};
	size_t i;
	int status = CMD_OK;

	snprintf(signer, sizeof signer, "dns:nva-1.%s", lab->domain);
	snprintf(server, sizeof server, "dns:nva.%s", lab->domain);
	for (i = 0; status == CMD_OK && i < sizeof all / sizeof all[0]; i++)
		status = issue(lab, &all[i]);
	return status;
}

static int
copy_anchor(const struct lab *lab, unsigned k, const char *name)
{
	struct path from = path_of(lab, "pki/%s", name), to = path_of(lab, "nve-%u/%s", k, name);
	struct blob b = { NULL, 0 };
	int status;

	if (file_read(AT_FDCWD, from.p, PEM_MAX, &b, NULL) != 0)
		return io_failed(lab, from.p);
	status = make_file(lab, to.p, blob_view(&b), 0644);
	blob_free(&b);
	return status;
}

/* All that one host needs, in one folder. */
static int
make_node(const struct lab *lab, unsigned k)
{
	static const char *const anchors[] = { "device-ca.crt", "nva-ca.crt", "tls-ca.crt" };
	static const char *const memory[] = { "authorization.cms", "authorization.serial" };
	char base[64], cn[32], san[300];
	const struct issue device = {
		PKI_DEVICE, lab->key, base, "pki/device-ca", cn, { san, NULL },
	};
	struct path dir = path_of(lab, "nve-%u", k), conf = path_of(lab, "nve-%u/ikev2d.conf", k);
	struct wr w = wr_grow(TEXT_MAX);
	int status;
	size_t i;

	snprintf(cn, sizeof cn, "nve-%u", k);
	snprintf(base, sizeof base, "nve-%u/nve-%u", k, k);
	snprintf(san, sizeof san, "dns:nve-%u.%s", k, lab->domain);
	if ((status = make_dir(lab, dir.p)) != CMD_OK || (status = issue(lab, &device)) != CMD_OK)
		goto out;
	for (i = 0; status == CMD_OK && i < sizeof anchors / sizeof anchors[0]; i++)
		status = copy_anchor(lab, k, anchors[i]);
	/* A new lab starts with serial 1: what the old one had last must not be in its way. */
	for (i = 0; i < sizeof memory / sizeof memory[0]; i++)
		unlink(path_of(lab, "nve-%u/state/%s", k, memory[i]).p);
	lab_configuration(lab, k, &w);
	if (status == CMD_OK && w.bad)
		status = cmd_fail(lab->name, CMD_FAILED, "%s: too long", conf.p);
	if (status == CMD_OK)
		status = make_file(lab, conf.p, wr_view(&w), 0644);
out:
	wr_free(&w);
	return status;
}

/* The envelope is opened again as a daemon would, so that a lab that was made does work. */
static int
check_document(const struct lab *lab, struct bytes cms)
{
	struct path anchors = path_of(lab, "pki/nva-ca.crt");
	struct nvo3_trust trust = { .anchors = anchors.p };
	struct nvo3_document d = { .table = NULL };
	struct nvo3_schema *schema = NULL;
	char why[256], signer[300];
	int r;

	snprintf(signer, sizeof signer, "dns:nva-1.%s", lab->domain);
	trust.signer = signer;
	nvo3_limits_default(&trust.limits);
	if ((r = nvo3_schema_load(&schema, NULL, why)) == 0) {
		trust.schema = schema;
		r = nvo3_accept(&trust, cms, lab->now, &d, why);
	}
	nvo3_document_free(&d);
	nvo3_schema_free(schema);
	return r == 0 ? CMD_OK : cmd_fail(lab->name, CMD_FAILED, "authorization.xml: %s", why);
}

static int
make_document(const struct lab *lab)
{
	struct path cert = path_of(lab, "pki/nva-signer.crt"),
		    key = path_of(lab, "pki/nva-signer.key");
	struct path xml = path_of(lab, "authorization.xml"),
		    out = path_of(lab, "authorization.cms");
	struct wr w = wr_grow(TEXT_MAX);
	struct blob cms = { NULL, 0 };
	const char *why = "";
	int status;

	lab_document(lab, &w);
	if (w.bad) {
		status = cmd_fail(lab->name, CMD_FAILED, "%s: too long", xml.p);
		goto out;
	}
	if (cms_sign(wr_view(&w), cert.p, key.p, &cms, &why) != 0) {
		status = cmd_fail(lab->name, CMD_FAILED, "%s: %s", out.p, why);
		goto out;
	}
	if ((status = check_document(lab, blob_view(&cms))) == CMD_OK &&
	    (status = make_file(lab, xml.p, wr_view(&w), 0644)) == CMD_OK)
		status = make_file(lab, out.p, blob_view(&cms), 0644);
out:
	blob_free(&cms);
	wr_free(&w);
	return status;
}

int
lab_make(const struct lab *lab)
{
	struct path pki = path_of(lab, "pki");
	unsigned k;
	int status;

	if ((status = make_dir(lab, pki.p)) != CMD_OK ||
	    (status = make_authorities(lab)) != CMD_OK ||
	    (status = make_document(lab)) != CMD_OK)
		return status;
	for (k = 1; status == CMD_OK && k <= lab->nodes; k++)
		status = make_node(lab, k);
	return status;
}
