/* SPDX-License-Identifier: ISC */
/* Real keys and certificates for simulated nodes, made on the spot in a directory that goes away
 * again. */
#ifndef TESTS_SIM_SIM_PKI_H
#define TESTS_SIM_SIM_PKI_H

#include "crypto/sign.h"
#include "sim.h"

struct sim_pki;

/* A root of its own. All of these abort when something goes wrong. */
struct sim_pki *sim_pki_new(void);
/* And the signers it made, and the files. */
void sim_pki_free(struct sim_pki *);
/* A device certificate with the name "dns:NAME", and its key. */
const struct sim_signer *sim_pki_device(struct sim_pki *, const char *name, enum key_type);
/* Let a node use it: before sim_start(). The node must have the signer's name. */
void sim_pki_use(struct sim_node *, const struct sim_signer *);

int sim_pki_sign(const struct sim_signer *, const struct ike_auth_input *, uint32_t peer_hashes,
    uint8_t *method, struct blob *out);
int sim_pki_verify(const struct sim_signer *, const struct ike_action *, char identity[static 300]);

#endif
