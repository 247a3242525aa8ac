#ifndef TESTS_COORDINATOR_SWEEP_FIXTURE_H
#define TESTS_COORDINATOR_SWEEP_FIXTURE_H

#include "coordinator/sweep/dag.h"

/* A small catalogue: method `rlnet` with its four stages, `senet` without the evaluate
 * stage's attack and with a parameter of its own. */
extern struct catalog fixture_catalog;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Parses `text` as file "t.yaml"; fails the test with the error's text. */
struct sweep *fixture_sweep(const char *text, const char *sets);

/* Parses what must fail; the error's text must be `expected` exactly (up to a "..." at
 * its end) and its kind ERR_USAGE. */
void fixture_fails(const char *text, const char *sets, const char *expected);

/* The written values of all cells, one line a cell, without method and `fixed` keys:
 * "temperature=4 loss=kl\n". Only the sweep's axes, in their order. Caller frees. */
char *fixture_cells(const struct sweep *s);

/* Compares fixture_cells of a file with a golden text. */
void fixture_expands(const char *text, const char *sets, const char *golden);

#endif
