/* sweepfile.c - from a path on the command line to cells and jobs. */
#include "coordinator/cli/sweepfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cli/text.h"
#include "coordinator/sweep/repeat.h"
#include "shared/base/mem.h"

int
sweepfile_load(struct sweep **sweep, struct dag **dag, struct cmd_ctx *ctx,
               const char *path, const struct sweepfile_config *config, struct err *err)
{
    const struct sweep_options options = {.sets = config->set,
                                          .max_cells = config->max_cells};
    const struct catalog *catalog;

    *sweep = NULL;
    *dag = NULL;
    if (path[0] == '\0')
        return err_set(err, ERR_USAGE, "the name of the sweep file is empty");
    if (cmd_ctx_catalog(ctx, &catalog, err) != 0
        || sweep_load(sweep, path, catalog, &options, err) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size((*sweep)->notes); i++) {
        char *note = text_clean(json_string_value(json_array_get((*sweep)->notes, i)));
        fprintf(stderr, "note: %s\n", note);
        free(note);
    }
    *dag = dag_build(*sweep);
    repeat_add(*dag, json_num((*sweep)->policy, "verify", 0));
    return 0;
}

static void
tell(const struct sweep *s, const struct dag *d, const struct db_submitted *sub)
{
    fprintf(stderr,
            "sweep %s: %" PRId64 " cells, %" PRId64
            " jobs (%zu without sharing): %" PRId64 " new, %" PRId64 " done already\n",
            s->name, sub->cells, sub->jobs, d->n_unshared, sub->new_jobs, sub->done);
    if (sub->failed > 0)
        fprintf(stderr,
                "%" PRId64 " jobs have failed before; `relusweep retry %s` gives them "
                "another try\n",
                sub->failed, s->name);
}

int
sweepfile_submit(struct db_submitted *out, char **name, struct cmd_ctx *ctx,
                 const char *path, const struct sweepfile_config *config,
                 struct err *err)
{
    struct sweep *s;
    struct dag *d;
    struct db *db;
    int rc = -1;

    if (sweepfile_load(&s, &d, ctx, path, config, err) != 0)
        return -1;
    if (cmd_ctx_db(ctx, true, &db, err) == 0 && db_submit(db, s, d, out, err) == 0) {
        tell(s, d, out);
        *name = xstrdup(s->name);
        rc = 0;
    }
    dag_free(d);
    sweep_free(s);
    return rc;
}
