/* plan.c - counts jobs by stage, with and without sharing, and what is left to do. */
#include "coordinator/cli/plan.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

/* Counts of one stage of one method. */
struct tally {
    const char *method, *stage;
    int64_t jobs, unshared, done, failed;
};

struct tallies {
    struct tally *items;
    size_t n, capacity;
};

/* The stage's row, made at its first job. Few rows: a search is enough. */
static struct tally *
tally_of(struct tallies *t, const struct dag_job *job)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->items[i].stage, job->stage) == 0
            && strcmp(t->items[i].method, job->method) == 0)
            return &t->items[i];
    t->items = xgrow(t->items, &t->capacity, t->n + 1, sizeof *t->items);
    t->items[t->n] = (struct tally){.method = job->method, .stage = job->stage};
    return &t->items[t->n++];
}

static bool
is_failure(const char *state)
{
    return strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0
           || strcmp(state, "upstream_failed") == 0 || strcmp(state, "cancelled") == 0;
}

static struct tallies
count(const struct dag *d, const json_t *known)
{
    struct tallies t = {0};

    for (size_t i = 0; i < d->n_jobs; i++) {
        struct tally *row = tally_of(&t, &d->jobs[i]);
        const char *state = json_str(known, d->jobs[i].digest.hex, "");
        row->jobs++;
        row->done += strcmp(state, "succeeded") == 0;
        row->failed += is_failure(state);
    }
    for (size_t c = 0; c < d->n_cells; c++)
        for (size_t k = 0; k < d->n_cell_jobs[c]; k++)
            tally_of(&t, &d->jobs[d->cell_jobs[c][k]])->unshared++;
    return t;
}

/* Mean seconds of a finished job of this stage, -1 where none has finished. */
static double
seconds_each(const struct tally *t, const json_t *known)
{
    char *key = xasprintf("%s/%s", t->method, t->stage);
    const double s = json_num(json_object_get(known, "seconds"), key, -1);

    free(key);
    return s;
}

static json_t *
count_or_null(int64_t n, const json_t *known)
{
    return known != NULL ? json_integer(n) : json_null();
}

static json_t *
stage_row(const struct tally *t, const json_t *known)
{
    const double each = seconds_each(t, known);

    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "method", t->method,
                     "stage", t->stage, "jobs", (json_int_t)t->jobs,
                     "jobs_without_sharing", (json_int_t)t->unshared, "done",
                     count_or_null(t->done, known), "failed",
                     count_or_null(t->failed, known), "seconds_each",
                     each >= 0 ? json_real(each) : json_null());
}

/* Adds the stages and what follows from them. */
static void
put_stages(json_t *plan, const struct tallies *t, const json_t *known)
{
    json_t *stages = json_array();
    int64_t done = 0, failed = 0;
    double left = 0;
    bool guess = true; /* every open stage's time is known */

    for (size_t i = 0; i < t->n; i++) {
        const struct tally *row = &t->items[i];
        const double each = seconds_each(row, known);
        const int64_t open = row->jobs - row->done;
        json_array_append_new(stages, stage_row(row, known));
        done += row->done;
        failed += row->failed;
        left += (double)open * each;
        guess = guess && (open == 0 || each >= 0);
    }
    json_object_set_new(plan, "stages", stages);
    json_object_set_new(plan, "done", count_or_null(done, known));
    json_object_set_new(plan, "failed", count_or_null(failed, known));
    json_object_set_new(plan, "seconds_left", guess ? json_real(left) : json_null());
}

json_t *
plan_build(const struct sweep *s, const struct dag *d, const json_t *known, bool points)
{
    json_t *plan =
        json_pack("{s:s, s:s, s:s, s:I, s:O, s:O, s:I, s:I}", "name", s->name, "title",
                  s->title, "file", s->path, "cells", (json_int_t)s->n_cells, "axes",
                  s->axes, "notes", s->notes, "jobs", (json_int_t)d->n_jobs,
                  "jobs_without_sharing", (json_int_t)d->n_unshared);
    struct tallies t = count(d, known);

    put_stages(plan, &t, known);
    free(t.items);
    if (points) {
        json_t *list = json_array();
        for (size_t i = 0; i < s->n_cells; i++)
            json_array_append(list, s->cells[i].written);
        json_object_set_new(plan, "points", list);
    }
    return plan;
}
