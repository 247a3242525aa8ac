#ifndef COORDINATOR_DB_TWINS_H
#define COORDINATOR_DB_TWINS_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/pg.h"

/* Two jobs of which one does the other again (`verify`), each with the worker process that
 * has it or had it last. */
struct twin_side {
    int64_t job;
    int64_t worker; /* 0: none yet */
    char host[256];
};

struct twin_pair {
    struct twin_side again, first;
};

/* Growable; initialise with {0}, free(items). */
struct twin_list {
    struct twin_pair *items;
    size_t n, capacity;
};

/* A step of a submit: again[i] does first[i] again. */
MUST_CHECK int twins_add(struct pg *pg, const int64_t *again, const int64_t *first,
                         size_t n, struct err *err);

/* Appends the pairs whose re-run has a number above `after`, ascending. */
MUST_CHECK int twins_load(struct pg *pg, int64_t after, struct twin_list *out,
                          struct err *err);

#endif
