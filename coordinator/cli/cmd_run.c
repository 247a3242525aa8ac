/*
 * cmd_run.c - the whole system on one machine, from a sweep file to its report.
 * Everything that matters is in the database before anything starts, so interrupting
 * this at any moment loses nothing and the same command goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/follow.h"
#include "coordinator/cli/model_facts.h"
#include "coordinator/cli/progress.h"
#include "coordinator/cli/sweepfile.h"
#include "coordinator/launch/local.h"
#include "coordinator/report/report.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

static const char *const backends[] = {"auto", "dnnl", "blas", NULL};
static const char *const profiles[] = {"fast", "portable", NULL};

enum { MAX_SLOTS = 32, OTHER_MS = 10000 };

struct run_config {
    struct sweepfile_config file;
    int64_t slots, threads;
    const char *backend, *profile, *data_dir, *out, *page;
    int64_t checkpoint_seconds, artifact_min_mib;
};

static const struct param run_params[] = {
    SWEEPFILE_ROWS(struct run_config),
    PARAM_ROW_INT(struct run_config, slots, "0", 0, MAX_SLOTS,
                  "jobs at once; 0: one a core"),
    PARAM_ROW_INT(struct run_config, threads, "0", 0, 1024,
                  "threads of each job; 0: the running jobs share the cores"),
    PARAM_ROW_CHOICE(struct run_config, backend, "auto", backends, "kernels to use"),
    PARAM_ROW_CHOICE(struct run_config, profile, "fast", profiles,
                     "numerics: fast, or portable (AVX2 kernels everywhere)"),
    PARAM_ROW_STRING(struct run_config, data_dir, "",
                     "folder of the data sets; default RELUSWEEP_DATA"),
    PARAM_ROW_STRING(struct run_config, out, "",
                     "folder of the report; default report-<name of the sweep>"),
    PARAM_ROW_STRING(
        struct run_config, page, "127.0.0.1:8080",
        "where browsers find the page while it runs (or at another port of "
        "this machine, if that one is taken); `off`: no page"),
    PARAM_ROW_INT(struct run_config, checkpoint_seconds, "30", 1, 86400,
                  "at most this much work is repeated after a kill"),
    PARAM_ROW_INT(struct run_config, artifact_min_mib, "16", 0, 65536,
                  "MiB from which on artifacts and checkpoints are files in the state "
                  "folder, not rows of its private server"),
};

static int64_t
default_slots(void)
{
    const int cores = proc_cores();

    return cores < MAX_SLOTS ? cores : MAX_SLOTS;
}

/* One coordinator serves a database. That of a run which was killed is about to leave;
 * one that stays is somebody else's, and does this sweep too. */
static int
wait_for_other_coordinator(struct db *db, int64_t sweep, const char *name,
                           struct err *err)
{
    const int64_t deadline = clock_mono_ms() + OTHER_MS;

    for (;;) {
        json_t *status = NULL;
        if (db_status(db, sweep, &status, err) != 0)
            return -1;
        const bool there = json_is_object(json_object_get(status, "coordinator"));
        json_decref(status);
        if (!there)
            return 0;
        if (follow_interrupted())
            return EXIT_INTERRUPTED;
        if (clock_mono_ms() > deadline)
            return err_set(err, ERR_REFUSED,
                           "another coordinator serves this database already; the "
                           "sweep is queued with it, and `relusweep watch %s` follows "
                           "it",
                           name);
        clock_pause_ms(200);
    }
}

static void
say_page(const struct local *programs, int64_t sweep)
{
    char *url = local_page_url(programs);

    if (url != NULL)
        fprintf(stderr, "page: %ssweeps/%lld\n", url, (long long)sweep);
    free(url);
}

static int
work(struct cmd_ctx *ctx, const struct run_config *c, struct local *programs,
     int64_t sweep, struct err *err)
{
    const struct local_config config = {
        .state_dir = ctx->state_dir,
        .conninfo = cmd_ctx_conninfo(ctx),
        .slots = c->slots > 0 ? c->slots : default_slots(),
        .threads = c->threads,
        .backend = c->backend,
        .profile = c->profile,
        .data = c->data_dir,
        .checkpoint_seconds = c->checkpoint_seconds,
        .files = cmd_ctx_is_private(ctx),
        .artifact_min_mib = c->artifact_min_mib,
        .page = strcmp(c->page, "off") != 0 ? c->page : "",
    };
    json_t *last = NULL;

    if (local_start(programs, &config, err) != 0)
        return -1;
    say_page(programs, sweep);
    struct view *view = progress_new(stderr, ctx->tty_err, false);
    const int rc = follow(ctx, sweep, programs, view, &last, err);
    json_decref(last);
    if (rc == EXIT_INTERRUPTED)
        fprintf(stderr, "stopping: running jobs write their checkpoints ...\n");
    return rc;
}

/* Writes the report and prints its table. */
static int
finish(struct cmd_ctx *ctx, struct db *db, int64_t sweep, const char *dir,
       struct err *err)
{
    json_t *rows = NULL, *report = NULL;
    struct buf text = {0};
    int rc = -1;

    if (db_report(db, sweep, &rows, err) != 0
        || model_facts_add(rows, db, sweep, err) != 0
        || report_build(&report, rows, err) != 0 || report_write(report, dir, err) != 0)
        goto out;
    report_text(&text, report, ctx->columns);
    fputs(buf_str(&text), stdout);
    printf("\nreport: %s/index.html\n", dir);
    rc = 0;
out:
    buf_release(&text);
    json_decref(report);
    json_decref(rows);
    return rc;
}

/* Before days of work: can the report be written there at all? */
static int
check_out(const char *dir, struct err *err)
{
    if (file_make_dirs(dir, err) != 0) {
        err->kind = ERR_USAGE;
        return err_wrap(err, "no place for the report; choose another with --out");
    }
    if (access(dir, W_OK | X_OK) != 0)
        return err_set(err, ERR_USAGE,
                       "the report cannot be written to %s: %s; choose another folder "
                       "with --out",
                       dir, strerror(errno));
    return 0;
}

/* The sweep is in the database: what is open is done, then comes the report. */
static int
do_sweep(struct cmd_ctx *ctx, const struct run_config *c, struct local *programs,
         int64_t sweep, const char *name, const char *dir, struct err *err)
{
    json_t *status = NULL;
    struct db *db;
    int rc = -1;

    if (cmd_ctx_db(ctx, true, &db, err) != 0 || db_status(db, sweep, &status, err) != 0)
        goto out;
    rc = 0;
    if (view_open_jobs(status) > 0)
        rc = wait_for_other_coordinator(db, sweep, name, err);
    if (rc == 0 && view_open_jobs(status) > 0)
        rc = work(ctx, c, programs, sweep, err);
    if (rc != 0)
        goto out;
    json_decref(status);
    status = NULL;
    if (cmd_ctx_db(ctx, false, &db, err) != 0 || finish(ctx, db, sweep, dir, err) != 0
        || db_status(db, sweep, &status, err) != 0) {
        rc = -1;
    } else if (view_bad_jobs(status) > 0) {
        fprintf(stderr,
                "%lld jobs did not succeed; `relusweep status %s` and `relusweep "
                "explain JOB` say why\n",
                (long long)view_bad_jobs(status), name);
        rc = EXIT_JOBS_FAILED;
    }
out:
    json_decref(status);
    return rc;
}

static int
run_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
        struct err *err)
{
    const struct run_config *c = config;
    struct db_submitted sub = {0};
    struct local *programs = NULL;
    char *name = NULL, *dir = NULL;
    int rc = -1;

    (void)n_words;
    follow_catch_signals();
    if (local_reserve(&programs, ctx->state_dir, err) != 0
        || sweepfile_submit(&sub, &name, ctx, words[0], &c->file, err) != 0)
        goto out;
    dir = c->out[0] ? xstrdup(c->out) : xasprintf("report-%s", name);
    const bool made = !file_exists(dir);
    if (check_out(dir, err) == 0)
        rc = do_sweep(ctx, c, programs, sub.sweep, name, dir, err);
    if (made && rc != 0)
        rmdir(dir); /* when nothing came into it */
out:
    local_stop(programs);
    if (rc == -1 && follow_interrupted()) /* Ctrl-C reached a server being made */
        rc = EXIT_INTERRUPTED;
    if (rc == EXIT_INTERRUPTED)
        fputs("interrupted; nothing is lost: the same command goes on\n", stderr);
    free(dir);
    free(name);
    return rc;
}

const struct cmd cmd_run = {
    .name = "run",
    .usage = "SWEEP.yaml",
    .doc = "do a whole sweep on this machine and write its report",
    .group = "Sweeps",
    .params = run_params,
    .n_params = PARAM_COUNT(run_params),
    .config_size = sizeof(struct run_config),
    .repeated = "set",
    .min_words = 1,
    .max_words = 1,
    .run = run_run,
};
