/*
 * run.c - from a folder to a running stage, and from its end to an exit code. The one
 * place of the pipeline that reads the environment and logs errors.
 */
#include "worker/pipeline/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/crash.h"
#include "shared/base/file.h"
#include "shared/base/log.h"
#include "shared/base/param.h"
#include "shared/base/proc.h"
#include "shared/spec/job.h"
#include "worker/methods/method.h"
#include "worker/pipeline/provenance.h"
#include "worker/pipeline/share.h"
#include "worker/pipeline/stage.h"

/* ---- environment ----------------------------------------------------------------- */

struct run_options {
    int64_t threads; /* 0: the cores it may run on */
    const char *backend;
    const char *data_dir; /* "": the usual places */
    double checkpoint_seconds;
};

/* clang-format off */
static const struct param option_rows[] = {
    PARAM_ROW_INT(struct run_options, threads, "0", 0, 1024, "threads of the engine"),
    PARAM_ROW_STRING(struct run_options, backend, "auto", "kernels"),
    PARAM_ROW_STRING(struct run_options, data_dir, "", "folder of the data sets"),
    PARAM_ROW_REAL(struct run_options, checkpoint_seconds, "60", 0, 1e9,
                   "seconds between checkpoints"),
};
/* clang-format on */

/* Adds a variable that is set and not empty as a value of the table. */
static void
take_variable(json_t *values, const char *row, const char *variable)
{
    const char *text = getenv(variable);

    if (text != NULL && text[0] != '\0')
        json_object_set_new(values, row, json_string(text));
}

/* Strings in *out are borrowed from *values, which the caller releases. */
static int
read_environment(struct run_options *out, json_t **values, struct err *err)
{
    *values = json_object();
    take_variable(*values, "threads", "RELUSWEEP_THREADS");
    take_variable(*values, "backend", "RELUSWEEP_BACKEND");
    take_variable(*values, "data_dir", "RELUSWEEP_DATA");
    take_variable(*values, "checkpoint_seconds", "RELUSWEEP_CHECKPOINT_SECONDS");
    return param_apply(option_rows, PARAM_COUNT(option_rows), *values, out,
                       "environment (RELUSWEEP_...)", err);
}

/* ---- the job --------------------------------------------------------------------- */

static int
load_spec(json_t **out, const char *dir, struct err *err)
{
    char *path = file_join(dir, "spec.json");

    int rc = json_load(out, path, err);
    if (rc == 0)
        rc = job_spec_check(*out, err);
    free(path);
    return rc;
}

/* The method's stage that the spec names, of the revision that it names. */
static int
find_stage(const struct method_stage **out, const json_t *spec, struct err *err)
{
    const char *method = json_str(spec, "method", ""),
               *name = json_str(spec, "stage", "");
    const int64_t revision = json_int(spec, "revision", 0);
    const struct method *m = method_find(method);

    *out = m != NULL ? method_find_stage(m, name) : NULL;
    if (*out == NULL)
        return err_set(err, ERR_REFUSED,
                       "this program has no stage `%s` of method `%s`", name, method);
    if ((*out)->revision != revision)
        return err_set(err, ERR_REFUSED,
                       "the job is revision %" PRId64
                       " of stage `%s`, this program has "
                       "%" PRId64 "; use the worker that the job was planned with",
                       revision, name, (*out)->revision);
    return 0;
}

/* Fills ctx->config from the job's parameters. *params keeps its strings. */
static int
read_config(struct stage_context *ctx, const struct method_stage *s, json_t **params,
            struct err *err)
{
    *params = json_deep_copy(json_object_get(ctx->spec, "params"));
    if (*params == NULL)
        *params = json_object();
    return param_apply(s->params, s->n_params, *params, &ctx->config, s->name, err);
}

/* ---- running --------------------------------------------------------------------- */

static int
run_with_engine(struct stage_context *ctx, const struct method_stage *s,
                const struct run_options *options, struct err *err)
{
    const int threads = options->threads > 0 ? (int)options->threads : proc_cores();
    struct share share;

    if (backend_find(&ctx->backend, options->backend, err) != 0)
        return -1;
    ctx->team = team_new(threads);
    if (ctx->team == NULL)
        return err_set(err, ERR_SYS, "cannot make %d threads", threads);
    share_follow(&share, ctx->dir, ctx->team);
    ctx->data_dir = options->data_dir[0] != '\0' ? options->data_dir : NULL;
    ctx->checkpoint_seconds = options->checkpoint_seconds;
    ctx->keep_checkpoints = ctx->events->fd != STDOUT_FILENO;
    int rc =
        events_started(ctx->events, provenance_describe(ctx->backend, threads), err);
    if (rc == 0)
        rc = stage_find(s->runner)->run(ctx, err);
    team_free(ctx->team);
    share_release(&share);
    return rc;
}

static int
run_job(const char *dir, struct events *events, json_t *spec, struct err *err)
{
    const struct sha256 digest = job_spec_digest(spec);
    struct stage_context ctx = {
        .dir = dir, .spec = spec, .digest = digest.hex, .events = events};
    const struct method_stage *s;
    struct run_options options;
    json_t *params = NULL, *values = NULL;
    int rc = -1;

    if (find_stage(&s, spec, err) == 0 && read_config(&ctx, s, &params, err) == 0
        && read_environment(&options, &values, err) == 0) {
        log_info("stage", "job=%.12s method=%s stage=%s", digest.hex,
                 json_str(spec, "method", ""), s->name);
        rc = run_with_engine(&ctx, s, &options, err);
    }
    json_decref(params);
    json_decref(values);
    return rc;
}

int
run_stage(const char *dir)
{
    struct events events = {0};
    struct err err;
    json_t *spec = NULL;

    crash_arm();
    stage_catch_stop_signals();
    if (events_open(&events, &err) != 0) {
        log_error("stage", "%s", err.text);
        return err_kind_exit(err.kind);
    }
    int rc = load_spec(&spec, dir, &err);
    if (rc == 0)
        rc = run_job(dir, &events, spec, &err);
    json_decref(spec);
    if (rc == 0)
        return 0;
    log_error("stage", "kind=%s %s", err_kind_name(err.kind), err.text);
    events_error(&events, &err);
    return err_kind_exit(err.kind);
}
