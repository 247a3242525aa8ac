/* costs.c - estimates for millions of jobs, of which few differ in their costs. */
#include "coordinator/cli/costs.h"

#include <stdlib.h>

#include "shared/base/mem.h"

static bool *
columns_read(const struct dag_stage *st)
{
    const struct sweep_part *p = st->part;
    bool *reads = xcalloc(p->n_columns + 1, sizeof *reads);

    for (size_t c = 0; c < p->n_columns; c++)
        reads[c] =
            catalog_work_reads(st->stage, p->space.params[p->columns[c]].param->name);
    return reads;
}

void
costs_init(struct costs *c, struct estimate *e, const struct dag *d)
{
    *c = (struct costs){.estimate = e, .dag = d};
    c->seconds = xcalloc(d->n_jobs + 1, sizeof *c->seconds);
    c->reads = xcalloc(d->n_stages + 1, sizeof *c->reads);
    c->last = xcalloc(d->n_stages + 1, sizeof *c->last);
    for (size_t i = 0; i < d->n_stages; i++)
        c->reads[i] = columns_read(&d->stages[i]);
}

void
costs_release(struct costs *c)
{
    for (size_t i = 0; i < c->dag->n_stages; i++)
        free(c->reads[i]);
    free(c->reads);
    free(c->seconds);
    free(c->last);
    rowset_release(&c->firsts);
}

struct wanted {
    const struct costs *c;
    const struct dag_job *job;
    const bool *reads;
    size_t stage; /* index of its stage */
};

static bool
costs_the_same(const void *ctx, uint32_t other)
{
    const struct wanted *w = ctx;
    const struct dag_stage *st = w->job->of;
    const struct dag_job *job = &w->c->dag->jobs[other];

    if (job->of != st)
        return false;
    for (size_t i = 0; i < st->n_keys; i++) {
        const size_t slot = st->part->columns[st->keys[i]];
        if (w->reads[st->keys[i]] && dag_number(job, slot) != dag_number(w->job, slot))
            return false;
    }
    return true;
}

static uint64_t
hash_of(const struct wanted *w)
{
    const struct dag_stage *st = w->job->of;
    uint64_t hash = rowset_hash(ROWSET_HASH, (uint32_t)w->stage);

    for (size_t i = 0; i < st->n_keys; i++)
        if (w->reads[st->keys[i]])
            hash =
                rowset_hash(hash, dag_number(w->job, st->part->columns[st->keys[i]]));
    return hash;
}

/* As much of the spec as estimates read. */
static double
estimate(const struct costs *c, size_t job)
{
    const struct dag_stage *st = c->dag->jobs[job].of;
    json_t *spec =
        json_pack("{s:s, s:s, s:o}", "method", st->part->space.method->name, "stage",
                  st->stage->name, "params", dag_params(c->dag, job));
    const double seconds = estimate_spec(c->estimate, spec);

    json_decref(spec);
    return seconds;
}

double
costs_of(struct costs *c, size_t job)
{
    const size_t stage = dag_stage_of(c->dag, job);
    const struct wanted w = {c, &c->dag->jobs[job], c->reads[stage], stage};
    const uint32_t last = c->last[stage];

    if (last < job && costs_the_same(&w, last))
        return c->seconds[last];
    const uint32_t first =
        rowset_add(&c->firsts, hash_of(&w), (uint32_t)job, costs_the_same, &w);
    c->last[stage] = first;
    if (first == job)
        c->seconds[job] = estimate(c, job);
    return c->seconds[first];
}
