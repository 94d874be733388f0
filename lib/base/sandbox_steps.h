/* SPDX-License-Identifier: ISC */
/* The steps of sandbox_enter() that every system has. For lib/base itself. */
#ifndef BASE_SANDBOX_STEPS_H
#define BASE_SANDBOX_STEPS_H

#include "base/sandbox.h"

#define SANDBOX_MISSED 200

#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZER 1
#endif
#endif

/* What a build with AddressSanitizer misses always. */
#define SANDBOX_NO_CHROOT "chroot (sanitizer build)"

/* Adds words to the list of what could not be done; what does not fit is left out. */
void sandbox_miss(char missed[static SANDBOX_MISSED], const char *words);

/* Each: 0, or ERR_IO (errno says why). Want of privilege goes to `missed`. */
int sandbox_chroot(const char *dir, char missed[static SANDBOX_MISSED]);
int sandbox_ids(uid_t, gid_t, char missed[static SANDBOX_MISSED]);
int sandbox_no_core(void);
/* ERR_STATE if this process, having dropped root, can become root again. */
int sandbox_no_way_back(uid_t);

#endif
