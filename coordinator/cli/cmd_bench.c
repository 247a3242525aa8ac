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
#include "coordinator/db/drill.h"
#include "coordinator/launch/local.h"
#include "coordinator/launch/private_pg.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/keys/allow.h"

struct bench_config {
    int64_t jobs, workers, slots, finals, latency;
    bool busy, held, started, plain, json;
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
                   "submit these while the others wait, ahead of them"),
    PARAM_ROW_BOOL(struct bench_config, held, "false",
                   "another session holds a snapshot from before the first lease"),
    PARAM_ROW_BOOL(struct bench_config, started, "false",
                   "each job says first that its process works, as those of stages do: "
                   "a message, its acknowledgement and a write more"),
    PARAM_ROW_BOOL(struct bench_config, plain, "false",
                   "unix sockets without encryption; else TCP with CURVE"),
    PARAM_ROW_BOOL(struct bench_config, json, "false", "print one JSON document"),
};

/* Of times from submission to start. */
struct percentiles {
    double p50_ms, p99_ms;
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
    /* to the start from the call that submits and from its end; a row's commit */
    struct percentiles call, done, commit;
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
wait_for_job(struct bench *b, int64_t job, int64_t pause, struct err *err)
{
    for (bool done = false;;) {
        if (local_tend(b->programs, err) != 0
            || db_drill_done(b->db, job, &done, err) != 0)
            return -1;
        if (done)
            return 0;
        clock_pause_ms(pause);
    }
}

static int
wait_for_all(struct bench *b, struct err *err)
{
    for (;;) { /* the last number is done a little before the last job */
        if (wait_for_job(b, b->config->jobs, 50, err) != 0
            || db_drill_result(b->db, &b->result, err) != 0)
            return -1;
        if (b->result.other == 0)
            return 0;
        clock_pause_ms(50);
    }
}

static int
check_counts(const struct bench *b, struct err *err)
{
    const struct db_drill_result *r = &b->result;
    const int64_t n = b->config->jobs + (b->config->busy ? b->config->latency : 0);

    if (r->succeeded == n && r->attempts == n && r->attempts_ok == n
        && r->finals == n * b->config->finals)
        return 0;
    return err_set(err, ERR_BUG,
                   "%" PRId64 " jobs gave %" PRId64 " successes, %" PRId64
                   " attempts and %" PRId64 " final metrics",
                   n, r->succeeded, r->attempts, r->finals);
}

/* ---- latency ---------------------------------------------------------------------- */

/* Moments in nanoseconds by job number. */
struct moments {
    int64_t *at;
    int64_t n;
};

/* Of jobs that were submitted one by one: when, and when that was committed; and the begin
 * and end of a single row's commit after each, which shows what the disk does meanwhile. */
struct submissions {
    struct moments call, done, touch, touched;
};

static struct moments
moments_new(int64_t n)
{
    return (struct moments){xcalloc((size_t)n, sizeof(int64_t)), n};
}

static int
read_starts(const struct bench *b, struct moments *starts, struct err *err)
{
    for (int64_t i = 0; i < b->config->workers; i++) {
        char *path = xasprintf("%s/noop-%" PRId64 ".starts", b->dir, i);
        struct buf text = {0};
        int rc = file_read(&text, path, err);
        for (size_t at = 0; rc == 0 && at + 16 <= text.len; at += 16) {
            int64_t row[2];
            memcpy(row, text.data + at, sizeof row);
            if (row[0] >= 0 && row[0] < starts->n)
                starts->at[row[0]] = row[1];
        }
        buf_release(&text);
        free(path);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int
by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void
submissions_release(struct submissions *s)
{
    free(s->call.at);
    free(s->done.at);
    free(s->touch.at);
    free(s->touched.at);
}

static int
touch(struct bench *b, struct submissions *sent, int64_t job, struct err *err)
{
    sent->touch.at[job] = clock_mono_ns();
    if (db_drill_touch(b->db, err) != 0)
        return -1;
    sent->touched.at[job] = clock_mono_ns();
    return 0;
}

/* Submits jobs one by one, each when the one before it is done. */
static int
submit_one_by_one(struct bench *b, struct submissions *sent, struct err *err)
{
    for (int64_t i = 0; i < b->config->latency; i++) {
        int64_t job;
        const int64_t before = clock_mono_ns();
        if (db_drill_add(b->db, 1, b->config->busy, &job, err) != 0)
            return -1;
        const int64_t after = clock_mono_ns();
        if (job >= sent->call.n)
            return err_set(err, ERR_REFUSED, "somebody else adds jobs");
        sent->call.at[job] = before;
        sent->done.at[job] = after;
        if (wait_for_job(b, job, 1, err) != 0)
            return -1;
        clock_pause_ms(2);
        if (touch(b, sent, job, err) != 0)
            return -1;
        clock_pause_ms(2);
    }
    return 0;
}

static int
compute_latency(const struct bench *b, struct percentiles *out,
                const struct moments *from, const struct moments *to, struct err *err)
{
    double *ms = xcalloc((size_t)from->n, sizeof *ms);
    int64_t n = 0;

    for (int64_t job = 0; job < from->n; job++)
        if (from->at[job] > 0 && to->at[job] > 0)
            ms[n++] = (double)(to->at[job] - from->at[job]) / 1e6;
    qsort(ms, (size_t)n, sizeof *ms, by_size);
    if (n == b->config->latency)
        *out = (struct percentiles){ms[n / 2], ms[n * 99 / 100]};
    free(ms);
    return n == b->config->latency
               ? 0
               : err_set(err, ERR_BUG, "%" PRId64 " of %" PRId64 " starts were seen", n,
                         b->config->latency);
}

static int
finish_latency(struct bench *b, const struct submissions *sent, struct err *err)
{
    struct moments starts = moments_new(sent->call.n);

    local_stop(b->programs); /* they write their files at the end */
    b->programs = NULL;
    int rc = read_starts(b, &starts, err);
    if (rc == 0)
        rc = compute_latency(b, &b->call, &sent->call, &starts, err);
    if (rc == 0)
        rc = compute_latency(b, &b->done, &sent->done, &starts, err);
    if (rc == 0)
        rc = compute_latency(b, &b->commit, &sent->touch, &sent->touched, err);
    free(starts.at);
    return rc;
}

/* ---- the verb --------------------------------------------------------------------- */

static int
drain(struct bench *b, struct err *err)
{
    return wait_for_all(b, err) == 0 ? check_counts(b, err) : -1;
}

static int
run_bench(struct bench *b, struct err *err)
{
    const int64_t room = b->config->jobs + b->config->latency + 1;
    struct submissions sent = {moments_new(room), moments_new(room), moments_new(room),
                               moments_new(room)};
    const bool busy = b->config->busy;
    int rc = -1;

    if (db_drill_fill(b->db, b->config->jobs, err) == 0
        && db_drill_settle(b->db, err) == 0
        && (!b->config->held || hold_snapshot(b, err) == 0)
        && start_programs(b, err) == 0)
        rc = 0;
    if (rc == 0 && busy) /* the first one: the workers have begun */
        rc = wait_for_job(b, 1, 1, err) == 0 ? submit_one_by_one(b, &sent, err) : -1;
    if (rc == 0)
        rc = drain(b, err);
    if (rc == 0 && !busy)
        rc = submit_one_by_one(b, &sent, err);
    if (rc == 0 && b->config->latency > 0)
        rc = finish_latency(b, &sent, err);
    submissions_release(&sent);
    return rc;
}

static void
print_latency(const struct bench *b)
{
    printf("submission to start %s: p50 %.2f ms, p99 %.2f ms\n"
           "from its commit: p50 %.2f ms, p99 %.2f ms; the commit of one row here: p50 "
           "%.2f ms, p99 %.2f ms\n",
           b->config->busy ? "ahead of the others" : "on the idle queue",
           b->call.p50_ms, b->call.p99_ms, b->done.p50_ms, b->done.p99_ms,
           b->commit.p50_ms, b->commit.p99_ms);
}

static void
print_result(const struct bench *b)
{
    const struct bench_config *c = b->config;
    const double rate = (double)c->jobs / b->result.seconds;
    json_t *doc =
        json_pack("{s:I, s:I, s:I, s:I, s:b, s:f, s:f}", "jobs", (json_int_t)c->jobs,
                  "workers", (json_int_t)c->workers, "slots", (json_int_t)c->slots,
                  "finals", (json_int_t)c->finals, "curve", !c->plain, "seconds",
                  b->result.seconds, "jobs_per_second", rate);

    if (c->latency > 0) {
        json_object_set_new(doc, "start_p50_ms", json_real(b->call.p50_ms));
        json_object_set_new(doc, "start_p99_ms", json_real(b->call.p99_ms));
        json_object_set_new(doc, "committed_start_p50_ms", json_real(b->done.p50_ms));
        json_object_set_new(doc, "committed_start_p99_ms", json_real(b->done.p99_ms));
        json_object_set_new(doc, "commit_p50_ms", json_real(b->commit.p50_ms));
        json_object_set_new(doc, "commit_p99_ms", json_real(b->commit.p99_ms));
    }
    if (c->json) {
        cmd_print_json(doc);
    } else {
        printf("%" PRId64 " jobs in %.2f s: %.0f jobs/s, each ran once\n", c->jobs,
               b->result.seconds, rate);
        if (c->latency > 0)
            print_latency(b);
    }
    json_decref(doc);
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
    int rc = open_scene(&b, ctx, err);
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
