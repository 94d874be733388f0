/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "ikev2d/parent.h"
#include "ikev2d/roles.h"
#include "shell/preflight.h"

#define EXIT_CONFIG 2

struct options {
	const char *file;
	bool check, debug;
};

static const char usage[] =
    "Usage: ikev2d [-c FILE] [-d] [-n]\n"
    "\n"
    "Overlock's IKEv2 daemon: keys the VXLAN links of this node with the peers that the\n"
    "NVA's signed document lists. Runs in the foreground until SIGTERM.\n"
    "\n"
    "  -c, --config FILE  configuration (" CONFIG_DEFAULT_PATH ")\n"
    "  -d, --debug        log at level debug\n"
    "  -f, --foreground   stay in the foreground, which is what it does anyway\n"
    "  -n, --check        check configuration, keys and certificates, then exit\n"
    "  -h, --help         this text\n"
    "  -V, --version      the version\n"
    "\n"
    "SIGHUP fetches the document at once. Exit status: 0 ended in order, 1 failed,\n"
    "2 configuration or usage error (one line on stderr says where and what to do).\n"
    "Manuals: ikev2d(8), ikev2d.conf(5). State: overlock status.\n";

/* One of our processes, started by the parent with --process NAME. */
static int
process_main(const char *name)
{
	size_t i;

	for (i = 0; i < n_roles; i++)
		if (roles[i].main != NULL && strcmp(roles[i].name, name) == 0)
			return roles[i].main();
	return EXIT_CONFIG;
}

static bool
print_finding(void *arg, enum finding f, const char *topic, const char *text)
{
	(void)arg;
	(void)topic;
	if (f == FINDING_FAIL)
		(void)fprintf(stderr, "%s\n", text);
	else if (f == FINDING_WARN)
		log_warn("%s", text);
	return f != FINDING_FAIL;
}

/* In a process that ends: keys are loaded here, and nothing of them may stay in the parent. */
static int
check(const struct config *c, const char *self)
{
	char dir[CONF_PATH_MAX];
	int status = 0;
	pid_t pid;

	(void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(self, '/') - self), self);
	if ((pid = fork()) == 0) {
		if (crypto_init() != OK) {
			(void)fprintf(stderr, "the cryptographic library can't be used\n");
			_exit(1);
		}
		_exit(preflight_run(c, dir, print_finding, NULL) == FINDING_FAIL ? EXIT_CONFIG : 0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		(void)fprintf(stderr, "the check of the configuration did not end in order\n");
		return 1;
	}
	return WEXITSTATUS(status);
}

static int
run(const struct options *o, const char *argv0)
{
	char error[CONF_ERROR_MAX], self[CONF_PATH_MAX];
	struct parent_setup setup = { .self = self, .debug = o->debug };
	struct blob text = { NULL, 0 };
	int status = EXIT_CONFIG;
	char *file;

	if (preflight_self(argv0, self, sizeof self) != OK) {
		(void)fprintf(stderr, "ikev2d: can't tell where this program is: start it by its path\n");
		return 1;
	}
	/* Whole, since processes that read it again may be in another folder then. */
	file = realpath(o->file, NULL);
	if (conf_load(file != NULL ? file : o->file, &text, error) != OK ||
	    (setup.config = config_read(file, blob_view(&text), error)) == NULL) {
		(void)fprintf(stderr, "%s\n", error);
		goto out;
	}
	log_setup("ikev2d", o->debug ? LOG_DEBUG_ : (enum log_level)(setup.config->log_level + 1));
	setup.text = blob_view(&text);
	if ((status = check(setup.config, self)) == 0 && !o->check)
		status = parent_main(&setup);
out:
	config_free(setup.config);
	blob_free(&text);
	free(file);
	return status;
}

static int
wrong_usage(void)
{
	(void)fputs("ikev2d --help tells the options\n", stderr);
	return EXIT_CONFIG;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "debug", no_argument, NULL, 'd' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "check", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	struct options o = { .file = CONFIG_DEFAULT_PATH };
	int opt;

	if (argc == 3 && strcmp(argv[1], "--process") == 0)
		return process_main(argv[2]);
	while ((opt = getopt_long(argc, argv, "c:dfnhV", longs, NULL)) != -1)
		switch (opt) {
		case 'c':
			o.file = optarg;
			break;
		case 'd':
			o.debug = true;
			break;
		case 'f':
			break;
		case 'n':
			o.check = true;
			break;
		case 'h':
			return fputs(usage, stdout) < 0;
		case 'V':
			return printf("ikev2d (Overlock) %s\n", OVERLOCK_VERSION) < 0;
		default:
			return wrong_usage();
		}
	return optind == argc ? run(&o, argv[0]) : wrong_usage();
}
