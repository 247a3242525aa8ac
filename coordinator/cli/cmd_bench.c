/*
 * cmd_bench.c - `relusweep bench queue`: how fast the queue is on this machine, with
 * everything that a real sweep has (durable commits, leases, fences, history) but jobs
 * that end at once. It counts afterwards that each job ran exactly once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/latency.h"
#include "coordinator/db/drill.h"
#include "coordinator/launch/local.h"
#include "coordinator/launch/private_pg.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/keys/allow.h"

struct bench_config {
    int64_t jobs, workers, slots, finals, latency;
    bool busy, waiting, held, started, plain, json;
};

static const struct param bench_params[] = {
    PARAM_ROW_INT(struct bench_config, jobs, "200000", 1, 10000000, "jobs to run"),
    PARAM_ROW_INT(struct bench_config, workers, "2", 1, LOCAL_MAX_NOOP,
                  "worker processes"),
    PARAM_ROW_INT(struct bench_config, slots, "500", 1, 4096,
                  "jobs that each worker takes at once"),
    PARAM_ROW_INT(struct bench_config, finals, "0", 0, 16, "final metrics of each job"),
    PARAM_ROW_INT(struct bench_config, latency, "500", 0, 100000,
                  "jobs submitted one by one to the idle queue afterwards, to measure "
                  "the time from submission to start"),
    PARAM_ROW_BOOL(struct bench_config, busy, "false",
                   "submit these while the others run, ahead of them, until those are "
                   "done"),
    PARAM_ROW_BOOL(struct bench_config, waiting, "false",
                   "submit these while the others wait: a limit lets none of them run"),
    PARAM_ROW_BOOL(struct bench_config, held, "false",
                   "another session holds a snapshot from before the first lease"),
    PARAM_ROW_BOOL(struct bench_config, started, "false",
                   "each job says first that its process works, as those of stages do: "
                   "a message, its acknowledgement and a write more"),
    PARAM_ROW_BOOL(struct bench_config, plain, "false",
                   "unix sockets without encryption; else TCP with CURVE"),
    PARAM_ROW_BOOL(struct bench_config, json, "false", "print one JSON document"),
};

struct bench {
    const struct bench_config *config;
    char *dir; /* of a cluster of our own and the programs' logs */
    char *keys;
    struct private_pg *pg;
    const char *conninfo;
    struct db *db;
    struct db *holder; /* of an old snapshot, or NULL */
    struct local *programs;
    struct db_drill_result result;
    struct latency *sent;
    struct latency_result starts;
};

/* ---- the scene -------------------------------------------------------------------- */

/* One folder serves both sides. */
static int
make_keys(struct bench *b, struct err *err)
{
    struct keypair coordinator, worker;

    b->keys = file_join(b->dir, "keys");
    char *allowed = file_join(b->keys, "allowed");
    int rc = keyfile_new(&coordinator, b->keys, "coordinator", err);
    if (rc == 0)
        rc = keyfile_new(&worker, b->keys, "worker", err);
    if (rc == 0)
        rc = allow_add(allowed, "bench", worker.public_key, err);
    free(allowed);
    return rc;
}

static int
open_scene(struct bench *b, struct cmd_ctx *ctx, struct err *err)
{
    b->dir = xasprintf("%s-bench-%d", ctx->state_dir, (int)getpid());
    b->conninfo = ctx->database;
    if (b->conninfo == NULL) {
        if (private_pg_open(&b->pg, b->dir, true, err) != 0)
            return -1;
        b->conninfo = private_pg_conninfo(b->pg);
    }
    if (db_open(&b->db, b->conninfo, err) != 0 || db_migrate(b->db, err) != 0)
        return -1;
    if (local_reserve(&b->programs, b->dir, err) != 0)
        return -1;
    return b->config->plain ? 0 : make_keys(b, err);
}

static void
close_scene(struct bench *b)
{
    struct err ignored;

    local_stop(b->programs);
    db_close(b->db);
    db_close(b->holder);
    private_pg_close(b->pg);
    if (b->dir != NULL && file_remove_tree(b->dir, &ignored) != 0)
        fprintf(stderr, "left behind: %s (%s)\n", b->dir, ignored.text);
    latency_free(b->sent);
    free(b->dir);
    free(b->keys);
}

/* A session that somebody has forgotten. */
static int
hold_snapshot(struct bench *b, struct err *err)
{
    return db_open(&b->holder, b->conninfo, err) == 0 ? db_drill_hold(b->holder, err)
                                                      : -1;
}

static int
start_programs(struct bench *b, struct err *err)
{
    const struct local_config config = {.state_dir = b->dir,
                                        .conninfo = b->conninfo,
                                        .slots = b->config->slots,
                                        .noop = b->config->workers,
                                        .finals = b->config->finals,
                                        .started = b->config->started,
                                        .starts = b->config->latency > 0,
                                        .keys = b->keys,
                                        .data = ""};

    return local_start(b->programs, &config, err);
}

/* ---- throughput ------------------------------------------------------------------- */

static int
wait_for_all(struct bench *b, struct err *err)
{
    for (;;) { /* the last number is done a little before the last job */
        if (latency_wait(b->programs, b->db, b->config->jobs, 50, err) != 0
            || db_drill_result(b->db, &b->result, err) != 0)
            return -1;
        if (b->result.other == 0)
            return 0;
        clock_pause_ms(50);
    }
}

/* All that may run did, once. */
static int
check_counts(const struct bench *b, struct err *err)
{
    const struct bench_config *c = b->config;
    const struct db_drill_result *r = &b->result;
    const int64_t n = (c->waiting ? 0 : c->jobs) + latency_count(b->sent);

    if (r->succeeded == n && r->attempts == n && r->attempts_ok == n
        && r->finals == n * c->finals)
        return 0;
    return err_set(err, ERR_BUG,
                   "%" PRId64 " jobs gave %" PRId64 " successes, %" PRId64
                   " attempts and %" PRId64 " final metrics",
                   n, r->succeeded, r->attempts, r->finals);
}

/* ---- the verb --------------------------------------------------------------------- */

/* Lets none of the jobs that are there run; those that come are not asked. */
static int
stop_stage(struct bench *b, struct err *err)
{
    return db_limit(b->db, &(struct db_limit){.stage = "noop", .label = "", .most = 0},
                    err);
}

static int
submit_ahead(struct bench *b, struct err *err)
{
    /* the first one: the workers have begun */
    if (latency_wait(b->programs, b->db, 1, 1, err) != 0
        || latency_submit(b->sent, b->programs, b->db, b->config->latency,
                          b->config->jobs, err)
               != 0)
        return -1;
    return latency_count(b->sent) > 0
               ? 0
               : err_set(err, ERR_REFUSED,
                         "the jobs were done before one could be "
                         "submitted ahead of them; give more --jobs");
}

static int
wait_for_workers(struct bench *b, struct err *err)
{
    for (int64_t n = 0;; clock_pause_ms(5)) {
        if (local_tend(b->programs, err) != 0 || db_drill_workers(b->db, &n, err) != 0)
            return -1;
        if (n >= b->config->workers)
            return 0;
    }
}

static int
submit_alone(struct bench *b, struct err *err)
{
    if (wait_for_workers(b, err) != 0)
        return -1;
    return latency_submit(b->sent, b->programs, b->db, b->config->latency, 0, err);
}

/* All jobs, and those that are submitted beside them. */
static int
run_jobs(struct bench *b, struct err *err)
{
    const struct bench_config *c = b->config;

    if (c->waiting)
        return submit_alone(b, err) == 0 ? db_drill_result(b->db, &b->result, err) : -1;
    return !c->busy || submit_ahead(b, err) == 0 ? wait_for_all(b, err) : -1;
}

static int
run_bench(struct bench *b, struct err *err)
{
    const struct bench_config *c = b->config;

    b->sent = latency_new();
    if (db_drill_fill(b->db, c->jobs, err) != 0
        || (c->waiting && stop_stage(b, err) != 0) || db_drill_settle(b->db, err) != 0
        || (c->held && hold_snapshot(b, err) != 0) || start_programs(b, err) != 0
        || run_jobs(b, err) != 0 || check_counts(b, err) != 0)
        return -1;
    if (!c->busy && !c->waiting && submit_alone(b, err) != 0)
        return -1;
    local_stop(b->programs); /* they write their files at the end */
    b->programs = NULL;
    return c->latency > 0 ? latency_read(b->sent, b->dir, c->workers, &b->starts, err)
                          : 0;
}

static const char *
beside(const struct bench_config *c)
{
    return c->busy      ? "ahead of the others"
           : c->waiting ? "beside the others, which wait"
                        : "on the idle queue";
}

static void
print_latency(const struct bench *b)
{
    const struct latency_result *r = &b->starts;

    printf("submission to start %s, %" PRId64 " times: p50 %.2f ms, p99 %.2f ms\n"
           "from its commit: p50 %.2f ms, p99 %.2f ms; the commit of one row here: p50 "
           "%.2f ms, p99 %.2f ms\n",
           beside(b->config), latency_count(b->sent), r->call.p50_ms, r->call.p99_ms,
           r->done.p50_ms, r->done.p99_ms, r->commit.p50_ms, r->commit.p99_ms);
}

/* jobs_per_second: of jobs that ran. */
static json_t *
throughput_json(const struct bench *b)
{
    const struct bench_config *c = b->config;
    json_t *doc =
        json_pack("{s:I, s:I, s:I, s:I, s:b}", "jobs", (json_int_t)c->jobs, "workers",
                  (json_int_t)c->workers, "slots", (json_int_t)c->slots, "finals",
                  (json_int_t)c->finals, "curve", !c->plain);

    if (c->waiting)
        return doc;
    json_object_set_new(doc, "seconds", json_real(b->result.seconds));
    json_object_set_new(doc, "jobs_per_second",
                        json_real((double)c->jobs / b->result.seconds));
    return doc;
}

static void
print_json(const struct bench *b)
{
    const struct latency_result *r = &b->starts;
    json_t *doc = throughput_json(b);

    if (b->config->latency > 0) {
        json_t *starts = json_pack(
            "{s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "starts",
            (json_int_t)latency_count(b->sent), "start_p50_ms", r->call.p50_ms,
            "start_p99_ms", r->call.p99_ms, "committed_start_p50_ms", r->done.p50_ms,
            "committed_start_p99_ms", r->done.p99_ms, "commit_p50_ms", r->commit.p50_ms,
            "commit_p99_ms", r->commit.p99_ms);
        json_object_update(doc, starts);
        json_decref(starts);
    }
    cmd_print_json(doc);
    json_decref(doc);
}

static void
print_result(const struct bench *b)
{
    const struct bench_config *c = b->config;

    if (c->json) {
        print_json(b);
        return;
    }
    if (c->waiting)
        printf("%" PRId64 " jobs waited\n", c->jobs);
    else
        printf("%" PRId64 " jobs in %.2f s: %.0f jobs/s, each ran once\n", c->jobs,
               b->result.seconds, (double)c->jobs / b->result.seconds);
    if (c->latency > 0)
        print_latency(b);
}

static int
check_config(const struct bench_config *c, struct err *err)
{
    if (c->busy && c->waiting)
        return err_set(err, ERR_USAGE,
                       "with --busy the other jobs run, with --waiting they do not; "
                       "give one of them");
    if ((c->busy || c->waiting) && c->latency == 0)
        return err_set(err, ERR_USAGE, "%s needs --latency, of how many submissions",
                       c->busy ? "--busy" : "--waiting");
    return 0;
}

static int
bench_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    struct bench b = {.config = config};

    (void)n_words;
    if (strcmp(words[0], "queue") != 0)
        return err_set(
            err, ERR_USAGE,
            "`bench %s` is not known; write `bench queue` (how fast a machine "
            "trains: `relusweep-worker bench`)",
            words[0]);
    int rc = check_config(b.config, err);
    if (rc == 0)
        rc = open_scene(&b, ctx, err);
    if (rc == 0)
        rc = run_bench(&b, err);
    if (rc == 0)
        print_result(&b);
    close_scene(&b);
    return rc == 0 ? EXIT_OK : -1;
}

const struct cmd cmd_bench = {
    .name = "bench",
    .usage = "queue",
    .doc = "measure the queue on this machine, in a database of its own",
    .group = "System",
    .params = bench_params,
    .n_params = PARAM_COUNT(bench_params),
    .config_size = sizeof(struct bench_config),
    .min_words = 1,
    .max_words = 1,
    .run = bench_run,
};
