/* cmd_status.c - sweeps, workers and what runs now. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"

struct status_config {
    bool json;
};

static const struct param status_params[] = {
    PARAM_ROW_BOOL(struct status_config, json, "false", "print one JSON document"),
};

static void
print_sweeps(const struct cmd_ctx *ctx, const json_t *sweeps)
{
    struct table *t = table_new("SWEEP|>CELLS|>DONE|>RUN|>READY|>WAIT|>BAD|TITLE");
    const json_t *s;
    size_t i;

    json_array_foreach(sweeps, i, s)
    {
        const json_t *jobs = json_object_get(s, "jobs");
        const int64_t bad =
            json_int(jobs, "failed", 0) + json_int(jobs, "quarantined", 0)
            + json_int(jobs, "cancelled", 0) + json_int(jobs, "upstream_failed", 0);
        table_add(t, "%s", json_str(s, "name", ""));
        table_add(t, "%" PRId64 "/%" PRId64, json_int(s, "cells_done", 0),
                  json_int(s, "cells", 0));
        table_add(t, "%" PRId64, json_int(jobs, "succeeded", 0));
        table_add(t, "%" PRId64, json_int(jobs, "leased", 0));
        table_add(t, "%" PRId64, json_int(jobs, "ready", 0));
        table_add(t, "%" PRId64,
                  json_int(jobs, "blocked", 0) + json_int(jobs, "held", 0));
        table_add(t, "%" PRId64, bad);
        table_add(t, "%s", json_str(s, "title", ""));
    }
    table_print(t, ctx);
}

static void
print_running(const struct cmd_ctx *ctx, const json_t *sweeps)
{
    struct table *t =
        table_new(">JOB|STAGE|>EPOCH|~>STEP|~>IMAGES/S|>LOSS|>LEFT|~WORKER");
    const json_t *s, *r;
    size_t i, k, n = 0;

    json_array_foreach(sweeps, i, s)
    {
        json_array_foreach(json_object_get(s, "running"), k, r)
        {
            n++;
            table_add(t, "%" PRId64, json_int(r, "job", 0));
            table_add(t, "%s", json_str(r, "stage", ""));
            table_add(t, "%" PRId64 "/%" PRId64, json_int(r, "epoch", 0),
                      json_int(r, "epochs", 0));
            table_add(t, "%" PRId64 "/%" PRId64, json_int(r, "step", 0),
                      json_int(r, "steps", 0));
            table_add(t, "%.0f", json_num(r, "images_per_second", 0));
            table_add(t, "%.4g", json_num(r, "loss", 0));
            table_add(t, "%s", text_duration(json_num(r, "seconds_left", -1)));
            table_add(t, "%s", json_str(r, "worker", ""));
        }
    }
    if (n > 0)
        putchar('\n');
    if (n > 0)
        table_print(t, ctx);
}

static void
print_failures(const json_t *sweeps)
{
    const json_t *s, *f;
    size_t i, k;

    json_array_foreach(sweeps, i, s)
    {
        json_array_foreach(json_object_get(s, "failures"), k, f)
        {
            const json_t *jobs = json_object_get(f, "jobs");
            const size_t n = json_array_size(jobs);
            char *text = text_clean(json_str(f, "text", ""));
            printf("\n%s: %zu %s %s failed: %s (relusweep explain %" PRId64 ")\n",
                   json_str(s, "name", ""), n, json_str(f, "stage", ""),
                   n == 1 ? "job" : "jobs", text,
                   (int64_t)json_integer_value(json_array_get(jobs, 0)));
            free(text);
        }
    }
}

/* Jobs that a coordinator would have something to do with. */
static int64_t
count_open(const json_t *sweeps)
{
    const json_t *s;
    int64_t n = 0;
    size_t i;

    json_array_foreach(sweeps, i, s)
    {
        const json_t *jobs = json_object_get(s, "jobs");
        n += json_int(jobs, "leased", 0) + json_int(jobs, "ready", 0)
             + json_int(jobs, "blocked", 0) + json_int(jobs, "held", 0);
    }
    return n;
}

static void
print_paused(const json_t *sweeps)
{
    const json_t *s;
    size_t i;

    json_array_foreach(sweeps, i, s)
    {
        const char *name = json_str(s, "name", ""), *why = json_str(s, "paused", "");
        if (why[0] != '\0')
            printf("\n%s is paused %s; `relusweep resume %s` lets it go on\n", name,
                   why, name);
    }
}

static void
print_limits(const struct cmd_ctx *ctx, const json_t *limits)
{
    const json_t *l;
    size_t i;

    if (json_array_size(limits) == 0)
        return;
    putchar('\n');
    struct table *t = table_new("LIMIT OF SWEEP|STAGE|LABEL|>RUN|>MOST");
    json_array_foreach(limits, i, l)
    {
        table_add(t, "%s", json_str(l, "sweep", "all"));
        table_add(t, "%s", json_str(l, "stage", ""));
        table_add(t, "%s", json_str(l, "label", ""));
        table_add(t, "%" PRId64, json_int(l, "running", 0));
        table_add(t, "%" PRId64, json_int(l, "most", 0));
    }
    table_print(t, ctx);
}

static void
print_resting(const json_t *hosts)
{
    const json_t *h;
    size_t i;

    json_array_foreach(hosts, i, h)
    {
        char *why = text_clean(json_str(h, "why", ""));
        printf("\n%s gets no jobs for %s: %s\n", json_str(h, "host", ""),
               text_duration(json_num(h, "seconds_left", 0)), why);
        free(why);
    }
}

static int
status_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct status_config *c = config;
    json_t *doc = NULL;
    int64_t sweep = 0;
    struct db *db;

    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || (n_words > 0 && db_sweep_id(db, words[0], &sweep, err) != 0)
        || db_status(db, sweep, &doc, err) != 0)
        return -1;
    const json_t *sweeps = json_object_get(doc, "sweeps");
    if (c->json) {
        cmd_print_json(doc);
    } else if (json_array_size(sweeps) == 0) {
        fprintf(stderr, "no sweeps yet; `relusweep submit SWEEP.yaml` adds one\n");
    } else {
        print_sweeps(ctx, sweeps);
        print_running(ctx, sweeps);
        print_failures(sweeps);
        print_paused(sweeps);
        print_limits(ctx, json_object_get(doc, "limits"));
        print_resting(json_object_get(doc, "resting"));
        const json_t *leader = json_object_get(doc, "coordinator");
        if (!json_is_object(leader) && count_open(sweeps) > 0)
            fprintf(stderr, "\nno coordinator is running: nothing starts until "
                            "`relusweep run` or relusweep-coordinator does\n");
    }
    json_decref(doc);
    return EXIT_OK;
}

const struct cmd cmd_status = {
    .name = "status",
    .usage = "[SWEEP]",
    .doc = "counts of jobs by state, what runs now, what failed",
    .group = "Sweeps",
    .params = status_params,
    .n_params = PARAM_COUNT(status_params),
    .config_size = sizeof(struct status_config),
    .max_words = 1,
    .run = status_run,
};
