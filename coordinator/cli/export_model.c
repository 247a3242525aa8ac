/*
 * export_model.c - the model of one job, fetched from the database and handed to
 * `relusweep-worker export`. Knows no network and no file format.
 */
#include "coordinator/cli/export_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/launch/process.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/base/sha256.h"

/* ---- which job ------------------------------------------------------------------- */

/* The job that made the artifact with this digest. */
static int
find_by_artifact(json_t **job, const struct export_request *r, struct err *err)
{
    const struct db_selection all = {.state = ""};
    json_t *doc, *row;
    char id[24] = "";
    size_t i;

    if (db_artifacts(r->db, &all, &doc, err) != 0)
        return -1;
    json_array_foreach(json_object_get(doc, "artifacts"), i, row)
    {
        if (strcmp(json_str(row, "sha", ""), r->word) == 0)
            snprintf(id, sizeof id, "%" PRId64, json_int(row, "job", 0));
    }
    json_decref(doc);
    if (id[0] == '\0')
        return err_set(err, ERR_USAGE, "no job and no artifact is called `%s`",
                       r->word);
    return db_job(r->db, id, job, err);
}

/* A number is a job's here, also where a sweep has it. */
static int
find_job(json_t **job, const struct export_request *r, struct err *err)
{
    if (db_job(r->db, r->word, job, err) == 0)
        return 0;
    *job = NULL;
    if (err->kind == ERR_USAGE && sha256_is_hex(r->word))
        return find_by_artifact(job, r, err);
    if (err->kind == ERR_USAGE && r->selection.job == NULL)
        return err_set(err, ERR_USAGE,
                       "`%s` is a sweep; name one of its jobs (`relusweep jobs %s`)",
                       r->word, r->word);
    return -1;
}

/* Digest of the artifact "model". */
static int
find_model(const char **sha, const json_t *job, struct err *err)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(job, "artifacts"), i, row)
    {
        *sha = json_str(row, "sha", "");
        if (strcmp(json_str(row, "name", ""), "model") == 0)
            return 0;
    }
    return err_set(err, ERR_USAGE, "job %" PRId64 " (%s, %s) has no model",
                   json_int(job, "id", 0), json_str(job, "stage", ""),
                   json_str(job, "state", ""));
}

/* ---- what the card gets ---------------------------------------------------------- */

/* {"CA": 81.2, ...} added to `to`. */
static void
add_metrics(json_t *to, const json_t *job)
{
    const char *name;
    json_t *metric;

    json_object_foreach(json_object_get(job, "metrics"), name, metric)
        json_object_set(to, name, json_object_get(metric, "value"));
}

/* The metrics of the stages that measured this model, over its own. */
static int
collect_metrics(json_t **out, const struct export_request *r, const json_t *job,
                struct err *err)
{
    const json_t *child;
    size_t i;

    *out = json_object();
    add_metrics(*out, job);
    json_array_foreach(json_object_get(job, "children"), i, child)
    {
        char id[24];
        json_t *whole;
        if (strcmp(json_str(child, "stage", ""), "evaluate") != 0)
            continue;
        snprintf(id, sizeof id, "%" PRId64, json_int(child, "id", 0));
        if (db_job(r->db, id, &whole, err) != 0)
            return -1;
        add_metrics(*out, whole);
        json_decref(whole);
    }
    return 0;
}

/* Of the attempt that made the model. */
static json_t *
provenance_of(const json_t *job)
{
    const json_t *attempts = json_object_get(job, "attempts");
    const json_t *last = json_array_get(attempts, json_array_size(attempts) - 1);
    json_t *p = json_object_get(last, "provenance");

    return p != NULL ? json_incref(p) : json_null();
}

static int
write_about(const char *path, const struct export_request *r, const json_t *job,
            struct err *err)
{
    json_t *metrics;

    int rc = collect_metrics(&metrics, r, job, err);
    if (rc != 0) {
        json_decref(metrics);
        return -1;
    }
    json_t *about = json_pack(
        "{s:{s:s, s:s, s:s}, s:O?, s:O?, s:o, s:o}", "job", "digest",
        json_str(job, "digest", ""), "method", json_str(job, "method", ""), "stage",
        json_str(job, "stage", ""), "params", json_object_get(job, "params"), "sweeps",
        json_object_get(job, "sweeps"), "provenance", provenance_of(job), "metrics",
        metrics);
    rc = json_save(about, path, err);
    json_decref(about);
    return rc;
}

/* ---- the worker ------------------------------------------------------------------ */

static int
run_worker(const struct export_request *r, const char *format, const char *model,
           const char *about, struct err *err)
{
    char *program = proc_sibling("relusweep-worker");
    char *const argv[] = {program,
                          (char *)"export",
                          (char *)"--model",
                          (char *)model,
                          (char *)"--about",
                          (char *)about,
                          (char *)"--format",
                          (char *)format,
                          (char *)"--path",
                          (char *)r->path,
                          (char *)"--out",
                          (char *)r->out,
                          NULL};
    const int rc = process_run(argv, NULL, NULL, err);

    free(program);
    return rc;
}

static int
export_as(const struct export_request *r, const char *format, struct err *err)
{
    char *model = xasprintf("%s.model", r->out), *about = xasprintf("%s.about", r->out);
    const char *sha = "";
    json_t *job;

    int rc = find_job(&job, r, err);
    if (rc == 0)
        rc = find_model(&sha, job, err);
    if (rc == 0)
        rc = db_blob_save(r->db, sha, model, err);
    if (rc == 0)
        rc = write_about(about, r, job, err);
    if (rc == 0)
        rc = run_worker(r, format, model, about, err);
    if (rc == 0)
        printf("%s\n%s.json\n", r->out, r->out);
    unlink(model);
    unlink(about);
    json_decref(job);
    free(model);
    free(about);
    return rc;
}

int
export_safetensors(const struct export_request *r, struct err *err)
{
    return export_as(r, "safetensors", err);
}

int
export_onnx(const struct export_request *r, struct err *err)
{
    return export_as(r, "onnx", err);
}
