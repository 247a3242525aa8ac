/*
 * events.c - JSON lines to the agent. Invariant: what is on the wire is always whole
 * lines of valid JSON with finite numbers. Knows nothing of training.
 */
#include "worker/pipeline/events.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/crash.h"

enum { EVENTS_FD = 3 };
static const double progress_gap_s = 0.25;

int
events_open(struct events *e, struct err *err)
{
    const char *where = getenv("RELUSWEEP_EVENTS");

    *e = (struct events){.fd = EVENTS_FD};
    if (where != NULL && strcmp(where, "stdout") == 0)
        e->fd = STDOUT_FILENO;
    if (fcntl(e->fd, F_GETFD) < 0)
        return err_set(err, ERR_USAGE,
                       "file descriptor %d for events is not open; by hand, set "
                       "RELUSWEEP_EVENTS=stdout",
                       e->fd);
    return 0;
}

static int
write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(fd, text, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        text += done;
        n -= (size_t)done;
    }
    return 0;
}

/* Takes the reference to `event`. */
static int
send(const struct events *e, json_t *event, struct err *err)
{
    char *text = json_dumps(event, JSON_COMPACT);
    int rc = 0;

    json_decref(event);
    if (text == NULL)
        return err_set(err, ERR_BUG, "an event cannot be written as JSON");
    const size_t n = strlen(text);
    text[n] = '\n'; /* in place of the NUL */
    if (write_all(e->fd, text, n + 1) != 0)
        rc = err_sys(err, "write an event");
    free(text);
    return rc;
}

int
events_started(const struct events *e, json_t *provenance, struct err *err)
{
    return send(e, json_pack("{s:o}", "started", provenance), err);
}

int
events_progress(struct events *e, const struct events_progress *p, struct err *err)
{
    const double now = clock_mono_s();

    if (e->last_progress_s > 0 && now - e->last_progress_s < progress_gap_s)
        return 0;
    e->last_progress_s = now;
    json_t *row =
        json_pack("{s:I, s:I, s:I, s:I, s:f, s:f}", "epoch", (json_int_t)p->epoch,
                  "epochs", (json_int_t)p->epochs, "step", (json_int_t)p->step, "steps",
                  (json_int_t)p->steps, "images_per_second", p->images_per_second,
                  "seconds_left", p->seconds_left);
    if (isfinite(p->loss))
        json_object_set_new(row, "loss", json_real(p->loss));
    return send(e, json_pack("{s:o}", "progress", row), err);
}

static json_t *
metric_rows(const struct metric *points, size_t n)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct metric *m = &points[i];
        if (!isfinite(m->value))
            continue;
        json_array_append_new(rows, json_pack("{s:s, s:I, s:f, s:s, s:s}", "name",
                                              m->name, "step", (json_int_t)m->step,
                                              "value", m->value, "unit", m->unit,
                                              "goal", metric_goal_name(m->goal)));
    }
    return rows;
}

int
events_metrics(const struct events *e, const struct metric *points, size_t n,
               struct err *err)
{
    return send(e, json_pack("{s:o}", "metrics", metric_rows(points, n)), err);
}

int
events_checkpoint(const struct events *e, int64_t step, const char *file,
                  struct err *err)
{
    crash_point("stage-checkpoint");
    return send(e,
                json_pack("{s:{s:I, s:s}}", "checkpoint", "step", (json_int_t)step,
                          "file", file),
                err);
}

int
events_result_artifact(const struct events *e, const struct metric *finals, size_t n,
                       const char *artifact, const char *file, struct err *err)
{
    json_t *artifacts = json_array();

    crash_point("stage-result");
    if (file != NULL)
        json_array_append_new(artifacts,
                              json_pack("{s:s, s:s}", "name", artifact, "file", file));
    return send(e,
                json_pack("{s:{s:o, s:o}}", "result", "finals", metric_rows(finals, n),
                          "artifacts", artifacts),
                err);
}

int
events_result(const struct events *e, const struct metric *finals, size_t n,
              const char *model, struct err *err)
{
    return events_result_artifact(e, finals, n, "model", model, err);
}

void
events_error(const struct events *e, const struct err *error)
{
    struct err ignored;
    json_t *text = json_string(error->text);

    if (text == NULL) /* not UTF-8: a path, perhaps */
        text = json_string("(text is not UTF-8; see the log)");
    if (send(e,
             json_pack("{s:{s:s, s:o}}", "error", "kind", err_kind_name(error->kind),
                       "text", text),
             &ignored)
        != 0)
        return;
}
