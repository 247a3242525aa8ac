#ifndef COORDINATOR_CLI_SWEEPFILE_H
#define COORDINATOR_CLI_SWEEPFILE_H

#include "coordinator/cli/cmd.h"

/* The options of a verb that takes a sweep file, and what they lead to. */
struct sweepfile_config {
    const char *set;
    int64_t max_cells;
};

/* Rows for a verb's table; T must have a member `file` of the type above. */
/* clang-format off */
#define SWEEPFILE_ROWS(T) \
    {.name = "set", .type = PARAM_STRING, .dflt = "", \
     .offset = PARAM_FIELD(T, file.set, const char *), \
     .doc = "key=v1,v2: replaces values of the sweep file; may be repeated"}, \
    {.name = "max_cells", .type = PARAM_INT, .dflt = "100k", .min = 1, .max = 1e9, \
     .offset = PARAM_FIELD(T, file.max_cells, int64_t), \
     .doc = "refuse grids with more cells than this"}
/* clang-format on */

/* Reads the file against the catalogue and builds its jobs; remarks go to stderr.
 * Caller frees both with sweep_free and dag_free. */
MUST_CHECK int sweepfile_load(struct sweep **sweep, struct dag **dag,
                              struct cmd_ctx *ctx, const char *path,
                              const struct sweepfile_config *config, struct err *err);

/* Loads the file, puts it into the database (made if needed) and says on stderr what
 * that added. *name: of the sweep, caller frees. */
MUST_CHECK int sweepfile_submit(struct db_submitted *out, char **name,
                                struct cmd_ctx *ctx, const char *path,
                                const struct sweepfile_config *config, struct err *err);

#endif
