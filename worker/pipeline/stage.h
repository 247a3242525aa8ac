#ifndef WORKER_PIPELINE_STAGE_H
#define WORKER_PIPELINE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "worker/engine/backend.h"
#include "worker/engine/team.h"
#include "worker/methods/config.h"
#include "worker/pipeline/events.h"

/* What the stage's process (run.h) lends to the stage that it runs. */
struct stage_context {
    const char *dir;    /* the stage's folder: inputs, checkpoints, artifacts */
    const json_t *spec; /* shared/spec/job.h */
    const char *digest; /* of the spec; checkpoints carry it */
    struct stage_config config;
    struct events *events;
    const struct backend *backend;
    struct team *team;
    const char *data_dir; /* NULL: the default places */
    double checkpoint_seconds;
    bool keep_checkpoints; /* false: nobody collects them; only the last two stay */
};

/* One row of the registry: a runner that a method's stage can name. */
struct stage {
    const char *name;
    const char *doc;
    /* Does the whole stage and emits its result; ERR_STOPPED when asked to stop. */
    int (*run)(struct stage_context *ctx, struct err *err);
};

extern const struct stage *const stages[]; /* NULL-terminated */
const struct stage *stage_find(const char *name);

/* "<dir>/inputs/<stage>.<artifact>"; caller frees. */
char *stage_input_path(const struct stage_context *ctx, const char *stage,
                       const char *artifact);

/* true once SIGTERM or SIGINT asked the process to stop. */
bool stage_stop_wanted(void);
void stage_catch_stop_signals(void);

#endif
