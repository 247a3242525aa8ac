#ifndef TESTS_SUPPORT_DAG_FIXTURE_H
#define TESTS_SUPPORT_DAG_FIXTURE_H

#include "coordinator/sweep/sweep.h"

/*
 * A sweep made by hand for tests of the queue: each cell is the chain teacher(seed) ->
 * mask(seed, budget) -> finetune(seed, budget), with jobs shared by digest as a parsed
 * file would have them.
 */
struct dag_fixture {
    struct sweep sweep;
    struct dag dag;
};

struct dag_fixture *dag_fixture_new(const char *name, const char *text);
void dag_fixture_add(struct dag_fixture *f, int seed, int budget);
void dag_fixture_free(struct dag_fixture *f);

#endif
