/* SPDX-License-Identifier: ISC */
/* overlock authz sign | verify | show */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "nvo3/file.h"
#include "nvo3/value.h"
#include "overlock/authz_int.h"

static const char sign_help[] =
    "usage: overlock authz sign -c CERT -k KEY [-o OUT] [-a ANCHORS] [--schema FILE]\n"
    "                           DOC.xml\n"
    "\n"
    "Checks an authorization document and signs it: CMS SignedData (DER), content attached.\n"
    "\n"
    "  -c, --certificate FILE  the signer's certificate, PEM, its chain after it\n"
    "  -k, --key FILE          its private key: PEM file or OpenSSL store URI; ECDSA or RSA\n"
    "  -o, --output FILE       where to put it (default: standard output)\n"
    "  -a, --anchors FILE      verify the result under these trust anchors before it is written, and\n"
    "                          warn when OUT has this serial already\n"
    "      --schema FILE       check against this RelaxNG schema, not the one built in\n"
    "  -h, --help              this text\n"
    "\n"
    "DOC.xml may be \"-\", standard input. Exit status: 0 signed, 1 refused, 2 wrong usage.\n";

static const char verify_help[] =
    "usage: overlock authz verify -a ANCHORS [--signer ID] [--tls-ca FILE] [--schema FILE]\n"
    "                             [--json] FILE|URL\n"
    "\n"
    "Judges a signed document as a daemon would: signature, signer, form, validity window.\n"
    "(A daemon besides refuses one that is older than what it has.)\n"
    "\n"
    "  -a, --anchors FILE   trust anchors of the NVA, PEM\n"
    "      --signer ID      identity that a signer must have, as in dns:nva-1.dc1.example\n"
    "      --tls-ca FILE    trust anchors of the HTTPS server (default: the system's)\n"
    "      --schema FILE    check against this RelaxNG schema, not the one built in\n"
    "      --json           print the verdict as JSON\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 good, 1 not, 2 wrong usage.\n";

static const char show_help[] =
    "usage: overlock authz show [-a ANCHORS] [--signer ID] [--tls-ca FILE] [--schema FILE]\n"
    "                           [--json] FILE|URL\n"
    "\n"
    "Shows an authorization document in words. A signed one is verified first, and for that\n"
    "needs -a; XML is shown as it is. An expired document is shown, too.\n"
    "\n"
    "  -a, --anchors FILE   trust anchors of the NVA, PEM\n"
    "      --signer ID      identity that a signer must have, as in dns:nva-1.dc1.example\n"
    "      --tls-ca FILE    trust anchors of the HTTPS server (default: the system's)\n"
    "      --schema FILE    check against this RelaxNG schema, not the one built in\n"
    "      --json           print it as JSON\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 shown, 1 unreadable or not verified, 2 wrong usage.\n";

enum { OPT_SCHEMA = 256, OPT_SIGNER, OPT_TLS_CA, OPT_JSON };

static const struct option sign_options[] = {
	{ "anchors", required_argument, NULL, 'a' },
	{ "certificate", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ "output", required_argument, NULL, 'o' },
	{ "schema", required_argument, NULL, OPT_SCHEMA },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const struct option read_options[] = {
	{ "anchors", required_argument, NULL, 'a' },
	{ "signer", required_argument, NULL, OPT_SIGNER },
	{ "tls-ca", required_argument, NULL, OPT_TLS_CA },
	{ "schema", required_argument, NULL, OPT_SCHEMA },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
take_option(struct authz_options *o, int c)
{
	switch (c) {
	case 'a':
		o->anchors = optarg;
		break;
	case 'c':
		o->cert = optarg;
		break;
	case 'k':
		o->key = optarg;
		break;
	case 'o':
		o->out = optarg;
		break;
	case OPT_SCHEMA:
		o->schema = optarg;
		break;
	case OPT_SIGNER:
		o->signer = optarg;
		break;
	case OPT_TLS_CA:
		o->tls_ca = optarg;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	}
}

/* -1: go on; else the exit status. */
static int
get_options(struct authz_options *o, const struct option *longs, const char *shorts,
    const char *help, int argc, char **argv)
{
	int c;

	memset(o, 0, sizeof *o);
	o->name = argv[0];
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == 'h')
			return cmd_help(help);
		if (c == '?')
			return cmd_bad_usage(o->name);
		take_option(o, c);
	}
	if (optind != argc - 1) {
		cmd_fail(o->name, CMD_USAGE, "%s", optind == argc ? "which document?" :
		    "one document at a time");
		return cmd_bad_usage(o->name);
	}
	o->file = argv[optind];
	return -1;
}

/* Daemons refuse other content under a serial that they have seen: better told here, first. */
static void
warn_serial(const struct authz_options *o, const struct authz_input *in, int64_t now)
{
	const struct nvo3_table *t = in->document.table, *was;
	struct nvo3_trust trust = { .anchors = o->anchors, .schema = in->schema };
	struct nvo3_document old = { 0 };
	struct blob octets = { NULL, 0 };
	char why[256];

	nvo3_limits_default(&trust.limits);
	if (o->anchors == NULL || o->out == NULL || strcmp(o->out, "-") == 0 ||
	    file_read(AT_FDCWD, o->out, OCTETS_MAX, &octets, NULL) != 0)
		return;
	if (nvo3_open(&trust, blob_view(&octets), now, &old, why) == 0 && (was = old.table) != NULL &&
	    (was->epoch > t->epoch || (was->epoch == t->epoch && was->serial >= t->serial)))
		fprintf(stderr, "%s: warning: %s has epoch %u serial %llu already: unless nothing was "
		    "changed, raise serial above that, or daemons refuse this one\n", o->name, o->out,
		    was->epoch, (unsigned long long)was->serial);
	nvo3_document_free(&old);
	blob_free(&octets);
}

static int
sign_checked(const struct authz_options *o, struct authz_input *in, int64_t now)
{
	const struct nvo3_table *t = in->document.table;
	struct cms_signer signers[CMS_SIGNERS_MAX];
	struct blob cms = { NULL, 0 }, content = { NULL, 0 };
	const char *why = "", *out = o->out != NULL ? o->out : "-";
	char expires[CMD_TIME_STRLEN];
	int status = CMD_FAILED;
	size_t n;

	/* Without this it is the daemons that complain, after it was published. */
	if (cms_signer_fits(o->cert, &why) != 0) {
		cmd_fail(o->name, status, "%s: %s: every daemon would refuse its signature", o->cert,
		    why);
		goto out;
	}
	if (cms_sign(blob_view(&in->octets), o->cert, o->key, &cms, &why) != 0) {
		cmd_fail(o->name, status, "%s, %s: %s", o->cert, o->key, why);
		goto out;
	}
	if (o->anchors != NULL &&
	    cms_verify(blob_view(&cms), o->anchors, now, &content, signers, &n, &why) != 0) {
		cmd_fail(o->name, status, "signed, but not to be verified under %s: %s", o->anchors,
		    why);
		goto out;
	}
	warn_serial(o, in, now);
	if (cmd_write_file(out, blob_view(&cms), 0644) != 0) {
		cmd_fail(o->name, status, "%s: %s", out, strerror(errno));
		goto out;
	}
	fprintf(stderr, "signed: epoch %u serial %llu, %s until %s\n", t->epoch,
	    (unsigned long long)t->serial, authz_state(t, now), cmd_time(expires, t->expires));
	status = CMD_OK;
out:
	blob_free(&cms);
	blob_free(&content);
	return status;
}

static int
cmd_sign(int argc, char **argv)
{
	struct authz_options o;
	struct authz_input in = { 0 };
	struct nvo3_limits limits;
	int64_t now = time(NULL);
	char why[256];
	int status;

	if ((status = get_options(&o, sign_options, "a:c:k:o:h", sign_help, argc, argv)) >= 0)
		return status;
	if (o.cert == NULL || o.key == NULL) {
		cmd_fail(o.name, CMD_USAGE, "-c CERT and -k KEY are needed");
		return cmd_bad_usage(o.name);
	}
	if (o.out == NULL && isatty(STDOUT_FILENO))
		return cmd_fail(
		    o.name, CMD_USAGE, "that is no text for a terminal: name a file by -o");
	if ((status = authz_read(&o, &in)) != CMD_OK)
		goto out;
	nvo3_limits_default(&limits);
	status = CMD_FAILED;
	if (nvo3_parse(blob_view(&in.octets), in.schema, &limits, &in.document.table, why) != 0)
		cmd_fail(o.name, status, "%s: %s", o.file, why);
	else if (now >= in.document.table->expires)
		cmd_fail(o.name, status, "%s: it has expired: set issued and expires", o.file);
	else
		status = sign_checked(&o, &in, now);
out:
	authz_input_free(&in);
	return status;
}

static int
print_verdict(const struct authz_options *o, const struct authz_input *in, int r, const char *why,
    int64_t now)
{
	const struct nvo3_document *d = &in->document;
	char expires[CMD_TIME_STRLEN];
	json_t *j;
	size_t i;

	if (o->json) {
		j = r == 0 ? authz_to_json(d, now) : json_object();
		if (j == NULL || json_object_set_new(j, "schema_version",
		    json_integer(CMD_JSON_VERSION)) != 0 ||
		    json_object_set_new(j, "good", json_boolean(r == 0)) != 0 ||
		    json_object_set_new(j, "why", json_string(why)) != 0) {
			json_decref(j);
			return cmd_fail(o->name, CMD_FAILED, "out of memory");
		}
		return authz_print_json(o->name, j) == CMD_OK && r == 0 ? CMD_OK : CMD_FAILED;
	}
	if (r != 0) {
		printf("%s: NOT good: %s\n", o->file, why);
		cmd_flush(o->name);
		return CMD_FAILED;
	}
	printf("%s: good: epoch %u serial %llu, valid until %s\n", o->file, d->table->epoch,
	    (unsigned long long)d->table->serial, cmd_time(expires, d->table->expires));
	for (i = 0; i < d->n_signers; i++)
		printf("signed by %s, whose certificate ends %s\n", d->signers[i].identity,
		    cmd_time(expires, d->signers[i].not_after));
	return cmd_flush(o->name);
}

/* Else a wrong option would look like a bad document. */
static int
check_trust(const struct authz_options *o)
{
	struct x509_store *anchors = NULL;
	const char *why = "";
	char id[300];

	if (o->signer != NULL && !value_identity(o->signer, id))
		return cmd_fail(o->name, CMD_USAGE, "--signer '%s': no identity; write it as in "
		    "dns:nva-1.dc1.example", o->signer);
	if (o->anchors != NULL && x509_store_load(&anchors, o->anchors, &why) != 0)
		return cmd_fail(o->name, CMD_USAGE, "-a %s: %s", o->anchors, why);
	x509_store_free(anchors);
	return CMD_OK;
}

static int
cmd_verify(int argc, char **argv)
{
	struct authz_options o;
	struct authz_input in = { 0 };
	struct nvo3_trust trust = { 0 };
	int64_t now = time(NULL);
	char why[256];
	int status, r;

	if ((status = get_options(&o, read_options, "a:h", verify_help, argc, argv)) >= 0)
		return status;
	if (o.anchors == NULL) {
		cmd_fail(o.name, CMD_USAGE, "-a ANCHORS is needed");
		return cmd_bad_usage(o.name);
	}
	if ((status = authz_read(&o, &in)) != CMD_OK || (status = check_trust(&o)) != CMD_OK)
		goto out;
	trust.anchors = o.anchors;
	trust.signer = o.signer;
	trust.schema = in.schema;
	nvo3_limits_default(&trust.limits);
	r = nvo3_accept(&trust, blob_view(&in.octets), now, &in.document, why);
	status = print_verdict(&o, &in, r, why, now);
out:
	authz_input_free(&in);
	return status;
}

/* Here an expired document is no error: the operator wants to see what is in it. */
static int
open_to_show(const struct authz_options *o, struct authz_input *in, int64_t now)
{
	struct nvo3_trust trust = {
		.anchors = o->anchors, .signer = o->signer, .schema = in->schema
	};
	char why[256];
	int r;

	nvo3_limits_default(&trust.limits);
	if (authz_is_xml(blob_view(&in->octets))) {
		r = nvo3_parse(
		    blob_view(&in->octets), in->schema, &trust.limits, &in->document.table, why);
	} else if (o->anchors == NULL) {
		cmd_fail(o->name, CMD_USAGE, "%s is signed: name the NVA's trust anchors by -a",
		    o->file);
		return CMD_USAGE;
	} else
		r = nvo3_open(&trust, blob_view(&in->octets), now, &in->document, why);
	return r == 0 ? CMD_OK : cmd_fail(o->name, CMD_FAILED, "%s: %s", o->file, why);
}

static int
cmd_show(int argc, char **argv)
{
	struct authz_options o;
	struct authz_input in = { 0 };
	int64_t now = time(NULL);
	int status;

	if ((status = get_options(&o, read_options, "a:h", show_help, argc, argv)) >= 0)
		return status;
	if ((status = authz_read(&o, &in)) != CMD_OK || (status = check_trust(&o)) != CMD_OK ||
	    (status = open_to_show(&o, &in, now)) != CMD_OK)
		goto out;
	if (o.json) {
		status = authz_print_json(o.name, authz_to_json(&in.document, now));
	} else {
		authz_print(&in.document, now);
		status = cmd_flush(o.name);
	}
out:
	authz_input_free(&in);
	return status;
}

int
cmd_authz(int argc, char **argv)
{
	static const struct cmd commands[] = {
		{ "sign", "check a document and sign it", cmd_sign },
		{ "verify", "judge a signed document as a daemon would", cmd_verify },
		{ "show", "show a document in words", cmd_show },
		{ NULL, NULL, NULL },
	};

	return cmd_run(commands, argv[0], argc, argv);
}
