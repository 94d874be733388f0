/* SPDX-License-Identifier: ISC */
/*
 * Traffic selector payloads, RFC 7296 sections 2.9 and 3.13; security labels, RFC 9478. A label of
 * ours is "ch:ID" or "ch:ID;vni:N": the channel of the NVA document that the Child SA is for, and
 * the one VN where the document gives a VN keys of its own.
 */
#ifndef IKE_TS_H
#define IKE_TS_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/sa.h"

struct ike_out;

#define IKE_TS_MAX        32     /* address selectors read from one payload */
#define IKE_TS_LABELS_MAX 16     /* labels read from one payload */

/* One TSi or TSr. Labels are views into the message and may hold any octets; an empty one is never
 * chosen (RFC 9478 section 2.2), but is no error of the message. */
struct ike_ts {
	struct selector sel[IKE_TS_MAX];
	struct bytes labels[IKE_TS_LABELS_MAX];
	uint8_t n_sel, n_labels;
};

/*
 * Ports of a selector that matches only packets whose ports cannot be seen (RFC 4301 section
 * 4.4.1.1, OPAQUE): sent as 65535..0. Read, but never granted: no backend of ours has such
 * selectors.
 */
static inline bool
ts_is_opaque(const struct selector *s)
{
	return s->port_lo == 65535 && s->port_hi == 0;
}

/*
 * Read a payload's body. Unknown selector types are skipped, so n_sel may be 0: then nothing can be
 * narrowed and the answer is TS_UNACCEPTABLE (so too for a label alone, RFC 9478). ERR_SYNTAX:
 * count or lengths wrong, a range that runs backwards; ERR_SPACE: more selectors than the
 * struct holds.
 */
int ts_read(struct ike_ts *, struct bytes body);
/* payload: PL_TSi or PL_TSr; n >= 1; label NULL or "" for none. */
void ts_write(struct ike_out *, uint8_t payload, const struct selector *, size_t n,
    const char *label);

/*
 * Responder: the part of what was asked for that our policy allows, at most SELECTORS_MAX ranges,
 * in the order asked for (the first one is the packet that started it all), without ranges that
 * another one covers. Sets *n. ERR_NOTFOUND when nothing is left: TS_UNACCEPTABLE. Section 2.9.
 */
int ts_narrow(const struct ike_ts *asked, const struct selector *policy, size_t n_policy,
    struct selector out[static SELECTORS_MAX], uint8_t *n);
/*
 * Initiator: every selector of the response lies within one that we offered, and there is one.
 * ERR_PROTO.
 */
int ts_check_subset(const struct ike_ts *response, const struct selector *offered, size_t n);
/*
 * The responder's choice stands: TSi and TSr of a response each carry exactly this one label (or
 * none when label is NULL or ""). ERR_PROTO, RFC 9478 section 3.
 */
int ts_check_label(const struct ike_ts *tsi, const struct ike_ts *tsr, const char *label);
/*
 * Responder: the first label that both payloads hold and ts_label_parse() understands, as text.
 * ERR_NOTFOUND when there are labels, but none of ours; 0 with an empty text when there are none
 * at all.
 */
int ts_choose_label(const struct ike_ts *tsi, const struct ike_ts *tsr,
    char label[static LABEL_MAX]);

/* What a label says. */
struct ike_label {
	char channel[ID_MAX];
	uint32_t vni;            /* 0 = none */
};
/*
 * Into text; ERR_VALUE when the channel's id has other octets than letters, digits, '.', '_', '-'
 * or the VNI is above VNI_MAX, ERR_SPACE when it does not fit.
 */
int ts_label_format(const struct ike_label *, char label[static LABEL_MAX]);
/* From octets received. Only the form that ts_label_format() writes is accepted: ERR_VALUE. */
int ts_label_parse(struct ike_label *, struct bytes);

#endif
