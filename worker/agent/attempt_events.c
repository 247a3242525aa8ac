/*
 * attempt_events.c - what a stage says through its pipe (PROTOCOL.md, stages), handed to
 * the session. A stage is a program that may be wrong: every member is optional here and
 * what does not fit is ignored.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "worker/agent/attempt_state.h"
#include "worker/agent/spool.h"

static void
take_started(struct attempt *a, const json_t *provenance)
{
    char *text = json_canonical(provenance);

    session_run_started(a->env->session, a->run, child_pid(a->child), text);
    free(text);
}

static void
take_progress(struct attempt *a, const json_t *p)
{
    const struct msg_progress progress = {
        .run = a->run,
        .epoch = json_int(p, "epoch", 0),
        .epochs = json_int(p, "epochs", 0),
        .step = json_int(p, "step", 0),
        .steps = json_int(p, "steps", 0),
        .images_per_second = json_num(p, "images_per_second", 0),
        .loss = json_num(p, "loss", (double)NAN),
        .seconds_left = json_num(p, "seconds_left", -1),
    };

    session_run_progress(a->env->session, &progress);
}

static void
take_metrics(struct attempt *a, const json_t *rows, int64_t now_ms)
{
    const size_t most = json_array_size(rows);
    struct msg_point *points = xcalloc(most + 1, sizeof *points);
    const size_t n = spool_points(rows, points, most);

    session_run_metrics(a->env->session, a->run, points, n, now_ms);
    free(points);
}

static void
take_checkpoint(struct attempt *a, const json_t *c)
{
    const char *file = json_str(c, "file", "");

    if (file[0] == '\0' || strchr(file, '/') != NULL) {
        log_warn("attempt",
                 "job=%" PRId64 " event=checkpoint file=\"%s\" state=ignored",
                 a->run.job, file);
        return;
    }
    char *path = file_join(a->dir, file);
    saver_add(&a->saver, json_int(c, "step", 0), path);
    free(path);
}

static void
keep(json_t **slot, json_t *value)
{
    json_decref(*slot);
    *slot = json_incref(value);
}

void
attempt_take_event(struct attempt *a, const json_t *event, int64_t now_ms)
{
    json_t *body;

    if ((body = json_object_get(event, "started")) != NULL)
        take_started(a, body);
    if ((body = json_object_get(event, "progress")) != NULL) {
        take_progress(a, body);
        watchdog_progress(&a->watchdog, json_int(body, "epoch", 0),
                          json_int(body, "step", 0), now_ms);
    } else {
        watchdog_moved(&a->watchdog, now_ms);
    }
    if ((body = json_object_get(event, "metrics")) != NULL)
        take_metrics(a, body, now_ms);
    if ((body = json_object_get(event, "checkpoint")) != NULL)
        take_checkpoint(a, body);
    if ((body = json_object_get(event, "result")) != NULL)
        keep(&a->result, body);
    if ((body = json_object_get(event, "error")) != NULL)
        keep(&a->error, body);
}
