/* SPDX-License-Identifier: ISC */
/* Work that leaves the process: numbers that lead back to an IKE SA as long as it lives. */
#ifndef IKE_JOBS_H
#define IKE_JOBS_H

#include "ike/engine.h"

struct child_sas;
struct ike_sa;

struct ike_job {
	uint32_t number;                 /* 0 = none is out */
	uint8_t kind;                    /* enum ike_job_kind */
	bool issued;                     /* handed out as an action */
	struct ike_timer deadline;
};

/* Start the SA's next job (it has none out): queued, with a deadline. 0 or ERR_NOMEM. */
int job_start(struct ike *, struct ike_sa *, enum ike_job_kind);
/* The SA waits for nothing any more; an answer will find nobody. */
void job_cancel(struct ike *, struct ike_sa *);
/* An answer came: the SA, whose job is over; NULL: nobody waits for this number and kind. */
struct ike_sa *job_done(struct ike *, uint32_t number, enum ike_job_kind);
/* Fill in the action of a queued job. False when it is not wanted any more. *own takes over secrets
 * that the action points to. */
bool job_action(struct ike *, uint32_t number, struct ike_action *, struct child_sas **own);
/* The holder of jobs of this kind died: queue again those that were handed out. Never SA_ADD: its
 * keys may have been used; such a Child SA fails instead. */
void jobs_reissue(struct ike *, enum ike_job_kind);
/* Its deadline passed. */
void job_timed_out(struct ike *, struct ike_sa *);

#endif
