/* SPDX-License-Identifier: ISC */
/* Getting at the octets of a document and at the schema. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "nvo3/file.h"
#include "overlock/authz_int.h"

void
authz_input_free(struct authz_input *in)
{
	nvo3_document_free(&in->document);
	nvo3_schema_free(in->schema);
	blob_free(&in->octets);
}

static int
read_url(const struct authz_options *o, struct blob *out)
{
	struct nvo3_source source = {
		.url = o->file, .tls_ca = o->tls_ca, .max_octets = OCTETS_MAX, .timeout_s = 30,
	};
	struct nvo3_fetched got;
	char why[256];

	if (nvo3_fetch(&source, "", &got, why) != 0)
		return cmd_fail(o->name, CMD_FAILED, "%s: %s", o->file, why);
	blob_move(out, &got.octets);
	return CMD_OK;
}

static int
read_stdin(const struct authz_options *o, struct blob *out)
{
	struct wr w = wr_grow(OCTETS_MAX);
	uint8_t part[16384];
	ssize_t n;

	while ((n = read(STDIN_FILENO, part, sizeof part)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			wr_put(&w, bytes_of(part, (size_t)n));
	if (n < 0 || wr_take(&w, out) != 0) {
		wr_free(&w);
		return cmd_fail(o->name, CMD_FAILED, "standard input: %s",
		    n < 0 ? strerror(errno) : err_str(ERR_SPACE));
	}
	return CMD_OK;
}

static int
read_path(const struct authz_options *o, struct blob *out)
{
	int r = file_read(AT_FDCWD, o->file, OCTETS_MAX, out, NULL);

	if (r == 0)
		return CMD_OK;
	return cmd_fail(o->name, CMD_FAILED, "%s: %s", o->file,
	    r == ERR_IO || r == ERR_NOTFOUND ? strerror(errno) : r == ERR_VALUE ? "not a file" :
	    err_str(r));
}

int
authz_read(const struct authz_options *o, struct authz_input *in)
{
	char why[256];
	int status;

	if (crypto_init() != 0 || nvo3_init() != 0)
		return cmd_fail(o->name, CMD_FAILED, "the libraries can't be set up");
	if (nvo3_schema_load(&in->schema, o->schema, why) != 0)
		return cmd_fail(o->name, CMD_USAGE, "%s", why);
	if (strcmp(o->file, "-") == 0)
		status = read_stdin(o, &in->octets);
	else if (strncmp(o->file, "https://", 8) == 0 || strncmp(o->file, "file://", 7) == 0)
		status = read_url(o, &in->octets);
	else
		status = read_path(o, &in->octets);
	if (status == CMD_OK && in->octets.n == 0)
		return cmd_fail(o->name, CMD_FAILED, "%s: empty", o->file);
	return status;
}

bool
authz_is_xml(struct bytes b)
{
	static const char head[] = "\xef\xbb\xbf \t\r\n";
	size_t i = 0;

	while (i < b.n && i < 64 && b.p[i] != 0 && strchr(head, b.p[i]) != NULL)
		i++;
	return i < b.n && b.p[i] == '<';
}
