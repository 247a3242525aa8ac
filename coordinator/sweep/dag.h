#ifndef COORDINATOR_SWEEP_DAG_H
#define COORDINATOR_SWEEP_DAG_H

#include "coordinator/sweep/skip.h"
#include "coordinator/sweep/sweep.h"
#include "shared/base/sha256.h"

/*
 * The jobs of a sweep. Millions of them are planned and few are looked at: a job is a
 * stage and a cell, and its spec is written when somebody wants it.
 */

/* A stage of a method in one part of the sweep. */
struct dag_stage {
    const struct sweep_part *part;
    const struct catalog_stage *stage;
    struct skip skip;
    size_t *slots; /* of its parameters, in order of their names */
    size_t n_slots;
    size_t *keys; /* columns of the part that its jobs depend on */
    size_t n_keys;
    bool own;              /* no two cells share its job */
    bool repeat;           /* its jobs do again what others did (repeat.h) */
    size_t *after;         /* indices of stages of the part */
    struct dag_stage *all; /* stages of the part */
    struct dag_text *text; /* pieces of the spec */
};

struct dag_job {
    const struct dag_stage *of;
    uint32_t cell;    /* the first one that has it, counted from that of the part */
    uint32_t parents; /* in dag->parents */
    uint32_t n_parents;
};

/* Each job once, parents before children. */
struct dag {
    const struct sweep *sweep; /* borrowed */
    struct dag_stage *stages;  /* of all parts */
    size_t n_stages;
    struct dag_job *jobs;
    size_t n_jobs;
    size_t n_unshared;         /* jobs if no two cells shared any */
    struct dag_stage *repeats; /* copies of stages for re-runs, see repeat.h, or NULL */
    size_t n_repeats;          /* re-runs, the last of the jobs */
    uint32_t *repeated;        /* what each of them does again */
    uint32_t *parents;         /* numbers of jobs */
    size_t n_edges;
    uint32_t *chain;  /* for each cell the jobs of its chain, last one is the leaf */
    size_t *chain_at; /* n_cells + 1 places in it */
    struct sha256 *digests; /* of the first n_named jobs */
    size_t n_named;
};

struct dag *dag_build(const struct sweep *s);
void dag_free(struct dag *d);

/* Jobs of a cell's chain. Borrowed. */
const uint32_t *dag_chain(const struct dag *d, size_t cell, size_t *n);

/* Jobs that this one waits for. Borrowed. */
const uint32_t *dag_parents(const struct dag *d, size_t job, size_t *n);

/* Index of the job's stage, or of that which its stage is a copy of, in dag->stages. */
static inline size_t
dag_stage_of(const struct dag *d, size_t job)
{
    const struct dag_stage *of = d->jobs[job].of;

    return (size_t)(of->repeat ? of - d->repeats : of - d->stages);
}

/* Number of the job's value in a slot of its part, its default where the cell has
 * none; SPACE_ABSENT without either. */
uint32_t dag_number(const struct dag_job *job, size_t slot);

/* ---- names and specs (dagspec.c) -------------------------------------------------- */

/* Gives every job its digest; the second time nothing. The other one those below `end`,
 * and perhaps some more. */
void dag_name_jobs(struct dag *d);
void dag_name_jobs_to(struct dag *d, size_t end);

/* Digest of a job that has its name. */
const char *dag_digest(const struct dag *d, size_t job);

/* Adds the canonical text of a job's spec (shared/spec/job.h); its parents must have
 * their names. */
void dag_spec(struct buf *out, const struct dag *d, size_t job);

/* The parameters of a job as an object, new reference. */
json_t *dag_params(const struct dag *d, size_t job);

/*
 * Jobs of a stage with values for the same parameters have one form: the spec as a
 * template for PostgreSQL's format(), with %1$s for the inputs and %2$s and on for the
 * values of the parameters in which cells differ.
 */
bool dag_same_form(const struct dag *d, size_t a, size_t b);
void dag_template(struct buf *out, const struct dag *d, size_t job);

/* Adds the job's own values, canonical JSON, with tabs between them. */
void dag_values(struct buf *out, const struct dag *d, size_t job);

/* Their parameters, at most n_slots of the stage; returns how many. Borrowed. */
size_t dag_value_names(const char **names, const struct dag *d, size_t job);

struct dag_text *dagspec_prepare(const struct dag_stage *st);
void dagspec_release(struct dag_text *text);

#endif
