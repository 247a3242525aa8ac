/*
 * spool.c - results on disk until they are acknowledged. Must not know sockets, sessions
 * or processes.
 */
#include "worker/agent/spool.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/log.h"

static char *
path_of(const char *dir, struct msg_run run)
{
    return xasprintf("%s/%" PRId64 "-%" PRId64 ".json", dir, run.job, run.attempt);
}

struct msg_run
spool_run(const json_t *entry)
{
    return (struct msg_run){.job = json_int(entry, "job", 0),
                            .attempt = json_int(entry, "attempt", 0)};
}

int
spool_write(const char *dir, const json_t *entry, struct err *err)
{
    char *path = path_of(dir, spool_run(entry));
    const int rc = json_save(entry, path, err);

    free(path);
    return rc;
}

void
spool_remove(const char *dir, struct msg_run run)
{
    char *path = path_of(dir, run);

    (void)unlink(path);
    free(path);
}

static void
load_one(json_t *entries, const char *path)
{
    json_t *entry = NULL;
    struct err err = {0};

    if (json_load(&entry, path, &err) != 0) {
        log_warn("spool", "file=%s state=unreadable text=\"%s\"", path, err.text);
        return;
    }
    if (spool_run(entry).job > 0)
        json_array_append(entries, entry);
    else
        log_warn("spool", "file=%s state=no-result", path);
    json_decref(entry);
}

json_t *
spool_load(const char *dir)
{
    json_t *entries = json_array();
    DIR *d = opendir(dir);

    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        const size_t n = strlen(e->d_name);
        if (n < 5 || strcmp(e->d_name + n - 5, ".json") != 0)
            continue;
        char *path = file_join(dir, e->d_name);
        load_one(entries, path);
        free(path);
    }
    if (d != NULL)
        closedir(d);
    return entries;
}

size_t
spool_points(const json_t *rows, struct msg_point *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(rows) && n < max; i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_str(row, "name", "");
        if (name[0] == '\0')
            continue;
        out[n++] = (struct msg_point){.name = name,
                                      .step = json_int(row, "step", -1),
                                      .value = json_num(row, "value", NAN),
                                      .unit = json_str(row, "unit", ""),
                                      .goal = json_str(row, "goal", "none")};
    }
    return n;
}

void
spool_message(const json_t *entry, struct msg_result *out, struct arena *mem)
{
    const json_t *finals = json_object_get(entry, "finals");
    const json_t *artifacts = json_object_get(entry, "artifacts");
    const size_t n_finals = json_array_size(finals);

    *out = (struct msg_result){.run = spool_run(entry),
                               .outcome = json_str(entry, "outcome", "bug"),
                               .text = json_str(entry, "text", ""),
                               .exit_code = json_int(entry, "exit_code", 0),
                               .signal = json_int(entry, "signal", 0),
                               .seconds = json_num(entry, "seconds", 0),
                               .peak_rss_bytes = json_int(entry, "peak_rss_bytes", 0)};
    out->finals = arena_alloc(mem, n_finals * sizeof *out->finals);
    out->n_finals = spool_points(finals, out->finals, n_finals);
    out->n_artifacts = json_array_size(artifacts);
    out->artifacts = arena_alloc(mem, out->n_artifacts * sizeof *out->artifacts);
    for (size_t i = 0; i < out->n_artifacts; i++) {
        const json_t *a = json_array_get(artifacts, i);
        out->artifacts[i] = (struct msg_artifact){.name = json_str(a, "name", ""),
                                                  .sha = json_str(a, "sha", ""),
                                                  .size = json_int(a, "size", 0)};
    }
}

/* ---- points -------------------------------------------------------------------------- */

static json_t *
point_json(const struct msg_point *p)
{
    json_t *row = json_pack("{s:s, s:I, s:s, s:s}", "name", p->name, "step",
                            (json_int_t)p->step, "unit", p->unit, "goal", p->goal);

    if (isfinite(p->value))
        json_object_set_new(row, "value", json_real(p->value));
    return row;
}

void
spool_add_batch(json_t *entry, const struct msg_metrics *batch)
{
    json_t *batches = json_object_get(entry, "batches"), *points = json_array();

    if (batches == NULL)
        json_object_set_new(entry, "batches", batches = json_array());
    for (size_t i = 0; i < batch->n_points; i++)
        json_array_append_new(points, point_json(&batch->points[i]));
    json_array_append_new(batches, json_pack("{s:I, s:o}", "seq",
                                             (json_int_t)batch->seq, "points", points));
}

bool
spool_batch(const json_t *entry, size_t i, struct msg_metrics *out, struct arena *mem)
{
    const json_t *row = json_array_get(json_object_get(entry, "batches"), i);
    const json_t *points = json_object_get(row, "points");
    const size_t n = json_array_size(points);

    *out = (struct msg_metrics){.run = spool_run(entry),
                                .seq = json_int(row, "seq", 0),
                                .points = arena_alloc(mem, n * sizeof *out->points)};
    out->n_points = spool_points(points, out->points, n);
    return row != NULL;
}
