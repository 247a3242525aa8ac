#ifndef COORDINATOR_CLI_FORECAST_H
#define COORDINATOR_CLI_FORECAST_H

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/view.h"

/* What a sweep still needs, asked of the database every few seconds: at most a twentieth
 * of the time, however large the sweep. */
struct forecast;

struct forecast *forecast_new(struct cmd_ctx *ctx, int64_t sweep);
void forecast_free(struct forecast *f); /* accepts NULL */

/* Fills outlook (borrowed until the next call) and eta of a picture whose status is set.
 * ERR_DB. */
MUST_CHECK int forecast_fill(struct picture *p, struct forecast *f, struct db *db,
                             struct err *err);

#endif
