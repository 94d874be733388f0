/* SPDX-License-Identifier: ISC */
#include "shell/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"

static const char *const initiate_words[] = { "auto", "all", "none", NULL };
static const char *const level_words[] = { "error", "warn", "info", "debug", NULL };

static const char *
check_id(const char *v)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return strspn(v, good) == strlen(v) ? NULL :
	    "letters, digits, dot, dash and underscore make up a node id";
}

static const char *
check_url(const char *v)
{
	if (strncmp(v, "https://", 8) == 0 && v[8] != '\0' && v[8] != '/')
		return NULL;
	if (strncmp(v, "file:///", 8) == 0 && v[8] != '\0')
		return NULL;
	return "give an https://HOST/PATH or a file:///PATH";
}

static const char *
check_identity(const char *v)
{
	static const char *const kinds[] = { "dns:", "uri:", "ip:", "email:", "dn:", NULL };
	size_t i;

	for (i = 0; kinds[i] != NULL; i++)
		if (strncmp(v, kinds[i], strlen(kinds[i])) == 0 && v[strlen(kinds[i])] != '\0')
			return NULL;
	return "give an identity such as dns:nva-1.dc1.example or uri:spiffe://...";
}

static const char *
check_program(const char *v)
{
	return v[0] == '/' || strchr(v, '/') == NULL ? NULL :
	    "give a name, to be found beside ikev2d, or a path that starts with /";
}

#define AT(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)

static const struct conf_row rows[] = {
	/* section key type required offset,size min max words check */
	{ "node", "id", CONF_TEXT, true, AT(node), 0, 0, NULL, check_id },
	{ "node", "certificate", CONF_FILE, true, AT(certificate), 0, 0, NULL, NULL },
	{ "node", "private-key", CONF_KEY, true, AT(private_key), 0, 0, NULL, NULL },
	{ "node", "device-ca", CONF_FILE, true, AT(device_ca), 0, 0, NULL, NULL },

	{ "authorization", "url", CONF_TEXT, true, AT(url), 0, 0, NULL, check_url },
	{ "authorization", "nva-ca", CONF_FILE, true, AT(nva_ca), 0, 0, NULL, NULL },
	{ "authorization", "signer", CONF_TEXT, false, AT(signer), 0, 0, NULL, check_identity },
	{ "authorization", "tls-ca", CONF_FILE, false, AT(tls_ca), 0, 0, NULL, NULL },
	{ "authorization", "tls-certificate", CONF_FILE, false, AT(tls_certificate), 0, 0, NULL,
	    NULL },
	{ "authorization", "tls-key", CONF_FILE, false, AT(tls_key), 0, 0, NULL, NULL },
	{ "authorization", "state-dir", CONF_FILE, false, AT(state_dir), 0, 0, NULL, NULL },
	{ "authorization", "refresh", CONF_UINT, false, AT(refresh), 1, 86400, NULL, NULL },
	{ "authorization", "timeout", CONF_UINT, false, AT(timeout), 1, 600, NULL, NULL },
	{ "authorization", "max-size", CONF_UINT, false, AT(max_size), 1024, 1u << 30, NULL, NULL },
	{ "authorization", "grace", CONF_UINT, false, AT(grace), 0, 31536000, NULL, NULL },

	{ "ike", "listen", CONF_ADDRS, false, AT(listen), 0, 0, NULL, NULL },
	{ "ike", "port", CONF_UINT, false, AT(port), 1, 65535, NULL, NULL },
	{ "ike", "natt-port", CONF_UINT, false, AT(natt_port), 1, 65535, NULL, NULL },
	{ "ike", "force-encap", CONF_BOOL, false, AT(force_encap), 0, 0, NULL, NULL },
	{ "ike", "cookie-threshold", CONF_UINT, false, AT(cookie_threshold), 0, 1000000, NULL,
	    NULL },
	{ "ike", "dpd", CONF_UINT, false, AT(dpd), 0, 86400, NULL, NULL },
	{ "ike", "initiate", CONF_WORD, false, AT(initiate), 0, 0, initiate_words, NULL },

	{ "backend", "program", CONF_TEXT, false, AT(program), 0, 0, NULL, check_program },

	{ "control", "socket", CONF_FILE, false, AT(socket), 0, 0, NULL, NULL },
	{ "control", "mode", CONF_MODE, false, AT(socket_mode), 0, 0, NULL, NULL },

	{ "daemon", "user", CONF_TEXT, false, AT(user), 0, 0, NULL, NULL },
	{ "daemon", "chroot", CONF_FILE, false, AT(chroot), 0, 0, NULL, NULL },
	{ "daemon", "log-level", CONF_WORD, false, AT(log_level), 0, 0, level_words, NULL },
	{ "daemon", "pid-file", CONF_FILE, false, AT(pid_file), 0, 0, NULL, NULL },

	{ "debug", "key-log", CONF_FILE, false, AT(key_log), 0, 0, NULL, NULL },
	{ "debug", "allow-key-log", CONF_BOOL, false, AT(allow_key_log), 0, 0, NULL, NULL },
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static const char *
backend_option(void *to, const char *key, const char *value, int line)
{
	struct config *c = to;
	struct config_option *o;
	int n;

	if (config_option(c, key) != NULL)
		return "is given twice: remove one of the lines";
	if (c->n_options == CONFIG_OPTIONS_MAX)
		return "too many keys in [backend]: at most 264";
	o = &c->options[c->n_options];
	n = snprintf(o->text, sizeof o->text, "%s=%s", key, value);
	if (n < 0 || (size_t)n >= sizeof o->text)
		return "is too long: shorten the line";
	o->line = line;
	c->n_options++;
	return NULL;
}

static const struct conf_table table = {
	.rows = rows, .n_rows = N_ROWS, .other_section = "backend", .other = backend_option,
};

int
config_line(const struct config *c, const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].section, section) == 0 && strcmp(rows[i].key, key) == 0)
			return c->lines[i] != 0 ? c->lines[i] : 1;
	return 1;
}

const char *
config_option(const struct config *c, const char *key)
{
	size_t i, n = strlen(key);

	for (i = 0; i < c->n_options; i++)
		if (strncmp(c->options[i].text, key, n) == 0 && c->options[i].text[n] == '=')
			return c->options[i].text + n + 1;
	return NULL;
}

int
config_blame(const struct config *c, const char *text)
{
	size_t i, n = strcspn(text, ":= ");

	for (i = 0; i < c->n_options; i++)
		if (strncmp(c->options[i].text, text, n) == 0 && c->options[i].text[n] == '=')
			return c->options[i].line;
	return config_line(c, "backend", "program");
}

static void
defaults(struct config *c)
{
	(void)snprintf(c->state_dir, sizeof c->state_dir, "%s", OVERLOCK_STATEDIR);
	(void)snprintf(c->socket, sizeof c->socket, "%s/ikev2d.sock", OVERLOCK_RUNDIR);
	(void)snprintf(c->chroot, sizeof c->chroot, "%s/empty", OVERLOCK_RUNDIR);
	(void)snprintf(c->program, sizeof c->program, "pcap-backend");
	c->refresh = 60;
	c->timeout = 10;
	c->max_size = 16u * 1024 * 1024;
	c->grace = 3600;
	c->port = 500;
	c->natt_port = 4500;
	c->cookie_threshold = 64;
	c->dpd = 30;
	c->socket_mode = 0600;
	c->log_level = LOG_INFO_ - 1;
}

/* What no single key can say; NULL if fine, else key and text. */
static const char *
check_together(const struct config *c, const char **section, const char **key)
{
	*section = "authorization";
	if ((c->tls_certificate[0] == '\0') != (c->tls_key[0] == '\0')) {
		*key = c->tls_key[0] == '\0' ? "tls-certificate" : "tls-key";
		return "tls-certificate and tls-key go together: give both or none";
	}
	*section = "ike";
	if (c->port == c->natt_port) {
		*key = config_line(c, "ike", "natt-port") > 1 ? "natt-port" : "port";
		return "port and natt-port are the same: give two different ones";
	}
	*section = "debug";
	if (c->key_log[0] != '\0' && !c->allow_key_log) {
		*key = "key-log";
		return "key-log gives all traffic keys away: remove it, or add "
		    "'allow-key-log = yes'";
	}
	*section = "control";
	if (strlen(c->socket) >= 104) {
		*key = "socket";
		return "path of the socket is too long: at most 103 characters";
	}
	return NULL;
}

struct config *
config_read(const char *path, struct bytes text, char error[static CONF_ERROR_MAX])
{
	struct config *c = calloc(1, sizeof *c);
	const char *section, *key, *why;

	error[0] = '\0';
	if (c == NULL || (c->lines = calloc(N_ROWS, sizeof *c->lines)) == NULL ||
	    strlen(path) >= sizeof c->path) {
		(void)snprintf(error, CONF_ERROR_MAX, "%.200s:0: out of memory, or path too long: "
		    "use a shorter one", path);
		goto fail;
	}
	memcpy(c->path, path, strlen(path) + 1);
	defaults(c);
	if (conf_read(path, text, &table, c, c->lines, error) != OK)
		goto fail;
	if ((why = check_together(c, &section, &key)) != NULL) {
		(void)snprintf(error, CONF_ERROR_MAX, "%s:%d: %s", path,
		    config_line(c, section, key), why);
		goto fail;
	}
	return c;
fail:
	config_free(c);
	return NULL;
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	free(c->lines);
	free(c);
}
