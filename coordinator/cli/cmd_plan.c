/*
 * cmd_plan.c - what a sweep file means, before anything runs. Works without a database;
 * with one it also says what is done already and how long the rest may take.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/plan.h"
#include "coordinator/cli/sweepfile.h"
#include "coordinator/cli/table.h"
#include "coordinator/cli/text.h"
#include "coordinator/db/timings.h"

enum { MAX_AXES = 12 };

struct plan_config {
    struct sweepfile_config file;
    bool cells, json;
};

static const struct param plan_params[] = {
    SWEEPFILE_ROWS(struct plan_config),
    PARAM_ROW_BOOL(struct plan_config, cells, "false", "list every cell"),
    PARAM_ROW_BOOL(struct plan_config, json, "false", "print one JSON document"),
};

/* State of the jobs that the database has; NULL where there is none to ask. */
static json_t *
ask_database(struct cmd_ctx *ctx, struct dag *d)
{
    struct err err = {0};
    json_t *known = NULL, *timings;
    struct db *db;

    if (cmd_ctx_db(ctx, false, &db, &err) == 0 && db_known(db, d, &known, &err) == 0
        && db_timings(db, &timings, &err) == 0) {
        json_object_set_new(known, "timings", timings);
        return known;
    }
    json_decref(known);
    fprintf(stderr, "note: what is done already is not known: %s\n", err.text);
    return NULL;
}

static void
add_count(struct table *t, const json_t *row, const char *key)
{
    if (json_is_integer(json_object_get(row, key)))
        table_add(t, "%" PRId64, json_int(row, key, 0));
    else
        table_add(t, "?");
}

static void
print_stages(const struct cmd_ctx *ctx, const json_t *plan)
{
    struct table *t =
        table_new("METHOD|STAGE|>JOBS|>WITHOUT SHARING|>DONE|>FAILED|>TIME EACH");
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(plan, "stages"), i, row)
    {
        table_add(t, "%s", json_str(row, "method", ""));
        table_add(t, "%s", json_str(row, "stage", ""));
        add_count(t, row, "jobs");
        add_count(t, row, "jobs_without_sharing");
        add_count(t, row, "done");
        add_count(t, row, "failed");
        table_add(t, "%s", text_duration(json_num(row, "seconds_each", -1)));
    }
    table_add(t, "all");
    table_add(t, " ");
    add_count(t, plan, "jobs");
    add_count(t, plan, "jobs_without_sharing");
    add_count(t, plan, "done");
    add_count(t, plan, "failed");
    table_add(t, " ");
    table_print(t, ctx);
}

/* Value of a parameter in a cell, "-" where the cell does not have it. */
static void
add_value(struct table *t, const struct sweep *s, size_t cell, const char *name)
{
    const json_t *v = sweep_value(s, cell, name, false);
    char *text = v == NULL || json_is_string(v) ? NULL : json_canonical(v);

    table_add(t, "%s", text ? text : v ? json_string_value(v) : "-");
    free(text);
}

/* One column for each parameter that varies, as many as a line can hold. */
static void
print_cells(const struct cmd_ctx *ctx, const struct sweep *s)
{
    struct buf headings = {0};
    size_t n = json_array_size(s->axes);

    n = n > MAX_AXES ? MAX_AXES : n;
    buf_puts(&headings, ">CELL");
    for (size_t a = 0; a < n; a++)
        buf_printf(&headings, "|%s", json_string_value(json_array_get(s->axes, a)));
    struct table *t = table_new(buf_str(&headings));
    for (size_t i = 0; i < s->n_cells; i++) {
        table_add(t, "%zu", i + 1);
        for (size_t a = 0; a < n; a++)
            add_value(t, s, i, json_string_value(json_array_get(s->axes, a)));
    }
    putchar('\n');
    table_print(t, ctx);
    buf_release(&headings);
}

static void
print_plan(const struct cmd_ctx *ctx, const json_t *plan)
{
    const json_t *left = json_object_get(plan, "seconds_left");
    char *title = text_clean(json_str(plan, "title", ""));

    printf("%s: %s\n%" PRId64 " cells, %" PRId64 " jobs (%" PRId64
           " without sharing)\n\n",
           json_str(plan, "name", ""), title, json_int(plan, "cells", 0),
           json_int(plan, "jobs", 0), json_int(plan, "jobs_without_sharing", 0));
    print_stages(ctx, plan);
    if (json_int(plan, "re_runs", 0) > 0)
        printf("\n%" PRId64 " of the jobs are re-runs of others (`verify`)\n",
               json_int(plan, "re_runs", 0));
    if (json_is_number(left))
        printf("\nleft: about %s for one worker, %s\n",
               text_duration(json_number_value(left)),
               json_is_true(json_object_get(plan, "measured"))
                   ? "at the speed of finished jobs"
                   : "by an estimate: no job that tells its speed has finished yet");
    else
        printf("\nleft: time not known until a job of each stage has finished\n");
    free(title);
}

static int
plan_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
         struct err *err)
{
    const struct plan_config *c = config;
    const struct catalog *catalog;
    struct sweep *s;
    struct dag *d;

    (void)n_words;
    if (sweepfile_load(&s, &d, ctx, words[0], &c->file, err) != 0)
        return -1;
    if (cmd_ctx_catalog(ctx, &catalog, err) != 0) {
        dag_free(d);
        sweep_free(s);
        return -1;
    }
    json_t *known = ask_database(ctx, d);
    json_t *plan = plan_build(s, d, catalog, known, c->cells);
    if (c->json)
        cmd_print_json(plan);
    else
        print_plan(ctx, plan);
    if (c->cells && !c->json)
        print_cells(ctx, s);
    json_decref(plan);
    json_decref(known);
    dag_free(d);
    sweep_free(s);
    return EXIT_OK;
}

const struct cmd cmd_plan = {
    .name = "plan",
    .usage = "SWEEP.yaml",
    .doc = "show cells, jobs, what is done and what is left; changes nothing",
    .group = "Sweeps",
    .params = plan_params,
    .n_params = PARAM_COUNT(plan_params),
    .config_size = sizeof(struct plan_config),
    .repeated = "set",
    .min_words = 1,
    .max_words = 1,
    .run = plan_run,
};
