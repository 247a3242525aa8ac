#ifndef COORDINATOR_REPORT_PUBLISHED_H
#define COORDINATOR_REPORT_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"
#include "shared/base/mem.h"

/*
 * Published results: the tables of sweeps/published/, which travel inside the program.
 * Every value keeps the paper and the table that print it; what is compared with ours
 * gets our names beside theirs.
 */

/* The files as they were at build time; the last has a NULL name. */
struct published_file {
    const char *name, *text;
};
extern const struct published_file published_files[];

/* Budgets are printed in thousands: 50 may stand for anything that rounds to it. */
static const double published_rounding = 500;

struct published_row {
    /* as in the file */
    const char *paper, *table, *dataset, *model, *method, *state, *relu_k, *ablation;
    const char *metric;
    double value;
    /* in our names; NULL (relus: NaN) where we have none for it */
    const char *our_dataset, *our_model, *our_method, *our_metric;
    double our_value; /* in our unit: their mCE is a share, ours per cent */
    double relus;
};

struct published {
    struct published_row *rows;
    size_t n, capacity;
    struct arena mem;
};

/* Reads all files. ERR_BUG naming file and line for a malformed one. */
MUST_CHECK int published_init(struct published *p, struct err *err);
void published_release(struct published *p);

/* A curve that plots can show: the rows of one method that one paper prints. */
struct published_curve {
    const char *key;   /* in a sweep file's `reference` */
    const char *label; /* "SNL" */
    const char *paper, *tables, *method;
    const char *citation; /* "BCD paper, Table 2" */
    bool on_request;      /* only where a sweep file names it */
    bool any_model;       /* the source does not say which network it was */
};
extern const struct published_curve published_curves[]; /* key NULL ends */

/* True when the row belongs to the curve, in this setting: its ReLUs were reduced, their
 * number is known, and its metric is ours. */
bool published_is_on(const struct published_row *row,
                     const struct published_curve *curve, const char *dataset,
                     const char *model, const char *metric);

/* "Sarkar, Kundu, Beerel, CVPRW 2024" for the `paper` column; itself if unknown. */
const char *published_citation(const char *paper);

#endif
