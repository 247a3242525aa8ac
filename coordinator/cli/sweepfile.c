/* sweepfile.c - from a path on the command line to cells and jobs. */
#include "coordinator/cli/sweepfile.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/table.h"

int
sweepfile_load(struct sweep **sweep, struct dag **dag, struct cmd_ctx *ctx,
               const char *path, const struct sweepfile_config *config, struct err *err)
{
    const struct sweep_options options = {.sets = config->set,
                                          .max_cells = config->max_cells};
    const struct catalog *catalog;

    *sweep = NULL;
    *dag = NULL;
    if (cmd_ctx_catalog(ctx, &catalog, err) != 0
        || sweep_load(sweep, path, catalog, &options, err) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size((*sweep)->notes); i++) {
        char *note = table_clean(json_string_value(json_array_get((*sweep)->notes, i)));
        fprintf(stderr, "note: %s\n", note);
        free(note);
    }
    *dag = dag_build(*sweep);
    return 0;
}
