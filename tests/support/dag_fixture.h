#ifndef TESTS_SUPPORT_DAG_FIXTURE_H
#define TESTS_SUPPORT_DAG_FIXTURE_H

#include "coordinator/sweep/dag.h"

/*
 * A sweep without a file for tests of the queue: each cell is the chain teacher(seed) ->
 * mask(seed, budget) -> finetune(seed, budget).
 */
struct dag_fixture {
    struct sweep sweep;
    struct dag *dag; /* of the cells so far */
    struct catalog catalog;
    int *cells; /* seed and budget of each */
    size_t n_cells;
};

struct dag_fixture *dag_fixture_new(const char *name, const char *text);
void dag_fixture_add(struct dag_fixture *f, int seed, int budget);
void dag_fixture_free(struct dag_fixture *f);

/* Cells with the budgets 0..n-1. */
void dag_fixture_add_many(struct dag_fixture *f, int seed, int n);

#endif
