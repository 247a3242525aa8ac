/* cmd_artifacts.c - list the files that jobs made, or fetch one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/cli/select.h"
#include "coordinator/cli/table.h"
#include "shared/base/mem.h"

struct artifacts_config {
    const char *job, *get, *out;
    bool json;
};

static const struct param artifacts_params[] = {
    SELECT_ROW_JOB(struct artifacts_config),
    PARAM_ROW_STRING(struct artifacts_config, get, "",
                     "fetch the artifact of this name (needs a selection of one)"),
    PARAM_ROW_STRING(struct artifacts_config, out, "",
                     "where --get writes; default <stage>-<name>.safetensors"),
    PARAM_ROW_BOOL(struct artifacts_config, json, "false", "print one JSON document"),
};

/* The one artifact called `name`, or NULL with err filled. */
static const json_t *
pick(const json_t *rows, const char *name, struct err *err)
{
    const json_t *row, *found = NULL;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (strcmp(json_str(row, "name", ""), name) != 0)
            continue;
        if (found != NULL) {
            err_set(err, ERR_USAGE,
                    "several artifacts are called `%s`; name the job "
                    "with --job",
                    name);
            return NULL;
        }
        found = row;
    }
    if (found == NULL)
        err_set(err, ERR_USAGE, "no artifact is called `%s` here", name);
    return found;
}

static int
fetch(struct db *db, const json_t *rows, const struct artifacts_config *c,
      struct err *err)
{
    const json_t *row = pick(rows, c->get, err);

    if (row == NULL)
        return -1;
    char *path = c->out[0] ? xstrdup(c->out)
                           : xasprintf("%s-%s.safetensors",
                                       json_str(row, "stage", "job"), c->get);
    const int rc = db_blob_save(db, json_str(row, "sha", ""), path, err);
    if (rc == 0)
        puts(path);
    free(path);
    return rc == 0 ? 0 : err_wrap(err, "not fetched (--out chooses another file)");
}

static void
print_rows(struct cmd_ctx *ctx, const json_t *rows)
{
    struct table *t = table_new(">JOB|STAGE|>ATTEMPT|NAME|>BYTES|SHA256");
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        table_add(t, "%" PRId64, json_int(row, "job", 0));
        table_add(t, "%s", json_str(row, "stage", ""));
        table_add(t, "%" PRId64, json_int(row, "attempt", 0));
        table_add(t, "%s", json_str(row, "name", ""));
        table_add(t, "%" PRId64, json_int(row, "size", 0));
        table_add(t, "%s", json_str(row, "sha", ""));
    }
    table_print(t, ctx);
}

static int
artifacts_run(struct cmd_ctx *ctx, const void *config, const char **words,
              size_t n_words, struct err *err)
{
    const struct artifacts_config *c = config;
    struct db_selection sel;
    json_t *doc = NULL;
    struct db *db;

    (void)n_words;
    if (cmd_ctx_db(ctx, false, &db, err) != 0
        || select_jobs(&sel, db, words[0], c->job, "any", err) != 0
        || db_artifacts(db, &sel, &doc, err) != 0)
        return -1;
    const json_t *rows = json_object_get(doc, "artifacts");
    int rc = EXIT_OK;
    if (c->get[0] != '\0')
        rc = fetch(db, rows, c, err);
    else if (c->json)
        cmd_print_json(doc);
    else
        print_rows(ctx, rows);
    json_decref(doc);
    return rc;
}

const struct cmd cmd_artifacts = {
    .name = "artifacts",
    .usage = "SWEEP|JOB",
    .doc = "list the models that jobs made; fetch one with --get",
    .group = "Results",
    .params = artifacts_params,
    .n_params = PARAM_COUNT(artifacts_params),
    .config_size = sizeof(struct artifacts_config),
    .min_words = 1,
    .max_words = 1,
    .run = artifacts_run,
};
