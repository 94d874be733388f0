/* SPDX-License-Identifier: ISC */
#include "overlock/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/wr.h"
#include "shell/config.h"
#include "shell/ctl.h"

#define ANSWER_S 10

int
ctl_read_options(struct ctl_options *o, int argc, char **argv, int *first)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "s:c:jh", longs, NULL)) != -1)
		switch (opt) {
		case 's':
			o->socket = optarg;
			break;
		case 'c':
			o->config = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			return cmd_help(o->help) == CMD_OK ? -1 : CMD_FAILED;
		default:
			return cmd_bad_usage(o->name);
		}
	*first = optind;
	return CMD_OK;
}

int
ctl_socket(const struct ctl_options *o, char *path, size_t cap)
{
	const char *file = o->config != NULL ? o->config : CONFIG_DEFAULT_PATH;
	char error[CONF_ERROR_MAX];
	struct blob text = { NULL, 0 };
	struct config *c = NULL;
	int status = CMD_OK;

	if (o->socket != NULL) {
		(void)snprintf(path, cap, "%s", o->socket);
		return CMD_OK;
	}
	(void)snprintf(path, cap, "%s/ikev2d.sock", OVERLOCK_RUNDIR);
	if (o->config == NULL && access(file, R_OK) != 0)
		return CMD_OK;
	if (conf_load(file, &text, error) != OK ||
	    (c = config_read(file, blob_view(&text), error)) == NULL)
		status = cmd_fail(o->name, CMD_USAGE, "%s", error);
	else
		(void)snprintf(path, cap, "%s", c->socket);
	config_free(c);
	blob_free(&text);
	return status;
}

/* ------------------------------------------------------------------ asking */

static int
send_line(int fd, const char *line)
{
	size_t n = strlen(line), at = 0;
	ssize_t r;

	while (at < n) {
		if ((r = send(fd, line + at, n - at, MSG_NOSIGNAL)) < 0 && errno != EINTR)
			return ERR_IO;
		if (r > 0)
			at += (size_t)r;
	}
	return OK;
}

static int
read_line(int fd, struct wr *w)
{
	char buf[16384];
	ssize_t r;

	for (;;) {
		if ((r = recv(fd, buf, sizeof buf, 0)) < 0 && errno == EINTR)
			continue;
		if (r == 0)
			errno = ECONNRESET;
		if (r <= 0)
			return ERR_IO;
		wr_put(w, bytes_of(buf, (size_t)r));
		if (buf[r - 1] == '\n')
			return w->bad ? ERR_SPACE : OK;
	}
}

static int
exchange(const char *path, const char *command, const char *node, struct wr *w)
{
	struct timeval limit = { .tv_sec = ANSWER_S };
	json_t *ask = json_pack("{s:s}", "command", command);
	char *line = NULL;
	int fd = -1, r;

	if (node != NULL)
		(void)json_object_set_new(ask, "node", json_string(node));
	line = json_dumps(ask, JSON_COMPACT);
	json_decref(ask);
	if (line == NULL)
		return ERR_NOMEM;
	if ((r = ctl_connect(path, &fd)) == OK &&
	    (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
	    send_line(fd, line) != OK || send_line(fd, "\n") != OK || read_line(fd, w) != OK))
		r = ERR_IO;
	free(line);
	if (fd != -1)
		(void)close(fd);
	return r;
}

int
ctl_request(const struct ctl_options *o, const char *command, const char *node, json_t **root)
{
	struct wr w = wr_grow(CTL_REPLY_MAX + 1);
	char path[CONF_PATH_MAX];
	int status;

	*root = NULL;
	if ((status = ctl_socket(o, path, sizeof path)) != CMD_OK)
		return status;
	errno = 0;
	if (exchange(path, command, node, &w) != OK) {
		status = cmd_fail(o->name, CMD_FAILED, "%s: %s: %s", path,
		    errno == EAGAIN ? "no answer" : errno == ECONNRESET ? "refused" :
		    strerror(errno), errno == EACCES || errno == ECONNRESET ?
		    "ask as root, or see mode in [control]" :
		    "is ikev2d running? -s or -c names another socket");
		goto out;
	}
	*root = json_loadb((const char *)wr_view(&w).p, wr_view(&w).n, 0, NULL);
	if (!json_is_object(*root))
		status = cmd_fail(o->name, CMD_FAILED, "%s: the answer is not understood", path);
	else if (!ctl_true(*root, "ok"))
		status = cmd_fail(o->name, CMD_FAILED, "%s", ctl_word(*root, "error"));
out:
	if (status != CMD_OK) {
		json_decref(*root);
		*root = NULL;
	}
	wr_free(&w);
	return status;
}

int
ctl_show(int argc, char **argv, const char *command, const char *help,
    void (*print)(const json_t *root))
{
	struct ctl_options o = { .name = argv[0], .help = help };
	json_t *root;
	int status, first;

	if ((status = ctl_read_options(&o, argc, argv, &first)) != CMD_OK)
		return status < 0 ? CMD_OK : status;
	if (first != argc) {
		cmd_fail(o.name, CMD_USAGE, "'%s' belongs to no option", argv[first]);
		return cmd_bad_usage(o.name);
	}
	if ((status = ctl_request(&o, command, NULL, &root)) != CMD_OK)
		return status;
	if (o.json) {
		status = ctl_print_json(o.name, root);
	} else {
		print(root);
		status = cmd_flush(o.name);
	}
	json_decref(root);
	return status;
}

/* ------------------------------------------------------------------ members */

const char *
ctl_word(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s == NULL ? "" : s;
}

json_int_t
ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool
ctl_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

int
ctl_print_json(const char *name, const json_t *root)
{
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	if (text == NULL)
		return cmd_fail(name, CMD_FAILED, "out of memory");
	puts(text);
	free(text);
	return cmd_flush(name);
}

const char *
ctl_age(char buf[static CTL_AGE_STRLEN], json_int_t s)
{
	const char *sign = s < 0 ? "-" : "";
	long long n = s < 0 ? -s : s;

	if (n < 120)
		(void)snprintf(buf, CTL_AGE_STRLEN, "%s%lld s", sign, n);
	else if (n < 7200)
		(void)snprintf(buf, CTL_AGE_STRLEN, "%s%lld min", sign, n / 60);
	else if (n < 172800)
		(void)snprintf(buf, CTL_AGE_STRLEN, "%s%lld h", sign, n / 3600);
	else
		(void)snprintf(buf, CTL_AGE_STRLEN, "%s%lld d", sign, n / 86400);
	return buf;
}
