#ifndef COORDINATOR_SWEEP_WHEN_H
#define COORDINATOR_SWEEP_WHEN_H

#include <stdbool.h>

#include "coordinator/sweep/space.h"
#include "coordinator/sweep/yaml.h"

/*
 * Conditions over the parameters of a cell:
 *
 *   or    := and ("or" and)*
 *   and   := not ("and" not)*
 *   not   := "not" not | "(" or ")" | test
 *   test  := name                                   a bool parameter
 *          | name ("==" | "!=") word
 *          | name ["not"] "in" "[" word ("," word)* "]"
 *
 * Words are read as values of the parameter, so 50k equals 50000. A parameter that is
 * absent from the cell equals nothing.
 */
struct when;

/* Parses the text of `at` for one method. The condition lives in `mem`. Errors point at
 * the column inside the text. */
MUST_CHECK int when_parse(struct when **out, const struct yaml_node *at,
                          struct space *s, struct arena *mem, struct err *err);

/* row: an entry (sweep.h) for each slot. */
bool when_holds(const struct when *w, const uint32_t *row);

/* Calls visit for every slot that the condition reads, until it returns not 0; returns
 * what visit returned last. */
int when_slots(const struct when *w, int (*visit)(void *ctx, int slot), void *ctx);

#endif
