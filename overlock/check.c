/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "crypto/crypto.h"
#include "overlock/check_int.h"
#include "shell/ctl.h"
#include "shell/preflight.h"

static const char help[] =
    "usage: overlock check [--json] [FILE]\n"
    "\n"
    "Says what would keep ikev2d from working with this configuration (default\n"
    CONFIG_DEFAULT_PATH "), or what does: files, keys,\n"
    "certificates, the document, addresses, MTU, ports, privileges. Each line that is not ok says\n"
    "what to do. Changes nothing; run it as root to see what the daemon will see.\n"
    "\n"
    "  -j, --json         for programs\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit status: 0 nothing failed, 1 something did, 2 wrong usage or unreadable configuration.\n";

void
check_say(struct check *c, const char *level, const char *topic, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (strcmp(level, "fail") == 0)
		c->failed = true;
	(void)json_array_append_new(c->findings, json_pack("{s:s, s:s, s:s}", "level", level,
	    "topic", topic, "text", text));
	if (!c->o.json)
		(void)printf("%-5s %-21s %s\n", level, topic, text);
}

static bool
preflight_said(void *arg, enum finding f, const char *topic, const char *text)
{
	static const char *const levels[] = { "ok", "warn", "fail" };

	check_say(arg, levels[f], topic, "%s", text);
	return true;
}

/* Where ikev2d will look for its backend: beside itself. */
static void
daemon_dir(const struct config *config, char *dir, size_t cap)
{
	char path[CONF_PATH_MAX], *slash;

	if (preflight_self("overlock", dir, cap) != OK)
		dir[0] = '\0';
	if ((slash = strrchr(dir, '/')) != NULL)
		*slash = '\0';
	if (preflight_program(config, dir, path, sizeof path) == OK && access(path, X_OK) == 0)
		return;
	(void)snprintf(dir, cap, "%s", OVERLOCK_SBINDIR);
}

/* What the daemon says of itself, when there is one. */
static void
check_running(struct check *c)
{
	const json_t *f;
	json_t *root;
	size_t i;
	int fd;

	if (ctl_connect(c->config->socket, &fd) != OK) {
		check_say(c, "ok", "daemon", "ikev2d does not run with this configuration");
		return;
	}
	(void)close(fd);
	c->o.socket = c->config->socket;
	if (ctl_request(&c->o, "check", NULL, &root) != CMD_OK) {
		check_say(c, "warn", "daemon", "something listens on %s, but does not let us ask",
		    c->config->socket);
		return;
	}
	c->running = true;
	json_array_foreach(json_object_get(root, "findings"), i, f)
		check_say(c, ctl_word(f, "level"), ctl_word(f, "topic"), "daemon: %s",
		    ctl_word(f, "text"));
	json_decref(root);
}

static int
finish(struct check *c)
{
	json_t *root;
	int status;

	if (!c->o.json) {
		status = cmd_flush(c->o.name);
	} else {
		root = json_pack("{s:i, s:s, s:b, s:s, s:O}", "schema_version", CMD_JSON_VERSION,
		    "command", "check", "ok", !c->failed, "file", c->config->path, "findings",
		    c->findings);
		status = ctl_print_json(c->o.name, root);
		json_decref(root);
	}
	return status != CMD_OK ? status : c->failed ? CMD_FAILED : CMD_OK;
}

static int
check(struct check *c, const char *file)
{
	char error[CONF_ERROR_MAX], dir[CONF_PATH_MAX];
	struct blob text = { NULL, 0 };
	struct config *config = NULL;
	int status;

	if (conf_load(file, &text, error) != OK ||
	    (config = config_read(file, blob_view(&text), error)) == NULL) {
		status = cmd_fail(c->o.name, CMD_USAGE, "%s", error);
		goto out;
	}
	c->config = config;
	check_say(c, "ok", "configuration", "%s", file);
	daemon_dir(config, dir, sizeof dir);
	(void)preflight_run(config, dir, preflight_said, c);
	check_running(c);
	check_document(c);
	check_backend(c, dir);
	check_system(c);
	status = finish(c);
out:
	config_free(config);
	blob_free(&text);
	return status;
}

int
cmd_check(int argc, char **argv)
{
	struct check c = { .o = { .name = argv[0], .help = help } };
	int status, first;

	if ((status = ctl_read_options(&c.o, argc, argv, &first)) != CMD_OK)
		return status < 0 ? CMD_OK : status;
	if (first + 1 < argc || c.o.socket != NULL)
		return cmd_bad_usage(c.o.name);
	if (crypto_init() != OK || nvo3_init() != OK || (c.findings = json_array()) == NULL)
		return cmd_fail(c.o.name, CMD_FAILED, "the libraries can't be set up");
	status = check(&c, first < argc ? argv[first] :
	    c.o.config != NULL ? c.o.config : CONFIG_DEFAULT_PATH);
	json_decref(c.findings);
	nvo3_document_free(&c.document);
	return status;
}
