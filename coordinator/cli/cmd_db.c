/* cmd_db.c - care of the database: its address and its schema. */
#include <stdio.h>
#include <string.h>

#include "coordinator/cli/cmd.h"

static int
db_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
       struct err *err)
{
    const bool migrate = strcmp(words[0], "migrate") == 0;
    struct db *db;

    (void)config;
    (void)n_words;
    if (!migrate && strcmp(words[0], "url") != 0)
        return err_set(err, ERR_USAGE,
                       "`db %s` is not known; write `db migrate` or "
                       "`db url`",
                       words[0]);
    if (cmd_ctx_db(ctx, migrate, &db, err) != 0)
        return -1;
    if (migrate)
        fprintf(stderr, "schema is at version %d\n", DB_SCHEMA_VERSION);
    else
        puts(cmd_ctx_conninfo(ctx));
    return EXIT_OK;
}

const struct cmd cmd_db = {
    .name = "db",
    .usage = "migrate|url",
    .doc = "create or upgrade the schema; print the connection string",
    .group = "System",
    .min_words = 1,
    .max_words = 1,
    .run = db_run,
};
