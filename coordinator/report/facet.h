#ifndef COORDINATOR_REPORT_FACET_H
#define COORDINATOR_REPORT_FACET_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/json.h"

/*
 * Facets: what can be compared in one plot, the settings of one data set and one model.
 *
 *   {"dataset", "model", "label": "cifar10, resnet18", "key": for file names ("" where
 *    there is one facet only), "small": bool, "groups": [indices], "varying": [axes],
 *    "fronts": {metric: [indices by x]},
 *    "hypervolume": {metric: {"value", "lo", "hi" (null: one seed), "points",
 *                             "reference_x", "reference_y"}}}
 */

/* Which facet each group is in: sets group["facet"] and makes report["facets"], in the
 * order of their labels, without groups in them yet. */
void facet_find(json_t *report);

/* Once the groups have their final order: fills the facets, and report["fronts"] with
 * the union of theirs; sets group["on_front"]. `cells` are the rows' cells. */
void facet_fill(json_t *report, const json_t *cells);

/* True when the groups (or cells) that have this parameter do not agree on it. */
bool facet_differs(const json_t *groups, const char *name);

/* The axes in which these groups differ. New reference. */
json_t *facet_varying(const json_t *groups, const json_t *axes);

/* Group number i of a facet. Borrowed. */
json_t *facet_group(const json_t *report, const json_t *facet, size_t i);
size_t facet_n_groups(const json_t *facet);

#endif
