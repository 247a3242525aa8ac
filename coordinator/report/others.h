#ifndef COORDINATOR_REPORT_OTHERS_H
#define COORDINATOR_REPORT_OTHERS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/json.h"

/* Settings of a facet that differ in one axis only: what a table of an ablation has in a
 * row, and a sensitivity plot joins by a line. */

struct others_value {
    char *text;          /* of the axis, as people write it */
    const json_t *first; /* the value */
};

struct others {
    struct others_value *values; /* of the axis, in the order of their text */
    size_t n_values;
    const json_t **groups; /* n_rows x n_values; NULL where there is none */
    size_t n_rows, capacity;
};

/* Groups that are no reference and have the axis, in the facet's order. Rows with one
 * setting only are left out. */
void others_init(struct others *o, const json_t *report, const json_t *facet,
                 const char *axis);
void others_release(struct others *o);

/* The group of a row that comes first: its parameters but for the axis are the row's. */
const json_t *others_first(const struct others *o, size_t row);

/* The facet's varying axes without this one. New reference. */
json_t *others_axes(const json_t *facet, const char *axis);

/* Is this an axis along which settings are compared? Not the budget, which is x, nor what
 * is measured, which makes no difference to a model. */
bool others_is_compared(const char *axis);

#endif
