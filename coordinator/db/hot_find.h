#ifndef COORDINATOR_DB_HOT_FIND_H
#define COORDINATOR_DB_HOT_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/pg.h"

/* For hot*.c. Numbers of n > 0 items that begin with them: from first to last, `size` in
 * all. dense: few are missing between, so that one look into the index finds the rows, and
 * what the statement says about each lies in arrays at its number - first + 1. */
struct hot_span {
    int64_t first, last;
    size_t size;
    bool dense;
};
struct hot_span hot_span(const void *items, size_t size, size_t n);

/* SQL: what array $n says about the row with the number `id`, where $1 is `first`. */
#define HOT_AT(n, id) "$" #n "[(" id " - $1::bigint)::int + 1]"

/* For hot*.c: index of a job among n items, which lie `size` apart and begin with its
 * number; n where it is not there. Rows come back in nearly the order in which they were
 * given, so the search goes on from the last place. */
size_t hot_find(const void *items, size_t size, size_t n, size_t from, int64_t job);

/* Sets the bool at offset `done` of the items whose jobs the first column names. */
void hot_mark(void *items, size_t size, size_t n, size_t done,
              const struct pg_rows *rows);

#endif
