/* SPDX-License-Identifier: ISC */
#include "shell/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "crypto/sign.h"
#include "crypto/x509.h"
#include "shell/backend_kind.h"
#include "shell/user.h"

#define SOON_S (14 * 86400)      /* a certificate that ends within this time is worth a warning */

struct preflight {
	const struct config *c;
	const char *self_dir;
	char text[FINDING_MAX];
	struct x509 *chain[CHAIN_MAX];
	size_t n_chain;
};

static enum finding blame(struct preflight *, enum finding, int line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static enum finding
blame(struct preflight *p, enum finding f, int line, const char *fmt, ...)
{
	va_list ap;
	int n = snprintf(p->text, sizeof p->text, "%s:%d: ", p->c->path, line);

	if (n < 0 || (size_t)n >= sizeof p->text)
		return f;
	va_start(ap, fmt);
	(void)vsnprintf(p->text + n, sizeof p->text - (size_t)n, fmt, ap);
	va_end(ap);
	return f;
}

static enum finding fine(struct preflight *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum finding
fine(struct preflight *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->text, sizeof p->text, fmt, ap);
	va_end(ap);
	return FINDING_OK;
}

/* ------------------------------------------------------------------ keys and certificates */

static const char *
file_trouble(const char *path, int err)
{
	if (access(path, R_OK) != 0)
		return strerror(errno);
	return err == ERR_SYNTAX ? "no PEM certificates in it" : err_str(err);
}

static enum finding
check_certificate(struct preflight *p)
{
	const struct config *c = p->c;
	int line = config_line(c, "node", "certificate");
	int64_t now = (int64_t)time(NULL);
	char until[LOG_TIME_STRLEN];
	int r;

	if ((r = x509_load_chain(c->certificate, p->chain, &p->n_chain)) != OK)
		return blame(p, FINDING_FAIL, line, "certificate '%s' can't be used (%s): give a PEM "
		    "file, this node's certificate first", c->certificate,
		    file_trouble(c->certificate, r));
	(void)log_time(until, x509_not_after(p->chain[0]) * 1000);
	until[10] = '\0';
	if (x509_not_after(p->chain[0]) < now)
		return blame(p, FINDING_FAIL, line, "certificate '%s' has expired on %s: renew it",
		    c->certificate, until);
	if (x509_not_before(p->chain[0]) > now)
		return blame(p, FINDING_FAIL, line, "certificate '%s' is not valid yet: set the clock, "
		    "or wait", c->certificate);
	if (x509_not_after(p->chain[0]) < now + SOON_S)
		return blame(p, FINDING_WARN, line, "certificate '%s' ends on %s: renew it soon",
		    c->certificate, until);
	return fine(p, "%s, valid until %s, %zu in the chain", c->certificate, until, p->n_chain);
}

static enum finding
check_key(struct preflight *p)
{
	const struct config *c = p->c;
	int line = config_line(c, "node", "private-key");
	struct pkey *key = NULL;
	const char *why = "";
	enum finding f;
	struct stat st;

	if (p->n_chain == 0)
		return fine(p, "not looked at: there is no certificate to compare it with");
	if (pkey_load(&key, c->private_key, &why) != OK) {
		if (c->private_key[0] == '/' && access(c->private_key, R_OK) != 0)
			why = strerror(errno);
		return blame(p, FINDING_FAIL, line, "private key '%s' can't be read (%s): give a PEM "
		    "or DER file, or a store URI, that root can read", c->private_key, why);
	}
	if (!pkey_matches(key, p->chain[0]))
		f = blame(p, FINDING_FAIL, line, "private key '%s' does not match certificate '%s': "
		    "give the key that the certificate was made for", c->private_key, c->certificate);
	else if (stat(c->private_key, &st) == 0 && (st.st_mode & 0077) != 0)
		f = blame(p, FINDING_WARN, line, "private key '%s' can be read by others: "
		    "chmod 600 it", c->private_key);
	else
		f = fine(p, "%s matches the certificate", c->private_key);
	pkey_free(key);
	return f;
}

static enum finding
check_anchors(struct preflight *p, const char *section, const char *key, const char *path)
{
	struct x509_store *store = NULL;
	const char *why = "";

	if (path[0] == '\0')
		return fine(p, "not given: the system's");
	if (x509_store_load(&store, path, &why) != OK) {
		if (access(path, R_OK) != 0)
			why = strerror(errno);
		return blame(p, FINDING_FAIL, config_line(p->c, section, key), "%s '%s' can't be used "
		    "(%s): give a PEM file with one or more CA certificates", key, path, why);
	}
	x509_store_free(store);
	return fine(p, "%s", path);
}

static enum finding
check_device_ca(struct preflight *p)
{
	struct x509_store *store = NULL;
	struct bytes ders[CHAIN_MAX];
	struct x509 *leaf = NULL;
	const char *why = "";
	enum finding f = check_anchors(p, "node", "device-ca", p->c->device_ca);
	size_t i;

	if (f != FINDING_OK || p->n_chain == 0 ||
	    x509_store_load(&store, p->c->device_ca, &why) != OK)
		return f;
	for (i = 0; i < p->n_chain; i++)
		ders[i] = x509_der(p->chain[i]);
	if (x509_verify_chain(store, ders, p->n_chain, (int64_t)time(NULL), &leaf, &why) != OK)
		f = blame(p, FINDING_FAIL, config_line(p->c, "node", "device-ca"),
		    "our own certificate does not lead to device-ca '%s' (%s): other nodes would "
		    "refuse it; give the right CA, or the whole chain", p->c->device_ca, why);
	else
		f = fine(p, "%s, our own certificate leads there", p->c->device_ca);
	x509_free(leaf);
	x509_store_free(store);
	return f;
}

static enum finding
check_nva_ca(struct preflight *p)
{
	return check_anchors(p, "authorization", "nva-ca", p->c->nva_ca);
}

static enum finding
check_tls_ca(struct preflight *p)
{
	if (strncmp(p->c->url, "file:", 5) == 0 && p->c->tls_ca[0] == '\0')
		return fine(p, "not needed: the document is a file");
	return check_anchors(p, "authorization", "tls-ca", p->c->tls_ca);
}

/* ------------------------------------------------------------------ the system */

static enum finding
check_user(struct preflight *p)
{
	uid_t uid;
	gid_t gid;

	if (user_resolve(p->c, &uid, &gid, p->text, sizeof p->text) != OK)
		return FINDING_FAIL;
	if (uid == 0)
		return fine(p, "not started as root: ids stay as they are");
	if (user_is_fallback(p->c))
		return blame(p, FINDING_WARN, 1, "there is no user _overlock, nobody is used: "
		    "make that user, or name one with 'user = ...' in [daemon]");
	return fine(p, "uid %u, gid %u", (unsigned)uid, (unsigned)gid);
}

static enum finding
check_program(struct preflight *p)
{
	int line = config_line(p->c, "backend", "program");
	char path[CONF_PATH_MAX];

	if (preflight_program(p->c, p->self_dir, path, sizeof path) != OK)
		return blame(p, FINDING_FAIL, line, "path of the backend program is too long");
	if (access(path, X_OK) != 0)
		return blame(p, FINDING_FAIL, line, "backend program '%s' can't be run (%s): give its "
		    "whole path with 'program = ...'", path, strerror(errno));
	return fine(p, "%s", path);
}

/* A tenant may be a pcap file instead of an interface. */
static bool
is_interface(const char *option)
{
	const char *value = strchr(option, '=') + 1;

	if (strncmp(option, "wire=", 5) != 0 && strncmp(option, "tenant.", 7) != 0)
		return false;
	return strchr(value, '/') == NULL && strchr(value, ':') == NULL;
}

static enum finding
check_interfaces(struct preflight *p)
{
	const struct config *c = p->c;
	const char *name;
	size_t i, n = 0;

	if (backend_kind(c)->kernel)
		return fine(p, "none to name: the kernel's VXLAN devices stay as they are");
	for (i = 0; i < c->n_options; i++) {
		if (!is_interface(c->options[i].text))
			continue;
		name = strchr(c->options[i].text, '=') + 1;
		if (if_nametoindex(name) == 0)
			return blame(p, FINDING_FAIL, c->options[i].line, "there is no interface '%s': "
			    "make it, or correct '%.*s'", name,
			    (int)(name - c->options[i].text - 1), c->options[i].text);
		n++;
	}
	return fine(p, "%zu interfaces are there", n);
}

static enum finding
check_readable(struct preflight *p)
{
	const struct config *c = p->c;
	const struct { const char *key, *path; } files[] = {
		{ "nva-ca", c->nva_ca }, { "tls-ca", c->tls_ca },
		{ "tls-certificate", c->tls_certificate }, { "tls-key", c->tls_key },
		{ "url", strncmp(c->url, "file://", 7) == 0 ? c->url + 7 : "" },
	};
	size_t i;

	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		if (files[i].path[0] != '\0' && preflight_readable(c, files[i].path) != OK)
			/*
			 * The document may come later; what keys and anchors lack now stays
			 * lacking.
			 */
			return blame(p, strcmp(files[i].key, "url") == 0 ? FINDING_WARN : FINDING_FAIL,
			    config_line(c, "authorization", files[i].key), "%s '%s' can't be read by "
			    "the user that ikev2d runs as (%s): set its and its folders' permissions",
			    files[i].key, files[i].path, strerror(errno));
	return fine(p, "the files of [authorization] can be read after privileges are dropped");
}

static enum finding
check_key_log(struct preflight *p)
{
	if (p->c->key_log[0] == '\0')
		return fine(p, "no keys are written");
	return blame(p, FINDING_WARN, config_line(p->c, "debug", "key-log"), "all traffic keys are "
	    "written to '%s': remove key-log but for tests", p->c->key_log);
}

static const struct {
	const char *topic;
	enum finding (*run)(struct preflight *);
} checks[] = {
	{ "certificate", check_certificate },
	{ "private key", check_key },
	{ "device CA", check_device_ca },
	{ "NVA CA", check_nva_ca },
	{ "TLS CA", check_tls_ca },
	{ "user", check_user },
	{ "readable files", check_readable },
	{ "backend", check_program },
	{ "interfaces", check_interfaces },
	{ "key log", check_key_log },
};

enum finding
preflight_run(const struct config *c, const char *self_dir, preflight_fn emit, void *arg)
{
	struct preflight p = { .c = c, .self_dir = self_dir };
	enum finding f, worst = FINDING_OK;
	size_t i;

	for (i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		p.text[0] = '\0';
		f = checks[i].run(&p);
		if (f > worst)
			worst = f;
		if (!emit(arg, f, checks[i].topic, p.text))
			break;
	}
	for (i = 0; i < p.n_chain; i++)
		x509_free(p.chain[i]);
	return worst;
}

/* ------------------------------------------------------------------ helpers */

int
preflight_program(const struct config *c, const char *self_dir, char *to, size_t cap)
{
	int n;

	if (strchr(c->program, '/') != NULL)
		n = snprintf(to, cap, "%s", c->program);
	else
		n = snprintf(to, cap, "%s/%s", self_dir, c->program);
	return n < 0 || (size_t)n >= cap ? ERR_SPACE : OK;
}

static int
try_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return errno;
	(void)close(fd);
	return 0;
}

int
preflight_readable(const struct config *c, const char *path)
{
	char why[CONF_ERROR_MAX];
	int status = 0;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	if (user_resolve(c, &uid, &gid, why, sizeof why) != OK || uid == 0) {
		errno = try_open(path);
		return errno == 0 ? OK : ERR_IO;
	}
	if ((pid = fork()) == 0) {
		/* What can't be given up here can't be later either. */
		(void)!setgroups(1, &gid);
		(void)!setgid(gid);
		(void)!setuid(uid);
		_exit(try_open(path));
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return ERR_IO;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return errno == 0 ? OK : ERR_IO;
}

int
preflight_self(const char *argv0, char *path, size_t cap)
{
	char *slash;
	ssize_t n = readlink("/proc/self/exe", path, cap - 1);
	char real[4096];

	if (n > 0) {
		path[n] = '\0';
	} else if (strchr(argv0, '/') != NULL && realpath(argv0, real) != NULL &&
	    strlen(real) < cap) {
		memcpy(path, real, strlen(real) + 1);
	} else {
		return ERR_NOTFOUND;
	}
	slash = strrchr(path, '/');
	return slash == NULL ? ERR_NOTFOUND : OK;
}
