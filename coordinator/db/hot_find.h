#ifndef COORDINATOR_DB_HOT_FIND_H
#define COORDINATOR_DB_HOT_FIND_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/pg.h"

/* For hot*.c: index of a job among n items, which lie `size` apart and begin with its
 * number; n where it is not there. Rows come back in nearly the order in which they were
 * given, so the search goes on from the last place. */
size_t hot_find(const void *items, size_t size, size_t n, size_t from, int64_t job);

/* Sets the bool at offset `done` of the items whose jobs the first column names. */
void hot_mark(void *items, size_t size, size_t n, size_t done,
              const struct pg_rows *rows);

#endif
