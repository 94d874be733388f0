/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "overlock/check_int.h"
#include "shell/preflight.h"

#define EXIT_CONFIG 2
#define PATIENCE_S  5

/* In the child: a backend that doesn't know --check must not keep us waiting. */
static _Noreturn void
run_program(const struct config *cf, const char *path, int fd)
{
	const char *argv[CONFIG_OPTIONS_MAX + 3] = { path, "--check" };
	size_t i;

	for (i = 0; i < cf->n_options; i++)
		argv[i + 2] = cf->options[i].text;
	(void)alarm(PATIENCE_S);
	if (dup2(fd, STDERR_FILENO) != -1)
		(void)execv(path, (char *const *)(uintptr_t)argv);
	_exit(1);
}

/* Its first line on standard error, and whether it called the options wrong. */
static bool
refused(const struct config *cf, const char *path, char line[static CONF_ERROR_MAX])
{
	char text[CONF_ERROR_MAX];
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0)
		return false;
	if ((pid = fork()) == 0)
		run_program(cf, path, fds[1]);
	(void)close(fds[1]);
	n = pid == -1 ? 0 : read(fds[0], text, sizeof text - 1);
	(void)close(fds[0]);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	log_safe(line, CONF_ERROR_MAX, bytes_str(text));
	return pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == EXIT_CONFIG;
}

static void
check_options(struct check *c, const char *dir)
{
	char path[CONF_PATH_MAX], line[CONF_ERROR_MAX];
	const struct config *cf = c->config;

	if (preflight_program(cf, dir, path, sizeof path) != OK || access(path, X_OK) != 0)
		return;          /* told already */
	if (refused(cf, path, line))
		check_say(c, "fail", "options", "%s:%d: %s", cf->path, config_blame(cf, line), line);
	else
		check_say(c, "ok", "options", "%zu options of the backend", cf->n_options);
}

/* With an address that is not ours no ESP gets through, though IKE says that all is well. */
static void
check_local(struct check *c)
{
	const char *p = config_option(c->config, "local");
	char one[ADDR_STRLEN];
	struct addr a;
	size_t n;

	for (; p != NULL && *(p += strspn(p, " ,")) != '\0'; p += n) {
		n = strcspn(p, " ,");
		(void)snprintf(one, sizeof one, "%.*s", (int)n, p);
		if (addr_parse(&a, one) == OK && !check_is_local(&a))
			check_say(c, "fail", "local", "%s:%d: 'local' %s is no address of this host: "
			    "add it to an interface, or correct it", c->config->path,
			    config_blame(c->config, "local"), one);
	}
}

static bool
serves(const struct nvo3_node *node, uint32_t vni)
{
	size_t i;

	for (i = 0; i < node->n_vnis; i++)
		if (node->vnis[i] == vni)
			return true;
	return false;
}

/* Tenants of VNs that the document does not give us: their frames go nowhere. */
static void
check_tenants(struct check *c, const struct nvo3_node *self)
{
	const struct config *cf = c->config;
	size_t i, n = 0, wrong = 0;

	for (i = 0; i < cf->n_options; i++) {
		const char *text = cf->options[i].text;
		unsigned long vni;

		if (strncmp(text, "tenant.", 7) != 0)
			continue;
		n++;
		vni = strtoul(text + 7, NULL, 10);
		if (vni > UINT32_MAX || serves(self, (uint32_t)vni))
			continue;
		wrong++;
		check_say(c, "warn", "tenants", "%s:%d: the document does not have node %s in VN %lu: "
		    "nothing is carried; correct the VNI, or have the document changed", cf->path,
		    cf->options[i].line, self->id, vni);
	}
	if (wrong == 0)
		check_say(c, "ok", "tenants", "%zu here, %zu VNs in the document", n, self->n_vnis);
}

void
check_backend(struct check *c, const char *dir)
{
	const struct nvo3_node *self = c->document.table == NULL ? NULL :
	    nvo3_node_by_id(c->document.table, c->config->node);

	check_options(c, dir);
	check_local(c);
	if (self != NULL)
		check_tenants(c, self);
}
