/* SPDX-License-Identifier: ISC */
/* `overlock check`, between its files. */
#ifndef OVERLOCK_CHECK_INT_H
#define OVERLOCK_CHECK_INT_H

#include "nvo3/fetch.h"
#include "overlock/ctl.h"
#include "shell/config.h"

struct check {
	struct ctl_options o;
	const struct config *config;
	json_t *findings;                /* array of {level, topic, text} */
	bool failed;
	bool running;                    /* an ikev2d answers on the control socket */
	struct nvo3_document document;   /* table NULL: none could be had */
};

/* level: "ok", "warn", "fail". Prints it at once but for --json. */
void check_say(struct check *, const char *level, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* check_document.c: fetch and verify the document, find ourselves in it. */
void check_document(struct check *);
bool check_is_local(const struct addr *);
/* check_backend.c: what the backend in this folder says to its options, and what the document and
 * this host say to them. After check_document(). */
void check_backend(struct check *, const char *dir);
/*
 * check_program.c: `PROGRAM --check KEY=VALUE...`. Status 2 and one line on standard error: the options
 * are wrong. Status 0: they are fine, and each line on standard output is a finding, LEVEL, WHAT and
 * TEXT with tabs in between; LEVEL is ok, warn or fail.
 */
void check_program(struct check *, const char *dir);
/* check_system.c: clock, MTU, ports, addresses, privileges. */
void check_system(struct check *);
/* check_mtu.c: does what tenants send fit the underlay once it is VXLAN in ESP? */
void check_mtu(struct check *);
/*
 * Largest inner IP packet (untagged) over an underlay of this MTU: VXLAN in ESP, transport mode, AES-GCM;
 * encap: in UDP besides.
 */
int check_fits(int mtu, bool v6, bool encap);

#endif
