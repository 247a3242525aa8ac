/* cmd_db.c - care of the database: its address, its schema, a look inside. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/db/check.h"
#include "coordinator/db/prune.h"
#include "coordinator/launch/process.h"

enum { MAX_ARGS = 32 };

/* psql while we hold the private server open; extra words go to it. */
static int
open_psql(struct cmd_ctx *ctx, const char **words, size_t n_words, struct err *err)
{
    char *argv[MAX_ARGS + 3] = {(char *)"psql", (char *)cmd_ctx_conninfo(ctx)};

    if (n_words > MAX_ARGS)
        return err_set(err, ERR_USAGE, "more than %d arguments for psql", MAX_ARGS);
    for (size_t i = 0; i < n_words; i++)
        argv[i + 2] = (char *)words[i];
    return process_run(argv, NULL, NULL, err);
}

struct db_config {
    int64_t days;
    bool deep, json;
};

static const struct param db_params[] = {
    PARAM_ROW_INT(struct db_config, days, "90", 1, 36500,
                  "`db prune` deletes what is older"),
    PARAM_ROW_BOOL(struct db_config, deep, "false",
                   "`db check` reads the bytes of all artifacts and checkpoints too"),
    PARAM_ROW_BOOL(struct db_config, json, "false",
                   "print one JSON document (`db check`)"),
};

static void
print_check(const json_t *doc)
{
    const json_t *check, *row;
    size_t i, k;

    json_array_foreach(json_object_get(doc, "checks"), i, check)
    {
        const int64_t found = json_int(check, "found", 0);
        if (found == 0)
            printf("ok      %s\n", json_str(check, "name", ""));
        else
            printf("BROKEN  %s: %" PRId64 " times\n", json_str(check, "name", ""),
                   found);
        json_array_foreach(json_object_get(check, "rows"), k, row)
            printf("          %s\n", json_string_value(row));
    }
}

static int
check(struct db *db, const struct db_config *c, struct err *err)
{
    json_t *doc = NULL;

    if (db_check(db, c->deep, &doc, err) != 0)
        return -1;
    if (c->json)
        cmd_print_json(doc);
    else
        print_check(doc);
    const bool sound = json_int(doc, "found", 0) == 0;
    json_decref(doc);
    return sound ? EXIT_OK : EXIT_JOBS_FAILED;
}

static int
prune(struct db *db, int64_t days, struct err *err)
{
    struct db_pruned n;

    if (db_prune(db, days, &n, err) != 0)
        return -1;
    printf("older than %" PRId64 " days: deleted %" PRId64 " events, %" PRId64
           " points of curves, %" PRId64 " pieces of logs\n",
           days, n.events, n.points, n.logs);
    printf("of no use: deleted %" PRId64 " artifacts and checkpoints, %" PRId64
           " files\n",
           n.blobs, n.files);
    return EXIT_OK;
}

static int
db_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
       struct err *err)
{
    const struct db_config *c = config;
    const bool migrate = strcmp(words[0], "migrate") == 0;
    const bool checks = strcmp(words[0], "check") == 0;
    const bool prunes = strcmp(words[0], "prune") == 0;
    struct db *db;

    if (!migrate && !checks && !prunes && strcmp(words[0], "url") != 0
        && strcmp(words[0], "psql") != 0)
        return err_set(err, ERR_USAGE,
                       "`db %s` is not known; write `db migrate`, `db check`, `db "
                       "prune`, `db url` or `db psql`",
                       words[0]);
    if (cmd_ctx_db(ctx, migrate, &db, err) != 0)
        return -1;
    if (strcmp(words[0], "psql") == 0)
        return open_psql(ctx, words + 1, n_words - 1, err);
    if (checks)
        return check(db, c, err);
    if (prunes)
        return prune(db, c->days, err);
    if (migrate)
        fprintf(stderr, "schema is at version %d\n", DB_SCHEMA_VERSION);
    else
        puts(cmd_ctx_conninfo(ctx));
    return EXIT_OK;
}

const struct cmd cmd_db = {
    .name = "db",
    .usage = "migrate | check | prune | url | psql [-- WORDS]",
    .doc = "the schema; prove what the programs count on; delete what is old",
    .group = "System",
    .params = db_params,
    .n_params = PARAM_COUNT(db_params),
    .config_size = sizeof(struct db_config),
    .min_words = 1,
    .max_words = -1,
    .run = db_run,
};
