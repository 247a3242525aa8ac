#ifndef WORKER_MODELS_RELEASED_BUDGETS_H
#define WORKER_MODELS_RELEASED_BUDGETS_H

#include <stdint.h>

#include "shared/base/err.h"

/*
 * The layer budgets that RLNet's authors stored by hand and released (methods.md 4.2):
 * shares of each layer's units, or numbers of units. Their sums miss the budget that
 * they are named by a little (49,971 for 50k).
 */
struct released_budgets {
    const char *name;    /* "released/resnet18-50k" */
    const char *model;   /* that it is for */
    const char *budget;  /* relu_budget that it stands for, canonical: "50000" */
    int64_t side;        /* of the images */
    int n;               /* activations */
    const double *share; /* (n) of its units each layer keeps, or NULL: */
    const double *count; /* (n) units, times `factor` */
    double factor;
};

extern const struct released_budgets released_budgets[]; /* ends with a name of NULL */

/* The list of this name, or with the name "released" that of a network, a budget and
 * images of `side` pixels; NULL where there is none. */
const struct released_budgets *released_budgets_find(const char *name,
                                                     const char *model,
                                                     const char *budget, int64_t side);

/* count[l] = int(share * size[l]) as released. ERR_USAGE where the list is for a network
 * with another number of activations. */
MUST_CHECK int released_budgets_counts(int64_t *count,
                                       const struct released_budgets *list,
                                       const int64_t *size, int n, struct err *err);

#endif
