/* plan.c - counts jobs by stage, with and without sharing, and what is left to do. */
#include "coordinator/cli/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/costs.h"
#include "shared/base/mem.h"

/* Counts of one stage of one method. */
struct tally {
    int64_t jobs, unshared, done, failed;
    double seconds; /* of all its jobs; NaN: of one it is not known */
    double left;    /* of those that are not done */
};

static bool
is_failure(const char *state)
{
    return strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0
           || strcmp(state, "upstream_failed") == 0 || strcmp(state, "cancelled") == 0;
}

static void
count_job(struct tally *row, size_t job, struct costs *c)
{
    const json_t *known = c->estimate->known;
    const char *state =
        known != NULL ? json_str(known, dag_digest(c->dag, job), "") : "";
    const bool done = strcmp(state, "succeeded") == 0;
    const double seconds = costs_of(c, job);

    row->jobs++;
    row->done += done;
    row->failed += is_failure(state);
    row->seconds += seconds >= 0 ? seconds : (double)NAN;
    if (!done)
        row->left += seconds >= 0 ? seconds : (double)NAN;
}

/* One tally for each stage of the dag; caller frees. */
static struct tally *
count(const struct dag *d, struct estimate *e)
{
    struct tally *tallies = xcalloc(d->n_stages + 1, sizeof *tallies);
    struct costs costs;

    costs_init(&costs, e, d);
    for (size_t i = 0; i < d->n_jobs; i++)
        count_job(&tallies[dag_stage_of(d, i)], i, &costs);
    for (size_t i = 0; i < d->n_unshared; i++)
        tallies[dag_stage_of(d, d->chain[i])].unshared++;
    costs_release(&costs);
    return tallies;
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
stage_row(const struct dag_stage *st, const struct tally *t, const json_t *known)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o}", "method",
                     st->part->space.method->name, "stage", st->stage->name, "jobs",
                     (json_int_t)t->jobs, "jobs_without_sharing",
                     (json_int_t)t->unshared, "done", count_or_null(t->done, known),
                     "failed", count_or_null(t->failed, known), "seconds_each",
                     seconds_or_null(t->seconds / (double)t->jobs));
}

/* Adds the stages and what follows from them. */
static void
put_stages(json_t *plan, const struct dag *d, const struct tally *tallies,
           const json_t *known)
{
    json_t *stages = json_array();
    int64_t done = 0, failed = 0;
    double left = 0;

    for (size_t i = 0; i < d->n_stages; i++) {
        const struct tally *row = &tallies[i];
        if (row->jobs == 0)
            continue;
        json_array_append_new(stages, stage_row(&d->stages[i], row, known));
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
    json_t *plan = json_pack(
        "{s:s, s:s, s:s, s:I, s:O, s:O, s:I, s:I, s:I}", "name", s->name, "title",
        s->title, "file", s->path, "cells", (json_int_t)s->n_cells, "axes", s->axes,
        "notes", s->notes, "jobs", (json_int_t)d->n_jobs, "jobs_without_sharing",
        (json_int_t)d->n_unshared, "re_runs", (json_int_t)d->n_repeats);
    struct tally *tallies = count(d, &e);

    estimate_release(&e);
    put_stages(plan, d, tallies, known);
    json_object_set_new(plan, "measured", json_boolean(!e.guessed));
    free(tallies);
    if (points) {
        json_t *list = json_array();
        for (size_t i = 0; i < s->n_cells; i++)
            json_array_append_new(list, sweep_cell_json(s, i, true));
        json_object_set_new(plan, "points", list);
    }
    return plan;
}
