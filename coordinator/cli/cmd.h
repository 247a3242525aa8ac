#ifndef COORDINATOR_CLI_CMD_H
#define COORDINATOR_CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "coordinator/db/db.h"
#include "shared/base/err.h"
#include "shared/base/exit.h"
#include "shared/base/param.h"
#include "shared/spec/catalog.h"

/*
 * One verb of `relusweep` = one file cmd_<verb>.c holding one `const struct cmd
 * cmd_<verb>` and one line in registry.c. The row's parameter table is what parser,
 * help and shell completion are made from.
 *
 * Conventions: data on stdout, talk on stderr, exit codes of shared/base/exit.h (a
 * failing function fills err; exit_code_of maps its kind).
 */

/* What every verb gets: the global options and lazily opened resources. */
struct cmd_ctx {
    const char *database;  /* --database or NULL */
    const char *state_dir; /* resolved, never NULL */
    bool tty;              /* stdout is a terminal */
    bool tty_err;          /* stderr is a terminal: progress may redraw */
    bool colour;           /* on stdout: a terminal without NO_COLOR */
    int columns;           /* width for what is folded or drawn; 80 in a pipe */
    int table_columns;     /* that tables are cut to; 0: not, as in a pipe */
    struct cmd_ctx_private *priv;
};

struct cmd {
    const char *name;
    const char *usage; /* positional arguments: "SWEEP.yaml" */
    const char *doc;   /* one line */
    const char *group; /* heading in the help: "Sweeps", "Jobs", "Results", "System" */
    const struct param *params;
    size_t n_params;
    size_t config_size;       /* of the struct that params fill */
    const char *repeated;     /* name of the option that may be given again, or NULL */
    int min_words, max_words; /* positional arguments; max -1: any number */
    /* Returns an exit code, or -1 with err filled. */
    int (*run)(struct cmd_ctx *ctx, const void *config, const char **words,
               size_t n_words, struct err *err);
};

extern const struct cmd *const cmds[]; /* NULL-terminated */
const struct cmd *cmd_find(const char *name);

/* The database: --database, else PGHOST/PGDATABASE/PGSERVICE/..., else the private
 * cluster in the state folder, which is started when it is there but not running (and
 * stopped again at the end when nobody else uses it). With `create` a private cluster
 * that is not there is made, and the schema is created or upgraded; without, a missing
 * one is ERR_DB, one of another version ERR_REFUSED, saying what to run. Borrowed; closed by the program's end. */
MUST_CHECK int cmd_ctx_db(struct cmd_ctx *ctx, bool create, struct db **out,
                          struct err *err);

/* libpq connection string of that database, for child processes. Call after
 * cmd_ctx_db. Borrowed. */
const char *cmd_ctx_conninfo(const struct cmd_ctx *ctx);

/* The database is the private server in the state folder. After cmd_ctx_db. */
bool cmd_ctx_is_private(const struct cmd_ctx *ctx);

/* Opens the database once more after it went away; a private server is started if it
 * did not come back. What cmd_ctx_db gave before is gone. ERR_DB; may be tried again. */
MUST_CHECK int cmd_ctx_db_again(struct cmd_ctx *ctx, struct db **out, struct err *err);

/* The catalogue: of the relusweep-worker beside this program, else the one in the
 * database. Borrowed. */
MUST_CHECK int cmd_ctx_catalog(struct cmd_ctx *ctx, const struct catalog **out,
                               struct err *err);

/* Prints one JSON document and a newline on stdout. */
void cmd_print_json(const json_t *doc);

#endif
