/*
 * export_mlflow.c - MLflow's file store: <out>/<experiment>/<run>/{meta.yaml,
 * metrics/<name>, params/<name>, tags/<name>}. `mlflow ui --backend-store-uri <out>`
 * reads it, `mlflow migrate-filestore` takes it over.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/export_metrics.h"
#include "coordinator/report/number.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

struct store {
    const struct export_request *request;
    char *experiment, *folder; /* id; where it lies */
};

/* MLflow's RunStatus and SourceType. */
enum { RUNNING = 1, FINISHED = 3, FAILED = 4, KILLED = 5, SOURCE_LOCAL = 4 };

static int
status_of(const char *state)
{
    if (strcmp(state, "succeeded") == 0)
        return FINISHED;
    if (strcmp(state, "cancelled") == 0)
        return KILLED;
    if (strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0)
        return FAILED;
    return RUNNING;
}

/* Writes folder/kind/name. A '/' in a name would be a folder, which cannot be where the
 * file of another name is (mCE, mCE/plain): it becomes a '.'. */
static int
write_entry(const char *folder, const char *kind, const char *name, struct buf *text,
            struct err *err)
{
    char *flat = xstrdup(name), *dir = file_join(folder, kind);
    struct buf path = {0};

    for (char *c = strchr(flat, '/'); c != NULL; c = strchr(c, '/'))
        *c = '.';
    buf_printf(&path, "%s/", dir);
    export_file_name(&path, flat);
    int rc = file_make_dirs(dir, err);
    if (rc == 0)
        rc = export_write(buf_str(&path), text, err);
    buf_release(&path);
    buf_release(text);
    free(dir);
    free(flat);
    return rc;
}

/* "timestamp_ms value step" */
static void
put_point(struct buf *out, int64_t at_ms, double value, int64_t step)
{
    buf_printf(out, "%" PRId64 " ", at_ms);
    number_exact(out, value);
    buf_printf(out, " %" PRId64 "\n", step);
}

static int
write_metrics(const char *folder, const json_t *job, int64_t start_ms, int64_t end_ms,
              struct err *err)
{
    json_t *item, *point;
    size_t i, k;
    int rc = 0;

    json_array_foreach(json_object_get(job, "curves"), i, item)
    {
        struct buf text = {0};
        json_array_foreach(json_object_get(item, "points"), k, point)
        {
            if (json_is_number(json_array_get(point, 1)))
                put_point(&text, start_ms, json_number_value(json_array_get(point, 1)),
                          json_integer_value(json_array_get(point, 0)));
        }
        if (rc == 0)
            rc = write_entry(folder, "metrics", json_str(item, "name", ""), &text, err);
        buf_release(&text);
    }
    json_array_foreach(json_object_get(job, "finals"), i, item)
    {
        const double value = json_num(item, "value", NAN);
        struct buf text = {0}, name = {0};
        buf_printf(&name, "final.%s", json_str(item, "name", ""));
        if (rc == 0 && !isnan(value)) {
            put_point(&text, end_ms, value, 0);
            rc = write_entry(folder, "metrics", buf_str(&name), &text, err);
        }
        buf_release(&name);
    }
    return rc;
}

static int
write_params(const char *folder, const json_t *job, struct err *err)
{
    json_t *value;
    const char *name;
    int rc = 0;

    json_object_foreach(json_object_get(job, "params"), name, value)
    {
        struct buf text = {0};
        number_param(&text, value);
        if (rc == 0)
            rc = write_entry(folder, "params", name, &text, err);
        buf_release(&text);
    }
    return rc;
}

static int
write_tags(const char *folder, const json_t *job, struct err *err)
{
    static const char *const keys[] = {"method", "stage", "digest", "worker"};
    struct buf name = {0};
    int rc;

    buf_printf(&name, "%s %" PRId64, json_str(job, "stage", ""),
               json_int(job, "id", 0));
    rc = write_entry(folder, "tags", "mlflow.runName", &name, err);
    for (size_t i = 0; rc == 0 && i < sizeof keys / sizeof keys[0]; i++) {
        struct buf text = {0};
        char *tag = xasprintf("relusweep.%s", keys[i]);
        buf_puts(&text, json_str(job, keys[i], ""));
        rc = write_entry(folder, "tags", tag, &text, err);
        free(tag);
    }
    return rc;
}

/* Strings of these files are single-quoted YAML: a quote is doubled. */
static void
put_quoted(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "%s: '", key);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_putc(out, '\'');
        buf_putc(out, *text);
    }
    buf_puts(out, "'\n");
}

static int
write_run_meta(const struct store *s, const char *folder, const char *run,
               const json_t *job, int64_t start_ms, int64_t end_ms, struct err *err)
{
    const int status = status_of(json_str(job, "state", ""));
    char *path = file_join(folder, "meta.yaml"), *name;
    struct buf meta = {0}, uri = {0};

    name = xasprintf("%s %" PRId64, json_str(job, "stage", ""), json_int(job, "id", 0));
    buf_printf(&uri, "%s/artifacts", folder);
    put_quoted(&meta, "artifact_uri", buf_str(&uri));
    if (status == RUNNING)
        buf_puts(&meta, "end_time: null\n");
    else
        buf_printf(&meta, "end_time: %" PRId64 "\n", end_ms);
    buf_puts(&meta, "entry_point_name: ''\n");
    put_quoted(&meta, "experiment_id", s->experiment);
    buf_puts(&meta, "lifecycle_stage: active\n");
    put_quoted(&meta, "run_id", run);
    put_quoted(&meta, "run_name", name);
    put_quoted(&meta, "run_uuid", run);
    buf_printf(&meta,
               "source_name: ''\nsource_type: %d\nsource_version: ''\n"
               "start_time: %" PRId64 "\nstatus: %d\ntags: []\nuser_id: ''\n",
               SOURCE_LOCAL, start_ms, status);
    const int rc = export_write(path, &meta, err);
    buf_release(&uri);
    buf_release(&meta);
    free(name);
    free(path);
    return rc;
}

/* A run's id is the first half of the job's digest, so that exporting again replaces
 * it. Jobs that have not begun are no runs. */
static int
write_run(void *arg, const json_t *job, struct err *err)
{
    const struct store *s = arg;
    const int64_t start_ms = json_int(job, "started_ms", -1);
    const int64_t end_ms = json_int(job, "ended_ms", start_ms);

    if (start_ms < 0)
        return 0;
    char *run = xasprintf("%.32s", json_str(job, "digest", ""));
    char *folder = file_join(s->folder, run),
         *artifacts = file_join(folder, "artifacts");
    int rc = file_make_dirs(artifacts, err);
    if (rc == 0)
        rc = write_run_meta(s, folder, run, job, start_ms, end_ms, err);
    if (rc == 0)
        rc = write_metrics(folder, job, start_ms, end_ms, err);
    if (rc == 0)
        rc = write_params(folder, job, err);
    if (rc == 0)
        rc = write_tags(folder, job, err);
    free(artifacts);
    free(folder);
    free(run);
    return rc;
}

static int
write_experiment(const struct store *s, struct err *err)
{
    char *path = file_join(s->folder, "meta.yaml");
    struct buf meta = {0};

    int rc = file_make_dirs(s->folder, err);
    put_quoted(&meta, "artifact_location", s->folder);
    put_quoted(&meta, "experiment_id", s->experiment);
    buf_puts(&meta, "lifecycle_stage: active\n");
    put_quoted(&meta, "name", s->request->word);
    if (rc == 0)
        rc = export_write(path, &meta, err);
    buf_release(&meta);
    free(path);
    return rc;
}

/* The experiment's id is a number made from the name, so several sweeps can be exported
 * into one store. */
static char *
experiment_id(const char *name)
{
    struct sha256 digest = sha256_bytes(name, strlen(name));

    digest.hex[12] = '\0';
    return xasprintf("%lld", strtoll(digest.hex, NULL, 16));
}

int
export_mlflow(const struct export_request *r, struct err *err)
{
    struct store s = {.request = r, .experiment = experiment_id(r->word)};
    int64_t n = 0;

    s.folder = file_join(r->out, s.experiment);
    int rc = write_experiment(&s, err);
    if (rc == 0)
        rc = export_each_job(r, write_run, &s, &n, err);
    if (rc == 0)
        printf("%" PRId64 " jobs: mlflow ui --backend-store-uri %s\n", n, r->out);
    free(s.folder);
    free(s.experiment);
    return rc;
}
