#ifndef COORDINATOR_CLI_SELECT_H
#define COORDINATOR_CLI_SELECT_H

#include "coordinator/cli/cmd.h"
#include "shared/base/param.h"

/*
 * What a verb works on: the words SWEEP, or a JOB (id or digest prefix), plus --state.
 * A word that is all digits or at least 6 hexadecimal digits and names no sweep is taken
 * for a job.
 */
MUST_CHECK int select_jobs(struct db_selection *out, struct db *db, const char *word,
                           const char *job, const char *state, struct err *err);

/* Words of enum job_state for parameter tables, "" first. */
extern const char *const select_states[];

/* Rows of a verb's parameter table; `type`, its configuration, has members of the same
 * names. */
#define SELECT_ROW_JOB(type) \
    PARAM_ROW_STRING(type, job, "", "only this job (id or digest)")
#define SELECT_ROW_STATE(type) \
    PARAM_ROW_CHOICE(type, state, "any", select_states, "only jobs in this state")

#endif
