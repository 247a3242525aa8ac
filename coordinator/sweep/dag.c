/*
 * dag.c - cells -> jobs. Projects each cell on the parameters of each stage; equal
 * projections with equal parents have equal digests and are one job. Knows stages by
 * their names and edges only.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/sweep/sweep.h"
#include "shared/base/mem.h"
#include "shared/spec/job.h"

enum { NOT_THERE = -1 };

struct builder {
    struct dag *dag;
    size_t capacity; /* of dag->jobs */
    size_t *buckets; /* index of a job + 1, 0: free; found by digest */
    size_t n_buckets;
    /* of the cell at hand */
    const struct sweep_cell *cell;
    int64_t *job_of; /* job of each stage, NOT_THERE where skipped */
};

static size_t
digest_hash(const struct sha256 *digest)
{
    char head[16];

    memcpy(head, digest->hex, 15);
    head[15] = '\0';
    return (size_t)strtoull(head, NULL, 16);
}

/* Bucket of this digest, or the free one where it belongs. */
static size_t *
find_bucket(const struct builder *b, const struct sha256 *digest)
{
    size_t at = digest_hash(digest) % b->n_buckets;

    while (b->buckets[at] != 0
           && strcmp(b->dag->jobs[b->buckets[at] - 1].digest.hex, digest->hex) != 0)
        at = (at + 1) % b->n_buckets;
    return &b->buckets[at];
}

/* Keeps the table at most half full. */
static void
grow_table(struct builder *b)
{
    if (2 * (b->dag->n_jobs + 1) <= b->n_buckets)
        return;
    free(b->buckets);
    b->n_buckets = 4 * (b->dag->n_jobs + 16);
    b->buckets = xcalloc(b->n_buckets, sizeof *b->buckets);
    for (size_t i = 0; i < b->dag->n_jobs; i++)
        *find_bucket(b, &b->dag->jobs[i].digest) = i + 1;
}

/* Adds the jobs that `stage` waits for to `parents`, each once. A skipped stage is
 * replaced by what it waited for itself. */
static void
add_parents(const struct builder *b, const struct catalog_stage *stage, size_t *parents,
            size_t *n)
{
    const struct catalog_method *m = b->cell->method;

    for (size_t i = 0; i < stage->n_after; i++) {
        const struct catalog_stage *after = catalog_find_stage(m, stage->after[i]);
        const int64_t job = b->job_of[after - m->stages];
        if (job == NOT_THERE) {
            add_parents(b, after, parents, n);
            continue;
        }
        size_t known = 0;
        while (known < *n && parents[known] != (size_t)job)
            known++;
        if (known == *n)
            parents[(*n)++] = (size_t)job;
    }
}

static json_t *
inputs_of(const struct builder *b, const size_t *parents, size_t n)
{
    json_t *inputs = json_object();

    for (size_t i = 0; i < n; i++) {
        const struct dag_job *parent = &b->dag->jobs[parents[i]];
        json_object_set_new(inputs, parent->stage, json_string(parent->digest.hex));
    }
    return inputs;
}

/* The job of a stage for the cell at hand, made if no earlier cell made it. */
static size_t
stage_job(struct builder *b, const struct catalog_stage *stage)
{
    size_t *parents = xcalloc(b->cell->method->n_stages, sizeof *parents), n = 0;

    add_parents(b, stage, parents, &n);
    json_t *inputs = inputs_of(b, parents, n);
    json_t *spec = job_spec_build(b->cell->method, stage, b->cell->values, inputs);
    const struct sha256 digest = job_spec_digest(spec);
    json_decref(inputs);
    grow_table(b);
    size_t *bucket = find_bucket(b, &digest);
    if (*bucket != 0) {
        json_decref(spec);
        free(parents);
        return *bucket - 1;
    }
    struct dag *d = b->dag;
    d->jobs = xgrow(d->jobs, &b->capacity, d->n_jobs + 1, sizeof *d->jobs);
    struct dag_job *job = &d->jobs[d->n_jobs++];
    *job = (struct dag_job){.digest = digest,
                            .spec = spec,
                            .method = b->cell->method->name,
                            .stage = stage->name,
                            .parents = parents,
                            .n_parents = n};
    *bucket = d->n_jobs;
    return d->n_jobs - 1;
}

static void
add_cell(struct builder *b, size_t index)
{
    const struct catalog_method *m = b->cell->method;
    size_t *chain = xcalloc(m->n_stages + 1, sizeof *chain), n = 0;

    b->job_of = xcalloc(m->n_stages, sizeof *b->job_of);
    for (size_t i = 0; i < m->n_stages; i++) {
        b->job_of[i] = NOT_THERE;
        if (catalog_stage_skipped(&m->stages[i], b->cell->values))
            continue;
        chain[n] = stage_job(b, &m->stages[i]);
        b->job_of[i] = (int64_t)chain[n++];
    }
    free(b->job_of);
    b->dag->cell_jobs[index] = chain;
    b->dag->n_cell_jobs[index] = n;
    b->dag->n_unshared += n;
}

struct dag *
dag_build(const struct sweep *s)
{
    struct builder b = {.dag = xcalloc(1, sizeof *b.dag)};

    b.dag->n_cells = s->n_cells;
    b.dag->cell_jobs = xcalloc(s->n_cells + 1, sizeof *b.dag->cell_jobs);
    b.dag->n_cell_jobs = xcalloc(s->n_cells + 1, sizeof *b.dag->n_cell_jobs);
    for (size_t i = 0; i < s->n_cells; i++) {
        b.cell = &s->cells[i];
        add_cell(&b, i);
    }
    free(b.buckets);
    return b.dag;
}

void
dag_free(struct dag *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n_jobs; i++) {
        json_decref(d->jobs[i].spec);
        free(d->jobs[i].parents);
    }
    for (size_t i = 0; i < d->n_cells; i++)
        free(d->cell_jobs[i]);
    free(d->jobs);
    free(d->cell_jobs);
    free(d->n_cell_jobs);
    free(d);
}
