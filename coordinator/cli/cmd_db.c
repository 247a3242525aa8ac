/* cmd_db.c - care of the database: its address, its schema, a look inside. */
#include <stdio.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
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

static int
db_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
       struct err *err)
{
    const bool migrate = strcmp(words[0], "migrate") == 0;
    struct db *db;

    (void)config;
    if (!migrate && strcmp(words[0], "url") != 0 && strcmp(words[0], "psql") != 0)
        return err_set(
            err, ERR_USAGE,
            "`db %s` is not known; write `db migrate`, `db url` or `db psql`",
            words[0]);
    if (cmd_ctx_db(ctx, migrate, &db, err) != 0)
        return -1;
    if (strcmp(words[0], "psql") == 0)
        return open_psql(ctx, words + 1, n_words - 1, err);
    if (migrate)
        fprintf(stderr, "schema is at version %d\n", DB_SCHEMA_VERSION);
    else
        puts(cmd_ctx_conninfo(ctx));
    return EXIT_OK;
}

const struct cmd cmd_db = {
    .name = "db",
    .usage = "migrate | url | psql [-- ARGUMENTS]",
    .doc = "create or upgrade the schema; print its address; open psql on it",
    .group = "System",
    .min_words = 1,
    .max_words = -1,
    .run = db_run,
};
