/* plan.c - counts jobs by stage, with and without sharing, and what is left to do. */
#include "coordinator/cli/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/estimate.h"
#include "shared/base/mem.h"

/* Counts of one stage of one method. */
struct tally {
    const char *method, *stage;
    int64_t jobs, unshared, done, failed;
    double seconds; /* of all its jobs; NaN: of one it is not known */
    double left;    /* of those that are not done */
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

static void
count_job(struct tally *row, const struct dag_job *job, struct estimate *e)
{
    const char *state = json_str(e->known, job->digest.hex, "");
    const bool done = strcmp(state, "succeeded") == 0;
    const double seconds = estimate_spec(e, job->spec);

    row->jobs++;
    row->done += done;
    row->failed += is_failure(state);
    row->seconds += seconds >= 0 ? seconds : (double)NAN;
    if (!done)
        row->left += seconds >= 0 ? seconds : (double)NAN;
}

static struct tallies
count(const struct dag *d, struct estimate *e)
{
    struct tallies t = {0};

    for (size_t i = 0; i < d->n_jobs; i++)
        count_job(tally_of(&t, &d->jobs[i]), &d->jobs[i], e);
    for (size_t c = 0; c < d->n_cells; c++)
        for (size_t k = 0; k < d->n_cell_jobs[c]; k++)
            tally_of(&t, &d->jobs[d->cell_jobs[c][k]])->unshared++;
    return t;
}

static json_t *
seconds_or_null(double seconds)
{
    return isnan(seconds) ? json_null() : json_real(seconds);
}

static json_t *
count_or_null(int64_t n, const json_t *known)
{
    return known != NULL ? json_integer(n) : json_null();
}

static json_t *
stage_row(const struct tally *t, const json_t *known)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "method", t->method,
                     "stage", t->stage, "jobs", (json_int_t)t->jobs,
                     "jobs_without_sharing", (json_int_t)t->unshared, "done",
                     count_or_null(t->done, known), "failed",
                     count_or_null(t->failed, known), "seconds_each",
                     seconds_or_null(t->seconds / (double)t->jobs));
}

/* Adds the stages and what follows from them. */
static void
put_stages(json_t *plan, const struct tallies *t, const json_t *known)
{
    json_t *stages = json_array();
    int64_t done = 0, failed = 0;
    double left = 0;

    for (size_t i = 0; i < t->n; i++) {
        const struct tally *row = &t->items[i];
        json_array_append_new(stages, stage_row(row, known));
        done += row->done;
        failed += row->failed;
        left += row->left;
    }
    json_object_set_new(plan, "stages", stages);
    json_object_set_new(plan, "done", count_or_null(done, known));
    json_object_set_new(plan, "failed", count_or_null(failed, known));
    json_object_set_new(plan, "seconds_left", seconds_or_null(left));
}

json_t *
plan_build(const struct sweep *s, const struct dag *d, const struct catalog *catalog,
           const json_t *known, bool points)
{
    struct estimate e = {.catalog = catalog, .known = known};
    json_t *plan =
        json_pack("{s:s, s:s, s:s, s:I, s:O, s:O, s:I, s:I}", "name", s->name, "title",
                  s->title, "file", s->path, "cells", (json_int_t)s->n_cells, "axes",
                  s->axes, "notes", s->notes, "jobs", (json_int_t)d->n_jobs,
                  "jobs_without_sharing", (json_int_t)d->n_unshared);
    struct tallies t = count(d, &e);

    estimate_release(&e);
    put_stages(plan, &t, known);
    json_object_set_new(plan, "measured", json_boolean(!e.guessed));
    free(t.items);
    if (points) {
        json_t *list = json_array();
        for (size_t i = 0; i < s->n_cells; i++)
            json_array_append(list, s->cells[i].written);
        json_object_set_new(plan, "points", list);
    }
    return plan;
}
