#ifndef COORDINATOR_SWEEP_SWEEP_H
#define COORDINATOR_SWEEP_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/base/sha256.h"
#include "shared/spec/catalog.h"

/*
 * Sweep files: parsed, validated against a catalogue, expanded into cells, and turned
 * into jobs with edges. Pure: no database, no socket. Every error names
 * file:line:column, what is wrong and the nearest known word.
 */

/* One point of the grid. */
struct sweep_cell {
    const struct catalog_method *method; /* borrowed from the catalogue */
    json_t *values;  /* "method", and the canonical values of every parameter of its
                        stages, defaults filled in; a parameter that only skipped stages
                        read is absent, except those that decide on skipping */
    json_t *written; /* the subset that the file or --set chose (axes and fixed) */
};

struct sweep {
    char *name; /* [A-Za-z0-9._-]{1,64} */
    char *title;
    char *path;
    char *text;     /* the file as read; kept with the results */
    char *sets;     /* the --set overrides, newline-separated, "" if none */
    json_t *axes;   /* names of the parameters that vary, in order of the file */
    json_t *report; /* {"x","y":[..],"group_over","reference"}; defaults filled in */
    json_t *notes;  /* sentences for the person: how `015` was read, idle excludes */
    struct sweep_cell *cells;
    size_t n_cells;
};

struct sweep_options {
    const char *sets;  /* "key=v1,v2" lines from --set; replaces fixed or grid values */
    int64_t max_cells; /* refuse larger grids; the error names --max-cells */
};

MUST_CHECK int sweep_load(struct sweep **out, const char *path, const struct catalog *c,
                          const struct sweep_options *options, struct err *err);

/* The same from text; `path` is only for errors. For tests and fuzzing. */
MUST_CHECK int sweep_parse(struct sweep **out, const char *text, size_t size,
                           const char *path, const struct catalog *c,
                           const struct sweep_options *options, struct err *err);
void sweep_free(struct sweep *s);

/* ---- jobs ------------------------------------------------------------------------ */

struct dag_job {
    struct sha256 digest;
    json_t *spec; /* shared/spec/job.h */
    const char *method, *stage;
    size_t *parents; /* indices of jobs, always smaller than this job's */
    size_t n_parents;
};

/* Jobs of a sweep, each digest once, parents before children. */
struct dag {
    struct dag_job *jobs;
    size_t n_jobs;
    size_t n_unshared;  /* jobs if no two cells shared any */
    size_t **cell_jobs; /* for each cell the jobs of its chain, last one is the leaf */
    size_t *n_cell_jobs;
    size_t n_cells;
};

struct dag *dag_build(const struct sweep *s);
void dag_free(struct dag *d);

#endif
