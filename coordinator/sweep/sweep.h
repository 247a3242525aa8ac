#ifndef COORDINATOR_SWEEP_SWEEP_H
#define COORDINATOR_SWEEP_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/sweep/space.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/spec/catalog.h"

/*
 * Sweep files: parsed, validated against a catalogue, and expanded into cells. Pure: no
 * database, no socket. Every error names file:line:column, what is wrong and the nearest
 * known word.
 *
 * A sweep may have millions of cells, and most parameters are the same in all of them.
 * So the cells of a method are one row that they share, and for each cell the entries of
 * the few columns in which cells differ.
 */

/* An entry: the number of a parameter's value in the space, and in the lowest bit
 * whether the file or --set chose it. */
#define SWEEP_ENTRY(number, written) ((uint32_t)((number) << 1 | (written)))
#define SWEEP_NUMBER(entry)          ((uint32_t)(entry) >> 1)
#define SWEEP_WRITTEN(entry)         (((entry)&1) != 0)

/* The cells of one method. */
struct sweep_part {
    struct space space;
    size_t first, n; /* cells [first, first + n) of the sweep */
    uint32_t *base;  /* a slot; of the first cell */
    size_t *columns; /* slots in which cells differ */
    size_t n_columns;
    int *column_of; /* a slot; its column, -1: as in base */
    uint32_t *rows; /* n times n_columns */
};

struct sweep {
    char *name; /* [A-Za-z0-9._-]{1,64} */
    char *title;
    char *path;
    char *text;     /* the file as read; kept with the results */
    char *sets;     /* the --set overrides, newline-separated, "" if none */
    json_t *axes;   /* names of the parameters that vary, in order of the file */
    json_t *report; /* {"x","y":[..],"group_over","reference"}; defaults filled in */
    json_t *policy; /* how jobs are run, see policy.h; NULL: nothing was said */
    json_t *notes;  /* sentences for the person: how `015` was read, idle excludes */
    struct sweep_part *parts; /* one for each method, in order of the cells */
    size_t n_parts, n_cells;
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

/* ---- cells (cells.c) ------------------------------------------------------------- */

/*
 * A cell has "method", and the canonical values of every parameter of its stages,
 * defaults filled in; a parameter that only skipped stages read is absent, except those
 * that decide on skipping.
 */
const struct sweep_part *sweep_part_of(const struct sweep *s, size_t cell);

/* Entry of a slot; cell counts from the first of the part. */
static inline uint32_t
sweep_at(const struct sweep_part *p, size_t cell, size_t slot)
{
    const int column = p->column_of[slot];

    return column < 0 ? p->base[slot] : p->rows[cell * p->n_columns + (size_t)column];
}

/* Value of a parameter, or of "method"; NULL where it is absent. With only_written also
 * where neither the file nor --set chose it ("method" always counts). Borrowed. */
const json_t *sweep_value(const struct sweep *s, size_t cell, const char *name,
                          bool only_written);

/* Adds the canonical text of the cell as a JSON object. */
void sweep_cell_text(struct buf *out, const struct sweep *s, size_t cell,
                     bool only_written);

/* The same as an object, new reference. */
json_t *sweep_cell_json(const struct sweep *s, size_t cell, bool only_written);

/* Cells of a method with values for the same parameters, chosen by the same means, have
 * one form. */
bool sweep_same_form(const struct sweep *s, size_t a, size_t b);

/* What a cell shares with its form: the text of all values, or only of the written ones,
 * in which cells do not differ. */
void sweep_form_text(struct buf *out, const struct sweep *s, size_t cell,
                     bool only_written);

/* The others, in which cells differ. */
void sweep_own_text(struct buf *out, const struct sweep *s, size_t cell);

/* Names of those of them that neither the file nor --set chose, at most n_columns of the
 * part; returns how many. Borrowed. */
size_t sweep_unwritten(const char **names, const struct sweep *s, size_t cell);

/* Where full rows differ from the first one: not 0 for these slots. Caller frees. */
uint32_t *sweep_differences(const uint32_t *rows, size_t n, size_t n_slots);

/* Makes a part of n full rows (an entry for each slot of the space); takes the space and
 * the rows, which come from malloc. */
void sweep_add_part(struct sweep *s, struct space *space, uint32_t *rows, size_t n);
void sweep_release_part(struct sweep_part *p);

#endif
