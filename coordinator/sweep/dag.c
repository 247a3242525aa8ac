/*
 * dag.c - cells -> jobs. Two cells share the job of a stage when they agree in the
 * parameters that it reads and in the jobs that it waits for. Knows stages by their names
 * and edges only.
 */
#include "coordinator/sweep/dag.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/sweep/rowset.h"
#include "shared/base/mem.h"

#define NOT_THERE UINT32_MAX

struct builder {
    struct dag *dag;
    size_t job_capacity, edge_capacity, chain_capacity, chain_n;
    struct rowset known;
    /* of the part and the cell at hand */
    struct dag_stage *stages;
    size_t n_stages, cell;
    uint32_t *job_of;  /* job of each stage, NOT_THERE where skipped */
    bool *own;         /* that job belongs to this cell alone */
    uint32_t *waiting; /* scratch: parents of a job */
};

/* ---- stages ---------------------------------------------------------------------- */

/* What a look at all rows of a part tells about its columns. */
struct survey {
    bool *moves; /* values differ, not just who wrote them */
    bool absent; /* some entry is absent */
};

static struct survey
survey_part(const struct sweep_part *p)
{
    struct survey s = {.moves = xcalloc(p->n_columns + 1, sizeof *s.moves)};

    for (size_t i = 0; i < p->n; i++)
        for (size_t c = 0; c < p->n_columns; c++) {
            const uint32_t number = SWEEP_NUMBER(p->rows[i * p->n_columns + c]);
            s.moves[c] = s.moves[c] || number != SWEEP_NUMBER(p->rows[c]);
            s.absent = s.absent || number == SPACE_ABSENT;
        }
    return s;
}

static void
list_slots(struct dag_stage *st)
{
    const struct space *space = &st->part->space;

    st->slots = xcalloc(space->n + 1, sizeof *st->slots);
    for (size_t i = 0; i < space->n; i++)
        if (param_find(st->stage->params, st->stage->n_params,
                       space->params[space->sorted[i]].param->name)
            != NULL)
            st->slots[st->n_slots++] = space->sorted[i];
}

/* Cells differ in some moving column; a stage that reads them all shares nothing. */
static void
list_keys(struct dag_stage *st, const struct survey *survey)
{
    const struct sweep_part *p = st->part;
    size_t moving = 0;

    st->keys = xcalloc(p->n_columns + 1, sizeof *st->keys);
    for (size_t c = 0; c < p->n_columns; c++)
        moving += survey->moves[c];
    for (size_t i = 0; i < st->n_slots; i++) {
        const int c = p->column_of[st->slots[i]];
        if (c >= 0 && survey->moves[c])
            st->keys[st->n_keys++] = (size_t)c;
    }
    st->own = st->n_keys == moving && !survey->absent;
}

static void
list_after(struct dag_stage *st, const struct catalog_method *m)
{
    st->after = xcalloc(st->stage->n_after + 1, sizeof *st->after);
    for (size_t i = 0; i < st->stage->n_after; i++)
        st->after[i] = (size_t)(catalog_find_stage(m, st->stage->after[i]) - m->stages);
}

static void
make_stages(struct dag_stage *stages, const struct sweep_part *p)
{
    const struct catalog_method *m = p->space.method;
    struct survey survey = survey_part(p);
    struct skip *skips = skip_read(&p->space);

    for (size_t i = 0; i < m->n_stages; i++) {
        struct dag_stage *st = &stages[i];
        *st = (struct dag_stage){
            .part = p, .stage = &m->stages[i], .skip = skips[i], .all = stages};
        list_slots(st);
        list_keys(st, &survey);
        list_after(st, m);
        st->text = dagspec_prepare(st);
    }
    free(survey.moves);
    free(skips);
}

/* ---- jobs ------------------------------------------------------------------------ */

uint32_t
dag_number(const struct dag_job *job, size_t slot)
{
    const struct sweep_part *p = job->of->part;
    const uint32_t number = SWEEP_NUMBER(sweep_at(p, job->cell, slot));

    return number != SPACE_ABSENT ? number : p->space.params[slot].dflt;
}

/* The same by the column. */
static uint32_t
key_at(const struct dag_stage *st, size_t cell, size_t column)
{
    const struct sweep_part *p = st->part;
    const uint32_t number = SWEEP_NUMBER(p->rows[cell * p->n_columns + column]);

    return number != SPACE_ABSENT ? number : p->space.params[p->columns[column]].dflt;
}

/* Adds the jobs that `stage` waits for to b->waiting, each once. A skipped stage is
 * replaced by what it waited for itself. */
static size_t
add_parents(const struct builder *b, const struct dag_stage *st, size_t n)
{
    for (size_t i = 0; i < st->stage->n_after; i++) {
        const uint32_t job = b->job_of[st->after[i]];
        if (job == NOT_THERE) {
            n = add_parents(b, &b->stages[st->after[i]], n);
            continue;
        }
        size_t known = 0;
        while (known < n && b->waiting[known] != job)
            known++;
        if (known == n)
            b->waiting[n++] = job;
    }
    return n;
}

struct wanted {
    const struct builder *b;
    const struct dag_stage *st;
    size_t n_parents;
};

static bool
same_job(const void *ctx, uint32_t index)
{
    const struct wanted *w = ctx;
    const struct dag *d = w->b->dag;
    const struct dag_job *job = &d->jobs[index];

    if (job->of != w->st || job->n_parents != w->n_parents
        || memcmp(d->parents + job->parents, w->b->waiting,
                  w->n_parents * sizeof *d->parents)
               != 0)
        return false;
    for (size_t i = 0; i < w->st->n_keys; i++)
        if (key_at(w->st, job->cell, w->st->keys[i])
            != key_at(w->st, w->b->cell, w->st->keys[i]))
            return false;
    return true;
}

/* Number of an equal job, or that of the next new one. */
static uint32_t
find_job(struct builder *b, const struct wanted *w)
{
    uint64_t hash = rowset_hash(ROWSET_HASH, (uint32_t)(w->st - b->dag->stages));

    for (size_t i = 0; i < w->n_parents; i++)
        hash = rowset_hash(hash, b->waiting[i]);
    for (size_t i = 0; i < w->st->n_keys; i++)
        hash = rowset_hash(hash, key_at(w->st, b->cell, w->st->keys[i]));
    return rowset_add(&b->known, hash, (uint32_t)b->dag->n_jobs, same_job, w);
}

static void
add_job(struct builder *b, const struct wanted *w)
{
    struct dag *d = b->dag;

    d->jobs = xgrow(d->jobs, &b->job_capacity, d->n_jobs + 1, sizeof *d->jobs);
    d->parents = xgrow(d->parents, &b->edge_capacity, d->n_edges + w->n_parents + 1,
                       sizeof *d->parents);
    memcpy(d->parents + d->n_edges, b->waiting, w->n_parents * sizeof *d->parents);
    d->jobs[d->n_jobs++] = (struct dag_job){.of = w->st,
                                            .cell = (uint32_t)b->cell,
                                            .parents = (uint32_t)d->n_edges,
                                            .n_parents = (uint32_t)w->n_parents};
    d->n_edges += w->n_parents;
}

/* The job of a stage for the cell at hand, made if no earlier cell made it. The job of
 * the cell before is the likely one. */
static uint32_t
stage_job(struct builder *b, size_t stage, uint32_t before)
{
    struct wanted w = {.b = b, .st = &b->stages[stage]};
    uint32_t job = (uint32_t)b->dag->n_jobs;

    w.n_parents = add_parents(b, w.st, 0);
    b->own[stage] = w.st->own;
    for (size_t i = 0; i < w.st->stage->n_after; i++)
        b->own[stage] = b->own[stage] || b->own[w.st->after[i]];
    if (before != NOT_THERE && same_job(&w, before))
        return before;
    if (!b->own[stage])
        job = find_job(b, &w);
    if (job == b->dag->n_jobs)
        add_job(b, &w);
    return job;
}

static void
add_cell(struct builder *b, size_t cell)
{
    struct dag *d = b->dag;

    d->chain =
        xgrow(d->chain, &b->chain_capacity, b->chain_n + b->n_stages, sizeof *d->chain);
    b->cell = cell;
    for (size_t i = 0; i < b->n_stages; i++) {
        const uint32_t before = b->job_of[i];
        b->job_of[i] = NOT_THERE;
        b->own[i] = false;
        if (skip_cell(&b->stages[i].skip, b->stages[i].part, cell)) {
            for (size_t k = 0; k < b->stages[i].stage->n_after; k++)
                b->own[i] = b->own[i] || b->own[b->stages[i].after[k]];
            continue;
        }
        b->job_of[i] = stage_job(b, i, before);
        d->chain[b->chain_n++] = b->job_of[i];
    }
}

static void
add_part(struct builder *b, const struct sweep_part *p)
{
    const size_t n = p->space.method->n_stages;

    b->n_stages = n;
    b->job_of = xcalloc(n + 1, sizeof *b->job_of);
    b->own = xcalloc(n + 1, sizeof *b->own);
    b->waiting = xcalloc(n + 1, sizeof *b->waiting);
    for (size_t i = 0; i < n; i++)
        b->job_of[i] = NOT_THERE;
    for (size_t c = 0; c < p->n; c++) {
        b->dag->chain_at[p->first + c] = b->chain_n;
        add_cell(b, c);
    }
    free(b->job_of);
    free(b->own);
    free(b->waiting);
}

struct dag *
dag_build(const struct sweep *s)
{
    struct builder b = {.dag = xcalloc(1, sizeof *b.dag)};
    struct dag *d = b.dag;

    d->sweep = s;
    d->chain_at = xcalloc(s->n_cells + 1, sizeof *d->chain_at);
    for (size_t i = 0; i < s->n_parts; i++)
        d->n_stages += s->parts[i].space.method->n_stages;
    d->stages = b.stages = xcalloc(d->n_stages + 1, sizeof *d->stages);
    for (size_t i = 0; i < s->n_parts; i++) {
        make_stages(b.stages, &s->parts[i]);
        add_part(&b, &s->parts[i]);
        b.stages += b.n_stages;
    }
    d->chain_at[s->n_cells] = d->n_unshared = b.chain_n;
    rowset_release(&b.known);
    return d;
}

void
dag_free(struct dag *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n_stages; i++) {
        free(d->stages[i].slots);
        free(d->stages[i].keys);
        free(d->stages[i].after);
        dagspec_release(d->stages[i].text);
    }
    for (size_t i = 0; d->repeats != NULL && i < d->n_stages; i++)
        if (d->repeats[i].text != NULL)
            dagspec_release(d->repeats[i].text);
    free(d->repeats);
    free(d->repeated);
    free(d->stages);
    free(d->jobs);
    free(d->parents);
    free(d->chain);
    free(d->chain_at);
    free(d->digests);
    free(d);
}

const uint32_t *
dag_chain(const struct dag *d, size_t cell, size_t *n)
{
    *n = d->chain_at[cell + 1] - d->chain_at[cell];
    return d->chain + d->chain_at[cell];
}

const uint32_t *
dag_parents(const struct dag *d, size_t job, size_t *n)
{
    *n = d->jobs[job].n_parents;
    return d->parents + d->jobs[job].parents;
}
