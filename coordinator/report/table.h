#ifndef COORDINATOR_REPORT_TABLE_H
#define COORDINATOR_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/json.h"
#include "shared/base/mem.h"

/* The table of a report's groups, once for all writers: the parameters that vary,
 * ReLUs, saving of communication, metrics and how many cells are behind them. */

struct table_column {
    const char *heading;
    const char *metric; /* NULL: not a metric */
    int spare;          /* where there is no room, the highest goes first; 0: stays */
};

struct table_cell {
    const char *text;
    bool on_front;
};

struct table {
    struct table_column *columns;
    size_t n_columns;
    struct table_cell *cells; /* n_rows x n_columns; row i is group i */
    size_t n_rows;
    struct arena mem;
};

/* plus_minus: what is between a mean and its standard deviation; NULL: means only. */
void table_init(struct table *t, const json_t *report, const char *plus_minus);
void table_release(struct table *t);

#endif
