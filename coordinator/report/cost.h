#ifndef COORDINATOR_REPORT_COST_H
#define COORDINATOR_REPORT_COST_H

#include <stdbool.h>

#include "shared/base/err.h"
#include "shared/base/json.h"

/*
 * What private inference of a network would cost by a protocol's constants, from its
 * ReLUs R, multiply-accumulates M and input elements E of linear layers (metrics
 * "relus", "macs", "linear_inputs"; without the last its term is left out):
 *
 *   online bytes   = R (up + down) + E up
 *   online seconds = R t + M t + bytes / bandwidth, each way by itself
 *
 * and the same offline, with a fixed part for keys. One table has all constants.
 */
extern const char *const cost_names[]; /* NULL-terminated, for options */

/* Adds the metrics pi_online_bytes, pi_online_s, pi_offline_bytes and pi_offline_s to
 * every cell that has ReLUs and MACs. ERR_USAGE for an unknown name. */
MUST_CHECK int cost_add_metrics(json_t *cells, const char *name, struct err *err);

/* False where the constants are a formula that has not been checked against its paper. */
bool cost_is_measured(const char *name);

/* Adds the sheets "cost" (a row for each setting) and "cost-constants". */
void cost_add_sheets(json_t *report, const char *name);

#endif
