#ifndef WORKER_AGENT_ATTEMPT_H
#define WORKER_AGENT_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/agent/blobs.h"
#include "worker/agent/options.h"
#include "worker/agent/session.h"

/*
 * One attempt of one job on this worker, from GRANT to the acknowledged RESULT:
 *
 *   FETCH   spec and inputs are put into its folder
 *   WAIT    for a free slot
 *   RUN     the stage's process lives
 *   STORE   checkpoint and artifacts travel; the result is in the spool
 *   HELD    the session has the result and sends it until it is acknowledged
 *   BACK    to be handed back with BYE, no result
 */
enum attempt_phase {
    ATTEMPT_FETCH,
    ATTEMPT_WAIT,
    ATTEMPT_RUN,
    ATTEMPT_STORE,
    ATTEMPT_HELD,
    ATTEMPT_BACK,
};

/* What the attempts of one agent share; borrowed by them. */
struct attempt_env {
    struct session *session;
    struct blobs *blobs;
    const char *jobs_dir, *spool_dir;
    const char *program; /* of a stage's process: `program stage DIR` */
    char *const *env;
    bool share_cores; /* processes follow attempt_share */
};

struct attempt;

/* What cannot be prepared becomes a failed attempt, so this does not fail. */
struct attempt *attempt_new(const struct attempt_env *env,
                            const struct msg_grant *grant);

/* A result that an earlier agent left in the spool; the session holds its run. */
struct attempt *attempt_from_spool(const struct attempt_env *env, json_t *entry);

/* Kills its process, removes its folder and ends its transfers; a result in the spool
 * stays there. */
void attempt_free(struct attempt *a);

/* Removes the result from the spool: it is acknowledged or void. */
void attempt_forget_result(struct attempt *a);

/* Moves on. `may_start`: a slot is free. */
void attempt_step(struct attempt *a, bool may_start, int64_t now_ms);

struct msg_run attempt_run(const struct attempt *a);
enum attempt_phase attempt_phase(const struct attempt *a);

/* To wait on; -1 for none. */
int attempt_fd(const struct attempt *a);

/* Grants a running process so many threads from now on (worker/pipeline/share.h). Has no
 * effect in other phases. */
void attempt_share(struct attempt *a, int32_t threads);

/* Asked for by the coordinator: the result will be "stopped". */
void attempt_cancel(struct attempt *a, bool hard, const char *reason, int64_t now_ms);

/* Towards BACK: a running process gets grace_ms to write its checkpoint. */
void attempt_give_back(struct attempt *a, int64_t now_ms, int64_t grace_ms);

/* Acknowledgements, from the session. */
void attempt_checkpointed(struct attempt *a, int64_t step);
void attempt_missing(struct attempt *a, const char *what, const char *sha);

/* A new session: what was not acknowledged may be lost. */
void attempt_rewind(struct attempt *a);

#endif
