/* SPDX-License-Identifier: ISC */
/* The reader of ikev2d.conf(5): what it takes in keeps to its bounds, what it refuses says where. */
/* reads: lib/shell/conf.c lib/shell/config.c */
/* fuzz: -max_len=4096 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shell/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(int is)
{
	if (!is)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char path[] = "/etc/overlock/fuzz.conf";
	char error[CONF_ERROR_MAX];
	struct config *c = config_read(path, bytes_of(data, len), error);
	size_t i;

	if (c == NULL) {
		/* One line, with file and line in front. */
		check(strncmp(error, path, sizeof path - 1) == 0 && error[sizeof path - 1] == ':');
		check(strchr(error, '\n') == NULL && strlen(error) < sizeof error);
		return 0;
	}
	check(error[0] == '\0' && c->node[0] != '\0' && c->url[0] != '\0');
	check(c->port >= 1 && c->port <= 65535 && c->port != c->natt_port);
	check(c->listen.n <= CONF_ADDRS_MAX && c->n_options <= CONFIG_OPTIONS_MAX);
	check(c->key_log[0] == '\0' || c->allow_key_log);
	for (i = 0; i < c->n_options; i++)
		check(strchr(c->options[i].text, '=') != NULL && c->options[i].line > 0);
	check(config_line(c, "node", "id") > 0);
	config_free(c);
	return 0;
}
